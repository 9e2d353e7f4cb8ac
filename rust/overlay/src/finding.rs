//! `Finding`: what does not fit, and what flannel passes over, with the node, the field and the
//! value.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::{Family, MacAddr};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something was assumed or is only worth knowing.
    Note,
    /// It works, but not as it seems.
    Warning,
    /// Packets get lost, or a node does not start.
    Error,
}

/// Something found in a cluster's overlay network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// A node without the annotation by which flannel knows its own.
    #[error("node {node}: annotation {annotation} is not \"true\", flannel takes no notice of it")]
    NotManaged {
        /// Name of the node.
        node: String,
        /// Key of the annotation.
        annotation: String,
    },
    /// A public address that cannot be read; no node takes notice of this one.
    #[error(
        "node {node}: annotation {annotation} {value:?} is no address of {family}, flannel takes no notice of the node"
    )]
    PublicIp {
        /// Name of the node.
        node: String,
        /// Key of the annotation.
        annotation: String,
        /// Its value; empty when absent.
        value: String,
        /// The family.
        family: Family,
    },
    /// A podCIDR that cannot be read.
    #[error("node {node}: podCIDR {value:?} is no prefix, flannel takes no notice of the node")]
    PodCidr {
        /// Name of the node.
        node: String,
        /// The value.
        value: String,
    },
    /// No podCIDR of an enabled family.
    #[error(
        "node {node}: missing {family} address on spec.podCIDRs, flannel takes no notice of the node"
    )]
    NoPodCidr {
        /// Name of the node.
        node: String,
        /// The family.
        family: Family,
    },
    /// More than two podCIDRs.
    #[error("node {node}: {count} podCIDRs, flannel takes no notice of a node with more than two")]
    TooManyPodCidrs {
        /// Name of the node.
        node: String,
        /// How many.
        count: usize,
    },
    /// Two podCIDRs of one family: other nodes use the first, the node itself the last.
    #[error(
        "node {node}: podCIDRs {first} and {last} are of one family, other nodes use the first and the node itself the last"
    )]
    TwoOfOneFamily {
        /// Name of the node.
        node: String,
        /// The first.
        first: IpNet,
        /// The last.
        last: IpNet,
    },
    /// A podCIDR outside the network: flannel does not start on the node.
    #[error(
        "node {node}: {network} specified in the flannel net config doesn't contain podCIDR {subnet}, flannel does not start there"
    )]
    OutsideNetwork {
        /// Name of the node.
        node: String,
        /// The podCIDR.
        subnet: IpNet,
        /// `Network` or `IPv6Network`; empty when absent.
        network: String,
    },
    /// `spec.podCIDR` is empty: flannel does not start on the node.
    #[error("node {node}: pod cidr not assigned, flannel does not start there")]
    NotAssigned {
        /// Name of the node.
        node: String,
    },
    /// A node of another backend.
    #[error("node {node}: ignoring non-{expected} subnet {subnet}: type={found}")]
    OtherBackend {
        /// Name of the node.
        node: String,
        /// Its subnets.
        subnet: String,
        /// The backend of the network.
        expected: &'static str,
        /// What the node announces.
        found: String,
    },
    /// Backend data that cannot be read: no node reaches this one.
    #[error("node {node}: announces no {family} backend data that can be used ({data}): {problem}")]
    BackendData {
        /// Name of the node.
        node: String,
        /// The family.
        family: Family,
        /// The data as written, shortened.
        data: String,
        /// What is wrong.
        problem: String,
    },
    /// No hardware address: no node reaches this one.
    #[error("node {node}: announces no VtepMAC for {family}")]
    NoVtepMac {
        /// Name of the node.
        node: String,
        /// The family.
        family: Family,
    },
    /// A hardware address that no device can have.
    #[error("node {node}: VtepMAC {mac} is no unicast address")]
    MulticastVtepMac {
        /// Name of the node.
        node: String,
        /// The address.
        mac: MacAddr,
    },
    /// Another VNI than the network's: flannel does not look, the kernel drops the packets.
    #[error("node {node}: announces VNI {found}, the network has {expected}")]
    OtherVni {
        /// Name of the node.
        node: String,
        /// What the node announces.
        found: u32,
        /// The network's.
        expected: u32,
    },
    /// A hardware address that was assumed.
    #[error("node {node}: VtepMAC {mac} of {family} is assumed")]
    AssumedVtepMac {
        /// Name of the node.
        node: String,
        /// The family.
        family: Family,
        /// The address.
        mac: MacAddr,
    },
    /// An announcement that was assumed from the node's own address.
    #[error("node {node}: its announcement is assumed, with {address}")]
    AssumedAnnouncement {
        /// Name of the node.
        node: String,
        /// The node's address.
        address: IpAddr,
    },
    /// A public address that is replaced when flannel starts on the node.
    #[error("node {node}: public address {announced:?} is overwritten by {overwrite}")]
    Overwritten {
        /// Name of the node.
        node: String,
        /// What the node announces.
        announced: String,
        /// What takes its place.
        overwrite: IpAddr,
    },
    /// Two nodes with one public address.
    #[error("nodes {first} and {second}: both have the public address {address}")]
    SamePublicIp {
        /// Name of one node.
        first: String,
        /// Name of the other.
        second: String,
        /// The address.
        address: IpAddr,
    },
    /// Two nodes with one hardware address: the forwarding entry of the first is replaced by that
    /// of the second.
    #[error("nodes {first} and {second}: both have the VtepMAC {mac}")]
    SameVtepMac {
        /// Name of one node.
        first: String,
        /// Name of the other.
        second: String,
        /// The address.
        mac: MacAddr,
    },
    /// A node address inside a network of pods.
    #[error("node {node}: its address {address} lies in the flannel network {network}")]
    NodeInNetwork {
        /// Name of the node.
        node: String,
        /// Its address.
        address: IpAddr,
        /// The network.
        network: IpNet,
    },
    /// Two prefixes that overlap.
    #[error("{first} {first_net} and {second} {second_net} overlap")]
    Overlap {
        /// What the first is, such as `podCIDR of node a`.
        first: String,
        /// The first.
        first_net: IpNet,
        /// What the second is.
        second: String,
        /// The second.
        second_net: IpNet,
    },
    /// A subnet with fewer addresses than the node takes pods.
    #[error("node {node}: {subnet} has {addresses} addresses for up to {max_pods} pods")]
    FewAddresses {
        /// Name of the node.
        node: String,
        /// The subnet.
        subnet: IpNet,
        /// How many pods it has addresses for.
        addresses: u128,
        /// How many pods the node takes.
        max_pods: i64,
    },
    /// A device whose MTU the kernel makes smaller than flannel asks for and than `subnet.env`
    /// says.
    #[error(
        "node {node}: the kernel gives {device} an MTU of {effective}, flannel tells pods {requested}: larger packets are not delivered whole"
    )]
    MtuClamped {
        /// Name of the node.
        node: String,
        /// The device.
        device: String,
        /// What flannel asks for, and `FLANNEL_MTU`.
        requested: i64,
        /// What it gets.
        effective: u32,
    },
    /// An MTU below the least that a family needs.
    #[error("node {node}: an MTU of {mtu} is below {least}, the least of {family}")]
    MtuTooSmall {
        /// Name of the node.
        node: String,
        /// `FLANNEL_MTU`.
        mtu: i64,
        /// The least.
        least: i64,
        /// The family.
        family: Family,
    },
    /// Nodes whose pods have different MTUs.
    #[error("nodes {first} and {second}: their pods have MTUs of {first_mtu} and {second_mtu}")]
    DifferentMtus {
        /// Name of one node.
        first: String,
        /// Its `FLANNEL_MTU`.
        first_mtu: i64,
        /// Name of the other.
        second: String,
        /// Its `FLANNEL_MTU`.
        second_mtu: i64,
    },
    /// A field that only matters for leases in etcd.
    #[error("{field} has no effect in kube mode: subnets are the nodes' podCIDRs")]
    NoEffect {
        /// The field.
        field: &'static str,
    },
    /// `SubnetMin` above `SubnetMax`: no subnet can be leased.
    #[error("{family}: the range from {min} to {max} holds no subnet")]
    BackwardsRange {
        /// The family.
        family: Family,
        /// The first subnet.
        min: IpAddr,
        /// The last.
        max: IpAddr,
    },
    /// A lease in etcd that cannot be read; flannel passes over it.
    #[error("ignoring bad subnet node {key:?}: {problem}")]
    BadLease {
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// A pod whose address is not of its node's subnet.
    #[error("pod {pod}: its address {address} is not in {subnet} of node {node}")]
    PodOutsideSubnet {
        /// `namespace/name` of the pod.
        pod: String,
        /// Its address.
        address: IpAddr,
        /// Name of its node.
        node: String,
        /// The node's subnet.
        subnet: IpNet,
    },
    /// Two pods with one address.
    #[error("pods {first} and {second}: both have the address {address}")]
    SamePodIp {
        /// `namespace/name` of one pod.
        first: String,
        /// `namespace/name` of the other.
        second: String,
        /// The address.
        address: IpAddr,
    },
    /// Routes via other nodes where not all are on one segment.
    #[error("nodes {first} and {second} share no segment, which {backend} needs")]
    NoSegment {
        /// Name of one node.
        first: String,
        /// Name of the other.
        second: String,
        /// The backend.
        backend: &'static str,
    },
}

impl Finding {
    /// How much it matters.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::AssumedVtepMac { .. }
            | Self::AssumedAnnouncement { .. }
            | Self::NoEffect { .. } => Severity::Note,
            Self::Overwritten { .. }
            | Self::TwoOfOneFamily { .. }
            | Self::DifferentMtus { .. }
            | Self::FewAddresses { .. }
            | Self::MtuClamped { .. }
            | Self::BadLease { .. } => Severity::Warning,
            _ => Severity::Error,
        }
    }
}
