//! `VolumeBinding`: can the pod's claims be had on the node?
//!
//! | extension point | what it does |
//! |---|---|
//! | PreFilter | rejects pods with a claim that is missing, lost, being deleted, or unbound though its class does not wait |
//! | Filter | rejects nodes that do not reach a bound volume, find none to bind, and cannot have one made |
//! | PreScore, Score | skipped: they count only with the feature gate `StorageCapacityScoring`, off in v1.34 |
//! | Reserve | takes the volumes found for the claims, and tells claims without one where theirs is to be made |
//!
//! Follows `pkg/scheduler/framework/plugins/volumebinding` of v1.34.

mod binder;

use std::sync::Arc;

use super::fixed::FixedScore;
use crate::cluster::{Cluster, PodChange, PodInfo, StorageChange};
use crate::framework::{
    Dependency, Filter, FilterPlugin, Plugin, PreFilter, PreScore, ReservePlugin, Rows,
    ScorePlugin, Stale, Status, Verdicts,
};
use crate::index_vec::{IndexVec, NodeIdx};
use crate::node_set::NodeSet;
use binder::{PodVolumeClaims, PodVolumes};

/// The plugin.
#[derive(Debug)]
pub struct VolumeBinding;

/// Its name.
pub const NAME: &str = "VolumeBinding";
const ERR_REASON_BIND_CONFLICT: &str = "node(s) didn't find available persistent volumes to bind";
const ERR_REASON_NODE_CONFLICT: &str = "node(s) didn't match PersistentVolume's node affinity";
const ERR_REASON_NOT_ENOUGH_SPACE: &str = "node(s) did not have enough free storage";
const ERR_REASON_PV_NOT_EXIST: &str =
    "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";
const ERR_REASON_UNBOUND: &str = "pod has unbound immediate PersistentVolumeClaims";

impl Plugin for VolumeBinding {
    fn name(&self) -> &str {
        NAME
    }

    fn filter(&self) -> Option<&dyn FilterPlugin> {
        Some(self)
    }

    fn score(&self) -> Option<&dyn ScorePlugin> {
        Some(self)
    }

    fn reserve(&self) -> Option<&dyn ReservePlugin> {
        Some(self)
    }
}

impl FilterPlugin for VolumeBinding {
    fn pre_filter(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreFilter, Status> {
        if !pod.has_claims() {
            return Ok(PreFilter::Skip);
        }
        let claims = PodVolumeClaims::new(pod, cluster.storage()).map_err(Status::unresolvable)?;
        if claims.unbound_immediate {
            return Err(Status::unresolvable(ERR_REASON_UNBOUND));
        }
        let all = NodeSet::full(cluster.nodes().row_count());
        Ok(PreFilter::run(BindingFilter { volumes: claims.find(cluster, &all) }))
    }
}

impl ScorePlugin for VolumeBinding {
    fn pre_score(&self, _pod: &Arc<PodInfo>, _cluster: &Cluster) -> Result<PreScore, String> {
        Ok(PreScore::Skip)
    }

    fn without_pre_score(
        &self,
        _pod: &Arc<PodInfo>,
        cluster: &Cluster,
    ) -> Result<PreScore, String> {
        let raw = IndexVec::filled(0, cluster.nodes().row_count());
        Ok(PreScore::run(FixedScore::new(raw, None)))
    }
}

impl ReservePlugin for VolumeBinding {
    fn reserve(&self, pod: &PodInfo, cluster: &Cluster, node: NodeIdx) -> Vec<StorageChange> {
        if !pod.has_claims() {
            return Vec::new();
        }
        let mut chosen = NodeSet::empty(cluster.nodes().row_count());
        chosen.insert(node);
        let claims = PodVolumeClaims::new(pod, cluster.storage()).ok();
        let claims = claims.filter(|claims| !claims.unbound_immediate);
        claims.map_or(Vec::new(), |claims| claims.find(cluster, &chosen).assume(cluster, node))
    }
}

/// What was found for every node when the storage was as the plan knows it; placements alone do not change it.
#[derive(Debug, Clone)]
struct BindingFilter {
    volumes: PodVolumes,
}

impl BindingFilter {
    fn status(&self, node: NodeIdx) -> Option<Status> {
        let volumes = &self.volumes;
        if let Some((_, error)) = volumes.errors.iter().find(|(nodes, _)| nodes.contains(node)) {
            return Some(Status::error(error.clone()));
        }
        let reasons = [
            (&volumes.node_conflict, ERR_REASON_NODE_CONFLICT),
            (&volumes.bind_conflict, ERR_REASON_BIND_CONFLICT),
            (&volumes.not_enough_space, ERR_REASON_NOT_ENOUGH_SPACE),
            (&volumes.missing_volume, ERR_REASON_PV_NOT_EXIST),
        ];
        let reasons = reasons.into_iter().filter(|(nodes, _)| nodes.contains(node));
        reasons.map(|(_, reason)| Status::unresolvable(reason)).reduce(|mut status, next| {
            status.reasons.extend(next.reasons);
            status
        })
    }
}

impl Filter for BindingFilter {
    fn depends_on(&self) -> Dependency {
        Dependency::Static
    }

    fn filter(&self, cluster: &Cluster, rows: Rows<'_>, verdicts: &mut Verdicts) {
        rows.each(cluster.nodes().row_count(), |node| match self.status(node) {
            None => verdicts.pass(node),
            Some(status) => {
                let status = verdicts.status(status);
                verdicts.reject(node, status);
            }
        });
    }

    fn fits(&self, _cluster: &Cluster, node: NodeIdx) -> bool {
        self.status(node).is_none()
    }

    fn failure(&self, _cluster: &Cluster, node: NodeIdx) -> Option<String> {
        let mut errors = self.volumes.errors.iter();
        errors.find(|(nodes, _)| nodes.contains(node)).map(|(_, error)| error.clone())
    }

    fn pod_changed(&mut self, _cluster: &Cluster, _change: &PodChange) -> Stale {
        Stale::Nothing
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}
