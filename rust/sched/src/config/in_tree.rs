//! Which plugins there are, and at which extension points each takes part.
//!
//! Follows `pkg/scheduler/framework/plugins/registry.go` of v1.34 and the interfaces that the
//! plugins' types implement.

use bayplan_api::Str;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use super::ExtensionPoint::{
    Bind, Filter, PostFilter, PreBind, PreEnqueue, PreFilter, PreScore, QueueSort, Reserve, Score,
};
use super::{ExtensionPoint, ExtensionPoints};

/// The names of the in-tree plugins.
pub mod names {
    /// `PrioritySort`.
    pub const PRIORITY_SORT: &str = "PrioritySort";
    /// `DefaultBinder`.
    pub const DEFAULT_BINDER: &str = "DefaultBinder";
    /// `DefaultPreemption`.
    pub const DEFAULT_PREEMPTION: &str = "DefaultPreemption";
    /// `DynamicResources`.
    pub const DYNAMIC_RESOURCES: &str = "DynamicResources";
    /// `ImageLocality`.
    pub const IMAGE_LOCALITY: &str = "ImageLocality";
    /// `InterPodAffinity`.
    pub const INTER_POD_AFFINITY: &str = "InterPodAffinity";
    /// `NodeAffinity`.
    pub const NODE_AFFINITY: &str = "NodeAffinity";
    /// `NodeName`.
    pub const NODE_NAME: &str = "NodeName";
    /// `NodePorts`.
    pub const NODE_PORTS: &str = "NodePorts";
    /// `NodeResourcesBalancedAllocation`.
    pub const NODE_RESOURCES_BALANCED_ALLOCATION: &str = "NodeResourcesBalancedAllocation";
    /// `NodeResourcesFit`.
    pub const NODE_RESOURCES_FIT: &str = "NodeResourcesFit";
    /// `NodeUnschedulable`.
    pub const NODE_UNSCHEDULABLE: &str = "NodeUnschedulable";
    /// `NodeVolumeLimits`.
    pub const NODE_VOLUME_LIMITS: &str = "NodeVolumeLimits";
    /// `PodTopologySpread`.
    pub const POD_TOPOLOGY_SPREAD: &str = "PodTopologySpread";
    /// `SchedulingGates`.
    pub const SCHEDULING_GATES: &str = "SchedulingGates";
    /// `TaintToleration`.
    pub const TAINT_TOLERATION: &str = "TaintToleration";
    /// `VolumeBinding`.
    pub const VOLUME_BINDING: &str = "VolumeBinding";
    /// `VolumeRestrictions`.
    pub const VOLUME_RESTRICTIONS: &str = "VolumeRestrictions";
    /// `VolumeZone`.
    pub const VOLUME_ZONE: &str = "VolumeZone";
}

/// Every in-tree plugin of v1.34 and the extension points that its type implements.
pub const IN_TREE: [(&str, ExtensionPoints); 19] = [
    (names::DEFAULT_BINDER, ExtensionPoints::of(&[Bind])),
    (names::DEFAULT_PREEMPTION, ExtensionPoints::of(&[PreEnqueue, PostFilter])),
    (
        names::DYNAMIC_RESOURCES,
        ExtensionPoints::of(&[PreEnqueue, PreFilter, Filter, PostFilter, Reserve, PreBind]),
    ),
    (names::IMAGE_LOCALITY, ExtensionPoints::of(&[Score])),
    (names::INTER_POD_AFFINITY, ExtensionPoints::of(&[PreFilter, Filter, PreScore, Score])),
    (names::NODE_AFFINITY, ExtensionPoints::of(&[PreFilter, Filter, PreScore, Score])),
    (names::NODE_NAME, ExtensionPoints::of(&[Filter])),
    (names::NODE_PORTS, ExtensionPoints::of(&[PreFilter, Filter])),
    (names::NODE_RESOURCES_BALANCED_ALLOCATION, ExtensionPoints::of(&[PreScore, Score])),
    (names::NODE_RESOURCES_FIT, ExtensionPoints::of(&[PreFilter, Filter, PreScore, Score])),
    (names::NODE_UNSCHEDULABLE, ExtensionPoints::of(&[Filter])),
    (names::NODE_VOLUME_LIMITS, ExtensionPoints::of(&[PreFilter, Filter])),
    (names::POD_TOPOLOGY_SPREAD, ExtensionPoints::of(&[PreFilter, Filter, PreScore, Score])),
    (names::PRIORITY_SORT, ExtensionPoints::of(&[QueueSort])),
    (names::SCHEDULING_GATES, ExtensionPoints::of(&[PreEnqueue])),
    (names::TAINT_TOLERATION, ExtensionPoints::of(&[Filter, PreScore, Score])),
    (
        names::VOLUME_BINDING,
        ExtensionPoints::of(&[PreFilter, Filter, PreScore, Score, Reserve, PreBind]),
    ),
    (names::VOLUME_RESTRICTIONS, ExtensionPoints::of(&[PreFilter, Filter])),
    (names::VOLUME_ZONE, ExtensionPoints::of(&[PreFilter, Filter])),
];

/// The plugins that a configuration may name: those in the tree, and what is registered beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginRegistry(IndexMap<Str, ExtensionPoints, FxBuildHasher>);

impl Default for PluginRegistry {
    /// The in-tree plugins.
    fn default() -> Self {
        Self(IN_TREE.iter().map(|(name, points)| (Str::from(*name), *points)).collect())
    }
}

impl PluginRegistry {
    /// Adds a plugin.
    ///
    /// # Errors
    ///
    /// Gives the name back if there already is a plugin of that name.
    pub fn register(&mut self, name: Str, points: ExtensionPoints) -> Result<(), Str> {
        if self.0.contains_key(&name) {
            return Err(name);
        }
        self.0.insert(name, points);
        Ok(())
    }

    /// The extension points at which the plugin takes part; `None` if there is no such plugin.
    pub fn points(&self, name: &str) -> Option<ExtensionPoints> {
        self.0.get(name).copied()
    }

    /// Whether there is such a plugin and it takes part at `point`.
    pub fn implements(&self, name: &str, point: ExtensionPoint) -> bool {
        self.points(name).is_some_and(|points| points.contains(point))
    }

    /// The plugins' names, in-tree ones first.
    pub fn names(&self) -> impl Iterator<Item = &Str> {
        self.0.keys()
    }
}
