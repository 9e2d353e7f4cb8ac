//! Outer headers: what Linux and the RFCs send, and what comes out at the other end.

use std::collections::BTreeSet;
use std::net::IpAddr;

use bayplan_vxlan::*;
use proptest::prelude::*;

use crate::packets::{ARP, cat, ethernet, ipv4_fragment, ipv6, udp};

fn outer(v6: bool) -> Outer {
    let (source, destination) =
        if v6 { ("2001:db8::1", "2001:db8::2") } else { ("192.0.2.1", "192.0.2.2") };
    Outer {
        ethernet: Some((MacAddress::new([2, 0, 0, 0, 0, 1]), MacAddress::new([2, 0, 0, 0, 0, 2]))),
        ..Outer::new(source.parse().unwrap(), destination.parse().unwrap(), Vni::new(7).unwrap())
    }
}

fn encode(outer: Outer, inner: &[u8]) -> Vec<u8> {
    let encap = Encap::new(outer).unwrap();
    let mut packet = vec![0xa5; encap.encoded_len(inner.len())];
    assert_eq!(encap.encode(inner, &mut packet), Ok(packet.len()));
    packet
}

/// An inner frame with an IP header of this type of service, TTL, and DF.
fn inner_ip(v6: bool, tos: u8, ttl: u8, dont_fragment: bool) -> Vec<u8> {
    let payload = udp(53, &[1, 2, 3]);
    if v6 {
        let mut ip = ipv6(17, &payload);
        ip[..2].copy_from_slice(&[0x60 | tos >> 4, tos << 4]);
        ip[7] = ttl;
        return ethernet(0x86dd, &ip);
    }
    let mut ip = ipv4_fragment(17, if dont_fragment { 0x4000 } else { 0 }, &[], &payload);
    (ip[1], ip[8]) = (tos, ttl);
    ip[10..12].fill(0);
    let sum = Checksum::new().add_bytes(&ip[..20]).finish().to_be_bytes();
    ip[10..12].copy_from_slice(&sum);
    ethernet(0x0800, &ip)
}

#[test]
fn outer_headers_are_those_that_linux_sends() {
    let packet = encode(Outer { source_port: SourcePort::Fixed(50_000), ..outer(false) }, &ARP);
    let (ip, rest) = Ipv4Header::decode(&packet[14..], 14).unwrap();
    assert_eq!((ip.type_of_service, ip.ttl, ip.fragment), (0, 64, Fragment(0)));
    assert_eq!(usize::from(ip.total_length), ARP.len() + 36);
    assert_eq!(ip.checksum_status(), ChecksumStatus::Good);
    let (udp, rest) = UdpHeader::decode(rest, 34).unwrap();
    assert_eq!((udp.source_port, udp.destination_port), (50_000, 8472));
    assert_eq!(usize::from(udp.length), ARP.len() + 16);
    assert_eq!(rest, cat(&[&[8, 0, 0, 0, 0, 0, 7, 0], &ARP]));
    assert_eq!(packet.len(), ARP.len() + 50);

    let packet = encode(outer(true), &ARP);
    let (ip, _) = Ipv6Header::decode(&packet[14..], 14).unwrap();
    assert_eq!((ip.traffic_class, ip.flow_label.get(), ip.hop_limit), (0, 0, 64));
    assert_eq!(usize::from(ip.payload_length), ARP.len() + 16);
    assert_eq!(packet.len(), ARP.len() + 70);

    // To a group: TTL 1
    let group = Outer { destination: "239.1.1.1".parse().unwrap(), ..outer(false) };
    assert_eq!(encode(group, &ARP)[22], 1);
    // RFC 7348 instead
    let rfc = encode(outer(false).rfc(), &ARP);
    assert_eq!((&rfc[36..38], &rfc[40..42]), (&4789_u16.to_be_bytes()[..], &[0, 0][..]));
    let rfc = encode(outer(true).rfc(), &ARP);
    assert_ne!(&rfc[60..62], [0, 0]);
}

#[test]
fn ecn_into_the_tunnel_follows_the_rfc_or_linux() {
    use EcnCodepoint::{Ce, Ect0, Ect1, NotEct};
    for (ecn, table) in [
        (Ecn::Rfc6040, [(NotEct, NotEct), (Ect0, Ect0), (Ect1, Ect1), (Ce, Ce)]),
        (Ecn::Linux, [(NotEct, NotEct), (Ect0, Ect0), (Ect1, Ect1), (Ce, Ect0)]),
    ] {
        for ((inner, expected), v6) in table.into_iter().flat_map(|row| [(row, false), (row, true)])
        {
            assert_eq!(ecn.encapsulate(inner), expected);
            for dscp in [Dscp::Fixed(0b1011_1011), Dscp::Inherit] {
                let frame = inner_ip(v6, 0b0110_0000 | inner.bits(), 9, false);
                let packet = encode(Outer { ecn, dscp, ..outer(v6) }, &frame);
                let sent = Decoder::new().decode(&packet).unwrap().ip.traffic_class();
                let upper = if dscp == Dscp::Inherit { 0b0110_0000 } else { 0b1011_1000 };
                assert_eq!(sent, upper | expected.bits(), "{ecn:?} {inner:?}");
            }
        }
    }
    // ARP has neither
    let packet = encode(Outer { dscp: Dscp::Inherit, ..outer(false) }, &ARP);
    assert_eq!(packet[15], 0);
}

/// The table of RFC 6040 section 4.2, as a Linux device was measured to follow it; rows outer, columns inner.
#[test]
fn ecn_out_of_the_tunnel_follows_the_table() {
    use EcnCodepoint::{Ce, Ect0, Ect1, NotEct};
    let inner = [NotEct, Ect0, Ect1, Ce];
    for (outer, row) in [
        (NotEct, [Some(NotEct), Some(Ect0), Some(Ect1), Some(Ce)]),
        (Ect0, [Some(NotEct), Some(Ect0), Some(Ect1), Some(Ce)]),
        (Ect1, [Some(NotEct), Some(Ect1), Some(Ect1), Some(Ce)]),
        (Ce, [None, Some(Ce), Some(Ce), Some(Ce)]),
    ] {
        for (inner, expected) in inner.into_iter().zip(row) {
            assert_eq!(decapsulate_ecn(outer, inner), expected, "{outer:?} {inner:?}");
            for v6 in [false, true] {
                for tagged in [false, true] {
                    let mut frame = inner_ip(v6, 0b1010_1100 | inner.bits(), 9, false);
                    let tag = if tagged { &[0x81, 0, 0, 5][..] } else { &[] };
                    frame.splice(12..12, tag.iter().copied());
                    let before = frame.clone();
                    let merged = merge_ecn(outer, &mut frame);
                    assert_eq!(merged.is_ok(), expected.is_some());
                    if merged.is_err() {
                        assert_eq!(frame, before);
                        continue;
                    }
                    let ip = Headers::decode(Start::Ethernet, &frame, 0).ip.unwrap();
                    assert_eq!(ip.traffic_class(), 0b1010_1100 | expected.unwrap().bits());
                    assert_ne!(ip.checksum_status().unwrap_or(ChecksumStatus::Good).name(), "bad");
                }
            }
        }
    }
    let mut arp = ARP;
    assert_eq!(merge_ecn(Ce, &mut arp), Ok(()));
    assert_eq!(arp, ARP);
}

#[test]
fn ttl_and_df_are_set_or_inherited() {
    let decode = |packet: Vec<u8>| {
        let frame = Decoder::new().decode(&packet).unwrap();
        match frame.ip {
            IpHeader::V4(ip) => (ip.ttl, ip.fragment.dont_fragment()),
            IpHeader::V6(ip, _) => (ip.hop_limit, false),
        }
    };
    let v4 = |ttl, dont_fragment, inner: &[u8]| {
        decode(encode(Outer { ttl, dont_fragment, ..outer(false) }, inner))
    };
    let with_df = inner_ip(false, 0, 9, true);
    let without = inner_ip(false, 0, 9, false);
    let v6 = inner_ip(true, 0, 11, false);
    let (clear, set, inherit) = (DontFragment::Clear, DontFragment::Set, DontFragment::Inherit);
    assert_eq!(v4(Ttl::Default, clear, &with_df), (64, false));
    assert_eq!(v4(Ttl::Fixed(200), set, &without), (200, true));
    assert_eq!(v4(Ttl::Inherit, inherit, &with_df), (9, true));
    assert_eq!(v4(Ttl::Inherit, inherit, &without), (9, false));
    assert_eq!(v4(Ttl::Inherit, inherit, &v6), (11, true));
    assert_eq!(v4(Ttl::Inherit, inherit, &ARP), (64, false));
    assert_eq!(decode(encode(Outer { ttl: Ttl::Inherit, ..outer(true) }, &without)), (9, false));
}

#[test]
fn tags_flow_label_and_identification_are_written() {
    let tag = |ether_type, id| OuterTag {
        ether_type,
        priority: Priority::new(3).unwrap(),
        drop_eligible: false,
        id: VlanId::new(id).unwrap(),
    };
    let tags = vec![tag(EtherType::QINQ, 100), tag(EtherType::VLAN, 200)];
    let packet = encode(Outer { tags, flow_label: FlowLabel::MAX, ..outer(true) }, &ARP);
    assert_eq!(packet[12..22], [0x88, 0xa8, 0x60, 100, 0x81, 0, 0x60, 200, 0x86, 0xdd]);
    let frame = Decoder::new().decode(&packet).unwrap();
    match frame.ip {
        IpHeader::V6(ip, _) => assert_eq!(ip.flow_label, FlowLabel::MAX),
        IpHeader::V4(_) => panic!("IPv6"),
    }
    let packet = encode(Outer { identification: 0x1234, ..outer(false) }, &ARP);
    assert_eq!(packet[18..20], [0x12, 0x34]);
    let too_many = Outer { tags: vec![tag(EtherType::VLAN, 1); 5], ..outer(false) };
    assert_eq!(Encap::new(too_many).unwrap_err(), EncodeError::TooManyTags { tags: 5, limit: 4 });
    let four = Outer { tags: vec![tag(EtherType::VLAN, 1); 4], ..outer(true) };
    assert_eq!(encode(four, &ARP).len(), ARP.len() + MAX_HEADERS);
}

#[test]
fn what_cannot_be_said_is_refused() {
    let mixed = Outer { source: "::1".parse().unwrap(), ..outer(false) };
    assert_eq!(Encap::new(mixed).unwrap_err(), EncodeError::MixedFamilies);
    let encap = Encap::new(outer(false)).unwrap();
    let mut out = vec![0; 70_000];
    let longest = 65_535 - 36;
    assert_eq!(encap.encode(&vec![0; longest], &mut out), Ok(longest + 50));
    let long = encap.encode(&vec![0; longest + 1], &mut out);
    assert_eq!(
        long,
        Err(EncodeError::TooLong { layer: Layer::Ipv4, length: 65_536, limit: 65_535 })
    );
    let v6 = Encap::new(outer(true)).unwrap();
    assert_eq!(v6.encode(&vec![0; 65_535 - 16], &mut out), Ok(65_535 - 16 + 70));
    let long = v6.encode(&vec![0; 65_536 - 16], &mut out);
    assert_eq!(
        long,
        Err(EncodeError::TooLong { layer: Layer::Udp, length: 65_536, limit: 65_535 })
    );
    let short = encap.encode(&ARP, &mut [0; 91]);
    assert_eq!(short, Err(EncodeError::BufferTooShort { needed: 92, available: 91 }));
    let other = PerPacket { destination: Some("::1".parse().unwrap()), ..PerPacket::default() };
    assert_eq!(encap.encode_with(&other, &ARP, &mut out), Err(EncodeError::MixedFamilies));
}

#[test]
fn a_port_range_is_used_up_to_but_not_including_its_end() {
    let one = PortRange::new(50_000, 50_001).unwrap();
    for hash in [0, 1, 0x8000_0000, u32::MAX] {
        assert_eq!(one.port(hash), 50_000);
    }
    // h ^= h << 16: 0x0000ffff becomes all ones, and all ones 0x0000ffff
    assert_eq!(PortRange::DYNAMIC.port(0x0000_ffff), 65_534);
    assert_eq!(PortRange::DYNAMIC.port(u32::MAX), 49_152);
    assert_eq!(PortRange::DYNAMIC.port(0), 49_152);
    assert_eq!(PortRange::DYNAMIC.port(0x0000_8000), 49_152 + 16_383 / 2);
    assert_eq!(PortRange::new(5, 5), Err(EncodeError::EmptyPortRange { min: 5, max: 5 }));
    assert_eq!((PortRange::LINUX.min(), PortRange::LINUX.max()), (32_768, 60_999));
}

#[test]
fn one_flow_keeps_its_port_and_flows_spread() {
    let frame = |source: u16, payload: u8| {
        let mut datagram = udp(53, &[payload]);
        datagram[..2].copy_from_slice(&source.to_be_bytes());
        ethernet(0x0800, &ipv4_fragment(17, 0, &[], &datagram))
    };
    let port = |frame: &[u8], seed| {
        PortRange::DYNAMIC.port(flow_hash(&Headers::decode(Start::Ethernet, frame, 0), seed))
    };
    assert_eq!(port(&frame(9, 1), 0), port(&frame(9, 2), 0));
    let ports: BTreeSet<u16> = (0..200).map(|source| port(&frame(1000 + source, 0), 0)).collect();
    assert!(ports.len() > 190, "{}", ports.len());
    assert_ne!(port(&frame(9, 1), 0), port(&frame(9, 1), 1));
    // All fragments of a packet take the same way, the first with its ports as well
    let fragment = |field| ethernet(0x0800, &ipv4_fragment(17, field, &[], &udp(53, &[])));
    assert_eq!(port(&fragment(0x2000), 0), port(&fragment(0x0001), 0));
    // The hash is part of the interface: these numbers may not change
    let hash = |frame: &[u8]| flow_hash(&Headers::decode(Start::Ethernet, frame, 0), 0);
    let model = |words: &[u64]| {
        let multiplier = 0x9e37_79b9_7f4a_7c15_u64;
        let mut h = 0_u64;
        for word in words {
            h = (h ^ word).wrapping_mul(multiplier);
            h ^= h >> 32;
        }
        u32::try_from(h.wrapping_mul(multiplier) >> 32).unwrap()
    };
    let ip = 0xc000_0201_c000_0202;
    assert_eq!(hash(&frame(9, 1)), model(&[ip, 0x11 | 0x09 << 8 | 0x35 << 24]));
    assert_eq!(hash(&fragment(0x2000)), model(&[ip, 17]));
    assert_eq!(hash(&ARP), model(&[0xffff_ffff_ffff, 0x0200_0000_000a, 0x0806]));
    let v6 = ethernet(0x86dd, &ipv6(6, &[0, 80, 1, 0]));
    let prefix = 0x2001_0db8_0000_0000;
    assert_eq!(hash(&v6), model(&[prefix, 1, prefix, 2, 0x06 | 0x50 << 8 | 0x100 << 24]));
}

#[test]
fn gpe_without_ethernet_inherits_from_the_ip_packet() {
    let inner = inner_ip(false, 0b0000_0011, 9, true)[14..].to_vec();
    let outer = Outer {
        vxlan: VxlanHeader::new(Vni::default()).with_next_protocol(NextProtocol::IPV4),
        destination_port: GPE_PORT,
        ecn: Ecn::Rfc6040,
        dont_fragment: DontFragment::Inherit,
        ttl: Ttl::Inherit,
        ..outer(false)
    };
    let packet = encode(outer, &inner);
    let frame = Decoder::new().mode(Mode::Linux).decode(&packet).unwrap();
    assert_eq!((frame.ip.ttl(), frame.ip.ecn()), (9, EcnCodepoint::Ce));
    assert_eq!(frame.inner.headers().ports(), Some((0xc001, 53)));
}

fn address(v6: bool) -> impl Strategy<Value = IpAddr> {
    if v6 {
        any::<u128>().prop_map(|bits| IpAddr::V6(bits.into())).boxed()
    } else {
        any::<u32>().prop_map(|bits| IpAddr::V4(bits.into())).boxed()
    }
}

proptest! {
    /// Whatever is put in comes out, and every checksum is right; Linux would take it.
    #[test]
    fn a_frame_comes_out_as_it_went_in(
        inner in proptest::collection::vec(any::<u8>(), 14..300),
        (source, destination) in any::<bool>().prop_flat_map(|v6| (address(v6), address(v6))),
        vni in 0..=Vni::MAX.get(),
        seed in any::<u64>(),
        udp_checksum in any::<bool>(),
        with_ethernet in any::<bool>(),
    ) {
        let vni = Vni::new(vni).unwrap();
        let outer = Outer {
            source_port: SourcePort::Flow { range: PortRange::LINUX, seed },
            udp_checksum,
            ethernet: with_ethernet.then_some((MacAddress::ZERO, MacAddress::BROADCAST)),
            ..Outer::new(source, destination, vni)
        };
        let packet = encode(outer, &inner);
        let link = if with_ethernet { LinkType::ETHERNET } else { LinkType::RAW };
        let decoder = Decoder::new().mode(Mode::Linux).link(link).checksums(Checksums::VerifyZeroOverIpv6);
        let frame = decoder.decode(&packet).unwrap();
        prop_assert_eq!(frame.inner.bytes, &inner);
        prop_assert_eq!((frame.ip.source(), frame.ip.destination()), (source, destination));
        prop_assert_eq!(frame.vxlan, VxlanHeader::new(vni));
        let status = if udp_checksum { ChecksumStatus::Good } else { ChecksumStatus::NotPresent };
        prop_assert_eq!(frame.udp_checksum_status(), status);
        prop_assert!((32_768..60_999).contains(&frame.udp.source_port));
    }

    /// Also where the sum comes to zero, which must not be sent as zero: the last two bytes make it so.
    #[test]
    fn a_computed_zero_is_sent_as_all_ones(mut inner in proptest::collection::vec(any::<u8>(), 20..60), v6 in any::<bool>()) {
        if !inner.len().is_multiple_of(2) {
            inner.pop();
        }
        let last = inner.len() - 2;
        inner[last..].fill(0);
        let fixed = |inner: &[u8]| encode(Outer { source_port: SourcePort::Fixed(1), ecn: Ecn::Linux, ..outer(v6) }, inner);
        let packet = fixed(&inner);
        let frame = Decoder::new().decode(&packet).unwrap();
        // adding the checksum to the sum makes it all ones, so that its complement is zero
        inner[last..].copy_from_slice(&frame.udp.checksum.to_be_bytes());
        let packet = fixed(&inner);
        let frame = Decoder::new().decode(&packet).unwrap();
        prop_assert_eq!(frame.udp.checksum, 0xffff);
        prop_assert_eq!(frame.udp_checksum_status(), ChecksumStatus::Good);
    }
}
