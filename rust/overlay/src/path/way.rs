//! How packets get from node to node, and with what.

use std::net::IpAddr;
use std::sync::Arc;

use crate::lease::WireguardData;
use crate::overhead::Encapsulation;
use crate::tables::{Entry, IPIP_DEVICE, Overlay, OverlayNode, wireguard_device};
use crate::{Backend, Family, MacAddr, VxlanConfig};

/// VID of the tag, and of the inner one, where frames are tagged for comparison.
pub(super) const VIDS: [u16; 2] = [1, 2];

/// How the packet gets from node to node.
pub(super) struct Way {
    pub(super) encapsulation: Encapsulation,
    /// What flannel programmed for it.
    pub(super) entries: Vec<Entry>,
    pub(super) device: Arc<str>,
    pub(super) from: IpAddr,
    pub(super) to: IpAddr,
    pub(super) vni: u32,
    pub(super) ports: Ports,
    /// Hardware addresses of the tunnel's ends.
    pub(super) macs: (MacAddr, MacAddr),
}

/// UDP ports of a tunnel.
#[derive(Clone, Copy)]
pub(super) enum Ports {
    /// One for each flow, from a range whose end is excluded.
    Flow(u16, u16, u16),
    /// Source and destination.
    Fixed(u16, u16),
}

/// The range of local ports in Linux (`net.ipv4.ip_local_port_range`), from which a VXLAN device
/// takes source ports unless told otherwise.
const LOCAL_PORTS: (u16, u16) = (32768, 60999);

impl Overlay {
    /// How flannel gets packets of a family from node to node.
    pub(super) fn way(
        &self,
        from: &OverlayNode,
        to: &OverlayNode,
        family: Family,
    ) -> Result<Way, String> {
        let (entries, finding) = self.between(from, to);
        let of_family = |entry: &Entry| match entry {
            Entry::Route { subnet, .. } | Entry::Proxy { subnet, .. } => {
                Family::of_net(subnet) == family
            }
            Entry::Neighbour { address, .. } => Family::of(address) == family,
            Entry::Fdb { destination, .. } => Family::of(destination) == family,
            Entry::Peer { allowed_ips, .. } => {
                allowed_ips.iter().any(|net| Family::of_net(net) == family)
            }
        };
        let entries: Vec<Entry> = entries.into_iter().filter(of_family).collect();
        if entries.is_empty() {
            return Err(match finding {
                Some(finding) => finding.to_string(),
                None => format!("{} programs nothing on the nodes", self.backend().backend_type()),
            });
        }
        let endpoint = entries.iter().find_map(|entry| match entry {
            Entry::Peer { endpoint, .. } => Some(endpoint.ip()),
            _ => None,
        });
        let underlay = endpoint.map_or(family, |address| Family::of(&address));
        let encapsulation = match self.backend() {
            Backend::Vxlan(_) if entries.len() > 1 => Encapsulation::Vxlan,
            Backend::Ipip { .. } => match entries.first() {
                Some(Entry::Route { device: Some(device), .. }) if **device == *IPIP_DEVICE => {
                    Encapsulation::Ipip
                }
                _ => Encapsulation::Routed,
            },
            Backend::Wireguard(_) => Encapsulation::Wireguard,
            Backend::Udp { .. } => Encapsulation::FlannelUdp,
            _ => Encapsulation::Routed,
        };
        self.way_as(from, to, encapsulation, underlay, family).map(|way| Way { entries, ..way })
    }

    pub(super) fn way_as(
        &self,
        from: &OverlayNode,
        to: &OverlayNode,
        encapsulation: Encapsulation,
        underlay: Family,
        family: Family,
    ) -> Result<Way, String> {
        let address = |node: &OverlayNode| {
            let own =
                node.addresses.iter().copied().find(|address| Family::of(address) == underlay);
            let address = node.lease.attrs.public(underlay).or(own);
            address.ok_or_else(|| format!("node {} has no address of {underlay}", node.name))
        };
        if encapsulation.layers(underlay).is_none() {
            return Err(format!("{} does not exist over {underlay}", encapsulation.name()));
        }
        let config = match self.backend() {
            Backend::Vxlan(config) => *config,
            _ => VxlanConfig::default(),
        };
        let interface = &from.interface.name;
        let device: Arc<str> = match encapsulation {
            Encapsulation::Routed | Encapsulation::Esp { .. } => Arc::clone(interface),
            Encapsulation::Vlan | Encapsulation::Qinq => {
                let [vid, inner] = VIDS;
                if encapsulation == Encapsulation::Vlan {
                    format!("{interface}.{vid}").into()
                } else {
                    format!("{interface}.{vid}.{inner}").into()
                }
            }
            Encapsulation::Vxlan | Encapsulation::VxlanInWireguard => config.device(family).into(),
            Encapsulation::Wireguard => match self.backend() {
                Backend::Wireguard(config) => wireguard_device(config, family).into(),
                _ => "flannel-wg".into(),
            },
            Encapsulation::Ipip => IPIP_DEVICE.into(),
            Encapsulation::FlannelUdp => "flannel0".into(),
            Encapsulation::Geneve { .. } => format!("geneve.{}", config.vni).into(),
            Encapsulation::Gre | Encapsulation::Nvgre => "gre1".into(),
        };
        let wireguard = |node: &OverlayNode| {
            let announced =
                WireguardData::parse(node.lease.attrs.data(family).unwrap_or_default().as_bytes());
            match (announced, self.backend(), family) {
                (Ok(data), Backend::Wireguard(_), _) if data.port > 0 => data.port,
                (_, Backend::Wireguard(config), Family::Ipv6) => config.listen_port_v6,
                (_, Backend::Wireguard(config), Family::Ipv4) => config.listen_port,
                _ => 51820,
            }
        };
        let ports = match encapsulation {
            Encapsulation::Vxlan | Encapsulation::VxlanInWireguard => {
                Ports::Flow(LOCAL_PORTS.0, LOCAL_PORTS.1, config.destination_port())
            }
            // drivers/net/geneve.c takes from nearly all ports
            Encapsulation::Geneve { .. } => Ports::Flow(1, u16::MAX, 6081),
            Encapsulation::Wireguard => Ports::Fixed(wireguard(from), wireguard(to)),
            Encapsulation::Esp { .. } => Ports::Fixed(4500, 4500),
            _ => match self.backend() {
                Backend::Udp { port } => Ports::Fixed(*port, *port),
                _ => Ports::Fixed(8285, 8285),
            },
        };
        let mac = |node: &OverlayNode| {
            let announced = node.lease.attrs.vxlan_data(family).ok().and_then(|data| data.vtep_mac);
            announced
                .filter(|_| encapsulation == Encapsulation::Vxlan)
                .unwrap_or_else(|| MacAddr::assumed(&node.name, &device))
        };
        let macs = (mac(from), mac(to));
        let (from, to) = (address(from)?, address(to)?);
        Ok(Way {
            encapsulation,
            entries: Vec::new(),
            device,
            from,
            to,
            vni: config.vni,
            ports,
            macs,
        })
    }
}
