//! `NodeUnschedulable`: is the node cordoned?
//!
//! | extension point | what it does |
//! |---|---|
//! | Filter | rejects nodes with `spec.unschedulable`, unless the pod tolerates the taint that goes with it |
//!
//! Follows `pkg/scheduler/framework/plugins/nodeunschedulable/node_unschedulable.go` of v1.34.

use std::sync::Arc;

use bayplan_api::{Taint, TaintEffect};

use super::fixed::FixedFilter;
use super::helper::tolerate_taint;
use crate::cluster::{Cluster, PodInfo};
use crate::framework::{FilterPlugin, Plugin, PreFilter, Status};
use crate::node_set::NodeSet;

/// The plugin.
#[derive(Debug)]
pub struct NodeUnschedulable;

/// Its name.
pub const NAME: &str = "NodeUnschedulable";
const ERR_REASON_UNSCHEDULABLE: &str = "node(s) were unschedulable";
const TAINT_NODE_UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

impl Plugin for NodeUnschedulable {
    fn name(&self) -> &str {
        NAME
    }

    fn filter(&self) -> Option<&dyn FilterPlugin> {
        Some(self)
    }
}

impl FilterPlugin for NodeUnschedulable {
    fn pre_filter(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreFilter, Status> {
        let taint = Taint {
            key: TAINT_NODE_UNSCHEDULABLE.into(),
            value: "".into(),
            effect: TaintEffect::NoSchedule,
        };
        if tolerate_taint(&pod.pod.spec.tolerations, &taint) {
            return Ok(PreFilter::Skip);
        }
        let mut passing = NodeSet::full(cluster.nodes().row_count());
        passing.subtract(&cluster.nodes().unschedulable);
        let status = Status::unresolvable(ERR_REASON_UNSCHEDULABLE);
        Ok(PreFilter::run(FixedFilter::new(passing, status)))
    }
}
