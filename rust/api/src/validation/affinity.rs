//! Node and pod affinity.

use super::error::At;
use super::meta::{each_formed, formed};
use super::selector::{Values, label_selector, node_selector, node_selector_term};
use super::text::{dns1123_label, qualified_name};
use super::{Checked, FieldError, each};
use crate::{
    Affinity, LabelSelector, LabelSelectorOperator, Labels, NodeAffinity, PodAffinity,
    PodAffinityTerm, Str,
};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// `validateAffinity` for a pod with the labels `pod`.
pub(super) fn affinity(affinity: &Affinity, pod: &Labels, what: Values) -> Checked {
    if let Some(one) = &affinity.node_affinity {
        node_affinity(one, what).field("nodeAffinity")?;
    }
    if let Some(one) = &affinity.pod_affinity {
        pod_affinity(one, pod, what).field("podAffinity")?;
    }
    if let Some(one) = &affinity.pod_anti_affinity {
        pod_affinity(one, pod, what).field("podAntiAffinity")?;
    }
    Ok(())
}

fn node_affinity(affinity: &NodeAffinity, what: Values) -> Checked {
    if let Some(required) = &affinity.required {
        node_selector(required, what).field(REQUIRED)?;
    }
    each(PREFERRED, &affinity.preferred, |term| {
        weight(term.weight)?;
        // The API server looks at the values of required terms only.
        node_selector_term(&term.preference, Values::Any).field("preference")
    })
}

fn pod_affinity(affinity: &PodAffinity, pod: &Labels, what: Values) -> Checked {
    each(REQUIRED, &affinity.required, |term| pod_affinity_term(term, pod, what))?;
    each(PREFERRED, &affinity.preferred, |weighted| {
        weight(weighted.weight)?;
        pod_affinity_term(&weighted.term, pod, what).field("podAffinityTerm")
    })
}

fn weight(weight: i32) -> Checked {
    if (1..=100).contains(&weight) {
        return Ok(());
    }
    Err(FieldError::invalid("weight", weight, "must be in the range 1-100"))
}

fn pod_affinity_term(term: &PodAffinityTerm, pod: &Labels, what: Values) -> Checked {
    for (name, selector) in
        [("labelSelector", &term.label_selector), ("namespaceSelector", &term.namespace_selector)]
    {
        if let Some(selector) = selector {
            label_selector(selector, what).field(name)?;
        }
    }
    each_formed("namespaces", &term.namespaces, dns1123_label)?;
    let selector = term.label_selector.as_ref();
    label_keys("matchLabelKeys", &term.match_label_keys, selector)?;
    label_keys("mismatchLabelKeys", &term.mismatch_label_keys, selector)?;
    match_label_keys(&term.match_label_keys, selector, pod)?;
    if let Some(index) =
        term.match_label_keys.iter().position(|key| term.mismatch_label_keys.contains(key))
    {
        let key = term.match_label_keys.get(index).map_or("", Str::as_str);
        let detail = "stands in both matchLabelKeys and mismatchLabelKeys";
        return Err(FieldError::invalid("", key, detail)).index(index).field("matchLabelKeys");
    }
    if term.topology_key.is_empty() {
        return Err(FieldError::required("topologyKey", "must not be empty"));
    }
    formed("topologyKey", &term.topology_key, qualified_name)
}

/// `validateLabelKeys`: label keys, and a selector that they belong to.
pub(super) fn label_keys(name: &str, keys: &[Str], selector: Option<&LabelSelector>) -> Checked {
    if !keys.is_empty() && selector.is_none() {
        return Err(FieldError::forbidden(name, "needs a labelSelector"));
    }
    each_formed(name, keys, qualified_name)
}

/// A key that the pod has as a label may not stand in the selector by itself.
///
/// The API server adds `key In [value of the pod]` to the selector for each key, so that requirement may be there; any
/// other on the key would be there twice then, which is refused.
pub(super) fn match_label_keys(
    keys: &[Str],
    selector: Option<&LabelSelector>,
    pod: &Labels,
) -> Checked {
    let Some(selector) = selector else {
        return Ok(());
    };
    for (index, key) in keys.iter().enumerate() {
        let Some(value) = pod.get(key) else {
            continue;
        };
        let mut own = selector.match_expressions.iter().filter(|one| one.key == *key);
        let merged = own.next().is_none_or(|one| {
            one.operator == LabelSelectorOperator::In
                && one.values.as_slice() == std::slice::from_ref(value)
        });
        if selector.match_labels.contains_key(key) || !merged || own.next().is_some() {
            let detail = "stands in both matchLabelKeys and labelSelector";
            return Err(FieldError::invalid("", &**key, detail))
                .index(index)
                .field("matchLabelKeys");
        }
    }
    Ok(())
}
