//! In-tree volumes as the CSI drivers that took their place know them.
//!
//! Follows `k8s.io/csi-translation-lib` v0.34.1, as far as a decision reads it: driver, handle and node affinity.

use bayplan_api::{
    Labels, NodeSelector, NodeSelectorOperator, NodeSelectorRequirement, NodeSelectorTerm,
    PersistentVolume, PersistentVolumeSource, Str, VolumeSource,
};

const ZONE: &str = "topology.kubernetes.io/zone";
const REGION: &str = "topology.kubernetes.io/region";
const BETA_ZONE: &str = "failure-domain.beta.kubernetes.io/zone";
const BETA_REGION: &str = "failure-domain.beta.kubernetes.io/region";
/// Stands between the zones of a regional volume's label.
const DELIMITER: &str = "__";
const UNSPECIFIED: &str = "UNSPECIFIED";

/// An in-tree volume plugin that a CSI driver replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InTreePlugin {
    AwsEbs,
    AzureDisk,
    AzureFile,
    Cinder,
    GcePd,
    Portworx,
    Vsphere,
}

/// What a volume is to its CSI driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Translated {
    pub(super) driver: Str,
    pub(super) handle: Str,
    pub(super) node_affinity: Option<NodeSelector>,
}

/// Where volumes of an in-tree plugin count as the CSI driver's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Migration {
    /// Everywhere: they are the driver's own.
    Everywhere,
    /// On nodes with a `CSINode`.
    WithCsiNode,
    /// On nodes whose `CSINode` names the plugin as migrated.
    WhereAnnotated(InTreePlugin),
}

impl InTreePlugin {
    const ALL: [Self; 7] = [
        Self::AwsEbs,
        Self::AzureDisk,
        Self::AzureFile,
        Self::Cinder,
        Self::GcePd,
        Self::Portworx,
        Self::Vsphere,
    ];

    /// The plugin's name, which is also its provisioner's.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AwsEbs => "kubernetes.io/aws-ebs",
            Self::AzureDisk => "kubernetes.io/azure-disk",
            Self::AzureFile => "kubernetes.io/azure-file",
            Self::Cinder => "kubernetes.io/cinder",
            Self::GcePd => "kubernetes.io/gce-pd",
            Self::Portworx => "kubernetes.io/portworx-volume",
            Self::Vsphere => "kubernetes.io/vsphere-volume",
        }
    }

    /// The name of the driver that replaces it.
    pub(super) const fn driver(self) -> &'static str {
        match self {
            Self::AwsEbs => "ebs.csi.aws.com",
            Self::AzureDisk => "disk.csi.azure.com",
            Self::AzureFile => "file.csi.azure.com",
            Self::Cinder => "cinder.csi.openstack.org",
            Self::GcePd => "pd.csi.storage.gke.io",
            Self::Portworx => "pxd.portworx.com",
            Self::Vsphere => "csi.vsphere.vmware.com",
        }
    }

    pub(super) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plugin| plugin.name() == name)
    }

    pub(super) const fn of_volume(source: &PersistentVolumeSource) -> Option<Self> {
        Some(match source {
            PersistentVolumeSource::AwsElasticBlockStore { .. } => Self::AwsEbs,
            PersistentVolumeSource::AzureDisk { .. } => Self::AzureDisk,
            PersistentVolumeSource::AzureFile { .. } => Self::AzureFile,
            PersistentVolumeSource::Cinder { .. } => Self::Cinder,
            PersistentVolumeSource::GcePersistentDisk { .. } => Self::GcePd,
            PersistentVolumeSource::PortworxVolume { .. } => Self::Portworx,
            PersistentVolumeSource::VsphereVolume { .. } => Self::Vsphere,
            PersistentVolumeSource::Other
            | PersistentVolumeSource::Csi { .. }
            | PersistentVolumeSource::Local
            | PersistentVolumeSource::HostPath
            | PersistentVolumeSource::Nfs => return None,
        })
    }

    /// The plugin of a volume that a pod describes itself.
    pub(crate) const fn of_inline(source: &VolumeSource) -> Option<Self> {
        Some(match source {
            VolumeSource::AwsElasticBlockStore { .. } => Self::AwsEbs,
            VolumeSource::AzureDisk { .. } => Self::AzureDisk,
            VolumeSource::AzureFile { .. } => Self::AzureFile,
            VolumeSource::Cinder { .. } => Self::Cinder,
            VolumeSource::GcePersistentDisk { .. } => Self::GcePd,
            VolumeSource::PortworxVolume { .. } => Self::Portworx,
            VolumeSource::VsphereVolume { .. } => Self::Vsphere,
            VolumeSource::Other
            | VolumeSource::PersistentVolumeClaim { .. }
            | VolumeSource::Ephemeral { .. }
            | VolumeSource::Iscsi { .. }
            | VolumeSource::Rbd { .. }
            | VolumeSource::Csi { .. }
            | VolumeSource::HostPath
            | VolumeSource::Nfs => return None,
        })
    }

    /// `isCSIMigrationOn` of `NodeVolumeLimits`: where its volumes count against the driver's limit; `None` for nowhere.
    pub(super) const fn counted(self) -> Option<Migration> {
        match self {
            Self::AwsEbs | Self::GcePd | Self::AzureDisk | Self::Cinder => {
                Some(Migration::WithCsiNode)
            }
            Self::Portworx => Some(Migration::WhereAnnotated(self)),
            Self::AzureFile | Self::Vsphere => None,
        }
    }

    /// `isCSIMigrationOnForPlugin` of `VolumeBinding`: whether its volumes are ever looked at as the driver's.
    pub(super) const fn is_migrated(self) -> bool {
        !matches!(self, Self::AzureFile | Self::Vsphere)
    }

    const fn topology_key(self) -> Option<&'static str> {
        match self {
            Self::AwsEbs => Some("topology.ebs.csi.aws.com/zone"),
            Self::Cinder => Some("topology.cinder.csi.openstack.org/zone"),
            Self::GcePd => Some("topology.gke.io/zone"),
            Self::AzureDisk | Self::AzureFile | Self::Portworx | Self::Vsphere => None,
        }
    }
}

/// `TranslateInTreePVToCSI`; `None` for volumes that are no migrated plugin's.
pub(super) fn translate(volume: &PersistentVolume) -> Option<Result<Translated, String>> {
    let plugin =
        InTreePlugin::of_volume(&volume.spec.source).filter(|plugin| plugin.is_migrated())?;
    let handle = match &volume.spec.source {
        PersistentVolumeSource::AwsElasticBlockStore { volume_id } => ebs_volume_id(volume_id),
        PersistentVolumeSource::AzureDisk { disk_uri, managed, .. } => {
            managed_disk(disk_uri, *managed)
        }
        PersistentVolumeSource::GcePersistentDisk { pd_name, .. } => {
            gce_handle(&volume.metadata.labels, pd_name)
        }
        PersistentVolumeSource::Cinder { volume_id }
        | PersistentVolumeSource::PortworxVolume { volume_id } => Ok(volume_id.clone()),
        _ => return None,
    };
    Some(handle.map(|handle| {
        let mut node_affinity = volume.spec.node_affinity.clone();
        if let Some(key) = plugin.topology_key() {
            translate_topology(&mut node_affinity, &volume.metadata.labels, key);
        }
        Translated { driver: plugin.driver().into(), handle, node_affinity }
    }))
}

/// `TranslateInTreeInlineVolumeToCSI`: the handle of a volume that a pod describes itself.
pub(super) fn translate_inline(source: &VolumeSource) -> Option<Result<Str, String>> {
    Some(match source {
        VolumeSource::AwsElasticBlockStore { volume_id } => ebs_volume_id(volume_id),
        VolumeSource::AzureDisk { disk_uri, managed, .. } => managed_disk(disk_uri, *managed),
        VolumeSource::GcePersistentDisk { pd_name, .. } => {
            Ok(format!("projects/{UNSPECIFIED}/zones/{UNSPECIFIED}/disks/{pd_name}").into())
        }
        VolumeSource::Cinder { volume_id } | VolumeSource::PortworxVolume { volume_id } => {
            Ok(volume_id.clone())
        }
        _ => return None,
    })
}

/// `KubernetesVolumeIDToEBSVolumeID`: `aws://<zone>/vol-…`, `aws:///vol-…` or the bare id.
fn ebs_volume_id(id: &Str) -> Result<Str, String> {
    let Some(rest) = id.strip_prefix("aws://") else { return Ok(id.clone()) };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default();
    let volume = path.trim_matches('/');
    if volume.starts_with("vol-") && !volume.contains('/') {
        return Ok(volume.into());
    }
    Err(format!(
        "failed to translate Kubernetes ID to EBS Volume ID Invalid format for AWS volume ({id})"
    ))
}

fn managed_disk(uri: &Str, managed: bool) -> Result<Str, String> {
    let shared = || "kind(Shared) is not supported in csi migration".to_owned();
    if managed { Ok(uri.clone()) } else { Err(shared()) }
}

/// The handle by the zones that the volume's label names: one zone, a region of several, or unspecified.
fn gce_handle(labels: &Labels, disk: &Str) -> Result<Str, String> {
    let named = |key| labels.get(key).filter(|zones| !zones.is_empty());
    let zones = named(BETA_ZONE).or_else(|| named(ZONE)).cloned().unwrap_or_default();
    Ok(if zones.contains(DELIMITER) {
        let region = gce_region(&zones)
            .map_err(|error| format!("failed to get region from zones: {error}"))?;
        format!("projects/{UNSPECIFIED}/regions/{region}/disks/{disk}")
    } else {
        let zone = if zones.is_empty() { UNSPECIFIED } else { &zones };
        format!("projects/{UNSPECIFIED}/zones/{zone}/disks/{disk}")
    }
    .into())
}

/// `gceGetRegionFromZones`: zones are named `<locale>-<region>-<zone>`, and all must be of one region.
fn gce_region(zones: &str) -> Result<&str, String> {
    let mut region = None;
    for zone in zones.split(DELIMITER) {
        let unexpected = || {
            format!(
                "zone in unexpected format, expected: {{locale}}-{{region}}-{{zone}}, got: {zone}"
            )
        };
        if zone.matches('-').count() != 2 {
            return Err(unexpected());
        }
        let (of_zone, _) = zone.rsplit_once('-').ok_or_else(unexpected)?;
        if region.is_some_and(|region| region != of_zone) {
            return Err(format!("multiple or no regions gotten from zones, got: {zones}"));
        }
        region = Some(of_zone);
    }
    region.ok_or_else(|| "no zones specified".to_owned())
}

/// `translateTopologyFromInTreeToCSI`: the zone's key becomes the driver's; without one in the affinity the zones of the
/// volume's label are added.
fn translate_topology(affinity: &mut Option<NodeSelector>, labels: &Labels, csi_key: &str) {
    let terms = |affinity: &Option<NodeSelector>| {
        affinity.as_ref().map_or(Vec::new(), |selector| selector.node_selector_terms.clone())
    };
    let has = |key: &str| {
        let mut expressions = terms(affinity).into_iter().flat_map(|term| term.match_expressions);
        expressions.any(|expression| expression.key == key)
    };
    let beta = if has(ZONE) {
        false
    } else if has(BETA_ZONE) {
        true
    } else {
        !labels.contains_key(ZONE) && labels.contains_key(BETA_ZONE)
    };
    let zone = if beta { BETA_ZONE } else { ZONE };
    if has_values(affinity.as_ref(), zone) {
        replace_key(affinity.as_mut(), zone, csi_key);
    } else if let Some(label) = labels.get(zone) {
        add_zones(affinity, csi_key, label);
    }
    if beta && has_values(affinity.as_ref(), BETA_REGION) {
        replace_key(affinity.as_mut(), BETA_REGION, REGION);
    }
}

fn has_values(affinity: Option<&NodeSelector>, key: &str) -> bool {
    let terms = affinity.into_iter().flat_map(|selector| &selector.node_selector_terms);
    let mut expressions = terms.flat_map(|term| &term.match_expressions);
    expressions.any(|expression| expression.key == key && !expression.values.is_empty())
}

fn replace_key(affinity: Option<&mut NodeSelector>, old: &str, new: &str) {
    let terms = affinity.into_iter().flat_map(|selector| &mut selector.node_selector_terms);
    for expression in terms.flat_map(|term| &mut term.match_expressions) {
        if expression.key == old {
            expression.key = new.into();
        }
    }
}

/// `addTopology`: one more requirement on every term, or on a first one.
fn add_zones(affinity: &mut Option<NodeSelector>, key: &str, label: &str) {
    let zones = label.split(DELIMITER).map(str::trim).filter(|zone| !zone.is_empty());
    let mut zones: Vec<Str> = zones.map(Str::from).collect();
    zones.sort();
    zones.dedup();
    if zones.is_empty() {
        return;
    }
    let terms = &mut affinity.get_or_insert_default().node_selector_terms;
    if terms.is_empty() {
        terms.push(NodeSelectorTerm::default());
    }
    for term in terms {
        term.match_expressions.push(NodeSelectorRequirement {
            key: key.into(),
            operator: NodeSelectorOperator::In,
            values: zones.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use bayplan_api::{ObjectMeta, PersistentVolumeSpec};

    use super::*;

    fn handle(source: PersistentVolumeSource, labels: &[(&str, &str)]) -> Result<String, String> {
        let labels = labels.iter().map(|(key, value)| (Str::from(*key), Str::from(*value)));
        let volume = PersistentVolume {
            metadata: ObjectMeta { labels: labels.collect(), ..ObjectMeta::default() },
            spec: PersistentVolumeSpec { source, ..PersistentVolumeSpec::default() },
            phase: Str::default(),
        };
        translate(&volume).unwrap().map(|translated| translated.handle.to_string())
    }

    #[test]
    fn an_ebs_volume_is_known_by_its_id_in_all_three_forms() {
        for id in ["vol-1", "aws:///vol-1", "aws://eu-west-1a/vol-1", "aws://eu-west-1a/vol-1/"] {
            let source = PersistentVolumeSource::AwsElasticBlockStore { volume_id: id.into() };
            assert_eq!(handle(source, &[]).unwrap(), "vol-1", "{id}");
        }
        for id in ["aws://vol-1", "aws://eu-west-1a/disk", "aws://eu-west-1a/a/vol-1"] {
            let source = PersistentVolumeSource::AwsElasticBlockStore { volume_id: id.into() };
            assert!(handle(source, &[]).is_err(), "{id}");
        }
    }

    #[test]
    fn a_gce_disk_is_zonal_regional_or_unspecified_by_its_labels() {
        let disk = || PersistentVolumeSource::GcePersistentDisk { pd_name: "d".into() };
        let of = |labels: &[(&str, &str)]| handle(disk(), labels);
        assert_eq!(of(&[]).unwrap(), "projects/UNSPECIFIED/zones/UNSPECIFIED/disks/d");
        assert_eq!(of(&[(ZONE, "us-a-1")]).unwrap(), "projects/UNSPECIFIED/zones/us-a-1/disks/d");
        let both = [(ZONE, "us-a-1"), (BETA_ZONE, "us-a-2__us-a-3")];
        assert_eq!(of(&both).unwrap(), "projects/UNSPECIFIED/regions/us-a/disks/d");
        assert!(of(&[(ZONE, "us-a-1__us-b-1")]).is_err());
        assert!(of(&[(ZONE, "us-a-1__odd")]).is_err());
    }

    #[test]
    fn an_azure_disk_that_is_not_managed_is_not_migrated() {
        let disk = |managed| PersistentVolumeSource::AzureDisk {
            disk_name: "d".into(),
            disk_uri: "/subscriptions/d".into(),
            managed,
        };
        assert_eq!(handle(disk(true), &[]).unwrap(), "/subscriptions/d");
        assert!(handle(disk(false), &[]).is_err());
    }

    #[test]
    fn zones_of_the_label_join_every_term_unless_the_affinity_names_zones() {
        let requirement = |key: &str, values: &[&str]| NodeSelectorRequirement {
            key: key.into(),
            operator: NodeSelectorOperator::In,
            values: values.iter().map(|value| Str::from(*value)).collect(),
        };
        let selector = |requirements: &[NodeSelectorRequirement]| NodeSelector {
            node_selector_terms: vec![NodeSelectorTerm {
                match_expressions: requirements.to_vec(),
                match_fields: Vec::new(),
            }],
        };
        let labels = |key: &str| [(Str::from(key), Str::from("b__a"))].into_iter().collect();
        let mut none = None;
        translate_topology(&mut none, &labels(ZONE), "csi");
        assert_eq!(none, Some(selector(&[requirement("csi", &["a", "b"])])));
        let mut other = Some(selector(&[requirement("disk", &["ssd"])]));
        translate_topology(&mut other, &labels(BETA_ZONE), "csi");
        let joined = [requirement("disk", &["ssd"]), requirement("csi", &["a", "b"])];
        assert_eq!(other, Some(selector(&joined)));
        let old = [requirement(BETA_ZONE, &["c"]), requirement(BETA_REGION, &["r"])];
        let mut old = Some(selector(&old));
        translate_topology(&mut old, &labels(BETA_ZONE), "csi");
        let renamed = [requirement("csi", &["c"]), requirement(REGION, &["r"])];
        assert_eq!(old, Some(selector(&renamed)));
    }
}
