"""The whole of one decision: every node's and every plugin's answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from bayplan.decisions import Decision

__all__ = [
    "Displaced",
    "PreemptionCandidate",
    "PreemptionRefusal",
    "PreemptionTried",
    "Rejection",
    "Trace",
]


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


class PreemptionCandidate(TypedDict):
    """A node where evicting pods lets the pod fit, and what the choice goes by, in this order.

    ``lostBy`` says by what it lost, None if it was chosen. ``sumOfPriorities`` has 2**31 added for
    each victim, as kube-scheduler sums. ``earliestStart`` is that of the victims with the highest
    priority, None if none of them started. ``victims`` are in kube-scheduler's order.
    """

    name: str
    chosen: bool
    lostBy: str | None
    pdbViolations: int
    highestPriority: int
    sumOfPriorities: int
    earliestStart: str | None
    victims: list[str]


class PreemptionRefusal(TypedDict):
    """A node where evicting pods does not let the pod fit, and the plugin that keeps it out."""

    name: str
    why: str
    plugin: str | None
    reasons: list[str]


class PreemptionTried(TypedDict):
    """What preemption tried.

    ``notTried`` says why no node was tried, None if nodes were; ``node`` is the one that was
    chosen, ``decidedBy`` the criterion by which it won. Every node stands in ``candidates``, in
    kube-scheduler's order, or in ``others``.
    """

    notTried: str | None
    node: str | None
    decidedBy: str | None
    candidates: list[PreemptionCandidate]
    others: list[PreemptionRefusal]


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
        preemption_tried: What preemption tried on each node, or None if that was not asked for.
    """

    __slots__ = ("_data", "decision", "preemption_tried")

    def __init__(
        self, text: bytes | str, decision: Decision, tried: bytes | str | None = None
    ) -> None:
        self._data: dict[str, Any] = json.loads(text)
        self.decision = decision
        self.preemption_tried: PreemptionTried | None = None if tried is None else json.loads(tried)

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

    def __reduce__(self) -> tuple[type[Trace], tuple[str, Decision, str | None]]:
        tried = self.preemption_tried
        text = None if tried is None else json.dumps(tried)
        return Trace, (json.dumps(self._data), self.decision, text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trace):
            return False
        return self._data == other._data and self.preemption_tried == other.preemption_tried

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        fit = sum(rejection is None for rejection in self.filter.values())
        where = self.chosen or "nowhere"
        return f"<Trace of {self.pod}: {where}, {fit} of {len(self.filter)} nodes feasible>"
