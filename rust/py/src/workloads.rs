//! Workloads by name: which there are, and their objects in a file.

use std::fs::File;
use std::io::BufWriter;

use bayplan_api::{Objects, Pod, PodPhase, Time};
use bayplan_sched::Scheduler;
use bayplan_sched::cluster::{Cluster, Place};
use bayplan_workloads::{Generated, Shape, Workload};
use pyo3::prelude::*;

use crate::enter::{Interrupt, enter, guard};
use crate::error::{Fault, NativeError};
use crate::state::cluster_error;

/// When the first pods started, in nanoseconds since 1970: 2025-01-01T00:00:00Z.
const STARTED: Time = Time { unix_nanos: 1_735_689_600_000_000_000 };

/// Name, size, and numbers of nodes, first and measured pods.
type Listed = (&'static str, String, u32, u32, u32);

fn listed(workload: &Workload) -> Listed {
    let size = workload.size;
    (workload.shape.name(), workload.size_name(), size.nodes, size.first, size.measured)
}

fn parse(workload: &str) -> Result<Workload, NativeError> {
    workload.parse().map_err(|error: bayplan_workloads::WorkloadError| {
        NativeError::argument(Fault::new(error.to_string()))
    })
}

/// Every workload at every size that is listed.
#[pyfunction]
pub(crate) fn workloads() -> Vec<Listed> {
    Workload::all().map(|workload| listed(&workload)).collect()
}

/// Name and one line about each workload.
#[pyfunction]
pub(crate) fn workload_names() -> Vec<(&'static str, &'static str)> {
    Shape::ALL.iter().map(|shape| (shape.name(), shape.description())).collect()
}

/// The workload of that name and size.
#[pyfunction]
pub(crate) fn workload(name: &str) -> PyResult<Listed> {
    Ok(guard(|| parse(name).map(|workload| listed(&workload)))?)
}

/// Writes the workload's objects as a `v1.List`, the first pods on the nodes that the default scheduler gives them.
#[pyfunction]
pub(crate) fn write_workload(py: Python<'_>, name: &str, path: &str) -> PyResult<()> {
    Ok(enter(py, |interrupt| {
        let generated = parse(name)?.generate();
        let first = placed(name, &generated, interrupt)?;
        let pods = first.into_iter().chain(generated.measured()).collect();
        let objects = Objects { pods, ..generated.cluster };
        let failed = |error| NativeError::Source { path: path.to_owned(), error };
        let file = File::create(path).map_err(failed)?;
        objects.write_json(BufWriter::new(file)).map_err(failed)
    })?)
}

/// The first pods, each running where it was placed; gated ones wait.
///
/// # Errors
///
/// `NativeError::Argument` if not all of them have a place, as may be in sizes that are not listed.
fn placed(
    workload: &str,
    generated: &Generated,
    interrupt: &Interrupt,
) -> Result<Vec<Pod>, NativeError> {
    let mut cluster = Cluster::from_objects(generated.cluster.clone()).map_err(cluster_error)?;
    let mut rows = Vec::with_capacity(generated.first().len());
    for pod in generated.first() {
        rows.push(cluster.add_pod(pod).map_err(cluster_error)?);
    }
    let scheduler = Scheduler::default();
    let mut session = scheduler.session();
    for pod in scheduler.queue(&cluster) {
        interrupt.check()?;
        session.schedule(&mut cluster, pod);
    }
    let placed = rows.into_iter().zip(generated.first()).map(|(row, mut pod)| {
        match cluster.pods().get(row).map(|row| row.place) {
            Some(Place::On(node)) => {
                pod.spec.node_name = cluster.nodes().name(node).clone();
                pod.status.phase = PodPhase::Running;
                pod.status.start_time = Some(STARTED);
                Ok(pod)
            }
            _ if !pod.spec.scheduling_gates.is_empty() => Ok(pod),
            _ => {
                let fault = Fault::new("the workload does not fit on so few nodes");
                let object = Some(format!("Pod {}/{}", pod.metadata.namespace, pod.metadata.name));
                let value = Some(workload.to_owned());
                Err(NativeError::argument(Fault { object, value, ..fault }))
            }
        }
    });
    placed.collect()
}
