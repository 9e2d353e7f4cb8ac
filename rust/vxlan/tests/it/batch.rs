//! Batches: columns in, columns out.

use bayplan_vxlan::batch::*;
use bayplan_vxlan::*;

use crate::packets::{self, ARP, plain};

fn encap(v6: bool) -> Encap {
    let (source, destination) =
        if v6 { ("2001:db8::1", "2001:db8::2") } else { ("192.0.2.1", "192.0.2.2") };
    let outer = Outer {
        ethernet: Some((MacAddress::ZERO, MacAddress::BROADCAST)),
        identification: 0xfffe,
        ..Outer::new(source.parse().unwrap(), destination.parse().unwrap(), Vni::new(7).unwrap())
    };
    Encap::new(outer).unwrap()
}

#[test]
fn every_stack_reads_in_a_batch_as_alone() {
    let mut buffer = Vec::new();
    let mut offsets = vec![0];
    let all = packets::all().into_iter().map(|(_, packet, _)| packet);
    for packet in all.chain(packets::usual()) {
        buffer.extend(packet);
        offsets.push(u64::try_from(buffer.len()).unwrap());
    }
    crate::checks::batch_agrees(&buffer, Spans::Offsets(&offsets));
}

/// Every bit up to the inner ports turned, in turn, and every cut.
#[test]
fn every_damage_of_a_usual_packet_reads_in_a_batch_as_alone() {
    for packet in packets::usual() {
        let length = u64::try_from(packet.len()).unwrap();
        let turned: Vec<u8> = (0..packet.len() * 8)
            .flat_map(|bit| {
                let mut packet = packet.clone();
                packet[bit / 8] ^= 1 << (bit % 8);
                packet
            })
            .collect();
        let even = Spans::Even { length, count: packet.len() * 8 };
        crate::checks::batch_agrees(&turned, even);
        let lengths: Vec<u64> = (0..=length + 1).collect();
        let offsets = vec![0; lengths.len()];
        crate::checks::batch_agrees(
            &packet,
            Spans::Ranges { offsets: &offsets, lengths: &lengths },
        );
    }
}

#[test]
fn packets_outside_the_buffer_are_refused_one_by_one() {
    let buffer = plain();
    let n = u64::try_from(buffer.len()).unwrap();
    let offsets = [0, 1, n, u64::MAX, 0];
    let lengths = [n, n, 1, 2, n];
    let spans = Spans::Ranges { offsets: &offsets, lengths: &lengths };
    let (mut code, mut vni) = ([9; 5], [9; 5]);
    let mut columns = Columns { code: &mut code, vni: &mut vni, ..Columns::default() };
    let decoded = decode_batch(&Decoder::new(), &buffer, spans, &mut columns);
    assert_eq!(decoded, Decoded { packets: 5, frames: 2, not_vxlan: 0 });
    assert_eq!((code, vni), ([0, 15, 15, 15, 0], [0x1234, 0, 0, 0, 0x1234]));
    // Offsets that go back
    let spans = Spans::Offsets(&[n, 0]);
    assert_eq!((spans.len(), spans.get(&buffer, 0)), (1, None));
    assert_eq!(Spans::Offsets(&[]).len(), 0);
    let spans = Spans::Even { length: u64::MAX, count: 2 };
    assert_eq!(spans.range(1), Some((u64::MAX, u64::MAX)));
    // A column of another length gets what fits
    let mut short = [9; 2];
    let mut columns = Columns { code: &mut short, ..Columns::default() };
    decode_batch(&Decoder::new(), &buffer, Spans::Even { length: 1, count: 4 }, &mut columns);
    assert_eq!(short, [1, 1]);
}

#[test]
fn a_batch_of_frames_is_written_as_one_by_one() {
    let inner = [&ARP[..], &[0x5a; 60], &plain()].concat();
    let spans = Spans::Offsets(&[0, 42, 102, 194]);
    for v6 in [false, true] {
        let encap = encap(v6);
        let addresses: Vec<[u8; 16]> = (1..=3)
            .map(|last| {
                let v4 = std::net::Ipv4Addr::new(198, 51, 100, last).to_ipv6_mapped().octets();
                if v6 { [last; 16] } else { v4 }
            })
            .collect();
        let mut batch = EncodeBatch::new(&inner, spans);
        for varied in [false, true] {
            if varied {
                batch.vni = &[1, 0, 0xff_ffff];
                batch.destination = &addresses;
                batch.destination_mac = &[[1; 6], [2; 6], [3; 6]];
                batch.source_port = &[1, 2, 3];
            }
            let needed = batch.encoded_len(&encap).unwrap();
            assert_eq!(needed, inner.len() + 3 * encap.header_len());
            let (mut out, mut offsets) = (vec![0xa5; needed], vec![0; 4]);
            assert_eq!(encode_batch(&encap, &batch, &mut out, &mut offsets), Ok(needed));
            for row in 0..3 {
                let destination = std::net::Ipv6Addr::from(addresses[row]);
                let alone = PerPacket {
                    vni: varied.then(|| Vni::new(batch.vni[row]).unwrap()),
                    destination: varied.then(|| destination.to_canonical()),
                    destination_mac: varied.then(|| batch.destination_mac[row].into()),
                    source_port: varied.then(|| batch.source_port[row]),
                    identification: Some([0xfffe, 0xffff, 0][row]),
                    ..PerPacket::default()
                };
                let frame = spans.get(&inner, row).unwrap();
                let mut expected = vec![0; encap.encoded_len(frame.len())];
                encap.encode_with(&alone, frame, &mut expected).unwrap();
                assert_eq!(Spans::Offsets(&offsets).get(&out, row).unwrap(), expected);
            }
        }
    }
}

/// Every inner frame under every policy, with and without columns, over either version of IP.
#[test]
fn a_batch_is_written_as_one_by_one_whatever_is_asked() {
    let frames: Vec<_> = packets::inner_frames()
        .into_iter()
        .chain([vec![7; 300], vec![8; 256], vec![9; 32]])
        .collect();
    let inner = frames.concat();
    let mut starts = vec![0_u64];
    for frame in &frames {
        starts.push(starts.last().unwrap() + u64::try_from(frame.len()).unwrap());
    }
    let n = u32::try_from(frames.len()).unwrap();
    let tag = |id| OuterTag {
        ether_type: EtherType::QINQ,
        priority: Priority::new(5).unwrap(),
        drop_eligible: true,
        id: VlanId::new(id).unwrap(),
    };
    let gpe = |next| VxlanHeader::new(Vni::MAX).with_next_protocol(next);
    for bits in 0..1 << 10 {
        let on = |bit: u32| bits >> bit & 1 == 1;
        let (v6, multicast) = (on(0), on(1));
        let address = |last: u8| -> std::net::IpAddr {
            match (v6, multicast) {
                (false, false) => [192, 0, 2, last].into(),
                (false, true) => [239, 0, 2, last].into(),
                (true, false) => [0x2001, 0xdb8, 0xfffe, 0xffff, 3, 2, 1, u16::from(last)].into(),
                (true, true) => [0xff02, 0, 0, 0, 0, 0, 0, u16::from(last)].into(),
            }
        };
        let outer = Outer {
            ethernet: on(2).then_some((MacAddress::new([2; 6]), MacAddress::new([4; 6]))),
            tags: [vec![], vec![tag(1)], vec![tag(1), tag(2)], vec![]][bits >> 3 & 3].clone(),
            source_port: if on(5) {
                SourcePort::Fixed(9)
            } else {
                SourcePort::Flow { range: PortRange::LINUX, seed: 5 }
            },
            vxlan: match bits >> 3 & 3 {
                0 => VxlanHeader::new(Vni::MAX),
                1 => VxlanHeader::from_bytes([0xff; 8]),
                2 => gpe(NextProtocol::IPV4),
                _ => gpe(NextProtocol::ETHERNET),
            },
            ttl: [Ttl::Default, Ttl::Inherit, Ttl::Fixed(3), Ttl::Default][bits >> 6 & 3],
            dscp: if on(6) { Dscp::Inherit } else { Dscp::Fixed(0xb9) },
            ecn: if on(7) { Ecn::Linux } else { Ecn::Rfc6040 },
            dont_fragment: [DontFragment::Inherit, DontFragment::Set, DontFragment::Clear]
                [bits % 3],
            identification: 0xfffe,
            flow_label: FlowLabel::MAX,
            udp_checksum: on(8),
            ..Outer::new(address(1), address(2), Vni::default())
        };
        let encap = Encap::new(outer).unwrap();
        let vni: Vec<u32> = (0..n).map(|row| (row * 0x0001_2345) & 0x00ff_ffff).collect();
        let octets = |address: std::net::IpAddr| match address {
            std::net::IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            std::net::IpAddr::V6(address) => address.octets(),
        };
        let macs: Vec<[u8; 6]> =
            (0..frames.len()).map(|row| [u8::try_from(row).unwrap(); 6]).collect();
        let (source, destination): (Vec<_>, Vec<_>) = (1..=frames.len())
            .map(|row| {
                let row = u8::try_from(row).unwrap();
                (octets(address(100 + row)), octets(address(200 - row)))
            })
            .unzip();
        let source_port: Vec<u16> = (0..u16::try_from(n).unwrap()).map(|row| !row).collect();
        let mut batch = EncodeBatch::new(&inner, Spans::Offsets(&starts));
        if on(9) {
            batch = EncodeBatch {
                vni: &vni,
                source: &source,
                destination: &destination,
                source_mac: &macs[..],
                destination_mac: &macs[..],
                source_port: if on(1) { &[] } else { &source_port },
                ..batch
            };
        }
        let needed = batch.encoded_len(&encap).unwrap();
        let (mut out, mut offsets) = (vec![0xa5; needed + 1], vec![0; frames.len() + 1]);
        assert_eq!(encode_batch(&encap, &batch, &mut out, &mut offsets), Ok(needed));
        assert_eq!(out[needed], 0xa5);
        for (row, frame) in frames.iter().enumerate() {
            let ip = |column: &[[u8; 16]]| -> Option<std::net::IpAddr> {
                let address = std::net::Ipv6Addr::from(*column.get(row)?);
                Some(if v6 { address.into() } else { address.to_canonical() })
            };
            let alone = PerPacket {
                vni: batch.vni.get(row).map(|vni| Vni::new(*vni).unwrap()),
                source: ip(batch.source),
                destination: ip(batch.destination),
                source_mac: batch.source_mac.get(row).map(|mac| (*mac).into()),
                destination_mac: batch.destination_mac.get(row).map(|mac| (*mac).into()),
                source_port: batch.source_port.get(row).copied(),
                identification: Some(0xfffe_u16.wrapping_add(u16::try_from(row).unwrap())),
            };
            let mut expected = vec![0; encap.encoded_len(frame.len())];
            encap.encode_with(&alone, frame, &mut expected).unwrap();
            let found = Spans::Offsets(&offsets).get(&out, row).unwrap();
            assert_eq!(found, expected, "row {row} of {bits:#b}");
        }
    }
}

#[test]
fn a_frame_too_long_for_its_length_fields_is_refused_in_a_batch() {
    for (v6, most) in [(false, 65_535 - 36), (true, 65_535 - 16)] {
        let inner = vec![0x5a; most + 1];
        let (mut out, mut offsets) = (vec![0; most + 100], [0; 2]);
        let mut encode = |length: usize| {
            let spans = Spans::Even { length: u64::try_from(length).unwrap(), count: 1 };
            encode_batch(&encap(v6), &EncodeBatch::new(&inner, spans), &mut out, &mut offsets)
        };
        assert_eq!(encode(most), Ok(most + encap(v6).header_len()));
        let too_long = EncodeError::TooLong {
            layer: if v6 { Layer::Udp } else { Layer::Ipv4 },
            length: 65_536,
            limit: 65_535,
        };
        assert_eq!(encode(most + 1), Err(EncodeBatchError::Frame { row: 0, error: too_long }));
    }
}

#[test]
fn a_batch_that_cannot_be_written_says_where() {
    let encap = encap(false);
    let inner = [0; 100];
    let spans = Spans::Even { length: 50, count: 2 };
    let batch = EncodeBatch::new(&inner, spans);
    let (mut out, mut offsets) = ([0xa5; 200], [9; 3]);
    let mut encode = |batch: &EncodeBatch<'_>, length: usize, rows: usize| {
        encode_batch(&encap, batch, &mut out[..length], &mut offsets[..rows]).unwrap_err()
    };
    let short = EncodeBatchError::OutTooShort { column: "out", needed: 200, available: 199 };
    assert_eq!(encode(&batch, 199, 3), short);
    let short = EncodeBatchError::OutTooShort { column: "offsets", needed: 3, available: 2 };
    assert_eq!(encode(&batch, 200, 2), short);
    let outside = EncodeBatch { spans: Spans::Even { length: 50, count: 3 }, ..batch };
    let error = EncodeBatchError::OutOfBuffer { row: 2, end: 150, available: 100 };
    assert_eq!(encode(&outside, 200, 3), error);
    let uneven = EncodeBatch { vni: &[1], ..batch };
    let error = EncodeBatchError::ColumnLength { column: "vni", found: 1, frames: 2 };
    assert_eq!(encode(&uneven, 200, 3), error);
    let back = EncodeBatch { spans: Spans::Offsets(&[50, 0, 100]), ..batch };
    let error = EncodeBatchError::OutOfBuffer { row: 0, end: u64::MAX, available: 100 };
    assert_eq!(encode(&back, 200, 3), error);
    let vni = EncodeBatch { vni: &[1, 1 << 24], ..batch };
    let error = EncodeBatchError::Frame { row: 1, error: EncodeError::Vni { vni: 1 << 24 } };
    assert_eq!(encode(&vni, 200, 3), error);
    let family = EncodeBatch { source: &[[9; 16]; 2], ..batch };
    let error = EncodeBatchError::Frame { row: 0, error: EncodeError::MixedFamilies };
    assert_eq!(encode(&family, 200, 3), error);
}

#[test]
fn headers_alone_are_written_and_read() {
    let vnis: Vec<u32> = (0..1000).map(|n| n * 16_777).collect();
    let mut headers = vec![[0xa5; 8]; 1000];
    let plain = VxlanHeader::new(Vni::MAX);
    assert_eq!(encode_headers(plain, &vnis, &mut headers), Ok(1000));
    for (vni, header) in vnis.iter().zip(&headers) {
        assert_eq!(VxlanHeader::new(Vni::new(*vni).unwrap()).to_bytes(), *header);
    }
    headers[3][0] = 0;
    headers[5][7] = 1;
    let (mut vni, mut flags, mut code) = (vec![9; 1000], vec![9; 1000], vec![9; 1000]);
    let mut decode = |mode| {
        let refused =
            decode_headers(&headers, Device::Plain, mode, &mut vni, &mut flags, &mut code);
        assert_eq!(vni, vnis);
        assert_eq!((flags[3], flags[5]), (0, 8));
        (refused, code[3], code[4], code[5])
    };
    assert_eq!(decode(Mode::Linux), (2, 8, 0, 9));
    assert_eq!(decode(Mode::Rfc), (1, 8, 0, 0));
    assert_eq!(decode_headers(&headers, Device::Plain, Mode::Rfc, &mut [], &mut [], &mut []), 1);

    // Every bit of a header, for every kind of device, on both sides of the end of a block
    let mut headers =
        vec![VxlanHeader::new(Vni::MAX).with_next_protocol(NextProtocol::IPV6).to_bytes(); 3000];
    for (row, header) in headers.iter_mut().enumerate().filter(|(row, _)| row % 1024 > 100) {
        header[row % 8] ^= 1 << (row / 8 % 8);
    }
    for device in [Device::Plain, Device::Gbp, Device::Gpe] {
        for mode in [Mode::Rfc, Mode::Linux] {
            let [mut flags, mut code] = [vec![9; 3000], vec![9; 2999]];
            let mut vni = vec![9; 3000];
            let refused = decode_headers(&headers, device, mode, &mut vni, &mut flags, &mut code);
            let check = |header: &[u8; 8]| {
                let header = VxlanHeader::from_bytes(*header);
                header.check(device, mode, 0).map_or_else(|error| error.fault.code(), |_| 0)
            };
            let codes: Vec<u8> = headers.iter().map(check).collect();
            assert_eq!(refused, codes.iter().filter(|code| **code != 0).count());
            assert_eq!(code, codes[..2999]);
            for (row, header) in headers.iter().enumerate() {
                let header = VxlanHeader::from_bytes(*header);
                assert_eq!((vni[row], flags[row]), (header.vni().get(), header.flags()));
            }
        }
    }

    let gbp = plain.with_group_policy(GroupPolicy { id: 5, ..GroupPolicy::default() });
    let mut one = [[0; 8]];
    assert_eq!(encode_headers(gbp, &[1], &mut one), Ok(1));
    assert_eq!(one, [[0x88, 0, 0, 5, 0, 0, 1, 0]]);
    let too_large = encode_headers(plain, &[1, 1 << 24, 1 << 25], &mut [[0; 8]; 3]);
    assert_eq!(too_large, Err(EncodeError::Vni { vni: 1 << 24 }));
}
