"""Tables as kubectl prints them: columns padded with spaces, three between, no rules."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from bayplan._text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GAP = "   "
"""kubectl's tabwriter pads each cell by three spaces."""

NONE = "<none>"
"""What kubectl prints where there is nothing."""


def width(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    narrow = sum(unicodedata.combining(c) != 0 for c in text)
    return len(text) + wide - narrow


def format_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lays the rows out under the header, each line ended by a newline.

    The last column is not padded, so a long reason does not push blanks to the right of every line.
    """
    lines = [list(header), *([printable(cell) or NONE for cell in row] for row in rows)]
    widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
    widths[-1] = 0
    return "".join(
        GAP.join(cell + " " * (size - width(cell)) for cell, size in zip(line, widths, strict=True))
        + "\n"
        for line in lines
    )
