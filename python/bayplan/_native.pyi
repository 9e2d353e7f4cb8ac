"""The native side: names and types only. `bayplan` documents what users call."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from bayplan.types import NativeSource as Source
from bayplan.types import Record

__all__ = [
    "SEMANTICS",
    "Cluster",
    "Decisions",
    "Scheduler",
    "VxlanCapture",
    "VxlanDecoder",
    "VxlanEncap",
    "__version__",
    "vxlan_columns",
    "vxlan_decode",
    "vxlan_decode_headers",
    "vxlan_encode",
    "vxlan_encode_headers",
    "vxlan_faults",
    "vxlan_layers",
    "workload",
    "workload_names",
    "workloads",
    "write_workload",
]

__version__: str
SEMANTICS: str

def workloads() -> list[tuple[str, str, int, int, int]]: ...
def workload_names() -> list[tuple[str, str]]: ...
def workload(name: str) -> tuple[str, str, int, int, int]: ...
def write_workload(name: str, path: str) -> None: ...

@final
class Cluster:
    @staticmethod
    def load(sources: Sequence[Source]) -> Cluster: ...
    @staticmethod
    def from_columns(
        columns: Sequence[tuple[str, NDArray[np.int64]]],
        names: Sequence[str] | None,
        labels: Sequence[tuple[str, Sequence[str | None]]],
    ) -> Cluster: ...
    def nodes(self) -> list[str]: ...
    def pods(self) -> list[str]: ...
    def node_of(self, pod: str) -> str | None: ...
    def counts(self) -> tuple[int, int, int]: ...
    def skipped(self) -> dict[str, int]: ...
    def warnings(self) -> list[str]: ...
    def apply(self, sources: Sequence[Source]) -> tuple[int, dict[str, int]]: ...
    def add(self, sources: Sequence[Source]) -> None: ...
    def fork(self) -> Cluster: ...
    def is_open(self) -> bool: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def copy(self) -> Cluster: ...
    def to_json(self) -> bytes: ...
    def dump(self) -> bytes: ...
    @staticmethod
    def restore(dumped: bytes) -> Cluster: ...

@final
class Scheduler:
    def __new__(
        cls,
        config: Source | None = None,
        *,
        sampling: str = "all",
        tie_break: str = "first",
        seed: int = 0,
    ) -> Scheduler: ...
    def semantics(self) -> str: ...
    def config(self) -> tuple[str, bytes] | None: ...
    def profiles(self) -> list[str]: ...
    def warnings(self) -> list[str]: ...
    def run(
        self,
        cluster: Cluster,
        pods: Sequence[str] | Source | None,
        *,
        commit: bool,
        trace: str | None = None,
    ) -> Decisions: ...
    def filter(self, cluster: Cluster, pod: str | Source) -> NDArray[np.bool_]: ...
    def score(self, cluster: Cluster, pod: str | Source) -> NDArray[np.int64]: ...
    def explain(
        self, cluster: Cluster, pod: str | Source, in_turn: bool, preemption: bool
    ) -> tuple[bytes, Record, bytes | None]: ...

@final
class Decisions:
    def __len__(self) -> int: ...
    def nodes(self) -> list[str]: ...
    def records(self) -> list[Record]: ...
    def labels(self, position: int) -> dict[str, str]: ...
    def outcomes(self) -> NDArray[np.uint8]: ...
    def rows(self) -> NDArray[np.int64]: ...
    def scores(self) -> NDArray[np.int64]: ...

_Capture: TypeAlias = tuple[Literal["path", "bytes"], str, bytes | None]
_Places: TypeAlias = tuple[int, int] | tuple[NDArray[np.uint64], NDArray[np.uint64] | None]

def vxlan_columns() -> list[tuple[str, str, int]]: ...
def vxlan_faults() -> list[str]: ...
def vxlan_layers() -> list[str]: ...
def vxlan_decode(
    decoder: VxlanDecoder,
    buffer: NDArray[np.uint8],
    places: _Places,
    out: dict[str, NDArray[Any]],
) -> tuple[int, int, int]: ...
def vxlan_encode(
    encap: VxlanEncap,
    inner: NDArray[np.uint8],
    places: _Places,
    vni: NDArray[np.uint32] | None,
    src: NDArray[np.uint8] | None,
    dst: NDArray[np.uint8] | None,
    src_mac: NDArray[np.uint8] | None,
    dst_mac: NDArray[np.uint8] | None,
    src_port: NDArray[np.uint16] | None,
    out: NDArray[np.uint8] | None,
) -> tuple[NDArray[np.uint8], NDArray[np.uint64], int]: ...
def vxlan_encode_headers(vni: NDArray[np.uint32], flags: int, out: NDArray[np.uint8]) -> None: ...
def vxlan_decode_headers(
    headers: NDArray[np.uint8],
    kind: str,
    decoder: VxlanDecoder,
    vni: NDArray[np.uint32],
    flags: NDArray[np.uint8],
    code: NDArray[np.uint8],
) -> int: ...

@final
class VxlanDecoder:
    def __new__(
        cls, ports: Sequence[tuple[int, str]], mode: str, checksums: str, link: int
    ) -> VxlanDecoder: ...

@final
class VxlanEncap:
    def __new__(
        cls,
        *,
        vni: int,
        src: str,
        dst: str,
        flags: int,
        macs: tuple[str, str] | None,
        vlans: Sequence[int],
        src_port: int | None,
        src_ports: tuple[int, int],
        seed: int,
        port: int,
        ttl: int | None,
        dscp: int | None,
        ecn: str,
        df: str,
        flow_label: int,
        udp_checksum: bool | None,
    ) -> VxlanEncap: ...

@final
class VxlanCapture:
    @staticmethod
    def open(source: _Capture, decoder: VxlanDecoder, columns: Sequence[str]) -> VxlanCapture: ...
    def format(self) -> str: ...
    def read(self) -> dict[str, NDArray[Any]] | None: ...
