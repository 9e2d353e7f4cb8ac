"""The ``bayplan`` command."""

from bayplan._cli.main import main

__all__ = ["main"]
