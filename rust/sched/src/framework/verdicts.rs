//! What one filter says of all nodes.

use crate::framework::{Code, Status};
use crate::index_vec::{IndexVec, NodeIdx};
use crate::node_set::NodeSet;

/// Which rows to look at.
#[derive(Debug, Clone, Copy)]
pub enum Rows<'a> {
    /// All nodes.
    All,
    /// These nodes.
    Some(&'a [NodeIdx]),
}

impl Rows<'_> {
    /// Calls `visit` for each of the rows.
    pub fn each(self, nodes: usize, mut visit: impl FnMut(NodeIdx)) {
        match self {
            Self::All => {
                let all: IndexVec<NodeIdx, ()> = IndexVec::filled((), nodes);
                all.indices().for_each(visit);
            }
            Self::Some(rows) => rows.iter().for_each(|&row| visit(row)),
        }
    }
}

/// A status of some [`Verdicts`]; 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatusId(u32);

/// What one filter says of each node: nothing, or a status of a short list.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdicts {
    passing: NodeSet,
    statuses: Vec<Status>,
    of: IndexVec<NodeIdx, u32>,
}

impl Verdicts {
    /// All nodes pass.
    pub fn new(nodes: usize) -> Self {
        Self { passing: NodeSet::full(nodes), statuses: Vec::new(), of: IndexVec::filled(0, nodes) }
    }

    /// The number of a status, the same for equal ones.
    pub fn status(&mut self, status: Status) -> StatusId {
        let at = self.statuses.iter().position(|known| *known == status).unwrap_or_else(|| {
            self.statuses.push(status);
            self.statuses.len() - 1
        });
        StatusId(u32::try_from(at + 1).unwrap_or(u32::MAX))
    }

    /// The node passes.
    pub fn pass(&mut self, node: NodeIdx) {
        self.passing.insert(node);
        self.of[node] = 0;
    }

    /// The node is rejected.
    pub fn reject(&mut self, node: NodeIdx, status: StatusId) {
        self.passing.remove(node);
        self.of[node] = status.0;
    }

    /// Rejects the nodes that are not in the set and passes the others.
    pub fn keep(&mut self, passing: &NodeSet, status: &Status, rows: Rows<'_>) {
        let id = self.status(status.clone());
        rows.each(passing.universe(), |node| {
            if passing.contains(node) {
                self.pass(node);
            } else {
                self.reject(node, id);
            }
        });
    }

    /// The nodes that pass.
    pub const fn passing(&self) -> &NodeSet {
        &self.passing
    }

    /// Why the node is rejected; `None` if it passes.
    pub fn get(&self, node: NodeIdx) -> Option<&Status> {
        let at = usize::try_from(self.of[node]).ok()?.checked_sub(1)?;
        self.statuses.get(at)
    }

    /// The number of the node's status; `None` if it passes.
    pub fn id(&self, node: NodeIdx) -> Option<StatusId> {
        Some(StatusId(self.of[node])).filter(|id| id.0 > 0)
    }

    /// The status of a number.
    pub fn by_id(&self, id: StatusId) -> Option<&Status> {
        self.statuses.get(usize::try_from(id.0).ok()?.checked_sub(1)?)
    }

    /// Whether kube-scheduler's own plugin may fail on a node.
    pub fn may_fail(&self) -> bool {
        self.statuses.iter().any(|status| status.code == Code::Error)
    }

    /// Whether evicting pods from the node may change the filter's mind.
    pub fn is_resolvable(&self, node: NodeIdx) -> bool {
        self.get(node).is_none_or(|status| status.code == Code::Unschedulable)
    }
}
