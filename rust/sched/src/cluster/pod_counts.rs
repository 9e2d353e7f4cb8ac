//! On which nodes how many pods of a template are.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use super::PodCount;
use crate::index_vec::NodeIdx;

/// The nodes that have pods of a template, and how many. Many templates have one pod only, which takes no table of its own.
#[derive(Debug, Clone, Default)]
pub(super) enum PodCounts {
    #[default]
    Nowhere,
    On(NodeIdx, PodCount),
    Many(Box<IndexMap<NodeIdx, PodCount, FxBuildHasher>>),
}

impl PartialEq for PodCounts {
    fn eq(&self, other: &Self) -> bool {
        self.iter().count() == other.iter().count()
            && self.iter().all(|(node, count)| other.get(node) == count)
    }
}

impl PodCounts {
    /// How many are on the node.
    pub(super) fn get(&self, node: NodeIdx) -> PodCount {
        match self {
            Self::On(on, count) if *on == node => *count,
            Self::Nowhere | Self::On(..) => PodCount::default(),
            Self::Many(all) => all.get(&node).copied().unwrap_or_default(),
        }
    }

    /// Whether there are none anywhere.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Nowhere => true,
            Self::On(..) => false,
            Self::Many(all) => all.is_empty(),
        }
    }

    /// The nodes that have some.
    pub(super) fn iter(&self) -> impl Iterator<Item = (NodeIdx, PodCount)> {
        let (one, many) = match self {
            Self::Nowhere => (None, None),
            Self::On(node, count) => (Some((*node, *count)), None),
            Self::Many(all) => (None, Some(all)),
        };
        let many = many.into_iter().flat_map(|all| all.iter());
        one.into_iter().chain(many.map(|(&node, &count)| (node, count)))
    }

    /// Lets `delta` come to the node.
    pub(super) fn add(&mut self, node: NodeIdx, delta: PodCount) {
        match self {
            Self::Nowhere => *self = Self::On(node, delta),
            Self::On(on, count) if *on == node => {
                count.add(delta);
                if count.all == 0 {
                    *self = Self::Nowhere;
                }
            }
            Self::On(on, count) => {
                let all = [(*on, *count), (node, delta)];
                *self = Self::Many(Box::new(all.into_iter().collect()));
            }
            Self::Many(all) => {
                let count = all.entry(node).or_default();
                count.add(delta);
                if count.all == 0 {
                    all.swap_remove(&node);
                }
            }
        }
    }

    /// Gives back the room kept to grow.
    pub(super) fn shrink_to_fit(&mut self) {
        if let Self::Many(all) = self {
            all.shrink_to_fit();
        }
    }
}

impl PodCount {
    const fn add(&mut self, delta: Self) {
        self.all += delta.all;
        self.terminating += delta.terminating;
    }
}
