//! Which images are on which nodes.
//!
//! Follows `addNodeImageStates` in `pkg/scheduler/backend/cache/cache.go` of v1.34.

use bayplan_api::{Node, Str};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::index_vec::{Idx, NodeIdx};

/// An image by one of its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageState {
    /// Size in bytes: what the first node that names the image says, for all nodes.
    pub size_bytes: i64,
    /// The nodes that have it, each once, in node order.
    pub nodes: Vec<NodeIdx>,
}

/// The images of all nodes by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Images(IndexMap<Str, ImageState, FxBuildHasher>);

impl Images {
    pub(super) fn new<'nodes>(nodes: impl Iterator<Item = &'nodes Node>) -> Self {
        let mut images = Self::default();
        for (row, node) in nodes.enumerate() {
            let row = NodeIdx::from_index(row);
            for image in &node.status.images {
                for name in &image.names {
                    let state = images.0.entry(name.clone()).or_insert_with(|| ImageState {
                        size_bytes: image.size_bytes,
                        nodes: Vec::new(),
                    });
                    if state.nodes.last() != Some(&row) {
                        state.nodes.push(row);
                    }
                }
            }
        }
        images
    }

    /// The image of that name, if a node has it.
    pub fn get(&self, name: &str) -> Option<&ImageState> {
        self.0.get(name)
    }
}
