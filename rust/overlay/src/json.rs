//! JSON as Go's `encoding/json` fills a struct from it.
//!
//! Names match whatever their case, of two members for one field the last wins, unknown ones are
//! passed over, `null` leaves a field as it is. The syntax of the whole text is checked before any
//! field is looked at; of faults in fields, one of a type that reads itself (an address) is told
//! before one of a plain type, and of these the first.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bayplan_api::json::{Decoder, Strings};
use ipnet::{Ipv4Net, Ipv6Net};

use crate::error::{ConfigProblem, OverlayError};
use crate::text::push;

/// Longest value shown in an error, in characters.
const MAX_SHOWN: usize = 80;

/// A member of an object: its name without escapes, its value as written.
pub(crate) struct Member<'a> {
    pub(crate) name: Vec<u8>,
    pub(crate) value: &'a [u8],
}

/// What sort of value a text starts, in Go's words.
fn shape(value: &[u8]) -> &'static str {
    match value.first() {
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "bool",
        Some(b'n') => "null",
        _ => "number",
    }
}

/// A value as it is shown in an error.
pub(crate) fn shown(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let mut cut: String = text.chars().take(MAX_SHOWN).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

/// The members of the one object that `text` holds; none for `null`.
pub(crate) fn members<'a>(
    text: &'a [u8],
    field: &'static str,
) -> Result<Vec<Member<'a>>, OverlayError> {
    let mut strings = Strings::none();
    let mut decoder = Decoder::new(text, &mut strings);
    let syntax = |fault: bayplan_api::json::Fault| OverlayError::Syntax { field, fault };
    decoder.space();
    let start = decoder.offset();
    if decoder.peek() != Some(b'{') {
        decoder.skip().map_err(syntax)?;
        let value = text.get(start..decoder.offset()).unwrap_or_default();
        decoder.end().map_err(syntax)?;
        if shape(value) == "null" {
            return Ok(Vec::new());
        }
        return Err(type_problem(field, value, "object"));
    }
    let mut items = decoder.begin_object().map_err(syntax)?;
    let mut members = Vec::new();
    while let Some(name) = decoder.next_member(&mut items).map_err(syntax)? {
        let start = decoder.offset();
        decoder.skip().map_err(syntax)?;
        let value = text.get(start..decoder.offset()).unwrap_or_default();
        members.push(Member { name: name.into_owned(), value });
    }
    decoder.end().map_err(syntax)?;
    Ok(members)
}

fn type_problem(field: &'static str, value: &[u8], expected: &'static str) -> OverlayError {
    let problem = ConfigProblem::Type { found: shape(value), expected };
    OverlayError::Config { field, value: shown(value), problem }
}

/// Whether Go takes `name` for the field `field`: equal after folding case, where `ſ` is an `s` and
/// the Kelvin sign a `k`.
pub(crate) fn names(name: &[u8], field: &str) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return false };
    let fold = |c: char| match c {
        '\u{17f}' => 'S',
        '\u{212a}' => 'K',
        c => c.to_ascii_uppercase(),
    };
    name.chars().map(fold).eq(field.chars().map(fold))
}

/// The faults met while a struct is filled.
#[derive(Default)]
pub(crate) struct Faults(Option<OverlayError>);

impl Faults {
    /// Keeps the first fault of a plain type.
    fn keep(&mut self, fault: OverlayError) {
        self.0.get_or_insert(fault);
    }

    /// What stands after all members were read.
    pub(crate) fn done(self) -> Result<(), OverlayError> {
        self.0.map_or(Ok(()), Err)
    }

    /// A `uint` of Go.
    pub(crate) fn uint(&mut self, field: &'static str, value: &[u8], into: &mut u64) {
        self.plain(
            field,
            value,
            "uint",
            |text| {
                std::str::from_utf8(text)
                    .ok()
                    .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?
                    .parse()
                    .ok()
            },
            into,
        );
    }

    /// An `int` of Go.
    pub(crate) fn int(&mut self, field: &'static str, value: &[u8], into: &mut i64) {
        self.plain(field, value, "int", |text| std::str::from_utf8(text).ok()?.parse().ok(), into);
    }

    /// A `bool` of Go.
    pub(crate) fn bool(&mut self, field: &'static str, value: &[u8], into: &mut bool) {
        let read = |text: &[u8]| match text {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        };
        self.plain(field, value, "bool", read, into);
    }

    /// A `string` of Go.
    pub(crate) fn string(&mut self, field: &'static str, value: &[u8], into: &mut String) {
        self.plain(field, value, "string", string, into);
    }

    fn plain<T>(
        &mut self,
        field: &'static str,
        value: &[u8],
        expected: &'static str,
        read: impl Fn(&[u8]) -> Option<T>,
        into: &mut T,
    ) {
        if value == b"null" {
            return;
        }
        match read(value) {
            Some(read) => *into = read,
            None => self.keep(type_problem(field, value, expected)),
        }
    }
}

/// The text of a JSON string.
fn string(value: &[u8]) -> Option<String> {
    let mut strings = Strings::none();
    let mut decoder = Decoder::new(value, &mut strings);
    let text = decoder.text().ok()?;
    String::from_utf8(text.into_owned()).ok()
}

fn config(field: &'static str, value: &[u8], problem: ConfigProblem) -> OverlayError {
    OverlayError::Config { field, value: shown(value), problem }
}

/// A JSON value as flannel's address types see it: the text as written, quotes off, escapes not
/// undone.
fn address(value: &[u8]) -> &str {
    let trimmed = value.trim_ascii();
    let start = trimmed.iter().position(|&byte| byte != b'"').unwrap_or(trimmed.len());
    let end = trimmed.iter().rposition(|&byte| byte != b'"').map_or(start, |at| at + 1);
    std::str::from_utf8(trimmed.get(start..end).unwrap_or_default()).unwrap_or_default()
}

/// What flannel's `ip.ParseIP4` makes of a text; an IPv4-mapped IPv6 address is its IPv4 address.
pub(crate) fn parse_ipv4(text: &str) -> Result<Ipv4Addr, ConfigProblem> {
    match text.parse() {
        Ok(IpAddr::V4(address)) => Ok(address),
        Ok(IpAddr::V6(address)) => address.to_ipv4_mapped().ok_or(ConfigProblem::NotIpv4Address),
        Err(_) => Err(ConfigProblem::NotAddress),
    }
}

/// What flannel's `ip.ParseIP6` makes of a text; an IPv4 address is its IPv4-mapped IPv6 address.
pub(crate) fn parse_ipv6(text: &str) -> Result<Ipv6Addr, ConfigProblem> {
    match text.parse() {
        Ok(IpAddr::V4(address)) => Ok(address.to_ipv6_mapped()),
        Ok(IpAddr::V6(address)) => Ok(address),
        Err(_) => Err(ConfigProblem::NotAddress),
    }
}

/// Go's `net.ParseCIDR`: the address as written, and the prefix length.
pub(crate) fn parse_cidr(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = length.trim_start_matches('0');
    let length = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let bits = if address.is_ipv4() { 32 } else { 128 };
    (length <= bits).then_some((address, length))
}

/// A prefix of IPv4, host bits cleared, as `net.ParseCIDR` gives it.
///
/// flannel also takes an IPv4-mapped prefix such as `::ffff:10.0.0.0/112` and keeps the length of
/// 112, with which it then cannot work; here that is refused.
pub(crate) fn parse_ipv4_net(text: &str) -> Result<Ipv4Net, ConfigProblem> {
    match parse_cidr(text) {
        Some((IpAddr::V4(address), length)) => {
            Ipv4Net::new(address, length).map(|net| net.trunc()).map_err(|_| ConfigProblem::NotCidr)
        }
        Some(_) => Err(ConfigProblem::NotIpv4Cidr),
        None => Err(ConfigProblem::NotCidr),
    }
}

/// A prefix of IPv6, host bits cleared.
///
/// flannel's type takes an IPv4 prefix too, reads `10.0.0.0/8` as `::ffff:10.0.0.0/8` and goes
/// wrong with it; here that is refused.
pub(crate) fn parse_ipv6_net(text: &str) -> Result<Ipv6Net, ConfigProblem> {
    match parse_cidr(text) {
        Some((IpAddr::V6(address), length)) => {
            Ipv6Net::new(address, length).map(|net| net.trunc()).map_err(|_| ConfigProblem::NotCidr)
        }
        Some(_) => Err(ConfigProblem::NotIpv6Cidr),
        None => Err(ConfigProblem::NotCidr),
    }
}

/// Any prefix, host bits cleared.
pub(crate) fn parse_net(text: &str) -> Option<ipnet::IpNet> {
    let (address, length) = parse_cidr(text)?;
    ipnet::IpNet::new(address, length).ok().map(|net| net.trunc())
}

/// A field of type `ip.IP4`.
pub(crate) fn ipv4(field: &'static str, value: &[u8]) -> Result<Ipv4Addr, OverlayError> {
    parse_ipv4(address(value)).map_err(|problem| config(field, value, problem))
}

/// A field of type `*ip.IP6`: `null` is none.
pub(crate) fn ipv6(field: &'static str, value: &[u8]) -> Result<Option<Ipv6Addr>, OverlayError> {
    if value == b"null" {
        return Ok(None);
    }
    parse_ipv6(address(value)).map(Some).map_err(|problem| config(field, value, problem))
}

/// A field of type `ip.IP4Net`.
pub(crate) fn ipv4_net(field: &'static str, value: &[u8]) -> Result<Ipv4Net, OverlayError> {
    parse_ipv4_net(address(value)).map_err(|problem| config(field, value, problem))
}

/// A field of type `ip.IP6Net`.
pub(crate) fn ipv6_net(field: &'static str, value: &[u8]) -> Result<Ipv6Net, OverlayError> {
    parse_ipv6_net(address(value)).map_err(|problem| config(field, value, problem))
}

/// `text` as a JSON string, as Go writes it.
pub(crate) fn quoted(text: &str) -> String {
    let mut encoder = bayplan_api::json::Encoder::default();
    encoder.string(text);
    compact(&String::from_utf8_lossy(encoder.text()))
}

/// A JSON value without white space between its parts, and with what HTML would take for markup
/// escaped, as Go writes a raw value.
pub(crate) fn compact(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in value.chars() {
        match c {
            ' ' | '\t' | '\n' | '\r' if !in_string => continue,
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                push(&mut out, format_args!("\\u{:04x}", u32::from(c)));
                escaped = false;
                continue;
            }
            _ => out.push(c),
        }
        in_string ^= c == '"' && !escaped;
        escaped = c == '\\' && in_string && !escaped;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_in_any_case_and_with_the_two_letters_that_fold_to_ascii() {
        for name in ["Network", "network", "NETWORK", "nEtWoR\u{212a}"] {
            assert!(names(name.as_bytes(), "Network"), "{name}");
        }
        assert!(names("\u{17f}ubnetLen".as_bytes(), "SubnetLen"));
        assert!(!names(b"Networks", "Network"));
        assert!(!names(&[0xff], "Network"));
    }

    #[test]
    fn a_prefix_is_read_as_go_reads_it() {
        assert_eq!(parse_ipv4_net("10.3.7.9/016"), Ok("10.3.0.0/16".parse().unwrap()));
        for text in [
            "10.3.0.0",
            "10.3.0.0/",
            "10.3.0.0/33",
            "10.3.0.0/+8",
            "010.3.0.0/8",
            "10.3.0/8",
            "10.3.0.0/8/8",
            "fe80::1%a/64",
        ] {
            assert_eq!(parse_ipv4_net(text), Err(ConfigProblem::NotCidr), "{text}");
        }
        assert_eq!(parse_ipv4_net("fc00::/48"), Err(ConfigProblem::NotIpv4Cidr));
        assert_eq!(parse_ipv6_net("10.0.0.0/8"), Err(ConfigProblem::NotIpv6Cidr));
    }
}
