//! `NodeVolumeLimits`: how many volumes of a CSI driver can the node attach?
//!
//! Follows `plugins/nodevolumelimits/{csi,utils}.go` of v1.34.

use std::collections::BTreeMap;

use bayplan_api::{CsiNode, Objects, PersistentVolumeClaim, PersistentVolumeSource, Pod};

use super::volumes::{
    self, InTreePlugin, check_owner, claim_not_found, class_name_of_claim, inline_volume_handle,
    volume_handle,
};
use super::{Code, Failure, NodeInfo, PreFilter, Rejection};

/// Driver by `driver/handle`.
type Volumes = BTreeMap<String, String>;

pub(super) fn pre_filter(pod: &Pod) -> PreFilter {
    let counts = pod.spec.volumes.iter().any(|volume| {
        volumes::claim_name(pod, volume).is_some()
            || InTreePlugin::of_inline(&volume.source).is_some()
    });
    if counts { PreFilter::Run } else { PreFilter::Skip }
}

pub(super) fn filter(pod: &Pod, info: &NodeInfo<'_>, objects: &Objects) -> Result<(), Failure> {
    let node_name = &info.node.metadata.name;
    let csi_node = volumes::csi_node(objects, node_name);
    let mut new_volumes = attachable_volumes(pod, csi_node, objects, true)?;
    let limits: BTreeMap<&str, i64> = csi_node
        .iter()
        .flat_map(|csi_node| &csi_node.drivers)
        .filter_map(|driver| Some((driver.name.as_str(), i64::from(driver.allocatable_count?))))
        .collect();
    if new_volumes.is_empty() || limits.is_empty() {
        return Ok(());
    }

    let mut attached = Volumes::new();
    for existing in &info.pods {
        attached.extend(attachable_volumes(existing, csi_node, objects, false)?);
    }
    // A volume that is there already is not attached a second time.
    new_volumes.retain(|volume, _| !attached.contains_key(volume));
    for attachment in objects.volume_attachments.iter().filter(|va| va.node_name == *node_name) {
        let Some(name) = &attachment.persistent_volume_name else { continue };
        let Some(volume) = volumes::volume(objects, name) else { continue };
        if let PersistentVolumeSource::Csi { volume_handle, .. } = &volume.spec.source
            && !attachment.attacher.is_empty()
        {
            let unique = format!("{}/{volume_handle}", attachment.attacher);
            attached.entry(unique).or_insert_with(|| attachment.attacher.to_string());
        }
    }

    let count = |volumes: &Volumes, driver: &str| {
        i64::try_from(volumes.values().filter(|own| *own == driver).count()).unwrap_or(i64::MAX)
    };
    for (driver, limit) in limits {
        let new = count(&new_volumes, driver);
        if new > 0 && count(&attached, driver) + new > limit {
            return Err(
                Rejection::new(Code::Unschedulable, "node(s) exceed max volume count").into()
            );
        }
    }
    Ok(())
}

/// `filterAttachableVolumes`.
fn attachable_volumes(
    pod: &Pod,
    csi_node: Option<&CsiNode>,
    objects: &Objects,
    new_pod: bool,
) -> Result<Volumes, Failure> {
    let mut found = Volumes::new();
    for volume in &pod.spec.volumes {
        let info = match volumes::claim_name(pod, volume) {
            Some((name, ephemeral)) => {
                let namespace = &pod.metadata.namespace;
                let Some(claim) = volumes::claim(objects, namespace, &name) else {
                    if new_pod {
                        let reason = format!(
                            "looking up PVC {namespace}/{name}: {}",
                            claim_not_found(&name)
                        );
                        return Err(
                            Rejection::new(Code::UnschedulableAndUnresolvable, reason).into()
                        );
                    }
                    continue;
                };
                if ephemeral {
                    check_owner(pod, claim).map_err(Failure::Error)?;
                }
                of_claim(claim, csi_node, objects)
            }
            None => match InTreePlugin::of_inline(&volume.source) {
                Some(plugin) if plugin.counts_as_csi(csi_node) => {
                    let handle = inline_volume_handle(&volume.source).map_err(|error| {
                        Failure::Error(format!(
                            "converting volume({}) from inline to csi: {error}",
                            volume.name
                        ))
                    })?;
                    Some((plugin.driver().to_owned(), handle))
                }
                _ => None,
            },
        };
        if let Some((driver, handle)) = info {
            found.insert(format!("{driver}/{handle}"), driver);
        }
    }
    Ok(found)
}

/// `getCSIDriverInfo`: driver and handle of the claim's volume.
fn of_claim(
    claim: &PersistentVolumeClaim,
    csi_node: Option<&CsiNode>,
    objects: &Objects,
) -> Option<(String, String)> {
    let volume = volumes::volume(objects, &claim.spec.volume_name);
    let (Some(volume), false) = (volume, claim.spec.volume_name.is_empty()) else {
        return of_class(claim, csi_node, objects);
    };
    let driver = match &volume.spec.source {
        PersistentVolumeSource::Csi { driver, .. } => driver.to_string(),
        source => {
            let plugin = InTreePlugin::of_volume(source)?;
            if !plugin.counts_as_csi(csi_node) {
                return None;
            }
            plugin.driver().to_owned()
        }
    };
    let handle = volume_handle(volume).ok()?;
    (!driver.is_empty() && !handle.is_empty()).then_some((driver, handle))
}

/// `getCSIDriverInfoFromSC`: the class's driver, and a handle that no real volume has.
fn of_class(
    claim: &PersistentVolumeClaim,
    csi_node: Option<&CsiNode>,
    objects: &Objects,
) -> Option<(String, String)> {
    let class = volumes::class(objects, &class_name_of_claim(claim))?;
    let handle = format!("?-{}/{}", claim.metadata.namespace, claim.metadata.name);
    match InTreePlugin::from_name(&class.provisioner) {
        Some(plugin) if plugin.counts_as_csi(csi_node) => {
            Some((plugin.driver().to_owned(), handle))
        }
        Some(_) => None,
        None => (!class.provisioner.is_empty()).then(|| (class.provisioner.to_string(), handle)),
    }
}
