//! `Tally`: counters that running pods feed, template by template.

use crate::cluster::{Cluster, PodChange, PodInfo};
use crate::framework::Stale;
use crate::index_vec::{Idx, NodeIdx, TemplateId};

/// What a pod of each template does to the counters, worked out once a template and kept.
#[derive(Debug, Clone)]
pub(super) struct Effects<E>(Vec<Effect<E>>);

/// What a pod of one template does.
#[derive(Debug, Clone, Default)]
enum Effect<E> {
    #[default]
    Unknown,
    Nothing,
    Something(E),
}

impl<E> Default for Effects<E> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<E> Effects<E> {
    fn take(&mut self, template: TemplateId) -> Effect<E> {
        match self.0.get_mut(template.index()) {
            None => Effect::Unknown,
            Some(Effect::Nothing) => Effect::Nothing,
            Some(known) => std::mem::take(known),
        }
    }

    fn put(&mut self, template: TemplateId, effect: Effect<E>) {
        if self.0.len() <= template.index() {
            self.0.resize_with(template.index() + 1, || Effect::Unknown);
        }
        if let Some(slot) = self.0.get_mut(template.index()) {
            *slot = effect;
        }
    }
}

/// Counters by topology domain that depend on which pods run where.
pub(super) trait Tally {
    /// What one running pod of a template does to the counters.
    type Effect;

    /// The effects known so far.
    fn effects(&mut self) -> &mut Effects<Self::Effect>;

    /// Works out what a running pod does; `None` if it does nothing.
    fn effect(&self, running: &PodInfo) -> Option<Self::Effect>;

    /// Lets `delta` such pods come to a node; says which rows that makes stale.
    fn apply(
        &mut self,
        cluster: &Cluster,
        effect: &Self::Effect,
        node: NodeIdx,
        delta: i64,
    ) -> Stale;

    /// Counts all pods that run.
    fn count_all(&mut self, cluster: &Cluster) {
        for (template, running, counts) in cluster.templates() {
            let effect = match self.effect(running) {
                None => Effect::Nothing,
                Some(effect) => {
                    for (node, count) in counts {
                        self.apply(cluster, &effect, node, count.all);
                    }
                    Effect::Something(effect)
                }
            };
            self.effects().put(template, effect);
        }
    }

    /// Takes a change of pods.
    fn take_change(&mut self, cluster: &Cluster, change: &PodChange) -> Stale {
        let effect = match self.effects().take(change.template) {
            Effect::Nothing => return Stale::Nothing,
            Effect::Something(effect) => Some(effect),
            Effect::Unknown => self.effect(cluster.template(change.template)),
        };
        let Some(effect) = effect else {
            self.effects().put(change.template, Effect::Nothing);
            return Stale::Nothing;
        };
        let stale = self.apply(cluster, &effect, change.node, change.delta);
        self.effects().put(change.template, Effect::Something(effect));
        stale
    }
}
