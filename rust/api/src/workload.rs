//! The owners of pods that `PodTopologySpread`'s default constraints look at.

use crate::{LabelSelector, Labels, ObjectMeta};

/// `v1.Service`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Service {
    /// `metadata`.
    pub metadata: ObjectMeta,
    /// `spec.selector`; absent selects nothing.
    pub selector: Option<Labels>,
}

/// `v1.ReplicationController`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ReplicationController {
    /// `metadata`.
    pub metadata: ObjectMeta,
    /// `spec.selector`; the template's labels after defaulting.
    pub selector: Labels,
}

/// `appsv1.ReplicaSet`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ReplicaSet {
    /// `metadata`.
    pub metadata: ObjectMeta,
    /// `spec.selector`.
    pub selector: Option<LabelSelector>,
}

/// `appsv1.StatefulSet`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct StatefulSet {
    /// `metadata`.
    pub metadata: ObjectMeta,
    /// `spec.selector`.
    pub selector: Option<LabelSelector>,
}
