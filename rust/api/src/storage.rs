//! Persistent volumes, claims, storage classes and CSI objects.

use crate::{
    LabelSelector, NodeSelector, ObjectMeta, Quantity, ResourceList, ResourceRequirements, Str,
    TopologySelectorTerm,
};

/// `v1.PersistentVolume`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PersistentVolume {
    /// `metadata`.
    pub metadata: ObjectMeta,
    /// `spec`.
    pub spec: PersistentVolumeSpec,
    /// `status.phase`; empty when absent.
    pub phase: Str,
}

/// `v1.PersistentVolumeSpec`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PersistentVolumeSpec {
    /// `capacity`.
    pub capacity: ResourceList,
    /// `accessModes`.
    pub access_modes: Vec<AccessMode>,
    /// `claimRef`.
    pub claim_ref: Option<ObjectReference>,
    /// `storageClassName`.
    pub storage_class_name: Str,
    /// `volumeMode`; `Filesystem` after defaulting.
    pub volume_mode: VolumeMode,
    /// `volumeAttributesClassName`.
    pub volume_attributes_class_name: Option<Str>,
    /// `nodeAffinity.required`.
    pub node_affinity: Option<NodeSelector>,
    /// What the volume is.
    pub source: PersistentVolumeSource,
}

/// `v1.PersistentVolumeSource`, the sources that scheduling tells apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum PersistentVolumeSource {
    /// A source that no plugin looks at.
    #[default]
    Other,
    /// `csi`.
    Csi {
        /// `driver`.
        driver: Str,
        /// `volumeHandle`.
        volume_handle: Str,
    },
    /// `gcePersistentDisk`.
    GcePersistentDisk {
        /// `pdName`.
        pd_name: Str,
    },
    /// `awsElasticBlockStore`.
    AwsElasticBlockStore {
        /// `volumeID`.
        volume_id: Str,
    },
    /// `azureDisk`.
    AzureDisk {
        /// `diskName`.
        disk_name: Str,
        /// `diskURI`.
        disk_uri: Str,
        /// Whether `kind` is `Managed`, in any case; absent is `Shared`.
        managed: bool,
    },
    /// `azureFile`.
    AzureFile {
        /// `shareName`.
        share_name: Str,
        /// `secretName`.
        secret_name: Str,
        /// `secretNamespace`; empty when absent.
        secret_namespace: Str,
    },
    /// `cinder`.
    Cinder {
        /// `volumeID`.
        volume_id: Str,
    },
    /// `portworxVolume`.
    PortworxVolume {
        /// `volumeID`.
        volume_id: Str,
    },
    /// `vsphereVolume`.
    VsphereVolume {
        /// `volumePath`.
        volume_path: Str,
    },
    /// `local`.
    Local,
    /// `hostPath`.
    HostPath,
    /// `nfs`.
    Nfs,
}

/// `v1.ObjectReference`, as in `claimRef`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ObjectReference {
    /// `kind`.
    pub kind: Str,
    /// `namespace`.
    pub namespace: Str,
    /// `name`.
    pub name: Str,
    /// `uid`.
    pub uid: Str,
}

/// `v1.PersistentVolumeMode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum VolumeMode {
    /// A file system, the default.
    #[default]
    Filesystem,
    /// A raw block device.
    Block,
}

/// `v1.PersistentVolumeAccessMode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccessMode {
    /// `ReadWriteOnce`.
    ReadWriteOnce,
    /// `ReadOnlyMany`.
    ReadOnlyMany,
    /// `ReadWriteMany`.
    ReadWriteMany,
    /// `ReadWriteOncePod`.
    ReadWriteOncePod,
}

/// `v1.PersistentVolumeClaim`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PersistentVolumeClaim {
    /// `metadata`.
    pub metadata: ObjectMeta,
    /// `spec`.
    pub spec: PersistentVolumeClaimSpec,
    /// `status.phase`; empty when absent.
    pub phase: Str,
}

/// `v1.PersistentVolumeClaimSpec`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PersistentVolumeClaimSpec {
    /// `accessModes`.
    pub access_modes: Vec<AccessMode>,
    /// `selector`.
    pub selector: Option<LabelSelector>,
    /// `resources`.
    pub resources: ResourceRequirements,
    /// `volumeName`; empty while unbound.
    pub volume_name: Str,
    /// `storageClassName`; absent means the default class, an empty string none.
    pub storage_class_name: Option<Str>,
    /// `volumeMode`; `Filesystem` after defaulting.
    pub volume_mode: VolumeMode,
    /// `volumeAttributesClassName`.
    pub volume_attributes_class_name: Option<Str>,
}

/// `storagev1.StorageClass`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct StorageClass {
    /// `metadata`.
    pub metadata: ObjectMeta,
    /// `provisioner`.
    pub provisioner: Str,
    /// `volumeBindingMode`; `Immediate` after defaulting.
    pub volume_binding_mode: VolumeBindingMode,
    /// `allowedTopologies`.
    pub allowed_topologies: Vec<TopologySelectorTerm>,
}

/// `storagev1.VolumeBindingMode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum VolumeBindingMode {
    /// Bound as soon as the claim exists, the default.
    #[default]
    Immediate,
    /// Bound when the first pod that uses the claim is scheduled.
    WaitForFirstConsumer,
}

/// `storagev1.CSINode`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct CsiNode {
    /// `metadata`; the name is the node's.
    pub metadata: ObjectMeta,
    /// `spec.drivers`.
    pub drivers: Vec<CsiNodeDriver>,
}

/// `storagev1.CSINodeDriver`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct CsiNodeDriver {
    /// `name`.
    pub name: Str,
    /// `nodeID`.
    pub node_id: Str,
    /// `topologyKeys`.
    pub topology_keys: Vec<Str>,
    /// `allocatable.count`: how many volumes the node can have; absent is no limit.
    pub allocatable_count: Option<i32>,
}

/// `storagev1.CSIDriver`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct CsiDriver {
    /// `metadata`.
    pub metadata: ObjectMeta,
    /// `spec.attachRequired`; true after defaulting.
    pub attach_required: bool,
    /// `spec.storageCapacity`; false after defaulting.
    pub storage_capacity: bool,
}

/// `storagev1.CSIStorageCapacity`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct CsiStorageCapacity {
    /// `metadata`.
    pub metadata: ObjectMeta,
    /// `nodeTopology`; absent: no node.
    pub node_topology: Option<LabelSelector>,
    /// `storageClassName`.
    pub storage_class_name: Str,
    /// `capacity`.
    pub capacity: Option<Quantity>,
    /// `maximumVolumeSize`.
    pub maximum_volume_size: Option<Quantity>,
}

/// `storagev1.VolumeAttachment`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct VolumeAttachment {
    /// `metadata`.
    pub metadata: ObjectMeta,
    /// `spec.attacher`: the driver.
    pub attacher: Str,
    /// `spec.nodeName`.
    pub node_name: Str,
    /// `spec.source.persistentVolumeName`.
    pub persistent_volume_name: Option<Str>,
    /// `status.attached`.
    pub attached: bool,
}
