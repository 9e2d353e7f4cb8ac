//! What both resource scores read: requested and allocatable of some resources on a node.
//!
//! Follows `resource_allocation.go` in `pkg/scheduler/framework/plugins/noderesources` of v1.34.

use bayplan_api::{Pod, Quantity};

use crate::cluster::{Cluster, PodChange};
use crate::config::ResourceSpec;
use crate::framework::{Dependency, MAX_NODE_SCORE, Rows, Score, Stale};
use crate::go::len64;
use crate::index_vec::{Idx, IndexVec, NodeIdx, ResourceId};
use crate::kernels::{self, Amounts, Resource};
use crate::node_set::NodeSet;
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

    /// Adds the weighted scores to the sums of a block of rows that have both of the only two resources configured; `false`, and
    /// nothing is added, if the scorer has no such loop, or amounts are out of its range.
    fn add_pairs(&self, _both: [Resource<'_>; 2], _weight: i32, _sums: &mut [i32]) -> bool {
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

    /// The two resources, if just the first two are configured, and both are scored.
    fn pair(&self) -> Option<[&Scored; 2]> {
        let [first, second] = self.scored.as_slice() else { return None };
        ((first.at, second.at, self.configured) == (0, 1, 2)).then_some([first, second])
    }

    /// The columns of a resource.
    fn columns<'a>(&self, cluster: &'a Cluster, scored: &Scored) -> Amounts<'a> {
        Amounts {
            capacity: cluster.nodes().resource(scored.resource).allocatable.as_slice(),
            used: self.requested_column(cluster, scored.resource).as_slice(),
        }
    }

    /// Scores a block of some rows by the scorer's loop over pairs; `false` if it does not apply.
    fn score_some(&self, cluster: &Cluster, nodes: &[NodeIdx], scores: &mut [i64]) -> bool {
        let Some(pair) = self.pair() else { return false };
        let mut amounts = [[[0_i64; SOME]; 2]; 2];
        for (scored, [capacity, used]) in pair.into_iter().zip(&mut amounts) {
            let columns = self.columns(cluster, scored);
            for ((capacity, used), node) in capacity.iter_mut().zip(used).zip(nodes) {
                *capacity = columns.capacity.get(node.index()).copied().unwrap_or(0);
                *used = columns.used.get(node.index()).copied().unwrap_or(0);
            }
        }
        let mut sums = [0; SOME];
        let [of_first, of_second] = &amounts;
        let count = nodes.len();
        let both = [resource_of(pair[0], of_first, count), resource_of(pair[1], of_second, count)];
        let sums = &mut sums[..count];
        if !self.scorer.add_pairs(both, 1, sums) {
            return false;
        }
        for (score, &sum) in scores.iter_mut().zip(&*sums) {
            *score = i64::from(sum);
        }
        true
    }
}

/// How many rows are gathered at once.
const SOME: usize = kernels::ROWS;
/// Fewer rows than this are scored one by one.
const FEW: usize = 8;

/// The first rows of a resource.
fn resource_of<'a>(
    scored: &Scored,
    [capacity, used]: &'a [[i64; SOME]; 2],
    rows: usize,
) -> Resource<'a> {
    let amounts = Amounts { capacity: &capacity[..rows], used: &used[..rows] };
    Resource { amounts, request: scored.request }
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
        for (nodes, scores) in nodes.chunks(SOME).zip(scores.chunks_mut(SOME)) {
            if nodes.len() < FEW || !self.score_some(cluster, nodes, scores) {
                for (score, &node) in scores.iter_mut().zip(nodes) {
                    *score = self.raw(cluster, node);
                }
            }
        }
    }

    fn add_to(&self, cluster: &Cluster, _nodes: &NodeSet, weight: i32, sums: &mut [i32]) -> bool {
        let pair = self.pair().map(|pair| pair.map(|it| (self.columns(cluster, it), it.request)));
        let mut in_range = true;
        for (at, sums) in sums.chunks_mut(kernels::ROWS).enumerate() {
            let from = at * kernels::ROWS;
            if kernels::greatest(sums) < 0 {
                continue;
            }
            let rows = from..from + sums.len();
            let both = pair.and_then(|pair| {
                let [first, second] = pair.map(|(columns, request)| {
                    let capacity = columns.capacity.get(rows.clone())?;
                    let used = columns.used.get(rows.clone())?;
                    Some(Resource { amounts: Amounts { capacity, used }, request })
                });
                Some([first?, second?])
            });
            if both.is_some_and(|both| self.scorer.add_pairs(both, weight, sums)) {
                continue;
            }
            for (row, sum) in rows.zip(sums).filter(|(_, sum)| **sum >= 0) {
                let score = self.raw(cluster, NodeIdx::from_index(row));
                in_range &= (0..=MAX_NODE_SCORE).contains(&score);
                *sum = sum.wrapping_add(i32::try_from(score).unwrap_or(0).wrapping_mul(weight));
            }
        }
        in_range
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

    use super::{Amounts, Resource, Scorer};
    use crate::kernels::{self, MAX_EXACT};

    /// Capacity and use of two resources on a block of rows, small and as great as loops over pairs take; sometimes a row lacks one.
    pub(crate) fn rows() -> impl Strategy<Value = Vec<[i64; 4]>> {
        let amount = prop_oneof![1_i64..60, 1..=MAX_EXACT - REQUEST];
        let used = prop_oneof![0_i64..60, 0..=MAX_EXACT - REQUEST];
        let row = [amount.clone(), used.clone(), amount, used];
        let lacking =
            proptest::option::weighted(0.1, (0..64_usize, prop_oneof![Just(0_usize), Just(2)]));
        (proptest::collection::vec(row, 0..=kernels::ROWS), lacking).prop_map(
            |(mut rows, lacking)| {
                if let Some((row, at)) = lacking
                    && let Some(row) = rows.get_mut(row)
                {
                    row[at] = 0;
                }
                rows
            },
        )
    }

    /// What a pod requests, at most.
    pub(crate) const REQUEST: i64 = 100;

    /// The scorer's loop over pairs adds what the scorer says one by one, or nothing where a resource is missing.
    pub(crate) fn pairs_agree(
        scorer: &impl Scorer,
        rows: &[[i64; 4]],
        request: i64,
    ) -> Result<(), TestCaseError> {
        let column = |at: usize| rows.iter().filter_map(|row| row.get(at).copied()).collect();
        let columns: [Vec<i64>; 4] = [0, 1, 2, 3].map(column);
        let [capacity_1, used_1, capacity_2, used_2] = &columns;
        let resource = |capacity, used| Resource { amounts: Amounts { capacity, used }, request };
        let both = [resource(capacity_1, used_1), resource(capacity_2, used_2)];
        let mut sums = vec![7; rows.len()];
        let lacking =
            rows.iter().any(|&[capacity_1, _, capacity_2, _]| capacity_1 == 0 || capacity_2 == 0);
        prop_assert_eq!(scorer.add_pairs(both, 3, &mut sums), !lacking);
        for (&[capacity_1, used_1, capacity_2, used_2], sum) in rows.iter().zip(sums) {
            let resources = [(used_1 + request, capacity_1), (used_2 + request, capacity_2)];
            let score = if lacking { 0 } else { scorer.score(&resources) };
            prop_assert_eq!(i64::from(sum), 7 + 3 * score, "{:?}", resources);
        }
        Ok(())
    }
}
