//! `Quantity`: a fixed-point number with a suffix, as `resource.Quantity` reads and rounds it.

use std::cmp::Ordering;
use std::fmt;

/// A quantity.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quantity {
    nanos: i128,
}

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a quantity")]
pub struct QuantityError;

impl Quantity {
    /// A whole number.
    pub const fn from_value(value: i64) -> Self {
        Self { nanos: value as i128 * 1_000_000_000 }
    }

    /// A number of thousandths.
    pub const fn from_milli_value(value: i64) -> Self {
        Self { nanos: value as i128 * 1_000_000 }
    }

    /// Reads a quantity.
    ///
    /// # Errors
    /// The text is not a quantity.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, suffix) = text.split_at(end);
        let number: i128 = digits.parse().map_err(|_| QuantityError)?;
        let unit: i128 = match suffix {
            "" => 1_000_000_000,
            "m" => 1_000_000,
            "n" => 1,
            "Ki" => 1_000_000_000 << 10,
            "Mi" => 1_000_000_000 << 20,
            "Gi" => 1_000_000_000 << 30,
            _ => return Err(QuantityError),
        };
        Ok(Self { nanos: number * unit })
    }

    /// `Quantity.Value()`: rounded up to a whole number.
    pub fn value(&self) -> i64 {
        i64::try_from(-((-self.nanos).div_euclid(1_000_000_000))).unwrap_or(i64::MAX)
    }

    /// `Quantity.MilliValue()`: rounded up to a whole number of thousandths.
    pub fn milli_value(&self) -> i64 {
        i64::try_from(-((-self.nanos).div_euclid(1_000_000))).unwrap_or(i64::MAX)
    }

    /// Whether the quantity is zero.
    pub fn is_zero(&self) -> bool {
        self.nanos == 0
    }

    /// `Quantity.Add`: the exact sum.
    pub fn add(&mut self, other: &Self) {
        self.nanos += other.nanos;
    }

    /// `Quantity.Sub`: the exact difference.
    pub fn sub(&mut self, other: &Self) {
        self.nanos -= other.nanos;
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl std::hash::Hash for Quantity {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.nanos.hash(state);
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}n", self.nanos)
    }
}
