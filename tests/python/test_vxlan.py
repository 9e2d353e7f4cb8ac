"""bayplan.vxlan: columns of what the captures hold, and back again."""

import csv
import ipaddress
import mmap
import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bayplan import ArgumentError, CaptureError, SourceError, vxlan

CAPTURES = Path(__file__).parents[1] / "data" / "captures"
NAMES = sorted(path.stem for path in CAPTURES.glob("*.pcap"))
ENCODE = {"src": "192.0.2.1", "dst": "192.0.2.2"}
FRAME = bytes.fromhex("0a00000000020a00000000010800") + bytes(46)


def rows(columns: vxlan.Columns) -> list[dict[str, Any]]:
    return [{name: columns[name][row] for name in columns} for row in range(columns.rows)]


def address(octets: NDArray[np.uint8]) -> str:
    found = ipaddress.IPv6Address(octets.tobytes())
    return str(found.ipv4_mapped or found)


def mac(octets: NDArray[np.uint8]) -> str:
    return octets.tobytes().hex(":")


def expected(name: str) -> list[dict[str, str]]:
    """What tshark says of the outermost VXLAN header of each packet."""
    with (CAPTURES / f"{name}.csv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["depth"] == "0"]


@pytest.mark.parametrize("name", NAMES)
def test_a_capture_reads_as_the_reference_decode_says(name: str) -> None:
    found = {
        int(row["number"]): row
        for block in vxlan.read(CAPTURES / f"{name}.pcap")
        for row in rows(block)
        if row["code"] == 0
    }
    reference = expected(name)
    if "bigtcp" in name:  # tshark decodes nothing there; tcpdump's text does
        assert not reference
        assert {row["vni"] for row in found.values()} == {5001}
        return
    assert sorted(found) == sorted({int(row["frame"]) for row in reference})
    for row in reference:
        ours = found[int(row["frame"])]
        assert str(ours["vni"]) == row["vni"]
        assert ours["original"] == int(row["frame_len"])
        assert address(ours["outer_source"]) == row["outer_src"]
        assert address(ours["outer_destination"]) == row["outer_dst"]
        assert str(ours["source_port"]) == row["udp_sport"]
        assert str(ours["destination_port"]) == row["udp_dport"]
        if row["inner_eth_src"]:
            assert mac(ours["inner_source_mac"]) == row["inner_eth_src"]
            assert mac(ours["inner_destination_mac"]) == row["inner_eth_dst"]
        if row["inner_ip_src"]:
            assert address(ours["inner_source"]) == row["inner_ip_src"]
            assert address(ours["inner_destination"]) == row["inner_ip_dst"]


def buffers() -> list[Any]:
    packets, _ = vxlan.encode(FRAME, vni=7, src="192.0.2.1", dst="192.0.2.2")
    whole = packets.tobytes()
    mapped = mmap.mmap(-1, len(whole))
    mapped.write(whole)
    frozen = np.frombuffer(whole, np.uint8)
    words = np.frombuffer(whole, np.uint16)
    return [whole, bytearray(whole), memoryview(whole), mapped, packets, frozen, words]


@pytest.mark.parametrize("position", range(7))
def test_any_contiguous_buffer_is_taken(position: int) -> None:
    columns = vxlan.decode(buffers()[position], link=vxlan.RAW)
    assert columns.vni.tolist() == [7]
    assert columns.inner_offset.tolist() == [36]
    assert columns.inner_length.tolist() == [len(FRAME)]


def test_every_column_has_the_type_and_shape_that_is_documented() -> None:
    columns = vxlan.decode(bytes(100), [0, 50, 100])
    assert list(columns) == list(vxlan.COLUMNS)
    for name, (dtype, width) in vxlan.COLUMNS.items():
        assert columns[name].dtype == np.dtype(dtype)
        assert columns[name].shape == ((2,) if width == 1 else (2, width))
        assert getattr(columns, name) is columns[name]


def test_places_are_said_in_four_ways() -> None:
    packet = vxlan.encode(FRAME, vni=9, src="192.0.2.1", dst="192.0.2.2")[0]
    size = len(packet)
    two = np.vstack([packet, packet])
    flat = two.reshape(-1)
    ways = [
        vxlan.decode(two, link=vxlan.RAW),
        vxlan.decode(flat, [0, size, 2 * size], link=vxlan.RAW),
        vxlan.decode(flat, np.array([0, size], np.uint64), [size, size], link=vxlan.RAW),
        vxlan.decode(flat.tobytes(), np.array([0, size]), np.full(2, size), link=vxlan.RAW),
    ]
    for way in ways:
        assert way.vni.tolist() == [9, 9]
        assert way.inner_offset.tolist() == [36, size + 36]
    assert vxlan.decode(b"").rows == 1
    assert vxlan.decode(b"", [0]).rows == 0
    assert vxlan.decode(b"", [], []).rows == 0
    assert vxlan.decode(np.empty((0, 60), np.uint8)).rows == 0


def test_a_fault_says_what_and_where() -> None:
    packet = vxlan.encode(FRAME, vni=9, src="192.0.2.1", dst="192.0.2.2")[0]
    clear = packet.copy()
    clear[28] = 0
    other = packet.copy()
    other[9] = 6
    buffer = np.concatenate([packet, clear, other])
    offsets = [0, *(np.cumsum([len(packet)] * 3).tolist())]
    columns = vxlan.decode(buffer, offsets, link=vxlan.RAW)
    assert columns.fault(0) is None
    assert columns.fault(1) == (8, "vni_flag_clear", "vxlan", 28)
    assert columns.fault(2) == (5, "protocol", "ipv4", 0)
    cut = vxlan.decode(packet[:30], link=vxlan.RAW).fault(0)
    assert cut is not None
    assert (cut.name, cut.layer) == ("truncated", "vxlan")
    beyond = vxlan.decode(packet, [0, 10_000]).fault(0)
    assert beyond is not None
    assert (beyond.name, beyond.layer) == ("out_of_buffer", "packet")
    with pytest.raises(ArgumentError, match="code: the column is not there"):
        vxlan.decode(packet, columns=["vni"]).fault(0)


def test_linux_refuses_what_rfc_7348_ignores() -> None:
    packet = vxlan.encode(FRAME, vni=9, src="192.0.2.1", dst="192.0.2.2")[0]
    packet[35] = 1
    assert vxlan.decode(packet, link=vxlan.RAW).code.tolist() == [0]
    columns = vxlan.decode(packet, link=vxlan.RAW, mode="linux")
    fault = columns.fault(0)
    assert fault is not None
    assert fault.name == "reserved_bits"
    gbp = packet.copy()
    gbp[28], gbp[35] = 0x88, 0
    for device, code in (("plain", "reserved_bits"), ("gbp", "ok")):
        columns = vxlan.decode(gbp, link=vxlan.RAW, mode="linux", ports={8472: device})  # type: ignore[dict-item]
        assert vxlan.FAULTS[columns.code[0]] == code
    assert vxlan.decode(packet, link=vxlan.RAW, ports=[4789]).fault(0) == (6, "port", "udp", 20)


def test_checksums_are_verified_on_request() -> None:
    packet = vxlan.encode(FRAME, vni=9, src="192.0.2.1", dst="192.0.2.2")[0]
    packet[-1] ^= 1
    assert vxlan.decode(packet, link=vxlan.RAW).code[0] == 0
    fault = vxlan.decode(packet, link=vxlan.RAW, checksums="verify").fault(0)
    assert fault is not None
    assert (fault.name, fault.layer) == ("checksum", "udp")


frames = st.lists(st.binary(max_size=200), max_size=8)
vnis = st.integers(0, 2**24 - 1)


@given(frames, st.data(), st.booleans(), st.booleans())
def test_what_was_encoded_decodes_to_the_same(
    inner: list[bytes],
    data: st.DataObject,
    is_v6: bool,  # noqa: FBT001 -- hypothesis
    has_ethernet: bool,  # noqa: FBT001 -- hypothesis
) -> None:
    count = len(inner)
    vni = data.draw(st.lists(vnis, min_size=count, max_size=count))
    ports = data.draw(st.lists(st.integers(0, 65535), min_size=count, max_size=count))
    offsets = np.cumsum([0, *map(len, inner)])
    src = [f"2001:db8::{i + 1:x}" if is_v6 else f"192.0.2.{i + 1}" for i in range(count)]
    dst = "2001:db8::ffff" if is_v6 else "192.0.2.255"
    macs = {"src_mac": "02:00:00:00:00:01", "dst_mac": "02:00:00:00:00:02", "vlans": [5]}
    if not count and is_v6:
        return  # no sender says which IP version it is
    packets, starts = vxlan.encode(
        b"".join(inner),
        offsets,
        vni,
        src,
        dst,
        src_port=ports,
        **(macs if has_ethernet else {}),  # type: ignore[arg-type]
    )
    link = vxlan.ETHERNET if has_ethernet else vxlan.RAW
    columns = vxlan.decode(packets, starts, link=link, checksums="verify")
    assert columns.code.tolist() == [0] * count
    assert columns.vni.tolist() == vni
    assert columns.source_port.tolist() == ports
    assert [address(a) for a in columns.outer_source] == src
    assert columns.outer_vlan.tolist() == [5 if has_ethernet else vxlan.NO_VLAN] * count
    for row, frame in enumerate(inner):
        at = int(columns.inner_offset[row])
        assert packets[at : at + int(columns.inner_length[row])].tobytes() == frame


@given(st.binary(max_size=300), st.lists(st.integers(0, 2**64 - 1), max_size=5))
def test_any_bytes_at_any_place_give_rows(buffer: bytes, offsets: list[int]) -> None:
    places = np.array(offsets, np.uint64)
    assert vxlan.decode(buffer, places, places[::-1]).rows == len(offsets)
    assert vxlan.decode(buffer).rows == 1


def test_out_is_written_to_and_given_back() -> None:
    packet = vxlan.encode(FRAME, vni=9, src="192.0.2.1", dst="192.0.2.2")[0]
    out = vxlan.Columns.empty(1, ["vni", "inner_source_mac"])
    assert vxlan.decode(packet, link=vxlan.RAW, out=out) is out
    assert out.vni.tolist() == [9]
    assert mac(out.inner_source_mac[0]) == "0a:00:00:00:00:01"
    room = np.full(200, 0xEE, np.uint8)
    again, offsets = vxlan.encode(FRAME, vni=9, src="192.0.2.1", dst="192.0.2.2", out=room)
    assert again is room
    assert room[: offsets[-1]].tobytes() == packet.tobytes()
    assert (room[int(offsets[-1]) :] == 0xEE).all()
    short = np.zeros(95, np.uint8)
    with pytest.raises(ArgumentError, match="needs 96 entries and has 95"):
        vxlan.encode(FRAME, vni=9, src="192.0.2.1", dst="192.0.2.2", out=short)
    assert not short.any()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(2, np.uint32),
        np.zeros(1, np.int32),
        np.zeros((1, 1), np.uint32),
        np.frombuffer(b"abcd", np.uint32),
        np.zeros(2, ">u4")[:1],
    ],
)
def test_an_out_that_does_not_fit_is_refused(array: NDArray[Any]) -> None:
    with pytest.raises(ArgumentError) as caught:
        vxlan.decode(FRAME, out=vxlan.Columns({"vni": array}))
    assert caught.value.field == "vni"


def test_no_call_writes_where_it_reads() -> None:
    buffer = np.zeros(400, np.uint8)
    with pytest.raises(ArgumentError) as caught:
        vxlan.encode(buffer[:100], src="192.0.2.1", dst="192.0.2.2", out=buffer[50:])
    assert caught.value.field == "out"
    code = buffer[100:101]
    with pytest.raises(ArgumentError):
        vxlan.decode(buffer, out=vxlan.Columns({"code": code}))
    shared = bytearray(400)
    with pytest.raises(ArgumentError) as caught:
        vxlan.encode(memoryview(shared)[:100], **ENCODE, out=np.frombuffer(shared, np.uint8))  # type: ignore[arg-type]
    assert caught.value.field == "out"
    both = np.zeros(1, np.uint8)
    with pytest.raises(ArgumentError):
        vxlan.decode(FRAME, out=vxlan.Columns({"code": both, "flags": both}))


def test_a_buffer_that_changes_meanwhile_harms_its_own_rows_only() -> None:
    packet = vxlan.encode(FRAME, vni=9, src="192.0.2.1", dst="192.0.2.2")[0]
    buffer = bytearray(packet.tobytes() * 2000)
    offsets = np.arange(2001, dtype=np.uint64) * len(packet)
    stop = threading.Event()

    def disturb() -> None:
        noise = np.random.default_rng(34)
        view = np.frombuffer(buffer, np.uint8)[: len(buffer) // 2]
        while not stop.is_set():
            view[:] = noise.integers(0, 256, len(view), np.uint8)

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for _ in range(50):
            columns = vxlan.decode(buffer, offsets, link=vxlan.RAW, checksums="verify")
            assert (columns.vni[1000:] == 9).all()
            taken = columns.code == 0
            ends = columns.inner_offset + columns.inner_captured
            assert (ends[taken] <= len(buffer)).all()
    finally:
        stop.set()
        thread.join()


def test_the_buffer_is_held_only_while_the_call_runs() -> None:
    packet = vxlan.encode(FRAME, vni=9, src="192.0.2.1", dst="192.0.2.2")[0]
    buffer = bytearray(packet.tobytes())
    columns = vxlan.decode(buffer, link=vxlan.RAW)
    buffer.extend(b"more")
    assert columns.vni.tolist() == [9]


@given(st.lists(vnis, max_size=40), st.integers(0, 255))
def test_headers_alone_come_back(vni: list[int], flags: int) -> None:
    headers = vxlan.encode_headers(np.array(vni, np.uint32), flags)
    assert headers.shape == (len(vni), 8)
    assert headers.dtype == np.uint8
    columns = vxlan.decode_headers(headers)
    assert columns.vni.tolist() == vni
    assert columns.flags.tolist() == [flags] * len(vni)
    taken = 0 if flags & 8 else 8
    assert columns.code.tolist() == [taken] * len(vni)
    assert vxlan.decode_headers(headers.tobytes()).vni.tolist() == vni


def test_headers_are_those_of_rfc_7348() -> None:
    assert vxlan.encode_headers([100]).tobytes().hex() == "0800000000006400"
    out = np.empty((2, 8), np.uint8)
    assert vxlan.encode_headers([1, 2], [0x08, 0x88], out=out) is out
    assert out.tobytes().hex() == "08000000000001008800000000000200"
    columns = vxlan.decode_headers(out, mode="linux")
    assert [vxlan.FAULTS[code] for code in columns.code] == ["ok", "reserved_bits"]
    columns = vxlan.decode_headers(out, mode="linux", device="gbp", out=columns)
    assert columns.code.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"vni": 2**24}, "vni"),
        ({"vni": [2**24]}, "vni"),
        ({"vni": [-1]}, "vni"),
        ({"vni": [1.5]}, "vni"),
        ({"vni": [1, 2]}, "vni"),
        ({"src": "192.0.2"}, "src"),
        ({"src": ["192.0.2"]}, "src"),
        ({"src": np.zeros((1, 4), np.uint8)}, "src"),
        ({"src": ["2001:db8::1"], "dst": ["192.0.2.1"]}, "src"),
        ({"src_mac": "02:00:00:00:00:01"}, "src_mac"),
        ({"src_mac": "x", "dst_mac": "y"}, "src_mac"),
        ({"vlans": [1]}, "vlans"),
        ({"port": 65536}, "port"),
        ({"ttl": 256}, "ttl"),
        ({"dscp": 64}, "dscp"),
        ({"ecn": "none"}, "ecn"),
        ({"df": "maybe"}, "df"),
        ({"flow_label": 2**20}, "flow_label"),
        ({"src_ports": (5, 5)}, "src_ports"),
        ({"seed": -1}, "seed"),
        ({"offsets": [0, 61]}, "offsets"),
        ({"offsets": []}, "offsets"),
        ({"offsets": [0], "lengths": [1, 2]}, "lengths"),
        ({"lengths": [1]}, "lengths"),
        ({"out": np.zeros(200, np.uint16)}, "out"),
        ({"out": np.zeros(400, np.uint8)[::2]}, "out"),
        ({"out": np.frombuffer(bytes(200), np.uint8)}, "out"),
        ({"inner": bytes(70_000)}, "inner"),
        ({"inner": "text"}, "inner"),
    ],
)
def test_a_wrong_argument_is_named(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        vxlan.encode(**{"inner": FRAME, **ENCODE, **arguments})
    assert caught.value.field == field
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"mode": "strict"}, "mode"),
        ({"checksums": "all"}, "checksums"),
        ({"ports": {4789: "nsh"}}, "ports"),
        ({"ports": [65536]}, "ports"),
        ({"columns": ["no"]}, "columns"),
        ({"columns": "vni"}, "columns"),
        ({"buffer": np.zeros(10, np.uint8)[::2]}, "buffer"),
        ({"buffer": 5}, "buffer"),
        ({"buffer": np.zeros((2, 60), np.uint8), "offsets": [0]}, "offsets"),
    ],
)
def test_a_wrong_argument_of_decode_is_named(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        vxlan.decode(**{"buffer": FRAME, **arguments})
    assert caught.value.field == field


def test_columns_pickle_and_go_to_arrow() -> None:
    packet = vxlan.encode(FRAME, vni=9, src="192.0.2.1", dst="192.0.2.2")[0]
    columns = vxlan.decode(packet, link=vxlan.RAW)
    again = pickle.loads(pickle.dumps(columns))
    assert again.vni.tolist() == [9]
    assert repr(again) == f"<Columns: 1 packets, {len(vxlan.COLUMNS)} columns>"
    pa = pytest.importorskip("pyarrow")
    batch = pa.record_batch(columns)
    assert batch.column("vni").to_pylist() == [9]
    assert batch.column("inner_source_mac").to_pylist() == [bytes.fromhex("0a0000000001")]
    assert batch.num_columns == len(vxlan.COLUMNS)


def test_a_capture_that_ends_early_gives_what_was_before() -> None:
    whole = (CAPTURES / "tcpdump-vxlan.pcap").read_bytes()
    count = sum(block.rows for block in vxlan.read(whole))
    blocks = vxlan.read(whole[:-1])
    found = 0
    with pytest.raises(CaptureError) as caught:  # noqa: PT012 -- what came before counts
        for block in blocks:
            found += block.rows
    assert found == count - 1
    assert caught.value.path == "<bytes>"
    with pytest.raises(CaptureError, match="not a pcap or pcapng capture"):
        vxlan.read(b"text, and not a capture at all")
    with pytest.raises(SourceError):
        vxlan.read("no-such-file.pcap")


def test_offsets_of_a_capture_are_from_the_start_of_the_packet() -> None:
    (block,) = vxlan.read(CAPTURES / "suricata-vxlan-arp.pcap")
    assert block.inner_offset.tolist() == [50] * block.rows
    assert block.number.tolist() == list(range(1, block.rows + 1))
    assert block.timestamp.dtype == np.dtype("datetime64[ns]")
    assert (block.timestamp > np.datetime64("2000-01-01")).all()
    assert (block.captured <= block.original).all()
