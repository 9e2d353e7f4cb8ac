//! `Prospects`: what preemption found on each node for the pods of a template, kept while the nodes stay as they are.
//!
//! Who would leave a node depends on
//!
//! - the pods of the node and its row: a change there makes what was found on that node stale;
//! - what filters know of topology domains, if the plan has such filters: a pod that makes a difference to one of them, wherever it
//!   comes or goes, makes stale what was found on all nodes;
//! - nodes, budgets and whatever else is the same in one epoch: prospects go with their plan when another begins;
//! - pods that are nominated to the node: who leaves them room has no use for prospects.

use std::collections::BTreeSet;

use super::trace::Order;
use super::{Candidate, NotCandidate, criteria, has_lower_priority, select_victims_on_node};
use crate::cluster::Cluster;
use crate::index_vec::{Idx, IndexVec, NodeIdx, TemplateId};
use crate::node_set::NodeSet;
use crate::plan::Plan;

/// Of which templates pods make a difference to filters that look at domains; grown as templates are met.
#[derive(Debug, Default)]
pub(crate) struct Domains {
    concerned: Vec<Option<bool>>,
}

impl Domains {
    /// Whether pods of the template, coming or going, make a difference to a filter beside the row that they change.
    pub(super) fn concern(&mut self, plan: &Plan, cluster: &Cluster, template: TemplateId) -> bool {
        let at = template.index();
        if self.concerned.len() <= at {
            self.concerned.resize(at + 1, None);
        }
        let Some(known) = self.concerned.get_mut(at) else { return true };
        *known.get_or_insert_with(|| {
            let mut filters = plan.filters().iter().filter(|it| it.depends_on.is_beyond_row());
            filters.any(|planned| planned.filter.concerns(cluster, template))
        })
    }
}

/// What evicting pods from a node came to.
#[derive(Debug, Clone, Default)]
enum Found {
    /// It does not help.
    #[default]
    Nothing,
    /// kube-scheduler's own plugin fails.
    Failed(Box<str>),
    /// The pod fits.
    Candidate(Box<Ranked>),
}

/// A candidate and its place among others.
#[derive(Debug, Clone)]
struct Ranked {
    order: Order,
    candidate: Candidate,
}

/// What preemption found on each node.
#[derive(Debug, Default)]
pub(crate) struct Prospects {
    /// The revision of which it is; `None` before anything was tried.
    revision: Option<u64>,
    found: IndexVec<NodeIdx, Found>,
    /// The nodes with pods of a lower priority: the others need not be tried, whatever happens elsewhere.
    hopeful: NodeSet,
    /// The candidates, the best first.
    ranking: BTreeSet<(Order, NodeIdx)>,
    failures: usize,
    domains: Domains,
}

impl Prospects {
    /// Tries what changed since the last time; says how many nodes that were. The plan is up to date and knows no nominations.
    pub(super) fn update(&mut self, cluster: &mut Cluster, plan: &mut Plan) -> u64 {
        let revision = cluster.revision();
        let known = self.revision.replace(revision);
        let changes = known.and_then(|known| cluster.changes_since(known));
        let rows: Vec<NodeIdx> = match changes {
            Some([]) => return 0,
            None => {
                let count = cluster.nodes().row_count();
                self.found = IndexVec::filled(Found::Nothing, count);
                self.hopeful = NodeSet::empty(count);
                self.ranking.clear();
                self.failures = 0;
                cluster.nodes().iter().collect()
            }
            Some(changes) => {
                let mut all = false;
                let mut rows: Vec<NodeIdx> = Vec::with_capacity(changes.len());
                for change in changes {
                    rows.push(change.node);
                    all = all || self.domains.concern(plan, cluster, change.template);
                }
                if all {
                    rows.extend(&self.hopeful);
                }
                rows.sort_unstable();
                rows.dedup();
                rows
            }
        };
        let mut tried = 0;
        let mut asked = false;
        for node in rows {
            self.forget(node);
            let hopeful = has_lower_priority(cluster, plan.template(), node);
            self.hopeful.set(node, hopeful);
            if !hopeful {
                continue;
            }
            if !std::mem::replace(&mut asked, true) {
                plan.refresh(cluster);
            }
            if plan.is_resolvable(cluster, node) {
                tried += 1;
                self.look(cluster, plan, node);
            }
        }
        tried
    }

    /// Forgets what was found on a node.
    fn forget(&mut self, node: NodeIdx) {
        let Some(found) = self.found.get_mut(node) else { return };
        match std::mem::take(found) {
            Found::Nothing => {}
            Found::Failed(_) => self.failures -= 1,
            Found::Candidate(ranked) => {
                self.ranking.remove(&(ranked.order, node));
            }
        }
    }

    /// Tries a node of which nothing is known.
    fn look(&mut self, cluster: &mut Cluster, plan: &Plan, node: NodeIdx) {
        let found = match select_victims_on_node(cluster, plan, &mut self.domains, node, false) {
            Ok((victims, violations)) => {
                let candidate = Candidate { node, at: node.index(), victims, violations };
                let order = criteria(cluster, &candidate).order();
                self.ranking.insert((order, node));
                Found::Candidate(Box::new(Ranked { order, candidate }))
            }
            Err(NotCandidate::Failed(failure)) => {
                self.failures += 1;
                Found::Failed(failure.into())
            }
            Err(_) => Found::Nothing,
        };
        if let Some(place) = self.found.get_mut(node) {
            *place = found;
        }
    }

    /// The best candidate.
    pub(super) fn best(&self) -> Option<&Candidate> {
        let (_, node) = self.ranking.first()?;
        self.candidate(*node)
    }

    fn candidate(&self, node: NodeIdx) -> Option<&Candidate> {
        match self.found.get(node)? {
            Found::Candidate(ranked) => Some(&ranked.candidate),
            _ => None,
        }
    }

    /// All candidates in kube-scheduler's order: those that violate no budget first.
    pub(super) fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        let of = |violating: bool| {
            let all = self.found.indices().filter_map(|node| self.candidate(node));
            all.filter(move |candidate| (candidate.violations > 0) == violating)
        };
        of(false).chain(of(true))
    }

    /// What failed, each text once, in node order.
    pub(super) fn failures(&self) -> Vec<String> {
        let mut failures: Vec<String> = Vec::new();
        if self.failures > 0 {
            for found in &self.found {
                if let Found::Failed(failure) = found
                    && !failures.iter().any(|known| **known == **failure)
                {
                    failures.push(failure.to_string());
                }
            }
        }
        failures
    }

    /// How many bytes it takes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        /// A node of the ranking, and a candidate with some victims.
        const CANDIDATE: usize = size_of::<(Order, NodeIdx)>() + size_of::<Ranked>() + 32;
        self.found.len() * size_of::<Found>() + self.ranking.len() * CANDIDATE
    }
}
