//! Holds recorded decisions of kube-scheduler against the engine's: `conformance FILE…`, each with a case a line, plain or
//! gzipped, in the form that `tests/data/conformance/README.md` describes.
#![allow(clippy::all, clippy::pedantic, clippy::restriction, missing_docs, reason = "wip")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;

use bayplan_api::json::from_slice;
use bayplan_api::*;
use bayplan_sched::cluster::Cluster;
use bayplan_sched::config::KubeSchedulerConfiguration;
use bayplan_sched::{Detail, Scheduler};
use serde_json::Value;

fn objects(case: &Value) -> Objects {
    let mut o = Objects::default();
    for item in case["objects"]["items"].as_array().unwrap() {
        let text = serde_json::to_vec(item).unwrap();
        macro_rules! put {
            ($f:ident) => {
                o.$f.push(from_slice(&text).unwrap_or_else(|e| panic!("{} {e:?}", item)))
            };
        }
        match item["kind"].as_str().unwrap() {
            "Node" => put!(nodes),
            "Pod" => put!(pods),
            "Namespace" => put!(namespaces),
            "Service" => put!(services),
            "ReplicaSet" => put!(replica_sets),
            "ReplicationController" => put!(replication_controllers),
            "StatefulSet" => put!(stateful_sets),
            "PersistentVolume" => put!(persistent_volumes),
            "PersistentVolumeClaim" => put!(persistent_volume_claims),
            "StorageClass" => put!(storage_classes),
            "CSINode" => put!(csi_nodes),
            "CSIDriver" => put!(csi_drivers),
            "PodDisruptionBudget" => put!(pod_disruption_budgets),
            "PriorityClass" => put!(priority_classes),
            "CSIStorageCapacity" => put!(csi_storage_capacities),
            "VolumeAttachment" => put!(volume_attachments),
            other => panic!("{other}"),
        }
    }
    let default = o.priority_classes.iter().find(|c| c.global_default).cloned();
    for pod in &mut o.pods {
        let spec = &mut pod.spec;
        if spec.scheduler_name.is_empty() {
            spec.scheduler_name = "default-scheduler".into();
        }
        for c in spec.containers.iter_mut().chain(&mut spec.init_containers) {
            for (name, q) in c.resources.limits.clone().iter() {
                if !c.resources.requests.contains_key(name) {
                    c.resources.requests.insert(name.clone(), q.clone());
                }
            }
            if spec.host_network {
                for p in &mut c.ports {
                    if p.host_port == 0 {
                        p.host_port = p.container_port;
                    }
                }
            }
        }
        if let Some(r) = &mut spec.resources {
            for (name, q) in r.limits.clone().iter() {
                if !r.requests.contains_key(name) {
                    r.requests.insert(name.clone(), q.clone());
                }
            }
        }
        let class = o
            .priority_classes
            .iter()
            .find(|c| c.metadata.name == spec.priority_class_name)
            .or(default.as_ref().filter(|_| spec.priority_class_name.is_empty()));
        if let Some(c) = class {
            if spec.priority.is_none() {
                spec.priority = Some(c.value);
            }
            if spec.preemption_policy.is_none() {
                spec.preemption_policy = c.preemption_policy;
            }
        }
    }
    o
}

fn main() {
    let mut totals: BTreeMap<String, [usize; 4]> = BTreeMap::new();
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    for path in std::env::args().skip(1) {
        let file = std::fs::File::open(&path).unwrap();
        let reader: Box<dyn Read> = if path.ends_with(".gz") {
            Box::new(flate2::read::MultiGzDecoder::new(file))
        } else {
            Box::new(file)
        };
        for line in BufReader::new(reader).lines() {
            let record: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let case = &record["case"];
            let id = case["id"].as_str().unwrap().to_owned();
            let group = path.rsplit('/').next().unwrap().to_owned();
            let config = if case["config"].is_null() {
                KubeSchedulerConfiguration::default()
            } else {
                KubeSchedulerConfiguration::read(
                    "config",
                    serde_json::to_string(&case["config"]).unwrap().as_bytes(),
                )
                .unwrap()
            };
            let mut cluster = Cluster::from_objects(objects(case)).unwrap();
            let scheduler = Scheduler::new(&config).unwrap();
            let mut got = Vec::new();
            scheduler.schedule_pending(&mut cluster, Detail::Trace, |cluster, decision| {
                got.push(serde_json::to_value(decision.trace_form(cluster)).unwrap());
                ControlFlow::Continue(())
            });
            let wanted = record["expected"]["decisions"].as_array().unwrap();
            let t = totals.entry(group.clone()).or_default();
            t[0] += 1;
            t[2] += wanted.len();
            let mut ok = true;
            if got.len() != wanted.len() {
                ok = false;
                println!("{id}: {} decisions, wanted {}", got.len(), wanted.len());
            }
            for (g, w) in got.iter().zip(wanted) {
                if g["outcome"] == "Unsupported" || g["outcome"] == "Undetermined" {
                    ok = false;
                    break;
                }
                let bad: Vec<&str> = [
                    "pod",
                    "gated",
                    "prefilter",
                    "prefilter_nodes",
                    "filter",
                    "raw_scores",
                    "scores",
                    "totals",
                    "best",
                    "chosen",
                    "message",
                    "preemption",
                ]
                .into_iter()
                .filter(|k| {
                    if w.get("error").is_some_and(|e| !e.is_null())
                        && (*k == "scores" || *k == "totals" || *k == "best")
                    {
                        return false;
                    }
                    let sorted = |v: &Value| -> Value {
                        if *k == "prefilter_nodes" && v.is_array() {
                            let mut a = v.as_array().unwrap().clone();
                            a.sort_by_key(|x| x.to_string());
                            Value::Array(a)
                        } else {
                            v.clone()
                        }
                    };
                    sorted(&g[*k]) != sorted(&w[*k])
                })
                .collect();
                if !bad.is_empty() {
                    ok = false;
                    let n = shown.entry(bad.join(",")).or_default();
                    *n += 1;
                    if *n <= 3 {
                        println!("{id} {}: {bad:?}", w["pod"]);
                        for k in bad.iter().take(2) {
                            if let (Some(a), Some(b)) = (g[*k].as_object(), w[*k].as_object()) {
                                for key in a.keys().chain(b.keys()) {
                                    if a.get(key) != b.get(key) {
                                        println!(
                                            "   {k}.{key}: got {} wanted {}",
                                            a.get(key)
                                                .map(|x| x.to_string())
                                                .unwrap_or_default()
                                                .chars()
                                                .take(300)
                                                .collect::<String>(),
                                            b.get(key)
                                                .map(|x| x.to_string())
                                                .unwrap_or_default()
                                                .chars()
                                                .take(300)
                                                .collect::<String>()
                                        );
                                        break;
                                    }
                                }
                            } else {
                                println!("   {k}: got {} wanted {}", g[*k], w[*k]);
                            }
                        }
                    }
                    break;
                }
                t[3] += 1;
            }
            if ok {
                t[1] += 1;
            }
        }
    }
    println!("{shown:?}");
    let mut sum = [0; 4];
    for (group, t) in &totals {
        println!("{group:32} cases {:4}/{:4}  decisions {:5}/{:5}", t[1], t[0], t[3], t[2]);
        for (s, t) in sum.iter_mut().zip(t) {
            *s += t;
        }
    }
    println!("{:32} cases {:4}/{:4}  decisions {:5}/{:5}", "all", sum[1], sum[0], sum[3], sum[2]);
}
