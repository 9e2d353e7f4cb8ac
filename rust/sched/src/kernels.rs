//! Loops over whole columns, compiled for several processors; the one that fits is chosen when the program runs.
//!
//! Each is an ordinary loop that the compiler vectorises, and gives the same on every processor.

use multiversion::multiversion;

/// How many rows a pass looks at before it compares.
const BLOCK: usize = 256;

/// The greatest of some numbers; the least number there is of none.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.1"))]
pub(crate) fn greatest(numbers: &[i32]) -> i32 {
    numbers.iter().fold(i32::MIN, |greatest, &number| greatest.max(number))
}

/// The first place of a number.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.1"))]
pub(crate) fn position(numbers: &[u32], wanted: u32) -> Option<usize> {
    for (at, block) in numbers.chunks(BLOCK).enumerate() {
        let mut any = false;
        for &number in block {
            any |= number == wanted;
        }
        if any {
            return Some(at * BLOCK + block.iter().position(|&number| number == wanted)?);
        }
    }
    None
}

/// The first place of a sum.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.1"))]
pub(crate) fn place(sums: &[i32], wanted: i32) -> Option<usize> {
    for (at, block) in sums.chunks(BLOCK).enumerate() {
        let mut any = false;
        for &sum in block {
            any |= sum == wanted;
        }
        if any {
            return Some(at * BLOCK + block.iter().position(|&sum| sum == wanted)?);
        }
    }
    None
}

/// One of two resources on some rows: the amounts are less than 2⁴⁵ and not negative, the weight is from 1 to 1,000.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resource<'a> {
    pub(crate) capacity: &'a [i64],
    pub(crate) requested: &'a [i64],
    pub(crate) weight: i64,
}

/// What the numbers from 2⁵² on have in common, as bits and as a number: their last bits are their units.
const UNITS: (u64, f64) = (0x4330_0000_0000_0000, 4_503_599_627_370_496.0);

/// The number in floating point; less than 2⁵² and not negative. Unlike a conversion this needs no instruction that older processors
/// lack for several numbers at once.
#[inline]
fn exact(number: i64) -> f64 {
    f64::from_bits(number.cast_unsigned() | UNITS.0) - UNITS.1
}

/// A number from 0 to 2³¹ without its fraction.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the fraction is what is to go, and the rest is small"
)]
fn truncated(number: f64) -> i32 {
    number as i32
}

/// `leastRequestedScore` or `mostRequestedScore` of two resources and their weighted mean, for each row.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl",
    "x86_64+avx2+fma",
    "x86_64+sse4.1"
))]
pub(crate) fn allocation_scores(
    first: Resource<'_>,
    second: Resource<'_>,
    most: bool,
    scores: &mut [i64],
) {
    let (weight_1, weight_2) = (exact(first.weight), exact(second.weight));
    let of = |capacity: i64, requested: i64, weight: f64| {
        let (capacity, requested) = (exact(capacity), exact(requested));
        // What requests nothing is taken to request something, so that a node may seem fuller than full.
        let part = if most { requested.min(capacity) } else { capacity - requested };
        let score = f64::from(truncated((part * 100.0 / capacity).clamp(0.0, 100.0)));
        // A resource that the node lacks does not count.
        let counts = capacity > 0.0;
        let fits = counts && (most || requested <= capacity);
        (if fits { score * weight } else { 0.0 }, if counts { weight } else { 0.0 })
    };
    let first = first.capacity.iter().zip(first.requested);
    let second = second.capacity.iter().zip(second.requested);
    for (score, ((c1, r1), (c2, r2))) in scores.iter_mut().zip(first.zip(second)) {
        let (score_1, weight_1) = of(*c1, *r1, weight_1);
        let (score_2, weight_2) = of(*c2, *r2, weight_2);
        let weights = weight_1 + weight_2;
        let mean = (score_1 + score_2) / if weights > 0.0 { weights } else { 1.0 };
        *score = i64::from(truncated(mean));
    }
}

/// `balancedResourceScorer` of two resources, for each row.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl",
    "x86_64+avx2+fma",
    "x86_64+sse4.1"
))]
pub(crate) fn balance_scores(first: Resource<'_>, second: Resource<'_>, scores: &mut [i64]) {
    let fraction = |capacity: i64, requested: i64| {
        let (capacity, requested) = (exact(capacity), exact(requested));
        let fraction = requested / if capacity > 0.0 { capacity } else { 1.0 };
        if fraction > 1.0 { 1.0 } else { fraction }
    };
    let first = first.capacity.iter().zip(first.requested);
    let second = second.capacity.iter().zip(second.requested);
    for (score, ((c1, r1), (c2, r2))) in scores.iter_mut().zip(first.zip(second)) {
        let both = *c1 != 0 && *c2 != 0;
        let deviation = ((fraction(*c1, *r1) - fraction(*c2, *r2)) / 2.0).abs();
        let deviation = if both { deviation } else { 0.0 };
        *score = i64::from(truncated((1.0 - deviation) * 100.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_place_of_a_number_is_found(
            numbers in proptest::collection::vec(0_u32..400, 0..900), wanted in 0_u32..400,
        ) {
            let expected = numbers.iter().position(|&number| number == wanted);
            prop_assert_eq!(position(&numbers, wanted), expected);
        }
    }
}
