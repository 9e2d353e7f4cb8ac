//! UDP (RFC 768).
//!
//! ```text
//!  0                   1                   2                   3
//! +-------------------------------+-------------------------------+
//! |          source port          |       destination port        |
//! +-------------------------------+-------------------------------+
//! |            length             |           checksum            |
//! +-------------------------------+-------------------------------+
//! ```

use crate::bytes;
use crate::error::{DecodeError, Layer};

/// A UDP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct UdpHeader {
    /// Source port; for VXLAN a hash of the inner flow.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// Length of header and payload in bytes; 0 in jumbograms (RFC 2675) and where offloads left it open (BIG TCP).
    pub length: u16,
    /// Checksum; 0 when the sender computed none.
    pub checksum: u16,
}

impl UdpHeader {
    /// Length in bytes.
    pub const LEN: usize = 8;

    /// The header at the front of `bytes`, and what follows it. `offset`, from the start of the frame, is for errors.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`](crate::Fault::Truncated).
    #[inline]
    pub fn decode(bytes: &[u8], offset: usize) -> Result<(Self, &[u8]), DecodeError> {
        let ([s0, s1, d0, d1, l0, l1, c0, c1], rest) =
            bytes::take::<{ Self::LEN }>(bytes, Layer::Udp, offset)?;
        let header = Self {
            source_port: u16::from_be_bytes([*s0, *s1]),
            destination_port: u16::from_be_bytes([*d0, *d1]),
            length: u16::from_be_bytes([*l0, *l1]),
            checksum: u16::from_be_bytes([*c0, *c1]),
        };
        Ok((header, rest))
    }

    /// The header as it goes on the wire.
    #[inline]
    pub const fn to_bytes(&self) -> [u8; Self::LEN] {
        let [s0, s1] = self.source_port.to_be_bytes();
        let [d0, d1] = self.destination_port.to_be_bytes();
        let [l0, l1] = self.length.to_be_bytes();
        let [c0, c1] = self.checksum.to_be_bytes();
        [s0, s1, d0, d1, l0, l1, c0, c1]
    }
}
