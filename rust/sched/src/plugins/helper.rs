//! What several plugins share.
//!
//! Follows `pkg/scheduler/framework/plugins/helper` of v1.34.

use bayplan_api::{Taint, TaintEffect, Toleration, TolerationOperator};

use crate::cluster::Cluster;
use crate::framework::MAX_NODE_SCORE;
use crate::node_set::NodeSet;

/// `helper.DefaultNormalizeScore`: the highest score becomes 100, or 0 if `reverse`.
pub(crate) fn default_normalize_score(reverse: bool, scores: &mut [i64]) {
    let max = scores.iter().copied().max().unwrap_or(0).max(0);
    if max == 0 {
        if reverse {
            scores.fill(MAX_NODE_SCORE);
        }
        return;
    }
    for score in scores {
        let scaled = MAX_NODE_SCORE.wrapping_mul(*score).wrapping_div(max);
        *score = if reverse { MAX_NODE_SCORE - scaled } else { scaled };
    }
}

/// `Toleration.ToleratesTaint`.
pub(crate) fn tolerates_taint(toleration: &Toleration, taint: &Taint) -> bool {
    toleration.effect.is_none_or(|effect| effect == taint.effect)
        && (toleration.key.is_empty() || toleration.key == taint.key)
        && match toleration.operator {
            TolerationOperator::Equal => toleration.value == taint.value,
            TolerationOperator::Exists => true,
        }
}

/// `v1helper.TolerationsTolerateTaint`.
pub(crate) fn tolerate_taint(tolerations: &[Toleration], taint: &Taint) -> bool {
    tolerations.iter().any(|toleration| tolerates_taint(toleration, taint))
}

/// `v1helper.FindMatchingUntoleratedTaint` with `DoNotScheduleTaintsFilterFunc`.
pub(crate) fn find_untolerated_taint<'taints>(
    taints: &'taints [Taint],
    tolerations: &[Toleration],
) -> Option<&'taints Taint> {
    taints.iter().find(|taint| {
        taint.effect != TaintEffect::PreferNoSchedule && !tolerate_taint(tolerations, taint)
    })
}

/// The nodes all of whose `NoSchedule` and `NoExecute` taints are tolerated; each distinct list is looked at once.
pub(crate) fn tolerated_nodes(cluster: &Cluster, tolerations: &[Toleration]) -> NodeSet {
    cluster.nodes().with_taints(|taints| find_untolerated_taint(taints, tolerations).is_none())
}
