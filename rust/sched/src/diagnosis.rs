//! Why a pod fits nowhere, in kube-scheduler's words.
//!
//! Follows `FitError` in `pkg/scheduler/framework/types.go` of v1.34.

use std::collections::BTreeMap;

/// `ErrNoNodesAvailable`.
pub(crate) const NO_NODES_AVAILABLE: &str = "no nodes available to schedule pods";

/// The text of a `FitError` when PreFilter rejected the pod.
pub(crate) fn pre_filter_message(nodes: usize, reasons: &[impl AsRef<str>]) -> String {
    let reasons: Vec<&str> = reasons.iter().map(AsRef::as_ref).collect();
    format!("0/{nodes} nodes are available: {}.", reasons.join(", "))
}

/// How many nodes gave which reason.
#[derive(Debug, Default)]
pub(crate) struct Histogram<'a>(BTreeMap<&'a str, usize>);

impl<'a> Histogram<'a> {
    pub(crate) fn add(&mut self, reason: &'a str, nodes: usize) {
        *self.0.entry(reason).or_default() += nodes;
    }

    /// The text of a `FitError`; counts and reasons are sorted as texts, "10 x" before "2 y".
    pub(crate) fn message(&self, nodes: usize) -> String {
        let mut reasons: Vec<String> =
            self.0.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        reasons.sort();
        let mut message = format!("0/{nodes} nodes are available:");
        if !reasons.is_empty() {
            message.push(' ');
            message.push_str(&reasons.join(", "));
            message.push('.');
        }
        message
    }
}
