//! Recorded decisions of kube-scheduler where storage is odd: `tests/data/storage/README.md`.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;

use bayplan_api::Reader;
use bayplan_sched::cluster::Cluster;
use bayplan_sched::config::KubeSchedulerConfiguration;
use bayplan_sched::{Detail, Scheduler};
use flate2::read::GzDecoder;
use serde_json::Value;

const RECORDS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/storage/corners.jsonl.gz");

fn decide(case: &Value) -> Vec<Value> {
    let config = match &case["config"] {
        Value::Null => KubeSchedulerConfiguration::default(),
        config => {
            KubeSchedulerConfiguration::read("config", config.to_string().as_bytes()).unwrap()
        }
    };
    let mut reader = Reader::new();
    reader.read_bytes("objects", case["objects"].to_string().as_bytes()).unwrap();
    let mut cluster = Cluster::from_objects(reader.finish().unwrap()).unwrap();
    let mut decisions = Vec::new();
    let scheduler = Scheduler::new(&config).unwrap();
    scheduler.schedule_pending(&mut cluster, Detail::Trace, |cluster, decision| {
        decisions.push(serde_json::to_value(decision.trace_form(cluster)).unwrap());
        ControlFlow::Continue(())
    });
    decisions
}

/// The plugin that kube-scheduler's error names.
fn plugin_of(error: &Value) -> Option<&str> {
    error.as_str()?.split('"').nth(1)
}

#[test]
fn decides_as_recorded() {
    let mut decisions = 0;
    for line in BufReader::new(GzDecoder::new(File::open(RECORDS).unwrap())).lines() {
        let record: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let wanted = record["expected"]["decisions"].as_array().unwrap();
        let decided = decide(&record["case"]);
        assert_eq!(decided.len(), wanted.len(), "{}", record["case"]["id"]);
        for (decided, wanted) in decided.iter().zip(wanted) {
            let place = format!("{} {}", record["case"]["id"], wanted["pod"]);
            assert_eq!(plugin_of(&decided["error"]), plugin_of(&wanted["error"]), "{place}");
            // On which node a plugin fails first is a race in kube-scheduler.
            let failed = wanted["error"].is_string();
            for (field, wanted) in wanted.as_object().unwrap() {
                if field != "error" && !(failed && ["filter", "message"].contains(&field.as_str()))
                {
                    assert_eq!(&decided[field], wanted, "{place} {field}");
                }
            }
            decisions += 1;
        }
    }
    assert!(decisions > 500, "{decisions} decisions");
}
