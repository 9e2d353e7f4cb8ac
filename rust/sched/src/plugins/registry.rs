//! Which plugin stands behind a name; the only place that names them all.
//!
//! Follows `pkg/scheduler/framework/plugins/registry.go` of v1.34.

use std::sync::Arc;

use super::{
    image_locality, inter_pod_affinity, node_affinity, node_name, node_ports, node_resources,
    node_unschedulable, node_volume_limits, pod_topology_spread, priority_sort, scheduling_gates,
    taint_toleration, volume_binding, volume_restrictions, volume_zone,
};
use crate::config::{ExpandedProfile, PluginArgs, names};
use crate::framework::Plugin;

/// Makes the in-tree plugin of that name with the profile's arguments.
///
/// `None` for names of other plugins, and for those that have no part in what is decided here: `DefaultBinder`, and
/// `DefaultPreemption`, which the scheduler itself carries out.
pub(crate) fn in_tree(name: &str, profile: &ExpandedProfile) -> Option<Arc<dyn Plugin>> {
    macro_rules! args {
        ($kind:ident) => {
            match profile.args.get(name) {
                Some(PluginArgs::$kind(args)) => args.clone(),
                _ => Default::default(),
            }
        };
    }
    Some(match name {
        names::IMAGE_LOCALITY => Arc::new(image_locality::ImageLocality),
        names::INTER_POD_AFFINITY => {
            Arc::new(inter_pod_affinity::InterPodAffinity::new(args!(InterPodAffinity)))
        }
        names::NODE_AFFINITY => Arc::new(node_affinity::NodeAffinity::new(args!(NodeAffinity))),
        names::NODE_NAME => Arc::new(node_name::NodeName),
        names::NODE_PORTS => Arc::new(node_ports::NodePorts),
        names::NODE_RESOURCES_BALANCED_ALLOCATION => {
            Arc::new(node_resources::balanced_allocation::BalancedAllocation::new(args!(
                NodeResourcesBalancedAllocation
            )))
        }
        names::NODE_RESOURCES_FIT => {
            Arc::new(node_resources::fit::Fit::new(args!(NodeResourcesFit)))
        }
        names::NODE_UNSCHEDULABLE => Arc::new(node_unschedulable::NodeUnschedulable),
        names::NODE_VOLUME_LIMITS => Arc::new(node_volume_limits::NodeVolumeLimits),
        names::POD_TOPOLOGY_SPREAD => {
            Arc::new(pod_topology_spread::PodTopologySpread::new(args!(PodTopologySpread)))
        }
        names::PRIORITY_SORT => Arc::new(priority_sort::PrioritySort),
        names::SCHEDULING_GATES => Arc::new(scheduling_gates::SchedulingGates),
        names::TAINT_TOLERATION => Arc::new(taint_toleration::TaintToleration),
        names::VOLUME_BINDING => Arc::new(volume_binding::VolumeBinding),
        names::VOLUME_RESTRICTIONS => Arc::new(volume_restrictions::VolumeRestrictions),
        names::VOLUME_ZONE => Arc::new(volume_zone::VolumeZone),
        _ => return None,
    })
}
