"""``bayplan simulate``: place the pending pods of a dump."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from bayplan import _native
from bayplan._cli import formats
from bayplan._cli.files import whole_file
from bayplan._cli.load import load
from bayplan._cli.output import put
from bayplan.decisions import Outcome, summary

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

PENDING = 1
UNSUPPORTED = 4
_NOTHING = "No pending pods found."
_MAKERS = ("CronJob", "DaemonSet", "Deployment", "Job")
_WAITING = (Outcome.PENDING, Outcome.PREEMPTING, Outcome.FAILED)


def run(options: argparse.Namespace) -> int:
    """Runs the command and gives its exit code."""
    cluster, scheduler, warnings = load(options)
    with contextlib.ExitStack() as stack:
        trace = stack.enter_context(whole_file(options.trace)) if options.trace else None
        decisions = scheduler.simulate(cluster, trace=trace)
    shown = [
        decision
        for at, decision in enumerate(decisions)
        if options.namespace in (None, decision.namespace)
        and options.selector.matches(decisions.labels(at) if options.selector.requirements else {})
    ]
    counts = decisions.counts()
    for decision in decisions:
        if decision.outcome is Outcome.UNSUPPORTED:
            name = f"{decision.namespace}/{decision.name}"
            print(f"unsupported: {name}: {decision.reason}", file=sys.stderr)
    header = not options.no_headers
    match options.output:
        case "table" | "wide":
            text = formats.table(shown, wide=options.output == "wide", header=header)
            text = text if shown else ""
        case "csv":
            text = formats.comma_separated(shown, header=header)
        case "name":
            text = formats.names(shown)
        case form:
            data = formats.document(
                shown,
                counts=counts,
                nodes=len(cluster.nodes),
                skipped=cluster.skipped,
                warnings=warnings,
                version=_native.__version__,
                semantics=scheduler.semantics,
            )
            text = formats.structured(data, form)
    put(text)
    if options.output in ("table", "wide"):
        line = (
            _line(counts, len(shown), len(cluster.nodes)) if counts else _nothing(cluster.skipped)
        )
        print(line, file=sys.stderr)
    return exit_code(counts)


def _line(counts: Mapping[Outcome, int], shown: int, nodes: int) -> str:
    total = sum(counts.values())
    hidden = f" ({shown} shown)" if shown < total else ""
    places = "1 node" if nodes == 1 else f"{nodes} nodes"
    return f"{summary(counts)} on {places}{hidden}"


def _nothing(skipped: Mapping[str, int]) -> str:
    """What to say when no pod waits; controllers in the input may have been meant to make some."""
    makers = ", ".join(f"{count} {kind}" for kind, count in skipped.items() if kind in _MAKERS)
    return f"No pending pods found. No pods are made from {makers}." if makers else _NOTHING


def exit_code(counts: Mapping[Outcome, int]) -> int:
    """The exit code that all decisions together give, shown or not."""
    if Outcome.UNSUPPORTED in counts or Outcome.UNDETERMINED in counts:
        return UNSUPPORTED
    return PENDING if any(outcome in counts for outcome in _WAITING) else 0
