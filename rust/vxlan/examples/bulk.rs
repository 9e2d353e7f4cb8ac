//! The bulk functions over the input of `benches/vxlan/bulk.c`, for `benches/vxlan/bench.py` to time: each line of standard input says how
//! many times; the answer is nanoseconds, and a digest of the output the first time.
#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark: it has a clock, and input of its own"
)]

use std::io::{BufRead, Write};
use std::time::Instant;

use bayplan_vxlan::batch::{
    Columns, EncodeBatch, Spans, decode_batch, decode_headers, encode_batch, encode_headers,
};
use bayplan_vxlan::{Decoder, Device, Encap, MacAddress, Mode, Outer, Vni, VxlanHeader};

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

struct Digest(u64);

impl Digest {
    fn bytes(mut self, bytes: impl IntoIterator<Item = u8>) -> Self {
        let bytes: Vec<u8> = bytes.into_iter().collect();
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.0 = (self.0 ^ u64::from_le_bytes(*word)).wrapping_mul(MULTIPLIER);
            self.0 ^= self.0 >> 29;
        }
        for byte in rest {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(MULTIPLIER);
        }
        self
    }
}

struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }
}

#[derive(Default)]
struct Read {
    u8s: [Vec<u8>; 3],
    u16s: [Vec<u16>; 4],
    u32s: [Vec<u32>; 6],
    offset: Vec<u64>,
}

fn main() {
    if cfg!(debug_assertions) {
        println!("built without --release");
        return;
    }
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().expect("what to do");
    let mut number = || arguments.next().and_then(|text| text.parse::<usize>().ok());
    let n = number().expect("how many");
    let length = number().expect("length of a frame");

    let mut draw = Draw(1);
    let headers = what.ends_with("headers");
    let packets = if headers { 0 } else { n };
    let vni: Vec<u32> = (0..n).map(|_| draw.next() >> 8).collect();
    let mut inner = vec![0x5a_u8; packets * length];
    let mut to = vec![[0; 16]; packets];
    let start = [2, 0, 0, 0, 0, 4, 2, 0, 0, 0, 0, 3, 8, 0, 0x45, 0, 0, 0, 0, 0, 0x40, 0, 63, 6];
    for (frame, to) in inner.chunks_mut(length).zip(&mut to) {
        frame[..24].copy_from_slice(&start);
        frame[16..18].copy_from_slice(&((length - 14) as u16).to_be_bytes());
        for at in [26, 30, 34] {
            frame[at..at + 4].copy_from_slice(&draw.next().to_be_bytes());
        }
        to[10..12].fill(0xff);
        to[12..].copy_from_slice(&(0xc633_6400 | draw.next() & 0xff).to_be_bytes());
    }
    let offsets: Vec<u64> = (0..=packets).map(|row| (row * length) as u64).collect();
    let outer = Outer {
        ethernet: Some((MacAddress::new([2, 0, 0, 0, 0, 1]), MacAddress::new([2, 0, 0, 0, 0, 2]))),
        udp_checksum: false,
        ..Outer::new([192, 0, 2, 1].into(), [192, 0, 2, 2].into(), Vni::default())
    };
    let encap = Encap::new(outer).expect("one family");
    let batch = EncodeBatch {
        vni: &vni,
        destination: &to,
        ..EncodeBatch::new(&inner, Spans::Offsets(&offsets))
    };
    let mut out = vec![0; packets * (length + encap.header_len())];
    let mut out_offsets = vec![0; packets + 1];
    let mut header = vec![[0; 8]; if headers { n } else { 0 }];
    let plain = VxlanHeader::new(Vni::default());
    let mut read = Read::default();
    read.u8s[..2].fill(vec![0xa5; n]);
    read.u32s[0] = vec![0xa5; n];
    if what == "decode" {
        encode_batch(&encap, &batch, &mut out, &mut out_offsets).expect("there is room");
        read.u8s.fill(vec![0xa5; n]);
        read.u16s.fill(vec![0xa5; n]);
        read.u32s.fill(vec![0xa5; n]);
        read.offset = vec![0xa5; n];
    }
    if what == "decode_headers" {
        encode_headers(plain, &vni, &mut header).expect("24 bits");
    }
    let decoder = Decoder::new().mode(Mode::Linux);
    let mut first = true;
    for line in std::io::stdin().lock().lines() {
        let times: usize = line.expect("a line").trim().parse().expect("a number");
        let mut result = 0;
        let begin = Instant::now();
        for _ in 0..times {
            let Read { u8s: [code, flags, protocol], u16s, u32s, offset } = &mut read;
            let [port, kind, inner_source_port, inner_destination_port] = u16s;
            let [vni_read, source, destination, length, inner_source, inner_destination] = u32s;
            result = match what.as_str() {
                "encode_headers" => encode_headers(plain, &vni, &mut header).expect("24 bits"),
                "decode_headers" => {
                    decode_headers(&header, Device::Plain, Mode::Linux, vni_read, flags, &mut [])
                }
                "encode" => {
                    encode_batch(&encap, &batch, &mut out, &mut out_offsets).expect("there is room")
                }
                _ => {
                    let mut columns = Columns {
                        code,
                        outer_source_ipv4: source,
                        outer_destination_ipv4: destination,
                        source_port: port,
                        vni: vni_read,
                        flags,
                        inner_offset: offset,
                        inner_length: length,
                        inner_type: kind,
                        inner_source_ipv4: inner_source,
                        inner_destination_ipv4: inner_destination,
                        inner_protocol: protocol,
                        inner_source_port,
                        inner_destination_port,
                        ..Columns::default()
                    };
                    decode_batch(&decoder, &out, Spans::Offsets(&out_offsets), &mut columns).frames
                }
            };
        }
        let took = begin.elapsed().as_nanos();
        let mut digest = Digest(result as u64);
        if first {
            let two =
                |column: &[u16]| column.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>();
            let four =
                |column: &[u32]| column.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>();
            let eight =
                |column: &[u64]| column.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>();
            let (b, h, w) = (&read.u8s, &read.u16s, &read.u32s);
            digest = match what.as_str() {
                "encode_headers" => digest.bytes(header.as_flattened().iter().copied()),
                "decode_headers" => digest.bytes(four(&w[0])).bytes(b[1].iter().copied()),
                "encode" => digest.bytes(out.iter().copied()).bytes(eight(&out_offsets)),
                _ => digest
                    .bytes(b[0].iter().copied())
                    .bytes(four(&w[1]))
                    .bytes(four(&w[2]))
                    .bytes(two(&h[0]))
                    .bytes(four(&w[0]))
                    .bytes(b[1].iter().copied())
                    .bytes(eight(&read.offset))
                    .bytes(four(&w[3]))
                    .bytes(two(&h[1]))
                    .bytes(four(&w[4]))
                    .bytes(four(&w[5]))
                    .bytes(b[2].iter().copied())
                    .bytes(two(&h[2]))
                    .bytes(two(&h[3])),
            };
        }
        println!("{took} {}", digest.0);
        std::io::stdout().flush().expect("somebody listens");
        first = false;
    }
}
