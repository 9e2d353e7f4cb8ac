//! The engine decides what the readable model decides.
//!
//! The model computes everything anew for each pod and node; the engine keeps columns, counters and plans.

use std::ops::ControlFlow;

use bayplan_api::Objects;
use bayplan_sched::cluster::Cluster;
use bayplan_sched::config::KubeSchedulerConfiguration;
use bayplan_sched::{Detail, Scheduler};
use bayplan_testkit::model::{Model, ModelProfile, Plugin};
use bayplan_testkit::strategies::{ClusterShape, cluster, profile};
use bayplan_testkit::{json, oracle};
use proptest::prelude::*;
use serde_json::Value;

/// Decisions of engine and model, member by member as a trace has them.
fn decide(objects: &Objects, profile: &ModelProfile) -> Vec<(Value, Value)> {
    let model = Model::new(objects, profile.clone()).run();
    let mut engine = Vec::new();
    let mut cluster = Cluster::from_objects(objects.clone()).unwrap();
    scheduler(profile).schedule_pending(&mut cluster, Detail::Trace, |cluster, decision| {
        engine.push(serde_json::to_value(decision.trace_form(cluster)).unwrap());
        ControlFlow::Continue(())
    });
    assert_eq!(engine.len(), model.len(), "the number of decisions");
    engine.into_iter().zip(model.iter().map(oracle::to_json)).collect()
}

pub(crate) fn scheduler(profile: &ModelProfile) -> Scheduler {
    match json::configuration(profile) {
        Value::Null => Scheduler::default(),
        configuration => {
            let text = configuration.to_string();
            let read = KubeSchedulerConfiguration::read("profile.json", text.as_bytes());
            Scheduler::new(&read.unwrap()).unwrap()
        }
    }
}

/// Some members of every decision are the same in both; of an error only the plugin that it names.
fn agree(objects: &Objects, profile: &ModelProfile, members: &[&str]) -> Result<(), TestCaseError> {
    for (engine, model) in decide(objects, profile) {
        let errors = (engine.get("error"), model.get("error"));
        prop_assert_eq!(
            errors.0.map(named_plugin),
            errors.1.map(named_plugin),
            "error of {}",
            engine
        );
        for member in members {
            let (own, expected) = (engine.get(member), model.get(member));
            let named = *member != "message" || expected == Some(&Value::Null);
            // Which nodes were filtered before one failed is a race in kube-scheduler.
            if errors.1.is_none() || named && *member != "filter" {
                prop_assert_eq!(own, expected, "{} of {}", member, engine);
            }
        }
    }
    Ok(())
}

fn named_plugin(error: &Value) -> Option<Plugin> {
    let error = error.as_str()?;
    Plugin::DEFAULT_ORDER.into_iter().find(|plugin| error.contains(plugin.name()))
}

fn small() -> impl Strategy<Value = Objects> {
    cluster(ClusterShape::default())
}

/// With claims, volumes, classes and drivers.
fn with_storage() -> impl Strategy<Value = Objects> {
    cluster(ClusterShape { storage: true, ..ClusterShape::default() })
}

/// Few nodes with many pods: there is somebody to evict.
fn crowded() -> impl Strategy<Value = Objects> {
    cluster(ClusterShape { nodes: 1..=3, running: 10..=30, ..ClusterShape::default() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn attempts_the_same_pods_in_the_same_order(objects in small(), profile in profile()) {
        agree(&objects, &profile, &["pod", "gated"])?;
    }

    #[test]
    fn rejects_the_same_nodes_for_the_same_reasons(objects in small(), profile in profile()) {
        agree(&objects, &profile, &["prefilter", "prefilter_nodes", "filter"])?;
    }

    #[test]
    fn gives_the_same_scores(objects in small(), profile in profile()) {
        agree(&objects, &profile, &["raw_scores", "scores", "totals"])?;
    }

    #[test]
    fn chooses_the_same_node(objects in small(), profile in profile()) {
        agree(&objects, &profile, &["best", "chosen"])?;
    }

    #[test]
    fn says_the_same_to_the_user(objects in small(), profile in profile()) {
        agree(&objects, &profile, &["message"])?;
    }

    #[test]
    fn treats_volumes_alike(objects in with_storage(), profile in profile()) {
        agree(&objects, &profile, &["prefilter", "filter", "chosen", "message", "preemption"])?;
    }

    #[test]
    fn evicts_the_same_pods(objects in crowded(), profile in profile()) {
        agree(&objects, &profile, &["chosen", "preemption"])?;
    }
}
