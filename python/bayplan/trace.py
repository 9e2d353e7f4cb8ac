"""The whole of one decision: every node's and every plugin's answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from bayplan.decisions import Decision

__all__ = ["Displaced", "Rejection", "Trace"]


class Rejection(TypedDict):
    """Why a node, or all of them, cannot take a pod.

    ``plugin`` is the first that said no, ``code`` kube-scheduler's status, ``reasons`` its words.
    """

    plugin: str
    code: str
    reasons: list[str]


class Displaced(TypedDict):
    """Preemption: the node, whom it evicts there, and whom it would have evicted elsewhere."""

    node: str
    victims: list[str]
    candidates: dict[str, list[str]]


class Trace:
    """One decision as the scheduler came to it.

    Attributes:
        pod: ``namespace/name``.
        gated: Whether scheduling gates kept the pod from being attempted.
        prefilter: The rejection of all nodes at once, or None.
        prefilter_nodes: The nodes left by a plugin that knew them beforehand, or None if none did.
        filter: Every node that was looked at: None if it can take the pod, else the rejection.
        raw_scores: Plugin, node, score before normalising.
        scores: Plugin, node, score after normalising, times the plugin's weight.
        totals: Node, sum of its scores.
        best: The nodes with the highest total, in the order in which they were looked at.
        chosen: The node that the pod gets, or None.
        message: kube-scheduler's words when no node takes the pod, or None.
        preemption: Whom the pod displaces, or None.
        error: What the real scheduler itself fails with, or None.
        decision: The same in short, as `Decisions` holds it.
    """

    __slots__ = ("_data", "decision")

    def __init__(self, text: bytes | str, decision: Decision) -> None:
        self._data: dict[str, Any] = json.loads(text)
        self.decision = decision

    pod: str
    gated: bool
    prefilter: Rejection | None
    prefilter_nodes: list[str] | None
    filter: dict[str, Rejection | None]
    raw_scores: dict[str, dict[str, int]]
    scores: dict[str, dict[str, int]]
    totals: dict[str, int]
    best: list[str]
    chosen: str | None
    message: str | None
    preemption: Displaced | None
    error: str | None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- the annotations above say
        if name in Trace.__annotations__:
            return self._data.get(name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def to_dict(self) -> dict[str, Any]:
        """The decision in the form that ``bayplan simulate --trace`` writes, one line a pod."""
        return self._data

    def __reduce__(self) -> tuple[type[Trace], tuple[str, Decision]]:
        return Trace, (json.dumps(self._data), self.decision)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trace) and self._data == other._data

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        fit = sum(rejection is None for rejection in self.filter.values())
        where = self.chosen or "nowhere"
        return f"<Trace of {self.pod}: {where}, {fit} of {len(self.filter)} nodes feasible>"
