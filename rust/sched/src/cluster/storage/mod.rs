//! `Storage`: claims, volumes, classes and what CSI drivers say, and what the scheduler assumes of them.
//!
//! The objects stay as they were read. What a reservation changes, as kube-scheduler's assume caches do, is only the
//! `claimRef` of a volume and the selected node of a claim; [`Storage::change`] does it and says how to undo it.

mod attachments;
mod csi_translation;
mod selections;

use bayplan_api::{
    CsiDriver, CsiNode, CsiStorageCapacity, Kind, Object, ObjectKey, ObjectMeta, ObjectReference,
    Objects, PersistentVolume, PersistentVolumeClaim, PersistentVolumeSource, Pod, Quantity,
    StorageClass, Str, Volume, VolumeAttachment, VolumeBindingMode, VolumeSource,
};
use indexmap::{IndexMap, IndexSet};
use rustc_hash::FxBuildHasher;

pub(crate) use attachments::{Attachment, CsiNodeInfo};
pub(crate) use csi_translation::InTreePlugin;

use self::attachments::Attachables;
use self::selections::Selections;
use super::NodeColumns;
use super::table::{Name, Named, Table, TableUndo, name_of};
use crate::index_vec::{AttachableId, ClaimIdx, DriverId, Idx, ObjectIdx, SelectionId, VolumeIdx};
use crate::node_set::NodeSet;

const BETA_STORAGE_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const STORAGE: &str = "storage";

/// The storage objects of a cluster.
#[derive(Debug, Clone, Default)]
pub struct Storage {
    claims: Table<ClaimIdx, Claim>,
    volumes: Table<VolumeIdx, VolumeRow>,
    /// In the order of the volumes' rows.
    volumes_of_class: IndexMap<Str, Vec<VolumeIdx>, FxBuildHasher>,
    classes: Table<ObjectIdx, Class>,
    drivers: Table<ObjectIdx, CsiDriver>,
    capacities: Table<ObjectIdx, Capacity>,
    capacities_of_class: IndexMap<Str, Vec<ObjectIdx>, FxBuildHasher>,
    csi_nodes: Table<ObjectIdx, CsiNodeRow>,
    attachments: Table<ObjectIdx, VolumeAttachment>,
    attachments_of_node: IndexMap<Str, Vec<ObjectIdx>, FxBuildHasher>,
    attachments_of_volume: IndexMap<Str, Vec<ObjectIdx>, FxBuildHasher>,
    /// CSI volumes that are attached to a node, whoever uses them.
    attached: IndexMap<Str, Vec<(AttachableId, DriverId)>, FxBuildHasher>,
    selections: Selections,
    attachables: Attachables,
    revision: u64,
}

/// A claim.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Claim {
    pub(crate) object: PersistentVolumeClaim,
    /// The node for which the volume is to be made: of the annotation, or assumed.
    pub(crate) selected_node: Option<Str>,
}

/// A volume.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct VolumeRow {
    pub(crate) object: PersistentVolume,
    /// The claim that the volume is bound to or reserved for, by the object or assumed.
    pub(crate) claim_ref: Option<ObjectReference>,
    /// The nodes that reach it; `None` for all.
    affinity: Option<SelectionId>,
    /// What it is to the CSI driver that took its plugin's place.
    translated: Option<Result<TranslatedRow, String>>,
}

#[derive(Debug, Clone, PartialEq)]
struct TranslatedRow {
    driver: Str,
    handle: Str,
    affinity: Option<SelectionId>,
}

/// A storage class.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Class {
    object: StorageClass,
    pub(crate) provisioner: Str,
    pub(crate) waits_for_consumer: bool,
    /// `allowedTopologies`; `None` for all nodes.
    topologies: Option<SelectionId>,
}

/// A `CSIStorageCapacity` that some node reaches.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Capacity {
    object: CsiStorageCapacity,
    /// How large a volume may be, in bytes; `None` if the object does not say it, or not where.
    limit: Option<i64>,
    /// The nodes that reach it; `None` for all.
    nodes: Option<SelectionId>,
}

/// A `CSINode`, and what is read of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CsiNodeRow {
    object: CsiNode,
    info: CsiNodeInfo,
}

macro_rules! named {
    ($($row:ident),*) => {
        $(impl Named for $row {
            fn metadata(&self) -> &ObjectMeta {
                &self.object.metadata
            }
        })*
    };
}

named!(Claim, VolumeRow, Class, Capacity, CsiNodeRow);

/// What undoes a change of the storage objects.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum StorageUndo {
    Claim(TableUndo<ClaimIdx, Claim>),
    Volume(TableUndo<VolumeIdx, VolumeRow>),
    Class(TableUndo<ObjectIdx, Class>),
    Driver(TableUndo<ObjectIdx, CsiDriver>),
    Capacity(TableUndo<ObjectIdx, Capacity>),
    CsiNode(TableUndo<ObjectIdx, CsiNodeRow>),
    Attachment(TableUndo<ObjectIdx, VolumeAttachment>),
    /// How many selections there were.
    Selections(usize),
    /// How many drivers and volumes there were.
    Attachables((usize, usize)),
    /// What is assumed.
    Assumed(StorageChange),
}

/// Where undos go.
pub(super) type Undos<'a> = &'a mut dyn FnMut(StorageUndo);

/// What a reservation changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageChange {
    /// Sets the claim that a volume is bound to or reserved for.
    ClaimRef {
        /// The volume.
        volume: VolumeIdx,
        /// `spec.claimRef`.
        claim_ref: Option<ObjectReference>,
    },
    /// Sets the node for which a claim's volume is to be made.
    SelectedNode {
        /// The claim.
        claim: ClaimIdx,
        /// The node's name.
        node: Option<Str>,
    },
}

impl PartialEq for Storage {
    /// How often the objects changed makes no difference.
    fn eq(&self, other: &Self) -> bool {
        self.claims == other.claims
            && self.volumes == other.volumes
            && self.volumes_of_class == other.volumes_of_class
            && self.classes == other.classes
            && self.drivers == other.drivers
            && self.capacities == other.capacities
            && self.capacities_of_class == other.capacities_of_class
            && self.csi_nodes == other.csi_nodes
            && self.attachments == other.attachments
            && self.attachments_of_node == other.attachments_of_node
            && self.attachments_of_volume == other.attachments_of_volume
            && self.attached == other.attached
            && self.selections == other.selections
            && self.attachables == other.attachables
    }
}

impl Storage {
    /// Puts an object where the one of its name stood, or behind the others of its kind; tells whether it is of a kind
    /// that is kept here.
    pub(super) fn put(&mut self, object: Object, undos: Undos<'_>) -> bool {
        self.revision += 1;
        let before = (self.selections.len(), self.attachables.len());
        match object {
            Object::PersistentVolumeClaim(object) => {
                let mut row = Claim { selected_node: said_node(&object), object: *object };
                let known = self.claims.find_like(&row).and_then(|known| self.claims.get(known));
                if let Some(known) = known.filter(|known| is_old(&known.object, &row.object)) {
                    row.selected_node.clone_from(&known.selected_node);
                }
                let (_, undo) = self.claims.put(row);
                undos(StorageUndo::Claim(undo));
            }
            Object::PersistentVolume(object) => {
                let mut row = self.volume_row(*object);
                let known = self.volumes.find_like(&row);
                let was = known.and_then(|row| self.class_of_volume(row));
                let known = known.and_then(|known| self.volumes.get(known));
                if let Some(known) = known.filter(|known| is_old(&known.object, &row.object)) {
                    row.claim_ref.clone_from(&known.claim_ref);
                }
                let (row, undo) = self.volumes.put(row);
                undos(StorageUndo::Volume(undo));
                self.volume_changed(row, was);
            }
            Object::StorageClass(object) => {
                let row = self.class_row(*object);
                undos(StorageUndo::Class(self.classes.put(row).1));
            }
            Object::CsiDriver(object) => {
                undos(StorageUndo::Driver(self.drivers.put(*object).1));
            }
            Object::CsiStorageCapacity(object) => {
                let row = self.capacity_row(*object);
                let known = self.capacities.find_like(&row);
                let was = known.and_then(|row| self.class_of_capacity(row));
                let (row, undo) = self.capacities.put(row);
                undos(StorageUndo::Capacity(undo));
                self.capacity_changed(row, was);
            }
            Object::CsiNode(object) => {
                let info = CsiNodeInfo::new(&object, &mut self.attachables);
                let row = CsiNodeRow { object: *object, info };
                undos(StorageUndo::CsiNode(self.csi_nodes.put(row).1));
            }
            Object::VolumeAttachment(object) => {
                let known = self.attachments.find_like(&*object);
                let was = known.map(|row| self.ends_of_attachment(row)).unwrap_or_default();
                let (row, undo) = self.attachments.put(*object);
                undos(StorageUndo::Attachment(undo));
                self.attachment_changed(row, was);
            }
            _ => return false,
        }
        self.grown_since(before, undos);
        true
    }

    /// The row of an object of a kind that is kept here.
    pub(super) fn find(&self, key: &ObjectKey) -> Option<usize> {
        match key.kind {
            Kind::PersistentVolumeClaim => self.claims.find_key(key).map(Idx::index),
            Kind::PersistentVolume => self.volumes.find_key(key).map(Idx::index),
            Kind::StorageClass => self.classes.find_key(key).map(Idx::index),
            Kind::CsiDriver => self.drivers.find_key(key).map(Idx::index),
            Kind::CsiStorageCapacity => self.capacities.find_key(key).map(Idx::index),
            Kind::CsiNode => self.csi_nodes.find_key(key).map(Idx::index),
            Kind::VolumeAttachment => self.attachments.find_key(key).map(Idx::index),
            _ => None,
        }
    }

    /// `metadata` of the object in a row.
    pub(super) fn metadata(&self, kind: Kind, row: usize) -> Option<&ObjectMeta> {
        let object = ObjectIdx::from_index(row);
        match kind {
            Kind::PersistentVolumeClaim => self.claims.metadata(ClaimIdx::from_index(row)),
            Kind::PersistentVolume => self.volumes.metadata(VolumeIdx::from_index(row)),
            Kind::StorageClass => self.classes.metadata(object),
            Kind::CsiDriver => self.drivers.metadata(object),
            Kind::CsiStorageCapacity => self.capacities.metadata(object),
            Kind::CsiNode => self.csi_nodes.metadata(object),
            Kind::VolumeAttachment => self.attachments.metadata(object),
            _ => None,
        }
    }

    /// Namespace and name of the claims that name one of the volumes.
    pub(super) fn claims_bound_to(&self, volumes: &IndexSet<Str, FxBuildHasher>) -> Vec<Name> {
        if volumes.is_empty() {
            return Vec::new();
        }
        let claims = self.claims.values();
        let bound = claims.filter(|claim| volumes.contains(&claim.object.spec.volume_name));
        bound.map(name_of).collect()
    }

    /// Takes an object out.
    pub(super) fn remove(&mut self, kind: Kind, row: usize, undos: Undos<'_>) {
        self.revision += 1;
        let before = (self.selections.len(), self.attachables.len());
        let object = ObjectIdx::from_index(row);
        let undo = match kind {
            Kind::PersistentVolumeClaim => {
                self.claims.remove(ClaimIdx::from_index(row)).map(StorageUndo::Claim)
            }
            Kind::PersistentVolume => {
                let row = VolumeIdx::from_index(row);
                let was = self.class_of_volume(row);
                let name = self.volumes.get(row).map(|row| row.object.metadata.name.clone());
                let undo = self.volumes.remove(row).map(StorageUndo::Volume);
                self.volume_moved(row, was);
                if let Some(name) = name {
                    self.reattach_volume(&name);
                }
                undo
            }
            Kind::StorageClass => self.classes.remove(object).map(StorageUndo::Class),
            Kind::CsiDriver => self.drivers.remove(object).map(StorageUndo::Driver),
            Kind::CsiStorageCapacity => {
                let was = self.class_of_capacity(object);
                let undo = self.capacities.remove(object).map(StorageUndo::Capacity);
                self.capacity_changed(object, was);
                undo
            }
            Kind::CsiNode => self.csi_nodes.remove(object).map(StorageUndo::CsiNode),
            Kind::VolumeAttachment => {
                let was = self.ends_of_attachment(object);
                let undo = self.attachments.remove(object).map(StorageUndo::Attachment);
                self.attachment_changed(object, was);
                undo
            }
            _ => None,
        };
        undo.into_iter().for_each(&mut *undos);
        self.grown_since(before, undos);
    }

    /// Undoes the last change.
    pub(super) fn undo(&mut self, undo: StorageUndo) {
        self.revision += 1;
        match undo {
            StorageUndo::Claim(undo) => drop(self.claims.undo(undo)),
            StorageUndo::Class(undo) => drop(self.classes.undo(undo)),
            StorageUndo::Driver(undo) => drop(self.drivers.undo(undo)),
            StorageUndo::CsiNode(undo) => drop(self.csi_nodes.undo(undo)),
            StorageUndo::Volume(undo) => {
                let row = undo.row(&self.volumes);
                let was = self.class_of_volume(row);
                let names = [self.volumes.undo(undo), self.volumes.get(row).map(name_of)];
                self.volume_moved(row, was);
                names.iter().flatten().for_each(|(_, name)| self.reattach_volume(name));
            }
            StorageUndo::Capacity(undo) => {
                let row = undo.row(&self.capacities);
                let was = self.class_of_capacity(row);
                self.capacities.undo(undo);
                self.capacity_changed(row, was);
            }
            StorageUndo::Attachment(undo) => {
                let row = undo.row(&self.attachments);
                let was = self.ends_of_attachment(row);
                self.attachments.undo(undo);
                self.attachment_changed(row, was);
            }
            StorageUndo::Selections(known) => self.selections.truncate(known),
            StorageUndo::Attachables(known) => self.attachables.truncate(known),
            StorageUndo::Assumed(change) => drop(self.change(change)),
        }
    }

    /// Tells what was interned since.
    fn grown_since(&self, (selections, attachables): (usize, (usize, usize)), undos: Undos<'_>) {
        if self.selections.len() > selections {
            undos(StorageUndo::Selections(selections));
        }
        if self.attachables.len() != attachables {
            undos(StorageUndo::Attachables(attachables));
        }
    }

    /// Nodes came, went or have other labels: what was worked out of labels is so no longer.
    pub(super) fn nodes_changed(&mut self) {
        self.selections.forget();
    }

    fn class_row(&mut self, object: StorageClass) -> Class {
        let topologies = &object.allowed_topologies;
        let topologies = (!topologies.is_empty())
            .then(|| self.selections.intern(&selections::of_topologies(topologies)));
        Class {
            provisioner: object.provisioner.clone(),
            waits_for_consumer: object.volume_binding_mode
                == VolumeBindingMode::WaitForFirstConsumer,
            topologies,
            object,
        }
    }

    fn volume_row(&mut self, object: PersistentVolume) -> VolumeRow {
        let affinity = object.spec.node_affinity.as_ref();
        let affinity = affinity.map(|affinity| self.selections.intern(affinity));
        let translated = csi_translation::translate(&object).map(|translated| {
            translated.map(|translated| TranslatedRow {
                driver: translated.driver,
                handle: translated.handle,
                affinity: translated
                    .node_affinity
                    .as_ref()
                    .map(|affinity| self.selections.intern(affinity)),
            })
        });
        VolumeRow { claim_ref: object.spec.claim_ref.clone(), affinity, translated, object }
    }

    fn capacity_row(&mut self, object: CsiStorageCapacity) -> Capacity {
        let limit = object.maximum_volume_size.as_ref().or(object.capacity.as_ref());
        let topology = object.node_topology.as_ref();
        let limit = limit.filter(|_| topology.is_some()).map(Quantity::value);
        let topology = topology.filter(|topology| !topology.is_empty());
        let nodes =
            topology.map(|topology| self.selections.intern(&selections::of_labels(topology)));
        Capacity { object, limit, nodes }
    }

    fn class_of_volume(&self, row: VolumeIdx) -> Option<Str> {
        self.volumes.get(row).map(|row| row.class_name().clone())
    }

    fn class_of_capacity(&self, row: ObjectIdx) -> Option<Str> {
        self.capacities.get(row).map(|row| row.object.storage_class_name.clone())
    }

    /// The node and the volume of an attachment.
    fn ends_of_attachment(&self, row: ObjectIdx) -> (Option<Str>, Option<Str>) {
        let object = self.attachments.get(row);
        let volume = object.and_then(|object| object.persistent_volume_name.clone());
        (object.map(|object| object.node_name.clone()), volume)
    }

    /// A volume came or changed.
    fn volume_changed(&mut self, row: VolumeIdx, was: Option<Str>) {
        self.volume_moved(row, was);
        if let Some(name) = self.volumes.get(row).map(|row| row.object.metadata.name.clone()) {
            self.reattach_volume(&name);
        }
    }

    /// A volume is perhaps of another class than it was.
    fn volume_moved(&mut self, row: VolumeIdx, was: Option<Str>) {
        let is = self.class_of_volume(row);
        regroup(&mut self.volumes_of_class, row, was, is);
    }

    fn capacity_changed(&mut self, row: ObjectIdx, was: Option<Str>) {
        let is = self.class_of_capacity(row);
        regroup(&mut self.capacities_of_class, row, was, is);
    }

    fn attachment_changed(&mut self, row: ObjectIdx, was: (Option<Str>, Option<Str>)) {
        let is = self.ends_of_attachment(row);
        let nodes = [was.0.clone(), is.0.clone()];
        regroup(&mut self.attachments_of_node, row, was.0, is.0);
        regroup(&mut self.attachments_of_volume, row, was.1, is.1);
        nodes.iter().flatten().for_each(|node| self.reattach(node));
    }

    /// Works out again what is attached where an attachment names the volume.
    fn reattach_volume(&mut self, volume: &Str) {
        let of_volume = self.attachments_of_volume.get(volume).map_or(&[][..], Vec::as_slice);
        let nodes = of_volume.iter().filter_map(|&row| self.ends_of_attachment(row).0);
        nodes.collect::<Vec<Str>>().iter().for_each(|node| self.reattach(node));
    }

    /// `getNodeVolumeAttachmentInfo`: works out which CSI volumes are attached to a node.
    fn reattach(&mut self, node: &Str) {
        let mut attached: Vec<(AttachableId, DriverId)> = Vec::new();
        let of_node = self.attachments_of_node.get(node).map_or(&[][..], Vec::as_slice);
        for attachment in of_node.iter().filter_map(|&row| self.attachments.get(row)) {
            let Some(name) = &attachment.persistent_volume_name else { continue };
            let Some(volume) = self.volumes.named(&Str::EMPTY, name) else { continue };
            let PersistentVolumeSource::Csi { volume_handle, .. } = &volume.object.spec.source
            else {
                continue;
            };
            if attachment.attacher.is_empty() {
                continue;
            }
            let driver = self.attachables.driver(&attachment.attacher);
            let volume = self.attachables.volume(driver, volume_handle.clone());
            if !attached.contains(&(volume, driver)) {
                attached.push((volume, driver));
            }
        }
        if attached.is_empty() {
            self.attached.swap_remove(node);
        } else {
            self.attached.insert(node.clone(), attached);
        }
    }

    /// All objects, with what is assumed of them.
    pub(super) fn export(&self, objects: &mut Objects) {
        objects.persistent_volume_claims = self.claims.values().map(Claim::export).collect();
        objects.persistent_volumes = self.volumes.values().map(VolumeRow::export).collect();
        objects.storage_classes = self.classes.values().map(|row| row.object.clone()).collect();
        objects.csi_drivers = self.drivers.values().cloned().collect();
        objects.csi_storage_capacities =
            self.capacities.values().map(|row| row.object.clone()).collect();
        objects.csi_nodes = self.csi_nodes.values().map(|row| row.object.clone()).collect();
        objects.volume_attachments = self.attachments.values().cloned().collect();
    }

    /// Changes what is assumed; gives back the change that undoes it.
    pub(super) fn change(&mut self, change: StorageChange) -> StorageChange {
        self.revision += 1;
        match change {
            StorageChange::ClaimRef { volume, claim_ref } => {
                let row = self.volumes.get_mut(volume);
                let before = row.and_then(|row| std::mem::replace(&mut row.claim_ref, claim_ref));
                StorageChange::ClaimRef { volume, claim_ref: before }
            }
            StorageChange::SelectedNode { claim, node } => {
                let row = self.claims.get_mut(claim);
                let before = row.and_then(|row| std::mem::replace(&mut row.selected_node, node));
                StorageChange::SelectedNode { claim, node: before }
            }
        }
    }

    /// The change that lets a claim or volume be again what its object says (`AssumeCache.Restore`).
    pub(super) fn restoring(&self, change: &StorageChange) -> StorageChange {
        match change {
            StorageChange::ClaimRef { volume, .. } => {
                let row = self.volumes.get(*volume);
                let claim_ref = row.and_then(|row| row.object.spec.claim_ref.clone());
                StorageChange::ClaimRef { volume: *volume, claim_ref }
            }
            StorageChange::SelectedNode { claim, .. } => {
                let node = self.claims.get(*claim).and_then(|row| said_node(&row.object));
                StorageChange::SelectedNode { claim: *claim, node }
            }
        }
    }

    /// Lets an object say something else, whatever is assumed of it: for a cluster that is made again.
    pub(super) fn say(&mut self, change: StorageChange) {
        match change {
            StorageChange::ClaimRef { volume, claim_ref } => {
                if let Some(row) = self.volumes.get_mut(volume) {
                    row.object.spec.claim_ref = claim_ref;
                }
            }
            StorageChange::SelectedNode { claim, node } => {
                if let Some(row) = self.claims.get_mut(claim) {
                    say_node(&mut row.object, node);
                }
            }
        }
    }

    /// How often the storage changed, undoing included.
    pub(crate) const fn revision(&self) -> u64 {
        self.revision
    }

    pub(crate) fn find_claim(&self, namespace: &Str, name: &Str) -> Option<ClaimIdx> {
        self.claims.find(namespace, name)
    }

    /// # Panics
    /// When the claim is of another cluster.
    #[expect(
        clippy::expect_used,
        reason = "a claim is found in the epoch in which it is asked for, and in one epoch none goes"
    )]
    pub(crate) fn claim(&self, claim: ClaimIdx) -> &Claim {
        self.claims.get(claim).expect("a claim of this cluster")
    }

    pub(super) fn claim_name(&self, claim: ClaimIdx) -> Option<Name> {
        self.claims.get(claim).map(name_of)
    }

    pub(super) fn volume_name(&self, volume: VolumeIdx) -> Option<Name> {
        self.volumes.get(volume).map(name_of)
    }

    pub(crate) fn find_volume(&self, name: &Str) -> Option<VolumeIdx> {
        self.volumes.find(&Str::EMPTY, name)
    }

    /// # Panics
    /// When the volume is of another cluster.
    #[expect(
        clippy::expect_used,
        reason = "a volume is found in the epoch in which it is asked for, and in one epoch none goes"
    )]
    pub(crate) fn volume(&self, volume: VolumeIdx) -> &VolumeRow {
        self.volumes.get(volume).expect("a volume of this cluster")
    }

    /// The volumes of a class in the order in which they were read.
    pub(crate) fn volumes_of_class(&self, class: &Str) -> &[VolumeIdx] {
        self.volumes_of_class.get(class).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn class(&self, name: &Str) -> Option<&Class> {
        self.classes.named(&Str::EMPTY, name)
    }

    pub(crate) fn csi_node(&self, node: &Str) -> Option<&CsiNodeInfo> {
        self.csi_nodes.named(&Str::EMPTY, node).map(|row| &row.info)
    }

    /// The volumes attached to the node, and their drivers.
    pub(crate) fn attached(&self, node: &Str) -> &[(AttachableId, DriverId)] {
        self.attached.get(node).map_or(&[], Vec::as_slice)
    }

    /// The nodes that reach the volume (`CheckNodeAffinity`); `None` for all.
    pub(crate) fn nodes_of_volume(
        &self,
        volume: VolumeIdx,
        nodes: &NodeColumns,
    ) -> Option<&NodeSet> {
        Some(self.selections.nodes(self.volume(volume).affinity?, nodes))
    }

    /// As [`Storage::nodes_of_volume`], for nodes on which the volume is its CSI driver's.
    pub(crate) fn nodes_of_translated(
        &self,
        volume: VolumeIdx,
        nodes: &NodeColumns,
    ) -> Result<Option<&NodeSet>, String> {
        match &self.volume(volume).translated {
            None => Ok(self.nodes_of_volume(volume, nodes)),
            Some(Ok(translated)) => {
                Ok(translated.affinity.map(|affinity| self.selections.nodes(affinity, nodes)))
            }
            Some(Err(error)) => Err(format!("could not translate pv: {error}")),
        }
    }

    /// The nodes that `allowedTopologies` leaves; `None` for all.
    pub(crate) fn nodes_of_class(&self, class: &Class, nodes: &NodeColumns) -> Option<&NodeSet> {
        Some(self.selections.nodes(class.topologies?, nodes))
    }

    /// `hasEnoughCapacity`: the nodes on which the provisioner can make so large a volume; `None` for all.
    pub(crate) fn nodes_with_capacity(
        &self,
        claim: &Claim,
        nodes: &NodeColumns,
    ) -> Option<NodeSet> {
        let size = claim.object.spec.resources.requests.get(STORAGE)?.value();
        let class = claim.class_name();
        let driver = self.drivers.named(&Str::EMPTY, &self.class(class)?.provisioner);
        driver.filter(|driver| driver.storage_capacity)?;
        let mut reached = NodeSet::empty(nodes.row_count());
        let capacities = self.capacities_of_class.get(class).map_or(&[][..], Vec::as_slice);
        let capacities = capacities.iter().filter_map(|&row| self.capacities.get(row));
        for capacity in capacities.filter(|row| row.limit.is_some_and(|limit| limit >= size)) {
            match capacity.nodes {
                None => return None,
                Some(selection) => reached.union(self.selections.nodes(selection, nodes)),
            }
        }
        Some(reached)
    }
}

/// Moves a row from one group to another; each group is in the order of rows.
fn regroup<I: Idx>(
    groups: &mut IndexMap<Str, Vec<I>, FxBuildHasher>,
    row: I,
    was: Option<Str>,
    is: Option<Str>,
) {
    if was == is {
        return;
    }
    if let Some(was) = was
        && let Some(group) = groups.get_mut(&was)
    {
        if let Ok(at) = group.binary_search(&row) {
            group.remove(at);
        }
        if group.is_empty() {
            groups.swap_remove(&was);
        }
    }
    if let Some(is) = is {
        let group = groups.entry(is).or_default();
        if let Err(at) = group.binary_search(&row) {
            group.insert(at, row);
        }
    }
}

/// The node for which the claim's object says that the volume is to be made.
fn said_node(claim: &PersistentVolumeClaim) -> Option<Str> {
    claim.metadata.annotations.get(SELECTED_NODE).cloned()
}

fn say_node(claim: &mut PersistentVolumeClaim, node: Option<Str>) {
    let annotations = &mut claim.metadata.annotations;
    match node {
        Some(node) => drop(annotations.insert(SELECTED_NODE.into(), node)),
        None => drop(annotations.remove(SELECTED_NODE)),
    }
}

/// Whether an object tells nothing new, so that what is assumed stays (`AssumeCache.add`): it is the same, or its version
/// is not a later one.
fn is_old<T: Named + PartialEq>(known: &T, object: &T) -> bool {
    let version = |object: &T| object.metadata().resource_version.parse::<u64>().ok();
    known == object || version(object).zip(version(known)).is_some_and(|(new, old)| new <= old)
}

/// The name of the claim that a pod's volume stands for; `None` for other volumes.
pub(crate) fn claim_name(pod: &Pod, volume: &Volume) -> Option<Str> {
    match &volume.source {
        VolumeSource::PersistentVolumeClaim { claim_name, .. } => Some(claim_name.clone()),
        VolumeSource::Ephemeral { .. } => {
            Some(format!("{}-{}", pod.metadata.name, volume.name).into())
        }
        _ => None,
    }
}

impl Claim {
    /// The object with what is assumed.
    fn export(&self) -> PersistentVolumeClaim {
        let mut object = self.object.clone();
        say_node(&mut object, self.selected_node.clone());
        object
    }

    /// `GetPersistentVolumeClaimClass`; empty for none.
    pub(crate) fn class_name(&self) -> &Str {
        static NONE: Str = Str::EMPTY;
        let beta = self.object.metadata.annotations.get(BETA_STORAGE_CLASS);
        beta.or(self.object.spec.storage_class_name.as_ref()).unwrap_or(&NONE)
    }

    /// `isPVCFullyBound`.
    pub(crate) fn is_fully_bound(&self) -> bool {
        !self.object.spec.volume_name.is_empty()
            && self.object.metadata.annotations.contains_key(BIND_COMPLETED)
    }

    /// `VolumeIsForPod`: whether the pod is the claim's controller.
    pub(crate) fn is_for_pod(&self, pod: &Pod) -> Result<(), String> {
        let claim = &self.object.metadata;
        if claim.controller().is_some_and(|owner| owner.uid == pod.metadata.uid) {
            return Ok(());
        }
        Err(format!(
            "PVC {}/{} was not created for pod {}/{} (pod is not owner)",
            claim.namespace, claim.name, pod.metadata.namespace, pod.metadata.name
        ))
    }

    /// How much it asks for.
    pub(crate) fn requested(&self) -> Quantity {
        self.object.spec.resources.requests.get(STORAGE).cloned().unwrap_or_default()
    }

    /// What a volume that is bound to it refers to.
    pub(crate) fn reference(&self) -> ObjectReference {
        let metadata = &self.object.metadata;
        ObjectReference {
            kind: "PersistentVolumeClaim".into(),
            namespace: metadata.namespace.clone(),
            name: metadata.name.clone(),
            uid: metadata.uid.clone(),
        }
    }
}

impl VolumeRow {
    /// The object with what is assumed.
    fn export(&self) -> PersistentVolume {
        let mut object = self.object.clone();
        object.spec.claim_ref.clone_from(&self.claim_ref);
        object
    }

    /// `GetPersistentVolumeClass`; empty for none.
    pub(crate) fn class_name(&self) -> &Str {
        let beta = self.object.metadata.annotations.get(BETA_STORAGE_CLASS);
        beta.unwrap_or(&self.object.spec.storage_class_name)
    }

    /// How large it is.
    pub(crate) fn capacity(&self) -> Quantity {
        self.object.spec.capacity.get(STORAGE).cloned().unwrap_or_default()
    }

    /// `IsVolumeBoundToClaim`.
    pub(crate) fn is_bound_to(&self, claim: &Claim) -> bool {
        let claim = &claim.object.metadata;
        self.claim_ref.as_ref().is_some_and(|reference| {
            reference.name == claim.name
                && reference.namespace == claim.namespace
                && (reference.uid.is_empty() || reference.uid == claim.uid)
        })
    }

    /// The plugin whose CSI driver the volume is looked at by, where nodes say so.
    pub(crate) fn migrated_plugin(&self) -> Option<InTreePlugin> {
        self.translated.as_ref()?;
        InTreePlugin::of_volume(&self.object.spec.source)
    }

    fn translated_handle(&self) -> Option<(&Str, &Str)> {
        let translated = self.translated.as_ref()?.as_ref().ok()?;
        Some((&translated.driver, &translated.handle))
    }
}

#[cfg(test)]
mod tests {
    use bayplan_api::ObjectMeta;

    use super::*;

    #[test]
    fn a_change_gives_back_what_undoes_it() {
        let named = |name: &str| ObjectMeta { name: name.into(), ..ObjectMeta::default() };
        let mut storage = Storage::default();
        let volume = PersistentVolume { metadata: named("v"), ..Default::default() };
        let claim = PersistentVolumeClaim { metadata: named("c"), ..Default::default() };
        storage.put(volume.into(), &mut drop);
        storage.put(claim.into(), &mut drop);
        let volume = storage.find_volume(&"v".into()).unwrap();
        let claim = storage.find_claim(&Str::default(), &"c".into()).unwrap();
        let revision = storage.revision();
        let reference = storage.claim(claim).reference();
        let bind = StorageChange::ClaimRef { volume, claim_ref: Some(reference) };
        let first = StorageChange::SelectedNode { claim, node: Some("a".into()) };
        let second = StorageChange::SelectedNode { claim, node: Some("b".into()) };
        let undo: Vec<StorageChange> =
            [bind, first, second].into_iter().map(|change| storage.change(change)).collect();
        assert!(storage.volume(volume).is_bound_to(storage.claim(claim)));
        assert_eq!(storage.claim(claim).selected_node, Some("b".into()));
        for change in undo.into_iter().rev() {
            storage.change(change);
        }
        assert_eq!(storage.volume(volume).claim_ref, None);
        assert_eq!(storage.claim(claim).selected_node, None);
        // Plans made in between must not be taken for fresh.
        assert_eq!(storage.revision(), revision + 6);
    }
}
