//! `NodeVolumeLimits`: does the node take as many volumes of a CSI driver?
//!
//! | extension point | what it does |
//! |---|---|
//! | PreFilter | skips pods without claims and without volumes of migrated plugins |
//! | Filter | rejects nodes where the pod's volumes and those already there exceed the driver's limit |
//!
//! Follows `pkg/scheduler/framework/plugins/nodevolumelimits/csi.go` of v1.34. What a pod attaches is worked out by the
//! cluster, once a template.

use std::sync::Arc;

use crate::cluster::{Attachment, Cluster, CsiNodeInfo, InTreePlugin, PodChange, PodInfo};
use crate::framework::{
    Code, Dependency, Filter, FilterPlugin, Plugin, PreFilter, Rows, Stale, Status, Verdicts,
};
use crate::go::len64;
use crate::index_vec::{AttachableId, DriverId, NodeIdx};

/// The plugin.
#[derive(Debug)]
pub struct NodeVolumeLimits;

/// Its name.
pub const NAME: &str = "NodeVolumeLimits";
const ERR_REASON_MAX_VOLUME_COUNT_EXCEEDED: &str = "node(s) exceed max volume count";

impl Plugin for NodeVolumeLimits {
    fn name(&self) -> &str {
        NAME
    }

    fn filter(&self) -> Option<&dyn FilterPlugin> {
        Some(self)
    }
}

impl FilterPlugin for NodeVolumeLimits {
    fn pre_filter(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreFilter, Status> {
        let mut volumes = pod.pod.spec.volumes.iter();
        let counts = pod.has_claims()
            || volumes.any(|volume| InTreePlugin::of_inline(&volume.source).is_some());
        if !counts {
            return Ok(PreFilter::Skip);
        }
        let attachments = cluster.attachments_of(&pod.pod).to_vec();
        if attachments.is_empty() {
            return Ok(PreFilter::Skip);
        }
        Ok(PreFilter::run(LimitsFilter { attachments }))
    }
}

#[derive(Debug, Clone)]
struct LimitsFilter {
    /// What the pod brings.
    attachments: Vec<Attachment>,
}

/// Volumes with their drivers; a volume that several pods share counts once.
type Volumes = Vec<(AttachableId, DriverId)>;

impl LimitsFilter {
    fn check(&self, cluster: &Cluster, node: NodeIdx) -> Result<(), Status> {
        let name = cluster.nodes().name(node);
        let csi_node = cluster.storage().csi_node(name);
        let mut new = Volumes::new();
        collect(&self.attachments, csi_node, &mut new, |missing| {
            Err(Status::unresolvable(missing.to_owned()))
        })?;
        let limits = csi_node.map_or(&[][..], |node| node.limits.as_slice());
        if new.is_empty() || limits.is_empty() {
            return Ok(());
        }
        let mut used = Volumes::new();
        for (template, _) in &cluster.nodes().volume_pods[node] {
            collect(cluster.attachments(*template), csi_node, &mut used, |_| Ok(()))?;
        }
        let attached = cluster.storage().attached(name);
        let others = attached.iter().filter(|volume| !used.contains(volume));
        for &(driver, limit) in limits {
            let of_driver = |volume: &&(AttachableId, DriverId)| volume.1 == driver;
            let wanted = new.iter().filter(of_driver).filter(|volume| !used.contains(volume));
            let wanted = len64(wanted.count());
            let current =
                used.iter().filter(of_driver).count() + others.clone().filter(of_driver).count();
            if wanted > 0 && len64(current) + wanted > limit {
                return Err(Status::unschedulable(ERR_REASON_MAX_VOLUME_COUNT_EXCEEDED));
            }
        }
        Ok(())
    }
}

/// Adds what counts on a node with that `CSINode`, each volume once.
fn collect(
    attachments: &[Attachment],
    node: Option<&CsiNodeInfo>,
    volumes: &mut Volumes,
    on_missing: impl Fn(&str) -> Result<(), Status>,
) -> Result<(), Status> {
    for attachment in attachments {
        match attachment {
            Attachment::Volume { volume, driver, on } => {
                if on.holds(node) && !volumes.contains(&(*volume, *driver)) {
                    volumes.push((*volume, *driver));
                }
            }
            Attachment::Missing(message) => on_missing(message)?,
            Attachment::Failure { message, on } => {
                if on.holds(node) {
                    return Err(Status::error(message.clone()));
                }
            }
        }
    }
    Ok(())
}

impl Filter for LimitsFilter {
    fn depends_on(&self) -> Dependency {
        Dependency::Row
    }

    fn filter(&self, cluster: &Cluster, rows: Rows<'_>, verdicts: &mut Verdicts) {
        rows.each(cluster.nodes().row_count(), |node| match self.check(cluster, node) {
            Ok(()) => verdicts.pass(node),
            Err(status) => {
                let status = verdicts.status(status);
                verdicts.reject(node, status);
            }
        });
    }

    fn fits(&self, cluster: &Cluster, node: NodeIdx) -> bool {
        self.check(cluster, node).is_ok()
    }

    fn failure(&self, cluster: &Cluster, node: NodeIdx) -> Option<String> {
        let status = self.check(cluster, node).err()?;
        (status.code == Code::Error).then(|| status.reasons.join(", "))
    }

    fn pod_changed(&mut self, cluster: &Cluster, change: &PodChange) -> Stale {
        let quiet = cluster.attachments(change.template).is_empty();
        if quiet { Stale::Nothing } else { Stale::Row }
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}
