//! Packets to take apart: one of each stack, put together by hand from the diagrams in the RFCs.

use std::net::{IpAddr, Ipv4Addr};

use bayplan_vxlan::{
    Checksum, Encap, EtherType, MacAddress, Outer, OuterTag, Priority, VlanId, Vni,
};

/// The inner frame: ARP, who has 10.0.0.2, tell 10.0.0.1.
pub(crate) const ARP: [u8; 42] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0, 0x0a, 0x08, 0x06, //
    0, 1, 8, 0, 6, 4, 0, 1, 0x02, 0, 0, 0, 0, 0x0a, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2,
];

pub(crate) const ETHERNET: [u8; 12] = [0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1];

pub(crate) fn cat(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

pub(crate) fn ethernet(ether_type: u16, rest: &[u8]) -> Vec<u8> {
    cat(&[&ETHERNET, &ether_type.to_be_bytes(), rest])
}

/// 192.0.2.1 → 192.0.2.2.
pub(crate) fn ipv4(protocol: u8, options: &[u8], rest: &[u8]) -> Vec<u8> {
    ipv4_fragment(protocol, 0, options, rest)
}

pub(crate) fn ipv4_fragment(protocol: u8, fragment: u16, options: &[u8], rest: &[u8]) -> Vec<u8> {
    let header = 20 + options.len();
    let version = 0x40 | u8::try_from(header / 4).unwrap();
    let length = u16::try_from(header + rest.len()).unwrap().to_be_bytes();
    let fragment = fragment.to_be_bytes();
    let mut ip = cat(&[
        &[version, 0, length[0], length[1], 0x12, 0x34, fragment[0], fragment[1]],
        &[64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2],
        options,
    ]);
    let sum = Checksum::new().add_bytes(&ip).finish().to_be_bytes();
    ip[10..12].copy_from_slice(&sum);
    cat(&[&ip, rest])
}

/// `2001:db8::1` → `2001:db8::2`.
pub(crate) fn ipv6(next_header: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    let mut ip = vec![0x6b, 0x8a, 0xbc, 0xde, length[0], length[1], next_header, 63];
    for last in [1, 2] {
        ip.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    cat(&[&ip, rest])
}

pub(crate) fn udp(port: u16, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + rest.len()).unwrap();
    cat(&[&[0xc0, 0x01], &port.to_be_bytes(), &length.to_be_bytes(), &[0, 0], rest])
}

pub(crate) fn vxlan(rest: &[u8]) -> Vec<u8> {
    cat(&[&[0x08, 0, 0, 0, 0, 0x12, 0x34, 0], rest])
}

pub(crate) fn plain() -> Vec<u8> {
    ethernet(0x0800, &ipv4(17, &[], &udp(4789, &vxlan(&ARP))))
}

/// A packet of each stack, with the name of it, and how many VXLAN headers it has.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>, usize)> {
    let inner = udp(4789, &vxlan(&ARP));
    let gpe = cat(&[&[0x0c, 0, 0, 1, 0, 0, 9, 0], &ipv4(1, &[], &[8, 0, 0, 0, 0, 0, 0, 0])]);
    let gbp = cat(&[&[0x88, 0x48, 0x01, 0x23, 0, 0, 7, 0], &ARP]);
    let erspan = [0x10, 0x64, 0x00, 0x07, 0, 0, 0, 5];
    let mirrored = ethernet(0x0800, &ipv4(17, &[], &inner));
    let hop_by_hop = [60, 0, 1, 4, 0, 0, 0, 0];
    let destination = [17, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let nested = udp(8472, &vxlan(&plain()));
    vec![
        ("plain", plain(), 1),
        ("ipv6", ethernet(0x86dd, &ipv6(17, &inner)), 1),
        ("vlan", ethernet(0x8100, &cat(&[&[0x60, 5, 8, 0], &ipv4(17, &[], &inner)])), 1),
        (
            "qinq",
            ethernet(
                0x88a8,
                &cat(&[&[0xb0, 9, 0x81, 0, 0x0f, 0xff, 0x86, 0xdd], &ipv6(17, &inner)]),
            ),
            1,
        ),
        ("options", ethernet(0x0800, &ipv4(17, &[0x94, 4, 0, 0, 1, 1, 1, 0], &inner)), 1),
        ("extensions", ethernet(0x86dd, &ipv6(0, &cat(&[&hop_by_hop, &destination, &inner]))), 1),
        ("gbp", ethernet(0x0800, &ipv4(17, &[], &udp(4789, &gbp))), 1),
        ("gpe", ethernet(0x0800, &ipv4(17, &[], &udp(4790, &gpe))), 1),
        ("gre", ethernet(0x0800, &ipv4(47, &[], &cat(&[&[0, 0, 0x65, 0x58], &mirrored]))), 1),
        (
            "gre with all fields",
            ethernet(
                0x86dd,
                &ipv6(
                    47,
                    &cat(&[
                        &[0xb0, 0, 0x08, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
                        &ipv4(17, &[], &inner),
                    ]),
                ),
            ),
            1,
        ),
        (
            "erspan",
            ethernet(
                0x0800,
                &ipv4(47, &[], &cat(&[&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1], &erspan, &mirrored])),
            ),
            1,
        ),
        ("erspan I", ethernet(0x0800, &ipv4(47, &[], &cat(&[&[0, 0, 0x88, 0xbe], &mirrored]))), 1),
        ("nested", ethernet(0x86dd, &ipv6(17, &nested)), 2),
    ]
}

/// Inner frames of each kind that a batch reads or hashes in a way of its own, and neighbours of them.
pub(crate) fn inner_frames() -> Vec<Vec<u8>> {
    let tagged = |tag: u16, ether_type: u16, rest: &[u8]| {
        ethernet(tag, &cat(&[&[0x60, 5], &ether_type.to_be_bytes(), rest]))
    };
    let tcp = [0x01, 0xbb, 0xd4, 0x31, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 0, 9, 0, 0, 0, 0];
    let padded = |frame: Vec<u8>| cat(&[&frame, &[0; 18]]);
    let mut zero_length = ethernet(0x0800, &ipv4(6, &[], &tcp));
    zero_length[16..18].fill(0);
    let mut zero_length_v6 = ethernet(0x86dd, &ipv6(6, &tcp));
    zero_length_v6[18..20].fill(0);
    let mut marked = ethernet(0x0800, &ipv4_fragment(6, 0x4000, &[], &tcp));
    (marked[15], marked[22]) = (0xbb, 7);
    let mut marked_v6 = ethernet(0x86dd, &ipv6(132, &tcp));
    (marked_v6[14], marked_v6[15], marked_v6[21]) = (0x6b, 0xb0, 7);
    vec![
        ARP.to_vec(),
        ethernet(0x0800, &ipv4(6, &[], &tcp)),
        padded(ethernet(0x0800, &ipv4(17, &[], &udp(53, &[])))),
        ethernet(0x86dd, &ipv6(6, &tcp)),
        ethernet(0x86dd, &ipv6(17, &udp(53, &[1, 2, 3]))),
        ethernet(0x0800, &ipv4(1, &[], &[8, 0, 0, 0, 0, 1, 0, 1])),
        marked,
        marked_v6,
        tagged(0x8100, 0x0800, &ipv4(6, &[], &tcp)),
        tagged(0x88a8, 0x86dd, &ipv6(6, &tcp)),
        tagged(0x8100, 0x0806, &ARP),
        tagged(0x88a8, 0x8100, &cat(&[&[0, 7, 8, 0], &ipv4(6, &[], &tcp)])),
        ethernet(0x0800, &ipv4_fragment(17, 0x2000, &[], &udp(53, &[0; 8]))),
        ethernet(0x0800, &ipv4_fragment(17, 0x0002, &[], &udp(53, &[0; 8]))),
        ethernet(0x0800, &ipv4(6, &[1, 1, 1, 0], &tcp)),
        ethernet(0x86dd, &ipv6(0, &cat(&[&[6, 0, 1, 4, 0, 0, 0, 0], &tcp]))),
        // ports that lie behind the end that IP has
        cat(&[&ethernet(0x0800, &ipv4(17, &[], &[1, 2])), &[3, 4, 5, 6]]),
        zero_length,
        zero_length_v6,
        ethernet(0x0800, &[0x45, 0, 0]),
        ethernet(0x0042, &[0x42, 0x42, 3]),
        ETHERNET.to_vec(),
        vec![],
    ]
}

/// Each inner frame in each plain stack, with and without checksums.
pub(crate) fn usual() -> Vec<Vec<u8>> {
    let mut packets = vec![];
    for inner in inner_frames() {
        for (v6, tagged, checksum) in [
            (false, false, false),
            (false, false, true),
            (true, false, true),
            (false, true, false),
            (true, true, false),
        ] {
            let address = |last| -> IpAddr {
                let v4 = Ipv4Addr::new(192, 0, 2, last);
                if v6 { v4.to_ipv6_mapped().into() } else { v4.into() }
            };
            let mut outer = Outer::new(address(1), address(2), Vni::new(0x1234).unwrap());
            outer.udp_checksum = checksum;
            outer.ethernet = Some((MacAddress::BROADCAST, MacAddress::ZERO));
            let tag = OuterTag {
                ether_type: EtherType::VLAN,
                priority: Priority::default(),
                drop_eligible: false,
                id: VlanId::MAX,
            };
            outer.tags.extend(tagged.then_some(tag));
            let encap = Encap::new(outer).unwrap();
            let mut packet = vec![0; encap.encoded_len(inner.len())];
            encap.encode(&inner, &mut packet).unwrap();
            packets.push(packet);
        }
    }
    packets
}
