//! `ImageLocality`: does the node have the pod's images?
//!
//! | extension point | what it does |
//! |---|---|
//! | Score | sums the sizes of the pod's images that the node has, each scaled by how many nodes have it |
//!
//! Follows `pkg/scheduler/framework/plugins/imagelocality/image_locality.go` of v1.34.

use std::borrow::Cow;
use std::sync::Arc;

use super::fixed::FixedScore;
use crate::cluster::{Cluster, PodInfo};
use crate::framework::{MAX_NODE_SCORE, Plugin, PreScore, ScorePlugin};
use crate::go::{div, float64, int64, len64};
use crate::index_vec::NodeIdx;

/// The plugin.
#[derive(Debug)]
pub struct ImageLocality;

/// Its name.
pub const NAME: &str = "ImageLocality";
const MIB: i64 = 1024 * 1024;
const MIN_THRESHOLD: i64 = 23 * MIB;
const MAX_CONTAINER_THRESHOLD: i64 = 1000 * MIB;

impl Plugin for ImageLocality {
    fn name(&self) -> &str {
        NAME
    }

    fn score(&self) -> Option<&dyn ScorePlugin> {
        Some(self)
    }
}

impl ScorePlugin for ImageLocality {
    fn pre_score(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreScore, String> {
        let spec = &pod.pod.spec;
        let containers = spec.init_containers.len() + spec.containers.len();
        let max_threshold = MAX_CONTAINER_THRESHOLD.wrapping_mul(len64(containers));
        // Most nodes have none of the images.
        let mut sums: Vec<(NodeIdx, i64)> = Vec::new();
        for container in spec.init_containers.iter().chain(&spec.containers) {
            let name = normalized_image_name(&container.image);
            let Some(image) = cluster.nodes().images.get(&name) else { continue };
            let spread = float64(len64(image.nodes.len())) / float64(cluster.nodes().count64());
            let scaled = int64(float64(image.size_bytes) * spread);
            let is_first = sums.is_empty();
            sums.extend(image.nodes.iter().map(|&node| (node, scaled)));
            if !is_first {
                // Integers wrap as in Go, in whatever order they are added.
                sums.sort_unstable_by_key(|(node, _)| *node);
                sums.dedup_by(|(node, more), (before, sum)| {
                    let same = node == before;
                    if same {
                        *sum = sum.wrapping_add(*more);
                    }
                    same
                });
            }
        }
        let mut last = (0, calculate_priority(0, max_threshold));
        let of_most = last.1;
        for (_, sum) in &mut sums {
            if *sum != last.0 {
                last = (*sum, calculate_priority(*sum, max_threshold));
            }
            *sum = last.1;
        }
        Ok(PreScore::run(FixedScore::of_rows(of_most, sums)))
    }
}

fn calculate_priority(sum: i64, max_threshold: i64) -> i64 {
    // Not `clamp`: without containers the thresholds stand the wrong way round.
    let sum = if sum < MIN_THRESHOLD {
        MIN_THRESHOLD
    } else if sum > max_threshold {
        max_threshold
    } else {
        sum
    };
    div(MAX_NODE_SCORE * (sum - MIN_THRESHOLD), max_threshold - MIN_THRESHOLD)
}

/// The name with its tag: `:latest` if it has none.
fn normalized_image_name(name: &str) -> Cow<'_, str> {
    if name.rfind(':') <= name.rfind('/') {
        Cow::Owned(format!("{name}:latest"))
    } else {
        Cow::Borrowed(name)
    }
}
