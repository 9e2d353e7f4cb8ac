//! `NodeAffinity`: do the node's labels match the pod's node selector and node affinity?
//!
//! | extension point | what it does |
//! |---|---|
//! | PreFilter | narrows the nodes to those that required `matchFields` name, if every term names some |
//! | Filter | rejects nodes that do not match the profile's added affinity, the pod's `nodeSelector` and its required terms |
//! | Score | sums the weights of the preferred terms that match, the pod's and the profile's |
//!
//! Follows `pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go` of v1.34 and
//! `k8s.io/component-helpers/scheduling/corev1/nodeaffinity` v0.34.

use std::sync::Arc;

use bayplan_api::{
    NodeSelector, NodeSelectorOperator, NodeSelectorTerm, PreferredSchedulingTerm, Str,
};

use super::fixed::{FixedScore, Normalize};
use super::helper::default_normalize_score;
use crate::cluster::{Cluster, NodeLabels, PodChange, PodInfo};
use crate::config::NodeAffinityArgs;
use crate::framework::{
    Dependency, Filter, FilterPlugin, Plugin, PreFilter, PreScore, Rows, ScorePlugin, Stale,
    Status, Verdicts,
};
use crate::index_vec::{IndexVec, NodeIdx};
use crate::node_set::NodeSet;

/// The plugin.
#[derive(Debug)]
pub struct NodeAffinity {
    args: NodeAffinityArgs,
}

/// Its name.
pub const NAME: &str = "NodeAffinity";
const ERR_REASON_POD: &str = "node(s) didn't match Pod's node affinity/selector";
const ERR_REASON_ENFORCED: &str = "node(s) didn't match scheduler-enforced node affinity";
const ERR_REASON_CONFLICT: &str = "pod affinity terms conflict";

impl NodeAffinity {
    /// The plugin with its arguments.
    pub const fn new(args: NodeAffinityArgs) -> Self {
        Self { args }
    }
}

impl Plugin for NodeAffinity {
    fn name(&self) -> &str {
        NAME
    }

    fn filter(&self) -> Option<&dyn FilterPlugin> {
        Some(self)
    }

    fn score(&self) -> Option<&dyn ScorePlugin> {
        Some(self)
    }
}

fn required(pod: &PodInfo) -> Option<&NodeSelector> {
    pod.pod.spec.affinity.as_ref()?.node_affinity.as_ref()?.required.as_ref()
}

/// The nodes that one of the terms matches; a term that cannot be parsed matches none.
fn matching_selector(labels: &NodeLabels, nodes: usize, selector: &NodeSelector) -> NodeSet {
    let mut matching = NodeSet::empty(nodes);
    for term in &selector.node_selector_terms {
        if let Ok(nodes) = labels.matching_term(term) {
            matching.union(&nodes);
        }
    }
    matching
}

/// `RequiredNodeAffinity.Match`: the nodes that match the pod's `nodeSelector` and required node affinity.
pub(crate) fn required_nodes(cluster: &Cluster, pod: &PodInfo) -> NodeSet {
    let nodes = cluster.nodes();
    let mut matching = NodeSet::full(nodes.row_count());
    for (key, value) in pod.pod.spec.node_selector.iter() {
        matching.intersect(&nodes.labels.with_value(key, value));
    }
    if let Some(selector) = required(pod) {
        matching.intersect(&matching_selector(&nodes.labels, nodes.row_count(), selector));
    }
    matching
}

impl FilterPlugin for NodeAffinity {
    fn pre_filter(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreFilter, Status> {
        let added = self.args.added_affinity.as_ref().and_then(|added| added.required.as_ref());
        let own = required(pod);
        if added.is_none() && own.is_none() && pod.pod.spec.node_selector.is_empty() {
            return Ok(PreFilter::Skip);
        }
        let nodes = match own.and_then(named_nodes) {
            Some(names) if names.is_empty() => {
                return Err(Status::unresolvable(ERR_REASON_CONFLICT));
            }
            names => names,
        };
        let count = cluster.nodes().row_count();
        let filter = AffinityFilter {
            added: added.map_or_else(
                || NodeSet::full(count),
                |added| matching_selector(&cluster.nodes().labels, count, added),
            ),
            own: required_nodes(cluster, pod),
        };
        Ok(PreFilter::Run { nodes, filter: Box::new(filter) })
    }
}

/// The names that `matchFields` leave, if every term names some: the union over terms of what their `In` requirements
/// have in common.
fn named_nodes(selector: &NodeSelector) -> Option<Vec<Str>> {
    let mut names: Vec<Str> = Vec::new();
    for term in &selector.node_selector_terms {
        names.extend(named_by_term(term)?);
    }
    names.sort();
    names.dedup();
    (!selector.node_selector_terms.is_empty()).then_some(names)
}

fn named_by_term(term: &NodeSelectorTerm) -> Option<Vec<Str>> {
    term.match_fields
        .iter()
        .filter(|field| field.key == "metadata.name" && field.operator == NodeSelectorOperator::In)
        .map(|field| field.values.clone())
        .reduce(|mut common, values| {
            common.retain(|name| values.contains(name));
            common
        })
}

#[derive(Debug, Clone)]
struct AffinityFilter {
    added: NodeSet,
    own: NodeSet,
}

impl Filter for AffinityFilter {
    fn depends_on(&self) -> Dependency {
        Dependency::Static
    }

    fn filter(&self, cluster: &Cluster, rows: Rows<'_>, verdicts: &mut Verdicts) {
        let enforced = verdicts.status(Status::unresolvable(ERR_REASON_ENFORCED));
        let own = verdicts.status(Status::unresolvable(ERR_REASON_POD));
        rows.each(cluster.nodes().row_count(), |node| {
            if !self.added.contains(node) {
                verdicts.reject(node, enforced);
            } else if !self.own.contains(node) {
                verdicts.reject(node, own);
            } else {
                verdicts.pass(node);
            }
        });
    }

    fn fits(&self, _cluster: &Cluster, node: NodeIdx) -> bool {
        self.added.contains(node) && self.own.contains(node)
    }

    fn narrow(&self, _cluster: &Cluster, nodes: &mut NodeSet) {
        nodes.intersect(&self.added);
        nodes.intersect(&self.own);
    }

    fn pod_changed(&mut self, _cluster: &Cluster, _change: &PodChange) -> Stale {
        Stale::Nothing
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

impl ScorePlugin for NodeAffinity {
    fn pre_score(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreScore, String> {
        fn preferred(affinity: Option<&bayplan_api::NodeAffinity>) -> &[PreferredSchedulingTerm] {
            affinity.map_or(&[], |affinity| affinity.preferred.as_slice())
        }
        let affinity = pod.pod.spec.affinity.as_ref();
        let own = preferred(affinity.and_then(|affinity| affinity.node_affinity.as_ref()));
        let added = preferred(self.args.added_affinity.as_ref());
        if own.is_empty() && added.is_empty() {
            return Ok(PreScore::Skip);
        }
        let mut sums = Sums::new(cluster.nodes().row_count());
        for PreferredSchedulingTerm { weight, preference } in own.iter().chain(added) {
            if *weight == 0 {
                continue;
            }
            let matching = cluster.nodes().labels.matching_term(preference);
            let matching = matching.map_err(|requirement| {
                format!(
                    "the preferred node affinity's requirement on {} cannot be parsed",
                    requirement.key
                )
            })?;
            sums.add(&matching, i64::from(*weight));
        }
        let normalize = |scores: &mut [i64]| default_normalize_score(false, scores);
        Ok(PreScore::run(sums.into_score(Some(normalize))))
    }
}

/// Sums of weights, of sets of nodes as long as they are few.
enum Sums {
    /// Sets that have none in common; other nodes have no weight.
    OfSets(Vec<(i64, NodeSet)>, NodeSet),
    OfRows(IndexVec<NodeIdx, i64>),
}

impl Sums {
    /// More sets than this cost more than rows.
    const MAX_SETS: usize = 12;

    fn new(rows: usize) -> Self {
        Self::OfSets(Vec::new(), NodeSet::empty(rows))
    }

    /// Adds to the sum of some nodes.
    fn add(&mut self, nodes: &NodeSet, weight: i64) {
        match self {
            Self::OfSets(sets, all) => {
                for at in 0..sets.len() {
                    let Some((sum, set)) = sets.get_mut(at) else { continue };
                    let mut both = set.clone();
                    both.intersect(nodes);
                    if !both.is_empty() {
                        set.subtract(nodes);
                        let sum = *sum + weight;
                        sets.push((sum, both));
                    }
                }
                let mut new = nodes.clone();
                new.subtract(all);
                sets.push((weight, new));
                all.union(nodes);
                // Equal sums are one set.
                sets.sort_unstable_by_key(|(sum, _)| *sum);
                sets.dedup_by(|(sum, set), (before, union)| {
                    let same = sum == before;
                    if same {
                        union.union(set);
                    }
                    same
                });
                sets.retain(|(_, set)| !set.is_empty());
                if sets.len() > Self::MAX_SETS {
                    let mut rows = IndexVec::filled(0, nodes.universe());
                    for (sum, set) in sets {
                        for node in &*set {
                            rows[node] = *sum;
                        }
                    }
                    *self = Self::OfRows(rows);
                }
            }
            Self::OfRows(rows) => {
                for node in nodes {
                    rows[node] += weight;
                }
            }
        }
    }

    fn into_score(self, normalize: Option<Normalize>) -> FixedScore {
        match self {
            Self::OfSets(sets, _) => FixedScore::of_sets(0, sets, normalize),
            Self::OfRows(rows) => FixedScore::new(rows, normalize),
        }
    }
}
