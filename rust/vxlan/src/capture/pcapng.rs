//! pcapng (draft-ietf-opsawg-pcapng): sections, interfaces, packets, and blocks that say something else.

use super::record::{Parsed, Raw, Timestamp};
use super::{CaptureError, Endian, MAX_RECORD};
use crate::bytes;
use crate::link::LinkType;

pub(super) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
pub(super) const BYTE_ORDER: u32 = 0x1a2b_3c4d;
pub(super) const INTERFACE_DESCRIPTION: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
pub(super) const ENHANCED_PACKET: u32 = 6;
pub(super) const OPTION_RESOLUTION: u16 = 9;
const OPTION_OFFSET: u16 = 14;

/// Type and length before the body, length behind it.
pub(super) const FRAMING: usize = 12;
/// More than any machine has; what a hostile capture can make us keep.
const MAX_INTERFACES: usize = 65_536;
/// The longest section header or interface description that is read. Their options are texts and filters.
const MAX_DESCRIPTION: usize = 1 << 20;

/// What the section says so far.
#[derive(Debug)]
pub(super) struct Pcapng {
    endian: Endian,
    interfaces: Vec<Interface>,
}

#[derive(Debug, Clone, Copy)]
struct Interface {
    link: LinkType,
    /// The most that is captured of a packet, in bytes; 0: all.
    snap_length: u32,
    resolution: Resolution,
    /// Seconds to add to times.
    offset: i64,
}

/// The unit of times: a second by a power of ten or two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resolution {
    Decimal(u8),
    Binary(u8),
}

impl Resolution {
    fn new(option: u8) -> Self {
        if option & 0x80 == 0 { Self::Decimal(option) } else { Self::Binary(option & 0x7f) }
    }

    /// Seconds and nanoseconds, rounded down.
    #[inline]
    fn time(self, units: u64) -> (u64, u64) {
        match self {
            Self::Decimal(power) => {
                let power = u32::from(power);
                let Some(unit) = 10_u64.checked_pow(power) else {
                    // 10^-20 s and less: 64 bits of it are less than a second
                    let per_nano = 10_u128.checked_pow(power.saturating_sub(9));
                    let nanos = per_nano.map_or(0, |unit| u128::from(units) / unit);
                    return (0, u64::try_from(nanos).unwrap_or_default());
                };
                let nanos = u128::from(units % unit) * 1_000_000_000 / u128::from(unit);
                (units / unit, u64::try_from(nanos).unwrap_or_default())
            }
            Self::Binary(power) => {
                let power = u32::from(power);
                let seconds = units.checked_shr(power).unwrap_or(0);
                let fraction = match power {
                    0 => 0,
                    1..64 => units & (u64::MAX >> (64 - power)),
                    _ => units,
                };
                let nanos = (u128::from(fraction) * 1_000_000_000).checked_shr(power).unwrap_or(0);
                (seconds, u64::try_from(nanos).unwrap_or_default())
            }
        }
    }
}

impl Pcapng {
    pub(super) fn new() -> Self {
        Self { endian: Endian::Little, interfaces: Vec::new() }
    }

    #[inline]
    pub(super) fn parse(&mut self, bytes: &[u8], offset: u64) -> Result<Parsed, CaptureError> {
        let Some(([t0, t1, t2, t3, l0, l1, l2, l3], rest)) = bytes.split_first_chunk::<8>() else {
            return Ok(Parsed::Need(8));
        };
        let (kind, length) = ([*t0, *t1, *t2, *t3], [*l0, *l1, *l2, *l3]);
        // Reads the same in both orders
        if u32::from_be_bytes(kind) == SECTION_HEADER {
            let Some(magic) = rest.first_chunk::<4>() else { return Ok(Parsed::Need(12)) };
            let found = [Endian::Big, Endian::Little]
                .into_iter()
                .find(|endian| endian.u32(*magic) == BYTE_ORDER);
            self.endian = found.ok_or(CaptureError::ByteOrder { offset, magic: *magic })?;
            self.interfaces.clear();
        }
        let (kind, first) = (self.endian.u32(kind), self.endian.u32(length));
        let most = match kind {
            SECTION_HEADER | INTERFACE_DESCRIPTION => MAX_DESCRIPTION,
            PACKET | SIMPLE_PACKET | ENHANCED_PACKET => MAX_RECORD,
            _ => usize::try_from(u32::MAX).unwrap_or(usize::MAX),
        };
        let length = super::record_length(first, offset, most)?;
        if length < FRAMING || !length.is_multiple_of(4) {
            let (least, most) = (super::wide(FRAMING), super::wide(most));
            return Err(CaptureError::Length { offset, length: u64::from(first), least, most });
        }
        if most > MAX_RECORD {
            return Ok(Parsed::Skip(length));
        }
        let Some(block) = bytes.get(..length) else { return Ok(Parsed::Need(length)) };
        let (body, last) = match block {
            [_, _, _, _, _, _, _, _, body @ .., a, b, c, d] => {
                (body, self.endian.u32([*a, *b, *c, *d]))
            }
            _ => return Ok(Parsed::Need(FRAMING)),
        };
        if last != first {
            return Err(CaptureError::BlockLengths { offset, first, last });
        }
        match kind {
            SECTION_HEADER => self.section(body, offset).map(|()| Parsed::Skip(length)),
            INTERFACE_DESCRIPTION => self.interface(body, offset).map(|()| Parsed::Skip(length)),
            SIMPLE_PACKET => self.simple_packet(body, length, offset).map(Parsed::Record),
            _ => self.packet(kind, body, length, offset).map(Parsed::Record),
        }
    }

    fn section(&self, body: &[u8], offset: u64) -> Result<(), CaptureError> {
        // magic, version, length of the section (which may be unknown), options
        let ([_, _, _, _, a0, a1, i0, i1, ..], _) = fields::<16>(body, offset)?;
        let (major, minor) = (self.endian.u16([*a0, *a1]), self.endian.u16([*i0, *i1]));
        // "1.2" is what an old library wrote for 1.0
        if major != 1 {
            return Err(CaptureError::Version { offset, major, minor });
        }
        Ok(())
    }

    fn interface(&mut self, body: &[u8], offset: u64) -> Result<(), CaptureError> {
        let ([l0, l1, _, _, s0, s1, s2, s3], mut options) = fields::<8>(body, offset)?;
        if self.interfaces.len() >= MAX_INTERFACES {
            return Err(CaptureError::TooManyInterfaces { offset, limit: MAX_INTERFACES });
        }
        let mut interface = Interface {
            link: LinkType(u32::from(self.endian.u16([*l0, *l1]))),
            snap_length: self.endian.u32([*s0, *s1, *s2, *s3]),
            resolution: Resolution::Decimal(6),
            offset: 0,
        };
        while let Some(([c0, c1, l0, l1], rest)) = options.split_first_chunk::<4>() {
            let code = self.endian.u16([*c0, *c1]);
            let length = usize::from(self.endian.u16([*l0, *l1]));
            match (code, bytes::at_most(rest, length)) {
                (0, _) => break,
                (OPTION_RESOLUTION, [resolution]) => {
                    interface.resolution = Resolution::new(*resolution);
                }
                (OPTION_OFFSET, value) => {
                    if let Ok(value) = <[u8; 8]>::try_from(value) {
                        interface.offset = self.endian.i64(value);
                    }
                }
                _ => {}
            }
            options = bytes::from(rest, length.next_multiple_of(4));
        }
        self.interfaces.push(interface);
        Ok(())
    }

    /// Enhanced packets, and the packets before them, which have 16 bits of interface and a count of drops.
    #[inline]
    fn packet(
        &self,
        kind: u32,
        body: &[u8],
        consumed: usize,
        offset: u64,
    ) -> Result<Raw, CaptureError> {
        let (fixed, data) = fields::<20>(body, offset)?;
        let [i0, i1, i2, i3, h0, h1, h2, h3, l0, l1, l2, l3, c0, c1, c2, c3, o0, o1, o2, o3] =
            *fixed;
        let id = match kind {
            PACKET => u32::from(self.endian.u16([i0, i1])),
            _ => self.endian.u32([i0, i1, i2, i3]),
        };
        let interface = self.interface_of(id, offset)?;
        let captured = super::record_length(self.endian.u32([c0, c1, c2, c3]), offset, data.len())?;
        let high = u64::from(self.endian.u32([h0, h1, h2, h3]));
        let low = u64::from(self.endian.u32([l0, l1, l2, l3]));
        let (seconds, nanos) = interface.resolution.time(high << 32 | low);
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_add(interface.offset);
        Ok(Raw {
            start: 8 + 20,
            captured,
            consumed,
            original_length: self.endian.u32([o0, o1, o2, o3]),
            timestamp: Some(Timestamp::new(seconds, nanos)),
            link: interface.link,
            interface: id,
        })
    }

    /// A packet of the first interface, without a time; its captured length is the shorter of original and snap length.
    fn simple_packet(
        &self,
        body: &[u8],
        consumed: usize,
        offset: u64,
    ) -> Result<Raw, CaptureError> {
        let (original, data) = fields::<4>(body, offset)?;
        let original_length = self.endian.u32(*original);
        let interface = self.interface_of(0, offset)?;
        let captured = match interface.snap_length {
            0 => original_length,
            snap_length => original_length.min(snap_length),
        };
        Ok(Raw {
            start: 8 + 4,
            captured: super::record_length(captured, offset, data.len())?,
            consumed,
            original_length,
            timestamp: None,
            link: interface.link,
            interface: 0,
        })
    }

    fn interface_of(&self, interface: u32, offset: u64) -> Result<Interface, CaptureError> {
        let found = usize::try_from(interface).ok().and_then(|id| self.interfaces.get(id));
        found.copied().ok_or(CaptureError::Interface {
            offset,
            interface,
            interfaces: self.interfaces.len(),
        })
    }
}

/// The fixed fields of a block, and the rest of its body.
#[inline]
fn fields<const N: usize>(body: &[u8], offset: u64) -> Result<(&[u8; N], &[u8]), CaptureError> {
    body.split_first_chunk::<N>().ok_or(CaptureError::Length {
        offset,
        length: super::wide(body.len() + FRAMING),
        least: super::wide(N + FRAMING),
        most: super::wide(MAX_RECORD),
    })
}
