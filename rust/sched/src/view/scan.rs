//! The best node for a template of which little is known and perhaps never asked again: all rows once, and nothing is kept.

use super::{Pick, Picked, UNFIT, is_of_group};
use crate::cluster::Cluster;
use crate::framework::{Dependency, MAX_NODE_SCORE};
use crate::index_vec::{Idx, NodeIdx};
use crate::kernels;
use crate::node_set::NodeSet;
use crate::plan::{PlannedFilter, PlannedScore};
use crate::plans::Work;

/// The best of the nodes that PreFilter leaves.
pub(crate) fn scan(
    cluster: &Cluster,
    mut nodes: NodeSet,
    (filters, scores): (&[PlannedFilter], &mut [PlannedScore]),
    base_total: i64,
    sums: &mut Vec<i32>,
    work: &mut Work,
) -> Picked {
    work.scans += 1;
    for planned in filters.iter().filter(|planned| planned.depends_on == Dependency::Static) {
        planned.filter.narrow(cluster, &mut nodes);
    }
    sums.clear();
    sums.resize(nodes.universe(), 0);
    nodes.each_absent(|row| bar(sums, row));
    for planned in filters.iter().filter(|planned| planned.depends_on == Dependency::Row) {
        planned.filter.bar(cluster, UNFIT, sums);
    }
    let mut nodes = NodeSet::of_fitting(sums);
    let Some(first) = nodes.first() else { return Picked::None };
    for planned in filters.iter().filter(|planned| is_of_group(planned)) {
        if !planned.filter.is_uniform() {
            planned.filter.narrow(cluster, &mut nodes);
        } else if !planned.filter.fits(cluster, first) {
            return Picked::None;
        }
    }
    let Some(first) = nodes.first() else { return Picked::None };
    nodes.each_absent(|row| bar(sums, row));
    let feasible = nodes.count();
    let mut of_all = base_total;
    for PlannedScore { score, weight, depends_on, .. } in scores {
        if score.is_skipped() {
            continue;
        }
        if *depends_on == Dependency::FeasibleSet {
            score.feasible_nodes(cluster, &nodes);
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

/// Lets the pod not fit on a row.
fn bar(sums: &mut [i32], row: usize) {
    if let Some(sum) = sums.get_mut(row) {
        *sum = UNFIT;
    }
}
