//! `Plans`: what a scheduler has learnt of the templates of a cluster.

use std::sync::Arc;

use bayplan_api::Str;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::cluster::{Cluster, PodInfo};
use crate::index_vec::{Idx, TemplateId};
use crate::plan::Plan;
use crate::profile::Profile;
use crate::scheduler::Scheduler;
use crate::view::{Picked, Shapes};

/// How many bytes plans may take before those that were unused longest go.
///
/// What is counted are the columns with a row a node, which are nearly all that plans keep. The plan in use stays, whatever it
/// takes.
pub const PLAN_BYTES: usize = 256 << 20;

/// Plans of templates, kept from decision to decision and, if the caller keeps them, from call to call.
///
/// They follow one cluster through the changes that it logs, forks and rollbacks included; asked about another cluster, or by
/// another scheduler, they begin anew. A copy is empty.
#[derive(Debug, Default)]
pub struct Plans {
    /// Whose plans they are.
    owners: Option<(u64, u64)>,
    kept: IndexMap<TemplateId, Kept, FxBuildHasher>,
    shapes: Shapes,
    facts: Vec<Option<Facts>>,
    /// How often plans were used.
    uses: u64,
    bytes: usize,
    limit: Option<usize>,
    work: Work,
    /// The templates for which a node was looked for before. Many a template is met only once: then its plan would but push others
    /// out of the processor's caches.
    met: Vec<bool>,
    /// Used again from scan to scan.
    sums: Vec<i32>,
}

impl Clone for Plans {
    fn clone(&self) -> Self {
        Self { limit: self.limit, ..Self::default() }
    }
}

/// What was computed, and not merely known, since the plans were made: for tests and for those who wonder where time goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Work {
    /// Templates compiled against the cluster.
    pub plans: u64,
    /// Views made of all nodes.
    pub views: u64,
    /// Rows asked for a shape, all rows of new shapes among them.
    pub rows: u64,
    /// Rows put in another place of a view.
    pub moved: u64,
    /// How often groups of rows were weighed again.
    pub weighed: u64,
    /// Templates whose best node was looked for without a view.
    pub scans: u64,
    /// Passes over the sums of all rows.
    pub passes: u64,
    /// Nodes on which preemption was tried.
    pub tried: u64,
}

#[derive(Debug)]
struct Kept {
    plan: Box<Plan>,
    used: u64,
    bytes: usize,
}

/// What is known of a template without looking at nodes.
#[derive(Debug)]
pub(crate) struct Facts {
    template: Arc<PodInfo>,
    /// Its profile's place in the configuration.
    pub(crate) profile: Option<usize>,
    /// What of the template cannot be decided.
    pub(crate) unsupported: Option<String>,
}

impl Plans {
    /// Plans that may take so many bytes.
    pub fn with_limit(bytes: usize) -> Self {
        Self { limit: Some(bytes), ..Self::default() }
    }

    /// What was computed so far.
    pub const fn work(&self) -> Work {
        self.work
    }

    /// How many bytes the plans take, roughly: the columns with a row a node.
    pub fn bytes(&self) -> usize {
        self.bytes + self.shapes.bytes()
    }

    /// Begins anew if the plans are another scheduler's, or of another cluster.
    pub(crate) fn belong_to(&mut self, scheduler: &Scheduler, cluster: &Cluster) {
        let owners = Some((scheduler.identity(), cluster.identity()));
        if self.owners != owners {
            *self = Self { owners, work: self.work, ..self.clone() };
        }
    }

    /// What is known of a template without looking at nodes.
    pub(crate) fn facts(
        &mut self,
        scheduler: &Scheduler,
        cluster: &Cluster,
        template: TemplateId,
    ) -> &Facts {
        let at = template.index();
        if self.facts.len() <= at {
            self.facts.resize_with(at + 1, || None);
        }
        let info = cluster.template(template);
        let slot = &mut self.facts[at];
        let known = slot.take().filter(|facts| Arc::ptr_eq(&facts.template, info));
        slot.insert(known.unwrap_or_else(|| {
            let profile = scheduler.profile(&info.pod.spec.scheduler_name);
            Facts {
                template: Arc::clone(info),
                profile: profile.map(|profile| profile.number),
                unsupported: profile.and_then(|profile| profile.unsupported(info)),
            }
        }))
    }

    /// The template's plan, up to date.
    #[expect(clippy::expect_used, reason = "the plan was inserted on the line before")]
    pub(crate) fn plan(
        &mut self,
        profile: &Profile,
        cluster: &Cluster,
        template: TemplateId,
    ) -> &mut Plan {
        self.uses += 1;
        let uses = self.uses;
        let known = self.kept.get_mut(&template).map(|kept| {
            kept.used = uses;
            kept.plan.catch_up(cluster)
        });
        if known != Some(true) {
            self.work.plans += 1;
            let plan = Box::new(Plan::new(profile, cluster, template));
            let made = Kept { bytes: 0, used: uses, plan };
            if let Some(before) = self.kept.insert(template, made) {
                self.bytes -= before.bytes;
            }
            self.account(template);
        }
        &mut self.kept.get_mut(&template).expect("inserted above").plan
    }

    /// The best node for a template as the cluster stands, if its view can tell.
    pub(crate) fn pick(
        &mut self,
        profile: &Profile,
        cluster: &Cluster,
        template: TemplateId,
    ) -> Picked {
        self.plan(profile, cluster, template);
        if self.met.len() <= template.index() {
            self.met.resize(template.index() + 1, false);
        }
        let is_first = !std::mem::replace(&mut self.met[template.index()], true);
        let Some(kept) = self.kept.get_mut(&template) else { return Picked::Unknown };
        if is_first {
            let picked = kept.plan.scan(cluster, &mut self.sums, &mut self.work);
            if matches!(picked, Picked::Best(_)) {
                self.forget(template);
            }
            return picked;
        }
        let before = (kept.plan.parts(), self.shapes.bytes());
        let picked = kept.plan.pick(cluster, &mut self.shapes, self.uses, &mut self.work);
        if before != (kept.plan.parts(), self.shapes.bytes()) {
            self.account(template);
        }
        picked
    }

    /// Why the template, which a view has just found to fit nowhere, does so, if that is all that there is to be said.
    pub(crate) fn refused(&mut self, cluster: &mut Cluster, template: TemplateId) -> Option<Str> {
        let kept = self.kept.get_mut(&template)?;
        let before = kept.plan.parts();
        let message = kept.plan.refused(cluster, &mut self.work.tried);
        if kept.plan.parts() != before {
            self.account(template);
        }
        message
    }

    /// Notes on how many nodes preemption was tried for a pod of the template.
    pub(crate) fn tried(&mut self, template: TemplateId, nodes: u64) {
        if nodes > 0 {
            self.work.tried += nodes;
            self.account(template);
        }
    }

    fn forget(&mut self, template: TemplateId) {
        if let Some(kept) = self.kept.swap_remove(&template) {
            self.bytes -= kept.bytes;
        }
    }

    /// Counts what a plan takes now, and lets others go if all take too much.
    fn account(&mut self, template: TemplateId) {
        if let Some(kept) = self.kept.get_mut(&template) {
            self.bytes -= kept.bytes;
            kept.bytes = kept.plan.bytes();
            self.bytes += kept.bytes;
        }
        let limit = self.limit.unwrap_or(PLAN_BYTES);
        while self.bytes() > limit && self.forget_oldest(template) {}
    }

    /// Lets those go that were unused longest, an eighth of all at once, so that finding them costs little; not the plan in use. Says whether
    /// there were any.
    fn forget_oldest(&mut self, template: TemplateId) -> bool {
        let others = self.kept.iter().filter(|(id, _)| **id != template);
        let mut uses: Vec<u64> = others.map(|(_, kept)| kept.used).collect();
        uses.extend(self.shapes.uses().filter(|&used| used != self.uses));
        let eighth = uses.len() / 8;
        if uses.is_empty() {
            return false;
        }
        let (_, &mut oldest, _) = uses.select_nth_unstable(eighth);
        self.kept.retain(|id, kept| {
            let stays = kept.used > oldest || *id == template;
            if !stays {
                self.bytes -= kept.bytes;
                if let Some(met) = self.met.get_mut(id.index()) {
                    *met = false;
                }
            }
            stays
        });
        self.shapes.forget_until(oldest, self.uses);
        true
    }
}
