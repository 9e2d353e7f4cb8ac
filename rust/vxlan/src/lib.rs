//! VXLAN to the bit: RFC 7348, what Linux makes of it, and every header around and inside.
//!
//! ```text
//! Ethernet [802.1Q …] IP [GRE [ERSPAN II] Ethernet [802.1Q …] IP] UDP VXLAN Ethernet [802.1Q …] …
//! └──────────────── Frame: decoded ────────────────────────────────────────┘└── borrowed: Inner ──┘
//! ```
//!
//! - One file a header: `decode` takes it off the front of bytes, `to_bytes` or `encode` writes it back, and the one undoes the other bit by bit,
//!   reserved bits included.
//! - [`Decoder`] and [`Frame`]: a packet down to the frame that VXLAN carries; [`Decoder::frames`] for VXLAN in VXLAN.
//! - [`Encap`]: outer headers before inner frames. [`merge_ecn`] on the way out of the tunnel.
//! - [`batch`]: many packets in one buffer, as columns.
//! - [`capture`]: pcap and pcapng files, also compressed (with the feature `std`).
//!
//! | header | by |
//! |---|---|
//! | Ethernet, 802.1Q, 802.1ad | IEEE 802.3, 802.1Q |
//! | ARP | RFC 826 |
//! | IPv4, IPv6, jumbograms | RFC 791, 8200, 2675 |
//! | UDP, checksums | RFC 768, 1071, 6935, 6936 |
//! | VXLAN | RFC 7348, draft-smith-vxlan-group-policy, draft-ietf-nvo3-vxlan-gpe |
//! | GRE, ERSPAN II | RFC 2784, 2890, draft-foschiano-erspan |
//! | ECN | RFC 6040 |
//!
//! Any bytes give a result or a [`DecodeError`], which says the header, where it starts, and what is wrong: never a panic.
//! Nothing here reads a clock, an environment or anything random.
//!
//! **Not done:** fragments are not put together again (RFC 7348 section 4.3 lets receivers drop them), packets are not cut
//! into segments, ERSPAN III is not opened, and remote checksum offload is only seen as the reserved bits it is.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod arp;
pub mod batch;
mod bytes;
#[cfg(feature = "std")]
pub mod capture;
mod checksum;
mod ecn;
mod encap;
mod error;
mod erspan;
mod ether_type;
mod ethernet;
mod flow;
mod frame;
mod gre;
mod headers;
mod ip_protocol;
mod ipv4;
mod ipv6;
mod link;
mod mac;
mod udp;
mod vlan;
mod vlan_id;
mod vni;
mod vxlan;

pub use arp::{ArpOperation, ArpPacket};
pub use checksum::{Checksum, ChecksumStatus};
pub use ecn::{Ecn, EcnCodepoint, EcnDrop, decapsulate_ecn, merge_ecn};
pub use encap::{
    DontFragment, Dscp, Encap, MAX_HEADERS, MAX_TAGS, Outer, OuterTag, PerPacket, SourcePort, Ttl,
};
pub use error::{DecodeError, EncodeError, FAULT_NAMES, Fault, Layer};
pub use erspan::ErspanHeader;
pub use ether_type::EtherType;
pub use ethernet::EthernetHeader;
pub use flow::{PortRange, flow_hash};
pub use frame::{
    Carrier, Checksums, Decoder, Frame, Frames, GPE_PORT, Inner, LINUX_PORT, MAX_DEPTH, PORT,
};
pub use gre::GreHeader;
pub use headers::{Headers, IpHeader};
pub use ip_protocol::IpProtocol;
pub use ipv4::{Fragment, Ipv4Header};
pub use ipv6::{FlowLabel, Ipv6Extension, Ipv6Extensions, Ipv6Fragment, Ipv6Header};
pub use link::{LinkType, Sll2Header, SllHeader, Start};
pub use mac::{MacAddress, MacAddressError};
pub use udp::UdpHeader;
pub use vlan::{Priority, VlanTag, VlanTags};
pub use vlan_id::VlanId;
pub use vni::Vni;
pub use vxlan::{Device, Gpe, GroupPolicy, Mode, NextProtocol, VxlanHeader};
