//! IPv6 and its extension headers (RFC 8200).
//!
//! ```text
//!  0                   1                   2                   3
//! +-------+---------------+---------------------------------------+
//! |   6   | traffic class |              flow label               |
//! +-------+---------------+-------+---------------+---------------+
//! |         payload length        |  next header  |   hop limit   |
//! +-------------------------------+---------------+---------------+
//! |                       source, 16 bytes                        |
//! |                     destination, 16 bytes                     |
//! +---------------------------------------------------------------+
//! ```

use core::net::Ipv6Addr;

use crate::bytes::{self, Writer};
use crate::ecn::EcnCodepoint;
use crate::error::{DecodeError, EncodeError, Fault, Layer};
use crate::ip_protocol::IpProtocol;

/// The flow label of IPv6, 20 bits (RFC 6437).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct FlowLabel(u32);

impl FlowLabel {
    /// The greatest one.
    pub const MAX: Self = Self(0x000f_ffff);

    /// The label of this number; `None` when it has more than 20 bits.
    pub const fn new(number: u32) -> Option<Self> {
        if number <= Self::MAX.0 { Some(Self(number)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// An IPv6 header, without extension headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ipv6Header {
    /// DSCP in the upper six bits (RFC 2474), ECN in the lower two (RFC 3168).
    pub traffic_class: u8,
    /// Flow label.
    pub flow_label: FlowLabel,
    /// Length of what follows this header, in bytes; 0 in jumbograms (RFC 2675) and where offloads left it open (BIG TCP).
    pub payload_length: u16,
    /// What follows.
    pub next_header: IpProtocol,
    /// Hop limit.
    pub hop_limit: u8,
    /// Whom the packet is from.
    pub source: Ipv6Addr,
    /// Whom it is for.
    pub destination: Ipv6Addr,
}

impl Ipv6Header {
    /// Length in bytes.
    pub const LEN: usize = 40;

    /// The header at the front of `bytes`, and what follows it. `offset`, from the start of the frame, is for errors.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`]; [`Fault::Version`] unless it is 6.
    #[inline]
    pub fn decode(bytes: &[u8], offset: usize) -> Result<(Self, &[u8]), DecodeError> {
        let (header, rest) = bytes::take::<{ Self::LEN }>(bytes, Layer::Ipv6, offset)?;
        let ([v0, v1, v2, v3, l0, l1, next_header, hop_limit], addresses) = split(header);
        if v0 >> 4 != 6 {
            let fault = Fault::Version { found: v0 >> 4 };
            return Err(DecodeError::new(Layer::Ipv6, offset, fault));
        }
        let [source, destination] = addresses;
        let first = u32::from_be_bytes([v0, v1, v2, v3]);
        let header = Self {
            traffic_class: v0 << 4 | v1 >> 4,
            flow_label: FlowLabel(first & FlowLabel::MAX.0),
            payload_length: u16::from_be_bytes([l0, l1]),
            next_header: IpProtocol(next_header),
            hop_limit,
            source: Ipv6Addr::from_octets(source),
            destination: Ipv6Addr::from_octets(destination),
        };
        Ok((header, rest))
    }

    /// The header as it goes on the wire.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        let first = 6 << 28 | u32::from(self.traffic_class) << 20 | self.flow_label.0;
        // The buffer is as long as what is written.
        if let Ok(mut writer) = Writer::new(&mut out, Self::LEN) {
            writer.put(&first.to_be_bytes());
            writer.put(&self.payload_length.to_be_bytes());
            writer.put(&[self.next_header.0, self.hop_limit]);
            writer.put(&self.source.octets());
            writer.put(&self.destination.octets());
        }
        out
    }

    /// The ECN field.
    pub const fn ecn(&self) -> EcnCodepoint {
        EcnCodepoint::of(self.traffic_class)
    }

    /// The differentiated services code point, 0 to 63.
    pub const fn dscp(&self) -> u8 {
        self.traffic_class >> 2
    }
}

/// The fixed fields and the two addresses.
#[inline]
fn split(header: &[u8; Ipv6Header::LEN]) -> ([u8; 8], [[u8; 16]; 2]) {
    let mut fields = [0; 8];
    let mut addresses = [[0; 16]; 2];
    let (from, rest) = header.split_at(8);
    fields.copy_from_slice(from);
    for (address, from) in addresses.iter_mut().zip(rest.chunks_exact(16)) {
        address.copy_from_slice(from);
    }
    (fields, addresses)
}

/// One extension header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ipv6Extension<'a> {
    /// What this header is.
    pub protocol: IpProtocol,
    /// What follows it.
    pub next_header: IpProtocol,
    /// Everything after the byte that says what follows: the length where there is one, and the fields.
    pub body: &'a [u8],
}

impl<'a> Ipv6Extension<'a> {
    /// The extension header at the front of `bytes`, and what follows it. `offset`, from the start of the frame, is for errors.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`]; [`Fault::Unsupported`] when `protocol` is no extension header.
    pub fn decode(
        protocol: IpProtocol,
        bytes: &'a [u8],
        offset: usize,
    ) -> Result<(Self, &'a [u8]), DecodeError> {
        if !protocol.is_extension() {
            let fault = Fault::Unsupported { found: u32::from(protocol.0) };
            return Err(DecodeError::new(Layer::Ipv6, offset, fault));
        }
        let ([next_header, length], _) = bytes::take::<2>(bytes, Layer::Ipv6, offset)?;
        let length = match protocol {
            // "Reserved: initialized to zero for transmission; ignored on reception": no length at all
            IpProtocol::FRAGMENT => 8,
            // "in 4-octet units, minus 2" (RFC 4302 section 2.2)
            IpProtocol::AUTHENTICATION => (usize::from(*length) + 2) * 4,
            // "in 8-octet units, not including the first 8 octets"
            _ => (usize::from(*length) + 1) * 8,
        };
        let (header, rest) = bytes::take_slice(bytes, length, Layer::Ipv6, offset)?;
        let next_header = IpProtocol(*next_header);
        Ok((Self { protocol, next_header, body: bytes::from(header, 1) }, rest))
    }

    /// Length in bytes.
    pub const fn len(&self) -> usize {
        1 + self.body.len()
    }

    /// Never: there is always a header.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Writes the header as it stands, and says how long it is.
    ///
    /// # Errors
    ///
    /// [`EncodeError::BufferTooShort`].
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        let mut writer = Writer::new(out, self.len())?;
        writer.put(&[self.next_header.0]);
        writer.put(self.body);
        Ok(writer.written())
    }
}

/// The extension headers of a packet, as they stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Ipv6Extensions<'a> {
    first: IpProtocol,
    bytes: &'a [u8],
}

/// Where a fragment header says that the packet is a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ipv6Fragment {
    /// Where the fragment starts in the fragmentable part of its packet, in bytes.
    pub offset: u16,
    /// Whether more fragments follow.
    pub more: bool,
}

impl<'a> Ipv6Extensions<'a> {
    /// The extension headers at the front of `bytes`, of which the first is `first`; then the protocol after them, and the rest.
    /// What follows a fragment header of a later fragment is payload, whatever it looks like.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`].
    #[inline]
    pub fn decode(
        first: IpProtocol,
        bytes: &'a [u8],
        offset: usize,
    ) -> Result<(Self, IpProtocol, &'a [u8]), DecodeError> {
        let mut protocol = first;
        let mut rest = bytes;
        while protocol.is_extension() {
            let at = offset + (bytes.len() - rest.len());
            let (extension, after) = Ipv6Extension::decode(protocol, rest, at)?;
            protocol = extension.next_header;
            rest = after;
            if extension.fragment().is_some_and(|fragment| fragment.offset != 0) {
                break;
            }
        }
        let bytes = bytes::at_most(bytes, bytes.len() - rest.len());
        Ok((Self { first, bytes }, protocol, rest))
    }

    /// Whether there is none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes of all of them.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The extension headers in order.
    pub fn iter(&self) -> impl Iterator<Item = Ipv6Extension<'a>> + use<'a> {
        let (mut protocol, mut bytes) = (self.first, self.bytes);
        core::iter::from_fn(move || {
            let (extension, rest) = Ipv6Extension::decode(protocol, bytes, 0).ok()?;
            (protocol, bytes) = (extension.next_header, rest);
            Some(extension)
        })
    }

    /// The fragment, where the packet is a part of one. An atomic fragment (RFC 6946) is a whole packet.
    pub fn fragment(&self) -> Option<Ipv6Fragment> {
        self.iter()
            .filter_map(|extension| extension.fragment())
            .find(|fragment| fragment.offset != 0 || fragment.more)
    }

    /// The jumbo payload length of a hop-by-hop header, in bytes (RFC 2675 section 2).
    pub fn jumbo_payload_length(&self) -> Option<u32> {
        if self.first != IpProtocol::HOP_BY_HOP {
            return None;
        }
        let header = self.iter().next()?;
        let mut options = bytes::from(header.body, 1);
        loop {
            options = match options {
                [0, rest @ ..] => rest,
                [0xc2, 4, a, b, c, d, ..] => return Some(u32::from_be_bytes([*a, *b, *c, *d])),
                [_, length, rest @ ..] => rest.get(usize::from(*length)..)?,
                _ => return None,
            }
        }
    }
}

impl Ipv6Extension<'_> {
    /// The fields of a fragment header.
    pub fn fragment(&self) -> Option<Ipv6Fragment> {
        match (self.protocol, self.body) {
            (IpProtocol::FRAGMENT, [_, o0, o1, ..]) => {
                let field = u16::from_be_bytes([*o0, *o1]);
                // 13 bits in units of 8 bytes, two reserved bits, M
                Some(Ipv6Fragment { offset: field & 0xfff8, more: field & 1 != 0 })
            }
            _ => None,
        }
    }
}
