"""Clusters and schedulers: what Python adds to the native classes."""

from __future__ import annotations

import enum
import logging
import operator
import os
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal, Self

from bayplan import _native
from bayplan.decisions import Decisions, decision
from bayplan.exceptions import ArgumentError, ObjectError, SourceError
from bayplan.trace import Trace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from bayplan.types import Events, NativeSource, Pods, Readable, Source

__all__ = ["Cluster", "Fork", "Scheduler"]


class Stdin(enum.Enum):
    """Standard input as a source, read by the native side as it comes; for the command line."""

    STDIN = "<stdin>"


STDIN = Stdin.STDIN

_logger = logging.getLogger("bayplan")


class Cluster:
    """The state of a cluster: its nodes, the pods that run there, the pods that wait.

    A cluster may be used by any number of threads. Calls about it and its forks wait for one
    another; a `copy.copy` is a cluster of its own and does not. Calls that change it (`apply`, its
    short forms, `Scheduler.schedule`) take effect whole or, if they raise, not at all.

    ``copy.copy``, ``copy.deepcopy`` and ``pickle`` give a cluster that is alike in everything that
    decisions read and that its methods show.

    Example:
        >>> cluster = Cluster.example()
        >>> cluster
        <Cluster: 9 nodes, 4 running pods, 13 pending>
        >>> cluster.simulate()["ml/trainer-0"].node
        'gpu-b1'
    """

    __slots__ = ("_inner",)
    _inner: _native.Cluster

    def __init__(self) -> None:
        raise ArgumentError("a cluster comes from Cluster.load, .from_arrays or .example")

    @classmethod
    def _of(cls, native: _native.Cluster) -> Self:
        self = cls.__new__(cls)
        self._inner = native
        return self

    @classmethod
    def load(cls, *sources: Source | Stdin) -> Self:
        """Reads a cluster from dumps.

        Args:
            *sources: Each a path (a file or a directory of files), the bytes of a file, a file
                object, one object or List as a dict, or a list of such dicts. JSON, YAML and
                NDJSON, also compressed by gzip or zstd, are told apart by what they hold.

        Raises:
            ObjectError: Something is not a valid Kubernetes object; the attributes say where.
            SourceError: A file cannot be read.
            ArgumentError: A Python value cannot stand in JSON.
        """
        native = _native.Cluster.load([_source(source) for source in sources])
        for warning in native.warnings():
            _logger.warning("%s", warning)
        for kind, count in native.skipped().items():
            _logger.info("%s: %d skipped, not read by the scheduler", kind, count)
        return cls._of(native)

    @classmethod
    def example(cls) -> Self:
        """The cluster that comes with bayplan: nine nodes in three zones, and every sort of pod."""
        return cls.load(example())

    @classmethod
    def from_arrays(
        cls,
        *,
        milli_cpu: ArrayLike,
        memory: ArrayLike,
        pods: ArrayLike = 110,
        ephemeral_storage: ArrayLike = 0,
        extended: Mapping[str, ArrayLike] | None = None,
        names: Sequence[str] | None = None,
        labels: Mapping[str, Sequence[str | None]] | None = None,
    ) -> Self:
        """Makes a cluster of empty nodes from columns of what each can allocate.

        Args:
            milli_cpu: Thousandths of a CPU.
            memory: Bytes.
            pods: Numbers of pods; one number stands for all nodes.
            ephemeral_storage: Bytes; one number stands for all nodes.
            extended: Counts by name of resource, such as ``{"nvidia.com/gpu": [4, 0]}``.
            names: Names of the nodes; ``node-0``, ``node-1``, … if left out.
            labels: Values by label key, one a node; None where a node lacks the label.
                ``kubernetes.io/hostname`` is the node's name unless it is given.

        Raises:
            ArgumentError: The columns differ in length, or hold something other than whole numbers.
            ObjectError: A number is negative, or a name or label is none that Kubernetes allows.
        """
        columns = {"cpu": milli_cpu, "memory": memory, "pods": pods}
        columns["ephemeral-storage"] = ephemeral_storage
        count = None if names is None else len(names)
        native = _native.Cluster.from_columns(
            _columns({**columns, **(extended or {})}, count),
            None if names is None else list(names),
            [(key, list(values)) for key, values in (labels or {}).items()],
        )
        return cls._of(native)

    @property
    def nodes(self) -> list[str]:
        """The names of the nodes in their order: it breaks ties and is that of every column."""
        return self._inner.nodes()

    @property
    def pods(self) -> list[str]:
        """``namespace/name`` of every pod, running or waiting, as they were read."""
        return self._inner.pods()

    def node_of(self, pod: str) -> str | None:
        """The node on which the pod ``namespace/name`` runs, or None if it waits.

        Raises:
            NotFoundError: There is no such pod.
        """
        return self._inner.node_of(pod)

    @property
    def skipped(self) -> dict[str, int]:
        """How many objects of each kind loading passed over because no decision reads them."""
        return self._inner.skipped()

    @property
    def warnings(self) -> list[str]:
        """What was missing when the cluster was loaded and would have changed decisions."""
        return self._inner.warnings()

    def apply(self, *sources: Events | Stdin) -> int:
        """Lets events happen one after another, all of them or, if it raises, none.

        The cluster is then as if its objects had been loaded in their new state: an object that
        changed keeps its place among those of its kind, one that came is the last.

        Args:
            *sources: Events as ``kubectl get --watch --output-watch-events -o json`` prints them,
                ``{"type": "ADDED", "object": {...}}``, with types ``ADDED``, ``MODIFIED`` and
                ``DELETED`` (of whose object the kind and a name or uid are enough); or what is
                done to pods and nodes: ``{"type": "CORDON", "node": "a"}`` and likewise
                ``UNCORDON``, ``LABEL``, ``TAINT``, ``UNTAINT``, ``RESIZE``, ``ASSUME``, ``FORGET``,
                ``BIND``, as the short forms below say. Each source is a path, bytes, a file
                object, one event as a dict, or a list of such dicts.

        Returns:
            How many events happened; those of kinds that no decision reads do not count.

        Raises:
            ObjectError: An event is not valid, or cannot happen: its object is there already, its
                pod does not wait. ``object`` says which.
            NotFoundError: It is about an object that is not there.
            SourceError: A file cannot be read.
            ArgumentError: A Python value cannot stand in JSON.
        """
        count, skipped = self._inner.apply([_source(source) for source in sources])
        for kind, skips in skipped.items():
            _logger.info("%s: %d skipped, not read by the scheduler", kind, skips)
        return count

    def _do(self, verb: str, **members: Any) -> None:  # noqa: ANN401 -- whatever JSON can hold
        event = {"type": verb.upper(), **members}
        self._inner.apply([("object", f"<{verb}>", event)])

    def add(self, *sources: Source) -> None:
        """Adds objects, all or none; pods that name a node run there, the others wait.

        Args:
            *sources: As for `load`.

        Raises:
            ObjectError: An object is not valid, or one of its kind and name is there already.
        """
        self._inner.add([_source(source) for source in sources])

    def update(self, *objects: Mapping[str, Any]) -> None:
        """Puts objects, as dicts, in the place of those of their names.

        Raises:
            NotFoundError: There is no such object.
        """
        self.apply([{"type": "MODIFIED", "object": one} for one in objects])

    def delete(
        self, kind: str, name: str = "", *, namespace: str = "default", uid: str = ""
    ) -> None:
        """Takes an object out. Pods of a node that goes count nowhere until it comes again.

        Args:
            kind: Such as ``Pod`` or ``PersistentVolumeClaim``.
            name: Its name; may be left out if the uid is given.
            namespace: Its namespace, if its kind has one and the name is given.
            uid: Its uid; with both, the object of that name must have it.

        Raises:
            NotFoundError: There is no such object.
            ObjectError: No decision reads this kind, or neither name nor uid is given.
        """
        metadata = {"name": name, "namespace": namespace if name else "", "uid": uid}
        metadata = {key: value for key, value in metadata.items() if value}
        event = {"type": "DELETED", "object": {"kind": kind, "metadata": metadata}}
        _, skipped = self._inner.apply([("object", "<delete>", event)])
        if skipped:
            raise ObjectError("not a kind that is kept", field="kind", value=kind)

    def assume(self, pod: str, node: str) -> None:
        """Lets a waiting pod count on a node though it is not bound (``Cache.AssumePod``).

        No volumes are reserved; `Scheduler.schedule` does that.

        Args:
            pod: ``namespace/name``; a bare name is in ``default``.
            node: Name of the node.

        Raises:
            NotFoundError: There is no such pod or node.
            ObjectError: The pod does not wait.
        """
        self._do("assume", pod=pod, node=node)

    def forget(self, pod: str) -> None:
        """Lets an assumed pod wait again (``Cache.ForgetPod``); what was reserved for it is free.

        Pods that `Scheduler.schedule` placed are assumed, until they are bound.

        Raises:
            NotFoundError: There is no such pod.
            ObjectError: The pod was not assumed.
        """
        self._do("forget", pod=pod)

    def bind(self, pod: str, node: str) -> None:
        """Lets a waiting or assumed pod be on a node for good.

        Raises:
            NotFoundError: There is no such pod or node.
            ObjectError: The pod does not wait and is not assumed.
        """
        self._do("bind", pod=pod, node=node)

    def cordon(self, node: str) -> None:
        """Lets a node take no more pods.

        Raises:
            NotFoundError: There is no such node.
        """
        self._do("cordon", node=node)

    def uncordon(self, node: str) -> None:
        """Lets a node take pods again.

        Raises:
            NotFoundError: There is no such node.
        """
        self._do("uncordon", node=node)

    def label(self, node: str, labels: Mapping[str, str | None]) -> None:
        """Changes labels of a node; None takes one away.

        Raises:
            NotFoundError: There is no such node.
            ObjectError: A key or value is none that Kubernetes allows.
        """
        self._do("label", node=node, labels=_mapping("labels", labels))

    def taint(self, node: str, *taints: str | Mapping[str, str]) -> None:
        """Gives a node taints; one of the same key and effect is replaced.

        Args:
            node: Name of the node.
            *taints: Each ``key=value:effect`` or ``key:effect``, or a dict with ``key``,
                ``value`` and ``effect``.

        Raises:
            NotFoundError: There is no such node.
            ObjectError: A taint is none that Kubernetes allows.
        """
        self._do("taint", node=node, taints=[_taint(taint) for taint in taints])

    def untaint(self, node: str, key: str, effect: str | None = None) -> None:
        """Takes a node's taints of that key away, or the one of that key and effect.

        Args:
            node: Name of the node.
            key: The taint's key, or ``key:effect``.
            effect: The effect; all if neither says one.

        Raises:
            NotFoundError: There is no such node, or it has no such taint.
        """
        if effect is None and ":" in key:
            key, _, effect = key.partition(":")
        effects = {} if effect is None else {"effect": effect}
        self._do("untaint", node=node, key=key, **effects)

    def resize(self, node: str, allocatable: Mapping[str, str | int]) -> None:
        """Lets a node offer other amounts of resources; those that are not named stay.

        Args:
            node: Name of the node.
            allocatable: Quantities by resource, such as ``{"cpu": "8", "memory": "32Gi"}``.

        Raises:
            NotFoundError: There is no such node.
            ObjectError: A quantity is none.
        """
        self._do("resize", node=node, allocatable=_mapping("allocatable", allocatable))

    def fork(self) -> Fork:
        """A fork: a cluster of its own that begins as this one is now.

        It costs what is changed in it, not what the cluster holds, as long as this cluster is left
        alone while the fork is open; if both are used at once, one of them is copied, once.

        Example:
            >>> cluster = Cluster.example()
            >>> with cluster.fork() as what_if:
            ...     what_if.cordon("gpu-b1")
            ...     what_if.simulate()["ml/trainer-0"].outcome.label
            'Pending'
            >>> cluster.simulate()["ml/trainer-0"].outcome.label
            'Placed'
        """
        return Fork._of(self._inner.fork())  # noqa: SLF001 -- its own subclass

    def to_json(self) -> bytes:
        """The cluster's objects as they are now: a ``v1.List`` in JSON that `load` reads.

        It holds what decisions read and what is kept besides; fields that loading passed over are
        gone. Assumed pods name their nodes in it.
        """
        return self._inner.to_json()

    def __copy__(self) -> Cluster:
        return Cluster._of(self._inner.copy())

    def __deepcopy__(self, memo: dict[int, Any]) -> Cluster:
        return Cluster._of(self._inner.copy())

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self._inner.dump(),)

    def simulate(
        self, pods: Pods | None = None, config: Source | Scheduler | None = None
    ) -> Decisions:
        """Decides where pods would go; the cluster stays as it is.

        Args:
            pods: What to place: names of pods that wait in the cluster, or new objects to add (a
                source as for `load`). All pods that wait, if left out.
            config: A ``KubeSchedulerConfiguration``, or a `Scheduler`; kube-scheduler's defaults
                if left out.

        Raises:
            BayplanError: As `load` and `Scheduler` raise them; `NotFoundError` for a name that is
                not there.
        """
        scheduler = config if isinstance(config, Scheduler) else Scheduler(config)
        return scheduler.simulate(self, pods)

    def __repr__(self) -> str:
        nodes, running, pending = self._inner.counts()
        places, pods = _count(nodes, "node"), _count(running, "running pod")
        return f"<Cluster: {places}, {pods}, {pending} pending>"


class Fork(Cluster):
    """A fork of a cluster: `Cluster.fork`.

    As a context manager it is rolled back at its end unless it was committed. Once it has ended,
    calls about it raise `ArgumentError`. A fork may be forked in turn; copies and pickles of it
    are clusters of their own.
    """

    __slots__ = ()

    def commit(self) -> None:
        """Gives what was changed here to the cluster that was forked, and ends the fork.

        Raises:
            ArgumentError: The fork has ended, a fork of it is open, or the cluster that was forked
                has changed since.
        """
        self._inner.commit()

    def rollback(self) -> None:
        """Forgets what was changed here, and ends the fork and those that were made of it.

        Raises:
            ArgumentError: The fork has ended.
        """
        self._inner.rollback()

    def __enter__(self) -> Self:
        if not self._inner.is_open():
            raise ArgumentError("this fork has ended")
        return self

    def __exit__(self, *exception: object) -> None:
        if self._inner.is_open():
            self._inner.rollback()

    def __repr__(self) -> str:
        if not self._inner.is_open():
            return "<Fork: ended>"
        return super().__repr__().replace("<Cluster:", "<Fork:")


def _restore(dumped: bytes) -> Cluster:
    """The cluster that was pickled."""
    return Cluster._of(_native.Cluster.restore(dumped))  # noqa: SLF001 -- its own maker


class Scheduler:
    """A scheduler: kube-scheduler's plugins as a configuration arranges them.

    It holds no cluster and never changes, so any number of threads may use it. A pickle holds the
    text of the configuration.

    Args:
        config: A ``KubeSchedulerConfiguration`` of ``kubescheduler.config.k8s.io/v1``: a path,
            bytes, a file object or a dict. kube-scheduler's defaults if left out.
        sampling: Which nodes a decision looks at. ``"all"``: all of them, in the order of
            `Cluster.nodes`. ``"kube"``: as many as kube-scheduler would, by
            ``percentageOfNodesToScore`` or, if that is absent or 0, by the size of the cluster,
            from 100 nodes on; it walks the nodes zone by zone in turn, from where the last
            decision stopped. Preemption then obeys ``minCandidateNodesPercentage`` and
            ``minCandidateNodesAbsolute``, too.
        tie_break: Which of the nodes with the highest total is chosen. ``"first"``: the first that
            was looked at. ``"random"``: one of them, each with the same probability; with sampling
            ``"kube"`` preemption begins at a random node, too.
        seed: What the random choices depend on besides how many there were on the cluster before:
            0 to 2**64 - 1. The same seed gives the same decisions on every machine.

    Raises:
        ConfigurationError: The configuration is not valid; the attributes say where.
        ArgumentError: There is no such sampling or tie-break, or the seed is out of range.
        SourceError: The file cannot be read.

    Example:
        >>> scheduler = Scheduler()
        >>> int(scheduler.filter(Cluster.example(), "ml/trainer-0").sum())
        1
    """

    __slots__ = ("_inner", "_options")

    def __init__(
        self,
        config: Source | None = None,
        *,
        sampling: Literal["all", "kube"] = "all",
        tie_break: Literal["first", "random"] = "first",
        seed: int = 0,
    ) -> None:
        for name, value, known in (
            ("sampling", sampling, ("all", "kube")),
            ("tie_break", tie_break, ("first", "random")),
        ):
            if value not in known:
                message = f"not one of {', '.join(known)}"
                raise ArgumentError(message, field=name, value=str(value))
        self._options = (sampling, tie_break, _seed(seed))
        self._take(None if config is None else _source(config))
        for warning in self._inner.warnings():
            _logger.warning("%s", warning)

    def _take(self, config: NativeSource | None) -> None:
        sampling, tie_break, seed = self._options
        self._inner = _native.Scheduler(config, sampling=sampling, tie_break=tie_break, seed=seed)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _scheduler, (self._inner.config(), self._options)

    @property
    def semantics(self) -> str:
        """The Kubernetes version whose decisions are made: ``1.34``."""
        return self._inner.semantics()

    @property
    def profiles(self) -> list[str]:
        """The ``schedulerName`` of each profile."""
        return self._inner.profiles()

    @property
    def sampling(self) -> Literal["all", "kube"]:
        """Which nodes a decision looks at: ``all`` or ``kube``."""
        return self._options[0]

    @property
    def tie_break(self) -> Literal["first", "random"]:
        """Which of equally good nodes is chosen: ``first`` or ``random``."""
        return self._options[1]

    @property
    def seed(self) -> int:
        """What random choices depend on."""
        return self._options[2]

    def schedule(self, cluster: Cluster, pods: Pods | None = None) -> Decisions:
        """Decides where pods go and puts them there: the cluster changes.

        What was learnt stays with the cluster for the next call of the same scheduler; it takes
        256 MiB at most, by the columns that it keeps, and a copy of the cluster begins without it.

        Args:
            cluster: The cluster; unchanged if the call raises.
            pods: As for `Cluster.simulate`.
        """
        return Decisions(self._inner.run(_native_of(cluster), _pods(pods), commit=True))

    def simulate(
        self,
        cluster: Cluster,
        pods: Pods | None = None,
        *,
        trace: str | os.PathLike[str] | None = None,
    ) -> Decisions:
        """Decides where pods would go; the cluster stays as it is.

        Args:
            cluster: The cluster.
            pods: As for `Cluster.simulate`.
            trace: A file for every decision with each node's and plugin's answer, one JSON object
                a line. It is overwritten, and left incomplete if the call raises.
        """
        path = None if trace is None else os.fspath(trace)
        return Decisions(
            self._inner.run(_native_of(cluster), _pods(pods), commit=False, trace=path)
        )

    def filter(self, cluster: Cluster, pod: str | Source) -> NDArray[np.bool_]:
        """Which nodes the pod could run on now: one flag a node, in the order of `Cluster.nodes`.

        All nodes are looked at, with sampling too.

        Args:
            cluster: The cluster.
            pod: ``namespace/name`` of a pod in the cluster, or a pod as a dict, bytes or file
                object. Gates are not looked at; a pod that runs is asked as if it did not.

        Raises:
            UnsupportedError: The pod needs something that bayplan does not decide yet, or the real
                scheduler fails on it.
            NotFoundError: There is no such pod, or no profile has its scheduler name.
        """
        return self._inner.filter(_native_of(cluster), _pod(pod))

    def score(self, cluster: Cluster, pod: str | Source) -> NDArray[np.int64]:
        """The total of each node for the pod now, in the order of `Cluster.nodes`.

        It is -1 where the pod cannot run. All nodes are looked at, with sampling too.

        Args:
            cluster: The cluster.
            pod: As for `filter`.
        """
        return self._inner.score(_native_of(cluster), _pod(pod))

    def explain(
        self,
        cluster: Cluster,
        pod: str | Source,
        *,
        in_turn: bool = False,
        preemption: bool = False,
    ) -> Trace:
        """Every node's and plugin's answer for the pod.

        A pod that runs already is asked as if it did not.

        Args:
            cluster: The cluster, which stays as it is.
            pod: As for `filter`.
            in_turn: For a pod that waits in the cluster: put the pods before it in the queue where
                they go first, as `Cluster.simulate` does. Without, the pod meets the cluster as it
                is now.
            preemption: Also say on each node what evicting pods would come to
                (`Trace.preemption_tried`).
        """
        text, record, tried = self._inner.explain(
            _native_of(cluster),
            _pod(pod),
            in_turn,
            preemption,
        )
        return Trace(text, decision(record), tried)

    def __repr__(self) -> str:
        sampling, tie_break, seed = self._options
        options = "" if sampling == "all" else f"; sampling {sampling}"
        if tie_break != "first":
            options += f"; tie-break {tie_break}, seed {seed}"
        return f"<Scheduler: {', '.join(self.profiles)}; kube-scheduler {self.semantics}{options}>"


def _scheduler(
    config: tuple[str, bytes] | None,
    options: tuple[Literal["all", "kube"], Literal["first", "random"], int],
) -> Scheduler:
    """The scheduler that was pickled."""
    made = Scheduler.__new__(Scheduler)
    made._options = options  # noqa: SLF001 -- its own maker
    made._take(None if config is None else ("bytes", *config))  # noqa: SLF001 -- its own maker
    return made


def example() -> str:
    """The path of the example cluster that comes with bayplan."""
    return str(resources.files("bayplan") / "example" / "cluster.yaml")


def _seed(seed: int) -> int:
    try:
        number = operator.index(seed)
    except TypeError:
        number = -1
    if not 0 <= number < 2**64:
        raise ArgumentError("not a whole number from 0 to 2**64 - 1", field="seed", value=str(seed))
    return number


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _source(source: Source | Stdin) -> NativeSource:
    """A source as the native side takes it: a path, named bytes, or something to write as JSON."""
    if isinstance(source, Stdin):
        return ("stdin", "<stdin>", None)
    if isinstance(source, str | os.PathLike):
        return ("path", os.fsdecode(source), None)
    if isinstance(source, bytes | bytearray | memoryview):
        return ("bytes", "<bytes>", bytes(source))
    if isinstance(source, Mapping):
        return ("object", "<dict>", source)
    if hasattr(source, "read"):
        return _held(source)
    if isinstance(source, Sequence):
        return ("object", "<list>", source)
    raise ArgumentError(f"not a source of objects: {type(source).__name__}")


def _native_of(cluster: Cluster) -> _native.Cluster:
    if not isinstance(cluster, Cluster):
        raise ArgumentError(f"not a cluster: {type(cluster).__name__}")
    return cluster._inner  # noqa: SLF001 -- the classes of this module are one


def _mapping(field: str, value: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ArgumentError(f"not a mapping: {type(value).__name__}", field=field)
    return dict(value)


def _taint(taint: str | Mapping[str, str]) -> dict[str, str]:
    """A taint as ``kubectl taint`` takes it."""
    if not isinstance(taint, str):
        return _mapping("taints", taint)
    pair, _, effect = taint.rpartition(":")
    key, _, value = pair.partition("=")
    return {"key": key, "value": value, "effect": effect}


def _held(file: Readable) -> NativeSource:
    """What a file object holds."""
    name = getattr(file, "name", None)
    name = name if isinstance(name, str) else "<file>"
    try:
        held: object = file.read()
    except OSError as error:
        message = error.strerror or str(error)
        raise SourceError(message, errno=error.errno, path=name) from error
    if isinstance(held, str):
        held = held.encode("utf-8", "surrogatepass")
    if not isinstance(held, bytes | bytearray | memoryview):
        raise ArgumentError(f"read() gave {type(held).__name__}, not bytes or text", path=name)
    return ("bytes", name, bytes(held))


def _pods(pods: Pods | None) -> list[str] | NativeSource | None:
    if pods is None:
        return None
    if isinstance(pods, Sequence) and not isinstance(pods, str | bytes | bytearray | memoryview):
        names = [pod for pod in pods if isinstance(pod, str)]
        if len(names) == len(pods):
            return names
        if names:
            raise ArgumentError("names and objects of pods in one list", value=names[0])
        return ("object", "<pods>", pods)
    return _source(pods)


def _pod(pod: str | Source) -> str | NativeSource:
    return pod if isinstance(pod, str) else _source(pod)


def _columns(
    columns: Mapping[str, ArrayLike], count: int | None
) -> list[tuple[str, NDArray[np.int64]]]:
    """The columns as int64 arrays of one length: `count`, if that is known."""
    import numpy as np  # noqa: PLC0415 -- `bayplan --help` must not wait for it

    arrays: dict[str, NDArray[Any]] = {}
    for name, column in columns.items():
        array = np.asarray(column)
        if array.dtype.kind not in "iu" and array.size:
            raise ArgumentError("not a column of whole numbers", field=name, value=str(array.dtype))
        if array.ndim > 1:
            raise ArgumentError("not a column: more than one axis", field=name)
        if array.dtype.kind == "u" and array.size and int(array.max()) > np.iinfo(np.int64).max:
            raise ArgumentError("beyond 64 bits", field=name, value=str(array.max()))
        arrays[name] = array.astype(np.int64)
    sizes = {name: array.size for name, array in arrays.items() if array.ndim}
    if count is None:
        count = next(iter(sizes.values()), 1)
    for name, size in sizes.items():
        if size != count:
            raise ArgumentError(f"{size} values for {count} nodes", field=name)
    return [
        (name, np.ascontiguousarray(np.broadcast_to(array, count)))
        for name, array in arrays.items()
    ]
