//! A scheduling engine that decides as kube-scheduler v1.34 does.

#![forbid(unsafe_code)]
#![allow(
    clippy::indexing_slicing,
    reason = "`IndexVec`s are indexed by row numbers of their own type; plain slices use patterns and `get`, but in `go_sort`"
)]

pub mod cluster;
pub mod config;
pub mod decision;
mod diagnosis;
mod dry_run;
pub mod framework;
mod go;
mod go_sort;
mod identity;
pub mod index_vec;
mod kernels;
pub mod node_set;
mod nominated;
mod passes;
mod plan;
mod plans;
pub mod plugins;
pub mod preemption;
pub mod profile;
mod queue;
mod refusals;
pub mod resource;
pub mod sampling;
mod scheduler;
mod view;

pub use plans::{PLAN_BYTES, Plans, Work};
pub use sampling::{Cycle, Sampling, SchedulerOptions, TieBreak};
pub use scheduler::{Decided, Detail, NotDecided, Placement, Refused, Scheduler, Session};
