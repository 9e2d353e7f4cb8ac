//! `TaintToleration`: does the pod tolerate the node's taints?
//!
//! Follows `plugins/tainttoleration/taint_toleration.go` of v1.34.

use bayplan_api::{Node, Pod, Taint, TaintEffect, Toleration, TolerationOperator};

use super::{Code, Rejection, go};

/// `Toleration.ToleratesTaint` for any of the tolerations.
pub(super) fn tolerates(tolerations: &[Toleration], taint: &Taint) -> bool {
    tolerations.iter().any(|toleration| {
        toleration.effect.is_none_or(|effect| effect == taint.effect)
            && (toleration.key.is_empty() || toleration.key == taint.key)
            && match toleration.operator {
                TolerationOperator::Equal => toleration.value == taint.value,
                TolerationOperator::Exists => true,
            }
    })
}

/// The first taint that keeps pods away and that the tolerations do not tolerate.
pub(super) fn untolerated_taint<'a>(
    node: &'a Node,
    tolerations: &[Toleration],
) -> Option<&'a Taint> {
    node.spec
        .taints
        .iter()
        .filter(|taint| taint.effect != TaintEffect::PreferNoSchedule)
        .find(|taint| !tolerates(tolerations, taint))
}

pub(super) fn filter(pod: &Pod, node: &Node) -> Result<(), Rejection> {
    let Some(taint) = untolerated_taint(node, &pod.spec.tolerations) else { return Ok(()) };
    Err(Rejection::new(
        Code::UnschedulableAndUnresolvable,
        format!("node(s) had untolerated taint {{{}: {}}}", taint.key, taint.value),
    ))
}

/// The number of untolerated `PreferNoSchedule` taints.
pub(super) fn score(pod: &Pod, node: &Node) -> i64 {
    let untolerated: Vec<&Taint> = node
        .spec
        .taints
        .iter()
        .filter(|taint| taint.effect == TaintEffect::PreferNoSchedule)
        .filter(|taint| !tolerates(&pod.spec.tolerations, taint))
        .collect();
    go::len(&untolerated)
}
