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

    /// The domains of so many rows.
    pub fn domains(&self, rows: usize) -> IndexVec<NodeIdx, Domain> {
        let mut domains = self.domains.clone();
        domains.resize(rows, Domain::NONE);
        domains
    }

    fn set(&mut self, node: NodeIdx, domain: Domain) {
        while self.domains.len() <= node.index() {
            self.domains.push(Domain::NONE);
        }
        self.domains[node] = domain;
        // the column ends with the last node that has the label
        while self.domains.as_slice().last() == Some(&Domain::NONE) {
            self.domains.pop();
        }
    }

    /// Whether no two nodes have the same value.
    pub fn is_injective(&self) -> bool {
        let mut met: IndexVec<Domain, bool> = IndexVec::filled(false, self.values.len());
        let mut domains = self.domains.iter().filter(|domain| **domain != Domain::NONE);
        domains.all(|&domain| !std::mem::replace(&mut met[domain], true))
    }

    /// How many values there are or were; domains are numbered from 0, and one may be without a node.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether no node ever had the label.
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
    rows: usize,
}

/// A key or a value that was new: the last of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NewLabel {
    /// The last column.
    Key,
    /// The last value of the column at this place.
    Value(usize),
}

impl NodeLabels {
    /// All columns, in the order in which their keys were met.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &LabelColumn> {
        self.columns.values()
    }

    /// Lets there be so many rows.
    pub(super) fn resize(&mut self, rows: usize) {
        self.rows = rows;
        for column in self.columns.values_mut() {
            column.domains.truncate(rows);
        }
    }

    /// Notes a node's name and labels; `new` is told of keys and values that no node had before.
    pub(super) fn add_node(&mut self, row: NodeIdx, node: &Node, mut new: impl FnMut(NewLabel)) {
        self.names.insert(node.metadata.name.clone(), row);
        for (key, value) in node.metadata.labels.iter() {
            let known = self.columns.len();
            let entry = self.columns.entry(key.clone());
            let place = entry.index();
            let column = entry.or_default();
            if place == known {
                new(NewLabel::Key);
            }
            let (domain, is_new) = column.values.insert_full(value.clone());
            if is_new {
                new(NewLabel::Value(place));
            }
            column.set(row, Domain::from_index(domain));
        }
    }

    /// Forgets a node's name and labels; their values keep their numbers.
    pub(super) fn remove_node(&mut self, row: NodeIdx, node: &Node) {
        self.names.swap_remove(&node.metadata.name);
        for (key, _) in node.metadata.labels.iter() {
            if let Some(column) = self.columns.get_mut(key) {
                column.set(row, Domain::NONE);
            }
        }
    }

    /// Forgets the key or value that came last, which no node has.
    pub(super) fn forget(&mut self, new: NewLabel) {
        match new {
            NewLabel::Key => drop(self.columns.pop()),
            NewLabel::Value(place) => {
                if let Some((_, column)) = self.columns.get_index_mut(place) {
                    column.values.pop();
                }
            }
        }
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
            None => NodeSet::empty(self.rows),
            Some(column) => {
                let domains = column.domains.as_slice();
                NodeSet::from_column(self.rows, domains, |domain| domain != Domain::NONE)
            }
        }
    }

    /// The nodes whose label `key` has `value`.
    pub fn with_value(&self, key: &str, value: &str) -> NodeSet {
        match self.column(key).and_then(|column| Some((column, column.find(value)?))) {
            None => NodeSet::empty(self.rows),
            Some((column, wanted)) => {
                let domains = column.domains.as_slice();
                NodeSet::from_column(self.rows, domains, |domain| domain == wanted)
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
            return Ok(NodeSet::empty(self.rows));
        }
        let mut matching = NodeSet::full(self.rows);
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
                    let mut named = NodeSet::empty(self.rows);
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
            return if absent { NodeSet::full(self.rows) } else { NodeSet::empty(self.rows) };
        };
        let matching: IndexVec<Domain, bool> =
            column.values.iter().map(|value| value_matches(requirement, value)).collect();
        if absent {
            return NodeSet::from_fn(self.rows, |node| {
                matching.get(column.domain(node)).copied().unwrap_or(true)
            });
        }
        NodeSet::from_column(self.rows, column.domains.as_slice(), |domain| {
            matching.get(domain).copied().unwrap_or(false)
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
