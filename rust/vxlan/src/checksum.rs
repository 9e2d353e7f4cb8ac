//! The Internet checksum of RFC 1071, and the pseudo headers that UDP adds to it.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::ip_protocol::IpProtocol;

/// A ones' complement sum on its way. Parts may be added in any order; each but the last must be of even length.
///
/// ```
/// use bayplan_vxlan::Checksum;
///
/// // The example of RFC 1071 section 3.
/// let sum = Checksum::new().add_bytes(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
/// assert_eq!(sum.fold(), 0xddf2);
/// assert_eq!(sum.finish(), !0xddf2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checksum(u64);

impl Checksum {
    /// The sum of nothing.
    pub const fn new() -> Self {
        Self(0)
    }

    /// Adds bytes as big-endian words of 16 bits; a last odd byte counts as the upper half of a word.
    #[must_use]
    #[inline]
    pub fn add_bytes(self, bytes: &[u8]) -> Self {
        let mut sum = 0_u64;
        // Words of 32 bits in the order of memory: the sum is the same but for the order of its bytes
        // (RFC 1071 section 2 B). 2^32 of them fit before it overflows.
        let (words, rest) = bytes.as_chunks::<4>();
        for word in words {
            sum = sum.wrapping_add(u64::from(u32::from_ne_bytes(*word)));
        }
        let mut last = [0; 4];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        sum = sum.wrapping_add(u64::from(u32::from_ne_bytes(last)));
        let [a, b, ..] = fold(sum).to_ne_bytes();
        Self(self.0.wrapping_add(u64::from(u16::from_be_bytes([a, b]))))
    }

    /// Adds a word.
    #[must_use]
    #[inline]
    pub const fn add_u16(self, word: u16) -> Self {
        // `u64::from` is not const
        let [a, b] = word.to_be_bytes();
        Self(self.0.wrapping_add(u64::from_be_bytes([0, 0, 0, 0, 0, 0, a, b])))
    }

    /// Adds two words.
    #[must_use]
    #[inline]
    pub const fn add_u32(self, words: u32) -> Self {
        let [a, b, c, d] = words.to_be_bytes();
        self.add_u16(u16::from_be_bytes([a, b])).add_u16(u16::from_be_bytes([c, d]))
    }

    /// Adds the pseudo header of RFC 768: addresses, protocol and length of what follows, in bytes.
    #[must_use]
    #[inline]
    pub fn add_ipv4_pseudo_header(
        self,
        source: Ipv4Addr,
        destination: Ipv4Addr,
        protocol: IpProtocol,
        length: u32,
    ) -> Self {
        self.add_u32(source.to_bits())
            .add_u32(destination.to_bits())
            .add_u16(u16::from(protocol.0))
            .add_u32(length)
    }

    /// Adds the pseudo header of RFC 8200 section 8.1: addresses, protocol and length of what follows, in bytes.
    #[must_use]
    #[inline]
    pub fn add_ipv6_pseudo_header(
        self,
        source: Ipv6Addr,
        destination: Ipv6Addr,
        protocol: IpProtocol,
        length: u32,
    ) -> Self {
        self.add_bytes(&source.octets())
            .add_bytes(&destination.octets())
            .add_u16(u16::from(protocol.0))
            .add_u32(length)
    }

    /// The sum, folded to 16 bits and not complemented. Over bytes that hold their own checksum it is 0xffff.
    #[inline]
    pub const fn fold(self) -> u16 {
        fold(self.0)
    }

    /// The checksum: the complement of the sum.
    #[inline]
    pub const fn finish(self) -> u16 {
        !self.fold()
    }

    /// The checksum as UDP writes it: a computed zero goes as 0xffff, since zero says that there is none (RFC 768).
    #[inline]
    pub const fn finish_udp(self) -> u16 {
        match self.finish() {
            0 => 0xffff,
            checksum => checksum,
        }
    }
}

/// Adds what does not fit 16 bits until all does.
#[inline]
const fn fold(sum: u64) -> u16 {
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    let [.., a, b] = sum.to_be_bytes();
    u16::from_be_bytes([a, b])
}

/// What a look at a checksum says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChecksumStatus {
    /// It is right.
    Good,
    /// It is wrong.
    Bad {
        /// The field.
        found: u16,
        /// What it should be.
        expected: u16,
    },
    /// It is zero, which says that the sender computed none.
    NotPresent,
    /// The bytes it covers are not all there.
    Unverified,
}

impl ChecksumStatus {
    /// `good`, `bad`, `not_present` or `unverified`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad { .. } => "bad",
            Self::NotPresent => "not_present",
            Self::Unverified => "unverified",
        }
    }
}
