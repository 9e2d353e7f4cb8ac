//! Go's arithmetic where it differs from Rust's.

/// `float64(value)`.
#[expect(clippy::cast_precision_loss, reason = "Go's conversion rounds to nearest too")]
pub(super) const fn float64(value: i64) -> f64 {
    value as f64
}

/// `int64(value)` as amd64 computes it: truncation, and the smallest integer when out of range.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
pub(super) fn int64(value: f64) -> i64 {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    if (-TWO_TO_63..TWO_TO_63).contains(&value) { value as i64 } else { i64::MIN }
}

/// `len(slice)` as an `int64`.
pub(super) fn len<T>(slice: &[T]) -> i64 {
    i64::try_from(slice.len()).unwrap_or(i64::MAX)
}
