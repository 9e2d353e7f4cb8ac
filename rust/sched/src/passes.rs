//! Passes over a column of sums: what is added to whole sets of rows at once.

use multiversion::multiversion;

use crate::index_vec::{Idx, NodeIdx};
use crate::node_set::NodeSet;

/// Adds to all sums.
pub(crate) fn add_all(sums: &mut [i32], value: i32) {
    if value != 0 {
        for sum in sums {
            *sum = sum.wrapping_add(value);
        }
    }
}

/// Adds to the sums of the rows of a set.
pub(crate) fn add_to_set(sums: &mut [i32], set: &NodeSet, value: i32) {
    if value != 0 {
        add_to_words(sums, set.words(), value);
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl",
    "x86_64+avx2+fma",
    "x86_64+sse4.1"
))]
fn add_to_words(sums: &mut [i32], words: &[u64], value: i32) {
    const HALF: usize = 32;
    let (whole, rest) = sums.as_chunks_mut::<HALF>();
    let mut halves = words.iter().flat_map(|&word| [word & u64::from(u32::MAX), word >> HALF]);
    for (rows, half) in whole.iter_mut().zip(&mut halves) {
        if half == 0 {
            continue;
        }
        for (bit, sum) in rows.iter_mut().enumerate() {
            let is_in = half & 1 << bit != 0;
            *sum = sum.wrapping_add(if is_in { value } else { 0 });
        }
    }
    if let Some(half) = halves.next() {
        for (bit, sum) in rest.iter_mut().enumerate() {
            let is_in = half & 1 << bit != 0;
            *sum = sum.wrapping_add(if is_in { value } else { 0 });
        }
    }
}

/// Adds to the sum of one row.
pub(crate) fn add_to_row(sums: &mut [i32], row: NodeIdx, value: i32) {
    if let Some(sum) = sums.get_mut(row.index()) {
        *sum = sum.wrapping_add(value);
    }
}
