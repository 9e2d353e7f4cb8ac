//! `Table`: the objects of one kind in the order in which they came.

use bayplan_api::{ObjectKey, ObjectMeta, Str};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::index_vec::{Idx, IndexVec};

/// A row of a [`Table`]: it has a name, and a namespace if its kind has.
pub(crate) trait Named {
    /// `metadata`.
    fn metadata(&self) -> &ObjectMeta;
}

macro_rules! named {
    ($($kind:ident),*) => {
        $(impl Named for bayplan_api::$kind {
            fn metadata(&self) -> &ObjectMeta {
                &self.metadata
            }
        })*
    };
}

named!(
    Namespace,
    Service,
    ReplicationController,
    ReplicaSet,
    StatefulSet,
    PodDisruptionBudget,
    PriorityClass,
    CsiDriver,
    PersistentVolume,
    PersistentVolumeClaim,
    VolumeAttachment
);

/// Namespace, empty for objects of the whole cluster, and name.
pub(crate) type Name = (Str, Str);

/// Objects of one kind. A row that was taken out stays empty, so that the others keep their numbers.
#[derive(Debug, Clone)]
pub(crate) struct Table<I, V> {
    rows: IndexVec<I, Option<V>>,
    names: IndexMap<Name, I, FxBuildHasher>,
}

/// What undoes a change of a [`Table`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TableUndo<I, V> {
    /// Takes the last row off.
    Pop,
    /// Puts back what stood in a row.
    Put(I, V),
}

impl<I: Idx, V: Named> TableUndo<I, V> {
    /// The row that changed in `table`.
    pub(crate) fn row(&self, table: &Table<I, V>) -> I {
        match self {
            Self::Pop => I::from_index(table.row_count().saturating_sub(1)),
            Self::Put(row, _) => *row,
        }
    }
}

impl<I, V> Default for Table<I, V> {
    fn default() -> Self {
        Self { rows: IndexVec::default(), names: IndexMap::default() }
    }
}

impl<I: Idx, V: PartialEq> PartialEq for Table<I, V> {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows && self.names == other.names
    }
}

impl<I: Idx, V: Named> Table<I, V> {
    /// The row of that name.
    pub(crate) fn find(&self, namespace: &Str, name: &Str) -> Option<I> {
        self.names.get(&(namespace.clone(), name.clone())).copied()
    }

    /// The row of the object of the same name.
    pub(crate) fn find_like(&self, value: &V) -> Option<I> {
        self.names.get(&name_of(value)).copied()
    }

    /// The row of the object that is meant: by name, by uid, or by both.
    pub(crate) fn find_key(&self, key: &ObjectKey) -> Option<I> {
        if key.name.is_empty() {
            return self.find_uid(&key.uid);
        }
        let row = self.find(&key.namespace, &key.name)?;
        let uid = &self.get(row)?.metadata().uid;
        (key.uid.is_empty() || uid.is_empty() || key.uid == *uid).then_some(row)
    }

    /// The row of that uid, which is looked for from the first row on.
    pub(crate) fn find_uid(&self, uid: &Str) -> Option<I> {
        let mut rows = self.iter();
        rows.find(|(_, row)| row.metadata().uid == *uid).map(|(row, _)| row)
    }

    /// The object in a row, if there is one.
    pub(crate) fn get(&self, row: I) -> Option<&V> {
        self.rows.get(row).and_then(Option::as_ref)
    }

    /// `metadata` of the object in a row.
    pub(crate) fn metadata(&self, row: I) -> Option<&ObjectMeta> {
        self.get(row).map(Named::metadata)
    }

    /// The object in a row, to change something other than its name.
    pub(crate) fn get_mut(&mut self, row: I) -> Option<&mut V> {
        self.rows.as_mut_slice().get_mut(row.index()).and_then(Option::as_mut)
    }

    /// The object of that name.
    pub(crate) fn named(&self, namespace: &Str, name: &Str) -> Option<&V> {
        self.get(self.find(namespace, name)?)
    }

    /// The objects in their order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.rows.iter().flatten()
    }

    /// The objects in their order, with their rows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (I, &V)> {
        self.rows.iter_enumerated().filter_map(|(row, value)| Some((row, value.as_ref()?)))
    }

    /// How many rows there are, empty ones included.
    pub(crate) fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// Puts an object where the one of its name stood, or behind the others; gives back its row and what undoes it.
    pub(crate) fn put(&mut self, value: V) -> (I, TableUndo<I, V>) {
        let known = self.find_like(&value);
        if let Some((row, slot)) = known.and_then(|row| Some((row, self.get_mut(row)?))) {
            return (row, TableUndo::Put(row, std::mem::replace(slot, value)));
        }
        let row = self.rows.push(None);
        self.fill(row, value);
        (row, TableUndo::Pop)
    }

    /// Takes an object out; gives back what undoes it, if there was one.
    pub(crate) fn remove(&mut self, row: I) -> Option<TableUndo<I, V>> {
        let value = self.rows.as_mut_slice().get_mut(row.index())?.take()?;
        self.names.swap_remove(&name_of(&value));
        Some(TableUndo::Put(row, value))
    }

    /// Undoes the last change; gives back the name of an object that is there no more.
    pub(crate) fn undo(&mut self, undo: TableUndo<I, V>) -> Option<Name> {
        match undo {
            TableUndo::Pop => {
                let name = name_of(&self.rows.pop().flatten()?);
                self.names.swap_remove(&name);
                Some(name)
            }
            TableUndo::Put(row, value) => {
                self.fill(row, value);
                None
            }
        }
    }

    fn fill(&mut self, row: I, value: V) {
        self.names.insert(name_of(&value), row);
        self.rows[row] = Some(value);
    }
}

/// Namespace and name.
pub(crate) fn name_of(value: &impl Named) -> Name {
    let metadata = value.metadata();
    (metadata.namespace.clone(), metadata.name.clone())
}
