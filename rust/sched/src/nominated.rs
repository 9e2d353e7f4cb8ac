//! Nominated pods: pods that wait for a node on which room is made for them (`status.nominatedNodeName`).
//!
//! - A pod is tried on its own node first; if it fits there, no other node is looked at (`evaluateNominatedNode`).
//! - Others must leave it its room: where pods of the same or a higher priority are nominated, the filters are asked with these
//!   pods on the node and without them, and both times the pod must fit (`RunFilterPluginsWithNominatedPods`).
//!
//! A pod is nominated as long as it waits in the queue: until it is placed or deleted, until it fits nowhere though it may preempt, or
//! until a pod of a higher priority preempts others on its node. Of a pod that is being deleted the queue knows only the name once it has
//! passed it over: an empty pod of priority 0 stays nominated.
//!
//! Follows `pkg/scheduler/backend/queue/nominator.go`, `pkg/scheduler/schedule_one.go` and
//! `pkg/scheduler/framework/runtime/framework.go` of v1.34, with the feature gate `NominatedNodeNameForExpectation` off, as it is
//! by default.

use std::collections::BTreeMap;

use crate::cluster::Cluster;
use crate::decision::Rejection;
use crate::dry_run::Guest;
use crate::index_vec::{NodeIdx, PodIdx};
use crate::scheduler::Scheduler;

/// The nominated pods to which a pod must leave room, by their nodes.
pub(crate) type Nominees = BTreeMap<NodeIdx, Vec<Guest>>;

/// What nominations change of one decision: it stands over the verdicts that a plan keeps.
#[derive(Debug, Default)]
pub(crate) struct Nominated {
    /// Those to which the pod must leave room.
    pub(crate) nominees: Nominees,
    /// What the filters say instead where they were asked with the nominees; and what they say of the pod's own node, even if
    /// PreFilter leaves that out.
    pub(crate) rejections: BTreeMap<NodeIdx, Rejection>,
    /// The pod's own node, if it fits there.
    pub(crate) fits: Option<NodeIdx>,
    /// The pod's own node, if it was tried and rejected.
    pub(crate) tried: Option<NodeIdx>,
    /// What is then said of the nodes that PreFilter leaves out.
    pub(crate) left_out: Option<Rejection>,
}

impl Nominated {
    /// The nominees on a node.
    pub(crate) fn on(&self, node: NodeIdx) -> &[Guest] {
        self.nominees.get(&node).map_or(&[], Vec::as_slice)
    }
}

/// The node to which the pod is nominated, if there is such a node.
pub(crate) fn node_of(cluster: &Cluster, pod: PodIdx) -> Option<NodeIdx> {
    let name = &cluster.pods()[pod].nominated;
    if name.is_empty() { None } else { cluster.nodes().labels.find_node(name) }
}

/// The pods of the queue that are nominated to a node of the cluster, each with the node.
fn queued<'a>(
    scheduler: &'a Scheduler,
    cluster: &'a Cluster,
) -> impl Iterator<Item = (PodIdx, NodeIdx)> + 'a {
    let pods = cluster.nominated_pods().filter(|&pod| scheduler.is_queued(cluster, pod));
    pods.filter_map(|pod| Some((pod, node_of(cluster, pod)?)))
}

fn priority(cluster: &Cluster, pod: PodIdx) -> i32 {
    cluster.template(cluster.pods()[pod].template).priority()
}

/// The nominated pod as the queue knows it: of one that was passed over, the name only.
fn guest(cluster: &Cluster, pod: PodIdx) -> Guest {
    let guest = Guest::new(cluster, pod);
    cluster.pods()[pod].shell.map_or(guest, |template| Guest { template, ..guest })
}

/// The nominated pods to which the pod must leave room (`addGENominatedPods`).
pub(crate) fn nominees(scheduler: &Scheduler, cluster: &Cluster, pod: PodIdx) -> Nominees {
    let mut nominees = Nominees::new();
    let priority = priority(cluster, pod);
    for (other, node) in queued(scheduler, cluster).filter(|&(other, _)| other != pod) {
        let guest = guest(cluster, other);
        if cluster.template(guest.template).priority() >= priority {
            nominees.entry(node).or_default().push(guest);
        }
    }
    nominees
}

/// The nominated pods that lose their nomination if the pod preempts others on the node (`getLowerPriorityNominatedPods`).
pub(crate) fn outranked(
    scheduler: &Scheduler,
    cluster: &Cluster,
    pod: PodIdx,
    node: NodeIdx,
) -> Vec<PodIdx> {
    queued(scheduler, cluster)
        .filter(|&(other, at)| at == node && cluster.pods()[other].shell.is_none())
        .filter(|&(other, _)| priority(cluster, other) < priority(cluster, pod))
        .map(|(other, _)| other)
        .collect()
}
