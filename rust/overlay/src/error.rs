//! What can go wrong: every error names the field, node or pod, and the value.

use std::net::IpAddr;

use bayplan_api::json::Fault;
use ipnet::IpNet;

/// Why something of the overlay network cannot be read, leased, addressed or traced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OverlayError {
    /// A text that is not JSON.
    #[error("{field} is not JSON: {fault}")]
    Syntax {
        /// What was read, such as `net-conf.json` or `BackendData`.
        field: &'static str,
        /// Where, and why.
        fault: Fault,
    },
    /// A field of the configuration that flannel refuses.
    #[error("{field}{}{value}: {problem}", if value.is_empty() { "" } else { " " })]
    Config {
        /// The field, under flannel's name.
        field: &'static str,
        /// Its value as written; empty when it is absent.
        value: String,
        /// flannel's reason.
        problem: ConfigProblem,
    },
    /// A text that is no hardware address of six bytes.
    #[error("invalid MAC address {value:?}")]
    MacAddress {
        /// The text.
        value: String,
    },
    /// A text that is no lease key such as `10.5.52.0-24`.
    #[error("failed to parse subnet key {key:?}")]
    SubnetKey {
        /// The text.
        key: String,
    },
    /// A line of `subnet.env` that cannot be read.
    #[error("line {line} of subnet.env, {key} {value:?}: {problem}")]
    SubnetEnv {
        /// Number of the line, from 1.
        line: usize,
        /// The variable; empty when the line has none.
        key: String,
        /// Its value.
        value: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A prefix of annotations that flannel refuses.
    #[error("annotation prefix {prefix:?}: {problem}")]
    AnnotationPrefix {
        /// The prefix as given.
        prefix: String,
        /// flannel's reason.
        problem: &'static str,
    },
    /// All subnets of the range are leased.
    #[error(
        "out of subnets: no subnet of length {subnet_len} is free from {subnet_min} to {subnet_max}"
    )]
    OutOfSubnets {
        /// `SubnetMin`, or `IPv6SubnetMin`.
        subnet_min: IpAddr,
        /// `SubnetMax`, or `IPv6SubnetMax`.
        subnet_max: IpAddr,
        /// `SubnetLen`, or `IPv6SubnetLen`.
        subnet_len: u8,
    },
    /// Leases in etcd need IPv4: without it, flannel leases `0.0.0.0/0` and never ends looking for
    /// a second one.
    #[error("EnableIPv4 false: leases in etcd need IPv4")]
    EtcdNeedsIpv4,
    /// A lease that is there already.
    #[error("subnet {key} already exists")]
    LeaseExists {
        /// Key of the lease.
        key: String,
    },
    /// A lease that is not there.
    #[error("no lease {key}")]
    NoLease {
        /// Key of the lease.
        key: String,
    },
    /// A renewal margin that flannel refuses.
    #[error("invalid subnet-lease-renew-margin {minutes}: expected 1 to 1439 minutes")]
    RenewMargin {
        /// The margin in minutes.
        minutes: u64,
    },
    /// A node that is not known.
    #[error("no node {node}")]
    NoNode {
        /// Name of the node.
        node: String,
    },
    /// A node that takes no part in the overlay.
    #[error("node {node} takes no part in the overlay: {reason}")]
    NoLeaseOfNode {
        /// Name of the node.
        node: String,
        /// Why.
        reason: String,
    },
    /// A node's subnet has no address left.
    #[error(
        "no IP addresses available in range set: {subnet} of node {node} is exhausted at pod {pod}"
    )]
    OutOfAddresses {
        /// Name of the node.
        node: String,
        /// `namespace/name` of the pod.
        pod: String,
        /// The node's subnet.
        subnet: IpNet,
    },
    /// A node's subnet is too small for addresses of pods.
    #[error("network {subnet} of node {node} is too small to allocate from")]
    SubnetTooSmall {
        /// Name of the node.
        node: String,
        /// The node's subnet.
        subnet: IpNet,
    },
    /// A pod that has no place.
    #[error("pod {pod} is on no node")]
    PodNotPlaced {
        /// `namespace/name` of the pod.
        pod: String,
    },
    /// A pod that is not known, or has no address of the family asked for.
    #[error("pod {pod} has no address of {family}")]
    NoAddress {
        /// `namespace/name` of the pod.
        pod: String,
        /// `IPv4` or `IPv6`.
        family: &'static str,
    },
}

/// Why flannel refuses a field, in flannel's words where it has some (`pkg/subnet/config.go`,
/// `pkg/ip`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigProblem {
    /// A value of another type.
    #[error("cannot unmarshal {found} into a field of type {expected}")]
    Type {
        /// What stands there, in Go's words.
        found: &'static str,
        /// What the field takes, as Go's type.
        expected: &'static str,
    },
    /// Not an IP address.
    #[error("invalid IP address format")]
    NotAddress,
    /// An IPv6 address where IPv4 is expected.
    #[error("invalid IPv4 address format")]
    NotIpv4Address,
    /// Not a prefix.
    #[error("invalid CIDR address")]
    NotCidr,
    /// A prefix of IPv6 where IPv4 is expected.
    #[error("invalid IPv4 CIDR format")]
    NotIpv4Cidr,
    /// A prefix of IPv4 where IPv6 is expected.
    #[error("invalid IPv6 CIDR format")]
    NotIpv6Cidr,
    /// Neither family is enabled.
    #[error("none defined stack")]
    NoFamily,
    /// The network of an enabled family is absent, or `0.0.0.0/0`.
    #[error("please define a correct {key} parameter in the flannel config")]
    MissingNetwork {
        /// `Network` or `IPv6Network`.
        key: &'static str,
    },
    /// Subnets that leave no room for a tunnel and a bridge.
    #[error("SubnetLen must be less than /{limit}")]
    SubnetLen {
        /// The first length that is too long.
        limit: u8,
    },
    /// Fewer than four subnets fit.
    #[error("network must be able to accommodate at least four subnets")]
    FewerThanFourSubnets,
    /// A network from which no length of subnets can be made up.
    #[error("{network} is too small. Minimum useful network prefix is /{minimum}")]
    NetworkTooSmall {
        /// `network` or `IPv6Network`.
        network: &'static str,
        /// The longest useful prefix.
        minimum: u8,
    },
    /// An end of the range outside the network.
    #[error("{key} is not in the range of the {network}")]
    OutsideNetwork {
        /// `SubnetMin`, `SubnetMax`, or the same of IPv6.
        key: &'static str,
        /// `Network` or `IPv6Network`.
        network: &'static str,
    },
    /// An end of the range that is not the first address of a subnet.
    #[error("{key} is not on a SubnetLen boundary: {address}")]
    OffBoundary {
        /// `SubnetMin`, `SubnetMax`, or the same of IPv6.
        key: &'static str,
        /// Its value.
        address: IpAddr,
    },
    /// A backend that flannel does not have.
    #[error("unknown backend type: {backend}")]
    UnknownBackend {
        /// The type in lower case, as flannel looks it up.
        backend: String,
    },
    /// A number beyond what the kernel takes.
    #[error("expected {low} to {high}")]
    Range {
        /// The least value.
        low: i64,
        /// The greatest value.
        high: i64,
    },
    /// A mode of `WireGuard` that flannel does not have.
    #[error("no valid Mode configured")]
    WireguardMode,
    /// A key for `IPsec` of fewer than 96 characters.
    #[error("config error, password is too short")]
    ShortPassword,
}
