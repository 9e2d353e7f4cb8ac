//! `TaintToleration`: does the pod tolerate the node's taints?
//!
//! | extension point | what it does |
//! |---|---|
//! | Filter | rejects nodes with a taint `NoSchedule` or `NoExecute` that the pod does not tolerate |
//! | Score | counts the taints `PreferNoSchedule` that the pod does not tolerate; the fewer the better |
//!
//! Follows `pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go` of v1.34.

use std::sync::Arc;

use bayplan_api::TaintEffect;

use super::fixed::FixedScore;
use super::helper::{default_normalize_score, find_untolerated_taint, tolerate_taint};
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
        let tolerations = &pod.pod.spec.tolerations;
        let statuses = cluster.nodes().taint_lists().map(|taints| {
            find_untolerated_taint(taints, tolerations).map(|taint| {
                let (key, value) = (&taint.key, &taint.value);
                Status::unresolvable(format!("node(s) had untolerated taint {{{key}: {value}}}"))
            })
        });
        Ok(PreFilter::run(TaintFilter { statuses: statuses.collect() }))
    }
}

/// Each distinct list of taints and why the pod cannot stand it.
#[derive(Debug, Clone)]
struct TaintFilter {
    statuses: Vec<Option<Status>>,
}

impl Filter for TaintFilter {
    fn depends_on(&self) -> Dependency {
        Dependency::Static
    }

    fn filter(&self, cluster: &Cluster, rows: Rows<'_>, verdicts: &mut Verdicts) {
        let ids: Vec<Option<StatusId>> = self
            .statuses
            .iter()
            .map(|status| status.as_ref().map(|status| verdicts.status(status.clone())))
            .collect();
        rows.each(cluster.nodes().row_count(), |node| {
            match ids.get(cluster.nodes().taint_list_of(node)).copied().flatten() {
                None => verdicts.pass(node),
                Some(status) => verdicts.reject(node, status),
            }
        });
    }

    fn fits(&self, cluster: &Cluster, node: NodeIdx) -> bool {
        matches!(self.statuses.get(cluster.nodes().taint_list_of(node)), Some(None))
    }

    fn narrow(&self, cluster: &Cluster, nodes: &mut NodeSet) {
        if self.statuses.iter().any(Option::is_some) {
            nodes.retain(|node| self.fits(cluster, node));
        }
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
        let intolerable: Vec<i64> = nodes
            .taint_lists()
            .map(|taints| {
                let counted = taints.iter().filter(|taint| {
                    taint.effect == TaintEffect::PreferNoSchedule
                        && !tolerate_taint(&pod.pod.spec.tolerations, taint)
                });
                len64(counted.count())
            })
            .collect();
        let normalize = |scores: &mut [i64]| default_normalize_score(true, scores);
        if intolerable.iter().all(|&count| count == 0) {
            return Ok(PreScore::run(FixedScore::uniform(0, Some(normalize))));
        }
        let raw = nodes
            .rows()
            .map(|node| intolerable.get(nodes.taint_list_of(node)).copied().unwrap_or(0))
            .collect();
        Ok(PreScore::run(FixedScore::new(raw, Some(normalize))))
    }

    fn without_pre_score(
        &self,
        _pod: &Arc<PodInfo>,
        _cluster: &Cluster,
    ) -> Result<PreScore, String> {
        Err(format!("failed to read \"PreScore{NAME}\" from cycleState: not found"))
    }
}
