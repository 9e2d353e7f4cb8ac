//! `Family`: IPv4 and IPv6, and addresses of both as numbers.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    /// Both, in flannel's order.
    pub const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// Length of an address in bits.
    pub const fn bits(self) -> u8 {
        match self {
            Self::Ipv4 => 32,
            Self::Ipv6 => 128,
        }
    }

    /// Length of the IP header without options, in bytes.
    pub const fn header(self) -> u32 {
        match self {
            Self::Ipv4 => 20,
            Self::Ipv6 => 40,
        }
    }

    /// The name in texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        }
    }

    /// Family of an address.
    pub const fn of(address: &IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }

    /// Family of a prefix.
    pub const fn of_net(net: &IpNet) -> Self {
        match net {
            IpNet::V4(_) => Self::Ipv4,
            IpNet::V6(_) => Self::Ipv6,
        }
    }

    /// How many addresses a prefix of this length has; that of `::/0`, which no `u128` holds, is
    /// one short.
    pub(crate) fn block(self, prefix_len: u8) -> u128 {
        1_u128.checked_shl(u32::from(self.bits().saturating_sub(prefix_len))).unwrap_or(u128::MAX)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An address as a number.
pub(crate) fn to_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The address of a number; of IPv4, of its lower 32 bits.
pub(crate) fn from_bits(family: Family, bits: u128) -> IpAddr {
    match family {
        Family::Ipv4 => {
            let low = u32::try_from(bits & u128::from(u32::MAX)).unwrap_or_default();
            IpAddr::V4(Ipv4Addr::from_bits(low))
        }
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    }
}
