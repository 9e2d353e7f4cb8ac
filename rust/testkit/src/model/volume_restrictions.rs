//! `VolumeRestrictions`: may the pod's disks be mounted beside the pods that run?
//!
//! Follows `plugins/volumerestrictions/volume_restrictions.go` of v1.34.

use std::collections::BTreeSet;

use bayplan_api::{AccessMode, Objects, Pod, VolumeSource};

use super::volumes::{claim, claim_not_found};
use super::{Code, NodeInfo, Rejection};

/// What `PreFilter` found.
#[derive(Debug, Clone)]
pub(super) struct FilterState {
    /// Names of the pod's claims with the access mode `ReadWriteOncePod`.
    read_write_once_pod_claims: BTreeSet<String>,
    /// How many of them other pods use.
    conflicts: i64,
}

/// `PreFilter`; `None` skips the filter.
pub(super) fn pre_filter(
    pod: &Pod,
    nodes: &[NodeInfo<'_>],
    objects: &Objects,
) -> Result<Option<FilterState>, Rejection> {
    let namespace = &pod.metadata.namespace;
    let mut claims = BTreeSet::new();
    for name in claim_names(pod) {
        let Some(claim) = claim(objects, namespace, name) else {
            return Err(Rejection::new(Code::UnschedulableAndUnresolvable, claim_not_found(name)));
        };
        if claim.spec.access_modes.contains(&AccessMode::ReadWriteOncePod) {
            claims.insert(name.to_owned());
        }
    }
    let mut conflicts = 0;
    for name in &claims {
        let used = nodes.iter().flat_map(|info| &info.pods).any(|existing| {
            existing.metadata.namespace == *namespace
                && claim_names(existing).any(|used| used == name)
        });
        conflicts += i64::from(used);
    }
    let needs_check = pod.spec.volumes.iter().any(|volume| is_restricted(&volume.source));
    if !needs_check && conflicts == 0 {
        return Ok(None);
    }
    Ok(Some(FilterState { read_write_once_pod_claims: claims, conflicts }))
}

/// Names of the claims that the pod's volumes name; ephemeral ones are not among them.
fn claim_names(pod: &Pod) -> impl Iterator<Item = &str> {
    pod.spec.volumes.iter().filter_map(|volume| match &volume.source {
        VolumeSource::PersistentVolumeClaim { claim_name, .. } => Some(claim_name.as_str()),
        _ => None,
    })
}

impl FilterState {
    /// `AddPod` (`delta` 1) and `RemovePod` (`delta` -1). The namespace is not looked at.
    pub(super) fn update(&mut self, updated: &Pod, delta: i64) {
        for name in claim_names(updated) {
            if self.read_write_once_pod_claims.contains(name) {
                self.conflicts += delta;
            }
        }
    }

    /// `Filter`.
    pub(super) fn filter(&self, pod: &Pod, info: &NodeInfo<'_>) -> Result<(), Rejection> {
        let conflict = pod.spec.volumes.iter().any(|volume| {
            let others = info.pods.iter().flat_map(|existing| &existing.spec.volumes);
            others.into_iter().any(|other| conflicts(&volume.source, &other.source))
        });
        if conflict {
            return Err(Rejection::new(Code::Unschedulable, "node(s) had no available disk"));
        }
        if self.conflicts > 0 {
            return Err(Rejection::new(
                Code::Unschedulable,
                "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access \
                 mode already in-use by another pod",
            ));
        }
        Ok(())
    }
}

const fn is_restricted(source: &VolumeSource) -> bool {
    matches!(
        source,
        VolumeSource::GcePersistentDisk { .. }
            | VolumeSource::AwsElasticBlockStore { .. }
            | VolumeSource::Rbd { .. }
            | VolumeSource::Iscsi { .. }
    )
}

/// `isVolumeConflict`: the same disk, unless both only read; EBS volumes never share.
fn conflicts(a: &VolumeSource, b: &VolumeSource) -> bool {
    match (a, b) {
        (
            VolumeSource::GcePersistentDisk { pd_name: a, read_only: a_reads },
            VolumeSource::GcePersistentDisk { pd_name: b, read_only: b_reads },
        )
        | (
            VolumeSource::Iscsi { iqn: a, read_only: a_reads, .. },
            VolumeSource::Iscsi { iqn: b, read_only: b_reads, .. },
        ) => a == b && !(*a_reads && *b_reads),
        (
            VolumeSource::AwsElasticBlockStore { volume_id: a },
            VolumeSource::AwsElasticBlockStore { volume_id: b },
        ) => a == b,
        (
            VolumeSource::Rbd { monitors: a_monitors, image: a, pool: a_pool, read_only: a_reads },
            VolumeSource::Rbd { monitors: b_monitors, image: b, pool: b_pool, read_only: b_reads },
        ) => {
            a_monitors.iter().any(|monitor| b_monitors.contains(monitor))
                && (a_pool, a) == (b_pool, b)
                && !(*a_reads && *b_reads)
        }
        _ => false,
    }
}
