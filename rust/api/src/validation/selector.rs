//! Label selectors and node selectors.

use super::error::At;
use super::meta::{each_formed, formed, labels};
use super::text::{dns1123_subdomain, label_value, qualified_name};
use super::{Checked, FieldError, each, first_repeated};
use crate::{
    LabelSelector, LabelSelectorOperator, LabelSelectorRequirement, NodeSelector,
    NodeSelectorOperator, NodeSelectorRequirement, NodeSelectorTerm, Str, TopologySelectorTerm,
};

/// What the values of requirements must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    /// Label values, as for a new object.
    Labels,
    /// Anything, as the API server leaves it in objects that had it before it looked.
    Any,
}

const NEEDS_VALUES: &str = "the operators In and NotIn need at least one value";
const NO_VALUES: &str = "the operators Exists and DoesNotExist take no values";

fn values(what: Values, list: &[Str]) -> Checked {
    match what {
        Values::Labels => each_formed("values", list, label_value),
        Values::Any => Ok(()),
    }
}

/// `ValidateLabelSelector`.
pub(super) fn label_selector(selector: &LabelSelector, what: Values) -> Checked {
    labels("matchLabels", &selector.match_labels)?;
    each("matchExpressions", &selector.match_expressions, |one| requirement(one, what))
}

fn requirement(requirement: &LabelSelectorRequirement, what: Values) -> Checked {
    let empty = requirement.values.is_empty();
    match requirement.operator {
        LabelSelectorOperator::In | LabelSelectorOperator::NotIn if empty => {
            return Err(FieldError::required("values", NEEDS_VALUES));
        }
        LabelSelectorOperator::Exists | LabelSelectorOperator::DoesNotExist if !empty => {
            return Err(FieldError::forbidden("values", NO_VALUES));
        }
        _ => {}
    }
    formed("key", &requirement.key, qualified_name)?;
    values(what, &requirement.values)
}

/// `ValidateNodeSelector`.
pub(super) fn node_selector(selector: &NodeSelector, what: Values) -> Checked {
    let terms = &selector.node_selector_terms;
    if terms.is_empty() {
        return Err(FieldError::required("nodeSelectorTerms", "must have at least one term"));
    }
    each("nodeSelectorTerms", terms, |term| node_selector_term(term, what))
}

/// `ValidateNodeSelectorTerm`.
pub(super) fn node_selector_term(term: &NodeSelectorTerm, what: Values) -> Checked {
    each("matchExpressions", &term.match_expressions, |one| node_requirement(one, what))?;
    each("matchFields", &term.match_fields, node_field_requirement)
}

fn node_requirement(requirement: &NodeSelectorRequirement, what: Values) -> Checked {
    use NodeSelectorOperator::{DoesNotExist, Exists, Gt, In, Lt, NotIn};
    match (requirement.operator, requirement.values.len()) {
        (In | NotIn, 0) => return Err(FieldError::required("values", NEEDS_VALUES)),
        (Exists | DoesNotExist, 1..) => return Err(FieldError::forbidden("values", NO_VALUES)),
        (Gt | Lt, 0 | 2..) => {
            let detail = "the operators Gt and Lt need exactly one value";
            return Err(FieldError::required("values", detail));
        }
        _ => {}
    }
    formed("key", &requirement.key, qualified_name)?;
    values(what, &requirement.values)
}

/// The name in the API.
const fn operator_name(operator: NodeSelectorOperator) -> &'static str {
    match operator {
        NodeSelectorOperator::In => "In",
        NodeSelectorOperator::NotIn => "NotIn",
        NodeSelectorOperator::Exists => "Exists",
        NodeSelectorOperator::DoesNotExist => "DoesNotExist",
        NodeSelectorOperator::Gt => "Gt",
        NodeSelectorOperator::Lt => "Lt",
    }
}

/// `ValidateNodeFieldSelectorRequirement`: the only field is the node's name.
fn node_field_requirement(requirement: &NodeSelectorRequirement) -> Checked {
    if !matches!(requirement.operator, NodeSelectorOperator::In | NodeSelectorOperator::NotIn) {
        let detail = "matchFields takes the operators In and NotIn only";
        return Err(FieldError::invalid("operator", operator_name(requirement.operator), detail));
    }
    if requirement.values.len() != 1 {
        return Err(FieldError::required("values", "matchFields needs exactly one value"));
    }
    if requirement.key != "metadata.name" {
        let detail = "matchFields takes the key metadata.name only";
        return Err(FieldError::invalid("key", &*requirement.key, detail));
    }
    each_formed("values", &requirement.values, dns1123_subdomain)
}

/// `ValidateTopologySelectorTerm`.
pub(super) fn topology_selector_term(term: &TopologySelectorTerm) -> Checked {
    let expressions = &term.match_label_expressions;
    each("matchLabelExpressions", expressions, |requirement| {
        if requirement.values.is_empty() {
            return Err(FieldError::required("values", "must have at least one value"));
        }
        if let Some(index) = first_repeated(&requirement.values, Str::as_str)
            && let Some(value) = requirement.values.get(index)
        {
            return Err(FieldError::duplicate("", value)).index(index).field("values");
        }
        formed("key", &requirement.key, qualified_name)
    })?;
    if let Some(index) = first_repeated(expressions, |requirement| requirement.key.as_str())
        && let Some(requirement) = expressions.get(index)
    {
        return Err(FieldError::duplicate("key", &requirement.key))
            .index(index)
            .field("matchLabelExpressions");
    }
    Ok(())
}
