//! `PodSet`: a set of pods, one bit a row.

use crate::index_vec::{Idx, PodIdx};

/// A set of pods.
#[derive(Debug, Clone, Default)]
pub(super) struct PodSet {
    words: Vec<u64>,
}

impl PodSet {
    /// Puts the pod in or takes it out.
    pub(super) fn set(&mut self, pod: PodIdx, member: bool) {
        let at = pod.index() / 64;
        if self.words.len() <= at {
            if !member {
                return;
            }
            self.words.resize(at + 1, 0);
        }
        if let Some(word) = self.words.get_mut(at) {
            let bit = 1 << (pod.index() % 64);
            *word = if member { *word | bit } else { *word & !bit };
        }
    }

    /// The pods that are in, in the order of their rows.
    pub(super) fn iter(&self) -> impl Iterator<Item = PodIdx> {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            let bits = std::iter::successors(Some(word), |left| Some(left & left.wrapping_sub(1)));
            let bits = bits.take_while(|&left| left != 0);
            bits.map(move |left| PodIdx::from_index(at * 64 + left.trailing_zeros() as usize))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_order() {
        let mut set = PodSet::default();
        for pod in [130, 3, 64, 63, 3] {
            set.set(PodIdx::from_index(pod), true);
        }
        set.set(PodIdx::from_index(64), false);
        set.set(PodIdx::from_index(1000), false);
        let members: Vec<usize> = set.iter().map(Idx::index).collect();
        assert_eq!(members, [3, 63, 130]);
    }
}
