//! Captures of public projects against what tshark and tcpdump say of them: `tests/data/captures/SOURCES.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bayplan_vxlan::batch::{Columns, decode_batch};
use bayplan_vxlan::capture::CaptureReader;
use bayplan_vxlan::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/captures")
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".pcap").map(str::to_owned)
        })
        .collect();
    names.sort();
    names
}

/// Packets with their length on the wire.
fn packets(name: &str) -> Vec<(u32, Vec<u8>)> {
    let file = fs::File::open(folder().join(format!("{name}.pcap"))).unwrap();
    let mut reader = CaptureReader::new(file).unwrap();
    let mut packets = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        assert_eq!(record.link, LinkType::ETHERNET);
        packets.push((record.original_length, record.data.to_vec()));
    }
    packets
}

fn status(status: Option<ChecksumStatus>) -> String {
    status.map(|status| status.name().to_owned()).unwrap_or_default()
}

fn mac(mac: Option<MacAddress>) -> String {
    mac.map(|mac| mac.to_string()).unwrap_or_default()
}

fn vlan(tags: VlanTags<'_>) -> String {
    tags.iter().next().map(|tag| tag.id.to_string()).unwrap_or_default()
}

/// What the CSV says of a frame, said by us.
fn row(
    number: usize,
    original: u32,
    packet: &[u8],
    frame: &Frame<'_>,
) -> BTreeMap<&'static str, String> {
    let ethernet = frame.ethernet;
    let inner = frame.inner_headers();
    let inner_ethernet = inner.ethernet;
    let [f0, f1, _, next, ..] = frame.vxlan.to_bytes();
    let [_, _, p0, p1, .., reserved] = frame.vxlan.to_bytes();
    let (length, tos) = match frame.ip {
        IpHeader::V4(ip) => (ip.total_length, format!("{:#04x}", ip.type_of_service)),
        IpHeader::V6(ip, _) => (ip.payload_length, format!("{:#010x}", ip.traffic_class)),
    };
    let ip_length = match inner.ip {
        Some(IpHeader::V4(ip)) => ip.total_length.to_string(),
        Some(IpHeader::V6(ip, _)) => (ip.payload_length + 40).to_string(),
        None => String::new(),
    };
    let ip_length_outer = match frame.ip {
        IpHeader::V4(_) => length,
        IpHeader::V6(..) => length + 40,
    };
    let hex: String = frame.vxlan.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    BTreeMap::from([
        ("frame", number.to_string()),
        ("depth", frame.depth.to_string()),
        ("frame_len", original.to_string()),
        ("cap_len", packet.len().to_string()),
        ("outer_eth_src", mac(ethernet.map(|ethernet| ethernet.source))),
        ("outer_eth_dst", mac(ethernet.map(|ethernet| ethernet.destination))),
        ("outer_vlan", vlan(frame.vlans)),
        ("outer_ip_version", frame.ip.version().to_string()),
        ("outer_src", frame.ip.source().to_string()),
        ("outer_dst", frame.ip.destination().to_string()),
        ("outer_ttl", frame.ip.ttl().to_string()),
        ("outer_tos", tos),
        ("outer_ip_len", ip_length_outer.to_string()),
        ("outer_ip_csum_status", status(frame.ip_checksum_status())),
        ("udp_sport", frame.udp.source_port.to_string()),
        ("udp_dport", frame.udp.destination_port.to_string()),
        ("udp_len", frame.udp.length.to_string()),
        ("udp_csum", format!("{:#06x}", frame.udp.checksum)),
        ("udp_csum_status", status(Some(frame.udp_checksum_status()))),
        ("vxlan_offset", frame.vxlan_offset.to_string()),
        ("vxlan_header", hex),
        ("flags16", format!("{:#06x}", u16::from_be_bytes([f0, f1]))),
        ("i_flag", u8::from(frame.vxlan.has_vni()).to_string()),
        ("gbp_flag", u8::from(frame.vxlan.group_policy().is_some()).to_string()),
        (
            "policy_id",
            match frame.device {
                // tshark 4.0 shows the next protocol here
                Device::Gpe => next.to_string(),
                _ => u16::from_be_bytes([p0, p1]).to_string(),
            },
        ),
        ("vni", frame.vxlan.vni().to_string()),
        ("reserved8", reserved.to_string()),
        ("gpe_next_proto", String::new()),
        ("inner_offset", frame.inner.offset.to_string()),
        ("inner_len_claimed", frame.inner.length.to_string()),
        ("inner_len_captured", frame.inner.bytes.len().to_string()),
        ("inner_eth_src", mac(inner_ethernet.map(|ethernet| ethernet.source))),
        ("inner_eth_dst", mac(inner_ethernet.map(|ethernet| ethernet.destination))),
        ("inner_eth_type", inner_ethernet.map(|e| e.ether_type.to_string()).unwrap_or_default()),
        ("inner_vlan", vlan(inner.vlans)),
        ("inner_ip_version", inner.ip.map(|ip| ip.version().to_string()).unwrap_or_default()),
        ("inner_ip_src", inner.ip.map(|ip| ip.source().to_string()).unwrap_or_default()),
        ("inner_ip_dst", inner.ip.map(|ip| ip.destination().to_string()).unwrap_or_default()),
        ("inner_ip_proto", inner.protocol.map(|p| p.to_string()).unwrap_or_default()),
        ("inner_ip_len", ip_length),
    ])
}

#[test]
fn every_row_of_tshark_agrees() {
    let mut rows = 0;
    for name in names() {
        let csv = fs::read_to_string(folder().join(format!("{name}.csv"))).unwrap();
        let mut lines = csv.lines();
        let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
        let mut frames = Vec::new();
        let packets = packets(&name);
        for (number, (original, packet)) in packets.iter().enumerate() {
            for frame in Decoder::new().frames(packet) {
                let frame = frame.unwrap_or_else(|error| panic!("{name} {number}: {error}"));
                frames.push(row(number + 1, *original, packet, &frame));
            }
        }
        if name.starts_with("tcpdump-bigtcp") {
            assert_eq!((lines.next(), frames.len()), (None, 1), "{name}: tshark finds nothing");
            continue;
        }
        for (ours, line) in frames.iter().zip(lines.clone()) {
            for (column, value) in columns.iter().zip(line.split(',')) {
                // tshark's names of all protocols, and what it finds odd in them
                if ["layers", "malformed"].contains(column) {
                    continue;
                }
                let frame = &ours["frame"];
                assert_eq!(ours[column], value, "{name}, frame {frame}, {column}");
            }
            assert_eq!(ours.len() + 2, columns.len());
            rows += 1;
        }
        assert_eq!(frames.len(), lines.count(), "{name}");
    }
    assert_eq!(rows, 147, "of SOURCES.md");
}

#[test]
fn the_layers_of_tshark_are_ours() {
    for name in names() {
        let csv = fs::read_to_string(folder().join(format!("{name}.csv"))).unwrap();
        for line in csv.lines().skip(1) {
            let layers = line.split(',').rev().nth(1).unwrap();
            let number: usize = line.split(',').next().unwrap().parse().unwrap();
            let packets = packets(&name);
            let frame = Decoder::new().decode(&packets[number - 1].1).unwrap();
            let ip = |ip: &IpHeader<'_>| if ip.version() == 4 { "ip" } else { "ipv6" };
            let mut ours = String::from("eth:");
            if let Some(carrier) = frame.carrier {
                assert_eq!(carrier.gre.protocol, EtherType::ERSPAN);
                let erspan = carrier.erspan.unwrap();
                assert_eq!(carrier.gre_offset + carrier.gre.len() + 8, 50);
                assert!(erspan.session() <= 1023);
                ours += "ip:gre:erspan:eth:";
            }
            ours += &format!("{}:udp:vxlan:eth", ip(&frame.ip));
            let inner = frame.inner_headers();
            if let Some(header) = inner.ip {
                let protocol = inner.protocol.and_then(IpProtocol::name).unwrap().to_lowercase();
                ours += &format!(":{}:{protocol}", ip(&header));
            }
            if inner.arp().is_some() {
                ours += ":arp";
            }
            assert!(layers.starts_with(&ours), "{name}: {layers} {ours}");
        }
    }
}

/// The packets whose lengths say 0, or whose checksums were left to a device: tcpdump says what they are.
#[test]
fn offloaded_packets_are_as_tcpdump_prints_them() {
    let text = |name: &str| fs::read_to_string(folder().join(format!("{name}.out"))).unwrap();
    let first = |name: &str| packets(name).swap_remove(0).1;

    for (name, ttl, flows) in [
        ("tcpdump-bigtcp-ipv4-vxlan-ipv4", 61, [(47044, 4789), (36875, 36449)]),
        ("tcpdump-bigtcp-ipv6-vxlan-ipv4", 64, [(52238, 4789), (41873, 38131)]),
        ("tcpdump-gso-ipv4-vxlan-ipv4", 61, [(60345, 4789), (37099, 41547)]),
        ("tcpdump-gso-ipv6-vxlan-ipv6", 61, [(39902, 4789), (43583, 44175)]),
    ] {
        let (text, packet) = (text(name), first(name));
        let frame = Decoder::new().mode(Mode::Linux).decode(&packet).unwrap();
        let inner = frame.inner_headers();
        assert_eq!(frame.vxlan.vni().get(), 5001);
        assert_eq!(frame.ip.ttl(), ttl);
        assert_eq!((frame.udp.source_port, frame.udp.destination_port), flows[0]);
        assert_eq!(inner.ports(), Some(flows[1]));
        let (source, destination) = (frame.ip.source(), frame.ip.destination());
        let (s, d) = flows[0];
        assert!(text.contains(&format!("{source}.{s} > {destination}.{d}: ")), "{name}");
        let ip = inner.ip.unwrap();
        let (s, d) = flows[1];
        let line = format!("{}.{s} > {}.{d}: ", ip.source(), ip.destination());
        assert!(text.contains(&line), "{name}: {line}");

        // Length of the outer packet as it really is
        let outer_length = match (frame.ip, name) {
            (IpHeader::V4(_), "tcpdump-bigtcp-ipv4-vxlan-ipv4") => {
                format!("length {} [was 0", frame.udp_length() + 20)
            }
            (IpHeader::V4(_), _) => format!("length {}", frame.udp_length() + 20),
            (IpHeader::V6(..), "tcpdump-bigtcp-ipv6-vxlan-ipv4") => {
                format!("[real length {},", frame.udp_length() + 40)
            }
            (IpHeader::V6(..), _) => {
                format!("payload length: {}", frame.udp_length()).replace(": ", " ")
            }
        };
        assert!(text.contains(&outer_length), "{name}: {outer_length}");
        let inner_length = inner.payload_length + if ip.version() == 4 { 20 } else { 0 };
        assert!(text.contains(&format!("length {inner_length}")), "{name}: {inner_length}");
        assert_eq!(inner.payload.len(), inner.payload_length);
        assert_eq!(frame.inner.length, frame.inner.bytes.len());

        // tcpdump checks over IPv6 only
        let ChecksumStatus::Bad { found, expected } = frame.udp_checksum_status() else {
            panic!("{name}: left to the device");
        };
        if frame.ip.version() == 6 {
            let line = format!("[bad udp cksum {found:#06x} -> {expected:#06x}!]");
            assert!(text.contains(&line), "{name}: {line}");
        }
    }
}

#[test]
fn captures_read_in_blocks_as_packet_by_packet() {
    for name in names() {
        let bytes = fs::read(folder().join(format!("{name}.pcap"))).unwrap();
        crate::checks::capture(&bytes);
        let mut reader = CaptureReader::new(&bytes[..]).unwrap();
        let mut total = 0;
        while let Some(block) = reader.next_block().unwrap() {
            crate::checks::batch_agrees(block.buffer, block.spans());
            let mut code = vec![9; block.len()];
            let mut columns = Columns { code: &mut code, ..Columns::default() };
            let decoder = Decoder::new().link(block.link);
            let decoded = decode_batch(&decoder, block.buffer, block.spans(), &mut columns);
            assert_eq!(decoded.frames, block.len(), "{name}: every packet is VXLAN");
            assert!(code.iter().all(|code| *code == 0));
            total += block.len();
        }
        assert_eq!(total, packets(&name).len(), "{name}");
    }
}

#[test]
fn every_truncation_of_a_captured_packet_gives_an_error_or_a_cut_frame() {
    for name in names() {
        for (_, packet) in packets(&name).iter().take(4) {
            let whole = Decoder::new().decode(packet).unwrap();
            for length in 0..packet.len().min(whole.inner.offset + 60) {
                let cut = &packet[..length];
                if packet.len() < 2000 {
                    crate::checks::decode(cut);
                }
                match Decoder::new().decode(cut) {
                    Ok(frame) => assert!(
                        length >= whole.inner.offset
                            && frame.inner.bytes.len() < whole.inner.bytes.len()
                    ),
                    Err(error) => {
                        assert!(length < whole.inner.offset);
                        assert!(matches!(error.fault, Fault::Truncated { .. }), "{name}: {error}");
                    }
                }
            }
        }
    }
}

/// Which of the captures a Linux device would take, by the bits of their headers.
#[test]
fn linux_takes_all_but_group_policies_on_a_plain_device() {
    for name in names() {
        for (_, packet) in packets(&name) {
            let linux = Decoder::new().mode(Mode::Linux).decode(&packet);
            if name == "pcapplusplus-Vxlan1" {
                let bits = 0x8048_0064_0000_0000;
                assert_eq!(linux.unwrap_err().fault, Fault::ReservedBits { bits });
                let gbp = Decoder::new().mode(Mode::Linux).port(4789, Device::Gbp);
                let policy = gbp.decode(&packet).unwrap().vxlan.group_policy().unwrap();
                assert_eq!(policy, GroupPolicy { id: 100, dont_learn: true, applied: true });
                continue;
            }
            assert!(linux.is_ok(), "{name}: {linux:?}");
        }
    }
}
