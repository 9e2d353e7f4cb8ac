//! Addresses of pods.

use std::collections::BTreeSet;

use bayplan_api::{Pod, json};
use bayplan_overlay::{Addressed, Finding, OverlayError, PlacedPod, address_pods};
use proptest::prelude::*;

use crate::cluster::{conf, overlay, plain};

fn pod(name: &str, node: &str, addresses: &[&str]) -> PlacedPod {
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    PlacedPod { name: format!("default/{name}"), node: node.into(), host_network: false, addresses }
}

fn addresses(found: &Addressed) -> Vec<String> {
    found
        .pods
        .values()
        .map(|pod| pod.ipv4.map(|address| address.to_string()).unwrap_or_default())
        .collect()
}

#[test]
fn pods_keep_their_addresses_and_others_get_the_next() {
    let overlay = overlay(&conf(0, 3), &[plain(0), plain(1)]);
    let host = PlacedPod { host_network: true, ..pod("d", "node-1", &[]) };
    let found = address_pods(
        &overlay,
        &[
            pod("a", "node-0", &[]),
            pod("b", "node-0", &["10.244.0.5", "fd00:10::5"]),
            pod("c", "node-1", &[]),
            host,
            pod("e", "node-0", &[]),
        ],
    );
    assert_eq!(
        addresses(&found),
        ["10.244.0.6", "10.244.0.5", "10.244.1.2", "192.168.0.8", "10.244.0.7"]
    );
    let sixes: Vec<String> = found.pods.values().map(|pod| pod.ipv6.unwrap().to_string()).collect();
    assert_eq!(sixes, ["fd00:10::6", "fd00:10::5", "fd00:10:0:1::2", "fd01::8", "fd00:10::7"]);
    assert_eq!((found.findings, found.errors), (vec![], vec![]));
}

#[test]
fn what_does_not_fit_is_told() {
    let overlay = overlay(&conf(0, 1), &[plain(0), plain(1)]);
    let found = address_pods(
        &overlay,
        &[
            pod("a", "node-0", &["10.244.1.5"]),
            pod("b", "node-1", &["10.244.1.5"]),
            pod("c", "node-1", &["10.244.1.1"]),
            pod("d", "node-9", &[]),
        ],
    );
    let messages: Vec<String> = found.findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "pod default/a: its address 10.244.1.5 is not in 10.244.0.0/24 of node node-0",
            "pods default/a and default/b: both have the address 10.244.1.5",
            "pod default/c: its address 10.244.1.1 is not in 10.244.1.0/24 of node node-1",
        ]
    );
    assert!(matches!(found.findings[1], Finding::SamePodIp { .. }));
    assert_eq!(found.errors.len(), 1);
}

#[test]
fn an_exhausted_node_names_itself_and_the_pod() {
    let overlay = overlay(&conf(0, 1), &[plain(0)]);
    let pods: Vec<PlacedPod> =
        (0..254).map(|number| pod(&number.to_string(), "node-0", &[])).collect();
    let found = address_pods(&overlay, &pods);
    assert_eq!(
        found.errors,
        [OverlayError::OutOfAddresses {
            node: "node-0".into(),
            pod: "default/253".into(),
            subnet: "10.244.0.0/24".parse().unwrap()
        }]
    );
    assert_eq!(
        found.errors[0].to_string(),
        "no IP addresses available in range set: 10.244.0.0/24 of node node-0 is exhausted at pod default/253"
    );
    let distinct: BTreeSet<String> = addresses(&found).into_iter().collect();
    assert_eq!(distinct.len(), 254);
}

#[test]
fn pods_are_read_from_objects() {
    let object = |text: &str| json::from_slice::<Pod>(text.as_bytes()).unwrap();
    let running = object(
        r#"{"metadata": {"name": "a", "namespace": "x"}, "spec": {"nodeName": "n", "hostNetwork": true}, "status": {"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]}}"#,
    );
    let placed = PlacedPod::of(&running, None).unwrap().unwrap();
    assert_eq!(
        (placed.name.as_str(), placed.node.as_str(), placed.host_network, placed.addresses.len()),
        ("x/a", "n", true, 2)
    );
    let pending = object(r#"{"metadata": {"name": "b", "namespace": "x"}}"#);
    assert_eq!(
        PlacedPod::of(&pending, None),
        Err(OverlayError::PodNotPlaced { pod: "x/b".into() })
    );
    assert_eq!(PlacedPod::of(&pending, Some("m")).unwrap().unwrap().node, "m");
    let ended = object(
        r#"{"metadata": {"name": "c"}, "spec": {"nodeName": "n"}, "status": {"phase": "Succeeded"}}"#,
    );
    assert_eq!(PlacedPod::of(&ended, None), Ok(None));
}

proptest! {
    #[test]
    fn no_two_pods_share_an_address(kept in prop::collection::vec((0..2_u8, 2..255_u8), 0..40), new in prop::collection::vec(0..2_u16, 0..200)) {
        let overlay = overlay(&conf(0, 1), &[plain(0), plain(1)]);
        let kept: BTreeSet<(u8, u8)> = kept.into_iter().collect();
        let mut pods: Vec<PlacedPod> = kept.iter().map(|(node, last)| pod(&format!("kept-{node}-{last}"), &format!("node-{node}"), &[&format!("10.244.{node}.{last}")])).collect();
        pods.extend(new.iter().enumerate().map(|(number, node)| pod(&format!("new-{number}"), &format!("node-{node}"), &[])));
        let found = address_pods(&overlay, &pods);
        prop_assert_eq!(found.pods.len(), pods.len());
        let given: Vec<_> = found.pods.values().filter_map(|pod| pod.ipv4).collect();
        prop_assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), given.len());
        prop_assert_eq!(given.len() + found.errors.len(), pods.len());
        for (pod, placed) in pods.iter().zip(found.pods.values()) {
            if let [address] = pod.addresses.as_slice() {
                prop_assert_eq!(placed.ipv4, Some(*address));
            } else if let Some(address) = placed.ipv4 {
                let subnet = overlay.node(&pod.node).unwrap().lease.subnet.unwrap();
                prop_assert!(subnet.hosts().skip(1).any(|host| host == address), "{address}");
            }
        }
    }
}
