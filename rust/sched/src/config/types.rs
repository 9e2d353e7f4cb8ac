//! `KubeSchedulerConfiguration` as kube-scheduler holds it after decoding and defaulting.
//!
//! Follows `pkg/scheduler/apis/config/types.go` and `component-base/config/types.go` of v1.34.

use bayplan_api::Str;

use super::unchecked;
use super::{
    DefaultPreemptionArgs, DynamicResourcesArgs, ExtensionPoint, InterPodAffinityArgs,
    NodeResourcesBalancedAllocationArgs, PluginArgs, VolumeBindingArgs, names,
};

/// The `apiVersion` that is read.
pub const API_VERSION: &str = "kubescheduler.config.k8s.io/v1";

/// `KubeSchedulerConfiguration`: `default()` is what kube-scheduler runs with without a file.
#[derive(Debug, Clone, PartialEq)]
pub struct KubeSchedulerConfiguration {
    /// `parallelism`, greater than 0; 16 when absent. It has no effect on decisions.
    pub parallelism: i32,
    /// `leaderElection`. It has no effect on decisions.
    pub leader_election: LeaderElectionConfiguration,
    /// `clientConnection`. It has no effect on decisions.
    pub client_connection: ClientConnectionConfiguration,
    /// `enableProfiling` and `enableContentionProfiling`. They have no effect on decisions.
    pub debugging: DebuggingConfiguration,
    /// `percentageOfNodesToScore`, 0 to 100; kube-scheduler adapts it to the cluster at 0, which is
    /// the default.
    pub percentage_of_nodes_to_score: Option<i32>,
    /// `podInitialBackoffSeconds`, greater than 0; 1 when absent.
    pub pod_initial_backoff_seconds: i64,
    /// `podMaxBackoffSeconds`, not below `podInitialBackoffSeconds`; 10 when absent.
    pub pod_max_backoff_seconds: i64,
    /// `profiles`, with the default plugins merged in.
    pub profiles: Vec<KubeSchedulerProfile>,
    /// `extenders`.
    pub extenders: Vec<Extender>,
    /// `delayCacheUntilActive`. It has no effect on decisions.
    pub delay_cache_until_active: bool,
}

/// `LeaderElectionConfiguration`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderElectionConfiguration {
    /// `leaderElect`; true when absent.
    pub leader_elect: bool,
    /// `leaseDuration` in nanoseconds; 15 s when absent or 0.
    pub lease_duration_nanos: i64,
    /// `renewDeadline` in nanoseconds; 10 s when absent or 0.
    pub renew_deadline_nanos: i64,
    /// `retryPeriod` in nanoseconds; 2 s when absent or 0.
    pub retry_period_nanos: i64,
    /// `resourceLock`; `leases` when absent or empty.
    pub resource_lock: Str,
    /// `resourceName`; `kube-scheduler` when absent or empty.
    pub resource_name: Str,
    /// `resourceNamespace`; `kube-system` when absent or empty.
    pub resource_namespace: Str,
}

/// `ClientConnectionConfiguration`.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientConnectionConfiguration {
    /// `kubeconfig`: a path.
    pub kubeconfig: Str,
    /// `acceptContentTypes`.
    pub accept_content_types: Str,
    /// `contentType`; protobuf when absent or empty.
    pub content_type: Str,
    /// `qps`: queries a second; 50 when absent or 0.
    pub qps: f32,
    /// `burst`, 0 or more; 100 when absent or 0.
    pub burst: i32,
}

/// `DebuggingConfiguration`, whose fields stand at the top of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebuggingConfiguration {
    /// `enableProfiling`; true when absent.
    pub enable_profiling: bool,
    /// `enableContentionProfiling`; as `enableProfiling` when absent.
    pub enable_contention_profiling: bool,
}

/// `KubeSchedulerProfile`: which plugins decide for the pods that name this scheduler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeSchedulerProfile {
    /// `schedulerName`; `default-scheduler` when absent in the only profile.
    pub scheduler_name: Str,
    /// `percentageOfNodesToScore`, 0 to 100; the configuration's when absent.
    pub percentage_of_nodes_to_score: Option<i32>,
    /// `plugins`, merged with the default ones.
    pub plugins: Plugins,
    /// `pluginConfig`: what was written, then the default arguments of the other enabled plugins.
    pub plugin_config: Vec<PluginConfig>,
}

/// `Plugins`: enabled and disabled plugins by extension point.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plugins {
    /// `preEnqueue`.
    pub pre_enqueue: PluginSet,
    /// `queueSort`.
    pub queue_sort: PluginSet,
    /// `preFilter`.
    pub pre_filter: PluginSet,
    /// `filter`.
    pub filter: PluginSet,
    /// `postFilter`.
    pub post_filter: PluginSet,
    /// `preScore`.
    pub pre_score: PluginSet,
    /// `score`.
    pub score: PluginSet,
    /// `reserve`.
    pub reserve: PluginSet,
    /// `permit`.
    pub permit: PluginSet,
    /// `preBind`.
    pub pre_bind: PluginSet,
    /// `bind`.
    pub bind: PluginSet,
    /// `postBind`.
    pub post_bind: PluginSet,
    /// `multiPoint`: plugins for every extension point that they implement.
    pub multi_point: PluginSet,
}

impl Plugins {
    /// The set of `point`.
    pub const fn at(&self, point: ExtensionPoint) -> &PluginSet {
        match point {
            ExtensionPoint::PreEnqueue => &self.pre_enqueue,
            ExtensionPoint::QueueSort => &self.queue_sort,
            ExtensionPoint::PreFilter => &self.pre_filter,
            ExtensionPoint::Filter => &self.filter,
            ExtensionPoint::PostFilter => &self.post_filter,
            ExtensionPoint::PreScore => &self.pre_score,
            ExtensionPoint::Score => &self.score,
            ExtensionPoint::Reserve => &self.reserve,
            ExtensionPoint::Permit => &self.permit,
            ExtensionPoint::PreBind => &self.pre_bind,
            ExtensionPoint::Bind => &self.bind,
            ExtensionPoint::PostBind => &self.post_bind,
        }
    }

    /// The set of `point`, to be changed.
    pub const fn at_mut(&mut self, point: ExtensionPoint) -> &mut PluginSet {
        match point {
            ExtensionPoint::PreEnqueue => &mut self.pre_enqueue,
            ExtensionPoint::QueueSort => &mut self.queue_sort,
            ExtensionPoint::PreFilter => &mut self.pre_filter,
            ExtensionPoint::Filter => &mut self.filter,
            ExtensionPoint::PostFilter => &mut self.post_filter,
            ExtensionPoint::PreScore => &mut self.pre_score,
            ExtensionPoint::Score => &mut self.score,
            ExtensionPoint::Reserve => &mut self.reserve,
            ExtensionPoint::Permit => &mut self.permit,
            ExtensionPoint::PreBind => &mut self.pre_bind,
            ExtensionPoint::Bind => &mut self.bind,
            ExtensionPoint::PostBind => &mut self.post_bind,
        }
    }

    /// Every set: the extension points in the order of the fields, then `multiPoint`.
    pub fn sets(&self) -> impl Iterator<Item = &PluginSet> {
        ExtensionPoint::ALL.into_iter().map(|point| self.at(point)).chain([&self.multi_point])
    }
}

/// `PluginSet`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PluginSet {
    /// `enabled`: plugins beside the default ones, called after them in this order.
    pub enabled: Vec<Plugin>,
    /// `disabled`: default plugins that are taken out; `*` takes all of them out.
    pub disabled: Vec<Plugin>,
}

/// `Plugin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    /// `name`.
    pub name: Str,
    /// `weight`, of a score; 0 when absent, which counts as 1.
    pub weight: i32,
}

impl Plugin {
    /// The plugin without a weight.
    pub fn new(name: impl Into<Str>) -> Self {
        Self { name: name.into(), weight: 0 }
    }

    /// The plugin with a weight.
    pub fn weighted(name: impl Into<Str>, weight: i32) -> Self {
        Self { name: name.into(), weight }
    }
}

/// `PluginConfig`: the arguments of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginConfig {
    /// `name`: the plugin's.
    pub name: Str,
    /// `args`.
    pub args: PluginConfigArgs,
}

impl PluginConfig {
    /// Arguments for the plugin that takes them.
    pub fn new(args: impl Into<PluginConfigArgs>) -> Self {
        let args = args.into();
        Self { name: args.plugin().unwrap_or_default().into(), args }
    }
}

/// `args` of a plugin, defaulted but not yet validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginConfigArgs {
    /// `DefaultPreemptionArgs`.
    DefaultPreemption(DefaultPreemptionArgs),
    /// `DynamicResourcesArgs`.
    DynamicResources(DynamicResourcesArgs),
    /// `InterPodAffinityArgs`.
    InterPodAffinity(InterPodAffinityArgs),
    /// `NodeAffinityArgs`.
    NodeAffinity(unchecked::NodeAffinityArgs),
    /// `NodeResourcesBalancedAllocationArgs`.
    NodeResourcesBalancedAllocation(NodeResourcesBalancedAllocationArgs),
    /// `NodeResourcesFitArgs`.
    NodeResourcesFit(unchecked::NodeResourcesFitArgs),
    /// `PodTopologySpreadArgs`.
    PodTopologySpread(unchecked::PodTopologySpreadArgs),
    /// `VolumeBindingArgs`.
    VolumeBinding(VolumeBindingArgs),
    /// Arguments of a plugin that has no type for them, as JSON; `None` if there are none.
    Other(Option<Str>),
}

impl PluginConfigArgs {
    /// The default arguments of an in-tree plugin; `None` if it takes none.
    pub fn default_for(plugin: &str) -> Option<Self> {
        Some(match plugin {
            names::DEFAULT_PREEMPTION => Self::DefaultPreemption(DefaultPreemptionArgs::default()),
            names::DYNAMIC_RESOURCES => Self::DynamicResources(DynamicResourcesArgs::default()),
            names::INTER_POD_AFFINITY => Self::InterPodAffinity(InterPodAffinityArgs::default()),
            names::NODE_AFFINITY => Self::NodeAffinity(unchecked::NodeAffinityArgs::default()),
            names::NODE_RESOURCES_BALANCED_ALLOCATION => {
                Self::NodeResourcesBalancedAllocation(NodeResourcesBalancedAllocationArgs::default())
            }
            names::NODE_RESOURCES_FIT => {
                Self::NodeResourcesFit(unchecked::NodeResourcesFitArgs::default())
            }
            names::POD_TOPOLOGY_SPREAD => {
                Self::PodTopologySpread(unchecked::PodTopologySpreadArgs::default())
            }
            names::VOLUME_BINDING => Self::VolumeBinding(VolumeBindingArgs::default()),
            _ => return None,
        })
    }

    /// The name of the plugin that takes arguments of this type; `None` for `Other`.
    pub const fn plugin(&self) -> Option<&'static str> {
        Some(match self {
            Self::DefaultPreemption(_) => names::DEFAULT_PREEMPTION,
            Self::DynamicResources(_) => names::DYNAMIC_RESOURCES,
            Self::InterPodAffinity(_) => names::INTER_POD_AFFINITY,
            Self::NodeAffinity(_) => names::NODE_AFFINITY,
            Self::NodeResourcesBalancedAllocation(_) => names::NODE_RESOURCES_BALANCED_ALLOCATION,
            Self::NodeResourcesFit(_) => names::NODE_RESOURCES_FIT,
            Self::PodTopologySpread(_) => names::POD_TOPOLOGY_SPREAD,
            Self::VolumeBinding(_) => names::VOLUME_BINDING,
            Self::Other(_) => return None,
        })
    }
}

impl From<PluginArgs> for PluginConfigArgs {
    fn from(args: PluginArgs) -> Self {
        match args {
            PluginArgs::DefaultPreemption(args) => Self::DefaultPreemption(args),
            PluginArgs::DynamicResources(args) => Self::DynamicResources(args),
            PluginArgs::InterPodAffinity(args) => Self::InterPodAffinity(args),
            PluginArgs::NodeAffinity(args) => Self::NodeAffinity((&args).into()),
            PluginArgs::NodeResourcesBalancedAllocation(args) => {
                Self::NodeResourcesBalancedAllocation(args)
            }
            PluginArgs::NodeResourcesFit(args) => Self::NodeResourcesFit(args.into()),
            PluginArgs::PodTopologySpread(args) => Self::PodTopologySpread((&args).into()),
            PluginArgs::VolumeBinding(args) => Self::VolumeBinding(args),
        }
    }
}

/// `Extender`: a web service that takes part in decisions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extender {
    /// `urlPrefix`.
    pub url_prefix: Str,
    /// `filterVerb`; empty: it does not filter.
    pub filter_verb: Str,
    /// `preemptVerb`; empty: it does not preempt.
    pub preempt_verb: Str,
    /// `prioritizeVerb`; empty: it does not score.
    pub prioritize_verb: Str,
    /// `weight` of its scores.
    pub weight: i64,
    /// `bindVerb`; empty: it does not bind.
    pub bind_verb: Str,
    /// `enableHTTPS`.
    pub enable_https: bool,
    /// `tlsConfig`.
    pub tls_config: Option<ExtenderTlsConfig>,
    /// `httpTimeout` in nanoseconds.
    pub http_timeout_nanos: i64,
    /// `nodeCacheCapable`.
    pub node_cache_capable: bool,
    /// `managedResources`: the extended resources that make a pod the extender's business.
    pub managed_resources: Vec<ExtenderManagedResource>,
    /// `ignorable`: scheduling goes on when the extender cannot be reached.
    pub ignorable: bool,
}

/// `ExtenderManagedResource`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtenderManagedResource {
    /// `name` of the extended resource.
    pub name: Str,
    /// `ignoredByScheduler`: `NodeResourcesFit` passes over it.
    pub ignored_by_scheduler: bool,
}

/// `ExtenderTLSConfig`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "three of them stand for keys that are not kept")]
pub struct ExtenderTlsConfig {
    /// `insecure`.
    pub insecure: bool,
    /// `serverName`.
    pub server_name: Str,
    /// `certFile`.
    pub cert_file: Str,
    /// `keyFile`.
    pub key_file: Str,
    /// `caFile`.
    pub ca_file: Str,
    /// `certData`, whether any was given: the bytes are not kept.
    pub has_cert_data: bool,
    /// `keyData`, whether any was given: the bytes are not kept.
    pub has_key_data: bool,
    /// `caData`, whether any was given: the bytes are not kept.
    pub has_ca_data: bool,
}
