//! `Encoder`: typed structs as JSON text.

use crate::{Kind, Map, Quantity, Str, Time};

/// Writes JSON text, without white space, one value after another.
#[derive(Debug, Default)]
pub struct Encoder {
    text: Vec<u8>,
}

/// A type that can be written as JSON, so that [`Decode`](super::Decode) reads the same value again.
pub trait Encode {
    /// Writes the value.
    fn encode(&self, encoder: &mut Encoder);

    /// Whether a member with this value is left out, since its absence says the same.
    fn is_absent(&self) -> bool {
        false
    }
}

/// The text of `value`.
pub fn to_vec<T: Encode + ?Sized>(value: &T) -> Vec<u8> {
    let mut encoder = Encoder::default();
    value.encode(&mut encoder);
    encoder.text
}

impl Encoder {
    /// What has been written.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Forgets what has been written, to go on in the same memory.
    pub fn clear(&mut self) {
        self.text.clear();
    }

    /// A string.
    pub fn string(&mut self, string: &str) {
        self.text.push(b'"');
        let mut rest = string.as_bytes();
        let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..b' ');
        while let Some(at) = rest.iter().position(special)
            && let Some((plain, [byte, behind @ ..])) = rest.split_at_checked(at)
        {
            self.text.extend_from_slice(plain);
            match byte {
                b'"' | b'\\' => self.text.extend_from_slice(&[b'\\', *byte]),
                b'\n' => self.text.extend_from_slice(b"\\n"),
                b'\r' => self.text.extend_from_slice(b"\\r"),
                b'\t' => self.text.extend_from_slice(b"\\t"),
                _ => self.text.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            }
            rest = behind;
        }
        self.text.extend_from_slice(rest);
        self.text.push(b'"');
    }

    /// A string that needs no escapes.
    pub(crate) fn name(&mut self, name: &[u8]) {
        self.text.push(b'"');
        self.text.extend_from_slice(name);
        self.text.push(b'"');
    }

    /// What is JSON already.
    pub(crate) fn raw(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
    }

    /// An integer.
    pub fn integer(&mut self, integer: i64) {
        self.text.extend_from_slice(integer.to_string().as_bytes());
    }

    /// `null`.
    pub fn null(&mut self) {
        self.text.extend_from_slice(b"null");
    }

    /// A list whose elements `write` writes.
    pub fn list<T>(
        &mut self,
        elements: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.text.push(b'[');
        for (index, element) in elements.into_iter().enumerate() {
            if index > 0 {
                self.text.push(b',');
            }
            write(self, element);
        }
        self.text.push(b']');
    }

    /// An object whose members `write` writes.
    pub fn object(&mut self, write: impl FnOnce(&mut Members<'_>)) {
        self.text.push(b'{');
        write(&mut Members { encoder: self, empty: true });
        self.text.push(b'}');
    }
}

/// The members of an object, one after another.
#[derive(Debug)]
pub struct Members<'e> {
    encoder: &'e mut Encoder,
    empty: bool,
}

impl Members<'_> {
    /// The member `name`, unless its value is absent.
    pub fn member<T: Encode + ?Sized>(&mut self, name: &[u8], value: &T) {
        if !value.is_absent() {
            self.always(name, value);
        }
    }

    /// The member `name`, whatever its value is.
    pub fn always<T: Encode + ?Sized>(&mut self, name: &[u8], value: &T) {
        self.member_with(name, |encoder| value.encode(encoder));
    }

    /// The member `name`, which needs no escapes, and whose value `write` writes.
    pub fn member_with(&mut self, name: &[u8], write: impl FnOnce(&mut Encoder)) {
        self.comma();
        self.encoder.name(name);
        self.encoder.text.push(b':');
        write(self.encoder);
    }

    /// The member under `key`, which may be any text, whatever its value is.
    pub fn entry<T: Encode + ?Sized>(&mut self, key: &str, value: &T) {
        self.comma();
        self.encoder.string(key);
        self.encoder.text.push(b':');
        value.encode(self.encoder);
    }

    fn comma(&mut self) {
        if !self.empty {
            self.encoder.text.push(b',');
        }
        self.empty = false;
    }

    /// The member `name`, an object whose members `write` writes; nothing if there are none.
    pub fn group(&mut self, name: &[u8], write: impl FnOnce(&mut Members<'_>)) {
        let (end, empty) = (self.encoder.text.len(), self.empty);
        let mut none = true;
        self.member_with(name, |encoder| {
            encoder.object(|members| {
                write(members);
                none = members.empty;
            });
        });
        if none {
            self.encoder.text.truncate(end);
            self.empty = empty;
        }
    }

    /// `apiVersion` and `kind`.
    pub fn kind(&mut self, kind: Kind) {
        self.always(b"apiVersion", kind.api_version());
        self.always(b"kind", kind.name());
    }
}

/// Writes the members of an object: the other direction of [`members!`](macro@crate::members), with the same targets.
#[macro_export]
macro_rules! write_members {
    ($members:ident, { $($name:literal => $target:tt),* $(,)? }) => {{
        $($crate::write_members!(@one $members, $name, $target);)*
    }};
    (@one $members:ident, $name:literal, (unique $place:expr)) => {
        $members.member($name, &$place)
    };
    (@one $members:ident, $name:literal, (always $place:expr)) => {
        $members.always($name, &$place)
    };
    (@one $members:ident, $name:literal, (with $read:path, $write:path, $place:expr)) => {
        if !$crate::json::Encode::is_absent(&$place) {
            $members.member_with($name, |encoder| $write(encoder, &$place));
        }
    };
    (@one $members:ident, $name:literal, ($place:expr)) => {
        $members.member($name, &$place)
    };
    (@one $members:ident, $name:literal, { $($inner:tt)* }) => {
        $members.group($name, |$members| $crate::write_members!($members, { $($inner)* }))
    };
}

/// Implements [`Encode`] for a struct: `"name" => field`.
#[macro_export]
macro_rules! encode_struct {
    ($type:ty, $object:ident, { $($table:tt)* }) => {
        impl $crate::json::Encode for $type {
            fn encode(&self, encoder: &mut $crate::json::Encoder) {
                let $object = self;
                encoder.object(|members| $crate::write_members!(members, { $($table)* }));
            }
        }
    };
}

/// Implements [`Encode`] for the struct of a [`Kind`] of the same name.
#[macro_export]
macro_rules! encode_object {
    ($type:ident, $object:ident, { $($table:tt)* }) => {
        impl $crate::json::Encode for $type {
            fn encode(&self, encoder: &mut $crate::json::Encoder) {
                let $object = self;
                encoder.object(|members| {
                    members.kind($crate::Kind::$type);
                    $crate::write_members!(members, { $($table)* });
                });
            }
        }
    };
}

/// Implements both directions for a struct with a default.
#[macro_export]
macro_rules! json_struct {
    ($type:ty, $object:ident, $table:tt) => {
        $crate::decode_struct!($type, $object, $table);
        $crate::encode_struct!($type, $object, $table);
    };
}

/// Implements both directions for the struct of a [`Kind`] of the same name.
#[macro_export]
macro_rules! json_object {
    ($type:ident, $object:ident, $table:tt) => {
        $crate::decode_struct!($type, $object, $table);
        $crate::encode_object!($type, $object, $table);
    };
}

/// Implements both directions for an enum that the API writes as a string.
#[macro_export]
macro_rules! json_enum {
    ($type:ty, $what:literal, { $($name:literal => $variant:ident),* $(,)? }) => {
        $crate::decode_enum!($type, $what, { $($name => $variant),* });

        impl $crate::json::Encode for $type {
            fn encode(&self, encoder: &mut $crate::json::Encoder) {
                encoder.name(match self {
                    $(Self::$variant => $name,)*
                });
            }
        }
    };
}

impl Encode for str {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.string(self);
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Encode for Str {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.string(self);
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Encode for bool {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.text.extend_from_slice(if *self { b"true" } else { b"false" });
    }

    fn is_absent(&self) -> bool {
        !self
    }
}

impl Encode for i32 {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.integer((*self).into());
    }

    fn is_absent(&self) -> bool {
        *self == 0
    }
}

impl Encode for i64 {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.integer(*self);
    }

    fn is_absent(&self) -> bool {
        *self == 0
    }
}

impl Encode for Quantity {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.name(self.exact_text().as_bytes());
    }
}

impl Encode for Time {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.name(self.to_string().as_bytes());
    }
}

impl<T: Encode> Encode for Box<T> {
    fn encode(&self, encoder: &mut Encoder) {
        T::encode(self, encoder);
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, encoder: &mut Encoder) {
        match self {
            Some(value) => value.encode(encoder),
            None => encoder.null(),
        }
    }

    /// Only `None` is: an empty value is another thing than none.
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.list(self, |encoder, element| element.encode(encoder));
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<V: Encode> Encode for Map<V> {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.object(|members| {
            for (key, value) in self.iter() {
                members.entry(key, value);
            }
        });
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}
