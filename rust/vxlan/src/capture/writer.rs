//! Writing captures, little-endian.

use std::io::Write;

use super::record::Timestamp;
use super::{CaptureWriteError, narrow_link, pcap, pcapng};
use crate::link::LinkType;

/// The unit of times in a pcap file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Resolution {
    /// Microseconds, as every program reads them; what is finer is cut off.
    #[default]
    Micros,
    /// Nanoseconds.
    Nanos,
}

/// What we write as the most that is captured of a packet: libpcap's `MAXIMUM_SNAPLEN`. Longer packets do not disturb readers.
const SNAP_LENGTH: u32 = 262_144;

/// Writes a pcap file.
#[derive(Debug)]
pub struct PcapWriter<W: Write> {
    out: W,
    resolution: Resolution,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the header of a file of packets of one link type.
    ///
    /// # Errors
    ///
    /// [`CaptureWriteError::LinkType`], [`CaptureWriteError::Io`].
    pub fn new(
        mut out: W,
        link: LinkType,
        resolution: Resolution,
    ) -> Result<Self, CaptureWriteError> {
        let link_bits = narrow_link::<u32>(link)?;
        if link_bits > 0x03ff_ffff {
            return Err(CaptureWriteError::LinkType { link: link.0 });
        }
        let magic = match resolution {
            Resolution::Micros => pcap::MAGIC_MICROS,
            Resolution::Nanos => pcap::MAGIC_NANOS,
        };
        out.write_all(&magic.to_le_bytes())?;
        out.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        out.write_all(&SNAP_LENGTH.to_le_bytes())?;
        out.write_all(&link_bits.to_le_bytes())?;
        Ok(Self { out, resolution })
    }

    /// Writes a packet of `original_length` bytes on the wire, of which `data` was captured.
    ///
    /// # Errors
    ///
    /// [`CaptureWriteError::Timestamp`], [`CaptureWriteError::TooLong`]: nothing was written. [`CaptureWriteError::Io`].
    pub fn write(
        &mut self,
        timestamp: Timestamp,
        original_length: u32,
        data: &[u8],
    ) -> Result<(), CaptureWriteError> {
        let seconds = timestamp.seconds();
        let seconds =
            u32::try_from(seconds).map_err(|_| CaptureWriteError::Timestamp { seconds })?;
        let fraction = match self.resolution {
            Resolution::Micros => timestamp.subsec_nanos() / 1000,
            Resolution::Nanos => timestamp.subsec_nanos(),
        };
        for field in [seconds, fraction, captured(data)?, original_length] {
            self.out.write_all(&field.to_le_bytes())?;
        }
        Ok(self.out.write_all(data)?)
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.out
    }
}

/// Writes a pcapng file of one section, with times in nanoseconds.
#[derive(Debug)]
pub struct PcapngWriter<W: Write> {
    out: W,
    interfaces: u32,
}

impl<W: Write> PcapngWriter<W> {
    /// Writes the header of the section.
    ///
    /// # Errors
    ///
    /// [`CaptureWriteError::Io`].
    pub fn new(out: W) -> Result<Self, CaptureWriteError> {
        let mut writer = Self { out, interfaces: 0 };
        let mut body = pcapng::BYTE_ORDER.to_le_bytes().to_vec();
        body.extend([1, 0, 0, 0]);
        // The length of the section is not known
        body.extend([0xff; 8]);
        writer.block(pcapng::SECTION_HEADER, &[&body])?;
        Ok(writer)
    }

    /// Describes an interface, and gives the number by which packets say that they came from it.
    ///
    /// # Errors
    ///
    /// [`CaptureWriteError::LinkType`], [`CaptureWriteError::Io`].
    pub fn add_interface(&mut self, link: LinkType) -> Result<u32, CaptureWriteError> {
        let [l0, l1] = narrow_link::<u16>(link)?.to_le_bytes();
        let [o0, o1] = pcapng::OPTION_RESOLUTION.to_le_bytes();
        // link type, snap length 0 for none, 10^-9 s in one byte of four, end of options
        let body = [l0, l1, 0, 0, 0, 0, 0, 0, o0, o1, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];
        self.block(pcapng::INTERFACE_DESCRIPTION, &[&body])?;
        let interface = self.interfaces;
        self.interfaces = self.interfaces.saturating_add(1);
        Ok(interface)
    }

    /// Writes a packet of `original_length` bytes on the wire, of which `data` was captured.
    ///
    /// # Errors
    ///
    /// [`CaptureWriteError::Interface`], [`CaptureWriteError::Timestamp`], [`CaptureWriteError::TooLong`]: nothing was written.
    /// [`CaptureWriteError::Io`].
    pub fn write(
        &mut self,
        interface: u32,
        timestamp: Timestamp,
        original_length: u32,
        data: &[u8],
    ) -> Result<(), CaptureWriteError> {
        if interface >= self.interfaces {
            return Err(CaptureWriteError::Interface { interface });
        }
        let nanos = u64::try_from(timestamp.seconds())
            .ok()
            .and_then(|seconds| seconds.checked_mul(1_000_000_000))
            .and_then(|nanos| nanos.checked_add(u64::from(timestamp.subsec_nanos())))
            .ok_or(CaptureWriteError::Timestamp { seconds: timestamp.seconds() })?;
        let [n0, n1, n2, n3, n4, n5, n6, n7] = nanos.to_le_bytes();
        let mut fields = Vec::with_capacity(20);
        fields.extend(interface.to_le_bytes());
        // The upper half first, each in the order of the file
        fields.extend([n4, n5, n6, n7, n0, n1, n2, n3]);
        fields.extend(captured(data)?.to_le_bytes());
        fields.extend(original_length.to_le_bytes());
        let padding = data.len().next_multiple_of(4) - data.len();
        let padding = [0; 4].get(..padding).unwrap_or_default().to_vec();
        self.block(pcapng::ENHANCED_PACKET, &[&fields, data, &padding])
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn block(&mut self, kind: u32, parts: &[&[u8]]) -> Result<(), CaptureWriteError> {
        let length = parts.iter().fold(pcapng::FRAMING, |sum, part| sum.saturating_add(part.len()));
        let length = u32::try_from(length).map_err(|_| CaptureWriteError::TooLong { length })?;
        self.out.write_all(&kind.to_le_bytes())?;
        self.out.write_all(&length.to_le_bytes())?;
        for part in parts {
            self.out.write_all(part)?;
        }
        Ok(self.out.write_all(&length.to_le_bytes())?)
    }
}

fn captured(data: &[u8]) -> Result<u32, CaptureWriteError> {
    let length = data.len();
    u32::try_from(length).map_err(|_| CaptureWriteError::TooLong { length })
}
