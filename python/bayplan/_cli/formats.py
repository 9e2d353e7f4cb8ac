"""Decisions as text, in each of the forms that ``-o`` names."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from bayplan._cli import yaml
from bayplan._cli.table import NONE, format_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bayplan.decisions import Decision, Outcome

API_VERSION = "bayplan.dev/v1"
"""Of every JSON and YAML document that the command prints."""

FORMATS = ("table", "wide", "json", "yaml", "csv", "name")


def _shown(value: int | None) -> str:
    return NONE if value is None else str(value)


_COLUMNS: dict[str, Callable[[Decision], str]] = {
    "NAMESPACE": lambda d: d.namespace,
    "NAME": lambda d: d.name,
    "OUTCOME": lambda d: d.outcome.label,
    "PRIORITY": lambda d: str(d.priority),
    "NODE": lambda d: d.node or NONE,
    "SCORE": lambda d: _shown(d.score),
    "FEASIBLE": lambda d: _shown(d.feasible),
    "PREEMPTS": lambda d: ",".join(d.preemption.victims) if d.preemption else NONE,
    "SCHEDULER": lambda d: d.scheduler,
    "REASON": lambda d: d.reason,
}
_TABLE = ("NAMESPACE", "NAME", "NODE", "SCORE", "REASON")


def table(decisions: Iterable[Decision], *, wide: bool = False, header: bool = True) -> str:
    """The decisions as kubectl prints a table."""
    names = tuple(_COLUMNS) if wide else _TABLE
    text = format_table(names, ([_COLUMNS[name](d) for name in names] for d in decisions))
    return text if header else text.partition("\n")[2]


def names(decisions: Iterable[Decision]) -> str:
    """One ``pod/NAME`` a line, as ``kubectl get -o name`` prints it."""
    return "".join(f"pod/{d.name}\n" for d in decisions)


def comma_separated(decisions: Iterable[Decision], *, header: bool = True) -> str:
    """The decisions as CSV (RFC 4180, lines ended by a newline); nothing is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(
            (
                *("namespace", "name", "outcome", "node", "score", "reason", "priority"),
                *("schedulerName", "feasibleNodes", "preemptionNode", "victims"),
            )
        )
    for d in decisions:
        node, victims = d.preemption or (None, ())
        writer.writerow(
            (
                *(d.namespace, d.name, d.outcome.label, d.node, d.score, d.reason, d.priority),
                *(d.scheduler, d.feasible, node, " ".join(victims)),
            )
        )
    return text.getvalue()


def document(
    decisions: Sequence[Decision],
    *,
    counts: Mapping[Outcome, int],
    nodes: int,
    skipped: Mapping[str, int],
    warnings: Sequence[str],
    version: str,
    semantics: str,
) -> dict[str, Any]:
    """The document that ``-o json`` prints; ``schema/simulation.json`` describes it."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Simulation",
        "version": version,
        "semantics": semantics,
        "summary": {
            "nodes": nodes,
            "pods": sum(counts.values()),
            "shown": len(decisions),
            "outcomes": {outcome.label: count for outcome, count in counts.items()},
        },
        "pods": [decision.to_dict() for decision in decisions],
        "warnings": list(warnings),
        "skipped": dict(skipped),
    }


def structured(data: dict[str, Any], form: str) -> str:
    """A document as JSON or YAML text."""
    if form == "yaml":
        return yaml.dump(data)
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
