//! `Map`: a small sorted map keyed by string, as labels, annotations and resource lists are.

use crate::Str;

/// A map from string to `V`, kept as a vector sorted by key: compact, ordered, hashable.
///
/// Kubernetes maps (labels, annotations, resource lists, node selectors) hold a handful of
/// entries, so a binary search in one allocation beats a tree and keeps equality and hashing
/// independent of the order in which the entries were written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Map<V>(Vec<(Str, V)>);

/// Labels, annotations, node selectors and `matchLabels`.
pub type Labels = Map<Str>;

impl<V> Default for Map<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> Map<V> {
    /// An empty map.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&V> {
        let at = self.0.binary_search_by(|(k, _)| k.as_ref().cmp(key)).ok()?;
        self.0.get(at).map(|(_, v)| v)
    }

    /// Whether `key` is present.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Puts `value` under `key` and returns what stood there before.
    pub fn insert(&mut self, key: Str, value: V) -> Option<V> {
        match self.0.binary_search_by(|(k, _)| k.as_ref().cmp(key.as_ref())) {
            Ok(at) => self.0.get_mut(at).map(|(_, v)| std::mem::replace(v, value)),
            Err(at) => {
                self.0.insert(at, (key, value));
                None
            }
        }
    }

    /// Takes `key` out and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<V> {
        let at = self.0.binary_search_by(|(k, _)| k.as_ref().cmp(key)).ok()?;
        Some(self.0.remove(at).1)
    }

    /// The entries in ascending order of key.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Str, &V)> + ExactSizeIterator {
        self.0.iter().map(|(k, v)| (k, v))
    }

    /// The value under `key`, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        let at = self.0.binary_search_by(|(k, _)| k.as_ref().cmp(key)).ok()?;
        self.0.get_mut(at).map(|(_, v)| v)
    }

    /// The values in ascending order of key, to change them.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, v)| v)
    }

    /// How many entries there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no entries.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<V> From<Vec<(Str, V)>> for Map<V> {
    /// Of entries with the same key the last one stays, as in a JSON object.
    fn from(entries: Vec<(Str, V)>) -> Self {
        if entries.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Self(entries);
        }
        entries.into_iter().collect()
    }
}

impl<V> FromIterator<(Str, V)> for Map<V> {
    /// Of entries with the same key the last one stays, as in a JSON object.
    fn from_iter<I: IntoIterator<Item = (Str, V)>>(entries: I) -> Self {
        let mut entries: Vec<(Str, V)> = entries.into_iter().collect();
        entries.reverse();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries.dedup_by(|(a, _), (b, _)| a == b);
        Self(entries)
    }
}
