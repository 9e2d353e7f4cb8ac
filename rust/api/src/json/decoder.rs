//! `Decoder`: values out of JSON text, straight into typed structs.

use std::borrow::Cow;

use super::fault::{Fault, Problem};
use super::scan::{self, MAX_DEPTH, Stop, Syntax};
use super::strings::Strings;
use crate::{Map, Quantity, Str, Time};

/// Reads one value after another out of JSON text.
#[derive(Debug)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    strings: &'a mut Strings,
}

/// A type that can be read from JSON.
///
/// Members are matched case-sensitively and unknown ones are passed over; `null` for a member leaves
/// it at its default; of equal names the last one counts.
pub trait Decode: Sized {
    /// Reads the value at which the decoder stands, and leaves it behind the value.
    ///
    /// # Errors
    /// The text is not JSON, or the value is not one of this type.
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault>;

    /// The same where the value is optional: some types also say "absent" by an empty string.
    ///
    /// # Errors
    /// As [`Decode::decode`].
    fn decode_optional(decoder: &mut Decoder<'_>) -> Result<Option<Self>, Fault> {
        Self::decode(decoder).map(Some)
    }
}

/// How far an object or array has been read.
#[derive(Debug)]
pub struct Items {
    first: bool,
}

/// Whether `text` is `name`: a few words compared in place, where a `match` calls `memcmp` for each arm.
#[inline]
pub fn is<const N: usize>(text: &[u8], name: &[u8; N]) -> bool {
    text.len() == N && text.first_chunk::<N>() == Some(name)
}

impl Items {
    /// Where `count` items are read already.
    pub(crate) const fn after(count: u64) -> Self {
        Self { first: count == 0 }
    }
}

/// Decodes the one value that `bytes` holds.
///
/// # Errors
/// The text is not JSON, the value is not a `T`, or there is more text after it.
pub fn from_slice<T: Decode>(bytes: &[u8]) -> Result<T, Fault> {
    let mut strings = Strings::new();
    let mut decoder = Decoder::new(bytes, &mut strings);
    decoder.space();
    let value = T::decode(&mut decoder)?;
    decoder.end()?;
    Ok(value)
}

impl<'a> Decoder<'a> {
    /// A decoder at the start of `bytes` that shares strings through `strings`.
    pub fn new(bytes: &'a [u8], strings: &'a mut Strings) -> Self {
        Self { bytes, at: 0, depth: 0, strings }
    }

    /// Offset of the next byte.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// The text that is read.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The next byte.
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Goes to another place in the text, between values.
    pub(crate) fn seek(&mut self, offset: usize) {
        self.at = offset;
        self.depth = 0;
    }

    /// Passes over white space.
    pub fn space(&mut self) {
        self.at = scan::space(self.bytes, self.at);
    }

    /// Passes over white space and demands that the text ends there.
    ///
    /// # Errors
    /// There is more text.
    pub fn end(&mut self) -> Result<(), Fault> {
        self.space();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.broken(Stop { at: self.at, why: Syntax::Trailing })),
        }
    }

    #[cold]
    fn broken(&self, stop: Stop) -> Fault {
        Fault::syntax(self.bytes, stop)
    }

    /// A fault of the value that starts at `offset`.
    #[cold]
    pub fn fault(&self, offset: usize, problem: Problem) -> Fault {
        Fault::at_value(self.bytes, offset, problem)
    }

    /// A fault: the value at which the decoder stands is not what was expected.
    #[cold]
    pub fn mismatch(&self, expected: &'static str) -> Fault {
        let found = match self.peek() {
            Some(b'"') => "a string",
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            Some(b'-' | b'0'..=b'9') => "a number",
            Some(_) => return self.broken(Stop { at: self.at, why: Syntax::Value }),
            None => return self.broken(Stop { at: self.at, why: Syntax::End }),
        };
        match scan::value(self.bytes, self.at, self.depth) {
            Ok(_) => self.fault(self.at, Problem::Type { expected, found }),
            Err(stop) => self.broken(stop),
        }
    }

    /// `value`, or the fault that the required member `name` of the object at `offset` is absent.
    ///
    /// # Errors
    /// There is no value.
    pub fn required<T>(
        &self,
        offset: usize,
        name: &'static [u8],
        value: Option<T>,
    ) -> Result<T, Fault> {
        value.ok_or_else(|| Fault::new(offset, Problem::Missing).in_field(name))
    }

    /// Passes over the value at which the decoder stands; its syntax is checked.
    ///
    /// # Errors
    /// The value is not JSON.
    #[inline]
    pub fn skip(&mut self) -> Result<(), Fault> {
        match scan::value(self.bytes, self.at, self.depth) {
            Ok(end) => {
                self.at = end;
                Ok(())
            }
            Err(stop) => Err(self.broken(stop)),
        }
    }

    /// The same for a value that must be an object.
    ///
    /// # Errors
    /// The value is not an object, or not JSON.
    pub fn skip_object(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'{') { self.skip() } else { Err(self.mismatch("an object")) }
    }

    /// Passes over `null`, if that is what comes next.
    ///
    /// # Errors
    /// Something that starts like `null` is not.
    #[inline]
    pub fn null(&mut self) -> Result<bool, Fault> {
        if self.peek() != Some(b'n') {
            return Ok(false);
        }
        match scan::word(self.bytes, self.at, b"null") {
            Ok(end) => {
                self.at = end;
                Ok(true)
            }
            Err(stop) => Err(self.broken(stop)),
        }
    }

    #[inline]
    fn begin(&mut self, open: u8, expected: &'static str) -> Result<Items, Fault> {
        if self.peek() != Some(open) {
            return Err(self.mismatch(expected));
        }
        if self.depth >= MAX_DEPTH {
            return Err(self.broken(Stop { at: self.at, why: Syntax::Depth }));
        }
        self.depth += 1;
        self.at = scan::space(self.bytes, self.at + 1);
        Ok(Items { first: true })
    }

    /// Enters an object.
    ///
    /// # Errors
    /// The next value is not an object.
    #[inline]
    pub fn begin_object(&mut self) -> Result<Items, Fault> {
        self.begin(b'{', "an object")
    }

    /// Enters a list.
    ///
    /// # Errors
    /// The next value is not a list.
    #[inline]
    pub fn begin_list(&mut self) -> Result<Items, Fault> {
        self.begin(b'[', "a list")
    }

    /// The name of the object's next member, the decoder at its value; `None` when the object is over.
    ///
    /// # Errors
    /// The text is not JSON.
    #[inline]
    pub fn next_member(&mut self, items: &mut Items) -> Result<Option<Cow<'a, [u8]>>, Fault> {
        self.try_next_member(items).map_err(|stop| self.broken(stop))
    }

    #[inline]
    fn try_next_member(&mut self, items: &mut Items) -> Result<Option<Cow<'a, [u8]>>, Stop> {
        let bytes = self.bytes;
        let mut at = scan::space(bytes, self.at);
        match bytes.get(at) {
            Some(b'}') => {
                self.at = at + 1;
                self.depth = self.depth.saturating_sub(1);
                return Ok(None);
            }
            Some(b',') if !items.first => at = scan::space(bytes, at + 1),
            Some(_) if items.first => {}
            Some(_) => return Err(Stop { at, why: Syntax::CommaOrBrace }),
            None => return Err(Stop { at, why: Syntax::End }),
        }
        items.first = false;
        match bytes.get(at) {
            Some(b'"') => {}
            Some(_) => return Err(Stop { at, why: Syntax::Key }),
            None => return Err(Stop { at, why: Syntax::End }),
        }
        let end = scan::string(bytes, at + 1)?;
        let name = if end.escaped {
            Cow::Owned(scan::unescape(bytes, at + 1, end.quote)?)
        } else {
            Cow::Borrowed(bytes.get(at + 1..end.quote).unwrap_or_default())
        };
        self.at = scan::colon(bytes, end.quote + 1)?;
        Ok(Some(name))
    }

    /// Whether the list has another element, the decoder at it.
    ///
    /// # Errors
    /// The text is not JSON.
    #[inline]
    pub fn next_element(&mut self, items: &mut Items) -> Result<bool, Fault> {
        let bytes = self.bytes;
        let at = scan::space(bytes, self.at);
        let why = match bytes.get(at) {
            Some(b']') => {
                self.at = at + 1;
                self.depth = self.depth.saturating_sub(1);
                return Ok(false);
            }
            Some(b',') if !items.first => {
                self.at = scan::space(bytes, at + 1);
                return Ok(true);
            }
            Some(_) if items.first => {
                items.first = false;
                self.at = at;
                return Ok(true);
            }
            Some(_) => Syntax::CommaOrBracket,
            None => Syntax::End,
        };
        Err(self.broken(Stop { at, why }))
    }

    /// Where the field `path` of the value that comes next stands, and its text as written, shortened. For a
    /// field that is absent, where the innermost object stands that would have it, and no text.
    pub(crate) fn find(&mut self, path: &str) -> (usize, String) {
        let mut place = self.at;
        for segment in super::fault::segments(path) {
            // what is not there, or no object, ends the search
            if !matches!(self.enter(segment), Ok(true)) {
                return (place, String::new());
            }
            place = self.at;
        }
        (place, super::fault::text_of(self.bytes, place))
    }

    /// Goes to a member or element; `false` when there is none.
    fn enter(&mut self, segment: &str) -> Result<bool, Fault> {
        if self.peek() == Some(b'[') {
            let mut items = self.begin_list()?;
            let mut left: usize = segment.parse().unwrap_or(usize::MAX);
            while self.next_element(&mut items)? {
                if left == 0 {
                    return Ok(true);
                }
                left -= 1;
                self.skip()?;
            }
            return Ok(false);
        }
        let mut items = self.begin_object()?;
        while let Some(name) = self.next_member(&mut items)? {
            if *name == *segment.as_bytes() {
                return Ok(true);
            }
            self.skip()?;
        }
        Ok(false)
    }

    /// The text of a string, borrowed where it has no escapes. It is valid UTF-8.
    ///
    /// # Errors
    /// The next value is not a string.
    #[inline]
    pub fn text(&mut self) -> Result<Cow<'a, [u8]>, Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.mismatch("a string"));
        }
        let start = self.at + 1;
        let end = match scan::string(self.bytes, start) {
            Ok(end) => end,
            Err(stop) => return Err(self.broken(stop)),
        };
        self.at = end.quote + 1;
        if end.escaped {
            match scan::unescape(self.bytes, start, end.quote) {
                Ok(text) => Ok(Cow::Owned(text)),
                Err(stop) => Err(self.broken(stop)),
            }
        } else {
            Ok(Cow::Borrowed(self.bytes.get(start..end.quote).unwrap_or_default()))
        }
    }

    /// A string that repeats in a dump: it is shared.
    ///
    /// # Errors
    /// The next value is not a string.
    #[inline]
    pub fn shared_string(&mut self) -> Result<Str, Fault> {
        let start = self.at;
        let text = self.text()?;
        self.share(start, &text)
    }

    fn share(&mut self, start: usize, text: &[u8]) -> Result<Str, Fault> {
        self.strings.get(text).ok_or_else(|| self.broken(Stop { at: start, why: Syntax::Utf8 }))
    }

    /// A string that hardly ever repeats, such as a UID.
    ///
    /// # Errors
    /// The next value is not a string.
    #[inline]
    pub fn unique_string(&mut self) -> Result<Str, Fault> {
        let start = self.at;
        let text = self.text()?;
        match std::str::from_utf8(&text) {
            Ok(text) => Ok(Str::from(text)),
            Err(_) => Err(self.broken(Stop { at: start, why: Syntax::Utf8 })),
        }
    }

    /// An integer, as Go's decoder reads one: without fraction or exponent.
    ///
    /// # Errors
    /// The next value is not an integer, or not between `least` and `most`.
    fn integer<T: TryFrom<i64>>(&mut self, expected: &'static str) -> Result<T, Fault> {
        let start = self.at;
        if !matches!(self.peek(), Some(b'-' | b'0'..=b'9')) {
            return Err(self.mismatch(expected));
        }
        let (end, integer) = scan::number(self.bytes, start).map_err(|stop| self.broken(stop))?;
        if !integer {
            let found = "a number with a fraction or an exponent";
            return Err(self.fault(start, Problem::Type { expected, found }));
        }
        self.at = end;
        let digits = self.bytes.get(start..end).unwrap_or_default();
        std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse::<i64>().ok())
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| self.fault(start, Problem::Range { expected }))
    }

    /// The text of a number or of a string, for types that are written either way.
    ///
    /// # Errors
    /// The next value is neither.
    pub fn number_or_text(&mut self, expected: &'static str) -> Result<Cow<'a, [u8]>, Fault> {
        match self.peek() {
            Some(b'"') => self.text(),
            Some(b'-' | b'0'..=b'9') => {
                let start = self.at;
                let (end, _) = scan::number(self.bytes, start).map_err(|stop| self.broken(stop))?;
                self.at = end;
                Ok(Cow::Borrowed(self.bytes.get(start..end).unwrap_or_default()))
            }
            _ => Err(self.mismatch(expected)),
        }
    }

    /// Reads the member `name` into `slot`; `null` makes it the default.
    ///
    /// # Errors
    /// The value does not fit; the fault carries `name`.
    #[inline]
    pub fn field<T: Decode + Default>(
        &mut self,
        name: &'static [u8],
        slot: &mut T,
    ) -> Result<(), Fault> {
        self.field_with(name, slot, T::decode)
    }

    /// The same with another way to read the value.
    ///
    /// # Errors
    /// The value does not fit; the fault carries `name`.
    #[inline]
    pub fn field_with<T: Default>(
        &mut self,
        name: &'static [u8],
        slot: &mut T,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<(), Fault> {
        let value = match self.null() {
            Ok(true) => Ok(T::default()),
            Ok(false) => read(self),
            Err(fault) => Err(fault),
        };
        match value {
            Ok(value) => {
                *slot = value;
                Ok(())
            }
            Err(fault) => Err(fault.in_field(name)),
        }
    }

    /// A list whose elements `read` reads.
    ///
    /// # Errors
    /// The next value is no list, or an element does not fit; the fault carries its index.
    #[inline]
    pub fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut list = Vec::new();
        let mut items = self.begin_list()?;
        while self.next_element(&mut items)? {
            match read(self) {
                Ok(element) => {
                    // most lists have one element, and a dump has a million lists
                    if list.is_empty() {
                        list.reserve_exact(1);
                    }
                    list.push(element);
                }
                Err(fault) => return Err(fault.in_index(list.len())),
            }
        }
        list.shrink_to_fit();
        Ok(list)
    }

    /// A map whose values `read` reads.
    ///
    /// # Errors
    /// The next value is no object, or a value does not fit; the fault carries its key.
    #[inline]
    pub fn map<V>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<V, Fault>,
    ) -> Result<Map<V>, Fault>
    where
        V: Default,
    {
        let mut entries = Vec::new();
        let mut items = self.begin_object()?;
        while let Some(key) = self.next_member(&mut items)? {
            let value = match self.null() {
                Ok(true) => Ok(V::default()),
                Ok(false) => read(self),
                Err(fault) => Err(fault),
            };
            match value {
                Ok(value) => entries.push((self.share(self.at, &key)?, value)),
                Err(fault) => return Err(fault.in_key(&key)),
            }
        }
        entries.shrink_to_fit();
        Ok(Map::from(entries))
    }
}

/// Reads the members of the object at which `$decoder` stands.
///
/// A target is `(place)`, `(unique place)` for strings that hardly ever repeat, `(with read, place)` and `(with read,
/// write, place)` for another form, `(always place)` for what is written also when it is empty, or `{ … }` for the
/// members of an object whose struct we do not have. Returns early with `?`.
#[macro_export]
macro_rules! members {
    ($decoder:ident, { $($name:literal => $target:tt),* $(,)? }) => {{
        let mut items = $decoder.begin_object()?;
        while let Some(name) = $decoder.next_member(&mut items)? {
            $(if $crate::json::is(&name, $name) {
                $crate::members!(@one $decoder, $name, $target);
            } else)* {
                $decoder.skip()?;
            }
        }
    }};
    (@one $decoder:ident, $name:literal, (unique $place:expr)) => {
        $decoder.field_with($name, &mut $place, $crate::json::Decoder::unique_string)?
    };
    (@one $decoder:ident, $name:literal, (always $place:expr)) => {
        $decoder.field($name, &mut $place)?
    };
    (@one $decoder:ident, $name:literal, (with $read:path, $write:path, $place:expr)) => {
        $decoder.field_with($name, &mut $place, $read)?
    };
    (@one $decoder:ident, $name:literal, (with $read:path, $place:expr)) => {
        $decoder.field_with($name, &mut $place, $read)?
    };
    (@one $decoder:ident, $name:literal, ($place:expr)) => {
        $decoder.field($name, &mut $place)?
    };
    (@one $decoder:ident, $name:literal, { $($inner:tt)* }) => {
        $decoder.field_with($name, &mut (), |$decoder: &mut $crate::json::Decoder<'_>| {
            $crate::members!($decoder, { $($inner)* });
            Ok(())
        })?
    };
}

/// Implements [`Decode`] for a struct with a default: `"name" => field`.
#[macro_export]
macro_rules! decode_struct {
    ($type:ty, $object:ident, { $($members:tt)* }) => {
        impl $crate::json::Decode for $type {
            fn decode(
                decoder: &mut $crate::json::Decoder<'_>,
            ) -> Result<Self, $crate::json::Fault> {
                let mut $object = Self::default();
                $crate::members!(decoder, { $($members)* });
                Ok($object)
            }
        }
    };
}

/// Implements [`Decode`] for an enum that the API writes as a string.
#[macro_export]
macro_rules! decode_enum {
    ($type:ty, $what:literal, { $($name:literal => $variant:ident),* $(,)? }) => {
        impl $crate::json::Decode for $type {
            fn decode(
                decoder: &mut $crate::json::Decoder<'_>,
            ) -> Result<Self, $crate::json::Fault> {
                let start = decoder.offset();
                let text = decoder.text()?;
                $(if $crate::json::is(&text, $name) {
                    return Ok(Self::$variant);
                })*
                Err(decoder.fault(start, $crate::json::Problem::Unknown {
                    what: $what,
                    expected: &[$($name),*],
                }))
            }

            fn decode_optional(
                decoder: &mut $crate::json::Decoder<'_>,
            ) -> Result<Option<Self>, $crate::json::Fault> {
                if decoder.empty_string() { Ok(None) } else { Self::decode(decoder).map(Some) }
            }
        }
    };
}

impl Decode for () {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        decoder.skip()
    }
}

impl Decode for Str {
    #[inline]
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        decoder.shared_string()
    }
}

impl Decode for bool {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let (value, word) = match decoder.peek() {
            Some(b't') => (true, b"true".as_slice()),
            Some(b'f') => (false, b"false".as_slice()),
            _ => return Err(decoder.mismatch("true or false")),
        };
        decoder.at =
            scan::word(decoder.bytes, decoder.at, word).map_err(|stop| decoder.broken(stop))?;
        Ok(value)
    }
}

impl Decode for i32 {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        decoder.integer("a 32-bit integer")
    }
}

impl Decode for i64 {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        decoder.integer("a 64-bit integer")
    }
}

impl Decode for Quantity {
    /// A string or a number, as `resource.Quantity` takes both.
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let start = decoder.at;
        let text = decoder.number_or_text("a quantity")?;
        std::str::from_utf8(&text)
            .map_err(|_| Problem::Syntax(Syntax::Utf8))
            .and_then(|text| Quantity::parse(text.trim()).map_err(Problem::Quantity))
            .map_err(|problem| decoder.fault(start, problem))
    }
}

impl Decode for Time {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let start = decoder.at;
        let text = decoder.text()?;
        std::str::from_utf8(&text)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| decoder.fault(start, Problem::Time))
    }
}

impl<T: Decode> Decode for Box<T> {
    #[inline]
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        T::decode(decoder).map(Self::new)
    }
}

impl<T: Decode> Decode for Option<T> {
    #[inline]
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        if decoder.null()? { Ok(None) } else { T::decode_optional(decoder) }
    }
}

impl<T: Decode> Decode for Vec<T> {
    #[inline]
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        decoder.list(T::decode)
    }
}

impl<V: Decode + Default> Decode for Map<V> {
    #[inline]
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        decoder.map(V::decode)
    }
}

impl Decoder<'_> {
    /// Passes over `""`, if that is what comes next: the API's other way to leave a name out.
    pub fn empty_string(&mut self) -> bool {
        let empty = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(b"\"\""));
        if empty {
            self.at += 2;
        }
        empty
    }
}
