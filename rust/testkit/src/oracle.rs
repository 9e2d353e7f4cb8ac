//! Recorded cases: what the real kube-scheduler decided, one JSON object a line.

#![expect(
    clippy::indexing_slicing,
    reason = "a serde_json::Value that lacks the member yields null, or gets it when assigned to"
)]

use std::collections::BTreeMap;

use bayplan_api::json::{Decode, from_slice};
use bayplan_api::{NodeAffinity, Objects, Reader, TopologySpreadConstraint};
use serde_json::{Map, Value, json};

use crate::model::{
    DefaultConstraints, ModelDecision, ModelProfile, Plugin, ScoringStrategy, Status,
};

/// A recorded case.
#[derive(Debug, Clone)]
pub struct Case {
    /// The case's id.
    pub id: String,
    /// The cluster, with the API server's defaults filled in.
    pub objects: Objects,
    /// The profile of `default-scheduler`.
    pub profile: ModelProfile,
    /// `expected.decisions`.
    pub expected: Vec<Value>,
}

/// Why a line is not a case that can be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseError(pub String);

impl Case {
    /// The case on one line of a recording.
    ///
    /// # Errors
    /// The line is not a case, or an object or the configuration in it cannot be read.
    pub fn from_line(line: &str) -> Result<Self, CaseError> {
        let value: Value =
            serde_json::from_str(line).map_err(|error| CaseError(error.to_string()))?;
        let case = &value["case"];
        Ok(Self {
            id: case["id"].as_str().unwrap_or_default().to_owned(),
            objects: read_objects(&case["objects"])?,
            profile: read_profile(&case["config"])?,
            expected: value["expected"]["decisions"].as_array().cloned().unwrap_or_default(),
        })
    }
}

/// The differences between the recorded decisions and those of the model, a line each.
///
/// Node names of a `PreFilter` result are compared as a set, of an error only the plugin.
pub fn differences(expected: &[Value], decisions: &[ModelDecision]) -> Vec<String> {
    let mut found = Vec::new();
    if expected.len() != decisions.len() {
        found.push(format!("{} decisions, expected {}", decisions.len(), expected.len()));
    }
    for (expected, decision) in expected.iter().zip(decisions) {
        let mut expected = expected.clone();
        let mut actual = to_json(decision);
        if let Some(names) = expected["prefilter_nodes"].as_array_mut() {
            names.sort_by_key(ToString::to_string);
        }
        if let (Some(error), Some(own)) = (expected.get("error"), &decision.error)
            && error.as_str().is_some_and(|error| error.contains(&format!("\"{}\"", own.plugin)))
        {
            if expected["message"] == *error && decision.message.is_some() {
                expected["message"] = actual["message"].clone();
            }
            expected["error"] = actual["error"].clone();
        }
        let (Some(expected), Some(actual)) = (expected.as_object(), actual.as_object_mut()) else {
            found.push("a decision is no object".to_owned());
            continue;
        };
        for (field, value) in expected {
            let own = actual.remove(field).unwrap_or(Value::Null);
            if own != *value {
                found.push(format!("{} {field}: {}", decision.pod, first_difference(&own, value)));
            }
        }
        found.extend(actual.keys().map(|field| format!("{} {field}: not expected", decision.pod)));
    }
    found
}

/// Where two values differ first, as `path: own, expected other`.
fn first_difference(own: &Value, expected: &Value) -> String {
    if let (Some(own), Some(expected)) = (own.as_object(), expected.as_object()) {
        let keys = own.keys().chain(expected.keys());
        for key in keys {
            let (own, expected) = (own.get(key), expected.get(key));
            if own != expected {
                let own = own.unwrap_or(&Value::Null);
                let expected = expected.unwrap_or(&Value::Null);
                return format!("{key}: {}", first_difference(own, expected));
            }
        }
    }
    format!("{own}, expected {expected}")
}

/// A decision in the form of the recorded cases.
pub fn to_json(decision: &ModelDecision) -> Value {
    let status = |status: &Status| {
        json!({
            "plugin": status.plugin,
            "code": status.code.as_str(),
            "reasons": status.reasons,
        })
    };
    let by_plugin = |scores: &BTreeMap<&'static str, BTreeMap<String, i64>>| {
        let entries = scores.iter().map(|(plugin, scores)| ((*plugin).to_owned(), json!(scores)));
        Value::Object(entries.collect::<Map<String, Value>>())
    };
    let filter: Map<String, Value> = decision
        .filter
        .iter()
        .map(|(node, rejection)| (node.clone(), rejection.as_ref().map_or(Value::Null, status)))
        .collect();
    let mut value = json!({
        "pod": decision.pod,
        "gated": decision.gated,
        "prefilter": decision.prefilter.as_ref().map(status),
        "prefilter_nodes": decision.prefilter_nodes,
        "filter": filter,
        "raw_scores": by_plugin(&decision.raw_scores),
        "scores": by_plugin(&decision.scores),
        "totals": decision.totals,
        "best": decision.best,
        "chosen": decision.chosen,
        "message": decision.message,
        "preemption": decision.preemption.as_ref().map(|preemption| json!({
            "node": preemption.node,
            "victims": preemption.victims,
            "candidates": preemption.candidates,
        })),
    });
    if let Some(error) = &decision.error {
        value["error"] = json!(error.message);
    }
    value
}

fn decode<T: Decode>(value: &Value) -> Result<T, CaseError> {
    from_slice(value.to_string().as_bytes()).map_err(|fault| CaseError(format!("{fault:?}")))
}

/// The objects of a `v1.List`, read as any dump is: validated, and with defaults filled in.
///
/// # Errors
/// An object cannot be read, or is not valid.
pub fn read_objects(list: &Value) -> Result<Objects, CaseError> {
    let error = |error: bayplan_api::ReadError| CaseError(error.to_string());
    let mut reader = Reader::new();
    reader.read_bytes("case", list.to_string().as_bytes()).map_err(error)?;
    reader.finish().map_err(error)
}

/// The model's profile for a `KubeSchedulerConfiguration` with one profile.
///
/// # Errors
/// An affinity or constraint in it cannot be read.
pub fn read_profile(config: &Value) -> Result<ModelProfile, CaseError> {
    let mut profile = ModelProfile::default();
    let Some(given) = config["profiles"].as_array().and_then(|profiles| profiles.first()) else {
        return Ok(profile);
    };
    if let Some(name) = given["schedulerName"].as_str() {
        name.clone_into(&mut profile.scheduler_name);
    }
    read_plugins(&given["plugins"], &mut profile);
    for config in array(&given["pluginConfig"]) {
        let args = &config["args"];
        match config["name"].as_str().unwrap_or_default() {
            "NodeResourcesFit" => read_fit(args, &mut profile),
            "NodeResourcesBalancedAllocation" => {
                if let Some(resources) = args["resources"].as_array() {
                    profile.balanced_resources =
                        resources.iter().map(|resource| string(&resource["name"])).collect();
                }
            }
            "InterPodAffinity" => {
                if let Some(weight) = args["hardPodAffinityWeight"].as_i64() {
                    profile.hard_pod_affinity_weight = i32::try_from(weight).unwrap_or_default();
                }
                profile.ignore_preferred_terms_of_existing_pods =
                    args["ignorePreferredTermsOfExistingPods"].as_bool().unwrap_or_default();
            }
            "NodeAffinity" if args["addedAffinity"].is_object() => {
                profile.added_affinity = Some(decode::<NodeAffinity>(&args["addedAffinity"])?);
            }
            "PodTopologySpread" if args["defaultingType"] == "List" => {
                let constraints: Result<Vec<TopologySpreadConstraint>, CaseError> =
                    array(&args["defaultConstraints"]).iter().map(decode).collect();
                profile.default_constraints = DefaultConstraints::List(constraints?);
            }
            _ => {}
        }
    }
    Ok(profile)
}

fn read_plugins(plugins: &Value, profile: &mut ModelProfile) {
    let is_disabled = |set: &Value, plugin: Plugin| {
        array(&set["disabled"])
            .iter()
            .any(|disabled| disabled["name"] == "*" || disabled["name"] == plugin.name())
    };
    let enabled = |set: &Value, plugin: Plugin| {
        let entry = array(&set["enabled"]).iter().find(|own| own["name"] == plugin.name())?;
        Some(entry["weight"].as_i64().filter(|weight| *weight != 0).unwrap_or(1))
    };
    let multi_point = &plugins["multiPoint"];
    let runs = |plugin: Plugin, point: &str| {
        let in_multi_point =
            enabled(multi_point, plugin).is_some() || !is_disabled(multi_point, plugin);
        enabled(&plugins[point], plugin).is_some()
            || (in_multi_point && !is_disabled(&plugins[point], plugin))
    };
    profile.pre_filter.retain(|plugin| runs(*plugin, "preFilter"));
    profile.filter.retain(|plugin| runs(*plugin, "filter"));
    profile.pre_score.retain(|plugin| runs(*plugin, "preScore"));
    profile.score.retain(|(plugin, _)| runs(*plugin, "score"));
    for (plugin, weight) in &mut profile.score {
        let given = enabled(&plugins["score"], *plugin).or_else(|| enabled(multi_point, *plugin));
        *weight = given.unwrap_or(*weight);
    }
    profile.preemption = runs(Plugin::DefaultPreemption, "postFilter");
}

fn read_fit(args: &Value, profile: &mut ModelProfile) {
    let fit = &mut profile.fit;
    fit.ignored_resources = array(&args["ignoredResources"]).iter().map(string).collect();
    fit.ignored_resource_groups =
        array(&args["ignoredResourceGroups"]).iter().map(string).collect();
    let strategy = &args["scoringStrategy"];
    if let Some(resources) = strategy["resources"].as_array().filter(|given| !given.is_empty()) {
        fit.resources = resources
            .iter()
            .map(|resource| {
                let weight = resource["weight"].as_i64().filter(|weight| *weight != 0);
                (string(&resource["name"]), weight.unwrap_or(1))
            })
            .collect();
    }
    let number = |value: &Value| value.as_i64().unwrap_or_default();
    fit.strategy = match strategy["type"].as_str() {
        Some("MostAllocated") => ScoringStrategy::MostAllocated,
        Some("RequestedToCapacityRatio") => ScoringStrategy::RequestedToCapacityRatio(
            array(&strategy["requestedToCapacityRatio"]["shape"])
                .iter()
                .map(|point| (number(&point["utilization"]), number(&point["score"])))
                .collect(),
        ),
        _ => ScoringStrategy::LeastAllocated,
    };
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
