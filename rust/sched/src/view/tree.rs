//! `Tree`: the greatest of many keys, kept while they change.
//!
//! A tournament with many players a match: each level holds the greatest of every [`WIDTH`] keys of the level below, which lie
//! side by side. Changing a key costs a few cache lines, and often only the first match.

/// How many keys one match compares.
const WIDTH: usize = 16;

/// Keys in slots; 0 is no key.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    /// The slots, then the winners of each level; the last level has one key.
    levels: Vec<Vec<u64>>,
}

impl Tree {
    /// The greatest key; 0 if there is none.
    pub(super) fn top(&self) -> u64 {
        self.levels.last().and_then(|level| level.first()).copied().unwrap_or(0)
    }

    /// How many slots there are.
    pub(super) fn len(&self) -> usize {
        self.levels.first().map_or(0, Vec::len)
    }

    /// How many bytes the levels take.
    pub(super) fn bytes(&self) -> usize {
        self.levels.iter().map(|level| level.capacity() * size_of::<u64>()).sum()
    }

    /// Adds a slot without telling the levels above; [`Tree::settle`] does.
    pub(super) fn push(&mut self, key: u64) -> usize {
        if self.levels.is_empty() {
            self.levels.push(Vec::new());
        }
        let slot = self.len();
        if let Some(keys) = self.levels.first_mut() {
            keys.push(key);
        }
        slot
    }

    /// Adds a slot without a key to a tree that is settled.
    pub(super) fn grow(&mut self) -> usize {
        let slot = self.push(0);
        let mut below = self.len();
        let mut levels = self.levels.iter_mut().skip(1);
        while below > 1 {
            below = below.div_ceil(WIDTH);
            let Some(level) = levels.next() else {
                // what stood alone on top becomes the first of two
                let top = self.top();
                self.levels.push(vec![top]);
                break;
            };
            level.resize(below, 0);
        }
        slot
    }

    /// Holds all matches.
    pub(super) fn settle(&mut self) {
        self.levels.truncate(1);
        while let Some(below) = self.levels.last().filter(|level| level.len() > 1) {
            let level = below.chunks(WIDTH).map(greatest).collect();
            self.levels.push(level);
        }
    }

    /// Puts a key into a slot.
    pub(super) fn set(&mut self, slot: usize, key: u64) {
        let Some(keys) = self.levels.first_mut() else { return };
        let Some(place) = keys.get_mut(slot) else { return };
        let (mut slot, mut before, mut after) = (slot, std::mem::replace(place, key), key);
        let mut levels = self.levels.as_mut_slice();
        while let [below, above @ ..] = levels {
            let Some(winner) = above.first_mut().and_then(|level| level.get_mut(slot / WIDTH))
            else {
                return;
            };
            let won = *winner;
            if after >= won {
                *winner = after;
            } else if before == won {
                let from = slot / WIDTH * WIDTH;
                let to = below.len().min(from + WIDTH);
                *winner = below.get(from..to).map_or(0, greatest);
            }
            if *winner == won {
                return;
            }
            (slot, before, after) = (slot / WIDTH, won, *winner);
            levels = above;
        }
    }
}

fn greatest(keys: &[u64]) -> u64 {
    keys.iter().fold(0, |greatest, &key| greatest.max(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_top_is_the_greatest_key(
            first in proptest::collection::vec(0_u64..50, 0..20),
            far in proptest::collection::vec(0_u64..50, 0..600),
            changes in proptest::collection::vec((0_usize..40, 0_u64..60), 0..200),
        ) {
            let first = if first.len() == 19 { far } else { first };
            let mut tree = Tree::default();
            for &key in &first {
                tree.push(key);
            }
            tree.settle();
            let mut keys = first;
            prop_assert_eq!(tree.top(), keys.iter().copied().max().unwrap_or(0));
            for (slot, key) in changes {
                if slot == keys.len() {
                    prop_assert_eq!(tree.grow(), slot);
                    keys.push(0);
                }
                tree.set(slot, key);
                if let Some(place) = keys.get_mut(slot) {
                    *place = key;
                }
                prop_assert_eq!(tree.top(), keys.iter().copied().max().unwrap_or(0));
            }
        }
    }
}
