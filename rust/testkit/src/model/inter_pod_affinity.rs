//! `InterPodAffinity`: which pods does this one want near it, and which want it near them?
//!
//! Follows `plugins/interpodaffinity/{plugin,filtering,scoring}.go` of v1.34, the affinity terms of
//! `pkg/scheduler/framework/types.go`, and `AffinityTerm` of `k8s.io/kube-scheduler/framework` v0.34.

use std::collections::{BTreeMap, BTreeSet};

use bayplan_api::{
    Labels, Namespace, Node, Pod, PodAffinity, PodAffinityTerm, Str, WeightedPodAffinityTerm,
};

use super::labels::Selector;
use super::{Code, NodeInfo, Rejection, go};

/// A term with its selectors parsed.
#[derive(Debug, Clone)]
struct Term {
    namespaces: BTreeSet<Str>,
    namespace_selector: Selector,
    selector: Selector,
    topology_key: String,
}

impl Term {
    fn new(term: &PodAffinityTerm, pod: &Pod) -> Self {
        let mut namespaces: BTreeSet<Str> = term.namespaces.iter().cloned().collect();
        if namespaces.is_empty() && term.namespace_selector.is_none() {
            namespaces.insert(pod.metadata.namespace.clone());
        }
        Self {
            namespaces,
            namespace_selector: Selector::from_label_selector(term.namespace_selector.as_ref()),
            selector: Selector::from_label_selector(term.label_selector.as_ref()),
            topology_key: term.topology_key.to_string(),
        }
    }

    /// `mergeAffinityTermNamespacesIfNotEmpty`, for the terms of the incoming pod: the namespaces
    /// that the selector selects are added.
    ///
    /// The real one means to replace the selector by `Nothing` then, but does so on a copy of the
    /// term (since v1.34), so the selector stays and is held against no labels at all afterwards.
    fn merged(mut self, namespaces: &[Namespace]) -> Self {
        if !self.namespace_selector.is_empty() {
            let selected = namespaces
                .iter()
                .filter(|namespace| self.namespace_selector.matches(&namespace.metadata.labels))
                .map(|namespace| namespace.metadata.name.clone());
            self.namespaces.extend(selected);
        }
        self
    }

    /// `AffinityTerm.Matches`.
    fn matches(&self, pod: &Pod, namespace_labels: &Labels) -> bool {
        (self.namespaces.contains(&pod.metadata.namespace)
            || self.namespace_selector.matches(namespace_labels))
            && self.selector.matches(&pod.metadata.labels)
    }
}

fn affinity_of(pod: &Pod) -> Option<&PodAffinity> {
    pod.spec.affinity.as_ref()?.pod_affinity.as_ref()
}

fn anti_affinity_of(pod: &Pod) -> Option<&PodAffinity> {
    pod.spec.affinity.as_ref()?.pod_anti_affinity.as_ref()
}

fn required(affinity: Option<&PodAffinity>, pod: &Pod) -> Vec<Term> {
    let terms = affinity.map(|affinity| affinity.required.as_slice()).unwrap_or_default();
    terms.iter().map(|term| Term::new(term, pod)).collect()
}

fn preferred(affinity: Option<&PodAffinity>, pod: &Pod) -> Vec<(Term, i64)> {
    let terms = affinity.map(|affinity| affinity.preferred.as_slice()).unwrap_or_default();
    let weighted =
        |term: &WeightedPodAffinityTerm| (Term::new(&term.term, pod), i64::from(term.weight));
    terms.iter().map(weighted).collect()
}

/// `GetNamespaceLabelsSnapshot`; none when there is no such namespace.
fn namespace_labels(name: &str, namespaces: &[Namespace]) -> Labels {
    namespaces
        .iter()
        .find(|namespace| namespace.metadata.name == *name)
        .map(|namespace| namespace.metadata.labels.clone())
        .unwrap_or_default()
}

/// Matching terms by topology key and value; a count of zero is taken out.
type Counts = BTreeMap<(String, String), i64>;

fn count(counts: &mut Counts, node: &Node, topology_key: &str, delta: i64) {
    if let Some(value) = node.metadata.labels.get(topology_key) {
        let pair = (topology_key.to_owned(), value.to_string());
        let sum = counts.get(&pair).copied().unwrap_or_default() + delta;
        if sum == 0 {
            counts.remove(&pair);
        } else {
            counts.insert(pair, sum);
        }
    }
}

fn count_of(counts: &Counts, key: &str, value: &str) -> i64 {
    counts.get(&(key.to_owned(), value.to_owned())).copied().unwrap_or_default()
}

/// What `PreFilter` counted.
#[derive(Debug, Clone)]
pub(super) struct FilterState {
    affinity: Vec<Term>,
    anti_affinity: Vec<Term>,
    namespace_labels: Labels,
    /// Running pods that match all of the pod's affinity terms, a count for each term.
    affinity_counts: Counts,
    /// Running pods that match the pod's anti-affinity terms.
    anti_affinity_counts: Counts,
    /// Running pods with an anti-affinity term that matches the pod.
    existing_anti_affinity_counts: Counts,
}

/// `PreFilter`; `None` skips the filter.
pub(super) fn pre_filter(
    pod: &Pod,
    nodes: &[NodeInfo<'_>],
    namespaces: &[Namespace],
) -> Option<FilterState> {
    let merged = |terms: Vec<Term>| terms.into_iter().map(|term| term.merged(namespaces)).collect();
    let mut state = FilterState {
        affinity: merged(required(affinity_of(pod), pod)),
        anti_affinity: merged(required(anti_affinity_of(pod), pod)),
        namespace_labels: namespace_labels(&pod.metadata.namespace, namespaces),
        affinity_counts: Counts::new(),
        anti_affinity_counts: Counts::new(),
        existing_anti_affinity_counts: Counts::new(),
    };
    for info in nodes {
        for existing in &info.pods {
            state.update(existing, pod, info.node, 1);
        }
    }
    let nothing_to_do = state.existing_anti_affinity_counts.is_empty()
        && state.affinity.is_empty()
        && state.anti_affinity.is_empty();
    (!nothing_to_do).then_some(state)
}

impl FilterState {
    /// `AddPod` (`delta` 1) and `RemovePod` (`delta` -1).
    pub(super) fn update(&mut self, updated: &Pod, incoming: &Pod, node: &Node, delta: i64) {
        for term in required(anti_affinity_of(updated), updated) {
            if term.matches(incoming, &self.namespace_labels) {
                count(&mut self.existing_anti_affinity_counts, node, &term.topology_key, delta);
            }
        }
        if self.matches_all_affinity_terms(updated) {
            for term in &self.affinity {
                count(&mut self.affinity_counts, node, &term.topology_key, delta);
            }
        }
        for term in &self.anti_affinity {
            if term.matches(updated, &Labels::new()) {
                count(&mut self.anti_affinity_counts, node, &term.topology_key, delta);
            }
        }
    }

    fn matches_all_affinity_terms(&self, pod: &Pod) -> bool {
        !self.affinity.is_empty()
            && self.affinity.iter().all(|term| term.matches(pod, &Labels::new()))
    }

    /// `Filter`.
    pub(super) fn filter(&self, pod: &Pod, node: &Node) -> Result<(), Rejection> {
        if !self.satisfies_affinity(pod, node) {
            return Err(Rejection::new(
                Code::UnschedulableAndUnresolvable,
                "node(s) didn't match pod affinity rules",
            ));
        }
        let labels = &node.metadata.labels;
        let repelled = self.anti_affinity.iter().any(|term| {
            labels.get(&term.topology_key).is_some_and(|value| {
                count_of(&self.anti_affinity_counts, &term.topology_key, value) > 0
            })
        });
        if repelled {
            return Err(Rejection::new(
                Code::Unschedulable,
                "node(s) didn't match pod anti-affinity rules",
            ));
        }
        let unwanted = labels
            .iter()
            .any(|(key, value)| count_of(&self.existing_anti_affinity_counts, key, value) > 0);
        if unwanted {
            return Err(Rejection::new(
                Code::Unschedulable,
                "node(s) didn't satisfy existing pods anti-affinity rules",
            ));
        }
        Ok(())
    }

    fn satisfies_affinity(&self, pod: &Pod, node: &Node) -> bool {
        let mut pods_exist = true;
        for term in &self.affinity {
            let Some(value) = node.metadata.labels.get(&term.topology_key) else { return false };
            if count_of(&self.affinity_counts, &term.topology_key, value) <= 0 {
                pods_exist = false;
            }
        }
        // The first pod of a group that wants to be together may go anywhere.
        pods_exist || (self.affinity_counts.is_empty() && self.matches_all_affinity_terms(pod))
    }
}

/// What `PreScore` summed up: weights by topology key and value.
#[derive(Debug)]
pub(super) struct ScoreState {
    topology_score: BTreeMap<String, BTreeMap<String, i64>>,
}

/// `PreScore`; `None` skips the score.
pub(super) fn pre_score(
    pod: &Pod,
    all: &[NodeInfo<'_>],
    namespaces: &[Namespace],
    hard_pod_affinity_weight: i32,
    ignore_preferred_terms_of_existing_pods: bool,
) -> Option<ScoreState> {
    let merged = |terms: Vec<(Term, i64)>| -> Vec<(Term, i64)> {
        terms.into_iter().map(|(term, weight)| (term.merged(namespaces), weight)).collect()
    };
    let own = merged(preferred(affinity_of(pod), pod));
    let own_anti = merged(preferred(anti_affinity_of(pod), pod));
    if ignore_preferred_terms_of_existing_pods && own.is_empty() && own_anti.is_empty() {
        return None;
    }
    let labels = namespace_labels(&pod.metadata.namespace, namespaces);
    let no_labels = Labels::new();
    let mut state = ScoreState { topology_score: BTreeMap::new() };
    for info in all {
        for existing in &info.pods {
            for (term, weight) in &own {
                state.process(term, *weight, existing, &no_labels, info.node);
            }
            for (term, weight) in &own_anti {
                state.process(term, -weight, existing, &no_labels, info.node);
            }
            if hard_pod_affinity_weight > 0 {
                for term in required(affinity_of(existing), existing) {
                    let weight = i64::from(hard_pod_affinity_weight);
                    state.process(&term, weight, pod, &labels, info.node);
                }
            }
            for (term, weight) in preferred(affinity_of(existing), existing) {
                state.process(&term, weight, pod, &labels, info.node);
            }
            for (term, weight) in preferred(anti_affinity_of(existing), existing) {
                state.process(&term, -weight, pod, &labels, info.node);
            }
        }
    }
    (!state.topology_score.is_empty()).then_some(state)
}

impl ScoreState {
    fn process(&mut self, term: &Term, weight: i64, pod: &Pod, labels: &Labels, node: &Node) {
        if term.matches(pod, labels)
            && let Some(value) = node.metadata.labels.get(&term.topology_key)
        {
            let scores = self.topology_score.entry(term.topology_key.clone()).or_default();
            *scores.entry(value.to_string()).or_default() += weight;
        }
    }

    /// `Score`.
    pub(super) fn score(&self, node: &Node) -> i64 {
        let of_key = |(key, scores): (&String, &BTreeMap<String, i64>)| {
            scores.get(node.metadata.labels.get(key)?.as_str()).copied()
        };
        self.topology_score.iter().filter_map(of_key).sum()
    }
}

/// `NormalizeScore`: the span from lowest to highest becomes 0 to 100.
pub(super) fn normalize(scores: &mut BTreeMap<String, i64>) {
    let min = scores.values().copied().min().unwrap_or_default();
    let max = scores.values().copied().max().unwrap_or_default();
    for score in scores.values_mut() {
        *score = if max > min {
            go::int64(100.0 * (go::float64(*score - min) / go::float64(max - min)))
        } else {
            0
        };
    }
}
