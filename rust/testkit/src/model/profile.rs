//! The plugins that run and their arguments, as plain values.

use std::collections::BTreeSet;

use bayplan_api::{NodeAffinity, TopologySpreadConstraint, UnsatisfiableConstraintAction};

use super::ModelSampling;

/// An in-tree plugin of kube-scheduler v1.34 that the model knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Plugin {
    /// Holds back pods with scheduling gates.
    SchedulingGates,
    /// Orders the queue.
    PrioritySort,
    /// Rejects cordoned nodes.
    NodeUnschedulable,
    /// Rejects all nodes but the named one.
    NodeName,
    /// Rejects and scores by taints.
    TaintToleration,
    /// Rejects and scores by node labels.
    NodeAffinity,
    /// Rejects nodes whose host ports are taken.
    NodePorts,
    /// Rejects and scores by requested resources.
    NodeResourcesFit,
    /// Rejects nodes where a volume may not be mounted twice.
    VolumeRestrictions,
    /// Rejects nodes that cannot attach more volumes.
    NodeVolumeLimits,
    /// Rejects nodes that a volume does not reach.
    VolumeBinding,
    /// Rejects nodes outside a volume's zone.
    VolumeZone,
    /// Rejects and scores by the spread of matching pods.
    PodTopologySpread,
    /// Rejects and scores by the pods that run nearby.
    InterPodAffinity,
    /// Evicts pods of lower priority.
    DefaultPreemption,
    /// Scores by how evenly resources are used.
    NodeResourcesBalancedAllocation,
    /// Scores by the images that a node has.
    ImageLocality,
}

impl Plugin {
    /// All plugins, in the order of kube-scheduler's default `multiPoint` set
    /// (`pkg/scheduler/apis/config/v1/default_plugins.go`).
    pub const DEFAULT_ORDER: [Self; 17] = [
        Self::SchedulingGates,
        Self::PrioritySort,
        Self::NodeUnschedulable,
        Self::NodeName,
        Self::TaintToleration,
        Self::NodeAffinity,
        Self::NodePorts,
        Self::NodeResourcesFit,
        Self::VolumeRestrictions,
        Self::NodeVolumeLimits,
        Self::VolumeBinding,
        Self::VolumeZone,
        Self::PodTopologySpread,
        Self::InterPodAffinity,
        Self::DefaultPreemption,
        Self::NodeResourcesBalancedAllocation,
        Self::ImageLocality,
    ];

    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SchedulingGates => "SchedulingGates",
            Self::PrioritySort => "PrioritySort",
            Self::NodeUnschedulable => "NodeUnschedulable",
            Self::NodeName => "NodeName",
            Self::TaintToleration => "TaintToleration",
            Self::NodeAffinity => "NodeAffinity",
            Self::NodePorts => "NodePorts",
            Self::NodeResourcesFit => "NodeResourcesFit",
            Self::VolumeRestrictions => "VolumeRestrictions",
            Self::NodeVolumeLimits => "NodeVolumeLimits",
            Self::VolumeBinding => "VolumeBinding",
            Self::VolumeZone => "VolumeZone",
            Self::PodTopologySpread => "PodTopologySpread",
            Self::InterPodAffinity => "InterPodAffinity",
            Self::DefaultPreemption => "DefaultPreemption",
            Self::NodeResourcesBalancedAllocation => "NodeResourcesBalancedAllocation",
            Self::ImageLocality => "ImageLocality",
        }
    }

    /// The plugin of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::DEFAULT_ORDER.into_iter().find(|plugin| plugin.name() == name)
    }

    /// Whether the plugin has a `PreFilter`.
    pub const fn has_pre_filter(self) -> bool {
        matches!(
            self,
            Self::NodeAffinity
                | Self::NodePorts
                | Self::NodeResourcesFit
                | Self::VolumeRestrictions
                | Self::NodeVolumeLimits
                | Self::VolumeBinding
                | Self::VolumeZone
                | Self::PodTopologySpread
                | Self::InterPodAffinity
        )
    }

    /// Whether the plugin has a `Filter`.
    pub const fn has_filter(self) -> bool {
        self.has_pre_filter()
            || matches!(self, Self::NodeUnschedulable | Self::NodeName | Self::TaintToleration)
    }

    /// Whether the plugin has a `Score`.
    ///
    /// That of `VolumeBinding` never counts: its `PreScore` skips it without the feature gate
    /// `StorageCapacityScoring`, which is off in v1.34.
    pub const fn has_score(self) -> bool {
        matches!(
            self,
            Self::TaintToleration
                | Self::NodeAffinity
                | Self::NodeResourcesFit
                | Self::VolumeBinding
                | Self::PodTopologySpread
                | Self::InterPodAffinity
                | Self::NodeResourcesBalancedAllocation
                | Self::ImageLocality
        )
    }

    /// The weight of the score in the default configuration.
    pub const fn default_weight(self) -> i64 {
        match self {
            Self::TaintToleration => 3,
            Self::NodeAffinity | Self::PodTopologySpread | Self::InterPodAffinity => 2,
            _ => 1,
        }
    }
}

/// A profile: which plugins run at which extension point, in order, and with which arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelProfile {
    /// Pods with another `spec.schedulerName` are not looked at.
    pub scheduler_name: String,
    /// Plugins whose `PreFilter` runs, in order.
    pub pre_filter: Vec<Plugin>,
    /// Plugins whose `Filter` runs, in order.
    pub filter: Vec<Plugin>,
    /// Plugins whose `PreScore` runs; what it learns is for `Score`, only its failure counts by itself.
    pub pre_score: Vec<Plugin>,
    /// Plugins whose `Score` runs, each with its weight.
    pub score: Vec<(Plugin, i64)>,
    /// Whether `DefaultPreemption` runs after a pod fits nowhere.
    pub preemption: bool,
    /// `NodeAffinityArgs.addedAffinity`.
    pub added_affinity: Option<NodeAffinity>,
    /// `NodeResourcesFitArgs`.
    pub fit: FitArgs,
    /// `NodeResourcesBalancedAllocationArgs.resources`, by name; their weights are not used.
    pub balanced_resources: Vec<String>,
    /// `InterPodAffinityArgs.hardPodAffinityWeight`, 0 to 100.
    pub hard_pod_affinity_weight: i32,
    /// `InterPodAffinityArgs.ignorePreferredTermsOfExistingPods`.
    pub ignore_preferred_terms_of_existing_pods: bool,
    /// `PodTopologySpreadArgs`: the constraints of pods that have none of their own.
    pub default_constraints: DefaultConstraints,
    /// How many nodes are enough; all are looked at when absent.
    pub sampling: Option<ModelSampling>,
}

/// `NodeResourcesFitArgs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FitArgs {
    /// `ignoredResources`: extended resources that the filter passes over.
    pub ignored_resources: BTreeSet<String>,
    /// `ignoredResourceGroups`: prefixes (before the slash) that the filter passes over.
    pub ignored_resource_groups: BTreeSet<String>,
    /// `scoringStrategy.type` and what belongs to it.
    pub strategy: ScoringStrategy,
    /// `scoringStrategy.resources`: name and weight.
    pub resources: Vec<(String, i64)>,
}

/// `ScoringStrategyType`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScoringStrategy {
    /// Free room scores.
    LeastAllocated,
    /// Used room scores.
    MostAllocated,
    /// A shape over utilization scores: points of utilization (0 to 100) and score (0 to 10).
    RequestedToCapacityRatio(Vec<(i64, i64)>),
}

/// `PodTopologySpreadArgs.defaultingType` and `.defaultConstraints`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultConstraints {
    /// `System`: soft by hostname (skew 3) and by zone (skew 5); nodes without a zone still count.
    System,
    /// `List`: these, without label selectors.
    List(Vec<TopologySpreadConstraint>),
}

impl DefaultConstraints {
    /// The constraints.
    pub fn constraints(&self) -> Vec<TopologySpreadConstraint> {
        let soft = |topology_key: &str, max_skew| TopologySpreadConstraint {
            max_skew,
            topology_key: topology_key.into(),
            when_unsatisfiable: UnsatisfiableConstraintAction::ScheduleAnyway,
            label_selector: None,
            min_domains: None,
            node_affinity_policy: None,
            node_taints_policy: None,
            match_label_keys: Vec::new(),
        };
        match self {
            Self::System => {
                vec![soft("kubernetes.io/hostname", 3), soft("topology.kubernetes.io/zone", 5)]
            }
            Self::List(constraints) => constraints.clone(),
        }
    }
}

impl Default for ModelProfile {
    /// What kube-scheduler v1.34 runs without a configuration file.
    fn default() -> Self {
        let all = || Plugin::DEFAULT_ORDER.into_iter();
        let cpu_and_memory = ["cpu", "memory"].map(str::to_owned);
        Self {
            scheduler_name: "default-scheduler".to_owned(),
            pre_filter: all().filter(|plugin| plugin.has_pre_filter()).collect(),
            filter: all().filter(|plugin| plugin.has_filter()).collect(),
            pre_score: all()
                .filter(|plugin| plugin.has_score() && *plugin != Plugin::ImageLocality)
                .collect(),
            score: all()
                .filter(|plugin| plugin.has_score())
                .map(|plugin| (plugin, plugin.default_weight()))
                .collect(),
            preemption: true,
            added_affinity: None,
            fit: FitArgs {
                ignored_resources: BTreeSet::new(),
                ignored_resource_groups: BTreeSet::new(),
                strategy: ScoringStrategy::LeastAllocated,
                resources: cpu_and_memory.clone().map(|name| (name, 1)).to_vec(),
            },
            balanced_resources: cpu_and_memory.to_vec(),
            hard_pod_affinity_weight: 1,
            ignore_preferred_terms_of_existing_pods: false,
            default_constraints: DefaultConstraints::System,
            sampling: None,
        }
    }
}
