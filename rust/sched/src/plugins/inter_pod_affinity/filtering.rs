//! The filter: required terms, in both directions.
//!
//! Follows `filtering.go` in `pkg/scheduler/framework/plugins/interpodaffinity` of v1.34.

use std::sync::Arc;

use bayplan_api::Str;

use super::domain_counts::{Added, DomainCounts};
use super::tally::{Effects, Tally, all_pods, holds_of};
use super::{Incoming, means};
use crate::cluster::{AffinityTerm, Cluster, PodChange, PodInfo};
use crate::framework::{Dependency, Filter, Rows, Stale, Status, Verdicts};
use crate::index_vec::{NodeIdx, TemplateId};
use crate::node_set::NodeSet;

const ERR_REASON_EXISTING_ANTI_AFFINITY_RULES_NOT_MATCH: &str =
    "node(s) didn't satisfy existing pods anti-affinity rules";
const ERR_REASON_AFFINITY_RULES_NOT_MATCH: &str = "node(s) didn't match pod affinity rules";
const ERR_REASON_ANTI_AFFINITY_RULES_NOT_MATCH: &str =
    "node(s) didn't match pod anti-affinity rules";

/// `preFilterState`.
#[derive(Debug, Clone)]
pub(super) struct AffinityFilter {
    incoming: Incoming,
    /// Running pods whose anti-affinity means the pod.
    existing_anti_affinity: DomainCounts,
    /// Running pods that match all terms of the pod's affinity.
    affinity: DomainCounts,
    /// Running pods that match a term of the pod's anti-affinity.
    anti_affinity: DomainCounts,
    /// Whether the pod matches all terms of its own affinity.
    matches_itself: bool,
    /// Whether PreFilter skips the plugin: a dry run then changes nothing.
    skipped: bool,
    effects: Effects<Effect>,
}

/// In which counters, under which keys, a running pod of a template counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Effect {
    existing_anti_affinity: Vec<Str>,
    affinity: bool,
    anti_affinity: Vec<Str>,
}

enum Verdict {
    Fits,
    Affinity,
    AntiAffinity,
    ExistingAntiAffinity,
}

impl AffinityFilter {
    pub(super) fn new(pod: &Arc<PodInfo>, cluster: &Cluster) -> Self {
        let incoming = Incoming::new(pod, cluster);
        let mut filter = Self {
            existing_anti_affinity: DomainCounts::default(),
            affinity: DomainCounts::default(),
            anti_affinity: DomainCounts::default(),
            matches_itself: matches_all(&incoming.pod.required_affinity, &incoming.pod),
            skipped: false,
            effects: Effects::default(),
            incoming,
        };
        filter.count_all(cluster);
        filter.settle();
        filter
    }

    /// Works out whether kube-scheduler's PreFilter, asked now, would skip the plugin.
    fn settle(&mut self) {
        let own = &self.incoming.pod;
        self.skipped = own.required_affinity.is_empty()
            && own.required_anti_affinity.is_empty()
            && self.existing_anti_affinity.is_zero();
    }

    fn verdict(&self, cluster: &Cluster, node: NodeIdx) -> Verdict {
        if !self.satisfies_affinity(cluster, node) {
            return Verdict::Affinity;
        }
        let repels = |term: &AffinityTerm| {
            self.anti_affinity.get(cluster, node, &term.topology_key).is_some_and(|sum| sum > 0)
        };
        if self.incoming.pod.required_anti_affinity.iter().any(repels) {
            return Verdict::AntiAffinity;
        }
        if self.existing_anti_affinity.any_above_zero(node) {
            return Verdict::ExistingAntiAffinity;
        }
        Verdict::Fits
    }

    /// `satisfyPodAffinity`: every key on the node, and pods in every domain, unless the pod is the first of its group.
    fn satisfies_affinity(&self, cluster: &Cluster, node: NodeIdx) -> bool {
        let mut pods_exist = true;
        for term in &self.incoming.pod.required_affinity {
            match self.affinity.get(cluster, node, &term.topology_key) {
                None => return false,
                Some(sum) => pods_exist &= sum > 0,
            }
        }
        pods_exist || self.matches_itself && self.affinity.is_zero()
    }
}

impl Tally for AffinityFilter {
    type Effect = Effect;

    fn effects(&mut self) -> &mut Effects<Effect> {
        &mut self.effects
    }

    fn count_all(&mut self, cluster: &Cluster) {
        let own = &self.incoming.pod;
        for (term, asking) in cluster.terms_about(&own.pod.metadata.labels) {
            let templates = asking.required_anti_affinity.as_slice();
            if !templates.is_empty() && self.incoming.is_meant_by(term) {
                let key = &term.topology_key;
                self.existing_anti_affinity.add_all(cluster, key, 1, all_pods(cluster, templates));
            }
        }
        if let Some(selector) =
            own.required_affinity.first().and_then(|term| term.selector.as_ref())
        {
            for templates in cluster.alike_for(selector) {
                if holds_of(cluster, templates, |running| {
                    matches_all(&own.required_affinity, running)
                }) {
                    for term in &own.required_affinity {
                        self.affinity.add_all(
                            cluster,
                            &term.topology_key,
                            1,
                            all_pods(cluster, templates),
                        );
                    }
                }
            }
        }
        for term in &own.required_anti_affinity {
            let Some(selector) = &term.selector else { continue };
            for templates in cluster.alike_for(selector) {
                if holds_of(cluster, templates, |running| means(term, running)) {
                    self.anti_affinity.add_all(
                        cluster,
                        &term.topology_key,
                        1,
                        all_pods(cluster, templates),
                    );
                }
            }
        }
    }

    fn effect(&self, running: &PodInfo) -> Option<Effect> {
        let keys = |terms: &[AffinityTerm], meant: &dyn Fn(&AffinityTerm) -> bool| {
            let meant = terms.iter().filter(|term| meant(term));
            meant.map(|term| term.topology_key.clone()).collect::<Vec<_>>()
        };
        let own = &self.incoming.pod;
        let effect = Effect {
            existing_anti_affinity: keys(&running.required_anti_affinity, &|term| {
                self.incoming.is_meant_by(term)
            }),
            affinity: matches_all(&own.required_affinity, running),
            anti_affinity: keys(&own.required_anti_affinity, &|term| means(term, running)),
        };
        let none = !effect.affinity
            && effect.anti_affinity.is_empty()
            && effect.existing_anti_affinity.is_empty();
        (!none).then_some(effect)
    }

    fn apply(&mut self, cluster: &Cluster, effect: &Effect, node: NodeIdx, delta: i64) -> Stale {
        let mut stale = Stale::Nothing;
        for key in &effect.existing_anti_affinity {
            stale = stale.max(changed(self.existing_anti_affinity.add(cluster, node, key, delta)));
        }
        if effect.affinity {
            let was_zero = self.affinity.is_zero();
            for term in &self.incoming.pod.required_affinity {
                stale =
                    stale.max(changed(self.affinity.add(cluster, node, &term.topology_key, delta)));
            }
            if was_zero != self.affinity.is_zero() {
                stale = stale.max(Stale::Classes);
            }
        }
        for key in &effect.anti_affinity {
            stale = stale.max(changed(self.anti_affinity.add(cluster, node, key, delta)));
        }
        stale
    }
}

/// Which rows a sum makes stale: what counts is whether it is above zero.
fn changed(added: Added) -> Stale {
    match added {
        Added::NoKey => Stale::Nothing,
        Added::NewKey => Stale::All,
        Added::Sum { before, after, .. } if (before > 0) == (after > 0) => Stale::Nothing,
        Added::Sum { alone: true, .. } => Stale::Row,
        Added::Sum { alone: false, .. } => Stale::Classes,
    }
}

/// `podMatchesAllAffinityTerms`.
fn matches_all(terms: &[AffinityTerm], pod: &PodInfo) -> bool {
    !terms.is_empty() && terms.iter().all(|term| means(term, pod))
}

impl Filter for AffinityFilter {
    fn depends_on(&self) -> Dependency {
        let own = &self.incoming.pod;
        let terms = own.required_affinity.iter().chain(&own.required_anti_affinity);
        Dependency::Domain(terms.map(|term| term.topology_key.clone()).collect())
    }

    fn filter(&self, cluster: &Cluster, rows: Rows<'_>, verdicts: &mut Verdicts) {
        let affinity = Status::unresolvable(ERR_REASON_AFFINITY_RULES_NOT_MATCH);
        let anti_affinity = Status::unschedulable(ERR_REASON_ANTI_AFFINITY_RULES_NOT_MATCH);
        let existing = Status::unschedulable(ERR_REASON_EXISTING_ANTI_AFFINITY_RULES_NOT_MATCH);
        let [affinity, anti_affinity, existing] =
            [affinity, anti_affinity, existing].map(|status| verdicts.status(status));
        rows.each(cluster.nodes().row_count(), |node| match self.verdict(cluster, node) {
            Verdict::Fits => verdicts.pass(node),
            Verdict::Affinity => verdicts.reject(node, affinity),
            Verdict::AntiAffinity => verdicts.reject(node, anti_affinity),
            Verdict::ExistingAntiAffinity => verdicts.reject(node, existing),
        });
    }

    fn fits(&self, cluster: &Cluster, node: NodeIdx) -> bool {
        matches!(self.verdict(cluster, node), Verdict::Fits)
    }

    fn narrow(&self, cluster: &Cluster, nodes: &mut NodeSet) {
        let own = &self.incoming.pod;
        let is_first = self.matches_itself && self.affinity.is_zero();
        for term in &own.required_affinity {
            if is_first {
                match cluster.nodes().labels.column(&term.topology_key) {
                    Some(column) => nodes.intersect(column.having()),
                    None => *nodes = NodeSet::empty(nodes.universe()),
                }
            } else {
                self.affinity.keep_above_zero_of(&term.topology_key, nodes);
            }
        }
        for term in &own.required_anti_affinity {
            self.anti_affinity.remove_above_zero_of(&term.topology_key, nodes);
        }
        self.existing_anti_affinity.remove_above_zero(nodes);
    }

    fn class(&self, cluster: &Cluster, node: NodeIdx, key: &mut Vec<u64>) -> bool {
        let above_zero = |sum| u64::from(sum > 0);
        let own = &self.incoming.pod;
        key.extend(
            own.required_affinity
                .iter()
                .map(|term| self.affinity.class(cluster, node, &term.topology_key, above_zero)),
        );
        key.extend(
            own.required_anti_affinity.iter().map(|term| {
                self.anti_affinity.class(cluster, node, &term.topology_key, above_zero)
            }),
        );
        key.extend(self.existing_anti_affinity.classes(node, above_zero));
        true
    }

    fn is_uniform(&self) -> bool {
        let own = &self.incoming.pod;
        own.required_affinity.is_empty()
            && own.required_anti_affinity.is_empty()
            && self.existing_anti_affinity.is_empty()
    }

    fn concerns(&self, cluster: &Cluster, template: TemplateId) -> bool {
        self.effect(cluster.template(template)).is_some()
    }

    fn pod_changed(&mut self, cluster: &Cluster, change: &PodChange) -> Stale {
        let stale = self.take_change(cluster, change);
        self.settle();
        stale
    }

    fn dry_run(&mut self, cluster: &Cluster, change: &PodChange) {
        if !self.skipped {
            self.take_change(cluster, change);
        }
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}
