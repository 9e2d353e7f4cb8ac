"""Standard output, written whole or with an error."""

from __future__ import annotations

import os
import sys


def put(text: str) -> None:
    """Writes the text to standard output and flushes it.

    Goes around the text layer: with ``PYTHONUNBUFFERED`` that one takes a short write for a whole
    one, so a pipe whose reader is slow or gone would lose the rest in silence.
    """
    stream = sys.stdout
    binary = getattr(stream, "buffer", None)
    if binary is None:  # replaced by a caller, such as `contextlib.redirect_stdout`
        stream.write(text)
        stream.flush()
        return
    stream.flush()
    rest = memoryview(text.encode(stream.encoding, "backslashreplace"))
    while rest:
        rest = rest[binary.write(rest) :]
    binary.flush()


def drop() -> None:
    """Lets what standard output still holds go nowhere when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
