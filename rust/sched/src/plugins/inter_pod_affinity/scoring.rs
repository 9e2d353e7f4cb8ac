//! The score: preferred terms in both directions, and the required affinity of running pods.
//!
//! Follows `scoring.go` in `pkg/scheduler/framework/plugins/interpodaffinity` of v1.34.

use std::sync::Arc;

use bayplan_api::Str;

use super::domain_counts::{Added, DomainCounts};
use super::tally::{Effects, Tally, all_pods, holds_of};
use super::{Incoming, means};
use crate::cluster::{Cluster, PodChange, PodInfo};
use crate::framework::{Dependency, MAX_NODE_SCORE, Score, Stale, add_row_by_row};
use crate::go::{float64, int64};
use crate::index_vec::{NodeIdx, TemplateId};
use crate::node_set::NodeSet;
use crate::passes;

/// `preScoreState`.
#[derive(Debug, Clone)]
pub(super) struct AffinityScore {
    incoming: Incoming,
    hard_weight: i64,
    sums: DomainCounts,
    /// How many pairs of a pod and a term touch any domain; with none, PreScore skips the plugin.
    touched: i64,
    effects: Effects<Effect>,
}

/// What a running pod of a template adds under which key, term by term.
pub(super) type Effect = Vec<(Str, i64)>;

impl AffinityScore {
    pub(super) fn new(pod: &Arc<PodInfo>, cluster: &Cluster, hard_weight: i64) -> Self {
        let mut score = Self {
            incoming: Incoming::new(pod, cluster),
            hard_weight,
            sums: DomainCounts::default(),
            touched: 0,
            effects: Effects::default(),
        };
        score.count_all(cluster);
        score
    }
}

/// How `NormalizeScore` scales: the lowest score becomes 0, the highest 100.
#[derive(Debug, Clone, Copy)]
struct Scale {
    min: i64,
    range: i64,
}

impl Scale {
    fn of(scores: impl Iterator<Item = i64>) -> Self {
        let extremes = scores.fold(None, |extremes, score| match extremes {
            None => Some((score, score)),
            Some((min, max)) => Some((score.min(min), score.max(max))),
        });
        let (min, max) = extremes.unwrap_or((0, 0));
        Self { min, range: max.wrapping_sub(min) }
    }

    fn of_score(self, score: i64) -> i64 {
        if self.range <= 0 {
            return 0;
        }
        let share = float64(score.wrapping_sub(self.min)) / float64(self.range);
        int64(float64(MAX_NODE_SCORE) * share)
    }
}

impl Tally for AffinityScore {
    type Effect = Effect;

    fn effects(&mut self) -> &mut Effects<Effect> {
        &mut self.effects
    }

    fn count_all(&mut self, cluster: &Cluster) {
        let own = &self.incoming.pod;
        let mut add = |key: &Str, weight: i64, templates: &[TemplateId]| {
            let pods = all_pods(cluster, templates);
            self.touched += self.sums.add_all(cluster, key, weight, pods);
        };
        let anti_affinity =
            own.preferred_anti_affinity.iter().map(|(weight, term)| (-weight, term));
        let affinity = own.preferred_affinity.iter().map(|(weight, term)| (*weight, term));
        for (weight, term) in affinity.chain(anti_affinity) {
            let Some(selector) = &term.selector else { continue };
            for templates in cluster.alike_for(selector) {
                if holds_of(cluster, templates, |running| means(term, running)) {
                    add(&term.topology_key, weight, templates);
                }
            }
        }
        for (term, asking) in cluster.terms_about(&own.pod.metadata.labels) {
            if self.incoming.is_meant_by(term) {
                let key = &term.topology_key;
                if self.hard_weight > 0 {
                    add(key, self.hard_weight, &asking.required_affinity);
                }
                for (weight, template) in &asking.preferred {
                    add(key, *weight, std::slice::from_ref(template));
                }
            }
        }
    }

    /// `processExistingPod`.
    fn effect(&self, running: &PodInfo) -> Option<Effect> {
        let own = &self.incoming.pod;
        let mut effect = Effect::new();
        let mut add = |key: &Str, weight: i64| effect.push((key.clone(), weight));
        for (weight, term) in own.preferred_affinity.iter().filter(|(_, t)| means(t, running)) {
            add(&term.topology_key, *weight);
        }
        for (weight, term) in own.preferred_anti_affinity.iter().filter(|(_, t)| means(t, running))
        {
            add(&term.topology_key, -weight);
        }
        if self.hard_weight > 0 {
            for term in running.required_affinity.iter().filter(|t| self.incoming.is_meant_by(t)) {
                add(&term.topology_key, self.hard_weight);
            }
        }
        for (weight, term) in &running.preferred_affinity {
            if self.incoming.is_meant_by(term) {
                add(&term.topology_key, *weight);
            }
        }
        for (weight, term) in &running.preferred_anti_affinity {
            if self.incoming.is_meant_by(term) {
                add(&term.topology_key, -weight);
            }
        }
        (!effect.is_empty()).then_some(effect)
    }

    fn apply(&mut self, cluster: &Cluster, effect: &Effect, node: NodeIdx, delta: i64) -> Stale {
        let was_skipped = self.is_skipped();
        let mut stale = Stale::Nothing;
        for (key, weight) in effect {
            let added = self.sums.add(cluster, node, key, weight.wrapping_mul(delta));
            if added != Added::NoKey {
                self.touched += delta;
            }
            stale = stale.max(match added {
                Added::NoKey => Stale::Nothing,
                Added::NewKey => Stale::All,
                Added::Sum { alone: true, .. } => Stale::Row,
                Added::Sum { alone: false, .. } => Stale::Classes,
            });
        }
        if was_skipped == self.is_skipped() { stale } else { stale.max(Stale::Classes) }
    }
}

impl Score for AffinityScore {
    fn depends_on(&self) -> Dependency {
        let own = &self.incoming.pod;
        let terms = own.preferred_affinity.iter().chain(&own.preferred_anti_affinity);
        Dependency::Domain(terms.map(|(_, term)| term.topology_key.clone()).collect())
    }

    fn is_skipped(&self) -> bool {
        self.touched == 0
    }

    fn raw(&self, _cluster: &Cluster, node: NodeIdx) -> i64 {
        self.sums.total(node)
    }

    fn class(&self, _cluster: &Cluster, node: NodeIdx, key: &mut Vec<u64>) -> bool {
        key.extend(self.sums.classes(node, i64::cast_unsigned));
        true
    }

    fn has_normalize(&self) -> bool {
        true
    }

    fn normalize(&self, _nodes: &[NodeIdx], scores: &mut [i64]) {
        let scale = Scale::of(scores.iter().copied());
        for score in scores {
            *score = scale.of_score(*score);
        }
    }

    fn add_to(&self, cluster: &Cluster, nodes: &NodeSet, weight: i32, sums: &mut [i32]) -> bool {
        let Some(few) = self.sums.few() else {
            return add_row_by_row(self, cluster, nodes, weight, sums);
        };
        let mut rest = nodes.clone();
        for (node, _) in &few.others {
            rest.remove(*node);
        }
        let others = few.others.iter().filter(|(node, _)| nodes.contains(*node));
        let mut without_key = rest.clone();
        let mut scores = Vec::with_capacity(few.shared.len() + 1);
        for &(sum, set) in &few.shared {
            scores.push(rest.intersects(set).then_some(sum));
            without_key.subtract(set);
        }
        let of_most = (!without_key.is_empty()).then_some(0);
        let all = scores.iter().flatten().copied().chain(of_most);
        let scale = Scale::of(all.chain(others.clone().map(|(_, sum)| *sum)));
        // Scores are from 0 to 100.
        let weighted =
            |score: i64| i32::try_from(scale.of_score(score)).unwrap_or(0).wrapping_mul(weight);
        let of_most = of_most.map_or(0, weighted);
        let of_sets: Vec<i32> = scores.into_iter().map(|score| score.map_or(0, weighted)).collect();
        passes::add_all(sums, of_most);
        for (value, (_, set)) in of_sets.iter().zip(&few.shared) {
            passes::add_to_set(sums, set, value.wrapping_sub(of_most));
        }
        for &(node, sum) in others {
            let mut shared = of_sets.iter().zip(&few.shared);
            let known = shared
                .find(|(_, (_, set))| set.contains(node))
                .map_or(of_most, |(value, _)| *value);
            passes::add_to_row(sums, node, weighted(sum).wrapping_sub(known));
        }
        true
    }

    fn is_uniform(&self) -> bool {
        self.sums.is_empty()
    }

    fn concerns(&self, cluster: &Cluster, template: TemplateId) -> bool {
        self.effect(cluster.template(template)).is_some()
    }

    fn pod_changed(&mut self, cluster: &Cluster, change: &PodChange) -> Stale {
        self.take_change(cluster, change)
    }

    fn boxed_clone(&self) -> Box<dyn Score> {
        Box::new(self.clone())
    }
}
