//! Capture files: formats, byte orders, units, link types, compression; damage and hostile lengths.

use std::io::{self, Read, Write};

use bayplan_vxlan::LinkType;
use bayplan_vxlan::capture::*;

use crate::packets::{cat, plain};

/// Numbers in the byte order of a file.
#[derive(Clone, Copy)]
struct Order(bool);

impl Order {
    fn u16(self, number: u16) -> [u8; 2] {
        if self.0 { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn u32(self, number: u32) -> [u8; 4] {
        if self.0 { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn pcap(self, magic: u32, link: u32, records: &[(u32, u32, u32, &[u8])]) -> Vec<u8> {
        let mut file = cat(&[
            &self.u32(magic),
            &self.u16(2),
            &self.u16(4),
            &[0; 8],
            &self.u32(65_535),
            &self.u32(link),
        ]);
        for (seconds, fraction, original, data) in records {
            let length = u32::try_from(data.len()).unwrap();
            for field in [*seconds, *fraction, length, *original] {
                file.extend(self.u32(field));
            }
            file.extend(*data);
        }
        file
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
        let length = self.u32(u32::try_from(body.len() + padding.len() + 12).unwrap());
        cat(&[&self.u32(kind), &length, body, &padding, &length])
    }

    fn section(self) -> Vec<u8> {
        let body = cat(&[&self.u32(0x1a2b_3c4d), &self.u16(1), &self.u16(0), &[0xff; 8]]);
        self.block(0x0a0d_0d0a, &body)
    }

    fn interface(self, link: u16, snap: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = cat(&[&self.u16(link), &[0; 2], &self.u32(snap)]);
        for (code, value) in options {
            let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
            let length = self.u16(u16::try_from(value.len()).unwrap());
            body.extend(cat(&[&self.u16(*code), &length, value, &padding]));
        }
        self.block(1, &body)
    }

    fn enhanced(self, interface: u32, time: u64, original: u32, data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap();
        let (high, low) =
            (u32::try_from(time >> 32).unwrap(), u32::try_from(time & 0xffff_ffff).unwrap());
        let fields = [interface, high, low, length, original].map(|field| self.u32(field));
        self.block(6, &cat(&[&fields.concat(), data]))
    }
}

/// A file of each kind, to be damaged.
pub(crate) fn all() -> Vec<Vec<u8>> {
    let packet = plain();
    let mut files = Vec::new();
    for order in [Order(false), Order(true)] {
        files.push(order.pcap(0xa1b2_c3d4, 1, &[(1, 2, 92, &packet), (1, 3, 92, &packet[..60])]));
        let resolution: &[(u16, &[u8])] = &[(9, &[9])];
        files.push(cat(&[
            &order.section(),
            &order.interface(1, 0, &[]),
            &order.enhanced(0, 5, 92, &packet),
            &order.block(0xbad, &[1, 2, 3]),
            &order.interface(101, 0, resolution),
            &order.enhanced(1, 6, 78, &packet[14..]),
            // Interfaces among packets are counted once, whichever way packets are read
            &order.interface(228, 0, resolution),
            &order.interface(1, 0, resolution),
            &order.enhanced(3, 6, 92, &packet),
            &order.block(3, &cat(&[&order.u32(92), &packet])),
            &order.section(),
            &order.interface(1, 0, resolution),
            &order.enhanced(0, 7, 92, &packet[..50]),
        ]));
    }
    files
}

/// Number, seconds and nanoseconds, link type, original length, data.
type Packet = (u64, Option<(i64, u32)>, u32, u32, Vec<u8>);

fn read(file: impl Read) -> Result<Vec<Packet>, CaptureError> {
    let mut reader = CaptureReader::new(file)?;
    let mut packets = Vec::new();
    while let Some(record) = reader.next_record()? {
        let time = record.timestamp.map(|time| (time.seconds(), time.subsec_nanos()));
        packets.push((
            record.number,
            time,
            record.link.0,
            record.original_length,
            record.data.to_vec(),
        ));
    }
    assert!(matches!(reader.next_record(), Ok(None)));
    Ok(packets)
}

fn refused(file: &[u8]) -> CaptureError {
    crate::checks::capture(file);
    read(file).expect_err("an error")
}

#[test]
fn pcap_files_of_both_orders_and_units_are_read() {
    for order in [Order(false), Order(true)] {
        for (magic, nanos) in [(0xa1b2_c3d4, 999_999_000), (0xa1b2_3c4d, 999_999)] {
            let file = order.pcap(
                magic,
                276,
                &[(1_700_000_000, 999_999, 2000, &[1, 2, 3]), (u32::MAX, 0, 0, &[])],
            );
            let time = Some((1_700_000_000, nanos));
            let last = Some((i64::from(u32::MAX), 0));
            let expected = vec![(1, time, 276, 2000, vec![1, 2, 3]), (2, last, 276, 0, vec![])];
            assert_eq!(read(&file[..]).unwrap(), expected);
            assert_eq!(CaptureReader::new(&file[..]).unwrap().format(), Format::Pcap);
        }
        // The upper bits of the link type say how long the frame check sequence is
        let file = order.pcap(0xa1b2_c3d4, 0x2400_0001, &[(0, 0, 1, &[1])]);
        assert_eq!(read(&file[..]).unwrap()[0].2, 1);
        // More microseconds than a second has
        let file = order.pcap(0xa1b2_c3d4, 1, &[(5, 2_500_000, 1, &[1])]);
        assert_eq!(read(&file[..]).unwrap()[0].1, Some((7, 500_000_000)));
    }
}

#[test]
fn pcapng_files_of_both_orders_are_read() {
    for order in [Order(false), Order(true)] {
        let obsolete = cat(&[
            &order.u16(1),
            &order.u16(9),
            &order.u32(0),
            &order.u32(1_500_000),
            &order.u32(2),
            &order.u32(70),
            &[8, 9],
        ]);
        let file = cat(&[
            &order.section(),
            &order.block(0x0bad_cafe, &[1, 2, 3, 4, 5]),
            &order.interface(1, 3, &[(2, b"eth0"), (0, &[]), (9, &[0])]),
            &order.interface(
                101,
                0,
                &[
                    (9, &[9]),
                    (14, &if order.0 { 100_i64.to_be_bytes() } else { 100_i64.to_le_bytes() }),
                ],
            ),
            &order.interface(113, 0, &[(9, &[0x80 | 0x0a])]),
            &order.enhanced(0, 1_700_000_000_000_001, 60, &[1, 2, 3]),
            &order.enhanced(1, 5_000_000_007, 61, &[4]),
            &order.enhanced(2, 3 * 1024 + 512, 62, &[5, 6, 7, 8, 9]),
            // A simple packet has no time, and is cut to the snap length of the first interface
            &order.block(3, &cat(&[&order.u32(99), &[1, 2, 3, 0]])),
            &order.block(2, &obsolete),
        ]);
        let expected = vec![
            (1, Some((1_700_000_000, 1000)), 1, 60, vec![1, 2, 3]),
            (2, Some((105, 7)), 101, 61, vec![4]),
            (3, Some((3, 500_000_000)), 113, 62, vec![5, 6, 7, 8, 9]),
            (4, None, 1, 99, vec![1, 2, 3]),
            // 1,500,000 ns, and the offset of the interface
            (5, Some((100, 1_500_000)), 101, 70, vec![8, 9]),
        ];
        assert_eq!(read(&file[..]).unwrap(), expected);
        assert_eq!(CaptureReader::new(&file[..]).unwrap().format(), Format::Pcapng);
        crate::checks::capture(&file);

        // Another section of the other order: its interfaces are its own
        let other = Order(!order.0);
        let both = cat(&[
            &file,
            &other.section(),
            &other.interface(276, 0, &[]),
            &other.enhanced(0, 1, 1, &[7]),
        ]);
        assert_eq!(read(&both[..]).unwrap()[5], (6, Some((0, 1000)), 276, 1, vec![7]));
        let missing = cat(&[&file, &other.section(), &other.enhanced(0, 1, 1, &[7])]);
        let error = refused(&missing);
        assert!(
            matches!(error, CaptureError::Interface { interface: 0, interfaces: 0, .. }),
            "{error}"
        );
    }
}

#[test]
fn units_of_time_from_seconds_to_less_than_nanoseconds() {
    let order = Order(false);
    let time = |resolution: u8, units: u64| {
        let file = cat(&[
            &order.section(),
            &order.interface(1, 0, &[(9, &[resolution])]),
            &order.enhanced(0, units, 0, &[]),
        ]);
        read(&file[..]).unwrap()[0].1.unwrap()
    };
    assert_eq!(time(0, 7), (7, 0));
    assert_eq!(time(3, 7_001), (7, 1_000_000));
    assert_eq!(time(9, 7_000_000_001), (7, 1));
    assert_eq!(time(12, 7_000_000_001_999), (7, 1));
    assert_eq!(time(19, u64::MAX), (1, 844_674_407));
    assert_eq!(time(20, u64::MAX), (0, 184_467_440));
    assert_eq!(time(127, u64::MAX), (0, 0));
    assert_eq!(time(0x80, 7), (7, 0));
    assert_eq!(time(0x80 | 0x01, 7), (3, 500_000_000));
    assert_eq!(time(0x80 | 0x3f, u64::MAX), (1, 999_999_999));
    assert_eq!(time(0x80 | 0x40, 1 << 63), (0, 500_000_000));
    assert_eq!(time(0x80 | 0x7f, u64::MAX), (0, 0));
    assert_eq!(time(0, u64::MAX), (i64::MAX, 0));
    assert_eq!(Timestamp::new(i64::MAX, u64::MAX).as_nanos(), i64::MAX);
    assert_eq!(Timestamp::new(1, 2_000_000_003).to_string(), "3.000000003");
}

#[test]
fn compressed_captures_are_read_by_their_first_bytes() {
    for file in all() {
        let plain = read(&file[..]).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&file).unwrap();
        let gzip = gzip.finish().unwrap();
        assert_eq!(read(&gzip[..]).unwrap(), plain);
        // Members one after another are one file
        let (first, second) = file.split_at(30);
        let members: Vec<u8> = [first, second]
            .into_iter()
            .flat_map(|part| {
                let mut gzip =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                gzip.write_all(part).unwrap();
                gzip.finish().unwrap()
            })
            .collect();
        assert_eq!(read(&members[..]).unwrap(), plain);
        let zstd = zstd::encode_all(&file[..], 1).unwrap();
        assert_eq!(read(&zstd[..]).unwrap(), plain);
        for (format, cut) in [("gzip", &gzip[..gzip.len() - 9]), ("zstd", &zstd[..zstd.len() - 5])]
        {
            let error = read(cut).unwrap_err();
            assert!(
                matches!(&error, CaptureError::Compression { format: found, .. } if *found == format),
                "{error}"
            );
        }
    }
}

/// A reader that gives a byte at a time, and is interrupted before each.
struct Slow<'a>(&'a [u8], bool);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let one = buffer.len().min(1);
        self.0.read(&mut buffer[..one])
    }
}

#[test]
fn bytes_may_come_one_at_a_time() {
    for file in all() {
        assert_eq!(read(Slow(&file, false)).unwrap(), read(&file[..]).unwrap());
    }
}

#[test]
fn every_truncation_gives_the_packets_before_it() {
    for file in all() {
        let whole = read(&file[..]).unwrap();
        let mut ends = 0;
        for length in 0..file.len() {
            let cut = &file[..length];
            crate::checks::capture(cut);
            match read(cut) {
                Ok(packets) => {
                    ends += 1;
                    assert!(packets.len() < whole.len() && whole.starts_with(&packets), "{length}");
                }
                Err(CaptureError::Truncated { offset, needed, available }) => {
                    assert!(available < needed);
                    assert_eq!(
                        offset + u64::try_from(available).unwrap(),
                        u64::try_from(length).unwrap()
                    );
                }
                Err(error) => panic!("{length}: {error}"),
            }
        }
        assert!(ends > 0, "a file may end between records");
    }
}

#[test]
fn damage_is_named_with_its_place() {
    let order = Order(false);
    let text = |file: &[u8]| refused(file).to_string();
    assert_eq!(
        text(b"hello, world"),
        "not a pcap or pcapng capture: it starts with [68, 65, 6c, 6c]"
    );
    assert_eq!(text(b""), "the capture ends at byte 0: 4 bytes needed, 0 available");
    let mut file = order.pcap(0xa1b2_c3d4, 1, &[(1, 2, 3, &[1; 3])]);
    file[4] = 3;
    assert_eq!(text(&file), "version 3.4 of the capture, at byte 0, is not known");

    // A record that says more than is read: refused where it stands, after those before it
    let mut file = order.pcap(0xa1b2_c3d4, 1, &[(1, 2, 3, &[1; 3]), (1, 2, 3, &[1; 3])]);
    file[43 + 8..43 + 12].copy_from_slice(&order.u32(0xffff_fff0));
    let mut reader = CaptureReader::new(&file[..]).unwrap();
    assert!(reader.next_record().unwrap().is_some());
    let error = reader.next_record().unwrap_err();
    assert_eq!(
        error.to_string(),
        "at byte 43, a length of 4294967280 bytes is not between 0 and 16777216"
    );
    assert!(matches!(reader.next_record(), Ok(None)));

    let section = order.section();
    let with = |block: &[u8]| text(&cat(&[&section, block]));
    let mut block = order.interface(1, 0, &[]);
    block[16] = 24;
    assert_eq!(with(&block), "the block at byte 28 says 20 bytes at its start and 24 at its end");
    for length in [0, 8, 13, 21] {
        block[4] = length;
        let most = 1 << 20;
        assert_eq!(
            with(&block),
            format!("at byte 28, a length of {length} bytes is not between 12 and {most}")
        );
    }
    let mut wrong = section.clone();
    wrong[8] = 0;
    assert_eq!(text(&wrong), "the section at byte 0 has the byte-order magic [00, 3c, 2b, 1a]");
    let mut version = section.clone();
    version[12] = 2;
    assert_eq!(text(&version), "version 2.0 of the capture, at byte 0, is not known");
    let interface = order.interface(1, 0, &[]);
    let mut packet = order.enhanced(0, 0, 9, &[1; 4]);
    packet[8 + 12] = 5;
    assert_eq!(
        with(&cat(&[&interface, &packet])),
        "at byte 48, a length of 5 bytes is not between 0 and 4"
    );
    assert_eq!(
        with(&order.block(6, &[0; 16])),
        "at byte 28, a length of 28 bytes is not between 32 and 16777216"
    );
    assert_eq!(
        with(&cat(&[&interface, &order.enhanced(1, 0, 9, &[])])),
        "the packet at byte 48 is of interface 1, and there are 1"
    );
    let many = vec![interface; 65_537].concat();
    assert_eq!(with(&many), "the section has more than 65536 interfaces, at byte 1310748");
}

/// Counts what is asked of it, and never ends.
struct Endless {
    start: Vec<u8>,
    at: usize,
    given: u64,
    longest: usize,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.longest = self.longest.max(buffer.len());
        for byte in buffer.iter_mut() {
            *byte = self.start.get(self.at).copied().unwrap_or(0);
            self.at += 1;
        }
        self.given += u64::try_from(buffer.len()).unwrap();
        Ok(buffer.len())
    }
}

#[test]
fn memory_does_not_grow_with_the_capture() {
    // Zeros are records of no bytes: 64 MiB of them
    let start = Order(false).pcap(0xa1b2_c3d4, 1, &[]);
    let mut endless = Endless { start, at: 0, given: 0, longest: 0 };
    let mut reader = CaptureReader::new(&mut endless).unwrap();
    for _ in 0..256 {
        let block = reader.next_block().unwrap().unwrap();
        assert!(block.len() <= 16_384 && block.buffer.len() <= 256 << 10);
    }
    drop(reader);
    assert!(endless.given >= 60 << 20 && endless.longest <= 256 << 10, "{}", endless.longest);

    // A block of 4 GiB that is of no interest is passed over, not kept
    let order = Order(false);
    let start = cat(&[&order.section(), &order.u32(0xbad), &order.u32(0xffff_fffc)]);
    let limited = Endless { start, at: 0, given: 0, longest: 0 }.take(100 << 20);
    let error = read(limited).unwrap_err();
    assert!(matches!(error, CaptureError::Truncated { offset: 28, .. }), "{error}");
}

#[test]
fn long_packets_are_read_whole() {
    let long = vec![7; 3 << 20];
    let original = u32::try_from(long.len()).unwrap();
    let file = Order(false).pcap(
        0xa1b2_c3d4,
        1,
        &[(0, 0, 1, &[1]), (0, 0, original, &long), (0, 0, 1, &[2])],
    );
    let packets = read(&file[..]).unwrap();
    assert_eq!((packets[1].4.len(), &packets[2].4), (long.len(), &vec![2]));
    crate::checks::capture(&file);
}

#[test]
fn what_is_written_is_read_again() {
    let time = Timestamp::new(1_700_000_000, 123_456_789);
    let data: [&[u8]; 3] = [&[], &[1, 2, 3, 4, 5], &[9; 1500]];
    for resolution in [Resolution::Micros, Resolution::Nanos] {
        let mut writer = PcapWriter::new(Vec::new(), LinkType::LINUX_SLL2, resolution).unwrap();
        for data in data {
            writer.write(time, 2000, data).unwrap();
        }
        let packets = read(&writer.into_inner()[..]).unwrap();
        let nanos = if resolution == Resolution::Nanos { 123_456_789 } else { 123_456_000 };
        for ((_, found, link, original, bytes), data) in packets.iter().zip(data) {
            assert_eq!((*found, *link, *original), (Some((1_700_000_000, nanos)), 276, 2000));
            assert_eq!(bytes, data);
        }
        assert_eq!(packets.len(), 3);
    }
    let mut writer = PcapngWriter::new(Vec::new()).unwrap();
    let ethernet = writer.add_interface(LinkType::ETHERNET).unwrap();
    let raw = writer.add_interface(LinkType::RAW).unwrap();
    for (interface, data) in [ethernet, raw, ethernet].into_iter().zip(data) {
        writer.write(interface, time, 2000, data).unwrap();
    }
    let packets = read(&writer.into_inner()[..]).unwrap();
    let links: Vec<u32> = packets.iter().map(|packet| packet.2).collect();
    assert_eq!(links, [1, 101, 1]);
    for ((_, found, _, original, bytes), data) in packets.iter().zip(data) {
        assert_eq!((*found, *original), (Some((1_700_000_000, 123_456_789)), 2000));
        assert_eq!(bytes, data);
    }
}

#[test]
fn what_cannot_be_written_is_refused() {
    let before = Timestamp::new(-1, 0);
    let late = Timestamp::new(1 << 40, 0);
    let mut pcap = PcapWriter::new(Vec::new(), LinkType::ETHERNET, Resolution::Nanos).unwrap();
    for time in [before, late] {
        let error = pcap.write(time, 1, &[1]).unwrap_err();
        assert!(matches!(error, CaptureWriteError::Timestamp { .. }), "{error}");
    }
    assert_eq!(pcap.into_inner().len(), 24);
    let mut pcapng = PcapngWriter::new(Vec::new()).unwrap();
    let error = pcapng.write(0, Timestamp::default(), 1, &[1]).unwrap_err();
    assert!(matches!(error, CaptureWriteError::Interface { interface: 0 }), "{error}");
    pcapng.add_interface(LinkType::ETHERNET).unwrap();
    assert!(pcapng.write(0, before, 1, &[1]).is_err() && pcapng.write(0, late, 1, &[1]).is_err());
    assert!(pcapng.add_interface(LinkType(1 << 16)).is_err());
    assert!(PcapWriter::new(Vec::new(), LinkType(1 << 26), Resolution::Micros).is_err());
}
