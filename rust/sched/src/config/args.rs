//! The arguments of each plugin, as kube-scheduler's internal types hold them after defaulting.
//!
//! Follows `pkg/scheduler/apis/config/types_pluginargs.go` of v1.34.

use bayplan_api::{NodeAffinity, Str, TopologySpreadConstraint};

/// The arguments of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginArgs {
    /// `DefaultPreemptionArgs`.
    DefaultPreemption(DefaultPreemptionArgs),
    /// `DynamicResourcesArgs`.
    DynamicResources(DynamicResourcesArgs),
    /// `InterPodAffinityArgs`.
    InterPodAffinity(InterPodAffinityArgs),
    /// `NodeAffinityArgs`.
    NodeAffinity(NodeAffinityArgs),
    /// `NodeResourcesBalancedAllocationArgs`.
    NodeResourcesBalancedAllocation(NodeResourcesBalancedAllocationArgs),
    /// `NodeResourcesFitArgs`.
    NodeResourcesFit(NodeResourcesFitArgs),
    /// `PodTopologySpreadArgs`.
    PodTopologySpread(PodTopologySpreadArgs),
    /// `VolumeBindingArgs`.
    VolumeBinding(VolumeBindingArgs),
}

/// `DefaultPreemptionArgs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultPreemptionArgs {
    /// `minCandidateNodesPercentage`, 0 to 100.
    pub min_candidate_nodes_percentage: i32,
    /// `minCandidateNodesAbsolute`, 0 or more.
    pub min_candidate_nodes_absolute: i32,
}

impl Default for DefaultPreemptionArgs {
    fn default() -> Self {
        Self { min_candidate_nodes_percentage: 10, min_candidate_nodes_absolute: 100 }
    }
}

/// `DynamicResourcesArgs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamicResourcesArgs {
    /// `filterTimeout`, in nanoseconds.
    pub filter_timeout_nanos: i64,
}

impl Default for DynamicResourcesArgs {
    fn default() -> Self {
        Self { filter_timeout_nanos: 10_000_000_000 }
    }
}

/// `InterPodAffinityArgs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterPodAffinityArgs {
    /// `hardPodAffinityWeight`, 0 to 100.
    pub hard_pod_affinity_weight: i32,
    /// `ignorePreferredTermsOfExistingPods`.
    pub ignore_preferred_terms_of_existing_pods: bool,
}

impl Default for InterPodAffinityArgs {
    fn default() -> Self {
        Self { hard_pod_affinity_weight: 1, ignore_preferred_terms_of_existing_pods: false }
    }
}

/// `NodeAffinityArgs`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeAffinityArgs {
    /// `addedAffinity`: counts for every pod beside its own.
    pub added_affinity: Option<NodeAffinity>,
}

/// A resource and its weight in a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceSpec {
    /// The resource's name.
    pub name: Str,
    /// The weight, 1 to 100; 1 when absent or 0.
    pub weight: i64,
}

fn cpu_and_memory() -> Vec<ResourceSpec> {
    ["cpu", "memory"].map(|name| ResourceSpec { name: name.into(), weight: 1 }).into()
}

/// `NodeResourcesBalancedAllocationArgs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeResourcesBalancedAllocationArgs {
    /// `resources`: those whose fractions are compared.
    pub resources: Vec<ResourceSpec>,
}

impl Default for NodeResourcesBalancedAllocationArgs {
    fn default() -> Self {
        Self { resources: cpu_and_memory() }
    }
}

/// `NodeResourcesFitArgs`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeResourcesFitArgs {
    /// `ignoredResources`: extended resources that the filter passes over.
    pub ignored_resources: Vec<Str>,
    /// `ignoredResourceGroups`: the same by the part of the name before the slash.
    pub ignored_resource_groups: Vec<Str>,
    /// `scoringStrategy`.
    pub scoring_strategy: ScoringStrategy,
}

/// `ScoringStrategy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoringStrategy {
    /// `type`, and for `RequestedToCapacityRatio` the shape.
    pub strategy: ScoringStrategyType,
    /// `resources`.
    pub resources: Vec<ResourceSpec>,
}

impl Default for ScoringStrategy {
    fn default() -> Self {
        Self { strategy: ScoringStrategyType::LeastAllocated, resources: cpu_and_memory() }
    }
}

/// `ScoringStrategyType`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScoringStrategyType {
    /// The emptier the better.
    LeastAllocated,
    /// The fuller the better.
    MostAllocated,
    /// `requestedToCapacityRatio.shape`: a function of the utilization.
    RequestedToCapacityRatio {
        /// Points in ascending order of utilization.
        shape: Vec<UtilizationShapePoint>,
    },
}

/// `UtilizationShapePoint`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UtilizationShapePoint {
    /// Utilization in percent, 0 to 100.
    pub utilization: i32,
    /// Score, 0 to 10.
    pub score: i32,
}

/// `PodTopologySpreadArgs`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodTopologySpreadArgs {
    /// `defaultConstraints`, for `List`; they have no label selector.
    pub default_constraints: Vec<TopologySpreadConstraint>,
    /// `defaultingType`.
    pub defaulting_type: PodTopologySpreadConstraintsDefaulting,
}

/// `PodTopologySpreadConstraintsDefaulting`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PodTopologySpreadConstraintsDefaulting {
    /// kube-scheduler's own constraints: hostname with maxSkew 3, zone with maxSkew 5, both soft.
    #[default]
    System,
    /// The constraints of `defaultConstraints`.
    List,
}

/// `VolumeBindingArgs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeBindingArgs {
    /// `bindTimeoutSeconds`.
    pub bind_timeout_seconds: i64,
    /// `shape`: score by how much of the volumes is used; only with capacity scoring.
    pub shape: Option<Vec<UtilizationShapePoint>>,
}

impl Default for VolumeBindingArgs {
    fn default() -> Self {
        Self { bind_timeout_seconds: 600, shape: None }
    }
}
