//! `NodeResourcesFit`: has the node room for what the pod requests?
//!
//! Follows `plugins/noderesources/{fit,resource_allocation,least_allocated,most_allocated,`
//! `requested_to_capacity_ratio}.go` and `plugins/helper/shape_score.go` of v1.34.

use bayplan_api::Pod;

use super::resources::{
    PodResourcesOptions, Requests, Resource, default_container_requests, is_extended_resource_name,
    is_scalar_resource_name, pod_requests,
};
use super::{Code, FitArgs, NodeInfo, Rejection, ScoringStrategy, go};

pub(super) fn filter(pod: &Pod, node: &NodeInfo<'_>, args: &FitArgs) -> Result<(), Rejection> {
    let request = Resource::max_of(&pod_requests(pod, &PodResourcesOptions::default()));
    let allocatable = node.allocatable();
    let requested = node.requested().actual;

    let mut reasons = Vec::new();
    let mut code = Code::Unschedulable;
    if go::len(&node.pods) + 1 > allocatable.allowed_pod_number {
        reasons.push("Too many pods".to_owned());
    }
    let mut check = |name: &str, wanted: i64, allocatable: i64, requested: i64| {
        if wanted > 0 && wanted > allocatable.wrapping_sub(requested) {
            reasons.push(format!("Insufficient {name}"));
            if wanted > allocatable {
                code = Code::UnschedulableAndUnresolvable;
            }
        }
    };
    check("cpu", request.milli_cpu, allocatable.milli_cpu, requested.milli_cpu);
    check("memory", request.memory, allocatable.memory, requested.memory);
    check(
        "ephemeral-storage",
        request.ephemeral_storage,
        allocatable.ephemeral_storage,
        requested.ephemeral_storage,
    );
    for (name, wanted) in &request.scalar {
        if !is_ignored(name, args) {
            check(name, *wanted, allocatable.scalar(name), requested.scalar(name));
        }
    }
    if reasons.is_empty() { Ok(()) } else { Err(Rejection { code, reasons }) }
}

fn is_ignored(name: &str, args: &FitArgs) -> bool {
    let group = name.split('/').next().unwrap_or_default();
    is_extended_resource_name(name)
        && (args.ignored_resources.contains(name) || args.ignored_resource_groups.contains(group))
}

pub(super) fn score(pod: &Pod, node: &NodeInfo<'_>, args: &FitArgs) -> i64 {
    // v1.34 leaves both options off here: neither the status nor pod-level resources count.
    let options = PodResourcesOptions {
        use_status_resources: false,
        skip_pod_level_resources: true,
        non_missing_container_requests: default_container_requests(),
    };
    let requests = pod_requests(pod, &options);

    let mut node_score = 0_i64;
    let mut weight_sum = 0_i64;
    for (name, weight) in &args.resources {
        let own = request_of(&requests, name);
        let (allocatable, requested) = allocatable_and_requested(node, name, own, NonZero::Yes);
        if allocatable == 0 {
            continue;
        }
        let score = match &args.strategy {
            ScoringStrategy::LeastAllocated => least_requested_score(requested, allocatable),
            ScoringStrategy::MostAllocated => most_requested_score(requested, allocatable),
            ScoringStrategy::RequestedToCapacityRatio(shape) => {
                let score = ratio_score(requested, allocatable, shape);
                if score <= 0 {
                    continue;
                }
                score
            }
        };
        node_score = node_score.wrapping_add(score.wrapping_mul(*weight));
        weight_sum = weight_sum.wrapping_add(*weight);
    }
    if weight_sum == 0 {
        return 0;
    }
    match args.strategy {
        ScoringStrategy::LeastAllocated | ScoringStrategy::MostAllocated => node_score / weight_sum,
        ScoringStrategy::RequestedToCapacityRatio(_) => {
            go::int64((go::float64(node_score) / go::float64(weight_sum)).round())
        }
    }
}

/// Whether containers that do not say count with 100m and 200Mi.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NonZero {
    Yes,
    No,
}

/// The pod's request of a resource: milli for cpu, whole for all others.
pub(super) fn request_of(requests: &Requests, name: &str) -> i64 {
    match requests.get(name) {
        None => 0,
        Some(quantity) if name == "cpu" => quantity.milli_value(),
        Some(quantity) => quantity.value(),
    }
}

/// `calculateResourceAllocatableRequest`: what the node has, and what would be requested of it.
pub(super) fn allocatable_and_requested(
    node: &NodeInfo<'_>,
    name: &str,
    pod_request: i64,
    non_zero: NonZero,
) -> (i64, i64) {
    // A scalar resource that the pod does not ask for is passed over.
    if pod_request == 0 && is_scalar_resource_name(name) {
        return (0, 0);
    }
    let allocatable = node.allocatable();
    let requested = node.requested();
    let (allocatable, requested) = match (name, non_zero) {
        ("cpu", NonZero::Yes) => (allocatable.milli_cpu, requested.non_zero_milli_cpu),
        ("cpu", NonZero::No) => (allocatable.milli_cpu, requested.actual.milli_cpu),
        ("memory", NonZero::Yes) => (allocatable.memory, requested.non_zero_memory),
        ("memory", NonZero::No) => (allocatable.memory, requested.actual.memory),
        ("ephemeral-storage", _) => {
            (allocatable.ephemeral_storage, requested.actual.ephemeral_storage)
        }
        _ => (allocatable.scalar(name), requested.actual.scalar(name)),
    };
    if allocatable == 0 { (0, 0) } else { (allocatable, requested.wrapping_add(pod_request)) }
}

fn least_requested_score(requested: i64, capacity: i64) -> i64 {
    if requested > capacity {
        return 0;
    }
    capacity.wrapping_sub(requested).wrapping_mul(100).wrapping_div(capacity)
}

fn most_requested_score(requested: i64, capacity: i64) -> i64 {
    requested.min(capacity).wrapping_mul(100).wrapping_div(capacity)
}

fn ratio_score(requested: i64, capacity: i64, shape: &[(i64, i64)]) -> i64 {
    let utilization =
        if requested > capacity { 100 } else { requested.wrapping_mul(100).wrapping_div(capacity) };
    broken_linear(shape, utilization)
}

/// `helper.BuildBrokenLinearFunction`, over scores of 0 to 10 brought to 0 to 100.
fn broken_linear(shape: &[(i64, i64)], utilization: i64) -> i64 {
    let mut before: Option<(i64, i64)> = None;
    for (at, score) in shape {
        let score = score * 10;
        if utilization <= *at {
            let Some((start, start_score)) = before else { return score };
            return start_score + (score - start_score) * (utilization - start) / (at - start);
        }
        before = Some((*at, score));
    }
    before.map_or(0, |(_, score)| score)
}
