//! Nominated pods: which pods wait for which nodes.
//!
//! Follows `backend/queue/nominator.go` of v1.34, and `nominatedPodToInfo` in `backend/queue/scheduling_queue.go`.

use bayplan_api::{Objects, Pod};

use super::{ModelProfile, exists, priority};

/// `nominator`.
#[derive(Debug, Clone)]
pub(super) struct Nominator<'a>(Vec<Nomination<'a>>);

#[derive(Debug, Clone)]
struct Nomination<'a> {
    pod: &'a Pod,
    node: String,
    /// What is left of a pod that is in no queue any more: its name.
    rest: Option<Pod>,
}

impl<'a> Nominator<'a> {
    /// All pods that come to the queue with a nomination.
    pub(super) fn new(objects: &'a Objects, profile: &ModelProfile) -> Self {
        let pods = objects.pods.iter().filter(|pod| exists(pod) && pod.spec.node_name.is_empty());
        let queued = pods.filter(|pod| {
            pod.spec.scheduler_name == *profile.scheduler_name
                && pod.spec.scheduling_gates.is_empty()
        });
        let nominated = queued.filter(|pod| !pod.status.nominated_node_name.is_empty());
        Self(
            nominated
                .map(|pod| {
                    let node = pod.status.nominated_node_name.to_string();
                    Nomination { pod, node, rest: None }
                })
                .collect(),
        )
    }

    /// The node to which the pod is nominated.
    pub(super) fn node_of(&self, pod: &Pod) -> Option<String> {
        let own = self.0.iter().find(|nomination| std::ptr::eq(nomination.pod, pod));
        own.map(|nomination| nomination.node.clone())
    }

    /// The pods nominated to a node that are no less important than `pod`, and others (`addGENominatedPods`).
    pub(super) fn pods_for(&self, pod: &Pod, node: &str) -> Vec<&Pod> {
        let others = self
            .0
            .iter()
            .filter(|nomination| nomination.node == node && !std::ptr::eq(nomination.pod, pod));
        let known = others.map(|nomination| nomination.rest.as_ref().unwrap_or(nomination.pod));
        known.filter(|nominated| priority(nominated) >= priority(pod)).collect()
    }

    /// `DeleteNominatedPodIfExists`.
    pub(super) fn delete(&mut self, pod: &Pod) {
        self.0.retain(|nomination| !std::ptr::eq(nomination.pod, pod));
    }

    /// The pod was taken off the queue, and does not come back.
    pub(super) fn done(&mut self, pod: &Pod) {
        for nomination in &mut self.0 {
            if std::ptr::eq(nomination.pod, pod) {
                let mut rest = Pod::default();
                rest.metadata.name = pod.metadata.name.clone();
                rest.metadata.namespace = pod.metadata.namespace.clone();
                rest.metadata.uid = pod.metadata.uid.clone();
                nomination.rest = Some(rest);
            }
        }
    }

    /// The pods of lower priority lose their nomination to the node (`getLowerPriorityNominatedPods`,
    /// `clearNominatedNodeName`); one that is in no queue has nothing that could be cleared.
    pub(super) fn clear_lower(&mut self, pod: &Pod, node: &str) {
        self.0.retain(|nomination| {
            nomination.node != node
                || nomination.rest.is_some()
                || priority(nomination.pod) >= priority(pod)
        });
    }
}
