"""YAML out: the data of a JSON document in block style, as ``kubectl -o yaml`` lays it out."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.types import Json

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./()'-]*(?: [A-Za-z0-9_./()'+-]+)*")
"""Texts that no YAML 1.1 or 1.2 reader takes for anything but a string, reserved words apart."""

_RESERVED = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n", "_"})


def dump(document: Json) -> str:
    """The document as YAML, ended by a newline."""
    if isinstance(document, dict | list) and document:
        return "".join(line + "\n" for line in _block(document))
    return _scalar(document) + "\n"


def _block(value: dict[str, Json] | list[Json]) -> Iterator[str]:
    """The lines of a mapping or sequence that is not empty."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict | list) and item:
                yield f"{_text(key)}:"
                pad = "  " if isinstance(item, dict) else ""
                yield from (pad + line for line in _block(item))
            else:
                yield f"{_text(key)}: {_scalar(item)}"
        return
    for item in value:
        if isinstance(item, dict | list) and item:
            lead = "- "
            for line in _block(item):
                yield lead + line
                lead = "  "
        else:
            yield f"- {_scalar(item)}"


def _scalar(value: Json) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return "[]"
    return json.dumps(value)


def _text(text: str) -> str:
    """The text plain where that is safe, else quoted as JSON, which is YAML too."""
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    return json.dumps(text)
