//! `Time`: a time stamp as RFC 3339 writes it and Go's `metav1.Time` reads it.

use std::fmt;
use std::str::FromStr;

const NANOS_PER_SECOND: i128 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// 0000-01-01T00:00:00Z in seconds since 1970.
const YEAR_0: i128 = -62_167_219_200;
/// 10000-01-01T00:00:00Z in seconds since 1970.
const YEAR_10_000: i128 = 253_402_300_800;
/// The offset `24:60` in seconds.
const MAX_OFFSET: i128 = 25 * 3_600;

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

impl Time {
    /// Reads `2006-01-02T15:04:05Z`, with a fraction of a second and an offset such as `+02:00` where there are any.
    ///
    /// Takes what `time.Parse(time.RFC3339, …)` of Go takes, which is a little more than RFC 3339: an hour of one digit,
    /// a comma before the fraction, offsets up to `24:60`. Digits beyond the ninth of a fraction are dropped.
    ///
    /// # Errors
    ///
    /// [`TimeError`], when the text is anything else, or names a day or a second that there is not.
    pub fn parse_rfc3339(text: &str) -> Result<Self, TimeError> {
        parse(text.as_bytes()).ok_or(TimeError)
    }
}

impl FromStr for Time {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        Self::parse_rfc3339(text)
    }
}

fn parse(text: &[u8]) -> Option<Time> {
    let (&[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T'], rest) = text.split_first_chunk()?
    else {
        return None;
    };
    let (year, month, day) = (number(&[y1, y2, y3, y4])?, number(&[m1, m2])?, number(&[d1, d2])?);
    let (hour, rest) = match rest {
        [h, b':', rest @ ..] => (number(&[*h])?, rest),
        [h1, h2, b':', rest @ ..] => (number(&[*h1, *h2])?, rest),
        _ => return None,
    };
    let [m1, m2, b':', s1, s2, rest @ ..] = rest else {
        return None;
    };
    let (minute, second) = (number(&[*m1, *m2])?, number(&[*s1, *s2])?);
    if !(1..=days_in(year, month)?).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (nanos, rest) = fraction(rest)?;
    let offset_minutes = match rest {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            if hours > 24 || minutes > 60 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let seconds = days_from_civil(year, month, day) * SECONDS_PER_DAY
        + hour * 3_600
        + (minute - offset_minutes) * 60
        + second;
    Some(Time { unix_nanos: i128::from(seconds) * NANOS_PER_SECOND + nanos })
}

/// Nanoseconds of a fraction, if there is one, and what comes after it.
fn fraction(text: &[u8]) -> Option<(i128, &[u8])> {
    let Some((b'.' | b',', digits)) = text.split_first() else {
        return Some((0, text));
    };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at_checked(count)?;
    let first_nine = (0..9).map(|place| digits.get(place).map_or(0, |digit| digit - b'0'));
    let nanos = first_nine.fold(0, |nanos, digit| nanos * 10 + i128::from(digit));
    (count > 0).then_some((nanos, rest))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
    })
}

fn days_in(year: i64, month: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(28 + i64::from(leap)),
        1..=12 => Some(31),
        _ => None,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar, years counted from March.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - 719_468
}

/// The inverse of [`days_from_civil`]: year, month and day.
const fn civil_from_days(days: i128) -> (i128, i128, i128) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

impl fmt::Display for Time {
    /// As RFC 3339, in UTC, with as many digits of a second as are needed (`time.RFC3339Nano` of Go); hours before the
    /// year 0 and after 9999, which only an offset can say, with that offset.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut seconds = self.unix_nanos.div_euclid(NANOS_PER_SECOND);
        let mut zone = "Z";
        if (YEAR_0 - MAX_OFFSET..YEAR_0).contains(&seconds) {
            (seconds, zone) = (seconds + MAX_OFFSET, "+24:60");
        } else if (YEAR_10_000..YEAR_10_000 + MAX_OFFSET).contains(&seconds) {
            (seconds, zone) = (seconds - MAX_OFFSET, "-24:60");
        }
        let nanos = self.unix_nanos.rem_euclid(NANOS_PER_SECOND);
        let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_PER_DAY.into()));
        let second = seconds.rem_euclid(SECONDS_PER_DAY.into());
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if nanos != 0 {
            let digits = format!("{nanos:09}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str(zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_printed_as_go_does() {
        let cases = [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
            ("1969-12-31T23:59:59.5Z", -500_000_000, "1969-12-31T23:59:59.5Z"),
            ("2000-02-29T12:34:56Z", 951_827_696_000_000_000, "2000-02-29T12:34:56Z"),
            ("2024-02-29T23:59:59+02:00", 1_709_243_999_000_000_000, "2024-02-29T21:59:59Z"),
            (
                "2026-01-13T18:38:02,123456789012Z",
                1_768_329_482_123_456_789,
                "2026-01-13T18:38:02.123456789Z",
            ),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000_000_000, "0001-01-01T00:00:00Z"),
            ("2023-01-01T1:00:00Z", 1_672_534_800_000_000_000, "2023-01-01T01:00:00Z"),
            ("2023-01-01T00:00:00-24:60", 1_672_621_200_000_000_000, "2023-01-02T01:00:00Z"),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000_000_000, "0000-01-01T00:00:00Z"),
            (
                "0000-01-01T00:00:00.5+00:01",
                -62_167_219_259_500_000_000,
                "0000-01-02T00:59:00.5+24:60",
            ),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000_000_000, "9999-12-31T23:59:59Z"),
            ("9999-12-31T23:59:59-24:60", 253_402_390_799_000_000_000, "9999-12-31T23:59:59-24:60"),
        ];
        for (text, nanos, printed) in cases {
            let time = Time::parse_rfc3339(text).unwrap();
            assert_eq!(time.unix_nanos, nanos, "{text}");
            assert_eq!(time.to_string(), printed);
            assert_eq!(printed.parse(), Ok(time));
        }
    }

    #[test]
    fn other_texts_are_not_times() {
        for text in [
            "",
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-00-01T00:00:00Z",
            "2023-04-31T00:00:00Z",
            "2023-04-00T00:00:00Z",
            "2023-01-01T24:00:00Z",
            "2023-01-01T00:00:60Z",
            "2023-01-01 00:00:00Z",
            "2023-01-01T00:00:00",
            "2023-01-01T00:00:00.Z",
            "2023-01-01T00:00:00z",
            "2023-01-01T00:00:00+0200",
            "2023-01-01T00:00:00+25:00",
            "2023-01-01T00:00:00+02:61",
            "2023-01-01T00:00:00ZZ",
            "+023-01-01T00:00:00Z",
            "2023-1-01T00:00:00Z",
            "2023-01-01T0:0:00Z",
        ] {
            assert_eq!(Time::parse_rfc3339(text), Err(TimeError), "{text}");
        }
    }
}
