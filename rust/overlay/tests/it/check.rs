//! What is found in a network.

use bayplan_overlay::{Finding, Interface, Mode, NetConf, Overlay, Segments, check};
use ipnet::{IpNet, Ipv4Net};
use proptest::prelude::*;

use crate::cluster::{Spec, conf, node, overlay, plain};

fn messages(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_is_found_where_all_is_well() {
    let specs: Vec<Spec> = (0..50).map(plain).collect();
    assert_eq!(
        check(&overlay(&conf(0, 1), &specs), Mode::Kube, &["10.96.0.0/12".parse().unwrap()]),
        []
    );
}

#[test]
fn ipv6_over_vxlan_is_clamped_by_the_kernel() {
    let found = check(&overlay(&conf(0, 2), &[plain(0)]), Mode::Kube, &[]);
    assert_eq!(
        messages(&found),
        [
            "node node-0: the kernel gives flannel-v6.1 an MTU of 1430, flannel tells pods 1450: larger packets are not delivered whole"
        ]
    );
}

#[test]
fn faults_of_announcements_are_found() {
    let base = plain(1);
    let specs = [
        plain(0),
        Spec { number: 1, public: plain(0).public, ..base },
        Spec { number: 2, mac: plain(0).mac, ..plain(2) },
        Spec { number: 3, mac: 0, ..plain(3) },
        Spec { number: 4, other_backend: true, ..plain(4) },
    ];
    assert_eq!(
        messages(&check(&overlay(&conf(0, 1), &specs), Mode::Kube, &[])),
        [
            "nodes node-0 and node-1: both have the public address 192.168.0.1",
            "nodes node-0 and node-2: both have the VtepMAC 02:01:00:00:00:01",
            "node node-3: announces no VtepMAC for IPv4",
            "node node-4: ignoring non-vxlan subnet 10.244.4.0/24: type=other",
        ]
    );
    // the backend with VNI 7 hears nodes that announce 1
    assert_eq!(
        messages(&check(&overlay(&conf(1, 1), &[plain(0)]), Mode::Kube, &[])),
        ["node node-0: announces VNI 1, the network has 7"]
    );
}

#[test]
fn ranges_and_sizes_are_compared() {
    let conf = conf(0, 1);
    let mut inside = node(&conf, plain(0));
    inside.addresses.push("10.244.77.1".parse().unwrap());
    inside.max_pods = Some(254);
    let mut small = node(&conf, plain(1));
    small.interface = Interface { name: "eth0".into(), mtu: 100 };
    small.max_pods = Some(253);
    let overlay = Overlay::new(conf, [inside, small], Segments::One).unwrap();
    let services: [IpNet; 2] = ["10.244.1.0/28".parse().unwrap(), "10.96.0.0/12".parse().unwrap()];
    assert_eq!(
        messages(&check(&overlay, Mode::Kube, &services)),
        [
            "flannel network 10.244.0.0/16 and service range 10.244.1.0/28 overlap",
            "podCIDR of node node-1 10.244.1.0/24 and service range 10.244.1.0/28 overlap",
            "node node-0: its address 10.244.77.1 lies in the flannel network 10.244.0.0/16",
            "node node-0: 10.244.0.0/24 has 253 addresses for up to 254 pods",
            "node node-1: an MTU of 50 is below 68, the least of IPv4",
            "nodes node-0 and node-1: their pods have MTUs of 1450 and 50",
        ]
    );
}

#[test]
fn what_the_mode_passes_over_is_told() {
    let conf = |text: &str| NetConf::parse(text.as_bytes()).unwrap();
    let text = r#"{"Network": "10.3.0.0/16", "SubnetLen": 24, "SubnetMin": "10.3.9.0", "SubnetMax": "10.3.5.0"}"#;
    let overlay = Overlay::new(conf(text), [], Segments::One).unwrap();
    assert_eq!(
        messages(&check(&overlay, Mode::Etcd, &[])),
        ["IPv4: the range from 10.3.9.0 to 10.3.5.0 holds no subnet"]
    );
    let found = check(&overlay, Mode::Kube, &[]);
    assert_eq!(
        found,
        [
            Finding::NoEffect { field: "SubnetLen" },
            Finding::NoEffect { field: "SubnetMin" },
            Finding::NoEffect { field: "SubnetMax" }
        ]
    );
}

#[test]
fn routes_via_nodes_need_one_segment() {
    let found = check(&overlay(&conf(2, 1), &[plain(0), plain(1), plain(20)]), Mode::Kube, &[]);
    assert_eq!(
        messages(&found),
        ["nodes node-0 and node-20 share no segment, which host-gw needs"]
    );
}

proptest! {
    #[test]
    fn overlapping_subnets_are_found_as_by_comparing_all(subnets in prop::collection::vec((0..16_u8, 20..=26_u8), 1..12)) {
        let conf = conf(0, 1);
        let nodes: Vec<_> = subnets.iter().zip(0_u16..).map(|((third, len), number)| {
            let mut node = node(&conf, plain(number));
            node.lease.subnet = Some(Ipv4Net::new([10, 244, *third, 0].into(), *len).unwrap().trunc());
            node
        }).collect();
        let nets: Vec<Ipv4Net> = nodes.iter().filter_map(|node| node.lease.subnet).collect();
        let overlay = Overlay::new(conf, nodes, Segments::One).unwrap();
        let found = check(&overlay, Mode::Kube, &[]);
        let second: Vec<IpNet> = found.iter().filter_map(|finding| match finding {
            Finding::Overlap { first_net, second_net, .. } => {
                assert!(first_net.contains(second_net));
                Some(*second_net)
            }
            _ => None,
        }).collect();
        // each prefix that lies in another one is told once
        let inside = nets.iter().enumerate().filter(|(at, net)| nets.iter().enumerate().any(|(other, outer)| {
            outer.contains(*net) && (outer != *net || other < *at)
        })).count();
        prop_assert_eq!(second.len(), inside);
    }
}
