"""What can go wrong, as exceptions that carry data.

A pod that fits nowhere is a result, never an exception.
"""

from __future__ import annotations

from typing import Any, Self

from bayplan._text import printable

__all__ = [
    "ArgumentError",
    "BayplanError",
    "CaptureError",
    "ConfigurationError",
    "InternalError",
    "NotFoundError",
    "ObjectError",
    "SourceError",
    "UnsupportedError",
]


class BayplanError(Exception):
    """Root of every exception that bayplan raises.

    Attributes:
        message: What is wrong, in one sentence, without the place.
        path: The file or other source, such as ``cluster.json`` or ``<bytes>``; None if there is
        none.
        object: The Kubernetes object, such as ``Pod prod/web-0``, or its position in the source.
        field: The path of the field, such as ``spec.containers[0].resources.requests[cpu]``.
        value: The offending value as text.
        line: The line of the text, from 1, where that is known.
        column: The column in characters, from 1, where that is known.
    """

    exit_code = 3
    """Exit code of the ``bayplan`` command when this error ends it."""

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        object: str | None = None,  # noqa: A002 -- the attribute is named so
        field: str | None = None,
        value: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.object = object
        self.field = field
        self.value = value
        self.line = line
        self.column = column

    def __str__(self) -> str:
        """The places from the outside in, then the message, on one line."""
        text = self.message
        if self.value is not None and self.value not in text:
            text = f"{text}: {self.value}"
        path = self.path
        if path and self.line is not None:
            path = f"{path}:{self.line}"
            if self.column is not None:
                path = f"{path}:{self.column}"
        places = (path, self.object, self.field)
        return printable(": ".join([*(place for place in places if place), text]))

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.__dict__.copy())


def _rebuild(cls: type[BayplanError], message: str, state: dict[str, Any]) -> BayplanError:
    """Makes an exception again from what ``__reduce__`` kept."""
    error = cls(message)
    for name, value in state.items():
        setattr(error, name, value)
    return error


class ObjectError(BayplanError, ValueError):
    """A Kubernetes object, or the text that should hold it, is not valid."""


class CaptureError(BayplanError, ValueError):
    """A capture of packets is damaged, or of a format that is not known."""


class ConfigurationError(BayplanError, ValueError):
    """A ``KubeSchedulerConfiguration`` is not valid."""


class ArgumentError(BayplanError, TypeError, ValueError):
    """An argument of a Python call has a type or value that the call does not take."""

    exit_code = 2


class NotFoundError(BayplanError, LookupError):
    """The pod or node that was named is not in the cluster."""


class UnsupportedError(BayplanError, NotImplementedError):
    """What was asked is valid, but bayplan does not decide it yet."""

    exit_code = 4


class SourceError(BayplanError, OSError):
    """A file could not be read or written.

    Attributes:
        errno: The operating system's error number, or None.
    """

    exit_code = 5
    errno: int | None

    def __new__(cls, *args: Any, **_fields: Any) -> Self:  # noqa: ANN401 -- as OSError takes them
        """Keeps OSError from turning the error into another class by its number."""
        return super().__new__(cls, *args[:1])

    def __init__(self, message: str, *, errno: int | None = None, path: str | None = None) -> None:
        super().__init__(message, path=path)
        self.errno = errno

    def __reduce__(self) -> tuple[Any, ...]:
        """As the root does, and the number, which OSError keeps outside ``__dict__``."""
        return _rebuild, (type(self), self.message, {**self.__dict__, "errno": self.errno})


class InternalError(BayplanError, RuntimeError):
    """A fault of bayplan itself: please report it with the input that led here."""

    exit_code = 70
