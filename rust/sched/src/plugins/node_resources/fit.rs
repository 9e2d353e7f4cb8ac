//! `NodeResourcesFit`: does the node have what the pod requests?
//!
//! | extension point | what it does |
//! |---|---|
//! | Filter | rejects nodes with too many pods or too little of a resource that the pod requests |
//! | Score | by the strategy: `LeastAllocated`, `MostAllocated` or `RequestedToCapacityRatio` |
//!
//! Follows `fit.go`, `least_allocated.go`, `most_allocated.go` and `requested_to_capacity_ratio.go` in
//! `pkg/scheduler/framework/plugins/noderesources` of v1.34.

use std::sync::Arc;

use super::allocation::{AllocationScore, Scorer, pod_request_list};
use crate::cluster::{Cluster, PodChange, PodInfo};
use crate::config::{
    NodeResourcesFitArgs, ResourceSpec, ScoringStrategyType, UtilizationShapePoint,
};
use crate::framework::{
    Code, Dependency, Filter, FilterPlugin, MAX_NODE_SCORE, Plugin, PreFilter, PreScore, Reason,
    Rows, ScorePlugin, Stale, Status, Verdicts,
};
use crate::go::{div, float64, int64, len64};
use crate::index_vec::{Idx, NodeIdx, ResourceId};
use crate::kernels::{self, Amounts, Resource};
use crate::resource::{Assumed, PodRequestsOptions, is_extended_resource_name};

/// The plugin.
#[derive(Debug)]
pub struct Fit {
    args: NodeResourcesFitArgs,
}

/// Its name.
pub const NAME: &str = "NodeResourcesFit";
const ERR_REASON_PODS: &str = "Too many pods";

/// `config.MaxCustomPriorityScore`: what a shape's scores go up to.
const MAX_CUSTOM_PRIORITY_SCORE: i64 = 10;
const MAX_UTILIZATION: i64 = 100;

impl Fit {
    /// The plugin with its arguments.
    pub const fn new(args: NodeResourcesFitArgs) -> Self {
        Self { args }
    }

    /// Whether the profile tells the filter to pass over the resource.
    fn is_ignored(&self, name: &str) -> bool {
        let group = name.split_once('/').map_or(name, |(group, _)| group);
        is_extended_resource_name(name)
            && (self.args.ignored_resources.iter().any(|ignored| ignored == name)
                || self.args.ignored_resource_groups.iter().any(|ignored| ignored == group))
    }
}

impl Plugin for Fit {
    fn name(&self) -> &str {
        NAME
    }

    fn filter(&self) -> Option<&dyn FilterPlugin> {
        Some(self)
    }

    fn score(&self) -> Option<&dyn ScorePlugin> {
        Some(self)
    }
}

impl FilterPlugin for Fit {
    fn pre_filter(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreFilter, Status> {
        let resources = cluster.resources();
        let mut needs: Vec<Need> = pod
            .amounts
            .incoming
            .iter()
            .map(|&(resource, amount)| (resources.name(resource), resource, amount))
            .filter(|&(name, _, amount)| amount > 0 && !self.is_ignored(name))
            .map(|(name, resource, amount)| Need {
                resource,
                amount,
                reason: format!("Insufficient {name}").into(),
            })
            .collect();
        // cpu, memory, ephemeral-storage, then scalar resources by name.
        needs.sort_by(|a, b| {
            let place = |need: &Need| need.resource.min(ResourceId::SCALAR);
            place(a).cmp(&place(b)).then_with(|| a.reason.cmp(&b.reason))
        });
        Ok(PreFilter::run(FitFilter { needs }))
    }
}

#[derive(Debug, Clone)]
struct Need {
    resource: ResourceId,
    amount: i64,
    reason: Reason,
}

#[derive(Debug, Clone)]
struct FitFilter {
    needs: Vec<Need>,
}

impl FitFilter {
    fn is_short(cluster: &Cluster, node: NodeIdx, need: &Need) -> bool {
        let column = cluster.nodes().resource(need.resource);
        need.amount > column.allocatable[node].wrapping_sub(column.requested[node])
    }

    fn too_many_pods(cluster: &Cluster, node: NodeIdx) -> bool {
        cluster.nodes().pod_count[node] + 1 > cluster.nodes().allowed_pods[node]
    }

    /// All that the node lacks.
    fn status(&self, cluster: &Cluster, node: NodeIdx) -> Status {
        let mut status = Status { code: Code::Unschedulable, reasons: Vec::new() };
        if Self::too_many_pods(cluster, node) {
            status.reasons.push(ERR_REASON_PODS.into());
        }
        for need in &self.needs {
            if Self::is_short(cluster, node, need) {
                status.reasons.push(need.reason.clone());
                if need.amount > cluster.nodes().resource(need.resource).allocatable[node] {
                    status.code = Code::UnschedulableAndUnresolvable;
                }
            }
        }
        status
    }
}

impl Filter for FitFilter {
    fn depends_on(&self) -> Dependency {
        Dependency::Row
    }

    fn filter(&self, cluster: &Cluster, rows: Rows<'_>, verdicts: &mut Verdicts) {
        rows.each(cluster.nodes().row_count(), |node| {
            if self.fits(cluster, node) {
                verdicts.pass(node);
            } else {
                let status = verdicts.status(self.status(cluster, node));
                verdicts.reject(node, status);
            }
        });
    }

    fn fits(&self, cluster: &Cluster, node: NodeIdx) -> bool {
        !Self::too_many_pods(cluster, node)
            && !self.needs.iter().any(|need| Self::is_short(cluster, node, need))
    }

    fn fit(&self, cluster: &Cluster, nodes: &[NodeIdx], fits: &mut [bool]) {
        let columns = cluster.nodes();
        for (fits, &node) in fits.iter_mut().zip(nodes) {
            *fits &= columns.pod_count[node] < columns.allowed_pods[node];
        }
        for need in &self.needs {
            let column = columns.resource(need.resource);
            let (allocatable, requested) = (&column.allocatable, &column.requested);
            for (fits, &node) in fits.iter_mut().zip(nodes) {
                *fits &= need.amount <= allocatable[node].wrapping_sub(requested[node]);
            }
        }
    }

    fn bar(&self, cluster: &Cluster, unfit: i32, sums: &mut [i32]) {
        let nodes = cluster.nodes();
        let pods =
            Amounts { capacity: nodes.allowed_pods.as_slice(), used: nodes.pod_count.as_slice() };
        kernels::bar_full(pods, unfit, sums);
        for need in &self.needs {
            let column = nodes.resource(need.resource);
            let (capacity, used) = (column.allocatable.as_slice(), column.requested.as_slice());
            kernels::bar_short(Amounts { capacity, used }, need.amount, unfit, sums);
        }
    }

    fn shape(&self, shape: &mut Vec<i64>) -> bool {
        for need in &self.needs {
            shape.extend([len64(need.resource.index()), need.amount]);
        }
        true
    }

    fn pod_changed(&mut self, _cluster: &Cluster, _change: &PodChange) -> Stale {
        Stale::Row
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

impl ScorePlugin for Fit {
    fn pre_score(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreScore, String> {
        let strategy = &self.args.scoring_strategy;
        // v1.34 neither counts pod-level resources here nor what the kubelet reports.
        let options =
            PodRequestsOptions { use_status: false, pod_level: false, assumed: Assumed::BOTH };
        let resources = &strategy.resources;
        if resources.is_empty() {
            return Err("resources not found".to_owned());
        }
        let requests = pod_request_list(&pod.pod, resources, options);
        let weights = resources.iter().map(|resource: &ResourceSpec| resource.weight).collect();
        let scorer = FitScorer { strategy: strategy.strategy.clone(), weights };
        Ok(PreScore::run(AllocationScore::new(cluster, resources, &requests, false, scorer)))
    }
}

#[derive(Debug, Clone)]
struct FitScorer {
    strategy: ScoringStrategyType,
    weights: Vec<i64>,
}

impl Scorer for FitScorer {
    fn score(&self, resources: &[(i64, i64)]) -> i64 {
        let resources = resources
            .iter()
            .zip(&self.weights)
            .filter(|((_, allocatable), _)| *allocatable != 0)
            .map(|(&(requested, allocatable), &weight)| (requested, allocatable, weight));
        let (mut score, mut weights) = (0_i64, 0_i64);
        match &self.strategy {
            ScoringStrategyType::RequestedToCapacityRatio { shape } => {
                for (requested, allocatable, weight) in resources {
                    let of_resource = ratio_score(shape, requested, allocatable);
                    if of_resource > 0 {
                        score = score.wrapping_add(of_resource.wrapping_mul(weight));
                        weights = weights.wrapping_add(weight);
                    }
                }
                if weights == 0 { 0 } else { int64((float64(score) / float64(weights)).round()) }
            }
            strategy => {
                let one = if *strategy == ScoringStrategyType::LeastAllocated {
                    least_requested_score
                } else {
                    most_requested_score
                };
                for (requested, allocatable, weight) in resources {
                    score = score.wrapping_add(one(requested, allocatable).wrapping_mul(weight));
                    weights = weights.wrapping_add(weight);
                }
                div(score, weights)
            }
        }
    }

    fn add_pairs(&self, both: [Resource<'_>; 2], weight: i32, sums: &mut [i32]) -> bool {
        let most = match &self.strategy {
            ScoringStrategyType::LeastAllocated => false,
            ScoringStrategyType::MostAllocated => true,
            ScoringStrategyType::RequestedToCapacityRatio { .. } => return false,
        };
        // Resources that weigh alike are what profiles mostly have; no weight at all is none of that.
        let alike =
            matches!(*self.weights.as_slice(), [first @ 1..=1000, second] if first == second);
        alike && kernels::add_allocation_scores(both, most, weight, sums)
    }
}

fn least_requested_score(requested: i64, capacity: i64) -> i64 {
    if requested > capacity {
        return 0;
    }
    div(capacity.wrapping_sub(requested).wrapping_mul(MAX_NODE_SCORE), capacity)
}

fn most_requested_score(requested: i64, capacity: i64) -> i64 {
    div(requested.min(capacity).wrapping_mul(MAX_NODE_SCORE), capacity)
}

fn ratio_score(shape: &[UtilizationShapePoint], requested: i64, capacity: i64) -> i64 {
    if requested > capacity {
        broken_linear(shape, MAX_UTILIZATION)
    } else {
        broken_linear(shape, div(requested.wrapping_mul(MAX_UTILIZATION), capacity))
    }
}

/// `helper.BuildBrokenLinearFunction`, with the shape's scores scaled to 100.
fn broken_linear(shape: &[UtilizationShapePoint], utilization: i64) -> i64 {
    let scale = MAX_NODE_SCORE / MAX_CUSTOM_PRIORITY_SCORE;
    let point = |point: &UtilizationShapePoint| {
        (i64::from(point.utilization), i64::from(point.score) * scale)
    };
    let mut before: Option<(i64, i64)> = None;
    for (at, score) in shape.iter().map(point) {
        if utilization <= at {
            return match before {
                None => score,
                Some((from, low)) => low + div((score - low) * (utilization - from), at - from),
            };
        }
        before = Some((at, score));
    }
    before.map_or(0, |(_, score)| score)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::allocation::tests::{REQUEST, pairs_agree, rows};
    use super::*;

    proptest! {
        #[test]
        fn pairs_are_scored_as_one_by_one(
            rows in rows(), weight in 1_i64..=100, most: bool, request in 0..=REQUEST,
        ) {
            let strategy = if most {
                ScoringStrategyType::MostAllocated
            } else {
                ScoringStrategyType::LeastAllocated
            };
            pairs_agree(&FitScorer { strategy, weights: vec![weight; 2] }, &rows, request)?;
        }
    }
}
