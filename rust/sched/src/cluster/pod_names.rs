//! `PodNames`: pods by namespace and name, which stand in their rows only.

use std::hash::BuildHasher;

use bayplan_api::Str;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;

use super::PodRow;
use crate::index_vec::{IndexVec, PodIdx};

type Rows = IndexVec<PodIdx, PodRow>;

/// Which pod has a name. The order of the table reaches nobody.
#[derive(Debug, Clone, Default)]
pub(super) struct PodNames {
    pods: HashTable<PodIdx>,
}

fn hash(namespace: &str, name: &str) -> u64 {
    FxBuildHasher.hash_one((namespace, name))
}

fn hash_of(rows: &Rows, pod: PodIdx) -> u64 {
    let row = &rows[pod];
    hash(&row.namespace, &row.name)
}

impl PodNames {
    /// The pod of that name.
    pub(super) fn get(&self, rows: &Rows, namespace: &str, name: &str) -> Option<PodIdx> {
        let is_meant = |&pod: &PodIdx| rows[pod].is_named(namespace, name);
        self.pods.find(hash(namespace, name), is_meant).copied()
    }

    /// Lets the pod have the name that is in its row; gives back the pod that had it.
    pub(super) fn insert(&mut self, rows: &Rows, pod: PodIdx) -> Option<PodIdx> {
        let PodRow { namespace, name, .. } = &rows[pod];
        let is_meant = |&other: &PodIdx| rows[other].is_named(namespace, name);
        match self.pods.entry(hash(namespace, name), is_meant, |&other| hash_of(rows, other)) {
            Entry::Occupied(mut entry) => Some(std::mem::replace(entry.get_mut(), pod)),
            Entry::Vacant(entry) => {
                entry.insert(pod);
                None
            }
        }
    }

    /// Lets nobody have that name; gives back the pod that had it.
    pub(super) fn remove(&mut self, rows: &Rows, (namespace, name): &(Str, Str)) -> Option<PodIdx> {
        let is_meant = |&pod: &PodIdx| rows[pod].is_named(namespace, name);
        let entry = self.pods.find_entry(hash(namespace, name), is_meant).ok()?;
        Some(entry.remove().0)
    }

    /// How many names there are.
    pub(super) fn len(&self) -> usize {
        self.pods.len()
    }

    /// Makes room for so many names more.
    pub(super) fn reserve(&mut self, rows: &Rows, count: usize) {
        self.pods.reserve(count, |&pod| hash_of(rows, pod));
    }

    /// Whether the names of `rows` mean the same pods as the other ones' names.
    pub(super) fn equal(&self, rows: &Rows, other: &Self) -> bool {
        self.len() == other.len()
            && self.pods.iter().all(|&pod| {
                let PodRow { namespace, name, .. } = &rows[pod];
                other.get(rows, namespace, name) == Some(pod)
            })
    }
}
