//! Dry runs: would the pod fit on a node if other pods came there, or left it?
//!
//! In a [`Trial`] the node's row is changed in a fork, and copies of a plan's filters take note as `PreFilterExtensions` do. Where no
//! filter has anything to note, a [`RowTrial`] changes the row alone, and asks the plan's own filters.

use bayplan_api::Str;

use crate::cluster::{Cluster, PodChange, UsedPorts, WhatIf};
use crate::decision::Rejection;
use crate::framework::{Filter, Rows, Verdicts};
use crate::index_vec::{NodeIdx, PodIdx, TemplateId};
use crate::plan::PlannedFilter;

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
        rejecting.find_map(|(plugin, filter)| rejection_by(plugin, filter.as_ref(), cluster, node))
    }

    /// kube-scheduler's own error, if the first plugin that does not let the pod fit fails.
    fn failure(&self, cluster: &Cluster, node: NodeIdx) -> Option<String> {
        let mut filters = self.filters.iter();
        let (plugin, filter) = filters.find(|(_, filter)| !filter.fits(cluster, node))?;
        Some(filter_failure(plugin, &filter.failure(cluster, node)?))
    }
}

/// What a filter says that does not let the pod fit.
fn rejection_by(
    plugin: &Str,
    filter: &dyn Filter,
    cluster: &Cluster,
    node: NodeIdx,
) -> Option<Rejection> {
    let mut verdicts = Verdicts::new(cluster.nodes().row_count());
    filter.filter(cluster, Rows::Some(&[node]), &mut verdicts);
    let status = verdicts.get(node)?.clone();
    Some(Rejection { plugin: plugin.clone(), status })
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

/// A node in a dry run, as preemption goes about it.
pub(crate) trait Evictions {
    /// The cluster as it stands; all but the node's row is as it is outside of the dry run.
    fn cluster(&self) -> &Cluster;

    /// A pod of the node leaves it.
    fn remove(&mut self, pod: PodIdx);

    /// A pod that left comes back.
    fn add(&mut self, pod: PodIdx);

    /// Whether the pod fits.
    fn fits(&mut self) -> bool;

    /// kube-scheduler's own error, if the first plugin that does not let the pod fit fails.
    fn failure(&mut self) -> Option<String>;

    /// The first rejection.
    fn rejection(&mut self) -> Option<Rejection>;
}

/// A node to which pods may be nominated, in a fork with copies of all filters: right for every plugin.
#[derive(Debug)]
pub(crate) struct Beside<'a> {
    pub(crate) trial: Trial<'a>,
    /// Those to which the pod must leave room.
    pub(crate) nominated: &'a [Guest],
}

impl Evictions for Beside<'_> {
    fn cluster(&self) -> &Cluster {
        &self.trial.cluster
    }

    fn remove(&mut self, pod: PodIdx) {
        self.trial.change(Guest::new(&self.trial.cluster, pod), -1);
    }

    fn add(&mut self, pod: PodIdx) {
        self.trial.change(Guest::new(&self.trial.cluster, pod), 1);
    }

    fn fits(&mut self) -> bool {
        self.trial.fits(self.nominated)
    }

    fn failure(&mut self) -> Option<String> {
        self.trial.failure(self.nominated)
    }

    fn rejection(&mut self) -> Option<Rejection> {
        self.trial.rejection(self.nominated)
    }
}

/// A node whose row alone is changed, and that is given back as it was: for pods of which no filter takes note otherwise, and without
/// nominated pods.
#[derive(Debug)]
pub(crate) struct RowTrial<'a> {
    cluster: &'a mut Cluster,
    filters: &'a [PlannedFilter],
    node: NodeIdx,
    /// The pods that left, and did not come back.
    gone: Vec<PodIdx>,
    /// The node's ports, if one of the pods holds some: a port that two pods hold is free as soon as one leaves.
    ports: Option<UsedPorts>,
}

impl<'a> RowTrial<'a> {
    /// The node as it is.
    pub(crate) const fn new(
        cluster: &'a mut Cluster,
        filters: &'a [PlannedFilter],
        node: NodeIdx,
    ) -> Self {
        Self { cluster, filters, node, gone: Vec::new(), ports: None }
    }

    fn change(&mut self, pod: PodIdx, delta: i64) {
        let template = self.cluster.pods()[pod].template;
        if self.ports.is_none() && !self.cluster.template(template).host_ports.is_empty() {
            self.ports = Some(self.cluster.nodes().used_ports[self.node].clone());
        }
        self.cluster.try_on_row(template, self.node, delta);
    }

    fn rejecting(&self) -> Option<&PlannedFilter> {
        let fits = |planned: &&PlannedFilter| planned.filter.fits(self.cluster, self.node);
        self.filters.iter().find(|planned| !fits(planned))
    }
}

impl Drop for RowTrial<'_> {
    fn drop(&mut self) {
        for pod in std::mem::take(&mut self.gone) {
            self.change(pod, 1);
        }
        if let Some(ports) = self.ports.take() {
            self.cluster.restore_ports(self.node, ports);
        }
    }
}

impl Evictions for RowTrial<'_> {
    fn cluster(&self) -> &Cluster {
        self.cluster
    }

    fn remove(&mut self, pod: PodIdx) {
        self.change(pod, -1);
        self.gone.push(pod);
    }

    fn add(&mut self, pod: PodIdx) {
        self.change(pod, 1);
        self.gone.retain(|&gone| gone != pod);
    }

    fn fits(&mut self) -> bool {
        self.rejecting().is_none()
    }

    fn failure(&mut self) -> Option<String> {
        let PlannedFilter { plugin, filter, .. } = self.rejecting()?;
        Some(filter_failure(plugin, &filter.failure(self.cluster, self.node)?))
    }

    fn rejection(&mut self) -> Option<Rejection> {
        let PlannedFilter { plugin, filter, .. } = self.rejecting()?;
        rejection_by(plugin, filter.as_ref(), self.cluster, self.node)
    }
}

/// One node in a dry run, in a fork.
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

    fn change(&mut self, guest: Guest, delta: i64) {
        let Guest { template, terminating } = guest;
        self.cluster.count_on_row(template, self.node, delta);
        let change = PodChange { node: self.node, template, terminating, delta };
        for (_, filter) in &mut self.run.filters {
            filter.dry_run(&self.cluster, &change);
        }
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
    fn fits(&mut self, nominated: &[Guest]) -> bool {
        let fits = |trial: &Trial<'_>| trial.run.fits(&trial.cluster, trial.node);
        (nominated.is_empty() || self.beside(nominated, fits)) && fits(self)
    }

    /// kube-scheduler's own error, if the first plugin that does not let the pod fit fails.
    fn failure(&mut self, nominated: &[Guest]) -> Option<String> {
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
    fn rejection(&mut self, nominated: &[Guest]) -> Option<Rejection> {
        let beside = if nominated.is_empty() { None } else { self.rejection_beside(nominated) };
        beside.or_else(|| self.run.rejection(&self.cluster, self.node))
    }

    /// The first rejection with those pods on the node, too.
    pub(crate) fn rejection_beside(&mut self, nominated: &[Guest]) -> Option<Rejection> {
        self.beside(nominated, |trial| trial.run.rejection(&trial.cluster, trial.node))
    }
}
