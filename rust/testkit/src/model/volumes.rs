//! Looking up claims, volumes and classes, and what in-tree volumes become as CSI volumes.
//!
//! Follows `k8s.io/component-helpers/storage/volume`, `…/storage/ephemeral` and
//! `k8s.io/csi-translation-lib` v0.34.

use std::collections::BTreeSet;

use bayplan_api::{
    CsiNode, NodeSelector, NodeSelectorOperator, NodeSelectorRequirement, NodeSelectorTerm,
    Objects, PersistentVolume, PersistentVolumeClaim, PersistentVolumeSource, Pod, StorageClass,
    Str, Volume, VolumeSource,
};

pub(super) const ZONE: &str = "topology.kubernetes.io/zone";
pub(super) const REGION: &str = "topology.kubernetes.io/region";
pub(super) const BETA_ZONE: &str = "failure-domain.beta.kubernetes.io/zone";
pub(super) const BETA_REGION: &str = "failure-domain.beta.kubernetes.io/region";
const BETA_STORAGE_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

pub(super) fn claim<'a>(
    objects: &'a Objects,
    namespace: &str,
    name: &str,
) -> Option<&'a PersistentVolumeClaim> {
    objects
        .persistent_volume_claims
        .iter()
        .find(|claim| claim.metadata.namespace == *namespace && claim.metadata.name == *name)
}

pub(super) fn volume<'a>(objects: &'a Objects, name: &str) -> Option<&'a PersistentVolume> {
    objects.persistent_volumes.iter().find(|volume| volume.metadata.name == *name)
}

pub(super) fn class<'a>(objects: &'a Objects, name: &str) -> Option<&'a StorageClass> {
    objects.storage_classes.iter().find(|class| class.metadata.name == *name)
}

pub(super) fn csi_node<'a>(objects: &'a Objects, name: &str) -> Option<&'a CsiNode> {
    objects.csi_nodes.iter().find(|node| node.metadata.name == *name)
}

pub(super) fn claim_not_found(name: &str) -> String {
    format!("persistentvolumeclaim \"{name}\" not found")
}

/// `GetPersistentVolumeClaimClass`: the old annotation, else the field, else none.
pub(super) fn class_name_of_claim(claim: &PersistentVolumeClaim) -> String {
    let annotated = claim.metadata.annotations.get(BETA_STORAGE_CLASS);
    let own = claim.spec.storage_class_name.as_ref();
    annotated.or(own).map(ToString::to_string).unwrap_or_default()
}

/// `GetPersistentVolumeClass`.
pub(super) fn class_name_of_volume(volume: &PersistentVolume) -> String {
    let annotated = volume.metadata.annotations.get(BETA_STORAGE_CLASS);
    annotated.unwrap_or(&volume.spec.storage_class_name).to_string()
}

/// The name of the claim that a pod's volume stands for, and whether it is an ephemeral one.
pub(super) fn claim_name(pod: &Pod, volume: &Volume) -> Option<(String, bool)> {
    match &volume.source {
        VolumeSource::PersistentVolumeClaim { claim_name, .. } => {
            Some((claim_name.to_string(), false))
        }
        VolumeSource::Ephemeral { .. } => {
            Some((format!("{}-{}", pod.metadata.name, volume.name), true))
        }
        _ => None,
    }
}

/// `ephemeral.VolumeIsForPod`: the claim is controlled by the pod.
pub(super) fn check_owner(pod: &Pod, claim: &PersistentVolumeClaim) -> Result<(), String> {
    let owned = claim.metadata.controller().is_some_and(|owner| owner.uid == pod.metadata.uid);
    if owned {
        return Ok(());
    }
    Err(format!(
        "PVC {}/{} was not created for pod {}/{} (pod is not owner)",
        claim.metadata.namespace, claim.metadata.name, pod.metadata.namespace, pod.metadata.name,
    ))
}

/// An in-tree volume plugin that has a CSI driver instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InTreePlugin {
    AwsEbs,
    GcePd,
    AzureDisk,
    AzureFile,
    Cinder,
    Portworx,
    Vsphere,
}

impl InTreePlugin {
    const ALL: [Self; 7] = [
        Self::AwsEbs,
        Self::GcePd,
        Self::AzureDisk,
        Self::AzureFile,
        Self::Cinder,
        Self::Portworx,
        Self::Vsphere,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::AwsEbs => "kubernetes.io/aws-ebs",
            Self::GcePd => "kubernetes.io/gce-pd",
            Self::AzureDisk => "kubernetes.io/azure-disk",
            Self::AzureFile => "kubernetes.io/azure-file",
            Self::Cinder => "kubernetes.io/cinder",
            Self::Portworx => "kubernetes.io/portworx-volume",
            Self::Vsphere => "kubernetes.io/vsphere-volume",
        }
    }

    pub(super) const fn driver(self) -> &'static str {
        match self {
            Self::AwsEbs => "ebs.csi.aws.com",
            Self::GcePd => "pd.csi.storage.gke.io",
            Self::AzureDisk => "disk.csi.azure.com",
            Self::AzureFile => "file.csi.azure.com",
            Self::Cinder => "cinder.csi.openstack.org",
            Self::Portworx => "pxd.portworx.com",
            Self::Vsphere => "csi.vsphere.vmware.com",
        }
    }

    /// The topology key that the driver uses for zones; Portworx has none.
    const fn zone_key(self) -> Option<&'static str> {
        match self {
            Self::AwsEbs => Some("topology.ebs.csi.aws.com/zone"),
            Self::GcePd => Some("topology.gke.io/zone"),
            Self::AzureDisk => Some("topology.disk.csi.azure.com/zone"),
            Self::Cinder => Some("topology.cinder.csi.openstack.org/zone"),
            Self::AzureFile | Self::Portworx | Self::Vsphere => None,
        }
    }

    /// The plugin of that name, as a storage class's provisioner gives it.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plugin| plugin.name() == name)
    }

    /// The plugin behind a pod's inline volume.
    pub(super) const fn of_inline(source: &VolumeSource) -> Option<Self> {
        match source {
            VolumeSource::AwsElasticBlockStore { .. } => Some(Self::AwsEbs),
            VolumeSource::GcePersistentDisk { .. } => Some(Self::GcePd),
            VolumeSource::AzureDisk { .. } => Some(Self::AzureDisk),
            VolumeSource::AzureFile { .. } => Some(Self::AzureFile),
            VolumeSource::Cinder { .. } => Some(Self::Cinder),
            VolumeSource::PortworxVolume { .. } => Some(Self::Portworx),
            VolumeSource::VsphereVolume { .. } => Some(Self::Vsphere),
            _ => None,
        }
    }

    /// The plugin behind a persistent volume.
    pub(super) const fn of_volume(source: &PersistentVolumeSource) -> Option<Self> {
        match source {
            PersistentVolumeSource::AwsElasticBlockStore { .. } => Some(Self::AwsEbs),
            PersistentVolumeSource::GcePersistentDisk { .. } => Some(Self::GcePd),
            PersistentVolumeSource::AzureDisk { .. } => Some(Self::AzureDisk),
            PersistentVolumeSource::AzureFile { .. } => Some(Self::AzureFile),
            PersistentVolumeSource::Cinder { .. } => Some(Self::Cinder),
            PersistentVolumeSource::PortworxVolume { .. } => Some(Self::Portworx),
            PersistentVolumeSource::VsphereVolume { .. } => Some(Self::Vsphere),
            _ => None,
        }
    }

    /// Whether `CSINode` says that the plugin is migrated on the node.
    pub(super) fn is_annotated(self, csi_node: Option<&CsiNode>) -> bool {
        let annotation = csi_node.and_then(|node| {
            node.metadata.annotations.get("storage.alpha.kubernetes.io/migrated-plugins")
        });
        annotation.is_some_and(|names| names.split(',').any(|name| name == self.name()))
    }

    /// `isCSIMigrationOn` of `NodeVolumeLimits`.
    pub(super) fn counts_as_csi(self, csi_node: Option<&CsiNode>) -> bool {
        match self {
            Self::AwsEbs | Self::GcePd | Self::AzureDisk | Self::Cinder => csi_node.is_some(),
            Self::Portworx => self.is_annotated(csi_node),
            Self::AzureFile | Self::Vsphere => false,
        }
    }

    /// Whether `VolumeBinding` looks at the volume as at a CSI volume on the node.
    fn is_translated_on(self, csi_node: Option<&CsiNode>) -> bool {
        !matches!(self, Self::AzureFile | Self::Vsphere) && self.is_annotated(csi_node)
    }
}

/// The CSI volume handle of a pod's inline volume.
pub(super) fn inline_volume_handle(source: &VolumeSource) -> Result<String, String> {
    Ok(match source {
        VolumeSource::AwsElasticBlockStore { volume_id } => ebs_volume_id(volume_id)?,
        VolumeSource::GcePersistentDisk { pd_name, .. } => zonal_disk("UNSPECIFIED", pd_name),
        VolumeSource::AzureDisk { disk_uri, managed, .. } => azure_disk(disk_uri, *managed)?,
        VolumeSource::Cinder { volume_id } | VolumeSource::PortworxVolume { volume_id } => {
            volume_id.to_string()
        }
        _ => String::new(),
    })
}

/// The CSI volume handle of an in-tree persistent volume.
pub(super) fn volume_handle(volume: &PersistentVolume) -> Result<String, String> {
    Ok(match &volume.spec.source {
        PersistentVolumeSource::Csi { volume_handle, .. } => volume_handle.to_string(),
        PersistentVolumeSource::AwsElasticBlockStore { volume_id } => ebs_volume_id(volume_id)?,
        PersistentVolumeSource::GcePersistentDisk { pd_name } => {
            let label = |key| volume.metadata.labels.get(key).filter(|zones| !zones.is_empty());
            let zones = label(BETA_ZONE).or_else(|| label(ZONE));
            let zones: Vec<&str> =
                zones.map(|zones| zones.split("__").collect()).unwrap_or_default();
            match zones.as_slice() {
                [] => zonal_disk("UNSPECIFIED", pd_name),
                [zone] => zonal_disk(zone, pd_name),
                _ => {
                    format!("projects/UNSPECIFIED/regions/{}/disks/{pd_name}", gce_region(&zones)?)
                }
            }
        }
        PersistentVolumeSource::AzureDisk { disk_uri, managed, .. } => {
            azure_disk(disk_uri, *managed)?
        }
        PersistentVolumeSource::Cinder { volume_id }
        | PersistentVolumeSource::PortworxVolume { volume_id } => volume_id.to_string(),
        _ => String::new(),
    })
}

fn azure_disk(uri: &str, managed: bool) -> Result<String, String> {
    if managed {
        Ok(uri.to_owned())
    } else {
        Err("kind(Shared) is not supported in csi migration".to_owned())
    }
}

fn zonal_disk(zone: &str, name: &str) -> String {
    format!("projects/UNSPECIFIED/zones/{zone}/disks/{name}")
}

/// The one region of some zones such as `us-central1-a`.
fn gce_region(zones: &[&str]) -> Result<String, String> {
    let mut regions = BTreeSet::new();
    for zone in zones {
        match zone.rsplit_once('-') {
            Some((region, _)) if region.contains('-') && zone.split('-').count() == 3 => {
                regions.insert(region.to_owned());
            }
            _ => return Err(format!("zone in unexpected format: {zone}")),
        }
    }
    match (regions.pop_first(), regions.is_empty()) {
        (Some(region), true) => Ok(region),
        _ => Err("multiple or no regions gotten from zones".to_owned()),
    }
}

/// `KubernetesVolumeIDToEBSVolumeID`: bare, or the path of `aws://zone/vol-…`.
fn ebs_volume_id(id: &str) -> Result<String, String> {
    let Some(rest) = id.strip_prefix("aws://") else { return Ok(id.to_owned()) };
    let path = rest.split_once('/').map_or("", |(_, path)| path).trim_matches('/');
    if path.starts_with("vol-") && !path.contains('/') {
        return Ok(path.to_owned());
    }
    Err(format!("Invalid format for AWS volume ({id})"))
}

/// The node affinity of a volume as `VolumeBinding` sees it on a node: with the driver's topology
/// keys where the plugin is migrated there (`tryTranslatePVToCSI`).
pub(super) fn node_affinity_on(
    volume: &PersistentVolume,
    csi_node: Option<&CsiNode>,
) -> Result<Option<NodeSelector>, String> {
    let own = volume.spec.node_affinity.clone();
    let Some(plugin) = InTreePlugin::of_volume(&volume.spec.source) else { return Ok(own) };
    if !plugin.is_translated_on(csi_node) {
        return Ok(own);
    }
    volume_handle(volume)?;
    let Some(csi_key) = plugin.zone_key() else { return Ok(own) };
    Ok(translate_topology(volume, own, csi_key))
}

/// `translateTopologyFromInTreeToCSI`.
fn translate_topology(
    volume: &PersistentVolume,
    affinity: Option<NodeSelector>,
    csi_key: &str,
) -> Option<NodeSelector> {
    let has_key = |key: &str| {
        affinity.as_ref().is_some_and(|affinity| {
            let mut terms = affinity.node_selector_terms.iter();
            terms.any(|term| term.match_expressions.iter().any(|own| own.key == *key))
        })
    };
    let labels = &volume.metadata.labels;
    let beta = if has_key(ZONE) {
        false
    } else if has_key(BETA_ZONE) {
        true
    } else {
        !labels.contains_key(ZONE) && labels.contains_key(BETA_ZONE)
    };
    let (zone_key, region_key) = if beta { (BETA_ZONE, BETA_REGION) } else { (ZONE, REGION) };

    let mut affinity = affinity;
    let has_values = |affinity: &Option<NodeSelector>, key: &str| {
        affinity.iter().flat_map(|affinity| &affinity.node_selector_terms).any(|term| {
            term.match_expressions.iter().any(|own| own.key == *key && !own.values.is_empty())
        })
    };
    if has_values(&affinity, zone_key) {
        replace_key(&mut affinity, zone_key, csi_key);
    } else if let Some(zones) = labels.get(zone_key) {
        let zones: BTreeSet<&str> =
            zones.split("__").map(str::trim).filter(|zone| !zone.is_empty()).collect();
        if !zones.is_empty() {
            add_requirement(affinity.get_or_insert_default(), csi_key, &zones);
        }
    }
    if region_key == BETA_REGION && has_values(&affinity, region_key) {
        replace_key(&mut affinity, region_key, REGION);
    }
    affinity
}

fn replace_key(affinity: &mut Option<NodeSelector>, old: &str, new: &str) {
    let terms = affinity.iter_mut().flat_map(|affinity| &mut affinity.node_selector_terms);
    for requirement in terms.flat_map(|term| &mut term.match_expressions) {
        if requirement.key == *old {
            requirement.key = new.into();
        }
    }
}

fn add_requirement(affinity: &mut NodeSelector, key: &str, values: &BTreeSet<&str>) {
    if affinity.node_selector_terms.is_empty() {
        affinity.node_selector_terms.push(NodeSelectorTerm::default());
    }
    for term in &mut affinity.node_selector_terms {
        term.match_expressions.push(NodeSelectorRequirement {
            key: key.into(),
            operator: NodeSelectorOperator::In,
            values: values.iter().map(|value| Str::from(*value)).collect(),
        });
    }
}
