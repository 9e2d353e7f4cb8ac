//! `VlanId`: the 12-bit number of a VLAN.

use core::fmt;

/// A VLAN identifier, 0 to 4095. IEEE 802.1Q gives 0 to frames with a priority only and reserves 4095.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct VlanId(u16);

impl VlanId {
    /// The greatest number the field can hold.
    pub const MAX: Self = Self(0x0fff);

    /// The VLAN of this number; `None` when it has more than 12 bits.
    pub const fn new(number: u16) -> Option<Self> {
        if number <= Self::MAX.0 { Some(Self(number)) } else { None }
    }

    /// The VLAN in the low 12 bits of a tag.
    pub const fn from_tag(tag_control: u16) -> Self {
        Self(tag_control & Self::MAX.0)
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for VlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
