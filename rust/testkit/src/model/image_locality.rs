//! `ImageLocality`: how many bytes of the pod's images does the node have already?
//!
//! Follows `plugins/imagelocality/image_locality.go` of v1.34 and `addNodeImageStates` of
//! `backend/cache/cache.go`.

use bayplan_api::{Node, Pod};

use super::go;

const MB: i64 = 1024 * 1024;
const MIN_THRESHOLD: i64 = 23 * MB;
const MAX_CONTAINER_THRESHOLD: i64 = 1000 * MB;

pub(super) fn score(pod: &Pod, node: &Node, all_nodes: &[&Node]) -> i64 {
    let mut sum = 0_i64;
    for container in pod.spec.init_containers.iter().chain(&pod.spec.containers) {
        let name = normalized_image_name(&container.image);
        if has_image(node, &name) {
            sum = sum.wrapping_add(scaled_image_score(&name, all_nodes));
        }
    }
    let containers = go::len(&pod.spec.init_containers) + go::len(&pod.spec.containers);
    let max_threshold = MAX_CONTAINER_THRESHOLD * containers;
    let clamped = if sum < MIN_THRESHOLD {
        MIN_THRESHOLD
    } else if sum > max_threshold {
        max_threshold
    } else {
        sum
    };
    100 * (clamped - MIN_THRESHOLD) / (max_threshold - MIN_THRESHOLD)
}

/// The size of the image, which is what the first node says that names it, times the share of the
/// nodes that have it.
fn scaled_image_score(name: &str, all_nodes: &[&Node]) -> i64 {
    let size = all_nodes
        .iter()
        .flat_map(|node| &node.status.images)
        .find(|image| image.names.iter().any(|known| *known == *name))
        .map_or(0, |image| image.size_bytes);
    let having: Vec<_> = all_nodes.iter().filter(|node| has_image(node, name)).collect();
    let spread = go::float64(go::len(&having)) / go::float64(go::len(all_nodes));
    go::int64(go::float64(size) * spread)
}

fn has_image(node: &Node, name: &str) -> bool {
    node.status.images.iter().any(|image| image.names.iter().any(|known| *known == *name))
}

/// The name with `:latest` if it has no tag.
fn normalized_image_name(name: &str) -> String {
    if name.rfind(':') <= name.rfind('/') { format!("{name}:latest") } else { name.to_owned() }
}
