//! Nodes.

use super::error::At;
use super::meta::{formed, metadata};
use super::resources::quantities;
use super::text::{cidr, dns1123_subdomain, label_value, qualified_name};
use super::{Checked, FieldError, each, first_repeated};
use crate::{Node, NodeSpec, Taint};

/// `ValidateNode`, of `pkg/apis/core/validation/validation.go`.
///
/// # Errors
///
/// The first field that breaks a rule.
pub fn validate_node(node: &Node) -> Result<(), FieldError> {
    metadata(&node.metadata, dns1123_subdomain)?;
    spec(&node.spec).field("spec")?;
    quantities("capacity", &node.status.capacity).field("status")?;
    quantities("allocatable", &node.status.allocatable).field("status")
}

fn spec(spec: &NodeSpec) -> Checked {
    taints(&spec.taints)?;
    pod_cidrs(spec)
}

/// `validateNodeTaints`, for the list `taints`.
pub(super) fn taints(taints: &[Taint]) -> Checked {
    each("taints", taints, |taint: &Taint| {
        formed("key", &taint.key, qualified_name)?;
        formed("value", &taint.value, label_value)
    })?;
    if let Some(index) = first_repeated(taints, |taint| (taint.effect.as_str(), &*taint.key))
        && let Some(Taint { key, effect, .. }) = taints.get(index)
    {
        // Taints must be unique by key and effect.
        let pair = format!("{key}:{}", effect.as_str());
        return Err(FieldError::duplicate("", &pair)).index(index).field("taints");
    }
    Ok(())
}

/// `podCIDR` and `podCIDRs`: at most one network of each IP family.
fn pod_cidrs(spec: &NodeSpec) -> Checked {
    let valid = |text: &str| {
        cidr(text).map(|_| ()).ok_or_else(|| {
            FieldError::invalid("", text, "must be a network such as 10.244.0.0/24 or fd00::/64")
        })
    };
    if !spec.pod_cidr.is_empty() {
        valid(&spec.pod_cidr).field("podCIDR")?;
    }
    each("podCIDRs", &spec.pod_cidrs, |text| valid(text))?;
    let is_v4 = |text| cidr(text).is_some_and(|address| address.is_ipv4());
    if let Some(index) = first_repeated(&spec.pod_cidrs, |text| is_v4(text))
        && let Some(text) = spec.pod_cidrs.get(index)
    {
        let detail = "there may be one network of each IP family";
        return Err(FieldError::invalid("", &**text, detail)).index(index).field("podCIDRs");
    }
    Ok(())
}
