//! `Scheduler`: profiles of a configuration, asked about clusters.

use std::fs::File;
use std::io::{BufWriter, Write};

use bayplan_sched::cluster as sched;
use bayplan_sched::cluster::Place;
use bayplan_sched::decision::Decision;
use bayplan_sched::index_vec::PodIdx;
use bayplan_sched::{
    Decided, Detail, NotDecided, Sampling, Scheduler as Engine, SchedulerOptions, TieBreak,
};
use indexmap::IndexSet;
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

use crate::cluster::Cluster;
use crate::decisions::{Decisions, Row};
use crate::enter::{Interrupt, enter, guard};
use crate::error::{Fault, NativeError};
use crate::input::{Input, configuration_error, read_configuration, read_objects};
use crate::state::{State, cluster_error};

/// A scheduler.
#[pyclass(frozen, module = "bayplan._native")]
#[derive(Debug)]
pub(crate) struct Scheduler {
    engine: Engine,
    warnings: Vec<String>,
    /// What errors call the configuration, and its text.
    config: Option<(String, Vec<u8>)>,
}

/// The pods that a call is about.
enum Pods {
    /// All that wait.
    All,
    /// Some that wait, by `namespace/name`.
    Named(Vec<String>),
    /// New ones.
    New(Input),
}

impl Pods {
    fn from_python(pods: &Bound<'_, PyAny>) -> Result<Self, NativeError> {
        if pods.is_none() {
            return Ok(Self::All);
        }
        if let Ok(names) = pods.cast::<PyList>() {
            return Ok(Self::Named(names.extract()?));
        }
        Ok(Self::New(Input::from_python(pods)?))
    }
}

/// The pod that a call is about.
enum Pod {
    /// `namespace/name` of one in the cluster.
    Named(String),
    /// A new one.
    New(Input),
}

impl Pod {
    fn from_python(pod: &Bound<'_, PyAny>) -> Result<Self, NativeError> {
        match pod.cast::<PyString>() {
            Ok(name) => Ok(Self::Named(name.extract()?)),
            Err(_) => Ok(Self::New(Input::from_python(pod)?)),
        }
    }
}

/// Reads new pods and adds them to the cluster.
fn add_pods(
    state: &mut State,
    input: &Input,
    interrupt: &Interrupt,
) -> Result<Vec<PodIdx>, NativeError> {
    let known = state.priority_classes();
    let objects = read_objects(std::slice::from_ref(input), &known, interrupt)?;
    let pods = objects.pods.clone();
    let rest = bayplan_api::Objects { pods: Vec::new(), ..objects };
    if rest != bayplan_api::Objects::default() {
        let message = "only pods can be placed: load other objects together with the cluster";
        return Err(NativeError::object(Fault {
            path: Some(input.name().to_owned()),
            ..Fault::new(message)
        }));
    }
    pods.into_iter().map(|pod| state.cluster.add_pod(pod).map_err(cluster_error)).collect()
}

/// Writes decisions one a line, whole to the caller: he puts the file in place.
struct TraceFile {
    path: String,
    out: BufWriter<File>,
}

impl TraceFile {
    fn create(path: &str) -> Result<Self, NativeError> {
        let file = File::create(path)
            .map_err(|error| NativeError::Source { path: path.to_owned(), error })?;
        Ok(Self { path: path.to_owned(), out: BufWriter::with_capacity(1 << 18, file) })
    }

    fn write(&mut self, cluster: &sched::Cluster, decision: &Decision) -> Result<(), NativeError> {
        let written = serde_json::to_writer(&mut self.out, &decision.trace_form(cluster))
            .map_err(std::io::Error::from)
            .and_then(|()| self.out.write_all(b"\n"));
        written.map_err(|error| self.error(error))
    }

    fn finish(mut self) -> Result<(), NativeError> {
        self.out.flush().map_err(|error| self.error(error))
    }

    fn error(&self, error: std::io::Error) -> NativeError {
        NativeError::Source { path: self.path.clone(), error }
    }
}

impl Scheduler {
    /// Whether a profile has the pod's scheduler name.
    fn decides(&self, cluster: &sched::Cluster, pod: PodIdx) -> bool {
        cluster.pods().get(pod).is_some_and(|row| {
            self.engine.profile(&cluster.template(row.template).pod.spec.scheduler_name).is_some()
        })
    }

    /// Decides pods; each placement changes the state for the next.
    fn decide(
        &self,
        state: &mut State,
        pods: &Pods,
        trace: Option<&str>,
        interrupt: &Interrupt,
    ) -> Result<Vec<Row>, NativeError> {
        let wanted: Option<IndexSet<PodIdx>> = match pods {
            Pods::All => None,
            Pods::Named(names) => Some(waiting(state, names)?),
            Pods::New(input) => Some(add_pods(state, input, interrupt)?.into_iter().collect()),
        };
        let nodes = state.nodes();
        let is_wanted = |pod: &PodIdx| wanted.as_ref().is_none_or(|wanted| wanted.contains(pod));
        let cluster = &mut state.cluster;
        let mut trace = trace.map(TraceFile::create).transpose()?;
        let queue: Vec<PodIdx> = self.engine.queue(cluster).into_iter().filter(is_wanted).collect();
        let mut rows = Vec::with_capacity(queue.len());
        let mut session = self.engine.resume(std::mem::take(&mut state.plans));
        // What was known takes less than a microsecond, and so would asking each time; a new template on many nodes takes milliseconds.
        let mut known = session.work().plans;
        for (at, pod) in queue.into_iter().enumerate() {
            if let Some(trace) = &mut trace {
                interrupt.check()?;
                let decision = session.schedule_one(cluster, pod, Detail::Trace);
                trace.write(cluster, &decision)?;
                rows.push(Row::new(cluster, &nodes, decision)?);
                continue;
            }
            rows.push(match session.schedule(cluster, pod) {
                Decided::Placed(placement) => Row::placed(cluster, &nodes, placement)?,
                Decided::Refused(refused) => Row::refused(cluster, refused)?,
                Decided::Other(decision) => {
                    interrupt.check()?;
                    Row::new(cluster, &nodes, *decision)?
                }
            });
            let plans = std::mem::replace(&mut known, session.work().plans);
            if at % 64 == 0 || plans != known {
                interrupt.check()?;
            }
        }
        state.plans = session.into_plans();
        let cluster = &state.cluster;
        let foreign = cluster.waiting().filter(|&pod| !self.decides(cluster, pod));
        for pod in foreign.filter(is_wanted) {
            rows.push(Row::foreign(cluster, pod)?);
        }
        if let Some(trace) = trace {
            trace.finish()?;
        }
        Ok(rows)
    }

    /// Decides one pod as if it waited; the state is the caller's own.
    fn evaluate(
        &self,
        state: &mut State,
        pod: &Pod,
        in_turn: bool,
        detail: Detail,
        interrupt: &Interrupt,
    ) -> Result<(PodIdx, Decision), NativeError> {
        let pod = only(state, pod, interrupt)?;
        let cluster = &mut state.cluster;
        let mut session = self.engine.session();
        let before = if in_turn { self.engine.queue(cluster) } else { Vec::new() };
        if before.contains(&pod) {
            for earlier in before.into_iter().take_while(|&earlier| earlier != pod) {
                interrupt.check()?;
                session.schedule(cluster, earlier);
            }
        }
        // one that runs is asked as if it did not
        cluster.evict_pod(pod);
        Ok((pod, session.schedule_pod(cluster, pod, detail)))
    }
}

/// The rows of the named pods, all of which wait.
fn waiting(state: &State, names: &[String]) -> Result<IndexSet<PodIdx>, NativeError> {
    let mut rows = IndexSet::new();
    for name in names {
        let pod = state.find(name)?;
        let place = state.cluster.pods().get(pod).map(|row| row.place);
        if place != Some(Place::Pending) {
            let message = match place {
                Some(Place::On(node)) => {
                    format!("runs on {} already", state.cluster.nodes().name(node))
                }
                Some(Place::Elsewhere(absent)) => {
                    let node = state.cluster.absent_name(absent);
                    format!("runs on {node}, which is not in the cluster")
                }
                Some(Place::Evicted) => "was evicted".to_owned(),
                _ => "has finished".to_owned(),
            };
            let object = Some(format!("Pod {name}"));
            return Err(NativeError::object(Fault { object, ..Fault::new(message) }));
        }
        rows.insert(pod);
    }
    Ok(rows)
}

/// The row of the pod, added if it is new.
fn only(state: &mut State, pod: &Pod, interrupt: &Interrupt) -> Result<PodIdx, NativeError> {
    match pod {
        Pod::Named(name) => state.find(name),
        Pod::New(input) => match add_pods(state, input, interrupt)?.as_slice() {
            [pod] => Ok(*pod),
            pods => {
                let message = format!("{} pods where one is asked about", pods.len());
                Err(NativeError::object(Fault {
                    path: Some(input.name().to_owned()),
                    ..Fault::new(message)
                }))
            }
        },
    }
}

#[pymethods]
impl Scheduler {
    #[new]
    #[pyo3(signature = (config=None, *, sampling="all", tie_break="first", seed=0))]
    fn new(
        py: Python<'_>,
        config: Option<&Bound<'_, PyAny>>,
        sampling: &str,
        tie_break: &str,
        seed: u64,
    ) -> PyResult<Self> {
        let input = guard(|| config.map(Input::from_python).transpose())?;
        let options = guard(|| options(sampling, tie_break, seed))?;
        Ok(enter(py, |_| {
            let Some(input) = &input else {
                let engine = Engine::default().with_options(options);
                return Ok(Self { engine, warnings: Vec::new(), config: None });
            };
            let (config, text) = read_configuration(input)?;
            let engine =
                Engine::new(&config).map_err(|error| configuration_error(&error, input.name()))?;
            let warnings = warnings(&config, options.sampling);
            let engine = engine.with_options(options);
            Ok(Self { engine, warnings, config: Some((input.name().to_owned(), text)) })
        })?)
    }

    /// The Kubernetes version whose decisions are made.
    fn semantics(&self) -> &'static str {
        self.engine.profiles().next().map_or(crate::SEMANTICS, |profile| profile.semantics.as_str())
    }

    /// What errors call the configuration, and its text; `None` for kube-scheduler's defaults.
    fn config<'py>(&self, py: Python<'py>) -> Option<(&str, Bound<'py, PyBytes>)> {
        self.config.as_ref().map(|(name, text)| (name.as_str(), PyBytes::new(py, text)))
    }

    /// `schedulerName` of each profile.
    fn profiles(&self) -> Vec<&str> {
        self.engine.profiles().map(|profile| profile.scheduler_name.as_str()).collect()
    }

    /// What of the configuration is not followed.
    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    /// Decides pods; the cluster changes if `commit`.
    #[pyo3(signature = (cluster, pods, *, commit, trace=None))]
    fn run(
        &self,
        py: Python<'_>,
        cluster: &Bound<'_, Cluster>,
        pods: &Bound<'_, PyAny>,
        commit: bool,
        trace: Option<&str>,
    ) -> PyResult<Decisions> {
        let pods = guard(|| Pods::from_python(pods))?;
        let cluster = cluster.get();
        let trace = trace.map(str::to_owned);
        Ok(enter(py, |interrupt| {
            let decide = |state: &mut State| {
                let nodes = state.nodes();
                let rows = self.decide(state, &pods, trace.as_deref(), interrupt)?;
                Ok(Decisions::new(rows, nodes))
            };
            if commit {
                cluster.handle.change(interrupt, decide)
            } else {
                cluster.handle.with(interrupt, |state| state.what_if(decide))
            }
        })?)
    }

    /// One flag a node: whether the pod could run there.
    fn filter<'py>(
        &self,
        py: Python<'py>,
        cluster: &Bound<'_, Cluster>,
        pod: &Bound<'_, PyAny>,
    ) -> PyResult<Bound<'py, PyArray1<bool>>> {
        let pod = guard(|| Pod::from_python(pod))?;
        let cluster = cluster.get();
        let flags = enter(py, |interrupt| {
            cluster.handle.with(interrupt, |state| {
                asked(state, &pod, interrupt, |cluster, pod| {
                    let feasible = self.engine.session().feasible_nodes(cluster, pod);
                    let feasible = feasible.map_err(|error| not_decided(error, cluster, pod))?;
                    Ok(cluster
                        .nodes()
                        .iter()
                        .map(|node| feasible.contains(node))
                        .collect::<Vec<_>>())
                })
            })
        })?;
        Ok(guard(|| Ok(PyArray1::from_vec(py, flags)))?)
    }

    /// One total a node; −1 where the pod cannot run.
    fn score<'py>(
        &self,
        py: Python<'py>,
        cluster: &Bound<'_, Cluster>,
        pod: &Bound<'_, PyAny>,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let pod = guard(|| Pod::from_python(pod))?;
        let cluster = cluster.get();
        let totals = enter(py, |interrupt| {
            cluster.handle.with(interrupt, |state| {
                let nodes = state.nodes();
                asked(state, &pod, interrupt, |cluster, pod| {
                    let totals = self.engine.session().totals(cluster, pod);
                    let totals = totals.map_err(|error| not_decided(error, cluster, pod))?;
                    let mut column = vec![-1; nodes.names.len()];
                    for (node, total) in totals {
                        let position = nodes.position(node);
                        if let Some(slot) = position.and_then(|at| column.get_mut(at)) {
                            *slot = total;
                        }
                    }
                    Ok(column)
                })
            })
        })?;
        Ok(guard(|| Ok(PyArray1::from_vec(py, totals)))?)
    }

    /// The whole decision about one pod as JSON, its row, and as JSON what preemption tried, if that is asked for.
    #[expect(clippy::type_complexity, reason = "a tuple is what Python takes apart")]
    fn explain<'py>(
        &self,
        py: Python<'py>,
        cluster: &Bound<'_, Cluster>,
        pod: &Bound<'_, PyAny>,
        in_turn: bool,
        preemption: bool,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyAny>, Option<Bound<'py, PyBytes>>)> {
        let pod = guard(|| Pod::from_python(pod))?;
        let cluster = cluster.get();
        let detail = if preemption { Detail::Preemption } else { Detail::Trace };
        let (nodes, text, row, tried) = enter(py, |interrupt| {
            cluster.handle.with(interrupt, |state| {
                let nodes = state.nodes();
                state.what_if(|state| {
                    let (pod, decision) = self.evaluate(state, &pod, in_turn, detail, interrupt)?;
                    let cluster = &state.cluster;
                    let internal =
                        |error: serde_json::Error| NativeError::Internal(error.to_string());
                    let text =
                        serde_json::to_vec(&decision.trace_form(cluster)).map_err(internal)?;
                    let tried = decision.preemption_trace.as_ref();
                    let tried = tried.map(|tried| serde_json::to_vec(&tried.form(cluster)));
                    let tried = tried.transpose().map_err(internal)?;
                    let row = if self.decides(cluster, pod) {
                        Row::new(cluster, &nodes, decision)?
                    } else {
                        Row::foreign(cluster, pod)?
                    };
                    Ok((nodes, text, row, tried))
                })
            })
        })?;
        Ok(guard(|| {
            let tried = tried.map(|tried| PyBytes::new(py, &tried));
            Ok((PyBytes::new(py, &text), row.to_python(py, &nodes)?, tried))
        })?)
    }
}

/// Lets `work` ask about a pod as if it waited.
fn asked<T>(
    state: &mut State,
    pod: &Pod,
    interrupt: &Interrupt,
    work: impl FnOnce(&sched::Cluster, PodIdx) -> Result<T, NativeError>,
) -> Result<T, NativeError> {
    state.what_if(|state| {
        let pod = only(state, pod, interrupt)?;
        state.cluster.evict_pod(pod);
        work(&state.cluster, pod)
    })
}

fn not_decided(error: NotDecided, cluster: &sched::Cluster, pod: PodIdx) -> NativeError {
    let row = cluster.pods().get(pod);
    let object = row.map(|row| format!("Pod {}/{}", row.namespace, row.name));
    match error {
        NotDecided::Foreign(name) => NativeError::not_found(Fault {
            object,
            field: Some("spec.schedulerName".to_owned()),
            value: Some(name.to_string()),
            ..Fault::new("no profile has this scheduler name")
        }),
        other => NativeError::unsupported(Fault { object, ..Fault::new(other.to_string()) }),
    }
}

fn options(sampling: &str, tie_break: &str, seed: u64) -> Result<SchedulerOptions, NativeError> {
    let unknown =
        |field, value| NativeError::argument(Fault::new("unknown").field(field).value(value));
    Ok(SchedulerOptions {
        sampling: match sampling {
            "all" => Sampling::All,
            "kube" => Sampling::Kube,
            other => return Err(unknown("sampling", other)),
        },
        tie_break: match tie_break {
            "first" => TieBreak::First,
            "random" => TieBreak::Random { seed },
            other => return Err(unknown("tie_break", other)),
        },
    })
}

/// What of a valid configuration is not followed.
fn warnings(
    config: &bayplan_sched::config::KubeSchedulerConfiguration,
    sampling: Sampling,
) -> Vec<String> {
    if sampling == Sampling::Kube {
        return Vec::new();
    }
    let percentages = std::iter::once(config.percentage_of_nodes_to_score)
        .chain(config.profiles.iter().map(|profile| profile.percentage_of_nodes_to_score));
    let some = percentages.flatten().find(|percentage| (1..100).contains(percentage));
    some.map(|some| {
        format!(
            "percentageOfNodesToScore: {some} is not followed: all nodes are scored \
             (sampling kube follows it)"
        )
    })
    .into_iter()
    .collect()
}
