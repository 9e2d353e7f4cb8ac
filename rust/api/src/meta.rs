//! `ObjectMeta` and owner references.

use crate::{Labels, Str, Time};

/// `metav1.ObjectMeta`, as far as bayplan keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ObjectMeta {
    /// Name, unique in the namespace for one kind.
    pub name: Str,
    /// Namespace; empty for objects of the whole cluster.
    pub namespace: Str,
    /// The object's UID; empty when the dump has none.
    pub uid: Str,
    /// `resourceVersion`; opaque, empty when absent.
    pub resource_version: Str,
    /// `metadata.labels`.
    pub labels: Labels,
    /// `metadata.annotations`.
    pub annotations: Labels,
    /// `metadata.creationTimestamp`.
    pub creation_timestamp: Option<Time>,
    /// `metadata.deletionTimestamp`; set while the object is being deleted.
    pub deletion_timestamp: Option<Time>,
    /// `metadata.ownerReferences`.
    pub owner_references: Vec<OwnerReference>,
}

impl ObjectMeta {
    /// The owner that manages the object: the first one with `controller: true`.
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller)
    }
}

/// `metav1.OwnerReference`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct OwnerReference {
    /// API version of the owner, such as `apps/v1`.
    pub api_version: Str,
    /// Kind of the owner, such as `ReplicaSet`.
    pub kind: Str,
    /// Name of the owner.
    pub name: Str,
    /// UID of the owner.
    pub uid: Str,
    /// Whether the owner is the managing controller.
    pub controller: bool,
}
