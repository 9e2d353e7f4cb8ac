//! What a capture holds: records and their times.

use std::fmt;

use crate::link::LinkType;

/// A time, as seconds and nanoseconds from the start of 1970 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

const NANOS: u64 = 1_000_000_000;

impl Timestamp {
    /// A time; nanoseconds beyond a second are carried over.
    pub fn new(seconds: i64, nanos: u64) -> Self {
        let carried = i64::try_from(nanos / NANOS).unwrap_or(i64::MAX);
        let nanos = u32::try_from(nanos % NANOS).unwrap_or_default();
        Self { seconds: seconds.saturating_add(carried), nanos }
    }

    /// Whole seconds from 1970, rounded down.
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds in the second, below 1,000,000,000.
    pub const fn subsec_nanos(self) -> u32 {
        self.nanos
    }

    /// Nanoseconds from 1970; a time that 64 bits cannot say is the nearest one that they can.
    #[inline]
    pub fn as_nanos(self) -> i64 {
        self.seconds.saturating_mul(1_000_000_000).saturating_add(i64::from(self.nanos))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.seconds, self.nanos)
    }
}

/// A packet of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Which packet of the capture it is, from 1.
    pub number: u64,
    /// When it was captured; `None` where the format says no time (simple packet blocks).
    pub timestamp: Option<Timestamp>,
    /// What it starts with.
    pub link: LinkType,
    /// Which interface of its section it came from; 0 in pcap.
    pub interface: u32,
    /// Its length on the wire, in bytes; there may be less of it in the capture.
    pub original_length: u32,
    /// What was captured.
    pub data: &'a [u8],
}

/// Packets of one link type that lie in one buffer, in columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'a> {
    /// Which packet of the capture the first one is, from 1.
    pub first_number: u64,
    /// What the packets start with.
    pub link: LinkType,
    /// The buffer; between the packets lies what the format puts there.
    pub buffer: &'a [u8],
    /// Where each packet starts in it, in bytes.
    pub offsets: &'a [u64],
    /// How much of each was captured, in bytes.
    pub lengths: &'a [u64],
    /// Length of each on the wire, in bytes.
    pub original_lengths: &'a [u32],
    /// When each was captured, in nanoseconds from 1970; 0 where the format says no time.
    pub timestamps: &'a [i64],
}

/// A step through a capture.
#[derive(Debug, Clone, Copy)]
pub(super) enum Parsed {
    /// So many bytes are needed to say more.
    Need(usize),
    /// So many bytes hold nothing that is kept.
    Skip(usize),
    /// A packet.
    Record(Raw),
}

/// A packet, before it is known where its bytes will lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raw {
    /// Where the packet starts, in bytes from the start of the record.
    pub(super) start: usize,
    pub(super) captured: usize,
    /// Length of the whole record.
    pub(super) consumed: usize,
    pub(super) original_length: u32,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) link: LinkType,
    pub(super) interface: u32,
}
