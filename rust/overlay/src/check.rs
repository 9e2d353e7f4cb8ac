//! What does not fit in a cluster's overlay network.
//!
//! flannel itself checks little of this: it programs what it hears. Time is proportional to the
//! number of nodes, but for sorting.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::family::to_bits;
use crate::finding::Finding;
use crate::ipam::pod_addresses;
use crate::json::shown;
use crate::tables::{Overlay, OverlayNode};
use crate::{Backend, Family, MacAddr};

/// Where flannel has its leases from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// From `Node` objects (`--kube-subnet-mgr`).
    Kube,
    /// From etcd.
    Etcd,
}

/// Least MTU over which IPv6 works (RFC 8200, 5).
const IPV6_LEAST_MTU: i64 = 1280;

/// Least MTU over which IPv4 works (RFC 791, 3.2).
const IPV4_LEAST_MTU: i64 = 68;

/// What is found in a network; `services` are the ranges of service addresses, as far as they are
/// known.
pub fn check(overlay: &Overlay, mode: Mode, services: &[IpNet]) -> Vec<Finding> {
    let mut findings = Vec::new();
    configuration(overlay, mode, &mut findings);
    overlaps(overlay, services, &mut findings);
    addresses(overlay, &mut findings);
    announcements(overlay, &mut findings);
    mtus(overlay, &mut findings);
    segments(overlay, &mut findings);
    findings
}

fn configuration(overlay: &Overlay, mode: Mode, findings: &mut Vec<Finding>) {
    let conf = overlay.conf();
    match mode {
        Mode::Kube => {
            let unused = [
                ("SubnetLen", conf.subnet_len > 0),
                ("SubnetMin", conf.subnet_min.is_some()),
                ("SubnetMax", conf.subnet_max.is_some()),
                ("IPv6SubnetLen", conf.ipv6_subnet_len > 0),
                ("IPv6SubnetMin", conf.ipv6_subnet_min.is_some()),
                ("IPv6SubnetMax", conf.ipv6_subnet_max.is_some()),
            ];
            let set = unused.into_iter().filter(|(_, set)| *set);
            findings.extend(set.map(|(field, _)| Finding::NoEffect { field }));
        }
        Mode::Etcd => {
            let Ok(ranges) = conf.ranges() else { return };
            let backwards =
                ranges.ipv4.iter().chain(&ranges.ipv6).filter(|range| range.subnets() == 0);
            findings.extend(backwards.map(|range| Finding::BackwardsRange {
                family: range.family(),
                min: range.subnet_min,
                max: range.subnet_max,
            }));
        }
    }
}

/// A prefix, and the node whose subnet it is; a range of services has none.
type Owned<'o> = (IpNet, Option<&'o OverlayNode>);

fn label(owned: &Owned<'_>) -> String {
    match owned.1 {
        Some(node) => format!("podCIDR of node {}", node.name),
        None => "service range".into(),
    }
}

fn overlaps(overlay: &Overlay, services: &[IpNet], findings: &mut Vec<Finding>) {
    let mut owned: Vec<Owned<'_>> = services.iter().map(|&net| (net.trunc(), None)).collect();
    for family in Family::ALL {
        if let Some(network) =
            overlay.conf().network_of(family).filter(|_| overlay.conf().enables(family))
        {
            let hit = |net: &&IpNet| network.contains(*net) || net.contains(&network);
            findings.extend(services.iter().filter(hit).map(|&net| Finding::Overlap {
                first: "flannel network".into(),
                first_net: network,
                second: "service range".into(),
                second_net: net,
            }));
        }
        owned.extend(
            overlay
                .nodes()
                .filter_map(|node| Some((node.lease.subnet_of(family)?.trunc(), Some(node)))),
        );
    }
    // prefixes are nested or disjoint: in this order, one that overlaps lies in the last that has
    // not ended
    let place = |net: &IpNet| (Family::of_net(net), to_bits(net.network()), net.prefix_len());
    owned.sort_by_key(|(net, _)| place(net));
    let mut open: Vec<Owned<'_>> = Vec::new();
    for next in owned {
        while open.pop_if(|(net, _)| !net.contains(&next.0)).is_some() {}
        if let Some(outer) = open.last() {
            findings.push(Finding::Overlap {
                first: label(outer),
                first_net: outer.0,
                second: label(&next),
                second_net: next.0,
            });
        }
        open.push(next);
    }
}

fn addresses(overlay: &Overlay, findings: &mut Vec<Finding>) {
    let mut public: BTreeMap<IpAddr, &str> = BTreeMap::new();
    for node in overlay.nodes() {
        let of_lease =
            overlay.families().iter().filter_map(|&family| node.lease.attrs.public(family));
        let mut own: Vec<IpAddr> = of_lease.clone().chain(node.addresses.iter().copied()).collect();
        own.sort_unstable();
        own.dedup();
        for address in own {
            let family = Family::of(&address);
            let network =
                overlay.conf().network_of(family).filter(|_| overlay.conf().enables(family));
            if let Some(network) = network.filter(|network| network.contains(&address)) {
                findings.push(Finding::NodeInNetwork { node: node.name.clone(), address, network });
            }
        }
        for address in of_lease {
            if let Some(first) = public.insert(address, &node.name) {
                let second = node.name.clone();
                findings.push(Finding::SamePublicIp { first: first.into(), second, address });
            }
        }
        for family in Family::ALL {
            let (Some(subnet), Some(max_pods)) = (node.lease.subnet_of(family), node.max_pods)
            else {
                continue;
            };
            let addresses = pod_addresses(subnet.prefix_len(), family);
            if u128::try_from(max_pods).is_ok_and(|max_pods| max_pods > addresses) {
                findings.push(Finding::FewAddresses {
                    node: node.name.clone(),
                    subnet,
                    addresses,
                    max_pods,
                });
            }
        }
    }
}

/// What nodes announce, each looked at once and not from every other node.
fn announcements(overlay: &Overlay, findings: &mut Vec<Finding>) {
    let mut macs: BTreeMap<(Family, MacAddr), &str> = BTreeMap::new();
    let expected = overlay.backend().backend_type().announced();
    for node in overlay.nodes() {
        let attrs = &node.lease.attrs;
        if attrs.backend_type != expected {
            let subnets = Family::ALL.iter().filter_map(|&family| node.lease.subnet_of(family));
            let subnets: Vec<String> = subnets.map(|net| net.to_string()).collect();
            findings.push(Finding::OtherBackend {
                node: node.name.clone(),
                subnet: subnets.join(" "),
                expected,
                found: attrs.backend_type.clone(),
            });
            continue;
        }
        let Backend::Vxlan(config) = overlay.backend() else { continue };
        for &family in overlay.families() {
            let node_name = || node.name.clone();
            let data = match attrs.vxlan_data(family) {
                Ok(data) => data,
                Err(_) if attrs.data(family).is_none() => {
                    findings.push(Finding::NoVtepMac { node: node_name(), family });
                    continue;
                }
                Err(error) => {
                    let data = shown(attrs.data(family).unwrap_or_default().as_bytes());
                    let problem = error.to_string();
                    findings.push(Finding::BackendData {
                        node: node_name(),
                        family,
                        data,
                        problem,
                    });
                    continue;
                }
            };
            if data.vni != config.vni {
                let (found, expected) = (data.vni, config.vni);
                findings.push(Finding::OtherVni { node: node_name(), found, expected });
            }
            match data.vtep_mac {
                None => findings.push(Finding::NoVtepMac { node: node_name(), family }),
                Some(mac) => {
                    if !mac.is_unicast() {
                        findings.push(Finding::MulticastVtepMac { node: node_name(), mac });
                    }
                    if let Some(first) = macs.insert((family, mac), &node.name) {
                        findings.push(Finding::SameVtepMac {
                            first: first.into(),
                            second: node_name(),
                            mac,
                        });
                    }
                }
            }
        }
    }
}

fn mtus(overlay: &Overlay, findings: &mut Vec<Finding>) {
    let mut first: Option<(&OverlayNode, i64)> = None;
    for node in overlay.nodes() {
        let mtu = overlay.mtu(node);
        for link in overlay.links(node) {
            if i64::from(link.mtu) < mtu {
                findings.push(Finding::MtuClamped {
                    node: node.name.clone(),
                    device: link.name.to_string(),
                    requested: mtu,
                    effective: link.mtu,
                });
            }
        }
        for &family in overlay.families() {
            let least = match family {
                Family::Ipv4 => IPV4_LEAST_MTU,
                Family::Ipv6 => IPV6_LEAST_MTU,
            };
            if mtu < least {
                findings.push(Finding::MtuTooSmall { node: node.name.clone(), mtu, least, family });
            }
        }
        match first {
            None => first = Some((node, mtu)),
            Some((other, other_mtu)) if other_mtu != mtu => findings.push(Finding::DifferentMtus {
                first: other.name.clone(),
                first_mtu: other_mtu,
                second: node.name.clone(),
                second_mtu: mtu,
            }),
            Some(_) => {}
        }
    }
}

/// Routes via other nodes work on one segment only.
fn segments(overlay: &Overlay, findings: &mut Vec<Finding>) {
    if !matches!(overlay.backend(), Backend::HostGw) {
        return;
    }
    let mut nodes = overlay.nodes();
    let Some(first) = nodes.next() else { return };
    for node in nodes {
        let apart = overlay.families().iter().any(|&family| {
            let (from, to) = (first.lease.attrs.public(family), node.lease.attrs.public(family));
            from.zip(to).is_some_and(|(from, to)| !overlay.segments().joins(from, to))
        });
        if apart {
            findings.push(Finding::NoSegment {
                first: first.name.clone(),
                second: node.name.clone(),
                backend: overlay.backend().backend_type().as_str(),
            });
        }
    }
}
