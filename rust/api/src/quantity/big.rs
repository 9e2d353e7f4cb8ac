//! Signed integers of any size: the part of `math/big` that quantities beyond 64 bits need.

use std::cmp::Ordering;

/// The greatest power of ten in 64 bits, as its exponent.
const CHUNK_DIGITS: u32 = 19;

/// A signed integer: sign and magnitude, least significant limb first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Big {
    /// Never set for zero.
    negative: bool,
    /// No zero limb at the end; empty for zero.
    limbs: Vec<u64>,
}

/// High and low half of a product or dividend.
#[expect(clippy::cast_possible_truncation, reason = "the two casts are the two halves")]
const fn split(wide: u128) -> (u64, u64) {
    ((wide >> 64) as u64, wide as u64)
}

const fn join(high: u64, low: u64) -> u128 {
    ((high as u128) << 64) | low as u128
}

/// `exponent` cut into powers of ten of one limb each.
fn powers_of_ten(exponent: u32) -> impl Iterator<Item = u64> {
    let whole = exponent / CHUNK_DIGITS;
    std::iter::repeat_n(10_u64.pow(CHUNK_DIGITS), whole as usize)
        .chain(std::iter::once(10_u64.pow(exponent % CHUNK_DIGITS)))
}

impl Big {
    /// The value of decimal digits; other bytes are passed over.
    pub(super) fn from_digits(digits: impl Iterator<Item = u8>) -> Self {
        let mut big = Self::default();
        let (mut chunk, mut scale) = (0_u64, 1_u64);
        for digit in digits.filter(u8::is_ascii_digit) {
            chunk = chunk * 10 + u64::from(digit - b'0');
            scale *= 10;
            if scale == 10_u64.pow(CHUNK_DIGITS) {
                big.mul_add(scale, chunk);
                (chunk, scale) = (0, 1);
            }
        }
        big.mul_add(scale, chunk);
        big
    }

    pub(super) fn negated(mut self) -> Self {
        self.negative = !self.negative && !self.limbs.is_empty();
        self
    }

    pub(super) const fn is_zero(&self) -> bool {
        self.limbs.is_empty()
    }

    pub(super) const fn is_negative(&self) -> bool {
        self.negative
    }

    /// The magnitude, least significant limb first, without leading zeros.
    pub(super) fn magnitude(&self) -> &[u64] {
        &self.limbs
    }

    /// `big.Int.Int64`: the low 64 bits of the magnitude, with the sign put on them.
    pub(super) fn low_i64(&self) -> i64 {
        let low = self.limbs.first().copied().unwrap_or_default().cast_signed();
        if self.negative { low.wrapping_neg() } else { low }
    }

    fn trim(&mut self) {
        while self.limbs.last() == Some(&0) {
            self.limbs.pop();
        }
        if self.limbs.is_empty() {
            self.negative = false;
        }
    }

    /// Magnitude times `factor` plus `addend`.
    fn mul_add(&mut self, factor: u64, addend: u64) {
        let mut carry = addend;
        for limb in &mut self.limbs {
            (carry, *limb) = split(u128::from(*limb) * u128::from(factor) + u128::from(carry));
        }
        if carry != 0 {
            self.limbs.push(carry);
        }
        self.trim();
    }

    /// Magnitude divided by `divisor`, toward zero; returns the remainder of the magnitude.
    fn div_rem(&mut self, divisor: u64) -> u64 {
        let mut remainder = 0;
        for limb in self.limbs.iter_mut().rev() {
            let wide = join(remainder, *limb);
            (_, *limb) = split(wide / u128::from(divisor));
            (_, remainder) = split(wide % u128::from(divisor));
        }
        self.trim();
        remainder
    }

    /// Times 10^`exponent`.
    pub(super) fn times_pow10(mut self, exponent: u32) -> Self {
        if !self.is_zero() {
            for power in powers_of_ten(exponent) {
                self.mul_add(power, 0);
            }
        }
        self
    }

    /// Times 2^`exponent`.
    pub(super) fn times_pow2(mut self, exponent: u32) -> Self {
        for _ in 0..exponent / 32 {
            self.mul_add(1 << 32, 0);
        }
        self.mul_add(1 << (exponent % 32), 0);
        self
    }

    /// Divided by 10^`exponent` toward zero, and whether something was cut off.
    pub(super) fn over_pow10(mut self, exponent: u32) -> (Self, bool) {
        let mut inexact = false;
        for power in powers_of_ten(exponent) {
            if self.is_zero() {
                break;
            }
            inexact |= self.div_rem(power) != 0;
        }
        (self, inexact)
    }

    /// `QuoRem` with `RoundUp`: divided by 10^`exponent`, away from zero.
    pub(super) fn over_pow10_away(self, exponent: u32) -> Self {
        let negative = self.negative;
        let (mut quotient, inexact) = self.over_pow10(exponent);
        if inexact {
            quotient.mul_add(1, 1);
            quotient.negative = negative;
        }
        quotient
    }

    /// The magnitude without its factors `divisor`, and how many there were; zero has none.
    pub(super) fn without_factors(mut self, divisor: u64) -> (Self, u16) {
        let mut times = 0;
        while !self.is_zero() {
            let mut quotient = self.clone();
            if quotient.div_rem(divisor) != 0 {
                break;
            }
            self = quotient;
            times += 1;
        }
        (self, times)
    }

    fn cmp_magnitude(&self, other: &Self) -> Ordering {
        (self.limbs.len().cmp(&other.limbs.len()))
            .then_with(|| self.limbs.iter().rev().cmp(other.limbs.iter().rev()))
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let (large, small) = match self.cmp_magnitude(other) {
            Ordering::Less => (other, self),
            Ordering::Equal | Ordering::Greater => (self, other),
        };
        let mut sum = large.clone();
        let mut addends = small.limbs.iter().copied();
        let mut carry = false;
        let subtract = large.negative != small.negative;
        for limb in &mut sum.limbs {
            let addend = addends.next().unwrap_or_default();
            let (partial, first) =
                if subtract { limb.overflowing_sub(addend) } else { limb.overflowing_add(addend) };
            let (total, second) = if subtract {
                partial.overflowing_sub(u64::from(carry))
            } else {
                partial.overflowing_add(u64::from(carry))
            };
            *limb = total;
            carry = first || second;
        }
        if carry {
            sum.limbs.push(1);
        }
        sum.trim();
        sum
    }

    /// The decimal digits, with a minus sign where it belongs.
    pub(super) fn to_decimal(&self) -> String {
        let mut rest = self.clone();
        let mut chunks = Vec::new();
        while !rest.is_zero() {
            chunks.push(rest.div_rem(10_u64.pow(CHUNK_DIGITS)));
        }
        let sign = if self.negative { "-" } else { "" };
        let first = chunks.pop().unwrap_or_default();
        let rest = chunks.iter().rev().map(|chunk| format!("{chunk:019}"));
        std::iter::once(format!("{sign}{first}")).chain(rest).collect()
    }
}

impl From<i64> for Big {
    fn from(value: i64) -> Self {
        let mut big = Self { negative: value < 0, limbs: vec![value.unsigned_abs()] };
        big.trim();
        big
    }
}

impl Ord for Big {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.cmp_magnitude(other),
            (true, true) => other.cmp_magnitude(self),
        }
    }
}

impl PartialOrd for Big {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
