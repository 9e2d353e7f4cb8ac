//! Events.

use super::error::At;
use super::meta::formed;
use super::node::taints;
use super::resources::quantities;
use super::text::{dns1123_label, dns1123_subdomain, label_value, qualified_name};
use super::{Checked, FieldError};
use crate::{Event, ObjectKey};

/// Names, labels, taints and amounts, by the rules of the objects that an event changes.
///
/// Objects that an event carries are not looked at: each kind has its own function.
///
/// # Errors
///
/// The first member that breaks a rule.
pub fn validate_event(event: &Event) -> Result<(), FieldError> {
    match event {
        Event::Deleted(object) if object.name.is_empty() && object.uid.is_empty() => {
            let detail = "a deleted object is told by its name or its uid";
            Err(FieldError::required("name", detail)).field("metadata")
        }
        Event::Added(_) | Event::Modified(_) | Event::Deleted(_) => Ok(()),
        Event::Forget { pod } => pod_key(pod),
        Event::Assume { pod, node } | Event::Bind { pod, node } => {
            pod_key(pod)?;
            node_name(node)
        }
        Event::Cordon { node } | Event::Uncordon { node } => node_name(node),
        Event::Label { node, labels } => {
            node_name(node)?;
            at_least_one("labels", labels.is_empty())?;
            for (key, value) in labels.iter() {
                formed("labels", key, qualified_name)?;
                if let Some(value) = value {
                    formed("", value, label_value).key(key).field("labels")?;
                }
            }
            Ok(())
        }
        Event::Taint { node, taints: list } => {
            node_name(node)?;
            at_least_one("taints", list.is_empty())?;
            taints(list)
        }
        Event::Untaint { node, key, .. } => {
            node_name(node)?;
            formed("key", key, qualified_name)
        }
        Event::Resize { node, allocatable } => {
            node_name(node)?;
            at_least_one("allocatable", allocatable.is_empty())?;
            quantities("allocatable", allocatable)
        }
    }
}

fn pod_key(pod: &ObjectKey) -> Checked {
    let check = || {
        if !pod.name.is_empty() {
            formed("name", &pod.name, dns1123_subdomain)?;
            return formed("namespace", &pod.namespace, dns1123_label);
        }
        if pod.uid.is_empty() {
            return Err(FieldError::required("name", "a pod is told by its name or its uid"));
        }
        Ok(())
    };
    check().field("pod")
}

fn node_name(node: &str) -> Checked {
    formed("node", node, dns1123_subdomain)
}

fn at_least_one(name: &str, is_empty: bool) -> Checked {
    if is_empty { Err(FieldError::required(name, "at least one")) } else { Ok(()) }
}
