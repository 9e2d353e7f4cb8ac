//! Node and pod affinity.

use super::error::At;
use super::meta::{each_formed, formed};
use super::selector::{Values, label_selector, node_selector, node_selector_term};
use super::text::{dns1123_label, qualified_name};
use super::{Checked, FieldError, each};
use crate::{Affinity, LabelSelector, NodeAffinity, PodAffinity, PodAffinityTerm, Str};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// `validateAffinity`.
pub(super) fn affinity(affinity: &Affinity, what: Values) -> Checked {
    if let Some(one) = &affinity.node_affinity {
        node_affinity(one, what).field("nodeAffinity")?;
    }
    if let Some(one) = &affinity.pod_affinity {
        pod_affinity(one, what).field("podAffinity")?;
    }
    if let Some(one) = &affinity.pod_anti_affinity {
        pod_affinity(one, what).field("podAntiAffinity")?;
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

fn pod_affinity(affinity: &PodAffinity, what: Values) -> Checked {
    each(REQUIRED, &affinity.required, |term| pod_affinity_term(term, what))?;
    each(PREFERRED, &affinity.preferred, |weighted| {
        weight(weighted.weight)?;
        pod_affinity_term(&weighted.term, what).field("podAffinityTerm")
    })
}

fn weight(weight: i32) -> Checked {
    if (1..=100).contains(&weight) {
        return Ok(());
    }
    Err(FieldError::invalid("weight", weight, "must be in the range 1-100"))
}

fn pod_affinity_term(term: &PodAffinityTerm, what: Values) -> Checked {
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
    match_label_keys(&term.match_label_keys, selector)?;
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

/// A key of `matchLabelKeys` may stand in the selector once.
///
/// The API server itself adds `key In [the pod's value]` to the selector, so once is what it leaves; the pod's label may
/// change later.
pub(super) fn match_label_keys(keys: &[Str], selector: Option<&LabelSelector>) -> Checked {
    let Some(selector) = selector else {
        return Ok(());
    };
    for (index, key) in keys.iter().enumerate() {
        let in_labels = usize::from(selector.match_labels.contains_key(key));
        let expressions = selector.match_expressions.iter().filter(|one| one.key == *key).count();
        if expressions > 0 && in_labels + expressions > 1 {
            let detail = "stands in both matchLabelKeys and labelSelector";
            return Err(FieldError::invalid("", &**key, detail))
                .index(index)
                .field("matchLabelKeys");
        }
    }
    Ok(())
}
