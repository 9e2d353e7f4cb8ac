//! `Cluster`: nodes as columns, pods as small rows that point to templates.
//!
//! A cluster changes only through its own methods; each change of pods is logged, so that plans made earlier can take
//! the difference instead of being made again.

mod change;
mod codes;
mod export;
mod images;
mod intake;
mod kept;
mod labels;
mod node_columns;
mod pod_counts;
mod pod_info;
mod pod_names;
mod pod_set;
mod pods;
mod ports;
mod storage;
mod table;
mod template_index;
mod undo;

use std::collections::BTreeSet;
use std::sync::Arc;

use bayplan_api::{
    LabelSelector, LabelSelectorRequirement, Labels, Namespace, Objects, Pod, PodDisruptionBudget,
    PodSink, PriorityClass, ReplicaSet, ReplicationController, Service, StatefulSet, Str,
};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

pub use change::{ApplyError, ChangeError};
pub(crate) use codes::Codes;
pub use export::{Bookkeeping, Reserved};
pub use images::{ImageState, Images};
pub use intake::{Arriving, PodIntake};
pub use kept::{Kept, KeptFields};
pub use labels::{LabelColumn, NodeLabels};
pub use node_columns::{NodeColumns, ResourceColumn};
pub use pod_info::{AffinityTerm, PodInfo};
pub use pods::{Place, PodRow};
pub use ports::{HostPort, UsedPorts};
pub(crate) use storage::{Attachment, Claim, CsiNodeInfo, InTreePlugin, claim_name};
pub use storage::{Storage, StorageChange};
pub use undo::{ForkError, ForkId, WhatIf};

use self::node_columns::Grown;
use self::pod_counts::PodCounts;
use self::pod_names::PodNames;
use self::pod_set::PodSet;
use self::storage::StorageUndo;
use self::table::Table;
pub(crate) use self::template_index::AskingTemplates;
use self::template_index::TemplateIndex;
use self::undo::{Log, Undo};
use crate::identity::Identity;
use crate::index_vec::{Idx, IndexVec, NodeIdx, ObjectIdx, PodIdx, TemplateId};
use crate::resource::Resources;
use crate::sampling::Cycle;

/// A cluster as the scheduler sees it.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    identity: Identity,
    nodes: NodeColumns,
    resources: Resources,
    pods: IndexVec<PodIdx, PodRow>,
    pod_names: PodNames,
    /// Pods that wait for a decision.
    waiting: PodSet,
    /// Pods whose `spec.nodeName` is no node of the cluster, by that name, in the order of their rows.
    absent: IndexMap<Str, Vec<PodIdx>, FxBuildHasher>,
    /// Pods that wait and whose row names a node to which they are nominated.
    nominated: BTreeSet<PodIdx>,
    /// What was reserved for assumed pods.
    reserved: IndexMap<PodIdx, Vec<StorageChange>, FxBuildHasher>,
    templates: IndexMap<Pod, TemplateRow, FxBuildHasher>,
    /// How many pods of each template count on each node.
    pod_counts: IndexVec<TemplateId, PodCounts>,
    template_index: TemplateIndex,
    namespaces: Table<ObjectIdx, Namespace>,
    storage: Storage,
    pub(crate) owners: Owners,
    pub(crate) pod_disruption_budgets: Table<ObjectIdx, PodDisruptionBudget>,
    priority_classes: Table<ObjectIdx, PriorityClass>,
    changes: Vec<PodChange>,
    changes_before: u64,
    epoch: u64,
    epochs: u64,
    log: Log,
    cycle: Cycle,
}

/// The objects from which `PodTopologySpread` deduces default constraints.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Owners {
    pub(crate) services: Table<ObjectIdx, Service>,
    pub(crate) replication_controllers: Table<ObjectIdx, ReplicationController>,
    pub(crate) replica_sets: Table<ObjectIdx, ReplicaSet>,
    pub(crate) stateful_sets: Table<ObjectIdx, StatefulSet>,
}

#[derive(Debug, Clone, PartialEq)]
struct TemplateRow {
    info: Arc<PodInfo>,
    /// What the pods attach to their nodes; empty for most.
    attachments: Vec<Attachment>,
}

/// How many pods of a template are on a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PodCount {
    /// All of them.
    pub all: i64,
    /// Those that are being deleted.
    pub terminating: i64,
}

/// A pod came to a node or left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodChange {
    /// The node.
    pub node: NodeIdx,
    /// The pod's template.
    pub template: TemplateId,
    /// Whether the pod is being deleted.
    pub terminating: bool,
    /// 1 when it came, −1 when it left.
    pub delta: i64,
}

/// Why objects are not a cluster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// Two objects of the same kind and name.
    #[error("{kind} {name} stands twice in the cluster")]
    Duplicate {
        /// The kind.
        kind: &'static str,
        /// Namespace and name.
        name: String,
    },
    /// More rows than a table takes.
    #[error("the cluster has {count} objects of kind {kind}; at most {limit} are supported")]
    TooMany {
        /// The kind.
        kind: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
}

/// Row numbers are 32 bits wide.
const MAX_ROWS: usize = 1 << 31;
/// How many of the last changes of pods are known at least.
const KEPT_CHANGES: usize = 1024;

impl PartialEq for Cluster {
    /// Whether two clusters are alike in all that decisions read and reports show; what they remember of how they came
    /// to be so makes no difference.
    fn eq(&self, other: &Self) -> bool {
        self.nodes == other.nodes
            && self.resources == other.resources
            && self.pods == other.pods
            && self.pod_names.equal(&self.pods, &other.pod_names)
            && self.absent == other.absent
            && self.reserved == other.reserved
            && self.templates == other.templates
            && self.pod_counts == other.pod_counts
            && self.namespaces == other.namespaces
            && self.storage == other.storage
            && self.owners == other.owners
            && self.pod_disruption_budgets == other.pod_disruption_budgets
            && self.priority_classes == other.priority_classes
            && self.cycle == other.cycle
    }
}

impl Cluster {
    /// The cluster that these objects make, each kind in its order.
    ///
    /// # Errors
    /// [`ClusterError`] when an object stands twice, or a table would be too long.
    pub fn from_objects(mut objects: Objects) -> Result<Self, ClusterError> {
        let mut pods = PodIntake::default();
        for (number, pod) in std::mem::take(&mut objects.pods).into_iter().enumerate() {
            pods.take(number, pod);
        }
        Self::from_objects_and_pods(objects, pods)
    }

    /// Gives back the room that tables keep to grow: most of what is loaded stays as it is.
    fn shrink_to_fit(&mut self) {
        for pods in self.nodes.pods.as_mut_slice() {
            pods.shrink_to_fit();
        }
        for counts in self.pod_counts.as_mut_slice() {
            counts.shrink_to_fit();
        }
    }

    /// The template's row, made if it is new.
    pub fn intern_template(&mut self, template: Pod) -> TemplateId {
        if let Some(row) = self.templates.get_index_of(&template) {
            return TemplateId::from_index(row);
        }
        let known = self.resources.len();
        let info = PodInfo::new(&mut self.resources, template.clone());
        if self.resources.len() > known {
            self.log.push(|| Undo::Grown(Grown::Resources(known)));
        }
        self.nodes.widen(&self.resources);
        let log = &mut self.log;
        let attachments = self.storage.attachments(&info.pod, &mut |undo| {
            log.push(|| Undo::Storage(Box::new(undo)));
        });
        let id = TemplateId::from_index(self.templates.len());
        self.template_index.push(id, &info);
        let row = TemplateRow { info: Arc::new(info), attachments };
        self.pod_counts.push(PodCounts::default());
        self.log.push(|| Undo::TemplatePushed);
        self.templates.insert(template, row);
        id
    }

    /// Takes back [`Cluster::intern_template`].
    fn forget_template(&mut self) {
        self.pod_counts.pop();
        if let Some((_, row)) = self.templates.pop() {
            let id = TemplateId::from_index(self.templates.len());
            self.template_index.pop(id, &row.info);
        }
    }

    /// Works out again what pods attach whose claims are `changed`.
    fn refresh_attachments(&mut self, changed: impl Fn(&Pod) -> bool) {
        let log = &mut self.log;
        for (_, row) in &mut self.templates {
            if row.info.has_claims() && changed(&row.info.pod) {
                row.attachments = self.storage.attachments(&row.info.pod, &mut |undo| {
                    log.push(|| Undo::Storage(Box::new(undo)));
                });
            }
        }
    }

    /// The nodes and their columns.
    pub const fn nodes(&self) -> &NodeColumns {
        &self.nodes
    }

    /// The resources that have columns.
    pub const fn resources(&self) -> &Resources {
        &self.resources
    }

    /// The pods' rows.
    pub const fn pods(&self) -> &IndexVec<PodIdx, PodRow> {
        &self.pods
    }

    /// The row of the pod of that namespace and name.
    pub fn find_pod(&self, namespace: &str, name: &str) -> Option<PodIdx> {
        self.pod_named(namespace, name).filter(|&pod| self.pods[pod].place.exists())
    }

    /// What the pods of a template share.
    ///
    /// # Panics
    /// When the template is of another cluster.
    #[expect(clippy::expect_used, reason = "template numbers are made by the table itself")]
    pub fn template(&self, template: TemplateId) -> &Arc<PodInfo> {
        let row = self.templates.get_index(template.index());
        &row.expect("a template of this cluster").1.info
    }

    /// How many templates are known.
    pub fn template_count(&self) -> usize {
        self.templates.len()
    }

    /// All templates of which pods are on nodes.
    pub fn running_templates(&self) -> impl Iterator<Item = TemplateId> {
        let running = self.pod_counts.iter_enumerated().filter(|(_, counts)| !counts.is_empty());
        running.map(|(template, _)| template)
    }

    /// On which nodes how many pods of the template are.
    pub fn pod_counts(&self, template: TemplateId) -> impl Iterator<Item = (NodeIdx, PodCount)> {
        self.pod_counts.get(template).into_iter().flat_map(PodCounts::iter)
    }

    /// Groups of templates that are alike in namespace and labels, among them all that the selector may select.
    pub(crate) fn alike_for(&self, selector: &LabelSelector) -> Vec<&[TemplateId]> {
        self.template_index.alike_for(&selector.match_labels, &selector.match_expressions)
    }

    /// The same for requirements alone.
    pub(crate) fn alike_for_all_of(
        &self,
        requirements: &[LabelSelectorRequirement],
    ) -> Vec<&[TemplateId]> {
        self.template_index.alike_for(&Labels::new(), requirements)
    }

    /// The distinct affinity terms of all templates, among them all that may mean pods with these labels.
    pub(crate) fn terms_about(
        &self,
        labels: &Labels,
    ) -> impl Iterator<Item = (&AffinityTerm, &AskingTemplates)> {
        self.template_index.terms_about(labels)
    }

    /// How many pods of the template are on the node.
    pub fn pod_count(&self, template: TemplateId, node: NodeIdx) -> PodCount {
        self.pod_counts.get(template).map_or_else(PodCount::default, |counts| counts.get(node))
    }

    /// What the pods of a template attach to their nodes.
    pub(crate) fn attachments(&self, template: TemplateId) -> &[Attachment] {
        let row = self.templates.get_index(template.index());
        row.map_or(&[], |(_, row)| row.attachments.as_slice())
    }

    /// What a pod would attach; `pod` is a template of this cluster.
    pub(crate) fn attachments_of(&self, template: &Pod) -> &[Attachment] {
        self.templates.get(template).map_or(&[], |row| row.attachments.as_slice())
    }

    /// The storage objects and what is assumed of them.
    pub const fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Changes what is assumed of claims and volumes; gives back the change that undoes it.
    pub fn change_storage(&mut self, change: StorageChange) -> StorageChange {
        let undo = self.storage.change(change);
        self.log.push(|| Undo::Storage(Box::new(StorageUndo::Assumed(undo.clone()))));
        undo
    }

    /// What the last decision left to the next beside the pods.
    pub const fn cycle(&self) -> Cycle {
        self.cycle
    }

    /// Says what the last decision left to the next.
    pub fn set_cycle(&mut self, cycle: Cycle) {
        let before = std::mem::replace(&mut self.cycle, cycle);
        if before != cycle {
            self.log.push(|| Undo::Cycle(before));
        }
    }

    /// The labels of a namespace; `None` if the cluster has no such object.
    pub fn namespace_labels(&self, namespace: &Str) -> Option<&Labels> {
        self.namespaces.named(&Str::EMPTY, namespace).map(|object| &object.metadata.labels)
    }

    /// All namespaces and their labels in the order in which they came.
    pub fn namespaces(&self) -> impl Iterator<Item = (&Str, &Labels)> {
        self.namespaces.values().map(|object| (&object.metadata.name, &object.metadata.labels))
    }

    /// The priority classes in the order in which they came.
    pub fn priority_classes(&self) -> impl Iterator<Item = &PriorityClass> {
        self.priority_classes.values()
    }

    /// What tells this cluster from its copies.
    pub(crate) const fn identity(&self) -> u64 {
        self.identity.number()
    }

    /// What changes whenever something other than pods and what is assumed of storage changes. Two moments of a cluster
    /// that have the same epoch are alike in all that; rolling back brings the epoch back.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Begins a new epoch.
    fn touch(&mut self) {
        self.epochs += 1;
        self.epoch = self.epochs;
    }

    /// How many changes of pods there were since the cluster was made.
    pub fn revision(&self) -> u64 {
        self.changes_before + u64::try_from(self.changes.len()).unwrap_or(u64::MAX)
    }

    /// The changes of pods since a revision; `None` if they are no longer known.
    pub fn changes_since(&self, revision: u64) -> Option<&[PodChange]> {
        let from = usize::try_from(revision.checked_sub(self.changes_before)?).ok()?;
        self.changes.get(from..)
    }

    /// Notes a change of pods; what happened long ago is forgotten.
    fn note_change(&mut self, change: PodChange) {
        let limit = KEPT_CHANGES.max(2 * self.nodes.row_count());
        if self.changes.len() >= 2 * limit {
            self.changes.drain(..limit);
            self.changes_before += u64::try_from(limit).unwrap_or(u64::MAX);
        }
        self.changes.push(change);
    }
}
