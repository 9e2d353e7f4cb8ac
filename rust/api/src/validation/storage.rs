//! Volumes, claims, storage classes and CSI objects.

use super::error::At;
use super::meta::{formed, metadata};
use super::resources::quantity;
use super::selector::{Values, label_selector, node_selector, topology_selector_term};
use super::text::{Form, dns1123_subdomain, qualified_name};
use super::{Checked, FieldError, each, first_repeated};
use crate::{
    AccessMode, CsiDriver, CsiNode, CsiNodeDriver, CsiStorageCapacity, PersistentVolume,
    PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeSource, PersistentVolumeSpec,
    Quantity, StorageClass, Str, VolumeAttachment, VolumeSource,
};

/// The only resource of a volume and of a claim.
const STORAGE: &str = "storage";

/// `ValidatePersistentVolume`, of `pkg/apis/core/validation/validation.go`.
///
/// # Errors
///
/// The first field that breaks a rule.
pub fn validate_persistent_volume(volume: &PersistentVolume) -> Result<(), FieldError> {
    metadata(&volume.metadata, dns1123_subdomain)?;
    volume_spec(&volume.spec).field("spec")
}

fn volume_spec(spec: &PersistentVolumeSpec) -> Checked {
    access_modes(&spec.access_modes)?;
    let Some(storage) = spec.capacity.get(STORAGE) else {
        return Err(FieldError::required("capacity", "a volume needs the capacity 'storage'"));
    };
    if let Some((other, _)) = spec.capacity.iter().find(|(name, _)| **name != *STORAGE) {
        return Err(FieldError::unsupported("capacity", other, &[STORAGE]));
    }
    positive(storage).key(STORAGE).field("capacity")?;
    if let Some(selector) = &spec.node_affinity {
        node_selector(selector, Values::Any).field("nodeAffinity.required")?;
    }
    persistent_volume_source(&spec.source)?;
    if matches!(spec.source, PersistentVolumeSource::Local) && spec.node_affinity.is_none() {
        return Err(FieldError::required("nodeAffinity", "a local volume needs it"));
    }
    if spec.storage_class_name.is_empty() {
        return Ok(());
    }
    formed("storageClassName", &spec.storage_class_name, dns1123_subdomain)
}

fn access_modes(modes: &[AccessMode]) -> Checked {
    if modes.is_empty() {
        return Err(FieldError::required("accessModes", "must have at least one access mode"));
    }
    let single = modes.iter().filter(|mode| **mode == AccessMode::ReadWriteOncePod).count();
    if single == 0 || single == modes.len() {
        return Ok(());
    }
    let detail = "ReadWriteOncePod does not go with other access modes";
    Err(FieldError::forbidden("accessModes", detail))
}

fn positive(quantity: &Quantity) -> Checked {
    if quantity.sign() > 0 {
        return Ok(());
    }
    Err(FieldError::invalid("", &*quantity.to_string(), "must be greater than zero"))
}

fn needed(name: &str, value: &str) -> Checked {
    if value.is_empty() { Err(FieldError::required(name, "")) } else { Ok(()) }
}

fn persistent_volume_source(source: &PersistentVolumeSource) -> Checked {
    use PersistentVolumeSource as Source;
    match source {
        Source::Csi { driver, volume_handle } => csi_driver_name("driver", driver)
            .and_then(|()| needed("volumeHandle", volume_handle))
            .field("csi"),
        Source::GcePersistentDisk { pd_name } => {
            needed("pdName", pd_name).field("gcePersistentDisk")
        }
        Source::AwsElasticBlockStore { volume_id } => {
            needed("volumeID", volume_id).field("awsElasticBlockStore")
        }
        Source::AzureDisk { disk_name, disk_uri, .. } => azure_disk(disk_name, disk_uri),
        Source::AzureFile { share_name, secret_name, .. } => needed("secretName", secret_name)
            .and_then(|()| needed("shareName", share_name))
            .field("azureFile"),
        Source::Cinder { volume_id } => needed("volumeID", volume_id).field("cinder"),
        Source::PortworxVolume { volume_id } => {
            needed("volumeID", volume_id).field("portworxVolume")
        }
        Source::VsphereVolume { volume_path } => {
            needed("volumePath", volume_path).field("vsphereVolume")
        }
        Source::Other | Source::Local | Source::HostPath | Source::Nfs => Ok(()),
    }
}

fn azure_disk(disk_name: &str, disk_uri: &str) -> Checked {
    needed("diskName", disk_name).and_then(|()| needed("diskURI", disk_uri)).field("azureDisk")
}

/// `validateVolumeSource` of a pod's volume, but for claims of its own.
pub(super) fn volume_source(source: &VolumeSource) -> Checked {
    match source {
        VolumeSource::PersistentVolumeClaim { claim_name, .. } => {
            needed("claimName", claim_name).field("persistentVolumeClaim")
        }
        VolumeSource::GcePersistentDisk { pd_name, .. } => {
            needed("pdName", pd_name).field("gcePersistentDisk")
        }
        VolumeSource::AwsElasticBlockStore { volume_id } => {
            needed("volumeID", volume_id).field("awsElasticBlockStore")
        }
        VolumeSource::AzureDisk { disk_name, disk_uri, .. } => azure_disk(disk_name, disk_uri),
        VolumeSource::AzureFile { share_name } => {
            needed("shareName", share_name).field("azureFile")
        }
        VolumeSource::Cinder { volume_id } => needed("volumeID", volume_id).field("cinder"),
        VolumeSource::PortworxVolume { volume_id } => {
            needed("volumeID", volume_id).field("portworxVolume")
        }
        VolumeSource::VsphereVolume { volume_path } => {
            needed("volumePath", volume_path).field("vsphereVolume")
        }
        VolumeSource::Iscsi { target_portal, iqn, lun, .. } => {
            iscsi(target_portal, iqn, *lun).field("iscsi")
        }
        VolumeSource::Rbd { monitors, image, .. } => {
            let monitors = if monitors.is_empty() {
                Err(FieldError::required("monitors", ""))
            } else {
                Ok(())
            };
            monitors.and_then(|()| needed("image", image)).field("rbd")
        }
        VolumeSource::Csi { driver, .. } => csi_driver_name("driver", driver).field("csi"),
        VolumeSource::Other
        | VolumeSource::Ephemeral { .. }
        | VolumeSource::HostPath
        | VolumeSource::Nfs => Ok(()),
    }
}

fn iscsi(target_portal: &str, iqn: &str, lun: i32) -> Checked {
    needed("targetPortal", target_portal)?;
    needed("iqn", iqn)?;
    if !["iqn", "eui", "naa"].iter().any(|start| iqn.starts_with(start)) {
        return Err(FieldError::invalid("iqn", iqn, "must start with iqn, eui or naa"));
    }
    if !(0..=255).contains(&lun) {
        return Err(FieldError::invalid("lun", lun, "must be between 0 and 255, inclusive"));
    }
    Ok(())
}

/// `ValidateCSIDriverName`: upper case is let through.
fn csi_driver_name(field: &str, name: &str) -> Checked {
    needed(field, name)?;
    if name.len() > 63 {
        return Err(FieldError::too_long(field, 63));
    }
    formed(field, name, lower(dns1123_subdomain))
}

/// The form for the text in lower case; few objects need it, so the copy does not matter.
fn lower(form: fn(&str) -> Form) -> impl Fn(&str) -> Form {
    move |text| form(&text.to_ascii_lowercase())
}

/// `ValidatePersistentVolumeClaim`, of `pkg/apis/core/validation/validation.go`.
///
/// # Errors
///
/// The first field that breaks a rule.
pub fn validate_persistent_volume_claim(claim: &PersistentVolumeClaim) -> Result<(), FieldError> {
    metadata(&claim.metadata, dns1123_subdomain)?;
    claim_spec(&claim.spec).field("spec")
}

/// `ValidatePersistentVolumeClaimSpec`.
pub(super) fn claim_spec(spec: &PersistentVolumeClaimSpec) -> Checked {
    access_modes(&spec.access_modes)?;
    if let Some(selector) = &spec.selector {
        label_selector(selector, Values::Any).field("selector")?;
    }
    let Some(storage) = spec.resources.requests.get(STORAGE) else {
        return Err(FieldError::required("resources.requests[storage]", ""));
    };
    positive(storage).key(STORAGE).field("resources.requests")?;
    match spec.storage_class_name.as_deref() {
        None | Some("") => Ok(()),
        Some(name) => formed("storageClassName", name, dns1123_subdomain),
    }
}

/// `ValidateStorageClass`, of `pkg/apis/storage/validation/validation.go`.
///
/// # Errors
///
/// The first field that breaks a rule.
pub fn validate_storage_class(class: &StorageClass) -> Result<(), FieldError> {
    metadata(&class.metadata, dns1123_subdomain)?;
    needed("provisioner", &class.provisioner)?;
    formed("provisioner", &class.provisioner, lower(qualified_name))?;
    each("allowedTopologies", &class.allowed_topologies, topology_selector_term)
}

/// `ValidateCSINode`, of `pkg/apis/storage/validation/validation.go`.
///
/// # Errors
///
/// The first field that breaks a rule.
pub fn validate_csi_node(node: &CsiNode) -> Result<(), FieldError> {
    metadata(&node.metadata, dns1123_subdomain)?;
    each("drivers", &node.drivers, csi_node_driver).field("spec")?;
    if let Some(index) = first_repeated(&node.drivers, |driver| &*driver.name)
        && let Some(driver) = node.drivers.get(index)
    {
        return Err(FieldError::duplicate("name", &driver.name)).index(index).field("spec.drivers");
    }
    Ok(())
}

fn csi_node_driver(driver: &CsiNodeDriver) -> Checked {
    csi_driver_name("name", &driver.name)?;
    needed("nodeID", &driver.node_id)?;
    if driver.node_id.len() > 256 {
        return Err(FieldError::too_long("nodeID", 256));
    }
    if let Some(count) = driver.allocatable_count.filter(|count| *count < 0) {
        let detail = "must be greater than or equal to 0";
        return Err(FieldError::invalid("allocatable.count", count, detail));
    }
    super::meta::each_formed("topologyKeys", &driver.topology_keys, qualified_name)?;
    if let Some(index) = first_repeated(&driver.topology_keys, Str::as_str)
        && let Some(key) = driver.topology_keys.get(index)
    {
        return Err(FieldError::duplicate("", key)).index(index).field("topologyKeys");
    }
    Ok(())
}

/// `ValidateCSIDriver`, of `pkg/apis/storage/validation/validation.go`.
///
/// # Errors
///
/// The first field that breaks a rule.
pub fn validate_csi_driver(driver: &CsiDriver) -> Result<(), FieldError> {
    metadata(&driver.metadata, dns1123_subdomain)
}

/// `ValidateCSIStorageCapacity`, of `pkg/apis/storage/validation/validation.go`.
///
/// # Errors
///
/// The first field that breaks a rule.
pub fn validate_csi_storage_capacity(capacity: &CsiStorageCapacity) -> Result<(), FieldError> {
    metadata(&capacity.metadata, dns1123_subdomain)?;
    if let Some(selector) = &capacity.node_topology {
        label_selector(selector, Values::Any).field("nodeTopology")?;
    }
    formed("storageClassName", &capacity.storage_class_name, dns1123_subdomain)?;
    capacity.capacity.as_ref().map_or(Ok(()), |one| quantity(STORAGE, one)).field("capacity")
}

/// `ValidateVolumeAttachment`, of `pkg/apis/storage/validation/validation.go`.
///
/// # Errors
///
/// The first field that breaks a rule.
pub fn validate_volume_attachment(attachment: &VolumeAttachment) -> Result<(), FieldError> {
    metadata(&attachment.metadata, dns1123_subdomain)?;
    csi_driver_name("attacher", &attachment.attacher).field("spec")?;
    formed("nodeName", &attachment.node_name, dns1123_subdomain).field("spec")?;
    match attachment.persistent_volume_name.as_deref() {
        None => Ok(()),
        Some(name) => formed("persistentVolumeName", name, dns1123_subdomain).field("spec.source"),
    }
}
