"""Output files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from bayplan.exceptions import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def whole_file(target: str) -> Iterator[str]:
    """Gives the path of a new file beside the target and puts it in the target's place at the end.

    If the block raises, the new file goes and the target stays as it was. A target that exists and
    is no regular file (a terminal, a pipe, ``/dev/null``) is given as it is: it cannot be replaced.

    Raises:
        SourceError: The file cannot be made or put in place.
    """
    with _named(target):
        path = Path(target).resolve()  # a link stays a link: what it points to is replaced
        fresh = _fresh(path)
    if fresh is None:
        yield target
        return
    try:
        yield str(fresh)
        with _named(target):
            fresh.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise


def _fresh(path: Path) -> Path | None:
    """Makes an empty file beside the path, with the mode that the path has or would get."""
    old = path.stat() if path.exists() else None
    if old is not None and stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(21, "Is a directory")
    if old is not None and not stat.S_ISREG(old.st_mode):
        return None
    fresh = path.with_name(f".{path.name[:64]}.{secrets.token_hex(8)}.part")
    os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    if old is not None:
        fresh.chmod(stat.S_IMODE(old.st_mode))
    return fresh


@contextlib.contextmanager
def _named(target: str) -> Iterator[None]:
    """Says which file it was when the operating system refuses."""
    try:
        yield
    except OSError as error:
        raise SourceError(error.strerror or str(error), errno=error.errno, path=target) from error
