//! Objects and profiles as the JSON that kubectl prints and that kube-scheduler reads.

use bayplan_api::json::{Encode, to_vec};
use bayplan_api::{Objects, PersistentVolumeSource};
use serde_json::{Value, json};

use crate::model::{DefaultConstraints, ModelProfile, Plugin, ScoringStrategy};

/// What the API demands of a source of a volume, and bayplan does not keep: source, member, a value.
const REQUIRED: [(&str, &str, &str); 5] = [
    ("azureFile", "secretName", "secret"),
    ("hostPath", "path", "/mnt"),
    ("local", "path", "/mnt/disk"),
    ("nfs", "server", "10.0.0.9"),
    ("nfs", "path", "/"),
];

/// A `v1.List` of all objects, each of which an API server takes.
pub fn list(objects: &Objects) -> Value {
    let mut text = Vec::new();
    // memory takes all that is written
    let _ = objects.write_json(&mut text);
    let mut list: Value = serde_json::from_slice(&text).unwrap_or_default();
    if let Some(items) = list.get_mut("items").and_then(Value::as_array_mut) {
        for item in items {
            complete(item, objects);
        }
    }
    list
}

/// Puts in what the API demands and bayplan does not keep.
fn complete(item: &mut Value, objects: &Objects) {
    let text = |item: &Value, pointer| {
        item.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let (kind, name) = (text(item, "/kind"), text(item, "/metadata/name"));
    match kind.as_str() {
        "Pod" => {
            let volumes = item.pointer_mut("/spec/volumes").and_then(Value::as_array_mut);
            volumes.into_iter().flatten().for_each(complete_volume);
        }
        "PersistentVolume" => {
            let Some(spec) = item.get_mut("spec") else { return };
            complete_volume(spec);
            let other = |volume: &bayplan_api::PersistentVolume| {
                volume.metadata.name == *name && volume.spec.source == PersistentVolumeSource::Other
            };
            if objects.persistent_volumes.iter().any(other) {
                set(spec, "flexVolume", json!({"driver": "example.com/flex"}));
            }
        }
        "Service" => {
            let mut spec = item.get("spec").cloned().unwrap_or_else(|| json!({}));
            set(&mut spec, "ports", json!([{"port": 80}]));
            set(item, "spec", spec);
        }
        _ => {}
    }
}

fn complete_volume(volume: &mut Value) {
    for (source, member, text) in REQUIRED {
        if let Some(source) = volume.get_mut(source)
            && source.get(member).is_none()
        {
            set(source, member, json!(text));
        }
    }
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
            "defaultConstraints": constraints.iter().map(value).collect::<Vec<_>>(),
        }),
    };
    let preemption_args = profile.sampling.map_or(json!({}), |sampling| {
        json!({
            "minCandidateNodesPercentage": sampling.min_candidate_nodes_percentage,
            "minCandidateNodesAbsolute": sampling.min_candidate_nodes_absolute,
        })
    });
    let percentage = profile.sampling.map_or(100, |sampling| sampling.percentage_of_nodes_to_score);
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
        ("NodeAffinity", json!({"addedAffinity": profile.added_affinity.as_ref().map(value)})),
        ("PodTopologySpread", spread),
        ("DefaultPreemption", preemption_args),
    ];
    let arguments: Vec<Value> =
        arguments.into_iter().map(|(name, args)| json!({"name": name, "args": args})).collect();
    prune(json!({
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "percentageOfNodesToScore": percentage,
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

fn value<T: Encode>(object: &T) -> Value {
    serde_json::from_slice(&to_vec(object)).unwrap_or_default()
}
