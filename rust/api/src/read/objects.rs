//! Objects out of a session, one after another.

use std::any::Any;
use std::borrow::Cow;
use std::{fmt, mem};

use indexmap::IndexMap;
use indexmap::map::Entry;

use super::ahead::What;
use super::error::{InputProblem, ReadError};
use super::kind::{Type, header, signs};
use super::session::{Session, Whose, skip};
use super::window::{MAX_OBJECT, Window};
use super::{Place, PodSink, Position};
use crate::json::{Decoder, Fault, Items, Problem};
use crate::object::{ObjectType, Visitor};
use crate::{Kind, ObjectKey, Objects, Pod, Str};

/// What was read before, by kind, namespace and name.
pub(super) type Seen = IndexMap<Identity, Seat>;

/// What makes an object the same, its UID aside.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    pub(super) kind: Kind,
    namespace: Str,
    name: Str,
}

impl From<ObjectKey> for Identity {
    fn from(key: ObjectKey) -> Self {
        Self { kind: key.kind, namespace: key.namespace, name: key.name }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, namespace, name } = self;
        ObjectKey::named(*kind, namespace.clone(), name.clone()).fmt(f)
    }
}

/// Where an object is kept, and where it was read.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    /// Index into the objects of its kind.
    pub(super) index: usize,
    pub(super) place: Place,
}

/// Pods on their way into a sink.
pub(super) struct Given<'g> {
    pub(super) sink: &'g mut (dyn PodSink + Send),
    /// How many there were.
    pub(super) count: usize,
    /// Those that wait for their priority, by number.
    pub(super) waiting: Vec<(usize, Pod)>,
}

impl Given<'_> {
    /// Takes the next pod and tells its number.
    fn take(&mut self, pod: Pod) -> usize {
        let number = self.count;
        self.count += 1;
        if pod.spec.priority.is_some() {
            self.sink.take(number, pod);
        } else {
            self.waiting.push((number, pod));
        }
        number
    }

    /// Whether the pod of that number equals `pod`.
    fn has(&self, number: usize, pod: &Pod) -> bool {
        match self.waiting.binary_search_by_key(&number, |(number, _)| *number) {
            Ok(at) => self.waiting.get(at).is_some_and(|(_, known)| known == pod),
            Err(_) => self.sink.has(number, pod),
        }
    }
}

/// One input on its way into the objects.
pub(super) struct ObjectSession<'o, 's, 'c> {
    pub(super) session: Session<'s, 'c>,
    pub(super) objects: &'o mut Objects,
    /// Where pods go instead, if they do.
    pub(super) given: Option<&'o mut Given<'c>>,
    pub(super) seen: &'o mut Seen,
}

/// What a list says about its items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    /// Nothing yet: its kind may follow.
    Unknown,
    /// `v1.List`, or a bare array: each item says what it is.
    Any,
    /// A typed list; the items need not say it again.
    Typed(Type),
}

impl Expected {
    fn of(api_version: Option<&[u8]>, kind: Option<&[u8]>) -> Self {
        match kind.and_then(|kind| kind.strip_suffix(b"List")) {
            None => Self::Unknown,
            Some(b"") => Self::Any,
            Some(item) => Self::Typed(Type::of(api_version, item)),
        }
    }
}

/// Items that do not state their kind, in a list that has not stated its own yet.
#[derive(Default)]
struct Loose {
    /// Kinds told by shape.
    guessed: Vec<Kind>,
    /// Items that wait for the list's kind, and how large they are.
    undecided: Vec<Undecided>,
    bytes: usize,
}

impl Loose {
    fn guess(&mut self, kind: Kind) {
        if !self.guessed.contains(&kind) {
            self.guessed.push(kind);
        }
    }
}

struct Undecided {
    bytes: Vec<u8>,
    position: Position,
    /// Line and column.
    at: (u64, u64),
}

/// What stood before a list's items.
pub(super) struct OwnHeader {
    api_version: Option<Vec<u8>>,
    kind: Option<Vec<u8>>,
}

/// How an object is to be read.
pub(super) enum Plan {
    /// A list; the decoder stands at the value of `items`.
    List { header: OwnHeader },
    /// A list without items.
    EmptyList,
    /// A single object.
    Object(Type),
    /// A single object that does not say what it is, but has fields that only this kind has.
    Guessed(Kind),
    /// A single object that does not say what it is.
    Undecided,
}

impl ObjectSession<'_, '_, '_> {
    /// Reads every value of the input and tells how many there were.
    pub(super) fn run(mut self) -> Result<u64, ReadError> {
        while let Some(first) = self.session.next_document()? {
            let mut loose = Loose::default();
            match first {
                b'[' => self.items(&Expected::Any, &mut loose, 0)?,
                _ => self.object(&Expected::Any, &mut loose, 0)?,
            }
        }
        Ok(self.session.position.document)
    }

    /// Reads the items of a list that is `level` lists deep in others, the decoder at its bracket.
    fn items(
        &mut self,
        expected: &Expected,
        loose: &mut Loose,
        level: usize,
    ) -> Result<(), ReadError> {
        self.session.begin_list()?;
        let mut index = 0;
        while self.session.next_item(level, index)? {
            self.object(expected, loose, level + 1)?;
            index += 1;
        }
        Ok(())
    }

    /// Reads an object or a list.
    fn object(
        &mut self,
        expected: &Expected,
        loose: &mut Loose,
        level: usize,
    ) -> Result<(), ReadError> {
        let window = &mut self.session.window;
        match window.take_found(expected) {
            Some((What::Kept { kind, guessed }, end)) => {
                if guessed {
                    loose.guess(kind);
                }
                return kind.accept(KeepFound(self, end));
            }
            Some((What::Other(name), end)) => {
                window.consume(end);
                self.count_skipped(name, 1);
                return Ok(());
            }
            None => window.learn(expected, &self.session.inputs.default_namespace),
        }
        match self.session.object_piece(|decoder| plan(decoder, expected))? {
            Plan::Object(Type::Kept(kind)) => kind.accept(ReadObject(self)),
            Plan::Object(Type::Other(name)) => {
                self.session.object_piece(skip)?;
                self.count_skipped(name, 1);
                Ok(())
            }
            Plan::Guessed(kind) => {
                loose.guess(kind);
                kind.accept(ReadObject(self))
            }
            Plan::Undecided => self.put_aside(expected, loose),
            Plan::EmptyList => self.session.piece(skip),
            Plan::List { header } if level < 2 => self.list(header, level),
            Plan::List { .. } => {
                let problem = Problem::Other("a list in a list in a list".to_owned());
                Err(self.session.invalid(0, InputProblem::Json(problem)))
            }
        }
    }

    fn count_skipped(&mut self, name: String, count: u64) {
        *self.objects.skipped.entry(Str::from(name)).or_default() += count;
    }

    /// Keeps an item of unknown kind until the kind of its list is read.
    fn put_aside(&mut self, expected: &Expected, loose: &mut Loose) -> Result<(), ReadError> {
        if *expected != Expected::Unknown {
            return Err(self.unknown_kind());
        }
        let ((), end) = self.session.attempt(Whose::Object(0, None), skip)?;
        let bytes = self.session.window.bytes().get(..end).unwrap_or_default().to_vec();
        loose.bytes += bytes.len();
        if loose.bytes > MAX_OBJECT {
            return Err(self.unknown_kind());
        }
        let at = self.session.window.here();
        loose.undecided.push(Undecided { bytes, position: self.session.position, at });
        self.session.window.consume(end);
        Ok(())
    }

    #[cold]
    fn unknown_kind(&mut self) -> ReadError {
        self.session.invalid_as(0, Whose::Object(0, None), InputProblem::UnknownKind)
    }

    /// Reads a list whose header ends where the decoder stands, at the value of `items`.
    fn list(&mut self, header: OwnHeader, level: usize) -> Result<(), ReadError> {
        let OwnHeader { mut api_version, mut kind } = header;
        let expected = Expected::of(api_version.as_deref(), kind.as_deref());
        let mut loose = Loose::default();
        if !self.session.piece(null)? {
            self.items(&expected, &mut loose, level)?;
        }
        // what stands behind the items
        while let Some(name) = self.session.piece(|decoder| {
            let name = decoder.next_member(&mut Items::after(1))?;
            Ok(name.map(Cow::into_owned))
        })? {
            match name.as_slice() {
                b"apiVersion" => api_version = self.name_of(b"apiVersion")?,
                b"kind" => kind = self.name_of(b"kind")?,
                b"items" => {
                    let problem = Problem::Other("a second list of items".to_owned());
                    return Err(self.session.invalid(0, InputProblem::Json(problem)));
                }
                _ => self.session.piece(skip)?,
            }
        }
        if expected == Expected::Unknown {
            let stated = Expected::of(api_version.as_deref(), kind.as_deref());
            let kind = kind.map(|kind| String::from_utf8_lossy(&kind).into_owned());
            self.decide(&stated, &kind.unwrap_or_default(), loose)?;
        }
        Ok(())
    }

    fn name_of(&mut self, name: &'static [u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.session.piece(|decoder| {
            let mut text = None;
            decoder
                .field_with(name, &mut text, |decoder| Ok(Some(decoder.text()?.into_owned())))?;
            Ok(text)
        })
    }

    /// Reads the items that waited for the list's kind.
    fn decide(&mut self, stated: &Expected, list: &str, loose: Loose) -> Result<(), ReadError> {
        if let Expected::Typed(item) = stated {
            let wrong = loose.guessed.iter().find(|&&kind| *item != Type::Kept(kind));
            if let Some(kind) = wrong {
                let (list, item) = (list.to_owned(), kind.name());
                return Err(self.session.invalid(0, InputProblem::ListKind { list, item }));
            }
        } else if *stated == Expected::Unknown && !list.is_empty() {
            let item = "something else";
            let list = list.to_owned();
            return Err(self.session.invalid(0, InputProblem::ListKind { list, item }));
        }
        let position = self.session.position;
        for undecided in loose.undecided {
            // read from its copy as from an input of its own, at the place where it stood
            let window = Window::at(undecided.bytes, undecided.at);
            let window = mem::replace(&mut self.session.window, window);
            self.session.position = undecided.position;
            self.session.refill()?;
            match stated {
                Expected::Typed(Type::Kept(kind)) => kind.accept(ReadObject(self))?,
                Expected::Typed(Type::Other(name)) => self.count_skipped(name.clone(), 1),
                Expected::Any | Expected::Unknown => return Err(self.unknown_kind()),
            }
            self.session.window = window;
        }
        self.session.position = position;
        Ok(())
    }

    /// Reads the object that comes next as a `T`.
    fn read_object<T: ObjectType>(&mut self) -> Result<(), ReadError> {
        let session = &mut self.session;
        let (mut object, end) = session.attempt(Whose::Object(0, Some(T::KIND)), T::decode)?;
        session.admit(0, &mut object)?;
        self.keep(object, end)
    }

    /// Keeps the object that comes next and ends so many bytes later.
    fn keep<T: ObjectType>(&mut self, mut object: T, end: usize) -> Result<(), ReadError> {
        let session = &mut self.session;
        let list = T::list_mut(self.objects);
        let place = Place { input: session.inputs.index(), position: session.position };
        let entry = self.seen.entry(ObjectKey::of(T::KIND, object.metadata()).into());
        let pod = (&mut object as &mut dyn Any).downcast_mut::<Pod>();
        match entry {
            Entry::Vacant(entry) => {
                let index = if let (Some(given), Some(pod)) = (&mut self.given, pod) {
                    given.take(mem::take(pod))
                } else {
                    list.push(object);
                    list.len() - 1
                };
                entry.insert(Seat { index, place });
            }
            Entry::Occupied(entry) => {
                let first = entry.get();
                let same = match (&self.given, pod) {
                    (Some(given), Some(pod)) => given.has(first.index, pod),
                    _ => list.get(first.index) == Some(&object),
                };
                if !same {
                    let input = first.place.input(session.inputs.names());
                    let position = first.place.position();
                    let space = if position.is_empty() { "" } else { " " };
                    let first = format!("{input}{space}{position}");
                    let mut error = session.invalid(0, InputProblem::Duplicate { first });
                    if let ReadError::Invalid(invalid) = &mut error {
                        invalid.object = entry.key().to_string();
                    }
                    return Err(error);
                }
            }
        }
        session.window.consume(end);
        Ok(())
    }
}

struct ReadObject<'a, 'o, 's, 'c>(&'a mut ObjectSession<'o, 's, 'c>);

impl Visitor for ReadObject<'_, '_, '_, '_> {
    type Output = Result<(), ReadError>;

    fn visit<T: ObjectType>(self) -> Self::Output {
        self.0.read_object::<T>()
    }
}

struct KeepFound<'a, 'o, 's, 'c>(&'a mut ObjectSession<'o, 's, 'c>, usize);

impl Visitor for KeepFound<'_, '_, '_, '_> {
    type Output = Result<(), ReadError>;

    fn visit<T: ObjectType>(self) -> Self::Output {
        let Self(session, end) = self;
        match session.session.window.take_object::<T>() {
            Some(object) => session.keep(object, end),
            None => session.read_object::<T>(),
        }
    }
}

/// Tells how to read the object at which the decoder stands, and leaves it there or, for a list, at the
/// value of `items`.
pub(super) fn plan(decoder: &mut Decoder<'_>, expected: &Expected) -> Result<Plan, Fault> {
    let start = decoder.offset();
    let header = header(decoder)?;
    if header.at_items {
        let header = OwnHeader {
            api_version: header.api_version.map(Cow::into_owned),
            kind: header.kind.map(Cow::into_owned),
        };
        return Ok(Plan::List { header });
    }
    let plan = if header.complete && header.is_list_kind() {
        Plan::EmptyList
    } else if let (Some(api_version), Some(kind)) = (&header.api_version, &header.kind) {
        Plan::Object(Type::of(Some(api_version), kind))
    } else {
        decoder.seek(start);
        let signs = signs(decoder)?;
        match (signs.kind, expected, signs.shape) {
            (Some(kind), _, _) => Plan::Object(Type::of(signs.api_version.as_deref(), &kind)),
            (None, Expected::Typed(item), _) => Plan::Object(item.clone()),
            (None, _, Some(kind)) => Plan::Guessed(kind),
            (None, _, None) => Plan::Undecided,
        }
    };
    decoder.seek(start);
    Ok(plan)
}

fn null(decoder: &mut Decoder<'_>) -> Result<bool, Fault> {
    decoder.null()
}
