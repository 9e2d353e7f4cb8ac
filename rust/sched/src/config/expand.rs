//! From a configuration to the list of plugins at each extension point of each profile.
//!
//! Follows `NewFramework` and `expandMultiPointPlugins` in `pkg/scheduler/framework/runtime/framework.go`,
//! `pkg/scheduler/profile/profile.go` and `buildExtenders` in `pkg/scheduler/scheduler.go` of v1.34.

use std::collections::BTreeMap;

use bayplan_api::Str;
use indexmap::{IndexMap, IndexSet};
use rustc_hash::FxBuildHasher;

use super::validation::{self, Path};
use super::{
    ConfigError, ConfigProblem, ExtensionPoint, FieldError, KubeSchedulerConfiguration,
    KubeSchedulerProfile, Plugin, PluginArgs, PluginConfigArgs, PluginRegistry, ProfileError,
    names,
};

type Names<'a> = IndexSet<&'a Str, FxBuildHasher>;

/// The highest score that a plugin gives a node (`MaxNodeScore`).
pub const MAX_NODE_SCORE: i64 = 100;

/// A profile with everything that is needed to build it: which plugins are called, in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpandedProfile {
    /// `schedulerName`: the profile decides for the pods that name it.
    pub scheduler_name: Str,
    /// `percentageOfNodesToScore` of the profile, else of the configuration.
    pub percentage_of_nodes_to_score: Option<i32>,
    /// The plugins at `preEnqueue`.
    pub pre_enqueue: Vec<Str>,
    /// The plugin at `queueSort`, the same in all profiles.
    pub queue_sort: Str,
    /// The plugins at `preFilter`.
    pub pre_filter: Vec<Str>,
    /// The plugins at `filter`.
    pub filter: Vec<Str>,
    /// The plugins at `postFilter`.
    pub post_filter: Vec<Str>,
    /// The plugins at `preScore`.
    pub pre_score: Vec<Str>,
    /// The plugins at `score`, with the weights by which their scores are multiplied; a negative
    /// weight is allowed, 0 is not.
    pub score: Vec<(Str, i64)>,
    /// The plugins at `reserve`.
    pub reserve: Vec<Str>,
    /// The plugins at `permit`.
    pub permit: Vec<Str>,
    /// The plugins at `preBind`.
    pub pre_bind: Vec<Str>,
    /// The plugins at `bind`; at least one.
    pub bind: Vec<Str>,
    /// The plugins at `postBind`.
    pub post_bind: Vec<Str>,
    /// The arguments of every enabled in-tree plugin that takes arguments.
    pub args: BTreeMap<Str, PluginArgs>,
    /// The arguments of other enabled plugins, as JSON, where there are any.
    pub other_args: BTreeMap<Str, Str>,
}

impl ExpandedProfile {
    /// The plugins at `point`, in the order in which they are called.
    pub fn at(&self, point: ExtensionPoint) -> Vec<&Str> {
        match point {
            ExtensionPoint::PreEnqueue => self.pre_enqueue.iter().collect(),
            ExtensionPoint::QueueSort => vec![&self.queue_sort],
            ExtensionPoint::PreFilter => self.pre_filter.iter().collect(),
            ExtensionPoint::Filter => self.filter.iter().collect(),
            ExtensionPoint::PostFilter => self.post_filter.iter().collect(),
            ExtensionPoint::PreScore => self.pre_score.iter().collect(),
            ExtensionPoint::Score => self.score.iter().map(|(name, _)| name).collect(),
            ExtensionPoint::Reserve => self.reserve.iter().collect(),
            ExtensionPoint::Permit => self.permit.iter().collect(),
            ExtensionPoint::PreBind => self.pre_bind.iter().collect(),
            ExtensionPoint::Bind => self.bind.iter().collect(),
            ExtensionPoint::PostBind => self.post_bind.iter().collect(),
        }
    }
}

impl KubeSchedulerConfiguration {
    /// The profiles, ready to be built from the plugins of `registry`.
    ///
    /// # Errors
    ///
    /// What [`validate`](Self::validate) finds; else, for each profile, what kube-scheduler would
    /// stop at, and what bayplan does not do: extenders that filter, score or preempt.
    pub fn expand(&self, registry: &PluginRegistry) -> Result<Vec<ExpandedProfile>, ConfigError> {
        self.validate()?;
        let ignored_resources: Vec<Str> = self
            .extenders
            .iter()
            .flat_map(|extender| &extender.managed_resources)
            .filter(|resource| resource.ignored_by_scheduler)
            .map(|resource| resource.name.clone())
            .collect();

        // the extenders are built before the profiles
        let without_fit = self.profiles.iter().filter(|profile| {
            !profile.plugin_config.iter().any(|config| config.name == names::NODE_RESOURCES_FIT)
        });
        let mut problems: Vec<ConfigProblem> = without_fit
            .filter(|_| !ignored_resources.is_empty())
            .map(|profile| ConfigProblem::Profile {
                scheduler_name: profile.scheduler_name.clone(),
                error: ProfileError::NoNodeResourcesFit,
            })
            .collect();
        let mut expanded: Vec<ExpandedProfile> = Vec::with_capacity(self.profiles.len());
        for profile in &self.profiles {
            let mut built = profile.expand(registry);
            if let Ok(built) = &mut built {
                built.percentage_of_nodes_to_score =
                    built.percentage_of_nodes_to_score.or(self.percentage_of_nodes_to_score);
                if let Some(PluginArgs::NodeResourcesFit(args)) =
                    built.args.get_mut(names::NODE_RESOURCES_FIT)
                    && !ignored_resources.is_empty()
                {
                    // what `buildExtenders` does with resources that extenders manage alone
                    args.ignored_resources.clone_from(&ignored_resources);
                }
            }
            match built.and_then(|built| same_queue_sort(built, expanded.first())) {
                Ok(built) => expanded.push(built),
                Err(errors) => problems.extend(errors.into_iter().map(|error| {
                    ConfigProblem::Profile { scheduler_name: profile.scheduler_name.clone(), error }
                })),
            }
        }
        problems.extend(self.unsupported());
        if problems.is_empty() {
            return Ok(expanded);
        }
        Err(ConfigError { file: Str::default(), problems })
    }

    fn unsupported(&self) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        for (at, extender) in self.extenders.iter().enumerate() {
            // one that only binds has no say in a decision
            for (field, verb, what) in [
                ("filterVerb", &extender.filter_verb, "an extender that filters"),
                ("prioritizeVerb", &extender.prioritize_verb, "an extender that scores"),
                ("preemptVerb", &extender.preempt_verb, "an extender that preempts"),
            ] {
                if !verb.is_empty() {
                    problems.push(ConfigProblem::Unsupported {
                        field: Path::new("extenders").index(at).child(field).to_string(),
                        what,
                        value: extender.url_prefix.clone(),
                    });
                }
            }
        }
        problems
    }
}

fn same_queue_sort(
    built: ExpandedProfile,
    first: Option<&ExpandedProfile>,
) -> Result<ExpandedProfile, Vec<ProfileError>> {
    match first {
        Some(first) if first.queue_sort != built.queue_sort => {
            Err(vec![ProfileError::DifferentQueueSort {
                scheduler_name: built.scheduler_name,
                plugin: built.queue_sort,
                first: first.queue_sort.clone(),
            }])
        }
        _ => Ok(built),
    }
}

impl KubeSchedulerProfile {
    /// The profile, ready to be built from the plugins of `registry`.
    ///
    /// # Errors
    ///
    /// What kube-scheduler would stop at; it names the first, here are all that do not follow from
    /// one another.
    pub fn expand(&self, registry: &PluginRegistry) -> Result<ExpandedProfile, Vec<ProfileError>> {
        let (args, other_args) = self.args(registry)?;
        self.check_lists(registry)?;
        let mut lists = BTreeMap::new();
        let mut errors = Vec::new();
        for point in ExtensionPoint::IN_BUILD_ORDER {
            match self.plugins_at(point, registry) {
                Ok(list) => {
                    lists.insert(point, list);
                }
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            // a plugin that does not exist is missed at every extension point: said once
            let mut missed = IndexSet::<Str, FxBuildHasher>::default();
            errors.retain(|error| match error {
                ProfileError::DoesNotExist { plugin, .. } => missed.insert(plugin.clone()),
                _ => true,
            });
            return Err(errors);
        }
        let mut at = |point| lists.remove(&point).unwrap_or_default();

        let queue_sort = at(ExtensionPoint::QueueSort);
        let bind = at(ExtensionPoint::Bind);
        if queue_sort.len() != 1 {
            errors.push(ProfileError::QueueSort {
                scheduler_name: self.scheduler_name.clone(),
                count: queue_sort.len(),
            });
        }
        if bind.is_empty() {
            errors.push(ProfileError::NoBind { scheduler_name: self.scheduler_name.clone() });
        }
        let weights = match self.score_weights(registry) {
            Ok(weights) => weights,
            Err(error) => {
                errors.push(error);
                IndexMap::default()
            }
        };
        let [queue_sort] = queue_sort.as_slice() else { return Err(errors) };
        if !errors.is_empty() {
            return Err(errors);
        }
        let weighted = |name: Str| {
            let weight = weights.get(&name).copied().unwrap_or(1);
            (name, weight)
        };
        Ok(ExpandedProfile {
            scheduler_name: self.scheduler_name.clone(),
            percentage_of_nodes_to_score: self.percentage_of_nodes_to_score,
            queue_sort: queue_sort.clone(),
            pre_enqueue: at(ExtensionPoint::PreEnqueue),
            pre_filter: at(ExtensionPoint::PreFilter),
            filter: at(ExtensionPoint::Filter),
            post_filter: at(ExtensionPoint::PostFilter),
            pre_score: at(ExtensionPoint::PreScore),
            score: at(ExtensionPoint::Score).into_iter().map(weighted).collect(),
            reserve: at(ExtensionPoint::Reserve),
            permit: at(ExtensionPoint::Permit),
            pre_bind: at(ExtensionPoint::PreBind),
            bind,
            post_bind: at(ExtensionPoint::PostBind),
            args,
            other_args,
        })
    }

    /// The arguments of the enabled plugins, each as the plugin takes it.
    #[expect(clippy::type_complexity, reason = "the pair is taken apart at the only call")]
    fn args(
        &self,
        registry: &PluginRegistry,
    ) -> Result<(BTreeMap<Str, PluginArgs>, BTreeMap<Str, Str>), Vec<ProfileError>> {
        let enabled: Names<'_> = self
            .plugins
            .sets()
            .flat_map(|set| &set.enabled)
            .map(|plugin| &plugin.name)
            .filter(|name| registry.points(name).is_some())
            .collect();
        let (mut args, mut other_args) = (BTreeMap::new(), BTreeMap::new());
        let mut errors = Vec::new();
        let written: IndexMap<&Str, &PluginConfigArgs, FxBuildHasher> =
            self.plugin_config.iter().map(|config| (&config.name, &config.args)).collect();
        for name in enabled {
            let default = PluginConfigArgs::default_for(name);
            let expected = default.as_ref().and_then(PluginConfigArgs::plugin);
            let args_of = match written.get(name).copied().or(default.as_ref()) {
                Some(args) if args.plugin() == expected => args,
                None => continue,
                Some(_) => {
                    errors.push(ProfileError::ArgsType { plugin: name.clone() });
                    continue;
                }
            };
            if let PluginConfigArgs::Other(json) = args_of {
                other_args.extend(json.clone().map(|json| (name.clone(), json)));
                continue;
            }
            match validation::checked(args_of) {
                Ok(None) => {}
                Ok(Some(checked)) => {
                    args.insert(name.clone(), checked);
                }
                Err(problems) => {
                    let plugin = |problem: FieldError| ProfileError::Plugin {
                        plugin: name.clone(),
                        problem,
                    };
                    errors.extend(problems.into_iter().map(plugin));
                }
            }
        }
        if errors.is_empty() { Ok((args, other_args)) } else { Err(errors) }
    }

    /// Whether each list of `enabled` makes sense by itself (`updatePluginList`).
    fn check_lists(&self, registry: &PluginRegistry) -> Result<(), Vec<ProfileError>> {
        let mut errors = Vec::new();
        for point in ExtensionPoint::IN_BUILD_ORDER {
            let mut seen = Names::default();
            for Plugin { name, .. } in &self.plugins.at(point).enabled {
                let plugin = name.clone();
                match registry.points(name) {
                    None => errors.push(ProfileError::DoesNotExist { point, plugin }),
                    Some(points) if !points.contains(point) => {
                        errors.push(ProfileError::DoesNotExtend { point, plugin });
                    }
                    Some(_) if !seen.insert(name) => {
                        errors.push(ProfileError::AlreadyRegistered { point, plugin });
                    }
                    Some(_) => {}
                }
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The plugins at `point` (`expandMultiPointPlugins`), in this order:
    ///
    /// 1. those of `multiPoint` that the point's own list names too, in the order of that list,
    /// 2. the others of `multiPoint`,
    /// 3. the others of the point's own list.
    ///
    /// With `*` disabled, `multiPoint` has no say: the point's own list as it is.
    fn plugins_at(
        &self,
        point: ExtensionPoint,
        registry: &PluginRegistry,
    ) -> Result<Vec<Str>, ProfileError> {
        let set = self.plugins.at(point);
        let own: Names<'_> = set.enabled.iter().map(|plugin| &plugin.name).collect();
        let disabled: Names<'_> = set.disabled.iter().map(|plugin| &plugin.name).collect();
        if disabled.iter().any(|name| **name == "*") {
            return Ok(own.into_iter().cloned().collect());
        }
        let mut overridden = Names::default();
        let mut multi_point = Names::default();
        for Plugin { name, .. } in &self.plugins.multi_point.enabled {
            let Some(points) = registry.points(name) else {
                return Err(ProfileError::DoesNotExist { point, plugin: name.clone() });
            };
            if !points.contains(point) || disabled.contains(name) {
                continue;
            }
            if own.contains(name) {
                overridden.insert(name);
            } else if !multi_point.insert(name) {
                return Err(ProfileError::AlreadyRegistered { point, plugin: name.clone() });
            }
        }
        let first = own.iter().filter(|name| overridden.contains(*name));
        let last = own.iter().filter(|name| !overridden.contains(*name));
        Ok(first.chain(&multi_point).chain(last).map(|name| (*name).clone()).collect())
    }

    /// The weights of the plugins that score (`getScoreWeights`): that of `score` before that of
    /// `multiPoint`, 1 in place of 0.
    fn score_weights(
        &self,
        registry: &PluginRegistry,
    ) -> Result<IndexMap<Str, i64, FxBuildHasher>, ProfileError> {
        let mut weights: IndexMap<Str, i64, FxBuildHasher> = IndexMap::default();
        let mut total: i64 = 0;
        for plugin in self.plugins.score.enabled.iter().chain(&self.plugins.multi_point.enabled) {
            if !registry.implements(&plugin.name, ExtensionPoint::Score)
                || weights.contains_key(&plugin.name)
            {
                continue;
            }
            let weight = match plugin.weight {
                0 => 1,
                weight => i64::from(weight),
            };
            // 2^31 times 100 fits. The difference wraps around as Go's does: after a sum below 0,
            // which only negative weights give, every further plugin is one too many.
            let highest = weight * MAX_NODE_SCORE;
            if highest > i64::MAX.wrapping_sub(total) {
                return Err(ProfileError::ScoreOverflow);
            }
            total += highest;
            weights.insert(plugin.name.clone(), weight);
        }
        Ok(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{NodeResourcesFitArgs, UtilizationShapePoint};
    use crate::config::{PluginConfig, PluginSet, Plugins, ScoringStrategy, ScoringStrategyType};

    fn texts(list: &[Str]) -> Vec<&str> {
        list.iter().map(Str::as_str).collect()
    }

    fn list(names: &[&str]) -> Vec<Plugin> {
        names.iter().map(|name| Plugin::new(*name)).collect()
    }

    fn profile(plugins: &Plugins) -> KubeSchedulerProfile {
        KubeSchedulerProfile::with_defaults("default-scheduler".into(), None, plugins, Vec::new())
    }

    fn expand(plugins: &Plugins) -> Result<ExpandedProfile, Vec<String>> {
        profile(plugins)
            .expand(&PluginRegistry::default())
            .map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_default_profile_calls_the_default_plugins_in_their_order() {
        let profiles =
            KubeSchedulerConfiguration::default().expand(&PluginRegistry::default()).unwrap();
        let [profile] = profiles.as_slice() else { panic!("one profile: {profiles:?}") };
        assert_eq!(profile.scheduler_name, "default-scheduler");
        assert_eq!(profile.percentage_of_nodes_to_score, Some(0));
        assert_eq!(
            texts(&profile.pre_enqueue),
            ["SchedulingGates", "DynamicResources", "DefaultPreemption"]
        );
        assert_eq!(profile.queue_sort, "PrioritySort");
        assert_eq!(
            texts(&profile.filter),
            [
                "NodeUnschedulable",
                "NodeName",
                "TaintToleration",
                "NodeAffinity",
                "NodePorts",
                "NodeResourcesFit",
                "VolumeRestrictions",
                "NodeVolumeLimits",
                "VolumeBinding",
                "VolumeZone",
                "PodTopologySpread",
                "InterPodAffinity",
                "DynamicResources"
            ]
        );
        let score: Vec<(&str, i64)> =
            profile.score.iter().map(|(name, weight)| (name.as_str(), *weight)).collect();
        assert_eq!(
            score,
            [
                ("TaintToleration", 3),
                ("NodeAffinity", 2),
                ("NodeResourcesFit", 1),
                ("VolumeBinding", 1),
                ("PodTopologySpread", 2),
                ("InterPodAffinity", 2),
                ("NodeResourcesBalancedAllocation", 1),
                ("ImageLocality", 1)
            ]
        );
        assert_eq!(texts(&profile.bind), ["DefaultBinder"]);
        assert_eq!(profile.args.len(), 8);
        assert!(profile.permit.is_empty() && profile.post_bind.is_empty());
    }

    #[test]
    fn a_plugin_named_at_a_point_goes_first_and_one_beside_multi_point_goes_last() {
        let mut plugins = Plugins::default();
        plugins.multi_point.disabled = list(&["*"]);
        plugins.multi_point.enabled =
            list(&["PrioritySort", "DefaultBinder", "NodeName", "NodePorts", "TaintToleration"]);
        plugins.filter.enabled = list(&["NodeAffinity", "TaintToleration", "NodePorts"]);
        let profile = expand(&plugins).unwrap();
        assert_eq!(
            texts(&profile.filter),
            ["TaintToleration", "NodePorts", "NodeName", "NodeAffinity"]
        );
        assert_eq!(texts(&profile.pre_filter), ["NodePorts"]);
    }

    #[test]
    fn disabling_all_at_a_point_leaves_what_is_enabled_there() {
        let mut plugins = Plugins::default();
        plugins.score.enabled.push(Plugin::weighted("ImageLocality", 7));
        plugins.score.disabled = list(&["*"]);
        plugins.filter.disabled = list(&["NodeName"]);
        let profile = expand(&plugins).unwrap();
        assert_eq!(profile.score, [("ImageLocality".into(), 7)]);
        assert!(!profile.filter.contains(&"NodeName".into()));
    }

    #[test]
    fn a_weight_at_score_counts_before_that_of_multi_point_and_0_counts_as_1() {
        let mut plugins = Plugins::default();
        plugins.score.enabled =
            vec![Plugin::weighted("NodeAffinity", 0), Plugin::weighted("ImageLocality", 9)];
        let score = expand(&plugins).unwrap().score;
        let first: Vec<_> = score.iter().take(2).map(|(name, weight)| (&**name, *weight)).collect();
        assert_eq!(first, [("NodeAffinity", 1), ("ImageLocality", 9)]);
        assert_eq!(score.len(), 8);
    }

    #[test]
    fn a_wrong_list_is_refused_in_the_words_of_kube_scheduler() {
        let with = |point, names: &[&str]| {
            let mut plugins = Plugins::default();
            plugins.at_mut(point).enabled = list(names);
            expand(&plugins).unwrap_err()
        };
        assert_eq!(
            with(ExtensionPoint::Filter, &["Foo", "NodeName", "NodeName", "ImageLocality"]),
            [
                r#"FilterPlugin "Foo" does not exist"#,
                r#"plugin "NodeName" already registered as "FilterPlugin""#,
                r#"plugin "ImageLocality" does not extend FilterPlugin plugin"#
            ]
        );
        let mut plugins = Plugins::default();
        plugins.multi_point.enabled = list(&["Foo", "NodeName", "NodeName"]);
        assert_eq!(expand(&plugins).unwrap_err(), [r#"PreFilterPlugin "Foo" does not exist"#]);
        plugins.multi_point.enabled = list(&["NodeName", "NodeName"]);
        assert_eq!(
            expand(&plugins).unwrap_err(),
            [r#"plugin "NodeName" already registered as "FilterPlugin""#]
        );
        plugins.multi_point = PluginSet { enabled: list(&["NodeName"]), disabled: list(&["*"]) };
        assert_eq!(
            expand(&plugins).unwrap_err(),
            [
                "only one queue sort plugin required for profile with scheduler name \
                 \"default-scheduler\", but got 0",
                "at least one bind plugin is needed for profile with scheduler name \
                 \"default-scheduler\""
            ]
        );
    }

    #[test]
    fn a_negative_weight_is_taken_only_at_the_end() {
        let mut plugins = Plugins::default();
        plugins.score.disabled = list(&["*"]);
        plugins.multi_point.disabled = list(&["*"]);
        plugins.multi_point.enabled = list(&["PrioritySort", "DefaultBinder"]);
        plugins.score.enabled =
            vec![Plugin::weighted("NodeAffinity", 5), Plugin::weighted("ImageLocality", -9)];
        assert_eq!(expand(&plugins).unwrap().score.last(), Some(&("ImageLocality".into(), -9)));
        plugins.score.enabled.reverse();
        assert_eq!(expand(&plugins).unwrap_err(), ["total score of Score plugins could overflow"]);
    }

    #[test]
    fn a_registered_plugin_is_called_like_one_of_the_tree() {
        let mut registry = PluginRegistry::default();
        let points = [ExtensionPoint::Filter, ExtensionPoint::Score];
        registry.register("Mine".into(), points.into_iter().collect()).unwrap();
        assert_eq!(
            registry.register("NodeName".into(), points.into_iter().collect()),
            Err("NodeName".into())
        );
        let mut plugins = Plugins::default();
        plugins.multi_point.enabled = vec![Plugin::weighted("Mine", 4)];
        let mut profile = profile(&plugins);
        profile.plugin_config.push(PluginConfig {
            name: "Mine".into(),
            args: PluginConfigArgs::Other(Some("{}".into())),
        });
        let expanded = profile.expand(&registry).unwrap();
        assert_eq!(expanded.filter.last(), Some(&"Mine".into()));
        assert_eq!(expanded.score.last(), Some(&("Mine".into(), 4)));
        assert_eq!(expanded.other_args.get("Mine"), Some(&"{}".into()));
        assert!(!expanded.pre_score.contains(&"Mine".into()));
    }

    #[test]
    fn arguments_reach_the_plugin_or_are_refused_by_it() {
        let point = |utilization, score| UtilizationShapePoint { utilization, score };
        let fit = |shape| {
            let args = NodeResourcesFitArgs {
                scoring_strategy: ScoringStrategy {
                    strategy: ScoringStrategyType::RequestedToCapacityRatio { shape },
                    ..ScoringStrategy::default()
                },
                ..NodeResourcesFitArgs::default()
            };
            let profile = KubeSchedulerProfile {
                plugin_config: vec![PluginConfig::new(PluginArgs::NodeResourcesFit(args))],
                ..KubeSchedulerProfile::default()
            };
            profile.expand(&PluginRegistry::default())
        };
        let expanded = fit(vec![point(0, 0), point(100, 10)]).unwrap();
        assert!(matches!(
            expanded.args.get("NodeResourcesFit"),
            Some(PluginArgs::NodeResourcesFit(NodeResourcesFitArgs {
                scoring_strategy: ScoringStrategy {
                    strategy: ScoringStrategyType::RequestedToCapacityRatio { shape },
                    ..
                },
                ..
            })) if *shape == [point(0, 0), point(100, 10)]
        ));
        let errors = fit(vec![point(50, 11), point(50, 0)]).unwrap_err();
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            errors,
            [
                "initializing plugin \"NodeResourcesFit\": scoringStrategy.shape[1].utilization: \
                 Invalid value: 50: values must be sorted in increasing order",
                "initializing plugin \"NodeResourcesFit\": scoringStrategy.shape[0].score: \
                 Invalid value: 11: not in valid range [0, 10]"
            ]
        );
    }

    #[test]
    fn every_default_is_accepted_and_typed() {
        for (name, _) in crate::config::IN_TREE {
            if let Some(args) = PluginConfigArgs::default_for(name) {
                assert_eq!(args.plugin(), Some(name));
                let checked = validation::checked(&args).unwrap().unwrap();
                assert_eq!(PluginConfigArgs::from(checked), args);
            }
        }
    }
}
