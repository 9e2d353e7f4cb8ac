//! `TaintToleration`: does the pod tolerate the node's taints?
//!
//! | extension point | what it does |
//! |---|---|
//! | Filter | rejects nodes with a taint `NoSchedule` or `NoExecute` that the pod does not tolerate |
//! | Score | counts the taints `PreferNoSchedule` that the pod does not tolerate; the fewer the better |
//!
//! Follows `pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go` of v1.34.

use std::sync::Arc;

use bayplan_api::{Taint, TaintEffect};

use super::fixed::FixedScore;
use super::helper::{
    default_normalize_score, find_untolerated_taint, tolerate_taint, tolerated_nodes,
};
use crate::cluster::{Cluster, PodChange, PodInfo};
use crate::framework::{
    Dependency, Filter, FilterPlugin, Plugin, PreFilter, PreScore, Rows, ScorePlugin, Stale,
    Status, StatusId, Verdicts,
};
use crate::go::len64;
use crate::index_vec::NodeIdx;
use crate::node_set::NodeSet;

/// The plugin.
#[derive(Debug)]
pub struct TaintToleration;

/// Its name.
pub const NAME: &str = "TaintToleration";

impl Plugin for TaintToleration {
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

impl FilterPlugin for TaintToleration {
    fn pre_filter(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreFilter, Status> {
        let tolerated = tolerated_nodes(cluster, &pod.pod.spec.tolerations);
        Ok(PreFilter::run(TaintFilter { pod: Arc::clone(pod), tolerated }))
    }
}

/// The nodes whose taints the pod can stand.
#[derive(Debug, Clone)]
struct TaintFilter {
    pod: Arc<PodInfo>,
    tolerated: NodeSet,
}

impl Filter for TaintFilter {
    fn depends_on(&self) -> Dependency {
        Dependency::Static
    }

    fn filter(&self, cluster: &Cluster, rows: Rows<'_>, verdicts: &mut Verdicts) {
        let tolerations = &self.pod.pod.spec.tolerations;
        let untolerated =
            cluster.nodes().taint_lists().map(|taints| find_untolerated_taint(taints, tolerations));
        let ids: Vec<Option<StatusId>> = untolerated
            .map(|taint| {
                let Taint { key, value, .. } = taint?;
                let reason = format!("node(s) had untolerated taint {{{key}: {value}}}");
                Some(verdicts.status(Status::unresolvable(reason)))
            })
            .collect();
        rows.each(cluster.nodes().row_count(), |node| {
            match ids.get(cluster.nodes().taint_list_of(node)).copied().flatten() {
                None => verdicts.pass(node),
                Some(status) => verdicts.reject(node, status),
            }
        });
    }

    fn fits(&self, _cluster: &Cluster, node: NodeIdx) -> bool {
        self.tolerated.contains(node)
    }

    fn narrow(&self, _cluster: &Cluster, nodes: &mut NodeSet) {
        nodes.intersect(&self.tolerated);
    }

    fn pod_changed(&mut self, _cluster: &Cluster, _change: &PodChange) -> Stale {
        Stale::Nothing
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

impl ScorePlugin for TaintToleration {
    fn pre_score(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreScore, String> {
        let nodes = cluster.nodes();
        let intolerable = |taints: &[Taint]| {
            let counted = taints.iter().filter(|taint| {
                taint.effect == TaintEffect::PreferNoSchedule
                    && !tolerate_taint(&pod.pod.spec.tolerations, taint)
            });
            len64(counted.count())
        };
        let mut counts: Vec<i64> = nodes.taint_lists().map(intolerable).collect();
        counts.sort_unstable();
        counts.dedup();
        let sets = counts.into_iter().filter(|&count| count > 0);
        let sets =
            sets.map(|count| (count, nodes.with_taints(|taints| intolerable(taints) == count)));
        let normalize = |scores: &mut [i64]| default_normalize_score(true, scores);
        Ok(PreScore::run(FixedScore::of_sets(0, sets.collect(), Some(normalize))))
    }

    fn without_pre_score(
        &self,
        _pod: &Arc<PodInfo>,
        _cluster: &Cluster,
    ) -> Result<PreScore, String> {
        Err(format!("failed to read \"PreScore{NAME}\" from cycleState: not found"))
    }
}
