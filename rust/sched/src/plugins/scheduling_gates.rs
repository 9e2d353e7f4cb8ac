//! `SchedulingGates`: is the pod ready to be scheduled?
//!
//! | extension point | what it does |
//! |---|---|
//! | PreEnqueue | holds back pods with `spec.schedulingGates` |
//!
//! Follows `pkg/scheduler/framework/plugins/schedulinggates/scheduling_gates.go` of v1.34.

use bayplan_api::Str;

use crate::cluster::PodRow;
use crate::framework::{Plugin, PreEnqueuePlugin, Status};

/// The plugin.
#[derive(Debug)]
pub struct SchedulingGates;

/// Its name.
pub const NAME: &str = "SchedulingGates";

impl Plugin for SchedulingGates {
    fn name(&self) -> &str {
        NAME
    }

    fn pre_enqueue(&self) -> Option<&dyn PreEnqueuePlugin> {
        Some(self)
    }
}

impl PreEnqueuePlugin for SchedulingGates {
    fn pre_enqueue(&self, pod: &PodRow) -> Option<Status> {
        if pod.scheduling_gates.is_empty() {
            return None;
        }
        let gates: Vec<&str> = pod.scheduling_gates.iter().map(Str::as_str).collect();
        Some(Status::unresolvable(format!("waiting for scheduling gates: [{}]", gates.join(" "))))
    }
}
