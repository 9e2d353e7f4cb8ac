//! `NodeName`: does the pod ask for this node by name?
//!
//! | extension point | what it does |
//! |---|---|
//! | Filter | rejects all nodes but `spec.nodeName`, if the pod names one |
//!
//! A pod with `spec.nodeName` is assigned already and never in the queue; kube-scheduler's filter is there for other callers.
//!
//! Follows `pkg/scheduler/framework/plugins/nodename/node_name.go` of v1.34.

use std::sync::Arc;

use super::fixed::FixedFilter;
use crate::cluster::{Cluster, PodInfo};
use crate::framework::{FilterPlugin, Plugin, PreFilter, Status};
use crate::node_set::NodeSet;

/// The plugin.
#[derive(Debug)]
pub struct NodeName;

/// Its name.
pub const NAME: &str = "NodeName";
const ERR_REASON: &str = "node(s) didn't match the requested node name";

impl Plugin for NodeName {
    fn name(&self) -> &str {
        NAME
    }

    fn filter(&self) -> Option<&dyn FilterPlugin> {
        Some(self)
    }
}

impl FilterPlugin for NodeName {
    fn pre_filter(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreFilter, Status> {
        let name = &pod.pod.spec.node_name;
        if name.is_empty() {
            return Ok(PreFilter::Skip);
        }
        let mut passing = NodeSet::empty(cluster.nodes().row_count());
        if let Some(node) = cluster.nodes().labels.find_node(name) {
            passing.insert(node);
        }
        Ok(PreFilter::run(FixedFilter::new(passing, Status::unresolvable(ERR_REASON))))
    }
}
