//! The format of libpcap: a header, and records with seconds and a fraction.

use super::record::{Parsed, Raw, Timestamp};
use super::{CaptureError, Endian, MAX_RECORD};
use crate::link::LinkType;

pub(super) const HEADER_LEN: usize = 24;
pub(super) const RECORD_LEN: usize = 16;
pub(super) const MAGIC_MICROS: u32 = 0xa1b2_c3d4;
pub(super) const MAGIC_NANOS: u32 = 0xa1b2_3c4d;

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pcap {
    endian: Endian,
    nanos: bool,
    link: LinkType,
}

impl Pcap {
    /// The byte order and unit that a magic number says.
    pub(super) fn magic(magic: [u8; 4]) -> Option<(Endian, bool)> {
        [Endian::Big, Endian::Little].into_iter().find_map(|endian| match endian.u32(magic) {
            MAGIC_MICROS => Some((endian, false)),
            MAGIC_NANOS => Some((endian, true)),
            _ => None,
        })
    }

    pub(super) fn new(
        (endian, nanos): (Endian, bool),
        header: &[u8; HEADER_LEN],
    ) -> Result<Self, CaptureError> {
        // magic, version, time zone, accuracy, snap length, link type
        let [_, _, _, _, a0, a1, i0, i1, .., l0, l1, l2, l3] = *header;
        let (major, minor) = (endian.u16([a0, a1]), endian.u16([i0, i1]));
        // Before 2.3, lengths stood in another order
        if major != 2 || minor < 3 {
            return Err(CaptureError::Version { offset: 0, major, minor });
        }
        // The upper bits say how long the frame check sequence is, which the lengths inside leave out
        let link = LinkType(endian.u32([l0, l1, l2, l3]) & 0x03ff_ffff);
        Ok(Self { endian, nanos, link })
    }

    #[inline]
    pub(super) fn parse(self, bytes: &[u8], offset: u64) -> Result<Parsed, CaptureError> {
        let Some((header, rest)) = bytes.split_first_chunk::<RECORD_LEN>() else {
            return Ok(Parsed::Need(RECORD_LEN));
        };
        let [s0, s1, s2, s3, f0, f1, f2, f3, c0, c1, c2, c3, o0, o1, o2, o3] = *header;
        let length = self.endian.u32([c0, c1, c2, c3]);
        let captured = super::record_length(length, offset, MAX_RECORD)?;
        if rest.len() < captured {
            return Ok(Parsed::Need(RECORD_LEN + captured));
        }
        let fraction = self.endian.u32([f0, f1, f2, f3]);
        let nanos = if self.nanos { u64::from(fraction) } else { u64::from(fraction) * 1000 };
        Ok(Parsed::Record(Raw {
            start: RECORD_LEN,
            captured,
            consumed: RECORD_LEN + captured,
            original_length: self.endian.u32([o0, o1, o2, o3]),
            timestamp: Some(Timestamp::new(i64::from(self.endian.u32([s0, s1, s2, s3])), nanos)),
            link: self.link,
            interface: 0,
        }))
    }
}
