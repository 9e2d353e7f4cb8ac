//! Validation: what kube-scheduler rejects at its start, in its words.
//!
//! Follows `pkg/scheduler/apis/config/validation/validation.go` and `validation_pluginargs.go` of
//! v1.34, `component-base/config/validation`, `component-helpers/scheduling/corev1/nodeaffinity` and
//! `apimachinery/pkg/labels` of v0.34, with feature gates at their defaults.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fmt::Write as _;

use bayplan_api::Str;

use super::go_text::{duration, json, json_list, quote};
use super::name_rules::{is_extended_resource, label_value, qualified_name};
use super::unchecked::{
    self, DO_NOT_SCHEDULE, LEAST_ALLOCATED, LIST, MOST_ALLOCATED, NodeSelectorRequirement,
    NodeSelectorTerm, OPERATORS, REQUESTED_TO_CAPACITY_RATIO, SCHEDULE_ANYWAY, SYSTEM,
};
use super::{
    ClientConnectionConfiguration, ConfigError, ConfigProblem, DefaultPreemptionArgs,
    DynamicResourcesArgs, Extender, ExtensionPoint, FieldError, FieldErrorKind,
    InterPodAffinityArgs, KubeSchedulerConfiguration, KubeSchedulerProfile,
    LeaderElectionConfiguration, NodeResourcesBalancedAllocationArgs, Plugin, PluginArgs,
    PluginConfigArgs, PluginSet, ResourceSpec, UtilizationShapePoint, VolumeBindingArgs, names,
};

/// The path of a field, as kube-scheduler writes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Path(String);

impl Path {
    pub(super) fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    pub(super) fn child(&self, name: &str) -> Self {
        if self.0.is_empty() { Self::new(name) } else { Self(format!("{}.{name}", self.0)) }
    }

    pub(super) fn index(&self, at: usize) -> Self {
        Self(format!("{}[{at}]", self.0))
    }

    fn key(&self, key: &str) -> Self {
        Self(format!("{}[{key}]", self.0))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many errors are collected: each may quote a long value, and a hostile file may hold many.
const MAX_ERRORS: usize = 100;

/// The errors found so far, none twice.
#[derive(Debug, Default)]
struct Errors(Vec<FieldError>);

impl Errors {
    fn add(&mut self, kind: FieldErrorKind, path: &Path, value: Option<String>, detail: &str) {
        let error = FieldError { kind, field: path.to_string(), value, detail: detail.to_owned() };
        if self.0.len() < MAX_ERRORS && !self.0.contains(&error) {
            self.0.push(error);
        }
    }

    fn invalid(&mut self, path: &Path, value: impl fmt::Display, detail: &str) {
        self.add(FieldErrorKind::Invalid, path, Some(value.to_string()), detail);
    }

    fn duplicate(&mut self, path: &Path, value: impl fmt::Display) {
        self.add(FieldErrorKind::Duplicate, path, Some(value.to_string()), "");
    }

    fn required(&mut self, path: &Path, detail: &str) {
        self.add(FieldErrorKind::Required, path, None, detail);
    }

    fn forbidden(&mut self, path: &Path, detail: &str) {
        self.add(FieldErrorKind::Forbidden, path, None, detail);
    }

    fn not_supported(&mut self, path: &Path, value: &str, supported: &[&str]) {
        let supported: Vec<String> = supported.iter().map(|word| quote(word)).collect();
        let detail = format!("supported values: {}", supported.join(", "));
        self.add(FieldErrorKind::NotSupported, path, Some(json(value)), &detail);
    }

    fn in_range(&mut self, path: &Path, value: i32, low: i32, high: i32) {
        if value < low || value > high {
            self.invalid(path, value, &format!("not in valid range [{low}, {high}]"));
        }
    }
}

impl KubeSchedulerConfiguration {
    /// Checks every value as kube-scheduler does at its start.
    ///
    /// `read` has done this. It does not say whether the profiles can be built:
    /// [`expand`](Self::expand) does.
    ///
    /// # Errors
    ///
    /// Every value that is rejected (of more than a hundred the first hundred), with its path and the reason in kube-scheduler's words.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut errors = Errors::default();
        client_connection(&mut errors, &Path::new("clientConnection"), &self.client_connection);
        leader_election(&mut errors, &Path::new("leaderElection"), &self.leader_election);
        if self.parallelism <= 0 {
            let path = Path::new("parallelism");
            errors.invalid(&path, self.parallelism, "should be an integer value greater than zero");
        }
        self.profiles(&mut errors, &Path::new("profiles"));
        percentage(
            &mut errors,
            &Path::new("percentageOfNodesToScore"),
            self.percentage_of_nodes_to_score,
        );
        if self.pod_initial_backoff_seconds <= 0 {
            let path = Path::new("podInitialBackoffSeconds");
            errors.invalid(&path, self.pod_initial_backoff_seconds, "must be greater than 0");
        }
        if self.pod_max_backoff_seconds < self.pod_initial_backoff_seconds {
            errors.invalid(
                &Path::new("podMaxBackoffSeconds"),
                self.pod_max_backoff_seconds,
                "must be greater than or equal to PodInitialBackoffSeconds",
            );
        }
        extenders(&mut errors, &Path::new("extenders"), &self.extenders);
        if errors.0.is_empty() {
            return Ok(());
        }
        Err(ConfigError {
            file: Str::default(),
            problems: errors.0.into_iter().map(ConfigProblem::Field).collect(),
        })
    }

    fn profiles(&self, errors: &mut Errors, path: &Path) {
        if self.profiles.is_empty() {
            errors.required(path, "");
        }
        let mut names = BTreeSet::new();
        for (at, profile) in self.profiles.iter().enumerate() {
            let path = path.index(at);
            validate_profile(errors, &path, profile);
            if !names.insert(&profile.scheduler_name) {
                // kube-scheduler means to name the other profile, but prints an empty object
                errors.duplicate(&path.child("schedulerName"), "{}");
            }
        }
        common_queue_sort(errors, path, &self.profiles);
    }
}

fn client_connection(errors: &mut Errors, path: &Path, client: &ClientConnectionConfiguration) {
    if client.burst < 0 {
        errors.invalid(&path.child("burst"), client.burst, "must be non-negative");
    }
}

fn leader_election(errors: &mut Errors, path: &Path, elect: &LeaderElectionConfiguration) {
    if !elect.leader_elect {
        return;
    }
    for (field, nanos) in [
        ("leaseDuration", elect.lease_duration_nanos),
        ("renewDeadline", elect.renew_deadline_nanos),
        ("retryPeriod", elect.retry_period_nanos),
    ] {
        if nanos <= 0 {
            errors.invalid(&path.child(field), json(&duration(nanos)), "must be greater than zero");
        }
    }
    if elect.lease_duration_nanos <= elect.renew_deadline_nanos {
        errors.invalid(
            &path.child("leaseDuration"),
            json(&duration(elect.renew_deadline_nanos)),
            "must be greater than `RenewDeadline`",
        );
    }
    for (field, text) in [
        ("resourceLock", &elect.resource_lock),
        ("resourceNamespace", &elect.resource_namespace),
        ("resourceName", &elect.resource_name),
    ] {
        if text.is_empty() {
            errors.required(&path.child(field), "");
        }
    }
    if elect.resource_lock != "leases" {
        errors.invalid(
            &path.child("resourceLock"),
            quote(&elect.resource_lock),
            "resourceLock value must be \"leases\"",
        );
    }
}

fn percentage(errors: &mut Errors, path: &Path, percentage: Option<i32>) {
    if let Some(percentage) = percentage.filter(|percentage| !(0..=100).contains(percentage)) {
        errors.invalid(path, percentage, "not in valid range [0-100]");
    }
}

/// Plugins that `kubescheduler.config.k8s.io/v1` does not know any more.
const REMOVED: [&str; 4] = ["AzureDiskLimits", "CinderLimits", "EBSLimits", "GCEPDLimits"];

fn removed(errors: &mut Errors, path: &Path, plugin: &str) -> bool {
    let is_removed = REMOVED.contains(&plugin);
    if is_removed {
        let version = quote(super::API_VERSION);
        let detail = format!(
            "was invalid in version \"v1\" (KubeSchedulerConfiguration is version {version})"
        );
        errors.invalid(path, quote(plugin), &detail);
    }
    is_removed
}

fn validate_profile(errors: &mut Errors, path: &Path, profile: &KubeSchedulerProfile) {
    if profile.scheduler_name.is_empty() {
        errors.required(&path.child("schedulerName"), "");
    }
    percentage(
        errors,
        &path.child("percentageOfNodesToScore"),
        profile.percentage_of_nodes_to_score,
    );
    for point in ExtensionPoint::ALL {
        let path = path.child("plugins").child(point.field()).child("enabled");
        for (at, plugin) in profile.plugins.at(point).enabled.iter().enumerate() {
            removed(errors, &path.index(at), &plugin.name);
        }
    }
    let mut seen = BTreeSet::new();
    for (at, config) in profile.plugin_config.iter().enumerate() {
        let path = path.child("pluginConfig").index(at);
        if !seen.insert(&config.name) {
            errors.duplicate(&path, quote(&config.name));
        }
        // kube-scheduler looks for NodeResourcesFit under another name and so checks its arguments
        // only when it builds the plugin
        if removed(errors, &path, &config.name) || config.name == names::NODE_RESOURCES_FIT {
            continue;
        }
        let path = path.child("args");
        let Some(default) = PluginConfigArgs::default_for(&config.name) else { continue };
        if default.plugin() == config.args.plugin() {
            plugin_args(errors, &path, &config.args);
        } else {
            errors.invalid(&path, json_of_args(&config.args), "has to match plugin args");
        }
    }
}

fn common_queue_sort(errors: &mut Errors, path: &Path, profiles: &[KubeSchedulerProfile]) {
    let Some((first, others)) = profiles.split_first() else { return };
    let canon = &first.plugins.queue_sort;
    if canon.enabled.len() > 1 {
        errors.invalid(
            &path.index(0).child("plugins").child("queueSort").child("Enabled"),
            canon.enabled.len(),
            "only one queue sort plugin can be enabled",
        );
    }
    let name = canon.enabled.first().map_or("", |plugin| &plugin.name);
    let named = |config: &&super::PluginConfig| config.name == *name;
    let none = PluginConfigArgs::Other(None);
    let args = match name {
        "" => &none,
        _ => first.plugin_config.iter().rev().find(named).map_or(&none, |config| &config.args),
    };
    for (at, profile) in others.iter().enumerate() {
        let path = path.index(at + 1);
        let set = &profile.plugins.queue_sort;
        if set != canon {
            errors.invalid(
                &path.child("plugins").child("queueSort"),
                json_of_set(set),
                "must be the same for all profiles",
            );
        }
        for config in profile.plugin_config.iter().filter(named) {
            if config.args != *args {
                errors.invalid(
                    &path.child("pluginConfig").child("args"),
                    json_of_args(&config.args),
                    "queueSort must be the same for all profiles",
                );
            }
        }
    }
}

/// The set as Go's JSON shows the internal type, which has no names for its fields.
fn json_of_set(set: &PluginSet) -> String {
    let list = |plugins: &[Plugin]| {
        if plugins.is_empty() {
            return "null".to_owned();
        }
        let plugins: Vec<String> = plugins
            .iter()
            .map(|plugin| {
                format!("{{\"Name\":{},\"Weight\":{}}}", json(&plugin.name), plugin.weight)
            })
            .collect();
        format!("[{}]", plugins.join(","))
    };
    format!("{{\"Enabled\":{},\"Disabled\":{}}}", list(&set.enabled), list(&set.disabled))
}

/// Arguments as Go's JSON shows them; of typed ones only the type, where kube-scheduler shows all of it.
fn json_of_args(args: &PluginConfigArgs) -> String {
    match args {
        PluginConfigArgs::Other(json) => {
            json.as_ref().map_or_else(|| "null".to_owned(), ToString::to_string)
        }
        typed => format!("{}Args", typed.plugin().unwrap_or_default()),
    }
}

fn extenders(errors: &mut Errors, path: &Path, extenders: &[Extender]) {
    let mut managed = BTreeSet::new();
    for (at, extender) in extenders.iter().enumerate() {
        let path = path.index(at);
        if !extender.prioritize_verb.is_empty() && extender.weight <= 0 {
            errors.invalid(
                &path.child("weight"),
                extender.weight,
                "must have a positive weight applied to it",
            );
        }
        for (at, resource) in extender.managed_resources.iter().enumerate() {
            let path = path.child("managedResources").index(at).child("name");
            let name = resource.name.as_str();
            let faults = qualified_name(name);
            for fault in &faults {
                errors.invalid(&path, json(name), fault);
            }
            if faults.is_empty() && !is_extended_resource(name) {
                errors.invalid(&path, quote(name), "is an invalid extended resource name");
            }
            if !managed.insert(name) {
                errors.invalid(&path, quote(name), "duplicate extender managed resource name");
            }
        }
    }
    let binders = extenders.iter().filter(|extender| !extender.bind_verb.is_empty()).count();
    if binders > 1 {
        errors.invalid(
            path,
            quote(&format!("found {binders} extenders implementing bind")),
            "only one extender can implement bind",
        );
    }
}

/// The arguments as the engine takes them; `None` for a type that is not an in-tree plugin's.
///
/// # Errors
///
/// What the plugin rejects when kube-scheduler builds it; the paths start within the arguments.
pub(super) fn checked(args: &PluginConfigArgs) -> Result<Option<PluginArgs>, Vec<FieldError>> {
    let mut errors = Errors::default();
    let path = Path::default();
    plugin_args(&mut errors, &path, args);
    if let PluginConfigArgs::NodeResourcesFit(args) = args {
        node_resources_fit(&mut errors, &path, args);
    }
    if !errors.0.is_empty() {
        return Err(errors.0);
    }
    let checked = match args {
        PluginConfigArgs::Other(_) => return Ok(None),
        PluginConfigArgs::DefaultPreemption(args) => {
            Some(PluginArgs::DefaultPreemption(args.clone()))
        }
        PluginConfigArgs::DynamicResources(args) => {
            Some(PluginArgs::DynamicResources(args.clone()))
        }
        PluginConfigArgs::InterPodAffinity(args) => {
            Some(PluginArgs::InterPodAffinity(args.clone()))
        }
        PluginConfigArgs::NodeAffinity(args) => args.checked().map(PluginArgs::NodeAffinity),
        PluginConfigArgs::NodeResourcesBalancedAllocation(args) => {
            Some(PluginArgs::NodeResourcesBalancedAllocation(args.clone()))
        }
        PluginConfigArgs::NodeResourcesFit(args) => {
            args.checked().map(PluginArgs::NodeResourcesFit)
        }
        PluginConfigArgs::PodTopologySpread(args) => {
            args.checked().map(PluginArgs::PodTopologySpread)
        }
        PluginConfigArgs::VolumeBinding(args) => Some(PluginArgs::VolumeBinding(args.clone())),
    };
    // every word was checked above
    checked.map(Some).ok_or_else(|| {
        let mut errors = Errors::default();
        errors.invalid(&path, json_of_args(args), "has to match plugin args");
        errors.0
    })
}

/// What kube-scheduler checks when it validates the configuration.
fn plugin_args(errors: &mut Errors, path: &Path, args: &PluginConfigArgs) {
    match args {
        PluginConfigArgs::DefaultPreemption(args) => default_preemption(errors, path, args),
        PluginConfigArgs::DynamicResources(args) => dynamic_resources(errors, path, args),
        PluginConfigArgs::InterPodAffinity(args) => inter_pod_affinity(errors, path, args),
        PluginConfigArgs::NodeAffinity(args) => node_affinity(errors, path, args),
        PluginConfigArgs::NodeResourcesBalancedAllocation(args) => {
            balanced_allocation(errors, path, args);
        }
        PluginConfigArgs::PodTopologySpread(args) => pod_topology_spread(errors, path, args),
        PluginConfigArgs::VolumeBinding(args) => volume_binding(errors, path, args),
        PluginConfigArgs::NodeResourcesFit(_) | PluginConfigArgs::Other(_) => {}
    }
}

fn default_preemption(errors: &mut Errors, path: &Path, args: &DefaultPreemptionArgs) {
    let percentage = path.child("minCandidateNodesPercentage");
    let absolute = path.child("minCandidateNodesAbsolute");
    errors.in_range(&percentage, args.min_candidate_nodes_percentage, 0, 100);
    if args.min_candidate_nodes_absolute < 0 {
        errors.invalid(&absolute, args.min_candidate_nodes_absolute, "not in valid range [0, inf)");
    }
    if args.min_candidate_nodes_percentage == 0 && args.min_candidate_nodes_absolute == 0 {
        errors.invalid(
            &percentage,
            0,
            "cannot be zero at the same time as minCandidateNodesAbsolute",
        );
        errors.invalid(
            &absolute,
            0,
            "cannot be zero at the same time as minCandidateNodesPercentage",
        );
    }
}

fn dynamic_resources(errors: &mut Errors, path: &Path, args: &DynamicResourcesArgs) {
    if args.filter_timeout_nanos < 0 {
        errors.invalid(
            &path.child("filterTimeout"),
            json(&duration(args.filter_timeout_nanos)),
            "must be zero or positive",
        );
    }
}

fn inter_pod_affinity(errors: &mut Errors, path: &Path, args: &InterPodAffinityArgs) {
    errors.in_range(&path.child("hardPodAffinityWeight"), args.hard_pod_affinity_weight, 0, 100);
}

fn node_affinity(errors: &mut Errors, path: &Path, args: &unchecked::NodeAffinityArgs) {
    let Some(added) = &args.added_affinity else { return };
    let path = path.child("addedAffinity");
    if let Some(terms) = &added.required {
        let path =
            path.child("requiredDuringSchedulingIgnoredDuringExecution").child("nodeSelectorTerms");
        for (at, term) in terms.iter().enumerate() {
            node_selector_term(errors, &path.index(at), term);
        }
    }
    let path = path.child("preferredDuringSchedulingIgnoredDuringExecution");
    for (at, term) in added.preferred.iter().enumerate().filter(|(_, term)| term.weight != 0) {
        node_selector_term(errors, &path.index(at), &term.preference);
    }
}

fn node_selector_term(errors: &mut Errors, path: &Path, term: &NodeSelectorTerm) {
    let expressions = path.child("matchExpressions");
    for (at, requirement) in term.match_expressions.iter().enumerate() {
        match_expression(errors, &expressions.index(at), requirement);
    }
    let fields = path.child("matchFields");
    for (at, requirement) in term.match_fields.iter().enumerate() {
        match_field(errors, &fields.index(at), requirement);
    }
}

fn match_expression(errors: &mut Errors, path: &Path, requirement: &NodeSelectorRequirement) {
    let operator = requirement.operator.as_str();
    if !OPERATORS.iter().any(|(word, _)| *word == operator) {
        errors.not_supported(&path.child("operator"), operator, &OPERATORS.map(|(word, _)| word));
        return;
    }
    let faults = qualified_name(&requirement.key);
    if !faults.is_empty() {
        errors.invalid(&path.child("key"), quote(&requirement.key), &faults.join("; "));
    }
    let path = path.child("values");
    let values = requirement.values.as_deref().unwrap_or_default();
    let printed = || json_list(requirement.values.as_deref());
    match operator {
        "In" | "NotIn" if values.is_empty() => {
            errors.invalid(
                &path,
                printed(),
                "for 'in', 'notin' operators, values set can't be empty",
            );
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            errors.invalid(
                &path,
                printed(),
                "values set must be empty for exists and does not exist",
            );
        }
        "Gt" | "Lt" => {
            if values.len() != 1 {
                errors.invalid(
                    &path,
                    printed(),
                    "for 'Gt', 'Lt' operators, exactly one value is required",
                );
            }
            for (at, value) in values.iter().enumerate() {
                if value.parse::<i64>().is_err() {
                    errors.invalid(
                        &path.index(at),
                        quote(value),
                        "for 'Gt', 'Lt' operators, the value must be an integer",
                    );
                }
            }
        }
        _ => {}
    }
    for (at, value) in values.iter().enumerate() {
        let faults = label_value(value);
        if !faults.is_empty() {
            errors.invalid(&path.index(at).key(&requirement.key), quote(value), &faults.join("; "));
        }
    }
}

fn match_field(errors: &mut Errors, path: &Path, requirement: &NodeSelectorRequirement) {
    let operator = requirement.operator.as_str();
    if !["In", "NotIn"].contains(&operator) {
        errors.not_supported(&path.child("operator"), operator, &["In", "NotIn"]);
    } else if requirement.values.as_deref().unwrap_or_default().len() != 1 {
        errors.invalid(
            &path.child("values"),
            json_list(requirement.values.as_deref()),
            "must have one element",
        );
    }
}

fn balanced_allocation(
    errors: &mut Errors,
    path: &Path,
    args: &NodeResourcesBalancedAllocationArgs,
) {
    let mut seen = BTreeSet::new();
    for (at, resource) in args.resources.iter().enumerate() {
        let path = path.child("resources").index(at);
        if !seen.insert(&resource.name) {
            errors.duplicate(&path.child("name"), quote(&resource.name));
        }
        if resource.weight != 1 {
            errors.invalid(&path.child("weight"), resource.weight, "must be 1");
        }
    }
}

fn node_resources_fit(errors: &mut Errors, path: &Path, args: &unchecked::NodeResourcesFitArgs) {
    for (at, name) in args.ignored_resources.iter().enumerate() {
        label_name(errors, &path.child("ignoredResources").index(at), name);
    }
    for (at, group) in args.ignored_resource_groups.iter().enumerate() {
        let path = path.child("ignoredResourceGroups").index(at);
        if group.contains('/') {
            errors.invalid(&path, quote(group), "resource group name can't contain '/'");
        }
        label_name(errors, &path, group);
    }
    let path = path.child("scoringStrategy");
    let strategy = &args.scoring_strategy;
    let words = [LEAST_ALLOCATED, MOST_ALLOCATED, REQUESTED_TO_CAPACITY_RATIO];
    if !words.contains(&strategy.strategy.as_str()) {
        errors.not_supported(&path.child("type"), &strategy.strategy, &words);
    }
    resources(errors, &path.child("resources"), &strategy.resources);
    match &strategy.requested_to_capacity_ratio {
        Some(points) => shape(errors, &path.child("shape"), points),
        None if strategy.strategy == REQUESTED_TO_CAPACITY_RATIO => {
            // kube-scheduler crashes here
            errors.required(&path.child("requestedToCapacityRatio"), "");
        }
        None => {}
    }
}

fn resources(errors: &mut Errors, path: &Path, resources: &[ResourceSpec]) {
    for (at, resource) in resources.iter().enumerate() {
        if !(1..=100).contains(&resource.weight) {
            errors.invalid(
                &path.index(at).child("weight"),
                resource.weight,
                &format!("resource weight of {} not in valid range (0, 100]", resource.name),
            );
        }
    }
}

fn shape(errors: &mut Errors, path: &Path, shape: &[UtilizationShapePoint]) {
    if shape.is_empty() {
        errors.required(path, "at least one point must be specified");
        return;
    }
    let steps = shape.iter().zip(shape.iter().skip(1)).enumerate();
    for (at, (_, point)) in
        steps.filter(|(_, (last, point))| last.utilization >= point.utilization).take(1)
    {
        errors.invalid(
            &path.index(at + 1).child("utilization"),
            point.utilization,
            "values must be sorted in increasing order",
        );
    }
    for (at, point) in shape.iter().enumerate() {
        errors.in_range(&path.index(at).child("utilization"), point.utilization, 0, 100);
        errors.in_range(&path.index(at).child("score"), point.score, 0, 10);
    }
}

fn label_name(errors: &mut Errors, path: &Path, name: &str) {
    for fault in qualified_name(name) {
        errors.invalid(path, quote(name), &fault);
    }
}

fn pod_topology_spread(errors: &mut Errors, path: &Path, args: &unchecked::PodTopologySpreadArgs) {
    let defaulting = path.child("defaultingType");
    let constraints = &args.default_constraints;
    match args.defaulting_type.as_str() {
        LIST => {}
        SYSTEM if constraints.is_empty() => {}
        SYSTEM => {
            errors.invalid(&defaulting, json(SYSTEM), "when .defaultConstraints are not empty");
        }
        word => errors.not_supported(&defaulting, word, &[SYSTEM, LIST]),
    }
    let path = path.child("defaultConstraints");
    let mut seen = BTreeMap::new();
    for (at, constraint) in constraints.iter().enumerate() {
        let this = path.index(at);
        if constraint.max_skew <= 0 {
            let path = this.child("maxSkew");
            errors.invalid(&path, constraint.max_skew, "not in valid range (0, inf)");
        }
        let key = this.child("topologyKey");
        if constraint.topology_key.is_empty() {
            errors.required(&key, "can not be empty");
        } else {
            label_name(errors, &key, &constraint.topology_key);
        }
        let action = this.child("whenUnsatisfiable");
        match constraint.when_unsatisfiable.as_str() {
            "" => errors.required(&action, "can not be empty"),
            DO_NOT_SCHEDULE | SCHEDULE_ANYWAY => {}
            word => errors.not_supported(&action, word, &[DO_NOT_SCHEDULE, SCHEDULE_ANYWAY]),
        }
        if constraint.has_label_selector {
            errors.forbidden(
                &this.child("labelSelector"),
                "constraint must not define a selector, as they deduced for each pod",
            );
        }
        let (key, action) = (&constraint.topology_key, &constraint.when_unsatisfiable);
        if seen.insert((key, action), at).is_some() {
            errors.duplicate(&this, quote(&format!("{{{key}, {action}}}")));
        }
    }
}

fn volume_binding(errors: &mut Errors, path: &Path, args: &VolumeBindingArgs) {
    if args.bind_timeout_seconds < 0 {
        errors.invalid(
            &path.child("bindTimeoutSeconds"),
            args.bind_timeout_seconds,
            "invalid BindTimeoutSeconds, should not be a negative value",
        );
    }
    if let Some(shape) = &args.shape {
        let mut printed = String::from("[");
        for (at, point) in shape.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            // writing to a String does not fail
            let _ = write!(
                printed,
                "{comma}{{\"Utilization\":{},\"Score\":{}}}",
                point.utilization, point.score
            );
        }
        printed.push(']');
        errors.invalid(
            &path.child("shape"),
            printed,
            "unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring",
        );
    }
}
