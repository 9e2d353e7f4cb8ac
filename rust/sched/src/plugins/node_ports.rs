//! `NodePorts`: are the pod's host ports free?
//!
//! | extension point | what it does |
//! |---|---|
//! | PreFilter | skips pods without host ports |
//! | Filter | rejects nodes where a running pod has one of the ports |
//!
//! Follows `pkg/scheduler/framework/plugins/nodeports/node_ports.go` of v1.34.

use std::sync::Arc;

use crate::cluster::{Cluster, HostPort, PodChange, PodInfo};
use crate::framework::{
    Dependency, Filter, FilterPlugin, Plugin, PreFilter, Rows, Stale, Status, Verdicts,
};
use crate::index_vec::NodeIdx;

/// The plugin.
#[derive(Debug)]
pub struct NodePorts;

/// Its name.
pub const NAME: &str = "NodePorts";
const ERR_REASON: &str = "node(s) didn't have free ports for the requested pod ports";

impl Plugin for NodePorts {
    fn name(&self) -> &str {
        NAME
    }

    fn filter(&self) -> Option<&dyn FilterPlugin> {
        Some(self)
    }
}

impl FilterPlugin for NodePorts {
    fn pre_filter(&self, pod: &Arc<PodInfo>, _cluster: &Cluster) -> Result<PreFilter, Status> {
        if pod.host_ports.is_empty() {
            return Ok(PreFilter::Skip);
        }
        Ok(PreFilter::run(PortsFilter { wanted: pod.host_ports.clone() }))
    }
}

#[derive(Debug, Clone)]
struct PortsFilter {
    wanted: Vec<HostPort>,
}

impl Filter for PortsFilter {
    fn depends_on(&self) -> Dependency {
        Dependency::Row
    }

    fn filter(&self, cluster: &Cluster, rows: Rows<'_>, verdicts: &mut Verdicts) {
        let taken = verdicts.status(Status::unschedulable(ERR_REASON));
        rows.each(cluster.nodes().row_count(), |node| {
            if self.fits(cluster, node) {
                verdicts.pass(node);
            } else {
                verdicts.reject(node, taken);
            }
        });
    }

    fn fits(&self, cluster: &Cluster, node: NodeIdx) -> bool {
        let used = &cluster.nodes().used_ports[node];
        used.is_empty() || !self.wanted.iter().any(|port| used.conflicts(port))
    }

    fn pod_changed(&mut self, cluster: &Cluster, change: &PodChange) -> Stale {
        let quiet = cluster.template(change.template).host_ports.is_empty();
        if quiet { Stale::Nothing } else { Stale::Row }
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}
