//! Plugin arguments whose enumerated values are still the words that were written.
//!
//! kube-scheduler's own types hold them as strings, so that validation can name every wrong value of
//! a file at once. The engine takes the types of the same names in [`config`](super), in which a
//! wrong word has no place; `checked` leads there.

use bayplan_api::{
    NodeAffinity, NodeInclusionPolicy, NodeSelector, NodeSelectorOperator, Str,
    UnsatisfiableConstraintAction,
};

use super::{ResourceSpec, ScoringStrategyType, UtilizationShapePoint};

/// `NodeAffinityArgs`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeAffinityArgs {
    /// `addedAffinity`.
    pub added_affinity: Option<AddedAffinity>,
}

/// `v1.NodeAffinity`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddedAffinity {
    /// `requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`.
    pub required: Option<Vec<NodeSelectorTerm>>,
    /// `preferredDuringSchedulingIgnoredDuringExecution`.
    pub preferred: Vec<PreferredSchedulingTerm>,
}

/// `v1.PreferredSchedulingTerm`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PreferredSchedulingTerm {
    /// `weight`; kube-scheduler does not look into a term that weighs 0.
    pub weight: i32,
    /// `preference`.
    pub preference: NodeSelectorTerm,
}

/// `v1.NodeSelectorTerm`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeSelectorTerm {
    /// `matchExpressions`.
    pub match_expressions: Vec<NodeSelectorRequirement>,
    /// `matchFields`.
    pub match_fields: Vec<NodeSelectorRequirement>,
}

/// `v1.NodeSelectorRequirement`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeSelectorRequirement {
    /// `key`.
    pub key: Str,
    /// `operator`.
    pub operator: Str,
    /// `values`; an absent list and an empty one read differently in an error.
    pub values: Option<Vec<Str>>,
}

/// `NodeResourcesFitArgs`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeResourcesFitArgs {
    /// `ignoredResources`.
    pub ignored_resources: Vec<Str>,
    /// `ignoredResourceGroups`.
    pub ignored_resource_groups: Vec<Str>,
    /// `scoringStrategy`.
    pub scoring_strategy: ScoringStrategy,
}

/// `ScoringStrategy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoringStrategy {
    /// `type`.
    pub strategy: Str,
    /// `resources`.
    pub resources: Vec<ResourceSpec>,
    /// `requestedToCapacityRatio.shape`; `None` if `requestedToCapacityRatio` is absent.
    pub requested_to_capacity_ratio: Option<Vec<UtilizationShapePoint>>,
}

impl Default for ScoringStrategy {
    fn default() -> Self {
        super::ScoringStrategy::default().into()
    }
}

/// `PodTopologySpreadArgs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodTopologySpreadArgs {
    /// `defaultConstraints`.
    pub default_constraints: Vec<TopologySpreadConstraint>,
    /// `defaultingType`; `System` when absent or empty.
    pub defaulting_type: Str,
}

impl Default for PodTopologySpreadArgs {
    fn default() -> Self {
        Self { default_constraints: Vec::new(), defaulting_type: SYSTEM.into() }
    }
}

/// `v1.TopologySpreadConstraint`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopologySpreadConstraint {
    /// `maxSkew`.
    pub max_skew: i32,
    /// `topologyKey`.
    pub topology_key: Str,
    /// `whenUnsatisfiable`.
    pub when_unsatisfiable: Str,
    /// Whether there is a `labelSelector`, which is forbidden here.
    pub has_label_selector: bool,
    /// `minDomains`.
    pub min_domains: Option<i32>,
    /// `nodeAffinityPolicy`; kube-scheduler takes every word but `Honor` as `Ignore`.
    pub node_affinity_policy: Option<Str>,
    /// `nodeTaintsPolicy`; kube-scheduler takes every word but `Honor` as `Ignore`.
    pub node_taints_policy: Option<Str>,
    /// `matchLabelKeys`.
    pub match_label_keys: Vec<Str>,
}

/// `PodTopologySpreadConstraintsDefaulting`.
pub(super) const SYSTEM: &str = "System";
/// `PodTopologySpreadConstraintsDefaulting`.
pub(super) const LIST: &str = "List";
/// `v1.UnsatisfiableConstraintAction`.
pub(super) const DO_NOT_SCHEDULE: &str = "DoNotSchedule";
/// `v1.UnsatisfiableConstraintAction`.
pub(super) const SCHEDULE_ANYWAY: &str = "ScheduleAnyway";
/// `ScoringStrategyType`.
pub(super) const LEAST_ALLOCATED: &str = "LeastAllocated";
/// `ScoringStrategyType`.
pub(super) const MOST_ALLOCATED: &str = "MostAllocated";
/// `ScoringStrategyType`.
pub(super) const REQUESTED_TO_CAPACITY_RATIO: &str = "RequestedToCapacityRatio";

/// `v1.NodeSelectorOperator`, in the order in which an error lists them.
pub(super) const OPERATORS: [(&str, NodeSelectorOperator); 6] = [
    ("In", NodeSelectorOperator::In),
    ("NotIn", NodeSelectorOperator::NotIn),
    ("Exists", NodeSelectorOperator::Exists),
    ("DoesNotExist", NodeSelectorOperator::DoesNotExist),
    ("Gt", NodeSelectorOperator::Gt),
    ("Lt", NodeSelectorOperator::Lt),
];

impl NodeAffinityArgs {
    /// The arguments as the engine takes them; `None` if a value is none of those allowed.
    pub fn checked(&self) -> Option<super::NodeAffinityArgs> {
        let Some(added) = &self.added_affinity else {
            return Some(super::NodeAffinityArgs { added_affinity: None });
        };
        let required = match &added.required {
            Some(terms) => Some(NodeSelector {
                node_selector_terms: terms
                    .iter()
                    .map(NodeSelectorTerm::checked)
                    .collect::<Option<_>>()?,
            }),
            None => None,
        };
        let preferred = added.preferred.iter().map(PreferredSchedulingTerm::checked);
        Some(super::NodeAffinityArgs {
            added_affinity: Some(NodeAffinity {
                required,
                preferred: preferred.collect::<Option<_>>()?,
            }),
        })
    }
}

impl PreferredSchedulingTerm {
    fn checked(&self) -> Option<bayplan_api::PreferredSchedulingTerm> {
        let preference = match self.weight {
            // never parsed, never matched: it adds 0 whatever it says
            0 => bayplan_api::NodeSelectorTerm::default(),
            _ => self.preference.checked()?,
        };
        Some(bayplan_api::PreferredSchedulingTerm { weight: self.weight, preference })
    }
}

impl NodeSelectorTerm {
    /// Whether the term has no requirement; such a term matches nothing.
    pub const fn is_empty(&self) -> bool {
        self.match_expressions.is_empty() && self.match_fields.is_empty()
    }

    fn checked(&self) -> Option<bayplan_api::NodeSelectorTerm> {
        let all = |requirements: &[NodeSelectorRequirement]| {
            requirements.iter().map(NodeSelectorRequirement::checked).collect::<Option<_>>()
        };
        Some(bayplan_api::NodeSelectorTerm {
            match_expressions: all(&self.match_expressions)?,
            match_fields: all(&self.match_fields)?,
        })
    }
}

impl NodeSelectorRequirement {
    fn checked(&self) -> Option<bayplan_api::NodeSelectorRequirement> {
        let (_, operator) = *OPERATORS.iter().find(|(word, _)| self.operator == *word)?;
        Some(bayplan_api::NodeSelectorRequirement {
            key: self.key.clone(),
            operator,
            values: self.values.clone().unwrap_or_default(),
        })
    }
}

impl From<&super::NodeAffinityArgs> for NodeAffinityArgs {
    fn from(args: &super::NodeAffinityArgs) -> Self {
        let term = NodeSelectorTerm::from;
        Self {
            added_affinity: args.added_affinity.as_ref().map(|added| AddedAffinity {
                required: added
                    .required
                    .as_ref()
                    .map(|selector| selector.node_selector_terms.iter().map(term).collect()),
                preferred: added
                    .preferred
                    .iter()
                    .map(|preferred| PreferredSchedulingTerm {
                        weight: preferred.weight,
                        preference: term(&preferred.preference),
                    })
                    .collect(),
            }),
        }
    }
}

impl From<&bayplan_api::NodeSelectorTerm> for NodeSelectorTerm {
    fn from(term: &bayplan_api::NodeSelectorTerm) -> Self {
        let all = |requirements: &[bayplan_api::NodeSelectorRequirement]| {
            requirements
                .iter()
                .map(|requirement| NodeSelectorRequirement {
                    key: requirement.key.clone(),
                    operator: OPERATORS
                        .iter()
                        .find(|(_, operator)| *operator == requirement.operator)
                        .map_or_else(Str::default, |(word, _)| Str::from(*word)),
                    values: Some(requirement.values.clone()),
                })
                .collect()
        };
        Self {
            match_expressions: all(&term.match_expressions),
            match_fields: all(&term.match_fields),
        }
    }
}

impl NodeResourcesFitArgs {
    /// The arguments as the engine takes them; `None` if a value is none of those allowed.
    pub fn checked(&self) -> Option<super::NodeResourcesFitArgs> {
        Some(super::NodeResourcesFitArgs {
            ignored_resources: self.ignored_resources.clone(),
            ignored_resource_groups: self.ignored_resource_groups.clone(),
            scoring_strategy: super::ScoringStrategy {
                strategy: match self.scoring_strategy.strategy.as_str() {
                    LEAST_ALLOCATED => ScoringStrategyType::LeastAllocated,
                    MOST_ALLOCATED => ScoringStrategyType::MostAllocated,
                    REQUESTED_TO_CAPACITY_RATIO => ScoringStrategyType::RequestedToCapacityRatio {
                        shape: self.scoring_strategy.requested_to_capacity_ratio.clone()?,
                    },
                    _ => return None,
                },
                resources: self.scoring_strategy.resources.clone(),
            },
        })
    }
}

impl From<super::NodeResourcesFitArgs> for NodeResourcesFitArgs {
    fn from(args: super::NodeResourcesFitArgs) -> Self {
        Self {
            ignored_resources: args.ignored_resources,
            ignored_resource_groups: args.ignored_resource_groups,
            scoring_strategy: args.scoring_strategy.into(),
        }
    }
}

impl From<super::ScoringStrategy> for ScoringStrategy {
    fn from(strategy: super::ScoringStrategy) -> Self {
        let (word, shape) = match strategy.strategy {
            ScoringStrategyType::LeastAllocated => (LEAST_ALLOCATED, None),
            ScoringStrategyType::MostAllocated => (MOST_ALLOCATED, None),
            ScoringStrategyType::RequestedToCapacityRatio { shape } => {
                (REQUESTED_TO_CAPACITY_RATIO, Some(shape))
            }
        };
        Self {
            strategy: word.into(),
            resources: strategy.resources,
            requested_to_capacity_ratio: shape,
        }
    }
}

impl PodTopologySpreadArgs {
    /// The arguments as the engine takes them; `None` if a value is none of those allowed.
    pub fn checked(&self) -> Option<super::PodTopologySpreadArgs> {
        let constraints = self.default_constraints.iter().map(TopologySpreadConstraint::checked);
        Some(super::PodTopologySpreadArgs {
            default_constraints: constraints.collect::<Option<_>>()?,
            defaulting_type: match self.defaulting_type.as_str() {
                SYSTEM => super::PodTopologySpreadConstraintsDefaulting::System,
                LIST => super::PodTopologySpreadConstraintsDefaulting::List,
                _ => return None,
            },
        })
    }
}

impl TopologySpreadConstraint {
    fn checked(&self) -> Option<bayplan_api::TopologySpreadConstraint> {
        let policy = |word: &Str| match word.as_str() {
            "Honor" => NodeInclusionPolicy::Honor,
            _ => NodeInclusionPolicy::Ignore,
        };
        Some(bayplan_api::TopologySpreadConstraint {
            max_skew: self.max_skew,
            topology_key: self.topology_key.clone(),
            when_unsatisfiable: match self.when_unsatisfiable.as_str() {
                DO_NOT_SCHEDULE => UnsatisfiableConstraintAction::DoNotSchedule,
                SCHEDULE_ANYWAY => UnsatisfiableConstraintAction::ScheduleAnyway,
                _ => return None,
            },
            label_selector: None,
            min_domains: self.min_domains,
            node_affinity_policy: self.node_affinity_policy.as_ref().map(policy),
            node_taints_policy: self.node_taints_policy.as_ref().map(policy),
            match_label_keys: self.match_label_keys.clone(),
        })
    }
}

impl From<&super::PodTopologySpreadArgs> for PodTopologySpreadArgs {
    fn from(args: &super::PodTopologySpreadArgs) -> Self {
        Self {
            default_constraints: args
                .default_constraints
                .iter()
                .map(TopologySpreadConstraint::from)
                .collect(),
            defaulting_type: match args.defaulting_type {
                super::PodTopologySpreadConstraintsDefaulting::System => SYSTEM.into(),
                super::PodTopologySpreadConstraintsDefaulting::List => LIST.into(),
            },
        }
    }
}

impl From<&bayplan_api::TopologySpreadConstraint> for TopologySpreadConstraint {
    fn from(constraint: &bayplan_api::TopologySpreadConstraint) -> Self {
        let policy = |policy: NodeInclusionPolicy| match policy {
            NodeInclusionPolicy::Honor => Str::from("Honor"),
            NodeInclusionPolicy::Ignore => Str::from("Ignore"),
        };
        Self {
            max_skew: constraint.max_skew,
            topology_key: constraint.topology_key.clone(),
            when_unsatisfiable: match constraint.when_unsatisfiable {
                UnsatisfiableConstraintAction::DoNotSchedule => DO_NOT_SCHEDULE.into(),
                UnsatisfiableConstraintAction::ScheduleAnyway => SCHEDULE_ANYWAY.into(),
            },
            has_label_selector: constraint.label_selector.is_some(),
            min_domains: constraint.min_domains,
            node_affinity_policy: constraint.node_affinity_policy.map(policy),
            node_taints_policy: constraint.node_taints_policy.map(policy),
            match_label_keys: constraint.match_label_keys.clone(),
        }
    }
}
