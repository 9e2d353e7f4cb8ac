"""Recorded cases of the real scheduler, and how one is held against a decision of ours."""

from __future__ import annotations

import gzip
import json
import os
import re
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import bayplan

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(
    os.environ.get(
        "BAYPLAN_CONFORMANCE", str(Path(__file__).parent.parent / "data" / "conformance")
    )
)
"""Where the cases lie; the environment variable points the tests to a larger set in the same
form."""

FIELDS = (
    "pod",
    "gated",
    "prefilter",
    "prefilter_nodes",
    "filter",
    "raw_scores",
    "scores",
    "totals",
    "best",
    "chosen",
    "message",
    "preemption",
)

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One recorded case, unread as long as nobody asks."""

    group: str
    id: str
    line: str = field(repr=False)

    def read(self) -> tuple[Json, list[Json]]:
        """The case and the decisions that the real scheduler took."""
        record = json.loads(self.line)
        return record["case"], record["expected"]["decisions"]


@cache
def cases() -> tuple[Case, ...]:
    """All cases, by file name, in the order of the files."""
    return tuple(_cases())


def _cases() -> Iterator[Case]:
    for path in sorted(DATA.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                found = re.search(r'"id": ?"([^"]+)"', line)
                assert found, f"a line without id in {path.name}"
                yield Case(path.name.partition(".")[0], found[1], line)


@dataclass
class Result:
    """How a case went."""

    recorded: int = 0
    compared: int = 0
    differences: list[str] = field(default_factory=list)


@cache
def result(case: Case) -> Result:
    """Decides the case and compares every field of every decision.

    What comes after the first pod that bayplan calls unsupported is not compared.
    """
    data, expected = case.read()
    decisions, traces = decide(data)
    unsupported = {
        f"{d.namespace}/{d.name}"
        for d in decisions
        if d.outcome in (bayplan.Outcome.UNSUPPORTED, bayplan.Outcome.UNDETERMINED)
    }
    outcome = Result(recorded=len(expected))
    for position, want in enumerate(expected):
        if want["pod"] in unsupported:
            return outcome
        if position >= len(traces):
            outcome.differences.append(f"{want['pod']}: no decision")
            return outcome
        outcome.compared += 1
        outcome.differences += differences(want, traces[position])
    outcome.differences += [
        f"{t['pod']}: decided, but not recorded" for t in traces[len(expected) :]
    ]
    return outcome


def decide(case: Json) -> tuple[list[bayplan.Decision], list[Json]]:
    """What bayplan decides: the rows, and the trace as it stands in the file."""
    cluster = bayplan.Cluster.load(case["objects"])
    scheduler = bayplan.Scheduler(case["config"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace"
        decisions = list(scheduler.simulate(cluster, trace=path))
        with path.open(encoding="utf-8") as lines:
            return decisions, [json.loads(line) for line in lines]


def differences(want: Json, got: Json) -> list[str]:
    """Each field that differs, in words."""
    if named(want.get("error")) != named(got.get("error")):
        return [f"{want['pod']}: error {got.get('error')!r}, recorded {want.get('error')!r}"]
    found = []
    for name in FIELDS:
        ours, theirs = got[name], want[name]
        if name == "message" and "error" in want:
            ours, theirs = named(ours), named(theirs)
        if ours != theirs:
            found.append(f"{want['pod']}: {name}: {first_difference(ours, theirs)}")
    return found


def named(error: str | None) -> str | None:
    """The plugin that an error names; which node's value the real scheduler names is a race."""
    if error is None:
        return None
    found = re.search(r'plugin "([^"]+)"', error)
    return found[1] if found else error


def first_difference(ours: Any, theirs: Any) -> str:
    """Where two values differ first."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in [*theirs, *ours]:
            if key not in ours or key not in theirs:
                return f"{key} is {'missing' if key in theirs else 'too much'}"
            if ours[key] != theirs[key]:
                return f"{key}: {first_difference(ours[key], theirs[key])}"
    return f"{ours!r}, recorded {theirs!r}"[:400]


@dataclass
class Share:
    """How many cases and decisions of a group agree."""

    cases: int = 0
    agreeing_cases: int = 0
    recorded: int = 0
    compared: int = 0


def shares() -> dict[str, Share]:
    """The share by group, over all cases."""
    groups: dict[str, Share] = {}
    for case in cases():
        share = groups.setdefault(case.group, Share())
        outcome = result(case)
        share.cases += 1
        share.agreeing_cases += not outcome.differences
        share.recorded += outcome.recorded
        broken = Counter(text.partition(":")[0] for text in outcome.differences)
        share.compared += max(0, outcome.compared - len(broken))
    return groups


def report(groups: dict[str, Share]) -> list[str]:
    """The shares as lines of a table."""
    total = Share(
        sum(g.cases for g in groups.values()),
        sum(g.agreeing_cases for g in groups.values()),
        sum(g.recorded for g in groups.values()),
        sum(g.compared for g in groups.values()),
    )
    lines = []
    for name, share in [*groups.items(), ("all", total)]:
        percent = 100 * share.compared / share.recorded if share.recorded else 100
        lines.append(
            f"{name:<13} {share.agreeing_cases:>4} of {share.cases:>4} cases agree, "
            f"{share.compared:>5} of {share.recorded:>5} decisions ({percent:.1f} %)"
        )
    return lines
