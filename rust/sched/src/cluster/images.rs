//! Which images are on which nodes.
//!
//! Follows `addNodeImageStates` in `pkg/scheduler/backend/cache/cache.go` of v1.34.

use bayplan_api::{Node, Str};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::index_vec::{IndexVec, NodeIdx};

/// An image by one of its names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// The image of that name, if a node has it.
    pub fn get(&self, name: &str) -> Option<&ImageState> {
        self.0.get(name).filter(|state| !state.nodes.is_empty())
    }

    /// How many names are known, those that no node has any more included.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets the names that came last.
    pub(super) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// Notes what a node has.
    pub(super) fn add_node(&mut self, row: NodeIdx, node: &Node) {
        for image in &node.status.images {
            for name in &image.names {
                let state = self.0.entry(name.clone()).or_default();
                if let Err(at) = state.nodes.binary_search(&row) {
                    if at == 0 {
                        state.size_bytes = image.size_bytes;
                    }
                    state.nodes.insert(at, row);
                }
            }
        }
    }

    /// Forgets what a node has; `objects` holds the others as they are.
    pub(super) fn remove_node(
        &mut self,
        row: NodeIdx,
        node: &Node,
        objects: &IndexVec<NodeIdx, Node>,
    ) {
        for name in node.status.images.iter().flat_map(|image| &image.names) {
            let Some(state) = self.0.get_mut(name) else { continue };
            let Ok(at) = state.nodes.binary_search(&row) else { continue };
            state.nodes.remove(at);
            if at == 0 {
                let first = state.nodes.first().and_then(|&first| objects.get(first));
                state.size_bytes = first.map_or(0, |first| size_of(first, name));
            }
        }
    }
}

/// What a node says of an image's size: of several entries with the name, the first.
fn size_of(node: &Node, name: &Str) -> i64 {
    let mut images = node.status.images.iter();
    images.find(|image| image.names.contains(name)).map_or(0, |image| image.size_bytes)
}
