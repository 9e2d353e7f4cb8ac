//! `Kept`: what no decision reads of a pod, packed into one allocation.
//!
//! A cluster has more pods than anything else, and as fields these would be most of what it takes in memory.

use std::fmt;

use bayplan_api::{Labels, PodPhase, Str, Time};

/// Fields that no decision reads, kept for reports and for the overlay network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptFields {
    /// `metadata.uid`; empty when the dump has none.
    pub uid: Str,
    /// `metadata.resourceVersion`.
    pub resource_version: Str,
    /// `metadata.annotations`.
    pub annotations: Labels,
    /// `metadata.creationTimestamp`.
    pub creation_timestamp: Option<Time>,
    /// `metadata.deletionTimestamp`.
    pub deletion_timestamp: Option<Time>,
    /// `spec.nodeName` of a pod that has finished.
    pub node_name: Str,
    /// `status.phase`.
    pub phase: PodPhase,
    /// `status.podIP` and `status.podIPs`.
    pub pod_ips: Vec<Str>,
    /// `status.hostIP`.
    pub host_ip: Str,
}

/// [`KeptFields`], packed: equal fields are equal bytes.
///
/// A text is its length and its bytes; a UID as the API server makes it is its 16 bytes; a number is written in seven
/// bits a byte, the lowest first.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept(Box<[u8]>);

impl From<&KeptFields> for Kept {
    fn from(fields: &KeptFields) -> Self {
        let KeptFields {
            uid,
            resource_version,
            annotations,
            creation_timestamp,
            deletion_timestamp,
            node_name,
            phase,
            pod_ips,
            host_ip,
        } = fields;
        let mut bytes = Vec::with_capacity(256);
        if let Some(uuid) = uuid(uid) {
            bytes.push(UUID);
            bytes.extend_from_slice(&uuid);
        } else {
            bytes.push(TEXT);
            put_text(&mut bytes, uid);
        }
        put_text(&mut bytes, resource_version);
        put_number(&mut bytes, annotations.len());
        for (key, value) in annotations.iter() {
            put_text(&mut bytes, key);
            put_text(&mut bytes, value);
        }
        put_time(&mut bytes, *creation_timestamp);
        put_time(&mut bytes, *deletion_timestamp);
        put_text(&mut bytes, node_name);
        bytes.push(match phase {
            PodPhase::Pending => 0,
            PodPhase::Running => 1,
            PodPhase::Succeeded => 2,
            PodPhase::Failed => 3,
            PodPhase::Unknown => 4,
        });
        put_number(&mut bytes, pod_ips.len());
        for ip in pod_ips {
            put_text(&mut bytes, ip);
        }
        put_text(&mut bytes, host_ip);
        Self(Box::from(bytes.as_slice()))
    }
}

impl Kept {
    /// The fields.
    pub fn fields(&self) -> KeptFields {
        let mut rest = Rest(&self.0);
        KeptFields {
            uid: rest.uid(),
            resource_version: rest.text(),
            annotations: (0..rest.number()).map(|_| (rest.text(), rest.text())).collect(),
            creation_timestamp: rest.time(),
            deletion_timestamp: rest.time(),
            node_name: rest.text(),
            phase: match rest.byte() {
                1 => PodPhase::Running,
                2 => PodPhase::Succeeded,
                3 => PodPhase::Failed,
                4 => PodPhase::Unknown,
                _ => PodPhase::Pending,
            },
            pod_ips: (0..rest.number()).map(|_| rest.text()).collect(),
            host_ip: rest.text(),
        }
    }

    /// `metadata.uid`; empty when the dump has none.
    pub fn uid(&self) -> Str {
        Rest(&self.0).uid()
    }

    /// Whether that is the UID.
    pub fn has_uid(&self, uid: &str) -> bool {
        let mut rest = Rest(&self.0);
        if rest.byte() == UUID {
            uuid(uid).is_some_and(|uuid| rest.0.starts_with(&uuid))
        } else {
            rest.bytes() == uid.as_bytes()
        }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields().fmt(f)
    }
}

/// How a UID is written.
const TEXT: u8 = 0;
const UUID: u8 = 1;

/// Offsets of the hyphens in the text of a UUID (RFC 9562, section 4).
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// The bytes of a UUID in lower case; `None` for any other text.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 16];
    let mut digits = 0_usize;
    for (at, &byte) in text.iter().enumerate() {
        if HYPHENS.contains(&at) {
            if byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        let slot = bytes.get_mut(digits / 2)?;
        *slot = *slot << 4 | digit;
        digits += 1;
    }
    Some(bytes)
}

fn put_number(bytes: &mut Vec<u8>, number: usize) {
    let mut rest = number;
    loop {
        let [low, ..] = rest.to_le_bytes();
        rest >>= 7;
        bytes.push(if rest == 0 { low & 0x7f } else { low | 0x80 });
        if rest == 0 {
            return;
        }
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_number(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// No time, 32 bits of seconds (until 2106), or all 128 bits of nanoseconds.
fn put_time(bytes: &mut Vec<u8>, time: Option<Time>) {
    let Some(Time { unix_nanos }) = time else {
        bytes.push(0);
        return;
    };
    match u32::try_from(unix_nanos / NANOS_PER_SECOND) {
        Ok(seconds) if unix_nanos % NANOS_PER_SECOND == 0 => {
            bytes.push(1);
            bytes.extend_from_slice(&seconds.to_le_bytes());
        }
        _ => {
            bytes.push(2);
            bytes.extend_from_slice(&unix_nanos.to_le_bytes());
        }
    }
}

/// What is not unpacked yet. Where it is too short, there is nothing.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn array<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk() {
            Some((array, rest)) => {
                self.0 = rest;
                *array
            }
            None => [0; N],
        }
    }

    fn byte(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    fn number(&mut self) -> usize {
        let mut number = 0;
        let mut shift = 0;
        loop {
            let byte = self.byte();
            number |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 || shift >= usize::BITS {
                return number;
            }
        }
    }

    fn bytes(&mut self) -> &'a [u8] {
        let length = self.number();
        let (bytes, rest) = self.0.split_at_checked(length).unwrap_or_default();
        self.0 = rest;
        bytes
    }

    fn text(&mut self) -> Str {
        std::str::from_utf8(self.bytes()).map(Str::from).unwrap_or_default()
    }

    fn uid(&mut self) -> Str {
        if self.byte() != UUID {
            return self.text();
        }
        let mut text = String::with_capacity(36);
        for byte in self.array::<16>() {
            if HYPHENS.contains(&text.len()) {
                text.push('-');
            }
            for digit in [byte >> 4, byte & 0xf] {
                text.extend(char::from_digit(digit.into(), 16));
            }
        }
        Str::from(text)
    }

    fn time(&mut self) -> Option<Time> {
        match self.byte() {
            1 => {
                let seconds = u32::from_le_bytes(self.array());
                Some(Time { unix_nanos: i128::from(seconds) * NANOS_PER_SECOND })
            }
            2 => Some(Time { unix_nanos: i128::from_le_bytes(self.array()) }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text() -> impl Strategy<Value = Str> {
        prop_oneof![Just(String::new()), "[a-zä]{1,9}", "[a-z]{120,140}"]
            .prop_map(|text| Str::from(text.as_str()))
    }

    fn uid() -> impl Strategy<Value = Str> {
        let uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
        let other = "[0-9a-fA-F]{8}[-0][0-9a-f]{4}-[0-9a-fg]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
        prop_oneof![uuid, other]
            .prop_map(|text| Str::from(text.as_str()))
            .boxed()
            .prop_union(text().boxed())
    }

    fn time() -> impl Strategy<Value = Option<Time>> {
        let nanos = prop_oneof![
            any::<u32>().prop_map(|seconds| i128::from(seconds) * NANOS_PER_SECOND),
            any::<i64>().prop_map(i128::from),
            any::<i128>(),
        ];
        prop::option::of(nanos.prop_map(|unix_nanos| Time { unix_nanos }))
    }

    fn fields() -> impl Strategy<Value = KeptFields> {
        let phases = [
            PodPhase::Pending,
            PodPhase::Running,
            PodPhase::Succeeded,
            PodPhase::Failed,
            PodPhase::Unknown,
        ];
        let metadata = (uid(), text(), prop::collection::vec((text(), text()), 0..4));
        let ips = prop::collection::vec(text(), 0..3);
        let rest = (text(), prop::sample::select(phases.to_vec()), ips, text());
        (metadata, time(), time(), rest).prop_map(|(metadata, created, deleted, rest)| {
            let (uid, resource_version, annotations) = metadata;
            let (node_name, phase, pod_ips, host_ip) = rest;
            KeptFields {
                uid,
                resource_version,
                annotations: annotations.into_iter().collect(),
                creation_timestamp: created,
                deletion_timestamp: deleted,
                node_name,
                phase,
                pod_ips,
                host_ip,
            }
        })
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(one in fields(), other in fields()) {
            let packed = Kept::from(&one);
            prop_assert_eq!(&packed.fields(), &one);
            prop_assert_eq!(&packed.uid(), &one.uid);
            prop_assert!(packed.has_uid(&one.uid));
            prop_assert_eq!(packed.has_uid(&other.uid), one.uid == other.uid);
            prop_assert_eq!(packed == Kept::from(&other), one == other);
        }
    }

    #[test]
    fn a_uid_of_the_api_server_takes_sixteen_bytes() {
        let uid = Str::from("d6241abf-f6fb-4280-a367-b12b40b212c8");
        let none = Kept::from(&KeptFields::default()).0.len();
        let some = Kept::from(&KeptFields { uid, ..KeptFields::default() }).0.len();
        assert_eq!(some, none + 15, "sixteen bytes instead of an empty text's length");
    }
}
