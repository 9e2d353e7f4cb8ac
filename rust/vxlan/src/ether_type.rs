//! `EtherType`: what follows an Ethernet header.

use core::fmt;

/// An `EtherType`, or the length of an 802.3 frame when it is below 0x0600.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct EtherType(pub u16);

impl EtherType {
    /// IPv4.
    pub const IPV4: Self = Self(0x0800);
    /// ARP.
    pub const ARP: Self = Self(0x0806);
    /// Transparent Ethernet Bridging: an Ethernet frame, in GRE.
    pub const ETHERNET: Self = Self(0x6558);
    /// 802.1Q customer tag.
    pub const VLAN: Self = Self(0x8100);
    /// IPv6.
    pub const IPV6: Self = Self(0x86dd);
    /// MPLS, unicast.
    pub const MPLS: Self = Self(0x8847);
    /// 802.1ad service tag, the outer one of `QinQ`.
    pub const QINQ: Self = Self(0x88a8);
    /// ERSPAN type II, in GRE.
    pub const ERSPAN: Self = Self(0x88be);
    /// Network service header (RFC 8300).
    pub const NSH: Self = Self(0x894f);
    /// The outer tag of `QinQ` before 802.1ad.
    pub const QINQ_OLD: Self = Self(0x9100);

    /// Whether a VLAN tag follows.
    #[inline]
    pub const fn is_vlan(self) -> bool {
        matches!(self, Self::VLAN | Self::QINQ | Self::QINQ_OLD)
    }

    /// Whether it is the length of an 802.3 frame and no type at all.
    pub const fn is_length(self) -> bool {
        self.0 < 0x0600
    }

    /// The name of the protocol, where it is one of those above.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::IPV4 => "IPv4",
            Self::ARP => "ARP",
            Self::ETHERNET => "Ethernet",
            Self::VLAN => "802.1Q",
            Self::IPV6 => "IPv6",
            Self::MPLS => "MPLS",
            Self::QINQ => "802.1ad",
            Self::ERSPAN => "ERSPAN",
            Self::NSH => "NSH",
            Self::QINQ_OLD => "QinQ",
            _ => return None,
        })
    }
}

impl fmt::Display for EtherType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}
