//! Addresses of pods, as the CNI plugin `host-local` gives them on each node, and how many there
//! are.
//!
//! Follows `plugins/ipam/host-local/backend/allocator` of containernetworking/plugins (2a46e67d)
//! and `flannel_linux.go` of flannel's CNI plugin. The first address of a node's subnet is the
//! gateway, the bridge `cni0`; pods get the next one after the last that was given, round robin,
//! from the second on. The last address of an IPv4 subnet is the broadcast address and is never
//! given, that of an IPv6 subnet is.
//!
//! A pod that has an address keeps it. Which address the plugin gave last is not known of a
//! cluster; it is taken to be the highest in use, as if none had been given twice.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use bayplan_api::{Pod, PodPhase};
use indexmap::IndexMap;
use ipnet::IpNet;

use crate::error::OverlayError;
use crate::family::{from_bits, to_bits};
use crate::finding::Finding;
use crate::tables::{Overlay, OverlayNode};
use crate::{Family, NetConf, SubnetRanges};

/// The addresses of one subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostLocal {
    subnet: IpNet,
    start: u128,
    end: u128,
    /// The gateway is one of them.
    in_use: BTreeSet<u128>,
    last: Option<u128>,
}

impl HostLocal {
    /// All addresses of a subnet free; none when it is too small, with a prefix of 31 or 127 or
    /// longer.
    pub fn new(subnet: IpNet) -> Option<Self> {
        let family = Family::of_net(&subnet);
        if subnet.prefix_len() > family.bits() - 2 {
            return None;
        }
        let start = to_bits(subnet.network()).checked_add(1)?;
        let end = match family {
            Family::Ipv4 => to_bits(subnet.broadcast()).checked_sub(1)?,
            Family::Ipv6 => to_bits(subnet.broadcast()),
        };
        Some(Self { subnet, start, end, in_use: BTreeSet::from([start]), last: None })
    }

    /// The gateway: address of the bridge.
    pub fn gateway(&self) -> IpAddr {
        from_bits(Family::of_net(&self.subnet), self.start)
    }

    /// Marks an address as used; `false` when it was already, or is not one that is given to pods.
    pub fn reserve(&mut self, address: IpAddr) -> bool {
        let bits = to_bits(address);
        if !self.subnet.contains(&address) || !(self.start..=self.end).contains(&bits) {
            return false;
        }
        let new = self.in_use.insert(bits);
        if new {
            self.last = self.last.max(Some(bits));
        }
        new
    }

    /// Frees an address.
    pub fn release(&mut self, address: IpAddr) -> bool {
        let bits = to_bits(address);
        bits != self.start && self.subnet.contains(&address) && self.in_use.remove(&bits)
    }

    /// The next free address; none when all are used.
    pub fn next_address(&mut self) -> Option<IpAddr> {
        let from = match self.last {
            Some(last) if last < self.end => last + 1,
            _ => self.start,
        };
        let free = self.first_free(from, self.end);
        let bits = free.or_else(|| self.first_free(self.start, from.checked_sub(1)?))?;
        self.in_use.insert(bits);
        self.last = Some(bits);
        Some(from_bits(Family::of_net(&self.subnet), bits))
    }

    fn first_free(&self, low: u128, high: u128) -> Option<u128> {
        if low > high {
            return None;
        }
        let mut candidate = low;
        for &used in self.in_use.range(low..=high) {
            if used > candidate {
                break;
            }
            candidate = used.checked_add(1)?;
        }
        (candidate <= high).then_some(candidate)
    }
}

/// How many pods a subnet has addresses for.
pub fn pod_addresses(subnet_len: u8, family: Family) -> u128 {
    if subnet_len > family.bits() - 2 {
        return 0;
    }
    // the network's own address and the gateway; of IPv4 the broadcast address too
    let kept = match family {
        Family::Ipv4 => 3,
        Family::Ipv6 => 2,
    };
    family.block(subnet_len).saturating_sub(kept)
}

/// How many nodes and pods the ranges hold; numbers beyond `u128` are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// How many nodes get subnets, of every enabled family.
    pub nodes: u128,
    /// How many pods of a node get addresses, of every enabled family.
    pub pods_per_node: u128,
    /// How many pods get addresses.
    pub pods: u128,
}

impl Capacity {
    fn least(families: impl Iterator<Item = (u128, u128)>) -> Self {
        let (nodes, pods_per_node) =
            families.reduce(|a, b| (a.0.min(b.0), a.1.min(b.1))).unwrap_or_default();
        Self { nodes, pods_per_node, pods: nodes.saturating_mul(pods_per_node) }
    }

    /// Of leases in etcd.
    pub fn of_ranges(ranges: &SubnetRanges) -> Self {
        let families = ranges.ipv4.iter().chain(&ranges.ipv6);
        Self::least(
            families
                .map(|range| (range.subnets(), pod_addresses(range.subnet_len, range.family()))),
        )
    }

    /// Of podCIDRs with these prefix lengths, cut from the networks (`--node-cidr-mask-size` of
    /// kube-controller-manager, 24 and 64 by default). The first subnet counts.
    pub fn of_pod_cidrs(conf: &NetConf, ipv4_len: u8, ipv6_len: u8) -> Self {
        let families = Family::ALL.iter().filter(|&&family| conf.enables(family)).map(|&family| {
            let len = match family {
                Family::Ipv4 => ipv4_len,
                Family::Ipv6 => ipv6_len,
            };
            let fits = |network: IpNet| {
                len.checked_sub(network.prefix_len()).filter(|_| len <= family.bits())
            };
            let nodes = conf
                .network_of(family)
                .and_then(fits)
                .map_or(0, |more| 1_u128.checked_shl(u32::from(more)).unwrap_or(u128::MAX));
            (nodes, pod_addresses(len, family))
        });
        Self::least(families)
    }
}

/// A pod that has a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedPod {
    /// `namespace/name`.
    pub name: String,
    /// Its node.
    pub node: String,
    /// It has the node's network.
    pub host_network: bool,
    /// The addresses that it has.
    pub addresses: Vec<IpAddr>,
}

impl PlacedPod {
    /// A pod object, on the node that it names or on the one given; none for a pod that has ended,
    /// whose address is free.
    ///
    /// # Errors
    /// It is on no node.
    pub fn of(pod: &Pod, node: Option<&str>) -> Result<Option<Self>, OverlayError> {
        let name = format!("{}/{}", pod.metadata.namespace, pod.metadata.name);
        if matches!(pod.status.phase, PodPhase::Succeeded | PodPhase::Failed) {
            return Ok(None);
        }
        let node = node.unwrap_or(&pod.spec.node_name);
        if node.is_empty() {
            return Err(OverlayError::PodNotPlaced { pod: name });
        }
        Ok(Some(Self {
            name,
            node: node.into(),
            host_network: pod.spec.host_network,
            addresses: pod
                .status
                .pod_ips
                .iter()
                .filter_map(|address| address.parse().ok())
                .collect(),
        }))
    }
}

/// Where a pod is, and its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodAddress {
    /// Its node.
    pub node: String,
    /// It has the node's network.
    pub host_network: bool,
    /// Its address of IPv4.
    pub ipv4: Option<IpAddr>,
    /// Its address of IPv6.
    pub ipv6: Option<IpAddr>,
}

impl PodAddress {
    /// Its address of a family.
    pub const fn address(&self, family: Family) -> Option<IpAddr> {
        match family {
            Family::Ipv4 => self.ipv4,
            Family::Ipv6 => self.ipv6,
        }
    }
}

/// Pods with their addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addressed {
    /// By `namespace/name`, in the order in which they were given.
    pub pods: IndexMap<String, PodAddress>,
    /// What does not fit.
    pub findings: Vec<Finding>,
    /// Why pods have no address: nodes and pods by name.
    pub errors: Vec<OverlayError>,
}

/// Gives every pod its addresses: pods that have one keep it, then the others get the next of their
/// node, in the order in which they are given.
pub fn address_pods(overlay: &Overlay, pods: &[PlacedPod]) -> Addressed {
    let mut out = Addressed::default();
    let mut used: BTreeMap<IpAddr, &str> = BTreeMap::new();
    let mut ranges: BTreeMap<(&str, Family), Option<HostLocal>> = BTreeMap::new();
    for node in overlay.nodes() {
        for &family in overlay.families() {
            let range = node.lease.subnet_of(family).and_then(HostLocal::new);
            ranges.insert((&node.name, family), range);
        }
    }
    for pod in pods.iter().filter(|pod| !pod.host_network) {
        for &address in &pod.addresses {
            keep(overlay, pod, address, &mut ranges, &mut used, &mut out.findings);
        }
    }
    for pod in pods {
        let Ok(node) = overlay.node(&pod.node) else {
            let reason = format!("pod {} gets no address", pod.name);
            out.errors.push(OverlayError::NoLeaseOfNode { node: pod.node.clone(), reason });
            continue;
        };
        let mut placed = PodAddress {
            node: pod.node.clone(),
            host_network: pod.host_network,
            ipv4: None,
            ipv6: None,
        };
        for &family in overlay.families() {
            let given = if pod.host_network {
                host_address(node, family).ok_or_else(|| OverlayError::NoAddress {
                    pod: pod.name.clone(),
                    family: family.as_str(),
                })
            } else {
                let kept = pod.addresses.iter().find(|address| Family::of(address) == family);
                kept.map_or_else(|| give(node, pod, family, &mut ranges), |&address| Ok(address))
            };
            match (given, family) {
                (Ok(address), Family::Ipv4) => placed.ipv4 = Some(address),
                (Ok(address), Family::Ipv6) => placed.ipv6 = Some(address),
                (Err(error), _) => out.errors.push(error),
            }
        }
        out.pods.insert(pod.name.clone(), placed);
    }
    out
}

/// The address of a node itself.
fn host_address(node: &OverlayNode, family: Family) -> Option<IpAddr> {
    let own = node.addresses.iter().copied().find(|address| Family::of(address) == family);
    own.or_else(|| node.lease.attrs.public(family))
}

fn keep<'p>(
    overlay: &Overlay,
    pod: &'p PlacedPod,
    address: IpAddr,
    ranges: &mut BTreeMap<(&'p str, Family), Option<HostLocal>>,
    used: &mut BTreeMap<IpAddr, &'p str>,
    findings: &mut Vec<Finding>,
) {
    if let Some(&first) = used.get(&address) {
        if first != pod.name {
            findings.push(Finding::SamePodIp {
                first: first.into(),
                second: pod.name.clone(),
                address,
            });
        }
        return;
    }
    used.insert(address, &pod.name);
    let family = Family::of(&address);
    let subnet = overlay.node(&pod.node).ok().and_then(|node| node.lease.subnet_of(family));
    let Some(subnet) = subnet else { return };
    let range = ranges.get_mut(&(pod.node.as_str(), family)).and_then(Option::as_mut);
    if !range.is_some_and(|range| range.reserve(address)) {
        findings.push(Finding::PodOutsideSubnet {
            pod: pod.name.clone(),
            address,
            node: pod.node.clone(),
            subnet,
        });
    }
}

fn give<'p>(
    node: &'p OverlayNode,
    pod: &PlacedPod,
    family: Family,
    ranges: &mut BTreeMap<(&'p str, Family), Option<HostLocal>>,
) -> Result<IpAddr, OverlayError> {
    let Some(subnet) = node.lease.subnet_of(family) else {
        return Err(OverlayError::NoAddress { pod: pod.name.clone(), family: family.as_str() });
    };
    let Some(range) = ranges.get_mut(&(node.name.as_str(), family)).and_then(Option::as_mut) else {
        return Err(OverlayError::SubnetTooSmall { node: node.name.clone(), subnet });
    };
    range.next_address().ok_or_else(|| OverlayError::OutOfAddresses {
        node: node.name.clone(),
        pod: pod.name.clone(),
        subnet,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(subnet: &str) -> HostLocal {
        HostLocal::new(subnet.parse().unwrap()).unwrap()
    }

    fn take(range: &mut HostLocal, count: usize) -> Vec<String> {
        (0..count).map_while(|_| range.next_address()).map(|address| address.to_string()).collect()
    }

    #[test]
    fn addresses_go_up_from_the_second_and_round() {
        let mut range = range("10.244.1.0/29");
        assert_eq!(range.gateway().to_string(), "10.244.1.1");
        assert_eq!(take(&mut range, 3), ["10.244.1.2", "10.244.1.3", "10.244.1.4"]);
        assert!(range.release("10.244.1.2".parse().unwrap()));
        assert_eq!(take(&mut range, 9), ["10.244.1.5", "10.244.1.6", "10.244.1.2"]);
        assert!(range.release("10.244.1.4".parse().unwrap()));
        assert_eq!(take(&mut range, 1), ["10.244.1.4"]);
        assert!(!range.release("10.244.1.1".parse().unwrap()));
    }

    #[test]
    fn the_address_given_last_is_not_given_again_at_once() {
        let mut range = range("10.244.1.0/29");
        assert_eq!(take(&mut range, 1), ["10.244.1.2"]);
        assert!(range.release("10.244.1.2".parse().unwrap()));
        assert_eq!(take(&mut range, 1), ["10.244.1.3"]);
    }

    #[test]
    fn ipv6_has_no_broadcast_address() {
        let mut range = range("fd00::/126");
        assert_eq!(take(&mut range, 9), ["fd00::2", "fd00::3"]);
        assert_eq!(HostLocal::new("fd00::/127".parse().unwrap()), None);
        assert_eq!(HostLocal::new("10.0.0.0/31".parse().unwrap()), None);
    }

    #[test]
    fn as_many_pods_fit_as_the_numbers_say() {
        for subnet in ["10.244.1.0/24", "10.244.1.0/30", "fd00::/120", "fd00::/126"] {
            let net: IpNet = subnet.parse().unwrap();
            let count = take(&mut range(subnet), 1000).len();
            assert_eq!(
                pod_addresses(net.prefix_len(), Family::of_net(&net)),
                count as u128,
                "{subnet}"
            );
        }
        assert_eq!(pod_addresses(31, Family::Ipv4), 0);
    }

    #[test]
    fn capacity_is_that_of_the_smaller_family() {
        let conf = |text: &str| NetConf::parse(text.as_bytes()).unwrap();
        let single = conf(r#"{"Network": "10.244.0.0/16"}"#);
        let capacity = Capacity::of_ranges(&single.ranges().unwrap());
        assert_eq!((capacity.nodes, capacity.pods_per_node, capacity.pods), (255, 253, 64515));
        assert_eq!(Capacity::of_pod_cidrs(&single, 24, 64).nodes, 256);
        let dual = conf(
            r#"{"Network": "10.244.0.0/16", "EnableIPv6": true, "IPv6Network": "2001:cafe:42::/62"}"#,
        );
        assert_eq!(
            Capacity::of_pod_cidrs(&dual, 24, 64),
            Capacity { nodes: 4, pods_per_node: 253, pods: 1012 }
        );
        assert_eq!(Capacity::of_pod_cidrs(&dual, 15, 200).nodes, 0);
    }
}
