//! What both resource scores read: requested and allocatable of some resources on a node.
//!
//! Follows `resource_allocation.go` in `pkg/scheduler/framework/plugins/noderesources` of v1.34.

use bayplan_api::{Pod, Quantity};

use crate::cluster::{Cluster, PodChange};
use crate::config::ResourceSpec;
use crate::framework::{Dependency, Rows, Score, Stale};
use crate::index_vec::{IndexVec, NodeIdx, ResourceId};
use crate::resource::{
    PodRequestsOptions, Resources, amount, is_scalar_resource_name, pod_requests,
};

/// One resource that is scored.
#[derive(Debug, Clone)]
struct Scored {
    /// Its place among the configured ones: weights go by place.
    at: usize,
    /// Its column.
    resource: ResourceId,
    /// What the pod requests of it.
    request: i64,
}

/// Scores each row by what is requested there, with the pod, of what it can give.
#[derive(Debug)]
pub(super) struct AllocationScore<S> {
    scored: Vec<Scored>,
    configured: usize,
    /// Whether cpu and memory count as requested (`useRequested`) or with the scores' assumptions.
    use_requested: bool,
    scorer: S,
}

/// From requested and allocatable, by configured resource, to a score; an allocatable of 0 is to be passed over.
pub(super) trait Scorer: std::fmt::Debug + Send + Sync {
    fn score(&self, requested: &[i64], allocatable: &[i64]) -> i64;
}

/// `calculatePodResourceRequestList`: what the pod requests of each configured resource.
pub(super) fn pod_request_list(
    pod: &Pod,
    resources: &[ResourceSpec],
    options: PodRequestsOptions,
) -> Vec<i64> {
    let requests = pod_requests(pod, options);
    let request = |name: &str| requests.get(name).map_or(0, |q: &Quantity| amount(name, q));
    resources.iter().map(|resource| request(&resource.name)).collect()
}

impl<S: Scorer> AllocationScore<S> {
    pub(super) fn new(
        cluster: &Cluster,
        resources: &[ResourceSpec],
        requests: &[i64],
        use_requested: bool,
        scorer: S,
    ) -> Self {
        let scored = resources
            .iter()
            .zip(requests)
            .enumerate()
            // A scalar resource that the pod does not request is passed over.
            .filter(|(_, (spec, request))| **request != 0 || !is_scalar_resource_name(&spec.name))
            .filter_map(|(at, (spec, &request))| {
                let resource = cluster.resources().find(&spec.name)?;
                Some(Scored { at, resource, request })
            })
            .collect();
        Self { scored, configured: resources.len(), use_requested, scorer }
    }

    fn requested(&self, cluster: &Cluster, node: NodeIdx, resource: ResourceId) -> i64 {
        let nodes = cluster.nodes();
        if !self.use_requested && resource == Resources::cpu() {
            nodes.non_zero_milli_cpu[node]
        } else if !self.use_requested && resource == Resources::memory() {
            nodes.non_zero_memory[node]
        } else {
            nodes.resource(resource).requested[node]
        }
    }
}

impl<S: Scorer> Score for AllocationScore<S> {
    fn depends_on(&self) -> Dependency {
        Dependency::Row
    }

    fn score(&self, cluster: &Cluster, rows: Rows<'_>, scores: &mut IndexVec<NodeIdx, i64>) {
        let mut requested = vec![0; self.configured];
        let mut allocatable = vec![0; self.configured];
        rows.each(cluster.nodes().row_count(), |node| {
            for &Scored { at, resource, request } in &self.scored {
                let capacity = cluster.nodes().resource(resource).allocatable[node];
                let used = self.requested(cluster, node, resource);
                if let (Some(a), Some(r)) = (allocatable.get_mut(at), requested.get_mut(at)) {
                    *a = capacity;
                    *r = if capacity == 0 { 0 } else { used.wrapping_add(request) };
                }
            }
            scores[node] = self.scorer.score(&requested, &allocatable);
        });
    }

    fn pod_changed(&mut self, _cluster: &Cluster, _change: &PodChange) -> Stale {
        Stale::Row
    }
}
