//! The score: preferred terms in both directions, and the required affinity of running pods.
//!
//! Follows `scoring.go` in `pkg/scheduler/framework/plugins/interpodaffinity` of v1.34.

use std::sync::Arc;

use bayplan_api::Str;

use super::domain_counts::{Added, DomainCounts};
use super::tally::{Effects, Tally};
use super::{Incoming, means};
use crate::cluster::{Cluster, PodChange, PodInfo};
use crate::framework::{Dependency, MAX_NODE_SCORE, Score, Stale};
use crate::go::{float64, int64};
use crate::index_vec::{NodeIdx, TemplateId};

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

impl Tally for AffinityScore {
    type Effect = Effect;

    fn effects(&mut self) -> &mut Effects<Effect> {
        &mut self.effects
    }

    fn candidates(&self, cluster: &Cluster) -> Vec<TemplateId> {
        let own = &self.incoming.pod;
        let terms = own.preferred_affinity.iter().chain(&own.preferred_anti_affinity);
        let labels = &own.pod.metadata.labels;
        cluster.templates_meant(terms.map(|(_, term)| term), Some(labels))
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
        let min = scores.iter().copied().min().unwrap_or(0);
        let max = scores.iter().copied().max().unwrap_or(0);
        let range = max.wrapping_sub(min);
        for score in scores {
            *score = if range > 0 {
                let share = float64(score.wrapping_sub(min)) / float64(range);
                int64(float64(MAX_NODE_SCORE) * share)
            } else {
                0
            };
        }
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
