//! Overlays for tests.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bayplan_overlay::{
    Expiration, Interface, Lease, LeaseAttrs, MacAddr, NetConf, Overlay, OverlayNode, Segments,
};
use ipnet::{Ipv4Net, Ipv6Net};
use proptest::prelude::*;

/// What a node announces, by numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) number: u16,
    /// Which public address; two nodes on one segment have the same hundred.
    pub(crate) public: u16,
    /// Which hardware address; none is announced for 0.
    pub(crate) mac: u16,
    pub(crate) other_backend: bool,
}

pub(crate) const BACKENDS: [&str; 7] = [
    r#"{"Type": "vxlan"}"#,
    r#"{"Type": "vxlan", "DirectRouting": true, "VNI": 7, "Port": 4789}"#,
    r#"{"Type": "host-gw"}"#,
    r#"{"Type": "ipip", "DirectRouting": true}"#,
    r#"{"Type": "wireguard"}"#,
    r#"{"Type": "wireguard", "Mode": "auto"}"#,
    r#"{"Type": "udp"}"#,
];

pub(crate) fn conf(backend: usize, families: u8) -> NetConf {
    let (ipv4, ipv6) = (families & 1 > 0, families & 2 > 0);
    let backend = BACKENDS[backend];
    let text = format!(
        r#"{{"Network": "10.244.0.0/16", "IPv6Network": "fd00:10::/48", "EnableIPv4": {ipv4}, "EnableIPv6": {ipv6}, "Backend": {backend}}}"#
    );
    NetConf::parse(text.as_bytes()).unwrap()
}

pub(crate) fn node(conf: &NetConf, spec: Spec) -> OverlayNode {
    let [high, low] = spec.number.to_be_bytes();
    let [segment, host] =
        [spec.public / 100, spec.public % 100].map(|part| u8::try_from(part).unwrap());
    let v4 = Ipv4Addr::new(192, 168, segment, host + 1);
    let v6 = Ipv6Addr::new(0xfd01, 0, 0, segment.into(), 0, 0, 0, u16::from(host) + 1);
    let name = conf.backend().unwrap().backend_type().announced();
    let data = |family: u8| match name {
        "vxlan" => {
            let [a, b] = spec.mac.to_be_bytes();
            let mac = (spec.mac > 0).then(|| MacAddr::new([2, family, 0, 0, a, b]));
            Some(mac.map_or_else(
                || r#"{"VNI":1}"#.into(),
                |mac| format!(r#"{{"VNI":1,"VtepMAC":"{mac}"}}"#),
            ))
        }
        "wireguard" => Some(format!(
            r#"{{"PublicKey":"key{}","Port":{}}}"#,
            spec.mac,
            51819 + u16::from(family)
        )),
        _ => None,
    };
    let attrs = LeaseAttrs {
        public_ip: if conf.enable_ipv4 { v4 } else { Ipv4Addr::UNSPECIFIED },
        public_ipv6: conf.enable_ipv6.then_some(v6),
        backend_type: if spec.other_backend { "other".into() } else { name.into() },
        backend_data: data(1).filter(|_| conf.enable_ipv4),
        backend_v6_data: data(2).filter(|_| conf.enable_ipv6),
    };
    let lease = Lease {
        subnet: conf.enable_ipv4.then(|| Ipv4Net::new(Ipv4Addr::new(10, 244, low, 0), 24).unwrap()),
        ipv6_subnet: conf.enable_ipv6.then(|| {
            Ipv6Net::new(
                Ipv6Addr::new(0xfd00, 0x10, 0, (u16::from(high) << 8) | u16::from(low), 0, 0, 0, 0),
                64,
            )
            .unwrap()
        }),
        attrs,
        expiration: Expiration::Never,
    };
    let addresses = vec![IpAddr::V4(v4), IpAddr::V6(v6)];
    OverlayNode {
        name: format!("node-{}", spec.number),
        lease,
        interface: Interface::default(),
        addresses,
        max_pods: None,
    }
}

/// Nodes on one segment share the first 24 bits (64 of IPv6).
pub(crate) fn segments() -> Segments {
    Segments::Subnets(
        (0..=6)
            .flat_map(|segment| {
                [format!("192.168.{segment}.0/24"), format!("fd01:0:0:{segment:x}::/64")]
            })
            .map(|net| net.parse().unwrap())
            .collect(),
    )
}

pub(crate) fn overlay(conf: &NetConf, specs: &[Spec]) -> Overlay {
    Overlay::new(conf.clone(), specs.iter().map(|&spec| node(conf, spec)), segments()).unwrap()
}

/// A node of its own: number, public address and hardware address follow from one number.
pub(crate) fn plain(number: u16) -> Spec {
    Spec { number, public: number * 7 % 600, mac: number + 1, other_backend: false }
}

pub(crate) fn spec(number: u16) -> impl Strategy<Value = Spec> {
    (0..600_u16, 0..40_u16, prop::bool::weighted(0.1))
        .prop_map(move |(public, mac, other_backend)| Spec { number, public, mac, other_backend })
}

pub(crate) fn any_conf() -> impl Strategy<Value = NetConf> {
    (0..BACKENDS.len(), 1..=3_u8).prop_map(|(backend, families)| {
        // ipip and udp have IPv4 only
        conf(backend, if backend == 3 || backend == 6 { 1 } else { families })
    })
}
