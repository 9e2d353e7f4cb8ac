//! `KubeSchedulerConfiguration`: types, defaults, validation and reading.

mod args;

pub use args::*;
