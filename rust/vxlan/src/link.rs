//! Link types of captures: what a packet starts with.

use core::fmt;

use crate::bytes;
use crate::error::{DecodeError, Fault, Layer};
use crate::ether_type::EtherType;

/// What the packets of a capture start with, by the numbers of capture files (`LINKTYPE_` values).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u32);

impl LinkType {
    /// BSD loopback: the address family in four bytes, in the order of the machine that captured.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// IPv4 or IPv6, as `DLT_RAW` of most systems.
    pub const RAW_12: Self = Self(12);
    /// IPv4 or IPv6, as `DLT_RAW` of OpenBSD.
    pub const RAW_14: Self = Self(14);
    /// IPv4 or IPv6.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback: as NULL, in the order of the network.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture.
    pub const LINUX_SLL: Self = Self(113);
    /// IPv4.
    pub const IPV4: Self = Self(228);
    /// IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux cooked capture, second version.
    pub const LINUX_SLL2: Self = Self(276);
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What bytes start with, once what a capture puts before them is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Start {
    /// An Ethernet header.
    Ethernet,
    /// What an `EtherType` names.
    EtherType(EtherType),
}

impl LinkType {
    /// Takes off what the capture put before the packet: what starts then, and the bytes from there on.
    ///
    /// # Errors
    ///
    /// At offset 0: [`Fault::LinkType`]; [`Fault::Truncated`]; [`Fault::Version`] for raw IP that is neither 4 nor 6;
    /// [`Fault::Unsupported`] for an address family that is no IP.
    #[inline]
    pub fn open(self, packet: &[u8]) -> Result<(Start, &[u8]), DecodeError> {
        match self {
            Self::ETHERNET => Ok((Start::Ethernet, packet)),
            Self::RAW | Self::RAW_12 | Self::RAW_14 => {
                let ([first], _) = bytes::take::<1>(packet, Layer::Link, 0)?;
                match first >> 4 {
                    4 => Ok((Start::EtherType(EtherType::IPV4), packet)),
                    6 => Ok((Start::EtherType(EtherType::IPV6), packet)),
                    found => Err(DecodeError::new(Layer::Link, 0, Fault::Version { found })),
                }
            }
            Self::IPV4 => Ok((Start::EtherType(EtherType::IPV4), packet)),
            Self::IPV6 => Ok((Start::EtherType(EtherType::IPV6), packet)),
            Self::NULL | Self::LOOP => {
                let (family, rest) = bytes::take::<4>(packet, Layer::Link, 0)?;
                Ok((Start::EtherType(family_ether_type(*family)?), rest))
            }
            Self::LINUX_SLL => {
                let (header, rest) = SllHeader::decode(packet)?;
                Ok((Start::EtherType(header.protocol), rest))
            }
            Self::LINUX_SLL2 => {
                let (header, rest) = Sll2Header::decode(packet)?;
                Ok((Start::EtherType(header.protocol), rest))
            }
            Self(found) => Err(DecodeError::new(Layer::Link, 0, Fault::LinkType { found })),
        }
    }
}

/// Address families of the BSDs and macOS, which number IPv6 differently. No family needs more than 16 bits: the zeros show the order of the bytes.
fn family_ether_type(bytes: [u8; 4]) -> Result<EtherType, DecodeError> {
    let big = u32::from_be_bytes(bytes);
    let family = if big <= 0xffff { big } else { u32::from_le_bytes(bytes) };
    match family {
        2 => Ok(EtherType::IPV4),
        10 | 24 | 28 | 30 => Ok(EtherType::IPV6),
        found => Err(DecodeError::new(Layer::Link, 0, Fault::Unsupported { found })),
    }
}

/// The header of a Linux cooked capture.
///
/// ```text
///  0                   1                   2                   3
/// +-------------------------------+-------------------------------+
/// |          packet type          |          ARPHRD type          |
/// +-------------------------------+-------------------------------+
/// |        address length         |       address, 8 bytes        |
/// |                                                               |
/// |                               |           protocol            |
/// +-------------------------------+-------------------------------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SllHeader {
    /// To us 0, broadcast 1, multicast 2, to somebody else 3, from us 4.
    pub packet_type: u16,
    /// Kind of the device (`ARPHRD_`); 1 is Ethernet.
    pub arphrd_type: u16,
    /// How many bytes of the address count.
    pub address_length: u16,
    /// Link-layer address of the sender.
    pub address: [u8; 8],
    /// What follows.
    pub protocol: EtherType,
}

impl SllHeader {
    /// Length in bytes.
    pub const LEN: usize = 16;

    /// The header at the front of a packet, and what follows it.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`].
    pub fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let (header, rest) = bytes::take::<{ Self::LEN }>(bytes, Layer::Link, 0)?;
        let [p0, p1, t0, t1, l0, l1, address @ .., e0, e1] = *header;
        let header = Self {
            packet_type: u16::from_be_bytes([p0, p1]),
            arphrd_type: u16::from_be_bytes([t0, t1]),
            address_length: u16::from_be_bytes([l0, l1]),
            address,
            protocol: EtherType(u16::from_be_bytes([e0, e1])),
        };
        Ok((header, rest))
    }

    /// The header as captures have it.
    pub const fn to_bytes(&self) -> [u8; Self::LEN] {
        let [p0, p1] = self.packet_type.to_be_bytes();
        let [t0, t1] = self.arphrd_type.to_be_bytes();
        let [l0, l1] = self.address_length.to_be_bytes();
        let [a0, a1, a2, a3, a4, a5, a6, a7] = self.address;
        let [e0, e1] = self.protocol.0.to_be_bytes();
        [p0, p1, t0, t1, l0, l1, a0, a1, a2, a3, a4, a5, a6, a7, e0, e1]
    }
}

/// The header of a Linux cooked capture, second version.
///
/// ```text
///  0                   1                   2                   3
/// +-------------------------------+-------------------------------+
/// |           protocol            |           reserved            |
/// +-------------------------------+-------------------------------+
/// |                        interface index                        |
/// +-------------------------------+---------------+---------------+
/// |          ARPHRD type          |  packet type  |address length |
/// +-------------------------------+---------------+---------------+
/// |                       address, 8 bytes                        |
/// |                                                               |
/// +---------------------------------------------------------------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Sll2Header {
    /// What follows.
    pub protocol: EtherType,
    /// Kept as it stands.
    pub reserved: u16,
    /// Index of the device.
    pub interface: u32,
    /// Kind of the device (`ARPHRD_`); 1 is Ethernet.
    pub arphrd_type: u16,
    /// To us 0, broadcast 1, multicast 2, to somebody else 3, from us 4.
    pub packet_type: u8,
    /// How many bytes of the address count.
    pub address_length: u8,
    /// Link-layer address of the sender.
    pub address: [u8; 8],
}

impl Sll2Header {
    /// Length in bytes.
    pub const LEN: usize = 20;

    /// The header at the front of a packet, and what follows it.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`].
    pub fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let (header, rest) = bytes::take::<{ Self::LEN }>(bytes, Layer::Link, 0)?;
        let [e0, e1, r0, r1, i0, i1, i2, i3, t0, t1, packet_type, address_length, address @ ..] =
            *header;
        let header = Self {
            protocol: EtherType(u16::from_be_bytes([e0, e1])),
            reserved: u16::from_be_bytes([r0, r1]),
            interface: u32::from_be_bytes([i0, i1, i2, i3]),
            arphrd_type: u16::from_be_bytes([t0, t1]),
            packet_type,
            address_length,
            address,
        };
        Ok((header, rest))
    }

    /// The header as captures have it.
    pub const fn to_bytes(&self) -> [u8; Self::LEN] {
        let [e0, e1] = self.protocol.0.to_be_bytes();
        let [r0, r1] = self.reserved.to_be_bytes();
        let [i0, i1, i2, i3] = self.interface.to_be_bytes();
        let [t0, t1] = self.arphrd_type.to_be_bytes();
        let [a0, a1, a2, a3, a4, a5, a6, a7] = self.address;
        [
            e0,
            e1,
            r0,
            r1,
            i0,
            i1,
            i2,
            i3,
            t0,
            t1,
            self.packet_type,
            self.address_length,
            a0,
            a1,
            a2,
            a3,
            a4,
            a5,
            a6,
            a7,
        ]
    }
}
