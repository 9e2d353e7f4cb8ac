//! Events out of files, directories and streams.

use std::fmt;
use std::io::Read;
use std::path::Path;

use super::Place;
use super::error::{InputProblem, ReadError};
use super::inputs::Inputs;
use super::kind::{Type, describe, describe_text};
use super::objects::{Expected, Plan, plan};
use super::session::{Session, Whose};
use crate::defaults::PriorityClasses;
use crate::json::{Decode, Decoder, Fault, Problem};
use crate::object::{ObjectType, Visitor};
use crate::validation::validate_event;
use crate::{
    Event, Events, Kind, Map, Object, ObjectKey, ObjectMeta, PriorityClass, Quantity, ResourceList,
    Str, Taint, TaintEffect,
};

/// Gathers events from as many inputs as wanted, in the order in which they stand there.
///
/// An input is JSON or YAML, plain or packed by gzip or zstd, which its first bytes tell: events one after another, as
/// `kubectl get --watch --output-watch-events` prints them, or a bare array of them.
///
/// | `type` | members |
/// |---|---|
/// | `ADDED`, `MODIFIED` | `object` |
/// | `DELETED` | `object`, of which `kind` and `metadata` with a name or a UID are enough |
/// | `BOOKMARK` | anything: it is passed over |
/// | `ERROR` | `object`, a `Status`: reading ends with an error that says its message |
/// | `ASSUME`, `BIND` | `pod`: `namespace/name`, `name`, or an object with `namespace`, `name`, `uid`; `node`: its name |
/// | `FORGET` | `pod` |
/// | `CORDON`, `UNCORDON` | `node` |
/// | `LABEL` | `node`, `labels`: values by key, `null` to take the label away |
/// | `TAINT` | `node`, `taints`: a list with `key`, `value`, `effect` |
/// | `UNTAINT` | `node`, `key`, `effect` (all without it) |
/// | `RESIZE` | `node`, `allocatable`: quantities by resource |
///
/// Another member is an error. Objects are read as [`Reader`](crate::Reader) reads them: defaulted, validated, those of other
/// kinds counted and passed over. A pod without a priority gets that of its class, which must be [known](Self::knowing) or
/// come before it.
///
/// ```
/// use bayplan_api::{Event, EventReader};
///
/// let mut reader = EventReader::new();
/// reader.read_bytes("drain", br#"{"type": "CORDON", "node": "a"} {"type": "FORGET", "pod": "web-0"}"#)?;
/// let events = reader.finish()?.events;
/// assert_eq!(events[0], Event::Cordon { node: "a".into() });
/// assert_eq!(events[1].to_string(), "FORGET Pod default/web-0");
/// # Ok::<(), bayplan_api::ReadError>(())
/// ```
pub struct EventReader<'c> {
    inputs: Inputs<'c>,
    events: Events,
    classes: PriorityClasses,
}

impl fmt::Debug for EventReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventReader").field("inputs", &self.inputs.names()).finish_non_exhaustive()
    }
}

impl Default for EventReader<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'c> EventReader<'c> {
    /// A reader that has read nothing yet.
    pub fn new() -> Self {
        Self {
            inputs: Inputs::new(InputProblem::NoEvents),
            events: Events::default(),
            classes: PriorityClasses::default(),
        }
    }

    /// The same, asking `stop` every few milliseconds whether to give up.
    #[must_use]
    pub fn interrupted_by(mut self, stop: impl FnMut() -> bool + Send + 'c) -> Self {
        self.inputs.stop = Box::new(stop);
        self
    }

    /// The same, for a cluster that has these priority classes before the first event.
    #[must_use]
    pub fn knowing(mut self, priority_classes: &[PriorityClass]) -> Self {
        for class in priority_classes {
            self.classes.insert(class);
        }
        self
    }

    /// Reads a file, or every file of a directory as [`Reader::read_path`](crate::Reader::read_path) chooses and orders them.
    ///
    /// # Errors
    /// The file cannot be read, holds no events or invalid ones.
    pub fn read_path(&mut self, path: impl AsRef<Path>) -> Result<(), ReadError> {
        let Self { inputs, events, classes } = self;
        let result = inputs.read_path(path.as_ref(), &mut |session| {
            EventSession { session, events: &mut *events, classes: &mut *classes }.run()
        });
        self.done(result)
    }

    /// Reads `bytes`, which faults call `name`.
    ///
    /// # Errors
    /// The bytes hold no events or invalid ones.
    pub fn read_bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), ReadError> {
        self.read_stream(name, bytes)
    }

    /// Reads `stream` to its end; faults call it `name`.
    ///
    /// # Errors
    /// The stream fails, holds no events or invalid ones.
    pub fn read_stream(&mut self, name: &str, stream: impl Read) -> Result<(), ReadError> {
        let Self { inputs, events, classes } = self;
        let result = inputs.read_stream(name, stream, &mut |session| {
            EventSession { session, events: &mut *events, classes: &mut *classes }.run()
        });
        self.done(result)
    }

    /// All that was read.
    ///
    /// # Errors
    /// An earlier call failed.
    pub fn finish(mut self) -> Result<Events, ReadError> {
        self.inputs.whole()?;
        self.inputs.names().clone_into(&mut self.events.inputs);
        Ok(self.events)
    }

    fn done(&mut self, result: Result<(), ReadError>) -> Result<(), ReadError> {
        if result.is_err() {
            self.events = Events::default();
        }
        result
    }
}

/// What an event's `type` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EventType {
    Added,
    Modified,
    Deleted,
    Bookmark,
    Error,
    Assume,
    Forget,
    Bind,
    Cordon,
    Uncordon,
    Label,
    Taint,
    Untaint,
    Resize,
}

crate::decode_enum!(EventType, "event type", {
    b"ADDED" => Added,
    b"MODIFIED" => Modified,
    b"DELETED" => Deleted,
    b"BOOKMARK" => Bookmark,
    b"ERROR" => Error,
    b"ASSUME" => Assume,
    b"FORGET" => Forget,
    b"BIND" => Bind,
    b"CORDON" => Cordon,
    b"UNCORDON" => Uncordon,
    b"LABEL" => Label,
    b"TAINT" => Taint,
    b"UNTAINT" => Untaint,
    b"RESIZE" => Resize,
});

/// The members that events have; [`Outline`] knows each by its index.
const MEMBERS: [&[u8]; 9] =
    [b"type", b"object", b"pod", b"node", b"labels", b"taints", b"key", b"effect", b"allocatable"];

impl EventType {
    /// Its members besides `type`.
    const fn members(self) -> &'static [&'static [u8]] {
        match self {
            Self::Added | Self::Modified | Self::Deleted | Self::Bookmark | Self::Error => {
                &[b"object"]
            }
            Self::Assume | Self::Bind => &[b"pod", b"node"],
            Self::Forget => &[b"pod"],
            Self::Cordon | Self::Uncordon => &[b"node"],
            Self::Label => &[b"node", b"labels"],
            Self::Taint => &[b"node", b"taints"],
            Self::Untaint => &[b"node", b"key", b"effect"],
            Self::Resize => &[b"node", b"allocatable"],
        }
    }
}

/// Where the values of an event's members stand, from the window's start.
#[derive(Debug, Default)]
struct Outline {
    start: usize,
    members: [Option<usize>; MEMBERS.len()],
    /// The first member that no event has, or that is there for the second time.
    odd: Option<(Vec<u8>, usize)>,
}

impl Outline {
    /// Reads the event at which the decoder stands as far as to know its members.
    fn read(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let mut outline = Self { start: decoder.offset(), ..Self::default() };
        let mut items = decoder.begin_object()?;
        while let Some(name) = decoder.next_member(&mut items)? {
            let at = decoder.offset();
            let slot = MEMBERS
                .iter()
                .position(|member| *member == &*name)
                .and_then(|index| outline.members.get_mut(index));
            match slot {
                Some(slot @ None) => *slot = Some(at),
                Some(Some(_)) | None if outline.odd.is_none() => {
                    outline.odd = Some((name.into_owned(), at));
                }
                Some(Some(_)) | None => {}
            }
            decoder.skip()?;
        }
        Ok(outline)
    }

    fn get(&self, name: &[u8]) -> Option<usize> {
        let index = MEMBERS.iter().position(|member| *member == name)?;
        self.members.get(index).copied().flatten()
    }

    /// The first member that an event of this type has not, or has but once.
    fn unwanted(&self, event_type: EventType) -> Option<(&[u8], usize)> {
        let wanted = event_type.members();
        let of_others = MEMBERS.iter().zip(self.members).filter_map(|(name, at)| {
            let unwanted = *name != b"type" && !wanted.contains(name);
            at.filter(|_| unwanted).map(|at| (*name, at))
        });
        let odd = self.odd.as_ref().map(|(name, at)| (name.as_slice(), *at));
        of_others.chain(odd).min_by_key(|(_, at)| *at)
    }
}

/// One input on its way into the events.
struct EventSession<'e, 's, 'c> {
    session: Session<'s, 'c>,
    events: &'e mut Events,
    classes: &'e mut PriorityClasses,
}

impl EventSession<'_, '_, '_> {
    /// Reads every value of the input and tells how many there were.
    fn run(mut self) -> Result<u64, ReadError> {
        while let Some(first) = self.session.next_document()? {
            if first != b'[' {
                self.event()?;
                continue;
            }
            self.session.begin_list()?;
            let mut index = 0;
            while self.session.next_item(0, index)? {
                self.event()?;
                index += 1;
            }
        }
        Ok(self.session.position.document)
    }

    /// Reads the event that comes next.
    fn event(&mut self) -> Result<(), ReadError> {
        // from here on the whole event is in the window
        let (outline, end) = self.session.attempt(Whose::Event, Outline::read)?;
        let event_type: EventType = self.required(&outline, b"type")?;
        if event_type != EventType::Bookmark {
            self.check_members(&outline, event_type)?;
            if let Some(event) = self.decode(&outline, event_type)? {
                self.events.events.push(event);
                let input = self.session.inputs.index();
                self.events.places.push(Place { input, position: self.session.position });
            }
        }
        self.session.window.consume(end);
        Ok(())
    }

    fn check_members(&mut self, outline: &Outline, event_type: EventType) -> Result<(), ReadError> {
        let Some((name, at)) = outline.unwanted(event_type) else { return Ok(()) };
        let problem = if outline.get(name).is_some_and(|first| first != at) {
            Problem::Other("the second member of this name".to_owned())
        } else {
            Problem::Unknown { what: "member", expected: event_type.members() }
        };
        let fault = Fault::at_value(self.session.window.bytes(), at, problem);
        Err(self.session.locate(&fault.in_unknown_field(name), Whose::Event))
    }

    /// Decodes the member `name`, if it is there and not null.
    fn optional<T: Decode>(
        &mut self,
        outline: &Outline,
        name: &'static [u8],
    ) -> Result<Option<T>, ReadError> {
        let Some(at) = outline.get(name) else { return Ok(None) };
        self.decode_at(at, Whose::Event, |decoder| {
            let mut value = None;
            decoder.field(name, &mut value)?;
            Ok(value)
        })
    }

    fn required<T: Decode>(
        &mut self,
        outline: &Outline,
        name: &'static [u8],
    ) -> Result<T, ReadError> {
        if let Some(value) = self.optional(outline, name)? {
            return Ok(value);
        }
        let fault = Fault::new(outline.start, Problem::Missing).in_field(name);
        Err(self.session.locate(&fault, Whose::Event))
    }

    /// Runs `read` on the text from `at` on, which is whole.
    fn decode_at<T>(
        &mut self,
        at: usize,
        whose: Whose,
        read: impl FnOnce(&mut Decoder<'_>) -> Result<T, Fault>,
    ) -> Result<T, ReadError> {
        let Session { window, inputs, .. } = &mut self.session;
        let mut decoder = Decoder::new(window.bytes(), &mut inputs.strings);
        decoder.seek(at);
        read(&mut decoder).map_err(|fault| self.session.locate(&fault, whose))
    }

    /// The event; `None` if it is about an object of a kind that is not kept.
    fn decode(
        &mut self,
        outline: &Outline,
        event_type: EventType,
    ) -> Result<Option<Event>, ReadError> {
        let event = match event_type {
            EventType::Added | EventType::Modified | EventType::Deleted => {
                return self.change(outline, event_type);
            }
            EventType::Error => return Err(self.watch_error(outline)?),
            EventType::Bookmark => return Ok(None),
            EventType::Assume => {
                Event::Assume { pod: self.pod(outline)?, node: self.required(outline, b"node")? }
            }
            EventType::Forget => Event::Forget { pod: self.pod(outline)? },
            EventType::Bind => {
                Event::Bind { pod: self.pod(outline)?, node: self.required(outline, b"node")? }
            }
            EventType::Cordon => Event::Cordon { node: self.required(outline, b"node")? },
            EventType::Uncordon => Event::Uncordon { node: self.required(outline, b"node")? },
            EventType::Label => Event::Label {
                node: self.required(outline, b"node")?,
                labels: self.required(outline, b"labels")?,
            },
            EventType::Taint => Event::Taint {
                node: self.required(outline, b"node")?,
                taints: self.required::<Vec<Taint>>(outline, b"taints")?,
            },
            EventType::Untaint => Event::Untaint {
                node: self.required(outline, b"node")?,
                key: self.required(outline, b"key")?,
                effect: self.optional::<TaintEffect>(outline, b"effect")?,
            },
            EventType::Resize => Event::Resize {
                node: self.required(outline, b"node")?,
                allocatable: self.required::<Amounts>(outline, b"allocatable")?.0,
            },
        };
        self.check(outline.start, event).map(Some)
    }

    /// `event`, whose members are found from `start` on, if it obeys the rules.
    fn check(&mut self, start: usize, event: Event) -> Result<Event, ReadError> {
        match validate_event(&event) {
            Ok(()) => Ok(event),
            Err(error) => {
                let object = match &event {
                    Event::Deleted(key) => key.to_string(),
                    other => name_event(other.name()),
                };
                Err(self.session.refused(start, object, &error))
            }
        }
    }

    fn pod(&mut self, outline: &Outline) -> Result<ObjectKey, ReadError> {
        let PodName { mut namespace, name, uid } = self.required(outline, b"pod")?;
        if namespace.is_empty() && !name.is_empty() {
            namespace = self.session.inputs.default_namespace.clone();
        }
        Ok(ObjectKey { uid, ..ObjectKey::named(Kind::Pod, namespace, name) })
    }

    /// The error that the watch's last event tells.
    fn watch_error(&mut self, outline: &Outline) -> Result<ReadError, ReadError> {
        let Status { message, reason } = self.required(outline, b"object")?;
        let said = [&*message, &*reason].into_iter().find(|said| !said.is_empty());
        let message = said.unwrap_or("the API server gave no reason").to_owned();
        let problem = InputProblem::Watch { message };
        Ok(self.session.invalid_as(outline.start, Whose::Event, problem))
    }

    /// An event that carries an object.
    fn change(
        &mut self,
        outline: &Outline,
        event_type: EventType,
    ) -> Result<Option<Event>, ReadError> {
        let at: usize = match outline.get(b"object") {
            Some(at) => at,
            None => return self.required(outline, b"object").map(|()| None),
        };
        let plan = self.decode_at(at, Whose::Event, |decoder| {
            plan(decoder, &Expected::Any).map_err(|fault| fault.in_field(b"object"))
        })?;
        let kind = match plan {
            Plan::Object(Type::Kept(kind)) | Plan::Guessed(kind) => kind,
            Plan::Object(Type::Other(name)) => {
                *self.events.skipped.entry(Str::from(name)).or_default() += 1;
                return Ok(None);
            }
            Plan::List { .. } | Plan::EmptyList => {
                let problem = Problem::Other("a list in an event".to_owned());
                let problem = InputProblem::Json(problem);
                return Err(self.session.invalid_as(at, Whose::Event, problem));
            }
            Plan::Undecided => {
                let problem = InputProblem::UnknownKind;
                return Err(self.session.invalid_as(at, Whose::Event, problem));
            }
        };
        if event_type == EventType::Deleted {
            return self.deleted(at, kind).map(Some);
        }
        let mut object = kind.accept(ReadObject { session: self, at })?;
        if let Object::PriorityClass(class) = &object {
            self.classes.insert(class);
        }
        if let Object::Pod(pod) = &mut object
            && self.classes.resolve(pod).is_err()
        {
            let (object, path) = (object.to_string(), "spec.priorityClassName");
            let problem = InputProblem::UnknownPriorityClass;
            return Err(self.session.invalid_field(at, object, path, problem));
        }
        Ok(Some(match event_type {
            EventType::Modified => Event::Modified(object),
            _ => Event::Added(object),
        }))
    }

    /// That the object at `at` is gone, of which no more than its name need be there.
    fn deleted(&mut self, at: usize, kind: Kind) -> Result<Event, ReadError> {
        let whose = Whose::Object(at, Some(kind));
        let Named { metadata } = self.decode_at(at, whose, Named::decode)?;
        let mut key = ObjectKey::of(kind, &metadata);
        if kind.is_namespaced() && key.namespace.is_empty() && !key.name.is_empty() {
            key.namespace = self.session.inputs.default_namespace.clone();
        }
        if kind == Kind::PriorityClass {
            self.classes.remove(&key.name, &key.uid);
        }
        self.check(at, Event::Deleted(key))
    }
}

struct ReadObject<'a, 'e, 's, 'c> {
    session: &'a mut EventSession<'e, 's, 'c>,
    /// Where the object starts, from the window's start.
    at: usize,
}

impl Visitor for ReadObject<'_, '_, '_, '_> {
    type Output = Result<Object, ReadError>;

    fn visit<T: ObjectType>(self) -> Self::Output {
        let Self { session, at } = self;
        let mut object = session.decode_at(at, Whose::Object(at, Some(T::KIND)), T::decode)?;
        session.session.admit(at, &mut object)?;
        Ok(object.into_object())
    }
}

/// A pod by name or UID: `namespace/name`, `name`, or an object.
#[derive(Debug, Default)]
struct PodName {
    namespace: Str,
    name: Str,
    uid: Str,
}

impl Decode for PodName {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let mut pod = Self::default();
        let start = decoder.offset();
        match decoder.peek() {
            Some(b'"') => {
                let text = decoder.unique_string()?;
                let (namespace, name) = match text.split_once('/') {
                    Some((namespace, name)) if !namespace.is_empty() => (namespace, name),
                    Some(_) => ("", ""),
                    None => ("", &*text),
                };
                if name.is_empty() {
                    let problem = Problem::Other("expected namespace/name or a name".to_owned());
                    return Err(decoder.fault(start, problem));
                }
                (pod.namespace, pod.name) = (Str::from(namespace), Str::from(name));
            }
            Some(b'{') => {
                let mut items = decoder.begin_object()?;
                while let Some(member) = decoder.next_member(&mut items)? {
                    match &*member {
                        b"namespace" => decoder.field(b"namespace", &mut pod.namespace)?,
                        b"name" => decoder.field(b"name", &mut pod.name)?,
                        b"uid" => decoder.field(b"uid", &mut pod.uid)?,
                        other => {
                            const EXPECTED: &[&[u8]] = &[b"namespace", b"name", b"uid"];
                            let problem = Problem::Unknown { what: "member", expected: EXPECTED };
                            let fault = decoder.fault(decoder.offset(), problem);
                            return Err(fault.in_unknown_field(other));
                        }
                    }
                }
            }
            _ => return Err(decoder.mismatch("namespace/name or an object")),
        }
        Ok(pod)
    }
}

/// Quantities by resource, none of them null.
struct Amounts(ResourceList);

impl Decode for Amounts {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let start = decoder.offset();
        let amounts: Map<Option<Quantity>> = Map::decode(decoder)?;
        let mut list = Vec::with_capacity(amounts.len());
        for (name, amount) in amounts.iter() {
            let Some(mut amount) = amount.clone() else {
                return Err(Fault::new(start, Problem::Missing).in_key(name.as_bytes()));
            };
            // as the API server does with what an object offers
            amount.round_up_to_milli();
            list.push((name.clone(), amount));
        }
        Ok(Self(list.into()))
    }
}

/// Any object, as far as its metadata.
#[derive(Default)]
struct Named {
    metadata: ObjectMeta,
}

crate::decode_struct!(Named, named, {
    b"metadata" => {
        b"namespace" => (named.metadata.namespace),
        b"name" => (unique named.metadata.name),
        b"uid" => (unique named.metadata.uid),
    },
});

/// `metav1.Status`.
#[derive(Default)]
struct Status {
    message: Str,
    reason: Str,
}

crate::decode_struct!(Status, status, {
    b"message" => (unique status.message),
    b"reason" => (status.reason),
});

fn name_event(name: &str) -> String {
    if name.is_empty() { "event".to_owned() } else { format!("{name} event") }
}

/// As much of `Pod default/web-0`, or of `LABEL event`, as can be read from an event that may be broken.
pub(super) fn describe_event(decoder: &mut Decoder<'_>) -> String {
    let (mut event_type, mut object) = (None, None);
    // what was found before the fault is enough
    let _ = describe_members(decoder, &mut event_type, &mut object);
    let mut description = String::new();
    if let Some(at) = object {
        decoder.seek(at);
        description = describe(decoder, None);
    }
    match event_type {
        Some(name) if description.is_empty() => name_event(&name),
        _ => description,
    }
}

fn describe_members(
    decoder: &mut Decoder<'_>,
    event_type: &mut Option<String>,
    object: &mut Option<usize>,
) -> Result<(), Fault> {
    let mut items = decoder.begin_object()?;
    while let Some(name) = decoder.next_member(&mut items)? {
        match &*name {
            b"type" => describe_text(decoder, event_type)?,
            b"object" => {
                *object = Some(decoder.offset());
                decoder.skip()?;
            }
            _ => decoder.skip()?,
        }
    }
    Ok(())
}
