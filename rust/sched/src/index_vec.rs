//! `IndexVec`: a vector whose rows are named by a type of their own.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// A row number of some table.
pub trait Idx: Copy + Eq + Ord {
    /// The row number as a position.
    fn index(self) -> usize;
    /// The row at a position.
    ///
    /// Tables hold fewer than 2³² − 1 rows; a position beyond that becomes the last number, which no table has.
    fn from_index(index: usize) -> Self;
}

macro_rules! index_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u32);

        impl $crate::index_vec::Idx for $name {
            fn index(self) -> usize {
                self.0 as usize
            }

            fn from_index(index: usize) -> Self {
                Self(u32::try_from(index).unwrap_or(u32::MAX))
            }
        }
    };
}

index_type! {
    /// A node's row: its place in node order, which breaks ties.
    NodeIdx
}
index_type! {
    /// A pod's row.
    PodIdx
}
index_type! {
    /// A pod template: what all pods with equal scheduling-relevant fields share.
    TemplateId
}
index_type! {
    /// A resource's row: 0 cpu, 1 memory, 2 ephemeral-storage, then scalar resources in the order they were met.
    ResourceId
}
index_type! {
    /// A value of one label key: the topology domain, dense from 0 within the key.
    Domain
}

index_type! {
    /// A persistent volume claim's row.
    ClaimIdx
}
index_type! {
    /// A persistent volume's row.
    VolumeIdx
}
index_type! {
    /// A set of nodes that a volume, a storage class or a capacity names by their labels.
    SelectionId
}
index_type! {
    /// The row of an object of some other kind.
    ObjectIdx
}
index_type! {
    /// A node name that pods give and no node has.
    AbsentId
}
index_type! {
    /// A CSI driver, by name.
    DriverId
}
index_type! {
    /// A volume as CSI knows it: a driver and a handle.
    AttachableId
}

impl ResourceId {
    /// The first scalar resource: those before it every node has.
    pub const SCALAR: Self = Self(3);
}

impl Domain {
    /// No domain: the node lacks the label.
    pub const NONE: Self = Self(u32::MAX);
}

/// A vector indexed by `I` instead of `usize`.
///
/// Indexing panics when the row does not exist, as for any vector; rows come only from the table itself.
pub struct IndexVec<I, T> {
    rows: Vec<T>,
    index: PhantomData<fn(I)>,
}

impl<I: Idx, T> IndexVec<I, T> {
    /// An empty table.
    pub const fn new() -> Self {
        Self { rows: Vec::new(), index: PhantomData }
    }

    /// A table of `len` equal rows.
    pub fn filled(value: T, len: usize) -> Self
    where
        T: Clone,
    {
        Self { rows: vec![value; len], index: PhantomData }
    }

    /// Makes room for so many rows more, and no other.
    pub(crate) fn reserve_exact(&mut self, count: usize) {
        self.rows.reserve_exact(count);
    }

    /// Adds a row and returns its number.
    pub fn push(&mut self, value: T) -> I {
        self.rows.push(value);
        I::from_index(self.rows.len() - 1)
    }

    /// How many rows there are.
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row, if there is one.
    pub fn get(&self, index: I) -> Option<&T> {
        self.rows.get(index.index())
    }

    /// Takes the last row off.
    pub fn pop(&mut self) -> Option<T> {
        self.rows.pop()
    }

    /// Keeps the first `len` rows.
    pub fn truncate(&mut self, len: usize) {
        self.rows.truncate(len);
    }

    /// Takes rows off at the end or adds equal ones, until there are `len`.
    pub fn resize(&mut self, len: usize, value: T)
    where
        T: Clone,
    {
        self.rows.resize(len, value);
    }

    /// The row, if there is one, to change it.
    pub fn get_mut(&mut self, index: I) -> Option<&mut T> {
        self.rows.get_mut(index.index())
    }

    /// All rows in order.
    pub fn as_slice(&self) -> &[T] {
        &self.rows
    }

    /// All rows in order, to change.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.rows
    }

    /// The rows in order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.rows.iter()
    }

    /// The rows with their numbers.
    pub fn iter_enumerated(&self) -> impl ExactSizeIterator<Item = (I, &T)> {
        self.rows.iter().enumerate().map(|(index, row)| (I::from_index(index), row))
    }

    /// The row numbers.
    pub fn indices(&self) -> impl ExactSizeIterator<Item = I> + use<I, T> {
        (0..self.rows.len()).map(I::from_index)
    }
}

impl<I: Idx, T> Index<I> for IndexVec<I, T> {
    type Output = T;

    fn index(&self, index: I) -> &T {
        &self.rows[index.index()]
    }
}

impl<I: Idx, T> IndexMut<I> for IndexVec<I, T> {
    fn index_mut(&mut self, index: I) -> &mut T {
        &mut self.rows[index.index()]
    }
}

impl<'a, I: Idx, T> IntoIterator for &'a IndexVec<I, T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<I, T> Default for IndexVec<I, T> {
    fn default() -> Self {
        Self { rows: Vec::new(), index: PhantomData }
    }
}

impl<I, T: Clone> Clone for IndexVec<I, T> {
    fn clone(&self) -> Self {
        Self { rows: self.rows.clone(), index: PhantomData }
    }
}

impl<I, T: PartialEq> PartialEq for IndexVec<I, T> {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}

impl<I, T: fmt::Debug> fmt::Debug for IndexVec<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows.fmt(f)
    }
}

impl<I: Idx, T> FromIterator<T> for IndexVec<I, T> {
    fn from_iter<It: IntoIterator<Item = T>>(rows: It) -> Self {
        Self { rows: rows.into_iter().collect(), index: PhantomData }
    }
}
