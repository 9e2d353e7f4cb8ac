//! GRE (RFC 2784) with key and sequence number (RFC 2890), as a carrier of mirrored frames.
//!
//! ```text
//!  0                   1                   2                   3
//! +-+-+-+-+-----------------+-----+-------------------------------+
//! |C|R|K|S|     reserved    | Ver |         protocol type         |
//! +-+-+-+-+-----------------+-----+-------------------------------+
//! |      checksum (C)             |        reserved1 (C)          |
//! |                            key (K)                            |
//! |                      sequence number (S)                      |
//! +---------------------------------------------------------------+
//! ```

use crate::bytes::{self, Writer};
use crate::error::{DecodeError, EncodeError, Fault, Layer};
use crate::ether_type::EtherType;

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const VERSION: u16 = 0x0007;

/// A GRE header of version 0 without source routing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct GreHeader {
    /// Reserved bits of the first two bytes, kept as they stand.
    pub reserved: u16,
    /// What follows.
    pub protocol: EtherType,
    /// Checksum and the 16 bits after it.
    pub checksum: Option<(u16, u16)>,
    /// Key.
    pub key: Option<u32>,
    /// Sequence number.
    pub sequence: Option<u32>,
}

impl GreHeader {
    /// Length without optional fields, in bytes.
    pub const MIN_LEN: usize = 4;
    /// Length with all optional fields, in bytes.
    pub const MAX_LEN: usize = 16;

    /// The header at the front of `bytes`, and what follows it. `offset`, from the start of the frame, is for errors.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`]; [`Fault::Version`] unless it is 0; [`Fault::Unsupported`] with the flags for the source routes of RFC 1701.
    pub fn decode(bytes: &[u8], offset: usize) -> Result<(Self, &[u8]), DecodeError> {
        let ([f0, f1, p0, p1], rest) = bytes::take::<{ Self::MIN_LEN }>(bytes, Layer::Gre, offset)?;
        let flags = u16::from_be_bytes([*f0, *f1]);
        if flags & VERSION != 0 {
            return Err(DecodeError::new(Layer::Gre, offset, Fault::Version { found: f1 & 0x07 }));
        }
        if flags & ROUTING != 0 {
            let found = u32::from(flags);
            return Err(DecodeError::new(Layer::Gre, offset, Fault::Unsupported { found }));
        }
        let mut words = rest;
        let mut word = |flag: u16| -> Result<Option<[u8; 4]>, DecodeError> {
            if flags & flag == 0 {
                return Ok(None);
            }
            let Some((word, rest)) = words.split_first_chunk::<4>() else {
                let needed = Self::length(flags);
                return Err(DecodeError::truncated(Layer::Gre, offset, needed, bytes.len()));
            };
            words = rest;
            Ok(Some(*word))
        };
        let header = Self {
            reserved: flags & !(CHECKSUM | KEY | SEQUENCE),
            protocol: EtherType(u16::from_be_bytes([*p0, *p1])),
            checksum: word(CHECKSUM)?
                .map(|[a, b, c, d]| (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))),
            key: word(KEY)?.map(u32::from_be_bytes),
            sequence: word(SEQUENCE)?.map(u32::from_be_bytes),
        };
        Ok((header, words))
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        Self::length(self.flags())
    }

    /// Never: there is always a header.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Writes the header as it stands, and says how long it is.
    ///
    /// # Errors
    ///
    /// [`EncodeError::BufferTooShort`].
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        let mut writer = Writer::new(out, self.len())?;
        writer.put(&self.flags().to_be_bytes());
        writer.put(&self.protocol.0.to_be_bytes());
        if let Some((checksum, reserved)) = self.checksum {
            writer.put(&checksum.to_be_bytes());
            writer.put(&reserved.to_be_bytes());
        }
        for word in [self.key, self.sequence].into_iter().flatten() {
            writer.put(&word.to_be_bytes());
        }
        Ok(writer.written())
    }

    fn flags(&self) -> u16 {
        let when = |present: bool, flag: u16| if present { flag } else { 0 };
        self.reserved & !(CHECKSUM | ROUTING | KEY | SEQUENCE | VERSION)
            | when(self.checksum.is_some(), CHECKSUM)
            | when(self.key.is_some(), KEY)
            | when(self.sequence.is_some(), SEQUENCE)
    }

    fn length(flags: u16) -> usize {
        let words = [CHECKSUM, KEY, SEQUENCE].iter().filter(|flag| flags & **flag != 0).count();
        Self::MIN_LEN + words * 4
    }
}
