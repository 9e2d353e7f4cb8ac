//! `VolumeZone`: is the node in the zone of the pod's volumes?
//!
//! Follows `plugins/volumezone/volume_zone.go` of v1.34.

use std::collections::BTreeSet;

use bayplan_api::{Node, Objects, PersistentVolume, Pod, VolumeBindingMode, VolumeSource};

use super::volumes::{
    self, BETA_REGION, BETA_ZONE, REGION, ZONE, claim_not_found, class_name_of_claim,
};
use super::{Code, Rejection};

const TOPOLOGY_LABELS: [&str; 4] = [BETA_ZONE, BETA_REGION, ZONE, REGION];

/// What `PreFilter` found: label keys, and the values that a node's label may have.
#[derive(Debug, Clone)]
pub(super) struct FilterState {
    topologies: Vec<(&'static str, BTreeSet<String>)>,
}

/// `PreFilter`; `None` skips the filter.
pub(super) fn pre_filter(pod: &Pod, objects: &Objects) -> Result<Option<FilterState>, Rejection> {
    let reject = |reason: String| Rejection::new(Code::UnschedulableAndUnresolvable, reason);
    let mut topologies = Vec::new();
    for volume in &pod.spec.volumes {
        let VolumeSource::PersistentVolumeClaim { claim_name, .. } = &volume.source else {
            continue;
        };
        if claim_name.is_empty() {
            return Err(reject("PersistentVolumeClaim had no name".to_owned()));
        }
        let claim = volumes::claim(objects, &pod.metadata.namespace, claim_name)
            .ok_or_else(|| reject(claim_not_found(claim_name)))?;
        let name = &claim.spec.volume_name;
        if name.is_empty() {
            let class_name = class_name_of_claim(claim);
            if class_name.is_empty() {
                return Err(reject(
                    "PersistentVolumeClaim had no pv name and storageClass name".to_owned(),
                ));
            }
            let class = volumes::class(objects, &class_name).ok_or_else(|| {
                reject(format!("storageclass.storage.k8s.io \"{class_name}\" not found"))
            })?;
            if class.volume_binding_mode == VolumeBindingMode::WaitForFirstConsumer {
                continue;
            }
            return Err(reject("PersistentVolume had no name".to_owned()));
        }
        let volume = volumes::volume(objects, name)
            .ok_or_else(|| reject(format!("persistentvolume \"{name}\" not found")))?;
        topologies.extend(topologies_of(volume));
    }
    Ok(if topologies.is_empty() { None } else { Some(FilterState { topologies }) })
}

/// `getPVTopologies`: labels that cannot be read as zones are ignored.
fn topologies_of(volume: &PersistentVolume) -> Vec<(&'static str, BTreeSet<String>)> {
    TOPOLOGY_LABELS
        .into_iter()
        .filter_map(|key| {
            let zones = volume.metadata.labels.get(key)?;
            let zones: BTreeSet<String> =
                zones.split("__").map(|zone| zone.trim().to_owned()).collect();
            (!zones.contains("")).then_some((key, zones))
        })
        .collect()
}

impl FilterState {
    /// `Filter`.
    pub(super) fn filter(&self, node: &Node) -> Result<(), Rejection> {
        let labels = &node.metadata.labels;
        // A cluster without zones.
        if !TOPOLOGY_LABELS.iter().any(|key| labels.contains_key(key)) {
            return Ok(());
        }
        for (key, values) in &self.topologies {
            let value = labels.get(key).or_else(|| {
                labels.get(match *key {
                    BETA_ZONE => ZONE,
                    BETA_REGION => REGION,
                    key => key,
                })
            });
            if !value.is_some_and(|value| values.contains(value.as_str())) {
                return Err(Rejection::new(
                    Code::UnschedulableAndUnresolvable,
                    "node(s) had no available volume zone",
                ));
            }
        }
        Ok(())
    }
}
