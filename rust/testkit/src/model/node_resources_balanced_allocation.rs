//! `NodeResourcesBalancedAllocation`: how evenly would the node's resources be used?
//!
//! Follows `plugins/noderesources/balanced_allocation.go` of v1.34.

use bayplan_api::Pod;

use super::node_resources_fit::{NonZero, allocatable_and_requested, request_of};
use super::resources::{PodResourcesOptions, pod_requests};
use super::{NodeInfo, go};

/// What the pod requests of each resource.
fn requests(pod: &Pod, resources: &[String]) -> Vec<i64> {
    let options =
        PodResourcesOptions { use_status_resources: true, ..PodResourcesOptions::default() };
    let requests = pod_requests(pod, &options);
    resources.iter().map(|name| request_of(&requests, name)).collect()
}

/// `PreScore`: a pod that requests none of the resources is not scored.
pub(super) fn is_best_effort(pod: &Pod, resources: &[String]) -> bool {
    requests(pod, resources).iter().all(|request| *request == 0)
}

pub(super) fn score(pod: &Pod, node: &NodeInfo<'_>, resources: &[String]) -> i64 {
    let mut fractions = Vec::new();
    for (name, request) in resources.iter().zip(requests(pod, resources)) {
        let (allocatable, requested) = allocatable_and_requested(node, name, request, NonZero::No);
        if allocatable != 0 {
            let fraction = go::float64(requested) / go::float64(allocatable);
            fractions.push(if fraction > 1.0 { 1.0 } else { fraction });
        }
    }
    let deviation = match fractions.as_slice() {
        [] | [_] => 0.0,
        [a, b] => f64::abs((a - b) / 2.0),
        _ => {
            let count = go::float64(go::len(&fractions));
            let mean = sum(fractions.iter().copied()) / count;
            (sum(fractions.iter().map(|fraction| (fraction - mean) * (fraction - mean))) / count)
                .sqrt()
        }
    };
    go::int64((1.0 - deviation) * 100.0)
}

/// The sum from left to right, from zero.
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |sum, value| sum + value)
}
