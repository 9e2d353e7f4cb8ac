"""VXLAN in bulk: packets of one buffer to columns and back, and captures.

Nothing is copied out of a buffer but what its columns show: an inner frame is an offset and a
length. The interpreter is released while packets are decoded or written.

**While a call runs, nothing may write to what it reads, nor touch what it writes.** What goes
through this module is watched: a call that would write where another one works raises
`ArgumentError`. Python code on another thread that stores into such a buffer is not: the rows of
packets that change under the decoder may say anything. No such store can make a call read or write
outside the buffer, and a buffer cannot go away under a call: a ``bytearray`` that would change its
length or an ``mmap`` that would be closed raises ``BufferError`` until the call is done. NumPy's
own ``resize(refcheck=False)`` goes round that and must not be used; nor must a file be cut short
while it is mapped, which ends every reader of the mapping.

Example:
    >>> import numpy as np
    >>> from bayplan import vxlan
    >>> packets, offsets = vxlan.encode(bytes(60), vni=[1], src="192.0.2.1", dst="192.0.2.2")
    >>> columns = vxlan.decode(packets, offsets, link=vxlan.RAW)
    >>> columns.vni, columns.inner_length, columns.outer_source_ipv4
    (array([1], dtype=uint32), array([60], dtype=uint32), array([3221225985], dtype=uint32))
"""

from __future__ import annotations

import importlib
import ipaddress
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np

from bayplan import _native
from bayplan.exceptions import ArgumentError, UnsupportedError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Buffer

    # What a port speaks: RFC 7348 alone, with group policies, or with a next protocol
    _Device: TypeAlias = Literal["plain", "gbp", "gpe"]
    _Octets: TypeAlias = Buffer | NDArray[Any]

__all__ = [
    "COLUMNS",
    "ETHERNET",
    "FAULTS",
    "LAYERS",
    "NO_VLAN",
    "PORTS",
    "RAW",
    "Columns",
    "Fault",
    "decode",
    "decode_headers",
    "encode",
    "encode_headers",
    "read",
]

PORTS: Final[Mapping[int, _Device]] = {4789: "plain", 8472: "plain", 4790: "gpe"}
"""The UDP ports that are VXLAN unless told otherwise: IANA's, that of Linux and flannel, and that
of VXLAN-GPE; and what each speaks: RFC 7348 alone, with group policies (``gbp``), or with a next
protocol (``gpe``)."""

ETHERNET: Final = 1
"""The link type of packets that start with Ethernet; others by the numbers of capture files."""

RAW: Final = 101
"""The link type of packets that start with IPv4 or IPv6."""

NO_VLAN: Final = 0xFFFF
"""In the columns ``outer_vlan`` and ``inner_vlan``: there is no tag."""

FAULTS: Final = tuple(_native.vxlan_faults())
"""What the numbers in the column ``code`` mean; 0 is ``ok``."""

LAYERS: Final = tuple(_native.vxlan_layers())
"""What the numbers in the column ``fault_layer`` mean."""

COLUMNS: Final[Mapping[str, tuple[str, int]]] = {
    name: (dtype, width) for name, dtype, width in _native.vxlan_columns()
}
"""Every column that `decode` can write: type of its items, and items a packet. Addresses are bytes:
6 of a MAC address, 16 of an IP address, IPv4 as ``::ffff:a.b.c.d``."""

_RECORD: Final = ("number", "timestamp", "link", "captured", "original")


class Fault(NamedTuple):
    """Why a packet was refused."""

    code: int
    """The number in the column ``code``."""
    name: str
    """Its name, from `FAULTS`."""
    layer: str
    """The header at fault, from `LAYERS`."""
    offset: int
    """Where that header starts, in bytes from the start of the packet."""


class Columns(Mapping[str, "NDArray[Any]"]):
    """Arrays of one row a packet, by name and as attributes.

    Of a packet that was refused (``code`` is not 0), every column but ``code``, ``fault_layer``
    and ``fault_offset`` says 0, or `NO_VLAN`.

    ``inner_offset`` is in bytes from the start of the buffer, and in those of `read` from the
    start of the packet. ``inner_length`` is what the headers say, ``inner_captured`` how much of
    it is there.
    """

    __slots__ = ("_arrays",)
    _arrays: dict[str, NDArray[Any]]

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._arrays = dict(arrays)

    @classmethod
    def empty(cls, rows: int, columns: Sequence[str] | None = None) -> Columns:
        """Columns to be given as ``out=``; what they hold means nothing.

        Args:
            rows: How many packets.
            columns: Names from `COLUMNS`; all if left out.

        Raises:
            ArgumentError: There is no such column.
        """
        if rows < 0:
            raise ArgumentError("a negative number of rows", field="rows", value=str(rows))
        return cls({name: _empty(name, rows) for name in _names(columns)})

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __getattr__(self, name: str) -> NDArray[Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._arrays[name]
        except KeyError:
            raise AttributeError(f"no column {name!r}", name=name, obj=self) from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._arrays]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._arrays,)

    @property
    def rows(self) -> int:
        """How many packets there are."""
        return next((len(array) for array in self._arrays.values()), 0)

    def fault(self, row: int) -> Fault | None:
        """Why the packet was refused; None if it was not.

        Args:
            row: Which packet.

        Raises:
            ArgumentError: One of the columns ``code``, ``fault_layer`` and ``fault_offset`` is not
            there.
        """
        for name in ("code", "fault_layer", "fault_offset"):
            if name not in self._arrays:
                raise ArgumentError("the column is not there", field=name)
        code = int(self["code"][row])
        if code == 0:
            return None
        layer = LAYERS[int(self["fault_layer"][row])]
        return Fault(code, FAULTS[code], layer, int(self["fault_offset"][row]))

    def to_arrow(self) -> Any:  # noqa: ANN401 -- a `pyarrow.RecordBatch`, where there is pyarrow
        """The columns as a `pyarrow.RecordBatch` over the same memory.

        Addresses are binaries of fixed size.

        Raises:
            UnsupportedError: The package ``pyarrow`` is not installed.
        """
        pa = _pyarrow()
        arrays, names = [], []
        for name, array in self._arrays.items():
            names.append(name)
            if array.ndim == 1:
                kind = pa.from_numpy_dtype(array.dtype)
            else:
                kind = pa.binary(array.shape[1])
            buffer = pa.py_buffer(np.ascontiguousarray(array))
            arrays.append(pa.Array.from_buffers(kind, len(array), [None, buffer]))
        return pa.RecordBatch.from_arrays(arrays, names=names)

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """The columns as Arrow's C data interface hands them over; needs ``pyarrow``."""
        capsules: tuple[object, object] = self.to_arrow().__arrow_c_array__(requested_schema)
        return capsules

    def __repr__(self) -> str:
        return f"<Columns: {self.rows} packets, {len(self)} columns>"


def decode(
    buffer: _Octets,
    offsets: ArrayLike | None = None,
    lengths: ArrayLike | None = None,
    *,
    ports: Mapping[int, _Device] | Sequence[int] = PORTS,
    mode: Literal["rfc", "linux"] = "rfc",
    checksums: Literal["ignore", "verify", "verify-zero-over-ipv6"] = "ignore",
    link: int = ETHERNET,
    columns: Sequence[str] | None = None,
    out: Columns | None = None,
) -> Columns:
    """Decodes packets down to the outermost VXLAN header, and the first headers inside.

    A packet that is refused has its reason in its row and keeps no other from being decoded.

    Args:
        buffer: Where the packets lie: bytes, ``bytearray``, ``mmap``, an array, anything
            contiguous. An array of two axes holds a packet a row, and takes no offsets.
        offsets: Where packets start, in bytes. Without `lengths`, one number more than there are
            packets: the last one is where the last packet ends. Without both, the buffer is
            one packet.
        lengths: How long packets are, in bytes.
        ports: UDP destination ports that are VXLAN, and what each speaks; a list means plain VXLAN.
        mode: What becomes of reserved bits: ignored, as RFC 7348 says, or refused, as Linux does.
        checksums: Whether checksums are verified, and whether none at all is fine over IPv6.
        link: What packets start with, by the numbers of capture files: 1 Ethernet, 101 IP.
        columns: Which columns are made, from `COLUMNS`; all if left out.
        out: Columns to write to, as `Columns.empty` makes them, instead of new ones; these are
            given back.

    Raises:
        ArgumentError: An argument is none of these; the attribute ``field`` says which.
    """
    octets, places, rows = _packets(buffer, offsets, lengths, "buffer")
    if out is None:
        out = Columns.empty(rows, columns)
    elif columns is not None:
        raise ArgumentError("not together with out", field="columns")
    _native.vxlan_decode(_decoder(ports, mode, checksums, link), octets, places, dict(out))
    return out


def encode(
    inner: _Octets,
    offsets: ArrayLike | None = None,
    vni: ArrayLike = 1,
    src: str | ArrayLike | Sequence[str] = "0.0.0.0",  # noqa: S104 -- an address of nobody
    dst: str | ArrayLike | Sequence[str] = "0.0.0.0",  # noqa: S104 -- an address of nobody
    *,
    lengths: ArrayLike | None = None,
    src_mac: str | ArrayLike | None = None,
    dst_mac: str | ArrayLike | None = None,
    vlans: Sequence[int] = (),
    src_port: ArrayLike | None = None,
    src_ports: tuple[int, int] = (49152, 65535),
    seed: int = 0,
    port: int = 8472,
    flags: int = 0x08,
    ttl: int | Literal["inherit"] | None = None,
    dscp: int | Literal["inherit"] = 0,
    ecn: Literal["linux", "rfc6040"] = "linux",
    df: Literal["clear", "set", "inherit"] = "clear",
    flow_label: int = 0,
    udp_checksum: bool = True,
    out: NDArray[np.uint8] | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """Writes a VXLAN packet around each inner frame, one after another into one buffer.

    What is a column holds one value a frame; a single value stands for all frames.

    Args:
        inner: Where the inner frames lie, as for `decode`.
        offsets: Where they start, as for `decode`.
        vni: VNIs, 0 to 16777215.
        src: Addresses of the sending VTEP: text, or a column of text or of 16 bytes (IPv4 as
            ``::ffff:a.b.c.d``).
        dst: Addresses of the receiving VTEP, of the same IP version.
        lengths: How long inner frames are, as for `decode`.
        src_mac: Outer Ethernet source, as text or a column of 6 bytes. Without `src_mac` and
            `dst_mac`, packets start with IP (link type `RAW`).
        dst_mac: Outer Ethernet destination.
        vlans: VLAN tags outside, outermost first.
        src_port: UDP source ports; if left out, one by the inner flow.
        src_ports: The first port for flows, and the one after the last.
        seed: What tells this sender's choice of ports from another's.
        port: UDP destination port.
        flags: First byte of the VXLAN header.
        ttl: TTL or hop limit: a number, that of the inner packet, or 64 (1 to a multicast group).
        dscp: Differentiated services code point, 0 to 63, or that of the inner packet.
        ecn: How the inner ECN field goes outside: as Linux does it, or by RFC 6040.
        df: The flag that forbids fragments, over IPv4.
        flow_label: Flow label, over IPv6.
        udp_checksum: Whether the UDP checksum is computed, as Linux does, or 0.
        out: Where the packets go, instead of a new buffer: one of uint8 and one axis, at least as
            long as they are.

    Returns:
        The buffer, and where each packet starts and the last one ends.

    Raises:
        ArgumentError: An argument is none of these, `out` is too short (nothing is written then),
            or a frame is longer than the outer headers can say.
    """
    octets, places, rows = _packets(inner, offsets, lengths, "inner")
    vnis = None if np.ndim(vni) == 0 else _numbers(vni, np.uint32, "vni")
    port_column = (
        None
        if src_port is None or np.ndim(src_port) == 0
        else _numbers(src_port, np.uint16, "src_port")
    )
    source, source_column = _addresses(src, "src")
    destination, destination_column = _addresses(dst, "dst")
    if (src_mac is None) != (dst_mac is None):
        raise ArgumentError("src_mac and dst_mac only go together", field="src_mac")
    source_mac, source_macs = _macs(src_mac, "src_mac")
    destination_mac, destination_macs = _macs(dst_mac, "dst_mac")
    if vlans and src_mac is None:
        raise ArgumentError("VLAN tags need an outer Ethernet header", field="vlans")
    encap = _native.VxlanEncap(
        vni=_number(vni, 2**24, "vni") if vnis is None else 0,
        src=source,
        dst=destination,
        flags=_number(flags, 2**8, "flags"),
        macs=None if src_mac is None else (source_mac, destination_mac),
        vlans=[_number(vlan, 2**12, "vlans") for vlan in vlans],
        src_port=(
            None
            if src_port is None or port_column is not None
            else _number(src_port, 2**16, "src_port")
        ),
        src_ports=(
            _number(src_ports[0], 2**16, "src_ports"),
            _number(src_ports[1], 2**16, "src_ports"),
        ),
        seed=_number(seed, 2**64, "seed"),
        port=_number(port, 2**16, "port"),
        ttl=-1 if ttl == "inherit" else None if ttl is None else _number(ttl, 2**8, "ttl"),
        dscp=None if dscp == "inherit" else _number(dscp, 2**6, "dscp"),
        ecn=ecn,
        df=df,
        flow_label=_number(flow_label, 2**20, "flow_label"),
        udp_checksum=udp_checksum,
    )
    columns = (vnis, source_column, destination_column, source_macs, destination_macs, port_column)
    for name, column in zip(
        ("vni", "src", "dst", "src_mac", "dst_mac", "src_port"), columns, strict=True
    ):
        if column is not None and len(column) != rows:
            raise ArgumentError(f"{len(column)} rows for {rows} frames", field=name)
    if out is not None:
        _checked_out(out)
    packets, starts, _ = _native.vxlan_encode(encap, octets, places, *columns, out)
    return packets, starts


def encode_headers(
    vni: ArrayLike, flags: ArrayLike | None = None, out: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Writes VXLAN headers, eight bytes each.

    Args:
        vni: VNIs, 0 to 16777215.
        flags: First bytes: one for all, or one each. 0x08, the I flag alone, if left out.
        out: Where they go, instead of a new array: uint8 in the shape (n, 8).

    Raises:
        ArgumentError: An argument is none of these. Of `out` nothing is known then.
    """
    vnis = _numbers(vni, np.uint32, "vni")
    headers = np.empty((len(vnis), 8), np.uint8) if out is None else out
    is_column = flags is not None and np.ndim(flags) != 0
    one = 0x08 if flags is None or is_column else _number(flags, 2**8, "flags")
    column = _numbers(flags, np.uint8, "flags") if flags is not None and is_column else None
    if column is not None and len(column) != len(vnis):
        raise ArgumentError(f"{len(column)} rows for {len(vnis)} headers", field="flags")
    _native.vxlan_encode_headers(vnis, one, headers)
    if column is not None:
        headers[:, 0] = column
    return headers


def decode_headers(
    headers: _Octets,
    *,
    device: _Device = "plain",
    mode: Literal["rfc", "linux"] = "rfc",
    out: Columns | None = None,
) -> Columns:
    """Reads VXLAN headers of eight bytes: the columns ``vni``, ``flags`` and ``code``.

    VNI and flags are read whether the header would be taken or not.

    Args:
        headers: uint8 in the shape (n, 8), or a buffer of eight bytes a header.
        device: Which of the reserved bits have a meaning.
        mode: What becomes of reserved bits, as for `decode`.
        out: Columns to write to instead of new ones.

    Raises:
        ArgumentError: An argument is none of these.
    """
    octets = _octets(headers, "headers")
    if octets.size % 8:
        raise ArgumentError(
            "not eight bytes a header", field="headers", value=f"{octets.size} bytes"
        )
    rows = octets.size // 8
    names = ("vni", "flags", "code")
    if out is None:
        out = Columns.empty(rows, names)
    for name in names:
        if name not in out:
            raise ArgumentError("the column is not there", field=name)
    decoder = _decoder({}, mode, "ignore", ETHERNET)
    arrays = (out["vni"], out["flags"], out["code"])
    _native.vxlan_decode_headers(octets.reshape(rows, 8), device, decoder, *arrays)
    return out


def read(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview,
    *,
    ports: Mapping[int, _Device] | Sequence[int] = PORTS,
    mode: Literal["rfc", "linux"] = "rfc",
    checksums: Literal["ignore", "verify", "verify-zero-over-ipv6"] = "ignore",
    columns: Sequence[str] | None = None,
) -> Iterator[Columns]:
    """Reads a capture, pcap or pcapng, also compressed by gzip or zstd, some packets at a time.

    Memory does not grow with the capture. Beside those of `decode`, there are the columns
    ``number`` (of the packet, from 1), ``timestamp`` (``datetime64[ns]``; 1970 where the capture
    says none), ``link`` (the link type), ``captured`` and ``original`` (bytes of the packet that
    were captured, and that there were).

    Args:
        source: A path, or the bytes of a capture.
        ports: As for `decode`.
        mode: As for `decode`.
        checksums: As for `decode`.
        columns: As for `decode`, and beside the five that are always there.

    Raises:
        CaptureError: The capture is damaged; the packets before that were given.
        SourceError: The file cannot be read.
        ArgumentError: An argument is none of these.
    """
    decoder = _decoder(ports, mode, checksums, ETHERNET)
    capture = _native.VxlanCapture.open(_source(source), decoder, _names(columns))
    return _blocks(capture)


def _blocks(capture: _native.VxlanCapture) -> Iterator[Columns]:
    while (arrays := capture.read()) is not None:
        arrays["timestamp"] = arrays["timestamp"].view("datetime64[ns]")
        yield Columns(arrays)


def _source(source: object) -> tuple[Literal["path", "bytes"], str, bytes | None]:
    if isinstance(source, str | os.PathLike):
        return ("path", os.fsdecode(source), None)
    if isinstance(source, bytes | bytearray | memoryview):
        return ("bytes", "<bytes>", bytes(source))
    raise ArgumentError(f"not a capture: {type(source).__name__}", field="source")


def _names(columns: Sequence[str] | None) -> list[str]:
    names = list(COLUMNS if columns is None else columns)
    if isinstance(columns, str):
        raise ArgumentError("one text, not a list of names", field="columns", value=columns)
    for name in names:
        if name not in COLUMNS:
            raise ArgumentError("no such column", field="columns", value=str(name))
    return names


def _empty(name: str, rows: int) -> NDArray[Any]:
    dtype, width = COLUMNS[name]
    return np.empty(rows if width == 1 else (rows, width), dtype)


def _octets(buffer: object, field: str) -> NDArray[np.uint8]:
    """The bytes of a buffer as an array over the same memory, which holds the buffer."""
    try:
        view = memoryview(buffer)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"not a buffer: {type(buffer).__name__}", field=field) from error
    if not view.c_contiguous:
        raise ArgumentError("its bytes do not stand one after another", field=field)
    if view.nbytes == 0:
        return np.empty(0, np.uint8)
    return np.frombuffer(view, np.uint8)


def _packets(
    buffer: object, offsets: ArrayLike | None, lengths: ArrayLike | None, field: str
) -> tuple[NDArray[np.uint8], Any, int]:
    """The bytes of a buffer, where packets lie in it for the native side, and how many."""
    octets = _octets(buffer, field)
    if isinstance(buffer, np.ndarray) and buffer.ndim == 2:  # noqa: PLR2004 -- rows and bytes
        if offsets is not None or lengths is not None:
            raise ArgumentError(
                "an array of two axes says itself where packets lie", field="offsets"
            )
        rows = len(buffer)
        return octets, (octets.size // rows if rows else 0, rows), rows
    if offsets is None:
        if lengths is not None:
            raise ArgumentError("not without offsets", field="lengths")
        return octets, (octets.size, 1), 1
    starts = _numbers(offsets, np.uint64, "offsets")
    if lengths is None:
        if not len(starts):
            raise ArgumentError("not even where the last packet ends", field="offsets")
        return octets, (starts, None), len(starts) - 1
    sizes = _numbers(lengths, np.uint64, "lengths")
    if len(sizes) != len(starts):
        raise ArgumentError(f"{len(sizes)} lengths for {len(starts)} offsets", field="lengths")
    return octets, (starts, sizes), len(starts)


def _numbers(values: ArrayLike, dtype: type[np.unsignedinteger[Any]], field: str) -> NDArray[Any]:
    """A column of whole numbers, copied only if it is of another type."""
    array = np.atleast_1d(np.asarray(values))
    if array.ndim != 1:
        raise ArgumentError("not a column: more than one axis", field=field)
    if array.dtype.kind not in "iu" and array.size:
        raise ArgumentError("not a column of whole numbers", field=field, value=str(array.dtype))
    if array.dtype != dtype:
        most = int(np.iinfo(dtype).max)
        if array.size and not (int(array.min()) >= 0 and int(array.max()) <= most):
            raise ArgumentError(f"not all from 0 to {most}", field=field)
        array = array.astype(dtype)
    return np.ascontiguousarray(array)


def _number(value: object, limit: int, field: str) -> int:
    try:
        number = int(value.__index__())  # type: ignore[attr-defined]
    except (AttributeError, TypeError):
        number = -1
    if not 0 <= number < limit:
        raise ArgumentError(
            f"not a whole number from 0 to {limit - 1}", field=field, value=str(value)
        )
    return number


def _addresses(value: Any, field: str) -> tuple[str, NDArray[np.uint8] | None]:  # noqa: ANN401 -- anything
    """An address for all as text, or one of the column's, and the column."""
    if isinstance(value, str | ipaddress.IPv4Address | ipaddress.IPv6Address):
        return str(value), None
    if isinstance(value, np.ndarray) and value.dtype == np.uint8:
        column = np.ascontiguousarray(value)
        if column.ndim != 2 or column.shape[1] != 16:  # noqa: PLR2004 -- bytes of an address
            raise ArgumentError("not rows of 16 bytes", field=field, value=str(column.shape))
    else:
        column = np.frombuffer(
            b"".join(_address(text, field) for text in value) or b"", np.uint8
        ).reshape(-1, 16)
    if not len(column):
        return "0.0.0.0", column  # noqa: S104 -- an address of nobody
    first = ipaddress.IPv6Address(column[0].tobytes())
    return str(first.ipv4_mapped or first), column


def _address(text: object, field: str) -> bytes:
    try:
        address = ipaddress.ip_address(str(text))
    except ValueError as error:
        raise ArgumentError("not an IP address", field=field, value=str(text)) from error
    return b"\0" * 10 + b"\xff\xff" + address.packed if address.version == 4 else address.packed  # noqa: PLR2004


def _macs(value: Any, field: str) -> tuple[str, NDArray[np.uint8] | None]:  # noqa: ANN401 -- anything
    if value is None or isinstance(value, str):
        return value or "", None
    column = np.ascontiguousarray(_bytes_of(value, field))
    if column.ndim != 2 or column.shape[1] != 6:  # noqa: PLR2004 -- bytes of an address
        raise ArgumentError("not rows of 6 bytes", field=field, value=str(column.shape))
    return "00:00:00:00:00:00", column


def _bytes_of(value: object, field: str) -> NDArray[np.uint8]:
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8:
        raise ArgumentError("neither text nor an array of uint8", field=field)
    return value


def _checked_out(out: object) -> None:
    if not isinstance(out, np.ndarray) or out.dtype != np.uint8 or out.ndim != 1:
        raise ArgumentError("not an array of uint8 with one axis", field="out")


def _decoder(
    ports: Mapping[int, _Device] | Sequence[int], mode: str, checksums: str, link: int
) -> _native.VxlanDecoder:
    if not isinstance(ports, Mapping):
        ports = dict.fromkeys(ports, "plain")
    pairs = [(_number(port, 2**16, "ports"), str(device)) for port, device in ports.items()]
    return _native.VxlanDecoder(pairs, mode, checksums, _number(link, 2**32, "link"))


def _pyarrow() -> Any:  # noqa: ANN401 -- a module that may not be there
    try:
        pa = importlib.import_module("pyarrow")
    except ImportError as error:
        raise UnsupportedError(
            "Arrow needs the package pyarrow: pip install 'bayplan[arrow]'"
        ) from error
    return pa
