//! Values as Go prints them, for errors in kube-scheduler's words.

use std::fmt::Write as _;

const HOUR: u64 = 3600 * SECOND;
const MINUTE: u64 = 60 * SECOND;
const SECOND: u64 = 1_000_000_000;
const MILLISECOND: u64 = 1_000_000;
const MICROSECOND: u64 = 1_000;

/// `text` as `%q` prints it.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            '\0'..='\x1f' | '\x7f' => write_escape(&mut out, "\\x", c, 2),
            ' '..='~' => out.push(c),
            // Rust writes an escape for what has no shape of its own, as Go does
            _ if c.escape_debug().len() == 1 => out.push(c),
            '\u{80}'..='\u{ffff}' => write_escape(&mut out, "\\u", c, 4),
            _ => write_escape(&mut out, "\\U", c, 8),
        }
    }
    out.push('"');
    out
}

/// `text` as `encoding/json` writes it.
pub(super) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1f' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                write_escape(&mut out, "\\u", c, 4);
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

fn write_escape(out: &mut String, prefix: &str, c: char, width: usize) {
    // writing to a String does not fail
    let _ = write!(out, "{prefix}{:0width$x}", u32::from(c));
}

/// A list of strings as `encoding/json` writes it; an absent list is `null`.
pub(super) fn json_list<S: AsRef<str>>(list: Option<&[S]>) -> String {
    list.map_or_else(
        || "null".to_owned(),
        |list| {
            let items: Vec<String> = list.iter().map(|item| json(item.as_ref())).collect();
            format!("[{}]", items.join(","))
        },
    )
}

/// A duration as `time.Duration` prints it: `1h0m30s`, `1.5s`, `15ms`, `0s`.
pub(super) fn duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let all = nanos.unsigned_abs();
    let decimal = |unit: u64, digits: usize, name: &str| {
        let fraction = format!("{:0digits$}", all % unit);
        let fraction = fraction.trim_end_matches('0');
        let dot = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{}{dot}{fraction}{name}", all / unit)
    };
    match all {
        0 => "0s".to_owned(),
        1..MICROSECOND => format!("{sign}{all}ns"),
        MICROSECOND..MILLISECOND => decimal(MICROSECOND, 3, "µs"),
        MILLISECOND..SECOND => decimal(MILLISECOND, 6, "ms"),
        SECOND..MINUTE => decimal(SECOND, 9, "s"),
        _ => {
            let (hours, minutes) = (all / HOUR, all % HOUR / MINUTE);
            let seconds = all % MINUTE;
            let fraction = format!("{:09}", seconds % SECOND);
            let fraction = fraction.trim_end_matches('0');
            let dot = if fraction.is_empty() { "" } else { "." };
            let hours = if hours == 0 { String::new() } else { format!("{hours}h") };
            format!("{sign}{hours}{minutes}m{}{dot}{fraction}s", seconds / SECOND)
        }
    }
}

/// The largest amount of nanoseconds, which only a negative duration may reach.
const LIMIT: u64 = 1 << 63;

/// A duration as `time.ParseDuration` reads it, in nanoseconds.
pub(super) fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut sum: u64 = 0;
    while !rest.is_empty() {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, after) = rest.split_at_checked(digits(rest))?;
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => after.split_at_checked(digits(after))?,
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let unit_len = after.bytes().take_while(|b| *b != b'.' && !b.is_ascii_digit()).count();
        let (unit, after) = after.split_at_checked(unit_len)?;
        let unit = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => MICROSECOND,
            "ms" => MILLISECOND,
            "s" => SECOND,
            "m" => MINUTE,
            "h" => HOUR,
            _ => return None,
        };
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        if whole > LIMIT / unit {
            return None;
        }
        let mut value = whole * unit;
        if !fraction.is_empty() {
            value = value.checked_add(fraction_of(fraction, unit))?;
        }
        sum = sum.checked_add(value)?;
        if value > LIMIT || sum > LIMIT {
            return None;
        }
        rest = after;
    }
    if negative {
        return 0_i64.checked_sub_unsigned(sum);
    }
    i64::try_from(sum).ok()
}

/// `0.fraction` of `unit`, cut to whole nanoseconds.
fn fraction_of(fraction: &str, unit: u64) -> u64 {
    let unit = u128::from(unit);
    let (mut value, mut scale) = (0_u128, 1_u128);
    // 19 digits are beyond what changes a nanosecond of an hour
    for digit in fraction.bytes().take(19) {
        value = value * 10 + u128::from(digit - b'0');
        scale *= 10;
    }
    u64::try_from(value * unit / scale).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print_as_go_does() {
        for (text, nanos, printed) in [
            ("15s", 15_000_000_000, "15s"),
            ("1h", 3_600_000_000_000, "1h0m0s"),
            ("1.5h", 5_400_000_000_000, "1h30m0s"),
            ("90s", 90_000_000_000, "1m30s"),
            ("-1ms", -1_000_000, "-1ms"),
            ("+2us", 2_000, "2µs"),
            ("1500ns", 1_500, "1.5µs"),
            ("0", 0, "0s"),
            ("-0", 0, "0s"),
            (".5s", 500_000_000, "500ms"),
            ("1.s", 1_000_000_000, "1s"),
            ("61.5s", 61_500_000_000, "1m1.5s"),
            ("-9223372036854775808ns", i64::MIN, "-2562047h47m16.854775808s"),
            ("9223372036854775807ns", i64::MAX, "2562047h47m16.854775807s"),
        ] {
            assert_eq!(parse_duration(text), Some(nanos), "{text}");
            assert_eq!(duration(nanos), printed, "{text}");
        }
        for text in
            ["", "1", "s", "-", "1x", "1 s", ".s", "9223372036854775808ns", "99999999999h", "1s-1s"]
        {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn strings_are_quoted_as_go_does() {
        assert_eq!(quote("a\"b\\\n\x01é\u{200b}\u{7f}"), r#""a\"b\\\n\x01é\u200b\x7f""#);
        assert_eq!(json("a<b>&\"\x01é"), r#""a\u003cb\u003e\u0026\"\u0001é""#);
        assert_eq!(json_list(Some(&["a", "b"])), r#"["a","b"]"#);
        assert_eq!(json_list::<&str>(None), "null");
    }
}
