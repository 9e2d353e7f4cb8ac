//! Captures: pcap and pcapng files and streams, read and written, also out of `.gz` and `.zst`.
//!
//! Reading keeps a window of the capture in memory, 256 KiB unless a packet is longer, however long the capture is; bytes are
//! handed out where they lie. What a capture says of lengths is believed only as far as bytes follow: a record of more than
//! [`MAX_RECORD`] is refused.
//!
//! ```
//! use bayplan_vxlan::capture::{CaptureReader, PcapWriter, Resolution, Timestamp};
//! use bayplan_vxlan::LinkType;
//!
//! let mut file = Vec::new();
//! let mut writer = PcapWriter::new(&mut file, LinkType::ETHERNET, Resolution::Nanos)?;
//! writer.write(Timestamp::new(1_700_000_000, 5), 60, &[0x5a; 60])?;
//!
//! let mut reader = CaptureReader::new(&file[..])?;
//! while let Some(record) = reader.next_record()? {
//!     assert_eq!(record.data, [0x5a; 60]);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod pcap;
mod pcapng;
mod record;
mod source;
mod window;
mod writer;

use std::fmt;
use std::io::Read;

use pcap::Pcap;
use pcapng::Pcapng;
use record::{Parsed, Raw};
use source::Source;
use window::Window;

use crate::link::LinkType;

pub use error::{CaptureError, CaptureWriteError};
pub use record::{Block, Record, Timestamp};
pub use writer::{PcapWriter, PcapngWriter, Resolution};

/// The longest record that is read, in bytes. The longest packet that Linux hands out is of half a mebibyte (BIG TCP).
pub const MAX_RECORD: usize = 16 << 20;

/// Which format a capture has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// The format of libpcap.
    Pcap,
    /// pcapng.
    Pcapng,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endian {
    Big,
    Little,
}

impl Endian {
    #[inline]
    fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Big => u16::from_be_bytes(bytes),
            Self::Little => u16::from_le_bytes(bytes),
        }
    }

    #[inline]
    fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Big => u32::from_be_bytes(bytes),
            Self::Little => u32::from_le_bytes(bytes),
        }
    }

    fn i64(self, bytes: [u8; 8]) -> i64 {
        match self {
            Self::Big => i64::from_be_bytes(bytes),
            Self::Little => i64::from_le_bytes(bytes),
        }
    }
}

#[derive(Debug)]
enum State {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

impl State {
    #[inline]
    fn parse(&mut self, bytes: &[u8], offset: u64) -> Result<Parsed, CaptureError> {
        match self {
            Self::Pcap(pcap) => pcap.parse(bytes, offset),
            Self::Pcapng(pcapng) => pcapng.parse(bytes, offset),
        }
    }
}

/// Reads the packets of a capture.
pub struct CaptureReader<R: Read> {
    window: Window<R>,
    state: State,
    /// Bytes of the window that were handed out last.
    handed_out: usize,
    /// Packets handed out.
    packets: u64,
    failed: bool,
    columns: BlockColumns,
}

impl<R: Read> fmt::Debug for CaptureReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaptureReader")
            .field("offset", &self.window.offset())
            .field("packets", &self.packets)
            .finish_non_exhaustive()
    }
}

/// The columns of a [`Block`].
#[derive(Debug, Default)]
struct BlockColumns {
    offsets: Vec<u64>,
    lengths: Vec<u64>,
    original_lengths: Vec<u32>,
    timestamps: Vec<i64>,
}

impl BlockColumns {
    fn clear(&mut self) {
        self.offsets.clear();
        self.lengths.clear();
        self.original_lengths.clear();
        self.timestamps.clear();
    }

    #[inline]
    fn push(&mut self, at: usize, raw: &Raw) {
        self.offsets.push(wide(at + raw.start));
        self.lengths.push(wide(raw.captured));
        self.original_lengths.push(raw.original_length);
        self.timestamps.push(raw.timestamp.map_or(0, Timestamp::as_nanos));
    }
}

impl<R: Read> CaptureReader<R> {
    /// Starts to read a capture: format, byte order and compression show in its first bytes.
    ///
    /// # Errors
    ///
    /// [`CaptureError`]: a capture that is none, or whose header is not known.
    pub fn new(read: R) -> Result<Self, CaptureError> {
        let mut window = Window::new(Source::new(read)?);
        let header = |window: &mut Window<R>, needed| {
            if window.fill(needed)? {
                return Ok(());
            }
            let available = window.available().len();
            Err(CaptureError::Truncated { offset: 0, needed, available })
        };
        header(&mut window, 4)?;
        let magic = window.available().first_chunk::<4>().copied().unwrap_or_default();
        let state = if let Some(order) = Pcap::magic(magic) {
            header(&mut window, pcap::HEADER_LEN)?;
            let bytes = window.available().first_chunk().copied().unwrap_or([0; 24]);
            window.consume(pcap::HEADER_LEN);
            State::Pcap(Pcap::new(order, &bytes)?)
        } else if u32::from_be_bytes(magic) == pcapng::SECTION_HEADER {
            State::Pcapng(Pcapng::new())
        } else {
            return Err(CaptureError::NotACapture { magic });
        };
        let columns = BlockColumns::default();
        Ok(Self { window, state, handed_out: 0, packets: 0, failed: false, columns })
    }

    /// Which format the capture has.
    pub const fn format(&self) -> Format {
        match self.state {
            State::Pcap(_) => Format::Pcap,
            State::Pcapng(_) => Format::Pcapng,
        }
    }

    /// The next packet; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`CaptureError`]; asked again after that, the capture is at its end.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        self.window.consume(core::mem::take(&mut self.handed_out));
        let Some(raw) = self.find_record()? else { return Ok(None) };
        self.handed_out = raw.consumed;
        self.packets = self.packets.saturating_add(1);
        let end = raw.start + raw.captured;
        Ok(Some(Record {
            number: self.packets,
            timestamp: raw.timestamp,
            link: raw.link,
            interface: raw.interface,
            original_length: raw.original_length,
            data: self.window.available().get(raw.start..end).unwrap_or_default(),
        }))
    }

    /// The next packets, as many of one link type as are in memory together; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`CaptureError`], once all packets before it were handed out; asked again after that, the capture is at its end.
    pub fn next_block(&mut self) -> Result<Option<Block<'_>>, CaptureError> {
        self.window.consume(core::mem::take(&mut self.handed_out));
        self.columns.clear();
        let Some(first) = self.find_record()? else { return Ok(None) };
        self.columns.push(0, &first);
        let mut at = first.consumed;
        let buffer = self.window.available();
        let offset = self.window.offset();
        // What is not handed out now is looked at again, and an error with it: the parser has taken note of nothing then.
        while let Some(rest) = buffer.get(at..) {
            match self.state.parse(rest, offset.saturating_add(wide(at))) {
                Ok(Parsed::Record(raw)) if raw.link == first.link => {
                    self.columns.push(at, &raw);
                    at += raw.consumed;
                }
                Ok(Parsed::Skip(length)) if length <= rest.len() => at += length,
                _ => break,
            }
        }
        self.handed_out = at;
        let first_number = self.packets.saturating_add(1);
        self.packets = self.packets.saturating_add(wide(self.columns.offsets.len()));
        Ok(Some(Block {
            first_number,
            link: first.link,
            buffer: buffer.get(..at).unwrap_or_default(),
            offsets: &self.columns.offsets,
            lengths: &self.columns.lengths,
            original_lengths: &self.columns.original_lengths,
            timestamps: &self.columns.timestamps,
        }))
    }

    /// Brings the next packet to the start of the window, whole.
    fn find_record(&mut self) -> Result<Option<Raw>, CaptureError> {
        if self.failed {
            return Ok(None);
        }
        let found = self.search();
        self.failed = found.is_err();
        found
    }

    fn search(&mut self) -> Result<Option<Raw>, CaptureError> {
        loop {
            let offset = self.window.offset();
            let (needed, available) = match self.state.parse(self.window.available(), offset)? {
                Parsed::Record(raw) => return Ok(Some(raw)),
                Parsed::Skip(length) => {
                    let missing = self.window.skip(length)?;
                    if missing == 0 {
                        continue;
                    }
                    (length, length - missing)
                }
                Parsed::Need(needed) => {
                    if self.window.fill(needed)? {
                        continue;
                    }
                    (needed, self.window.available().len())
                }
            };
            if available == 0 {
                return Ok(None);
            }
            return Err(CaptureError::Truncated { offset, needed, available });
        }
    }
}

impl Block<'_> {
    /// Where the packets lie, for [`decode_batch`](crate::batch::decode_batch).
    pub const fn spans(&self) -> crate::batch::Spans<'_> {
        crate::batch::Spans::Ranges { offsets: self.offsets, lengths: self.lengths }
    }

    /// How many packets there are.
    pub const fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Never: there is at least one.
    pub const fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }
}

/// A length of a capture, where it is at most `most`.
#[inline]
fn record_length(length: u32, offset: u64, most: usize) -> Result<usize, CaptureError> {
    match usize::try_from(length) {
        Ok(length) if length <= most => Ok(length),
        _ => {
            let length = u64::from(length);
            Err(CaptureError::Length { offset, length, least: 0, most: wide(most) })
        }
    }
}

#[inline]
fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The link type as a capture file of a format can say it.
fn narrow_link<T: TryFrom<u32>>(link: LinkType) -> Result<T, CaptureWriteError> {
    T::try_from(link.0).map_err(|_| CaptureWriteError::LinkType { link: link.0 })
}
