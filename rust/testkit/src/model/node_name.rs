//! `NodeName`: a pod that names its node fits there only.
//!
//! Follows `plugins/nodename/node_name.go` of v1.34.

use bayplan_api::{Node, Pod};

use super::{Code, Rejection};

pub(super) fn filter(pod: &Pod, node: &Node) -> Result<(), Rejection> {
    if pod.spec.node_name.is_empty() || pod.spec.node_name == node.metadata.name {
        return Ok(());
    }
    Err(Rejection::new(
        Code::UnschedulableAndUnresolvable,
        "node(s) didn't match the requested node name",
    ))
}
