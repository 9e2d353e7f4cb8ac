"""What was decided: one row a pod, as records and as NumPy columns."""

from __future__ import annotations

import enum
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from bayplan.exceptions import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from bayplan import _native
    from bayplan.types import Record

__all__ = ["Decision", "Decisions", "Outcome", "Pending", "Placements", "Preemption"]


class Outcome(enum.IntEnum):
    """What became of a pod that runs nowhere yet."""

    PLACED = 0
    """A node was chosen; the pod counts there for all that come after it."""
    PENDING = 1
    """No node takes it; the reason says why."""
    PREEMPTING = 2
    """No node takes it until pods of lower priority are evicted; `Decision.preemption` says who."""
    FAILED = 3
    """The real scheduler itself fails on it; the reason is its error."""
    GATED = 4
    """``spec.schedulingGates`` is not empty: not attempted."""
    TERMINATING = 5
    """It has a ``deletionTimestamp``: passed over."""
    FOREIGN = 6
    """Its ``schedulerName`` is in no profile: another scheduler's business."""
    UNSUPPORTED = 7
    """It needs something that bayplan does not decide yet; the reason names it."""
    UNDETERMINED = 8
    """It came after an unsupported pod, whose place could change this one's."""

    @property
    def label(self) -> str:
        """The word that tables and JSON show, such as ``Placed``."""
        return self.name.capitalize()


class Preemption(NamedTuple):
    """Who has to go so that a pod can run."""

    node: str
    victims: tuple[str, ...]


class Decision(NamedTuple):
    """What was decided about one pod.

    Attributes:
        namespace: Of the pod.
        name: Of the pod.
        outcome: What became of it.
        node: Where it goes, or None.
        score: The node's total over all plugins, or None.
        reason: Why there, or why nowhere: kube-scheduler's own words for a pending pod.
        priority: The pod's priority.
        scheduler: The pod's ``spec.schedulerName``.
        feasible: How many nodes passed all filters, or None if none was asked.
        preemption: Whom the pod displaces, or None.
    """

    namespace: str
    name: str
    outcome: Outcome
    node: str | None = None
    score: int | None = None
    reason: str = ""
    priority: int = 0
    scheduler: str = "default-scheduler"
    feasible: int | None = None
    preemption: Preemption | None = None

    def to_dict(self) -> dict[str, Any]:
        """The decision as it stands in the JSON document."""
        return {
            "namespace": self.namespace,
            "name": self.name,
            "outcome": self.outcome.label,
            "node": self.node,
            "score": self.score,
            "reason": self.reason,
            "priority": self.priority,
            "schedulerName": self.scheduler,
            "feasibleNodes": self.feasible,
            "preemption": None
            if self.preemption is None
            else {"node": self.preemption.node, "victims": list(self.preemption.victims)},
        }


class Placements:
    """The pods that got a node, as columns of equal length in the order of decision.

    Attributes:
        namespace: Namespaces, text.
        name: Names of the pods, text.
        node: Names of the nodes, text.
        row: Positions of the nodes in ``Cluster.nodes``, int64.
        score: Totals of the nodes, int64.
    """

    __slots__ = ("name", "namespace", "node", "row", "score")

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self.namespace: NDArray[np.object_] = columns["namespace"]
        self.name: NDArray[np.object_] = columns["name"]
        self.node: NDArray[np.object_] = columns["node"]
        self.row: NDArray[np.int64] = columns["row"]
        self.score: NDArray[np.int64] = columns["score"]

    def __len__(self) -> int:
        return len(self.row)

    def to_dict(self) -> dict[str, NDArray[Any]]:
        """The columns by name, as ``pandas.DataFrame`` and ``polars.DataFrame`` take them."""
        return {name: getattr(self, name) for name in ("namespace", "name", "node", "row", "score")}

    def __repr__(self) -> str:
        return f"<Placements: {len(self)} pods>"


class Pending:
    """The pods that got no node, as columns of equal length in the order of decision.

    Attributes:
        namespace: Namespaces, text.
        name: Names of the pods, text.
        outcome: Codes of `Outcome`, uint8.
        reason: Why, text.
    """

    __slots__ = ("name", "namespace", "outcome", "reason")

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self.namespace: NDArray[np.object_] = columns["namespace"]
        self.name: NDArray[np.object_] = columns["name"]
        self.outcome: NDArray[np.uint8] = columns["outcome"]
        self.reason: NDArray[np.object_] = columns["reason"]

    def __len__(self) -> int:
        return len(self.outcome)

    def to_dict(self) -> dict[str, NDArray[Any]]:
        """The columns by name, as ``pandas.DataFrame`` and ``polars.DataFrame`` take them."""
        return {name: getattr(self, name) for name in ("namespace", "name", "outcome", "reason")}

    def __repr__(self) -> str:
        return f"<Pending: {len(self)} pods>"


class Decisions:
    """What was decided about each pod, in the order in which the pods were taken.

    Iterating gives a `Decision` a pod; the attributes below give NumPy columns over the same pods.
    """

    __slots__ = ("_index", "_inner", "_records")

    def __init__(self, native: _native.Decisions) -> None:
        self._inner = native
        self._records: list[Decision] | None = None
        self._index: dict[str, int] | None = None

    @property
    def _all(self) -> list[Decision]:
        if self._records is None:
            self._records = [decision(record) for record in self._inner.records()]
        return self._records

    def __len__(self) -> int:
        return len(self._inner)

    def __iter__(self) -> Iterator[Decision]:
        return iter(self._all)

    @overload
    def __getitem__(self, pod: int | str) -> Decision: ...
    @overload
    def __getitem__(self, pod: slice) -> list[Decision]: ...
    def __getitem__(self, pod: int | str | slice) -> Decision | list[Decision]:
        """The decision at a position, or the one about the pod ``namespace/name``."""
        if not isinstance(pod, str):
            return self._all[pod]
        if self._index is None:
            self._index = {f"{d.namespace}/{d.name}": at for at, d in enumerate(self._all)}
        key = pod if "/" in pod else f"default/{pod}"
        if key not in self._index:
            raise NotFoundError("nothing was decided about this pod", object=f"Pod {key}")
        return self._all[self._index[key]]

    @property
    def nodes(self) -> list[str]:
        """The names of the cluster's nodes, in their order: what `row` points into."""
        return self._inner.nodes()

    @property
    def namespace(self) -> NDArray[np.object_]:
        """Namespaces, text."""
        return _text(d.namespace for d in self._all)

    @property
    def name(self) -> NDArray[np.object_]:
        """Names of the pods, text."""
        return _text(d.name for d in self._all)

    @property
    def node(self) -> NDArray[np.object_]:
        """Names of the nodes; None where there is none."""
        return _text(d.node for d in self._all)

    @property
    def reason(self) -> NDArray[np.object_]:
        """Why there, or why nowhere; text."""
        return _text(d.reason for d in self._all)

    @property
    def outcome(self) -> NDArray[np.uint8]:
        """Codes of `Outcome`."""
        return self._inner.outcomes()

    @property
    def row(self) -> NDArray[np.int64]:
        """Positions of the nodes in `nodes`; -1 where there is none."""
        return self._inner.rows()

    @property
    def score(self) -> NDArray[np.int64]:
        """Totals of the nodes over all plugins; -1 where there is none."""
        return self._inner.scores()

    @property
    def placements(self) -> Placements:
        """The pods that got a node."""
        placed = self.row >= 0
        names = ("namespace", "name", "node", "row", "score")
        return Placements({name: getattr(self, name)[placed] for name in names})

    @property
    def pending(self) -> Pending:
        """The pods that got no node, whatever the reason."""
        waiting = self.row < 0
        names = ("namespace", "name", "outcome", "reason")
        return Pending({name: getattr(self, name)[waiting] for name in names})

    def counts(self) -> dict[Outcome, int]:
        """How many pods had each outcome; outcomes that did not occur are left out."""
        counter = Counter(decision.outcome for decision in self._all)
        return {outcome: counter[outcome] for outcome in Outcome if counter[outcome]}

    def labels(self, position: int) -> dict[str, str]:
        """The labels of the pod at a position."""
        return self._inner.labels(position)

    def __repr__(self) -> str:
        return f"<Decisions: {summary(self.counts())}>"


def summary(counts: Mapping[Outcome, int]) -> str:
    """One line, such as ``13 pods: 9 placed, 2 pending, 1 gated, 1 terminating``."""
    total = sum(counts.values())
    parts = ", ".join(f"{count} {outcome.label.lower()}" for outcome, count in counts.items())
    pods = "1 pod" if total == 1 else f"{total} pods"
    return f"{pods}: {parts}" if parts else pods


def decision(record: Record) -> Decision:
    """A decision from the native side's tuple."""
    displaced = None if record[9] is None else Preemption(record[9][0], tuple(record[9][1]))
    return Decision(record[0], record[1], Outcome(record[2]), *record[3:9], displaced)


def _text(values: Iterator[str | None] | Any) -> NDArray[np.object_]:  # noqa: ANN401
    import numpy as np  # noqa: PLC0415 -- `bayplan --help` must not wait for it

    return np.array(list(values), dtype=object)
