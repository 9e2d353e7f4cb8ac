//! `VolumeRestrictions`: is a volume in use that only one pod may use?
//!
//! | extension point | what it does |
//! |---|---|
//! | PreFilter | rejects pods whose claim does not exist; counts the pod's `ReadWriteOncePod` claims that are in use |
//! | Filter | rejects nodes where a running pod has the same disk, and every node while such a claim is in use |
//! | `PreFilterExtensions` | counts uses of claims of that *name*, whatever their namespace |
//!
//! Follows `pkg/scheduler/framework/plugins/volumerestrictions/volume_restrictions.go` of v1.34.

use std::sync::Arc;

use bayplan_api::{AccessMode, Pod, Str, VolumeSource};

use crate::cluster::{Cluster, PodChange, PodInfo};
use crate::framework::{
    Dependency, Filter, FilterPlugin, Plugin, PreFilter, Rows, Stale, Status, Verdicts,
};
use crate::go::len64;
use crate::index_vec::NodeIdx;

/// The plugin.
#[derive(Debug)]
pub struct VolumeRestrictions;

/// Its name.
pub const NAME: &str = "VolumeRestrictions";
const ERR_REASON_DISK_CONFLICT: &str = "node(s) had no available disk";
const ERR_REASON_READ_WRITE_ONCE_POD_CONFLICT: &str = "node(s) unavailable due to \
     PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod";

impl Plugin for VolumeRestrictions {
    fn name(&self) -> &str {
        NAME
    }

    fn filter(&self) -> Option<&dyn FilterPlugin> {
        Some(self)
    }
}

impl FilterPlugin for VolumeRestrictions {
    fn pre_filter(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreFilter, Status> {
        if !pod.has_volumes() {
            return Ok(PreFilter::Skip);
        }
        let claims = read_write_once_pod_claims(&pod.pod, cluster)?;
        let disks: Vec<VolumeSource> = pod
            .pod
            .spec
            .volumes
            .iter()
            .map(|volume| &volume.source)
            .filter(|s| is_disk(s))
            .cloned()
            .collect();
        if disks.is_empty() && claims.is_empty() {
            return Ok(PreFilter::Skip);
        }
        let mut filter = RestrictionsFilter {
            namespace: pod.pod.metadata.namespace.clone(),
            disks,
            uses: claims.into_iter().map(|claim| (claim, 0)).collect(),
            conflicts: 0,
            skipped: false,
        };
        if !filter.uses.is_empty() {
            for template in cluster.running_templates() {
                let running = cluster.template(template);
                if running.has_claims() {
                    let counts = cluster.pod_counts(template);
                    filter.count(&running.pod, counts.map(|(_, count)| count.all).sum());
                }
            }
        }
        filter.settle();
        Ok(PreFilter::run(filter))
    }
}

/// `readWriteOncePodPVCsForPod`: the names, each once.
fn read_write_once_pod_claims(pod: &Pod, cluster: &Cluster) -> Result<Vec<Str>, Status> {
    let mut names = Vec::new();
    for name in claim_names(pod) {
        let storage = cluster.storage();
        let Some(claim) = storage.find_claim(&pod.metadata.namespace, name) else {
            let missing = format!("persistentvolumeclaim {:?} not found", name.as_str());
            return Err(Status::unresolvable(missing));
        };
        let modes = &storage.claim(claim).object.spec.access_modes;
        if modes.contains(&AccessMode::ReadWriteOncePod) && !names.contains(name) {
            names.push(name.clone());
        }
    }
    Ok(names)
}

/// The claims that the pod names; those of ephemeral volumes are its own.
fn claim_names(pod: &Pod) -> impl Iterator<Item = &Str> {
    pod.spec.volumes.iter().filter_map(|volume| match &volume.source {
        VolumeSource::PersistentVolumeClaim { claim_name, .. } => Some(claim_name),
        _ => None,
    })
}

/// `needsRestrictionsCheck`.
const fn is_disk(source: &VolumeSource) -> bool {
    matches!(
        source,
        VolumeSource::GcePersistentDisk { .. }
            | VolumeSource::AwsElasticBlockStore { .. }
            | VolumeSource::Rbd { .. }
            | VolumeSource::Iscsi { .. }
    )
}

/// `isVolumeConflict`: the same disk, unless all of its users only read it; an EBS volume never has two.
fn conflicts(wanted: &VolumeSource, used: &VolumeSource) -> bool {
    match (wanted, used) {
        (
            VolumeSource::GcePersistentDisk { pd_name, read_only },
            VolumeSource::GcePersistentDisk { pd_name: used_name, read_only: used_read_only },
        ) => pd_name == used_name && !(*read_only && *used_read_only),
        (
            VolumeSource::AwsElasticBlockStore { volume_id },
            VolumeSource::AwsElasticBlockStore { volume_id: used_id },
        ) => volume_id == used_id,
        (
            VolumeSource::Iscsi { iqn, read_only, .. },
            VolumeSource::Iscsi { iqn: used_iqn, read_only: used_read_only, .. },
        ) => iqn == used_iqn && !(*read_only && *used_read_only),
        (
            VolumeSource::Rbd { monitors, image, pool, read_only },
            VolumeSource::Rbd {
                monitors: used_monitors,
                image: used_image,
                pool: used_pool,
                read_only: used_read_only,
            },
        ) => {
            monitors.iter().any(|monitor| used_monitors.contains(monitor))
                && pool == used_pool
                && image == used_image
                && !(*read_only && *used_read_only)
        }
        _ => false,
    }
}

/// `preFilterState`.
#[derive(Debug, Clone)]
struct RestrictionsFilter {
    namespace: Str,
    /// The pod's own disks.
    disks: Vec<VolumeSource>,
    /// The pod's `ReadWriteOncePod` claims, and how many volumes of running pods stand for each.
    uses: Vec<(Str, i64)>,
    /// `conflictingPVCRefCount`.
    conflicts: i64,
    /// Whether PreFilter, asked now, would skip the plugin.
    skipped: bool,
}

enum Verdict {
    Fits,
    DiskConflict,
    ClaimInUse,
}

impl RestrictionsFilter {
    /// Counts the claims of running pods.
    fn count(&mut self, pod: &Pod, pods: i64) -> bool {
        let mut counted = false;
        if pod.metadata.namespace == self.namespace {
            for name in claim_names(pod) {
                for (claim, uses) in &mut self.uses {
                    if claim == name {
                        *uses += pods;
                        counted = true;
                    }
                }
            }
        }
        counted
    }

    /// What PreFilter finds by the uses.
    fn settle(&mut self) {
        self.conflicts = len64(self.uses.iter().filter(|(_, uses)| *uses > 0).count());
        self.skipped = self.disks.is_empty() && self.conflicts == 0;
    }

    fn verdict(&self, cluster: &Cluster, node: NodeIdx) -> Verdict {
        if self.skipped {
            return Verdict::Fits;
        }
        if !self.disks.is_empty() {
            for (template, _) in &cluster.nodes().volume_pods[node] {
                let volumes = &cluster.template(*template).pod.spec.volumes;
                let mut used = volumes.iter().map(|volume| &volume.source);
                if used.any(|used| self.disks.iter().any(|disk| conflicts(disk, used))) {
                    return Verdict::DiskConflict;
                }
            }
        }
        if self.conflicts > 0 { Verdict::ClaimInUse } else { Verdict::Fits }
    }
}

impl Filter for RestrictionsFilter {
    fn depends_on(&self) -> Dependency {
        // The node's own name is a domain of one node; claims are in use everywhere.
        if self.uses.is_empty() { Dependency::Row } else { Dependency::Domain(Vec::new()) }
    }

    fn filter(&self, cluster: &Cluster, rows: Rows<'_>, verdicts: &mut Verdicts) {
        let disk = verdicts.status(Status::unschedulable(ERR_REASON_DISK_CONFLICT));
        let claim = verdicts.status(Status::unschedulable(ERR_REASON_READ_WRITE_ONCE_POD_CONFLICT));
        rows.each(cluster.nodes().row_count(), |node| match self.verdict(cluster, node) {
            Verdict::Fits => verdicts.pass(node),
            Verdict::DiskConflict => verdicts.reject(node, disk),
            Verdict::ClaimInUse => verdicts.reject(node, claim),
        });
    }

    fn fits(&self, cluster: &Cluster, node: NodeIdx) -> bool {
        matches!(self.verdict(cluster, node), Verdict::Fits)
    }

    fn pod_changed(&mut self, cluster: &Cluster, change: &PodChange) -> Stale {
        let pod = &cluster.template(change.template).pod;
        if pod.spec.volumes.is_empty() {
            return Stale::Nothing;
        }
        let before = (self.conflicts > 0, self.skipped);
        if self.count(pod, change.delta) {
            self.settle();
        }
        if before != (self.conflicts > 0, self.skipped) {
            return Stale::All;
        }
        let disks = pod.spec.volumes.iter().any(|volume| is_disk(&volume.source));
        if disks && !self.disks.is_empty() { Stale::Row } else { Stale::Nothing }
    }

    fn dry_run(&mut self, cluster: &Cluster, change: &PodChange) {
        if !self.skipped {
            let pod = &cluster.template(change.template).pod;
            let named = claim_names(pod)
                .filter(|name| self.uses.iter().any(|(claim, _)| claim == *name))
                .count();
            self.conflicts += change.delta * len64(named);
        }
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}
