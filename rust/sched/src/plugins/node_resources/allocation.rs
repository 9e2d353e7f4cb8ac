//! What both resource scores read: requested and allocatable of some resources on a node.
//!
//! Follows `resource_allocation.go` in `pkg/scheduler/framework/plugins/noderesources` of v1.34.

use bayplan_api::{Pod, Quantity};

use crate::cluster::{Cluster, PodChange};
use crate::config::ResourceSpec;
use crate::framework::{Dependency, Rows, Score, Stale};
use crate::go::len64;
use crate::index_vec::{Idx, IndexVec, NodeIdx, ResourceId};
use crate::kernels::Resource;
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
#[derive(Debug, Clone)]
pub(super) struct AllocationScore<S> {
    scored: Vec<Scored>,
    configured: usize,
    /// Whether cpu and memory count as requested (`useRequested`) or with the scores' assumptions.
    use_requested: bool,
    scorer: S,
}

/// From requested and allocatable of each configured resource to a score; an allocatable of 0 is to be passed over.
pub(super) trait Scorer: std::fmt::Debug + Clone + Send + Sync + 'static {
    fn score(&self, resources: &[(i64, i64)]) -> i64;

    /// The same for many rows at once with just the first two resources configured, all amounts from 0 to [`MAX_EXACT`]; `false` if
    /// the scorer has no such loop.
    fn score_pairs(&self, _first: Amounts<'_>, _second: Amounts<'_>, _scores: &mut [i64]) -> bool {
        false
    }
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

    /// Requested and allocatable of each configured resource on a row.
    fn read(&self, cluster: &Cluster, node: NodeIdx, both: &mut [(i64, i64)]) {
        for &Scored { at, resource, request } in &self.scored {
            let capacity = cluster.nodes().resource(resource).allocatable[node];
            let used = self.requested(cluster, node, resource);
            if let Some(both) = both.get_mut(at) {
                let requested = if capacity == 0 { 0 } else { used.wrapping_add(request) };
                *both = (requested, capacity);
            }
        }
    }

    fn requested(&self, cluster: &Cluster, node: NodeIdx, resource: ResourceId) -> i64 {
        self.requested_column(cluster, resource)[node]
    }

    fn requested_column<'a>(
        &self,
        cluster: &'a Cluster,
        resource: ResourceId,
    ) -> &'a IndexVec<NodeIdx, i64> {
        let nodes = cluster.nodes();
        if !self.use_requested && resource == Resources::cpu() {
            &nodes.non_zero_milli_cpu
        } else if !self.use_requested && resource == Resources::memory() {
            &nodes.non_zero_memory
        } else {
            &nodes.resource(resource).requested
        }
    }

    /// Scores a block of rows by the scorer's loop over pairs; `false` if it does not apply.
    fn score_block(&self, cluster: &Cluster, nodes: &[NodeIdx], scores: &mut [i64]) -> bool {
        let [first, second] = self.scored.as_slice() else { return false };
        if (first.at, second.at, self.configured) != (0, 1, 2) {
            return false;
        }
        let mut amounts = [[0_i64; BLOCK]; 4];
        let [capacity_1, requested_1, capacity_2, requested_2] = &mut amounts;
        let first = self.read_block(cluster, first, nodes, capacity_1, requested_1);
        let second = self.read_block(cluster, second, nodes, capacity_2, requested_2);
        match (first, second) {
            (Some(first), Some(second)) => self.scorer.score_pairs(first, second, scores),
            _ => false,
        }
    }

    /// The amounts of one resource on a block of rows; `None` if one is out of range.
    fn read_block<'a>(
        &self,
        cluster: &Cluster,
        scored: &Scored,
        nodes: &[NodeIdx],
        capacity: &'a mut [i64; BLOCK],
        requested: &'a mut [i64; BLOCK],
    ) -> Option<Amounts<'a>> {
        let allocatable = &cluster.nodes().resource(scored.resource).allocatable;
        let used = self.requested_column(cluster, scored.resource);
        let mut all = 0;
        let places = capacity.iter_mut().zip(requested.iter_mut()).zip(nodes);
        if let (Some(from), Some(to)) = (nodes.first(), nodes.last())
            && nodes.iter().enumerate().all(|(at, node)| node.index() == from.index() + at)
        {
            let rows = from.index()..=to.index();
            let columns = allocatable.as_slice().get(rows.clone())?;
            let columns = columns.iter().zip(used.as_slice().get(rows)?);
            for (((capacity, requested), _), (&has, &used)) in places.zip(columns) {
                *capacity = has;
                *requested = used.wrapping_add(scored.request);
                all |= *capacity | *requested;
            }
        } else {
            for ((capacity, requested), &node) in places {
                *capacity = allocatable[node];
                *requested = used[node].wrapping_add(scored.request);
                all |= *capacity | *requested;
            }
        }
        (0..=MAX_EXACT).contains(&all).then_some(())?;
        Some(Amounts {
            capacity: capacity.get(..nodes.len())?,
            requested: requested.get(..nodes.len())?,
        })
    }
}

/// How many rows are scored at once.
const BLOCK: usize = 64;
/// Amounts up to which a hundredfold is exact in floating point: with both operands below 2⁵³, the quotient of two integers in
/// floating point, truncated, is that of the integers.
pub(super) const MAX_EXACT: i64 = (1 << 45) - 1;

/// Capacity and what would be requested of a resource on some rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Amounts<'a> {
    capacity: &'a [i64],
    requested: &'a [i64],
}

impl<'a> Amounts<'a> {
    /// The same for a kernel.
    pub(super) const fn weighing(self, weight: i64) -> Resource<'a> {
        Resource { capacity: self.capacity, requested: self.requested, weight }
    }
}

impl<S: Scorer> Score for AllocationScore<S> {
    fn depends_on(&self) -> Dependency {
        Dependency::Row
    }

    fn raw(&self, cluster: &Cluster, node: NodeIdx) -> i64 {
        let mut few = [(0, 0); 4];
        let mut many;
        let both = if self.configured <= few.len() {
            &mut few[..self.configured]
        } else {
            many = vec![(0, 0); self.configured];
            many.as_mut_slice()
        };
        self.read(cluster, node, both);
        self.scorer.score(both)
    }

    fn score(&self, cluster: &Cluster, rows: Rows<'_>, scores: &mut IndexVec<NodeIdx, i64>) {
        let mut both = vec![(0, 0); self.configured];
        rows.each(cluster.nodes().row_count(), |node| {
            self.read(cluster, node, &mut both);
            scores[node] = self.scorer.score(&both);
        });
    }

    fn raws(&self, cluster: &Cluster, nodes: &[NodeIdx], scores: &mut [i64]) {
        for (nodes, scores) in nodes.chunks(BLOCK).zip(scores.chunks_mut(BLOCK)) {
            if !self.score_block(cluster, nodes, scores) {
                for (score, &node) in scores.iter_mut().zip(nodes) {
                    *score = self.raw(cluster, node);
                }
            }
        }
    }

    fn shape(&self, shape: &mut Vec<i64>) -> bool {
        for scored in &self.scored {
            shape.extend([len64(scored.resource.index()), scored.request]);
        }
        true
    }

    fn pod_changed(&mut self, _cluster: &Cluster, _change: &PodChange) -> Stale {
        Stale::Row
    }

    fn boxed_clone(&self) -> Box<dyn Score> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::{Amounts, Scorer};

    /// Capacity and request of two resources on some rows, small and as great as loops over pairs take.
    pub(crate) fn rows() -> impl Strategy<Value = Vec<[i64; 4]>> {
        let amount = prop_oneof![0_i64..60, Just(0), 0..=super::MAX_EXACT];
        proptest::collection::vec([amount.clone(), amount.clone(), amount.clone(), amount], 0..100)
    }

    /// The scorer's loop over pairs scores as the scorer does one by one.
    pub(crate) fn pairs_agree(
        scorer: &impl Scorer,
        rows: &[[i64; 4]],
    ) -> Result<(), TestCaseError> {
        let column = |at: usize| rows.iter().filter_map(|row| row.get(at).copied()).collect();
        let columns: [Vec<i64>; 4] = [0, 1, 2, 3].map(column);
        let [capacity_1, requested_1, capacity_2, requested_2] = &columns;
        let first = Amounts { capacity: capacity_1, requested: requested_1 };
        let second = Amounts { capacity: capacity_2, requested: requested_2 };
        let mut scores = vec![0; rows.len()];
        prop_assert!(scorer.score_pairs(first, second, &mut scores));
        for (&[capacity_1, requested_1, capacity_2, requested_2], score) in rows.iter().zip(scores)
        {
            // nothing is read of a resource that the node lacks
            let read = |capacity, requested| (if capacity == 0 { 0 } else { requested }, capacity);
            let resources = [read(capacity_1, requested_1), read(capacity_2, requested_2)];
            prop_assert_eq!(score, scorer.score(&resources), "{:?}", resources);
        }
        Ok(())
    }
}
