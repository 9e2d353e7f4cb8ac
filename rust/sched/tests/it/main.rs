//! Laws of the engine, over random clusters, and what was recorded of kube-scheduler.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod changes;
mod columns;
mod incremental;
mod intake;
mod nominated;
mod preemption_trace;
mod properties;
mod prospects;
mod sampling;
mod storage_records;
mod views;
mod workloads;
