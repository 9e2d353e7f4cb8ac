//! `MacAddr`: a hardware address of six bytes, and the one that is assumed for a node that
//! announces none.

use std::fmt;
use std::str::FromStr;

use crate::OverlayError;

/// An Ethernet hardware address, printed as flannel does: `c6:d2:32:6f:8f:44`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MacAddr([u8; 6]);

impl MacAddr {
    /// The address of these bytes, in the order in which they are sent.
    pub const fn new(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// The bytes, in the order in which they are sent.
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// Whether the address names one station: the lowest bit of the first byte is clear.
    pub const fn is_unicast(self) -> bool {
        let [first, ..] = self.0;
        first & 1 == 0
    }

    /// Whether the address was not given by a manufacturer: the second lowest bit of the first byte
    /// is set.
    pub const fn is_local(self) -> bool {
        let [first, ..] = self.0;
        first & 2 != 0
    }

    /// A stable address for `name`: locally administered, unicast, the same in every run and
    /// version.
    ///
    /// flannel draws the address of its device at random (`pkg/mac/mac.go`), so it cannot be known
    /// before the node runs. What stands here is FNV-1a (64 bits) over the bytes of `name`, a zero
    /// byte and `device`, mixed by the finaliser of `SplitMix64`; the six high bytes, the first of
    /// them `(b & 0xfe) | 0x02`.
    #[must_use]
    pub fn assumed(name: &str, device: &str) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in name.bytes().chain([0]).chain(device.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        let [mut bytes @ .., _, _] = crate::random::mix(hash).to_be_bytes();
        let [first, ..] = &mut bytes;
        *first = (*first & 0xfe) | 0x02;
        Self(bytes)
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = self.0;
        write!(f, "{first:02x}")?;
        rest.iter().try_for_each(|byte| write!(f, ":{byte:02x}"))
    }
}

impl FromStr for MacAddr {
    type Err = OverlayError;

    /// Reads what Go's `net.ParseMAC` reads, of six bytes: `0e:2a:…`, `0e-2a-…` or `0e2a.….…`, in
    /// any case.
    ///
    /// # Errors
    /// Another form; an address of 8 or 20 bytes, which Go reads, but no Ethernet device has.
    fn from_str(text: &str) -> Result<Self, OverlayError> {
        let wrong = || OverlayError::MacAddress { value: text.into() };
        let (separator, digits) = match text.as_bytes().get(2).copied() {
            Some(b':') => (':', 2),
            Some(b'-') => ('-', 2),
            _ => ('.', 4),
        };
        let mut bytes = Vec::with_capacity(6);
        for group in text.split(separator) {
            if group.len() != digits || !group.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(wrong());
            }
            let value = u16::from_str_radix(group, 16).map_err(|_| wrong())?;
            let [high, low] = value.to_be_bytes();
            if digits == 4 {
                bytes.push(high);
            }
            bytes.push(low);
        }
        <[u8; 6]>::try_from(bytes).map(Self).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms_that_go_reads() {
        let expected = MacAddr([0xc6, 0xd2, 0x32, 0x6f, 0x8f, 0x44]);
        for text in ["c6:d2:32:6f:8f:44", "C6-D2-32-6F-8F-44", "c6d2.326f.8f44"] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        assert_eq!(expected.to_string(), "c6:d2:32:6f:8f:44");
    }

    #[test]
    fn refuses_what_is_no_address_of_six_bytes() {
        for text in [
            "",
            "c6:d2:32:6f:8f",
            "c6:d2:32:6f:8f:44:00:11",
            "c6:d2-32:6f:8f:44",
            "c6:d2:32:6f:8f:4g",
            "c6:d2:32:6f:8f:+4",
            "c:d:3:6:8:4",
        ] {
            assert_eq!(
                text.parse::<MacAddr>(),
                Err(OverlayError::MacAddress { value: text.into() })
            );
        }
    }

    #[test]
    fn an_assumed_address_is_stable_local_and_unicast() {
        let mac = MacAddr::assumed("node-1", "flannel.1");
        assert_eq!(mac, MacAddr::assumed("node-1", "flannel.1"));
        assert_ne!(mac, MacAddr::assumed("node-1", "flannel-v6.1"));
        assert_ne!(mac, MacAddr::assumed("node-2", "flannel.1"));
        assert!(mac.is_unicast() && mac.is_local());
    }
}
