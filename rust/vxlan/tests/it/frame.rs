//! Whole packets: stacks, carriers, nesting, lengths, cuts.

use bayplan_vxlan::*;

use crate::packets::{self, ARP, cat, ethernet, ipv4, ipv4_fragment, ipv6, plain, udp, vxlan};

fn fault(packet: &[u8]) -> (Layer, usize, Fault) {
    let error = Decoder::new().decode(packet).expect_err("an error");
    (error.layer, error.offset, error.fault)
}

#[test]
fn every_stack_is_decoded_to_the_inner_frame() {
    for (name, packet, depth) in packets::all() {
        crate::checks::decode(&packet);
        let frames: Vec<_> = Decoder::new().frames(&packet).collect();
        assert_eq!(frames.len(), depth, "{name}");
        let last = frames.last().unwrap().as_ref().unwrap();
        assert_eq!(last.inner.offset + last.inner.bytes.len(), packet.len(), "{name}");
        assert_eq!(last.ip_checksum_status().unwrap_or(ChecksumStatus::Good), ChecksumStatus::Good);
        let inner = last.inner_headers();
        assert_eq!(inner.fault, None, "{name}");
        if name == "gpe" {
            assert_eq!(last.inner.protocol, NextProtocol::IPV4);
            assert_eq!((inner.ethernet, inner.protocol), (None, Some(IpProtocol::ICMP)));
            continue;
        }
        assert_eq!(last.inner.bytes, ARP, "{name}");
        assert_eq!(inner.arp().unwrap().unwrap().operation, ArpOperation::REQUEST);
    }
}

#[test]
fn tags_carriers_and_extensions_are_told() {
    let packets = packets::all();
    let frame = |name: &str| {
        let (_, packet, _) = packets.iter().find(|(found, ..)| *found == name).unwrap();
        Decoder::new().decode(packet).unwrap()
    };
    let tags: Vec<_> = frame("qinq").vlans.iter().collect();
    assert_eq!((tags[0].id.get(), tags[0].priority.get(), tags[0].drop_eligible), (9, 5, true));
    assert_eq!((tags[1].id, tags[1].ether_type), (VlanId::MAX, EtherType::IPV6));
    assert_eq!(frame("vlan").vlans.outermost().unwrap().id.get(), 5);
    assert_eq!(frame("plain").carrier, None);

    let carrier = frame("erspan").carrier.unwrap();
    assert_eq!((carrier.gre.sequence, carrier.gre_offset), (Some(1), 34));
    let erspan = carrier.erspan.unwrap();
    assert_eq!((erspan.vlan().get(), erspan.session(), erspan.index()), (100, 7, 5));
    assert_eq!(frame("erspan I").carrier.unwrap().erspan, None);
    assert_eq!(frame("gre with all fields").carrier.unwrap().gre.key, Some(0x0506_0708));
    assert_eq!(frame("gre with all fields").ethernet, None);

    let policy = GroupPolicy { id: 0x123, dont_learn: true, applied: true };
    assert_eq!(frame("gbp").vxlan.group_policy(), Some(policy));
    assert_eq!(frame("gpe").device, Device::Gpe);
    match frame("extensions").ip {
        IpHeader::V6(ip, extensions) => {
            assert_eq!((ip.next_header, extensions.iter().count()), (IpProtocol::HOP_BY_HOP, 2));
        }
        IpHeader::V4(_) => panic!("IPv6"),
    }
}

/// Every prefix of every stack: an error that says how many bytes are missing, until the VXLAN header is whole; then a
/// frame of which a part was captured.
#[test]
fn every_truncation_gives_an_error_or_a_cut_frame() {
    for (name, packet, _) in packets::all() {
        let whole = Decoder::new().decode(&packet).unwrap();
        for length in 0..packet.len() {
            let cut = &packet[..length];
            crate::checks::decode(cut);
            match Decoder::new().decode(cut) {
                Ok(frame) => {
                    assert!(length >= whole.inner.offset, "{name} {length}");
                    assert_eq!(frame.inner.length, whole.inner.length);
                    assert_eq!(frame.inner.bytes.len(), length - whole.inner.offset);
                    assert!(frame.inner.is_cut());
                }
                Err(DecodeError {
                    offset, fault: Fault::Truncated { needed, available }, ..
                }) => {
                    assert!(length < whole.inner.offset, "{name} {length}");
                    assert!(offset + available == length && offset + needed > length);
                }
                Err(error) => panic!("{name} {length}: {error}"),
            }
        }
    }
}

#[test]
fn linux_wants_an_inner_ethernet_header() {
    let runt = ethernet(0x0800, &ipv4(17, &[], &udp(4789, &vxlan(&[0; 13]))));
    assert_eq!(Decoder::new().decode(&runt).unwrap().inner.length, 13);
    let error = Decoder::new().mode(Mode::Linux).decode(&runt).unwrap_err();
    assert_eq!(error.to_string(), "inner ethernet at byte 50: 14 bytes needed, 13 available");
    let gbp = &packets::all()[6].1;
    let error = Decoder::new().mode(Mode::Linux).decode(gbp).unwrap_err();
    let bits = 0x8048_0123_0000_0000;
    assert_eq!((error.offset, error.fault), (42, Fault::ReservedBits { bits }));
    let gbp_device = Decoder::new().mode(Mode::Linux).port(4789, Device::Gbp);
    assert!(gbp_device.decode(gbp).is_ok());
}

#[test]
fn packets_that_are_something_else_say_what() {
    assert_eq!(
        fault(&ethernet(0x0806, &ARP[14..])),
        (Layer::Ethernet, 0, Fault::EtherType { found: 0x806 })
    );
    let tagged = ethernet(0x8100, &cat(&[&[0, 1, 8, 6], &ARP[14..]]));
    assert_eq!(fault(&tagged), (Layer::Vlan, 14, Fault::EtherType { found: 0x806 }));
    assert_eq!(
        fault(&ethernet(0x0800, &ipv4(6, &[], &[0; 20]))),
        (Layer::Ipv4, 14, Fault::Protocol { found: 6 })
    );
    assert_eq!(
        fault(&ethernet(0x86dd, &ipv6(58, &[0; 20]))),
        (Layer::Ipv6, 14, Fault::Protocol { found: 58 })
    );
    assert_eq!(
        fault(&ethernet(0x0800, &ipv4(17, &[], &udp(53, &[0; 20])))),
        (Layer::Udp, 34, Fault::Port { found: 53 })
    );
    let gre = ethernet(0x0800, &ipv4(47, &[], &[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1]));
    assert_eq!(fault(&gre), (Layer::Gre, 34, Fault::EtherType { found: 0x22eb }));
    for packet in [tagged, gre] {
        assert!(Decoder::new().decode(&packet).unwrap_err().fault.is_not_vxlan());
    }
    let mut clear = plain();
    clear[42] = 0;
    assert_eq!(fault(&clear), (Layer::Vxlan, 42, Fault::VniFlagClear { flags: 0 }));
    assert!(!Decoder::new().decode(&clear).unwrap_err().fault.is_not_vxlan());
}

#[test]
fn fragments_are_refused_and_whole_packets_are_not() {
    let inner = udp(4789, &vxlan(&ARP));
    let v4 = |fragment| ethernet(0x0800, &ipv4_fragment(17, fragment, &[], &inner));
    let fragment = |fragment_offset, more| Fault::Fragment { fragment_offset, more };
    assert_eq!(fault(&v4(0x2000)), (Layer::Ipv4, 14, fragment(0, true)));
    assert_eq!(fault(&v4(0x0010)), (Layer::Ipv4, 14, fragment(128, false)));
    assert!(Decoder::new().decode(&v4(0xc000)).is_ok(), "DF and the reserved bit");
    let v6 = |field: [u8; 2]| {
        let header = [17, 0, field[0], field[1], 0, 0, 0, 9];
        ethernet(0x86dd, &ipv6(44, &cat(&[&header, &inner])))
    };
    assert_eq!(fault(&v6([0, 1])), (Layer::Ipv6, 14, fragment(0, true)));
    assert_eq!(fault(&v6([0x05, 0xa8])), (Layer::Ipv6, 14, fragment(0x5a8, false)));
    assert!(Decoder::new().decode(&v6([0, 0])).is_ok(), "RFC 6946");
}

#[test]
fn lengths_bound_what_is_inside() {
    // Padding behind the packet is none of its
    let mut padded = plain();
    padded.extend([0xee; 9]);
    assert_eq!(Decoder::new().decode(&padded).unwrap().inner.bytes, ARP);

    let with = |at: usize, length: u16| {
        let mut packet = plain();
        packet[at..at + 2].copy_from_slice(&length.to_be_bytes());
        packet
    };
    let (ip, udp_at) = (16, 38);
    assert_eq!(
        fault(&with(ip, 19)),
        (Layer::Ipv4, 14, Fault::Length { found: 19, least: 20, most: 65535 })
    );
    assert_eq!(
        fault(&with(ip, 27)),
        (Layer::Udp, 34, Fault::Truncated { needed: 8, available: 7 })
    );
    assert_eq!(
        fault(&with(udp_at, 7)),
        (Layer::Udp, 34, Fault::Length { found: 7, least: 8, most: 58 })
    );
    assert_eq!(
        fault(&with(udp_at, 59)),
        (Layer::Udp, 34, Fault::Length { found: 59, least: 8, most: 58 })
    );
    assert_eq!(
        fault(&with(udp_at, 15)),
        (Layer::Vxlan, 42, Fault::Truncated { needed: 8, available: 7 })
    );
    let shorter = with(udp_at, 57);
    assert_eq!(Decoder::new().decode(&shorter).unwrap().inner.bytes, &ARP[..41]);

    // BIG TCP: no lengths at all
    let mut big = with(ip, 0);
    big[udp_at..udp_at + 2].fill(0);
    let frame = Decoder::new().decode(&big).unwrap();
    assert_eq!((frame.inner.bytes, frame.inner.length, frame.udp_length()), (&ARP[..], 42, 58));

    // A jumbogram says its length in an option
    let hop_by_hop = [17, 0, 0xc2, 4, 0, 0, 0, 8 + 58];
    let mut jumbo =
        ethernet(0x86dd, &ipv6(0, &cat(&[&hop_by_hop, &udp(4789, &vxlan(&ARP)), &[0xee; 3]])));
    jumbo[18..20].fill(0);
    let at = 14 + 40 + 8 + 4;
    jumbo[at..at + 2].fill(0);
    let frame = Decoder::new().decode(&jumbo).unwrap();
    assert_eq!((frame.inner.bytes, frame.udp_length()), (&ARP[..], 58));
}

#[test]
fn checksums_are_verified_where_that_is_asked_for() {
    let zero = plain();
    let strict = Decoder::new().checksums(Checksums::Verify);
    assert_eq!(strict.decode(&zero).unwrap().udp_checksum_status(), ChecksumStatus::NotPresent);
    let mut wrong_ip = plain();
    wrong_ip[22] ^= 1;
    assert!(Decoder::new().decode(&wrong_ip).is_ok());
    let error = strict.decode(&wrong_ip).unwrap_err();
    assert_eq!((error.layer, error.fault.code()), (Layer::Ipv4, 11));

    let mut right = plain();
    let expected = {
        right[41] = 1;
        match Decoder::new().decode(&right).unwrap().udp_checksum_status() {
            ChecksumStatus::Bad { found: 1, expected } => expected,
            status => panic!("{status:?}"),
        }
    };
    assert_eq!(strict.decode(&right).unwrap_err().fault, Fault::Checksum { found: 1, expected });
    right[40..42].copy_from_slice(&expected.to_be_bytes());
    assert_eq!(strict.decode(&right).unwrap().udp_checksum_status(), ChecksumStatus::Good);
    let cut = Decoder::new().decode(&right[..80]).unwrap();
    assert_eq!(cut.udp_checksum_status(), ChecksumStatus::Unverified);

    let v6 = ethernet(0x86dd, &ipv6(17, &udp(4789, &vxlan(&ARP))));
    assert_eq!(strict.decode(&v6).unwrap_err().fault, Fault::ZeroChecksum);
    assert!(Decoder::new().checksums(Checksums::VerifyZeroOverIpv6).decode(&v6).is_ok());
    assert!(Decoder::new().decode(&v6).is_ok());
}

#[test]
fn nested_frames_are_numbered_from_the_outside_and_stop_where_vxlan_ends() {
    let mut packet = plain();
    for _ in 0..5 {
        packet = ethernet(0x0800, &ipv4(17, &[], &udp(8472, &vxlan(&packet))));
    }
    let frames: Vec<_> = Decoder::new().frames(&packet).map(Result::unwrap).collect();
    assert_eq!(frames.iter().map(|frame| frame.depth).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    for (depth, frame) in frames.iter().enumerate() {
        assert_eq!(frame.vxlan_offset, 42 + 50 * depth);
    }
    // An inner packet to a VXLAN port that is no VXLAN is worth telling
    let at = frames[5].vxlan_offset;
    packet[at] = 0;
    let frames: Vec<_> = Decoder::new().frames(&packet).collect();
    let error = frames[5].unwrap_err();
    assert_eq!((error.offset, error.fault), (at, Fault::VniFlagClear { flags: 0 }));
    assert_eq!(frames.len(), 6);
}

#[test]
fn nesting_is_followed_to_a_depth() {
    let deep = |levels: usize| {
        (1..levels).fold(plain(), |packet, _| {
            ethernet(0x0800, &ipv4(17, &[], &udp(4789, &vxlan(&packet))))
        })
    };
    let packet = deep(MAX_DEPTH);
    assert_eq!(Decoder::new().frames(&packet).flatten().count(), MAX_DEPTH);
    let packet = deep(MAX_DEPTH + 2);
    let frames: Vec<_> = Decoder::new().frames(&packet).collect();
    assert_eq!(frames.len(), MAX_DEPTH + 1);
    let error = frames[MAX_DEPTH].unwrap_err();
    assert_eq!(
        (error.offset, error.fault),
        (42 + 50 * MAX_DEPTH, Fault::TooDeep { limit: MAX_DEPTH })
    );
}

#[test]
fn later_fragments_inside_have_no_ports() {
    let ports = |fragment| {
        let frame = ethernet(0x0800, &ipv4_fragment(17, fragment, &[], &udp(53, &[1])));
        let packet = ethernet(0x0800, &ipv4(17, &[], &udp(4789, &vxlan(&frame))));
        Decoder::new().decode(&packet).unwrap().inner_headers().ports()
    };
    assert_eq!(ports(0x4000), Some((0xc001, 53)));
    assert_eq!(ports(0x2000), Some((0xc001, 53)), "the first one has");
    assert_eq!(ports(0x2001), None);
    assert_eq!(ports(0x0001), None);
}

#[test]
fn ports_say_which_packets_are_vxlan() {
    let on = |port| ethernet(0x0800, &ipv4(17, &[], &udp(port, &vxlan(&ARP))));
    let decoder = Decoder::new();
    for port in [4789, 8472, 4790] {
        assert!(decoder.decode(&on(port)).is_ok());
    }
    let only = decoder.ports(&[(6081, Device::Plain), (6081, Device::Gbp)]);
    assert!(only.decode(&on(4789)).is_err());
    assert_eq!(only.decode(&on(6081)).unwrap().device, Device::Gbp);
}

#[test]
fn every_link_type_leads_to_the_same_frame() {
    let (v4, v6) = (plain()[14..].to_vec(), ipv6(17, &udp(4789, &vxlan(&ARP))));
    let sll = |protocol: [u8; 2]| cat(&[&[0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], &protocol]);
    let sll2 = |protocol: [u8; 2]| {
        cat(&[&protocol, &[0, 0, 0, 0, 0, 7, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0]])
    };
    let none: &[u8] = &[];
    for (link, before, packet) in [
        (LinkType::RAW, none, &v4),
        (LinkType::RAW, none, &v6),
        (LinkType::RAW_12, none, &v4),
        (LinkType::RAW_14, none, &v6),
        (LinkType::IPV4, none, &v4),
        (LinkType::IPV6, none, &v6),
        (LinkType::NULL, &[2, 0, 0, 0], &v4),
        (LinkType::NULL, &[0, 0, 0, 2], &v4),
        (LinkType::NULL, &[30, 0, 0, 0], &v6),
        (LinkType::NULL, &[0, 0, 0, 24], &v6),
        (LinkType::NULL, &[28, 0, 0, 0], &v6),
        (LinkType::LOOP, &[0, 0, 0, 2], &v4),
        (LinkType::LOOP, &[0, 0, 0, 24], &v6),
        (LinkType::LINUX_SLL, &sll([8, 0]), &v4),
        (LinkType::LINUX_SLL, &sll([0x86, 0xdd]), &v6),
        (LinkType::LINUX_SLL2, &sll2([8, 0]), &v4),
        (LinkType::LINUX_SLL2, &sll2([0x86, 0xdd]), &v6),
    ] {
        let packet = cat(&[before, packet]);
        let decoder = Decoder::new().link(link);
        let frame = decoder.decode(&packet).unwrap_or_else(|error| panic!("{link}: {error}"));
        assert_eq!((frame.inner.bytes, frame.ip_offset), (&ARP[..], before.len()), "{link}");
        assert_eq!(frame.ethernet, None);
        for length in 0..packet.len() {
            crate::checks::decode(&packet[..length]);
        }
    }
    // A tag after a cooked header
    let tagged = cat(&[&sll([0x81, 0]), &[0, 5, 8, 0], &v4]);
    let frame = Decoder::new().link(LinkType::LINUX_SLL).decode(&tagged).unwrap();
    assert_eq!(frame.vlans.outermost().unwrap().id.get(), 5);

    let fault = |link, packet: &[u8]| Decoder::new().link(link).decode(packet).unwrap_err().fault;
    assert_eq!(fault(LinkType(147), &v4), Fault::LinkType { found: 147 });
    assert_eq!(fault(LinkType::NULL, &[0, 0, 0, 7]), Fault::Unsupported { found: 7 });
    assert_eq!(fault(LinkType::RAW, &[0x50]), Fault::Version { found: 5 });
    assert_eq!(fault(LinkType::LINUX_SLL, &sll([8, 6])), Fault::EtherType { found: 0x806 });
}
