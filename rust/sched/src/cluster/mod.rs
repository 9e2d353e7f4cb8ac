//! `Cluster`: nodes as columns, pods as small rows that point to templates.
//!
//! A cluster changes only through its own methods; each change of pods is logged, so that plans made earlier can take
//! the difference instead of being made again.

mod images;
mod labels;
mod node_columns;
mod pod_info;
mod ports;
mod storage;

use bayplan_api::{
    Labels, Map, Node, Objects, Pod, PodDisruptionBudget, PodPhase, ReplicaSet,
    ReplicationController, Service, StatefulSet, Str, Time,
};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

pub use images::{ImageState, Images};
pub use labels::{LabelColumn, NodeLabels};
pub use node_columns::{NodeColumns, ResourceColumn};
pub use pod_info::{AffinityTerm, PodInfo};
pub use ports::{HostPort, UsedPorts};
pub(crate) use storage::{Attachment, Claim, CsiNodeInfo, InTreePlugin, claim_name};
pub use storage::{Storage, StorageChange};

use self::storage::StorageObjects;
use crate::index_vec::{Idx, IndexVec, NodeIdx, PodIdx, TemplateId};
use crate::resource::Resources;

/// A cluster as the scheduler sees it.
#[derive(Debug, Clone)]
pub struct Cluster {
    nodes: NodeColumns,
    resources: Resources,
    pods: IndexVec<PodIdx, PodRow>,
    pod_names: IndexMap<(Str, Str), PodIdx, FxBuildHasher>,
    templates: IndexMap<Pod, TemplateRow, FxBuildHasher>,
    namespaces: Map<Labels>,
    storage: Storage,
    /// Services, controllers and budgets by namespace, each in the order in which it was read.
    pub(crate) owners: Owners,
    pub(crate) pod_disruption_budgets: Vec<PodDisruptionBudget>,
    changes: Vec<PodChange>,
    changes_before: u64,
}

/// The objects from which `PodTopologySpread` deduces default constraints.
#[derive(Debug, Clone, Default)]
pub(crate) struct Owners {
    pub(crate) services: Vec<Service>,
    pub(crate) replication_controllers: Vec<ReplicationController>,
    pub(crate) replica_sets: Vec<ReplicaSet>,
    pub(crate) stateful_sets: Vec<StatefulSet>,
}

/// One pod.
#[derive(Debug, Clone, PartialEq)]
pub struct PodRow {
    /// `metadata.namespace`.
    pub namespace: Str,
    /// `metadata.name`.
    pub name: Str,
    /// `metadata.uid`; empty when the dump has none.
    pub uid: Str,
    /// What it shares with its equals.
    pub template: TemplateId,
    /// Where it is.
    pub place: Place,
    /// Whether `metadata.deletionTimestamp` is set.
    pub terminating: bool,
    /// Names of `spec.schedulingGates`.
    pub scheduling_gates: Vec<Str>,
    /// `status.startTime`.
    pub start_time: Option<Time>,
    /// What decisions do not read.
    pub kept: Option<Box<KeptFields>>,
}

/// Fields that no decision reads, kept for reports and for the overlay network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptFields {
    /// `metadata.resourceVersion`.
    pub resource_version: Str,
    /// `metadata.annotations`.
    pub annotations: Labels,
    /// `status.podIP` and `status.podIPs`.
    pub pod_ips: Vec<Str>,
    /// `status.hostIP`.
    pub host_ip: Str,
}

/// Where a pod is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Not assigned: it waits for a decision.
    Pending,
    /// It counts on a node.
    On(NodeIdx),
    /// Its `spec.nodeName` is no node of the cluster: it counts nowhere.
    Elsewhere,
    /// Succeeded or Failed: it does not exist for the scheduler.
    Finished,
    /// It was evicted for another pod.
    Evicted,
}

#[derive(Debug, Clone)]
struct TemplateRow {
    info: PodInfo,
    /// What the pods attach to their nodes; empty for most.
    attachments: Vec<Attachment>,
    /// How many pods of the template count on each node.
    counts: IndexMap<NodeIdx, PodCount, FxBuildHasher>,
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

impl Cluster {
    /// The cluster that these objects make, each kind in its order.
    ///
    /// # Errors
    /// [`ClusterError`] when an object stands twice, or a table would be too long.
    pub fn from_objects(objects: Objects) -> Result<Self, ClusterError> {
        let nodes = NodeColumns::new(objects.nodes)?;
        let mut cluster = Self {
            nodes,
            resources: Resources::default(),
            pods: IndexVec::new(),
            pod_names: IndexMap::default(),
            templates: IndexMap::default(),
            namespaces: objects
                .namespaces
                .into_iter()
                .map(|namespace| (namespace.metadata.name, namespace.metadata.labels))
                .collect(),
            storage: Storage::new(StorageObjects {
                volumes: objects.persistent_volumes,
                claims: objects.persistent_volume_claims,
                classes: objects.storage_classes,
                csi_nodes: objects.csi_nodes,
                drivers: objects.csi_drivers,
                capacities: objects.csi_storage_capacities,
                attachments: objects.volume_attachments,
            })?,
            owners: Owners {
                services: objects.services,
                replication_controllers: objects.replication_controllers,
                replica_sets: objects.replica_sets,
                stateful_sets: objects.stateful_sets,
            },
            pod_disruption_budgets: objects.pod_disruption_budgets,
            changes: Vec::new(),
            changes_before: 0,
        };
        cluster.nodes.read_allocatable(&mut cluster.resources);
        for pod in objects.pods {
            cluster.add_pod(pod)?;
        }
        Ok(cluster)
    }

    /// Adds a pod: on the node that it names, or pending.
    ///
    /// # Errors
    /// [`ClusterError`] when a pod of that namespace and name is there already, or the table is full.
    pub fn add_pod(&mut self, pod: Pod) -> Result<PodIdx, ClusterError> {
        if self.pods.len() >= MAX_ROWS {
            let count = self.pods.len() + 1;
            return Err(ClusterError::TooMany { kind: "Pod", count, limit: MAX_ROWS });
        }
        let key = (pod.metadata.namespace.clone(), pod.metadata.name.clone());
        if self.pod_names.contains_key(&key) {
            let name = format!("{}/{}", key.0, key.1);
            return Err(ClusterError::Duplicate { kind: "Pod", name });
        }
        let template = self.intern_template(PodInfo::template_of(&pod));
        let finished = matches!(pod.status.phase, PodPhase::Succeeded | PodPhase::Failed);
        let node = self.nodes.labels.find_node(&pod.spec.node_name);
        let place = match node {
            _ if finished => Place::Finished,
            _ if pod.spec.node_name.is_empty() => Place::Pending,
            Some(node) => Place::On(node),
            None => Place::Elsewhere,
        };
        let row = PodRow {
            namespace: pod.metadata.namespace,
            name: pod.metadata.name,
            uid: pod.metadata.uid,
            template,
            place: Place::Pending,
            terminating: pod.metadata.deletion_timestamp.is_some(),
            scheduling_gates: pod.spec.scheduling_gates,
            start_time: pod.status.start_time,
            kept: Some(Box::new(KeptFields {
                resource_version: pod.metadata.resource_version,
                annotations: pod.metadata.annotations,
                pod_ips: pod.status.pod_ips,
                host_ip: pod.status.host_ip,
            })),
        };
        let index = self.pods.push(row);
        self.pod_names.insert(key, index);
        if let Place::On(node) = place {
            self.assume_pod(index, node);
        } else {
            self.pods[index].place = place;
        }
        Ok(index)
    }

    /// The template's row, made if it is new.
    pub fn intern_template(&mut self, template: Pod) -> TemplateId {
        if let Some(row) = self.templates.get_index_of(&template) {
            return TemplateId::from_index(row);
        }
        let info = PodInfo::new(&mut self.resources, template.clone());
        self.nodes.widen(&self.resources);
        let attachments = self.storage.attachments(&info.pod);
        let row = TemplateRow { info, attachments, counts: IndexMap::default() };
        TemplateId::from_index(self.templates.insert_full(template, row).0)
    }

    /// Lets a pending pod count on a node (`Cache.AssumePod`).
    pub fn assume_pod(&mut self, pod: PodIdx, node: NodeIdx) {
        self.pods[pod].place = Place::On(node);
        self.count(pod, node, 1);
        self.nodes.pods[node].push(pod);
    }

    /// Takes a pod off its node (`Cache.RemovePod`); the last pod of the node takes its place, as in kube-scheduler.
    pub fn evict_pod(&mut self, pod: PodIdx) {
        let Place::On(node) = self.pods[pod].place else { return };
        self.pods[pod].place = Place::Evicted;
        self.count(pod, node, -1);
        let pods = &mut self.nodes.pods[node];
        if let Some(at) = pods.iter().position(|&other| other == pod) {
            pods.swap_remove(at);
        }
    }

    fn count(&mut self, pod: PodIdx, node: NodeIdx, delta: i64) {
        let PodRow { template, terminating, .. } = self.pods[pod];
        self.count_on_row(template, node, delta);
        if let Some((_, row)) = self.templates.get_index_mut(template.index()) {
            let count = row.counts.entry(node).or_default();
            count.all += delta;
            count.terminating += if terminating { delta } else { 0 };
            if count.all == 0 {
                row.counts.swap_remove(&node);
            }
        }
        self.changes.push(PodChange { node, template, terminating, delta });
    }

    /// Adds a pod of a template to a node's row, or takes it off: what a dry run changes.
    pub(crate) fn count_on_row(&mut self, template: TemplateId, node: NodeIdx, delta: i64) {
        if let Some((_, row)) = self.templates.get_index(template.index()) {
            self.nodes.count(template, &row.info, node, delta);
        }
    }

    /// Puts a node's ports back as they were before a dry run: a set forgets how many pods held a port.
    pub(crate) fn restore_used_ports(&mut self, node: NodeIdx, used: UsedPorts) {
        self.nodes.used_ports[node] = used;
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
        self.pod_names.get(&(Str::from(namespace), Str::from(name))).copied()
    }

    /// What the pods of a template share.
    ///
    /// # Panics
    /// When the template is of another cluster.
    #[expect(clippy::expect_used, reason = "template numbers are made by the table itself")]
    pub fn template(&self, template: TemplateId) -> &PodInfo {
        let row = self.templates.get_index(template.index());
        &row.expect("a template of this cluster").1.info
    }

    /// All templates and on which nodes how many of their pods are.
    pub fn templates(
        &self,
    ) -> impl Iterator<Item = (TemplateId, &PodInfo, impl Iterator<Item = (NodeIdx, PodCount)>)>
    {
        self.templates.values().enumerate().map(|(row, template)| {
            let counts = template.counts.iter().map(|(&node, &count)| (node, count));
            (TemplateId::from_index(row), &template.info, counts)
        })
    }

    /// How many pods of the template are on the node.
    pub fn pod_count(&self, template: TemplateId, node: NodeIdx) -> PodCount {
        let row = self.templates.get_index(template.index());
        row.and_then(|(_, row)| row.counts.get(&node)).copied().unwrap_or_default()
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
        self.storage.change(change)
    }

    /// The labels of a namespace; `None` if the cluster has no such object.
    pub fn namespace_labels(&self, namespace: &str) -> Option<&Labels> {
        self.namespaces.get(namespace)
    }

    /// All namespaces and their labels, by name.
    pub fn namespaces(&self) -> impl Iterator<Item = (&Str, &Labels)> {
        self.namespaces.iter()
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

    /// Forgets the changes so far, for when nobody will ask for them.
    pub(crate) fn forget_changes(&mut self) {
        self.changes_before = self.revision();
        self.changes.clear();
    }

    /// The node objects in node order.
    pub fn node_objects(&self) -> &IndexVec<NodeIdx, Node> {
        &self.nodes.objects
    }
}
