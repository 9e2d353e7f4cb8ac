//! Sets of nodes that volumes, storage classes and capacities name by labels: each worked out once, when first asked for.

use std::sync::OnceLock;

use bayplan_api::{
    LabelSelector, LabelSelectorOperator, NodeSelector, NodeSelectorOperator,
    NodeSelectorRequirement, NodeSelectorTerm, TopologySelectorTerm,
};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::cluster::{NodeColumns, NodeLabels};
use crate::index_vec::{Idx, SelectionId};
use crate::node_set::NodeSet;

/// Node selectors, equal ones once: many volumes are in the same zone.
#[derive(Debug, Clone, Default)]
pub(super) struct Selections(IndexMap<NodeSelector, OnceLock<NodeSet>, FxBuildHasher>);

impl PartialEq for Selections {
    /// What was worked out and kept makes no difference.
    fn eq(&self, other: &Self) -> bool {
        self.0.keys().eq(other.0.keys())
    }
}

impl Selections {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets those that came last.
    pub(super) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// Forgets which nodes they mean.
    pub(super) fn forget(&mut self) {
        for nodes in self.0.values_mut() {
            nodes.take();
        }
    }

    pub(super) fn intern(&mut self, selector: &NodeSelector) -> SelectionId {
        if let Some(known) = self.0.get_index_of(selector) {
            return SelectionId::from_index(known);
        }
        SelectionId::from_index(self.0.insert_full(selector.clone(), OnceLock::new()).0)
    }

    /// The nodes that one of the terms matches.
    ///
    /// # Panics
    /// When the selection is of another cluster.
    #[expect(clippy::expect_used, reason = "selection numbers are made by the table itself")]
    pub(super) fn nodes(&self, selection: SelectionId, nodes: &NodeColumns) -> &NodeSet {
        let row = self.0.get_index(selection.index());
        let (selector, matching) = row.expect("a selection of this cluster");
        matching.get_or_init(|| {
            let mut matching = NodeSet::empty(nodes.row_count());
            for term in &selector.node_selector_terms {
                if let Some(nodes) = nodes_of_term(&nodes.labels, nodes.row_count(), term) {
                    matching.union(&nodes);
                }
            }
            matching
        })
    }
}

/// The nodes that match a term as volumes see it: `CheckNodeAffinity` knows a node's labels and not its name, and fields
/// that are not known are not compared.
fn nodes_of_term(labels: &NodeLabels, nodes: usize, term: &NodeSelectorTerm) -> Option<NodeSet> {
    for field in &term.match_fields {
        let known =
            matches!(field.operator, NodeSelectorOperator::In | NodeSelectorOperator::NotIn);
        if !known || field.values.len() != 1 {
            return None;
        }
    }
    if term.match_expressions.is_empty() {
        return (!term.match_fields.is_empty()).then(|| NodeSet::full(nodes));
    }
    let expressions = NodeSelectorTerm {
        match_expressions: term.match_expressions.clone(),
        match_fields: Vec::new(),
    };
    labels.matching_term(&expressions).ok()
}

/// `allowedTopologies` as a node selector: terms are alternatives, and an empty term matches nothing.
pub(super) fn of_topologies(terms: &[TopologySelectorTerm]) -> NodeSelector {
    let terms = terms.iter().map(|term| NodeSelectorTerm {
        match_expressions: term
            .match_label_expressions
            .iter()
            .map(|requirement| NodeSelectorRequirement {
                key: requirement.key.clone(),
                operator: NodeSelectorOperator::In,
                values: requirement.values.clone(),
            })
            .collect(),
        match_fields: Vec::new(),
    });
    NodeSelector { node_selector_terms: terms.collect() }
}

/// A label selector that is not `{}` as a node selector.
pub(super) fn of_labels(selector: &LabelSelector) -> NodeSelector {
    let equal = selector.match_labels.iter().map(|(key, value)| NodeSelectorRequirement {
        key: key.clone(),
        operator: NodeSelectorOperator::In,
        values: vec![value.clone()],
    });
    let expressions = selector.match_expressions.iter().map(|expression| {
        let operator = match expression.operator {
            LabelSelectorOperator::In => NodeSelectorOperator::In,
            LabelSelectorOperator::NotIn => NodeSelectorOperator::NotIn,
            LabelSelectorOperator::Exists => NodeSelectorOperator::Exists,
            LabelSelectorOperator::DoesNotExist => NodeSelectorOperator::DoesNotExist,
        };
        NodeSelectorRequirement {
            key: expression.key.clone(),
            operator,
            values: expression.values.clone(),
        }
    });
    let match_expressions = equal.chain(expressions).collect();
    NodeSelector {
        node_selector_terms: vec![NodeSelectorTerm { match_expressions, match_fields: Vec::new() }],
    }
}
