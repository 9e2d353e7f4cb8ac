//! `DecodeError`: which header, where, and what is wrong with it; `EncodeError`.

use core::fmt;

/// A header, as errors name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Layer {
    /// What a capture puts before the network layer instead of Ethernet: NULL, LOOP, SLL, SLL2.
    Link,
    /// Ethernet II.
    Ethernet,
    /// An 802.1Q or 802.1ad tag.
    Vlan,
    /// ARP for IPv4 over Ethernet.
    Arp,
    /// IPv4.
    Ipv4,
    /// IPv6, extension headers included.
    Ipv6,
    /// UDP.
    Udp,
    /// GRE.
    Gre,
    /// ERSPAN type II.
    Erspan,
    /// VXLAN.
    Vxlan,
    /// The Ethernet header of the frame that VXLAN carries.
    InnerEthernet,
    /// The whole packet, in a batch.
    Packet,
}

impl Layer {
    /// The name in lower case, such as `vxlan`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Ethernet => "ethernet",
            Self::Vlan => "vlan",
            Self::Arp => "arp",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Udp => "udp",
            Self::Gre => "gre",
            Self::Erspan => "erspan",
            Self::Vxlan => "vxlan",
            Self::InnerEthernet => "inner ethernet",
            Self::Packet => "packet",
        }
    }
}

impl Layer {
    /// Every layer, in the order of [`number`](Self::number).
    pub const ALL: [Self; 12] = [
        Self::Link,
        Self::Ethernet,
        Self::Vlan,
        Self::Arp,
        Self::Ipv4,
        Self::Ipv6,
        Self::Udp,
        Self::Gre,
        Self::Erspan,
        Self::Vxlan,
        Self::InnerEthernet,
        Self::Packet,
    ];

    /// The number that stands for it in columns: its place in [`ALL`](Self::ALL).
    pub const fn number(self) -> u8 {
        match self {
            Self::Link => 0,
            Self::Ethernet => 1,
            Self::Vlan => 2,
            Self::Arp => 3,
            Self::Ipv4 => 4,
            Self::Ipv6 => 5,
            Self::Udp => 6,
            Self::Gre => 7,
            Self::Erspan => 8,
            Self::Vxlan => 9,
            Self::InnerEthernet => 10,
            Self::Packet => 11,
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why bytes are no VXLAN packet: the header that could not be taken, where it starts, and the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{layer} at byte {offset}: {fault}")]
pub struct DecodeError {
    /// The header at fault.
    pub layer: Layer,
    /// Where it starts, in bytes from the start of the frame.
    pub offset: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The bytes end before the header does.
    #[error("{needed} bytes needed, {available} available")]
    Truncated {
        /// Bytes from the start of the header that it needs.
        needed: usize,
        /// Bytes from the start of the header that there are.
        available: usize,
    },
    /// A version that the header's RFC does not know.
    #[error("version {found} is not known")]
    Version {
        /// The version field.
        found: u8,
    },
    /// A length field that contradicts the header or the packet around it.
    #[error("a length of {found} is not between {least} and {most}")]
    Length {
        /// The field, in bytes.
        found: usize,
        /// The least it can be, in bytes.
        least: usize,
        /// The most it can be, in bytes.
        most: usize,
    },
    /// A field whose value this codec does not follow, such as ARP for another hardware.
    #[error("the value {found:#x} is not supported")]
    Unsupported {
        /// The field.
        found: u32,
    },
    /// Not VXLAN: an `EtherType` that is no IP.
    #[error("the EtherType {found:#06x} leads to no VXLAN")]
    EtherType {
        /// The `EtherType`.
        found: u16,
    },
    /// Not VXLAN: an IP protocol that is neither UDP nor a carrier.
    #[error("the protocol {found} leads to no VXLAN")]
    Protocol {
        /// The IP protocol.
        found: u8,
    },
    /// Not VXLAN: a UDP destination port that is not among those asked for.
    #[error("port {found} is no VXLAN port")]
    Port {
        /// The destination port.
        found: u16,
    },
    /// A fragment of a packet: RFC 7348 section 4.3 lets a receiver discard it, and Linux sees whole packets only.
    #[error("a fragment, at {fragment_offset} of its packet")]
    Fragment {
        /// Where the fragment starts in the payload of its packet, in bytes.
        fragment_offset: u32,
        /// Whether more fragments follow.
        more: bool,
    },
    /// The I flag is clear, so that there is no VNI (RFC 7348 section 5).
    #[error("the I flag is clear in the flags {flags:#04x}")]
    VniFlagClear {
        /// The first byte of the header.
        flags: u8,
    },
    /// Bits that [`Mode::Linux`](crate::Mode::Linux) refuses.
    #[error("the bits {bits:#018x} of the header are reserved")]
    ReservedBits {
        /// Those bits of the header, as a big-endian number.
        bits: u64,
    },
    /// A VXLAN-GPE next protocol that is missing or not known.
    #[error("the next protocol {found} is not known")]
    NextProtocol {
        /// The next protocol field.
        found: u8,
    },
    /// A checksum that is wrong, where it is verified.
    #[error("the checksum is {found:#06x} and should be {expected:#06x}")]
    Checksum {
        /// The field.
        found: u16,
        /// What it should be.
        expected: u16,
    },
    /// A UDP checksum of zero over IPv6, which RFC 8200 section 8.1 forbids, where checksums are verified.
    #[error("a checksum of zero is not allowed over IPv6")]
    ZeroChecksum,
    /// A link type that this codec does not know.
    #[error("the link type {found} is not supported")]
    LinkType {
        /// The link type, as capture files number them.
        found: u32,
    },
    /// The offset and length given for a packet lie outside the buffer.
    #[error("the packet ends at {end} of a buffer of {available} bytes")]
    OutOfBuffer {
        /// Where the packet would end, in bytes from the start of the buffer.
        end: u64,
        /// Length of the buffer, in bytes.
        available: u64,
    },
    /// More VXLAN headers inside one another than are followed.
    #[error("more than {limit} VXLAN headers inside one another")]
    TooDeep {
        /// How many are followed.
        limit: usize,
    },
}

impl Fault {
    /// The number that stands for this kind of fault in columns; 0 is no fault.
    ///
    /// | code | fault | | code | fault |
    /// |---|---|---|---|---|
    /// | 1 | `Truncated` | | 9 | `ReservedBits` |
    /// | 2 | `Version` | | 10 | `NextProtocol` |
    /// | 3 | `Length` | | 11 | `Checksum` |
    /// | 4 | `EtherType` | | 12 | `ZeroChecksum` |
    /// | 5 | `Protocol` | | 13 | `LinkType` |
    /// | 6 | `Port` | | 14 | `Unsupported` |
    /// | 7 | `Fragment` | | 15 | `OutOfBuffer` |
    /// | 8 | `VniFlagClear` | | 16 | `TooDeep` |
    pub const fn code(&self) -> u8 {
        match self {
            Self::Truncated { .. } => 1,
            Self::Version { .. } => 2,
            Self::Length { .. } => 3,
            Self::EtherType { .. } => 4,
            Self::Protocol { .. } => 5,
            Self::Port { .. } => 6,
            Self::Fragment { .. } => 7,
            Self::VniFlagClear { .. } => 8,
            Self::ReservedBits { .. } => 9,
            Self::NextProtocol { .. } => 10,
            Self::Checksum { .. } => 11,
            Self::ZeroChecksum => 12,
            Self::LinkType { .. } => 13,
            Self::Unsupported { .. } => 14,
            Self::OutOfBuffer { .. } => 15,
            Self::TooDeep { .. } => 16,
        }
    }

    /// Whether the packet is simply something else than VXLAN, and not damaged.
    pub const fn is_not_vxlan(&self) -> bool {
        matches!(self, Self::EtherType { .. } | Self::Protocol { .. } | Self::Port { .. })
    }
}

/// The names of [`Fault::code`], in order; the first is that of 0.
pub const FAULT_NAMES: [&str; 17] = [
    "ok",
    "truncated",
    "version",
    "length",
    "ether_type",
    "protocol",
    "port",
    "fragment",
    "vni_flag_clear",
    "reserved_bits",
    "next_protocol",
    "checksum",
    "zero_checksum",
    "link_type",
    "unsupported",
    "out_of_buffer",
    "too_deep",
];

impl DecodeError {
    pub(crate) const fn new(layer: Layer, offset: usize, fault: Fault) -> Self {
        Self { layer, offset, fault }
    }

    pub(crate) const fn truncated(
        layer: Layer,
        offset: usize,
        needed: usize,
        available: usize,
    ) -> Self {
        Self::new(layer, offset, Fault::Truncated { needed, available })
    }
}

/// Why headers cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The buffer given is too short; nothing that matters was written.
    #[error("{needed} bytes needed, {available} available")]
    BufferTooShort {
        /// Bytes needed.
        needed: usize,
        /// Bytes there are.
        available: usize,
    },
    /// More than the header's length field can say.
    #[error("{layer}: {length} bytes are more than the {limit} that its length field can say")]
    TooLong {
        /// The header.
        layer: Layer,
        /// Length in bytes.
        length: usize,
        /// The most there can be, in bytes.
        limit: usize,
    },
    /// Options or extension headers whose length is no multiple of what their header counts in.
    #[error("{layer}: {length} bytes are no multiple of {unit}")]
    Unaligned {
        /// The header.
        layer: Layer,
        /// Length in bytes.
        length: usize,
        /// What it must be a multiple of, in bytes.
        unit: usize,
    },
    /// Source and destination of different IP versions.
    #[error("source and destination are of different IP versions")]
    MixedFamilies,
    /// A VNI of more than 24 bits.
    #[error("the VNI {vni} is more than 24 bits")]
    Vni {
        /// The number.
        vni: u32,
    },
    /// More VLAN tags than [`Encap`](crate::Encap) writes.
    #[error("{tags} VLAN tags are more than {limit}")]
    TooManyTags {
        /// Tags given.
        tags: usize,
        /// The most there can be.
        limit: usize,
    },
    /// The source port range is empty.
    #[error("the port range from {min} up to, not including, {max} is empty")]
    EmptyPortRange {
        /// First port.
        min: u16,
        /// The port after the last one.
        max: u16,
    },
}
