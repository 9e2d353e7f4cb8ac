//! `State`: what a cluster is to the binding.

use std::sync::Arc;

use bayplan_api::{Objects, PriorityClass, Str};
use bayplan_sched::Plans;
use bayplan_sched::cluster::{self as sched, PodIntake};
use bayplan_sched::index_vec::{IndexVec, NodeIdx, PodIdx};
use indexmap::IndexMap;

use crate::error::{Fault, NativeError};
use crate::gaps::gaps;

/// What a cluster is at one moment.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// The engine's cluster.
    pub(crate) cluster: sched::Cluster,
    /// How many objects of each kind were passed over.
    pub(crate) skipped: Arc<IndexMap<Str, u64>>,
    /// What the dump lacks.
    pub(crate) warnings: Arc<Vec<String>>,
    /// What the scheduler that was asked last has learnt.
    pub(crate) plans: Plans,
    /// The nodes of some epoch.
    nodes: Option<(u64, Arc<Nodes>)>,
}

/// The nodes in their order.
#[derive(Debug)]
pub(crate) struct Nodes {
    /// Their names.
    pub(crate) names: Vec<Str>,
    positions: IndexVec<NodeIdx, usize>,
}

impl Nodes {
    /// The position of a node, which is its row unless nodes have gone.
    pub(crate) fn position(&self, node: NodeIdx) -> Option<usize> {
        self.positions.get(node).copied()
    }
}

impl State {
    /// The state that the objects and the pods make.
    ///
    /// # Errors
    ///
    /// `NativeError::Object` when they make no cluster.
    pub(crate) fn new((mut objects, pods): (Objects, PodIntake)) -> Result<Self, NativeError> {
        let warnings = gaps(&objects, &pods);
        let skipped = std::mem::take(&mut objects.skipped);
        let cluster =
            sched::Cluster::from_objects_and_pods(objects, pods).map_err(cluster_error)?;
        Ok(Self::of(cluster, skipped, warnings))
    }

    /// The state of a cluster.
    pub(crate) fn of(
        cluster: sched::Cluster,
        skipped: IndexMap<Str, u64>,
        warnings: Vec<String>,
    ) -> Self {
        Self {
            cluster,
            skipped: Arc::new(skipped),
            warnings: Arc::new(warnings),
            plans: Plans::default(),
            nodes: None,
        }
    }

    /// The row of the pod `namespace/name`; a bare name is in `default`.
    ///
    /// # Errors
    ///
    /// `NativeError::NotFound` when there is none.
    pub(crate) fn find(&self, pod: &str) -> Result<PodIdx, NativeError> {
        let (namespace, name) = pod.split_once('/').unwrap_or(("default", pod));
        self.cluster.find_pod(namespace, name).ok_or_else(|| {
            let object = Some(format!("Pod {namespace}/{name}"));
            NativeError::not_found(Fault { object, ..Fault::new("there is no such pod") })
        })
    }

    /// For pods that are added later.
    pub(crate) fn priority_classes(&self) -> Vec<PriorityClass> {
        self.cluster.priority_classes().cloned().collect()
    }

    /// The nodes in their order.
    pub(crate) fn nodes(&mut self) -> Arc<Nodes> {
        let epoch = self.cluster.epoch();
        if let Some((known, nodes)) = &self.nodes
            && *known == epoch
        {
            return Arc::clone(nodes);
        }
        let columns = self.cluster.nodes();
        let mut next = 0;
        let positions = columns.rows().map(|node| {
            next += usize::from(columns.live().contains(node));
            next.saturating_sub(1)
        });
        let positions = positions.collect();
        let names = columns.iter().map(|node| columns.name(node).clone()).collect();
        let nodes = Arc::new(Nodes { names, positions });
        self.nodes = Some((epoch, Arc::clone(&nodes)));
        nodes
    }

    /// Works on the state and makes it again what it was.
    ///
    /// # Errors
    ///
    /// Those of `work`.
    pub(crate) fn what_if<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, NativeError>,
    ) -> Result<T, NativeError> {
        let fork = self.cluster.fork();
        let done = work(self);
        self.cluster.rollback(fork).map_err(|error| NativeError::Internal(error.to_string()))?;
        done
    }

    /// Works on the state, and says whether that changed it; if it fails, makes the state again what it was.
    ///
    /// # Errors
    ///
    /// Those of `work`.
    pub(crate) fn kept<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, NativeError>,
    ) -> Result<(T, bool), NativeError> {
        let fork = self.cluster.fork();
        let done = work(self);
        let changed = self.cluster.has_changed(fork);
        let ended = match &done {
            Ok(_) => self.cluster.commit(fork),
            Err(_) => self.cluster.rollback(fork),
        };
        ended.map_err(|error| NativeError::Internal(error.to_string()))?;
        self.cluster.compact().map_err(cluster_error)?;
        Ok((done?, changed))
    }
}

/// What the engine says of objects that make no cluster.
pub(crate) fn cluster_error(error: sched::ClusterError) -> NativeError {
    match error {
        sched::ClusterError::Duplicate { kind, name } => NativeError::object(Fault {
            object: Some(format!("{kind} {name}")),
            ..Fault::new("stands twice in the cluster")
        }),
        other => NativeError::object(Fault::new(other.to_string())),
    }
}
