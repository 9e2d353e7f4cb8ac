//! Node labels as columns: for each key a dictionary of values and one code a node.

use bayplan_api::{Node, NodeSelectorOperator, NodeSelectorRequirement, NodeSelectorTerm, Str};
use indexmap::{IndexMap, IndexSet};
use rustc_hash::FxBuildHasher;

use crate::index_vec::{Domain, Idx, IndexVec, NodeIdx};
use crate::node_set::NodeSet;
use crate::resource::{is_qualified_name, is_qualified_name_part};

/// One label key: the values that nodes have, and which node has which.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LabelColumn {
    values: IndexSet<Str, FxBuildHasher>,
    domains: IndexVec<NodeIdx, Domain>,
}

impl LabelColumn {
    /// The topology domain of a node, [`Domain::NONE`] if it lacks the label.
    pub fn domain(&self, node: NodeIdx) -> Domain {
        self.domains.get(node).copied().unwrap_or(Domain::NONE)
    }

    /// How many values there are; domains are numbered from 0.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether no node has the label.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The domain of a value.
    pub fn find(&self, value: &str) -> Option<Domain> {
        self.values.get_index_of(value).map(Domain::from_index)
    }

    /// The value of a domain.
    pub fn value(&self, domain: Domain) -> Option<&Str> {
        self.values.get_index(domain.index())
    }
}

/// The labels and names of all nodes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NodeLabels {
    columns: IndexMap<Str, LabelColumn, FxBuildHasher>,
    names: IndexMap<Str, NodeIdx, FxBuildHasher>,
    nodes: usize,
}

impl NodeLabels {
    /// The columns of these nodes.
    pub(super) fn new<'nodes>(nodes: impl ExactSizeIterator<Item = &'nodes Node>) -> Self {
        let mut labels = Self { nodes: nodes.len(), ..Self::default() };
        for (row, node) in nodes.enumerate() {
            let row = NodeIdx::from_index(row);
            labels.names.insert(node.metadata.name.clone(), row);
            for (key, value) in node.metadata.labels.iter() {
                let column = labels.columns.entry(key.clone()).or_insert_with(|| LabelColumn {
                    values: IndexSet::default(),
                    domains: IndexVec::filled(Domain::NONE, labels.nodes),
                });
                let (domain, _) = column.values.insert_full(value.clone());
                column.domains[row] = Domain::from_index(domain);
            }
        }
        labels
    }

    /// The column of a key; `None` if no node has the label.
    pub fn column(&self, key: &str) -> Option<&LabelColumn> {
        self.columns.get(key)
    }

    /// The row of the node of that name.
    pub fn find_node(&self, name: &str) -> Option<NodeIdx> {
        self.names.get(name).copied()
    }

    /// The nodes that have the label.
    pub fn having(&self, key: &str) -> NodeSet {
        match self.column(key) {
            None => NodeSet::empty(self.nodes),
            Some(column) => {
                NodeSet::from_fn(self.nodes, |node| column.domain(node) != Domain::NONE)
            }
        }
    }

    /// The nodes whose label `key` has `value`.
    pub fn with_value(&self, key: &str, value: &str) -> NodeSet {
        match self.column(key).and_then(|column| Some((column, column.find(value)?))) {
            None => NodeSet::empty(self.nodes),
            Some((column, wanted)) => {
                NodeSet::from_fn(self.nodes, |node| column.domain(node) == wanted)
            }
        }
    }

    /// The nodes that match the term (`nodeSelectorTerm.match`); an empty term matches none.
    ///
    /// # Errors
    /// The requirement that cannot be parsed; kube-scheduler lets such a term match nothing where it filters.
    pub fn matching_term<'term>(
        &self,
        term: &'term NodeSelectorTerm,
    ) -> Result<NodeSet, &'term NodeSelectorRequirement> {
        if term.match_expressions.is_empty() && term.match_fields.is_empty() {
            return Ok(NodeSet::empty(self.nodes));
        }
        let mut matching = NodeSet::full(self.nodes);
        for requirement in &term.match_expressions {
            if !is_parsable(requirement) {
                return Err(requirement);
            }
            matching.intersect(&self.matching_requirement(requirement));
        }
        for requirement in &term.match_fields {
            let [name] = requirement.values.as_slice() else { return Err(requirement) };
            let node = self.find_node(name).filter(|_| requirement.key == "metadata.name");
            match requirement.operator {
                NodeSelectorOperator::In => {
                    let mut named = NodeSet::empty(self.nodes);
                    if let Some(node) = node {
                        named.insert(node);
                    }
                    matching.intersect(&named);
                }
                NodeSelectorOperator::NotIn => {
                    if let Some(node) = node {
                        matching.remove(node);
                    }
                }
                _ => return Err(requirement),
            }
        }
        Ok(matching)
    }

    /// The nodes that satisfy one requirement on labels; each distinct value is looked at once.
    fn matching_requirement(&self, requirement: &NodeSelectorRequirement) -> NodeSet {
        let absent = matches!(
            requirement.operator,
            NodeSelectorOperator::NotIn | NodeSelectorOperator::DoesNotExist
        );
        let Some(column) = self.column(&requirement.key) else {
            return if absent { NodeSet::full(self.nodes) } else { NodeSet::empty(self.nodes) };
        };
        let matching: IndexVec<Domain, bool> =
            column.values.iter().map(|value| value_matches(requirement, value)).collect();
        NodeSet::from_fn(self.nodes, |node| {
            matching.get(column.domain(node)).copied().unwrap_or(absent)
        })
    }
}

/// `labels.Requirement.Matches` for a label that is there.
fn value_matches(requirement: &NodeSelectorRequirement, value: &Str) -> bool {
    let compare = |holds: fn(i64, i64) -> bool| {
        let wanted = requirement.values.first().and_then(|wanted| parse_int(wanted));
        parse_int(value).zip(wanted).is_some_and(|(have, wanted)| holds(have, wanted))
    };
    match requirement.operator {
        NodeSelectorOperator::In => requirement.values.contains(value),
        NodeSelectorOperator::NotIn => !requirement.values.contains(value),
        NodeSelectorOperator::Exists => true,
        NodeSelectorOperator::DoesNotExist => false,
        NodeSelectorOperator::Gt => compare(|have, wanted| have > wanted),
        NodeSelectorOperator::Lt => compare(|have, wanted| have < wanted),
    }
}

/// `strconv.ParseInt(text, 10, 64)`.
fn parse_int(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// Whether `labels.NewRequirement` takes the requirement.
fn is_parsable(requirement: &NodeSelectorRequirement) -> bool {
    let values = &requirement.values;
    let arity = match requirement.operator {
        NodeSelectorOperator::In | NodeSelectorOperator::NotIn => !values.is_empty(),
        NodeSelectorOperator::Exists | NodeSelectorOperator::DoesNotExist => values.is_empty(),
        NodeSelectorOperator::Gt | NodeSelectorOperator::Lt => {
            matches!(values.as_slice(), [value] if parse_int(value).is_some())
        }
    };
    arity
        && is_qualified_name(&requirement.key)
        && values.iter().all(|value| value.is_empty() || is_qualified_name_part(value))
}
