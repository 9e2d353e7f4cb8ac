//! Random storage: claims, volumes, classes, drivers, and the volumes of pods.

use bayplan_api::{
    AccessMode, CsiDriver, CsiNode, CsiNodeDriver, CsiStorageCapacity, Labels, NodeSelector,
    NodeSelectorOperator, NodeSelectorRequirement, NodeSelectorTerm, ObjectMeta, ObjectReference,
    PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeSource,
    Quantity, StorageClass, Str, TopologySelectorLabelRequirement, TopologySelectorTerm,
    VolumeAttachment, VolumeBindingMode, VolumeMode, VolumeSource,
};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::selector::label_selector;
use super::vocabulary::{HOSTNAME, NODE_LABELS, RACK, ZONE, node_name, one_of, text};
use crate::builders;

const CSI: &str = "csi.example.com";
const EBS: &str = "kubernetes.io/aws-ebs";
const CLASSES: [&str; 5] = ["late", "local", "zonal", "early", "ebs"];
const TIERS: [(&str, &[&str]); 1] = [("tier", &["gold", "silver"])];
/// How many claims and volumes there may be; the names beyond that are of none.
const CLAIMS: usize = 5;

/// The storage of a cluster.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Storage {
    /// `StorageClass` objects.
    pub classes: Vec<StorageClass>,
    /// `PersistentVolume` objects; no two of the same size.
    pub volumes: Vec<PersistentVolume>,
    /// `PersistentVolumeClaim` objects.
    pub claims: Vec<PersistentVolumeClaim>,
    /// `CSINode` objects.
    pub csi_nodes: Vec<CsiNode>,
    /// `CSIDriver` objects.
    pub drivers: Vec<CsiDriver>,
    /// `CSIStorageCapacity` objects.
    pub capacities: Vec<CsiStorageCapacity>,
    /// `VolumeAttachment` objects.
    pub attachments: Vec<VolumeAttachment>,
}

/// The storage of a cluster with so many nodes.
pub fn storage(nodes: usize) -> impl Strategy<Value = Storage> {
    (
        vec((volume(), claim(), 0..8_usize), 0..=CLAIMS),
        vec(csi_node(), nodes),
        classes(),
        option::weighted(0.5, any::<bool>()),
        vec(capacity(), 0..=2),
        vec((0..=nodes, 0..CLAIMS), 0..=2),
    )
        .prop_map(|(pairs, csi_nodes, classes, driver, capacities, attachments)| {
            let mut storage = Storage { classes, ..Storage::default() };
            for (index, (mut volume, mut claim, bond)) in pairs.into_iter().enumerate() {
                claim.metadata.name = format!("claim-{index}").into();
                claim.metadata.uid = format!("claim/{index}").into();
                volume.metadata.name = format!("pv-{index}").into();
                volume.metadata.uid = format!("pv/{index}").into();
                // Of volumes of the same size any may be taken.
                volume.spec.capacity.insert("storage".into(), gibibytes(10 + index));
                tie(&mut volume, &mut claim, bond);
                storage.volumes.push(volume);
                storage.claims.push(claim);
            }
            storage.csi_nodes = csi_nodes
                .into_iter()
                .enumerate()
                .filter_map(|(index, node)| {
                    let mut node = node?;
                    node.metadata.name = node_name(index).into();
                    Some(node)
                })
                .collect();
            storage.drivers.extend(driver.map(|storage_capacity| CsiDriver {
                metadata: named(CSI),
                attach_required: true,
                storage_capacity,
            }));
            for (index, mut capacity) in capacities.into_iter().enumerate() {
                capacity.metadata = named(&format!("capacity-{index}"));
                capacity.metadata.namespace = "default".into();
                storage.capacities.push(capacity);
            }
            for (index, (node, volume)) in attachments.into_iter().enumerate() {
                storage.attachments.push(VolumeAttachment {
                    metadata: named(&format!("attachment-{index}")),
                    attacher: CSI.into(),
                    node_name: node_name(node).into(),
                    persistent_volume_name: Some(format!("pv-{volume}").into()),
                    attached: true,
                });
            }
            storage
        })
}

fn named(name: &str) -> ObjectMeta {
    ObjectMeta { name: name.into(), uid: format!("uid/{name}").into(), ..ObjectMeta::default() }
}

fn gibibytes(count: usize) -> Quantity {
    builders::quantity(&format!("{count}Gi"))
}

/// Binds claim and volume: not at all, fully, halfway, beforehand, to something that is gone.
fn tie(volume: &mut PersistentVolume, claim: &mut PersistentVolumeClaim, bond: usize) {
    let reference = ObjectReference {
        kind: "PersistentVolumeClaim".into(),
        namespace: claim.metadata.namespace.clone(),
        name: claim.metadata.name.clone(),
        uid: claim.metadata.uid.clone(),
    };
    let mut bind_claim = |completed: bool| {
        claim.spec.volume_name = volume.metadata.name.clone();
        if completed {
            claim.phase = "Bound".into();
            claim
                .metadata
                .annotations
                .insert("pv.kubernetes.io/bind-completed".into(), "yes".into());
        }
    };
    match bond {
        0..=2 => {
            bind_claim(true);
            volume.spec.claim_ref = Some(reference);
            volume.phase = "Bound".into();
        }
        3 => bind_claim(false),
        4 => {
            // Bound by hand, without the claim's UID.
            volume.spec.claim_ref = Some(ObjectReference { uid: "".into(), ..reference });
        }
        5 => {
            bind_claim(true);
            claim.spec.volume_name = "pv-gone".into();
        }
        _ => {}
    }
}

fn access_modes() -> impl Strategy<Value = Vec<AccessMode>> {
    one_of(&[
        vec![AccessMode::ReadWriteOnce],
        vec![AccessMode::ReadWriteOnce, AccessMode::ReadOnlyMany],
        vec![AccessMode::ReadWriteOncePod],
        vec![AccessMode::ReadWriteMany],
    ])
}

/// A requirement that nothing looks at.
fn named_node() -> NodeSelectorRequirement {
    NodeSelectorRequirement {
        key: "metadata.name".into(),
        operator: NodeSelectorOperator::In,
        values: vec![node_name(0).into()],
    }
}

fn volume() -> impl Strategy<Value = PersistentVolume> {
    let source = one_of(&[
        PersistentVolumeSource::Csi { driver: CSI.into(), volume_handle: "a".into() },
        PersistentVolumeSource::Csi { driver: CSI.into(), volume_handle: "b".into() },
        PersistentVolumeSource::AwsElasticBlockStore { volume_id: "aws://z/vol-1".into() },
        PersistentVolumeSource::GcePersistentDisk { pd_name: "disk".into() },
        PersistentVolumeSource::AzureDisk {
            disk_name: "disk".into(),
            disk_uri: "/disk".into(),
            managed: true,
        },
        PersistentVolumeSource::AzureDisk {
            disk_name: "old".into(),
            disk_uri: "/old".into(),
            managed: false,
        },
        PersistentVolumeSource::Local,
        PersistentVolumeSource::Nfs,
    ]);
    let reach = (
        one_of(&[HOSTNAME, ZONE, RACK, "topology.ebs.csi.aws.com/zone"]),
        vec(text(&["a", "b", "1", "node-0", "node-1", "node-2"]), 1..=3),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(key, values, by_name)| NodeSelector {
            node_selector_terms: vec![NodeSelectorTerm {
                match_expressions: vec![NodeSelectorRequirement {
                    key: key.into(),
                    operator: NodeSelectorOperator::In,
                    values,
                }],
                match_fields: if by_name { vec![named_node()] } else { Vec::new() },
            }],
        });
    let zones = prop_oneof![
        3 => Just(Labels::new()),
        2 => (
            one_of(&[ZONE, "failure-domain.beta.kubernetes.io/zone"]),
            text(&["a", "b", "a__b", "a____b"]),
        )
            .prop_map(|(key, value)| [(Str::from(key), value)].into_iter().collect()),
        1 => Just(builders::to_labels(&[("tier", "gold")])),
    ];
    (
        source,
        text(&CLASSES),
        access_modes(),
        option::of(reach),
        zones,
        text(&["Available", "Available", "Available", "Released"]),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.05),
    )
        .prop_map(|(source, class, modes, reach, labels, phase, block, terminating)| {
            let mut volume = PersistentVolume::default();
            volume.metadata.labels = labels;
            if terminating {
                volume.metadata.deletion_timestamp = Some(builders::seconds(1_740_000_000));
            }
            // A local volume must say where it is.
            let local = source == PersistentVolumeSource::Local && reach.is_none();
            volume.spec.source = if local { PersistentVolumeSource::Nfs } else { source };
            volume.spec.storage_class_name = class;
            volume.spec.access_modes = modes;
            volume.spec.node_affinity = reach;
            volume.spec.volume_mode =
                if block { VolumeMode::Block } else { VolumeMode::Filesystem };
            volume.phase = phase;
            volume
        })
}

fn claim() -> impl Strategy<Value = PersistentVolumeClaim> {
    let class = prop_oneof![
        8 => text(&CLASSES).prop_map(Some),
        1 => Just(Some("gone".into())),
        1 => Just(Some("".into())),
        1 => Just(None),
    ];
    (
        text(&["default", "default", "prod"]),
        class,
        access_modes(),
        1..=13_usize,
        option::weighted(0.15, label_selector(&TIERS)),
        option::weighted(0.1, 0..9_usize),
        prop::bool::weighted(0.04),
        prop::bool::weighted(0.04),
    )
        .prop_map(|(namespace, class, modes, size, selector, selected, lost, terminating)| {
            let mut claim = PersistentVolumeClaim::default();
            claim.metadata.namespace = namespace;
            if let Some(node) = selected {
                let key = "volume.kubernetes.io/selected-node";
                claim.metadata.annotations.insert(key.into(), node_name(node).into());
            }
            if terminating {
                claim.metadata.deletion_timestamp = Some(builders::seconds(1_740_000_000));
            }
            claim.spec.access_modes = modes;
            claim.spec.storage_class_name = class;
            claim.spec.resources.requests.insert("storage".into(), gibibytes(size));
            claim.spec.selector = selector;
            claim.phase = if lost { "Lost" } else { "Pending" }.into();
            claim
        })
}

fn classes() -> impl Strategy<Value = Vec<StorageClass>> {
    // No term twice.
    let topologies =
        btree_set((one_of(&[ZONE, RACK]), text(&["a", "b", "1"])), 1..=2).prop_map(|terms| {
            let term = |(key, value): (&str, Str)| TopologySelectorTerm {
                match_label_expressions: vec![TopologySelectorLabelRequirement {
                    key: key.into(),
                    values: vec![value],
                }],
            };
            terms.into_iter().map(term).collect::<Vec<_>>()
        });
    (topologies, vec(prop::bool::weighted(0.93), CLASSES.len())).prop_map(|(topologies, kept)| {
        let class = |name: &str| StorageClass {
            metadata: named(name),
            provisioner: match name {
                "local" => "kubernetes.io/no-provisioner".into(),
                "ebs" => EBS.into(),
                _ => CSI.into(),
            },
            volume_binding_mode: if name == "early" {
                VolumeBindingMode::Immediate
            } else {
                VolumeBindingMode::WaitForFirstConsumer
            },
            allowed_topologies: if name == "zonal" { topologies.clone() } else { Vec::new() },
        };
        let kept = CLASSES.iter().zip(kept).filter(|(_, kept)| *kept);
        kept.map(|(name, _)| class(name)).collect()
    })
}

fn csi_node() -> impl Strategy<Value = Option<CsiNode>> {
    let driver = |name: &'static str| {
        option::weighted(
            0.8,
            option::of(0..=2_i32).prop_map(move |allocatable_count| CsiNodeDriver {
                name: name.into(),
                node_id: "id".into(),
                topology_keys: Vec::new(),
                allocatable_count,
            }),
        )
    };
    let node =
        (driver(CSI), driver("ebs.csi.aws.com"), any::<bool>()).prop_map(|(csi, ebs, migrated)| {
            let mut node =
                CsiNode { drivers: csi.into_iter().chain(ebs).collect(), ..CsiNode::default() };
            if migrated {
                let key = "storage.alpha.kubernetes.io/migrated-plugins";
                let plugins = "kubernetes.io/aws-ebs,kubernetes.io/gce-pd,kubernetes.io/azure-disk";
                node.metadata.annotations.insert(key.into(), plugins.into());
            }
            node
        });
    option::weighted(0.8, node)
}

fn capacity() -> impl Strategy<Value = CsiStorageCapacity> {
    let size = || option::weighted(0.7, (1..=13_usize).prop_map(gibibytes));
    (text(&["late", "zonal"]), option::weighted(0.9, label_selector(&NODE_LABELS)), size(), size())
        .prop_map(|(storage_class_name, node_topology, capacity, maximum_volume_size)| {
            CsiStorageCapacity {
                metadata: ObjectMeta::default(),
                node_topology,
                storage_class_name,
                capacity,
                maximum_volume_size,
            }
        })
}

/// A volume of a pod.
pub(super) fn pod_volume() -> impl Strategy<Value = VolumeSource> {
    let claim = prop_oneof![
        20 => (0..CLAIMS).prop_map(|index| format!("claim-{index}")),
        1 => Just("gone".to_owned()),
    ]
    .prop_map(|name| VolumeSource::PersistentVolumeClaim {
        claim_name: name.into(),
        read_only: false,
    });
    let inline = (0..6_usize, any::<bool>()).prop_map(|(kind, read_only)| match kind {
        0 => VolumeSource::GcePersistentDisk { pd_name: "disk".into(), read_only },
        1 => VolumeSource::AwsElasticBlockStore { volume_id: "vol-1".into() },
        2 => VolumeSource::Iscsi {
            target_portal: "10.0.0.2:3260".into(),
            iqn: "iqn.2001-04.com.example:disk".into(),
            lun: i32::from(read_only),
            read_only,
        },
        3 => VolumeSource::Rbd {
            monitors: vec!["m1".into(), "m2".into()],
            image: "image".into(),
            pool: "rbd".into(),
            read_only,
        },
        4 => VolumeSource::AzureDisk {
            disk_name: "disk".into(),
            disk_uri: "/disk".into(),
            managed: read_only,
        },
        _ => VolumeSource::HostPath,
    });
    prop_oneof![
        6 => claim,
        2 => inline,
        1 => Just(VolumeSource::Ephemeral { claim: Some(Box::new(ephemeral_claim_spec())) }),
    ]
}

/// What the claims of ephemeral volumes ask for.
pub(super) fn ephemeral_claim_spec() -> PersistentVolumeClaimSpec {
    let mut spec = PersistentVolumeClaimSpec {
        access_modes: vec![AccessMode::ReadWriteOnce],
        storage_class_name: Some("late".into()),
        ..PersistentVolumeClaimSpec::default()
    };
    spec.resources.requests.insert("storage".into(), gibibytes(3));
    spec
}
