//! `VolumeZone`: is the node in the zone of the pod's volumes?
//!
//! | extension point | what it does |
//! |---|---|
//! | PreFilter | reads the zone and region labels of the volumes to which the pod's claims are bound |
//! | Filter | rejects nodes whose labels name another zone or region; nodes without any such label pass |
//!
//! Follows `pkg/scheduler/framework/plugins/volumezone/volume_zone.go` of v1.34.

use std::sync::Arc;

use bayplan_api::{Str, VolumeSource};

use super::fixed::FixedFilter;
use crate::cluster::{Cluster, PodInfo};
use crate::framework::{FilterPlugin, Plugin, PreFilter, Status};
use crate::index_vec::{Domain, IndexVec, NodeIdx};
use crate::node_set::NodeSet;

/// The plugin.
#[derive(Debug)]
pub struct VolumeZone;

/// Its name.
pub const NAME: &str = "VolumeZone";
const ERR_REASON_CONFLICT: &str = "node(s) had no available volume zone";

/// The labels that are read, each with the key that took its place.
const TOPOLOGY_LABELS: [(&str, &str); 4] = [
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("topology.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("topology.kubernetes.io/region", "topology.kubernetes.io/region"),
];

impl Plugin for VolumeZone {
    fn name(&self) -> &str {
        NAME
    }

    fn filter(&self) -> Option<&dyn FilterPlugin> {
        Some(self)
    }
}

/// `pvTopology`: one label of a volume.
struct Topology {
    key: &'static str,
    /// The key that took its place.
    newer: &'static str,
    values: Vec<Str>,
}

impl FilterPlugin for VolumeZone {
    fn pre_filter(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreFilter, Status> {
        let topologies = topologies(pod, cluster)?;
        if topologies.is_empty() {
            return Ok(PreFilter::Skip);
        }
        let nodes = cluster.nodes();
        let mut constrained = NodeSet::empty(nodes.row_count());
        for (key, _) in TOPOLOGY_LABELS {
            constrained.union(&nodes.labels.having(key));
        }
        let mut passing = NodeSet::full(nodes.row_count());
        passing.subtract(&constrained);
        for topology in &topologies {
            constrained.intersect(&topology.nodes(cluster));
        }
        passing.union(&constrained);
        let status = Status::unresolvable(ERR_REASON_CONFLICT);
        Ok(PreFilter::run(FixedFilter::new(passing, status)))
    }
}

impl Topology {
    /// The nodes that have one of the values.
    fn nodes(&self, cluster: &Cluster) -> NodeSet {
        let labels = &cluster.nodes().labels;
        let columns = [labels.column(self.key), labels.column(self.newer)];
        let columns = columns.map(|column| {
            let column = column?;
            let values = (0..column.len()).map(crate::index_vec::Idx::from_index);
            let wanted: IndexVec<Domain, bool> = values
                .map(|domain| column.value(domain).is_some_and(|value| self.values.contains(value)))
                .collect();
            Some((column, wanted))
        });
        let matches = |node: NodeIdx| {
            let mut domains = columns
                .iter()
                .flatten()
                .filter_map(|(column, wanted)| wanted.get(column.domain(node)).copied());
            domains.next().unwrap_or(false)
        };
        NodeSet::from_fn(cluster.nodes().row_count(), matches)
    }
}

/// `getPVbyPod`.
fn topologies(pod: &PodInfo, cluster: &Cluster) -> Result<Vec<Topology>, Status> {
    let missing = |kind: &str, name: &Str| {
        Err(Status::unresolvable(format!("{kind} {:?} not found", name.as_str())))
    };
    let storage = cluster.storage();
    let mut topologies = Vec::new();
    for volume in &pod.pod.spec.volumes {
        let VolumeSource::PersistentVolumeClaim { claim_name, .. } = &volume.source else {
            continue;
        };
        if claim_name.is_empty() {
            return Err(Status::unresolvable("PersistentVolumeClaim had no name"));
        }
        let Some(claim) = storage.find_claim(&pod.pod.metadata.namespace, claim_name) else {
            return missing("persistentvolumeclaim", claim_name);
        };
        let claim = storage.claim(claim);
        let bound = &claim.object.spec.volume_name;
        if bound.is_empty() {
            let name = claim.class_name();
            if name.is_empty() {
                let reason = "PersistentVolumeClaim had no pv name and storageClass name";
                return Err(Status::unresolvable(reason));
            }
            match storage.class(name) {
                None => return missing("storageclass.storage.k8s.io", name),
                Some(class) if class.waits_for_consumer => continue,
                Some(_) => return Err(Status::unresolvable("PersistentVolume had no name")),
            }
        }
        let Some(volume) = storage.find_volume(bound) else {
            return missing("persistentvolume", bound);
        };
        let labels = &storage.volume(volume).object.metadata.labels;
        topologies.extend(TOPOLOGY_LABELS.iter().filter_map(|&(key, newer)| {
            Some(Topology { key, newer, values: zones(labels.get(key)?)? })
        }));
    }
    Ok(topologies)
}

/// `LabelZonesToSet`: zones with `__` between them; `None` if one is empty, for which the label does not count.
fn zones(label: &str) -> Option<Vec<Str>> {
    let zones: Vec<Str> = label.split("__").map(|zone| zone.trim().into()).collect();
    (!zones.iter().any(|zone| zone.is_empty())).then_some(zones)
}
