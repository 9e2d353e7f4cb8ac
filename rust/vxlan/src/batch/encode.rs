//! `encode_batch`: inner frames and what varies among them → packets in one buffer.

use core::net::{IpAddr, Ipv6Addr};

use super::Spans;
use super::write::Usual;
use crate::encap::{Encap, PerPacket};
use crate::error::EncodeError;
use crate::mac::MacAddress;
use crate::vni::Vni;

/// Inner frames, and what each packet has other than its [`Encap`]. A column that is empty leaves all as the `Encap` has it;
/// any other has a row for each frame.
#[derive(Debug, Clone, Copy)]
pub struct EncodeBatch<'a> {
    /// The buffer in which the inner frames lie.
    pub inner: &'a [u8],
    /// Where they lie.
    pub spans: Spans<'a>,
    /// VNIs.
    pub vni: &'a [u32],
    /// Outer sources, 16 bytes each: IPv4 as `::ffff:a.b.c.d`.
    pub source: &'a [[u8; 16]],
    /// Outer destinations, likewise.
    pub destination: &'a [[u8; 16]],
    /// Outer Ethernet sources.
    pub source_mac: &'a [[u8; 6]],
    /// Outer Ethernet destinations.
    pub destination_mac: &'a [[u8; 6]],
    /// UDP source ports.
    pub source_port: &'a [u16],
}

/// Why a batch cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeBatchError {
    /// A frame that cannot be written. The packets before it have been.
    #[error("frame {row}: {error}")]
    Frame {
        /// Which frame.
        row: usize,
        /// Why.
        #[source]
        error: EncodeError,
    },
    /// A frame that lies outside the buffer.
    #[error("frame {row} ends at {end} of a buffer of {available} bytes")]
    OutOfBuffer {
        /// Which frame.
        row: usize,
        /// Where it would end, in bytes from the start of the buffer.
        end: u64,
        /// Length of the buffer, in bytes.
        available: usize,
    },
    /// A column that is neither empty nor as long as there are frames.
    #[error("the column {column} has {found} rows for {frames} frames")]
    ColumnLength {
        /// The name of the column.
        column: &'static str,
        /// Rows in it.
        found: usize,
        /// Frames.
        frames: usize,
    },
    /// The buffer for packets or the one for offsets is too short; nothing was written.
    #[error("{column} needs {needed} entries and has {available}")]
    OutTooShort {
        /// `out` or `offsets`.
        column: &'static str,
        /// Entries needed.
        needed: usize,
        /// Entries there are.
        available: usize,
    },
}

impl<'a> EncodeBatch<'a> {
    /// Inner frames that differ in nothing.
    pub const fn new(inner: &'a [u8], spans: Spans<'a>) -> Self {
        Self {
            inner,
            spans,
            vni: &[],
            source: &[],
            destination: &[],
            source_mac: &[],
            destination_mac: &[],
            source_port: &[],
        }
    }

    /// Bytes that all packets need together.
    ///
    /// # Errors
    ///
    /// [`EncodeBatchError::OutOfBuffer`], and [`EncodeBatchError::ColumnLength`].
    pub fn encoded_len(&self, encap: &Encap) -> Result<usize, EncodeBatchError> {
        let frames = self.spans.len();
        for (column, found) in [
            ("vni", self.vni.len()),
            ("source", self.source.len()),
            ("destination", self.destination.len()),
            ("source_mac", self.source_mac.len()),
            ("destination_mac", self.destination_mac.len()),
            ("source_port", self.source_port.len()),
        ] {
            if found != 0 && found != frames {
                return Err(EncodeBatchError::ColumnLength { column, found, frames });
            }
        }
        let headers = frames.saturating_mul(encap.header_len());
        if let Some(inner) = self.inner_len() {
            return Ok(headers.saturating_add(inner));
        }
        let mut length = 0_usize;
        for row in 0..frames {
            length = length.saturating_add(encap.encoded_len(self.frame(row)?.len()));
        }
        Ok(length)
    }

    /// Bytes of all frames, where it is seen at once that they lie in the buffer.
    fn inner_len(&self) -> Option<usize> {
        let (first, last) = match self.spans {
            Spans::Ranges { .. } => return None,
            Spans::Even { length, count } => (0, length.checked_mul(u64::try_from(count).ok()?)?),
            Spans::Offsets(offsets) => {
                // All pairs are looked at, so that it is done without a branch for each.
                let pairs = offsets.iter().zip(offsets.iter().skip(1));
                let back = pairs.map(|(start, end)| u64::from(start > end)).sum::<u64>();
                if back != 0 {
                    return None;
                }
                (*offsets.first()?, *offsets.last()?)
            }
        };
        let (first, last) = (usize::try_from(first).ok()?, usize::try_from(last).ok()?);
        (last <= self.inner.len()).then(|| last - first)
    }

    fn frame(&self, row: usize) -> Result<&'a [u8], EncodeBatchError> {
        self.spans.get(self.inner, row).ok_or_else(|| {
            let end = self.spans.range(row).map_or(u64::MAX, |(_, end)| end);
            EncodeBatchError::OutOfBuffer { row, end, available: self.inner.len() }
        })
    }

    fn packet(&self, encap: &Encap, row: usize) -> Result<PerPacket, EncodeError> {
        let vni = match self.vni.get(row) {
            Some(&vni) => Some(Vni::new(vni).ok_or(EncodeError::Vni { vni })?),
            None => None,
        };
        let ipv4 = encap.outer().source.is_ipv4();
        let address = |column: &[[u8; 16]]| {
            let address = Ipv6Addr::from_octets(*column.get(row)?);
            Some(match address.to_ipv4_mapped() {
                Some(address) if ipv4 => IpAddr::V4(address),
                _ => IpAddr::V6(address),
            })
        };
        // Each packet has a number of its own, so that fragments of one cannot be taken for another's (RFC 791 section 3.2).
        let [.., a, b] = row.to_be_bytes();
        let identification = encap.outer().identification.wrapping_add(u16::from_be_bytes([a, b]));
        Ok(PerPacket {
            vni,
            source: address(self.source),
            destination: address(self.destination),
            source_mac: self.source_mac.get(row).map(|mac| MacAddress::new(*mac)),
            destination_mac: self.destination_mac.get(row).map(|mac| MacAddress::new(*mac)),
            source_port: self.source_port.get(row).copied(),
            identification: Some(identification),
        })
    }
}

/// Writes the packets of all frames one after another, and where each starts and the last one ends: `offsets` has one entry
/// more than there are frames. Over IPv4, identification counts up from that of the `Encap`. Gives the bytes written.
///
/// # Errors
///
/// [`EncodeBatchError`]. Whether there is room is known before anything is written.
pub fn encode_batch(
    encap: &Encap,
    batch: &EncodeBatch<'_>,
    out: &mut [u8],
    offsets: &mut [u64],
) -> Result<usize, EncodeBatchError> {
    let (frames, needed) = (batch.spans.len(), batch.encoded_len(encap)?);
    for (column, needed, available) in
        [("out", needed, out.len()), ("offsets", frames.saturating_add(1), offsets.len())]
    {
        if available < needed {
            return Err(EncodeBatchError::OutTooShort { column, needed, available });
        }
    }
    let usual = Usual::new(encap);
    let mut at = 0_u64;
    let mut rest = out;
    let mut offsets = offsets.iter_mut();
    for (row, offset) in (0..frames).zip(offsets.by_ref()) {
        *offset = at;
        let inner = batch.frame(row)?;
        let length = encap.encoded_len(inner.len());
        let (place, after) = rest.split_at_mut_checked(length).unwrap_or_default();
        if !usual.as_ref().is_some_and(|usual| usual.write(batch, row, inner, place)) {
            let frame_error = |error| EncodeBatchError::Frame { row, error };
            write_odd(encap, batch, row, inner, place).map_err(frame_error)?;
        }
        at = at.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        rest = after;
    }
    if let Some(end) = offsets.next() {
        *end = at;
    }
    Ok(needed)
}

/// By the general encoder, field by field.
#[inline(never)]
fn write_odd(
    encap: &Encap,
    batch: &EncodeBatch<'_>,
    row: usize,
    inner: &[u8],
    place: &mut [u8],
) -> Result<usize, EncodeError> {
    encap.encode_with(&batch.packet(encap, row)?, inner, place)
}
