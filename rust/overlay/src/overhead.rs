//! `Encapsulation`: what each way of carrying pods' packets adds to them.

use crate::Family;

/// A way from node to node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Encapsulation {
    /// Plain routes: flannel's `host-gw`, `DirectRouting`. Needs one segment.
    Routed,
    /// A tag of IEEE 802.1Q.
    Vlan,
    /// Two tags: IEEE 802.1ad.
    Qinq,
    /// An IP packet in an IP packet (RFC 2003, RFC 2473).
    Ipip,
    /// An IP packet in UDP, by flannel's own process; IPv4 only.
    FlannelUdp,
    /// A frame in VXLAN (RFC 7348).
    Vxlan,
    /// A frame in Geneve (RFC 8926).
    Geneve {
        /// Length of the options in bytes: a multiple of 4, at most 252.
        options: u8,
    },
    /// An IP packet in `WireGuard`.
    Wireguard,
    /// An IP packet in ESP, as flannel's `ipsec` counts it; IPv4 only.
    Esp {
        /// ESP in UDP.
        udp_encap: bool,
    },
    /// An IP packet in GRE (RFC 2784).
    Gre,
    /// A frame in GRE with a key (RFC 7637).
    Nvgre,
    /// A frame in VXLAN in `WireGuard`, as Cilium has it; the inner tunnel is counted over the same
    /// family. (Cilium itself keeps 80 bytes for `WireGuard` whatever the family, and so 130 over
    /// IPv4.)
    VxlanInWireguard,
}

/// A header or trailer that is added, and its length in bytes.
pub type Layer = (&'static str, u32);

/// Length of an Ethernet header, in bytes.
pub const ETHERNET: u32 = 14;

const UDP: Layer = ("UDP", 8);
/// Type and reserved 4, receiver 4, counter 8, authentication tag 16.
const WIREGUARD: Layer = ("WireGuard", 32);
const VXLAN: Layer = ("VXLAN", 8);
const INNER_ETHERNET: Layer = ("inner Ethernet", ETHERNET);

impl Encapsulation {
    /// All, Geneve without options.
    pub const ALL: [Self; 13] = [
        Self::Routed,
        Self::Vlan,
        Self::Qinq,
        Self::Ipip,
        Self::FlannelUdp,
        Self::Vxlan,
        Self::Geneve { options: 0 },
        Self::Wireguard,
        Self::Esp { udp_encap: false },
        Self::Esp { udp_encap: true },
        Self::Gre,
        Self::Nvgre,
        Self::VxlanInWireguard,
    ];

    /// The name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Routed => "host-gw",
            Self::Vlan => "vlan",
            Self::Qinq => "qinq",
            Self::Ipip => "ipip",
            Self::FlannelUdp => "udp",
            Self::Vxlan => "vxlan",
            Self::Geneve { .. } => "geneve",
            Self::Wireguard => "wireguard",
            Self::Esp { udp_encap: false } => "ipsec",
            Self::Esp { udp_encap: true } => "ipsec-udp",
            Self::Gre => "gre",
            Self::Nvgre => "nvgre",
            Self::VxlanInWireguard => "vxlan-in-wireguard",
        }
    }

    /// What is added in front of (ESP, `WireGuard`: also behind) the inner IP packet, outermost
    /// first, but for the outer Ethernet header and its tags. None where it does not exist over
    /// that family, or for Geneve options of another length than those that can be.
    pub fn layers(self, underlay: Family) -> Option<Vec<Layer>> {
        let ip = match underlay {
            Family::Ipv4 => ("IPv4", 20),
            Family::Ipv6 => ("IPv6", 40),
        };
        let ipv4_only = underlay == Family::Ipv4;
        Some(match self {
            Self::Routed | Self::Vlan | Self::Qinq => Vec::new(),
            Self::Ipip => vec![ip],
            Self::FlannelUdp if ipv4_only => vec![ip, UDP],
            Self::Vxlan => vec![ip, UDP, VXLAN, INNER_ETHERNET],
            Self::Geneve { options } if options <= 252 && options % 4 == 0 => {
                let mut layers = vec![ip, UDP, ("Geneve", 8)];
                if options > 0 {
                    layers.push(("Geneve options", options.into()));
                }
                layers.push(INNER_ETHERNET);
                layers
            }
            Self::Wireguard => vec![ip, UDP, WIREGUARD],
            // the numbers of flannel's pkg/backend/ipsec/ipsec_network.go, paddings at their
            // greatest
            Self::Esp { udp_encap: false } if ipv4_only => vec![ip, ("ESP", 57)],
            Self::Esp { udp_encap: true } if ipv4_only => vec![ip, UDP, ("ESP", 57)],
            Self::Gre => vec![ip, ("GRE", 4)],
            Self::Nvgre => vec![ip, ("GRE with key", 8), INNER_ETHERNET],
            Self::VxlanInWireguard => vec![ip, UDP, WIREGUARD, ip, UDP, VXLAN, INNER_ETHERNET],
            Self::FlannelUdp | Self::Geneve { .. } | Self::Esp { .. } => return None,
        })
    }

    /// Bytes that are taken off the underlay's MTU.
    pub fn overhead(self, underlay: Family) -> Option<u32> {
        Some(self.layers(underlay)?.iter().map(|(_, bytes)| bytes).sum())
    }

    /// Bytes of tags in the outer Ethernet header, which no MTU counts.
    pub const fn tags(self) -> u32 {
        match self {
            Self::Vlan => 4,
            Self::Qinq => 8,
            _ => 0,
        }
    }

    /// The largest IP packet of a pod that goes whole through an underlay of this MTU.
    pub fn mtu(self, underlay_mtu: u32, underlay: Family) -> Option<u32> {
        underlay_mtu.checked_sub(self.overhead(underlay)?)
    }

    /// Length of the frame on the wire that carries an IP packet of `packet` bytes, without
    /// preamble and FCS; none when the packet is too large.
    ///
    /// `WireGuard` pads what it encrypts to a multiple of 16 bytes, but never beyond its device's
    /// MTU.
    pub fn frame(self, packet: u32, underlay_mtu: u32, underlay: Family) -> Option<u32> {
        let (overhead, mtu) = (self.overhead(underlay)?, self.mtu(underlay_mtu, underlay)?);
        if packet > mtu {
            return None;
        }
        let inside = match self {
            Self::Wireguard => packet.next_multiple_of(16).min(mtu),
            Self::VxlanInWireguard => {
                let tunnel = overhead - underlay.header() - UDP.1 - WIREGUARD.1;
                (packet + tunnel).next_multiple_of(16).min(mtu + tunnel) - tunnel
            }
            _ => packet,
        };
        Some(ETHERNET + self.tags() + overhead + inside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overheads_are_those_that_are_published() {
        for (encapsulation, ipv4, ipv6) in [
            (Encapsulation::Routed, Some(0), Some(0)),
            (Encapsulation::Vlan, Some(0), Some(0)),
            (Encapsulation::Ipip, Some(20), Some(40)),
            (Encapsulation::FlannelUdp, Some(28), None),
            (Encapsulation::Vxlan, Some(50), Some(70)),
            (Encapsulation::Geneve { options: 0 }, Some(50), Some(70)),
            (Encapsulation::Geneve { options: 12 }, Some(62), Some(82)),
            (Encapsulation::Geneve { options: 13 }, None, None),
            (Encapsulation::Geneve { options: 255 }, None, None),
            (Encapsulation::Wireguard, Some(60), Some(80)),
            (Encapsulation::Esp { udp_encap: false }, Some(77), None),
            (Encapsulation::Esp { udp_encap: true }, Some(85), None),
            (Encapsulation::Gre, Some(24), Some(44)),
            (Encapsulation::Nvgre, Some(42), Some(62)),
            (Encapsulation::VxlanInWireguard, Some(110), Some(150)),
        ] {
            assert_eq!(encapsulation.overhead(Family::Ipv4), ipv4, "{encapsulation:?}");
            assert_eq!(encapsulation.overhead(Family::Ipv6), ipv6, "{encapsulation:?}");
        }
    }

    #[test]
    fn frames_have_tags_and_paddings() {
        let frame =
            |encapsulation: Encapsulation, packet| encapsulation.frame(packet, 1500, Family::Ipv4);
        assert_eq!(frame(Encapsulation::Vlan, 1500), Some(1518));
        assert_eq!(frame(Encapsulation::Qinq, 1500), Some(1522));
        assert_eq!(frame(Encapsulation::Vxlan, 1450), Some(1514));
        assert_eq!(frame(Encapsulation::Vxlan, 1451), None);
        assert_eq!(frame(Encapsulation::Wireguard, 100), Some(14 + 60 + 112));
        assert_eq!(frame(Encapsulation::Wireguard, 1440), Some(1514));
        assert_eq!(Encapsulation::Wireguard.frame(1433, 1495, Family::Ipv4), Some(14 + 1495));
        assert_eq!(Encapsulation::Vxlan.mtu(40, Family::Ipv4), None);
    }
}
