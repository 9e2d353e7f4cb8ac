//! `Objects`: what was read, sorted into kinds, the order within each kind kept.

use indexmap::IndexMap;

use crate::{
    CsiDriver, CsiNode, CsiStorageCapacity, Namespace, Node, PersistentVolume,
    PersistentVolumeClaim, Pod, PodDisruptionBudget, PriorityClass, ReplicaSet,
    ReplicationController, Service, StatefulSet, StorageClass, Str, VolumeAttachment,
};

/// The objects of a cluster by kind, each kind in the order in which it was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Objects {
    /// `Node` objects; their order breaks ties between nodes.
    pub nodes: Vec<Node>,
    /// `Pod` objects, running and pending.
    pub pods: Vec<Pod>,
    /// `Namespace` objects.
    pub namespaces: Vec<Namespace>,
    /// `Service` objects.
    pub services: Vec<Service>,
    /// `ReplicationController` objects.
    pub replication_controllers: Vec<ReplicationController>,
    /// `ReplicaSet` objects.
    pub replica_sets: Vec<ReplicaSet>,
    /// `StatefulSet` objects.
    pub stateful_sets: Vec<StatefulSet>,
    /// `PersistentVolume` objects.
    pub persistent_volumes: Vec<PersistentVolume>,
    /// `PersistentVolumeClaim` objects.
    pub persistent_volume_claims: Vec<PersistentVolumeClaim>,
    /// `StorageClass` objects.
    pub storage_classes: Vec<StorageClass>,
    /// `CSINode` objects.
    pub csi_nodes: Vec<CsiNode>,
    /// `CSIDriver` objects.
    pub csi_drivers: Vec<CsiDriver>,
    /// `CSIStorageCapacity` objects.
    pub csi_storage_capacities: Vec<CsiStorageCapacity>,
    /// `VolumeAttachment` objects.
    pub volume_attachments: Vec<VolumeAttachment>,
    /// `PodDisruptionBudget` objects.
    pub pod_disruption_budgets: Vec<PodDisruptionBudget>,
    /// `PriorityClass` objects.
    pub priority_classes: Vec<PriorityClass>,
    /// How many objects of each other kind were passed over.
    pub skipped: IndexMap<Str, u64>,
}
