//! The forms that names, keys and values must have.
//!
//! Follows `pkg/util/validation/validation.go` of `k8s.io/apimachinery` v0.34.1, byte by byte in place of its regular
//! expressions.

/// A rule that a text breaks, in words.
pub(super) type Form = Result<(), &'static str>;

const SUBDOMAIN: &str = "must be a subdomain as in RFC 1123: lower case letters, digits, '-' and '.', each part \
                         starting and ending with a letter or digit, such as 'example.com'";
const LABEL: &str = "must be a label as in RFC 1123: lower case letters, digits and '-', starting and ending with a \
                     letter or digit, such as 'my-name'";
const QUALIFIED: &str = "must be letters, digits, '-', '_' and '.', starting and ending with a letter or digit, such \
                         as 'MyName', after an optional DNS subdomain and '/', such as 'example.com/MyName'";
const VALUE: &str = "must be empty or letters, digits, '-', '_' and '.', starting and ending with a letter or digit, \
                     such as 'my_value'";

const fn is_dns(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// `[a-z0-9]([-a-z0-9]*[a-z0-9])?`, and dots between several of these.
fn is_subdomain(text: &[u8]) -> bool {
    // The byte before the first and after the last counts as a dot: labels start and end beside one.
    let mut before = b'.';
    for &byte in text {
        let fits = match byte {
            b'.' => is_dns(before),
            b'-' => is_dns(before) || before == b'-',
            _ => is_dns(byte),
        };
        if !fits {
            return false;
        }
        before = byte;
    }
    is_dns(before)
}

/// `IsDNS1123Subdomain`.
pub(super) fn dns1123_subdomain(text: &str) -> Form {
    match text.len() {
        0..=253 if is_subdomain(text.as_bytes()) => Ok(()),
        0..=253 => Err(SUBDOMAIN),
        _ => Err("must be no more than 253 bytes"),
    }
}

/// `IsDNS1123Label`.
pub(super) fn dns1123_label(text: &str) -> Form {
    match text.len() {
        0..=63 if !text.contains('.') && is_subdomain(text.as_bytes()) => Ok(()),
        0..=63 => Err(LABEL),
        _ => Err("must be no more than 63 bytes"),
    }
}

/// `([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]`.
fn is_name(text: &[u8]) -> bool {
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    ends(text.first())
        && ends(text.last())
        && text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// `IsQualifiedName`: of label keys, resources, scheduling gates.
pub(super) fn qualified_name(text: &str) -> Form {
    let name = match text.split_once('/') {
        None => text,
        Some((prefix, name)) => {
            if dns1123_subdomain(prefix).is_err() {
                return Err(QUALIFIED);
            }
            name
        }
    };
    match name.len() {
        0..=63 if is_name(name.as_bytes()) => Ok(()),
        0..=63 => Err(QUALIFIED),
        _ => Err("the part after '/' must be no more than 63 bytes"),
    }
}

/// `IsValidLabelValue`.
pub(super) fn label_value(text: &str) -> Form {
    match text.len() {
        0 => Ok(()),
        1..=63 if is_name(text.as_bytes()) => Ok(()),
        1..=63 => Err(VALUE),
        _ => Err("must be no more than 63 bytes"),
    }
}

/// `IsValidPathSegmentName`: what every name of an object must be at least.
pub(super) fn path_segment(text: &str) -> Form {
    if matches!(text, "." | "..") || text.contains(['/', '%']) {
        return Err("must not be '.' or '..' and must not have '/' or '%'");
    }
    Ok(())
}

/// `ParseCIDRSloppy`: an address and a prefix length; leading zeros in IPv4 are taken as decimal.
pub(super) fn cidr(text: &str) -> Option<std::net::IpAddr> {
    let (address, length) = text.split_once('/')?;
    let address: std::net::IpAddr = if address.contains(':') {
        address.parse().ok()?
    } else {
        let octets: Option<Vec<u8>> = address.split('.').map(decimal).collect();
        <[u8; 4]>::try_from(octets?).ok()?.into()
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    decimal(length).is_some_and(|length| length <= most).then_some(address)
}

/// Digits only, leading zeros allowed.
fn decimal(text: &str) -> Option<u8> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let significant = text.trim_start_matches('0');
    if digits && significant.is_empty() {
        Some(0)
    } else {
        digits.then(|| significant.parse().ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: fn(&str) -> Form, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(rule(text), Ok(()), "{text:?}");
        }
        for text in bad {
            assert!(rule(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn subdomains_are_labels_with_dots_between() {
        check(
            dns1123_subdomain,
            &["a", "0", "a-b", "a--b", "a.b", "1.2.3", "a-1.b-2", &"a".repeat(253), "a.b.c.d"],
            &[
                "",
                ".",
                "-",
                "a.",
                ".a",
                "a..b",
                "a.-b",
                "a-.b",
                "A",
                "a_b",
                "a b",
                "é",
                &"a".repeat(254),
                "a\n",
            ],
        );
    }

    #[test]
    fn labels_have_no_dots_and_63_bytes() {
        check(
            dns1123_label,
            &["a", "a-b", "0", &"a".repeat(63)],
            &["", "a.b", "-a", "a-", "A", &"a".repeat(64)],
        );
    }

    #[test]
    fn qualified_names_have_at_most_one_slash() {
        check(
            qualified_name,
            &["a", "A.b_c-D", "example.com/A", "1/2", "kubernetes.io/hostname", &"A".repeat(63)],
            &[
                "",
                "/",
                "a/",
                "/a",
                "a/b/c",
                "Example.com/a",
                "a b",
                "-a",
                "a-",
                "a/é",
                &"A".repeat(64),
            ],
        );
        let longest = format!("{}/{}", "a".repeat(253), "B".repeat(63));
        check(qualified_name, &[&longest], &[&format!("a{longest}"), &format!("{longest}B")]);
    }

    #[test]
    fn label_values_may_be_empty() {
        check(
            label_value,
            &["", "a", "A.b_c-D", "0", &"9".repeat(63)],
            &["-", "a/b", "a b", ".a", "a_", "é", &"9".repeat(64)],
        );
    }

    #[test]
    fn path_segments_stay_in_their_directory() {
        check(path_segment, &["a", "A_b", "...", "a b"], &[".", "..", "a/b", "%41"]);
    }

    #[test]
    fn cidrs_are_read_as_the_api_server_reads_old_fields() {
        for (text, good) in [
            ("10.0.0.0/8", true),
            ("010.000.0.0/08", true),
            ("10.244.1.7/24", true),
            ("fd00::/64", true),
            ("::1/128", true),
            ("10.0.0.0", false),
            ("10.0.0/8", false),
            ("10.0.0.256/8", false),
            ("10.0.0.0/33", false),
            ("fd00::/129", false),
            ("10.0.0.0/+8", false),
            ("10.0.0.0/", false),
            ("", false),
        ] {
            assert_eq!(cidr(text).is_some(), good, "{text}");
        }
    }
}
