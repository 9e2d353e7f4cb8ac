//! What a pod requests: `k8s.io/component-helpers/resource/helpers.go` v0.34, and
//! `framework.Resource` of `pkg/scheduler/framework/types.go`.

use std::collections::BTreeMap;

use bayplan_api::{Container, ContainerStatus, Pod, Quantity, ResourceList};

/// `v1.ResourceList` while it is being summed up.
pub(super) type Requests = BTreeMap<String, Quantity>;

/// `schedutil.DefaultMilliCPURequest`.
const DEFAULT_MILLI_CPU_REQUEST: i64 = 100;
/// `schedutil.DefaultMemoryRequest`, in bytes.
const DEFAULT_MEMORY_REQUEST: i64 = 200 * 1024 * 1024;

/// `resourcehelper.PodResourcesOptions`.
#[derive(Debug, Default)]
pub(super) struct PodResourcesOptions {
    /// Count what the kubelet reports as in effect.
    pub(super) use_status_resources: bool,
    /// Do not look at `spec.resources`.
    pub(super) skip_pod_level_resources: bool,
    /// What a container requests when it does not say.
    pub(super) non_missing_container_requests: Requests,
}

/// 100m of cpu and 200Mi of memory, for containers that do not say.
pub(super) fn default_container_requests() -> Requests {
    Requests::from([
        ("cpu".to_owned(), Quantity::from_milli_value(DEFAULT_MILLI_CPU_REQUEST)),
        ("memory".to_owned(), Quantity::from_value(DEFAULT_MEMORY_REQUEST)),
    ])
}

/// `resourcehelper.PodRequests`.
pub(super) fn pod_requests(pod: &Pod, options: &PodResourcesOptions) -> Requests {
    let mut requests = aggregate_container_requests(pod, options);
    if !options.skip_pod_level_resources
        && is_pod_level_requests_set(pod)
        && let Some(resources) = &pod.spec.resources
    {
        for (name, quantity) in resources.requests.iter() {
            if is_supported_pod_level_resource(name) {
                requests.insert(name.to_string(), quantity.clone());
            }
        }
    }
    add_all(&mut requests, &to_requests(&pod.spec.overhead));
    requests
}

/// `resourcehelper.IsPodLevelRequestsSet`.
fn is_pod_level_requests_set(pod: &Pod) -> bool {
    pod.spec.resources.as_ref().is_some_and(|resources| {
        resources.requests.iter().any(|(name, _)| is_supported_pod_level_resource(name))
    })
}

fn is_supported_pod_level_resource(name: &str) -> bool {
    name == "cpu" || name == "memory" || name.starts_with("hugepages-")
}

/// `resourcehelper.AggregateContainerRequests`: the sum of the containers and sidecars, or what the
/// greediest init container and the sidecars started before it need, whichever is more.
fn aggregate_container_requests(pod: &Pod, options: &PodResourcesOptions) -> Requests {
    let mut requests = Requests::new();
    for container in &pod.spec.containers {
        let own = container_requests(pod, container, options, options.use_status_resources);
        add_all(&mut requests, &own);
    }

    let mut sidecars = Requests::new();
    let mut init = Requests::new();
    for container in &pod.spec.init_containers {
        let sidecar = container.restart_policy_always;
        let use_status = options.use_status_resources && sidecar;
        let mut own = container_requests(pod, container, options, use_status);
        if sidecar {
            add_all(&mut requests, &own);
            add_all(&mut sidecars, &own);
            own.clone_from(&sidecars);
        } else {
            add_all(&mut own, &sidecars);
        }
        max_all(&mut init, &own);
    }
    max_all(&mut requests, &init);
    requests
}

fn container_requests(
    pod: &Pod,
    container: &Container,
    options: &PodResourcesOptions,
    use_status: bool,
) -> Requests {
    let mut requests = to_requests(&container.resources.requests);
    if use_status
        && let Some(status) = container_status(pod, &container.name)
        && let Some(resources) = &status.resources
    {
        // `determineContainerReqs`
        if is_pod_resize_infeasible(pod) {
            requests.clear();
        }
        max_all(&mut requests, &to_requests(&resources.requests));
        max_all(&mut requests, &to_requests(&status.allocated_resources));
    }
    for (name, quantity) in &options.non_missing_container_requests {
        requests.entry(name.clone()).or_insert_with(|| quantity.clone());
    }
    requests
}

/// The status of that name; an init container's hides a container's, a later one an earlier one.
fn container_status<'a>(pod: &'a Pod, name: &str) -> Option<&'a ContainerStatus> {
    let of_that_name = |status: &&ContainerStatus| status.name == *name;
    pod.status
        .init_container_statuses
        .iter()
        .rfind(of_that_name)
        .or_else(|| pod.status.container_statuses.iter().rfind(of_that_name))
}

/// `resourcehelper.IsPodResizeInfeasible`: the first condition of the type decides.
fn is_pod_resize_infeasible(pod: &Pod) -> bool {
    pod.status
        .conditions
        .iter()
        .find(|condition| condition.condition_type == "PodResizePending")
        .is_some_and(|condition| condition.reason == "Infeasible")
}

fn to_requests(list: &ResourceList) -> Requests {
    list.iter().map(|(name, quantity)| (name.to_string(), quantity.clone())).collect()
}

fn add_all(to: &mut Requests, more: &Requests) {
    for (name, quantity) in more {
        match to.get_mut(name) {
            Some(sum) => sum.add(quantity),
            None => {
                to.insert(name.clone(), quantity.clone());
            }
        }
    }
}

fn max_all(to: &mut Requests, other: &Requests) {
    for (name, quantity) in other {
        if to.get(name).is_none_or(|value| quantity > value) {
            to.insert(name.clone(), quantity.clone());
        }
    }
}

/// `framework.Resource`: whole numbers; sums wrap as Go's do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Resource {
    pub(super) milli_cpu: i64,
    pub(super) memory: i64,
    pub(super) ephemeral_storage: i64,
    pub(super) allowed_pod_number: i64,
    pub(super) scalar: BTreeMap<String, i64>,
}

impl Resource {
    /// `Resource.Add`; names that are neither native nor scalar are ignored.
    pub(super) fn add(&mut self, name: &str, quantity: &Quantity) {
        match name {
            "cpu" => self.milli_cpu = self.milli_cpu.wrapping_add(quantity.milli_value()),
            "memory" => self.memory = self.memory.wrapping_add(quantity.value()),
            "pods" => {
                self.allowed_pod_number = self.allowed_pod_number.wrapping_add(quantity.value());
            }
            "ephemeral-storage" => {
                self.ephemeral_storage = self.ephemeral_storage.wrapping_add(quantity.value());
            }
            _ if is_scalar_resource_name(name) => {
                let sum = self.scalar.entry(name.to_owned()).or_default();
                *sum = sum.wrapping_add(quantity.value());
            }
            _ => {}
        }
    }

    /// `Resource.SetMaxResource` on an empty `Resource`.
    pub(super) fn max_of(requests: &Requests) -> Self {
        let mut sum = Self::default();
        for (name, quantity) in requests {
            // The number of pods is not a request.
            if name != "pods" {
                sum.add(name, quantity);
            }
        }
        Self {
            milli_cpu: sum.milli_cpu.max(0),
            memory: sum.memory.max(0),
            ephemeral_storage: sum.ephemeral_storage.max(0),
            allowed_pod_number: 0,
            scalar: sum.scalar.into_iter().map(|(name, value)| (name, value.max(0))).collect(),
        }
    }

    /// The value of a scalar resource; 0 when absent.
    pub(super) fn scalar(&self, name: &str) -> i64 {
        self.scalar.get(name).copied().unwrap_or_default()
    }
}

/// `NodeInfo.Requested` and `NodeInfo.NonZeroRequested` of the pods on a node.
#[derive(Debug, Default)]
pub(super) struct Requested {
    /// What is requested.
    pub(super) actual: Resource,
    /// Milli cpu requested, containers that do not say taken as 100m.
    pub(super) non_zero_milli_cpu: i64,
    /// Bytes of memory requested, containers that do not say taken as 200Mi.
    pub(super) non_zero_memory: i64,
}

impl Requested {
    /// The sum over `pods`, each as `PodInfo.CalculateResource` counts it.
    pub(super) fn by(pods: &[&Pod]) -> Self {
        let mut sum = Self::default();
        for pod in pods {
            let mut options = PodResourcesOptions {
                use_status_resources: true,
                ..PodResourcesOptions::default()
            };
            let requests = pod_requests(pod, &options);

            // `getNonMissingContainerRequests`: with pod-level requests only for what is asked nowhere.
            let mut non_missing = default_container_requests();
            if is_pod_level_requests_set(pod) {
                non_missing.retain(|name, _| !requests.contains_key(name));
            }
            options.non_missing_container_requests = non_missing;
            let mut non_zero = Resource::default();
            for (name, quantity) in &pod_requests(pod, &options) {
                non_zero.add(name, quantity);
            }

            for (name, quantity) in &requests {
                sum.actual.add(name, quantity);
            }
            sum.non_zero_milli_cpu = sum.non_zero_milli_cpu.wrapping_add(non_zero.milli_cpu);
            sum.non_zero_memory = sum.non_zero_memory.wrapping_add(non_zero.memory);
        }
        sum
    }
}

/// `schedutil.IsScalarResourceName`.
pub(super) fn is_scalar_resource_name(name: &str) -> bool {
    is_extended_resource_name(name)
        || name.starts_with("hugepages-")
        || name.contains("kubernetes.io/")
        || name.starts_with("attachable-volumes-")
}

/// `v1helper.IsExtendedResourceName`: outside `kubernetes.io/` and a qualified name.
pub(super) fn is_extended_resource_name(name: &str) -> bool {
    let native = !name.contains('/') || name.contains("kubernetes.io/");
    !native && !name.starts_with("requests.") && is_qualified_name(&format!("requests.{name}"))
}

/// `validation.IsQualifiedName` of `k8s.io/apimachinery/pkg/util/validation`.
pub(super) fn is_qualified_name(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    match parts.as_slice() {
        [name] => is_name_part(name),
        [prefix, name] => is_dns1123_subdomain(prefix) && is_name_part(name),
        _ => false,
    }
}

/// `validation.IsValidLabelValue`.
pub(super) fn is_label_value(value: &str) -> bool {
    value.is_empty() || is_name_part(value)
}

/// At most 63 characters of letters, digits, `-`, `_` and `.`, letters or digits at both ends.
fn is_name_part(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let outer = |c: char| c.is_ascii_alphanumeric();
    name.len() <= 63 && name.chars().all(inner) && name.starts_with(outer) && name.ends_with(outer)
}

/// `validation.IsDNS1123Subdomain`: at most 253 characters of dotted labels in lower case.
fn is_dns1123_subdomain(name: &str) -> bool {
    let outer = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 253
        && name.split('.').all(|label| {
            label.chars().all(|c| outer(c) || c == '-')
                && label.starts_with(outer)
                && label.ends_with(outer)
        })
}
