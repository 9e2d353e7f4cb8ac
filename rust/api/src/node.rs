//! `Node`.

use crate::{ObjectMeta, ResourceList, Str};

/// `v1.Node`, as far as bayplan keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Node {
    /// `metadata`.
    pub metadata: ObjectMeta,
    /// `spec`.
    pub spec: NodeSpec,
    /// `status`.
    pub status: NodeStatus,
}

/// `v1.NodeSpec`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct NodeSpec {
    /// `unschedulable`: the node is cordoned.
    pub unschedulable: bool,
    /// `taints`.
    pub taints: Vec<Taint>,
    /// `podCIDR`.
    pub pod_cidr: Str,
    /// `podCIDRs`.
    pub pod_cidrs: Vec<Str>,
    /// `providerID`.
    pub provider_id: Str,
}

/// `v1.NodeStatus`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct NodeStatus {
    /// `capacity`.
    pub capacity: ResourceList,
    /// `allocatable`: what pods may request; equal to `capacity` when the dump has none.
    pub allocatable: ResourceList,
    /// `addresses`.
    pub addresses: Vec<NodeAddress>,
    /// `images`.
    pub images: Vec<ContainerImage>,
    /// `nodeInfo.kubeletVersion`; empty when absent.
    pub kubelet_version: Str,
}

/// `v1.NodeAddress`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct NodeAddress {
    /// `type`: `InternalIP`, `Hostname`, …
    pub address_type: Str,
    /// The address.
    pub address: Str,
}

/// `v1.ContainerImage`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ContainerImage {
    /// Names by which the image is known on the node.
    pub names: Vec<Str>,
    /// Size in bytes.
    pub size_bytes: i64,
}

/// `v1.Taint`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Taint {
    /// The taint key.
    pub key: Str,
    /// The taint value; may be empty.
    pub value: Str,
    /// What happens to pods that do not tolerate the taint.
    pub effect: TaintEffect,
}

/// `v1.TaintEffect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaintEffect {
    /// Pods are not scheduled there.
    NoSchedule,
    /// Pods are scheduled elsewhere where possible.
    PreferNoSchedule,
    /// Pods are not scheduled there, and running ones leave.
    NoExecute,
}

impl TaintEffect {
    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSchedule => "NoSchedule",
            Self::PreferNoSchedule => "PreferNoSchedule",
            Self::NoExecute => "NoExecute",
        }
    }
}
