//! `NodeResourcesBalancedAllocation`: are the node's resources used in equal measure?
//!
//! | extension point | what it does |
//! |---|---|
//! | PreScore | skips pods that request none of the resources |
//! | Score | 100 times one minus the standard deviation of the used fractions |
//!
//! Follows `pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go` of v1.34.

use std::sync::Arc;

use super::allocation::{AllocationScore, Scorer, pod_request_list};
use crate::cluster::{Cluster, PodInfo};
use crate::config::NodeResourcesBalancedAllocationArgs;
use crate::framework::{MAX_NODE_SCORE, Plugin, PreScore, ScorePlugin};
use crate::go::{float64, int64, len64};
use crate::kernels::{self, Resource};
use crate::resource::{Assumed, PodRequestsOptions};

/// The plugin.
#[derive(Debug)]
pub struct BalancedAllocation {
    args: NodeResourcesBalancedAllocationArgs,
}

/// Its name.
pub const NAME: &str = "NodeResourcesBalancedAllocation";

impl BalancedAllocation {
    /// The plugin with its arguments.
    pub const fn new(args: NodeResourcesBalancedAllocationArgs) -> Self {
        Self { args }
    }
}

impl Plugin for BalancedAllocation {
    fn name(&self) -> &str {
        NAME
    }

    fn score(&self) -> Option<&dyn ScorePlugin> {
        Some(self)
    }
}

impl ScorePlugin for BalancedAllocation {
    fn pre_score(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreScore, String> {
        let options =
            PodRequestsOptions { use_status: true, pod_level: true, assumed: Assumed::NOTHING };
        let requests = pod_request_list(&pod.pod, &self.args.resources, options);
        if requests.iter().all(|&request| request == 0) {
            return Ok(PreScore::Skip);
        }
        let resources = &self.args.resources;
        Ok(PreScore::run(AllocationScore::new(cluster, resources, &requests, true, Balance)))
    }
}

#[derive(Debug, Clone)]
struct Balance;

impl Scorer for Balance {
    /// `balancedResourceScorer`; additions in its order, since they are floating.
    fn score(&self, resources: &[(i64, i64)]) -> i64 {
        let fraction = |&(requested, allocatable): &(i64, i64)| {
            let fraction = float64(requested) / float64(allocatable);
            if fraction > 1.0 { 1.0 } else { fraction }
        };
        let fractions =
            || resources.iter().filter(|(_, allocatable)| *allocatable != 0).map(fraction);
        let count = fractions().count();
        let deviation = match count {
            0 | 1 => 0.0,
            2 => {
                let mut both = fractions();
                let (first, second) = (both.next().unwrap_or(0.0), both.next().unwrap_or(0.0));
                ((first - second) / 2.0).abs()
            }
            _ => {
                let n = float64(len64(count));
                let mean = fractions().fold(0.0, |sum, fraction| sum + fraction) / n;
                let square = |fraction: f64| (fraction - mean) * (fraction - mean);
                (fractions().fold(0.0, |sum, fraction| sum + square(fraction)) / n).sqrt()
            }
        };
        int64((1.0 - deviation) * float64(MAX_NODE_SCORE))
    }

    fn add_pairs(&self, both: [Resource<'_>; 2], weight: i32, sums: &mut [i32]) -> bool {
        kernels::add_balance_scores(both, weight, sums)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::allocation::tests::{REQUEST, pairs_agree, rows};
    use super::Balance;

    proptest! {
        #[test]
        fn pairs_are_scored_as_one_by_one(rows in rows(), request in 0..=REQUEST) {
            pairs_agree(&Balance, &rows, request)?;
        }
    }
}
