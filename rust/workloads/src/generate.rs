//! From a workload to its objects.

use bayplan_api::{Objects, Pod};

use crate::heterogeneous;
use crate::production::Plan;
use crate::scheduler_perf;
use crate::{Shape, Size, Workload};

/// The objects of a workload, the pods one by one: a million of them need not be in memory together.
#[derive(Debug)]
pub struct Generated {
    /// Nodes and whatever else there is but pods.
    pub cluster: Objects,
    size: Size,
    source: Source,
}

#[derive(Debug)]
enum Source {
    SchedulerPerf(scheduler_perf::Pods),
    Heterogeneous,
    Production(Box<Plan>),
}

impl Workload {
    /// Makes the objects: the same ones each time, on every machine.
    pub fn generate(&self) -> Generated {
        let Self { shape, size } = *self;
        let (cluster, source) = match shape {
            Shape::Heterogeneous => (heterogeneous::cluster(size), Source::Heterogeneous),
            Shape::Production => {
                let plan = Plan::new(size);
                (plan.cluster(), Source::Production(Box::new(plan)))
            }
            _ => {
                let pods = scheduler_perf::Pods::new(shape, size);
                (scheduler_perf::cluster(shape, size), Source::SchedulerPerf(pods))
            }
        };
        Generated { cluster, size, source }
    }
}

impl Generated {
    /// The pods that stand before anything is measured, pending still: whoever runs the workload places them. Those of
    /// `SchedulingWhileGated` are gated and stay pending.
    pub fn first(&self) -> impl ExactSizeIterator<Item = Pod> {
        (0..self.size.first).map(|index| match &self.source {
            Source::SchedulerPerf(pods) => pods.first(index),
            Source::Heterogeneous => heterogeneous::pod(index),
            Source::Production(plan) => plan.pod(index),
        })
    }

    /// The pods that are measured.
    pub fn measured(&self) -> impl ExactSizeIterator<Item = Pod> {
        let Size { first, measured, .. } = self.size;
        (0..measured).map(move |index| match &self.source {
            Source::SchedulerPerf(pods) => pods.measured(index),
            Source::Heterogeneous => heterogeneous::pod(first + index),
            Source::Production(plan) => plan.pod(first + index),
        })
    }

    /// All objects together: first pods, then measured ones, all of them pending.
    pub fn into_objects(self) -> Objects {
        let pods = self.first().chain(self.measured()).collect();
        Objects { pods, ..self.cluster }
    }
}
