//! Numbers as Go has them on amd64, where kube-scheduler's decisions depend on them.

/// `float64(x)`.
#[expect(clippy::cast_precision_loss, reason = "Go's float64(int64) rounds to nearest too")]
pub(crate) const fn float64(x: i64) -> f64 {
    x as f64
}

/// `int64(x)`: truncated; what does not fit becomes the smallest number, as CVTTSD2SQ gives.
#[expect(clippy::cast_possible_truncation, reason = "range checked")]
pub(crate) fn int64(x: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&x) { x as i64 } else { i64::MIN }
}

/// `int64(n)` of a length.
pub(crate) fn len64(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// `a / b` with Go's truncation and wrap-around; 0 for b = 0, which callers exclude.
pub(crate) const fn div(a: i64, b: i64) -> i64 {
    if b == 0 { 0 } else { a.wrapping_div(b) }
}

/// `math.Log(x)` of a finite x > 0, bit for bit as Go computes it: the platform's own logarithm may differ in the
/// last place, and decisions must not depend on the machine.
///
/// The method is that of FreeBSD's `e_log.c`: x = 2ᵏ·(1+f) with √2/2 ≤ 1+f < √2, and a polynomial in f/(2+f).
#[expect(clippy::many_single_char_names, reason = "the names of the published method")]
pub(crate) fn log(x: f64) -> f64 {
    const LN2_HI: f64 = 6.931_471_803_691_238e-1; // 3fe62e42 fee00000
    const LN2_LO: f64 = 1.908_214_929_270_587_7e-10; // 3dea39ef 35793c76
    const L1: f64 = 6.666_666_666_666_735e-1; // 3fe55555 55555593
    const L2: f64 = 3.999_999_999_940_942e-1; // 3fd99999 9997fa04
    const L3: f64 = 2.857_142_874_366_239e-1; // 3fd24924 94229359
    const L4: f64 = 2.222_219_843_214_978_4e-1; // 3fcc71c5 1d8e78af
    const L5: f64 = 1.818_357_216_161_805e-1; // 3fc74664 96cb03de
    const L6: f64 = 1.531_383_769_920_937_3e-1; // 3fc39a09 d078c69f
    const L7: f64 = 1.479_819_860_511_658_6e-1; // 3fc2f112 df3e5244
    let bits = x.to_bits();
    let mut mantissa = f64::from_bits(bits & 0x000f_ffff_ffff_ffff | 0x3fe0_0000_0000_0000);
    let mut exponent = i64::try_from(bits >> 52 & 0x7ff).unwrap_or(0) - 1022;
    if mantissa < std::f64::consts::FRAC_1_SQRT_2 {
        mantissa *= 2.0;
        exponent -= 1;
    }
    let f = mantissa - 1.0;
    let k = float64(exponent);
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let t1 = s2 * (L1 + s4 * (L3 + s4 * (L5 + s4 * L7)));
    let t2 = s4 * (L2 + s4 * (L4 + s4 * L6));
    let r = t1 + t2;
    let half_f2 = 0.5 * f * f;
    k * LN2_HI - ((half_f2 - (s * (half_f2 + r) + k * LN2_LO)) - f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_is_gos_to_the_last_bit() {
        // Go 1.26 on amd64: for i := 2..=100001 { a = a*31 + math.Float64bits(math.Log(float64(i))) }
        let folded = (2_u32..=100_001)
            .fold(0_u64, |sum, i| sum.wrapping_mul(31).wrapping_add(log(f64::from(i)).to_bits()));
        assert_eq!(folded, 0x2c8b_b34f_41bf_3d31);
        assert_eq!(log(2.0).to_bits(), 0x3fe6_2e42_fefa_39ef);
        assert_eq!(log(5.0).to_bits(), 0x3ff9_c041_f7ed_8d33);
    }

    #[test]
    fn conversions_truncate_and_saturate_as_amd64_does() {
        assert_eq!(int64(-1.9), -1);
        assert_eq!(int64(1e300), i64::MIN);
        assert_eq!(int64(f64::NAN), i64::MIN);
    }
}
