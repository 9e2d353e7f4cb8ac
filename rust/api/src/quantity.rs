//! `Quantity`: a fixed-point number with a suffix, as `resource.Quantity` reads, rounds and prints it.
//!
//! Follows `pkg/api/resource` of `k8s.io/apimachinery` v0.34.1, its two representations included:
//! what [`Quantity::value`] gives once a number passes 64 bits depends on which of them holds it.
//!
//! | text | representation |
//! |---|---|
//! | up to 18 digits, or about 15 with a binary suffix | a 64-bit integer times a power of ten |
//! | everything else | an integer of any size times a power of ten, rounded away from zero to nanos |
//!
//! **Not followed:** texts of more than 1,024 bytes and numbers of 10^1000 and more are refused.
//! The original takes them, but the first comparison computes the power of ten, so an API server
//! cannot keep such an object.

mod big;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use big::Big;

/// Longest text that is read, in bytes.
const MAX_TEXT_BYTES: usize = 1024;
/// Numbers with more decimal digits before the point are refused.
const MAX_INTEGER_DIGITS: i64 = 1000;
/// `Nano`: the smallest step of a quantity, as an exponent of ten.
const NANO: i32 = -9;
/// `maxInt64Factors`: decimal digits that always fit 64 bits.
const MAX_INT64_FACTORS: i32 = 18;

/// A quantity: `100m`, `1.5Gi`, `12e6`.
///
/// Equality, order and hash go by the number, not by how it was written.
#[derive(Debug, Clone)]
pub struct Quantity(Amount);

/// The number and the sort of suffix it had.
#[derive(Debug, Clone)]
enum Amount {
    /// `int64Amount`: `value` · 10^`exponent`.
    Int { format: Format, exponent: i16, value: i64 },
    /// `infDecAmount`.
    Dec(Format, Box<Dec>),
}

/// `inf.Dec`: `unscaled` · 10^`exponent`.
#[derive(Debug, Clone, Default)]
struct Dec {
    unscaled: Big,
    exponent: i32,
}

/// `resource.Format`: which suffixes a quantity is printed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// `12e6`.
    DecimalExponent,
    /// `12Mi`.
    BinarySi,
    /// `12M`.
    DecimalSi,
}

/// Why a text is not a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// The text is empty or not a number with a suffix.
    #[error(
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )]
    Format,
    /// The text has no digits where they are needed.
    #[error("unable to parse numeric part of quantity")]
    Numeric,
    /// The suffix is not one of `n u m k M G T P E Ki Mi Gi Ti Pi Ei`, nor an exponent.
    #[error("unable to parse quantity's suffix")]
    Suffix,
    /// The text is longer than is read.
    #[error("quantities must have no more than {MAX_TEXT_BYTES} bytes, got {bytes}")]
    TooLong {
        /// Length of the text in bytes.
        bytes: usize,
    },
    /// The number is 10^1000 or more.
    #[error("quantities must be less than 1e{MAX_INTEGER_DIGITS}")]
    TooLarge,
}

/// A text cut into its parts, as `parseQuantityString` cuts it.
struct Parts<'a> {
    positive: bool,
    /// Sign, digits and point.
    value: &'a str,
    /// Digits before the point without leading zeros, `0` if that leaves none.
    num: &'a str,
    /// Digits after the point.
    denom: &'a str,
    suffix: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Result<Self, QuantityError> {
        let bytes = text.as_bytes();
        let digits_from = |start: usize| {
            bytes.iter().skip(start).take_while(|byte| byte.is_ascii_digit()).count()
        };
        let part = |start: usize, end: usize| text.get(start..end).ok_or(QuantityError::Format);

        let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
        let zeros = bytes.iter().skip(sign).take_while(|byte| **byte == b'0').count();
        let start = sign + zeros;
        let positive = bytes.first() != Some(&b'-');
        if start == bytes.len() {
            return Ok(Self { positive, value: "0", num: "0", denom: "", suffix: "" });
        }
        let point = start + digits_from(start);
        let num = if point == start { "0" } else { part(start, point)? };
        let mut end = point;
        let mut denom = "";
        if bytes.get(point) == Some(&b'.') {
            end = point + 1 + digits_from(point + 1);
            denom = part(point + 1, end)?;
        }
        let letters =
            bytes.iter().skip(end).take_while(|byte| b"eEinumkKMGTP".contains(byte)).count();
        let exponent = end + letters;
        let exponent_sign = usize::from(matches!(bytes.get(exponent), Some(b'+' | b'-')));
        let stop = exponent + exponent_sign + digits_from(exponent + exponent_sign);
        if stop != bytes.len() {
            return Err(QuantityError::Format);
        }
        Ok(Self { positive, value: part(0, end)?, num, denom, suffix: part(end, stop)? })
    }
}

/// `suffixer.interpret`: base, exponent and format of a suffix.
fn interpret(suffix: &str) -> Option<(u32, i32, Format)> {
    let si = |exponent| Some((10, exponent, Format::DecimalSi));
    let binary = |exponent| Some((2, exponent, Format::BinarySi));
    match suffix {
        "n" => si(-9),
        "u" => si(-6),
        "m" => si(-3),
        "" => si(0),
        "k" => si(3),
        "M" => si(6),
        "G" => si(9),
        "T" => si(12),
        "P" => si(15),
        "E" => si(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let digits = suffix.strip_prefix(['e', 'E'])?;
            // Go narrows the exponent to 32 bits without a look: `1e4294967296` is 1.
            let exponent: i64 = digits.parse().ok()?;
            #[expect(clippy::cast_possible_truncation, reason = "wraps in the original too")]
            let exponent = exponent as i32;
            Some((10, exponent, Format::DecimalExponent))
        }
    }
}

/// Times 10^`exponent`, or `None` beyond 64 bits.
fn scale_up(value: i64, exponent: u32) -> Option<i64> {
    if value == 0 {
        return Some(0);
    }
    value.checked_mul(10_i64.checked_pow(exponent)?)
}

/// `positiveScaleInt64` with its overflow flag unread: the steps of 1, 2, 3, 6 and 9 wrap, all others
/// come to 0.
fn scale_up_wrapping(value: i64, exponent: u32) -> i64 {
    match scale_up(value, exponent) {
        Some(scaled) => scaled,
        None if value != i64::MIN && matches!(exponent, 1 | 2 | 3 | 6 | 9) => {
            value.wrapping_mul(10_i64.pow(exponent))
        }
        None => 0,
    }
}

/// `negativeScaleInt64`: divided by 10^`exponent`, rounded away from zero; and whether it was exact.
fn scale_down(value: i64, exponent: u32) -> (i64, bool) {
    let (quotient, remainder) = match 10_i64.checked_pow(exponent) {
        Some(divisor) => (value / divisor, value % divisor),
        None => (0, value),
    };
    if remainder == 0 { (quotient, true) } else { (quotient + value.signum(), false) }
}

/// `math.Pow10` as a 64-bit integer, as it comes out on amd64 beyond the range.
fn pow10_or_min(exponent: u32) -> i64 {
    10_i64.checked_pow(exponent).unwrap_or(i64::MIN)
}

impl Dec {
    /// The unscaled integer at a smaller `exponent`.
    fn rescaled(&self, exponent: i32) -> Big {
        self.unscaled
            .clone()
            .times_pow10(self.exponent.saturating_sub(exponent).max(0).unsigned_abs())
    }

    fn cmp(&self, other: &Self) -> Ordering {
        let exponent = self.exponent.min(other.exponent);
        self.rescaled(exponent).cmp(&other.rescaled(exponent))
    }

    /// `inf.Dec.Add`: at the finer of the two scales.
    fn plus(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self { unscaled: self.rescaled(exponent).plus(&other.rescaled(exponent)), exponent }
    }

    fn negated(self) -> Self {
        Self { unscaled: self.unscaled.negated(), exponent: self.exponent }
    }

    /// `inf.Dec.Round` with `RoundUp`: at `exponent`, away from zero.
    fn rounded_away(self, exponent: i32) -> Self {
        let unscaled = if self.exponent >= exponent {
            self.rescaled(exponent)
        } else {
            self.unscaled.over_pow10_away(exponent.abs_diff(self.exponent))
        };
        Self { unscaled, exponent }
    }

    /// `scaledValue`: divided by 10^`exponent`, rounded as the original does, the low 64 bits of it.
    fn scaled_value(&self, exponent: i32) -> i64 {
        let places = exponent.abs_diff(self.exponent);
        if self.exponent == exponent {
            return self.unscaled.low_i64();
        }
        if self.exponent > exponent {
            return self.unscaled.low_i64().wrapping_mul(pow10_or_min(places));
        }
        if places < 19 && self.unscaled < Big::from(i64::MAX) {
            // Negative numbers beyond 64 bits come this way too, and a fraction below zero is
            // rounded a whole step too far: -1.5 is 0.
            let (value, divisor) = (self.unscaled.low_i64(), 10_i64.pow(places));
            return value / divisor + i64::from(value % divisor != 0);
        }
        // Floor, then one more: the quotient toward zero is the ceiling of a negative number.
        let (quotient, inexact) = self.unscaled.clone().over_pow10(places);
        let up = inexact && !self.unscaled.is_negative();
        quotient.low_i64().wrapping_add(i64::from(up))
    }
}

impl Quantity {
    const fn int(format: Format, value: i64, exponent: i16) -> Self {
        Self(Amount::Int { format, exponent, value })
    }

    /// A whole number.
    pub const fn from_value(value: i64) -> Self {
        Self::int(Format::DecimalSi, value, 0)
    }

    /// A number of thousandths.
    pub const fn from_milli_value(value: i64) -> Self {
        Self::int(Format::DecimalSi, value, -3)
    }

    /// `resource.ParseQuantity`.
    ///
    /// As there, a missing number is 0 (`.`, `+`, `m`), and white space is not taken: JSON and YAML
    /// values are trimmed before.
    ///
    /// # Errors
    ///
    /// [`QuantityError`], when the text is not a quantity or beyond what is read.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::Format);
        }
        if text.len() > MAX_TEXT_BYTES {
            return Err(QuantityError::TooLong { bytes: text.len() });
        }
        let parts = Parts::of(text)?;
        let (base, exponent, format) = interpret(parts.suffix).ok_or(QuantityError::Suffix)?;
        match Self::parse_int(&parts, exponent, format)? {
            Some(quantity) => Ok(quantity),
            None => Self::parse_dec(&parts, base, exponent, format),
        }
    }

    /// The fast path: few enough digits for a 64-bit integer.
    fn parse_int(
        parts: &Parts<'_>,
        exponent: i32,
        format: Format,
    ) -> Result<Option<Self>, QuantityError> {
        let digits = |part: &str| i32::try_from(part.len()).unwrap_or(i32::MAX);
        let (scale, precision, mantissa) = match format {
            Format::DecimalExponent | Format::DecimalSi => {
                (exponent, MAX_INT64_FACTORS - digits(parts.num) - digits(parts.denom), 1)
            }
            Format::BinarySi if parts.denom.is_empty() => {
                (0, 15 - digits(parts.num) - exponent * 3 / 10 - 1, 1_i64 << exponent)
            }
            Format::BinarySi => return Ok(None),
        };
        // Wraps as in Go: `1.5e-2147483648` is 15e2147483647 there, and too large here.
        let scale = scale.wrapping_sub(digits(parts.denom));
        if precision < 0 || scale < NANO {
            return Ok(None);
        }
        let mut value = 0_i64;
        for digit in parts.num.bytes().chain(parts.denom.bytes()) {
            value = value * 10 + i64::from(digit - b'0');
        }
        let Some(value) = value.checked_mul(mantissa) else {
            return Ok(None);
        };
        let integer_digits =
            value.checked_ilog10().map_or(0, |log| i64::from(log) + 1 + i64::from(scale));
        if integer_digits > MAX_INTEGER_DIGITS {
            return Err(QuantityError::TooLarge);
        }
        // Only a zero can have a scale beyond 16 bits here, and it stays a zero.
        let scale = i16::try_from(scale).unwrap_or_default();
        Ok(Some(Self::int(format, if parts.positive { value } else { -value }, scale)))
    }

    /// The way of all other numbers.
    fn parse_dec(
        parts: &Parts<'_>,
        base: u32,
        exponent: i32,
        format: Format,
    ) -> Result<Self, QuantityError> {
        if !parts.value.bytes().any(|byte| byte.is_ascii_digit()) {
            return Err(QuantityError::Numeric);
        }
        let mut unscaled = Big::from_digits(parts.value.bytes());
        let mut scale = i32::try_from(parts.denom.len()).unwrap_or(i32::MAX).wrapping_neg();
        if base == 10 {
            scale = scale.wrapping_add(exponent);
        } else {
            unscaled = unscaled.times_pow2(exponent.unsigned_abs());
        }
        if unscaled.is_zero() {
            // The scale of a zero says nothing; kept small, it costs no power of ten later.
            scale = scale.clamp(-1000, 1000);
        } else if base == 10 {
            let digits = parts.value.bytes().skip_while(|byte| !matches!(byte, b'1'..=b'9'));
            let digits = digits.filter(u8::is_ascii_digit).count();
            let integer_digits = i64::try_from(digits).unwrap_or(i64::MAX) + i64::from(scale);
            if integer_digits > MAX_INTEGER_DIGITS {
                return Err(QuantityError::TooLarge);
            }
        }
        let mut dec = Dec { unscaled, exponent: scale };
        let mut format = format;
        if !dec.unscaled.is_zero() {
            dec = dec.rounded_away(NANO);
        }
        if format == Format::BinarySi {
            let max = Dec { unscaled: Big::from(i64::MAX), exponent: 0 };
            if dec.cmp(&max) == Ordering::Greater {
                dec = max;
            }
            let one = Dec { unscaled: Big::from(1), exponent: 0 };
            if !dec.unscaled.is_zero() && dec.cmp(&one) == Ordering::Less {
                format = Format::DecimalSi;
            }
        }
        if !parts.positive {
            dec = dec.negated();
        }
        Ok(Self(Amount::Dec(format, Box::new(dec))))
    }

    /// `Quantity.Value`: a whole number, rounded up away from zero.
    ///
    /// Wraps or comes to 0 beyond 64 bits, as the original does.
    pub fn value(&self) -> i64 {
        self.scaled_value(0)
    }

    /// `Quantity.MilliValue`: thousandths, rounded up away from zero.
    ///
    /// Wraps or comes to 0 beyond 64 bits, as the original does.
    pub fn milli_value(&self) -> i64 {
        self.scaled_value(-3)
    }

    fn scaled_value(&self, scale: i16) -> i64 {
        match &self.0 {
            Amount::Int { exponent, value, .. } => {
                let places = u32::from(exponent.abs_diff(scale));
                if *exponent < scale {
                    scale_down(*value, places).0
                } else {
                    scale_up_wrapping(*value, places)
                }
            }
            Amount::Dec(_, dec) => dec.scaled_value(i32::from(scale)),
        }
    }

    /// `Quantity.RoundUp(Milli)`: rounded up to thousandths, away from zero.
    pub fn round_up_to_milli(&mut self) {
        const MILLI: i16 = -3;
        match &mut self.0 {
            Amount::Int { exponent, value, .. } if *exponent < MILLI => {
                *value = scale_down(*value, u32::from(exponent.abs_diff(MILLI))).0;
                *exponent = MILLI;
            }
            Amount::Int { .. } => {}
            Amount::Dec(_, dec) => **dec = std::mem::take(&mut **dec).rounded_away(MILLI.into()),
        }
    }

    /// Whether the quantity is zero.
    pub const fn is_zero(&self) -> bool {
        self.sign() == 0
    }

    /// `Quantity.Sign`: -1, 0 or 1.
    pub const fn sign(&self) -> i32 {
        match &self.0 {
            Amount::Int { value, .. } => match *value {
                0 => 0,
                1.. => 1,
                _ => -1,
            },
            Amount::Dec(_, dec) if dec.unscaled.is_zero() => 0,
            Amount::Dec(_, dec) if dec.unscaled.is_negative() => -1,
            Amount::Dec(..) => 1,
        }
    }

    const fn format(&self) -> Format {
        match &self.0 {
            Amount::Int { format, .. } | Amount::Dec(format, _) => *format,
        }
    }

    /// `Quantity.AsDec`, without changing the quantity.
    fn to_dec(&self) -> Dec {
        match &self.0 {
            Amount::Int { exponent, value, .. } => {
                Dec { unscaled: Big::from(*value), exponent: i32::from(*exponent) }
            }
            Amount::Dec(_, dec) => (**dec).clone(),
        }
    }

    /// `Quantity.Add`: the exact sum; a zero takes over the other's suffixes.
    pub fn add(&mut self, other: &Self) {
        self.add_signed(other, false);
    }

    /// `Quantity.Sub`: the exact difference; a zero takes over the other's suffixes.
    pub fn sub(&mut self, other: &Self) {
        self.add_signed(other, true);
    }

    fn add_signed(&mut self, other: &Self, negate: bool) {
        let format = if self.is_zero() { other.format() } else { self.format() };
        if let (
            Amount::Int { exponent, value, .. },
            Amount::Int { exponent: other_exponent, value: other_value, .. },
        ) = (&self.0, &other.0)
        {
            let other_value = if negate { other_value.wrapping_neg() } else { *other_value };
            let sum = add_ints((*value, *exponent), (other_value, *other_exponent));
            if let Some((value, exponent)) = sum {
                self.0 = Amount::Int { format, exponent, value };
                return;
            }
        }
        let addend = if negate { other.to_dec().negated() } else { other.to_dec() };
        self.0 = Amount::Dec(format, Box::new(self.to_dec().plus(&addend)));
    }

    /// The canonical form, or where that says less than is known (a power of ten beyond `E`), a longer one:
    /// [`parse`](Self::parse) makes the same number of it and, unless it is negative, the same
    /// [`value`](Self::value) beyond 64 bits.
    pub fn exact_text(&self) -> String {
        let canonical = self.to_string();
        if Self::parse(&canonical).is_ok_and(|again| {
            again == *self
                && again.value() == self.value()
                && again.milli_value() == self.milli_value()
        }) {
            return canonical;
        }
        let Dec { unscaled, exponent } = self.to_dec();
        format!("{}e{exponent}", unscaled.to_decimal())
    }

    /// The number without factors of ten, and their exponent; zero is (0, 0).
    fn normalized(&self) -> (Big, i32) {
        let dec = self.to_dec();
        if dec.unscaled.is_zero() {
            return (Big::default(), 0);
        }
        let (unscaled, times) = dec.unscaled.without_factors(10);
        (unscaled, dec.exponent + i32::from(times))
    }

    /// The digits and the exponent, a power of two or of ten, that the canonical form shows.
    fn canonical(&self) -> (String, Suffix) {
        let format = self.format();
        if format == Format::BinarySi
            && (*self <= Self::from_value(-1024) || *self >= Self::from_value(1024))
            && let Some(whole) = self.exact_whole()
        {
            let (digits, times) = whole.without_factors(1024);
            return (digits.to_decimal(), Suffix::Binary(times));
        }
        let (mut digits, mut exponent) = self.normalized();
        let surplus = exponent.rem_euclid(3);
        digits = digits.times_pow10(surplus.unsigned_abs());
        exponent -= surplus;
        let suffix = match format {
            Format::DecimalExponent => Suffix::Exponent(exponent),
            Format::BinarySi | Format::DecimalSi => Suffix::Decimal(exponent),
        };
        (digits.to_decimal(), suffix)
    }

    /// The number, if it is whole.
    fn exact_whole(&self) -> Option<Big> {
        let dec = self.to_dec();
        if dec.exponent >= 0 {
            return Some(dec.rescaled(0));
        }
        let (whole, inexact) = dec.unscaled.over_pow10(dec.exponent.unsigned_abs());
        (!inexact).then_some(whole)
    }
}

/// `int64Amount.Add`: value and exponent of the sum, or `None` when 64 bits do not hold it.
fn add_ints(a: (i64, i16), b: (i64, i16)) -> Option<(i64, i16)> {
    if b.0 == 0 {
        return Some(a);
    }
    if a.0 == 0 {
        return Some(b);
    }
    let exponent = a.1.min(b.1);
    let at_exponent = |(value, own): (i64, i16)| scale_up(value, u32::from(own.abs_diff(exponent)));
    Some((at_exponent(a)?.checked_add(at_exponent(b)?)?, exponent))
}

/// What the canonical form puts behind the digits.
enum Suffix {
    /// A power of 1024.
    Binary(u16),
    /// A power of ten as a letter.
    Decimal(i32),
    /// A power of ten in digits.
    Exponent(i32),
}

impl fmt::Display for Suffix {
    /// A power without a letter of its own is left out, as the original does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self {
            Self::Exponent(0) => "",
            Self::Exponent(exponent) => return write!(f, "e{exponent}"),
            Self::Binary(1) => "Ki",
            Self::Binary(2) => "Mi",
            Self::Binary(3) => "Gi",
            Self::Binary(4) => "Ti",
            Self::Binary(5) => "Pi",
            Self::Binary(6) => "Ei",
            Self::Decimal(-9) => "n",
            Self::Decimal(-6) => "u",
            Self::Decimal(-3) => "m",
            Self::Decimal(3) => "k",
            Self::Decimal(6) => "M",
            Self::Decimal(9) => "G",
            Self::Decimal(12) => "T",
            Self::Decimal(15) => "P",
            Self::Decimal(18) => "E",
            Self::Binary(_) | Self::Decimal(_) => "",
        };
        f.write_str(letter)
    }
}

impl fmt::Display for Quantity {
    /// The canonical form, `Quantity.CanonicalizeBytes`: no fraction, the greatest suffix that loses
    /// nothing.
    ///
    /// As in the original, a power of ten beyond `E` without an exponent in the text loses its
    /// suffix: 1 followed by 21 zeros prints as `1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.pad("0");
        }
        let (digits, suffix) = self.canonical();
        f.pad(&format!("{digits}{suffix}"))
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        Self::parse(text)
    }
}

impl Default for Quantity {
    /// Zero.
    fn default() -> Self {
        Self::from_value(0)
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (
            Amount::Int { exponent, value, .. },
            Amount::Int { exponent: other_exponent, value: other_value, .. },
        ) = (&self.0, &other.0)
        {
            let finer = *exponent.min(other_exponent);
            let ours = scale_up(*value, u32::from(exponent.abs_diff(finer)));
            let theirs = scale_up(*other_value, u32::from(other_exponent.abs_diff(finer)));
            if let (Some(ours), Some(theirs)) = (ours, theirs) {
                return ours.cmp(&theirs);
            }
        }
        self.sign().cmp(&other.sign()).then_with(|| self.to_dec().cmp(&other.to_dec()))
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Quantity {}

impl Hash for Quantity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (unscaled, exponent) = self.normalized();
        unscaled.is_negative().hash(state);
        unscaled.magnitude().hash(state);
        exponent.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_two_words_long() {
        assert_eq!(size_of::<Quantity>(), 16);
    }
}
