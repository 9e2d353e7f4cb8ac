"""What every command does first: read the cluster and the configuration."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeAlias

from bayplan.exceptions import ObjectError
from bayplan.scheduling import STDIN, Cluster, Scheduler, Stdin, example

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from bayplan.types import Source

Loaded: TypeAlias = tuple[Cluster, Scheduler, list[str]]


class _Collector(logging.Handler):
    """Keeps warnings besides printing them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def load(options: argparse.Namespace) -> Loaded:
    """The cluster, the scheduler, and what was warned of on the way.

    Raises:
        ObjectError: The input is wrong, or there was a warning and ``--strict`` was given.
    """
    collector = _Collector()
    logger = logging.getLogger("bayplan")
    logger.addHandler(collector)
    try:
        scheduler = Scheduler(
            options.config,
            sampling=options.sampling,
            tie_break=options.tie_break,
            seed=options.seed,
        )
        cluster = Cluster.load(*_sources(options.filename, with_example=options.example))
        if options.events:
            cluster.apply(*_sources(options.events))
    finally:
        logger.removeHandler(collector)
    if options.strict and collector.messages:
        raise ObjectError(f"--strict: {collector.messages[0]}")
    return cluster, scheduler, collector.messages


def _sources(names: Sequence[str], *, with_example: bool = False) -> list[Source | Stdin]:
    sources: list[Source | Stdin] = [example()] if with_example else []
    return sources + [STDIN if name == "-" else name for name in names]
