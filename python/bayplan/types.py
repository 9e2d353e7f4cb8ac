"""Types that appear in bayplan's signatures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

__all__ = ["Json", "Readable", "Source"]

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
"""What a JSON text can hold."""


class Readable(Protocol):
    """A file object: anything with ``read()`` that gives bytes or text."""

    def read(self) -> bytes | str:
        """The rest of the file."""
        ...


Source: TypeAlias = (
    str | os.PathLike[str] | bytes | bytearray | memoryview | Readable
    | Mapping[str, Any] | Sequence[Mapping[str, Any]]
)  # fmt: skip
"""Where objects come from: a path (file or directory, ``.gz`` and ``.zst`` too), the bytes of a
file, a file object, one object, a List, or a list of objects."""
