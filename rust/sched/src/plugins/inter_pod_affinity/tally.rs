//! `Tally`: counters that running pods feed, template by template.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::cluster::{Cluster, PodChange, PodInfo};
use crate::framework::Stale;
use crate::index_vec::{NodeIdx, TemplateId};

/// What a pod of each template does to the counters, worked out once a template and kept; `None` is nothing.
#[derive(Debug, Clone)]
pub(super) struct Effects<E>(IndexMap<TemplateId, Option<E>, FxBuildHasher>);

impl<E> Default for Effects<E> {
    fn default() -> Self {
        Self(IndexMap::default())
    }
}

/// Counters by topology domain that depend on which pods run where.
pub(super) trait Tally {
    /// What one running pod of a template does to the counters.
    type Effect;

    /// The effects known so far.
    fn effects(&mut self) -> &mut Effects<Self::Effect>;

    /// Counts all pods that run.
    fn count_all(&mut self, cluster: &Cluster);

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

    /// Takes a change of pods.
    fn take_change(&mut self, cluster: &Cluster, change: &PodChange) -> Stale {
        let known = self.effects().0.get_index_of(&change.template);
        let at = known.unwrap_or_else(|| {
            let effect = self.effect(cluster.template(change.template));
            self.effects().0.insert_full(change.template, effect).0
        });
        let effect = self.effects().0.get_index_mut(at).and_then(|(_, effect)| effect.take());
        let Some(effect) = effect else { return Stale::Nothing };
        let stale = self.apply(cluster, &effect, change.node, change.delta);
        if let Some((_, slot)) = self.effects().0.get_index_mut(at) {
            *slot = Some(effect);
        }
        stale
    }
}

/// On which nodes how many pods of the templates run.
pub(super) fn all_pods(
    cluster: &Cluster,
    templates: &[TemplateId],
) -> impl Iterator<Item = (NodeIdx, i64)> {
    let counts = templates.iter().flat_map(|&template| cluster.pod_counts(template));
    counts.map(|(node, count)| (node, count.all))
}

/// Whether it holds for templates that are alike in all that it asks about.
pub(super) fn holds_of(
    cluster: &Cluster,
    alike: &[TemplateId],
    holds: impl FnOnce(&PodInfo) -> bool,
) -> bool {
    alike.first().is_some_and(|&template| holds(cluster.template(template)))
}
