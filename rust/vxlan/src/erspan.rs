//! ERSPAN type II: a mirrored Ethernet frame in GRE (draft-foschiano-erspan-03 section 4.2).
//!
//! ```text
//!  0                   1                   2                   3
//! +-------+-----------------------+-----+---+-+-------------------+
//! | Ver=1 |          VLAN         | COS |En |T|     session       |
//! +-------+-----------------------+-----+---+-+-------------------+
//! |       reserved        |                 index                 |
//! +-----------------------+---------------------------------------+
//! ```

use crate::bytes;
use crate::error::{DecodeError, Fault, Layer};
use crate::vlan_id::VlanId;

/// An ERSPAN header of type II, bit for bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErspanHeader(u64);

impl ErspanHeader {
    /// Length in bytes.
    pub const LEN: usize = 8;

    /// A header of this session and VLAN, all else zero; `None` when the session has more than 10 bits.
    pub fn new(session: u16, vlan: VlanId) -> Option<Self> {
        (session <= 0x3ff)
            .then(|| Self(1 << 60 | u64::from(vlan.get()) << 48 | u64::from(session) << 32))
    }

    /// The header at the front of `bytes`, and what follows it. `offset`, from the start of the frame, is for errors.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`]; [`Fault::Version`] unless it is 1.
    pub fn decode(bytes: &[u8], offset: usize) -> Result<(Self, &[u8]), DecodeError> {
        let (header, rest) = bytes::take::<{ Self::LEN }>(bytes, Layer::Erspan, offset)?;
        let [first, ..] = *header;
        if first >> 4 != 1 {
            let fault = Fault::Version { found: first >> 4 };
            return Err(DecodeError::new(Layer::Erspan, offset, fault));
        }
        Ok((Self(u64::from_be_bytes(*header)), rest))
    }

    /// The header as it goes on the wire.
    pub const fn to_bytes(&self) -> [u8; Self::LEN] {
        self.0.to_be_bytes()
    }

    /// VLAN of the mirrored frame.
    pub const fn vlan(&self) -> VlanId {
        let [a, b, ..] = self.0.to_be_bytes();
        VlanId::from_tag(u16::from_be_bytes([a, b]))
    }

    /// Class of service of the mirrored frame, 0 to 7.
    pub const fn class_of_service(&self) -> u8 {
        let [_, _, a, ..] = self.0.to_be_bytes();
        a >> 5
    }

    /// Whether the mirrored frame was cut.
    pub const fn truncated(&self) -> bool {
        self.0 & 1 << 42 != 0
    }

    /// Session, 0 to 1023.
    pub const fn session(&self) -> u16 {
        let [_, _, a, b, ..] = self.0.to_be_bytes();
        u16::from_be_bytes([a & 0x03, b])
    }

    /// Index of the mirrored port, 20 bits.
    pub const fn index(&self) -> u32 {
        let [.., a, b, c] = self.0.to_be_bytes();
        u32::from_be_bytes([0, a & 0x0f, b, c])
    }
}
