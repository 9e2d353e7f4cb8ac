//! `PrioritySort`: which pod is attempted first?
//!
//! | extension point | what it does |
//! |---|---|
//! | QueueSort | higher `spec.priority` first, then the order in which the pods came |
//!
//! Follows `pkg/scheduler/framework/plugins/queuesort/priority_sort.go` of v1.34.

use std::cmp::Ordering;

use crate::cluster::PodInfo;
use crate::framework::{Plugin, QueueSortPlugin};

/// The plugin.
#[derive(Debug)]
pub struct PrioritySort;

/// Its name.
pub const NAME: &str = "PrioritySort";

impl Plugin for PrioritySort {
    fn name(&self) -> &str {
        NAME
    }

    fn queue_sort(&self) -> Option<&dyn QueueSortPlugin> {
        Some(self)
    }
}

impl QueueSortPlugin for PrioritySort {
    fn compare(&self, a: &PodInfo, b: &PodInfo) -> Ordering {
        b.priority().cmp(&a.priority())
    }
}
