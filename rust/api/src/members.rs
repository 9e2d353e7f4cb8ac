//! How each Kubernetes object is read and written: JSON member ↔ field.
//!
//! The names are those of the Kubernetes API v1.34 (`k8s.io/api`). What has no field here is passed over. What is written is
//! read as the same value; where a field stands for more than bayplan keeps (a volume of a sort that no plugin looks at, the
//! path of a `hostPath`), what is written says no more than is known.

#![allow(clippy::wildcard_imports, reason = "it is about every type of the crate")]

use indexmap::IndexSet;

use crate::json::{Decode, Decoder, Encode, Encoder, Fault, Members};
use crate::*;

/// The one member that is kept of an object.
fn only(decoder: &mut Decoder<'_>, name: &'static [u8], unique: bool) -> Result<Str, Fault> {
    let start = decoder.offset();
    let mut kept = None;
    let mut items = decoder.begin_object()?;
    while let Some(member) = decoder.next_member(&mut items)? {
        if *member == *name {
            decoder.field_with(name, &mut kept, |decoder| {
                if unique { decoder.unique_string() } else { decoder.shared_string() }.map(Some)
            })?;
        } else {
            decoder.skip()?;
        }
    }
    decoder.required(start, name, kept)
}

/// `[{"name": …}]` as a list of the names.
fn names(decoder: &mut Decoder<'_>) -> Result<Vec<Str>, Fault> {
    decoder.list(|decoder| only(decoder, b"name", false))
}

fn write_names(encoder: &mut Encoder, names: &[Str]) {
    encoder.list(names, |encoder, name| encoder.object(|members| members.always(b"name", name)));
}

json_struct!(ObjectMeta, meta, {
    b"name" => (unique meta.name),
    b"namespace" => (meta.namespace),
    b"uid" => (unique meta.uid),
    b"resourceVersion" => (unique meta.resource_version),
    b"labels" => (meta.labels),
    b"annotations" => (meta.annotations),
    b"creationTimestamp" => (meta.creation_timestamp),
    b"deletionTimestamp" => (meta.deletion_timestamp),
    b"ownerReferences" => (meta.owner_references),
});

json_struct!(OwnerReference, owner, {
    b"apiVersion" => (owner.api_version),
    b"kind" => (owner.kind),
    b"name" => (owner.name),
    b"uid" => (owner.uid),
    b"controller" => (owner.controller),
});

// nodes

json_object!(Node, node, {
    b"metadata" => (node.metadata),
    b"spec" => (node.spec),
    b"status" => (node.status),
});

json_struct!(NodeSpec, spec, {
    b"unschedulable" => (spec.unschedulable),
    b"taints" => (spec.taints),
    b"podCIDR" => (spec.pod_cidr),
    b"podCIDRs" => (spec.pod_cidrs),
    b"providerID" => (unique spec.provider_id),
});

json_struct!(NodeStatus, status, {
    b"capacity" => (status.capacity),
    b"allocatable" => (status.allocatable),
    b"addresses" => (status.addresses),
    b"images" => (status.images),
    b"nodeInfo" => { b"kubeletVersion" => (status.kubelet_version) },
});

json_struct!(NodeAddress, address, {
    b"type" => (address.address_type),
    b"address" => (address.address),
});

json_struct!(ContainerImage, image, {
    b"names" => (image.names),
    b"sizeBytes" => (image.size_bytes),
});

impl Decode for Taint {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let start = decoder.offset();
        let (mut key, mut value, mut effect) = (Str::default(), Str::default(), None);
        members!(decoder, {
            b"key" => (key),
            b"value" => (value),
            b"effect" => (effect),
        });
        Ok(Self { key, value, effect: decoder.required(start, b"effect", effect)? })
    }
}

encode_struct!(Taint, taint, {
    b"key" => (taint.key),
    b"value" => (taint.value),
    b"effect" => (taint.effect),
});

json_enum!(TaintEffect, "taint effect", {
    b"NoSchedule" => NoSchedule,
    b"PreferNoSchedule" => PreferNoSchedule,
    b"NoExecute" => NoExecute,
});

// pods

json_object!(Pod, pod, {
    b"metadata" => (pod.metadata),
    b"spec" => (pod.spec),
    b"status" => (pod.status),
});

json_struct!(PodSpec, spec, {
    b"nodeName" => (spec.node_name),
    b"schedulerName" => (spec.scheduler_name),
    b"priority" => (spec.priority),
    b"priorityClassName" => (spec.priority_class_name),
    b"preemptionPolicy" => (spec.preemption_policy),
    b"nodeSelector" => (spec.node_selector),
    b"affinity" => (spec.affinity),
    b"tolerations" => (spec.tolerations),
    b"topologySpreadConstraints" => (spec.topology_spread_constraints),
    b"containers" => (spec.containers),
    b"initContainers" => (spec.init_containers),
    b"overhead" => (spec.overhead),
    b"resources" => (spec.resources),
    b"hostNetwork" => (spec.host_network),
    b"volumes" => (spec.volumes),
    b"schedulingGates" => (with names, write_names, spec.scheduling_gates),
    b"resourceClaims" => (with names, write_names, spec.resource_claims),
});

json_enum!(PreemptionPolicy, "preemption policy", {
    b"PreemptLowerPriority" => PreemptLowerPriority,
    b"Never" => Never,
});

json_struct!(ResourceRequirements, resources, {
    b"requests" => (resources.requests),
    b"limits" => (resources.limits),
});

fn restart_policy_always(decoder: &mut Decoder<'_>) -> Result<bool, Fault> {
    Ok(*decoder.text()? == *b"Always")
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "all writers take a reference")]
fn write_restart_policy(encoder: &mut Encoder, _: &bool) {
    encoder.string("Always");
}

json_struct!(Container, container, {
    b"name" => (container.name),
    b"image" => (container.image),
    b"resources" => (container.resources),
    b"ports" => (container.ports),
    b"restartPolicy" => (with restart_policy_always, write_restart_policy, container.restart_policy_always),
});

impl Decode for ContainerPort {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let mut protocol = None;
        let mut port = Self {
            host_port: 0,
            container_port: 0,
            host_ip: Str::default(),
            protocol: Protocol::default(),
        };
        members!(decoder, {
            b"hostPort" => (port.host_port),
            b"containerPort" => (port.container_port),
            b"hostIP" => (port.host_ip),
            b"protocol" => (protocol),
        });
        port.protocol = protocol.unwrap_or_default();
        Ok(port)
    }
}

encode_struct!(ContainerPort, port, {
    b"hostPort" => (port.host_port),
    b"containerPort" => (port.container_port),
    b"hostIP" => (port.host_ip),
    b"protocol" => (port.protocol),
});

json_enum!(Protocol, "protocol", {
    b"TCP" => Tcp,
    b"UDP" => Udp,
    b"SCTP" => Sctp,
});

impl Decode for Toleration {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let mut operator = None;
        let mut toleration = Self {
            key: Str::default(),
            operator: TolerationOperator::default(),
            value: Str::default(),
            effect: None,
            toleration_seconds: None,
        };
        members!(decoder, {
            b"key" => (toleration.key),
            b"operator" => (operator),
            b"value" => (toleration.value),
            b"effect" => (toleration.effect),
            b"tolerationSeconds" => (toleration.toleration_seconds),
        });
        toleration.operator = operator.unwrap_or_default();
        Ok(toleration)
    }
}

encode_struct!(Toleration, toleration, {
    b"key" => (toleration.key),
    b"operator" => (toleration.operator),
    b"value" => (toleration.value),
    b"effect" => (toleration.effect),
    b"tolerationSeconds" => (toleration.toleration_seconds),
});

json_enum!(TolerationOperator, "operator", {
    b"Equal" => Equal,
    b"Exists" => Exists,
});

impl Decode for TopologySpreadConstraint {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let start = decoder.offset();
        let mut when_unsatisfiable = None;
        let mut constraint = Self {
            max_skew: 0,
            topology_key: Str::default(),
            when_unsatisfiable: UnsatisfiableConstraintAction::DoNotSchedule,
            label_selector: None,
            min_domains: None,
            node_affinity_policy: None,
            node_taints_policy: None,
            match_label_keys: Vec::new(),
        };
        members!(decoder, {
            b"maxSkew" => (constraint.max_skew),
            b"topologyKey" => (constraint.topology_key),
            b"whenUnsatisfiable" => (when_unsatisfiable),
            b"labelSelector" => (constraint.label_selector),
            b"minDomains" => (constraint.min_domains),
            b"nodeAffinityPolicy" => (constraint.node_affinity_policy),
            b"nodeTaintsPolicy" => (constraint.node_taints_policy),
            b"matchLabelKeys" => (constraint.match_label_keys),
        });
        constraint.when_unsatisfiable =
            decoder.required(start, b"whenUnsatisfiable", when_unsatisfiable)?;
        Ok(constraint)
    }
}

encode_struct!(TopologySpreadConstraint, constraint, {
    b"maxSkew" => (constraint.max_skew),
    b"topologyKey" => (constraint.topology_key),
    b"whenUnsatisfiable" => (constraint.when_unsatisfiable),
    b"labelSelector" => (constraint.label_selector),
    b"minDomains" => (constraint.min_domains),
    b"nodeAffinityPolicy" => (constraint.node_affinity_policy),
    b"nodeTaintsPolicy" => (constraint.node_taints_policy),
    b"matchLabelKeys" => (constraint.match_label_keys),
});

json_enum!(UnsatisfiableConstraintAction, "action", {
    b"DoNotSchedule" => DoNotSchedule,
    b"ScheduleAnyway" => ScheduleAnyway,
});

json_enum!(NodeInclusionPolicy, "node inclusion policy", {
    b"Honor" => Honor,
    b"Ignore" => Ignore,
});

impl Decode for PodStatus {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let mut status = Self::default();
        let (mut phase, mut pod_ip) = (None, Str::default());
        members!(decoder, {
            b"phase" => (phase),
            b"startTime" => (status.start_time),
            b"nominatedNodeName" => (status.nominated_node_name),
            b"podIP" => (unique pod_ip),
            b"podIPs" => (with pod_ips, status.pod_ips),
            b"hostIP" => (status.host_ip),
            b"containerStatuses" => (status.container_statuses),
            b"initContainerStatuses" => (status.init_container_statuses),
            b"conditions" => (with pod_conditions, status.conditions),
            b"resize" => (status.resize),
        });
        status.phase = phase.unwrap_or_default();
        if !pod_ip.is_empty() && !status.pod_ips.contains(&pod_ip) {
            status.pod_ips.insert(0, pod_ip);
        }
        Ok(status)
    }
}

/// `[{"ip": …}]` as a list of the addresses, each once.
fn pod_ips(decoder: &mut Decoder<'_>) -> Result<Vec<Str>, Fault> {
    // a set, since a hostile list may be long
    let listed = decoder.list(|decoder| only(decoder, b"ip", true))?;
    Ok(listed.into_iter().collect::<IndexSet<_>>().into_iter().collect())
}

impl Encode for PodStatus {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.object(|members| {
            write_members!(members, {
                b"phase" => (self.phase),
                b"startTime" => (self.start_time),
                b"nominatedNodeName" => (self.nominated_node_name),
            });
            if let Some(first) = self.pod_ips.first() {
                members.member(b"podIP", first);
                members.member_with(b"podIPs", |encoder| {
                    encoder.list(&self.pod_ips, |encoder, ip| {
                        encoder.object(|members| members.always(b"ip", ip));
                    });
                });
            }
            write_members!(members, {
                b"hostIP" => (self.host_ip),
                b"containerStatuses" => (self.container_statuses),
                b"initContainerStatuses" => (self.init_container_statuses),
                b"conditions" => (self.conditions),
                b"resize" => (self.resize),
            });
        });
    }
}

/// The conditions that a decision or a report reads.
fn pod_conditions(decoder: &mut Decoder<'_>) -> Result<Vec<PodCondition>, Fault> {
    let mut conditions = decoder.list(PodCondition::decode)?;
    conditions.retain(|condition| {
        matches!(
            &*condition.condition_type,
            "PodScheduled" | "PodResizePending" | "DisruptionTarget"
        )
    });
    conditions.shrink_to_fit();
    Ok(conditions)
}

json_enum!(PodPhase, "pod phase", {
    b"Pending" => Pending,
    b"Running" => Running,
    b"Succeeded" => Succeeded,
    b"Failed" => Failed,
    b"Unknown" => Unknown,
});

json_struct!(PodCondition, condition, {
    b"type" => (condition.condition_type),
    b"status" => (condition.status),
    b"reason" => (condition.reason),
});

json_struct!(ContainerStatus, status, {
    b"name" => (status.name),
    b"allocatedResources" => (status.allocated_resources),
    b"resources" => (status.resources),
});

impl Decode for Volume {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let (mut name, mut source) = (Str::default(), VolumeSource::Other);
        let mut items = decoder.begin_object()?;
        while let Some(member) = decoder.next_member(&mut items)? {
            if *member == *b"name" {
                decoder.field(b"name", &mut name)?;
            } else if let Some((key, read)) = volume_source(&member) {
                let mut read_source = None;
                decoder.field_with(key, &mut read_source, |decoder| read(decoder).map(Some))?;
                if let Some(read_source) = read_source {
                    source = read_source;
                }
            } else {
                decoder.skip()?;
            }
        }
        Ok(Self { name, source })
    }
}

type ReadSource = fn(&mut Decoder<'_>) -> Result<VolumeSource, Fault>;

/// How the source under `key` is read; `None` for sources that scheduling does not tell apart.
fn volume_source(key: &[u8]) -> Option<(&'static [u8], ReadSource)> {
    let source: (&'static [u8], ReadSource) = match key {
        b"persistentVolumeClaim" => (b"persistentVolumeClaim", |decoder| {
            let (mut claim_name, mut read_only) = (Str::default(), false);
            members!(decoder, { b"claimName" => (claim_name), b"readOnly" => (read_only) });
            Ok(VolumeSource::PersistentVolumeClaim { claim_name, read_only })
        }),
        b"ephemeral" => (b"ephemeral", |decoder| {
            let mut claim = None;
            members!(decoder, { b"volumeClaimTemplate" => { b"spec" => (claim) } });
            Ok(VolumeSource::Ephemeral { claim })
        }),
        b"gcePersistentDisk" => (b"gcePersistentDisk", |decoder| {
            let (mut pd_name, mut read_only) = (Str::default(), false);
            members!(decoder, { b"pdName" => (pd_name), b"readOnly" => (read_only) });
            Ok(VolumeSource::GcePersistentDisk { pd_name, read_only })
        }),
        b"awsElasticBlockStore" => (b"awsElasticBlockStore", |decoder| {
            Ok(VolumeSource::AwsElasticBlockStore { volume_id: volume_id(decoder)? })
        }),
        b"azureDisk" => (b"azureDisk", |decoder| {
            let (disk_name, disk_uri, managed) = azure_disk(decoder)?;
            Ok(VolumeSource::AzureDisk { disk_name, disk_uri, managed })
        }),
        b"azureFile" => (b"azureFile", |decoder| {
            let mut share_name = Str::default();
            members!(decoder, { b"shareName" => (share_name) });
            Ok(VolumeSource::AzureFile { share_name })
        }),
        b"cinder" => {
            (b"cinder", |decoder| Ok(VolumeSource::Cinder { volume_id: volume_id(decoder)? }))
        }
        b"portworxVolume" => (b"portworxVolume", |decoder| {
            Ok(VolumeSource::PortworxVolume { volume_id: volume_id(decoder)? })
        }),
        b"vsphereVolume" => (b"vsphereVolume", |decoder| {
            let mut volume_path = Str::default();
            members!(decoder, { b"volumePath" => (volume_path) });
            Ok(VolumeSource::VsphereVolume { volume_path })
        }),
        b"iscsi" => (b"iscsi", |decoder| {
            let (mut target_portal, mut iqn) = (Str::default(), Str::default());
            let (mut lun, mut read_only) = (0, false);
            members!(decoder, {
                b"targetPortal" => (target_portal),
                b"iqn" => (iqn),
                b"lun" => (lun),
                b"readOnly" => (read_only),
            });
            Ok(VolumeSource::Iscsi { target_portal, iqn, lun, read_only })
        }),
        b"rbd" => (b"rbd", |decoder| {
            let (mut monitors, mut read_only) = (Vec::new(), false);
            let (mut image, mut pool) = (Str::default(), Str::default());
            members!(decoder, {
                b"monitors" => (monitors),
                b"image" => (image),
                b"pool" => (pool),
                b"readOnly" => (read_only),
            });
            if pool.is_empty() {
                pool = Str::from("rbd");
            }
            Ok(VolumeSource::Rbd { monitors, image, pool, read_only })
        }),
        b"csi" => (b"csi", |decoder| {
            let (mut driver, mut read_only) = (Str::default(), false);
            members!(decoder, { b"driver" => (driver), b"readOnly" => (read_only) });
            Ok(VolumeSource::Csi { driver, read_only })
        }),
        b"hostPath" => (b"hostPath", |decoder| {
            decoder.skip_object()?;
            Ok(VolumeSource::HostPath)
        }),
        b"nfs" => (b"nfs", |decoder| {
            decoder.skip_object()?;
            Ok(VolumeSource::Nfs)
        }),
        _ => return None,
    };
    Some(source)
}

impl Encode for Volume {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.object(|members| {
            members.member(b"name", &self.name);
            let (key, source) = (source_key(&self.source), &self.source);
            members.member_with(key, |encoder| {
                encoder.object(|members| write_source(members, source));
            });
        });
    }
}

/// The member under which a source is written.
const fn source_key(source: &VolumeSource) -> &'static [u8] {
    match source {
        // one that needs no more to be said
        VolumeSource::Other => b"emptyDir",
        VolumeSource::PersistentVolumeClaim { .. } => b"persistentVolumeClaim",
        VolumeSource::Ephemeral { .. } => b"ephemeral",
        VolumeSource::GcePersistentDisk { .. } => b"gcePersistentDisk",
        VolumeSource::AwsElasticBlockStore { .. } => b"awsElasticBlockStore",
        VolumeSource::AzureDisk { .. } => b"azureDisk",
        VolumeSource::AzureFile { .. } => b"azureFile",
        VolumeSource::Cinder { .. } => b"cinder",
        VolumeSource::PortworxVolume { .. } => b"portworxVolume",
        VolumeSource::VsphereVolume { .. } => b"vsphereVolume",
        VolumeSource::Iscsi { .. } => b"iscsi",
        VolumeSource::Rbd { .. } => b"rbd",
        VolumeSource::Csi { .. } => b"csi",
        VolumeSource::HostPath => b"hostPath",
        VolumeSource::Nfs => b"nfs",
    }
}

fn write_source(members: &mut Members<'_>, source: &VolumeSource) {
    match source {
        VolumeSource::Other | VolumeSource::HostPath | VolumeSource::Nfs => {}
        VolumeSource::PersistentVolumeClaim { claim_name, read_only } => write_members!(members, {
            b"claimName" => (*claim_name),
            b"readOnly" => (*read_only),
        }),
        VolumeSource::Ephemeral { claim } => write_members!(members, {
            b"volumeClaimTemplate" => { b"spec" => (*claim) },
        }),
        VolumeSource::GcePersistentDisk { pd_name, read_only } => write_members!(members, {
            b"pdName" => (*pd_name),
            b"readOnly" => (*read_only),
        }),
        VolumeSource::AwsElasticBlockStore { volume_id }
        | VolumeSource::Cinder { volume_id }
        | VolumeSource::PortworxVolume { volume_id } => members.member(b"volumeID", volume_id),
        VolumeSource::AzureDisk { disk_name, disk_uri, managed } => {
            write_azure_disk(members, disk_name, disk_uri, *managed);
        }
        VolumeSource::AzureFile { share_name } => members.member(b"shareName", share_name),
        VolumeSource::VsphereVolume { volume_path } => members.member(b"volumePath", volume_path),
        VolumeSource::Iscsi { target_portal, iqn, lun, read_only } => write_members!(members, {
            b"targetPortal" => (*target_portal),
            b"iqn" => (*iqn),
            b"lun" => (always *lun),
            b"readOnly" => (*read_only),
        }),
        VolumeSource::Rbd { monitors, image, pool, read_only } => write_members!(members, {
            b"monitors" => (*monitors),
            b"image" => (*image),
            b"pool" => (*pool),
            b"readOnly" => (*read_only),
        }),
        VolumeSource::Csi { driver, read_only } => write_members!(members, {
            b"driver" => (*driver),
            b"readOnly" => (*read_only),
        }),
    }
}

fn volume_id(decoder: &mut Decoder<'_>) -> Result<Str, Fault> {
    let mut volume_id = Str::default();
    members!(decoder, { b"volumeID" => (volume_id) });
    Ok(volume_id)
}

fn azure_disk(decoder: &mut Decoder<'_>) -> Result<(Str, Str, bool), Fault> {
    let (mut disk_name, mut disk_uri, mut kind) = (Str::default(), Str::default(), Str::default());
    members!(decoder, { b"diskName" => (disk_name), b"diskURI" => (disk_uri), b"kind" => (kind) });
    Ok((disk_name, disk_uri, kind.eq_ignore_ascii_case("Managed")))
}

fn write_azure_disk(members: &mut Members<'_>, disk_name: &Str, disk_uri: &Str, managed: bool) {
    members.member(b"diskName", disk_name);
    members.member(b"diskURI", disk_uri);
    members.member(b"kind", if managed { "Managed" } else { "Shared" });
}

// affinity

json_struct!(Affinity, affinity, {
    b"nodeAffinity" => (affinity.node_affinity),
    b"podAffinity" => (affinity.pod_affinity),
    b"podAntiAffinity" => (affinity.pod_anti_affinity),
});

json_struct!(NodeAffinity, affinity, {
    b"requiredDuringSchedulingIgnoredDuringExecution" => (affinity.required),
    b"preferredDuringSchedulingIgnoredDuringExecution" => (affinity.preferred),
});

json_struct!(PreferredSchedulingTerm, term, {
    b"weight" => (term.weight),
    b"preference" => (term.preference),
});

json_struct!(PodAffinity, affinity, {
    b"requiredDuringSchedulingIgnoredDuringExecution" => (affinity.required),
    b"preferredDuringSchedulingIgnoredDuringExecution" => (affinity.preferred),
});

json_struct!(WeightedPodAffinityTerm, term, {
    b"weight" => (term.weight),
    b"podAffinityTerm" => (term.term),
});

json_struct!(PodAffinityTerm, term, {
    b"labelSelector" => (term.label_selector),
    b"namespaces" => (term.namespaces),
    b"topologyKey" => (term.topology_key),
    b"namespaceSelector" => (term.namespace_selector),
    b"matchLabelKeys" => (term.match_label_keys),
    b"mismatchLabelKeys" => (term.mismatch_label_keys),
});

// selectors

json_struct!(LabelSelector, selector, {
    b"matchLabels" => (selector.match_labels),
    b"matchExpressions" => (selector.match_expressions),
});

impl Decode for LabelSelectorRequirement {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let start = decoder.offset();
        let (mut key, mut operator, mut values) = (Str::default(), None, Vec::new());
        members!(decoder, {
            b"key" => (key),
            b"operator" => (operator),
            b"values" => (values),
        });
        Ok(Self { key, operator: decoder.required(start, b"operator", operator)?, values })
    }
}

encode_struct!(LabelSelectorRequirement, requirement, {
    b"key" => (requirement.key),
    b"operator" => (requirement.operator),
    b"values" => (requirement.values),
});

json_enum!(LabelSelectorOperator, "operator", {
    b"In" => In,
    b"NotIn" => NotIn,
    b"Exists" => Exists,
    b"DoesNotExist" => DoesNotExist,
});

json_struct!(NodeSelector, selector, {
    b"nodeSelectorTerms" => (selector.node_selector_terms),
});

json_struct!(NodeSelectorTerm, term, {
    b"matchExpressions" => (term.match_expressions),
    b"matchFields" => (term.match_fields),
});

impl Decode for NodeSelectorRequirement {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let start = decoder.offset();
        let (mut key, mut operator, mut values) = (Str::default(), None, Vec::new());
        members!(decoder, {
            b"key" => (key),
            b"operator" => (operator),
            b"values" => (values),
        });
        Ok(Self { key, operator: decoder.required(start, b"operator", operator)?, values })
    }
}

encode_struct!(NodeSelectorRequirement, requirement, {
    b"key" => (requirement.key),
    b"operator" => (requirement.operator),
    b"values" => (requirement.values),
});

json_enum!(NodeSelectorOperator, "operator", {
    b"In" => In,
    b"NotIn" => NotIn,
    b"Exists" => Exists,
    b"DoesNotExist" => DoesNotExist,
    b"Gt" => Gt,
    b"Lt" => Lt,
});

json_struct!(TopologySelectorTerm, term, {
    b"matchLabelExpressions" => (term.match_label_expressions),
});

json_struct!(TopologySelectorLabelRequirement, requirement, {
    b"key" => (requirement.key),
    b"values" => (requirement.values),
});

// workloads and policy

json_object!(Namespace, namespace, {
    b"metadata" => (namespace.metadata),
});

json_object!(Service, service, {
    b"metadata" => (service.metadata),
    b"spec" => { b"selector" => (service.selector) },
});

impl Decode for ReplicationController {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let (mut controller, mut template_labels) = (Self::default(), Labels::default());
        members!(decoder, {
            b"metadata" => (controller.metadata),
            b"spec" => {
                b"selector" => (controller.selector),
                b"template" => { b"metadata" => { b"labels" => (template_labels) } },
            },
        });
        if controller.selector.is_empty() {
            controller.selector = template_labels;
        }
        Ok(controller)
    }
}

encode_object!(ReplicationController, controller, {
    b"metadata" => (controller.metadata),
    b"spec" => { b"selector" => (controller.selector) },
});

json_object!(ReplicaSet, set, {
    b"metadata" => (set.metadata),
    b"spec" => { b"selector" => (set.selector) },
});

json_object!(StatefulSet, set, {
    b"metadata" => (set.metadata),
    b"spec" => { b"selector" => (set.selector) },
});

json_object!(PriorityClass, class, {
    b"metadata" => (class.metadata),
    b"value" => (always class.value),
    b"globalDefault" => (class.global_default),
    b"preemptionPolicy" => (class.preemption_policy),
});

/// `{"pod-a": "<time>"}` as a list of the names.
fn keys(decoder: &mut Decoder<'_>) -> Result<Vec<Str>, Fault> {
    Ok(decoder.map(Decoder::skip)?.iter().map(|(name, ())| name.clone()).collect())
}

fn write_keys(encoder: &mut Encoder, names: &[Str]) {
    // the times are not kept
    encoder.object(|members| names.iter().for_each(|name| members.entry(name, &None::<Time>)));
}

json_object!(PodDisruptionBudget, budget, {
    b"metadata" => (budget.metadata),
    b"spec" => { b"selector" => (budget.selector) },
    b"status" => {
        b"disruptionsAllowed" => (always budget.disruptions_allowed),
        b"disruptedPods" => (with keys, write_keys, budget.disrupted_pods),
    },
});

// storage

json_object!(PersistentVolume, volume, {
    b"metadata" => (volume.metadata),
    b"spec" => (volume.spec),
    b"status" => { b"phase" => (volume.phase) },
});

impl Decode for PersistentVolumeSpec {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let mut spec = Self::default();
        let mut volume_mode = None;
        let mut source = None;
        members!(decoder, {
            b"capacity" => (spec.capacity),
            b"accessModes" => (spec.access_modes),
            b"claimRef" => (spec.claim_ref),
            b"storageClassName" => (spec.storage_class_name),
            b"volumeMode" => (volume_mode),
            b"volumeAttributesClassName" => (spec.volume_attributes_class_name),
            b"nodeAffinity" => { b"required" => (spec.node_affinity) },
            b"csi" => (with csi_volume, source),
            b"gcePersistentDisk" => (with gce_volume, source),
            b"awsElasticBlockStore" => (with aws_volume, source),
            b"azureDisk" => (with azure_disk_volume, source),
            b"azureFile" => (with azure_file_volume, source),
            b"cinder" => (with cinder_volume, source),
            b"portworxVolume" => (with portworx_volume, source),
            b"vsphereVolume" => (with vsphere_volume, source),
            b"local" => (with local_volume, source),
            b"hostPath" => (with host_path_volume, source),
            b"nfs" => (with nfs_volume, source),
        });
        spec.volume_mode = volume_mode.unwrap_or_default();
        spec.source = source.unwrap_or_default();
        Ok(spec)
    }
}

type ReadVolume = Result<Option<PersistentVolumeSource>, Fault>;

fn csi_volume(decoder: &mut Decoder<'_>) -> ReadVolume {
    let (mut driver, mut volume_handle) = (Str::default(), Str::default());
    members!(decoder, { b"driver" => (driver), b"volumeHandle" => (unique volume_handle) });
    Ok(Some(PersistentVolumeSource::Csi { driver, volume_handle }))
}

fn gce_volume(decoder: &mut Decoder<'_>) -> ReadVolume {
    let mut pd_name = Str::default();
    members!(decoder, { b"pdName" => (pd_name) });
    Ok(Some(PersistentVolumeSource::GcePersistentDisk { pd_name }))
}

fn aws_volume(decoder: &mut Decoder<'_>) -> ReadVolume {
    let volume_id = volume_id(decoder)?;
    Ok(Some(PersistentVolumeSource::AwsElasticBlockStore { volume_id }))
}

fn azure_disk_volume(decoder: &mut Decoder<'_>) -> ReadVolume {
    let (disk_name, disk_uri, managed) = azure_disk(decoder)?;
    Ok(Some(PersistentVolumeSource::AzureDisk { disk_name, disk_uri, managed }))
}

fn azure_file_volume(decoder: &mut Decoder<'_>) -> ReadVolume {
    let mut share_name = Str::default();
    let (mut secret_name, mut secret_namespace) = (Str::default(), Str::default());
    members!(decoder, {
        b"shareName" => (share_name),
        b"secretName" => (secret_name),
        b"secretNamespace" => (secret_namespace),
    });
    Ok(Some(PersistentVolumeSource::AzureFile { share_name, secret_name, secret_namespace }))
}

fn cinder_volume(decoder: &mut Decoder<'_>) -> ReadVolume {
    Ok(Some(PersistentVolumeSource::Cinder { volume_id: volume_id(decoder)? }))
}

fn portworx_volume(decoder: &mut Decoder<'_>) -> ReadVolume {
    Ok(Some(PersistentVolumeSource::PortworxVolume { volume_id: volume_id(decoder)? }))
}

fn vsphere_volume(decoder: &mut Decoder<'_>) -> ReadVolume {
    let mut volume_path = Str::default();
    members!(decoder, { b"volumePath" => (volume_path) });
    Ok(Some(PersistentVolumeSource::VsphereVolume { volume_path }))
}

fn local_volume(decoder: &mut Decoder<'_>) -> ReadVolume {
    decoder.skip_object()?;
    Ok(Some(PersistentVolumeSource::Local))
}

fn host_path_volume(decoder: &mut Decoder<'_>) -> ReadVolume {
    decoder.skip_object()?;
    Ok(Some(PersistentVolumeSource::HostPath))
}

fn nfs_volume(decoder: &mut Decoder<'_>) -> ReadVolume {
    decoder.skip_object()?;
    Ok(Some(PersistentVolumeSource::Nfs))
}

impl Encode for PersistentVolumeSpec {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.object(|members| {
            write_members!(members, {
                b"capacity" => (self.capacity),
                b"accessModes" => (self.access_modes),
                b"claimRef" => (self.claim_ref),
                b"storageClassName" => (self.storage_class_name),
                b"volumeMode" => (self.volume_mode),
                b"volumeAttributesClassName" => (self.volume_attributes_class_name),
                b"nodeAffinity" => { b"required" => (self.node_affinity) },
            });
            if let Some(key) = volume_key(&self.source) {
                members.member_with(key, |encoder| {
                    encoder.object(|members| write_volume(members, &self.source));
                });
            }
        });
    }
}

/// The member under which a source is written, unless it is one that is not told apart.
const fn volume_key(source: &PersistentVolumeSource) -> Option<&'static [u8]> {
    Some(match source {
        PersistentVolumeSource::Other => return None,
        PersistentVolumeSource::Csi { .. } => b"csi",
        PersistentVolumeSource::GcePersistentDisk { .. } => b"gcePersistentDisk",
        PersistentVolumeSource::AwsElasticBlockStore { .. } => b"awsElasticBlockStore",
        PersistentVolumeSource::AzureDisk { .. } => b"azureDisk",
        PersistentVolumeSource::AzureFile { .. } => b"azureFile",
        PersistentVolumeSource::Cinder { .. } => b"cinder",
        PersistentVolumeSource::PortworxVolume { .. } => b"portworxVolume",
        PersistentVolumeSource::VsphereVolume { .. } => b"vsphereVolume",
        PersistentVolumeSource::Local => b"local",
        PersistentVolumeSource::HostPath => b"hostPath",
        PersistentVolumeSource::Nfs => b"nfs",
    })
}

fn write_volume(members: &mut Members<'_>, source: &PersistentVolumeSource) {
    use PersistentVolumeSource as Source;
    match source {
        Source::Other | Source::Local | Source::HostPath | Source::Nfs => {}
        Source::Csi { driver, volume_handle } => write_members!(members, {
            b"driver" => (*driver),
            b"volumeHandle" => (*volume_handle),
        }),
        Source::GcePersistentDisk { pd_name } => members.member(b"pdName", pd_name),
        Source::AwsElasticBlockStore { volume_id }
        | Source::Cinder { volume_id }
        | Source::PortworxVolume { volume_id } => members.member(b"volumeID", volume_id),
        Source::AzureDisk { disk_name, disk_uri, managed } => {
            write_azure_disk(members, disk_name, disk_uri, *managed);
        }
        Source::AzureFile { share_name, secret_name, secret_namespace } => {
            write_members!(members, {
                b"shareName" => (*share_name),
                b"secretName" => (*secret_name),
                b"secretNamespace" => (*secret_namespace),
            });
        }
        Source::VsphereVolume { volume_path } => members.member(b"volumePath", volume_path),
    }
}

json_struct!(ObjectReference, reference, {
    b"kind" => (reference.kind),
    b"namespace" => (reference.namespace),
    b"name" => (unique reference.name),
    b"uid" => (unique reference.uid),
});

json_enum!(VolumeMode, "volume mode", {
    b"Filesystem" => Filesystem,
    b"Block" => Block,
});

json_enum!(AccessMode, "access mode", {
    b"ReadWriteOnce" => ReadWriteOnce,
    b"ReadOnlyMany" => ReadOnlyMany,
    b"ReadWriteMany" => ReadWriteMany,
    b"ReadWriteOncePod" => ReadWriteOncePod,
});

json_object!(PersistentVolumeClaim, claim, {
    b"metadata" => (claim.metadata),
    b"spec" => (claim.spec),
    b"status" => { b"phase" => (claim.phase) },
});

impl Decode for PersistentVolumeClaimSpec {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let mut spec = Self::default();
        let mut volume_mode = None;
        members!(decoder, {
            b"accessModes" => (spec.access_modes),
            b"selector" => (spec.selector),
            b"resources" => (spec.resources),
            b"volumeName" => (unique spec.volume_name),
            b"storageClassName" => (spec.storage_class_name),
            b"volumeMode" => (volume_mode),
            b"volumeAttributesClassName" => (spec.volume_attributes_class_name),
        });
        spec.volume_mode = volume_mode.unwrap_or_default();
        Ok(spec)
    }
}

encode_struct!(PersistentVolumeClaimSpec, spec, {
    b"accessModes" => (spec.access_modes),
    b"selector" => (spec.selector),
    b"resources" => (spec.resources),
    b"volumeName" => (spec.volume_name),
    b"storageClassName" => (spec.storage_class_name),
    b"volumeMode" => (spec.volume_mode),
    b"volumeAttributesClassName" => (spec.volume_attributes_class_name),
});

impl Decode for StorageClass {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let mut class = Self::default();
        let mut volume_binding_mode = None;
        members!(decoder, {
            b"metadata" => (class.metadata),
            b"provisioner" => (class.provisioner),
            b"volumeBindingMode" => (volume_binding_mode),
            b"allowedTopologies" => (class.allowed_topologies),
        });
        class.volume_binding_mode = volume_binding_mode.unwrap_or_default();
        Ok(class)
    }
}

encode_object!(StorageClass, class, {
    b"metadata" => (class.metadata),
    b"provisioner" => (class.provisioner),
    b"volumeBindingMode" => (class.volume_binding_mode),
    b"allowedTopologies" => (class.allowed_topologies),
});

json_enum!(VolumeBindingMode, "volume binding mode", {
    b"Immediate" => Immediate,
    b"WaitForFirstConsumer" => WaitForFirstConsumer,
});

json_object!(CsiNode, node, {
    b"metadata" => (node.metadata),
    b"spec" => { b"drivers" => (node.drivers) },
});

json_struct!(CsiNodeDriver, driver, {
    b"name" => (driver.name),
    b"nodeID" => (unique driver.node_id),
    b"topologyKeys" => (driver.topology_keys),
    b"allocatable" => { b"count" => (driver.allocatable_count) },
});

impl Decode for CsiDriver {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let mut driver = Self::default();
        let mut attach_required = None;
        members!(decoder, {
            b"metadata" => (driver.metadata),
            b"spec" => {
                b"attachRequired" => (attach_required),
                b"storageCapacity" => (driver.storage_capacity),
            },
        });
        driver.attach_required = attach_required.unwrap_or(true);
        Ok(driver)
    }
}

encode_object!(CsiDriver, driver, {
    b"metadata" => (driver.metadata),
    b"spec" => {
        b"attachRequired" => (always driver.attach_required),
        b"storageCapacity" => (driver.storage_capacity),
    },
});

json_object!(CsiStorageCapacity, capacity, {
    b"metadata" => (capacity.metadata),
    b"nodeTopology" => (capacity.node_topology),
    b"storageClassName" => (capacity.storage_class_name),
    b"capacity" => (capacity.capacity),
    b"maximumVolumeSize" => (capacity.maximum_volume_size),
});

json_object!(VolumeAttachment, attachment, {
    b"metadata" => (attachment.metadata),
    b"spec" => {
        b"attacher" => (attachment.attacher),
        b"nodeName" => (attachment.node_name),
        b"source" => { b"persistentVolumeName" => (attachment.persistent_volume_name) },
    },
    b"status" => { b"attached" => (attachment.attached) },
});
