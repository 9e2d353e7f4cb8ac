//! Label selectors and node selectors.

use crate::{Labels, Str};

/// `metav1.LabelSelector`: all of `matchLabels` and `matchExpressions` must hold; `{}` holds always.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct LabelSelector {
    /// `matchLabels`: key and value must be present.
    pub match_labels: Labels,
    /// `matchExpressions`.
    pub match_expressions: Vec<LabelSelectorRequirement>,
}

/// `metav1.LabelSelectorRequirement`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LabelSelectorRequirement {
    /// The label key.
    pub key: Str,
    /// How `values` are compared.
    pub operator: LabelSelectorOperator,
    /// The values; empty for `Exists` and `DoesNotExist`.
    pub values: Vec<Str>,
}

/// `metav1.LabelSelectorOperator`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LabelSelectorOperator {
    /// The label is there and its value is one of the values.
    In,
    /// The label is absent or its value is none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is absent.
    DoesNotExist,
}

impl LabelSelector {
    /// Whether `labels` satisfy every requirement.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(|requirement| requirement.matches(labels))
    }

    /// Whether the selector is `{}`, which selects everything.
    pub const fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }
}

impl LabelSelectorRequirement {
    /// Whether `labels` satisfy the requirement.
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        match self.operator {
            LabelSelectorOperator::In => value.is_some_and(|value| self.values.contains(value)),
            LabelSelectorOperator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            LabelSelectorOperator::Exists => value.is_some(),
            LabelSelectorOperator::DoesNotExist => value.is_none(),
        }
    }
}

/// `v1.NodeSelector`: terms, one of which must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct NodeSelector {
    /// `nodeSelectorTerms`: one of them must match.
    pub node_selector_terms: Vec<NodeSelectorTerm>,
}

/// `v1.NodeSelectorTerm`: requirements, all of which must hold; an empty term matches nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct NodeSelectorTerm {
    /// Requirements on the node's labels.
    pub match_expressions: Vec<NodeSelectorRequirement>,
    /// Requirements on the node's fields; `metadata.name` is the only one.
    pub match_fields: Vec<NodeSelectorRequirement>,
}

/// `v1.NodeSelectorRequirement`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NodeSelectorRequirement {
    /// The label key, or `metadata.name` in `matchFields`.
    pub key: Str,
    /// How `values` are compared.
    pub operator: NodeSelectorOperator,
    /// The values.
    pub values: Vec<Str>,
}

/// `v1.NodeSelectorOperator`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeSelectorOperator {
    /// The label is there and its value is one of the values.
    In,
    /// The label is absent or its value is none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is absent.
    DoesNotExist,
    /// The label's value, read as an integer, is greater than the one value.
    Gt,
    /// The label's value, read as an integer, is less than the one value.
    Lt,
}

/// `v1.TopologySelectorTerm`, of a storage class's `allowedTopologies`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TopologySelectorTerm {
    /// `matchLabelExpressions`: all must hold.
    pub match_label_expressions: Vec<TopologySelectorLabelRequirement>,
}

/// `v1.TopologySelectorLabelRequirement`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TopologySelectorLabelRequirement {
    /// The label key.
    pub key: Str,
    /// One of these values must be the label's.
    pub values: Vec<Str>,
}
