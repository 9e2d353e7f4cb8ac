//! `NodeUnschedulable`: a cordoned node takes pods that tolerate its taint only.
//!
//! Follows `plugins/nodeunschedulable/node_unschedulable.go` of v1.34.

use bayplan_api::{Node, Pod, Taint, TaintEffect};

use super::taint_toleration::tolerates;
use super::{Code, Rejection};

pub(super) fn filter(pod: &Pod, node: &Node) -> Result<(), Rejection> {
    let taint = Taint {
        key: "node.kubernetes.io/unschedulable".into(),
        value: "".into(),
        effect: TaintEffect::NoSchedule,
    };
    if !node.spec.unschedulable || tolerates(&pod.spec.tolerations, &taint) {
        return Ok(());
    }
    Err(Rejection::new(Code::UnschedulableAndUnresolvable, "node(s) were unschedulable"))
}
