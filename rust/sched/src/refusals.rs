//! `Refusals`: which nodes refuse a pod for which reason, kept while rows change.

use bayplan_api::Str;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::diagnosis::Histogram;
use crate::framework::{Code, Status, StatusId};
use crate::index_vec::{IndexVec, NodeIdx};

/// A filter by its place, and what it says.
type Refusal = (u32, StatusId);

/// The first refusal of each node, and how many nodes have which.
#[derive(Debug)]
pub(crate) struct Refusals {
    first: IndexVec<NodeIdx, Option<Refusal>>,
    counts: IndexMap<Refusal, usize, FxBuildHasher>,
    /// The text of the event, as long as the counts are the same.
    message: Option<Str>,
}

impl Refusals {
    /// Of so many nodes, none of which refuses anything yet.
    pub(crate) fn new(nodes: usize) -> Self {
        Self { first: IndexVec::filled(None, nodes), counts: IndexMap::default(), message: None }
    }

    /// Notes the first refusal of a node.
    pub(crate) fn note(&mut self, node: NodeIdx, first: Option<Refusal>) {
        let before = std::mem::replace(&mut self.first[node], first);
        if before == first {
            return;
        }
        if let Some(count) = before.and_then(|before| self.counts.get_mut(&before)) {
            *count -= 1;
        }
        if let Some(first) = first {
            *self.counts.entry(first).or_default() += 1;
        }
        self.message = None;
    }

    /// Whether evicting pods may help on any node; `status` tells what a refusal says.
    pub(crate) fn is_resolvable<'a>(&self, status: impl Fn(Refusal) -> Option<&'a Status>) -> bool {
        let mut refusals = self.counts.iter().filter(|(_, count)| **count > 0);
        refusals.any(|(&refusal, _)| {
            status(refusal).is_some_and(|status| status.code == Code::Unschedulable)
        })
    }

    /// The text of the event for so many nodes, of which some more were left out for a reason.
    pub(crate) fn message<'a>(
        &mut self,
        nodes: usize,
        left_out: Option<(&'a Status, usize)>,
        status: impl Fn(Refusal) -> Option<&'a Status>,
    ) -> Str {
        let counts = self.counts.iter().map(|(&refusal, &count)| (status(refusal), count));
        let make = || {
            let mut histogram = Histogram::default();
            let left_out = left_out.map(|(status, count)| (Some(status), count));
            for (status, count) in counts.chain(left_out).filter(|(_, count)| *count > 0) {
                for reason in status.into_iter().flat_map(|status| &status.reasons) {
                    histogram.add(reason, count);
                }
            }
            Str::from(histogram.message(nodes))
        };
        self.message.get_or_insert_with(make).clone()
    }
}
