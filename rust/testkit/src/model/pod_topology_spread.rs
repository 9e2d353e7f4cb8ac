//! `PodTopologySpread`: are pods like this one spread over the domains?
//!
//! Follows `plugins/podtopologyspread/{common,filtering,scoring}.go` and
//! `plugins/helper/spread.go` of v1.34.

use std::collections::{BTreeMap, BTreeSet};

use bayplan_api::{
    Labels, Node, NodeInclusionPolicy, Objects, Pod, Str, TopologySpreadConstraint,
    UnsatisfiableConstraintAction,
};

use super::labels::Selector;
use super::node_affinity::required_node_affinity_matches;
use super::taint_toleration::untolerated_taint;
use super::{Code, DefaultConstraints, NodeInfo, Rejection, go};

const HOSTNAME: &str = "kubernetes.io/hostname";

/// A constraint with its selector parsed and its defaults filled in.
#[derive(Debug, Clone)]
struct Constraint {
    max_skew: i64,
    topology_key: String,
    selector: Selector,
    min_domains: i64,
    node_affinity_policy: NodeInclusionPolicy,
    node_taints_policy: NodeInclusionPolicy,
}

impl Constraint {
    fn new(constraint: &TopologySpreadConstraint, pod_labels: &Labels) -> Self {
        let mut selector = Selector::from_label_selector(constraint.label_selector.as_ref());
        let from_pod: Labels = constraint
            .match_label_keys
            .iter()
            .filter_map(|key| Some((key.clone(), pod_labels.get(key)?.clone())))
            .collect();
        if let Some(requirements) = Selector::from_set(&from_pod).requirements() {
            selector.add(requirements);
        }
        Self {
            max_skew: i64::from(constraint.max_skew),
            topology_key: constraint.topology_key.to_string(),
            selector,
            min_domains: i64::from(constraint.min_domains.unwrap_or(1)),
            node_affinity_policy: constraint
                .node_affinity_policy
                .unwrap_or(NodeInclusionPolicy::Honor),
            node_taints_policy: constraint
                .node_taints_policy
                .unwrap_or(NodeInclusionPolicy::Ignore),
        }
    }

    /// `matchNodeInclusionPolicies`: whether the node's pods count.
    fn includes(&self, pod: &Pod, node: &Node) -> bool {
        (self.node_affinity_policy == NodeInclusionPolicy::Ignore
            || required_node_affinity_matches(pod, node))
            && (self.node_taints_policy == NodeInclusionPolicy::Ignore
                || untolerated_taint(node, &pod.spec.tolerations).is_none())
    }

    fn domain<'a>(&self, node: &'a Node) -> Option<&'a str> {
        node.metadata.labels.get(&self.topology_key).map(Str::as_str)
    }

    /// `countPodsMatchSelector`: pods of the namespace that match and are not terminating; the
    /// selector `{}` counts none.
    fn count(&self, pods: &[&Pod], namespace: &str) -> i64 {
        if self.selector.is_empty() {
            return 0;
        }
        let matching: Vec<_> = pods
            .iter()
            .filter(|pod| pod.metadata.deletion_timestamp.is_none())
            .filter(|pod| pod.metadata.namespace == *namespace)
            .filter(|pod| self.selector.matches(&pod.metadata.labels))
            .collect();
        go::len(&matching)
    }
}

fn has_all_keys(node: &Node, constraints: &[Constraint]) -> bool {
    constraints.iter().all(|constraint| constraint.domain(node).is_some())
}

/// The constraints of one kind: the pod's own, or the defaults if it has none of either kind.
fn constraints(
    pod: &Pod,
    objects: &Objects,
    defaults: &DefaultConstraints,
    action: UnsatisfiableConstraintAction,
) -> Vec<Constraint> {
    let of_that_kind = |constraints: &[TopologySpreadConstraint]| -> Vec<Constraint> {
        constraints
            .iter()
            .filter(|constraint| constraint.when_unsatisfiable == action)
            .map(|constraint| Constraint::new(constraint, &pod.metadata.labels))
            .collect()
    };
    let own = &pod.spec.topology_spread_constraints;
    if !own.is_empty() {
        return of_that_kind(own);
    }
    let selector = default_selector(pod, objects);
    if selector.is_empty() {
        return Vec::new();
    }
    let mut constraints = of_that_kind(&defaults.constraints());
    for constraint in &mut constraints {
        constraint.selector = selector.clone();
    }
    constraints
}

/// `helper.DefaultSelector`: what the services and the owner of the pod select.
fn default_selector(pod: &Pod, objects: &Objects) -> Selector {
    let namespace = &pod.metadata.namespace;
    let mut labels = Labels::new();
    for service in &objects.services {
        let Some(selector) = &service.selector else { continue };
        if service.metadata.namespace == *namespace
            && Selector::from_set(selector).matches(&pod.metadata.labels)
        {
            for (key, value) in selector.iter() {
                labels.insert(key.clone(), value.clone());
            }
        }
    }

    let Some(owner) = pod.metadata.controller() else { return Selector::from_set(&labels) };
    let is_owner =
        |meta: &bayplan_api::ObjectMeta| meta.namespace == *namespace && meta.name == owner.name;
    let label_selector = match (owner.api_version.as_str(), owner.kind.as_str()) {
        ("v1", "ReplicationController") => {
            let controllers = &objects.replication_controllers;
            if let Some(controller) = controllers.iter().find(|rc| is_owner(&rc.metadata)) {
                for (key, value) in controller.selector.iter() {
                    labels.insert(key.clone(), value.clone());
                }
            }
            None
        }
        ("apps/v1", "ReplicaSet") => objects
            .replica_sets
            .iter()
            .find(|set| is_owner(&set.metadata))
            .and_then(|set| set.selector.as_ref()),
        ("apps/v1", "StatefulSet") => objects
            .stateful_sets
            .iter()
            .find(|set| is_owner(&set.metadata))
            .and_then(|set| set.selector.as_ref()),
        _ => None,
    };
    let mut selector = Selector::from_set(&labels);
    if let Some(requirements) = Selector::from_label_selector(label_selector).requirements() {
        selector.add(requirements);
    }
    selector
}

/// What `PreFilter` counted: for each hard constraint the matching pods by domain.
#[derive(Debug, Clone)]
pub(super) struct FilterState {
    constraints: Vec<(Constraint, BTreeMap<String, i64>)>,
}

/// `PreFilter`; `None` skips the filter.
pub(super) fn pre_filter(
    pod: &Pod,
    nodes: &[NodeInfo<'_>],
    objects: &Objects,
    defaults: &DefaultConstraints,
) -> Option<FilterState> {
    let hard = constraints(pod, objects, defaults, UnsatisfiableConstraintAction::DoNotSchedule);
    if hard.is_empty() {
        return None;
    }
    let mut counted: Vec<_> =
        hard.iter().map(|constraint| (constraint.clone(), BTreeMap::new())).collect();
    for info in nodes.iter().filter(|info| has_all_keys(info.node, &hard)) {
        for (constraint, counts) in &mut counted {
            if let Some(domain) = constraint.domain(info.node)
                && constraint.includes(pod, info.node)
            {
                *counts.entry(domain.to_owned()).or_default() +=
                    constraint.count(&info.pods, &pod.metadata.namespace);
            }
        }
    }
    Some(FilterState { constraints: counted })
}

impl FilterState {
    /// `AddPod` (`delta` 1) and `RemovePod` (`delta` -1).
    ///
    /// Terminating pods and the selector `{}` are not treated as they were when counting.
    pub(super) fn update(&mut self, updated: &Pod, preemptor: &Pod, node: &Node, delta: i64) {
        let all: Vec<_> =
            self.constraints.iter().map(|(constraint, _)| constraint.clone()).collect();
        if updated.metadata.namespace != preemptor.metadata.namespace || !has_all_keys(node, &all) {
            return;
        }
        for (constraint, counts) in &mut self.constraints {
            if let Some(domain) = constraint.domain(node)
                && constraint.selector.matches(&updated.metadata.labels)
                && constraint.includes(preemptor, node)
            {
                *counts.entry(domain.to_owned()).or_default() += delta;
            }
        }
    }

    /// `Filter`.
    pub(super) fn filter(&self, pod: &Pod, node: &Node) -> Result<(), Rejection> {
        for (constraint, counts) in &self.constraints {
            let Some(domain) = constraint.domain(node) else {
                return Err(Rejection::new(
                    Code::UnschedulableAndUnresolvable,
                    "node(s) didn't match pod topology spread constraints (missing required label)",
                ));
            };
            // With fewer domains than wanted, a further, empty one is imagined.
            let domains = i64::try_from(counts.len()).unwrap_or(i64::MAX);
            let global_minimum = if domains < constraint.min_domains {
                0
            } else {
                counts.values().copied().min().unwrap_or_default()
            };
            let own = i64::from(constraint.selector.matches(&pod.metadata.labels));
            let count = counts.get(domain).copied().unwrap_or_default();
            if count + own - global_minimum > constraint.max_skew {
                return Err(Rejection::new(
                    Code::Unschedulable,
                    "node(s) didn't match pod topology spread constraints",
                ));
            }
        }
        Ok(())
    }
}

/// What `PreScore` counted.
#[derive(Debug)]
pub(super) struct ScoreState {
    constraints: Vec<SoftConstraint>,
    ignored_nodes: BTreeSet<String>,
}

#[derive(Debug)]
struct SoftConstraint {
    constraint: Constraint,
    /// Matching pods by domain, for the domains of feasible nodes; not used for the hostname.
    counts: BTreeMap<String, i64>,
    /// `topologyNormalizingWeight`.
    weight: f64,
}

/// `PreScore`; `None` skips the score.
pub(super) fn pre_score(
    pod: &Pod,
    feasible: &[&NodeInfo<'_>],
    all: &[NodeInfo<'_>],
    objects: &Objects,
    defaults: &DefaultConstraints,
) -> Option<ScoreState> {
    let soft = constraints(pod, objects, defaults, UnsatisfiableConstraintAction::ScheduleAnyway);
    if soft.is_empty() {
        return None;
    }
    // With the system's defaults a node without a zone still takes part.
    let require_all_keys =
        !pod.spec.topology_spread_constraints.is_empty() || *defaults != DefaultConstraints::System;
    let takes_part = |node: &Node| !require_all_keys || has_all_keys(node, &soft);

    let ignored_nodes: BTreeSet<String> =
        feasible.iter().filter(|info| !takes_part(info.node)).map(|info| info.name()).collect();
    let scored: Vec<_> = feasible.iter().filter(|info| takes_part(info.node)).collect();

    let constraints = soft.iter().map(|constraint| {
        // A node without the key counts for the domain of the empty string.
        let domain = |node: &Node| constraint.domain(node).unwrap_or_default().to_owned();
        let mut counts = BTreeMap::new();
        let size = if constraint.topology_key == HOSTNAME {
            scored.len()
        } else {
            counts.extend(scored.iter().map(|info| (domain(info.node), 0)));
            counts.len()
        };
        for info in all {
            if takes_part(info.node)
                && constraint.includes(pod, info.node)
                && let Some(count) = counts.get_mut(&domain(info.node))
            {
                *count += constraint.count(&info.pods, &pod.metadata.namespace);
            }
        }
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let weight = go::float64(size + 2).ln();
        SoftConstraint { constraint: constraint.clone(), counts, weight }
    });
    Some(ScoreState { constraints: constraints.collect(), ignored_nodes })
}

impl ScoreState {
    /// `Score`.
    pub(super) fn score(&self, pod: &Pod, info: &NodeInfo<'_>) -> i64 {
        if self.ignored_nodes.contains(&info.name()) {
            return 0;
        }
        let mut score = 0.0;
        for SoftConstraint { constraint, counts, weight } in &self.constraints {
            let Some(domain) = constraint.domain(info.node) else { continue };
            let count = if constraint.topology_key == HOSTNAME {
                constraint.count(&info.pods, &pod.metadata.namespace)
            } else {
                counts.get(domain).copied().unwrap_or_default()
            };
            score += go::float64(count) * weight + go::float64(constraint.max_skew - 1);
        }
        go::int64(score.round())
    }

    /// `NormalizeScore`: the fewer matching pods the better.
    pub(super) fn normalize(&self, scores: &mut BTreeMap<String, i64>) {
        let counting =
            |(name, score): (&String, &i64)| (!self.ignored_nodes.contains(name)).then_some(*score);
        let min = scores.iter().filter_map(counting).min().unwrap_or_default();
        let max = scores.iter().filter_map(counting).max().unwrap_or_default();
        for (name, score) in scores {
            *score = if self.ignored_nodes.contains(name) {
                0
            } else if max == 0 {
                100
            } else {
                100 * (max + min - *score) / max
            };
        }
    }
}
