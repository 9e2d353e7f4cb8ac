//! Resource names, quantities, requests and limits.

use super::error::At;
use super::meta::formed;
use super::text::qualified_name;
use super::{Checked, FieldError};
use crate::defaults::{is_pod_level_resource, max_container_resources};
use crate::{PodSpec, Quantity, ResourceList, ResourceRequirements};

/// `Forbidden` names that a quota has and a container has not.
const REQUESTS_PREFIX: &str = "requests.";
const HUGE_PAGES_PREFIX: &str = "hugepages-";

/// `integerResources`, as far as they are names of their own.
const INTEGER_RESOURCES: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

/// Who asks for resources: which names it may use differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// A container, or the overhead of a pod.
    Container,
    /// A pod as a whole.
    Pod,
}

/// `IsNativeResource`: without a domain, or of the domain `kubernetes.io`.
pub(crate) fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// `IsHugePageResourceName`.
pub(crate) fn is_huge_pages(name: &str) -> bool {
    name.starts_with(HUGE_PAGES_PREFIX)
}

/// `IsOvercommitAllowed`: a request may be less than the limit.
pub(crate) fn is_overcommit_allowed(name: &str) -> bool {
    is_native(name) && !is_huge_pages(name)
}

/// `IsExtendedResourceName`: a valid name after `requests.` is put before it.
fn is_extended(name: &str) -> bool {
    const DOMAIN: usize = 253 - REQUESTS_PREFIX.len();
    !is_native(name)
        && !name.starts_with(REQUESTS_PREFIX)
        && qualified_name(name).is_ok()
        && name.find('/').is_some_and(|domain| domain <= DOMAIN)
}

/// `IsStandardContainerResourceName`.
fn is_container_resource(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage") || is_huge_pages(name)
}

fn resource_name(name: &str, asker: Asker) -> Checked {
    formed("", name, qualified_name)?;
    let invalid = |detail: &'static str| Err(FieldError::invalid("", name, detail));
    match asker {
        Asker::Pod if !is_pod_level_resource(name) => {
            const SUPPORTED: &[&str] = &["cpu", "memory", "hugepages-<size>"];
            Err(FieldError::unsupported("", name, SUPPORTED))
        }
        Asker::Container if !name.contains('/') && !is_container_resource(name) => {
            invalid("must be cpu, memory, ephemeral-storage, hugepages-<size> or have a domain")
        }
        Asker::Container if !is_native(name) && !is_extended(name) => {
            invalid("must be a valid name of an extended resource, such as 'example.com/gpu'")
        }
        Asker::Pod | Asker::Container => Ok(()),
    }
}

/// `ValidateResourceQuantityValue`: not negative, and whole where the resource comes in pieces.
pub(super) fn quantity(name: &str, quantity: &Quantity) -> Checked {
    if quantity.sign() < 0 {
        let detail = "must be greater than or equal to 0";
        return Err(FieldError::invalid("", &*quantity.to_string(), detail));
    }
    let pieces = INTEGER_RESOURCES.contains(&name) || is_extended(name);
    if pieces && quantity.milli_value() % 1000 != 0 {
        return Err(FieldError::invalid("", &*quantity.to_string(), "must be an integer"));
    }
    Ok(())
}

/// Each quantity of the list `name` is valid, whatever the resources are called.
pub(super) fn quantities(name: &str, list: &ResourceList) -> Checked {
    for (resource, amount) in list.iter() {
        quantity(resource, amount).key(resource).field(name)?;
    }
    Ok(())
}

/// `IsHugePageResourceValueDivisible`: a whole number of pages.
fn huge_pages(name: &str, quantity: &Quantity) -> Checked {
    let Some(size) = name.strip_prefix(HUGE_PAGES_PREFIX) else {
        return Ok(());
    };
    let divisible = Quantity::parse(size).is_ok_and(|size| {
        size.sign() > 0
            && size.milli_value() % 1000 == 0
            && quantity.value().checked_rem(size.value()) == Some(0)
    });
    if divisible {
        return Ok(());
    }
    let detail = "must be a whole number of pages";
    Err(FieldError::invalid("", &*quantity.to_string(), detail))
}

/// `validateResourceRequirements`.
pub(super) fn requirements(requirements: &ResourceRequirements, asker: Asker) -> Checked {
    let ResourceRequirements { requests, limits } = requirements;
    for (field, list) in [("limits", limits), ("requests", requests)] {
        for (name, amount) in list.iter() {
            let check = || {
                resource_name(name, asker)?;
                quantity(name, amount)?;
                huge_pages(name, amount)
            };
            check().key(name).field(field)?;
        }
    }
    for (name, request) in requests.iter() {
        let overcommit = is_overcommit_allowed(name);
        match limits.get(name) {
            Some(limit) if overcommit && request > limit => {
                let detail = format!("must be no more than the limit of {name}, {limit}");
                return Err(FieldError::invalid("requests", &*request.to_string(), detail))
                    .key_of(name);
            }
            Some(limit) if !overcommit && request != limit => {
                let detail = format!("must be equal to the limit of {name}, {limit}");
                return Err(FieldError::invalid("requests", &*request.to_string(), detail))
                    .key_of(name);
            }
            None if !overcommit => {
                let detail = "a resource that cannot be overcommitted needs a limit";
                return Err(FieldError::required("limits", detail)).key_of(name);
            }
            _ => {}
        }
    }
    let mentions =
        |test: fn(&str) -> bool| requests.iter().chain(limits.iter()).any(|(name, _)| test(name));
    if mentions(is_huge_pages) && !mentions(|name| matches!(name, "cpu" | "memory")) {
        return Err(FieldError::forbidden("", "huge pages need cpu or memory beside them"));
    }
    Ok(())
}

/// Names the entry of a list behind the list's own field.
trait KeyOf {
    fn key_of(self, key: &str) -> Self;
}

impl KeyOf for Checked {
    fn key_of(self, key: &str) -> Self {
        self.map_err(|mut error| {
            error.path = format!("{}[{key}]", error.path);
            error
        })
    }
}

/// `validatePodResources`: of the pod as a whole, beside its containers.
pub(super) fn pod_resources(spec: &PodSpec, resources: &ResourceRequirements) -> Checked {
    requirements(resources, Asker::Pod)?;
    let sum = max_container_resources(spec, |container| &container.resources.requests);
    for (name, containers) in sum.iter() {
        if let Some(pod) = resources.requests.get(name)
            && containers > pod
        {
            let detail = format!("must be no less than the sum of the containers, {containers}");
            return Err(FieldError::invalid("", &*pod.to_string(), detail))
                .key(name)
                .field("requests");
        }
    }
    let sum = max_container_resources(spec, |container| &container.resources.limits);
    for (name, containers) in sum.iter().filter(|(name, _)| is_huge_pages(name)) {
        if let Some(pod) = resources.limits.get(name)
            && containers > pod
        {
            let detail = format!("must be no less than the sum of the containers, {containers}");
            return Err(FieldError::invalid("", &*pod.to_string(), detail))
                .key(name)
                .field("limits");
        }
    }
    super::each("containers", &spec.containers, |container| {
        for (name, limit) in container.resources.limits.iter() {
            if let Some(pod) = resources.limits.get(name)
                && limit > pod
            {
                let detail = format!("must be no more than the limit of the pod, {pod}");
                return Err(FieldError::invalid("", &*limit.to_string(), detail))
                    .key(name)
                    .field("limits");
            }
        }
        Ok(())
    })
}
