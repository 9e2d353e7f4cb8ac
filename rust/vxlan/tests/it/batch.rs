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

    let gbp = plain.with_group_policy(GroupPolicy { id: 5, ..GroupPolicy::default() });
    let mut one = [[0; 8]];
    assert_eq!(encode_headers(gbp, &[1], &mut one), Ok(1));
    assert_eq!(one, [[0x88, 0, 0, 5, 0, 0, 1, 0]]);
    let too_large = encode_headers(plain, &[1, 1 << 24, 1 << 25], &mut [[0; 8]; 3]);
    assert_eq!(too_large, Err(EncodeError::Vni { vni: 1 << 24 }));
}
