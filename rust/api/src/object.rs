//! `Object`: an object of any kind that is kept; `Kind`: which kind; `ObjectKey`: which object.

use std::fmt;

use crate::json::{Decode, Encode, Encoder};
use crate::validation::FieldError;
use crate::{
    CsiDriver, CsiNode, CsiStorageCapacity, Namespace, Node, ObjectMeta, Objects, PersistentVolume,
    PersistentVolumeClaim, Pod, PodDisruptionBudget, PriorityClass, ReplicaSet,
    ReplicationController, Service, StatefulSet, StorageClass, Str, VolumeAttachment, defaults,
    validation,
};

/// The type of the objects of one [`Kind`].
pub(crate) trait ObjectType: Decode + Encode + PartialEq + 'static {
    const KIND: Kind;

    fn metadata(&self) -> &ObjectMeta;

    fn metadata_mut(&mut self) -> &mut ObjectMeta;

    /// Fills in what the API server would, and checks what it would.
    fn admit(&mut self) -> Result<(), FieldError>;

    /// The same, in `namespace` if the object states none.
    fn admit_in(&mut self, namespace: &Str) -> Result<(), FieldError> {
        let metadata = self.metadata_mut();
        if Self::KIND.is_namespaced() && metadata.namespace.is_empty() {
            metadata.namespace = namespace.clone();
        }
        self.admit()
    }

    /// Where objects of this kind are kept.
    fn list(objects: &Objects) -> &[Self];

    /// The same, to change it.
    fn list_mut(objects: &mut Objects) -> &mut Vec<Self>;

    fn into_object(self) -> Object;
}

/// Something done with the type that a [`Kind`] stands for.
pub(crate) trait Visitor {
    type Output;

    fn visit<T: ObjectType>(self) -> Self::Output;
}

macro_rules! kinds {
    ($($kind:ident, $name:literal, $field:ident, $api_version:literal, [$($group:literal)*],
        $namespaced:literal, $($default:ident)?, $validate:ident;)*) => {
        /// The kinds that are kept.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(#[doc = concat!("`", $name, "`.")] $kind,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// The name in the API, such as `CSINode`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            /// Group and version in the API, such as `apps/v1`.
            pub const fn api_version(self) -> &'static str {
                match self {
                    $(Self::$kind => $api_version,)*
                }
            }

            /// Whether its objects live in a namespace.
            pub const fn is_namespaced(self) -> bool {
                match self {
                    $(Self::$kind => $namespaced,)*
                }
            }

            /// The kind of this name, and the API groups in which it has or had our shape.
            pub(crate) fn find(name: &str) -> Option<(Self, &'static [&'static str])> {
                match name {
                    $($name => Some((Self::$kind, &[$($group),*])),)*
                    _ => None,
                }
            }

            /// Calls `visitor` with the type.
            pub(crate) fn accept<V: Visitor>(self, visitor: V) -> V::Output {
                match self {
                    $(Self::$kind => visitor.visit::<$kind>(),)*
                }
            }
        }

        /// An object of any kind that is kept. Prints as `Pod default/web-0`.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Object {
            $(#[doc = concat!("A `", $name, "`.")] $kind(Box<$kind>),)*
        }

        impl Object {
            /// Its kind.
            pub const fn kind(&self) -> Kind {
                match self {
                    $(Self::$kind(_) => Kind::$kind,)*
                }
            }

            /// `metadata`.
            pub fn metadata(&self) -> &ObjectMeta {
                match self {
                    $(Self::$kind(object) => &object.metadata,)*
                }
            }
        }

        impl Encode for Object {
            fn encode(&self, encoder: &mut Encoder) {
                match self {
                    $(Self::$kind(object) => object.encode(encoder),)*
                }
            }
        }

        $(impl ObjectType for $kind {
            const KIND: Kind = Kind::$kind;

            fn metadata(&self) -> &ObjectMeta {
                &self.metadata
            }

            fn metadata_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }

            fn admit(&mut self) -> Result<(), FieldError> {
                $(defaults::$default(self);)?
                validation::$validate(self)
            }

            fn list(objects: &Objects) -> &[Self] {
                &objects.$field
            }

            fn list_mut(objects: &mut Objects) -> &mut Vec<Self> {
                &mut objects.$field
            }

            fn into_object(self) -> Object {
                Object::$kind(Box::new(self))
            }
        }

        impl From<$kind> for Object {
            fn from(object: $kind) -> Self {
                object.into_object()
            }
        })*
    };
}

kinds! {
    Node, "Node", nodes, "v1", [""], false,
        default_node, validate_node;
    Pod, "Pod", pods, "v1", [""], true,
        default_pod, validate_pod;
    Namespace, "Namespace", namespaces, "v1", [""], false,
        default_namespace, validate_namespace;
    Service, "Service", services, "v1", [""], true,
        , validate_service;
    ReplicationController, "ReplicationController", replication_controllers, "v1", [""], true,
        , validate_replication_controller;
    ReplicaSet, "ReplicaSet", replica_sets, "apps/v1", ["apps" "extensions"], true,
        , validate_replica_set;
    StatefulSet, "StatefulSet", stateful_sets, "apps/v1", ["apps"], true,
        , validate_stateful_set;
    PersistentVolume, "PersistentVolume", persistent_volumes, "v1", [""], false,
        default_persistent_volume, validate_persistent_volume;
    PersistentVolumeClaim, "PersistentVolumeClaim", persistent_volume_claims, "v1", [""], true,
        default_persistent_volume_claim, validate_persistent_volume_claim;
    StorageClass, "StorageClass", storage_classes, "storage.k8s.io/v1", ["storage.k8s.io"], false,
        , validate_storage_class;
    CsiNode, "CSINode", csi_nodes, "storage.k8s.io/v1", ["storage.k8s.io"], false,
        , validate_csi_node;
    CsiDriver, "CSIDriver", csi_drivers, "storage.k8s.io/v1", ["storage.k8s.io"], false,
        , validate_csi_driver;
    CsiStorageCapacity, "CSIStorageCapacity", csi_storage_capacities, "storage.k8s.io/v1", ["storage.k8s.io"], true,
        , validate_csi_storage_capacity;
    VolumeAttachment, "VolumeAttachment", volume_attachments, "storage.k8s.io/v1", ["storage.k8s.io"], false,
        , validate_volume_attachment;
    PodDisruptionBudget, "PodDisruptionBudget", pod_disruption_budgets, "policy/v1", ["policy"], true,
        , validate_pod_disruption_budget;
    PriorityClass, "PriorityClass", priority_classes, "scheduling.k8s.io/v1", ["scheduling.k8s.io"], false,
        default_priority_class, validate_priority_class;
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Object {
    /// What tells it from all other objects.
    pub fn key(&self) -> ObjectKey {
        ObjectKey::of(self.kind(), self.metadata())
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ObjectMeta { namespace, name, .. } = self.metadata();
        describe(f, self.kind(), namespace, name)
    }
}

/// Which object: by name, by UID, or by both. Prints as `Pod default/web-0`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectKey {
    /// The object's kind.
    pub kind: Kind,
    /// The namespace of `name`; empty for objects of the whole cluster, and where only the UID is known.
    pub namespace: Str,
    /// The name; empty where only the UID is known.
    pub name: Str,
    /// The UID; empty where only the name is known. With both, the object of this name is only meant if it has this UID.
    pub uid: Str,
}

impl ObjectKey {
    /// The object of this name, whatever its UID is.
    pub fn named(kind: Kind, namespace: Str, name: Str) -> Self {
        let namespace = if kind.is_namespaced() { namespace } else { Str::EMPTY };
        Self { kind, namespace, name, uid: Str::EMPTY }
    }

    pub(crate) fn of(kind: Kind, metadata: &ObjectMeta) -> Self {
        let ObjectMeta { namespace, name, uid, .. } = metadata;
        Self { uid: uid.clone(), ..Self::named(kind, namespace.clone(), name.clone()) }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() && !self.uid.is_empty() {
            write!(f, "{} with UID {}", self.kind, self.uid)
        } else {
            describe(f, self.kind, &self.namespace, &self.name)
        }
    }
}

fn describe(f: &mut fmt::Formatter<'_>, kind: Kind, namespace: &str, name: &str) -> fmt::Result {
    match (name, kind.is_namespaced()) {
        ("", _) => write!(f, "{kind}"),
        (name, true) => write!(f, "{kind} {namespace}/{name}"),
        (name, false) => write!(f, "{kind} {name}"),
    }
}
