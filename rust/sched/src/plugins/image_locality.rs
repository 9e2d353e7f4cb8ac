//! `ImageLocality`: does the node have the pod's images?
//!
//! | extension point | what it does |
//! |---|---|
//! | Score | sums the sizes of the pod's images that the node has, each scaled by how many nodes have it |
//!
//! Follows `pkg/scheduler/framework/plugins/imagelocality/image_locality.go` of v1.34.

use std::sync::Arc;

use super::fixed::FixedScore;
use crate::cluster::{Cluster, PodInfo};
use crate::framework::{MAX_NODE_SCORE, Plugin, PreScore, ScorePlugin};
use crate::go::{div, float64, int64, len64};
use crate::index_vec::{IndexVec, NodeIdx};

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
        let count = cluster.nodes().row_count();
        // Most nodes have none of the images.
        let mut sums: IndexVec<NodeIdx, i64> = IndexVec::new();
        let mut having: Vec<NodeIdx> = Vec::new();
        for container in spec.init_containers.iter().chain(&spec.containers) {
            let name = normalized_image_name(&container.image);
            let Some(image) = cluster.nodes().images.get(&name) else { continue };
            let spread = float64(len64(image.nodes.len())) / float64(cluster.nodes().count64());
            let scaled = int64(float64(image.size_bytes) * spread);
            if sums.is_empty() {
                sums = IndexVec::filled(0, count);
            }
            for &node in &image.nodes {
                sums[node] = sums[node].wrapping_add(scaled);
            }
            having.extend(&image.nodes);
        }
        let of_most = calculate_priority(0, max_threshold);
        if having.is_empty() {
            return Ok(PreScore::run(FixedScore::uniform(of_most, None)));
        }
        let mut raw = IndexVec::filled(of_most, count);
        for node in having {
            raw[node] = calculate_priority(sums[node], max_threshold);
        }
        Ok(PreScore::run(FixedScore::new(raw, None)))
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
fn normalized_image_name(name: &str) -> String {
    if name.rfind(':') <= name.rfind('/') { format!("{name}:latest") } else { name.to_owned() }
}
