//! Why a plan's pod does not fit: node by node, and in one message.

use bayplan_api::Str;

use super::{Narrowed, Plan};
use crate::cluster::Cluster;
use crate::decision::Rejection;
use crate::diagnosis::{Histogram, pre_filter_message};
use crate::dry_run::filter_failure;
use crate::framework::{Code, Status, StatusId};
use crate::index_vec::NodeIdx;
use crate::node_set::NodeSet;
use crate::preemption::may_help;
use crate::refusals::Refusals;
use crate::sampling::list_order;

impl Plan {
    /// The place of the first filter that rejects the node, if PreFilter leaves it, and what that says.
    pub(super) fn refusal(&self, cluster: &Cluster, node: NodeIdx) -> Option<(u32, StatusId)> {
        if self.is_left_out(node) || !cluster.nodes().live().contains(node) {
            return None;
        }
        let mut filters = (0..).zip(&self.filters);
        filters.find_map(|(at, planned)| Some((at, planned.verdicts.id(node)?)))
    }

    /// Why the pod fits nowhere, if that is all that there is to be said: no plugin failed, and evicting pods does not help. No pod is
    /// nominated. Adds to `tried` on how many nodes preemption was tried; the cluster is left as it was.
    pub(crate) fn refused(&mut self, cluster: &mut Cluster, tried: &mut u64) -> Option<Str> {
        if self.prefilter.is_some() {
            return None;
        }
        self.forget_nominations();
        let mut refusals = self.take_refusals(cluster);
        let fails = self.may_fail();
        let resolvable = refusals.is_resolvable(|refusal| self.refusal_status(refusal));
        let helps = !fails && self.preempts && resolvable && may_help(cluster, self, tried);
        let message = (!fails && !helps).then(|| self.refusal_message(&mut refusals, cluster));
        self.refusals = Some(refusals);
        message
    }

    /// Who refuses the pod where, up to date; to be put back.
    pub(super) fn take_refusals(&mut self, cluster: &Cluster) -> Refusals {
        self.refresh(cluster);
        self.refusals.take().unwrap_or_else(|| {
            let mut refusals = Refusals::new(cluster.nodes().row_count());
            for node in cluster.nodes().iter() {
                refusals.note(node, self.refusal(cluster, node));
            }
            refusals
        })
    }

    pub(super) fn refusal_status(&self, (at, id): (u32, StatusId)) -> Option<&Status> {
        self.filters.get(usize::try_from(at).ok()?)?.verdicts.by_id(id)
    }

    /// The text of the event when no node is feasible, and nominations change nothing.
    pub(super) fn refusal_message(&self, refusals: &mut Refusals, cluster: &Cluster) -> Str {
        let count = cluster.nodes().count();
        let left_out = self
            .narrowed
            .as_ref()
            .map(|narrowed| (&narrowed.rejection.status, count - narrowed.nodes.count()));
        refusals.message(count, left_out, |refusal| self.refusal_status(refusal))
    }

    /// Why the node is not feasible: the first plugin that rejects it.
    pub(crate) fn rejection(&self, node: NodeIdx) -> Option<Rejection> {
        if self.nominated.fits == Some(node) {
            return None;
        }
        if let Some(rejection) = self.nominated.rejections.get(&node) {
            return Some(rejection.clone());
        }
        match &self.narrowed {
            Some(narrowed) if self.is_left_out(node) => Some(self.left_out(narrowed).clone()),
            _ => self.filter_rejection(node),
        }
    }

    /// What is said of the nodes that PreFilter leaves out.
    pub(super) fn left_out<'plan>(&'plan self, narrowed: &'plan Narrowed) -> &'plan Rejection {
        self.nominated.left_out.as_ref().unwrap_or(&narrowed.rejection)
    }

    /// Whether PreFilter leaves the node out.
    pub(super) fn is_left_out(&self, node: NodeIdx) -> bool {
        self.narrowed.as_ref().is_some_and(|narrowed| !narrowed.nodes.contains(node))
    }

    /// What the filters say of a node as it stands.
    pub(super) fn filter_rejection(&self, node: NodeIdx) -> Option<Rejection> {
        self.filters.iter().find_map(|planned| {
            let status = planned.verdicts.get(node)?.clone();
            Some(Rejection { plugin: planned.plugin.clone(), status })
        })
    }

    /// Whether a plugin fails on the node, and the plugins before it let the pod pass.
    pub(super) fn fails(&self, node: NodeIdx) -> bool {
        self.rejection(node).is_some_and(|rejection| rejection.status.code == Code::Error)
    }

    /// Whether a plugin may fail on a node.
    pub(super) fn may_fail(&self) -> bool {
        let mut rejections = self.nominated.rejections.values();
        self.filters.iter().any(|planned| planned.verdicts.may_fail())
            || rejections.any(|rejection| rejection.status.code == Code::Error)
    }

    /// kube-scheduler's own error if a plugin fails on a node that the plugins before it let pass.
    pub(crate) fn filter_error(&self, cluster: &Cluster) -> Option<String> {
        if self.nominated.fits.is_some() || !self.may_fail() {
            return None;
        }
        let failed = match &self.walk {
            Some(walk) => walk.failed,
            None => cluster.nodes().iter().find(|&node| self.fails(node)),
        };
        let Rejection { plugin, status } = self.rejection(failed?)?;
        Some(filter_failure(&plugin, &status.reasons.join(", ")))
    }

    /// The nodes where evicting pods may help: those whose first rejection is not final. In node order, or after a walk in the
    /// order of kube-scheduler's list.
    pub(crate) fn resolvable_nodes(&self, cluster: &Cluster) -> Vec<NodeIdx> {
        let resolvable = self.resolvable_set(cluster);
        let of_list = |list: &[NodeIdx]| {
            list.iter().copied().filter(|&node| resolvable.contains(node)).collect()
        };
        match &self.list {
            _ if self.walk.is_none() => resolvable.iter().collect(),
            // The pod's own node is not in the list, but was tried.
            _ if self.nominated.tried.is_some_and(|tried| self.is_left_out(tried)) => {
                of_list(&list_order(cluster.nodes()))
            }
            Some(list) => of_list(list),
            None => resolvable.iter().collect(),
        }
    }

    pub(super) fn resolvable_set(&self, cluster: &Cluster) -> NodeSet {
        let nodes = cluster.nodes();
        if let Some(prefilter) = &self.prefilter {
            let resolvable = prefilter.status.code == Code::Unschedulable;
            return if resolvable {
                nodes.live().clone()
            } else {
                NodeSet::empty(nodes.row_count())
            };
        }
        NodeSet::from_fn(nodes.row_count(), |node| self.is_resolvable(cluster, node))
    }

    /// Whether the node's first rejection is not final; without a rejection by PreFilter.
    pub(crate) fn is_resolvable(&self, cluster: &Cluster, node: NodeIdx) -> bool {
        if let Some(rejection) = self.nominated.rejections.get(&node) {
            return rejection.status.code == Code::Unschedulable;
        }
        let mut verdicts = self.filters.iter().map(|planned| &planned.verdicts);
        let first = verdicts.find(|verdicts| !verdicts.passing().contains(node));
        cluster.nodes().live().contains(node)
            && !self.is_left_out(node)
            && first.is_some_and(|verdicts| verdicts.is_resolvable(node))
    }

    /// The text of the event when no node is feasible.
    pub(crate) fn message(&mut self, cluster: &Cluster) -> String {
        let count = cluster.nodes().count();
        if let Some(prefilter) = &self.prefilter {
            return pre_filter_message(count, &prefilter.status.reasons);
        }
        if self.nominated.rejections.is_empty() && self.nominated.left_out.is_none() {
            let mut refusals = self.take_refusals(cluster);
            let message = self.refusal_message(&mut refusals, cluster);
            self.refusals = Some(refusals);
            return message.as_str().to_owned();
        }
        let mut histogram = Histogram::default();
        let mut left = cluster.nodes().live().clone();
        let mut tried_outside = 0;
        for (&node, rejection) in &self.nominated.rejections {
            for reason in &rejection.status.reasons {
                histogram.add(reason, 1);
            }
            left.remove(node);
            tried_outside += usize::from(self.is_left_out(node));
        }
        if let Some(narrowed) = &self.narrowed {
            let outside = count - narrowed.nodes.count() - tried_outside;
            for reason in self.left_out(narrowed).status.reasons.iter().filter(|_| outside > 0) {
                histogram.add(reason, outside);
            }
            left.intersect(&narrowed.nodes);
        }
        for planned in &self.filters {
            let mut rejected = left.clone();
            rejected.subtract(planned.verdicts.passing());
            for status in rejected.iter().filter_map(|node| planned.verdicts.get(node)) {
                for reason in &status.reasons {
                    histogram.add(reason, 1);
                }
            }
            left.intersect(planned.verdicts.passing());
        }
        histogram.message(count)
    }
}
