//! Many packets of one buffer at once: columns out of them, packets from columns. Nothing is allocated.

mod columns;
mod decode;
mod encode;
mod headers;
mod shape;
mod write;

pub use columns::{Columns, NO_VLAN};
pub use decode::{Decoded, decode_batch};
pub use encode::{EncodeBatch, EncodeBatchError, encode_batch};
pub use headers::{decode_headers, encode_headers};

/// Where packets lie in a buffer. Offsets and lengths are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spans<'a> {
    /// Packets of one length, one after another.
    Even {
        /// Length of each.
        length: u64,
        /// How many there are.
        count: usize,
    },
    /// Packets one after another: where each starts, and where the last one ends. So there is one number more than packets.
    Offsets(&'a [u64]),
    /// Where each starts and how long it is; when there are more of the one than of the other, the rest counts for nothing.
    Ranges {
        /// Starts.
        offsets: &'a [u64],
        /// Lengths.
        lengths: &'a [u64],
    },
}

impl Spans<'_> {
    /// How many packets there are.
    pub const fn len(&self) -> usize {
        match self {
            Self::Even { count, .. } => *count,
            Self::Offsets(offsets) => offsets.len().saturating_sub(1),
            Self::Ranges { offsets, lengths } => {
                if offsets.len() < lengths.len() {
                    offsets.len()
                } else {
                    lengths.len()
                }
            }
        }
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Start and end of a packet. An end beyond what 64 bits can say, or before the start, comes out as the greatest number.
    #[inline]
    pub fn range(&self, row: usize) -> Option<(u64, u64)> {
        match self {
            Self::Even { length, count } => {
                let start = u64::try_from(row).ok()?.saturating_mul(*length);
                (row < *count).then(|| (start, start.saturating_add(*length)))
            }
            Self::Offsets(offsets) => {
                let [start, end] = *offsets.get(row..)?.first_chunk::<2>()?;
                Some((start, if end < start { u64::MAX } else { end }))
            }
            Self::Ranges { offsets, lengths } => {
                let (start, length) = (*offsets.get(row)?, *lengths.get(row)?);
                Some((start, start.saturating_add(length)))
            }
        }
    }

    /// The bytes of a packet; `None` when it lies outside the buffer.
    #[inline]
    pub fn get<'b>(&self, buffer: &'b [u8], row: usize) -> Option<&'b [u8]> {
        let (start, end) = self.range(row)?;
        buffer.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    }
}
