//! Objects and profiles as the JSON that kubectl prints and that kube-scheduler reads.

use bayplan_api::{
    AccessMode, Affinity, Container, ContainerStatus, CsiDriver, CsiNode, CsiStorageCapacity,
    LabelSelector, LabelSelectorOperator, Labels, Node, NodeAffinity, NodeInclusionPolicy,
    NodeSelector, NodeSelectorOperator, NodeSelectorTerm, ObjectMeta, Objects, PersistentVolume,
    PersistentVolumeClaim, PersistentVolumeSource, Pod, PodAffinity, PodAffinityTerm,
    PodDisruptionBudget, PodPhase, PreemptionPolicy, PreferredSchedulingTerm, Protocol,
    ResourceList, ResourceRequirements, StorageClass, Time, Toleration, TolerationOperator,
    TopologySpreadConstraint, UnsatisfiableConstraintAction, Volume, VolumeAttachment,
    VolumeBindingMode, VolumeMode, VolumeSource,
};
use serde_json::{Map, Value, json};

use crate::model::{DefaultConstraints, ModelProfile, Plugin, ScoringStrategy};

/// A `v1.List` of all objects.
pub fn list(objects: &Objects) -> Value {
    let mut items: Vec<Value> = Vec::new();
    items.extend(objects.nodes.iter().map(node));
    items.extend(
        objects
            .namespaces
            .iter()
            .map(|namespace| object("v1", "Namespace", &namespace.metadata, json!({}))),
    );
    items.extend(objects.services.iter().map(|service| {
        let selector = service.selector.as_ref().map(labels);
        let spec = json!({"selector": selector, "ports": [{"port": 80}]});
        object("v1", "Service", &service.metadata, json!({"spec": spec}))
    }));
    items.extend(objects.replication_controllers.iter().map(|controller| {
        let spec = json!({"selector": labels(&controller.selector)});
        object("v1", "ReplicationController", &controller.metadata, json!({"spec": spec}))
    }));
    items.extend(objects.replica_sets.iter().map(|set| {
        let spec = json!({"selector": set.selector.as_ref().map(label_selector)});
        object("apps/v1", "ReplicaSet", &set.metadata, json!({"spec": spec}))
    }));
    items.extend(objects.stateful_sets.iter().map(|set| {
        let spec = json!({"selector": set.selector.as_ref().map(label_selector)});
        object("apps/v1", "StatefulSet", &set.metadata, json!({"spec": spec}))
    }));
    items.extend(objects.storage_classes.iter().map(storage_class));
    items.extend(objects.persistent_volumes.iter().map(persistent_volume));
    items.extend(objects.persistent_volume_claims.iter().map(persistent_volume_claim));
    items.extend(objects.csi_nodes.iter().map(csi_node));
    items.extend(objects.csi_drivers.iter().map(csi_driver));
    items.extend(objects.csi_storage_capacities.iter().map(csi_storage_capacity));
    items.extend(objects.volume_attachments.iter().map(volume_attachment));
    items.extend(objects.pod_disruption_budgets.iter().map(budget));
    items.extend(objects.priority_classes.iter().map(|class| {
        let rest = json!({
            "value": class.value,
            "globalDefault": class.global_default,
            "preemptionPolicy": class.preemption_policy.map(preemption_policy),
        });
        object("scheduling.k8s.io/v1", "PriorityClass", &class.metadata, rest)
    }));
    items.extend(objects.pods.iter().map(pod));
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

/// The `KubeSchedulerConfiguration` of a profile; `null` for the default one.
pub fn configuration(profile: &ModelProfile) -> Value {
    let default = ModelProfile::default();
    if *profile == default {
        return Value::Null;
    }
    let names = |plugins: Vec<Plugin>| -> Vec<Value> {
        plugins.into_iter().map(|plugin| json!({"name": plugin.name()})).collect()
    };
    let without = |all: &[Plugin], kept: &[Plugin]| {
        names(all.iter().filter(|plugin| !kept.contains(plugin)).copied().collect())
    };
    let score: Vec<Value> = profile
        .score
        .iter()
        .map(|(plugin, weight)| json!({"name": plugin.name(), "weight": weight}))
        .collect();
    let preemption = if profile.preemption { vec![] } else { vec![Plugin::DefaultPreemption] };
    let plugins = json!({
        "preFilter": {"disabled": without(&default.pre_filter, &profile.pre_filter)},
        "filter": {"disabled": without(&default.filter, &profile.filter)},
        "score": {"disabled": [{"name": "*"}], "enabled": score},
        "multiPoint": {"disabled": names(preemption)},
    });
    let weighted = |resources: &[(String, i64)]| -> Vec<Value> {
        resources.iter().map(|(name, weight)| json!({"name": name, "weight": weight})).collect()
    };
    let mut strategy = json!({"resources": weighted(&profile.fit.resources)});
    set(
        &mut strategy,
        "type",
        json!(match &profile.fit.strategy {
            ScoringStrategy::LeastAllocated => "LeastAllocated",
            ScoringStrategy::MostAllocated => "MostAllocated",
            ScoringStrategy::RequestedToCapacityRatio(_) => "RequestedToCapacityRatio",
        }),
    );
    if let ScoringStrategy::RequestedToCapacityRatio(shape) = &profile.fit.strategy {
        let points: Vec<Value> = shape
            .iter()
            .map(|(utilization, score)| json!({"utilization": utilization, "score": score}))
            .collect();
        set(&mut strategy, "requestedToCapacityRatio", json!({"shape": points}));
    }
    let balanced: Vec<Value> =
        profile.balanced_resources.iter().map(|name| json!({"name": name, "weight": 1})).collect();
    let spread = match &profile.default_constraints {
        DefaultConstraints::System => json!({"defaultingType": "System"}),
        DefaultConstraints::List(constraints) => json!({
            "defaultingType": "List",
            "defaultConstraints": constraints.iter().map(spread_constraint).collect::<Vec<_>>(),
        }),
    };
    let arguments = [
        (
            "NodeResourcesFit",
            json!({
                "ignoredResources": profile.fit.ignored_resources,
                "ignoredResourceGroups": profile.fit.ignored_resource_groups,
                "scoringStrategy": strategy,
            }),
        ),
        ("NodeResourcesBalancedAllocation", json!({"resources": balanced})),
        (
            "InterPodAffinity",
            json!({
                "hardPodAffinityWeight": profile.hard_pod_affinity_weight,
                "ignorePreferredTermsOfExistingPods":
                    profile.ignore_preferred_terms_of_existing_pods,
            }),
        ),
        (
            "NodeAffinity",
            json!({"addedAffinity": profile.added_affinity.as_ref().map(node_affinity)}),
        ),
        ("PodTopologySpread", spread),
    ];
    let arguments: Vec<Value> =
        arguments.into_iter().map(|(name, args)| json!({"name": name, "args": args})).collect();
    prune(json!({
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "percentageOfNodesToScore": 100,
        "profiles": [{
            "schedulerName": profile.scheduler_name,
            "plugins": plugins,
            "pluginConfig": arguments,
        }],
    }))
}

fn set(value: &mut Value, key: &str, member: Value) {
    if let Some(object) = value.as_object_mut() {
        object.insert(key.to_owned(), member);
    }
}

/// Takes out members that are `null` or an empty list, as the API server does.
fn prune(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, member)| {
                    !member.is_null() && !member.as_array().is_some_and(Vec::is_empty)
                })
                .map(|(key, member)| (key, prune(member)))
                .collect(),
        ),
        Value::Array(elements) => Value::Array(elements.into_iter().map(prune).collect()),
        other => other,
    }
}

fn object(api_version: &str, kind: &str, meta: &ObjectMeta, rest: Value) -> Value {
    let mut value = json!({"apiVersion": api_version, "kind": kind, "metadata": metadata(meta)});
    if let Value::Object(rest) = rest {
        for (key, member) in rest {
            set(&mut value, &key, member);
        }
    }
    prune(value)
}

fn metadata(meta: &ObjectMeta) -> Value {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let owners: Vec<Value> = meta
        .owner_references
        .iter()
        .map(|owner| {
            json!({
                "apiVersion": owner.api_version.as_str(),
                "kind": owner.kind.as_str(),
                "name": owner.name.as_str(),
                "uid": owner.uid.as_str(),
                "controller": owner.controller,
            })
        })
        .collect();
    json!({
        "name": meta.name.as_str(),
        "namespace": text(&meta.namespace),
        "uid": text(&meta.uid),
        "labels": labels(&meta.labels),
        "annotations": labels(&meta.annotations),
        "creationTimestamp": meta.creation_timestamp.map(time),
        "deletionTimestamp": meta.deletion_timestamp.map(time),
        "ownerReferences": owners,
    })
}

/// RFC 3339 in whole seconds, by the civil calendar (proleptic Gregorian).
fn time(time: Time) -> String {
    let seconds = time.unix_nanos.div_euclid(1_000_000_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days since 0000-03-01 in cycles of 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i128::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn labels(labels: &Labels) -> Value {
    let entries = labels.iter().map(|(key, value)| (key.to_string(), json!(value.as_str())));
    Value::Object(entries.collect::<Map<String, Value>>())
}

fn strings<T: AsRef<str>>(texts: &[T]) -> Vec<&str> {
    texts.iter().map(AsRef::as_ref).collect()
}

fn resource_list(list: &ResourceList) -> Value {
    let entries = list.iter().map(|(name, amount)| (name.to_string(), json!(amount.to_string())));
    Value::Object(entries.collect::<Map<String, Value>>())
}

fn resource_requirements(resources: &ResourceRequirements) -> Value {
    json!({
        "requests": resource_list(&resources.requests),
        "limits": resource_list(&resources.limits),
    })
}

fn label_selector(selector: &LabelSelector) -> Value {
    let expressions: Vec<Value> = selector
        .match_expressions
        .iter()
        .map(|requirement| {
            let operator = match requirement.operator {
                LabelSelectorOperator::In => "In",
                LabelSelectorOperator::NotIn => "NotIn",
                LabelSelectorOperator::Exists => "Exists",
                LabelSelectorOperator::DoesNotExist => "DoesNotExist",
            };
            json!({
                "key": requirement.key.as_str(),
                "operator": operator,
                "values": strings(&requirement.values),
            })
        })
        .collect();
    json!({"matchLabels": labels(&selector.match_labels), "matchExpressions": expressions})
}

fn node_selector(selector: &NodeSelector) -> Value {
    let terms: Vec<Value> = selector.node_selector_terms.iter().map(node_selector_term).collect();
    json!({"nodeSelectorTerms": terms})
}

fn node_selector_term(term: &NodeSelectorTerm) -> Value {
    let requirements = |requirements: &[bayplan_api::NodeSelectorRequirement]| -> Vec<Value> {
        requirements
            .iter()
            .map(|requirement| {
                let operator = match requirement.operator {
                    NodeSelectorOperator::In => "In",
                    NodeSelectorOperator::NotIn => "NotIn",
                    NodeSelectorOperator::Exists => "Exists",
                    NodeSelectorOperator::DoesNotExist => "DoesNotExist",
                    NodeSelectorOperator::Gt => "Gt",
                    NodeSelectorOperator::Lt => "Lt",
                };
                json!({
                    "key": requirement.key.as_str(),
                    "operator": operator,
                    "values": strings(&requirement.values),
                })
            })
            .collect()
    };
    json!({
        "matchExpressions": requirements(&term.match_expressions),
        "matchFields": requirements(&term.match_fields),
    })
}

fn node_affinity(affinity: &NodeAffinity) -> Value {
    let preferred = |term: &PreferredSchedulingTerm| json!({"weight": term.weight, "preference": node_selector_term(&term.preference)});
    prune(json!({
        "requiredDuringSchedulingIgnoredDuringExecution":
            affinity.required.as_ref().map(node_selector),
        "preferredDuringSchedulingIgnoredDuringExecution":
            affinity.preferred.iter().map(preferred).collect::<Vec<_>>(),
    }))
}

fn pod_affinity(affinity: &PodAffinity) -> Value {
    let preferred: Vec<Value> = affinity
        .preferred
        .iter()
        .map(|own| json!({"weight": own.weight, "podAffinityTerm": pod_affinity_term(&own.term)}))
        .collect();
    json!({
        "requiredDuringSchedulingIgnoredDuringExecution":
            affinity.required.iter().map(pod_affinity_term).collect::<Vec<_>>(),
        "preferredDuringSchedulingIgnoredDuringExecution": preferred,
    })
}

fn pod_affinity_term(term: &PodAffinityTerm) -> Value {
    json!({
        "labelSelector": term.label_selector.as_ref().map(label_selector),
        "namespaces": strings(&term.namespaces),
        "topologyKey": term.topology_key.as_str(),
        "namespaceSelector": term.namespace_selector.as_ref().map(label_selector),
        "matchLabelKeys": strings(&term.match_label_keys),
        "mismatchLabelKeys": strings(&term.mismatch_label_keys),
    })
}

fn affinity(affinity: &Affinity) -> Value {
    json!({
        "nodeAffinity": affinity.node_affinity.as_ref().map(node_affinity),
        "podAffinity": affinity.pod_affinity.as_ref().map(pod_affinity),
        "podAntiAffinity": affinity.pod_anti_affinity.as_ref().map(pod_affinity),
    })
}

fn spread_constraint(constraint: &TopologySpreadConstraint) -> Value {
    let policy = |policy: NodeInclusionPolicy| match policy {
        NodeInclusionPolicy::Honor => "Honor",
        NodeInclusionPolicy::Ignore => "Ignore",
    };
    let when = match constraint.when_unsatisfiable {
        UnsatisfiableConstraintAction::DoNotSchedule => "DoNotSchedule",
        UnsatisfiableConstraintAction::ScheduleAnyway => "ScheduleAnyway",
    };
    prune(json!({
        "maxSkew": constraint.max_skew,
        "topologyKey": constraint.topology_key.as_str(),
        "whenUnsatisfiable": when,
        "labelSelector": constraint.label_selector.as_ref().map(label_selector),
        "minDomains": constraint.min_domains,
        "nodeAffinityPolicy": constraint.node_affinity_policy.map(policy),
        "nodeTaintsPolicy": constraint.node_taints_policy.map(policy),
        "matchLabelKeys": strings(&constraint.match_label_keys),
    }))
}

fn node(node: &Node) -> Value {
    let taints: Vec<Value> = node
        .spec
        .taints
        .iter()
        .map(|taint| {
            json!({
                "key": taint.key.as_str(),
                "value": taint.value.as_str(),
                "effect": taint.effect.as_str(),
            })
        })
        .collect();
    let images: Vec<Value> = node
        .status
        .images
        .iter()
        .map(|image| json!({"names": strings(&image.names), "sizeBytes": image.size_bytes}))
        .collect();
    let rest = json!({
        "spec": {"unschedulable": node.spec.unschedulable, "taints": taints},
        "status": {
            "capacity": resource_list(&node.status.capacity),
            "allocatable": resource_list(&node.status.allocatable),
            "images": images,
        },
    });
    object("v1", "Node", &node.metadata, rest)
}

fn preemption_policy(policy: PreemptionPolicy) -> &'static str {
    match policy {
        PreemptionPolicy::PreemptLowerPriority => "PreemptLowerPriority",
        PreemptionPolicy::Never => "Never",
    }
}

fn pod(pod: &Pod) -> Value {
    let spec = &pod.spec;
    let tolerations: Vec<Value> = spec.tolerations.iter().map(toleration).collect();
    let gates: Vec<Value> =
        spec.scheduling_gates.iter().map(|gate| json!({"name": gate.as_str()})).collect();
    let phase = match pod.status.phase {
        PodPhase::Pending => "Pending",
        PodPhase::Running => "Running",
        PodPhase::Succeeded => "Succeeded",
        PodPhase::Failed => "Failed",
        PodPhase::Unknown => "Unknown",
    };
    let conditions: Vec<Value> = pod
        .status
        .conditions
        .iter()
        .map(|condition| {
            json!({
                "type": condition.condition_type.as_str(),
                "status": condition.status.as_str(),
                "reason": condition.reason.as_str(),
            })
        })
        .collect();
    let rest = json!({
        "spec": {
            "nodeName": spec.node_name.as_str(),
            "schedulerName": spec.scheduler_name.as_str(),
            "priority": spec.priority,
            "preemptionPolicy": spec.preemption_policy.map(preemption_policy),
            "nodeSelector": labels(&spec.node_selector),
            "affinity": spec.affinity.as_deref().map(affinity),
            "tolerations": tolerations,
            "topologySpreadConstraints":
                spec.topology_spread_constraints.iter().map(spread_constraint).collect::<Vec<_>>(),
            "containers": spec.containers.iter().map(container).collect::<Vec<_>>(),
            "initContainers": spec.init_containers.iter().map(container).collect::<Vec<_>>(),
            "overhead": resource_list(&spec.overhead),
            "resources": spec.resources.as_deref().map(resource_requirements),
            "hostNetwork": spec.host_network,
            "volumes": spec.volumes.iter().map(volume).collect::<Vec<_>>(),
            "schedulingGates": gates,
        },
        "status": {
            "phase": phase,
            "startTime": pod.status.start_time.map(time),
            "containerStatuses":
                pod.status.container_statuses.iter().map(container_status).collect::<Vec<_>>(),
            "initContainerStatuses":
                pod.status.init_container_statuses.iter().map(container_status).collect::<Vec<_>>(),
            "conditions": conditions,
        },
    });
    object("v1", "Pod", &pod.metadata, rest)
}

fn toleration(toleration: &Toleration) -> Value {
    let operator = match toleration.operator {
        TolerationOperator::Equal => "Equal",
        TolerationOperator::Exists => "Exists",
    };
    json!({
        "key": toleration.key.as_str(),
        "operator": operator,
        "value": toleration.value.as_str(),
        "effect": toleration.effect.map(bayplan_api::TaintEffect::as_str),
        "tolerationSeconds": toleration.toleration_seconds,
    })
}

fn container(container: &Container) -> Value {
    let ports: Vec<Value> = container
        .ports
        .iter()
        .map(|port| {
            let protocol = match port.protocol {
                Protocol::Tcp => "TCP",
                Protocol::Udp => "UDP",
                Protocol::Sctp => "SCTP",
            };
            json!({
                "hostPort": (port.host_port != 0).then_some(port.host_port),
                "containerPort": port.container_port,
                "hostIP": port.host_ip.as_str(),
                "protocol": protocol,
            })
        })
        .collect();
    json!({
        "name": container.name.as_str(),
        "image": container.image.as_str(),
        "resources": resource_requirements(&container.resources),
        "ports": ports,
        "restartPolicy": container.restart_policy_always.then_some("Always"),
    })
}

fn container_status(status: &ContainerStatus) -> Value {
    json!({
        "name": status.name.as_str(),
        "allocatedResources": resource_list(&status.allocated_resources),
        "resources": status.resources.as_deref().map(resource_requirements),
    })
}

fn volume(volume: &Volume) -> Value {
    let (key, source) = match &volume.source {
        VolumeSource::Other => ("emptyDir", json!({})),
        VolumeSource::PersistentVolumeClaim { claim_name, read_only } => (
            "persistentVolumeClaim",
            json!({"claimName": claim_name.as_str(), "readOnly": read_only}),
        ),
        VolumeSource::Ephemeral { claim } => {
            let default = bayplan_api::PersistentVolumeClaimSpec::default();
            let spec = claim_spec(claim.as_deref().unwrap_or(&default));
            ("ephemeral", json!({"volumeClaimTemplate": {"spec": spec}}))
        }
        VolumeSource::GcePersistentDisk { pd_name, read_only } => {
            ("gcePersistentDisk", json!({"pdName": pd_name.as_str(), "readOnly": read_only}))
        }
        VolumeSource::AwsElasticBlockStore { volume_id } => {
            ("awsElasticBlockStore", json!({"volumeID": volume_id.as_str()}))
        }
        VolumeSource::AzureDisk { disk_name, disk_uri, managed } => (
            "azureDisk",
            json!({
                "diskName": disk_name.as_str(),
                "diskURI": disk_uri.as_str(),
                "kind": if *managed { "Managed" } else { "Shared" },
            }),
        ),
        VolumeSource::AzureFile { share_name } => {
            ("azureFile", json!({"shareName": share_name.as_str(), "secretName": "secret"}))
        }
        VolumeSource::Cinder { volume_id } => ("cinder", json!({"volumeID": volume_id.as_str()})),
        VolumeSource::PortworxVolume { volume_id } => {
            ("portworxVolume", json!({"volumeID": volume_id.as_str()}))
        }
        VolumeSource::VsphereVolume { volume_path } => {
            ("vsphereVolume", json!({"volumePath": volume_path.as_str()}))
        }
        VolumeSource::Iscsi { target_portal, iqn, lun, read_only } => (
            "iscsi",
            json!({
                "targetPortal": target_portal.as_str(),
                "iqn": iqn.as_str(),
                "lun": lun,
                "readOnly": read_only,
            }),
        ),
        VolumeSource::Rbd { monitors, image, pool, read_only } => (
            "rbd",
            json!({
                "monitors": strings(monitors),
                "image": image.as_str(),
                "pool": pool.as_str(),
                "readOnly": read_only,
            }),
        ),
        VolumeSource::Csi { driver, read_only } => {
            ("csi", json!({"driver": driver.as_str(), "readOnly": read_only}))
        }
        VolumeSource::HostPath => ("hostPath", json!({"path": "/mnt"})),
        VolumeSource::Nfs => ("nfs", json!({"server": "10.0.0.9", "path": "/"})),
    };
    let mut value = json!({"name": volume.name.as_str()});
    set(&mut value, key, source);
    value
}

fn access_modes(modes: &[AccessMode]) -> Vec<&'static str> {
    let name = |mode: &AccessMode| match mode {
        AccessMode::ReadWriteOnce => "ReadWriteOnce",
        AccessMode::ReadOnlyMany => "ReadOnlyMany",
        AccessMode::ReadWriteMany => "ReadWriteMany",
        AccessMode::ReadWriteOncePod => "ReadWriteOncePod",
    };
    modes.iter().map(name).collect()
}

const fn volume_mode(mode: VolumeMode) -> &'static str {
    match mode {
        VolumeMode::Filesystem => "Filesystem",
        VolumeMode::Block => "Block",
    }
}

fn claim_spec(spec: &bayplan_api::PersistentVolumeClaimSpec) -> Value {
    let class = |name: &Option<bayplan_api::Str>| name.as_ref().map(ToString::to_string);
    prune(json!({
        "accessModes": access_modes(&spec.access_modes),
        "selector": spec.selector.as_ref().map(label_selector),
        "resources": resource_requirements(&spec.resources),
        "volumeName": spec.volume_name.as_str(),
        "storageClassName": class(&spec.storage_class_name),
        "volumeMode": volume_mode(spec.volume_mode),
        "volumeAttributesClassName": class(&spec.volume_attributes_class_name),
    }))
}

fn persistent_volume_claim(claim: &PersistentVolumeClaim) -> Value {
    let rest = json!({"spec": claim_spec(&claim.spec), "status": {"phase": claim.phase.as_str()}});
    object("v1", "PersistentVolumeClaim", &claim.metadata, rest)
}

fn persistent_volume(volume: &PersistentVolume) -> Value {
    let own = &volume.spec;
    let claim_ref = own.claim_ref.as_ref().map(|reference| {
        json!({
            "kind": reference.kind.as_str(),
            "namespace": reference.namespace.as_str(),
            "name": reference.name.as_str(),
            "uid": reference.uid.as_str(),
        })
    });
    let mut spec = json!({
        "capacity": resource_list(&own.capacity),
        "accessModes": access_modes(&own.access_modes),
        "claimRef": claim_ref,
        "storageClassName": own.storage_class_name.as_str(),
        "volumeMode": volume_mode(own.volume_mode),
        "volumeAttributesClassName":
            own.volume_attributes_class_name.as_ref().map(ToString::to_string),
        "nodeAffinity":
            own.node_affinity.as_ref().map(|affinity| json!({"required": node_selector(affinity)})),
    });
    let (key, source) = match &own.source {
        PersistentVolumeSource::Other => ("flexVolume", json!({"driver": "example.com/flex"})),
        PersistentVolumeSource::Csi { driver, volume_handle } => {
            ("csi", json!({"driver": driver.as_str(), "volumeHandle": volume_handle.as_str()}))
        }
        PersistentVolumeSource::GcePersistentDisk { pd_name } => {
            ("gcePersistentDisk", json!({"pdName": pd_name.as_str()}))
        }
        PersistentVolumeSource::AwsElasticBlockStore { volume_id } => {
            ("awsElasticBlockStore", json!({"volumeID": volume_id.as_str()}))
        }
        PersistentVolumeSource::AzureDisk { disk_name, disk_uri, managed } => (
            "azureDisk",
            json!({
                "diskName": disk_name.as_str(),
                "diskURI": disk_uri.as_str(),
                "kind": if *managed { "Managed" } else { "Shared" },
            }),
        ),
        PersistentVolumeSource::AzureFile { share_name, secret_name, secret_namespace } => (
            "azureFile",
            json!({
                "shareName": share_name.as_str(),
                "secretName": secret_name.as_str(),
                "secretNamespace": secret_namespace.as_str(),
            }),
        ),
        PersistentVolumeSource::Cinder { volume_id } => {
            ("cinder", json!({"volumeID": volume_id.as_str()}))
        }
        PersistentVolumeSource::PortworxVolume { volume_id } => {
            ("portworxVolume", json!({"volumeID": volume_id.as_str()}))
        }
        PersistentVolumeSource::VsphereVolume { volume_path } => {
            ("vsphereVolume", json!({"volumePath": volume_path.as_str()}))
        }
        PersistentVolumeSource::Local => ("local", json!({"path": "/mnt/disk"})),
        PersistentVolumeSource::HostPath => ("hostPath", json!({"path": "/mnt"})),
        PersistentVolumeSource::Nfs => ("nfs", json!({"server": "10.0.0.9", "path": "/"})),
    };
    set(&mut spec, key, source);
    let rest = json!({"spec": spec, "status": {"phase": volume.phase.as_str()}});
    object("v1", "PersistentVolume", &volume.metadata, rest)
}

fn storage_class(class: &StorageClass) -> Value {
    let mode = match class.volume_binding_mode {
        VolumeBindingMode::Immediate => "Immediate",
        VolumeBindingMode::WaitForFirstConsumer => "WaitForFirstConsumer",
    };
    let topologies: Vec<Value> = class
        .allowed_topologies
        .iter()
        .map(|term| {
            let expressions: Vec<Value> = term
                .match_label_expressions
                .iter()
                .map(|own| json!({"key": own.key.as_str(), "values": strings(&own.values)}))
                .collect();
            json!({"matchLabelExpressions": expressions})
        })
        .collect();
    let rest = json!({
        "provisioner": class.provisioner.as_str(),
        "volumeBindingMode": mode,
        "allowedTopologies": topologies,
    });
    object("storage.k8s.io/v1", "StorageClass", &class.metadata, rest)
}

fn csi_node(node: &CsiNode) -> Value {
    let drivers: Vec<Value> = node
        .drivers
        .iter()
        .map(|driver| {
            json!({
                "name": driver.name.as_str(),
                "nodeID": driver.node_id.as_str(),
                "topologyKeys": strings(&driver.topology_keys),
                "allocatable": driver.allocatable_count.map(|count| json!({"count": count})),
            })
        })
        .collect();
    object("storage.k8s.io/v1", "CSINode", &node.metadata, json!({"spec": {"drivers": drivers}}))
}

fn csi_driver(driver: &CsiDriver) -> Value {
    let spec = json!({
        "attachRequired": driver.attach_required,
        "storageCapacity": driver.storage_capacity,
    });
    object("storage.k8s.io/v1", "CSIDriver", &driver.metadata, json!({"spec": spec}))
}

fn csi_storage_capacity(capacity: &CsiStorageCapacity) -> Value {
    let rest = json!({
        "nodeTopology": capacity.node_topology.as_ref().map(label_selector),
        "storageClassName": capacity.storage_class_name.as_str(),
        "capacity": capacity.capacity.as_ref().map(ToString::to_string),
        "maximumVolumeSize": capacity.maximum_volume_size.as_ref().map(ToString::to_string),
    });
    object("storage.k8s.io/v1", "CSIStorageCapacity", &capacity.metadata, rest)
}

fn volume_attachment(attachment: &VolumeAttachment) -> Value {
    let volume = attachment.persistent_volume_name.as_ref().map(ToString::to_string);
    let rest = json!({
        "spec": {
            "attacher": attachment.attacher.as_str(),
            "nodeName": attachment.node_name.as_str(),
            "source": {"persistentVolumeName": volume},
        },
        "status": {"attached": attachment.attached},
    });
    object("storage.k8s.io/v1", "VolumeAttachment", &attachment.metadata, rest)
}

fn budget(budget: &PodDisruptionBudget) -> Value {
    let disrupted: Map<String, Value> = budget
        .disrupted_pods
        .iter()
        .map(|name| (name.to_string(), json!("2025-03-01T00:00:00Z")))
        .collect();
    let rest = json!({
        "spec": {"selector": budget.selector.as_ref().map(label_selector)},
        "status": {
            "disruptionsAllowed": budget.disruptions_allowed,
            "disruptedPods": disrupted,
        },
    });
    object("policy/v1", "PodDisruptionBudget", &budget.metadata, rest)
}
