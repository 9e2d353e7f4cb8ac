//! The queue: which pending pod comes next.
//!
//! Follows `pkg/scheduler/backend/queue` of v1.34, without its clock: every pod is attempted once.

use crate::cluster::Cluster;
use crate::index_vec::PodIdx;
use crate::scheduler::{Scheduler, is_pending};

/// The pending pods for which there is a profile, sorted by QueueSort, then in the order in which they came.
pub(crate) fn pending(scheduler: &Scheduler, cluster: &Cluster) -> Vec<PodIdx> {
    let template = |pod: PodIdx| cluster.template(cluster.pods()[pod].template);
    let mut pods: Vec<PodIdx> = cluster
        .pods()
        .indices()
        .filter(|&pod| is_pending(cluster, pod))
        .filter(|&pod| scheduler.profile(&template(pod).pod.spec.scheduler_name).is_some())
        .collect();
    let sort = scheduler.profiles().next().and_then(|profile| profile.queue_sort.as_deref());
    if let Some(sort) = sort.and_then(|plugin| plugin.queue_sort()) {
        pods.sort_by(|&a, &b| sort.compare(template(a), template(b)));
    }
    pods
}
