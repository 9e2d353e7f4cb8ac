//! `Objects`: what was read, sorted into kinds, the order within each kind kept.

use indexmap::IndexMap;

use crate::{
    CsiDriver, CsiNode, CsiStorageCapacity, Namespace, Node, Object, PersistentVolume,
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

impl Objects {
    /// The objects one by one, each kind in its order: nodes first, pods last.
    pub fn into_objects(self) -> impl Iterator<Item = Object> {
        (self.nodes.into_iter().map(Object::from))
            .chain(self.namespaces.into_iter().map(Object::from))
            .chain(self.services.into_iter().map(Object::from))
            .chain(self.replication_controllers.into_iter().map(Object::from))
            .chain(self.replica_sets.into_iter().map(Object::from))
            .chain(self.stateful_sets.into_iter().map(Object::from))
            .chain(self.storage_classes.into_iter().map(Object::from))
            .chain(self.persistent_volumes.into_iter().map(Object::from))
            .chain(self.persistent_volume_claims.into_iter().map(Object::from))
            .chain(self.csi_nodes.into_iter().map(Object::from))
            .chain(self.csi_drivers.into_iter().map(Object::from))
            .chain(self.csi_storage_capacities.into_iter().map(Object::from))
            .chain(self.volume_attachments.into_iter().map(Object::from))
            .chain(self.pod_disruption_budgets.into_iter().map(Object::from))
            .chain(self.priority_classes.into_iter().map(Object::from))
            .chain(self.pods.into_iter().map(Object::from))
    }
}
