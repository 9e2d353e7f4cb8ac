//! `sort.Slice` as Go has it: not stable, so that the order of equal elements is part of what kube-scheduler decides.
//!
//! Go sorts by pattern-defeating quicksort (Orson Peters). Every comparison and every exchange here is the one that Go
//! makes (`sort/zsortfunc.go` of Go 1.24, which builds Kubernetes v1.34), so equal elements end where they end there.

/// Sorts `items` so that no element is `less` than the one before it.
pub(crate) fn sort_slice<T>(items: &mut [T], less: impl Fn(&T, &T) -> bool) {
    let bits = usize::BITS - items.len().leading_zeros();
    let end = items.len();
    Sorter { items, less }.sort(0, end, bits);
}

/// Ranges up to this long are sorted by insertion.
const MAX_INSERTION: usize = 12;
/// Ranges from this long on take the median of medians as pivot, and are worth a try at shifting few elements.
const LONG: usize = 50;
/// How many elements out of order that try puts up with.
const MAX_SHIFTS: usize = 5;
/// Exchanges that finding a pivot makes on a falling range: all of them.
const ALL_SWAPS: usize = 12;

struct Sorter<'a, T, F> {
    items: &'a mut [T],
    less: F,
}

/// What choosing the pivot showed of the range.
#[derive(PartialEq)]
enum Hint {
    Rising,
    Falling,
    Unknown,
}

impl<T, F: Fn(&T, &T) -> bool> Sorter<'_, T, F> {
    fn less(&self, a: usize, b: usize) -> bool {
        (self.less)(&self.items[a], &self.items[b])
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.items.swap(a, b);
    }

    /// Sorts `start..end`; `bad_pivots` may be chosen before heap sort takes over.
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
                self.break_patterns(start, len);
                bad_pivots -= 1;
            }
            let (mut pivot, mut hint) = self.choose_pivot(start, len);
            if hint == Hint::Falling {
                self.items[start..end].reverse();
                pivot = (end - 1) - (pivot - start);
                hint = Hint::Rising;
            }
            if balanced && partitioned && hint == Hint::Rising && self.shift_few(start, end) {
                return;
            }
            // The element before the range is not less than the pivot: it and its equals come first.
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
            self.sift_down(start, root, len);
        }
        for last in (0..len).rev() {
            self.swap(start, start + last);
            self.sift_down(start, 0, last);
        }
    }

    fn sift_down(&mut self, start: usize, mut root: usize, len: usize) {
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

    /// Moves the pivot to its place, smaller elements before it; tells the place, and whether nothing else moved.
    fn partition(&mut self, start: usize, end: usize, pivot: usize) -> (usize, bool) {
        self.swap(start, pivot);
        let (mut low, mut high) = (start + 1, end - 1);
        let mut untouched = true;
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
            self.swap(low, high);
            low += 1;
            high -= 1;
            untouched = false;
        }
        self.swap(high, start);
        (high, untouched)
    }

    /// Moves the pivot's equals to the front; tells where they end.
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

    /// Sorts a range that is almost sorted; tells whether it is sorted now.
    fn shift_few(&mut self, start: usize, end: usize) -> bool {
        let mut at = start + 1;
        for _ in 0..MAX_SHIFTS {
            while at < end && !self.less(at, at - 1) {
                at += 1;
            }
            if at == end {
                return true;
            }
            if end - start < LONG {
                return false;
            }
            self.swap(at, at - 1);
            if at - start >= 2 {
                // Down to the first of all elements, not of the range: as Go does.
                let mut left = at - 1;
                while left >= 1 && self.less(left, left - 1) {
                    self.swap(left, left - 1);
                    left -= 1;
                }
            }
            if end - at >= 2 {
                let mut right = at + 1;
                while right < end && self.less(right, right - 1) {
                    self.swap(right, right - 1);
                    right += 1;
                }
            }
        }
        false
    }

    /// Exchanges three elements around the middle for others, chosen by a generator seeded with the length.
    fn break_patterns(&mut self, start: usize, len: usize) {
        let mut random = len as u64;
        let mask = (1_u64 << (usize::BITS - len.leading_zeros())) - 1;
        let middle = start + len / 4 * 2;
        for at in middle - 1..=middle + 1 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let other = usize::try_from(random & mask).unwrap_or(0);
            self.swap(at, start + if other >= len { other - len } else { other });
        }
    }

    fn choose_pivot(&self, start: usize, len: usize) -> (usize, Hint) {
        let mut swaps = 0;
        let [mut low, mut middle, mut high] = [1, 2, 3].map(|quarter| start + len / 4 * quarter);
        if len >= LONG {
            low = self.median(low - 1, low, low + 1, &mut swaps);
            middle = self.median(middle - 1, middle, middle + 1, &mut swaps);
            high = self.median(high - 1, high, high + 1, &mut swaps);
        }
        middle = self.median(low, middle, high, &mut swaps);
        let hint = match swaps {
            0 => Hint::Rising,
            ALL_SWAPS => Hint::Falling,
            _ => Hint::Unknown,
        };
        (middle, hint)
    }

    fn median(&self, mut a: usize, mut b: usize, mut c: usize, swaps: &mut usize) -> usize {
        let mut order = |first: &mut usize, second: &mut usize| {
            if self.less(*second, *first) {
                std::mem::swap(first, second);
                *swaps += 1;
            }
        };
        order(&mut a, &mut b);
        order(&mut b, &mut c);
        order(&mut a, &mut b);
        b
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order of (key, original place) pairs, folded to one number.
    fn folded(len: u64, keys: u64, shape: u64) -> u64 {
        let mut state = len * 1_000_003 + keys * 101 + shape;
        let mut items: Vec<(u64, u64)> = (0..len)
            .map(|place| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let key = match shape {
                    0 => (state >> 33) % keys,
                    1 => place * keys / len,
                    2 => (len - place) * keys / len,
                    3 => place.min(len - place) % keys,
                    _ => place * keys / len + u64::from((state >> 33).is_multiple_of(40)),
                };
                (key, place)
            })
            .collect();
        sort_slice(&mut items, |a, b| a.0 < b.0);
        items.iter().fold(0, |sum: u64, (_, place)| sum.wrapping_mul(31).wrapping_add(*place))
    }

    #[test]
    fn equal_elements_end_where_go_puts_them() {
        let mut sum = 0_u64;
        for len in (2..140).chain([200, 333, 500, 1000, 5000]) {
            for keys in [1, 2, 3, 7, 30, 1000] {
                for shape in 0..5 {
                    sum = sum.wrapping_mul(1_000_003).wrapping_add(folded(len, keys, shape));
                }
            }
        }
        // The same loop around `sort.Slice` of Go 1.26.
        assert_eq!(sum, 0x5944_1102_c2a3_e8ae);
    }
}
