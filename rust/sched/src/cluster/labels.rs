//! Node labels as columns: for each key a dictionary of values and one code a node.

use bayplan_api::{Node, NodeSelectorOperator, NodeSelectorRequirement, NodeSelectorTerm, Str};
use indexmap::{IndexMap, IndexSet};
use rustc_hash::FxBuildHasher;

use super::codes::{CodeColumn, Codes};
use crate::index_vec::{Domain, Idx, IndexVec, NodeIdx};
use crate::node_set::NodeSet;
use crate::resource::{is_qualified_name, is_qualified_name_part};

/// One label key: the values that nodes have, and which node has which.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LabelColumn {
    values: IndexSet<Str, FxBuildHasher>,
    domains: CodeColumn,
}

impl LabelColumn {
    /// The topology domain of a node, [`Domain::NONE`] if it lacks the label.
    pub fn domain(&self, node: NodeIdx) -> Domain {
        self.domains.get(node)
    }

    /// The domains of all nodes as they are now, to keep.
    pub(crate) fn domains(&self) -> Codes {
        self.domains.share()
    }

    /// The nodes that have the label.
    pub(crate) fn having(&self) -> &NodeSet {
        self.domains.having()
    }

    /// Whether no two nodes have the same value.
    pub fn is_injective(&self) -> bool {
        self.domains.is_injective()
    }

    /// The nodes with one of the values.
    fn with_one_of(&self, values: &[Str]) -> NodeSet {
        match values {
            [one] => {
                let wanted = self.find(one).unwrap_or(Domain::NONE);
                self.domains.with(|domain| domain == wanted)
            }
            values => {
                let mut wanted: IndexVec<Domain, bool> = IndexVec::filled(false, self.len());
                for domain in values.iter().filter_map(|value| self.find(value)) {
                    wanted[domain] = true;
                }
                self.domains.with(|domain| wanted.get(domain).copied().unwrap_or(false))
            }
        }
    }

    /// The nodes whose value, read as an integer, stands so to the requirement's; each distinct value is looked at once.
    fn compared(
        &self,
        requirement: &NodeSelectorRequirement,
        holds: fn(i64, i64) -> bool,
    ) -> NodeSet {
        let wanted = requirement.values.first().and_then(|wanted| parse_int(wanted));
        let compare = |value| parse_int(value).zip(wanted).is_some_and(|(a, b)| holds(a, b));
        let holding: IndexVec<Domain, bool> =
            self.values.iter().map(|value| compare(value)).collect();
        self.domains.with(|domain| holding.get(domain).copied().unwrap_or(false))
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
            column.domains.resize(rows);
        }
    }

    /// Notes a node's name and labels; `new` is told of keys and values that no node had before.
    pub(super) fn add_node(&mut self, row: NodeIdx, node: &Node, mut new: impl FnMut(NewLabel)) {
        self.names.insert(node.metadata.name.clone(), row);
        for (key, value) in node.metadata.labels.iter() {
            let known = self.columns.len();
            let entry = self.columns.entry(key.clone());
            let place = entry.index();
            let column = entry.or_insert_with(|| LabelColumn {
                values: IndexSet::default(),
                domains: CodeColumn::new(self.rows),
            });
            if place == known {
                new(NewLabel::Key);
            }
            let (domain, is_new) = column.values.insert_full(value.clone());
            if is_new {
                new(NewLabel::Value(place));
            }
            column.domains.set(row, Domain::from_index(domain));
        }
    }

    /// Forgets a node's name and labels; their values keep their numbers.
    pub(super) fn remove_node(&mut self, row: NodeIdx, node: &Node) {
        self.names.swap_remove(&node.metadata.name);
        for (key, _) in node.metadata.labels.iter() {
            if let Some(column) = self.columns.get_mut(key) {
                column.domains.set(row, Domain::NONE);
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
            Some(column) => column.having().clone(),
        }
    }

    /// The nodes whose label `key` has `value`.
    pub fn with_value(&self, key: &str, value: &str) -> NodeSet {
        match self.column(key).and_then(|column| Some((column, column.find(value)?))) {
            None => NodeSet::empty(self.rows),
            Some((column, wanted)) => column.domains.with(|domain| domain == wanted),
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
        let Some(column) = self.column(&requirement.key) else {
            return match requirement.operator {
                NodeSelectorOperator::NotIn | NodeSelectorOperator::DoesNotExist => {
                    NodeSet::full(self.rows)
                }
                _ => NodeSet::empty(self.rows),
            };
        };
        let all_but = |nodes: &NodeSet| {
            let mut others = NodeSet::full(self.rows);
            others.subtract(nodes);
            others
        };
        match requirement.operator {
            NodeSelectorOperator::In => column.with_one_of(&requirement.values),
            NodeSelectorOperator::NotIn => all_but(&column.with_one_of(&requirement.values)),
            NodeSelectorOperator::Exists => column.having().clone(),
            NodeSelectorOperator::DoesNotExist => all_but(column.having()),
            NodeSelectorOperator::Gt => column.compared(requirement, |have, wanted| have > wanted),
            NodeSelectorOperator::Lt => column.compared(requirement, |have, wanted| have < wanted),
        }
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
