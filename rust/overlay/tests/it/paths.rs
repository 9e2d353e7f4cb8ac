//! The way of a packet.

use bayplan_overlay::{
    Addressed, ETHERNET, Encapsulation, Family, Header, Lookup, Outcome, Overlay, Packet,
    PlacedPod, Trace, Transport, address_pods,
};
use proptest::prelude::*;

use crate::cluster::{BACKENDS, conf, overlay, plain};

const TCP: Transport = Transport::Tcp { source_port: 40000, destination_port: 80 };

fn packet(payload: u32) -> Packet {
    Packet { family: Family::Ipv4, transport: TCP, payload, flow_hash: None }
}

fn pods(overlay: &Overlay) -> Addressed {
    let pod = |name: &str, node: &str, host_network| PlacedPod {
        name: format!("default/{name}"),
        node: node.into(),
        host_network,
        addresses: Vec::new(),
    };
    address_pods(
        overlay,
        &[
            pod("a", "node-0", false),
            pod("b", "node-0", false),
            pod("c", "node-1", false),
            pod("d", "node-20", false),
            pod("h0", "node-0", true),
            pod("h1", "node-1", true),
        ],
    )
}

fn trace(overlay: &Overlay, from: &str, to: &str, packet: &Packet) -> Trace {
    let pods = pods(overlay);
    overlay.trace((from, &pods.pods[from]), (to, &pods.pods[to]), packet).unwrap()
}

fn three(backend: usize, families: u8) -> Overlay {
    overlay(&conf(backend, families), &[plain(0), plain(1), plain(20)])
}

fn ttls(trace: &Trace) -> Vec<u8> {
    let inner = |headers: &[Header]| {
        headers.iter().rev().find_map(|header| match header {
            Header::Ipv4 { ttl, .. } => Some(*ttl),
            Header::Ipv6 { hop_limit, .. } => Some(*hop_limit),
            _ => None,
        })
    };
    trace.hops.iter().filter_map(|hop| inner(&hop.headers)).collect()
}

fn devices(trace: &Trace) -> Vec<String> {
    trace.hops.iter().map(|hop| format!("{} {}", hop.place, hop.device)).collect()
}

#[test]
fn between_nodes_a_packet_is_routed_twice_and_carried_in_a_frame() {
    let overlay = three(0, 1);
    let trace = trace(&overlay, "default/a", "default/c", &packet(100));
    assert_eq!(
        devices(&trace),
        [
            "default/a eth0",
            "node-0 cni0",
            "node-0 flannel.1",
            "node-0 eth0",
            "node-1 eth0",
            "node-1 flannel.1",
            "node-1 cni0",
            "default/c eth0",
        ]
    );
    assert_eq!(ttls(&trace), [64, 64, 63, 63, 63, 63, 62, 62]);
    assert_eq!((trace.outcome.clone(), trace.overhead, trace.mtu), (Outcome::Delivered, 50, 1450));
    let lookups: Vec<String> = trace.hops[2].lookups.iter().map(ToString::to_string).collect();
    assert_eq!(
        lookups,
        [
            "ip route replace 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink",
            "ip neigh replace 10.244.1.0 lladdr 02:01:00:00:00:02 dev flannel.1 nud permanent",
            "bridge fdb replace 02:01:00:00:00:02 dev flannel.1 dst 192.168.0.8 self permanent",
        ]
    );
    let wire = trace.wire().unwrap();
    assert_eq!(wire.length(), 14 + 50 + 140);
    let [
        Header::Ethernet { ethertype: 0x0800, .. },
        Header::Ipv4 { total_length: 190, ttl: 64, protocol: 17, df: false, .. },
        Header::Udp { destination_port: 8472, length: 170, source_port },
        Header::Vxlan { flags: 8, vni: 1 },
        inner @ ..,
    ] = wire.headers.as_slice()
    else {
        panic!("{wire}");
    };
    assert!((32768..60999).contains(source_port));
    let texts: Vec<String> = inner.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "Ethernet 02:01:00:00:00:01 > 02:01:00:00:00:02 type 0x0800",
            "IPv4 10.244.0.2 > 10.244.1.2 ttl 63 protocol 6 length 140 DF",
            "TCP 40000 > 80",
            "payload 100",
        ]
    );
}

#[test]
fn on_one_node_a_packet_crosses_the_bridge_unrouted() {
    let overlay = three(0, 3);
    for family in Family::ALL {
        let trace = trace(&overlay, "default/a", "default/b", &Packet { family, ..packet(100) });
        assert_eq!(devices(&trace), ["default/a eth0", "node-0 cni0", "default/b eth0"]);
        assert_eq!(ttls(&trace), [64, 64, 64]);
        assert!(trace.wire().is_none() && trace.overhead == 0 && trace.encapsulation.is_none());
        assert!(matches!(trace.hops[1].lookups.as_slice(), [Lookup::Port { .. }]));
    }
}

#[test]
fn a_router_between_nodes_takes_one_from_the_outer_ttl() {
    let trace = trace(&three(0, 1), "default/a", "default/d", &packet(100));
    assert_eq!(devices(&trace)[3..6], ["node-0 eth0", "router ?", "node-20 eth0"]);
    assert!(matches!(trace.hops[5].headers[1], Header::Ipv4 { ttl: 63, .. }));
    assert_eq!(ttls(&trace).last(), Some(&62));
}

#[test]
fn direct_routing_leaves_out_the_tunnel_on_one_segment() {
    let overlay = three(1, 1);
    let near = trace(&overlay, "default/a", "default/c", &packet(100));
    assert_eq!((near.encapsulation, near.overhead), (Some(Encapsulation::Routed), 0));
    assert_eq!(near.wire().unwrap().length(), 14 + 140);
    let far = trace(&overlay, "default/a", "default/d", &packet(100));
    assert_eq!(far.encapsulation, Some(Encapsulation::Vxlan));
    assert!(matches!(far.wire().unwrap().headers[3], Header::Vxlan { vni: 7, .. }));
    assert!(matches!(far.wire().unwrap().headers[2], Header::Udp { destination_port: 4789, .. }));
}

#[test]
fn a_packet_that_is_too_big_stops_where_it_is() {
    // pods are told 1450 but IPv6 leaves 1430
    let overlay = three(0, 3);
    let six = |payload| Packet { family: Family::Ipv6, ..packet(payload) };
    assert_eq!(
        trace(&overlay, "default/a", "default/c", &six(1430 - 60)).outcome,
        Outcome::Delivered
    );
    let clamped = trace(&overlay, "default/a", "default/c", &six(1440 - 60));
    assert_eq!(
        clamped.outcome,
        Outcome::TooBig {
            place: "node-0".into(),
            device: "flannel-v6.1".into(),
            mtu: 1430,
            length: 1440
        }
    );
    let larger = trace(&overlay, "default/a", "default/c", &six(1451 - 60));
    assert_eq!(
        larger.outcome,
        Outcome::TooBig {
            place: "default/a".into(),
            device: "eth0".into(),
            mtu: 1450,
            length: 1451
        }
    );
    assert_eq!(larger.hops.len(), 1);
}

#[test]
fn a_node_that_announces_nothing_is_not_reached() {
    let overlay =
        overlay(&conf(0, 1), &[plain(0), crate::cluster::Spec { mac: 0, ..plain(1) }, plain(20)]);
    let trace = trace(&overlay, "default/a", "default/c", &packet(1));
    assert_eq!(
        trace.outcome,
        Outcome::Unreachable { reason: "node node-1: announces no VtepMAC for IPv4".into() }
    );
}

#[test]
fn pods_of_the_nodes_network_are_outside_the_overlay() {
    let overlay = three(0, 1);
    // a pod to another node: in its own node's name
    let out = trace(&overlay, "default/a", "default/h1", &packet(10));
    assert_eq!(devices(&out), ["default/a eth0", "node-0 cni0", "node-0 eth0", "node-1 eth0"]);
    assert!(out.hops[2].lookups.iter().any(|lookup| matches!(lookup, Lookup::Masquerade { .. })));
    assert!(
        matches!(out.hops[3].headers[1], Header::Ipv4 { source, ttl: 63, .. } if source.to_string() == "192.168.0.1")
    );
    // a node to a pod elsewhere: from the tunnel's address, and not routed at home
    let back = trace(&overlay, "default/h1", "default/a", &packet(10));
    assert_eq!(devices(&back)[0], "node-1 flannel.1");
    assert!(
        matches!(back.hops[0].headers[1], Header::Ipv4 { source, ttl: 64, .. } if source.to_string() == "10.244.1.0")
    );
    assert_eq!(ttls(&back).last(), Some(&63));
    let local = trace(&overlay, "default/h0", "default/a", &packet(10));
    assert!(
        matches!(local.hops[0].headers[1], Header::Ipv4 { source, .. } if source.to_string() == "10.244.0.1")
    );
}

#[test]
fn the_source_port_is_linuxs_of_the_flows_hash() {
    let overlay = three(0, 1);
    for (hash, port) in
        [(0, 32768), (u32::MAX, 32768), (0x8000_0000, 32768 + 14115), (0x0001_0000, 32768)]
    {
        let trace = trace(
            &overlay,
            "default/a",
            "default/c",
            &Packet { flow_hash: Some(hash), ..packet(10) },
        );
        let Header::Udp { source_port, .. } = trace.wire().unwrap().headers[2] else { panic!() };
        assert_eq!(source_port, port, "{hash:#x}");
    }
}

#[test]
fn the_process_of_udp_takes_from_the_ttl_too() {
    let trace = trace(&three(6, 1), "default/a", "default/c", &packet(10));
    assert_eq!(ttls(&trace), [64, 64, 63, 62, 62, 61, 60, 60]);
    assert_eq!(trace.overhead, 28);
}

/// Lengths in headers say how long is what follows.
fn lengths_agree(headers: &[Header]) {
    for (at, header) in headers.iter().enumerate() {
        let rest: u32 = headers[at..].iter().map(Header::len).sum();
        match header {
            Header::Ipv4 { total_length, .. } => assert_eq!(*total_length, rest),
            Header::Ipv6 { payload_length, .. } => assert_eq!(*payload_length + 40, rest),
            Header::Udp { length, .. } => assert_eq!(*length, rest),
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn every_way_is_consistent(
        way in 0..=Encapsulation::ALL.len(),
        options in 0..=63_u8,
        inner in prop::sample::select(&Family::ALL[..]),
        underlay in prop::sample::select(&Family::ALL[..]),
        backend in 0..3_usize,
        to in prop::sample::select(&["default/c", "default/d"][..]),
        payload in 0..1500_u32,
        transport in prop::sample::select(&[TCP, Transport::Echo, Transport::Udp { source_port: 1, destination_port: 2 }][..]),
    ) {
        let way = Encapsulation::ALL.get(way).copied().unwrap_or(Encapsulation::Geneve { options: options * 4 });
        let overlay = three(backend, 3);
        let pods = pods(&overlay);
        let packet = Packet { family: inner, transport, payload, flow_hash: None };
        let trace = overlay.trace_as(("default/a", &pods.pods["default/a"]), (to, &pods.pods[to]), &packet, way, underlay).unwrap();
        let header = if matches!(transport, Transport::Tcp { .. }) { 20 } else { 8 };
        let length = inner.header() + header + payload;
        for hop in &trace.hops {
            // what is encrypted has its tag behind, which the lengths inside do not count
            if !hop.headers.iter().any(|header| matches!(header, Header::Wireguard { .. } | Header::Esp)) {
                lengths_agree(&hop.headers);
            }
            prop_assert!(!hop.to_string().is_empty());
        }
        let Some(mtu) = way.mtu(1500, underlay) else {
            let unreachable = matches!(trace.outcome, Outcome::Unreachable { .. });
            prop_assert!(unreachable);
            return Ok(());
        };
        prop_assert_eq!(trace.mtu, mtu);
        prop_assert_eq!(trace.outcome == Outcome::Delivered, length <= mtu);
        if let (Outcome::Delivered, Some(wire)) = (&trace.outcome, trace.wire()) {
            prop_assert_eq!(Some(wire.length()), way.frame(length, 1500, underlay), "{}", wire);
            prop_assert!(wire.length() <= 1500 + ETHERNET + way.tags());
            prop_assert_eq!(ttls(&trace)[0], 64);
            let lost = if way == Encapsulation::FlannelUdp { 4 } else { 2 };
            prop_assert_eq!(ttls(&trace).last().copied(), Some(64 - lost));
        }
    }

    #[test]
    fn a_networks_own_way_is_among_them(backend in 0..BACKENDS.len(), to in prop::sample::select(&["default/c", "default/d"][..]), payload in 0..1300_u32) {
        let overlay = three(backend, 1);
        let trace = trace(&overlay, "default/a", to, &packet(payload));
        prop_assert_eq!(&trace.outcome, &Outcome::Delivered);
        let way = trace.encapsulation.unwrap();
        prop_assert_eq!(trace.wire().unwrap().length(), way.frame(payload + 40, 1500, Family::Ipv4).unwrap());
    }
}
