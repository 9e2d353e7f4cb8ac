"""Types that appear in bayplan's signatures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias

__all__ = [
    "Events",
    "Json",
    "NativeSource",
    "Pods",
    "Readable",
    "Record",
    "Source",
]

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

Events: TypeAlias = Source
"""Where events come from: as for objects, but each value is an event."""

Pods: TypeAlias = Source | Sequence[str]
"""Pods to place: names of pods in the cluster, as a list, or a source of new objects."""

NativeSource: TypeAlias = tuple[Literal["path", "stdin", "bytes", "object"], str, Any]
"""A source as the native side takes it: its kind, what errors call it, and what it holds."""

Record: TypeAlias = tuple[
    str,  # namespace
    str,  # name
    int,  # outcome
    str | None,  # node
    int | None,  # score
    str,  # reason
    int,  # priority
    str,  # scheduler
    int | None,  # feasible nodes
    tuple[str, list[str]] | None,  # preemption
]
"""A decision as the native side gives it."""
