//! Go's `sort.Slice` and `sort.Sort`, which leave equal elements in an order of their own.
//!
//! kube-scheduler sorts victims and claims so; where several are equal, the order is a fact that decisions depend on. Up to
//! twelve elements it is that in which they came. Follows `pdqsort_func` of Go 1.19 and later, a pattern-defeating
//! quicksort (<https://arxiv.org/abs/2106.05123>): the same comparisons and the same swaps, not only the same result.

/// Sorts so that no element is `less` than the one before it.
pub(crate) fn sort_slice<T>(data: &mut [T], less: impl FnMut(&T, &T) -> bool) {
    let end = data.len();
    let bad_pivots = usize::BITS - end.leading_zeros();
    Sorter { data, less }.sort(0, end, bad_pivots);
}

/// Up to how many elements are sorted by insertion.
const MAX_INSERTION: usize = 12;
/// From how many elements on the pivot is a median of medians, and elements out of place are shifted.
const LONG: usize = 50;

struct Sorter<'data, T, F> {
    data: &'data mut [T],
    less: F,
}

/// What the choice of a pivot tells of a range.
#[derive(PartialEq, Eq)]
enum Hint {
    Unknown,
    Increasing,
    Decreasing,
}

impl<T, F: FnMut(&T, &T) -> bool> Sorter<'_, T, F> {
    fn less(&mut self, a: usize, b: usize) -> bool {
        let pair = self.data.get(a).zip(self.data.get(b));
        pair.is_some_and(|(a, b)| (self.less)(a, b))
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.data.swap(a, b);
    }

    /// Sorts the range; after `bad_pivots` unbalanced partitions it is heapsort's.
    fn sort(&mut self, mut start: usize, mut end: usize, mut bad_pivots: u32) {
        let (mut balanced, mut partitioned) = (true, true);
        loop {
            let len = end - start;
            if len <= MAX_INSERTION {
                return self.insertion_sort(start, end);
            }
            if bad_pivots == 0 {
                return self.heap_sort(start, end);
            }
            if !balanced {
                self.break_patterns(start, end);
                bad_pivots -= 1;
            }
            let (mut pivot, mut hint) = self.choose_pivot(start, end);
            if hint == Hint::Decreasing {
                if let Some(range) = self.data.get_mut(start..end) {
                    range.reverse();
                }
                pivot = end - 1 - (pivot - start);
                hint = Hint::Increasing;
            }
            let looks_sorted = balanced && partitioned && hint == Hint::Increasing;
            if looks_sorted && self.partial_insertion_sort(start, end) {
                return;
            }
            // What stands before the range is not greater than anything in it: here the pivot equals it.
            if start > 0 && !self.less(start - 1, pivot) {
                start = self.partition_equal(start, end, pivot);
                continue;
            }
            let middle;
            (middle, partitioned) = self.partition(start, end, pivot);
            let (left, right) = (middle - start, end - middle);
            balanced = left.min(right) >= len / 8;
            if left < right {
                self.sort(start, middle, bad_pivots);
                start = middle + 1;
            } else {
                self.sort(middle + 1, end, bad_pivots);
                end = middle;
            }
        }
    }

    fn insertion_sort(&mut self, start: usize, end: usize) {
        for next in start + 1..end {
            let mut at = next;
            while at > start && self.less(at, at - 1) {
                self.swap(at, at - 1);
                at -= 1;
            }
        }
    }

    fn heap_sort(&mut self, start: usize, end: usize) {
        let len = end - start;
        for root in (0..=(len - 1) / 2).rev() {
            self.sift_down(root, len, start);
        }
        for last in (0..len).rev() {
            self.swap(start, start + last);
            self.sift_down(0, last, start);
        }
    }

    fn sift_down(&mut self, mut root: usize, len: usize, start: usize) {
        loop {
            let mut child = 2 * root + 1;
            if child >= len {
                return;
            }
            if child + 1 < len && self.less(start + child, start + child + 1) {
                child += 1;
            }
            if !self.less(start + root, start + child) {
                return;
            }
            self.swap(start + root, start + child);
            root = child;
        }
    }

    /// Moves what is less than the pivot before it; tells where the pivot is then, and whether all was in place.
    fn partition(&mut self, start: usize, end: usize, pivot: usize) -> (usize, bool) {
        self.swap(start, pivot);
        let (mut low, mut high) = (start + 1, end - 1);
        let mut in_place = true;
        loop {
            while low <= high && self.less(low, start) {
                low += 1;
            }
            while low <= high && !self.less(high, start) {
                high -= 1;
            }
            if low > high {
                break;
            }
            in_place = false;
            self.swap(low, high);
            low += 1;
            high -= 1;
        }
        self.swap(high, start);
        (high, in_place)
    }

    /// Moves what equals the pivot to the front of the range, in which nothing is less; tells where the rest begins.
    fn partition_equal(&mut self, start: usize, end: usize, pivot: usize) -> usize {
        self.swap(start, pivot);
        let (mut low, mut high) = (start + 1, end - 1);
        loop {
            while low <= high && !self.less(start, low) {
                low += 1;
            }
            while low <= high && self.less(start, high) {
                high -= 1;
            }
            if low > high {
                return low;
            }
            self.swap(low, high);
            low += 1;
            high -= 1;
        }
    }

    /// Sorts a range in which at most a few elements are out of place; tells whether that was so.
    fn partial_insertion_sort(&mut self, start: usize, end: usize) -> bool {
        const MAX_STEPS: usize = 5;
        let mut next = start + 1;
        for _ in 0..MAX_STEPS {
            while next < end && !self.less(next, next - 1) {
                next += 1;
            }
            if next == end {
                return true;
            }
            if end - start < LONG {
                return false;
            }
            self.swap(next, next - 1);
            if next - start >= 2 {
                let mut at = next - 1;
                while at >= 1 && self.less(at, at - 1) {
                    self.swap(at, at - 1);
                    at -= 1;
                }
            }
            if end - next >= 2 {
                let mut at = next + 1;
                while at < end && self.less(at, at - 1) {
                    self.swap(at, at - 1);
                    at += 1;
                }
            }
        }
        false
    }

    /// Scatters three elements, with Go's own xorshift, whose seed is the length.
    fn break_patterns(&mut self, start: usize, end: usize) {
        let len = end - start;
        if len < 8 {
            return;
        }
        let mask = (1_usize << (usize::BITS - len.leading_zeros())) - 1;
        let mut random = len as u64;
        let middle = start + len / 4 * 2;
        for at in middle - 1..=middle + 1 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let low_bits = usize::try_from(random & mask as u64).unwrap_or(0);
            let other = if low_bits >= len { low_bits - len } else { low_bits };
            self.swap(at, start + other);
        }
    }

    fn choose_pivot(&mut self, start: usize, end: usize) -> (usize, Hint) {
        const MAX_SWAPS: usize = 4 * 3;
        let len = end - start;
        let quarter = len / 4;
        let (mut low, mut middle, mut high) =
            (start + quarter, start + quarter * 2, start + quarter * 3);
        let mut swaps = 0;
        if len >= 8 {
            if len >= LONG {
                for at in [&mut low, &mut middle, &mut high] {
                    *at = self.median(*at - 1, *at, *at + 1, &mut swaps);
                }
            }
            middle = self.median(low, middle, high, &mut swaps);
        }
        let hint = match swaps {
            0 => Hint::Increasing,
            MAX_SWAPS => Hint::Decreasing,
            _ => Hint::Unknown,
        };
        (middle, hint)
    }

    fn median(&mut self, a: usize, b: usize, c: usize, swaps: &mut usize) -> usize {
        let (a, b) = self.in_order(a, b, swaps);
        let (b, _) = self.in_order(b, c, swaps);
        self.in_order(a, b, swaps).1
    }

    fn in_order(&mut self, a: usize, b: usize, swaps: &mut usize) -> (usize, usize) {
        if self.less(b, a) {
            *swaps += 1;
            (b, a)
        } else {
            (a, b)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xorshift(x: &mut u64) -> u64 {
        *x ^= *x << 13;
        *x ^= *x >> 7;
        *x ^= *x << 17;
        *x
    }

    #[test]
    fn equal_elements_come_out_as_gos_sort_slice_leaves_them() {
        let mut sum = 0_u64;
        let mut fold = |value: u64| sum = sum.wrapping_mul(31).wrapping_add(value);
        // random with many and with few ties, nearly sorted, falling, in steps, all equal
        for n in 0..=400_u64 {
            for kind in 0..6 {
                let mut x = n * 7 + kind + 1;
                let element = |i: u64| {
                    let random = xorshift(&mut x);
                    let key = match kind {
                        0 => random % 3,
                        1 => random % 1000,
                        2 if random.is_multiple_of(17) => random % 50,
                        2 => i,
                        3 => n - i,
                        4 => i / 7 % 5,
                        _ => 0,
                    };
                    (key, i)
                };
                let mut elements: Vec<(u64, u64)> = (0..n).map(element).collect();
                sort_slice(&mut elements, |a, b| a.0 < b.0);
                elements.iter().for_each(|(_, id)| fold(*id));
            }
        }
        // McIlroy's adversary, which makes every pivot a bad one
        let n = 500;
        let gas = n - 1;
        let mut values = vec![gas; n];
        let (mut solid, mut candidate) = (0, 0);
        let mut ids: Vec<usize> = (0..n).collect();
        sort_slice(&mut ids, |&x, &y| {
            if values[x] == gas && values[y] == gas {
                values[if x == candidate { x } else { y }] = solid;
                solid += 1;
            }
            if values[x] == gas {
                candidate = x;
            } else if values[y] == gas {
                candidate = y;
            }
            values[x] < values[y]
        });
        ids.iter().chain(&values).for_each(|value| fold(*value as u64));
        // folded likewise over what `sort.Slice` of Go 1.26 gives
        assert_eq!(sum, 0x5bd2_03ad_ab21_fcbe);
    }
}
