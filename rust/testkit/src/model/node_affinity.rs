//! `NodeAffinity`: does the node match the pod's node selector and node affinity?
//!
//! Follows `plugins/nodeaffinity/node_affinity.go` of v1.34 and
//! `k8s.io/component-helpers/scheduling/corev1/nodeaffinity` v0.34.

use std::collections::BTreeSet;

use bayplan_api::{
    Node, NodeAffinity, NodeSelector, NodeSelectorOperator, NodeSelectorRequirement,
    NodeSelectorTerm, Pod, PreferredSchedulingTerm,
};

use super::labels::Selector;
use super::resources::{is_label_value, is_qualified_name};
use super::{Code, PreFilter, Rejection};

/// `RequiredNodeAffinity.Match`: `spec.nodeSelector` and the required node affinity.
pub(super) fn required_node_affinity_matches(pod: &Pod, node: &Node) -> bool {
    Selector::from_set(&pod.spec.node_selector).matches(&node.metadata.labels)
        && required_of(pod).is_none_or(|selector| node_selector_matches(selector, node))
}

/// `LazyErrorNodeSelector.Match`: one of the terms matches; an empty one does not.
pub(super) fn node_selector_matches(selector: &NodeSelector, node: &Node) -> bool {
    selector.node_selector_terms.iter().any(|term| term_matches(term, node))
}

fn required_of(pod: &Pod) -> Option<&NodeSelector> {
    node_affinity_of(pod)?.required.as_ref()
}

fn node_affinity_of(pod: &Pod) -> Option<&NodeAffinity> {
    pod.spec.affinity.as_ref()?.node_affinity.as_ref()
}

/// A term that cannot be parsed matches nothing, whatever its other requirements say.
fn is_parsable(term: &NodeSelectorTerm) -> bool {
    term.match_expressions.iter().all(is_label_requirement)
        && term.match_fields.iter().all(is_field_requirement)
}

fn term_matches(term: &NodeSelectorTerm, node: &Node) -> bool {
    let empty = term.match_expressions.is_empty() && term.match_fields.is_empty();
    !empty
        && is_parsable(term)
        && term.match_expressions.iter().all(|requirement| label_matches(requirement, node))
        && term.match_fields.iter().all(|requirement| field_matches(requirement, node))
}

/// `labels.NewRequirement` succeeds.
fn is_label_requirement(requirement: &NodeSelectorRequirement) -> bool {
    let values = &requirement.values;
    let fitting = match requirement.operator {
        NodeSelectorOperator::In | NodeSelectorOperator::NotIn => !values.is_empty(),
        NodeSelectorOperator::Exists | NodeSelectorOperator::DoesNotExist => values.is_empty(),
        NodeSelectorOperator::Gt | NodeSelectorOperator::Lt => {
            values.len() == 1 && values.iter().all(|value| value.parse::<i64>().is_ok())
        }
    };
    fitting
        && is_qualified_name(&requirement.key)
        && values.iter().all(|value| is_label_value(value))
}

fn label_matches(requirement: &NodeSelectorRequirement, node: &Node) -> bool {
    let Some(value) = node.metadata.labels.get(&requirement.key) else {
        return matches!(
            requirement.operator,
            NodeSelectorOperator::NotIn | NodeSelectorOperator::DoesNotExist
        );
    };
    let compare = |holds: fn(&i64, &i64) -> bool| {
        let bound = requirement.values.first().and_then(|bound| bound.parse().ok());
        match (value.parse(), bound) {
            (Ok(value), Some(bound)) => holds(&value, &bound),
            _ => false,
        }
    };
    match requirement.operator {
        NodeSelectorOperator::In => requirement.values.contains(value),
        NodeSelectorOperator::NotIn => !requirement.values.contains(value),
        NodeSelectorOperator::Exists => true,
        NodeSelectorOperator::DoesNotExist => false,
        NodeSelectorOperator::Gt => compare(i64::gt),
        NodeSelectorOperator::Lt => compare(i64::lt),
    }
}

/// `nodeSelectorRequirementsAsFieldSelector` succeeds.
fn is_field_requirement(requirement: &NodeSelectorRequirement) -> bool {
    requirement.values.len() == 1
        && matches!(requirement.operator, NodeSelectorOperator::In | NodeSelectorOperator::NotIn)
}

fn field_matches(requirement: &NodeSelectorRequirement, node: &Node) -> bool {
    // The node that a volume's affinity is held against has labels only: no field, no rejection.
    if node.metadata.name.is_empty() {
        return true;
    }
    // A field that a node does not have reads as the empty string.
    let value = if requirement.key == "metadata.name" { node.metadata.name.as_str() } else { "" };
    let named = requirement.values.iter().any(|name| *name == *value);
    match requirement.operator {
        NodeSelectorOperator::In => named,
        _ => !named,
    }
}

/// `PreFilter`: skip, or the nodes named by `matchFields` if every term names some.
pub(super) fn pre_filter(pod: &Pod, added: Option<&NodeAffinity>) -> Result<PreFilter, Rejection> {
    let required = required_of(pod);
    let added_selector = added.and_then(|added| added.required.as_ref());
    if required.is_none() && added_selector.is_none() && pod.spec.node_selector.is_empty() {
        return Ok(PreFilter::Skip);
    }
    let terms =
        required.map(|selector| selector.node_selector_terms.as_slice()).unwrap_or_default();
    if terms.is_empty() {
        return Ok(PreFilter::Run);
    }

    let mut names = BTreeSet::new();
    for term in terms {
        let mut term_names: Option<BTreeSet<String>> = None;
        for requirement in &term.match_fields {
            if requirement.key != "metadata.name"
                || requirement.operator != NodeSelectorOperator::In
            {
                continue;
            }
            let values = requirement.values.iter().map(ToString::to_string).collect();
            term_names = Some(match term_names {
                None => values,
                Some(names) => names.intersection(&values).cloned().collect(),
            });
        }
        // The terms are ORed, so one that names no node leaves all of them.
        let Some(term_names) = term_names else { return Ok(PreFilter::Run) };
        names.extend(term_names);
    }
    if names.is_empty() {
        return Err(Rejection::new(
            Code::UnschedulableAndUnresolvable,
            "pod affinity terms conflict",
        ));
    }
    Ok(PreFilter::Nodes(names))
}

pub(super) fn filter(
    pod: &Pod,
    node: &Node,
    added: Option<&NodeAffinity>,
) -> Result<(), Rejection> {
    let added_selector = added.and_then(|added| added.required.as_ref());
    if added_selector.is_some_and(|selector| !node_selector_matches(selector, node)) {
        return Err(Rejection::new(
            Code::UnschedulableAndUnresolvable,
            "node(s) didn't match scheduler-enforced node affinity",
        ));
    }
    if required_node_affinity_matches(pod, node) {
        return Ok(());
    }
    Err(Rejection::new(
        Code::UnschedulableAndUnresolvable,
        "node(s) didn't match Pod's node affinity/selector",
    ))
}

/// `PreScore` fails where one of the pod's preferences cannot be parsed: the API server lets a bound of
/// `Gt` and `Lt` pass that is no number.
pub(super) fn pre_score(pod: &Pod) -> Result<(), String> {
    let preferred = node_affinity_of(pod).map(|own| own.preferred.as_slice()).unwrap_or_default();
    match preferred.iter().find(|term| !is_parsable(&term.preference)) {
        Some(term) => Err(format!("invalid preference: {:?}", term.preference)),
        None => Ok(()),
    }
}

/// `PreScore`: whether there is anything to score.
pub(super) fn has_preferences(pod: &Pod, added: Option<&NodeAffinity>) -> bool {
    node_affinity_of(pod).is_some_and(|affinity| !affinity.preferred.is_empty())
        || added.is_some_and(|added| !added.preferred.is_empty())
}

/// The sum of the weights of the preferences that match.
pub(super) fn score(pod: &Pod, node: &Node, added: Option<&NodeAffinity>) -> i64 {
    let sum = |terms: &[PreferredSchedulingTerm]| -> i64 {
        terms
            .iter()
            .filter(|term| term_matches(&term.preference, node))
            .map(|term| i64::from(term.weight))
            .sum()
    };
    sum(added.map(|added| added.preferred.as_slice()).unwrap_or_default())
        + sum(node_affinity_of(pod).map(|own| own.preferred.as_slice()).unwrap_or_default())
}
