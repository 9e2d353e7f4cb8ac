//! What each node programs into its kernel: devices, neighbours, forwarding entries, routes.
//!
//! Follows `pkg/backend/vxlan/{vxlan,device,vxlan_network}.go`, `pkg/backend/route_network.go` and
//! the other backends of flannel at cdf76059. For each other node, in this order:
//!
//! | backend | entries |
//! |---|---|
//! | `vxlan` | neighbour *subnet's first address* → `VtepMAC`; FDB `VtepMAC` → public address; route to the subnet via its first address, on link |
//! | `vxlan` with `DirectRouting`, on one segment | route to the subnet via the public address, nothing else |
//! | `host-gw`, `ipip` | route to the subnet via the public address; `ipip`: on `flannel.ipip`, on link |
//! | `wireguard` | peer with its key, address and subnet; route to the whole network |
//! | `udp` | an entry in the table of flannel's own process |
//! | `ipsec`, `alloc`, `extension`, `tencent-vpc` | nothing of the kind |
//!
//! With dual stack IPv4 comes first. A table is made for one node when it is asked for, in time
//! proportional to the number of nodes.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use indexmap::IndexMap;
use ipnet::IpNet;

use crate::error::OverlayError;
use crate::finding::Finding;
use crate::json::shown;
use crate::lease::WireguardData;
use crate::text::push;
use crate::{
    Backend, Family, Lease, MacAddr, NetConf, VxlanConfig, WireguardConfig, WireguardMode,
};

/// The external interface of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: Arc<str>,
    /// Its MTU in bytes.
    pub mtu: u32,
}

impl Default for Interface {
    /// `eth0` with an MTU of 1500.
    fn default() -> Self {
        Self { name: "eth0".into(), mtu: 1500 }
    }
}

/// A node that takes part in the overlay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayNode {
    /// Its name.
    pub name: String,
    /// Its subnets, and what it announces.
    pub lease: Lease,
    /// Its external interface.
    pub interface: Interface,
    /// All addresses of the node itself.
    pub addresses: Vec<IpAddr>,
    /// How many pods it takes, where that is known.
    pub max_pods: Option<i64>,
}

/// Which nodes reach each other without a router.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Segments {
    /// None: a router stands between any two.
    #[default]
    Routed,
    /// All.
    One,
    /// Those whose addresses lie in one of these prefixes.
    Subnets(Vec<IpNet>),
}

impl Segments {
    /// Whether `ip route get` shows one route without a gateway from one address to the other
    /// (`ip.DirectRouting`).
    pub fn joins(&self, from: IpAddr, to: IpAddr) -> bool {
        match self {
            Self::Routed => false,
            Self::One => true,
            Self::Subnets(nets) => nets.iter().any(|net| net.contains(&from) && net.contains(&to)),
        }
    }
}

/// Something that flannel programs for another node.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Entry {
    /// Where the next hop is: hardware address by IP address, permanent.
    Neighbour {
        /// The device.
        device: Arc<str>,
        /// The IP address.
        address: IpAddr,
        /// The hardware address.
        mac: MacAddr,
    },
    /// Where a hardware address is: behind the VTEP of an address, permanent, of the device itself.
    Fdb {
        /// The device.
        device: Arc<str>,
        /// The hardware address.
        mac: MacAddr,
        /// The other VTEP.
        destination: IpAddr,
    },
    /// Where a subnet is.
    Route {
        /// The subnet.
        subnet: IpNet,
        /// The next hop; none for what is on the device's link.
        via: Option<IpAddr>,
        /// The device; none where the kernel finds it by the next hop.
        device: Option<Arc<str>>,
        /// The next hop is on the link though no address says so.
        onlink: bool,
    },
    /// A peer of `WireGuard`.
    Peer {
        /// The device.
        device: Arc<str>,
        /// Its public key, base 64.
        public_key: String,
        /// Its address and UDP port.
        endpoint: SocketAddr,
        /// What is sent to it and may come from it.
        allowed_ips: Vec<IpNet>,
    },
    /// An entry of the process of the backend `udp`.
    Proxy {
        /// The subnet.
        subnet: IpNet,
        /// Address and UDP port of the other node's process.
        endpoint: SocketAddr,
    },
}

/// By what the kernel tells entries apart: one that is set takes the place of the one under the
/// same key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKey {
    /// A neighbour, by device and address.
    Neighbour(Arc<str>, IpAddr),
    /// A forwarding entry, by device and hardware address.
    Fdb(Arc<str>, MacAddr),
    /// A route, by subnet.
    Route(IpNet),
    /// A peer, by device and public key.
    Peer(Arc<str>, String),
    /// An entry of flannel's process, by subnet.
    Proxy(IpNet),
}

/// The option by which `ip` is told the family.
const fn family_option(address: &IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "",
        IpAddr::V6(_) => " -6",
    }
}

impl Entry {
    /// By what the kernel knows it.
    pub fn key(&self) -> EntryKey {
        match self {
            Self::Neighbour { device, address, .. } => {
                EntryKey::Neighbour(Arc::clone(device), *address)
            }
            Self::Fdb { device, mac, .. } => EntryKey::Fdb(Arc::clone(device), *mac),
            Self::Route { subnet, .. } => EntryKey::Route(*subnet),
            Self::Peer { device, public_key, .. } => {
                EntryKey::Peer(Arc::clone(device), public_key.clone())
            }
            Self::Proxy { subnet, .. } => EntryKey::Proxy(*subnet),
        }
    }

    /// The command that sets it; a comment where there is none.
    pub fn set_command(&self) -> String {
        self.command("replace")
    }

    /// The command that deletes it; a comment where there is none.
    pub fn delete_command(&self) -> String {
        self.command("del")
    }

    fn command(&self, verb: &str) -> String {
        let delete = verb == "del";
        match self {
            Self::Neighbour { device, address, mac } => {
                let state = if delete { "" } else { " nud permanent" };
                let option = family_option(address);
                format!("ip{option} neigh {verb} {address} lladdr {mac} dev {device}{state}")
            }
            Self::Fdb { device, mac, destination } => {
                let state = if delete { "" } else { " permanent" };
                format!("bridge fdb {verb} {mac} dev {device} dst {destination} self{state}")
            }
            Self::Route { subnet, via, device, onlink } => {
                let mut text = format!("ip{} route {verb} {subnet}", family_option(&subnet.addr()));
                if let Some(via) = via {
                    push(&mut text, format_args!(" via {via}"));
                }
                if let Some(device) = device {
                    push(&mut text, format_args!(" dev {device}"));
                }
                match (via, onlink) {
                    (_, true) => text.push_str(" onlink"),
                    (None, false) => text.push_str(" scope link"),
                    (Some(_), false) => {}
                }
                text
            }
            Self::Peer { device, public_key, .. } if delete => {
                format!("wg set {device} peer {public_key} remove")
            }
            Self::Peer { device, public_key, endpoint, allowed_ips } => {
                let allowed: Vec<String> = allowed_ips.iter().map(ToString::to_string).collect();
                format!(
                    "wg set {device} peer {public_key} endpoint {endpoint} allowed-ips {}",
                    allowed.join(",")
                )
            }
            Self::Proxy { subnet, .. } if delete => format!("# flanneld: {subnet} removed"),
            Self::Proxy { subnet, endpoint } => format!("# flanneld: {subnet} to {endpoint}"),
        }
    }
}

impl fmt::Display for Entry {
    /// The command that sets it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.set_command())
    }
}

/// What a device is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkKind {
    /// A VXLAN device.
    Vxlan {
        /// The network identifier.
        vni: u32,
        /// UDP destination port.
        port: u16,
        /// Whether it learns.
        learning: bool,
        /// Group based policy.
        gbp: bool,
    },
    /// An IP-in-IP tunnel.
    Ipip,
    /// A `WireGuard` device.
    Wireguard {
        /// UDP port.
        port: u16,
    },
    /// A TUN device of flannel's process.
    Tun,
}

/// A device that flannel makes on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub name: Arc<str>,
    /// What it is.
    pub kind: LinkKind,
    /// Its hardware address, where it has one and announces it.
    pub mac: Option<MacAddr>,
    /// The address it sends from; none where the kernel chooses.
    pub local: Option<IpAddr>,
    /// The external interface.
    pub interface: Arc<str>,
    /// Its own address: the first of the node's subnet, alone in its prefix so that no route comes
    /// with it.
    pub address: Option<IpNet>,
    /// The MTU that flannel asks for; 0 and less: flannel asks for none.
    pub requested_mtu: i64,
    /// The MTU that the kernel gives it, in bytes.
    pub mtu: u32,
}

impl Link {
    /// The commands that make it.
    pub fn commands(&self) -> Vec<String> {
        let (name, mac) = (&self.name, self.mac);
        let mut add = format!("ip link add {name}");
        if self.requested_mtu > 0 {
            push(&mut add, format_args!(" mtu {}", self.mtu));
        }
        if let Some(mac) = mac {
            push(&mut add, format_args!(" address {mac}"));
        }
        let local = self.local.map(|local| format!(" local {local}")).unwrap_or_default();
        match &self.kind {
            LinkKind::Vxlan { vni, port, learning, gbp } => {
                let learning = if *learning { "learning" } else { "nolearning" };
                let gbp = if *gbp { " gbp" } else { "" };
                let dev = &self.interface;
                push(
                    &mut add,
                    format_args!(
                        " type vxlan id {vni}{local} dev {dev} dstport {port} {learning}{gbp}"
                    ),
                );
            }
            LinkKind::Ipip => push(&mut add, format_args!(" type ipip{local}")),
            LinkKind::Wireguard { .. } => add.push_str(" type wireguard"),
            LinkKind::Tun => add = format!("ip tuntap add dev {name} mode tun"),
        }
        let mut commands = vec![add];
        match &self.kind {
            LinkKind::Vxlan { .. } => {
                commands.push(format!("sysctl -w net/ipv6/conf/{name}/accept_ra=0"));
            }
            LinkKind::Wireguard { port } => {
                commands.push(format!("wg set {name} private-key wgkey listen-port {port}"));
            }
            LinkKind::Tun => commands.push(format!("ip link set {name} mtu {}", self.mtu)),
            LinkKind::Ipip => {}
        }
        if let Some(address) = &self.address {
            commands.push(format!(
                "ip{} addr add {address} dev {name}",
                family_option(&address.addr())
            ));
        }
        commands.push(format!("ip link set {name} up"));
        commands
    }
}

/// Least MTU of a device in Linux (`ETH_MIN_MTU`).
const LEAST_MTU: u32 = 68;

/// Largest MTU of an IP-in-IP device in Linux: a packet's greatest length less the outer header
/// (`ip_tunnel_newlink`).
const IP_MAX_MTU: u32 = 0xfff8;

impl Backend {
    /// The MTU that flannel tells pods (`FLANNEL_MTU`), for an external interface of this MTU.
    pub fn mtu(&self, interface_mtu: u32) -> i64 {
        let interface_mtu = i64::from(interface_mtu);
        match self {
            // 50 whatever the family
            Self::Vxlan(config) => config.mtu.unwrap_or(interface_mtu).saturating_sub(50),
            Self::Ipip { .. } => interface_mtu - 20,
            Self::Wireguard(config) => config.mtu.unwrap_or(interface_mtu).saturating_sub(80),
            Self::Udp { .. } => interface_mtu - 28,
            // pkg/backend/ipsec/ipsec_network.go
            Self::Ipsec { udp_encap: true } => interface_mtu - 85,
            Self::Ipsec { udp_encap: false } => interface_mtu - 77,
            Self::HostGw | Self::Alloc | Self::Extension(_) | Self::TencentVpc => interface_mtu,
        }
    }
}

/// The MTU that Linux gives a VXLAN device over an interface: what is asked for, at most the
/// interface's less the headers (`vxlan_config_apply`).
pub fn vxlan_device_mtu(requested: i64, interface_mtu: u32, underlay: Family) -> u32 {
    let headroom = underlay.header() + 8 + 8 + 14;
    let most = interface_mtu.saturating_sub(headroom).max(LEAST_MTU);
    match u32::try_from(requested) {
        // flannel's library does not send an MTU that is not positive
        Err(_) | Ok(0) => most,
        Ok(requested) => requested.min(most),
    }
}

/// A cluster's overlay network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    conf: NetConf,
    backend: Backend,
    families: &'static [Family],
    nodes: IndexMap<String, OverlayNode>,
    segments: Segments,
}

/// What a node does about another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programmed<'o> {
    /// The other node.
    pub node: &'o OverlayNode,
    /// What is set, in flannel's order.
    pub entries: Vec<Entry>,
    /// Why nothing is set, or not all.
    pub finding: Option<Finding>,
}

impl Overlay {
    /// The network of these nodes, in this order; of nodes with one name the last stays.
    ///
    /// # Errors
    /// No family is enabled, or the backend is not known.
    pub fn new(
        conf: NetConf,
        nodes: impl IntoIterator<Item = OverlayNode>,
        segments: Segments,
    ) -> Result<Self, OverlayError> {
        let (families, backend) = (conf.families()?, conf.backend()?);
        let nodes = nodes.into_iter().map(|node| (node.name.clone(), node)).collect();
        Ok(Self { conf, backend, families, nodes, segments })
    }

    /// The configuration.
    pub const fn conf(&self) -> &NetConf {
        &self.conf
    }

    /// The backend.
    pub const fn backend(&self) -> &Backend {
        &self.backend
    }

    /// The enabled families.
    pub const fn families(&self) -> &'static [Family] {
        self.families
    }

    /// Which nodes share a segment.
    pub const fn segments(&self) -> &Segments {
        &self.segments
    }

    /// The nodes that take part.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &OverlayNode> {
        self.nodes.values()
    }

    /// A node by name.
    ///
    /// # Errors
    /// No such node takes part.
    pub fn node(&self, name: &str) -> Result<&OverlayNode, OverlayError> {
        self.nodes.get(name).ok_or_else(|| OverlayError::NoNode { node: name.into() })
    }

    /// Puts a node in, or another in the place of the one of its name; the old one comes back.
    pub fn insert(&mut self, node: OverlayNode) -> Option<OverlayNode> {
        self.nodes.insert(node.name.clone(), node)
    }

    /// Takes a node out; the order of the others stays.
    pub fn remove(&mut self, name: &str) -> Option<OverlayNode> {
        self.nodes.shift_remove(name)
    }

    /// The MTU that a node tells its pods (`FLANNEL_MTU`), in bytes.
    pub fn mtu(&self, node: &OverlayNode) -> i64 {
        self.backend.mtu(node.interface.mtu)
    }

    /// The devices that flannel makes on a node.
    pub fn links(&self, node: &OverlayNode) -> Vec<Link> {
        let interface_mtu = node.interface.mtu;
        let requested_mtu = self.mtu(node);
        let link = |name: String, family: Family, kind: LinkKind, mtu: u32| Link {
            name: name.into(),
            kind,
            mac: None,
            local: node.lease.attrs.public(family),
            interface: Arc::clone(&node.interface.name),
            address: node.lease.subnet_of(family).and_then(|net| host(net.addr())),
            requested_mtu,
            mtu,
        };
        let given = |mtu: i64| u32::try_from(mtu).unwrap_or(LEAST_MTU).max(LEAST_MTU);
        match &self.backend {
            Backend::Vxlan(config) => self
                .families
                .iter()
                .map(|&family| {
                    let kind = LinkKind::Vxlan {
                        vni: config.vni,
                        port: config.destination_port(),
                        learning: config.learning,
                        gbp: config.gbp,
                    };
                    let mtu = vxlan_device_mtu(requested_mtu, interface_mtu, family);
                    let mac =
                        node.lease.attrs.vxlan_data(family).ok().and_then(|data| data.vtep_mac);
                    Link { mac, ..link(config.device(family), family, kind, mtu) }
                })
                .collect(),
            Backend::Ipip { .. } => {
                let mtu = given(requested_mtu).min(IP_MAX_MTU);
                vec![link(IPIP_DEVICE.into(), Family::Ipv4, LinkKind::Ipip, mtu)]
            }
            Backend::Wireguard(config) => {
                let families = self.families.iter();
                let one = config.mode != WireguardMode::Separate;
                families
                    .take(if one { 1 } else { 2 })
                    .map(|&family| {
                        let port = match family {
                            Family::Ipv6 if !one => config.listen_port_v6,
                            _ => config.listen_port,
                        };
                        let kind = LinkKind::Wireguard { port };
                        let name = wireguard_device(config, family).to_owned();
                        Link { local: None, ..link(name, family, kind, given(requested_mtu)) }
                    })
                    .collect()
            }
            Backend::Udp { .. } => {
                vec![link("flannel0".into(), Family::Ipv4, LinkKind::Tun, given(requested_mtu))]
            }
            _ => Vec::new(),
        }
    }

    /// What a node programs for each other one, in their order.
    ///
    /// # Errors
    /// No such node takes part.
    pub fn table(&self, name: &str) -> Result<impl Iterator<Item = Programmed<'_>>, OverlayError> {
        let local = self.node(name)?;
        let others = self.nodes.values().filter(move |node| !node.lease.same_subnet(&local.lease));
        let devices = Devices::new(&self.backend);
        Ok(others.map(move |node| {
            let (entries, finding) = self.entries(local, node, &devices);
            Programmed { node, entries, finding }
        }))
    }

    /// The tables of a node after it has programmed all others, and what it passed over.
    ///
    /// # Errors
    /// No such node takes part.
    pub fn tables(&self, name: &str) -> Result<(Tables, Vec<Finding>), OverlayError> {
        let (mut tables, mut findings) = (Tables::default(), Vec::new());
        for programmed in self.table(name)? {
            for entry in programmed.entries {
                tables.set(entry);
            }
            findings.extend(programmed.finding);
        }
        Ok((tables, findings))
    }

    /// What `local` programs for one other node.
    pub fn between(
        &self,
        local: &OverlayNode,
        remote: &OverlayNode,
    ) -> (Vec<Entry>, Option<Finding>) {
        self.entries(local, remote, &Devices::new(&self.backend))
    }

    fn entries(
        &self,
        local: &OverlayNode,
        remote: &OverlayNode,
        devices: &Devices,
    ) -> (Vec<Entry>, Option<Finding>) {
        let attrs = &remote.lease.attrs;
        let expected = self.backend.backend_type().announced();
        let looked_at =
            !matches!(self.backend, Backend::Udp { .. } | Backend::Alloc | Backend::TencentVpc);
        if looked_at && attrs.backend_type != expected {
            let subnets: Vec<String> = Family::ALL
                .iter()
                .filter_map(|&family| remote.lease.subnet_of(family).map(|net| net.to_string()))
                .collect();
            let finding = Finding::OtherBackend {
                node: remote.name.clone(),
                subnet: subnets.join(" "),
                expected,
                found: attrs.backend_type.clone(),
            };
            return (Vec::new(), Some(finding));
        }
        match &self.backend {
            Backend::Vxlan(config) => self.vxlan_entries(config, local, remote, devices),
            Backend::HostGw => {
                let device = Some(Arc::clone(&local.interface.name));
                let routes = self.families.iter().filter_map(|&family| {
                    let (subnet, via) = (remote.lease.subnet_of(family)?, attrs.public(family)?);
                    Some(Entry::Route {
                        subnet,
                        via: Some(via),
                        device: device.clone(),
                        onlink: false,
                    })
                });
                (routes.collect(), None)
            }
            Backend::Ipip { direct_routing } => {
                let (Some(subnet), Some(via)) =
                    (remote.lease.subnet_of(Family::Ipv4), attrs.public(Family::Ipv4))
                else {
                    return (Vec::new(), None);
                };
                // flannel leaves the mark "on link" on direct routes too
                let direct = *direct_routing && self.direct(local, via);
                let device = if direct { &local.interface.name } else { &devices.ipv4 };
                let route = Entry::Route {
                    subnet,
                    via: Some(via),
                    device: Some(Arc::clone(device)),
                    onlink: true,
                };
                (vec![route], None)
            }
            Backend::Wireguard(config) => self.wireguard_entries(config, local, remote, devices),
            Backend::Udp { port } => {
                let entry = remote.lease.subnet_of(Family::Ipv4).map(|subnet| Entry::Proxy {
                    subnet,
                    endpoint: SocketAddr::new(attrs.public_ip.into(), *port),
                });
                (entry.into_iter().collect(), None)
            }
            Backend::Ipsec { .. }
            | Backend::Alloc
            | Backend::Extension(_)
            | Backend::TencentVpc => (Vec::new(), None),
        }
    }

    fn direct(&self, local: &OverlayNode, to: IpAddr) -> bool {
        let from = local.lease.attrs.public(Family::of(&to));
        from.is_some_and(|from| self.segments.joins(from, to))
    }

    fn vxlan_entries(
        &self,
        config: &VxlanConfig,
        local: &OverlayNode,
        remote: &OverlayNode,
        devices: &Devices,
    ) -> (Vec<Entry>, Option<Finding>) {
        let attrs = &remote.lease.attrs;
        let mut data = Vec::with_capacity(2);
        // flannel reads the data of both families before it sets anything
        for &family in self.families {
            match attrs.vxlan_data(family) {
                Ok(read) => data.push((family, read)),
                Err(_) if attrs.data(family).is_none() => {
                    return (
                        Vec::new(),
                        Some(Finding::NoVtepMac { node: remote.name.clone(), family }),
                    );
                }
                Err(error) => {
                    let finding = Finding::BackendData {
                        node: remote.name.clone(),
                        family,
                        data: shown(attrs.data(family).unwrap_or_default().as_bytes()),
                        problem: error.to_string(),
                    };
                    return (Vec::new(), Some(finding));
                }
            }
        }
        let mut entries = Vec::with_capacity(3 * data.len());
        for (family, data) in data {
            let (Some(subnet), Some(public)) =
                (remote.lease.subnet_of(family), attrs.public(family))
            else {
                continue;
            };
            if config.direct_routing && self.direct(local, public) {
                entries.push(Entry::Route {
                    subnet,
                    via: Some(public),
                    device: None,
                    onlink: false,
                });
                continue;
            }
            // without an address the first step fails, and flannel goes on to the next node
            let Some(mac) = data.vtep_mac else {
                return (entries, Some(Finding::NoVtepMac { node: remote.name.clone(), family }));
            };
            let device = devices.of(family);
            let base = subnet.addr();
            entries.push(Entry::Neighbour { device: Arc::clone(device), address: base, mac });
            entries.push(Entry::Fdb { device: Arc::clone(device), mac, destination: public });
            let device = Some(Arc::clone(device));
            entries.push(Entry::Route { subnet, via: Some(base), device, onlink: true });
        }
        (entries, None)
    }

    fn wireguard_entries(
        &self,
        config: &WireguardConfig,
        local: &OverlayNode,
        remote: &OverlayNode,
        devices: &Devices,
    ) -> (Vec<Entry>, Option<Finding>) {
        let attrs = &remote.lease.attrs;
        let mut read = Vec::with_capacity(2);
        for &family in self.families {
            let data = attrs.data(family).unwrap_or_default();
            match WireguardData::parse(data.as_bytes()) {
                Ok(parsed) => read.push((family, parsed)),
                Err(error) => {
                    let finding = Finding::BackendData {
                        node: remote.name.clone(),
                        family,
                        data: shown(data.as_bytes()),
                        problem: error.to_string(),
                    };
                    return (Vec::new(), Some(finding));
                }
            }
        }
        let endpoint = |family: Family| {
            let data = read.iter().find(|(of, _)| *of == family).map(|(_, data)| data);
            let default = match family {
                Family::Ipv4 => config.listen_port,
                Family::Ipv6 => config.listen_port_v6,
            };
            let port = data.map_or(0, |data| data.port);
            attrs
                .public(family)
                .map(|address| SocketAddr::new(address, if port == 0 { default } else { port }))
        };
        let network_route = |family: Family, device: &Arc<str>| {
            self.conf.network_of(family).map(|subnet| Entry::Route {
                subnet,
                via: None,
                device: Some(Arc::clone(device)),
                onlink: false,
            })
        };
        let mut entries = Vec::new();
        if config.mode == WireguardMode::Separate {
            for (family, data) in &read {
                let device = devices.of(*family);
                if let (Some(subnet), Some(endpoint)) =
                    (remote.lease.subnet_of(*family), endpoint(*family))
                {
                    entries.push(Entry::Peer {
                        device: Arc::clone(device),
                        public_key: data.public_key.clone(),
                        endpoint,
                        allowed_ips: vec![subnet],
                    });
                }
                entries.extend(network_route(*family, device));
            }
            return (entries, None);
        }
        let family = match config.mode {
            WireguardMode::Ipv6 => Family::Ipv6,
            WireguardMode::Auto => wireguard_family(local, remote),
            _ => Family::Ipv4,
        };
        let device = &devices.ipv4;
        let allowed_ips =
            self.families.iter().filter_map(|&family| remote.lease.subnet_of(family)).collect();
        // the data of the last family is the one that is used
        if let (Some((_, data)), Some(endpoint)) = (read.last(), endpoint(family)) {
            let public_key = data.public_key.clone();
            entries.push(Entry::Peer {
                device: Arc::clone(device),
                public_key,
                endpoint,
                allowed_ips,
            });
        }
        entries.extend(Family::ALL.iter().filter_map(|&family| network_route(family, device)));
        (entries, None)
    }
}

/// Over which family the mode `auto` reaches a node (`selectMode`).
fn wireguard_family(local: &OverlayNode, remote: &OverlayNode) -> Family {
    let private = |address: &IpAddr| match address {
        IpAddr::V4(address) => address.is_private(),
        IpAddr::V6(address) => address.is_unique_local(),
    };
    let (theirs, ours) = (&remote.lease.attrs, &local.lease.attrs);
    let Some(theirs_v6) = theirs.public(Family::Ipv6) else { return Family::Ipv4 };
    if !private(&theirs.public_ip.into()) && ours.public(Family::Ipv4).is_some() {
        return Family::Ipv4;
    }
    match ours.public(Family::Ipv6) {
        Some(ours_v6) if !private(&theirs_v6) && !private(&ours_v6) => Family::Ipv6,
        _ => Family::Ipv4,
    }
}

/// Name of the device of the backend `ipip`.
pub(crate) const IPIP_DEVICE: &str = "flannel.ipip";

/// Name of a device of the backend `wireguard`.
pub(crate) fn wireguard_device(config: &WireguardConfig, family: Family) -> &'static str {
    match (config.mode, family) {
        (WireguardMode::Separate, Family::Ipv6) => "flannel-wg-v6",
        _ => "flannel-wg",
    }
}

/// The names of the devices, shared by all entries.
struct Devices {
    ipv4: Arc<str>,
    ipv6: Arc<str>,
}

impl Devices {
    fn new(backend: &Backend) -> Self {
        match backend {
            Backend::Vxlan(config) => Self {
                ipv4: config.device(Family::Ipv4).into(),
                ipv6: config.device(Family::Ipv6).into(),
            },
            Backend::Wireguard(config) => Self {
                ipv4: wireguard_device(config, Family::Ipv4).into(),
                ipv6: wireguard_device(config, Family::Ipv6).into(),
            },
            _ => Self { ipv4: IPIP_DEVICE.into(), ipv6: IPIP_DEVICE.into() },
        }
    }

    const fn of(&self, family: Family) -> &Arc<str> {
        match family {
            Family::Ipv4 => &self.ipv4,
            Family::Ipv6 => &self.ipv6,
        }
    }
}

/// The prefix that holds one address only.
fn host(address: IpAddr) -> Option<IpNet> {
    IpNet::new(address, Family::of(&address).bits()).ok()
}

/// The entries of one node, as its kernel holds them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tables(BTreeMap<EntryKey, Entry>);

impl Tables {
    /// Sets an entry; what stood under its key comes back.
    pub fn set(&mut self, entry: Entry) -> Option<Entry> {
        self.0.insert(entry.key(), entry)
    }

    /// Deletes an entry; `false` when the kernel has none such. A neighbour goes whatever hardware
    /// address it has, a peer by its key; anything else must be as it was set.
    pub fn delete(&mut self, entry: &Entry) -> bool {
        let key = entry.key();
        let by_key =
            matches!(entry, Entry::Neighbour { .. } | Entry::Peer { .. } | Entry::Proxy { .. });
        match self.0.get(&key) {
            Some(held) if by_key || held == entry => self.0.remove(&key).is_some(),
            _ => false,
        }
    }

    /// The entry under a key.
    pub fn get(&self, key: &EntryKey) -> Option<&Entry> {
        self.0.get(key)
    }

    /// The entries in the order of their keys: neighbours, forwarding entries, routes, peers.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.0.values()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The most specific route to an address.
    pub fn route(&self, address: IpAddr) -> Option<&Entry> {
        let bits = Family::of(&address).bits();
        (0..=bits).rev().find_map(|len| {
            let net = IpNet::new(address, len).ok()?.trunc();
            self.0.get(&EntryKey::Route(net))
        })
    }
}
