//! Explicit congestion notification across the tunnel: RFC 6040, and where Linux differs.

use crate::checksum::Checksum;
use crate::ether_type::EtherType;
use crate::ethernet::EthernetHeader;

/// The ECN field: the two low bits of the type of service or traffic class (RFC 3168 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum EcnCodepoint {
    /// Not-ECT: the transport does not know ECN.
    #[default]
    NotEct = 0b00,
    /// ECT(1).
    Ect1 = 0b01,
    /// ECT(0).
    Ect0 = 0b10,
    /// CE: congestion experienced.
    Ce = 0b11,
}

impl EcnCodepoint {
    /// The field of a type of service or traffic class.
    #[inline]
    pub const fn of(traffic_class: u8) -> Self {
        match traffic_class & 0b11 {
            0b00 => Self::NotEct,
            0b01 => Self::Ect1,
            0b10 => Self::Ect0,
            _ => Self::Ce,
        }
    }

    /// The two bits.
    #[inline]
    pub const fn bits(self) -> u8 {
        match self {
            Self::NotEct => 0b00,
            Self::Ect1 => 0b01,
            Self::Ect0 => 0b10,
            Self::Ce => 0b11,
        }
    }
}

/// What the outer header says of the inner one's ECN field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ecn {
    /// The same: normal mode of RFC 6040 section 4.1.
    Rfc6040,
    /// The same, but ECT(0) for CE (`INET_ECN_encapsulate` in `include/net/inet_ecn.h`): a mark that was
    /// there before the tunnel is not seen inside it.
    #[default]
    Linux,
}

impl Ecn {
    /// The outer field for an inner one.
    #[inline]
    pub const fn encapsulate(self, inner: EcnCodepoint) -> EcnCodepoint {
        match (self, inner) {
            (Self::Linux, EcnCodepoint::Ce) => EcnCodepoint::Ect0,
            _ => inner,
        }
    }
}

/// The ECN field of the packet that leaves the tunnel, by the table of RFC 6040 section 4.2, which Linux
/// follows (`__INET_ECN_decapsulate`); `None`: the packet must be dropped.
#[inline]
pub const fn decapsulate_ecn(outer: EcnCodepoint, inner: EcnCodepoint) -> Option<EcnCodepoint> {
    match (outer, inner) {
        (EcnCodepoint::Ce, EcnCodepoint::NotEct) => None,
        (EcnCodepoint::Ce, _) => Some(EcnCodepoint::Ce),
        (EcnCodepoint::Ect1, EcnCodepoint::Ect0) => Some(EcnCodepoint::Ect1),
        (_, inner) => Some(inner),
    }
}

/// The inner packet must be dropped: congestion was signalled and its transport does not know ECN (RFC 6040 section 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("congestion was signalled to a transport without ECN")]
pub struct EcnDrop;

/// Writes the ECN field that an inner Ethernet frame leaves the tunnel with, and corrects its IPv4 checksum
/// (RFC 1624). A frame that is no IP, or that ends before its IP header does, stays as it is.
///
/// # Errors
///
/// [`EcnDrop`] when the frame must be dropped; it is unchanged then.
pub fn merge_ecn(outer: EcnCodepoint, inner: &mut [u8]) -> Result<(), EcnDrop> {
    let Some((ip, ether_type)) = network_header(inner) else { return Ok(()) };
    match (ether_type, ip) {
        (EtherType::IPV4, [version, tos, .., c0, c1, _, _, _, _, _, _, _, _])
            if *version >> 4 == 4 =>
        {
            let merged = decapsulate_ecn(outer, EcnCodepoint::of(*tos)).ok_or(EcnDrop)?;
            let new = *tos & !0b11 | merged.bits();
            if new != *tos {
                // HC' = ~(~HC + ~m + m'), equation 3
                let sum = Checksum::new()
                    .add_u16(!u16::from_be_bytes([*c0, *c1]))
                    .add_u16(!u16::from_be_bytes([*version, *tos]))
                    .add_u16(u16::from_be_bytes([*version, new]));
                [*c0, *c1] = sum.finish().to_be_bytes();
                *tos = new;
            }
        }
        (EtherType::IPV6, [b0, b1, ..]) if *b0 >> 4 == 6 => {
            // version, traffic class: the ECN field is bits 10 and 11
            let merged = decapsulate_ecn(outer, EcnCodepoint::of(*b1 >> 4)).ok_or(EcnDrop)?;
            *b1 = *b1 & !0x30 | merged.bits() << 4;
        }
        _ => {}
    }
    Ok(())
}

/// The first 20 bytes after the Ethernet header and its tags.
fn network_header(frame: &mut [u8]) -> Option<(&mut [u8; 20], EtherType)> {
    let (ethernet, mut rest) = EthernetHeader::decode(frame, 0).ok()?;
    let mut ether_type = ethernet.ether_type;
    while ether_type.is_vlan() {
        let ([_, _, t0, t1], after) = rest.split_first_chunk::<4>()?;
        ether_type = EtherType(u16::from_be_bytes([*t0, *t1]));
        rest = after;
    }
    let at = frame.len() - rest.len();
    let ip = frame.get_mut(at..)?.first_chunk_mut::<20>()?;
    Some((ip, ether_type))
}
