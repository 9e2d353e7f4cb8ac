//! Reading a configuration from a file, as JSON or YAML.
//!
//! Follows `loadConfig` in `cmd/kube-scheduler/app/options/configfile.go` and the types of
//! `k8s.io/kube-scheduler/config/v1` of v0.34.

use bayplan_api::json::{Problem, Syntax};
use bayplan_api::{Str, yaml_to_json};

use super::strict::{Node, Strict};
use super::unchecked::{
    AddedAffinity, NodeAffinityArgs, NodeResourcesFitArgs, NodeSelectorRequirement,
    NodeSelectorTerm, PodTopologySpreadArgs, PreferredSchedulingTerm, ScoringStrategy,
    TopologySpreadConstraint,
};
use super::validation::Path;
use super::{
    API_VERSION, ClientConnectionConfiguration, ConfigError, ConfigProblem, DEFAULT_SCHEDULER_NAME,
    DebuggingConfiguration, DefaultPreemptionArgs, DynamicResourcesArgs, Extender,
    ExtenderManagedResource, ExtenderTlsConfig, ExtensionPoint, InterPodAffinityArgs,
    KubeSchedulerConfiguration, KubeSchedulerProfile, LeaderElectionConfiguration,
    NodeResourcesBalancedAllocationArgs, Plugin, PluginConfig, PluginConfigArgs, PluginSet,
    Plugins, ResourceSpec, UtilizationShapePoint, VolumeBindingArgs,
};

const KIND: &str = "KubeSchedulerConfiguration";

impl KubeSchedulerConfiguration {
    /// Reads a configuration, sets the defaults and validates it. `name` is the file's, for errors.
    ///
    /// Reading is strict, as kube-scheduler's is: a field that is unknown, twice there or written in
    /// other case is an error.
    ///
    /// ```
    /// use bayplan_sched::config::KubeSchedulerConfiguration;
    ///
    /// let text = br#"{
    ///     "apiVersion": "kubescheduler.config.k8s.io/v1",
    ///     "kind": "KubeSchedulerConfiguration",
    ///     "parallelism": -1,
    ///     "percentageOfNodesToScore": 101
    /// }"#;
    /// let error = KubeSchedulerConfiguration::read("scheduler.json", text).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "scheduler.json: [parallelism: Invalid value: -1: should be an integer value greater than zero, \
    ///      percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]]"
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// The bytes are neither JSON nor YAML; or fields do not fit; or values are not valid. All that is
    /// wrong on the first of these levels that has a fault is told.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, ConfigError> {
        let error = |problems| ConfigError { file: name.into(), problems };
        let node = parse(bytes).map_err(|problem| error(vec![problem]))?;
        let mut strict = Strict::default();
        let config = configuration(&mut strict, &node);
        match config {
            Some(config) if strict.problems.is_empty() => match config.validate() {
                Ok(()) => Ok(config),
                Err(invalid) => Err(invalid.in_file(name)),
            },
            _ => Err(error(strict.problems)),
        }
    }
}

/// JSON if the first character is a brace, as kube-scheduler tells it; else YAML.
fn parse(bytes: &[u8]) -> Result<Node, ConfigProblem> {
    let syntax = |position: Option<(u64, u64)>, message: String| match position {
        Some((line, column)) => {
            ConfigProblem::Syntax { message: format!("line {line}, column {column}: {message}") }
        }
        None => ConfigProblem::Syntax { message },
    };
    if bytes.trim_ascii_start().starts_with(b"{") {
        return Node::parse(bytes)
            .map_err(|fault| syntax(position(bytes, fault.offset()), fault.to_string()));
    }
    let json = yaml_to_json(bytes).map_err(|error| syntax(error.position, error.to_string()))?;
    if json.trim_ascii().is_empty() {
        return Ok(Node::Null);
    }
    // the lines are those of the YAML, the columns are not
    Node::parse(&json).map_err(|fault| {
        let message = match fault.problem() {
            Problem::Syntax(Syntax::Trailing) => "more than one document".to_owned(),
            _ => fault.to_string(),
        };
        let line = position(&json, fault.offset()).map(|(line, _)| (line, 1));
        syntax(line, message)
    })
}

/// Line and column of a byte, from 1.
fn position(bytes: &[u8], offset: usize) -> Option<(u64, u64)> {
    let before = bytes.get(..offset)?;
    let (mut line, mut start) = (1, 0);
    for (at, _) in before.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
        (line, start) = (line + 1, at + 1);
    }
    Some((line, u64::try_from(offset - start).ok()? + 1))
}

/// `None` if it is another kind of object, which is reported.
fn configuration(strict: &mut Strict, node: &Node) -> Option<KubeSchedulerConfiguration> {
    let mut members = strict.object(&Path::default(), node);
    if !matches!(node, Node::Object(_) | Node::Null) {
        return None;
    }
    let faults = strict.problems.len();
    let version = members.take(strict, "apiVersion", Strict::text).unwrap_or_default();
    let kind = members.take(strict, "kind", Strict::text).unwrap_or_default();
    if strict.problems.len() > faults {
        return None;
    }
    // of an unknown version nothing else can be said
    if kind.is_empty() || (version == API_VERSION && kind != KIND) {
        strict.report(ConfigProblem::Kind {
            field: "kind".to_owned(),
            expected: KIND.to_owned(),
            found: kind.to_string(),
        });
        return None;
    }
    if version != API_VERSION {
        strict.report(ConfigProblem::ApiVersion {
            field: "apiVersion".to_owned(),
            kind: kind.to_string(),
            found: version.to_string(),
        });
        return None;
    }

    let default = KubeSchedulerConfiguration::default();
    let enable_profiling = members.take(strict, "enableProfiling", Strict::bool).unwrap_or(true);
    let config = KubeSchedulerConfiguration {
        parallelism: members
            .take(strict, "parallelism", Strict::int32)
            .unwrap_or(default.parallelism),
        leader_election: members.take_struct(strict, "leaderElection", leader_election),
        client_connection: members.take_struct(strict, "clientConnection", client_connection),
        debugging: DebuggingConfiguration {
            enable_profiling,
            enable_contention_profiling: members
                .take(strict, "enableContentionProfiling", Strict::bool)
                .unwrap_or(enable_profiling),
        },
        percentage_of_nodes_to_score: members
            .take(strict, "percentageOfNodesToScore", Strict::int32)
            .or(default.percentage_of_nodes_to_score),
        pod_initial_backoff_seconds: members
            .take(strict, "podInitialBackoffSeconds", Strict::int64)
            .unwrap_or(default.pod_initial_backoff_seconds),
        pod_max_backoff_seconds: members
            .take(strict, "podMaxBackoffSeconds", Strict::int64)
            .unwrap_or(default.pod_max_backoff_seconds),
        profiles: members.take(strict, "profiles", profiles).unwrap_or(default.profiles),
        extenders: members
            .take(strict, "extenders", |strict, path, node| strict.list(path, node, extender))
            .unwrap_or_default(),
        delay_cache_until_active: members
            .take(strict, "delayCacheUntilActive", Strict::bool)
            .unwrap_or_default(),
    };
    members.end(strict);
    Some(config)
}

fn leader_election(strict: &mut Strict, path: &Path, node: &Node) -> LeaderElectionConfiguration {
    let mut members = strict.object(path, node);
    let mut text =
        |strict: &mut Strict, name| members.take(strict, name, Strict::text).unwrap_or_default();
    let (resource_lock, resource_name, resource_namespace) = (
        text(strict, "resourceLock"),
        text(strict, "resourceName"),
        text(strict, "resourceNamespace"),
    );
    let mut nanos = |strict: &mut Strict, name| {
        members.take_written(strict, name, Strict::duration).unwrap_or_default()
    };
    let (lease_duration_nanos, renew_deadline_nanos, retry_period_nanos) = (
        nanos(strict, "leaseDuration"),
        nanos(strict, "renewDeadline"),
        nanos(strict, "retryPeriod"),
    );
    let mut elect = LeaderElectionConfiguration {
        leader_elect: members.take(strict, "leaderElect", Strict::bool).unwrap_or(true),
        lease_duration_nanos,
        renew_deadline_nanos,
        retry_period_nanos,
        resource_lock,
        resource_name,
        resource_namespace,
    };
    members.end(strict);
    elect.set_defaults();
    elect
}

fn client_connection(
    strict: &mut Strict,
    path: &Path,
    node: &Node,
) -> ClientConnectionConfiguration {
    let mut members = strict.object(path, node);
    let mut text =
        |strict: &mut Strict, name| members.take(strict, name, Strict::text).unwrap_or_default();
    let (kubeconfig, accept_content_types, content_type) = (
        text(strict, "kubeconfig"),
        text(strict, "acceptContentTypes"),
        text(strict, "contentType"),
    );
    let mut client = ClientConnectionConfiguration {
        kubeconfig,
        accept_content_types,
        content_type,
        qps: members.take(strict, "qps", Strict::float32).unwrap_or_default(),
        burst: members.take(strict, "burst", Strict::int32).unwrap_or_default(),
    };
    members.end(strict);
    client.set_defaults();
    client
}

fn profiles(strict: &mut Strict, path: &Path, node: &Node) -> Option<Vec<KubeSchedulerProfile>> {
    let mut profiles = strict.list(path, node, profile)?;
    match profiles.as_mut_slice() {
        [] => return None,
        [(name @ None, _)] => *name = Some(DEFAULT_SCHEDULER_NAME.into()),
        _ => {}
    }
    let named = profiles.into_iter().map(|(name, profile)| KubeSchedulerProfile {
        scheduler_name: name.unwrap_or_default(),
        ..profile
    });
    Some(named.collect())
}

/// A profile, and its name if it has one.
fn profile(strict: &mut Strict, path: &Path, node: &Node) -> (Option<Str>, KubeSchedulerProfile) {
    let mut members = strict.object(path, node);
    let name = members.take(strict, "schedulerName", Strict::text);
    let percentage = members.take(strict, "percentageOfNodesToScore", Strict::int32);
    let plugins = members.take_struct(strict, "plugins", plugins);
    let plugin_config = members
        .take(strict, "pluginConfig", |strict, path, node| strict.list(path, node, plugin_config));
    members.end(strict);
    let profile = KubeSchedulerProfile::with_defaults(
        Str::default(),
        percentage,
        &plugins,
        plugin_config.unwrap_or_default(),
    );
    (name, profile)
}

fn plugins(strict: &mut Strict, path: &Path, node: &Node) -> Plugins {
    let mut members = strict.object(path, node);
    let mut plugins = Plugins::default();
    for point in ExtensionPoint::ALL {
        *plugins.at_mut(point) = members.take_struct(strict, point.field(), plugin_set);
    }
    plugins.multi_point = members.take_struct(strict, "multiPoint", plugin_set);
    members.end(strict);
    plugins
}

fn plugin_set(strict: &mut Strict, path: &Path, node: &Node) -> PluginSet {
    let mut members = strict.object(path, node);
    let mut list = |strict: &mut Strict, name| {
        let read = |strict: &mut Strict, path: &Path, node| strict.list(path, node, plugin);
        members.take(strict, name, read).unwrap_or_default()
    };
    let set = PluginSet { enabled: list(strict, "enabled"), disabled: list(strict, "disabled") };
    members.end(strict);
    set
}

fn plugin(strict: &mut Strict, path: &Path, node: &Node) -> Plugin {
    let mut members = strict.object(path, node);
    let plugin = Plugin {
        name: members.take(strict, "name", Strict::text).unwrap_or_default(),
        weight: members.take(strict, "weight", Strict::int32).unwrap_or_default(),
    };
    members.end(strict);
    plugin
}

fn plugin_config(strict: &mut Strict, path: &Path, node: &Node) -> PluginConfig {
    let mut members = strict.object(path, node);
    let name = members.take(strict, "name", Strict::text).unwrap_or_default();
    let args = members.take_struct(strict, "args", |strict, path, node| {
        plugin_config_args(strict, path, node, &name)
    });
    members.end(strict);
    PluginConfig { name, args }
}

fn plugin_config_args(
    strict: &mut Strict,
    path: &Path,
    node: &Node,
    plugin: &str,
) -> PluginConfigArgs {
    let Some(default) = PluginConfigArgs::default_for(plugin) else {
        // nobody knows the fields
        return PluginConfigArgs::Other(match node {
            Node::Null => None,
            node => Some(node.to_json().into()),
        });
    };
    let mut members = strict.object(path, node);
    let version = members.take(strict, "apiVersion", Strict::text).unwrap_or_default();
    let kind = members.take(strict, "kind", Strict::text).unwrap_or_default();
    let expected = format!("{plugin}Args");
    // what is absent is taken to be right; a group without a version has the right one
    let (group, _) = API_VERSION.split_once('/').unwrap_or_default();
    let is_right = ["", "/", API_VERSION].contains(&version.as_str())
        || version.strip_prefix(group).is_some_and(|rest| rest == "/");
    if !is_right {
        let kind = if kind.is_empty() { expected } else { kind.to_string() };
        let field = path.child("apiVersion").to_string();
        strict.report(ConfigProblem::ApiVersion { field, kind, found: version.to_string() });
        return default;
    }
    if !kind.is_empty() && *kind != *expected {
        let field = path.child("kind").to_string();
        strict.report(ConfigProblem::Kind { field, expected, found: kind.to_string() });
        return default;
    }
    let args = match default {
        PluginConfigArgs::DefaultPreemption(default) => {
            PluginConfigArgs::DefaultPreemption(DefaultPreemptionArgs {
                min_candidate_nodes_percentage: members
                    .take(strict, "minCandidateNodesPercentage", Strict::int32)
                    .unwrap_or(default.min_candidate_nodes_percentage),
                min_candidate_nodes_absolute: members
                    .take(strict, "minCandidateNodesAbsolute", Strict::int32)
                    .unwrap_or(default.min_candidate_nodes_absolute),
            })
        }
        PluginConfigArgs::DynamicResources(default) => {
            PluginConfigArgs::DynamicResources(DynamicResourcesArgs {
                filter_timeout_nanos: members
                    .take(strict, "filterTimeout", Strict::duration)
                    .unwrap_or(default.filter_timeout_nanos),
            })
        }
        PluginConfigArgs::InterPodAffinity(default) => {
            PluginConfigArgs::InterPodAffinity(InterPodAffinityArgs {
                hard_pod_affinity_weight: members
                    .take(strict, "hardPodAffinityWeight", Strict::int32)
                    .unwrap_or(default.hard_pod_affinity_weight),
                ignore_preferred_terms_of_existing_pods: members
                    .take(strict, "ignorePreferredTermsOfExistingPods", Strict::bool)
                    .unwrap_or(default.ignore_preferred_terms_of_existing_pods),
            })
        }
        PluginConfigArgs::NodeAffinity(_) => PluginConfigArgs::NodeAffinity(NodeAffinityArgs {
            added_affinity: members.take_some(strict, "addedAffinity", added_affinity),
        }),
        PluginConfigArgs::NodeResourcesBalancedAllocation(default) => {
            PluginConfigArgs::NodeResourcesBalancedAllocation(NodeResourcesBalancedAllocationArgs {
                resources: members
                    .take(strict, "resources", resources)
                    .unwrap_or(default.resources),
            })
        }
        PluginConfigArgs::NodeResourcesFit(default) => {
            PluginConfigArgs::NodeResourcesFit(NodeResourcesFitArgs {
                ignored_resources: members
                    .take(strict, "ignoredResources", Strict::texts)
                    .unwrap_or_default(),
                ignored_resource_groups: members
                    .take(strict, "ignoredResourceGroups", Strict::texts)
                    .unwrap_or_default(),
                scoring_strategy: members
                    .take_some(strict, "scoringStrategy", scoring_strategy)
                    .unwrap_or(default.scoring_strategy),
            })
        }
        PluginConfigArgs::PodTopologySpread(default) => {
            PluginConfigArgs::PodTopologySpread(PodTopologySpreadArgs {
                default_constraints: members
                    .take(strict, "defaultConstraints", |strict, path, node| {
                        strict.list(path, node, constraint)
                    })
                    .unwrap_or_default(),
                defaulting_type: members
                    .take(strict, "defaultingType", Strict::text)
                    .filter(|text| !text.is_empty())
                    .unwrap_or(default.defaulting_type),
            })
        }
        PluginConfigArgs::VolumeBinding(default) => {
            PluginConfigArgs::VolumeBinding(VolumeBindingArgs {
                bind_timeout_seconds: members
                    .take(strict, "bindTimeoutSeconds", Strict::int64)
                    .unwrap_or(default.bind_timeout_seconds),
                shape: members.take(strict, "shape", shape),
            })
        }
        PluginConfigArgs::Other(json) => PluginConfigArgs::Other(json),
    };
    members.end(strict);
    args
}

/// Resources with weights, 1 in place of 0; `None` for an empty list.
fn resources(strict: &mut Strict, path: &Path, node: &Node) -> Option<Vec<ResourceSpec>> {
    let resources = strict.list(path, node, |strict, path, node| {
        let mut members = strict.object(path, node);
        let resource = ResourceSpec {
            name: members.take(strict, "name", Strict::text).unwrap_or_default(),
            weight: members
                .take(strict, "weight", Strict::int64)
                .filter(|weight| *weight != 0)
                .unwrap_or(1),
        };
        members.end(strict);
        resource
    });
    resources.filter(|resources| !resources.is_empty())
}

fn scoring_strategy(strict: &mut Strict, path: &Path, node: &Node) -> ScoringStrategy {
    let mut members = strict.object(path, node);
    let strategy = ScoringStrategy {
        strategy: members.take(strict, "type", Strict::text).unwrap_or_default(),
        resources: members
            .take(strict, "resources", resources)
            .unwrap_or(ScoringStrategy::default().resources),
        requested_to_capacity_ratio: members.take(
            strict,
            "requestedToCapacityRatio",
            |strict, path, node| {
                let mut members = strict.object(path, node);
                let shape = members.take(strict, "shape", shape).unwrap_or_default();
                members.end(strict);
                Some(shape)
            },
        ),
    };
    members.end(strict);
    strategy
}

fn shape(strict: &mut Strict, path: &Path, node: &Node) -> Option<Vec<UtilizationShapePoint>> {
    strict.list(path, node, |strict, path, node| {
        let mut members = strict.object(path, node);
        let point = UtilizationShapePoint {
            utilization: members.take(strict, "utilization", Strict::int32).unwrap_or_default(),
            score: members.take(strict, "score", Strict::int32).unwrap_or_default(),
        };
        members.end(strict);
        point
    })
}

fn added_affinity(strict: &mut Strict, path: &Path, node: &Node) -> AddedAffinity {
    let mut members = strict.object(path, node);
    let required = members.take(
        strict,
        "requiredDuringSchedulingIgnoredDuringExecution",
        |strict, path, node| {
            let mut members = strict.object(path, node);
            let terms = members.take(strict, "nodeSelectorTerms", |strict, path, node| {
                strict.list(path, node, node_selector_term)
            });
            members.end(strict);
            Some(terms.unwrap_or_default())
        },
    );
    let preferred = members.take(
        strict,
        "preferredDuringSchedulingIgnoredDuringExecution",
        |strict, path, node| strict.list(path, node, preferred_scheduling_term),
    );
    members.end(strict);
    AddedAffinity { required, preferred: preferred.unwrap_or_default() }
}

fn preferred_scheduling_term(
    strict: &mut Strict,
    path: &Path,
    node: &Node,
) -> PreferredSchedulingTerm {
    let mut members = strict.object(path, node);
    let term = PreferredSchedulingTerm {
        weight: members.take(strict, "weight", Strict::int32).unwrap_or_default(),
        preference: members.take_struct(strict, "preference", node_selector_term),
    };
    members.end(strict);
    term
}

fn node_selector_term(strict: &mut Strict, path: &Path, node: &Node) -> NodeSelectorTerm {
    let mut members = strict.object(path, node);
    let mut list = |strict: &mut Strict, name| {
        let read = |strict: &mut Strict, path: &Path, node| strict.list(path, node, requirement);
        members.take(strict, name, read).unwrap_or_default()
    };
    let term = NodeSelectorTerm {
        match_expressions: list(strict, "matchExpressions"),
        match_fields: list(strict, "matchFields"),
    };
    members.end(strict);
    term
}

fn requirement(strict: &mut Strict, path: &Path, node: &Node) -> NodeSelectorRequirement {
    let mut members = strict.object(path, node);
    let requirement = NodeSelectorRequirement {
        key: members.take(strict, "key", Strict::text).unwrap_or_default(),
        operator: members.take(strict, "operator", Strict::text).unwrap_or_default(),
        values: members.take(strict, "values", Strict::texts),
    };
    members.end(strict);
    requirement
}

fn constraint(strict: &mut Strict, path: &Path, node: &Node) -> TopologySpreadConstraint {
    let mut members = strict.object(path, node);
    let constraint = TopologySpreadConstraint {
        max_skew: members.take(strict, "maxSkew", Strict::int32).unwrap_or_default(),
        topology_key: members.take(strict, "topologyKey", Strict::text).unwrap_or_default(),
        when_unsatisfiable: members
            .take(strict, "whenUnsatisfiable", Strict::text)
            .unwrap_or_default(),
        has_label_selector: members.take_some(strict, "labelSelector", label_selector).is_some(),
        min_domains: members.take(strict, "minDomains", Strict::int32),
        node_affinity_policy: members.take(strict, "nodeAffinityPolicy", Strict::text),
        node_taints_policy: members.take(strict, "nodeTaintsPolicy", Strict::text),
        match_label_keys: members.take(strict, "matchLabelKeys", Strict::texts).unwrap_or_default(),
    };
    members.end(strict);
    constraint
}

/// A label selector, which is forbidden where it is read: only its form is checked.
fn label_selector(strict: &mut Strict, path: &Path, node: &Node) {
    let mut members = strict.object(path, node);
    members.take(strict, "matchLabels", Strict::text_map);
    members.take(strict, "matchExpressions", |strict, path, node| {
        strict.list(path, node, requirement)
    });
    members.end(strict);
}

fn extender(strict: &mut Strict, path: &Path, node: &Node) -> Extender {
    let mut members = strict.object(path, node);
    let mut text =
        |strict: &mut Strict, name| members.take(strict, name, Strict::text).unwrap_or_default();
    let (url_prefix, filter_verb, preempt_verb, prioritize_verb, bind_verb) = (
        text(strict, "urlPrefix"),
        text(strict, "filterVerb"),
        text(strict, "preemptVerb"),
        text(strict, "prioritizeVerb"),
        text(strict, "bindVerb"),
    );
    let mut flag =
        |strict: &mut Strict, name| members.take(strict, name, Strict::bool).unwrap_or_default();
    let (enable_https, node_cache_capable, ignorable) =
        (flag(strict, "enableHTTPS"), flag(strict, "nodeCacheCapable"), flag(strict, "ignorable"));
    let extender = Extender {
        url_prefix,
        filter_verb,
        preempt_verb,
        prioritize_verb,
        weight: members.take(strict, "weight", Strict::int64).unwrap_or_default(),
        bind_verb,
        enable_https,
        tls_config: members.take_some(strict, "tlsConfig", tls_config),
        http_timeout_nanos: members
            .take_written(strict, "httpTimeout", Strict::duration)
            .unwrap_or_default(),
        node_cache_capable,
        managed_resources: members
            .take(strict, "managedResources", |strict, path, node| {
                strict.list(path, node, managed_resource)
            })
            .unwrap_or_default(),
        ignorable,
    };
    members.end(strict);
    extender
}

fn managed_resource(strict: &mut Strict, path: &Path, node: &Node) -> ExtenderManagedResource {
    let mut members = strict.object(path, node);
    let resource = ExtenderManagedResource {
        name: members.take(strict, "name", Strict::text).unwrap_or_default(),
        ignored_by_scheduler: members
            .take(strict, "ignoredByScheduler", Strict::bool)
            .unwrap_or_default(),
    };
    members.end(strict);
    resource
}

fn tls_config(strict: &mut Strict, path: &Path, node: &Node) -> ExtenderTlsConfig {
    let mut members = strict.object(path, node);
    let mut text =
        |strict: &mut Strict, name| members.take(strict, name, Strict::text).unwrap_or_default();
    let (server_name, cert_file, key_file, ca_file) = (
        text(strict, "serverName"),
        text(strict, "certFile"),
        text(strict, "keyFile"),
        text(strict, "caFile"),
    );
    let mut has =
        |strict: &mut Strict, name| members.take(strict, name, Strict::bytes).unwrap_or_default();
    let (has_cert_data, has_key_data, has_ca_data) =
        (has(strict, "certData"), has(strict, "keyData"), has(strict, "caData"));
    let tls = ExtenderTlsConfig {
        insecure: members.take(strict, "insecure", Strict::bool).unwrap_or_default(),
        server_name,
        cert_file,
        key_file,
        ca_file,
        has_cert_data,
        has_key_data,
        has_ca_data,
    };
    members.end(strict);
    tls
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::PluginRegistry;

    const HEAD: &str =
        "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";

    fn error(text: &str) -> ConfigError {
        KubeSchedulerConfiguration::read("scheduler.yaml", text.as_bytes()).unwrap_err()
    }

    fn problems(text: &str) -> Vec<String> {
        error(text).problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_that_says_nothing_is_the_default() {
        let read = KubeSchedulerConfiguration::read("f", HEAD.as_bytes()).unwrap();
        assert_eq!(read, KubeSchedulerConfiguration::default());
        let json = r#"{"kind": "KubeSchedulerConfiguration", "apiVersion": "kubescheduler.config.k8s.io/v1", "profiles": null}"#;
        assert_eq!(KubeSchedulerConfiguration::read("f", json.as_bytes()).unwrap(), read);
    }

    #[test]
    fn every_fault_of_a_file_is_told_with_its_path() {
        let text = format!(
            "{HEAD}parallelism: many\nprofiles:\n- schedulername: a\n  pluginConfig:\n  - name: NodeResourcesFit\n    \
             args: {{scoringStrategy: {{type: MostAllocated, resources: [{{name: cpu, weight: 1.5}}]}}}}\n\
             percentageOfNodesToScore: 1\npercentageOfNodesToScore: 2\n"
        );
        assert_eq!(
            problems(&text),
            [
                r#"duplicate field "percentageOfNodesToScore""#,
                r#"parallelism: expected a 32-bit integer, found "many""#,
                "profiles[0].pluginConfig[0].args.scoringStrategy.resources[0].weight: expected a 64-bit integer, \
                 found 1.5",
                r#"unknown field "profiles[0].schedulername""#,
            ]
        );
        assert!(matches!(
            error(&text).problems.as_slice(),
            [
                ConfigProblem::DuplicateField { .. },
                ConfigProblem::WrongType { field, expected: "a 32-bit integer", .. },
                ..
            ] if field == "parallelism"
        ));
    }

    #[test]
    fn a_removed_version_is_refused_by_name() {
        for (version, hint) in [
            ("v1beta3", "1.29"),
            ("v1beta2", "1.28"),
            ("v1beta1", "1.25"),
            ("v1alpha1", "long ago"),
        ] {
            let text = HEAD.replace("/v1", &format!("/{version}"));
            let [problem] = problems(&text).try_into().unwrap();
            assert!(problem.contains(version) && problem.contains(hint), "{problem}");
        }
        assert_eq!(
            error("apiVersion: v1\nkind: ConfigMap\n").to_string(),
            "scheduler.yaml: apiVersion: no kind \"ConfigMap\" is registered for version \"v1\": only \
             kubescheduler.config.k8s.io/v1 is read"
        );
        assert_eq!(
            problems("kind: Pod\napiVersion: kubescheduler.config.k8s.io/v1\n"),
            [r#"kind: expected "KubeSchedulerConfiguration", found "Pod""#]
        );
    }

    #[test]
    fn arguments_may_name_their_type_and_must_name_the_right_one() {
        let with = |head: &str| {
            format!("{HEAD}profiles:\n- pluginConfig:\n  - name: NodeAffinity\n    args: {head}\n")
        };
        for head in [
            "",
            "{}",
            "{kind: NodeAffinityArgs}",
            "{apiVersion: kubescheduler.config.k8s.io/v1, kind: NodeAffinityArgs}",
        ] {
            KubeSchedulerConfiguration::read("f", with(head).as_bytes()).unwrap();
        }
        assert_eq!(
            problems(&with("{kind: NodeResourcesFitArgs}")),
            [concat!(
                "profiles[0].pluginConfig[0].args.kind: expected \"NodeAffinityArgs\", ",
                "found \"NodeResourcesFitArgs\""
            )]
        );
        let [problem] = problems(&with("{apiVersion: kubescheduler.config.k8s.io/v1beta3}"))
            .try_into()
            .unwrap();
        assert!(problem.starts_with("profiles[0].pluginConfig[0].args.apiVersion: "), "{problem}");
    }

    #[test]
    fn broken_text_is_told_with_its_place() {
        let broken =
            |text: &[u8]| KubeSchedulerConfiguration::read("f", text).unwrap_err().to_string();
        assert_eq!(broken(b"{\n  \"kind\": }"), "f: line 2, column 11: expected a value: }");
        assert!(broken(b"a: 1\n  b: 2\n").starts_with("f: line 2, column 4: "));
        assert!(broken(b"{\"a\": \"\xff\"}").contains("invalid UTF-8"));
        assert!(broken("[".repeat(10_000).as_bytes()).contains("recursion limit"));
        assert!(broken("{\"a\":".repeat(10_000).as_bytes()).contains("nested deeper"));
        assert!(broken(format!("{HEAD}---\n{HEAD}").as_bytes()).contains("more than one document"));
        assert_eq!(broken(b""), "f: kind: expected \"KubeSchedulerConfiguration\", found \"\"");
    }

    #[test]
    fn a_file_with_endless_faults_is_told_in_part() {
        let list = "{},".repeat(20_000);
        for text in [
            format!("{HEAD}profiles: [{list}]"),
            format!("{HEAD}extenders: [{{managedResources: [{list}]}}]"),
            format!("{HEAD}profiles: [{{pluginConfig: [{list}]}}]"),
            format!(
                "{HEAD}profiles: [{{plugins: {{score: {{enabled: [{list}], disabled: [{list}]}}}}}}]"
            ),
            format!("{HEAD}profiles: [{{foo: [{list}]}}, 1, {{{}}}]", list.replace("{}", "a: 1")),
        ] {
            match KubeSchedulerConfiguration::read("f", text.as_bytes()) {
                Ok(config) => {
                    config.expand(&PluginRegistry::default()).unwrap_err();
                }
                Err(error) => assert!((1..=100).contains(&error.problems.len())),
            }
        }
    }

    #[test]
    fn an_extender_with_a_say_is_not_supported_and_one_that_only_binds_is() {
        let read = |verb: &str| {
            let text = format!(
                "{HEAD}extenders:\n- urlPrefix: http://localhost:1\n  {verb}: go\n  weight: 1\n  managedResources:\n  \
                 - {{name: example.com/chip, ignoredByScheduler: true}}\n"
            );
            KubeSchedulerConfiguration::read("f", text.as_bytes())
                .unwrap()
                .expand(&PluginRegistry::default())
        };
        for (verb, what) in [
            ("filterVerb", "an extender that filters"),
            ("prioritizeVerb", "an extender that scores"),
            ("preemptVerb", "an extender that preempts"),
        ] {
            let error = read(verb).unwrap_err();
            assert!(error.is_unsupported());
            let text =
                format!("extenders[0].{verb}: {what} is not supported: \"http://localhost:1\"");
            assert_eq!(error.to_string(), text);
            assert_eq!(error.clone().in_file("f").to_string(), format!("f: {text}"));
            assert_eq!(
                error.problems,
                [ConfigProblem::Unsupported {
                    field: format!("extenders[0].{verb}"),
                    what,
                    value: "http://localhost:1".into()
                }]
            );
        }
        let profiles = read("bindVerb").unwrap();
        let ignored: Vec<_> = profiles
            .iter()
            .map(|profile| match profile.args.get("NodeResourcesFit") {
                Some(crate::config::PluginArgs::NodeResourcesFit(args)) => &args.ignored_resources,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(ignored, [&["example.com/chip"]]);
    }

    const PARTS: [&str; 24] = [
        "apiVersion: kubescheduler.config.k8s.io/v1\n",
        "kind: KubeSchedulerConfiguration\n",
        "profiles:\n",
        "- schedulerName: x\n",
        "  plugins:\n",
        "    multiPoint:\n",
        "    score: {disabled: [{name: '*'}]}\n",
        "      enabled:\n",
        "      - name: NodeName\n",
        "        weight: -1\n",
        "  pluginConfig:\n",
        "  - name: NodeResourcesFit\n",
        "    args: {scoringStrategy: {type: RequestedToCapacityRatio}}\n",
        "    args: {addedAffinity: {}}\n",
        "  - name: NodeAffinity\n",
        "extenders: [{filterVerb: a}]\n",
        "leaderElection: {leaseDuration: 1h}\n",
        "percentageOfNodesToScore: 101\n",
        "- {}\n",
        "- &a [*a]\n",
        "null\n",
        "{\"a\": [",
        "]}",
        "\u{0}\u{feff}é",
    ];

    /// Whatever comes of it, it comes.
    fn read_all(bytes: &[u8]) {
        match KubeSchedulerConfiguration::read("f", bytes) {
            Ok(config) => {
                config.validate().unwrap();
                if let Err(error) = config.expand(&PluginRegistry::default()) {
                    assert!(!error.problems.is_empty());
                }
            }
            Err(error) => {
                assert!(!error.problems.is_empty());
                assert!(!error.to_string().is_empty());
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            read_all(&bytes);
        }

        #[test]
        fn no_mixture_of_parts_panics(
            parts in proptest::collection::vec(proptest::sample::select(PARTS.as_slice()), 0..20),
            headed in any::<bool>(),
        ) {
            let head = if headed { HEAD } else { "" };
            read_all(format!("{head}{}", parts.concat()).as_bytes());
        }

        #[test]
        fn no_damage_to_a_good_file_panics(
            at in 0..1_000_usize, byte in any::<u8>(), cut in 0..40_usize,
        ) {
            let mut bytes = format!(
                "{HEAD}profiles:\n- plugins: {{score: {{enabled: [{{name: NodeName, weight: 2}}]}}}}\n  pluginConfig:\n  \
                 - name: PodTopologySpread\n    args:\n      defaultingType: List\n      defaultConstraints:\n      \
                 - {{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}}\n\
                 leaderElection: {{leaseDuration: 15s}}\n"
            ).into_bytes();
            let at = at % bytes.len();
            bytes.splice(at..(at + cut).min(bytes.len()), [byte]);
            read_all(&bytes);
        }
    }
}
