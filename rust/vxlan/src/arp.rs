//! ARP for IPv4 over Ethernet (RFC 826).
//!
//! ```text
//!  0                   1                   2                   3
//! +-------------------------------+-------------------------------+
//! |   hardware = 1 (Ethernet)     |   protocol = 0x0800 (IPv4)    |
//! +---------------+---------------+-------------------------------+
//! |       6       |       4       |           operation           |
//! +---------------+---------------+-------------------------------+
//! |                      sender MAC, sender IP                    |
//! |                      target MAC, target IP                    |
//! +---------------------------------------------------------------+
//! ```

use core::net::Ipv4Addr;

use crate::bytes;
use crate::error::{DecodeError, Fault, Layer};
use crate::mac::MacAddress;

/// What an ARP packet is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ArpOperation(pub u16);

impl ArpOperation {
    /// Who has the target IP?
    pub const REQUEST: Self = Self(1);
    /// The sender has its IP.
    pub const REPLY: Self = Self(2);
}

/// An ARP packet for IPv4 over Ethernet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ArpPacket {
    /// Request, reply, or what else the number says.
    pub operation: ArpOperation,
    /// Ethernet address of the sender.
    pub sender_mac: MacAddress,
    /// IPv4 address of the sender.
    pub sender_ip: Ipv4Addr,
    /// Ethernet address of the target; zero in a request.
    pub target_mac: MacAddress,
    /// IPv4 address of the target.
    pub target_ip: Ipv4Addr,
}

/// Hardware Ethernet, protocol IPv4, and the lengths of their addresses.
const ETHERNET_IPV4: [u8; 6] = [0, 1, 0x08, 0, 6, 4];

impl ArpPacket {
    /// Length in bytes.
    pub const LEN: usize = 28;

    /// The packet at the front of `bytes`, and what follows it. `offset`, from the start of the frame, is for errors.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`], and [`Fault::Unsupported`] with the hardware and protocol types when they are not Ethernet and IPv4.
    pub fn decode(bytes: &[u8], offset: usize) -> Result<(Self, &[u8]), DecodeError> {
        let (packet, rest) = bytes::take::<{ Self::LEN }>(bytes, Layer::Arp, offset)?;
        let [
            h0,
            h1,
            p0,
            p1,
            hl,
            pl,
            o0,
            o1, //
            s0,
            s1,
            s2,
            s3,
            s4,
            s5,
            i0,
            i1,
            i2,
            i3, //
            t0,
            t1,
            t2,
            t3,
            t4,
            t5,
            j0,
            j1,
            j2,
            j3,
        ] = *packet;
        if [h0, h1, p0, p1, hl, pl] != ETHERNET_IPV4 {
            let found = u32::from_be_bytes([h0, h1, p0, p1]);
            return Err(DecodeError::new(Layer::Arp, offset, Fault::Unsupported { found }));
        }
        let packet = Self {
            operation: ArpOperation(u16::from_be_bytes([o0, o1])),
            sender_mac: MacAddress::new([s0, s1, s2, s3, s4, s5]),
            sender_ip: Ipv4Addr::new(i0, i1, i2, i3),
            target_mac: MacAddress::new([t0, t1, t2, t3, t4, t5]),
            target_ip: Ipv4Addr::new(j0, j1, j2, j3),
        };
        Ok((packet, rest))
    }

    /// The packet as it goes on the wire.
    pub const fn to_bytes(&self) -> [u8; Self::LEN] {
        let [h0, h1, p0, p1, hl, pl] = ETHERNET_IPV4;
        let [o0, o1] = self.operation.0.to_be_bytes();
        let [s0, s1, s2, s3, s4, s5] = self.sender_mac.octets();
        let [i0, i1, i2, i3] = self.sender_ip.octets();
        let [t0, t1, t2, t3, t4, t5] = self.target_mac.octets();
        let [j0, j1, j2, j3] = self.target_ip.octets();
        [
            h0, h1, p0, p1, hl, pl, o0, o1, //
            s0, s1, s2, s3, s4, s5, i0, i1, i2, i3, //
            t0, t1, t2, t3, t4, t5, j0, j1, j2, j3,
        ]
    }
}
