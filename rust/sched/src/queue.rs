//! The queue: which pending pod comes next.
//!
//! Follows `pkg/scheduler/backend/queue` of v1.34, without its clock: every pod is attempted once.

use crate::cluster::Cluster;
use crate::index_vec::{Idx, PodIdx, TemplateId};
use crate::scheduler::Scheduler;

/// The pending pods for which there is a profile, sorted by QueueSort, then in the order in which they came.
///
/// QueueSort looks at templates, so that templates are sorted and pods only counted.
pub(crate) fn pending(scheduler: &Scheduler, cluster: &Cluster) -> Vec<PodIdx> {
    let mut ranks: Vec<Option<u32>> = Vec::new();
    let mut templates: Vec<TemplateId> = Vec::new();
    let mut pods: Vec<PodIdx> = Vec::new();
    for pod in cluster.waiting() {
        let template = cluster.pods()[pod].template;
        if ranks.len() <= template.index() {
            ranks.resize(template.index() + 1, None);
        }
        let Some(rank) = ranks.get_mut(template.index()) else { continue };
        if rank.is_none() {
            let name = &cluster.template(template).pod.spec.scheduler_name;
            let known = scheduler.profile(name).is_some();
            *rank = Some(if known { 0 } else { u32::MAX });
            if known {
                templates.push(template);
            }
        }
        if *rank == Some(0) {
            pods.push(pod);
        }
    }
    let sort = scheduler.profiles().next().and_then(|profile| profile.queue_sort.as_deref());
    let Some(sort) = sort.and_then(|plugin| plugin.queue_sort()) else { return pods };
    let compare =
        |&a: &TemplateId, &b: &TemplateId| sort.compare(cluster.template(a), cluster.template(b));
    templates.sort_by(compare);
    let mut next = 0;
    for templates in templates.chunk_by(|a, b| compare(a, b).is_eq()) {
        for template in templates {
            if let Some(rank) = ranks.get_mut(template.index()) {
                *rank = Some(next);
            }
        }
        next += 1;
    }
    if next > 1 {
        let rank = |pod: &PodIdx| ranks.get(cluster.pods()[*pod].template.index()).copied();
        pods.sort_by_key(rank);
    }
    pods
}
