//! The best node for a template of which little is known and perhaps never asked again: all rows once, and nothing is kept.

use super::{Pick, Picked, Sources, UNFIT, is_fixed, is_of_group, is_score_of_group};
use crate::cluster::Cluster;
use crate::framework::{Dependency, MAX_NODE_SCORE};
use crate::index_vec::{Idx, NodeIdx};
use crate::kernels;
use crate::node_set::NodeSet;
use crate::plan::PlannedScore;
use crate::plans::Work;

/// The best of the nodes that PreFilter leaves.
pub(crate) fn scan(
    cluster: &Cluster,
    mut nodes: NodeSet,
    sources: &mut Sources<'_>,
    sums: &mut Vec<i32>,
    work: &mut Work,
) -> Picked {
    work.scans += 1;
    let never = sources.filters.iter();
    for planned in never.filter(|planned| planned.depends_on == Dependency::Static) {
        planned.filter.narrow(cluster, &mut nodes);
    }
    nodes.intersect(&NodeSet::from_column(nodes.universe(), sources.rows.sums(), |sum| sum >= 0));
    for planned in sources.filters.iter().filter(|planned| is_of_group(planned)) {
        if !planned.filter.is_uniform() {
            planned.filter.narrow(cluster, &mut nodes);
        } else if nodes.first().is_some_and(|first| !planned.filter.fits(cluster, first)) {
            return Picked::None;
        }
    }
    let Some(first) = nodes.first() else { return Picked::None };
    sums.clear();
    sums.extend_from_slice(sources.rows.sums());
    nodes.each_absent(|row| {
        if let Some(sum) = sums.get_mut(row) {
            *sum = UNFIT;
        }
    });
    let feasible = nodes.count();
    let mut of_all = sources.base_total;
    for PlannedScore { score, weight, depends_on, .. } in
        sources.scores.iter_mut().filter(|planned| is_fixed(planned) || is_score_of_group(planned))
    {
        if score.is_skipped() {
            continue;
        }
        if *depends_on == Dependency::FeasibleSet {
            score.feasible(cluster, &mut nodes.iter().map(|node| (node, 1)));
        }
        if score.is_uniform() {
            let mut one = [score.raw(cluster, first)];
            if score.has_normalize() {
                score.normalize(&[first], &mut one);
            }
            let [score] = one;
            if !(0..=MAX_NODE_SCORE).contains(&score) {
                return Picked::Unknown;
            }
            of_all = of_all.wrapping_add(score.wrapping_mul(*weight));
            continue;
        }
        let added =
            i32::try_from(*weight).is_ok_and(|weight| score.add_to(cluster, &nodes, weight, sums));
        if !added {
            return Picked::Unknown;
        }
    }
    let total = kernels::greatest(sums);
    let Some(row) = kernels::place(sums, total) else { return Picked::Unknown };
    let total = i64::from(total).wrapping_add(of_all);
    Picked::Best(Pick { node: NodeIdx::from_index(row), total, feasible })
}
