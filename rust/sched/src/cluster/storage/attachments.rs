//! Which volumes a pod attaches to its node, as the drivers' limits count them.
//!
//! Follows `filterAttachableVolumes` in `pkg/scheduler/framework/plugins/nodevolumelimits/csi.go` of v1.34.

use bayplan_api::{CsiNode, Pod, Str, VolumeSource};
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use super::csi_translation::{InTreePlugin, Migration, translate_inline};
use super::{Claim, Storage, Undos, claim_name};
use crate::index_vec::{AttachableId, DriverId, Idx};

const MIGRATED_PLUGINS: &str = "storage.alpha.kubernetes.io/migrated-plugins";

/// What one volume of a pod is to the drivers' limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attachment {
    /// It counts.
    Volume {
        /// Which volume; several pods may share one.
        volume: AttachableId,
        /// Whose limit it counts against.
        driver: DriverId,
        /// On which nodes.
        on: Migration,
    },
    /// Its claim does not exist: a new pod must wait, a running one is passed over.
    Missing(String),
    /// kube-scheduler fails on it.
    Failure {
        /// The error.
        message: String,
        /// On which nodes.
        on: Migration,
    },
}

/// Drivers and volumes by number.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Attachables {
    drivers: IndexSet<Str, FxBuildHasher>,
    volumes: IndexSet<(DriverId, Str), FxBuildHasher>,
}

impl Attachables {
    /// How many drivers and volumes there are.
    pub(super) fn len(&self) -> (usize, usize) {
        (self.drivers.len(), self.volumes.len())
    }

    /// Forgets those that came last.
    pub(super) fn truncate(&mut self, (drivers, volumes): (usize, usize)) {
        self.drivers.truncate(drivers);
        self.volumes.truncate(volumes);
    }

    pub(super) fn driver(&mut self, name: &Str) -> DriverId {
        DriverId::from_index(self.drivers.insert_full(name.clone()).0)
    }

    pub(super) fn volume(&mut self, driver: DriverId, handle: Str) -> AttachableId {
        AttachableId::from_index(self.volumes.insert_full((driver, handle)).0)
    }
}

/// What a `CSINode` says of its node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CsiNodeInfo {
    /// How many volumes of a driver the node takes.
    pub(crate) limits: Vec<(DriverId, i64)>,
    migrated: Vec<Str>,
}

impl CsiNodeInfo {
    pub(super) fn new(node: &CsiNode, attachables: &mut Attachables) -> Self {
        let limits = node.drivers.iter().filter_map(|driver| {
            Some((attachables.driver(&driver.name), i64::from(driver.allocatable_count?)))
        });
        let limits = limits.collect();
        let migrated = node.metadata.annotations.get(MIGRATED_PLUGINS);
        let migrated =
            migrated.map_or(Vec::new(), |plugins| plugins.split(',').map(Str::from).collect());
        Self { limits, migrated }
    }

    /// Whether the node says that the plugin's volumes are its CSI driver's.
    pub(crate) fn has_migrated(&self, plugin: InTreePlugin) -> bool {
        self.migrated.iter().any(|name| *name == plugin.name())
    }
}

impl Migration {
    /// Whether volumes count so on a node with that `CSINode`.
    pub(crate) fn holds(self, node: Option<&CsiNodeInfo>) -> bool {
        match self {
            Self::Everywhere => true,
            Self::WithCsiNode => node.is_some(),
            Self::WhereAnnotated(plugin) => node.is_some_and(|node| node.has_migrated(plugin)),
        }
    }
}

impl Storage {
    /// What the pod's volumes are to the drivers' limits, in their order.
    pub(in crate::cluster) fn attachments(
        &mut self,
        pod: &Pod,
        undos: Undos<'_>,
    ) -> Vec<Attachment> {
        let before = (self.selections.len(), self.attachables.len());
        let volumes = pod.spec.volumes.iter();
        let attachments = volumes.filter_map(|volume| self.attachment(pod, volume)).collect();
        self.grown_since(before, undos);
        attachments
    }

    fn attachment(&mut self, pod: &Pod, volume: &bayplan_api::Volume) -> Option<Attachment> {
        let Some(name) = claim_name(pod, volume) else {
            let plugin = InTreePlugin::of_inline(&volume.source)?;
            let on = plugin.counted()?;
            return Some(match translate_inline(&volume.source)? {
                Ok(handle) => self.counted(&plugin.driver().into(), handle, on),
                Err(error) => {
                    let message =
                        format!("converting volume({}) from inline to csi: {error}", volume.name);
                    Attachment::Failure { message, on }
                }
            });
        };
        let namespace = &pod.metadata.namespace;
        let Some(claim) = self.find_claim(namespace, &name) else {
            return Some(Attachment::Missing(format!(
                "looking up PVC {namespace}/{name}: persistentvolumeclaim {name:?} not found"
            )));
        };
        let claim = self.claim(claim);
        if matches!(volume.source, VolumeSource::Ephemeral { .. })
            && let Err(message) = claim.is_for_pod(pod)
        {
            return Some(Attachment::Failure { message, on: Migration::Everywhere });
        }
        let (driver, handle, on) = self.driver_info(claim)?;
        (!driver.is_empty() && !handle.is_empty()).then(|| self.counted(&driver, handle, on))
    }

    fn counted(&mut self, driver: &Str, handle: Str, on: Migration) -> Attachment {
        let driver = self.attachables.driver(driver);
        Attachment::Volume { volume: self.attachables.volume(driver, handle), driver, on }
    }

    /// `getCSIDriverInfo`: driver and handle of the claim's volume.
    fn driver_info(&self, claim: &Claim) -> Option<(Str, Str, Migration)> {
        let bound = &claim.object.spec.volume_name;
        let Some(volume) = self.find_volume(bound).map(|volume| self.volume(volume)) else {
            return self.driver_info_of_class(claim);
        };
        if let bayplan_api::PersistentVolumeSource::Csi { driver, volume_handle } =
            &volume.object.spec.source
        {
            return Some((driver.clone(), volume_handle.clone(), Migration::Everywhere));
        }
        let on = InTreePlugin::of_volume(&volume.object.spec.source)?.counted()?;
        let (driver, handle) = volume.translated_handle()?;
        Some((driver.clone(), handle.clone(), on))
    }

    /// `getCSIDriverInfoFromSC`: the volume is still to be made, and nobody else's.
    fn driver_info_of_class(&self, claim: &Claim) -> Option<(Str, Str, Migration)> {
        let class = self.class(claim.class_name())?;
        let metadata = &claim.object.metadata;
        // The line feed stands for kube-scheduler's random prefix: no handle has one.
        let handle = Str::from(format!("\n{}/{}", metadata.namespace, metadata.name));
        match InTreePlugin::by_name(&class.provisioner) {
            None => Some((class.provisioner.clone(), handle, Migration::Everywhere)),
            Some(plugin) => Some((plugin.driver().into(), handle, plugin.counted()?)),
        }
    }
}
