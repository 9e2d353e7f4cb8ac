//! Forks: while one is open, every change notes what undoes it, so that rolling back costs what was changed.

use std::ops::{Deref, DerefMut};

use bayplan_api::{Namespace, Node, PodDisruptionBudget, PriorityClass, ReplicaSet};
use bayplan_api::{ReplicationController, Service, StatefulSet, Str};

use super::node_columns::Grown;
use super::pods::{Place, PodRow};
use super::ports::UsedPorts;
use super::storage::{StorageChange, StorageUndo};
use super::table::TableUndo;
use super::{Cluster, PodChange, PodCount};
use crate::index_vec::{AbsentId, Idx, NodeIdx, ObjectIdx, PodIdx, TemplateId};
use crate::sampling::Cycle;

/// What undoes one change.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Undo {
    /// [`Cluster::assume_pod`]: the pod came last to its node.
    PodAssumed(PodIdx),
    PodPushed,
    PodRow {
        pod: PodIdx,
        before: Box<PodRow>,
    },
    PodName {
        key: (Str, Str),
        before: Option<PodIdx>,
    },
    Place {
        pod: PodIdx,
        before: Place,
    },
    Assumed {
        pod: PodIdx,
        before: bool,
    },
    /// [`Cluster::pass_over`].
    PassedOver(PodIdx),
    Nominated {
        pod: PodIdx,
        before: Str,
    },
    Reserved {
        pod: PodIdx,
        before: Vec<StorageChange>,
    },
    /// A pod was counted on its node, in all counters.
    Counted {
        pod: PodIdx,
        node: NodeIdx,
        delta: i64,
    },
    /// A pod of a template was counted on a node's row only.
    CountedOnRow {
        template: TemplateId,
        node: NodeIdx,
        delta: i64,
    },
    UsedPorts {
        node: NodeIdx,
        before: UsedPorts,
    },
    /// A pod came to stand at a place among the pods of a node.
    Inserted {
        node: NodeIdx,
        at: usize,
    },
    Removed {
        node: NodeIdx,
        at: usize,
        pod: PodIdx,
    },
    /// The last pod of the node took the place of one that left.
    SwapRemoved {
        node: NodeIdx,
        at: usize,
        pod: PodIdx,
    },
    AbsentPushed,
    AbsentInserted {
        absent: AbsentId,
        at: usize,
    },
    AbsentRemoved {
        absent: AbsentId,
        at: usize,
        pod: PodIdx,
    },
    TemplatePushed,
    NodePushed,
    NodeRemoved(NodeIdx),
    NodeReplaced {
        node: NodeIdx,
        before: Box<Node>,
    },
    Grown(Grown),
    Storage(Box<StorageUndo>),
    Namespace(Box<TableUndo<ObjectIdx, Namespace>>),
    Service(Box<TableUndo<ObjectIdx, Service>>),
    ReplicationController(Box<TableUndo<ObjectIdx, ReplicationController>>),
    ReplicaSet(Box<TableUndo<ObjectIdx, ReplicaSet>>),
    StatefulSet(Box<TableUndo<ObjectIdx, StatefulSet>>),
    PodDisruptionBudget(Box<TableUndo<ObjectIdx, PodDisruptionBudget>>),
    PriorityClass(Box<TableUndo<ObjectIdx, PriorityClass>>),
    Cycle(Cycle),
}

macro_rules! undo_of {
    ($($kind:ident),*) => {
        $(impl From<TableUndo<ObjectIdx, $kind>> for Undo {
            fn from(undo: TableUndo<ObjectIdx, $kind>) -> Self {
                Self::$kind(Box::new(undo))
            }
        })*
    };
}

undo_of!(
    Namespace,
    Service,
    ReplicationController,
    ReplicaSet,
    StatefulSet,
    PodDisruptionBudget,
    PriorityClass
);

/// The changes since the first open fork began.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    undos: Vec<Undo>,
    marks: Vec<Mark>,
    /// How many forks there were.
    forks: u64,
    /// Whether what happens is itself an undoing.
    undoing: bool,
}

/// Where a fork began.
#[derive(Debug, Clone)]
struct Mark {
    fork: ForkId,
    undos: usize,
    epoch: u64,
}

/// An open fork of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForkId(u64);

/// The fork is not open: it was committed or rolled back, itself or with one around it, or is another cluster's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the fork is not open any more")]
pub struct ForkError;

impl Log {
    pub(super) fn push(&mut self, undo: impl FnOnce() -> Undo) {
        if !self.marks.is_empty() && !self.undoing {
            self.undos.push(undo());
        }
    }
}

impl Cluster {
    /// Begins a fork: what changes from now on can be rolled back. Forks may be nested.
    pub fn fork(&mut self) -> ForkId {
        self.log.forks += 1;
        let fork = ForkId(self.log.forks);
        let undos = self.log.undos.len();
        self.log.marks.push(Mark { fork, undos, epoch: self.epoch });
        fork
    }

    /// Whether anything has changed since the fork began; `false` if it is not open.
    pub fn has_changed(&self, fork: ForkId) -> bool {
        let mark = self.depth_of(fork).ok().and_then(|depth| self.log.marks.get(depth));
        mark.is_some_and(|mark| self.log.undos.len() > mark.undos)
    }

    /// How many forks are open.
    pub fn open_forks(&self) -> usize {
        self.log.marks.len()
    }

    /// Keeps what changed since the fork began, and in forks that began in it.
    ///
    /// # Errors
    /// [`ForkError`] when the fork is not open.
    pub fn commit(&mut self, fork: ForkId) -> Result<(), ForkError> {
        let depth = self.depth_of(fork)?;
        self.log.marks.truncate(depth);
        if self.log.marks.is_empty() {
            self.log.undos = Vec::new();
        }
        Ok(())
    }

    /// Makes the cluster what it was when the fork began, bit by bit, at the cost of what was changed since.
    ///
    /// # Errors
    /// [`ForkError`] when the fork is not open.
    pub fn rollback(&mut self, fork: ForkId) -> Result<(), ForkError> {
        let depth = self.depth_of(fork)?;
        let Some(mark) = self.log.marks.get(depth).cloned() else { return Err(ForkError) };
        let mut undone = Undone::default();
        self.log.undoing = true;
        while self.log.undos.len() > mark.undos {
            let Some(undo) = self.log.undos.pop() else { break };
            undone.note(&undo);
            self.undo(undo);
        }
        if undone.selections {
            self.storage.nodes_changed();
        }
        if undone.storage {
            self.refresh_attachments(|_| true);
        }
        self.log.undoing = false;
        self.log.marks.truncate(depth);
        self.epoch = mark.epoch;
        if undone.rows {
            // Whoever followed the changes may know rows that are there no more.
            self.changes_before = self.revision() + 1;
            self.changes.clear();
        }
        Ok(())
    }

    /// Lets the cluster begin where the fork began: neither it nor those around it can be rolled back any more.
    ///
    /// # Errors
    /// [`ForkError`] when the fork is not open.
    pub fn begin_at(&mut self, fork: ForkId) -> Result<(), ForkError> {
        let depth = self.depth_of(fork)?;
        let begin = self.log.marks.get(depth).map_or(0, |mark| mark.undos);
        self.log.marks.drain(..=depth);
        // without an open fork nothing is ever undone
        let begin = if self.log.marks.is_empty() { self.log.undos.len() } else { begin };
        self.log.undos.drain(..begin);
        for mark in &mut self.log.marks {
            mark.undos -= begin;
        }
        Ok(())
    }

    /// Forgets all open forks and keeps what they changed: for a copy, to which they do not belong.
    pub fn forget_forks(&mut self) {
        self.log = Log { forks: self.log.forks, ..Log::default() };
    }

    /// A fork that is rolled back when it is dropped, unless it was committed.
    pub fn what_if(&mut self) -> WhatIf<'_> {
        let fork = self.fork();
        WhatIf { cluster: self, fork }
    }

    fn depth_of(&self, fork: ForkId) -> Result<usize, ForkError> {
        self.log.marks.iter().position(|mark| mark.fork == fork).ok_or(ForkError)
    }

    fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::PodAssumed(pod) => self.unassume_pod(pod),
            Undo::PodPushed => {
                self.pods.pop();
                self.waiting.set(PodIdx::from_index(self.pods.len()), false);
                self.index_nomination(PodIdx::from_index(self.pods.len()));
            }
            Undo::PodRow { pod, before } => {
                self.pods[pod] = *before;
                self.index_nomination(pod);
            }
            Undo::PassedOver(pod) => self.pods[pod].shell = None,
            Undo::Nominated { pod, before } => {
                self.pods[pod].nominated = before;
                self.index_nomination(pod);
            }
            Undo::PodName { key, before } => match before {
                Some(pod) => drop(self.pod_names.insert(&self.pods, pod)),
                None => drop(self.pod_names.remove(&self.pods, &key)),
            },
            Undo::Place { pod, before } => {
                self.note_place(pod, before);
            }
            Undo::Assumed { pod, before } => self.pods[pod].assumed = before,
            Undo::Reserved { pod, before } if before.is_empty() => {
                self.reserved.swap_remove(&pod);
            }
            Undo::Reserved { pod, before } => drop(self.reserved.insert(pod, before)),
            Undo::Counted { pod, node, delta } => self.count_change(pod, node, -delta),
            Undo::CountedOnRow { template, node, delta } => {
                self.count_on_row(template, node, -delta);
            }
            Undo::UsedPorts { node, before } => self.nodes.used_ports[node] = before,
            Undo::Inserted { node, at } => self.remove_on(node, at),
            Undo::Removed { node, at, pod } => self.nodes.pods[node].insert(at, pod),
            Undo::SwapRemoved { node, at, pod } => {
                let pods = &mut self.nodes.pods[node];
                pods.push(pod);
                let last = pods.len() - 1;
                pods.swap(at, last);
            }
            Undo::AbsentPushed => drop(self.absent.pop()),
            Undo::AbsentInserted { absent, at } => self.remove_absent(absent, at),
            Undo::AbsentRemoved { absent, at, pod } => {
                if let Some((_, pods)) = self.absent.get_index_mut(absent.index()) {
                    pods.insert(at, pod);
                }
            }
            Undo::TemplatePushed => self.forget_template(),
            Undo::NodePushed => {
                let last = NodeIdx::from_index(self.nodes.row_count().saturating_sub(1));
                self.nodes.remove(last);
                self.nodes.pop();
            }
            Undo::NodeRemoved(node) => self.nodes.insert(node, &mut self.resources, |_| {}),
            Undo::NodeReplaced { node, before } => {
                self.nodes.replace(node, *before, &mut self.resources, |_| {});
            }
            Undo::Grown(grown) => self.nodes.forget(grown, &mut self.resources),
            Undo::Storage(undo) => self.storage.undo(*undo),
            Undo::Namespace(undo) => drop(self.namespaces.undo(*undo)),
            Undo::Service(undo) => drop(self.owners.services.undo(*undo)),
            Undo::ReplicationController(undo) => {
                self.owners.replication_controllers.undo(*undo);
            }
            Undo::ReplicaSet(undo) => drop(self.owners.replica_sets.undo(*undo)),
            Undo::StatefulSet(undo) => drop(self.owners.stateful_sets.undo(*undo)),
            Undo::PodDisruptionBudget(undo) => drop(self.pod_disruption_budgets.undo(*undo)),
            Undo::PriorityClass(undo) => drop(self.priority_classes.undo(*undo)),
            Undo::Cycle(before) => self.cycle = before,
        }
    }

    /// Counts a pod on its node and in its template, and notes the change for plans.
    pub(super) fn count_change(&mut self, pod: PodIdx, node: NodeIdx, delta: i64) {
        let PodRow { template, terminating, .. } = self.pods[pod];
        self.count_row(template, node, delta);
        if let Some(counts) = self.pod_counts.get_mut(template) {
            let terminating = if terminating { delta } else { 0 };
            counts.add(node, PodCount { all: delta, terminating });
        }
        self.note_change(PodChange { node, template, terminating, delta });
    }

    /// Adds a pod of a template to a node's row only, or takes it off: what a dry run changes.
    pub(crate) fn count_on_row(&mut self, template: TemplateId, node: NodeIdx, delta: i64) {
        self.count_row(template, node, delta);
        self.log.push(|| Undo::CountedOnRow { template, node, delta });
    }

    /// The same without a note of what undoes it: the caller undoes it before anything else happens.
    pub(crate) fn try_on_row(&mut self, template: TemplateId, node: NodeIdx, delta: i64) {
        if let Some((_, row)) = self.templates.get_index(template.index()) {
            self.nodes.count_pod(template, &row.info, node, delta);
        }
    }

    /// Gives a node the ports back that it had before pods were tried on its row.
    pub(crate) fn restore_ports(&mut self, node: NodeIdx, ports: UsedPorts) {
        self.nodes.used_ports[node] = ports;
    }

    fn count_row(&mut self, template: TemplateId, node: NodeIdx, delta: i64) {
        let Some((_, row)) = self.templates.get_index(template.index()) else { return };
        if !row.info.host_ports.is_empty() {
            // A set forgets how many pods held a port.
            let before = &self.nodes.used_ports[node];
            self.log.push(|| Undo::UsedPorts { node, before: before.clone() });
        }
        self.nodes.count_pod(template, &row.info, node, delta);
    }
}

/// What a rollback touched.
#[derive(Debug, Default)]
struct Undone {
    /// Rows of nodes or templates are gone.
    rows: bool,
    /// Nodes have other labels.
    selections: bool,
    /// Storage objects, and so perhaps what pods attach.
    storage: bool,
}

impl Undone {
    fn note(&mut self, undo: &Undo) {
        match undo {
            Undo::TemplatePushed | Undo::Grown(_) => self.rows = true,
            Undo::NodePushed | Undo::NodeRemoved(_) | Undo::NodeReplaced { .. } => {
                self.rows = true;
                self.selections = true;
            }
            Undo::Storage(undo) => {
                self.storage |= !matches!(**undo, StorageUndo::Assumed(_));
                self.selections |= matches!(**undo, StorageUndo::Selections(_));
            }
            _ => {}
        }
    }
}

/// A fork that is rolled back when it is dropped: [`Cluster::what_if`].
#[derive(Debug)]
pub struct WhatIf<'a> {
    cluster: &'a mut Cluster,
    fork: ForkId,
}

impl WhatIf<'_> {
    /// Keeps what changed.
    ///
    /// # Errors
    /// [`ForkError`] when the fork was ended by its number.
    pub fn commit(self) -> Result<(), ForkError> {
        self.cluster.commit(self.fork)
    }
}

impl Deref for WhatIf<'_> {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        self.cluster
    }
}

impl DerefMut for WhatIf<'_> {
    fn deref_mut(&mut self) -> &mut Cluster {
        self.cluster
    }
}

impl Drop for WhatIf<'_> {
    fn drop(&mut self) {
        // one that was committed is not open any more
        let _ = self.cluster.rollback(self.fork);
    }
}
