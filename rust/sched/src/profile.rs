//! `Profile`: the plugins of one scheduler name, in order, with their weights.
//!
//! Follows `NewFramework` in `pkg/scheduler/framework/runtime/framework.go` of v1.34; which plugins stand where is
//! worked out in [`crate::config`].

use std::sync::Arc;

use bayplan_api::Str;

use crate::cluster::{PodInfo, PodRow};
use crate::config::{
    DefaultPreemptionArgs, ExpandedProfile, ExtensionPoint, IN_TREE, PluginArgs, names,
};
use crate::framework::Plugin;
use crate::plugins::registry;

/// The semantics that the engine follows: a minor version of Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum SemanticsVersion {
    /// kube-scheduler v1.34.
    #[default]
    V1_34,
}

impl SemanticsVersion {
    /// The version as users write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1_34 => "1.34",
        }
    }
}

/// The plugins for the pods of one `schedulerName`.
#[derive(Debug, Clone)]
pub struct Profile {
    /// `schedulerName`.
    pub scheduler_name: Str,
    /// The Kubernetes version whose decisions it makes.
    pub semantics: SemanticsVersion,
    /// Its place among the profiles of the configuration.
    pub(crate) number: usize,
    pub(crate) pre_enqueue: Vec<Arc<dyn Plugin>>,
    pub(crate) queue_sort: Option<Arc<dyn Plugin>>,
    /// In the order of PreFilter, then those that only filter.
    pub(crate) filters: Vec<FilterEntry>,
    /// The names in the order of Filter.
    pub(crate) filter_order: Vec<Str>,
    pub(crate) scores: Vec<ScoreEntry>,
    /// Plugins whose PreScore runs, and may fail, though their Score does not.
    pub(crate) pre_scores_only: Vec<(Str, Arc<dyn Plugin>)>,
    pub(crate) reserve: Vec<Arc<dyn Plugin>>,
    pub(crate) preempts: bool,
    pub(crate) preemption: DefaultPreemptionArgs,
    /// `percentageOfNodesToScore` of the profile, else of the configuration.
    pub(crate) percentage_of_nodes_to_score: Option<i32>,
    /// Whether any plugin scores, known to the engine or not (`HasScorePlugins`).
    pub(crate) has_scores: bool,
    /// Enabled plugins that the engine does not have yet.
    missing: Vec<Str>,
}

/// A plugin at PreFilter, Filter or both.
#[derive(Debug, Clone)]
pub(crate) struct FilterEntry {
    pub(crate) name: Str,
    pub(crate) plugin: Arc<dyn Plugin>,
    pub(crate) pre_filters: bool,
    pub(crate) filters: bool,
    /// Whether kube-scheduler's Filter fails when its PreFilter did not run.
    pub(crate) needs_pre_filter: bool,
}

/// A plugin at Score.
#[derive(Debug, Clone)]
pub(crate) struct ScoreEntry {
    pub(crate) name: Str,
    pub(crate) plugin: Arc<dyn Plugin>,
    pub(crate) weight: i64,
    /// Whether its PreScore runs, or it has none.
    pub(crate) pre_scores: bool,
}

impl Profile {
    /// Whether a PreEnqueue plugin keeps the pod out of the queue.
    pub(crate) fn gates(&self, pod: &PodRow) -> bool {
        let mut plugins = self.pre_enqueue.iter().filter_map(|plugin| plugin.pre_enqueue());
        plugins.any(|plugin| plugin.pre_enqueue(pod).is_some())
    }

    /// Builds the profile from its expanded configuration.
    pub(crate) fn new(
        number: usize,
        profile: &ExpandedProfile,
        out_of_tree: &[Arc<dyn Plugin>],
    ) -> Self {
        let find = |name: &Str| {
            registry::in_tree(name, profile).or_else(|| {
                out_of_tree.iter().find(|plugin| plugin.name() == name.as_str()).cloned()
            })
        };
        let filter_only = profile.filter.iter().filter(|name| !profile.pre_filter.contains(name));
        let filters = profile.pre_filter.iter().chain(filter_only).filter_map(|name| {
            Some(FilterEntry {
                plugin: find(name)?,
                pre_filters: profile.pre_filter.contains(name),
                filters: profile.filter.contains(name),
                needs_pre_filter: fails_without(name, ExtensionPoint::PreFilter),
                name: name.clone(),
            })
        });
        let scores = profile.score.iter().filter_map(|(name, weight)| {
            Some(ScoreEntry {
                name: name.clone(),
                plugin: find(name)?,
                weight: *weight,
                pre_scores: profile.pre_score.contains(name)
                    || !takes_part(name, ExtensionPoint::PreScore),
            })
        });
        let pre_scores_only = profile.pre_score.iter().filter(|name| {
            // Without any Score plugin PreScore is not asked at all.
            !profile.score.is_empty() && !profile.score.iter().any(|(scored, _)| scored == *name)
        });
        let reading = profile.filter.iter().chain(&profile.pre_filter);
        let mut missing: Vec<Str> = reading
            .chain(profile.score.iter().map(|(name, _)| name))
            .filter(|name| find(name).is_none())
            .cloned()
            .collect();
        missing.sort();
        missing.dedup();
        Self {
            scheduler_name: profile.scheduler_name.clone(),
            semantics: SemanticsVersion::default(),
            number,
            pre_enqueue: profile.pre_enqueue.iter().filter_map(find).collect(),
            queue_sort: find(&profile.queue_sort),
            filters: filters.collect(),
            filter_order: profile.filter.clone(),
            scores: scores.collect(),
            pre_scores_only: pre_scores_only
                .filter_map(|name| Some((name.clone(), find(name)?)))
                .collect(),
            reserve: profile
                .reserve
                .iter()
                .filter(|name| reserves(name, profile))
                .filter_map(find)
                .collect(),
            preempts: profile.post_filter.iter().any(|name| name == names::DEFAULT_PREEMPTION),
            preemption: match profile.args.get(names::DEFAULT_PREEMPTION) {
                Some(PluginArgs::DefaultPreemption(args)) => args.clone(),
                _ => DefaultPreemptionArgs::default(),
            },
            percentage_of_nodes_to_score: profile.percentage_of_nodes_to_score,
            has_scores: !profile.score.is_empty(),
            missing,
        }
    }

    /// What the pod needs that the engine cannot decide under this profile; `None` if there is nothing.
    pub(crate) fn unsupported(&self, pod: &PodInfo) -> Option<String> {
        let missing = |name: &str| self.missing.iter().any(|missing| missing == name);
        if !pod.pod.spec.resource_claims.is_empty() && missing(names::DYNAMIC_RESOURCES) {
            return Some(format!(
                "resourceClaims are not supported ({})",
                names::DYNAMIC_RESOURCES
            ));
        }
        None
    }
}

/// Whether `Reserve` has anything to keep: `VolumeBinding` keeps what its `Filter` found.
fn reserves(name: &str, profile: &ExpandedProfile) -> bool {
    name != names::VOLUME_BINDING || profile.filter.iter().any(|filter| filter == name)
}

/// Whether a plugin takes part at the point and cannot do without: all but `NodeAffinity` and `VolumeZone`, which work it
/// out later, and `NodeVolumeLimits`, which keeps nothing.
fn fails_without(name: &str, point: ExtensionPoint) -> bool {
    ![names::NODE_AFFINITY, names::NODE_VOLUME_LIMITS, names::VOLUME_ZONE].contains(&name)
        && takes_part(name, point)
}

/// Whether an in-tree plugin takes part at the point.
fn takes_part(name: &str, point: ExtensionPoint) -> bool {
    IN_TREE.iter().any(|(known, points)| *known == name && points.contains(point))
}
