//! Loops over whole columns, compiled for several processors; the one that fits is chosen when the program runs.
//!
//! Each is an ordinary loop that the compiler vectorises, and gives the same on every processor.

use multiversion::multiversion;

/// How many rows a pass looks at before it compares.
const BLOCK: usize = 256;
/// How many rows are scored at once, at most.
pub(crate) const ROWS: usize = 64;

/// The greatest of some numbers; the least number there is of none.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.1"))]
pub(crate) fn greatest(numbers: &[i32]) -> i32 {
    numbers.iter().fold(i32::MIN, |greatest, &number| greatest.max(number))
}

/// The greatest sum of two numbers at the same place; the least number there is of none.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.1"))]
pub(crate) fn greatest_of_both(numbers: &[i32], others: &[i32]) -> i32 {
    let sums = numbers.iter().zip(others).map(|(number, other)| number.wrapping_add(*other));
    sums.fold(i32::MIN, i32::max)
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

/// A resource on some rows: what each has of it, and what its pods use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amounts<'a> {
    pub(crate) capacity: &'a [i64],
    pub(crate) used: &'a [i64],
}

/// Writes `unfit` for rows that have less than `wanted` of a resource left.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
pub(crate) fn bar_short(amounts: Amounts<'_>, wanted: i64, unfit: i32, sums: &mut [i32]) {
    let rows = amounts.capacity.iter().zip(amounts.used);
    for (sum, (&capacity, &used)) in sums.iter_mut().zip(rows) {
        *sum = if wanted > capacity.wrapping_sub(used) { unfit } else { *sum };
    }
}

/// Writes `unfit` for rows that use all that they have, or more.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
pub(crate) fn bar_full(amounts: Amounts<'_>, unfit: i32, sums: &mut [i32]) {
    let rows = amounts.capacity.iter().zip(amounts.used);
    for (sum, (&capacity, &used)) in sums.iter_mut().zip(rows) {
        *sum = if used >= capacity { unfit } else { *sum };
    }
}

/// Writes a bit for each row whose sum is not below zero, 64 rows a word.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.1"))]
pub(crate) fn fitting(sums: &[i32], words: &mut [u64]) {
    for (word, sums) in words.iter_mut().zip(sums.chunks(64)) {
        let mut bits = [0_u8; 8];
        for (byte, sums) in bits.iter_mut().zip(sums.chunks(8)) {
            for (bit, &sum) in sums.iter().enumerate() {
                *byte |= u8::from(sum >= 0) << bit;
            }
        }
        *word = u64::from_le_bytes(bits);
    }
}

/// A resource and what a pod requests of it; amounts are less than 2⁴⁵ and not negative, or the loop says that they are not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resource<'a> {
    pub(crate) amounts: Amounts<'a>,
    pub(crate) request: i64,
}

/// Amounts up to which a hundredfold is exact in floating point: with both operands below 2⁵³, the quotient of two integers in
/// floating point, truncated, is that of the integers.
pub(crate) const MAX_EXACT: i64 = (1 << 45) - 1;

/// What the numbers from 2⁵² on have in common, as bits and as a number: their last bits are their units.
const UNITS: (u64, f64) = (0x4330_0000_0000_0000, 4_503_599_627_370_496.0);

/// The number in floating point; less than 2⁵² and not negative. Unlike a conversion this needs no instruction that older processors
/// lack for several numbers at once.
#[inline]
fn exact(number: i64) -> f64 {
    f64::from_bits(number.cast_unsigned() | UNITS.0) - UNITS.1
}

/// A whole number from 0 to 2³¹ in floating point as an integer, the other way round.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the number is small: the upper bits are those of `UNITS`"
)]
fn whole(number: f64) -> i32 {
    (number + UNITS.1).to_bits() as i32
}

/// Adds to sums, for up to [`ROWS`] rows, the weighted mean of `leastRequestedScore` or `mostRequestedScore` of two resources that count
/// alike. `false`, and nothing is added, if an amount is out of range or a row lacks one of the resources.
pub(crate) fn add_allocation_scores(
    both: [Resource<'_>; 2],
    most: bool,
    weight: i32,
    sums: &mut [i32],
) -> bool {
    // One loop for each, so that neither looks at what it knows.
    if most {
        add_most_allocated(both, weight, sums)
    } else {
        add_least_allocated(both, weight, sums)
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl",
    "x86_64+avx2",
    "x86_64+sse4.1"
))]
fn add_least_allocated(both: [Resource<'_>; 2], weight: i32, sums: &mut [i32]) -> bool {
    add_pairs(both, weight, sums, |capacities, requested| {
        let score = |capacity: f64, requested: f64| {
            // what requests nothing is taken to request something, so that a node may seem fuller than full
            ((capacity - requested) * 100.0 / capacity).max(0.0).floor()
        };
        ((score(capacities[0], requested[0]) + score(capacities[1], requested[1])) * 0.5).floor()
    })
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl",
    "x86_64+avx2",
    "x86_64+sse4.1"
))]
fn add_most_allocated(both: [Resource<'_>; 2], weight: i32, sums: &mut [i32]) -> bool {
    add_pairs(both, weight, sums, |capacities, requested| {
        let score =
            |capacity: f64, requested: f64| (requested.min(capacity) * 100.0 / capacity).floor();
        ((score(capacities[0], requested[0]) + score(capacities[1], requested[1])) * 0.5).floor()
    })
}

/// Adds to sums, for up to [`ROWS`] rows, what `balancedResourceScorer` says of two resources. `false`, and nothing is added, as above.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl",
    "x86_64+avx2",
    "x86_64+sse4.1"
))]
pub(crate) fn add_balance_scores(both: [Resource<'_>; 2], weight: i32, sums: &mut [i32]) -> bool {
    add_pairs(both, weight, sums, |capacities, requested| {
        let fraction = |capacity: f64, requested: f64| (requested / capacity).min(1.0);
        let [first, second] = [0, 1].map(|at: usize| fraction(capacities[at], requested[at]));
        ((1.0 - ((first - second) / 2.0).abs()) * 100.0).floor()
    })
}

/// Adds to sums what `score` makes of capacity and requested of two resources, weighted; `false` as above.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "it is a part of the loops that are compiled for several processors"
)]
fn add_pairs(
    [first, second]: [Resource<'_>; 2],
    weight: i32,
    sums: &mut [i32],
    score: impl Fn([f64; 2], [f64; 2]) -> f64,
) -> bool {
    let mut scores = [0_i32; ROWS];
    let mut all = 0;
    let amounts_1 = first.amounts.capacity.iter().zip(first.amounts.used);
    let amounts_2 = second.amounts.capacity.iter().zip(second.amounts.used);
    let rows = scores.iter_mut().zip(&*sums).zip(amounts_1.zip(amounts_2));
    for ((place, _), ((&capacity_1, &used_1), (&capacity_2, &used_2))) in rows {
        let requested_1 = used_1.wrapping_add(first.request);
        let requested_2 = used_2.wrapping_add(second.request);
        // a capacity of zero shows as a negative number
        all |= capacity_1.wrapping_sub(1) | requested_1 | capacity_2.wrapping_sub(1) | requested_2;
        let capacities = [exact(capacity_1), exact(capacity_2)];
        *place = whole(score(capacities, [exact(requested_1), exact(requested_2)]));
    }
    if !(0..=MAX_EXACT).contains(&all) {
        return false;
    }
    for (sum, score) in sums.iter_mut().zip(scores) {
        *sum = sum.wrapping_add(score.wrapping_mul(weight));
    }
    true
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
