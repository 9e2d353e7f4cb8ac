//! Kube mode: nodes as objects.

use bayplan_api::{Node, json};
use bayplan_overlay::{
    Annotations, Assume, Backend, Entry, Family, Finding, KubeOptions, LeaseEvent, MacAddr,
    NetConf, Overlay, Segments, Severity, kube_nodes, node_event,
};

const CONF: &str = r#"{"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan"}}"#;
const DUAL: &str = r#"{"Network": "10.244.0.0/16", "EnableIPv6": true, "IPv6Network": "2001:cafe:42::/56", "Backend": {"Type": "vxlan"}}"#;

fn conf(text: &str) -> NetConf {
    NetConf::parse(text.as_bytes()).unwrap()
}

fn node(text: &str) -> Node {
    json::from_slice(text.as_bytes()).unwrap()
}

fn annotated(name: &str, cidr: &str, annotations: &str) -> Node {
    node(&format!(
        r#"{{"metadata": {{"name": "{name}", "annotations": {{{annotations}}}}}, "spec": {{"podCIDR": "{cidr}", "podCIDRs": ["{cidr}"]}},
            "status": {{"addresses": [{{"type": "Hostname", "address": "{name}"}}, {{"type": "InternalIP", "address": "192.168.0.7"}}]}}}}"#
    ))
}

fn flannel(mac: &str, ip: &str) -> String {
    let prefix = "flannel.alpha.coreos.com/";
    format!(
        r#""{prefix}kube-subnet-manager": "true", "{prefix}backend-type": "vxlan", "{prefix}public-ip": "{ip}",
           "{prefix}backend-data": "{{\"VNI\":1,\"VtepMAC\":\"{mac}\"}}""#
    )
}

fn options(assume: Assume) -> KubeOptions {
    KubeOptions { assume, ..KubeOptions::default() }
}

#[test]
fn nodes_are_listed_by_name_with_what_they_announce() {
    let nodes = [
        annotated("b", "10.244.1.0/24", &flannel("0e:00:00:00:00:02", "192.168.0.2")),
        annotated("a", "10.244.0.0/24", &flannel("0e:00:00:00:00:01", "192.168.0.1")),
    ];
    let (found, findings) = kube_nodes(&conf(CONF), &nodes, &options(Assume::Nothing)).unwrap();
    assert_eq!(findings, []);
    let names: Vec<&str> = found.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(found[1].lease.subnet, Some("10.244.1.0/24".parse().unwrap()));
    assert_eq!(found[1].lease.attrs.public_ip.to_string(), "192.168.0.2");
    let mac = found[1].lease.attrs.vxlan_data(Family::Ipv4).unwrap().vtep_mac;
    assert_eq!(mac, Some("0e:00:00:00:00:02".parse().unwrap()));
}

#[test]
fn what_flannel_takes_no_notice_of_is_told() {
    let good = flannel("0e:00:00:00:00:02", "192.168.0.2");
    let without_ip = r#""flannel.alpha.coreos.com/kube-subnet-manager": "true""#;
    for (node, message, taken) in [
        (
            annotated("a", "10.244.0.0/24", ""),
            "node a: annotation flannel.alpha.coreos.com/kube-subnet-manager is not \"true\", flannel takes no notice of it",
            false,
        ),
        (
            annotated("a", "10.244.0.0/24", without_ip),
            "node a: annotation flannel.alpha.coreos.com/public-ip \"\" is no address of IPv4, flannel takes no notice of the node",
            false,
        ),
        (
            annotated("a", "10.244.0.0", &good),
            "node a: podCIDR \"10.244.0.0\" is no prefix, flannel takes no notice of the node",
            false,
        ),
        (
            annotated("a", "fd00::/64", &good),
            "node a: missing IPv4 address on spec.podCIDRs, flannel takes no notice of the node",
            false,
        ),
        (
            annotated("a", "10.250.0.0/24", &good),
            "node a: 10.244.0.0/16 specified in the flannel net config doesn't contain podCIDR 10.250.0.0/24, flannel does not start there",
            true,
        ),
    ] {
        let (found, findings) =
            kube_nodes(&conf(CONF), &[node], &options(Assume::Nothing)).unwrap();
        let messages: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(messages, [message]);
        assert_eq!(found.len(), usize::from(taken), "{message}");
    }
}

#[test]
fn more_pod_cidrs_than_one_a_family_are_told() {
    let with = |cidrs: &str| {
        let good = flannel("0e:00:00:00:00:02", "192.168.0.2");
        node(&format!(
            r#"{{"metadata": {{"name": "a", "annotations": {{{good}}}}}, "spec": {{"podCIDR": "10.244.0.0/24", "podCIDRs": {cidrs}}}}}"#
        ))
    };
    let (found, findings) = kube_nodes(
        &conf(CONF),
        &[with(r#"["10.244.0.0/24", "10.244.9.0/24"]"#)],
        &options(Assume::Nothing),
    )
    .unwrap();
    assert!(matches!(findings.as_slice(), [Finding::TwoOfOneFamily { .. }]), "{findings:?}");
    assert_eq!(found[0].lease.subnet, Some("10.244.0.0/24".parse().unwrap()));
    let (found, findings) = kube_nodes(
        &conf(CONF),
        &[with(r#"["10.244.0.0/24", "fd00::/64", "10.244.9.0/24"]"#)],
        &options(Assume::Nothing),
    )
    .unwrap();
    assert_eq!(
        (found.len(), findings),
        (0, vec![Finding::TooManyPodCidrs { node: "a".into(), count: 3 }])
    );
}

#[test]
fn a_hardware_address_is_assumed_on_request_only() {
    let bare = r#""flannel.alpha.coreos.com/kube-subnet-manager": "true", "flannel.alpha.coreos.com/backend-type": "vxlan", "flannel.alpha.coreos.com/public-ip": "192.168.0.2""#;
    let nodes = [
        annotated("a", "10.244.0.0/24", &flannel("0e:00:00:00:00:01", "192.168.0.1")),
        annotated("b", "10.244.1.0/24", bare),
    ];
    let tables = |assume| {
        let (found, findings) = kube_nodes(&conf(CONF), &nodes, &options(assume)).unwrap();
        let overlay = Overlay::new(conf(CONF), found, Segments::Routed).unwrap();
        let (tables, passed_over) = overlay.tables("a").unwrap();
        (tables, passed_over, findings)
    };
    let (announced, passed_over, findings) = tables(Assume::Nothing);
    assert!(announced.is_empty() && findings.is_empty());
    assert_eq!(passed_over, [Finding::NoVtepMac { node: "b".into(), family: Family::Ipv4 }]);
    let (assumed, passed_over, findings) = tables(Assume::VtepMac);
    let mac = MacAddr::assumed("b", "flannel.1");
    assert_eq!(findings, [Finding::AssumedVtepMac { node: "b".into(), family: Family::Ipv4, mac }]);
    assert_eq!(findings[0].severity(), Severity::Note);
    assert!(passed_over.is_empty());
    assert!(
        assumed.iter().any(|entry| matches!(entry, Entry::Fdb { mac: found, .. } if *found == mac))
    );
}

#[test]
fn an_announcement_is_assumed_from_the_nodes_address() {
    let nodes = [
        annotated(
            "a",
            "10.244.0.0/24",
            r#""flannel.alpha.coreos.com/node-public-ip": "203.0.113.9""#,
        ),
        annotated("b", "10.244.1.0/24", ""),
    ];
    let (found, findings) =
        kube_nodes(&conf(CONF), &nodes, &options(Assume::Announcement)).unwrap();
    let publics: Vec<String> =
        found.iter().map(|node| node.lease.attrs.public_ip.to_string()).collect();
    assert_eq!(publics, ["203.0.113.9", "192.168.0.7"]);
    assert!(found.iter().all(|node| node.lease.attrs.backend_type == "vxlan"));
    assert_eq!(findings.len(), 4);
}

#[test]
fn an_overwrite_takes_the_place_of_the_public_address() {
    let annotations = flannel("0e:00:00:00:00:01", "192.168.0.1")
        + r#", "flannel.alpha.coreos.com/public-ip-overwrite": "203.0.113.1""#;
    let (found, findings) = kube_nodes(
        &conf(CONF),
        &[annotated("a", "10.244.0.0/24", &annotations)],
        &options(Assume::Nothing),
    )
    .unwrap();
    assert_eq!(found[0].lease.attrs.public_ip.to_string(), "203.0.113.1");
    assert!(matches!(findings.as_slice(), [Finding::Overwritten { .. }]));
}

#[test]
fn another_prefix_of_annotations_is_read() {
    let annotations = flannel("0e:00:00:00:00:01", "192.168.0.1")
        .replace("flannel.alpha.coreos.com/", "example.com/net-");
    let options = KubeOptions {
        annotations: Annotations::new("example.com/net").unwrap(),
        ..KubeOptions::default()
    };
    let (found, findings) =
        kube_nodes(&conf(CONF), &[annotated("a", "10.244.0.0/24", &annotations)], &options)
            .unwrap();
    assert_eq!((found.len(), findings.len()), (1, 0));
    assert!(matches!(conf(CONF).backend(), Ok(Backend::Vxlan(_))));
}

/// Whether other nodes hear of a change of annotations.
fn heard(text: &str, old: &str, new: &str) -> bool {
    let node = |annotations: &str| {
        node(&format!(
            r#"{{"metadata": {{"name": "a", "annotations": {{{annotations}}}}}, "spec": {{"podCIDR": "10.244.1.0/24", "podCIDRs": ["10.244.1.0/24", "2001:cafe:42:1::/64"]}}}}"#
        ))
    };
    let (event, _) =
        node_event(&conf(text), Some(&node(old)), Some(&node(new)), &options(Assume::Nothing))
            .unwrap();
    matches!(event, Some(LeaseEvent::Added(_)))
}

#[test]
fn a_change_is_heard_if_each_enabled_family_changed() {
    let dual = |mac: &str, ip: &str, mac6: &str| {
        flannel(mac, ip)
            + &format!(
                r#", "flannel.alpha.coreos.com/public-ipv6": "2001:db8::1", "flannel.alpha.coreos.com/backend-v6-data": "{{\"VNI\":1,\"VtepMAC\":\"{mac6}\"}}""#
            )
    };
    let (m1, m2) = ("0e:00:00:00:00:01", "0e:00:00:00:00:02");
    let old = dual(m1, "192.168.0.1", m1);
    assert!(heard(CONF, &old, &dual(m2, "192.168.0.1", m1)));
    assert!(heard(CONF, &old, &dual(m1, "192.168.0.2", m1)));
    assert!(!heard(CONF, &old, &old));
    assert!(!heard(CONF, &old, &dual(m1, "192.168.0.1", m2)));
    // with dual stack a change of one family alone is missed
    assert!(!heard(DUAL, &old, &dual(m2, "192.168.0.1", m1)));
    assert!(!heard(DUAL, &old, &dual(m1, "192.168.0.1", m2)));
    assert!(heard(DUAL, &old, &dual(m2, "192.168.0.1", m2)));
    // so is a node that is no longer flannel's
    assert!(!heard(CONF, &old, &old.replace("\"true\"", "\"false\"")));
}
