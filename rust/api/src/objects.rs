//! `Objects`: what was read, sorted into kinds, the order within each kind kept.

use std::io::{self, Write};

use indexmap::IndexMap;

use crate::json::Encoder;
use crate::object::{ObjectType, Visitor};
use crate::{
    CsiDriver, CsiNode, CsiStorageCapacity, Kind, Namespace, Node, Object, PersistentVolume,
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

/// So much text is gathered before it is handed on, in bytes.
const WRITTEN_AT_ONCE: usize = 64 << 10;

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

    /// Writes all objects as a `v1.List`, an object a line, so that a [`Reader`](crate::Reader) reads the same objects again.
    ///
    /// A kind follows the other in the order of [`Kind::ALL`]. What is not kept of an object is not written, and
    /// [`skipped`](Self::skipped) counts what is not here.
    ///
    /// # Errors
    /// `out` fails.
    pub fn write_json(&self, out: impl Write) -> io::Result<()> {
        let mut writer =
            ListWriter { objects: self, out, encoder: Encoder::default(), first: true };
        writer.out.write_all(br#"{"apiVersion":"v1","kind":"List","items":["#)?;
        for kind in Kind::ALL {
            kind.accept(&mut writer)?;
        }
        writer.out.write_all(writer.encoder.text())?;
        writer.out.write_all(b"\n]}\n")?;
        writer.out.flush()
    }
}

struct ListWriter<'o, W> {
    objects: &'o Objects,
    out: W,
    encoder: Encoder,
    first: bool,
}

impl<W: Write> Visitor for &mut ListWriter<'_, W> {
    type Output = io::Result<()>;

    fn visit<T: ObjectType>(self) -> Self::Output {
        for object in T::list(self.objects) {
            self.encoder.raw(if self.first { b"\n" } else { b",\n" });
            self.first = false;
            object.encode(&mut self.encoder);
            if self.encoder.text().len() >= WRITTEN_AT_ONCE {
                self.out.write_all(self.encoder.text())?;
                self.encoder.clear();
            }
        }
        Ok(())
    }
}
