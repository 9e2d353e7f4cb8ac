//! Resources: their rows, and what a pod requests of them.
//!
//! Follows `k8s.io/component-helpers/resource/helpers.go` v0.34 (`PodRequests`) and `pkg/scheduler/framework/types.go` of v1.34
//! (`Resource`, `PodInfo.CalculateResource`).

use bayplan_api::{
    Container, ContainerStatus, Pod, Quantity, ResourceList, ResourceRequirements, Str,
};
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use crate::index_vec::{Idx, ResourceId};

/// `cpu`, in thousandths of a core.
pub const CPU: &str = "cpu";
/// `memory`, in bytes.
pub const MEMORY: &str = "memory";
/// `ephemeral-storage`, in bytes.
pub const EPHEMERAL_STORAGE: &str = "ephemeral-storage";
/// `pods`: how many pods a node takes; no column of its own.
pub const PODS: &str = "pods";

/// What the scores assume for a container that says nothing of cpu, in thousandths of a core.
///
/// `DefaultMilliCPURequest` in `pkg/scheduler/util/pod_resources.go`.
pub const DEFAULT_MILLI_CPU_REQUEST: i64 = 100;
/// What the scores assume for a container that says nothing of memory, in bytes.
///
/// `DefaultMemoryRequest` in `pkg/scheduler/util/pod_resources.go`.
pub const DEFAULT_MEMORY_REQUEST: i64 = 200 * 1024 * 1024;

/// The resources that the cluster knows, each with a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resources {
    names: IndexSet<Str, FxBuildHasher>,
}

impl Default for Resources {
    fn default() -> Self {
        Self { names: [CPU, MEMORY, EPHEMERAL_STORAGE].into_iter().map(Str::from).collect() }
    }
}

impl Resources {
    /// The row of cpu, in thousandths of a core.
    pub fn cpu() -> ResourceId {
        ResourceId::from_index(0)
    }

    /// The row of memory, in bytes.
    pub fn memory() -> ResourceId {
        ResourceId::from_index(1)
    }

    /// The row of ephemeral storage, in bytes.
    pub fn ephemeral_storage() -> ResourceId {
        ResourceId::from_index(2)
    }

    /// The row of a resource by name.
    pub fn find(&self, name: &str) -> Option<ResourceId> {
        self.names.get_index_of(name).map(ResourceId::from_index)
    }

    /// The row of a resource by name, made if it is new.
    pub fn intern(&mut self, name: &Str) -> ResourceId {
        ResourceId::from_index(self.names.insert_full(name.clone()).0)
    }

    /// The name of a resource.
    pub fn name(&self, resource: ResourceId) -> &str {
        self.names.get_index(resource.index()).map_or("", Str::as_str)
    }

    /// Forgets those that came last.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.names.truncate(len);
    }

    /// How many resources there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none; never true, since three are always known.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// Amounts of resources: the integer that kube-scheduler keeps of each, in ascending order of row.
pub type Amounts = Vec<(ResourceId, i64)>;

/// `schedutil.IsScalarResourceName`: extended, huge page, prefixed native and attachable volume resources.
pub fn is_scalar_resource_name(name: &str) -> bool {
    is_extended_resource_name(name)
        || name.starts_with("hugepages-")
        || name.contains("kubernetes.io/")
        || name.starts_with("attachable-volumes-")
}

/// `v1helper.IsExtendedResourceName`: a name with a domain that is not Kubernetes' own.
pub fn is_extended_resource_name(name: &str) -> bool {
    let native = !name.contains('/') || name.contains("kubernetes.io/");
    if native || name.starts_with("requests.") {
        return false;
    }
    name.split_once('/').is_some_and(|(prefix, name)| {
        is_dns1123_subdomain(&format!("requests.{prefix}")) && is_qualified_name_part(name)
    })
}

/// `validation.IsDNS1123Subdomain`.
fn is_dns1123_subdomain(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|label| {
            let bytes = label.as_bytes();
            let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            bytes.first().is_some_and(alphanumeric)
                && bytes.last().is_some_and(alphanumeric)
                && bytes.iter().all(|byte| alphanumeric(byte) || *byte == b'-')
        })
}

/// The part of a qualified name behind the slash (`validation.IsQualifiedName`); also what a label value must be if
/// it is not empty.
pub(crate) fn is_qualified_name_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// `validation.IsQualifiedName`, for label keys.
pub(crate) fn is_qualified_name(text: &str) -> bool {
    match text.split_once('/') {
        None => is_qualified_name_part(text),
        Some((prefix, name)) => is_dns1123_subdomain(prefix) && is_qualified_name_part(name),
    }
}

/// `resourcehelper.PodResourcesOptions`.
#[derive(Debug, Clone, Copy)]
pub struct PodRequestsOptions {
    /// Count what the kubelet says is in effect (`UseStatusResources`).
    pub use_status: bool,
    /// Count `spec.resources` (not `SkipPodLevelResources`).
    pub pod_level: bool,
    /// What to assume of containers that say nothing (`NonMissingContainerRequests`).
    pub assumed: Assumed,
}

/// Of which resources the scores assume something where a container says nothing.
#[derive(Debug, Clone, Copy)]
pub struct Assumed {
    /// [`DEFAULT_MILLI_CPU_REQUEST`].
    pub cpu: bool,
    /// [`DEFAULT_MEMORY_REQUEST`].
    pub memory: bool,
}

impl Assumed {
    /// Of none.
    pub const NOTHING: Self = Self { cpu: false, memory: false };
    /// Of both.
    pub const BOTH: Self = Self { cpu: true, memory: true };
}

/// `resourcehelper.PodRequests`: what the pod requests, overhead included.
pub fn pod_requests(pod: &Pod, options: PodRequestsOptions) -> ResourceList {
    let mut requests = aggregate_container_requests(pod, options);
    if options.pod_level
        && let Some(resources) = &pod.spec.resources
    {
        for (name, quantity) in resources.requests.iter() {
            if is_supported_pod_level_resource(name) {
                requests.insert(name.clone(), quantity.clone());
            }
        }
    }
    add(&mut requests, &pod.spec.overhead);
    requests
}

fn is_supported_pod_level_resource(name: &str) -> bool {
    name == CPU || name == MEMORY || name.starts_with("hugepages-")
}

/// `resourcehelper.IsPodLevelRequestsSet`.
fn pod_level_requests_set(resources: Option<&ResourceRequirements>) -> bool {
    resources.is_some_and(|resources| {
        resources.requests.iter().any(|(name, _)| is_supported_pod_level_resource(name))
    })
}

/// `resourcehelper.AggregateContainerRequests`: containers run at the same time and sidecars beside them; each init
/// container runs with the sidecars that stand before it.
fn aggregate_container_requests(pod: &Pod, options: PodRequestsOptions) -> ResourceList {
    let mut requests = ResourceList::new();
    for container in &pod.spec.containers {
        add(&mut requests, &container_requests(pod, container, true, options));
    }
    let mut sidecars = ResourceList::new();
    let mut init = ResourceList::new();
    for container in &pod.spec.init_containers {
        let sidecar = container.restart_policy_always;
        let mut own = container_requests(pod, container, sidecar, options);
        if sidecar {
            add(&mut requests, &own);
            add(&mut sidecars, &own);
            raise(&mut init, &sidecars);
        } else {
            add(&mut own, &sidecars);
            raise(&mut init, &own);
        }
    }
    raise(&mut requests, &init);
    requests
}

fn container_requests(
    pod: &Pod,
    container: &Container,
    runs_on: bool,
    options: PodRequestsOptions,
) -> ResourceList {
    let mut requests = container.resources.requests.clone();
    if options.use_status
        && runs_on
        && let Some(status) = container_status(pod, &container.name)
        && let Some(resources) = &status.resources
    {
        if is_resize_infeasible(pod) {
            requests = resources.requests.clone();
        } else {
            raise(&mut requests, &resources.requests);
        }
        raise(&mut requests, &status.allocated_resources);
    }
    if options.assumed.cpu && !requests.contains_key(CPU) {
        let assumed = Quantity::from_milli_value(DEFAULT_MILLI_CPU_REQUEST);
        requests.insert(Str::from(CPU), assumed);
    }
    if options.assumed.memory && !requests.contains_key(MEMORY) {
        requests.insert(Str::from(MEMORY), Quantity::from_value(DEFAULT_MEMORY_REQUEST));
    }
    requests
}

/// The status by the container's name; of several the last, init containers after the others, as in a Go map.
fn container_status<'pod>(pod: &'pod Pod, name: &str) -> Option<&'pod ContainerStatus> {
    let all = pod.status.container_statuses.iter().chain(&pod.status.init_container_statuses);
    all.rev().find(|status| status.name == name)
}

/// `resourcehelper.IsPodResizeInfeasible`.
fn is_resize_infeasible(pod: &Pod) -> bool {
    pod.status
        .conditions
        .iter()
        .find(|condition| condition.condition_type == "PodResizePending")
        .is_some_and(|condition| condition.reason == "Infeasible")
}

fn add(list: &mut ResourceList, more: &ResourceList) {
    for (name, quantity) in more.iter() {
        let mut sum = list.get(name).cloned().unwrap_or_default();
        sum.add(quantity);
        list.insert(name.clone(), sum);
    }
}

fn raise(list: &mut ResourceList, at_least: &ResourceList) {
    for (name, quantity) in at_least.iter() {
        if list.get(name).is_none_or(|present| present < quantity) {
            list.insert(name.clone(), quantity.clone());
        }
    }
}

/// The integer that kube-scheduler keeps of a quantity: thousandths of cpu, whole units of everything else.
pub fn amount(name: &str, quantity: &Quantity) -> i64 {
    if name == CPU { quantity.milli_value() } else { quantity.value() }
}

/// The rows of a resource list (`Resource.Add`): the native resources, and scalar ones with a valid name; `pods` apart.
pub fn amounts(resources: &mut Resources, list: &ResourceList) -> Amounts {
    let mut amounts: Amounts = list
        .iter()
        .filter(|(name, _)| {
            matches!(name.as_str(), CPU | MEMORY | EPHEMERAL_STORAGE)
                || name.as_str() != PODS && is_scalar_resource_name(name)
        })
        .map(|(name, quantity)| (resources.intern(name), amount(name, quantity)))
        .collect();
    amounts.sort_unstable();
    amounts
}

/// What a pod counts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodAmounts {
    /// What a running pod takes (`CalculateResource().Resource`).
    pub running: Amounts,
    /// Thousandths of cpu that a running pod counts in the scores (`Non0CPU`).
    pub non_zero_milli_cpu: i64,
    /// Bytes of memory that a running pod counts in the scores (`Non0Mem`).
    pub non_zero_memory: i64,
    /// What an incoming pod needs (`computePodResourceRequest`); never below zero.
    pub incoming: Amounts,
}

/// What the pod counts for, running and incoming.
pub fn pod_amounts(resources: &mut Resources, pod: &Pod) -> PodAmounts {
    let options =
        PodRequestsOptions { use_status: true, pod_level: true, assumed: Assumed::NOTHING };
    let requests = pod_requests(pod, options);
    let pod_level = pod_level_requests_set(pod.spec.resources.as_deref());
    let assumed = pod_requests(
        pod,
        PodRequestsOptions {
            assumed: Assumed {
                cpu: !pod_level || !requests.contains_key(CPU),
                memory: !pod_level || !requests.contains_key(MEMORY),
            },
            ..options
        },
    );
    let incoming = pod_requests(pod, PodRequestsOptions { use_status: false, ..options });
    let mut incoming = amounts(resources, &incoming);
    for (_, amount) in &mut incoming {
        *amount = (*amount).max(0);
    }
    PodAmounts {
        running: amounts(resources, &requests),
        non_zero_milli_cpu: assumed.get(CPU).map_or(0, Quantity::milli_value),
        non_zero_memory: assumed.get(MEMORY).map_or(0, Quantity::value),
        incoming,
    }
}
