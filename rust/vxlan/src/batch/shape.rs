//! The stacks that nearly all packets have, by a few loads at fixed places. Anything else, and anything damaged, is `None`: the general decoder
//! has the say then, so that there is one place that knows what is wrong with a packet.

use crate::bytes;
use crate::ether_type::EtherType;
use crate::ethernet::EthernetHeader;
use crate::ip_protocol::IpProtocol;
use crate::ipv4::{Fragment, Ipv4Header};
use crate::ipv6::Ipv6Header;
use crate::vlan::VlanTag;
use crate::vlan_id::VlanId;

use super::columns::NO_VLAN;

/// What Ethernet and at most one tag carry.
#[derive(Debug, Clone, Copy)]
pub(super) enum Network<'a> {
    /// No IP.
    Other,
    /// IPv4 without options.
    V4(&'a [u8; Ipv4Header::MIN_LEN]),
    /// IPv6 without extension headers.
    V6(&'a [u8; Ipv6Header::LEN]),
}

impl Network<'_> {
    /// Time to live or hop limit.
    #[inline]
    pub(super) const fn ttl(&self) -> Option<u8> {
        match self {
            Self::Other => None,
            Self::V4(ip) => Some(ip[8]),
            Self::V6(ip) => Some(ip[7]),
        }
    }

    /// Type of service or traffic class; 0 without IP.
    #[inline]
    pub(super) const fn traffic_class(&self) -> u8 {
        match self {
            Self::Other => 0,
            Self::V4(ip) => ip[1],
            Self::V6(ip) => ip[0] << 4 | ip[1] >> 4,
        }
    }

    /// Flags and fragment offset; 0 for all but IPv4.
    #[inline]
    pub(super) const fn fragment(&self) -> Fragment {
        match self {
            Self::V4(ip) => Fragment(u16::from_be_bytes([ip[6], ip[7]])),
            _ => Fragment(0),
        }
    }

    /// What follows; 0 without IP.
    #[inline]
    pub(super) const fn protocol(&self) -> IpProtocol {
        match self {
            Self::Other => IpProtocol(0),
            Self::V4(ip) => IpProtocol(ip[9]),
            Self::V6(ip) => IpProtocol(ip[6]),
        }
    }

    /// 4, 6, or 0 without IP.
    #[inline]
    pub(super) const fn version(&self) -> u8 {
        match self {
            Self::Other => 0,
            Self::V4(_) => 4,
            Self::V6(_) => 6,
        }
    }

    /// Source and destination of IPv4; 0 for all else.
    #[inline]
    pub(super) const fn ipv4(&self) -> (u32, u32) {
        match self {
            Self::V4(ip) => (
                u32::from_be_bytes([ip[12], ip[13], ip[14], ip[15]]),
                u32::from_be_bytes([ip[16], ip[17], ip[18], ip[19]]),
            ),
            _ => (0, 0),
        }
    }

    /// Source and destination in 16 bytes, as columns have them.
    #[inline]
    pub(super) fn addresses(&self) -> ([u8; 16], [u8; 16]) {
        match self {
            Self::Other => ([0; 16], [0; 16]),
            Self::V4(_) => {
                let (source, destination) = self.ipv4();
                let mapped = |address| (0xffff_0000_0000 | u128::from(address)).to_be_bytes();
                (mapped(source), mapped(destination))
            }
            Self::V6(ip) => {
                let mut addresses = [[0; 16]; 2];
                addresses.as_flattened_mut().copy_from_slice(bytes::from(&ip[..], 8));
                let [source, destination] = addresses;
                (source, destination)
            }
        }
    }
}

/// A frame down to IP.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stack<'a> {
    pub(super) ethernet: &'a [u8; EthernetHeader::LEN],
    /// The VLAN, or [`NO_VLAN`].
    pub(super) vlan: u16,
    pub(super) ether_type: EtherType,
    pub(super) network: Network<'a>,
    /// Bytes before the payload.
    pub(super) header_length: u32,
    /// What there is of the payload.
    pub(super) payload: &'a [u8],
    /// How long it is, as the IP header says; without IP, as captured.
    pub(super) payload_length: usize,
}

impl<'a> Stack<'a> {
    pub(super) const NONE: Stack<'static> = Stack {
        ethernet: &[0; EthernetHeader::LEN],
        vlan: NO_VLAN,
        ether_type: EtherType(0),
        network: Network::Other,
        header_length: 0,
        payload: &[],
        payload_length: 0,
    };

    /// The stack of a frame; `None` for more than one tag, an IP header with options or extensions, a length of 0 or too
    /// small, and where the bytes end before they should.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "returned through memory in small pieces and read in large ones, it stalls"
    )]
    pub(super) fn of(frame: &'a [u8]) -> Option<Self> {
        let (ethernet, mut rest) = frame.split_first_chunk::<{ EthernetHeader::LEN }>()?;
        let mut ether_type = EtherType(u16::from_be_bytes([ethernet[12], ethernet[13]]));
        let mut vlan = NO_VLAN;
        let mut header_length = 14;
        if ether_type.is_vlan() {
            let (tag, after) = rest.split_first_chunk::<{ VlanTag::LEN }>()?;
            vlan = VlanId::from_tag(u16::from_be_bytes([tag[0], tag[1]])).get();
            ether_type = EtherType(u16::from_be_bytes([tag[2], tag[3]]));
            if ether_type.is_vlan() {
                return None;
            }
            rest = after;
            header_length = 18;
        }
        let mut stack = Self {
            ethernet,
            vlan,
            ether_type,
            network: Network::Other,
            header_length,
            payload: rest,
            payload_length: rest.len(),
        };
        match ether_type {
            EtherType::IPV4 => {
                let (ip, rest) = rest.split_first_chunk::<{ Ipv4Header::MIN_LEN }>()?;
                let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
                // a total length of 0 is too small as well: BIG TCP is not for here
                if ip[0] != 0x45 || total < Ipv4Header::MIN_LEN {
                    return None;
                }
                stack.network = Network::V4(ip);
                stack.header_length += 20;
                stack.payload_length = total - Ipv4Header::MIN_LEN;
                stack.payload = bytes::at_most(rest, stack.payload_length);
            }
            EtherType::IPV6 => {
                let (ip, rest) = rest.split_first_chunk::<{ Ipv6Header::LEN }>()?;
                let length = usize::from(u16::from_be_bytes([ip[4], ip[5]]));
                if ip[0] >> 4 != 6 || length == 0 || IpProtocol(ip[6]).is_extension() {
                    return None;
                }
                stack.network = Network::V6(ip);
                stack.header_length += 40;
                stack.payload_length = length;
                stack.payload = bytes::at_most(rest, length);
            }
            _ => {}
        }
        Some(stack)
    }

    /// Source and destination port as [`Headers::ports`](crate::Headers::ports) has them; 0 where there are none.
    #[inline]
    pub(super) fn ports(&self) -> [u16; 2] {
        match (self.payload.first_chunk::<4>(), self.network.protocol()) {
            (Some([s0, s1, d0, d1]), protocol)
                if protocol.has_ports() && self.network.fragment().offset() == 0 =>
            {
                [u16::from_be_bytes([*s0, *s1]), u16::from_be_bytes([*d0, *d1])]
            }
            _ => [0, 0],
        }
    }
}
