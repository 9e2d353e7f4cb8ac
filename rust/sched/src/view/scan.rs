//! The best node for a template of which little is known and perhaps never asked again: all rows once, and nothing is kept.

use super::{Pick, Picked, Sources, is_fixed, is_of_group, is_score_of_group};
use crate::cluster::Cluster;
use crate::framework::{Dependency, MAX_NODE_SCORE, Score};
use crate::index_vec::NodeIdx;
use crate::node_set::NodeSet;
use crate::plan::PlannedScore;
use crate::plans::Work;

/// The best of the nodes that PreFilter leaves.
pub(crate) fn scan(
    cluster: &Cluster,
    mut nodes: NodeSet,
    sources: &mut Sources<'_>,
    work: &mut Work,
) -> Picked {
    work.scans += 1;
    let never = sources.filters.iter();
    for planned in never.filter(|planned| planned.depends_on == Dependency::Static) {
        planned.filter.narrow(cluster, &mut nodes);
    }
    let mut rows: Vec<NodeIdx> = nodes.iter().filter(|&node| sources.rows.fits(node)).collect();
    for planned in sources.filters.iter().filter(|planned| is_of_group(planned)) {
        let Some(&first) = rows.first() else { break };
        if planned.filter.is_uniform() {
            if !planned.filter.fits(cluster, first) {
                rows.clear();
            }
            continue;
        }
        let mut fits = vec![true; rows.len()];
        planned.filter.fit(cluster, &rows, &mut fits);
        let mut fits = fits.into_iter();
        rows.retain(|_| fits.next().unwrap_or(false));
    }
    let Some(&first) = rows.first() else { return Picked::None };
    let sums = rows.iter().map(|&node| sources.rows.sum(node).map_or(0, i64::from));
    let mut totals: Vec<i64> = sums.collect();
    let mut of_all = sources.base_total;
    let mut scores = vec![0; rows.len()];
    for PlannedScore { score, weight, depends_on, .. } in
        sources.scores.iter_mut().filter(|planned| is_fixed(planned) || is_score_of_group(planned))
    {
        if score.is_skipped() {
            continue;
        }
        if *depends_on == Dependency::FeasibleSet {
            score.feasible(cluster, &mut rows.iter().map(|&node| (node, 1)));
        }
        if score.is_uniform() {
            let mut one = [0];
            if scored(cluster, score.as_ref(), &[first], &mut one).is_none() {
                return Picked::Unknown;
            }
            let [score] = one;
            of_all = of_all.wrapping_add(score.wrapping_mul(*weight));
            continue;
        }
        let Some(scores) = scored(cluster, score.as_ref(), &rows, &mut scores) else {
            return Picked::Unknown;
        };
        for (total, &score) in totals.iter_mut().zip(scores) {
            *total = total.wrapping_add(score.wrapping_mul(*weight));
        }
    }
    let mut best = (first, i64::MIN);
    for (&node, &total) in rows.iter().zip(&totals) {
        if total > best.1 {
            best = (node, total);
        }
    }
    Picked::Best(Pick { node: best.0, total: best.1.wrapping_add(of_all), feasible: rows.len() })
}

/// The normalised scores of the rows; `None` if one is out of range.
fn scored<'a>(
    cluster: &Cluster,
    score: &dyn Score,
    rows: &[NodeIdx],
    scores: &'a mut [i64],
) -> Option<&'a [i64]> {
    score.raws(cluster, rows, scores);
    if score.has_normalize() {
        score.normalize(rows, scores);
    }
    let in_range = scores.iter().all(|score| (0..=MAX_NODE_SCORE).contains(score));
    in_range.then_some(scores)
}
