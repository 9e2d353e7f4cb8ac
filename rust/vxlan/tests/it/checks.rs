//! What holds of any bytes. Each is a plain function, so that a fuzz target is one call of it.

use std::net::IpAddr;

use bayplan_vxlan::batch::{Columns, Decoded, NO_VLAN, Spans, decode_batch};
use bayplan_vxlan::capture::CaptureReader;
use bayplan_vxlan::{
    ArpPacket, Checksums, DecodeError, Decoder, Device, EcnCodepoint, ErspanHeader, EtherType,
    EthernetHeader, Fault, Frame, GreHeader, IpHeader, IpProtocol, Ipv4Header, Ipv6Extensions,
    Ipv6Header, Layer, LinkType, Mode, Sll2Header, SllHeader, UdpHeader, VlanTag, VlanTags,
    VxlanHeader, merge_ecn,
};

pub(crate) const LINKS: [LinkType; 10] = [
    LinkType::ETHERNET,
    LinkType::RAW,
    LinkType::RAW_12,
    LinkType::RAW_14,
    LinkType::NULL,
    LinkType::LOOP,
    LinkType::LINUX_SLL,
    LinkType::LINUX_SLL2,
    LinkType::IPV4,
    LinkType::IPV6,
];

/// Any bytes as a packet: frames that lie where they say, or errors that point into it.
pub(crate) fn decode(packet: &[u8]) {
    for link in LINKS {
        let decoder = Decoder::new().link(link);
        let rfc = frames(&decoder, packet);
        let linux = frames(&decoder.clone().mode(Mode::Linux), packet);
        // What Linux takes, RFC 7348 takes as well, and sees the same.
        for (strict, lax) in linux.iter().zip(&rfc) {
            if strict.is_ok() {
                assert_eq!(strict, lax);
            }
        }
        for checksums in [Checksums::Verify, Checksums::VerifyZeroOverIpv6] {
            let verified = decoder.clone().checksums(checksums).decode(packet);
            if let (Ok(verified), Some(taken)) = (verified, rfc.first()) {
                assert_eq!(Ok(verified), *taken);
            }
        }
    }
}

fn frames<'a>(decoder: &Decoder, packet: &'a [u8]) -> Vec<Result<Frame<'a>, DecodeError>> {
    let frames: Vec<_> = decoder.frames(packet).collect();
    assert_eq!(frames.first().copied(), Some(decoder.decode(packet)));
    for (depth, frame) in frames.iter().enumerate() {
        match frame {
            Ok(frame) => {
                assert_eq!(frame.depth, depth);
                lies_where_it_says(packet, frame);
            }
            Err(error) => {
                assert_eq!(depth + 1, frames.len(), "an error is the last");
                points_into(packet, error);
            }
        }
    }
    frames
}

pub(crate) fn points_into(packet: &[u8], error: &DecodeError) {
    assert!(error.offset <= packet.len(), "{error}");
    if let Fault::Truncated { needed, available } = error.fault {
        assert!(needed > available, "{error}");
        assert!(available <= packet.len() - error.offset, "{error}");
    }
    assert!(error.fault.code() != 0);
}

/// The headers of a frame, written again, are the bytes that it was decoded from.
fn lies_where_it_says(packet: &[u8], frame: &Frame<'_>) {
    let mut ip = [0; 60];
    let (fixed, rest) = match frame.ip {
        IpHeader::V4(header) => (header.encode(&mut ip).unwrap(), vec![]),
        IpHeader::V6(header, extensions) => {
            ip[..40].copy_from_slice(&header.to_bytes());
            (40, extensions.as_bytes().to_vec())
        }
    };
    let mut written = Vec::new();
    if let Some(ethernet) = frame.ethernet {
        written.extend(ethernet.to_bytes());
        for tag in frame.vlans.iter() {
            written.extend(tag.to_bytes());
        }
    }
    written.extend(&ip[..fixed]);
    written.extend(rest);
    written.extend(frame.udp.to_bytes());
    written.extend(frame.vxlan.to_bytes());
    written.extend(frame.inner.bytes);
    let end = frame.inner.offset + frame.inner.bytes.len();
    let tags = if frame.ethernet.is_some() { 14 + frame.vlans.len() * 4 } else { 0 };
    assert_eq!(written, packet[frame.ip_offset - tags..end]);
    assert_eq!(frame.vxlan_offset + 8, frame.inner.offset);
    assert_eq!(frame.udp_offset + 8, frame.vxlan_offset);
    assert!(frame.inner.bytes.len() <= frame.inner.length);
    assert_eq!(frame.inner.length + 16, frame.udp_length());
    if let Some(fault) = frame.inner_headers().fault {
        points_into(packet, &fault);
    }
}

/// Any bytes as any header: what is taken off the front, written again, is the same.
pub(crate) fn headers_round_trip(bytes: &[u8]) {
    fn same(bytes: &[u8], decoded: Result<(Vec<u8>, &[u8]), DecodeError>) {
        match decoded {
            Ok((written, rest)) => {
                assert_eq!(written, bytes[..bytes.len() - rest.len()]);
            }
            Err(error) => points_into(bytes, &error),
        }
    }
    let mut out = [0xa5; 4096];
    same(bytes, EthernetHeader::decode(bytes, 0).map(|(h, rest)| (h.to_bytes().to_vec(), rest)));
    same(bytes, VlanTag::decode(bytes, 0).map(|(h, rest)| (h.to_bytes().to_vec(), rest)));
    same(bytes, ArpPacket::decode(bytes, 0).map(|(h, rest)| (h.to_bytes().to_vec(), rest)));
    same(bytes, Ipv6Header::decode(bytes, 0).map(|(h, rest)| (h.to_bytes().to_vec(), rest)));
    same(bytes, UdpHeader::decode(bytes, 0).map(|(h, rest)| (h.to_bytes().to_vec(), rest)));
    same(bytes, VxlanHeader::decode(bytes, 0).map(|(h, rest)| (h.to_bytes().to_vec(), rest)));
    same(bytes, ErspanHeader::decode(bytes, 0).map(|(h, rest)| (h.to_bytes().to_vec(), rest)));
    same(bytes, SllHeader::decode(bytes).map(|(h, rest)| (h.to_bytes().to_vec(), rest)));
    same(bytes, Sll2Header::decode(bytes).map(|(h, rest)| (h.to_bytes().to_vec(), rest)));
    same(
        bytes,
        Ipv4Header::decode(bytes, 0).map(|(header, rest)| {
            let length = header.encode(&mut out).unwrap();
            (out[..length].to_vec(), rest)
        }),
    );
    same(
        bytes,
        GreHeader::decode(bytes, 0).map(|(header, rest)| {
            let length = header.encode(&mut out).unwrap();
            (out[..length].to_vec(), rest)
        }),
    );
    for first in [0, 17, 43, 44, 51, 60, 135] {
        let decoded = Ipv6Extensions::decode(IpProtocol(first), bytes, 0);
        same(
            bytes,
            decoded.map(|(extensions, _, rest)| {
                let mut written = Vec::new();
                for extension in extensions.iter() {
                    let length = extension.encode(&mut out).unwrap();
                    written.extend(&out[..length]);
                }
                assert_eq!(written, extensions.as_bytes());
                (written, rest)
            }),
        );
    }
    for first in [EtherType::VLAN, EtherType::QINQ, EtherType::QINQ_OLD, EtherType::IPV4] {
        let decoded = VlanTags::decode(first, bytes, 0);
        same(
            bytes,
            decoded.map(|(tags, _, rest)| {
                (tags.iter().flat_map(|tag| tag.to_bytes()).collect(), rest)
            }),
        );
    }
}

/// A batch says of each packet what the decoder says of it alone. The first bytes say where packets lie.
pub(crate) fn batch(bytes: &[u8]) {
    let (spans, buffer) = bytes.split_at(bytes.len().min(8));
    let offsets: Vec<u64> = spans.iter().map(|at| u64::from(*at)).collect();
    let lengths: Vec<u64> = spans.iter().rev().map(|length| u64::from(*length) * 3).collect();
    batch_agrees(buffer, Spans::Ranges { offsets: &offsets, lengths: &lengths });
    batch_agrees(buffer, Spans::Offsets(&offsets));
    batch_agrees(buffer, Spans::Even { length: 100, count: 3 });
}

/// What a column holds before it is written.
trait Unwritten: Copy {
    const UNWRITTEN: Self;
}

macro_rules! unwritten {
    ($($type:ty: $value:expr,)*) => {
        $(impl Unwritten for $type {
            const UNWRITTEN: Self = $value;
        })*
    };
}

unwritten! {
    u8: 0xa5, u16: 0xa5a5, u32: 0xa5a5_a5a5, u64: 0xa5a5_a5a5_a5a5_a5a5,
    [u8; 6]: [0xa5; 6], [u8; 8]: [0xa5; 8], [u8; 16]: [0xa5; 16],
}

pub(crate) fn batch_agrees(buffer: &[u8], spans: Spans<'_>) {
    let plain = Decoder::new();
    let gbp = Decoder::new().port(4789, Device::Gbp).port(0, Device::Plain);
    for decoder in [plain.clone(), plain.clone().mode(Mode::Linux), gbp.mode(Mode::Linux)] {
        for checksums in [Checksums::Ignore, Checksums::Verify, Checksums::VerifyZeroOverIpv6] {
            batch_agrees_with(&decoder.clone().checksums(checksums), buffer, spans);
        }
    }
    batch_agrees_with(&plain.link(LinkType::RAW), buffer, spans);
}

/// Every column, written with all others and alone, says what the decoder says.
fn batch_agrees_with(decoder: &Decoder, buffer: &[u8], spans: Spans<'_>) {
    let n = spans.len();
    let results: Vec<_> = (0..n)
        .map(|row| {
            let start = spans.range(row).unwrap().0;
            let outside = DecodeError {
                layer: Layer::Packet,
                offset: 0,
                fault: Fault::OutOfBuffer { end: 0, available: 0 },
            };
            let packet = spans.get(buffer, row).ok_or(outside);
            packet.and_then(|packet| decoder.decode(packet)).map(|frame| (start, frame))
        })
        .collect();
    let mut faults = [vec![], vec![]];
    let mut fault_offsets = vec![];
    for result in &results {
        let (code, layer, offset) = match result {
            Ok(_) => (0, 0xff, 0),
            Err(error) => (error.fault.code(), error.layer.number(), error.offset),
        };
        faults[0].push(code);
        faults[1].push(layer);
        fault_offsets.push(u32::try_from(offset).unwrap());
    }

    macro_rules! agree {
        ($frame:ident, $inner:ident, $start:ident, $($name:ident: $value:expr, or $none:expr;)*) => {
            let [mut code, mut fault_layer] = [vec![u8::UNWRITTEN; n], vec![u8::UNWRITTEN; n]];
            let mut fault_offset = vec![u32::UNWRITTEN; n];
            $(let mut $name = vec![Unwritten::UNWRITTEN; n];)*
            // No `..`: a new column is one that must be looked at here.
            let mut columns = Columns {
                code: &mut code,
                fault_layer: &mut fault_layer,
                fault_offset: &mut fault_offset,
                $($name: &mut $name,)*
            };
            let decoded = decode_batch(decoder, buffer, spans, &mut columns);
            let frames = results.iter().flatten().count();
            let not_vxlan = |error: &&DecodeError| error.fault.is_not_vxlan();
            let not_vxlan = results.iter().filter_map(|result| result.as_ref().err()).filter(not_vxlan);
            assert_eq!(decoded, Decoded { packets: n, frames, not_vxlan: not_vxlan.count() });
            assert_eq!(([code, fault_layer], fault_offset), (faults, fault_offsets));
            $({
                let expected: Vec<_> = results
                    .iter()
                    .map(|result| match result {
                        Ok(($start, $frame)) => {
                            let $inner = $frame.inner_headers();
                            let _ = ($start, &$inner);
                            $value
                        }
                        Err(_) => $none,
                    })
                    .collect();
                assert_eq!($name, expected, stringify!($name));
                $name.fill(Unwritten::UNWRITTEN);
                let mut columns = Columns { $name: &mut $name, ..Columns::default() };
                assert_eq!(decode_batch(decoder, buffer, spans, &mut columns), decoded);
                assert_eq!($name, expected, "{} alone", stringify!($name));
            })*
        };
    }

    let tag = |tags: VlanTags<'_>| tags.iter().next().map_or(NO_VLAN, |tag| tag.id.get());
    let number = |length: usize| u32::try_from(length).unwrap();
    agree! { frame, inner, start,
        outer_source_mac: frame.ethernet.map_or([0; 6], |header| header.source.octets()), or [0; 6];
        outer_destination_mac: frame.ethernet.map_or([0; 6], |header| header.destination.octets()), or [0; 6];
        outer_vlan: tag(frame.vlans), or NO_VLAN;
        outer_ip_version: frame.ip.version(), or 0;
        outer_source: address(Some(frame.ip.source())).0, or [0; 16];
        outer_destination: address(Some(frame.ip.destination())).0, or [0; 16];
        outer_source_ipv4: address(Some(frame.ip.source())).1, or 0;
        outer_destination_ipv4: address(Some(frame.ip.destination())).1, or 0;
        outer_ttl: frame.ip.ttl(), or 0;
        outer_traffic_class: frame.ip.traffic_class(), or 0;
        source_port: frame.udp.source_port, or 0;
        destination_port: frame.udp.destination_port, or 0;
        udp_checksum: frame.udp.checksum, or 0;
        vni: frame.vxlan.vni().get(), or 0;
        flags: frame.vxlan.flags(), or 0;
        vxlan_header: frame.vxlan.to_bytes(), or [0; 8];
        vxlan_offset: number(frame.vxlan_offset), or 0;
        inner_offset: start + u64::from(number(frame.inner.offset)), or 0;
        inner_length: number(frame.inner.length), or 0;
        inner_captured: number(frame.inner.bytes.len()), or 0;
        inner_type: match inner.fault {
            Some(DecodeError { layer: Layer::Ethernet | Layer::Vlan, .. }) => 0,
            _ => inner.ether_type.0,
        }, or 0;
        inner_source_mac: inner.ethernet.map_or([0; 6], |header| header.source.octets()), or [0; 6];
        inner_destination_mac: inner.ethernet.map_or([0; 6], |header| header.destination.octets()), or [0; 6];
        inner_vlan: tag(inner.vlans), or NO_VLAN;
        inner_ip_version: inner.ip.map_or(0, |ip| ip.version()), or 0;
        inner_source: address(inner.ip.map(|ip| ip.source())).0, or [0; 16];
        inner_destination: address(inner.ip.map(|ip| ip.destination())).0, or [0; 16];
        inner_source_ipv4: address(inner.ip.map(|ip| ip.source())).1, or 0;
        inner_destination_ipv4: address(inner.ip.map(|ip| ip.destination())).1, or 0;
        inner_protocol: inner.protocol.map_or(0, |protocol| protocol.0), or 0;
        inner_source_port: inner.ports().map_or(0, |(source, _)| source), or 0;
        inner_destination_port: inner.ports().map_or(0, |(_, destination)| destination), or 0;
    }
}

fn address(address: Option<IpAddr>) -> ([u8; 16], u32) {
    match address {
        Some(IpAddr::V4(address)) => (address.to_ipv6_mapped().octets(), address.to_bits()),
        Some(IpAddr::V6(address)) => (address.octets(), 0),
        None => ([0; 16], 0),
    }
}

/// Any bytes as a capture: it ends, and packets in blocks are those one by one.
pub(crate) fn capture(bytes: &[u8]) {
    let Ok(mut one_by_one) = CaptureReader::new(bytes) else { return };
    let mut packets = Vec::new();
    let error = loop {
        match one_by_one.next_record() {
            Ok(Some(record)) => packets.push((
                record.number,
                record.link,
                record.original_length,
                record.timestamp.map_or(0, bayplan_vxlan::capture::Timestamp::as_nanos),
                record.data.to_vec(),
            )),
            Ok(None) => break None,
            Err(error) => break Some(error.to_string()),
        }
    };
    let mut in_blocks = Vec::new();
    let mut reader = CaptureReader::new(bytes).unwrap();
    let block_error = loop {
        match reader.next_block() {
            Ok(Some(block)) => {
                for row in 0..block.len() {
                    in_blocks.push((
                        block.first_number + u64::try_from(row).unwrap(),
                        block.link,
                        block.original_lengths[row],
                        block.timestamps[row],
                        block.spans().get(block.buffer, row).unwrap().to_vec(),
                    ));
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error.to_string()),
        }
    };
    assert_eq!(in_blocks, packets);
    assert_eq!(block_error, error);
    assert!(matches!(reader.next_block(), Ok(None)));
}

/// Any bytes as an inner frame that leaves a tunnel: only its ECN field and checksum change, and a right checksum stays right.
pub(crate) fn merge(bytes: &[u8]) {
    for outer in [EcnCodepoint::NotEct, EcnCodepoint::Ect1, EcnCodepoint::Ect0, EcnCodepoint::Ce] {
        let mut merged = bytes.to_vec();
        let result = merge_ecn(outer, &mut merged);
        let changed = bytes.iter().zip(&merged).filter(|(a, b)| a != b).count();
        assert!(changed <= if result.is_ok() { 3 } else { 0 });
        let layers =
            |bytes| bayplan_vxlan::Headers::decode(bayplan_vxlan::Start::Ethernet, bytes, 0);
        let (before, after) = (layers(bytes), layers(&merged));
        if let (Some(before), Some(after)) = (before.ip, after.ip) {
            assert_eq!(before.traffic_class() >> 2, after.traffic_class() >> 2);
            let good = |ip: &IpHeader<'_>| {
                ip.checksum_status() == Some(bayplan_vxlan::ChecksumStatus::Good)
            };
            assert_eq!(good(&before), good(&after));
        }
    }
}
