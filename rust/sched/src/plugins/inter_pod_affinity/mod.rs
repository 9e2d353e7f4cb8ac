//! `InterPodAffinity`: do the pods nearby attract or repel the pod, and it them?
//!
//! | extension point | what it does |
//! |---|---|
//! | PreFilter | counts by topology domain: running pods that repel the pod, that it wants, that it repels |
//! | Filter | rejects nodes in the wrong domains |
//! | PreScore | sums weights by topology domain, in both directions |
//! | Score | the sum over the node's domains, scaled so that the lowest is 0 and the highest 100 |
//!
//! `matchLabelKeys` and `mismatchLabelKeys` are not looked at: the API server merges them into the label selector.
//!
//! Follows `pkg/scheduler/framework/plugins/interpodaffinity` of v1.34.

mod domain_counts;
mod filtering;
mod scoring;
mod tally;

use std::sync::Arc;

use bayplan_api::Labels;

use crate::cluster::{AffinityTerm, Cluster, PodInfo};
use crate::config::InterPodAffinityArgs;
use crate::framework::{FilterPlugin, Plugin, PreFilter, PreScore, ScorePlugin, Status};

/// The plugin.
#[derive(Debug)]
pub struct InterPodAffinity {
    args: InterPodAffinityArgs,
}

/// Its name.
pub const NAME: &str = "InterPodAffinity";

impl InterPodAffinity {
    /// The plugin with its arguments.
    pub const fn new(args: InterPodAffinityArgs) -> Self {
        Self { args }
    }
}

impl Plugin for InterPodAffinity {
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

impl FilterPlugin for InterPodAffinity {
    fn pre_filter(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreFilter, Status> {
        // Never skipped: a pod that is placed later may bring a term that repels this one.
        Ok(PreFilter::run(filtering::AffinityFilter::new(pod, cluster)))
    }
}

impl ScorePlugin for InterPodAffinity {
    fn pre_score(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreScore, String> {
        let prefers = !pod.preferred_affinity.is_empty() || !pod.preferred_anti_affinity.is_empty();
        if self.args.ignore_preferred_terms_of_existing_pods && !prefers {
            return Ok(PreScore::Skip);
        }
        let hard_weight = i64::from(self.args.hard_pod_affinity_weight);
        Ok(PreScore::run(scoring::AffinityScore::new(pod, cluster, hard_weight)))
    }

    fn without_pre_score(
        &self,
        _pod: &Arc<PodInfo>,
        _cluster: &Cluster,
    ) -> Result<PreScore, String> {
        Err(format!("failed to read \"PreScore{NAME}\" from cycleState: not found"))
    }
}

/// The pod with all that terms are held against: its own terms, and its namespace's labels.
#[derive(Debug, Clone)]
struct Incoming {
    pod: Arc<PodInfo>,
    namespace_labels: Labels,
}

impl Incoming {
    fn new(pod: &Arc<PodInfo>, cluster: &Cluster) -> Self {
        let mut pod = Arc::clone(pod);
        let namespace_labels =
            cluster.namespace_labels(&pod.pod.metadata.namespace).cloned().unwrap_or_default();
        if pod.terms().any(|term| term.namespace_selector.is_some()) {
            let pod = Arc::make_mut(&mut pod);
            let weighted =
                pod.preferred_affinity.iter_mut().chain(&mut pod.preferred_anti_affinity);
            let preferred = weighted.map(|(_, term)| term);
            let required = pod.required_affinity.iter_mut().chain(&mut pod.required_anti_affinity);
            for term in required.chain(preferred) {
                merge_namespaces(term, cluster);
            }
        }
        Self { pod, namespace_labels }
    }

    /// Whether a running pod's term means the incoming pod.
    fn is_meant_by(&self, term: &AffinityTerm) -> bool {
        term.matches(&self.pod, &self.namespace_labels)
    }
}

/// Whether a term of the incoming pod means a running one: the names of its namespaces are merged already, and
/// kube-scheduler passes no labels.
fn means(term: &AffinityTerm, running: &PodInfo) -> bool {
    term.matches(running, &Labels::new())
}

/// `mergeAffinityTermNamespacesIfNotEmpty`: the selector's namespaces join the named ones.
///
/// The selector itself stays: v1.34 clears it in a copy only. Held against no labels at all (see [`means`]), one that
/// asks for the absence of something means every namespace.
fn merge_namespaces(term: &mut AffinityTerm, cluster: &Cluster) {
    let Some(selector) = &term.namespace_selector else { return };
    if selector.is_empty() {
        return;
    }
    let selected = cluster.namespaces().filter(|(_, labels)| selector.matches(labels));
    term.namespaces.extend(selected.map(|(name, _)| name.clone()));
}
