//! The workloads by which schedulers are known: `scheduler_perf`'s, and two of our own.
//!
//! A [`Workload`] is a [`Shape`] at a [`Size`], and [generates](Workload::generate) the same objects each time: its nodes, what
//! else must be there, first pods, and the pods whose placement is measured. The command, the benchmarks and the
//! tests take their workloads from here.
//!
//! # `scheduler_perf`'s
//!
//! Templates and counts are those of `test/integration/scheduler_perf` of Kubernetes v1.34.1: a node has 4 CPUs, 32 GiB, 110
//! pods and its host name as a label; a plain pod one container, requests and limits of 100m and 500 MiB, a port. They
//! differ from upstream where a run here has no clock: pods that upstream creates meanwhile (`Unschedulable`: one of 9
//! CPUs each 200 ms) stand among the measured ones, one in a hundred, and `SchedulingWhileGated` deletes no pods.
//!
//! # How large they can be
//!
//! Listed are upstream's sizes, and 500, 1,000, 5,000, 20,000 and 100,000 nodes with pods in upstream's proportion; any
//! other size can be named, as long as all pods that can be placed at all have a place:
//!
//! | workload | first and measured pods, at most | what bounds it |
//! |---|---|---|
//! | most | 40 a node, a million | CPU: 4 of 100m |
//! | `SchedulingPodAntiAffinity` | 1 a node | anti-affinity by host name |
//! | `DefaultTopologySpreading` | 110 a node, a million | its measured pods request nothing |
//! | `MixedSchedulingBasePod` | 5 first pods a node | a fifth of them have anti-affinity by host name |
//! | `PreemptionBasic` | 4 first pods, 1 measured one a node | each measured pod evicts three of 900m |
//! | `SchedulingCSIPVs` | 39 a node | volumes that a node attaches |
//! | `SchedulingDaemonset` | 90,000 measured | all go to one node, which takes so many |
//! | `SchedulingWhileGated` | 1 node, 90,000 measured | the same |
//! | `Heterogeneous` | 10 a node | requests |
//! | `Production` | 30 a node, a million | requests |
//!
//! So a million measured pods need 25,000 nodes of the plain workloads, and `SchedulingPodAntiAffinity`,
//! `PreemptionBasic`, `SchedulingDaemonset` and `SchedulingWhileGated` never have as many.
//!
//! # Ours
//!
//! `Heterogeneous` is the worst for whoever remembers: no two nodes and no two pods are alike. `Production` is what
//! schedulers work for: [its proportions](production) are documented.

#![forbid(unsafe_code)]

mod generate;
mod heterogeneous;
mod objects;
pub mod production;
mod random;
mod scheduler_perf;
mod workload;

pub use generate::Generated;
pub use workload::{MAX_NODES, MAX_PODS, Shape, Size, SizeProblem, Unit, Workload, WorkloadError};
