//! `Storage`: claims, volumes, classes and what CSI drivers say, and what the scheduler assumes of them.
//!
//! The objects stay as they were read. What a reservation changes, as kube-scheduler's assume caches do, is only the
//! `claimRef` of a volume and the selected node of a claim; [`Storage::change`] does it and says how to undo it.

mod attachments;
mod csi_translation;
mod selections;

use bayplan_api::{
    CsiDriver, CsiNode, CsiStorageCapacity, ObjectReference, PersistentVolume,
    PersistentVolumeClaim, PersistentVolumeSource, Pod, Quantity, StorageClass, Str, Volume,
    VolumeAttachment, VolumeBindingMode, VolumeSource,
};
use indexmap::{IndexMap, IndexSet};
use rustc_hash::FxBuildHasher;

pub(crate) use attachments::{Attachment, CsiNodeInfo};
pub(crate) use csi_translation::InTreePlugin;

use self::attachments::Attachables;
use self::selections::Selections;
use super::{ClusterError, NodeColumns};
use crate::index_vec::{AttachableId, ClaimIdx, DriverId, Idx, SelectionId, VolumeIdx};
use crate::node_set::NodeSet;

const BETA_STORAGE_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const STORAGE: &str = "storage";

/// The storage objects of a cluster.
#[derive(Debug, Clone, Default)]
pub struct Storage {
    claims: IndexMap<(Str, Str), Claim, FxBuildHasher>,
    volumes: IndexMap<Str, VolumeRow, FxBuildHasher>,
    volumes_of_class: IndexMap<Str, Vec<VolumeIdx>, FxBuildHasher>,
    classes: IndexMap<Str, Class, FxBuildHasher>,
    /// Drivers that want capacities to be checked.
    tracked_drivers: IndexSet<Str, FxBuildHasher>,
    capacities: IndexMap<Str, Vec<Capacity>, FxBuildHasher>,
    csi_nodes: IndexMap<Str, CsiNodeInfo, FxBuildHasher>,
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
    pub(crate) provisioner: Str,
    pub(crate) waits_for_consumer: bool,
    /// `allowedTopologies`; `None` for all nodes.
    topologies: Option<SelectionId>,
}

/// A `CSIStorageCapacity` that some node reaches.
#[derive(Debug, Clone, PartialEq)]
struct Capacity {
    /// How large a volume may be, in bytes.
    limit: i64,
    /// The nodes that reach it; `None` for all.
    nodes: Option<SelectionId>,
}

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

/// The storage objects as they were read.
#[derive(Debug, Default)]
pub(super) struct StorageObjects {
    pub(super) volumes: Vec<PersistentVolume>,
    pub(super) claims: Vec<PersistentVolumeClaim>,
    pub(super) classes: Vec<StorageClass>,
    pub(super) csi_nodes: Vec<CsiNode>,
    pub(super) drivers: Vec<CsiDriver>,
    pub(super) capacities: Vec<CsiStorageCapacity>,
    pub(super) attachments: Vec<VolumeAttachment>,
}

impl Storage {
    pub(super) fn new(objects: StorageObjects) -> Result<Self, ClusterError> {
        let mut storage = Self::default();
        for class in objects.classes {
            storage.add_class(class)?;
        }
        for volume in objects.volumes {
            storage.add_volume(volume)?;
        }
        for claim in objects.claims {
            storage.add_claim(claim)?;
        }
        for node in &objects.csi_nodes {
            let info = CsiNodeInfo::new(node, &mut storage.attachables);
            storage.csi_nodes.insert(node.metadata.name.clone(), info);
        }
        for driver in objects.drivers.into_iter().filter(|driver| driver.storage_capacity) {
            storage.tracked_drivers.insert(driver.metadata.name);
        }
        for capacity in &objects.capacities {
            storage.add_capacity(capacity);
        }
        for attachment in &objects.attachments {
            storage.add_attachment(attachment);
        }
        Ok(storage)
    }

    fn add_class(&mut self, class: StorageClass) -> Result<(), ClusterError> {
        let topologies = &class.allowed_topologies;
        let topologies = (!topologies.is_empty())
            .then(|| self.selections.intern(&selections::of_topologies(topologies)));
        let row = Class {
            provisioner: class.provisioner,
            waits_for_consumer: class.volume_binding_mode
                == VolumeBindingMode::WaitForFirstConsumer,
            topologies,
        };
        let name = class.metadata.name;
        match self.classes.insert(name.clone(), row) {
            None => Ok(()),
            Some(_) => Err(duplicate("StorageClass", &name)),
        }
    }

    fn add_volume(&mut self, object: PersistentVolume) -> Result<(), ClusterError> {
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
        let name = object.metadata.name.clone();
        let row =
            VolumeRow { claim_ref: object.spec.claim_ref.clone(), affinity, translated, object };
        let of_class = self.volumes_of_class.entry(row.class_name().clone()).or_default();
        let (at, before) = self.volumes.insert_full(name.clone(), row);
        of_class.push(VolumeIdx::from_index(at));
        match before {
            None => Ok(()),
            Some(_) => Err(duplicate("PersistentVolume", &name)),
        }
    }

    fn add_claim(&mut self, object: PersistentVolumeClaim) -> Result<(), ClusterError> {
        let metadata = &object.metadata;
        let key = (metadata.namespace.clone(), metadata.name.clone());
        let selected_node = metadata.annotations.get(SELECTED_NODE).cloned();
        match self.claims.insert(key.clone(), Claim { object, selected_node }) {
            None => Ok(()),
            Some(_) => Err(duplicate("PersistentVolumeClaim", &format!("{}/{}", key.0, key.1))),
        }
    }

    fn add_capacity(&mut self, capacity: &CsiStorageCapacity) {
        let limit = capacity.maximum_volume_size.as_ref().or(capacity.capacity.as_ref());
        let (Some(limit), Some(topology)) = (limit, &capacity.node_topology) else { return };
        let nodes = (!topology.is_empty())
            .then(|| self.selections.intern(&selections::of_labels(topology)));
        let of_class = self.capacities.entry(capacity.storage_class_name.clone()).or_default();
        of_class.push(Capacity { limit: limit.value(), nodes });
    }

    /// `getNodeVolumeAttachmentInfo`: CSI volumes that are attached to a node, whoever uses them.
    fn add_attachment(&mut self, attachment: &VolumeAttachment) {
        let Some(name) = &attachment.persistent_volume_name else { return };
        let Some(volume) = self.volumes.get(name) else { return };
        let PersistentVolumeSource::Csi { volume_handle, .. } = &volume.object.spec.source else {
            return;
        };
        if attachment.attacher.is_empty() {
            return;
        }
        let driver = self.attachables.driver(&attachment.attacher);
        let volume = self.attachables.volume(driver, volume_handle.clone());
        let of_node = self.attached.entry(attachment.node_name.clone()).or_default();
        if !of_node.contains(&(volume, driver)) {
            of_node.push((volume, driver));
        }
    }

    /// Changes what is assumed; gives back the change that undoes it.
    pub(super) fn change(&mut self, change: StorageChange) -> StorageChange {
        self.revision += 1;
        match change {
            StorageChange::ClaimRef { volume, claim_ref } => {
                let row = self.volumes.get_index_mut(volume.index());
                let before =
                    row.and_then(|(_, row)| std::mem::replace(&mut row.claim_ref, claim_ref));
                StorageChange::ClaimRef { volume, claim_ref: before }
            }
            StorageChange::SelectedNode { claim, node } => {
                let row = self.claims.get_index_mut(claim.index());
                let before =
                    row.and_then(|(_, row)| std::mem::replace(&mut row.selected_node, node));
                StorageChange::SelectedNode { claim, node: before }
            }
        }
    }

    /// How often the storage changed, undoing included.
    pub(crate) const fn revision(&self) -> u64 {
        self.revision
    }

    pub(crate) fn find_claim(&self, namespace: &Str, name: &Str) -> Option<ClaimIdx> {
        let at = self.claims.get_index_of(&(namespace.clone(), name.clone()));
        at.map(ClaimIdx::from_index)
    }

    /// # Panics
    /// When the claim is of another cluster.
    #[expect(clippy::expect_used, reason = "claim numbers are made by the table itself")]
    pub(crate) fn claim(&self, claim: ClaimIdx) -> &Claim {
        self.claims.get_index(claim.index()).expect("a claim of this cluster").1
    }

    pub(crate) fn find_volume(&self, name: &Str) -> Option<VolumeIdx> {
        self.volumes.get_index_of(name).map(VolumeIdx::from_index)
    }

    /// # Panics
    /// When the volume is of another cluster.
    #[expect(clippy::expect_used, reason = "volume numbers are made by the table itself")]
    pub(crate) fn volume(&self, volume: VolumeIdx) -> &VolumeRow {
        self.volumes.get_index(volume.index()).expect("a volume of this cluster").1
    }

    /// The volumes of a class in the order in which they were read.
    pub(crate) fn volumes_of_class(&self, class: &Str) -> &[VolumeIdx] {
        self.volumes_of_class.get(class).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn class(&self, name: &Str) -> Option<&Class> {
        self.classes.get(name)
    }

    pub(crate) fn csi_node(&self, node: &Str) -> Option<&CsiNodeInfo> {
        self.csi_nodes.get(node)
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
        self.tracked_drivers.get(&self.class(class)?.provisioner)?;
        let mut reached = NodeSet::empty(nodes.len());
        let capacities = self.capacities.get(class).map_or(&[][..], Vec::as_slice);
        for capacity in capacities.iter().filter(|capacity| capacity.limit >= size) {
            match capacity.nodes {
                None => return None,
                Some(selection) => reached.union(self.selections.nodes(selection, nodes)),
            }
        }
        Some(reached)
    }
}

fn duplicate(kind: &'static str, name: &str) -> ClusterError {
    ClusterError::Duplicate { kind, name: name.to_owned() }
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
        let mut storage = Storage::new(StorageObjects {
            volumes: vec![PersistentVolume { metadata: named("v"), ..Default::default() }],
            claims: vec![PersistentVolumeClaim { metadata: named("c"), ..Default::default() }],
            ..StorageObjects::default()
        })
        .unwrap();
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
