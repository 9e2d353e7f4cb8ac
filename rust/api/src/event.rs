//! `Event`: a change of a cluster, as data.

use std::fmt;

use indexmap::IndexMap;

use crate::read::Place;
use crate::{Map, Object, ObjectKey, ResourceList, Str, Taint, TaintEffect};

/// A change of a cluster. Prints as `ADDED Pod default/web-0`, `CORDON Node a`.
///
/// The first three are those of a watch (`watch.EventType` of `k8s.io/apimachinery`); the next three are what kube-scheduler
/// does to its cache (`pkg/scheduler/backend/cache/interface.go`) and the API's `Binding`; the others are what `kubectl` does to a node.
///
/// [`validate_event`](crate::validation::validate_event) says what the parts must look like; what
/// [`EventReader`](crate::EventReader) reads has been checked.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The object is there now.
    Added(Object),
    /// The object is now as given.
    Modified(Object),
    /// The object is gone.
    Deleted(ObjectKey),
    /// The pod counts as running on the node from now on, though it is not bound yet (`AssumePod`).
    Assume {
        /// Which pod.
        pod: ObjectKey,
        /// Name of the node.
        node: Str,
    },
    /// The pod, which was assumed, is pending again (`ForgetPod`).
    Forget {
        /// Which pod.
        pod: ObjectKey,
    },
    /// The pod is on the node for good (`v1.Binding`).
    Bind {
        /// Which pod.
        pod: ObjectKey,
        /// Name of the node.
        node: Str,
    },
    /// The node takes no more pods (`kubectl cordon`).
    Cordon {
        /// Name of the node.
        node: Str,
    },
    /// The node takes pods again (`kubectl uncordon`).
    Uncordon {
        /// Name of the node.
        node: Str,
    },
    /// The node's labels change (`kubectl label --overwrite`).
    Label {
        /// Name of the node.
        node: Str,
        /// The labels that change; `None` takes one away.
        labels: Map<Option<Str>>,
    },
    /// The node has these taints too; one of the same key and effect is replaced (`kubectl taint --overwrite`).
    Taint {
        /// Name of the node.
        node: Str,
        /// At least one, each key and effect once.
        taints: Vec<Taint>,
    },
    /// The node loses taints (`kubectl taint key-` and `kubectl taint key:effect-`).
    Untaint {
        /// Name of the node.
        node: Str,
        /// Their key.
        key: Str,
        /// Their effect; `None` for all.
        effect: Option<TaintEffect>,
    },
    /// The node offers other amounts of the resources named (`status.allocatable`).
    Resize {
        /// Name of the node.
        node: Str,
        /// The new amounts. Resources that are not named stay as they are.
        allocatable: ResourceList,
    },
}

impl Event {
    /// What `type` says of such an event, such as `ADDED`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Added(_) => "ADDED",
            Self::Modified(_) => "MODIFIED",
            Self::Deleted(_) => "DELETED",
            Self::Assume { .. } => "ASSUME",
            Self::Forget { .. } => "FORGET",
            Self::Bind { .. } => "BIND",
            Self::Cordon { .. } => "CORDON",
            Self::Uncordon { .. } => "UNCORDON",
            Self::Label { .. } => "LABEL",
            Self::Taint { .. } => "TAINT",
            Self::Untaint { .. } => "UNTAINT",
            Self::Resize { .. } => "RESIZE",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            Self::Added(object) | Self::Modified(object) => write!(f, "{name} {object}"),
            Self::Deleted(key) | Self::Forget { pod: key } => write!(f, "{name} {key}"),
            Self::Assume { pod, node } | Self::Bind { pod, node } => {
                write!(f, "{name} {pod} on Node {node}")
            }
            Self::Cordon { node }
            | Self::Uncordon { node }
            | Self::Label { node, .. }
            | Self::Taint { node, .. }
            | Self::Untaint { node, .. }
            | Self::Resize { node, .. } => write!(f, "{name} Node {node}"),
        }
    }
}

/// Changes of a cluster in the order in which they were read.
#[derive(Debug, Clone, Default)]
pub struct Events {
    /// The changes.
    pub events: Vec<Event>,
    /// How many events of objects of each other kind were passed over.
    pub skipped: IndexMap<Str, u64>,
    /// Where each was read, and the names of the inputs.
    pub(crate) places: Vec<Place>,
    pub(crate) inputs: Vec<String>,
}

impl Events {
    /// Where the event `index` of those that were read stands: the input's name, and the position in it, such as
    /// `document 3` or `[2]`, which is empty for the first value.
    pub fn place(&self, index: usize) -> Option<(&str, String)> {
        let place = self.places.get(index)?;
        Some((place.input(&self.inputs), place.position()))
    }
}
