//! Defaults: what stands where a configuration says nothing.
//!
//! Follows `pkg/scheduler/apis/config/v1/defaults.go` and `default_plugins.go` of v1.34, with its
//! feature gates at their defaults.

use std::collections::BTreeSet;

use bayplan_api::Str;

use super::{
    ClientConnectionConfiguration, DebuggingConfiguration, ExtensionPoint,
    KubeSchedulerConfiguration, KubeSchedulerProfile, LeaderElectionConfiguration, Plugin,
    PluginConfig, PluginConfigArgs, PluginSet, Plugins, names,
};

/// The name of the scheduler that pods without a `schedulerName` ask for.
pub const DEFAULT_SCHEDULER_NAME: &str = "default-scheduler";

const NANOS: i64 = 1_000_000_000;

impl Default for KubeSchedulerConfiguration {
    fn default() -> Self {
        Self {
            parallelism: 16,
            leader_election: LeaderElectionConfiguration::default(),
            client_connection: ClientConnectionConfiguration::default(),
            debugging: DebuggingConfiguration::default(),
            percentage_of_nodes_to_score: Some(0),
            pod_initial_backoff_seconds: 1,
            pod_max_backoff_seconds: 10,
            profiles: vec![KubeSchedulerProfile::default()],
            extenders: Vec::new(),
            delay_cache_until_active: false,
        }
    }
}

impl Default for LeaderElectionConfiguration {
    fn default() -> Self {
        Self {
            leader_elect: true,
            lease_duration_nanos: 15 * NANOS,
            renew_deadline_nanos: 10 * NANOS,
            retry_period_nanos: 2 * NANOS,
            resource_lock: "leases".into(),
            resource_name: "kube-scheduler".into(),
            resource_namespace: "kube-system".into(),
        }
    }
}

impl LeaderElectionConfiguration {
    /// Puts the defaults where a value is empty or 0.
    pub(super) fn set_defaults(&mut self) {
        let default = Self::default();
        for (nanos, default) in [
            (&mut self.lease_duration_nanos, default.lease_duration_nanos),
            (&mut self.renew_deadline_nanos, default.renew_deadline_nanos),
            (&mut self.retry_period_nanos, default.retry_period_nanos),
        ] {
            if *nanos == 0 {
                *nanos = default;
            }
        }
        for (text, default) in [
            (&mut self.resource_lock, default.resource_lock),
            (&mut self.resource_name, default.resource_name),
            (&mut self.resource_namespace, default.resource_namespace),
        ] {
            if text.is_empty() {
                *text = default;
            }
        }
    }
}

impl Default for ClientConnectionConfiguration {
    fn default() -> Self {
        Self {
            kubeconfig: Str::default(),
            accept_content_types: Str::default(),
            content_type: "application/vnd.kubernetes.protobuf".into(),
            qps: 50.0,
            burst: 100,
        }
    }
}

impl ClientConnectionConfiguration {
    /// Puts the defaults where a value is empty or 0.
    pub(super) fn set_defaults(&mut self) {
        let default = Self::default();
        if self.content_type.is_empty() {
            self.content_type = default.content_type;
        }
        // 0 or -0
        if self.qps.to_bits() << 1 == 0 {
            self.qps = default.qps;
        }
        if self.burst == 0 {
            self.burst = default.burst;
        }
    }
}

impl Default for DebuggingConfiguration {
    fn default() -> Self {
        Self { enable_profiling: true, enable_contention_profiling: true }
    }
}

impl Default for KubeSchedulerProfile {
    /// The profile of `default-scheduler`.
    fn default() -> Self {
        Self::with_defaults(DEFAULT_SCHEDULER_NAME.into(), None, &Plugins::default(), Vec::new())
    }
}

impl KubeSchedulerProfile {
    /// A profile as written, with the default plugins merged in and the default arguments of the
    /// enabled plugins appended, in ascending order of name.
    pub fn with_defaults(
        scheduler_name: Str,
        percentage_of_nodes_to_score: Option<i32>,
        plugins: &Plugins,
        mut plugin_config: Vec<PluginConfig>,
    ) -> Self {
        let plugins = plugins.merged_with_defaults();
        let enabled: BTreeSet<&Str> =
            plugins.sets().flat_map(|set| &set.enabled).map(|plugin| &plugin.name).collect();
        let written: BTreeSet<Str> =
            plugin_config.iter().map(|config| config.name.clone()).collect();
        for name in enabled.into_iter().filter(|name| !written.contains(*name)) {
            if let Some(args) = PluginConfigArgs::default_for(name) {
                plugin_config.push(PluginConfig { name: name.clone(), args });
            }
        }
        Self { scheduler_name, percentage_of_nodes_to_score, plugins, plugin_config }
    }
}

impl Plugins {
    /// The default plugins: all of them in `multiPoint`, in the order in which they are called.
    pub fn default_plugins() -> Self {
        const DEFAULT: [(&str, i32); 19] = [
            (names::SCHEDULING_GATES, 0),
            (names::PRIORITY_SORT, 0),
            (names::NODE_UNSCHEDULABLE, 0),
            (names::NODE_NAME, 0),
            (names::TAINT_TOLERATION, 3),
            (names::NODE_AFFINITY, 2),
            (names::NODE_PORTS, 0),
            (names::NODE_RESOURCES_FIT, 1),
            (names::VOLUME_RESTRICTIONS, 0),
            (names::NODE_VOLUME_LIMITS, 0),
            (names::VOLUME_BINDING, 0),
            (names::VOLUME_ZONE, 0),
            (names::POD_TOPOLOGY_SPREAD, 2),
            (names::INTER_POD_AFFINITY, 2),
            // before DefaultPreemption: giving up an idle claim is better than evicting a pod
            (names::DYNAMIC_RESOURCES, 0),
            (names::DEFAULT_PREEMPTION, 0),
            (names::NODE_RESOURCES_BALANCED_ALLOCATION, 1),
            (names::IMAGE_LOCALITY, 1),
            (names::DEFAULT_BINDER, 0),
        ];
        Self {
            multi_point: PluginSet {
                enabled: DEFAULT
                    .into_iter()
                    .map(|(name, weight)| Plugin::weighted(name, weight))
                    .collect(),
                disabled: Vec::new(),
            },
            ..Self::default()
        }
    }

    /// The default plugins, changed as `self` says (`mergePlugins`).
    #[must_use]
    pub fn merged_with_defaults(&self) -> Self {
        let mut merged = Self::default_plugins();
        merged.multi_point = merged.multi_point.merged(&self.multi_point);
        for point in ExtensionPoint::ALL {
            let set = merged.at(point).merged(self.at(point));
            *merged.at_mut(point) = set;
        }
        merged
    }
}

impl PluginSet {
    /// This default set, changed as the custom set says (`mergePluginSet`).
    ///
    /// A default plugin that is enabled again keeps its place and takes the new weight; a plugin
    /// that is enabled several times stays several times, for the profile's expansion to report.
    #[must_use]
    pub fn merged(&self, custom: &Self) -> Self {
        let disabled: Vec<Plugin> = custom
            .disabled
            .iter()
            .chain(&self.disabled)
            .map(|plugin| Plugin::new(plugin.name.clone()))
            .collect();
        let is_disabled = |name: &str| disabled.iter().any(|plugin| plugin.name == *name);

        let mut enabled = Vec::with_capacity(self.enabled.len() + custom.enabled.len());
        let mut replaced = BTreeSet::new();
        if !is_disabled("*") {
            for default in self.enabled.iter().filter(|plugin| !is_disabled(&plugin.name)) {
                let again = |(_, plugin): &(usize, &Plugin)| plugin.name == default.name;
                match custom.enabled.iter().enumerate().rev().find(again) {
                    Some((at, plugin)) => {
                        replaced.insert(at);
                        enabled.push(plugin.clone());
                    }
                    None => enabled.push(default.clone()),
                }
            }
        }
        let others = custom.enabled.iter().enumerate().filter(|(at, _)| !replaced.contains(at));
        enabled.extend(others.map(|(_, plugin)| plugin.clone()));
        Self { enabled, disabled }
    }
}
