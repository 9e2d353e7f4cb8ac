//! Decides the pods of a workload, for tools that count what that takes.
//!
//! `cargo run --release -p bayplan-sched --example decide -- [--ready] NAME/SIZE`: generates the objects, places the first pods, adds the
//! measured ones, and decides them in a session that knows nothing. With `--ready` it stops before that: what it
//! costs less is the cost of deciding. Prints how many pods wait, and how many were placed.

#![allow(clippy::print_stdout, reason = "a command that prints")]

use std::error::Error;

use bayplan_sched::cluster::{Cluster, Place};
use bayplan_sched::{Decided, Scheduler};
use bayplan_workloads::Workload;

fn main() -> Result<(), Box<dyn Error>> {
    let (flags, names): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument == "--ready");
    let [name] = names.as_slice() else {
        return Err("usage: decide [--ready] NAME/SIZE".into());
    };
    let generated = name.parse::<Workload>()?.generate();
    let scheduler = Scheduler::default();
    let mut cluster = Cluster::from_objects(generated.cluster.clone())?;
    for pod in generated.first() {
        cluster.add_pod(pod)?;
    }
    let mut session = scheduler.session();
    for pod in scheduler.queue(&cluster) {
        session.schedule(&mut cluster, pod);
    }
    drop(session);
    for pod in generated.measured() {
        cluster.add_pod(pod)?;
    }
    let waiting = cluster.pods().iter().filter(|row| row.place == Place::Pending).count();
    let mut placed = 0;
    if flags.is_empty() {
        let mut session = scheduler.session();
        for pod in scheduler.queue(&cluster) {
            placed +=
                usize::from(matches!(session.schedule(&mut cluster, pod), Decided::Placed(_)));
        }
    }
    println!("{waiting} {placed}");
    Ok(())
}
