//! One constraint made ready: whom it selects, which nodes take part, how many pods each domain has.
//!
//! Follows `common.go` in `pkg/scheduler/framework/plugins/podtopologyspread` and `helper/spread.go` of v1.34.

use bayplan_api::{
    LabelSelector, LabelSelectorOperator, LabelSelectorRequirement, Labels, NodeInclusionPolicy,
    Str, TopologySpreadConstraint,
};

use super::super::helper::tolerated_nodes;
use super::super::node_affinity::required_nodes;
use crate::cluster::{Cluster, Codes, LabelColumn, PodChange, PodCount, PodInfo};
use crate::go::len64;
use crate::index_vec::{Domain, Idx, IndexVec, NodeIdx, TemplateId};
use crate::node_set::NodeSet;

/// `labels.Selector`: `None` selects nothing, no requirement everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selector(Option<Vec<LabelSelectorRequirement>>);

impl Selector {
    fn new(selector: Option<&LabelSelector>) -> Self {
        Self(selector.map(|selector| {
            let mut requirements = equal(&selector.match_labels);
            requirements.extend(selector.match_expressions.iter().cloned());
            requirements
        }))
    }

    /// `Selector.Empty`: everything is selected.
    pub(super) fn is_empty(&self) -> bool {
        self.0.as_ref().is_some_and(Vec::is_empty)
    }

    fn matches(&self, labels: &Labels) -> bool {
        self.0.as_ref().is_some_and(|all| all.iter().all(|one| one.matches(labels)))
    }
}

fn equal(labels: &Labels) -> Vec<LabelSelectorRequirement> {
    labels
        .iter()
        .map(|(key, value)| LabelSelectorRequirement {
            key: key.clone(),
            operator: LabelSelectorOperator::In,
            values: vec![value.clone()],
        })
        .collect()
}

/// `helper.DefaultSelector`: what the Services that select the pod and its controller select, together.
pub(super) fn default_selector(pod: &PodInfo, cluster: &Cluster) -> Selector {
    let metadata = &pod.pod.metadata;
    let owners = &cluster.owners;
    let mut labels = Labels::new();
    let mut merge = |more: &Labels| {
        for (key, value) in more.iter() {
            labels.insert(key.clone(), value.clone());
        }
    };
    for service in owners.services.values() {
        if service.metadata.namespace == metadata.namespace
            && let Some(selector) = &service.selector
            && selector.iter().all(|(key, value)| metadata.labels.get(key) == Some(value))
        {
            merge(selector);
        }
    }
    let mut requirements = Vec::new();
    if let Some(owner) = metadata.controller() {
        let mut require = |selector: Option<&LabelSelector>| {
            requirements.extend(Selector::new(selector).0.unwrap_or_default());
        };
        match (owner.api_version.as_str(), owner.kind.as_str()) {
            ("v1", "ReplicationController") => {
                let all = &owners.replication_controllers;
                if let Some(controller) = all.named(&metadata.namespace, &owner.name) {
                    merge(&controller.selector);
                }
            }
            ("apps/v1", "ReplicaSet") => {
                let all = &owners.replica_sets;
                if let Some(set) = all.named(&metadata.namespace, &owner.name) {
                    require(set.selector.as_ref());
                }
            }
            ("apps/v1", "StatefulSet") => {
                let all = &owners.stateful_sets;
                if let Some(set) = all.named(&metadata.namespace, &owner.name) {
                    require(set.selector.as_ref());
                }
            }
            _ => {}
        }
    }
    let mut all = equal(&labels);
    all.append(&mut requirements);
    Selector(Some(all))
}

/// `topologySpreadConstraint`.
#[derive(Debug, Clone)]
pub(super) struct Constraint {
    pub(super) max_skew: i64,
    pub(super) topology_key: Str,
    pub(super) min_domains: i64,
    honor_affinity: bool,
    honor_taints: bool,
    selector: Selector,
    /// Whether the incoming pod is one of those selected.
    pub(super) selects_itself: bool,
}

impl Constraint {
    pub(super) fn new(constraint: &TopologySpreadConstraint, pod: &PodInfo) -> Self {
        let own = &pod.pod.metadata.labels;
        let mut selector = Selector::new(constraint.label_selector.as_ref());
        if let Some(requirements) = &mut selector.0 {
            let values = constraint.match_label_keys.iter();
            let labels: Labels =
                values.filter_map(|key| Some((key.clone(), own.get(key)?.clone()))).collect();
            requirements.extend(equal(&labels));
        }
        Self {
            max_skew: i64::from(constraint.max_skew),
            topology_key: constraint.topology_key.clone(),
            min_domains: i64::from(constraint.min_domains.unwrap_or(1)),
            honor_affinity: constraint.node_affinity_policy != Some(NodeInclusionPolicy::Ignore),
            honor_taints: constraint.node_taints_policy == Some(NodeInclusionPolicy::Honor),
            selects_itself: selector.matches(own),
            selector,
        }
    }

    /// Takes another selector: the defaults have none of their own.
    pub(super) fn select(&mut self, selector: Selector, pod: &PodInfo) {
        self.selects_itself = selector.matches(&pod.pod.metadata.labels);
        self.selector = selector;
    }

    /// Whether running pods of a template are counted (`countPodsMatchSelector`): `{}` counts none.
    pub(super) fn counts(&self, namespace: &Str, template: &PodInfo) -> bool {
        let metadata = &template.pod.metadata;
        !self.selector.is_empty()
            && metadata.namespace == *namespace
            && self.selector.matches(&metadata.labels)
    }

    /// Whether a dry run subtracts pods of a template (`updateWithPod`): here `{}` means everything.
    pub(super) fn selects(&self, namespace: &Str, template: &PodInfo) -> bool {
        let metadata = &template.pod.metadata;
        metadata.namespace == *namespace && self.selector.matches(&metadata.labels)
    }

    /// `matchNodeInclusionPolicies`: the nodes that take part.
    pub(super) fn included_nodes(&self, pod: &PodInfo, cluster: &Cluster) -> NodeSet {
        let mut included = NodeSet::full(cluster.nodes().row_count());
        if self.honor_affinity {
            included.intersect(&required_nodes(cluster, pod));
        }
        if self.honor_taints {
            included.intersect(&tolerated_nodes(cluster, &pod.pod.spec.tolerations));
        }
        included
    }
}

/// The nodes that have all the keys.
pub(super) fn nodes_with_all_keys(constraints: &[Constraint], cluster: &Cluster) -> NodeSet {
    let mut nodes = NodeSet::full(cluster.nodes().row_count());
    for constraint in constraints {
        match cluster.nodes().labels.column(&constraint.topology_key) {
            Some(column) => nodes.intersect(column.having()),
            None => nodes = NodeSet::empty(nodes.universe()),
        }
    }
    nodes
}

/// The matching pods of one constraint by domain, kept up to date by deltas.
#[derive(Debug, Clone)]
pub(super) struct Counter {
    pub(super) constraint: Constraint,
    namespace: Str,
    /// The domain of each node for this key.
    pub(super) domains: Domains,
    /// Nodes whose pods count.
    pub(super) included: NodeSet,
    /// Matching pods by domain.
    pub(super) counts: IndexVec<Domain, i64>,
    /// Whether pods of a template match, by template; grown as templates are met.
    matching: Vec<Option<bool>>,
}

impl Counter {
    pub(super) fn new(
        constraint: Constraint,
        pod: &PodInfo,
        cluster: &Cluster,
        included: NodeSet,
        domains: Domains,
        domain_count: usize,
    ) -> Self {
        let mut counter = Self {
            constraint,
            namespace: pod.pod.metadata.namespace.clone(),
            domains,
            included,
            counts: IndexVec::filled(0, domain_count),
            matching: Vec::new(),
        };
        // `{}` and no selector count none
        let Some(requirements @ [_, ..]) = counter.constraint.selector.0.as_deref() else {
            return counter;
        };
        for alike in cluster.alike_for_all_of(requirements) {
            let counts = |template: &TemplateId| {
                counter.constraint.counts(&counter.namespace, cluster.template(*template))
            };
            if !alike.first().is_some_and(counts) {
                continue;
            }
            for &template in alike {
                for (node, PodCount { all, terminating }) in cluster.pod_counts(template) {
                    counter.add(node, all - terminating);
                }
            }
        }
        counter
    }

    fn add(&mut self, node: NodeIdx, delta: i64) -> Domain {
        let domain = self.domain(node);
        if domain != Domain::NONE && self.included.contains(node) {
            self.counts[domain] += delta;
            return domain;
        }
        Domain::NONE
    }

    /// The node's domain; [`Domain::NONE`] if it lacks the key.
    pub(super) fn domain(&self, node: NodeIdx) -> Domain {
        self.domains.get(node)
    }

    /// What the node's count depends on: its domain, or if no two nodes share one, the count itself.
    pub(super) fn class(&self, node: NodeIdx, alone: bool) -> u64 {
        match self.domain(node) {
            Domain::NONE => u64::MAX,
            domain if alone => self.counts[domain].cast_unsigned(),
            domain => len64(domain.index()).cast_unsigned(),
        }
    }

    /// Whether running pods of the template count.
    pub(super) fn matches(&mut self, cluster: &Cluster, change: &PodChange) -> bool {
        let at = change.template.index();
        if self.matching.len() <= at {
            self.matching.resize(at + 1, None);
        }
        let known = self.matching.get_mut(at);
        let counts = || self.constraint.counts(&self.namespace, cluster.template(change.template));
        known.is_some_and(|known| *known.get_or_insert_with(counts))
    }

    /// Whether running pods of the template count, without noting it.
    pub(super) fn concerns(&self, cluster: &Cluster, template: TemplateId) -> bool {
        let known = self.matching.get(template.index()).copied().flatten();
        known.unwrap_or_else(|| self.constraint.counts(&self.namespace, cluster.template(template)))
    }

    /// Takes a change of pods; tells in which domain the count changed, if any.
    pub(super) fn pod_changed(&mut self, cluster: &Cluster, change: &PodChange) -> Option<Domain> {
        if change.terminating || !self.matches(cluster, change) {
            return None;
        }
        let domain = self.add(change.node, change.delta);
        (domain != Domain::NONE).then_some(domain)
    }

    /// Takes a change in a dry run: a terminating pod is subtracted too, though it was never counted.
    pub(super) fn dry_run(&mut self, cluster: &Cluster, change: &PodChange) {
        if self.constraint.selects(&self.namespace, cluster.template(change.template)) {
            self.add(change.node, change.delta);
        }
    }
}

/// The domain of each node.
#[derive(Debug, Clone)]
pub(super) enum Domains {
    /// Every node is its own.
    OfNode,
    /// The value of a label.
    OfLabel {
        /// The label of all nodes, if any has it.
        codes: Option<Codes>,
        /// The domain of nodes that lack the label, which may be no other's.
        without: Domain,
    },
}

impl Domains {
    /// The values of a key; nodes that lack it have none.
    pub(super) fn of_label(column: Option<&LabelColumn>) -> Self {
        Self::OfLabel { codes: column.map(LabelColumn::domains), without: Domain::NONE }
    }

    /// The node's domain; [`Domain::NONE`] if it has none.
    pub(super) fn get(&self, node: NodeIdx) -> Domain {
        match self {
            Self::OfNode => Domain::from_index(node.index()),
            Self::OfLabel { codes, without } => {
                let domain = codes.as_ref().map_or(Domain::NONE, |codes| codes.get(node));
                if domain == Domain::NONE { *without } else { domain }
            }
        }
    }

    /// The nodes of each domain, if nodes that lack the label have none, and there are few domains.
    pub(super) fn sets(&self) -> Option<&[NodeSet]> {
        match self {
            Self::OfLabel { codes: Some(codes), without: Domain::NONE } => {
                codes.sets().map(IndexVec::as_slice)
            }
            Self::OfLabel { codes: None, without: Domain::NONE } => Some(&[]),
            _ => None,
        }
    }
}
