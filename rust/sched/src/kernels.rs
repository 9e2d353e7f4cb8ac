//! Loops over whole columns, compiled for several processors; the one that fits is chosen when the program runs.
//!
//! Each is an ordinary loop that the compiler vectorises, and gives the same on every processor.

use multiversion::multiversion;

/// How many rows a pass looks at before it compares.
const BLOCK: usize = 256;

/// The first place where `left + right` is greatest, and that sum; `None` for empty columns. The shorter column counts.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2", "x86_64+sse4.1"))]
pub(crate) fn first_greatest_sum(left: &[i32], right: &[i32]) -> Option<(usize, i32)> {
    let mut best: Option<(usize, i32)> = None;
    for (at, (left, right)) in left.chunks(BLOCK).zip(right.chunks(BLOCK)).enumerate() {
        let mut greatest = i32::MIN;
        for (&left, &right) in left.iter().zip(right) {
            greatest = greatest.max(left.wrapping_add(right));
        }
        if best.is_none_or(|(_, sum)| greatest > sum) {
            best = Some((at, greatest));
        }
    }
    let (block, sum) = best?;
    let (left, right) = (left.chunks(BLOCK).nth(block)?, right.chunks(BLOCK).nth(block)?);
    let at = left.iter().zip(right).position(|(l, r)| l.wrapping_add(*r) == sum)?;
    Some((block * BLOCK + at, sum))
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
        let part = if most { requested } else { capacity - requested };
        let score = f64::from(truncated((part * 100.0 / capacity).clamp(0.0, 100.0)));
        // A resource that the node lacks does not count; one that is used up has no score.
        let counts = capacity > 0.0;
        let fits = counts & (requested <= capacity);
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
        let both = (*c1 != 0) & (*c2 != 0);
        let deviation = ((fraction(*c1, *r1) - fraction(*c2, *r2)) / 2.0).abs();
        let deviation = if both { deviation } else { 0.0 };
        *score = i64::from(truncated((1.0 - deviation) * 100.0));
    }
}

/// How many groups are looked for row by row; from then on a table is quicker.
const FEW_GROUPS: usize = 12;

/// Writes for each row the weight of its group, and `out` for a row of none; an offset beside it is added to all but `out`.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2", "x86_64+sse4.1"))]
pub(crate) fn spread_weights(
    groups: &[u32],
    weights: &[i32],
    fixed: &[i32],
    out: i32,
    offsets: &mut [i32],
) {
    if weights.len() <= FEW_GROUPS {
        for (groups, offsets) in groups.chunks(BLOCK).zip(offsets.chunks_mut(BLOCK)) {
            offsets.fill(out);
            for (number, &weight) in (0_u32..).zip(weights) {
                for (offset, &group) in offsets.iter_mut().zip(groups) {
                    *offset = if group == number { weight } else { *offset };
                }
            }
        }
    } else {
        for (offset, &group) in offsets.iter_mut().zip(groups) {
            *offset = weights.get(group as usize).copied().unwrap_or(out);
        }
    }
    for (offset, &fixed) in offsets.iter_mut().zip(fixed) {
        *offset = if *offset == out { out } else { *offset + fixed };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_of_the_greatest_is_found(
            rows in proptest::collection::vec((-3_i32..3, -3_i32..3), 0..900),
        ) {
            let (left, right): (Vec<i32>, Vec<i32>) = rows.iter().copied().unzip();
            let sums = rows.iter().map(|(left, right)| left + right);
            let expected = sums.clone().max();
            let expected = expected.and_then(|most| Some((sums.clone().position(|s| s == most)?, most)));
            prop_assert_eq!(first_greatest_sum(&left, &right), expected);
        }

        #[test]
        fn the_first_place_of_a_number_is_found(
            numbers in proptest::collection::vec(0_u32..400, 0..900), wanted in 0_u32..400,
        ) {
            let expected = numbers.iter().position(|&number| number == wanted);
            prop_assert_eq!(position(&numbers, wanted), expected);
        }
    }
}
