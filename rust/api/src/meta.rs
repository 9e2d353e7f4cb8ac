//! `ObjectMeta`, owner references and time stamps.

use std::str::FromStr;

use crate::{Labels, Str};

/// `metav1.ObjectMeta`, as far as bayplan keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ObjectMeta {
    /// Name, unique in the namespace for one kind.
    pub name: Str,
    /// Namespace; empty for objects of the whole cluster.
    pub namespace: Str,
    /// The object's UID; empty when the dump has none.
    pub uid: Str,
    /// `resourceVersion`; opaque, empty when absent.
    pub resource_version: Str,
    /// `metadata.labels`.
    pub labels: Labels,
    /// `metadata.annotations`.
    pub annotations: Labels,
    /// `metadata.creationTimestamp`.
    pub creation_timestamp: Option<Time>,
    /// `metadata.deletionTimestamp`; set while the object is being deleted.
    pub deletion_timestamp: Option<Time>,
    /// `metadata.ownerReferences`.
    pub owner_references: Vec<OwnerReference>,
}

impl ObjectMeta {
    /// The owner that manages the object: the first one with `controller: true`.
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller)
    }
}

/// `metav1.OwnerReference`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct OwnerReference {
    /// API version of the owner, such as `apps/v1`.
    pub api_version: Str,
    /// Kind of the owner, such as `ReplicaSet`.
    pub kind: Str,
    /// Name of the owner.
    pub name: Str,
    /// UID of the owner.
    pub uid: Str,
    /// Whether the owner is the managing controller.
    pub controller: bool,
}

/// A point in time: an RFC 3339 stamp as nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Time {
    /// Nanoseconds since the Unix epoch, UTC.
    pub unix_nanos: i128,
}

/// A text that is not an RFC 3339 time stamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time such as 2006-01-02T15:04:05Z")]
pub struct TimeError;

impl FromStr for Time {
    type Err = TimeError;

    /// `2006-01-02T15:04:05Z`, with a fraction of a second and an offset such as `+02:00` where there are any.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        parse_time(text.as_bytes()).ok_or(TimeError)
    }
}

fn parse_time(text: &[u8]) -> Option<Time> {
    let (stamp, mut rest) = text.split_at_checked(19)?;
    let digits = |from: usize, count: usize| number(stamp.get(from..from + count)?);
    for (at, mark) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
        if stamp.get(at) != Some(&mark) {
            return None;
        }
    }
    let (year, month, day) = (digits(0, 4)?, digits(5, 2)?, digits(8, 2)?);
    let (hour, minute, second) = (digits(11, 2)?, digits(14, 2)?, digits(17, 2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut nanos = 0;
    if let Some((b'.' | b',', fraction)) = rest.split_first() {
        let count = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, after) = fraction.split_at_checked(count)?;
        if count == 0 {
            return None;
        }
        // digits beyond the ninth are below a nanosecond
        for place in 0..9 {
            nanos = nanos * 10 + fraction.get(place).map_or(0, |digit| i128::from(digit - b'0'));
        }
        rest = after;
    }
    let offset_minutes = match rest {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second
        - offset_minutes * 60;
    Some(Time { unix_nanos: i128::from(seconds) * 1_000_000_000 + nanos })
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
    })
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar, years counted from March.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_go_reads_rfc_3339() {
        let cases = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1969-12-31T23:59:59.5Z", Some(-500_000_000)),
            ("2000-02-29T12:34:56Z", Some(951_827_696_000_000_000)),
            ("2024-02-29T23:59:59+02:00", Some(1_709_243_999_000_000_000)),
            ("2026-01-13T18:38:02.123456789012Z", Some(1_768_329_482_123_456_789)),
            ("0001-01-01T00:00:00Z", Some(-62_135_596_800_000_000_000)),
            ("2023-02-29T00:00:00Z", None),
            ("2023-13-01T00:00:00Z", None),
            ("2023-04-31T00:00:00Z", None),
            ("2023-01-01T24:00:00Z", None),
            ("2023-01-01T00:00:60Z", None),
            ("2023-01-01 00:00:00Z", None),
            ("2023-01-01T00:00:00", None),
            ("2023-01-01T00:00:00.Z", None),
            ("2023-01-01T00:00:00z", None),
            ("2023-01-01T00:00:00+0200", None),
            ("2023-01-01T00:00:00ZZ", None),
            ("", None),
        ];
        for (text, nanos) in cases {
            let read = text.parse::<Time>().ok().map(|time| time.unix_nanos);
            assert_eq!(read, nanos, "{text}");
        }
    }
}
