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
pub mod index_vec;
pub mod node_set;
mod nominated;
mod plan;
pub mod plugins;
pub mod preemption;
pub mod profile;
mod queue;
pub mod resource;
pub mod sampling;
mod scheduler;

pub use sampling::{Cycle, Sampling, SchedulerOptions, TieBreak};
pub use scheduler::{Detail, NotDecided, Scheduler, Session};
