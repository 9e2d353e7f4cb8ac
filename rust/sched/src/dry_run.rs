//! Dry runs: would the pod fit on a node if other pods came there, or left it?
//!
//! The node's row is changed in a fork, and copies of a plan's filters take note as `PreFilterExtensions` do.

use bayplan_api::Str;

use crate::cluster::{Cluster, PodChange, WhatIf};
use crate::decision::Rejection;
use crate::framework::{Filter, Rows, Verdicts};
use crate::index_vec::{NodeIdx, PodIdx, TemplateId};

/// The filters of a plan, free to be changed.
#[derive(Debug)]
pub(crate) struct DryRun {
    filters: Vec<(Str, Box<dyn Filter>)>,
}

impl Clone for DryRun {
    fn clone(&self) -> Self {
        let filters = self.filters.iter();
        Self {
            filters: filters.map(|(name, filter)| (name.clone(), filter.boxed_clone())).collect(),
        }
    }
}

impl DryRun {
    /// Filters by the names of their plugins, in their order.
    pub(crate) const fn new(filters: Vec<(Str, Box<dyn Filter>)>) -> Self {
        Self { filters }
    }

    fn fits(&self, cluster: &Cluster, node: NodeIdx) -> bool {
        self.filters.iter().all(|(_, filter)| filter.fits(cluster, node))
    }

    /// What the first plugin says that does not let the pod fit.
    fn rejection(&self, cluster: &Cluster, node: NodeIdx) -> Option<Rejection> {
        let mut rejecting = self.filters.iter().filter(|(_, filter)| !filter.fits(cluster, node));
        rejecting.find_map(|(plugin, filter)| {
            let mut verdicts = Verdicts::new(cluster.nodes().row_count());
            filter.filter(cluster, Rows::Some(&[node]), &mut verdicts);
            let status = verdicts.get(node)?.clone();
            Some(Rejection { plugin: plugin.clone(), status })
        })
    }

    /// kube-scheduler's own error, if the first plugin that does not let the pod fit fails.
    fn failure(&self, cluster: &Cluster, node: NodeIdx) -> Option<String> {
        let mut filters = self.filters.iter();
        let (plugin, filter) = filters.find(|(_, filter)| !filter.fits(cluster, node))?;
        Some(filter_failure(plugin, &filter.failure(cluster, node)?))
    }
}

/// The text when a Filter plugin fails.
pub(crate) fn filter_failure(plugin: &Str, error: &str) -> String {
    format!("running {:?} filter plugin: {error}", plugin.as_str())
}

/// A pod that comes to a node in a dry run, or leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Guest {
    pub(crate) template: TemplateId,
    pub(crate) terminating: bool,
}

impl Guest {
    pub(crate) fn new(cluster: &Cluster, pod: PodIdx) -> Self {
        let row = &cluster.pods()[pod];
        Self { template: row.template, terminating: row.terminating }
    }
}

/// One node in a dry run.
#[derive(Debug)]
pub(crate) struct Trial<'a> {
    cluster: WhatIf<'a>,
    run: DryRun,
    node: NodeIdx,
}

impl<'a> Trial<'a> {
    /// The node as it is.
    pub(crate) fn new(cluster: &'a mut Cluster, run: DryRun, node: NodeIdx) -> Self {
        Self { cluster: cluster.what_if(), run, node }
    }

    pub(crate) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    fn change(&mut self, guest: Guest, delta: i64) {
        let Guest { template, terminating } = guest;
        self.cluster.count_on_row(template, self.node, delta);
        let change = PodChange { node: self.node, template, terminating, delta };
        for (_, filter) in &mut self.run.filters {
            filter.dry_run(&self.cluster, &change);
        }
    }

    /// A pod of the node leaves it.
    pub(crate) fn remove(&mut self, pod: PodIdx) {
        self.change(Guest::new(&self.cluster, pod), -1);
    }

    /// A pod that left comes back.
    pub(crate) fn add(&mut self, pod: PodIdx) {
        self.change(Guest::new(&self.cluster, pod), 1);
    }

    /// Asks what would be if those pods were on the node, too.
    fn beside<T>(&mut self, guests: &[Guest], ask: impl FnOnce(&Trial<'_>) -> T) -> T {
        let mut trial = Trial::new(&mut self.cluster, self.run.clone(), self.node);
        for &guest in guests {
            trial.change(guest, 1);
        }
        ask(&trial)
    }

    /// Whether the pod fits, with the nominated pods and without them (`RunFilterPluginsWithNominatedPods`).
    pub(crate) fn fits(&mut self, nominated: &[Guest]) -> bool {
        let fits = |trial: &Trial<'_>| trial.run.fits(&trial.cluster, trial.node);
        (nominated.is_empty() || self.beside(nominated, fits)) && fits(self)
    }

    /// kube-scheduler's own error, if the first plugin that does not let the pod fit fails.
    pub(crate) fn failure(&mut self, nominated: &[Guest]) -> Option<String> {
        if !nominated.is_empty() {
            let fits = |trial: &Trial<'_>| trial.run.fits(&trial.cluster, trial.node);
            let failure = |trial: &Trial<'_>| trial.run.failure(&trial.cluster, trial.node);
            let (fits, failure) = self.beside(nominated, |trial| (fits(trial), failure(trial)));
            if !fits {
                return failure;
            }
        }
        self.run.failure(&self.cluster, self.node)
    }

    /// The first rejection, with the nominated pods or without them.
    pub(crate) fn rejection(&mut self, nominated: &[Guest]) -> Option<Rejection> {
        let beside = if nominated.is_empty() { None } else { self.rejection_beside(nominated) };
        beside.or_else(|| self.run.rejection(&self.cluster, self.node))
    }

    /// The first rejection with those pods on the node, too.
    pub(crate) fn rejection_beside(&mut self, nominated: &[Guest]) -> Option<Rejection> {
        self.beside(nominated, |trial| trial.run.rejection(&trial.cluster, trial.node))
    }
}
