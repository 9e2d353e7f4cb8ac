//! The UDP source port of an encapsulated frame: a hash of its flow, so that equal-cost paths are used and one flow keeps to one.

use crate::error::EncodeError;
use crate::headers::{Headers, IpHeader};
use crate::ip_protocol::IpProtocol;

/// The ports that flows are spread over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PortRange {
    min: u16,
    max: u16,
}

impl PortRange {
    /// 49152 to 65534: the dynamic ports, as RFC 7348 section 5 recommends, but for the last one.
    pub const DYNAMIC: Self = Self { min: 49152, max: 65535 };
    /// 32768 to 60998: what Linux uses unless told otherwise (`net.ipv4.ip_local_port_range`).
    pub const LINUX: Self = Self { min: 32768, max: 60999 };

    /// The ports from `min` up to, **not including**, `max`, as Linux' `srcport` has it.
    ///
    /// # Errors
    ///
    /// [`EncodeError::EmptyPortRange`]. Linux takes such a range for its default one.
    pub const fn new(min: u16, max: u16) -> Result<Self, EncodeError> {
        if min < max {
            Ok(Self { min, max })
        } else {
            Err(EncodeError::EmptyPortRange { min, max })
        }
    }

    /// The first port.
    pub const fn min(self) -> u16 {
        self.min
    }

    /// The port after the last one.
    pub const fn max(self) -> u16 {
        self.max
    }

    /// The port of a hash, as `udp_flow_src_port` of Linux (`include/net/udp.h`) maps it: the upper half is mixed
    /// into itself, since lower bits matter less, and the number scaled to the range.
    #[inline]
    pub fn port(self, hash: u32) -> u16 {
        let hash = hash ^ hash << 16;
        let scaled = (u64::from(hash) * u64::from(self.max - self.min)) >> 32;
        let [.., a, b] = scaled.to_be_bytes();
        // below max - min, so the sum is below max
        self.min.wrapping_add(u16::from_be_bytes([a, b]))
    }
}

impl Default for PortRange {
    fn default() -> Self {
        Self::DYNAMIC
    }
}

/// Odd, with bits all over: 2^64 divided by the golden ratio.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hash of the flow of a packet, the same on every machine and in every version.
///
/// Words of 64 bits are taken in one by one: `h = (h ^ word) * 0x9e3779b97f4a7c15; h ^= h >> 32`, from `h = seed`, and
/// the hash is the upper half of `h * 0x9e3779b97f4a7c15`. The words are:
///
/// - IPv4: source, destination; then protocol, source port, destination port (8, 16 and 16 bits) from the lowest bit up.
/// - IPv6: source and destination in two words each; the last one as for IPv4.
/// - anything else: destination MAC, source MAC, `EtherType`.
///
/// The ports are those of TCP, UDP and SCTP, and 0 for others and for all fragments of a packet, so that they stay together.
/// Linux hashes other fields with a key of its own for each boot, so nobody can expect its ports.
#[inline]
pub fn flow_hash(headers: &Headers<'_>, seed: u64) -> u32 {
    let mut hasher = FlowHasher::new(seed);
    if let Some(ip) = headers.ip {
        match ip {
            IpHeader::V4(header) => {
                let (source, destination) = (header.source, header.destination);
                hasher.mix(u64::from(source.to_bits()) << 32 | u64::from(destination.to_bits()));
            }
            IpHeader::V6(header, _) => {
                for address in [header.source, header.destination] {
                    for word in address.octets().as_chunks::<8>().0 {
                        hasher.mix(u64::from_be_bytes(*word));
                    }
                }
            }
        }
        let whole = ip.fragment().is_none();
        let (source, destination) = headers.ports().filter(|_| whole).unwrap_or_default();
        hasher.mix_ports(source, destination, headers.protocol.unwrap_or_default());
    } else {
        let ethernet = headers.ethernet.unwrap_or_default();
        for address in [ethernet.destination, ethernet.source] {
            let mut word = [0; 8];
            word.iter_mut().skip(2).zip(address.octets()).for_each(|(to, from)| *to = from);
            hasher.mix(u64::from_be_bytes(word));
        }
        hasher.mix(u64::from(headers.ether_type.0));
    }
    hasher.finish()
}

/// [`flow_hash`] on its way.
#[derive(Debug)]
pub(crate) struct FlowHasher(u64);

impl FlowHasher {
    #[inline]
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    #[inline]
    pub(crate) fn mix(&mut self, word: u64) {
        let hash = (self.0 ^ word).wrapping_mul(MULTIPLIER);
        self.0 = hash ^ hash >> 32;
    }

    #[inline]
    pub(crate) fn mix_ports(&mut self, source: u16, destination: u16, protocol: IpProtocol) {
        self.mix(u64::from(destination) << 24 | u64::from(source) << 8 | u64::from(protocol.0));
    }

    #[inline]
    pub(crate) fn finish(self) -> u32 {
        let [a, b, c, d, ..] = self.0.wrapping_mul(MULTIPLIER).to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }
}
