//! Each header on its own: fields against the diagrams, and what is refused.

use bayplan_vxlan::*;

#[test]
fn every_field_of_a_header_stands_where_the_diagram_has_it() {
    let (tag, rest) = VlanTag::decode(&[0xb1, 0x23, 0x86, 0xdd, 0xaa], 14).unwrap();
    assert_eq!((tag.priority.get(), tag.drop_eligible, tag.id.get()), (5, true, 0x123));
    assert_eq!((tag.ether_type, rest), (EtherType::IPV6, &[0xaa][..]));

    let bytes = [
        0x46, 0xb9, 0x00, 0x2c, 0x12, 0x34, 0xe0, 0x0b, 0x3f, 0x11, 0xab, 0xcd, 1, 2, 3, 4, 5, 6,
        7, 8, 0x94, 4, 0, 0, 0x77,
    ];
    let (ip, rest) = Ipv4Header::decode(&bytes, 0).unwrap();
    assert_eq!((ip.dscp(), ip.ecn(), ip.total_length), (46, EcnCodepoint::Ect1, 44));
    assert_eq!((ip.identification, ip.fragment.offset()), (0x1234, 88));
    assert!(ip.fragment.dont_fragment() && ip.fragment.more() && ip.fragment.is_fragment());
    assert_eq!((ip.ttl, ip.protocol, ip.checksum), (63, IpProtocol::UDP, 0xabcd));
    assert_eq!(
        (ip.source.to_string(), ip.destination.to_string()),
        ("1.2.3.4".into(), "5.6.7.8".into())
    );
    assert_eq!((ip.options, rest), (&[0x94, 4, 0, 0][..], &[0x77][..]));

    let mut bytes = vec![0x6a, 0xb1, 0x23, 0x45, 0x01, 0x02, 17, 64];
    bytes.extend(1..=32);
    let (ip, _) = Ipv6Header::decode(&bytes, 0).unwrap();
    assert_eq!((ip.traffic_class, ip.flow_label.get()), (0xab, 0x12345));
    assert_eq!((ip.payload_length, ip.next_header, ip.hop_limit), (258, IpProtocol::UDP, 64));
    assert_eq!(ip.source.octets()[15], 16);
    assert_eq!(ip.destination.octets()[0], 17);

    let (gre, rest) = GreHeader::decode(
        &[0xb0, 0x00, 0x88, 0xbe, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x55],
        0,
    )
    .unwrap();
    assert_eq!(gre.checksum, Some((0x0102, 0x0304)));
    assert_eq!((gre.key, gre.sequence), (Some(0x0506_0708), Some(0x090a_0b0c)));
    assert_eq!((gre.protocol, gre.len(), rest), (EtherType::ERSPAN, 16, &[0x55][..]));

    let (erspan, _) =
        ErspanHeader::decode(&[0x1f, 0xed, 0xb7, 0xcb, 0xab, 0xc8, 0x76, 0x54], 0).unwrap();
    assert_eq!((erspan.vlan().get(), erspan.class_of_service()), (0xfed, 5));
    assert_eq!((erspan.truncated(), erspan.session(), erspan.index()), (true, 0x3cb, 0x87654));
    let erspan = ErspanHeader::new(0x3cb, VlanId::new(0xfed).unwrap()).unwrap();
    assert_eq!(erspan.to_bytes(), [0x1f, 0xed, 0x03, 0xcb, 0, 0, 0, 0]);
    assert_eq!(ErspanHeader::new(0x400, VlanId::default()), None);

    let (arp, _) = ArpPacket::decode(&crate::packets::ARP[14..], 14).unwrap();
    assert_eq!(arp.operation, ArpOperation::REQUEST);
    assert_eq!(arp.sender_mac.to_string(), "02:00:00:00:00:0a");
    assert_eq!(
        (arp.sender_ip.to_string(), arp.target_ip.to_string()),
        ("10.0.0.1".into(), "10.0.0.2".into())
    );
    assert_eq!(arp.target_mac, MacAddress::ZERO);
}

#[test]
fn vxlan_fields_are_those_of_the_rfc_and_the_drafts() {
    let header = |bytes| VxlanHeader::from_bytes(bytes);
    let vni = |number| Vni::new(number).unwrap();
    assert_eq!(VxlanHeader::new(vni(0x12_3456)).to_bytes(), [8, 0, 0, 0, 0x12, 0x34, 0x56, 0]);
    assert_eq!(VxlanHeader::new(Vni::MAX).to_bytes(), [8, 0, 0, 0, 0xff, 0xff, 0xff, 0]);
    assert_eq!(VxlanHeader::new(Vni::MAX).vni(), Vni::MAX);
    assert_eq!(Vni::new(1 << 24), None);

    // A Linux device with mark 0x00480123 sends this
    let policy = GroupPolicy::from_mark(0x0048_0123).unwrap();
    let sent = VxlanHeader::new(vni(1)).with_group_policy(policy);
    assert_eq!(sent.to_bytes(), [0x88, 0x48, 0x01, 0x23, 0, 0, 1, 0]);
    assert_eq!(sent.group_policy(), Some(policy));
    assert_eq!(policy.to_mark(), 0x0048_0123);
    assert_eq!(policy, GroupPolicy { id: 0x123, dont_learn: true, applied: true });
    assert_eq!(GroupPolicy::from_mark(0), None);
    assert_eq!(sent.with_group_policy(GroupPolicy::default()), VxlanHeader::new(vni(1)));
    assert_eq!(
        sent.with_vni(vni(0x00ab_cdef)).to_bytes(),
        [0x88, 0x48, 1, 0x23, 0xab, 0xcd, 0xef, 0]
    );

    let gpe = VxlanHeader::new(vni(2)).with_next_protocol(NextProtocol::IPV6);
    assert_eq!(gpe.to_bytes(), [0x0c, 0, 0, 2, 0, 0, 2, 0]);
    let full = header([0x3d, 0, 0, 4, 0, 0, 2, 0]).gpe();
    assert_eq!((full.version, full.next_protocol, full.oam), (3, Some(NextProtocol::NSH), true));
    assert_eq!(header([0x08, 0, 0, 4, 0, 0, 2, 0]).gpe().next_protocol, None);
}

/// What a Linux device of each kind does with each single bit set beside the I flag.
#[test]
fn linux_refuses_the_bits_that_a_device_has_no_use_for() {
    let check = |bits: u64, device| {
        let base = match device {
            Device::Gpe => 0x0c00_0003_0000_0100_u64,
            _ => 0x0800_0000_0000_0100,
        };
        let header = VxlanHeader::from_bytes((base | bits).to_be_bytes());
        assert!(header.check(device, Mode::Rfc, 42).is_ok(), "{bits:#x}: RFC 7348 ignores them");
        header.check(device, Mode::Linux, 42)
    };
    for bit in (0..64).map(|bit| 1_u64 << bit) {
        let vni = (8..32).contains(&bit.trailing_zeros()) || bit == 0x08 << 56;
        let refused = |device| {
            let result = check(bit, device);
            match (result, device) {
                (Ok(_), _) => false,
                (Err(error), Device::Plain | Device::Gbp) => {
                    let fault = Fault::ReservedBits { bits: bit };
                    assert_eq!((error.layer, error.offset, error.fault), (Layer::Vxlan, 42, fault));
                    true
                }
                (Err(_), Device::Gpe) => true,
            }
        };
        let low_three = bit & 0x00ff_ffff_0000_0000 != 0;
        assert_eq!(refused(Device::Plain), !vni, "{bit:#x}");
        assert_eq!(refused(Device::Gbp), !(vni || low_three || bit == 0x80 << 56), "{bit:#x}");
        // P is set anyway; the next protocol is 3, and 3 | 1, 2 are known while 3 | 4 and more are not
        let gpe = vni || bit == 0x04 << 56 || bit == 1 << 32 || bit == 2 << 32;
        assert_eq!(refused(Device::Gpe), !gpe, "{bit:#x}");
    }
}

#[test]
fn reserved_bits_are_those_that_no_field_of_the_device_has() {
    let all = VxlanHeader::from_bytes([0xff; 8]);
    assert_eq!(all.reserved_bits(Device::Plain), 0xf7ff_ffff_0000_00ff);
    assert_eq!(all.reserved_bits(Device::Gbp), 0x7700_0000_0000_00ff);
    assert_eq!(all.reserved_bits(Device::Gpe), 0xc2ff_ff00_0000_00ff);
}

#[test]
fn a_gpe_device_of_linux_wants_p_version_0_no_o_and_a_known_protocol() {
    let check = |bytes, mode| {
        VxlanHeader::from_bytes(bytes).check(Device::Gpe, mode, 0).map_err(|error| error.fault)
    };
    let linux = |bytes| check(bytes, Mode::Linux);
    for next in 1..=5 {
        assert_eq!(linux([0x0c, 0, 0, next, 0, 0, 1, 0]), Ok(NextProtocol(next)));
    }
    assert_eq!(linux([0x08, 0, 0, 3, 0, 0, 1, 0]), Err(Fault::NextProtocol { found: 0 }));
    assert_eq!(linux([0x0c, 0, 0, 6, 0, 0, 1, 0]), Err(Fault::NextProtocol { found: 6 }));
    assert_eq!(linux([0x1c, 0, 0, 3, 0, 0, 1, 0]), Err(Fault::Version { found: 1 }));
    assert_eq!(linux([0x0d, 0, 0, 3, 0, 0, 1, 0]), Err(Fault::ReservedBits { bits: 1 << 56 }));
    assert_eq!(check([0x08, 0, 0, 1, 0, 0, 1, 0], Mode::Rfc), Ok(NextProtocol::ETHERNET));
    assert_eq!(check([0x3d, 0, 0, 9, 0, 0, 1, 9], Mode::Rfc), Ok(NextProtocol(9)));
    for mode in [Mode::Rfc, Mode::Linux] {
        let clear = Err(Fault::VniFlagClear { flags: 0xf7 });
        assert_eq!(check([0xf7, 0, 0, 3, 0, 0, 1, 0], mode), clear);
    }
}

#[test]
fn headers_that_contradict_themselves_are_refused() {
    let fault = |error: DecodeError| error.fault;
    let ipv4 = |first: u8| Ipv4Header::decode(&[first; 20], 0).map(|_| ()).map_err(fault);
    assert_eq!(ipv4(0x55), Err(Fault::Version { found: 5 }));
    assert_eq!(ipv4(0x44), Err(Fault::Length { found: 16, least: 20, most: 60 }));
    assert_eq!(ipv4(0x46), Err(Fault::Truncated { needed: 24, available: 20 }));
    assert_eq!(Ipv6Header::decode(&[0x45; 40], 0).map_err(fault), Err(Fault::Version { found: 4 }));
    assert_eq!(
        GreHeader::decode(&[0, 1, 0, 0], 0).map_err(fault),
        Err(Fault::Version { found: 1 })
    );
    let routed = GreHeader::decode(&[0x40, 0, 0, 0], 0).map_err(fault);
    assert_eq!(routed, Err(Fault::Unsupported { found: 0x4000 }));
    let cut = GreHeader::decode(&[0xb0, 0, 0, 0, 1, 2, 3, 4, 5], 7);
    let needed = Fault::Truncated { needed: 16, available: 9 };
    assert_eq!(cut, Err(DecodeError { layer: Layer::Gre, offset: 7, fault: needed }));
    assert_eq!(
        ErspanHeader::decode(&[0x20; 8], 0).map_err(fault),
        Err(Fault::Version { found: 2 })
    );
    let mut infiniband = [0; 28];
    infiniband[1] = 32;
    assert_eq!(
        ArpPacket::decode(&infiniband, 0).map_err(fault),
        Err(Fault::Unsupported { found: 0x0020_0000 })
    );
    let no_extension = Ipv6Extension::decode(IpProtocol::UDP, &[0; 8], 0).map_err(fault);
    assert_eq!(no_extension, Err(Fault::Unsupported { found: 17 }));
}

#[test]
fn headers_that_cannot_be_written_say_so() {
    let (header, _) = Ipv4Header::decode(&[0x45; 20], 0).unwrap();
    let with = |options| Ipv4Header { options, ..header }.encode(&mut [0; 64]);
    let layer = Layer::Ipv4;
    assert_eq!(with(&[0; 44]), Err(EncodeError::TooLong { layer, length: 44, limit: 40 }));
    assert_eq!(with(&[0; 6]), Err(EncodeError::Unaligned { layer, length: 6, unit: 4 }));
    assert_eq!(with(&[0; 40]), Ok(60));
    let short = header.encode(&mut [0; 19]);
    assert_eq!(short, Err(EncodeError::BufferTooShort { needed: 20, available: 19 }));
}

#[test]
fn extension_headers_are_followed_to_what_they_carry() {
    // hop-by-hop with padding, routing of 24 bytes, authentication of 24 bytes, destination options
    let mut bytes = vec![43, 0, 1, 4, 0, 0, 0, 0];
    bytes.extend([51, 2].into_iter().chain([9; 22]));
    bytes.extend([60, 4].into_iter().chain([8; 22]));
    bytes.extend([17, 0, 1, 4, 0, 0, 0, 0, 0xee]);
    let (extensions, protocol, rest) =
        Ipv6Extensions::decode(IpProtocol::HOP_BY_HOP, &bytes, 0).unwrap();
    assert_eq!((protocol, rest), (IpProtocol::UDP, &[0xee][..]));
    let lengths: Vec<_> =
        extensions.iter().map(|header| (header.protocol.0, header.len())).collect();
    assert_eq!(lengths, [(0, 8), (43, 24), (51, 24), (60, 8)]);
    assert_eq!(extensions.fragment(), None);
    assert_eq!(extensions.jumbo_payload_length(), None);

    let jumbo = [17, 0, 0xc2, 4, 0, 1, 0x38, 0xc2];
    let (extensions, ..) = Ipv6Extensions::decode(IpProtocol::HOP_BY_HOP, &jumbo, 0).unwrap();
    assert_eq!(extensions.jumbo_payload_length(), Some(80_066));

    // The second fragment: what follows is payload, even where it looks like a header
    let later = [60, 0xff, 0x05, 0xa9, 1, 2, 3, 4, 17, 0, 0, 0];
    let (extensions, protocol, rest) =
        Ipv6Extensions::decode(IpProtocol::FRAGMENT, &later, 0).unwrap();
    assert_eq!((protocol, rest.len()), (IpProtocol::DESTINATION_OPTIONS, 4));
    assert_eq!(extensions.fragment(), Some(Ipv6Fragment { offset: 0x5a8, more: true }));
    let atomic = [17, 0, 0, 0, 1, 2, 3, 4];
    let (extensions, ..) = Ipv6Extensions::decode(IpProtocol::FRAGMENT, &atomic, 0).unwrap();
    assert_eq!(extensions.fragment(), None);
}

#[test]
fn checksums_are_those_of_the_rfcs() {
    // RFC 1071 section 3, also where parts are added one by one and the last is odd
    let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
    assert_eq!(Checksum::new().add_bytes(&bytes).fold(), 0xddf2);
    for cut in [0, 2, 4, 6, 8] {
        let sum = Checksum::new().add_bytes(&bytes[cut..]).add_bytes(&bytes[..cut]);
        assert_eq!(sum.fold(), 0xddf2);
    }
    assert_eq!(Checksum::new().add_bytes(&[0x12, 0x34, 0x56]).fold(), 0x1234 + 0x5600);
    assert_eq!(Checksum::new().add_u32(0xffff_0001).fold(), 1);
    // RFC 1624 section 4: a header whose words sum to 0x0000 with checksum 0xdd2f and field 0x5555
    let sum = Checksum::new().add_u16(!0xdd2f).add_u16(!0x5555).add_u16(0x3285);
    assert_eq!(sum.finish(), 0x0000);
    // A computed zero goes as 0xffff
    assert_eq!(Checksum::new().add_u16(0xffff).finish(), 0);
    assert_eq!(Checksum::new().add_u16(0xffff).finish_udp(), 0xffff);
    assert_eq!(Checksum::new().add_u16(0x1234).finish_udp(), !0x1234);
    // Long enough for carries to pile up
    let words = |bytes: &[u8]| {
        let sum = bytes
            .chunks(2)
            .map(|pair| u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0)));
        let sum: u64 = sum.sum();
        let once = (sum & 0xffff) + (sum >> 16);
        u16::try_from((once & 0xffff) + (once >> 16)).unwrap()
    };
    for length in [0, 1, 7, 1500, 65_535] {
        assert_eq!(
            Checksum::new().add_bytes(&vec![0xff; length]).fold(),
            words(&vec![0xff; length])
        );
        let mixed: Vec<u8> = (0..length).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect();
        assert_eq!(Checksum::new().add_bytes(&mixed).fold(), words(&mixed), "{length}");
    }
}

#[test]
fn addresses_are_read_and_written_as_people_do() {
    let mac: MacAddress = "0A-1b-2c-3d-4e-5f".parse().unwrap();
    assert_eq!(mac.to_string(), "0a:1b:2c:3d:4e:5f");
    assert_eq!(mac.to_string().parse(), Ok(mac));
    assert!(mac.is_local() && !mac.is_multicast() && MacAddress::BROADCAST.is_multicast());
    for bad in
        ["", "0a:1b:2c:3d:4e", "0a:1b:2c:3d:4e:5f:60", "0a:1b:2c:3d:4e:+f", "a:1b:2c:3d:4e:5f"]
    {
        assert_eq!(bad.parse::<MacAddress>(), Err(MacAddressError), "{bad}");
    }
    assert_eq!((VlanId::new(4096), Priority::new(8), FlowLabel::new(1 << 20)), (None, None, None));
}

#[test]
fn every_kind_of_fault_has_a_code_and_a_name() {
    let faults = [
        Fault::Truncated { needed: 1, available: 0 },
        Fault::Version { found: 5 },
        Fault::Length { found: 1, least: 2, most: 3 },
        Fault::EtherType { found: 0 },
        Fault::Protocol { found: 6 },
        Fault::Port { found: 53 },
        Fault::Fragment { fragment_offset: 0, more: true },
        Fault::VniFlagClear { flags: 0 },
        Fault::ReservedBits { bits: 1 },
        Fault::NextProtocol { found: 0 },
        Fault::Checksum { found: 0, expected: 1 },
        Fault::ZeroChecksum,
        Fault::LinkType { found: 147 },
        Fault::Unsupported { found: 0 },
        Fault::OutOfBuffer { end: 1, available: 0 },
        Fault::TooDeep { limit: 64 },
    ];
    let codes: Vec<u8> = faults.iter().map(Fault::code).collect();
    assert_eq!(codes, (1..=16).collect::<Vec<u8>>());
    assert_eq!(FAULT_NAMES.len(), faults.len() + 1);
    for fault in faults {
        let text = fault.to_string();
        assert!(!text.ends_with('.') && !text.starts_with(char::is_uppercase), "{text}");
        // Names follow the variants
        let variant = format!("{fault:?}").to_lowercase();
        let name = FAULT_NAMES[usize::from(fault.code())].replace('_', "");
        assert!(variant.starts_with(&name), "{variant} {name}");
    }
    for (number, layer) in Layer::ALL.iter().enumerate() {
        assert_eq!(usize::from(layer.number()), number);
    }
}
