//! `sort.Slice` of Go: it is not stable, and where elements are equal its order is part of the answer.
//!
//! The same algorithm as Go has used since 1.19: pattern-defeating quicksort (Orson Peters,
//! arXiv 2106.05123) with insertion sort for 12 elements and fewer, and no source of chance but the length.

/// Up to so many elements are sorted by insertion, which is stable.
const MAX_INSERTION: usize = 12;
/// From so many elements on the pivot is a median of medians.
const SHORTEST_NINTHER: usize = 50;
/// Shorter slices are not shifted in the hope that they are nearly sorted.
const SHORTEST_SHIFTING: usize = 50;
/// How many pairs that are out of order such a shift mends before it gives up.
const MAX_STEPS: usize = 5;
/// The number of exchanges that a median of medians makes on a descending slice.
const MAX_SWAPS: usize = 12;

/// Sorts as `sort.Slice(data, less)` does.
pub(super) fn sort_slice<T>(data: &mut [T], less: impl Fn(&T, &T) -> bool) {
    let length = data.len();
    let limit = usize::BITS - length.leading_zeros();
    Sorter { data, less }.quicksort(0, length, limit);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hint {
    Unknown,
    Increasing,
    Decreasing,
}

struct Sorter<'d, T, F> {
    data: &'d mut [T],
    less: F,
}

impl<T, F: Fn(&T, &T) -> bool> Sorter<'_, T, F> {
    fn less(&self, a: usize, b: usize) -> bool {
        match (self.data.get(a), self.data.get(b)) {
            (Some(a), Some(b)) => (self.less)(a, b),
            _ => false,
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.data.swap(a, b);
    }

    /// Sorts `from..to`; after `limit` unbalanced partitions by a heap.
    fn quicksort(&mut self, mut from: usize, mut to: usize, mut limit: u32) {
        let mut was_balanced = true;
        let mut was_partitioned = true;
        loop {
            let length = to - from;
            if length <= MAX_INSERTION {
                return self.insertion_sort(from, to);
            }
            if limit == 0 {
                return self.heap_sort(from, to);
            }
            if !was_balanced {
                self.break_patterns(from, to);
                limit -= 1;
            }
            let (mut pivot, mut hint) = self.choose_pivot(from, to);
            if hint == Hint::Decreasing {
                if let Some(range) = self.data.get_mut(from..to) {
                    range.reverse();
                }
                pivot = (to - 1) - (pivot - from);
                hint = Hint::Increasing;
            }
            let looks_sorted = was_balanced && was_partitioned && hint == Hint::Increasing;
            if looks_sorted && self.partial_insertion_sort(from, to) {
                return;
            }
            // The element before the range is no greater than any in it. If the pivot equals it, the
            // range begins with the elements that are equal too.
            if from > 0 && !self.less(from - 1, pivot) {
                from = self.partition_equal(from, to, pivot);
                continue;
            }
            let middle;
            (middle, was_partitioned) = self.partition(from, to, pivot);
            let (left, right) = (middle - from, to - middle);
            was_balanced = left.min(right) >= length / 8;
            if left < right {
                self.quicksort(from, middle, limit);
                from = middle + 1;
            } else {
                self.quicksort(middle + 1, to, limit);
                to = middle;
            }
        }
    }

    fn insertion_sort(&mut self, from: usize, to: usize) {
        for next in from + 1..to {
            let mut at = next;
            while at > from && self.less(at, at - 1) {
                self.swap(at, at - 1);
                at -= 1;
            }
        }
    }

    fn heap_sort(&mut self, from: usize, to: usize) {
        let length = to - from;
        for root in (0..=(length - 1) / 2).rev() {
            self.sift_down(root, length, from);
        }
        for end in (0..length).rev() {
            self.swap(from, from + end);
            self.sift_down(0, end, from);
        }
    }

    fn sift_down(&mut self, mut root: usize, end: usize, first: usize) {
        loop {
            let mut child = 2 * root + 1;
            if child >= end {
                return;
            }
            if child + 1 < end && self.less(first + child, first + child + 1) {
                child += 1;
            }
            if !self.less(first + root, first + child) {
                return;
            }
            self.swap(first + root, first + child);
            root = child;
        }
    }

    /// Elements less than the pivot go before it, all others after; where it ends up, and whether they
    /// were so already.
    fn partition(&mut self, from: usize, to: usize, pivot: usize) -> (usize, bool) {
        self.swap(from, pivot);
        let (mut left, mut right) = (from + 1, to - 1);
        let mut untouched = true;
        loop {
            while left <= right && self.less(left, from) {
                left += 1;
            }
            while left <= right && !self.less(right, from) {
                right -= 1;
            }
            if left > right {
                break;
            }
            self.swap(left, right);
            untouched = false;
            left += 1;
            right -= 1;
        }
        self.swap(right, from);
        (right, untouched)
    }

    /// Elements equal to the pivot go before those that are greater; where the greater ones begin.
    fn partition_equal(&mut self, from: usize, to: usize, pivot: usize) -> usize {
        self.swap(from, pivot);
        let (mut left, mut right) = (from + 1, to - 1);
        loop {
            while left <= right && !self.less(from, left) {
                left += 1;
            }
            while left <= right && self.less(from, right) {
                right -= 1;
            }
            if left > right {
                return left;
            }
            self.swap(left, right);
            left += 1;
            right -= 1;
        }
    }

    /// Mends a few pairs that are out of order; whether the range is sorted then.
    fn partial_insertion_sort(&mut self, from: usize, to: usize) -> bool {
        let mut at = from + 1;
        for _ in 0..MAX_STEPS {
            while at < to && !self.less(at, at - 1) {
                at += 1;
            }
            if at == to {
                return true;
            }
            if to - from < SHORTEST_SHIFTING {
                return false;
            }
            self.swap(at, at - 1);
            if at - from >= 2 {
                let mut left = at - 1;
                while left >= 1 && self.less(left, left - 1) {
                    self.swap(left, left - 1);
                    left -= 1;
                }
            }
            if to - at >= 2 {
                let mut right = at + 1;
                while right < to && self.less(right, right - 1) {
                    self.swap(right, right - 1);
                    right += 1;
                }
            }
        }
        false
    }

    /// Exchanges three elements around the middle with others, picked by a generator (xorshift) that
    /// starts at the length.
    fn break_patterns(&mut self, from: usize, to: usize) {
        let length = to - from;
        let Ok(mut random) = u64::try_from(length) else { return };
        let mask = (1_u64 << (u64::BITS - random.leading_zeros())) - 1;
        let middle = from + length / 4 * 2;
        for at in middle - 1..=middle + 1 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let mut other = usize::try_from(random & mask).unwrap_or_default();
            if other >= length {
                other -= length;
            }
            self.swap(at, from + other);
        }
    }

    fn choose_pivot(&self, from: usize, to: usize) -> (usize, Hint) {
        let quarter = (to - from) / 4;
        let mut at = [from + quarter, from + quarter * 2, from + quarter * 3];
        let mut swaps = 0;
        if to - from >= SHORTEST_NINTHER {
            at = at.map(|at| self.median([at - 1, at, at + 1], &mut swaps));
        }
        let pivot = self.median(at, &mut swaps);
        let hint = match swaps {
            0 => Hint::Increasing,
            MAX_SWAPS => Hint::Decreasing,
            _ => Hint::Unknown,
        };
        (pivot, hint)
    }

    /// Which of three positions holds the median, and how many exchanges would sort them.
    fn median(&self, [a, b, c]: [usize; 3], swaps: &mut usize) -> usize {
        let mut order = |a: usize, b: usize| {
            if self.less(b, a) {
                *swaps += 1;
                (b, a)
            } else {
                (a, b)
            }
        };
        let (a, b) = order(a, b);
        let (b, _) = order(b, c);
        let (_, b) = order(a, b);
        b
    }
}

#[cfg(test)]
mod tests {
    use super::sort_slice;

    /// FNV-1a over the positions that the elements had before.
    fn fingerprint(data: &[(u64, u64)]) -> u64 {
        let step = |hash: u64, (_, id): &(u64, u64)| (hash ^ id).wrapping_mul(1_099_511_628_211);
        data.iter().fold(14_695_981_039_346_656_037, step)
    }

    /// The fingerprints come from `sort.Slice` of Go 1.26, over the same elements.
    #[test]
    fn sorts_random_elements_into_the_order_of_go() {
        let cases = [
            (12, 3, 1, 0x079d_7a89_0a44_9893),
            (13, 3, 2, 0xac34_77a4_5ae4_d6f3),
            (20, 1, 3, 0xcc92_7f6e_e23a_0f61),
            (40, 5, 4, 0x0f2d_c763_6277_0509),
            (50, 7, 5, 0xdb40_ebf5_137a_a536),
            (60, 2, 6, 0x5bde_dbf1_8a29_0c8d),
            (100, 10, 7, 0x0937_11d4_ff8d_354d),
            (200, 3, 8, 0x6aac_c8b1_cedb_8c6d),
            (333, 50, 9, 0xa2e0_2156_b10d_8165),
            (1000, 4, 10, 0x23e9_5f9e_c0c0_6f17),
            (1000, 1000, 11, 0x116b_17b4_bf3d_60cd),
            (77, 1000, 12, 0x33a4_5668_787b_f955),
        ];
        for (length, keys, seed, expected) in cases {
            let mut state: u64 = seed;
            let mut data: Vec<(u64, u64)> = (0..length)
                .map(|id| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    ((state >> 33) % keys, id)
                })
                .collect();
            sort_slice(&mut data, |a, b| a.0 < b.0);
            assert_eq!(fingerprint(&data), expected, "{length} elements, {keys} keys");
        }
    }

    #[test]
    fn sorts_patterns_into_the_order_of_go() {
        let ascending = |at: u64, _: u64| at / 3;
        let descending = |at: u64, length: u64| (length - at) / 3;
        let peak = |at: u64, length: u64| if at < length / 2 { at } else { length - at };
        let saw = |at: u64, _: u64| at * 7 % 16;
        let cases = [
            (100, ascending as fn(u64, u64) -> u64, 0xfb5c_8cec_60d8_3ab1),
            (100, descending, 0xf982_ab22_ba26_9df5),
            (100, peak, 0x5487_5710_dbaf_e03f),
            (300, peak, 0xf317_782c_80b3_48d3),
            (300, saw, 0xb8dd_28e1_09b7_043f),
            (64, saw, 0xabed_d656_bdba_35c5),
        ];
        for (length, key, expected) in cases {
            let mut data: Vec<(u64, u64)> = (0..length).map(|id| (key(id, length), id)).collect();
            sort_slice(&mut data, |a, b| a.0 < b.0);
            assert_eq!(fingerprint(&data), expected, "{length} elements");
        }
    }
}
