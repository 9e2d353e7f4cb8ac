//! A column of codes: for each row a number of a dictionary, and what follows from that for whole sets of rows.
//!
//! Whoever looks at many rows by their codes shares the column instead of copying it, and where there are few codes takes whole
//! sets of rows at once.

use std::sync::{Arc, OnceLock};

use crate::index_vec::{Domain, Idx, IndexVec, NodeIdx};
use crate::node_set::NodeSet;

/// Up to how many codes the rows of each are kept as a set: they then take up to twice as much room as the column.
const MAX_SETS: usize = 63;

/// A code for each row that has one; it ends with the last such row.
#[derive(Debug, Clone, Default)]
pub(super) struct CodeColumn {
    codes: Arc<IndexVec<NodeIdx, Domain>>,
    /// How many rows there are, those without a code included.
    rows: usize,
    /// Made when it is first asked for, forgotten when a row changes.
    groups: OnceLock<Arc<Groups>>,
}

impl PartialEq for CodeColumn {
    fn eq(&self, other: &Self) -> bool {
        self.codes == other.codes && self.rows == other.rows
    }
}

/// Which rows have which code.
#[derive(Debug)]
struct Groups {
    having: NodeSet,
    is_injective: bool,
    /// The rows of each code, if there are few codes.
    of_code: Option<IndexVec<Domain, NodeSet>>,
}

impl CodeColumn {
    /// A column of so many rows without a code.
    pub(super) fn new(rows: usize) -> Self {
        Self { rows, ..Self::default() }
    }

    /// The row's code, [`Domain::NONE`] if it has none.
    pub(super) fn get(&self, row: NodeIdx) -> Domain {
        self.codes.get(row).copied().unwrap_or(Domain::NONE)
    }

    /// Gives a row a code, or [`Domain::NONE`].
    pub(super) fn set(&mut self, row: NodeIdx, code: Domain) {
        self.groups.take();
        let codes = Arc::make_mut(&mut self.codes);
        while codes.len() <= row.index() {
            codes.push(Domain::NONE);
        }
        codes[row] = code;
        while codes.as_slice().last() == Some(&Domain::NONE) {
            codes.pop();
        }
    }

    /// Lets there be so many rows.
    pub(super) fn resize(&mut self, rows: usize) {
        if self.rows == rows {
            return;
        }
        self.groups.take();
        self.rows = rows;
        if self.codes.len() > rows {
            let codes = Arc::make_mut(&mut self.codes);
            codes.truncate(rows);
            while codes.as_slice().last() == Some(&Domain::NONE) {
                codes.pop();
            }
        }
    }

    /// The column as it is now, to keep.
    pub(super) fn share(&self) -> Codes {
        Codes { codes: Arc::clone(&self.codes), groups: Arc::clone(self.groups()) }
    }

    /// The rows that have a code.
    pub(super) fn having(&self) -> &NodeSet {
        &self.groups().having
    }

    /// Whether no two rows have the same code.
    pub(super) fn is_injective(&self) -> bool {
        self.groups().is_injective
    }

    /// The rows whose codes are wanted.
    pub(super) fn with(&self, wanted: impl Fn(Domain) -> bool) -> NodeSet {
        match &self.groups().of_code {
            Some(sets) => {
                let mut all = NodeSet::empty(self.rows);
                for (code, set) in sets.iter_enumerated() {
                    if wanted(code) {
                        all.union(set);
                    }
                }
                all
            }
            None => NodeSet::from_column(self.rows, self.codes.as_slice(), |code| {
                code != Domain::NONE && wanted(code)
            }),
        }
    }

    fn groups(&self) -> &Arc<Groups> {
        self.groups.get_or_init(|| Arc::new(Groups::new(self.codes.as_slice(), self.rows)))
    }
}

impl Groups {
    fn new(codes: &[Domain], rows: usize) -> Self {
        let used = codes.iter().filter(|code| **code != Domain::NONE);
        let count = used.map(|code| code.index() + 1).max().unwrap_or(0);
        let mut met: IndexVec<Domain, bool> = IndexVec::filled(false, count);
        let mut is_injective = true;
        let sets = if count <= MAX_SETS { count } else { 0 };
        let mut of_code: IndexVec<Domain, NodeSet> = IndexVec::filled(NodeSet::empty(rows), sets);
        for (row, &code) in codes.iter().enumerate().filter(|(_, code)| **code != Domain::NONE) {
            is_injective &= !std::mem::replace(&mut met[code], true);
            if let Some(set) = of_code.get_mut(code) {
                set.insert(NodeIdx::from_index(row));
            }
        }
        Self {
            having: NodeSet::from_column(rows, codes, |code| code != Domain::NONE),
            is_injective,
            of_code: (count <= MAX_SETS).then_some(of_code),
        }
    }
}

/// A column of codes as it was when it was shared.
#[derive(Debug, Clone)]
pub(crate) struct Codes {
    codes: Arc<IndexVec<NodeIdx, Domain>>,
    groups: Arc<Groups>,
}

impl Codes {
    /// The row's code, [`Domain::NONE`] if it has none.
    pub(crate) fn get(&self, row: NodeIdx) -> Domain {
        self.codes.get(row).copied().unwrap_or(Domain::NONE)
    }

    /// Whether no two rows have the same code.
    pub(crate) fn is_injective(&self) -> bool {
        self.groups.is_injective
    }

    /// The rows of each code, if there are few codes; codes beyond the last have none.
    pub(crate) fn sets(&self) -> Option<&IndexVec<Domain, NodeSet>> {
        self.groups.of_code.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_follows_from_the_codes_follows_their_changes(
            rows in 1..150_usize,
            changes in proptest::collection::vec((0..150_usize, proptest::option::of(0..80_usize)), 0..300),
            left in 0..150_usize,
        ) {
            let mut column = CodeColumn::new(rows);
            let mut codes = vec![Domain::NONE; rows];
            for (at, code) in changes {
                let code = code.map_or(Domain::NONE, Domain::from_index);
                if let Some(known) = codes.get_mut(at) {
                    *known = code;
                    column.set(NodeIdx::from_index(at), code);
                    // what is known now must be forgotten
                    prop_assert_eq!(column.having().contains(NodeIdx::from_index(at)), code != Domain::NONE);
                }
            }
            let shared = column.share();
            let before = codes.clone();
            codes.resize(left, Domain::NONE);
            column.resize(left);

            let with = |wanted: &dyn Fn(Domain) -> bool| NodeSet::from_fn(left, |row| {
                codes.get(row.index()).is_some_and(|&code| code != Domain::NONE && wanted(code))
            });
            prop_assert_eq!(column.having(), &with(&|_| true));
            prop_assert_eq!(column.with(|code| code.index() % 3 == 1), with(&|code| code.index() % 3 == 1));
            let mut used: Vec<Domain> = codes.iter().copied().filter(|code| *code != Domain::NONE).collect();
            used.sort_unstable();
            prop_assert_eq!(column.is_injective(), used.windows(2).all(|pair| pair[0] != pair[1]));
            if let Some(sets) = column.share().sets() {
                for (code, set) in sets.iter_enumerated() {
                    prop_assert_eq!(set, &with(&|other| other == code));
                }
            }
            // What was shared stays as it was.
            for (at, code) in before.into_iter().enumerate() {
                prop_assert_eq!(shared.get(NodeIdx::from_index(at)), code);
            }
        }
    }
}
