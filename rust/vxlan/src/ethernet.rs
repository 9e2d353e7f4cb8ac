//! Ethernet II.
//!
//! ```text
//!  0                   1                   2                   3
//! +-------------------------------+-------------------------------+
//! |                        destination                            |
//! |                               |            source             |
//! |                                                               |
//! |           EtherType           |
//! +-------------------------------+
//! ```

use crate::bytes;
use crate::error::{DecodeError, Layer};
use crate::ether_type::EtherType;
use crate::mac::MacAddress;

/// An Ethernet header, without preamble and frame check sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct EthernetHeader {
    /// Whom the frame is for.
    pub destination: MacAddress,
    /// Whom it is from.
    pub source: MacAddress,
    /// What follows.
    pub ether_type: EtherType,
}

impl EthernetHeader {
    /// Length in bytes.
    pub const LEN: usize = 14;

    /// The header at the front of `bytes`, and what follows it. `offset`, from the start of the frame, is for errors.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`](crate::Fault::Truncated).
    #[inline]
    pub fn decode(bytes: &[u8], offset: usize) -> Result<(Self, &[u8]), DecodeError> {
        let (header, rest) = bytes::take::<{ Self::LEN }>(bytes, Layer::Ethernet, offset)?;
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1] = *header;
        let header = Self {
            destination: MacAddress::new([d0, d1, d2, d3, d4, d5]),
            source: MacAddress::new([s0, s1, s2, s3, s4, s5]),
            ether_type: EtherType(u16::from_be_bytes([t0, t1])),
        };
        Ok((header, rest))
    }

    /// The header as it goes on the wire.
    #[inline]
    pub const fn to_bytes(&self) -> [u8; Self::LEN] {
        let [d0, d1, d2, d3, d4, d5] = self.destination.octets();
        let [s0, s1, s2, s3, s4, s5] = self.source.octets();
        let [t0, t1] = self.ether_type.0.to_be_bytes();
        [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1]
    }
}
