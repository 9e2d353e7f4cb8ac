//! Node and pod affinity.

use crate::{LabelSelector, NodeSelector, NodeSelectorTerm, Str};

/// `v1.Affinity`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Affinity {
    /// `nodeAffinity`.
    pub node_affinity: Option<NodeAffinity>,
    /// `podAffinity`.
    pub pod_affinity: Option<PodAffinity>,
    /// `podAntiAffinity`; same shape as `podAffinity`.
    pub pod_anti_affinity: Option<PodAffinity>,
}

/// `v1.NodeAffinity`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct NodeAffinity {
    /// `requiredDuringSchedulingIgnoredDuringExecution`.
    pub required: Option<NodeSelector>,
    /// `preferredDuringSchedulingIgnoredDuringExecution`.
    pub preferred: Vec<PreferredSchedulingTerm>,
}

/// `v1.PreferredSchedulingTerm`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PreferredSchedulingTerm {
    /// Weight, 1 to 100.
    pub weight: i32,
    /// The node selector term; an empty one matches nothing.
    pub preference: NodeSelectorTerm,
}

/// `v1.PodAffinity` and `v1.PodAntiAffinity`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PodAffinity {
    /// `requiredDuringSchedulingIgnoredDuringExecution`.
    pub required: Vec<PodAffinityTerm>,
    /// `preferredDuringSchedulingIgnoredDuringExecution`.
    pub preferred: Vec<WeightedPodAffinityTerm>,
}

/// `v1.WeightedPodAffinityTerm`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct WeightedPodAffinityTerm {
    /// Weight, 1 to 100.
    pub weight: i32,
    /// The term.
    pub term: PodAffinityTerm,
}

/// `v1.PodAffinityTerm`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PodAffinityTerm {
    /// `labelSelector`; absent matches no pod.
    pub label_selector: Option<LabelSelector>,
    /// `namespaces`.
    pub namespaces: Vec<Str>,
    /// `topologyKey`.
    pub topology_key: Str,
    /// `namespaceSelector`; absent and no `namespaces`: the pod's own namespace.
    pub namespace_selector: Option<LabelSelector>,
    /// `matchLabelKeys`; kept, but merged into the selector by the API server, not here.
    pub match_label_keys: Vec<Str>,
    /// `mismatchLabelKeys`; kept, but merged into the selector by the API server, not here.
    pub mismatch_label_keys: Vec<Str>,
}
