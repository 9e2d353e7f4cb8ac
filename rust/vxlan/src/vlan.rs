//! 802.1Q and 802.1ad (`QinQ`) tags. The `EtherType` before a tag says which of them it is.
//!
//! ```text
//!  0                   1                   2                   3
//! +-----+-+-----------------------+-------------------------------+
//! | PCP |D|        VLAN           |           EtherType           |
//! +-----+-+-----------------------+-------------------------------+
//! ```

use crate::bytes;
use crate::error::{DecodeError, Layer};
use crate::ether_type::EtherType;
use crate::vlan_id::VlanId;

/// A VLAN tag, and the `EtherType` after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct VlanTag {
    /// Priority code point, 0 to 7.
    pub priority: Priority,
    /// Drop eligible indicator.
    pub drop_eligible: bool,
    /// The VLAN.
    pub id: VlanId,
    /// What follows: another tag, or what the frame carries.
    pub ether_type: EtherType,
}

/// The priority code point of a VLAN tag, 0 to 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Priority(u8);

impl Priority {
    /// The priority of this number; `None` when it has more than 3 bits.
    pub const fn new(number: u8) -> Option<Self> {
        if number <= 7 { Some(Self(number)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl VlanTag {
    /// Length in bytes.
    pub const LEN: usize = 4;

    /// The tag at the front of `bytes`, and what follows it. `offset`, from the start of the frame, is for errors.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`](crate::Fault::Truncated).
    #[inline]
    pub fn decode(bytes: &[u8], offset: usize) -> Result<(Self, &[u8]), DecodeError> {
        let ([c0, c1, t0, t1], rest) = bytes::take::<{ Self::LEN }>(bytes, Layer::Vlan, offset)?;
        let tag = Self {
            priority: Priority(c0 >> 5),
            drop_eligible: c0 & 0x10 != 0,
            id: VlanId::from_tag(u16::from_be_bytes([*c0, *c1])),
            ether_type: EtherType(u16::from_be_bytes([*t0, *t1])),
        };
        Ok((tag, rest))
    }

    /// The tag as it goes on the wire.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let drop_eligible = u16::from(self.drop_eligible) << 12;
        let control = u16::from(self.priority.0) << 13 | drop_eligible | self.id.get();
        let [c0, c1] = control.to_be_bytes();
        let [t0, t1] = self.ether_type.0.to_be_bytes();
        [c0, c1, t0, t1]
    }
}

/// The tags of a frame, outermost first, as they stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct VlanTags<'a>(&'a [u8]);

impl<'a> VlanTags<'a> {
    /// The tags that follow an Ethernet header of this `EtherType`; then the `EtherType` after them, and the rest.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`](crate::Fault::Truncated).
    #[inline]
    pub fn decode(
        first: EtherType,
        bytes: &'a [u8],
        offset: usize,
    ) -> Result<(Self, EtherType, &'a [u8]), DecodeError> {
        let mut ether_type = first;
        let mut rest = bytes;
        while ether_type.is_vlan() {
            let (tag, after) = VlanTag::decode(rest, offset + (bytes.len() - rest.len()))?;
            ether_type = tag.ether_type;
            rest = after;
        }
        let tags = bytes::at_most(bytes, bytes.len() - rest.len());
        Ok((Self(tags), ether_type, rest))
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len() / VlanTag::LEN
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tags, outermost first.
    pub fn iter(&self) -> impl Iterator<Item = VlanTag> + use<'a> {
        self.0.chunks_exact(VlanTag::LEN).filter_map(|tag| Some(VlanTag::decode(tag, 0).ok()?.0))
    }

    /// The outermost one.
    #[inline]
    pub fn outermost(&self) -> Option<VlanTag> {
        Some(VlanTag::decode(self.0, 0).ok()?.0)
    }

    /// The bytes of all tags.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}
