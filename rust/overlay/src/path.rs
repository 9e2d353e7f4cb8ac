//! The way of a packet from pod to pod: each device it passes, what is looked up there, and the
//! headers it has then.
//!
//! On one node a packet goes from the pod's `eth0` through the bridge `cni0` to the other pod and
//! is not routed. Between nodes it is routed on both, so its TTL goes down by two (by four with
//! flannel's `udp`, whose process takes one on each side too):
//!
//! pod `eth0` → `cni0` → `flannel.1` → `eth0` → … → `eth0` → `flannel.1` → `cni0` → pod `eth0`
//!
//! Headers are values, not bytes: a [`Header`] has the fields that are known, [`Header::len`] says
//! how long it is. Hardware addresses that no object tells (pods, bridges, interfaces of nodes) are
//! [`MacAddr::assumed`]. Between nodes that share no segment one router is shown; there may be
//! more.

mod walk;
mod way;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::overhead::{ETHERNET, Encapsulation};
use crate::tables::Entry;
use crate::{Family, MacAddr};

const PROTOCOL_UDP: u8 = 17;

/// What is in a packet after its IP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// An echo request.
    Echo,
    /// TCP without options.
    Tcp {
        /// Source port.
        source_port: u16,
        /// Destination port.
        destination_port: u16,
    },
    /// UDP.
    Udp {
        /// Source port.
        source_port: u16,
        /// Destination port.
        destination_port: u16,
    },
}

impl Transport {
    const fn header(self) -> u32 {
        match self {
            Self::Tcp { .. } => 20,
            Self::Echo | Self::Udp { .. } => 8,
        }
    }

    const fn number(self, family: Family) -> u8 {
        match (self, family) {
            (Self::Echo, Family::Ipv4) => 1,
            (Self::Echo, Family::Ipv6) => 58,
            (Self::Tcp { .. }, _) => 6,
            (Self::Udp { .. }, _) => PROTOCOL_UDP,
        }
    }
}

/// A packet that a pod sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// Family of the pods' addresses.
    pub family: Family,
    /// What it carries.
    pub transport: Transport,
    /// Payload of the transport, in bytes; at most 65,000.
    pub payload: u32,
    /// The kernel's hash of the flow, from which the outer source port comes. It is keyed anew at
    /// each boot; without one, a stable hash takes its place.
    pub flow_hash: Option<u32>,
}

/// Largest payload, in bytes.
const MAX_PAYLOAD: u32 = 65_000;

/// A header with the values of its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Header {
    /// Ethernet, with its tags.
    Ethernet {
        /// Source address.
        source: MacAddr,
        /// Destination address.
        destination: MacAddr,
        /// Tags, outermost first: TPID and VID.
        tags: Vec<(u16, u16)>,
        /// `EtherType`.
        ethertype: u16,
    },
    /// IPv4 without options.
    Ipv4 {
        /// Source address.
        source: IpAddr,
        /// Destination address.
        destination: IpAddr,
        /// Time to live.
        ttl: u8,
        /// Protocol.
        protocol: u8,
        /// Total length in bytes.
        total_length: u32,
        /// Do not fragment.
        df: bool,
    },
    /// IPv6 without extensions.
    Ipv6 {
        /// Source address.
        source: IpAddr,
        /// Destination address.
        destination: IpAddr,
        /// Hop limit.
        hop_limit: u8,
        /// Next header.
        next_header: u8,
        /// Payload length in bytes.
        payload_length: u32,
    },
    /// UDP, with its checksum computed.
    Udp {
        /// Source port.
        source_port: u16,
        /// Destination port.
        destination_port: u16,
        /// Length in bytes.
        length: u32,
    },
    /// TCP without options.
    Tcp {
        /// Source port.
        source_port: u16,
        /// Destination port.
        destination_port: u16,
    },
    /// An echo request of ICMP or `ICMPv6`.
    Echo,
    /// VXLAN.
    Vxlan {
        /// Flags: 0x08, the VNI is valid.
        flags: u8,
        /// Network identifier.
        vni: u32,
    },
    /// Geneve with a frame inside.
    Geneve {
        /// Network identifier.
        vni: u32,
        /// Length of the options in bytes.
        options: u8,
    },
    /// GRE; with a key, NVGRE.
    Gre {
        /// Protocol inside.
        protocol: u16,
        /// Virtual subnet and flow.
        key: Option<u32>,
    },
    /// A data message of `WireGuard`; what follows is encrypted, and the tag comes last.
    Wireguard {
        /// Zeros that fill up the packet inside, in bytes.
        padding: u32,
    },
    /// ESP with all its parts; what follows is encrypted.
    Esp,
    /// The payload.
    Payload {
        /// Its length in bytes.
        bytes: u32,
    },
}

impl Header {
    /// Length in bytes; of what encloses (`WireGuard`, ESP), with what comes behind.
    pub fn len(&self) -> u32 {
        match self {
            Self::Ethernet { tags, .. } => ETHERNET + 4 * u32::try_from(tags.len()).unwrap_or(0),
            Self::Ipv4 { .. } | Self::Tcp { .. } => 20,
            Self::Ipv6 { .. } => 40,
            Self::Udp { .. } | Self::Echo | Self::Vxlan { .. } => 8,
            Self::Geneve { options, .. } => 8 + u32::from(*options),
            Self::Gre { key, .. } => 4 + if key.is_some() { 4 } else { 0 },
            Self::Wireguard { padding } => 32 + padding,
            Self::Esp => 57,
            Self::Payload { bytes } => *bytes,
        }
    }

    /// Whether there is nothing: an empty payload.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ethernet { source, destination, tags, ethertype } => {
                write!(f, "Ethernet {source} > {destination}")?;
                for (tpid, vid) in tags {
                    write!(f, " tag {tpid:#06x} vid {vid}")?;
                }
                write!(f, " type {ethertype:#06x}")
            }
            Self::Ipv4 { source, destination, ttl, protocol, total_length, df } => {
                let df = if *df { " DF" } else { "" };
                write!(
                    f,
                    "IPv4 {source} > {destination} ttl {ttl} protocol {protocol} length {total_length}{df}"
                )
            }
            Self::Ipv6 { source, destination, hop_limit, next_header, payload_length } => {
                write!(
                    f,
                    "IPv6 {source} > {destination} hop limit {hop_limit} next {next_header} length {payload_length}"
                )
            }
            Self::Udp { source_port, destination_port, length } => {
                write!(f, "UDP {source_port} > {destination_port} length {length}")
            }
            Self::Tcp { source_port, destination_port } => {
                write!(f, "TCP {source_port} > {destination_port}")
            }
            Self::Echo => f.write_str("ICMP echo request"),
            Self::Vxlan { flags, vni } => write!(f, "VXLAN flags {flags:#04x} vni {vni}"),
            Self::Geneve { vni, options } => write!(f, "Geneve vni {vni} options {options}"),
            Self::Gre { protocol, key: None } => write!(f, "GRE protocol {protocol:#06x}"),
            Self::Gre { protocol, key: Some(key) } => {
                write!(f, "GRE protocol {protocol:#06x} key {key}")
            }
            Self::Wireguard { padding } => write!(f, "WireGuard data, padding {padding}"),
            Self::Esp => f.write_str("ESP"),
            Self::Payload { bytes } => write!(f, "payload {bytes}"),
        }
    }
}

/// What is looked up on a device.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookup {
    /// A route that comes with an address, or the pod's own.
    Route {
        /// Its prefix.
        subnet: IpNet,
        /// The next hop; none when the destination is on the link.
        via: Option<IpAddr>,
        /// The device.
        device: Arc<str>,
    },
    /// An entry that flannel programmed.
    Programmed(Entry),
    /// A hardware address that ARP or neighbour discovery finds.
    Resolved {
        /// The IP address.
        address: IpAddr,
        /// The hardware address.
        mac: MacAddr,
    },
    /// The port of a bridge behind which a hardware address is.
    Port {
        /// The hardware address.
        mac: MacAddr,
        /// The port.
        device: Arc<str>,
    },
    /// The source address becomes the node's own (`FLANNEL_IPMASQ`, or the plugin's `ipMasq`).
    Masquerade {
        /// The new source address.
        source: IpAddr,
    },
}

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route { subnet, via: Some(via), device } => {
                write!(f, "route {subnet} via {via} dev {device}")
            }
            Self::Route { subnet, via: None, device } => {
                write!(f, "route {subnet} dev {device} scope link")
            }
            Self::Programmed(entry) => write!(f, "{entry}"),
            Self::Resolved { address, mac } => write!(f, "neighbour {address} lladdr {mac}"),
            Self::Port { mac, device } => write!(f, "bridge port of {mac}: {device}"),
            Self::Masquerade { source } => write!(f, "masquerade as {source}"),
        }
    }
}

/// One device on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The node, the pod as `namespace/name`, or `router`.
    pub place: String,
    /// The device.
    pub device: Arc<str>,
    /// The device's MTU in bytes, where it is known.
    pub mtu: Option<u32>,
    /// What is looked up there, in order.
    pub lookups: Vec<Lookup>,
    /// The headers of the packet or frame on this device, outermost first.
    pub headers: Vec<Header>,
}

impl Hop {
    /// Length of the packet or frame on this device, in bytes.
    pub fn length(&self) -> u32 {
        self.headers.iter().map(Header::len).sum()
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.place, self.device)?;
        if let Some(mtu) = self.mtu {
            write!(f, " mtu {mtu}")?;
        }
        for lookup in &self.lookups {
            write!(f, "\n  {lookup}")?;
        }
        for header in &self.headers {
            write!(f, "\n    {header}")?;
        }
        Ok(())
    }
}

/// What becomes of the packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It arrives.
    Delivered,
    /// It is larger than a device takes: the sender is told (ICMP, the MTU given), or it is cut
    /// into pieces where that is allowed.
    TooBig {
        /// Where.
        place: String,
        /// The device.
        device: Arc<str>,
        /// Its MTU in bytes.
        mtu: u32,
        /// Length of the packet there, in bytes.
        length: u32,
    },
    /// The sender's node has no way to the receiver's.
    Unreachable {
        /// Why.
        reason: String,
    },
}

/// The way of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// How it goes from node to node; none when it stays on one.
    pub encapsulation: Option<Encapsulation>,
    /// Bytes that are taken off the underlay's MTU; 0 on one node.
    pub overhead: u32,
    /// The largest IP packet that goes this way whole.
    pub mtu: u32,
    /// The devices, as far as it gets.
    pub hops: Vec<Hop>,
    /// What becomes of it.
    pub outcome: Outcome,
    wire_at: Option<usize>,
}

impl Trace {
    /// The hop on which the frame leaves the sender's node for another; none on one node.
    pub fn wire(&self) -> Option<&Hop> {
        self.hops.get(self.wire_at?)
    }
}
