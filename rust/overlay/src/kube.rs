//! Kube mode: leases made of `Node` objects.
//!
//! Follows `pkg/subnet/kube/kube.go` and `annotations.go` of flannel at cdf76059. The subnet of a
//! node is its podCIDR, one a family; what it announces stands in its annotations, under a prefix
//! that can be configured:
//!
//! | annotation | what |
//! |---|---|
//! | `kube-subnet-manager` | `true` on nodes that flannel runs on; others are passed over |
//! | `backend-type`, `backend-data`, `backend-v6-data` | as in a lease in etcd |
//! | `public-ip`, `public-ipv6` | where packets for the node go |
//! | `public-ip-overwrite`, `public-ipv6-overwrite` | what takes their place when flannel starts on the node |
//! | `node-public-ip`, `node-public-ipv6` | which interface flannel takes when it starts |
//!
//! A node that cannot be made a lease is passed over, and the reason is in the findings. [`Assume`]
//! says what is made up for nodes on which flannel has not run yet.

use std::net::{IpAddr, Ipv4Addr};

use bayplan_api::{Node, Str};
use ipnet::IpNet;

use crate::error::OverlayError;
use crate::finding::Finding;
use crate::json::{parse_ipv4, parse_ipv6, parse_net, shown};
use crate::tables::{Interface, OverlayNode};
use crate::{
    Backend, Expiration, Family, Lease, LeaseAttrs, MacAddr, NetConf, VxlanConfig, VxlanData,
};

/// The keys of flannel's annotations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotations {
    prefix: String,
}

impl Default for Annotations {
    /// Under `flannel.alpha.coreos.com/`.
    fn default() -> Self {
        Self { prefix: "flannel.alpha.coreos.com/".into() }
    }
}

impl Annotations {
    /// The keys under a prefix: a domain with a dot, a slash, and perhaps a name
    /// (`--kube-annotation-prefix`).
    ///
    /// # Errors
    /// Another form.
    pub fn new(prefix: &str) -> Result<Self, OverlayError> {
        let wrong = |problem| OverlayError::AnnotationPrefix { prefix: prefix.into(), problem };
        let mut full = prefix.to_owned();
        match full.matches('/').count() {
            0 => full.push('/'),
            1 => {}
            _ => return Err(wrong("prefix can contain at most single slash")),
        }
        if !full.ends_with('/') && !full.ends_with('-') {
            full.push('-');
        }
        let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
        let fits = full.split_once('/').is_some_and(|(domain, name)| {
            // the domain may begin with anything, as flannel's pattern is not anchored there
            let labels = domain.rsplit_once('.').is_some_and(|(head, last)| {
                !last.is_empty() && last.chars().all(allowed) && head.ends_with(allowed)
            });
            let name_fits = name.is_empty() || name.len() > 1 && name.chars().all(allowed);
            labels && name_fits
        });
        if fits {
            Ok(Self { prefix: full })
        } else {
            Err(wrong("prefix must be in a format: fqdn/[0-9a-z-_]*"))
        }
    }

    /// The key of a name, such as `backend-type`.
    pub fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn get<'n>(&self, node: &'n Node, name: &str) -> &'n str {
        node.metadata.annotations.get(&self.key(name)).map(Str::as_str).unwrap_or_default()
    }

    fn managed(&self, node: &Node) -> bool {
        self.get(node, "kube-subnet-manager") == "true"
    }
}

/// What is made up for nodes that do not announce it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assume {
    /// Nothing: the cluster as it is.
    #[default]
    Nothing,
    /// A `VtepMAC` where a node announces backend data without one, or none: [`MacAddr::assumed`]
    /// of the node's and the device's name.
    VtepMac,
    /// Also all of the announcement of a node that has none, as if flannel had started there: the
    /// first `InternalIP` of a family is its public address, unless `public-ip-overwrite` or
    /// `node-public-ip` say another.
    Announcement,
}

/// How nodes are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KubeOptions {
    /// The keys of the annotations.
    pub annotations: Annotations,
    /// What is made up.
    pub assume: Assume,
    /// The external interface of the nodes.
    pub interface: Interface,
}

/// The annotations of each family.
struct Names {
    public: &'static str,
    overwrite: &'static str,
    chosen: &'static str,
    data: &'static str,
}

const fn names(family: Family) -> Names {
    match family {
        Family::Ipv4 => Names {
            public: "public-ip",
            overwrite: "public-ip-overwrite",
            chosen: "node-public-ip",
            data: "backend-data",
        },
        Family::Ipv6 => Names {
            public: "public-ipv6",
            overwrite: "public-ipv6-overwrite",
            chosen: "node-public-ipv6",
            data: "backend-v6-data",
        },
    }
}

fn parse_address(family: Family, text: &str) -> Option<IpAddr> {
    match family {
        Family::Ipv4 => parse_ipv4(text).ok().map(IpAddr::V4),
        Family::Ipv6 => parse_ipv6(text).ok().map(IpAddr::V6),
    }
}

/// The nodes that take part, in the order in which the API server lists them (by name), and why
/// others do not.
///
/// # Errors
/// No family is enabled, or the backend is not known.
pub fn kube_nodes(
    conf: &NetConf,
    nodes: &[Node],
    options: &KubeOptions,
) -> Result<(Vec<OverlayNode>, Vec<Finding>), OverlayError> {
    let (families, backend) = (conf.families()?, conf.backend()?);
    let mut findings = Vec::new();
    let mut taking_part: Vec<OverlayNode> = nodes
        .iter()
        .filter_map(|node| {
            let lease = node_to_lease(families, &backend, node, options, &mut findings)?;
            let name = node.metadata.name.as_str().to_owned();
            check_own(conf, node, &lease, &mut findings);
            let max_pods = node.status.allocatable.get("pods").map(bayplan_api::Quantity::value);
            let addresses = node.status.addresses.iter();
            let addresses = addresses.filter_map(|address| address.address.parse().ok()).collect();
            Some(OverlayNode {
                name,
                lease,
                interface: options.interface.clone(),
                addresses,
                max_pods,
            })
        })
        .collect();
    taking_part.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((taking_part, findings))
}

/// What keeps flannel from starting on the node itself.
fn check_own(conf: &NetConf, node: &Node, lease: &Lease, findings: &mut Vec<Finding>) {
    let name = || node.metadata.name.as_str().to_owned();
    if node.spec.pod_cidr.is_empty() {
        findings.push(Finding::NotAssigned { node: name() });
    }
    for family in Family::ALL {
        let Some(subnet) = lease.subnet_of(family) else { continue };
        let network = conf.network_of(family);
        if !network.is_some_and(|network| network.contains(&subnet)) {
            let network = network.map(|network| network.to_string()).unwrap_or_default();
            findings.push(Finding::OutsideNetwork { node: name(), subnet, network });
        }
        let mut of_family = node
            .spec
            .pod_cidrs
            .iter()
            .filter_map(|text| parse_net(text))
            .filter(|net| Family::of_net(net) == family);
        if let (Some(first), Some(last)) = (of_family.next(), of_family.next_back()) {
            findings.push(Finding::TwoOfOneFamily { node: name(), first, last });
        }
    }
}

/// What flannel makes of a node (`nodeToLease`); none when it takes no notice.
fn node_to_lease(
    families: &[Family],
    backend: &Backend,
    node: &Node,
    options: &KubeOptions,
    findings: &mut Vec<Finding>,
) -> Option<Lease> {
    let annotations = &options.annotations;
    let name = node.metadata.name.as_str();
    let managed = annotations.managed(node);
    let assumed = !managed && options.assume == Assume::Announcement;
    if !managed && !assumed {
        let annotation = annotations.key("kube-subnet-manager");
        findings.push(Finding::NotManaged { node: name.into(), annotation });
        return None;
    }
    let mut lease = Lease {
        subnet: None,
        ipv6_subnet: None,
        attrs: LeaseAttrs::default(),
        expiration: Expiration::Never,
    };
    for &family in families {
        let public = public_address(family, node, assumed, annotations, findings)?;
        match pod_cidr(family, node, findings)? {
            IpNet::V4(net) => lease.subnet = Some(net),
            IpNet::V6(net) => lease.ipv6_subnet = Some(net),
        }
        let data = match (backend, options.assume) {
            (Backend::Vxlan(config), Assume::VtepMac | Assume::Announcement) => {
                vxlan_data(config, family, node, annotations, findings)
            }
            _ => annotations.get(node, names(family).data).to_owned(),
        };
        let data = Some(data).filter(|data| !data.is_empty());
        match public {
            IpAddr::V4(address) => {
                (lease.attrs.public_ip, lease.attrs.backend_data) = (address, data);
            }
            IpAddr::V6(address) => {
                (lease.attrs.public_ipv6, lease.attrs.backend_v6_data) = (Some(address), data);
            }
        }
    }
    lease.attrs.backend_type = if assumed {
        backend.backend_type().announced().into()
    } else {
        annotations.get(node, "backend-type").to_owned()
    };
    Some(lease)
}

fn public_address(
    family: Family,
    node: &Node,
    assumed: bool,
    annotations: &Annotations,
    findings: &mut Vec<Finding>,
) -> Option<IpAddr> {
    let (name, names) = (node.metadata.name.as_str(), names(family));
    let announced = annotations.get(node, names.public);
    let overwrite = parse_address(family, annotations.get(node, names.overwrite));
    let address = if assumed {
        let chosen = parse_address(family, annotations.get(node, names.chosen));
        let mut internal = node
            .status
            .addresses
            .iter()
            .filter(|address| address.address_type == "InternalIP")
            .filter_map(|address| address.address.parse::<IpAddr>().ok())
            .filter(|address| Family::of(address) == family);
        let address = overwrite.or(chosen).or_else(|| internal.next());
        if let Some(address) = address {
            findings.push(Finding::AssumedAnnouncement { node: name.into(), address });
        }
        address
    } else if let Some(overwrite) = overwrite {
        if parse_address(family, announced) != Some(overwrite) {
            let announced = announced.into();
            findings.push(Finding::Overwritten { node: name.into(), announced, overwrite });
        }
        Some(overwrite)
    } else {
        parse_address(family, announced)
    };
    if address.is_none() {
        findings.push(Finding::PublicIp {
            node: name.into(),
            annotation: annotations.key(names.public),
            value: shown(announced.as_bytes()),
            family,
        });
    }
    address
}

/// The first podCIDR of a family.
fn pod_cidr(family: Family, node: &Node, findings: &mut Vec<Finding>) -> Option<IpNet> {
    let name = || node.metadata.name.as_str().to_owned();
    let cidrs = match node.spec.pod_cidrs.as_slice() {
        [] => std::slice::from_ref(&node.spec.pod_cidr),
        [_] | [_, _] => node.spec.pod_cidrs.as_slice(),
        more => {
            findings.push(Finding::TooManyPodCidrs { node: name(), count: more.len() });
            return None;
        }
    };
    for text in cidrs {
        match parse_net(text) {
            Some(net) if Family::of_net(&net) == family => return Some(net),
            Some(_) => {}
            None => {
                findings.push(Finding::PodCidr { node: name(), value: shown(text.as_bytes()) });
                return None;
            }
        }
    }
    findings.push(Finding::NoPodCidr { node: name(), family });
    None
}

/// The node's backend data, completed with an assumed address where it has none.
fn vxlan_data(
    config: &VxlanConfig,
    family: Family,
    node: &Node,
    annotations: &Annotations,
    findings: &mut Vec<Finding>,
) -> String {
    let written = annotations.get(node, names(family).data);
    let data = match VxlanData::parse(written.as_bytes()) {
        Ok(data) => data,
        Err(_) if written.is_empty() => VxlanData { vni: config.vni, vtep_mac: None },
        // what is there but cannot be read stays, and is found when tables are made
        Err(_) => return written.to_owned(),
    };
    if data.vtep_mac.is_some() {
        return written.to_owned();
    }
    let mac = MacAddr::assumed(&node.metadata.name, &config.device(family));
    findings.push(Finding::AssumedVtepMac {
        node: node.metadata.name.as_str().into(),
        family,
        mac,
    });
    VxlanData { vtep_mac: Some(mac), ..data }.to_json()
}

/// What flannel on other nodes hears of a node that comes, goes or changes; none when it hears
/// nothing.
///
/// A change is heard only if the annotations for data, type or public address changed, in every
/// enabled family: with dual stack, a change of one family alone is missed
/// (`handleUpdateLeaseEvent`). Removing the annotation `kube-subnet-manager` is not heard either.
///
/// # Errors
/// No family is enabled, or the backend is not known.
pub fn node_event(
    conf: &NetConf,
    old: Option<&Node>,
    new: Option<&Node>,
    options: &KubeOptions,
) -> Result<(Option<crate::LeaseEvent>, Vec<Finding>), OverlayError> {
    let (families, backend) = (conf.families()?, conf.backend()?);
    let mut findings = Vec::new();
    let mut lease = |node: &Node| node_to_lease(families, &backend, node, options, &mut findings);
    let event = match (old, new) {
        (None, None) => None,
        (None, Some(new)) => lease(new).map(crate::LeaseEvent::Added),
        (Some(old), None) => lease(old).map(crate::LeaseEvent::Removed),
        (Some(old), Some(new)) => {
            let heard = families.iter().all(|&family| {
                let names = names(family);
                ["backend-type", names.data, names.public].iter().any(|name| {
                    options.annotations.get(old, name) != options.annotations.get(new, name)
                })
            });
            if heard { lease(new).map(crate::LeaseEvent::Added) } else { None }
        }
    };
    Ok((event, findings))
}

/// The leases in etcd as nodes, named by their public addresses, in the order of their keys.
pub fn etcd_nodes<'l>(
    leases: impl IntoIterator<Item = (&'l crate::SubnetKey, &'l Lease)>,
    interface: &Interface,
) -> Vec<OverlayNode> {
    let node = |(_, lease): (&crate::SubnetKey, &Lease)| {
        let addresses =
            Family::ALL.iter().filter_map(|&family| lease.attrs.public(family)).collect();
        let name = match lease.attrs.public_ip {
            Ipv4Addr::UNSPECIFIED => lease.subnet.map_or_else(String::new, |net| net.to_string()),
            address => address.to_string(),
        };
        OverlayNode {
            name,
            lease: lease.clone(),
            interface: interface.clone(),
            addresses,
            max_pods: None,
        }
    };
    leases.into_iter().map(node).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_those_of_flannels_tests() {
        for (prefix, key) in [
            ("flannel.alpha.coreos.com", "flannel.alpha.coreos.com/backend-type"),
            ("flannel.alpha.coreos.com/", "flannel.alpha.coreos.com/backend-type"),
            ("flannel.alpha.coreos.com/prefix", "flannel.alpha.coreos.com/prefix-backend-type"),
            ("flannel.alpha.coreos.com/prefix-", "flannel.alpha.coreos.com/prefix-backend-type"),
            ("org.com", "org.com/backend-type"),
            ("org9.com", "org9.com/backend-type"),
            ("org.com/9", "org.com/9-backend-type"),
        ] {
            assert_eq!(Annotations::new(prefix).unwrap().key("backend-type"), key);
        }
        for prefix in [
            "org",
            "org/",
            "org/prefix",
            "org.COM",
            "org.com/PREFIX",
            "a.b/c/d",
            "",
            ".com",
            "a.b/-",
        ] {
            assert!(Annotations::new(prefix).is_err(), "{prefix}");
        }
    }
}
