//! A packet on its way.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::way::{Ports, VIDS, Way};
use super::{Header, Hop, Lookup, MAX_PAYLOAD, Outcome, PROTOCOL_UDP, Packet, Trace, Transport};
use crate::error::OverlayError;
use crate::ipam::{HostLocal, PodAddress};
use crate::overhead::Encapsulation;
use crate::random::mix;
use crate::tables::{Entry, Overlay, OverlayNode};
use crate::{Family, MacAddr};

const IPV4_TYPE: u16 = 0x0800;
const IPV6_TYPE: u16 = 0x86dd;
/// A frame as payload: of GRE and Geneve.
const FRAME_TYPE: u16 = 0x6558;
/// What Linux sends with (`net.ipv4.ip_default_ttl`).
const TTL: u8 = 64;
/// The bridge of the CNI plugin.
const BRIDGE: &str = "cni0";

fn ip(source: IpAddr, destination: IpAddr, ttl: u8, protocol: u8, inside: u32, df: bool) -> Header {
    match Family::of(&destination) {
        Family::Ipv4 => {
            Header::Ipv4 { source, destination, ttl, protocol, total_length: 20 + inside, df }
        }
        Family::Ipv6 => Header::Ipv6 {
            source,
            destination,
            hop_limit: ttl,
            next_header: protocol,
            payload_length: inside,
        },
    }
}

const fn ethertype(family: Family) -> u16 {
    match family {
        Family::Ipv4 => IPV4_TYPE,
        Family::Ipv6 => IPV6_TYPE,
    }
}

/// A packet with its addresses.
struct Flow<'t> {
    packet: &'t Packet,
    source: IpAddr,
    destination: IpAddr,
}

impl Flow<'_> {
    /// The IP packet.
    fn headers(&self, ttl: u8) -> Vec<Header> {
        let Packet { family, transport, payload, .. } = *self.packet;
        let inside = transport.header() + payload;
        let df = !matches!(transport, Transport::Echo);
        let header = match transport {
            Transport::Echo => Header::Echo,
            Transport::Tcp { source_port, destination_port } => {
                Header::Tcp { source_port, destination_port }
            }
            Transport::Udp { source_port, destination_port } => {
                Header::Udp { source_port, destination_port, length: inside }
            }
        };
        let ip = ip(self.source, self.destination, ttl, transport.number(family), inside, df);
        vec![ip, header, Header::Payload { bytes: payload }]
    }

    fn length(&self) -> u32 {
        self.packet.family.header() + self.packet.transport.header() + self.packet.payload
    }

    /// The packet in a frame.
    fn frame(&self, source: MacAddr, destination: MacAddr, ttl: u8) -> Vec<Header> {
        let ethertype = ethertype(self.packet.family);
        let mut headers =
            vec![Header::Ethernet { source, destination, tags: Vec::new(), ethertype }];
        headers.extend(self.headers(ttl));
        headers
    }

    /// The outer UDP source port of a tunnel: Linux' `udp_flow_src_port` over ports from `min` to
    /// below `max`.
    fn source_port(&self, min: u16, max: u16) -> u16 {
        let hash = self.packet.flow_hash.unwrap_or_else(|| {
            let fold = |address: IpAddr| {
                let bits = crate::family::to_bits(address);
                mix(u64::try_from(bits >> 64).unwrap_or(0)
                    ^ mix(u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0)))
            };
            let ports = match self.packet.transport {
                Transport::Echo => 0,
                Transport::Tcp { source_port, destination_port }
                | Transport::Udp { source_port, destination_port } => {
                    u64::from(source_port) << 16 | u64::from(destination_port)
                }
            };
            let mixed =
                mix(fold(self.source) ^ mix(fold(self.destination)).rotate_left(1) ^ mix(ports));
            u32::try_from(mixed >> 32).unwrap_or(0)
        });
        let spread = u64::from(hash ^ (hash << 16)) * u64::from(max.saturating_sub(min));
        u16::try_from(spread >> 32).unwrap_or(0).saturating_add(min)
    }
}

/// The name of the node's end of a pod's cable. The plugin draws it at random; this is a stable one
/// of the same form.
fn veth(pod: &str) -> Arc<str> {
    let [_, _, a, b, c, d] = MacAddr::assumed(pod, "veth").octets();
    format!("veth{a:02x}{b:02x}{c:02x}{d:02x}").into()
}

/// One end of the way.
struct End<'t> {
    name: &'t str,
    node: &'t OverlayNode,
    host: bool,
    address: IpAddr,
}

impl End<'_> {
    fn mac(&self) -> MacAddr {
        if self.host { interface_mac(self.node) } else { MacAddr::assumed(self.name, "eth0") }
    }
}

fn interface_mac(node: &OverlayNode) -> MacAddr {
    MacAddr::assumed(&node.name, &node.interface.name)
}

fn bridge_mac(node: &OverlayNode) -> MacAddr {
    MacAddr::assumed(&node.name, BRIDGE)
}

impl Overlay {
    /// The way of a packet between two pods, over the network's own backend.
    ///
    /// # Errors
    /// A pod has no address of the family, or its node takes no part.
    pub fn trace(
        &self,
        source: (&str, &PodAddress),
        destination: (&str, &PodAddress),
        packet: &Packet,
    ) -> Result<Trace, OverlayError> {
        self.walk(source, destination, packet, None)
    }

    /// The same as if packets went from node to node another way, over nodes' addresses of the same
    /// family.
    ///
    /// # Errors
    /// As above.
    pub fn trace_as(
        &self,
        source: (&str, &PodAddress),
        destination: (&str, &PodAddress),
        packet: &Packet,
        encapsulation: Encapsulation,
        underlay: Family,
    ) -> Result<Trace, OverlayError> {
        self.walk(source, destination, packet, Some((encapsulation, underlay)))
    }

    fn end<'t>(
        &'t self,
        (name, pod): (&'t str, &PodAddress),
        family: Family,
    ) -> Result<End<'t>, OverlayError> {
        let node = self.node(&pod.node)?;
        let address = pod.address(family);
        let missing = || OverlayError::NoAddress { pod: name.into(), family: family.as_str() };
        Ok(End { name, node, host: pod.host_network, address: address.ok_or_else(missing)? })
    }

    fn walk(
        &self,
        source: (&str, &PodAddress),
        destination: (&str, &PodAddress),
        packet: &Packet,
        other: Option<(Encapsulation, Family)>,
    ) -> Result<Trace, OverlayError> {
        let packet = &Packet { payload: packet.payload.min(MAX_PAYLOAD), ..*packet };
        let (from, to) = (self.end(source, packet.family)?, self.end(destination, packet.family)?);
        let pod_mtu = match other {
            None => u32::try_from(self.mtu(from.node)).unwrap_or(0),
            Some((way, underlay)) => {
                way.mtu(from.node.interface.mtu, underlay).unwrap_or(from.node.interface.mtu)
            }
        };
        let mut walk = Walk {
            overlay: self,
            flow: Flow { packet, source: from.address, destination: to.address },
            from,
            to,
            pod_mtu,
            ttl: TTL,
            hops: Vec::new(),
            wire_at: None,
        };
        Ok(walk.go(other))
    }
}

/// A packet on its way.
struct Walk<'t> {
    overlay: &'t Overlay,
    flow: Flow<'t>,
    from: End<'t>,
    to: End<'t>,
    /// MTU of the pods' interfaces and the bridge on the sender's node.
    pod_mtu: u32,
    ttl: u8,
    hops: Vec<Hop>,
    wire_at: Option<usize>,
}

impl Walk<'_> {
    fn hop(
        &mut self,
        place: &str,
        device: &Arc<str>,
        mtu: Option<u32>,
        lookups: Vec<Lookup>,
        headers: Vec<Header>,
    ) {
        self.hops.push(Hop {
            place: place.into(),
            device: Arc::clone(device),
            mtu,
            lookups,
            headers,
        });
    }

    fn done(&mut self, way: Option<&Way>, mtu: u32, outcome: Outcome) -> Trace {
        let encapsulation = way.map(|way| way.encapsulation);
        let overhead =
            way.and_then(|way| way.encapsulation.overhead(Family::of(&way.to))).unwrap_or(0);
        {
            let (hops, wire_at) = (std::mem::take(&mut self.hops), self.wire_at);
            Trace { encapsulation, overhead, mtu, hops, outcome, wire_at }
        }
    }

    /// The pod's subnet on a node, for the route of the bridge.
    fn bridge_route(&self, end: &End<'_>) -> Option<Lookup> {
        let subnet = end.node.lease.subnet_of(self.flow.packet.family)?;
        Some(Lookup::Route { subnet, via: None, device: BRIDGE.into() })
    }

    fn go(&mut self, other: Option<(Encapsulation, Family)>) -> Trace {
        if self.from.node.name == self.to.node.name {
            return self.one_node();
        }
        let family = self.flow.packet.family;
        let way = if self.to.host {
            // a node's own address is no part of the overlay
            self.overlay.way_as(self.from.node, self.to.node, Encapsulation::Routed, family, family)
        } else {
            match other {
                None => self.overlay.way(self.from.node, self.to.node, family),
                Some((encapsulation, underlay)) => self.overlay.way_as(
                    self.from.node,
                    self.to.node,
                    encapsulation,
                    underlay,
                    family,
                ),
            }
        };
        // a way that does not exist has no MTU that a pod could be told
        if let (Some(_), Err(reason)) = (other, &way) {
            let (mtu, reason) = (0, reason.clone());
            return self.done(None, mtu, Outcome::Unreachable { reason });
        }
        // a process on the node sends from the address of the device that the route leads to
        if self.from.host
            && !self.to.host
            && let Ok(way) = &way
            && !matches!(
                way.encapsulation,
                Encapsulation::Routed | Encapsulation::Vlan | Encapsulation::Qinq
            )
            && let Some(subnet) = self.from.node.lease.subnet_of(family)
        {
            self.flow.source = subnet.addr();
        }
        if !self.from.host
            && let Some(stopped) = self.leave_pod()
        {
            return stopped;
        }
        match way {
            Ok(way) => self.across(&way),
            Err(reason) => {
                let mtu = self.pod_mtu;
                self.done(None, mtu, Outcome::Unreachable { reason })
            }
        }
    }

    /// The first hop of a pod's packet for another node.
    fn leave_pod(&mut self) -> Option<Trace> {
        let family = self.flow.packet.family;
        let (pod, node) = (self.from.name.to_owned(), self.from.node);
        let gateway =
            node.lease.subnet_of(family).and_then(HostLocal::new).map(|range| range.gateway());
        let device: Arc<str> = "eth0".into();
        let bridge = bridge_mac(node);
        let mut lookups = Vec::new();
        if let Some(gateway) = gateway {
            // the plugin gives pods a route to the network, and by kube-flannel.yml the default
            // route too
            let network = self
                .overlay
                .conf()
                .network_of(family)
                .filter(|net| net.contains(&self.flow.destination));
            let subnet = network.or_else(|| IpNet::new(zero(family), 0).ok());
            lookups.extend(subnet.map(|subnet| Lookup::Route {
                subnet,
                via: Some(gateway),
                device: Arc::clone(&device),
            }));
            lookups.push(Lookup::Resolved { address: gateway, mac: bridge });
        }
        let frame = self.flow.frame(self.from.mac(), bridge, self.ttl);
        let mtu = self.pod_mtu;
        self.hop(&pod, &device, Some(mtu), lookups, frame.clone());
        if self.flow.length() > mtu {
            let length = self.flow.length();
            return Some(self.done(None, mtu, Outcome::TooBig { place: pod, device, mtu, length }));
        }
        // routed here: one hop less to live
        let bridge: Arc<str> = BRIDGE.into();
        let name = node.name.clone();
        self.hop(&name, &bridge, Some(mtu), Vec::new(), frame);
        self.ttl -= 1;
        None
    }

    fn one_node(&mut self) -> Trace {
        let (node, mtu) = (self.from.node.name.clone(), self.pod_mtu);
        let (eth0, bridge): (Arc<str>, Arc<str>) = ("eth0".into(), BRIDGE.into());
        let (source, destination) = (self.from.mac(), self.to.mac());
        let route = self.bridge_route(&self.to);
        if self.from.host && self.to.host {
            let headers = self.flow.headers(self.ttl);
            self.hop(&node, &"lo".into(), None, Vec::new(), headers);
            return self.done(None, 65_536, Outcome::Delivered);
        }
        let too_big = self.flow.length() > mtu;
        let stop = |place: &str, length: u32| Outcome::TooBig {
            place: place.into(),
            device: Arc::clone(if place == node { &bridge } else { &eth0 }),
            mtu,
            length,
        };
        let length = self.flow.length();
        if self.from.host {
            // the bridge has the gateway's address, from which the node sends
            let gateway =
                self.from.node.lease.subnet_of(self.flow.packet.family).and_then(HostLocal::new);
            if let Some(gateway) = gateway {
                self.flow.source = gateway.gateway();
            }
            let frame = self.flow.frame(bridge_mac(self.from.node), destination, self.ttl);
            let mut lookups: Vec<Lookup> = route.into_iter().collect();
            lookups.push(Lookup::Port { mac: destination, device: veth(self.to.name) });
            self.hop(&node, &bridge, Some(mtu), lookups, frame.clone());
            if too_big {
                return self.done(None, mtu, stop(&node, length));
            }
            let pod = self.to.name.to_owned();
            self.hop(&pod, &eth0, Some(mtu), Vec::new(), frame);
            return self.done(None, mtu, Outcome::Delivered);
        }
        let pod = self.from.name.to_owned();
        if self.to.host {
            let frame = self.flow.frame(source, bridge_mac(self.to.node), self.ttl);
            self.hop(&pod, &eth0, Some(mtu), Vec::new(), frame.clone());
            if too_big {
                return self.done(None, mtu, stop(&pod, length));
            }
            self.hop(&node, &bridge, Some(mtu), Vec::new(), frame);
            return self.done(None, mtu, Outcome::Delivered);
        }
        let frame = self.flow.frame(source, destination, self.ttl);
        let direct = route.map(|route| match route {
            Lookup::Route { subnet, .. } => {
                Lookup::Route { subnet, via: None, device: Arc::clone(&eth0) }
            }
            other => other,
        });
        let resolved = Lookup::Resolved { address: self.flow.destination, mac: destination };
        self.hop(
            &pod,
            &eth0,
            Some(mtu),
            direct.into_iter().chain([resolved]).collect(),
            frame.clone(),
        );
        if too_big {
            return self.done(None, mtu, stop(&pod, length));
        }
        let port = Lookup::Port { mac: destination, device: veth(self.to.name) };
        self.hop(&node, &bridge, Some(mtu), vec![port], frame.clone());
        let pod = self.to.name.to_owned();
        self.hop(&pod, &eth0, Some(mtu), Vec::new(), frame);
        self.done(None, mtu, Outcome::Delivered)
    }

    /// From the sender's node to the receiver.
    fn across(&mut self, way: &Way) -> Trace {
        let family = self.flow.packet.family;
        let underlay = Family::of(&way.to);
        let (from, to) = (self.from.node, self.to.node);
        let underlay_mtu = from.interface.mtu.min(to.interface.mtu);
        let fits = way.encapsulation.mtu(underlay_mtu, underlay).unwrap_or(0);
        let overhead = way.encapsulation.overhead(underlay).unwrap_or(0);
        let made = self.overlay.links(from).into_iter().find(|link| link.name == way.device);
        // the device that flannel made, unless the packet goes as if there were another
        let device_mtu = made
            .filter(|_| !way.entries.is_empty())
            .map_or_else(|| from.interface.mtu.saturating_sub(overhead), |link| link.mtu);
        let mtu = if self.from.host {
            device_mtu.min(fits)
        } else {
            self.pod_mtu.min(device_mtu).min(fits)
        };
        let mut lookups = self.routes(way);
        if self.to.host && !self.from.host {
            self.masquerade(&mut lookups, way);
        }
        let length = self.flow.length();
        let tunnel = !matches!(
            way.encapsulation,
            Encapsulation::Routed
                | Encapsulation::Vlan
                | Encapsulation::Qinq
                | Encapsulation::Esp { .. }
        );
        if tunnel {
            let headers = self.inside(way);
            let name = from.name.clone();
            self.hop(&name, &way.device, Some(device_mtu), std::mem::take(&mut lookups), headers);
        }
        if length > device_mtu {
            let outcome = Outcome::TooBig {
                place: from.name.clone(),
                device: Arc::clone(&way.device),
                mtu: device_mtu,
                length,
            };
            return self.done(Some(way), mtu, outcome);
        }
        if way.encapsulation == Encapsulation::FlannelUdp {
            self.ttl -= 1;
        }
        let packet = self.outer(way);
        let on_wire: u32 = packet.iter().map(Header::len).sum();
        self.wire(way, lookups, &packet);
        if on_wire > to.interface.mtu {
            let outcome = Outcome::TooBig {
                place: to.name.clone(),
                device: Arc::clone(&to.interface.name),
                mtu: to.interface.mtu,
                length: on_wire,
            };
            return self.done(Some(way), mtu, outcome);
        }
        if way.encapsulation == Encapsulation::FlannelUdp {
            self.ttl -= 1;
        }
        if self.to.host {
            return self.done(Some(way), mtu, Outcome::Delivered);
        }
        let route: Vec<Lookup> = self.bridge_route(&self.to).into_iter().collect();
        let to_name = to.name.clone();
        if tunnel {
            let headers = self.inside(way);
            self.hop(&to_name, &way.device, Some(device_mtu), route, headers);
        } else if let Some(last) = self.hops.last_mut() {
            last.lookups.extend(route);
        }
        self.ttl -= 1;
        let pod_mac = self.to.mac();
        let frame = self.flow.frame(bridge_mac(to), pod_mac, self.ttl);
        let found = vec![
            Lookup::Resolved { address: self.flow.destination, mac: pod_mac },
            Lookup::Port { mac: pod_mac, device: veth(self.to.name) },
        ];
        let pod_mtu = match family {
            _ if way.entries.is_empty() => way.encapsulation.mtu(to.interface.mtu, underlay),
            _ => u32::try_from(self.overlay.mtu(to)).ok(),
        };
        self.hop(&to_name, &BRIDGE.into(), pod_mtu, found, frame.clone());
        let pod = self.to.name.to_owned();
        self.hop(&pod, &"eth0".into(), pod_mtu, Vec::new(), frame);
        self.done(Some(way), mtu, Outcome::Delivered)
    }

    /// A pod that talks to a node does so in its own node's name.
    fn masquerade(&mut self, lookups: &mut Vec<Lookup>, way: &Way) {
        let network = self.overlay.conf().network_of(self.flow.packet.family);
        if !network.is_some_and(|network| network.contains(&self.flow.destination)) {
            self.flow.source = way.from;
            lookups.push(Lookup::Masquerade { source: way.from });
        }
    }

    /// What the sender's node looks up to choose the way.
    fn routes(&self, way: &Way) -> Vec<Lookup> {
        if !way.entries.is_empty() {
            // the route is looked up first, then what it leads to
            let (routes, others): (Vec<&Entry>, Vec<&Entry>) =
                way.entries.iter().partition(|entry| matches!(entry, Entry::Route { .. }));
            return routes
                .into_iter()
                .chain(others)
                .map(|entry| Lookup::Programmed(entry.clone()))
                .collect();
        }
        let subnet =
            if self.to.host { None } else { self.to.node.lease.subnet_of(self.flow.packet.family) };
        let subnet = subnet.or_else(|| {
            let bits = self.flow.packet.family.bits();
            IpNet::new(self.flow.destination, bits).ok()
        });
        let device = Arc::clone(&way.device);
        let route = subnet.map(|subnet| Lookup::Route { subnet, via: Some(way.to), device });
        route.into_iter().collect()
    }

    /// What is on a tunnel's device: a frame or a packet.
    fn inside(&self, way: &Way) -> Vec<Header> {
        let (source, destination) = way.macs;
        match way.encapsulation {
            Encapsulation::Vxlan
            | Encapsulation::Geneve { .. }
            | Encapsulation::Nvgre
            | Encapsulation::VxlanInWireguard => self.flow.frame(source, destination, self.ttl),
            _ => self.flow.headers(self.ttl),
        }
    }

    /// The packet that goes through the underlay.
    fn outer(&self, way: &Way) -> Vec<Header> {
        let family = self.flow.packet.family;
        let underlay = Family::of(&way.to);
        let inside = self.inside(way);
        let length = |headers: &[Header]| headers.iter().map(Header::len).sum::<u32>();
        let wrap = |outer: Header, inside: Vec<Header>| {
            let mut headers = vec![outer];
            headers.extend(inside);
            headers
        };
        let udp = |inside: Vec<Header>, ports: Ports| {
            let (source_port, destination_port) = match ports {
                Ports::Flow(min, max, destination) => {
                    (self.flow.source_port(min, max), destination)
                }
                Ports::Fixed(source, destination) => (source, destination),
            };
            let udp = Header::Udp { source_port, destination_port, length: 8 + length(&inside) };
            wrap(udp, inside)
        };
        let ip = |inside: Vec<Header>, protocol: u8, ttl: u8, df: bool| {
            let header = ip(way.from, way.to, ttl, protocol, length(&inside), df);
            wrap(header, inside)
        };
        let encrypted = |inside: Vec<Header>| {
            let packet = length(&inside);
            let most = self.from.node.interface.mtu.saturating_sub(underlay.header() + 8 + 32);
            let padded = packet.next_multiple_of(16).min(most).max(packet);
            wrap(Header::Wireguard { padding: padded - packet }, inside)
        };
        let vxlan = |inside: Vec<Header>| {
            let headers = wrap(Header::Vxlan { flags: 0x08, vni: way.vni }, inside);
            ip(udp(headers, way.ports), PROTOCOL_UDP, TTL, false)
        };
        match way.encapsulation {
            Encapsulation::Routed | Encapsulation::Vlan | Encapsulation::Qinq => inside,
            // a tunnel without a TTL of its own takes the packet's, and forbids fragments
            Encapsulation::Ipip => {
                ip(inside, if family == Family::Ipv4 { 4 } else { 41 }, self.ttl, true)
            }
            Encapsulation::Gre => {
                let headers = wrap(Header::Gre { protocol: ethertype(family), key: None }, inside);
                ip(headers, 47, self.ttl, true)
            }
            Encapsulation::Nvgre => {
                let key = Some(way.vni << 8);
                ip(wrap(Header::Gre { protocol: FRAME_TYPE, key }, inside), 47, TTL, true)
            }
            Encapsulation::FlannelUdp => ip(udp(inside, way.ports), PROTOCOL_UDP, TTL, false),
            Encapsulation::Vxlan => vxlan(inside),
            Encapsulation::Geneve { options } => {
                let headers = wrap(Header::Geneve { vni: way.vni, options }, inside);
                ip(udp(headers, way.ports), PROTOCOL_UDP, TTL, false)
            }
            Encapsulation::Wireguard => {
                ip(udp(encrypted(inside), way.ports), PROTOCOL_UDP, TTL, false)
            }
            Encapsulation::VxlanInWireguard => {
                let headers = encrypted(vxlan(inside));
                ip(udp(headers, Ports::Fixed(51871, 51871)), PROTOCOL_UDP, TTL, false)
            }
            Encapsulation::Esp { udp_encap: false } => {
                ip(wrap(Header::Esp, inside), 50, TTL, false)
            }
            Encapsulation::Esp { udp_encap: true } => {
                ip(udp(wrap(Header::Esp, inside), way.ports), PROTOCOL_UDP, TTL, false)
            }
        }
    }

    /// From interface to interface, with a router between where there is no common segment.
    fn wire(&mut self, way: &Way, mut lookups: Vec<Lookup>, packet: &[Header]) {
        let (from, to) = (self.from.node, self.to.node);
        let underlay = Family::of(&way.to);
        let tags: Vec<(u16, u16)> = match way.encapsulation {
            Encapsulation::Vlan => VIDS.iter().take(1).map(|&vid| (0x8100, vid)).collect(),
            Encapsulation::Qinq => [0x88a8, 0x8100].into_iter().zip(VIDS).collect(),
            _ => Vec::new(),
        };
        let plain = matches!(
            way.encapsulation,
            Encapsulation::Routed | Encapsulation::Vlan | Encapsulation::Qinq
        );
        let ethertype = ethertype(if plain { self.flow.packet.family } else { underlay });
        let frame = |source: MacAddr, destination: MacAddr, packet: &[Header]| {
            let mut headers =
                vec![Header::Ethernet { source, destination, tags: tags.clone(), ethertype }];
            headers.extend_from_slice(packet);
            headers
        };
        let (here, there) = (interface_mac(from), interface_mac(to));
        // plain routes via another node are for one segment only
        let joined = (plain && !self.to.host) || self.overlay.segments().joins(way.from, way.to);
        let (from_name, to_name) = (from.name.clone(), to.name.clone());
        self.wire_at = Some(self.hops.len());
        if joined {
            lookups.push(Lookup::Resolved { address: way.to, mac: there });
            let headers = frame(here, there, packet);
            self.hop(
                &from_name,
                &from.interface.name,
                Some(from.interface.mtu),
                lookups,
                headers.clone(),
            );
            self.hop(&to_name, &to.interface.name, Some(to.interface.mtu), Vec::new(), headers);
        } else {
            let router =
                [MacAddr::assumed("router", &from.name), MacAddr::assumed("router", &to.name)];
            let [near, far] = router;
            // the router's own address is not known; the node sends what is for the other node to
            // it
            lookups.push(Lookup::Resolved { address: way.to, mac: near });
            self.hop(
                &from_name,
                &from.interface.name,
                Some(from.interface.mtu),
                lookups,
                frame(here, near, packet),
            );
            let mut routed = packet.to_vec();
            match routed.first_mut() {
                Some(Header::Ipv4 { ttl, .. }) => *ttl = ttl.saturating_sub(1),
                Some(Header::Ipv6 { hop_limit, .. }) => *hop_limit = hop_limit.saturating_sub(1),
                _ => {}
            }
            let headers = frame(far, there, &routed);
            self.hop("router", &"?".into(), None, Vec::new(), headers.clone());
            self.hop(&to_name, &to.interface.name, Some(to.interface.mtu), Vec::new(), headers);
            if plain {
                self.ttl -= 1;
            }
        }
    }
}

const fn zero(family: Family) -> IpAddr {
    match family {
        Family::Ipv4 => IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
        Family::Ipv6 => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
    }
}
