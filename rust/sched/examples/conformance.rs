//! Holds recorded decisions of kube-scheduler against the engine's.
//!
//! `cargo run --release -p bayplan-sched --example conformance -- [--sampling] FILE…`: each file holds a case a line, plain or gzipped, in
//! the form that `tests/data/conformance/README.md` describes. Prints the first differences of each kind, then how many
//! cases and decisions agree, file by file; ends with 1 unless all agree. `--sampling` is for cases that the peer decided
//! with `-sampling`: the engine looks at as few nodes, too.

#![allow(clippy::print_stdout, reason = "a command that prints")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::process::ExitCode;

use bayplan_api::Reader;
use bayplan_sched::cluster::Cluster;
use bayplan_sched::config::KubeSchedulerConfiguration;
use bayplan_sched::{Decided, Detail, Sampling, Scheduler, SchedulerOptions};
use serde_json::Value;

/// The fields of a decision that are compared.
const FIELDS: [&str; 12] = [
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
];

/// How many differences of one kind are shown.
const SHOWN: usize = 3;

/// How many cases and decisions there are, and how many agree.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    cases: usize,
    equal_cases: usize,
    decisions: usize,
    equal_decisions: usize,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut tallies: Vec<(String, Tally)> = Vec::new();
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    let (flags, paths): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument == "--sampling");
    let sampling = if flags.is_empty() { Sampling::All } else { Sampling::Kube };
    let options = SchedulerOptions { sampling, ..SchedulerOptions::default() };
    for path in paths {
        let mut tally = Tally::default();
        for line in lines(&path)? {
            compare(&serde_json::from_str(&line?)?, options, &mut tally, &mut shown)?;
        }
        tallies.push((path, tally));
    }
    let mut all = Tally::default();
    for (path, tally) in &tallies {
        let name = path.rsplit('/').next().unwrap_or(path);
        print(name, *tally);
        all.cases += tally.cases;
        all.equal_cases += tally.equal_cases;
        all.decisions += tally.decisions;
        all.equal_decisions += tally.equal_decisions;
    }
    print("all", all);
    Ok(if all.cases == all.equal_cases { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn lines(path: &str) -> Result<std::io::Lines<impl BufRead>, std::io::Error> {
    let mut file = BufReader::new(File::open(path)?);
    let gzipped = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let text: Box<dyn Read> =
        if gzipped { Box::new(flate2::read::MultiGzDecoder::new(file)) } else { Box::new(file) };
    Ok(BufReader::new(text).lines())
}

fn print(name: &str, tally: Tally) {
    let Tally { cases, equal_cases, decisions, equal_decisions } = tally;
    println!(
        "{name:28} {equal_cases:5} of {cases:5} cases, {equal_decisions:6} of {decisions:6} decisions"
    );
}

/// The engine's decisions of a case, in the trace form.
fn decide(case: &Value, options: SchedulerOptions) -> Result<Vec<Value>, Box<dyn Error>> {
    let config = match &case["config"] {
        Value::Null => KubeSchedulerConfiguration::default(),
        config => KubeSchedulerConfiguration::read("config", config.to_string().as_bytes())?,
    };
    let mut reader = Reader::new();
    reader.read_bytes("objects", case["objects"].to_string().as_bytes())?;
    let mut cluster = Cluster::from_objects(reader.finish()?)?;
    let mut decisions = Vec::new();
    let scheduler = Scheduler::new(&config)?.with_options(options);
    let brief = decide_briefly(&scheduler, cluster.clone());
    scheduler.schedule_pending(&mut cluster, Detail::Trace, |cluster, decision| {
        decisions.push(serde_json::to_value(decision.trace_form(cluster)));
        ControlFlow::Continue(())
    });
    let mut decisions: Vec<Value> = decisions.into_iter().collect::<Result<_, _>>()?;
    for (decision, brief) in decisions.iter_mut().zip(brief) {
        if (&decision["chosen"], &decision["message"]) != (&brief[0], &brief[1]) {
            // no record has such an outcome: the case differs
            decision["outcome"] = "two ways of deciding differ".into();
            decision["chosen"] = brief[0].clone();
        }
    }
    Ok(decisions)
}

/// The chosen node and the message of each decision, as those are told who want to know no more.
fn decide_briefly(scheduler: &Scheduler, mut cluster: Cluster) -> Vec<[Value; 2]> {
    let mut session = scheduler.session();
    let mut decisions = Vec::new();
    for pod in scheduler.queue(&cluster) {
        let decided = session.schedule(&mut cluster, pod);
        let name = |node| Value::from(cluster.nodes().name(node).as_str());
        decisions.push(match decided {
            Decided::Placed(placement) => [name(placement.node), Value::Null],
            Decided::Refused(refused) => [Value::Null, refused.message.as_str().into()],
            Decided::Other(decision) => {
                [decision.chosen.map_or(Value::Null, name), decision.message.into()]
            }
        });
    }
    decisions
}

fn compare(
    record: &Value,
    options: SchedulerOptions,
    tally: &mut Tally,
    shown: &mut BTreeMap<String, usize>,
) -> Result<(), Box<dyn Error>> {
    let case = &record["case"];
    let id = case["id"].as_str().unwrap_or_default();
    let wanted = record
        .pointer("/expected/decisions")
        .and_then(Value::as_array)
        .ok_or("no decisions in the record")?;
    tally.cases += 1;
    tally.decisions += wanted.len();
    let decided = match decide(case, options) {
        Ok(decided) => decided,
        // The peer's own word for a configuration that kube-scheduler refuses too.
        Err(_) if record.pointer("/expected/config_error").is_some_and(Value::is_string) => {
            Vec::new()
        }
        Err(error) => {
            println!("{id}: {error}");
            return Ok(());
        }
    };
    let mut equal = decided.len() == wanted.len();
    if !equal {
        println!("{id}: {} decisions, wanted {}", decided.len(), wanted.len());
    }
    for (decided, wanted) in decided.iter().zip(wanted) {
        let failed = wanted["error"].is_string();
        let mut different: Vec<&str> = FIELDS
            .into_iter()
            .filter(|field| decided[*field] != wanted[*field])
            // Which node's score an error names, and which nodes were filtered before it, is a race there.
            .filter(|field| !(failed && ["message", "filter"].contains(field)))
            .collect();
        if plugin_of(&decided["error"]) != plugin_of(&wanted["error"]) {
            different.push("error");
        }
        if different.is_empty() {
            tally.equal_decisions += 1;
            continue;
        }
        equal = false;
        let times = shown.entry(different.join(" ")).or_default();
        *times += 1;
        if *times <= SHOWN {
            println!("{id} {}: {}", wanted["pod"], different.join(" "));
            for field in different.iter().take(2) {
                show(field, &decided[*field], &wanted[*field]);
            }
        }
        // What follows stands on another cluster.
        break;
    }
    tally.equal_cases += usize::from(equal);
    Ok(())
}

/// The plugin that an error names.
fn plugin_of(error: &Value) -> Option<&str> {
    error.as_str().map(|error| error.split('"').nth(1).unwrap_or(error))
}

fn show(path: &str, decided: &Value, wanted: &Value) {
    if let (Value::Object(decided), Value::Object(wanted)) = (decided, wanted) {
        let keys = decided.keys().chain(wanted.keys());
        let first = keys.into_iter().find(|key| decided.get(*key) != wanted.get(*key));
        if let Some(key) = first {
            let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned();
            show(
                &format!("{path}.{key}"),
                &of(decided).unwrap_or_default(),
                &of(wanted).unwrap_or_default(),
            );
        }
    } else {
        println!("    {path}: decided {decided}, wanted {wanted}");
    }
}
