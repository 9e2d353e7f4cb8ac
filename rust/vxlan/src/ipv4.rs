//! IPv4 with options (RFC 791).
//!
//! ```text
//!  0                   1                   2                   3
//! +-------+-------+---------------+-------------------------------+
//! |   4   |  IHL  |      TOS      |         total length          |
//! +-------+-------+---------------+-----+-------------------------+
//! |        identification         |R|D|M|     fragment offset     |
//! +---------------+---------------+-----+-------------------------+
//! |      TTL      |   protocol    |           checksum            |
//! +---------------+---------------+-------------------------------+
//! |                            source                             |
//! |                          destination                          |
//! |               options, (IHL - 5) * 4 bytes                    |
//! +---------------------------------------------------------------+
//! ```

use core::net::Ipv4Addr;

use crate::bytes::{self, Writer};
use crate::checksum::{Checksum, ChecksumStatus};
use crate::ecn::EcnCodepoint;
use crate::error::{DecodeError, EncodeError, Fault, Layer};
use crate::ip_protocol::IpProtocol;

const MIN_LEN: usize = 20;

/// An IPv4 header. Version and header length follow from the rest; everything else is as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ipv4Header<'a> {
    /// DSCP in the upper six bits (RFC 2474), ECN in the lower two (RFC 3168).
    pub type_of_service: u8,
    /// Length of header and payload in bytes; 0 where offloads left it open (BIG TCP).
    pub total_length: u16,
    /// Tells the fragments of one packet from those of another.
    pub identification: u16,
    /// Flags and fragment offset.
    pub fragment: Fragment,
    /// Time to live, in hops.
    pub ttl: u8,
    /// What follows.
    pub protocol: IpProtocol,
    /// Checksum of the header.
    pub checksum: u16,
    /// Whom the packet is from.
    pub source: Ipv4Addr,
    /// Whom it is for.
    pub destination: Ipv4Addr,
    /// Options with their padding: a multiple of 4 bytes, at most 40.
    pub options: &'a [u8],
}

/// Flags and fragment offset of an IPv4 header, as they stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(transparent)]
pub struct Fragment(pub u16);

impl Fragment {
    /// DF alone.
    pub const DONT_FRAGMENT: Self = Self(0x4000);
    /// MF alone.
    pub const MORE_FRAGMENTS: Self = Self(0x2000);

    /// DF: the packet may not be fragmented.
    pub const fn dont_fragment(self) -> bool {
        self.0 & Self::DONT_FRAGMENT.0 != 0
    }

    /// MF: it is not the last fragment.
    pub const fn more(self) -> bool {
        self.0 & Self::MORE_FRAGMENTS.0 != 0
    }

    /// Where the fragment starts in the payload of its packet, in bytes.
    pub const fn offset(self) -> u16 {
        // 13 bits, in units of 8 bytes
        (self.0 & 0x1fff) << 3
    }

    /// Whether it is a part of a packet.
    #[inline]
    pub const fn is_fragment(self) -> bool {
        self.0 & 0x3fff != 0
    }
}

impl<'a> Ipv4Header<'a> {
    /// Length without options, in bytes.
    pub const MIN_LEN: usize = MIN_LEN;
    /// The most bytes of options.
    pub const MAX_OPTIONS: usize = 40;

    /// The header at the front of `bytes`, and what follows it. `offset`, from the start of the frame, is for errors.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`]; [`Fault::Version`] unless it is 4; [`Fault::Length`] when the header's own length is below 20 bytes.
    #[inline]
    pub fn decode(bytes: &'a [u8], offset: usize) -> Result<(Self, &'a [u8]), DecodeError> {
        let (header, rest) = bytes::take::<MIN_LEN>(bytes, Layer::Ipv4, offset)?;
        let [
            version_ihl,
            type_of_service,
            l0,
            l1,
            i0,
            i1,
            f0,
            f1, //
            ttl,
            protocol,
            c0,
            c1,
            s0,
            s1,
            s2,
            s3,
            d0,
            d1,
            d2,
            d3,
        ] = *header;
        if version_ihl >> 4 != 4 {
            let found = version_ihl >> 4;
            return Err(DecodeError::new(Layer::Ipv4, offset, Fault::Version { found }));
        }
        let length = usize::from(version_ihl & 0x0f) * 4;
        let Some(options) = length.checked_sub(Self::MIN_LEN) else {
            let most = Self::MIN_LEN + Self::MAX_OPTIONS;
            let fault = Fault::Length { found: length, least: Self::MIN_LEN, most };
            return Err(DecodeError::new(Layer::Ipv4, offset, fault));
        };
        let Some((options, rest)) = rest.split_at_checked(options) else {
            return Err(DecodeError::truncated(Layer::Ipv4, offset, length, bytes.len()));
        };
        let header = Self {
            type_of_service,
            total_length: u16::from_be_bytes([l0, l1]),
            identification: u16::from_be_bytes([i0, i1]),
            fragment: Fragment(u16::from_be_bytes([f0, f1])),
            ttl,
            protocol: IpProtocol(protocol),
            checksum: u16::from_be_bytes([c0, c1]),
            source: Ipv4Addr::new(s0, s1, s2, s3),
            destination: Ipv4Addr::new(d0, d1, d2, d3),
            options,
        };
        Ok((header, rest))
    }

    /// Length with options, in bytes.
    pub const fn len(&self) -> usize {
        Self::MIN_LEN + self.options.len()
    }

    /// Never: there is always a header.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// The ECN field.
    pub const fn ecn(&self) -> EcnCodepoint {
        EcnCodepoint::of(self.type_of_service)
    }

    /// The differentiated services code point, 0 to 63.
    pub const fn dscp(&self) -> u8 {
        self.type_of_service >> 2
    }

    /// Writes the header as it stands, checksum included, and says how long it is.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] or [`EncodeError::Unaligned`] for the options; [`EncodeError::BufferTooShort`].
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        let layer = Layer::Ipv4;
        let length = self.options.len();
        if length > Self::MAX_OPTIONS {
            return Err(EncodeError::TooLong { layer, length, limit: Self::MAX_OPTIONS });
        }
        if !length.is_multiple_of(4) {
            return Err(EncodeError::Unaligned { layer, length, unit: 4 });
        }
        let mut writer = Writer::new(out, self.len())?;
        writer.put(&self.fixed_part());
        writer.put(self.options);
        Ok(writer.written())
    }

    /// What the checksum should be.
    pub fn computed_checksum(&self) -> u16 {
        let header = Self { checksum: 0, ..*self };
        Checksum::new().add_bytes(&header.fixed_part()).add_bytes(self.options).finish()
    }

    /// Whether the checksum is right.
    pub fn checksum_status(&self) -> ChecksumStatus {
        // A header whose checksum is 0 or 0xffff sums to the same: what counts is the sum (RFC 1071 section 1)
        if Checksum::new().add_bytes(&self.fixed_part()).add_bytes(self.options).fold() == 0xffff {
            return ChecksumStatus::Good;
        }
        ChecksumStatus::Bad { found: self.checksum, expected: self.computed_checksum() }
    }

    fn fixed_part(&self) -> [u8; MIN_LEN] {
        let words = u8::try_from(self.len() / 4).unwrap_or(0x0f) & 0x0f;
        let [l0, l1] = self.total_length.to_be_bytes();
        let [i0, i1] = self.identification.to_be_bytes();
        let [f0, f1] = self.fragment.0.to_be_bytes();
        let [c0, c1] = self.checksum.to_be_bytes();
        let [s0, s1, s2, s3] = self.source.octets();
        let [d0, d1, d2, d3] = self.destination.octets();
        [
            0x40 | words,
            self.type_of_service,
            l0,
            l1,
            i0,
            i1,
            f0,
            f1, //
            self.ttl,
            self.protocol.0,
            c0,
            c1,
            s0,
            s1,
            s2,
            s3,
            d0,
            d1,
            d2,
            d3,
        ]
    }
}
