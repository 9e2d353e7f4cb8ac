//! Decoding ahead: objects of the blocks that a session has yet to come to, on as many threads as are allowed.
//!
//! The session decides what is read, in order and byte by byte. What is here guesses where objects may start, decodes
//! them there, and keeps what went well. The session takes such an object only if it comes to the very byte at which
//! that object starts, expecting what was expected here; whatever is not at hand it decodes itself. So a
//! wrong guess costs time and changes nothing, every fault is found by the session, and what is read does not depend
//! on the number of threads. How the stream is cut into blocks does not depend on it either.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use memchr::memmem::{find, rfind};

use super::kind::Type;
use super::objects::{Expected, Plan, plan};
use super::window::{Pace, count};
use crate::json::{Decoder, Strings, scan};
use crate::object::{ObjectType, Visitor};
use crate::{Kind, Objects, Str};

/// What objects are decoded for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Context {
    /// What the list says about its items.
    pub(super) expected: Expected,
    /// The namespace of objects that state none.
    pub(super) namespace: Str,
}

/// A part of the stream, and what was decoded of it.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) text: Text,
    pub(super) batch: Batch,
    /// Line ends in the text and characters behind the last one, if they were counted.
    pub(super) lines: Option<(u64, u64)>,
}

/// Bytes at the start of a buffer that is used again and again.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) buffer: Vec<u8>,
    pub(super) end: usize,
}

impl Text {
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.end).unwrap_or_default()
    }
}

/// Objects that were decoded ahead, in the order of their text.
#[derive(Debug, Default)]
pub(super) struct Batch {
    context: Option<Arc<Context>>,
    found: VecDeque<Found>,
    /// Those that `found` tells of, each kind's last one first.
    objects: Objects,
    /// What is to be added to the offsets in `found`.
    base: usize,
}

/// Where an object stands.
#[derive(Debug)]
struct Found {
    start: usize,
    end: usize,
    what: What,
}

/// What stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// An object of a kind that is kept.
    Kept {
        /// Its kind.
        kind: Kind,
        /// Whether only its shape tells the kind.
        guessed: bool,
    },
    /// An object of another kind, by the name under which it is counted.
    Other(String),
}

impl Batch {
    /// What was found at the byte `start` for `expected`, and where it ends. Of a kept object,
    /// [`Batch::object`] must be asked next.
    pub(super) fn take(&mut self, start: usize, expected: &Expected) -> Option<(What, usize)> {
        let next = self.found.front()?;
        if next.start + self.base > start {
            return None;
        }
        let fits = next.start + self.base == start
            && self.context.as_ref().is_some_and(|context| context.expected == *expected);
        if !fits {
            *self = Self::default();
            return None;
        }
        let found = self.found.pop_front()?;
        Some((found.what, found.end + self.base))
    }

    /// The object of that kind that [`Batch::take`] told of.
    pub(super) fn object<T: ObjectType>(&mut self) -> Option<T> {
        T::list_mut(&mut self.objects).pop()
    }

    /// The same batch where `count` bytes precede its text.
    pub(super) fn behind(self, count: usize) -> Self {
        Self { base: self.base + count, ..self }
    }
}

/// Decodes objects from the start of `text` on, until something is none, or is at fault, or is cut.
fn decode(text: &[u8], context: &Arc<Context>, strings: &mut Strings) -> Batch {
    let mut batch = Batch { context: Some(Arc::clone(context)), ..Batch::default() };
    let mut at = 0;
    loop {
        at = scan::space(text, at);
        if text.get(at) == Some(&b',') {
            at = scan::space(text, at + 1);
        }
        if text.get(at) != Some(&b'{') {
            break;
        }
        let start = at;
        let mut decoder = Decoder::new(text, strings);
        decoder.seek(start);
        let (kind, guessed) = match plan(&mut decoder, &context.expected) {
            Ok(Plan::Object(Type::Kept(kind))) => (kind, false),
            Ok(Plan::Guessed(kind)) => (kind, true),
            Ok(Plan::Object(Type::Other(name))) => {
                if decoder.skip().is_err() {
                    break;
                }
                at = decoder.offset();
                batch.found.push_back(Found { start, end: at, what: What::Other(name) });
                continue;
            }
            Ok(Plan::List { .. } | Plan::EmptyList | Plan::Undecided) | Err(_) => break,
        };
        if !kind.accept(DecodeOne { decoder: &mut decoder, context, objects: &mut batch.objects }) {
            break;
        }
        at = decoder.offset();
        batch.found.push_back(Found { start, end: at, what: What::Kept { kind, guessed } });
    }
    for kind in Kind::ALL {
        kind.accept(Reverse(&mut batch.objects));
    }
    batch
}

struct DecodeOne<'a, 't> {
    decoder: &'a mut Decoder<'t>,
    context: &'a Context,
    objects: &'a mut Objects,
}

impl Visitor for DecodeOne<'_, '_> {
    type Output = bool;

    fn visit<T: ObjectType>(self) -> bool {
        let Ok(mut object) = T::decode(self.decoder) else { return false };
        let admitted = object.admit_in(&self.context.namespace).is_ok();
        if admitted {
            T::list_mut(self.objects).push(object);
        }
        admitted
    }
}

struct Reverse<'a>(&'a mut Objects);

impl Visitor for Reverse<'_> {
    type Output = ();

    fn visit<T: ObjectType>(self) {
        T::list_mut(self.0).reverse();
    }
}

/// Decodes a text as [`decode`] does and counts its lines.
///
/// Should decoding panic, nothing is found, and the session comes to the same place on its caller's thread.
fn decode_block(text: Text, context: &Arc<Context>, strings: &mut Strings) -> Block {
    let batch = catch_unwind(AssertUnwindSafe(|| decode(text.bytes(), context, strings)));
    let lines = Some(count(text.bytes(), 0, 0));
    Block { batch: batch.unwrap_or_default(), text, lines }
}

/// A text to be decoded.
struct Job {
    number: u64,
    text: Text,
    context: Arc<Context>,
}

/// What the threads share.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// There is a job, or no more will come.
    work: Condvar,
    /// A job is done.
    done: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    done: BTreeMap<u64, Block>,
    closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a thread does.
    fn work(&self) {
        let mut strings = Strings::new();
        let mut state = self.lock();
        while !state.closed {
            let Some(Job { number, text, context }) = state.jobs.pop_front() else {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(state);
            let block = decode_block(text, &context, &mut strings);
            state = self.lock();
            state.done.insert(number, block);
            self.done.notify_one();
        }
    }

    /// The block of that number, decoded here unless a thread has begun to.
    fn take(&self, number: u64, strings: &mut Strings) -> Block {
        let mut state = self.lock();
        loop {
            if let Some(block) = state.done.remove(&number) {
                return block;
            }
            // the jobs are in order, so the first one is this one or a later one
            if let Some(Job { number, text, context }) = state.jobs.pop_front() {
                drop(state);
                let block = decode_block(text, &context, strings);
                state = self.lock();
                state.done.insert(number, block);
            } else {
                state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

/// What follows in the stream.
enum Next {
    /// A text in which nobody knows where an object starts.
    Plain(Text),
    /// The number of a job.
    Job(u64),
    /// The stream fails there.
    Failed(io::Error),
}

/// The stream, some blocks ahead of the session.
pub(super) struct Ahead {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    threads: usize,
    /// How much is read at a time, in bytes.
    size: usize,
    next: VecDeque<Next>,
    numbers: u64,
    context: Arc<Context>,
    /// What stands where an object ends and the next begins.
    boundary: Vec<u8>,
    /// What was read behind the last boundary.
    carried: Vec<u8>,
    /// Whether the next byte of the stream (or of what is carried) follows an object.
    synchronous: bool,
    ended: bool,
    /// Buffers to be used again.
    spare: Vec<Vec<u8>>,
}

/// How a session stops reading ahead.
#[derive(Debug)]
pub(super) enum Halt {
    /// `stop` said so.
    Interrupted,
    /// The stream failed.
    Failed(io::Error),
}

/// How large a buffer is at first.
const LEAST: usize = 1 << 16;

impl Ahead {
    /// Nothing is read yet; objects are to be decoded for `context`, and `boundary` is between them.
    pub(super) fn new(pace: Pace, context: Arc<Context>, boundary: Vec<u8>) -> Self {
        Self {
            shared: Arc::default(),
            workers: Vec::new(),
            threads: pace.threads.max(1),
            size: pace.block,
            next: VecDeque::new(),
            numbers: 0,
            context,
            boundary,
            carried: Vec::new(),
            synchronous: false,
            ended: false,
            spare: Vec::new(),
        }
    }

    /// Says what the session expects now, and what stood before the object to which it came.
    pub(super) fn learn(
        &mut self,
        expected: &Expected,
        context: impl FnOnce() -> Context,
        boundary: Vec<u8>,
    ) {
        if self.context.expected != *expected {
            self.context = Arc::new(context());
        }
        self.boundary = boundary;
    }

    /// Takes back a buffer.
    pub(super) fn reuse(&mut self, buffer: Vec<u8>) {
        if buffer.len() == self.size && self.spare.len() < self.threads {
            self.spare.push(buffer);
        }
    }

    /// The next block of the stream; `None` where it ends. `stop` is asked before each call of the stream.
    pub(super) fn next(
        &mut self,
        input: &mut dyn Read,
        stop: &mut dyn FnMut() -> bool,
        strings: &mut Strings,
    ) -> Result<Option<Block>, Halt> {
        // one block that is decoded, and one that waits, for each other thread
        while self.next.len() < 2 * self.threads - 1 && !self.ended {
            match self.read(input, stop) {
                Ok(()) => {}
                Err(Halt::Interrupted) => return Err(Halt::Interrupted),
                Err(Halt::Failed(error)) => {
                    self.ended = true;
                    self.next.push_back(Next::Failed(error));
                }
            }
        }
        match self.next.pop_front() {
            None => Ok(None),
            Some(Next::Plain(text)) => {
                Ok(Some(Block { text, batch: Batch::default(), lines: None }))
            }
            Some(Next::Job(number)) => Ok(Some(self.shared.take(number, strings))),
            Some(Next::Failed(error)) => Err(Halt::Failed(error)),
        }
    }

    /// Puts back the last part of the block that came last.
    pub(super) fn put_back(&mut self, text: Text) {
        self.next.push_front(Next::Plain(text));
    }

    /// Whether there is nothing more.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.next.is_empty()
    }

    /// Reads a block of the stream and hands it on.
    fn read(&mut self, input: &mut dyn Read, stop: &mut dyn FnMut() -> bool) -> Result<(), Halt> {
        let mut buffer = self.spare.pop().unwrap_or_default();
        let mut end = self.carried.len();
        if buffer.len() < end {
            buffer.resize(end, 0);
        }
        if let Some(start) = buffer.get_mut(..end) {
            start.copy_from_slice(&self.carried);
        }
        self.carried.clear();
        while end < self.size && !self.ended {
            if stop() {
                return Err(Halt::Interrupted);
            }
            if end == buffer.len() {
                // What is not a dump mostly ends long before the block does.
                buffer.resize((2 * end).max(LEAST).min(self.size), 0);
            }
            match input.read(buffer.get_mut(end..).unwrap_or_default()) {
                Ok(0) => self.ended = true,
                Ok(count) => end = buffer.len().min(end + count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Halt::Failed(error)),
            }
        }
        let mut text = Text { buffer, end };
        if !self.synchronous {
            let Some(start) = self.first_boundary(text.bytes()) else {
                self.next.push_back(Next::Plain(text));
                return Ok(());
            };
            let rest = text.bytes().get(start..).unwrap_or_default().to_vec();
            self.next.push_back(Next::Plain(Text { end: start, ..text }));
            text = Text { end: rest.len(), buffer: rest };
            self.synchronous = true;
        }
        if !self.ended {
            match self.last_boundary(text.bytes()) {
                Some(cut) => {
                    self.carried.extend(text.bytes().get(cut..).unwrap_or_default());
                    text.end = cut;
                }
                None => self.synchronous = false,
            }
        }
        self.submit(text);
        Ok(())
    }

    /// Where the first object ends that another one follows.
    fn first_boundary(&self, text: &[u8]) -> Option<usize> {
        find(text, &self.boundary).map(|at| at + 1)
    }

    /// Where the last object ends that another one follows, other than at the start.
    fn last_boundary(&self, text: &[u8]) -> Option<usize> {
        rfind(text, &self.boundary).map(|at| at + 1)
    }

    fn submit(&mut self, text: Text) {
        let number = self.numbers;
        self.numbers += 1;
        self.next.push_back(Next::Job(number));
        let context = Arc::clone(&self.context);
        self.shared.lock().jobs.push_back(Job { number, text, context });
        self.shared.work.notify_one();
        // What is left of a stream that has ended takes less than a thread does to start; one that does not start is one less.
        if !self.ended && self.workers.len() + 1 < self.threads {
            let shared = Arc::clone(&self.shared);
            let worker = Builder::new().name("bayplan-read".to_owned());
            match worker.spawn(move || shared.work()) {
                Ok(worker) => self.workers.push(worker),
                Err(_) => self.threads = self.workers.len() + 1,
            }
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.jobs.clear();
        drop(state);
        self.shared.work.notify_all();
        for worker in self.workers.drain(..) {
            // it has nothing to say
            let _ = worker.join();
        }
    }
}

/// The end of the object before `start`, what separates it from the one that starts there, and as much of that one
/// as tells it from others: what stands at the boundary of two objects. `None` if no object precedes.
pub(super) fn boundary(text: &[u8], start: usize) -> Option<Vec<u8>> {
    const LONGEST: usize = 64;
    let before = text.get(start.saturating_sub(LONGEST)..start)?;
    let brace =
        before.iter().rposition(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b','))?;
    let separator = before.get(brace..)?;
    if separator.first() != Some(&b'}') {
        return None;
    }
    let mut boundary = separator.to_vec();
    let object = text.get(start..)?;
    // indentation tells objects from what is in them; otherwise their first two names do
    let told = if separator.contains(&b'\n') {
        1
    } else {
        let start = object.get(..LONGEST)?;
        memchr::memchr_iter(b':', start).nth(1)? + 1
    };
    boundary.extend_from_slice(object.get(..told)?);
    Some(boundary)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::read::Reader;

    /// What reading `text` comes to, as text.
    fn read(text: &[u8], pace: Pace) -> String {
        let mut reader = Reader::new();
        reader.inputs.pace = pace;
        let read = reader.read_bytes("in", text);
        format!("{:?}", read.and_then(|()| reader.finish()))
    }

    fn in_order(text: &[u8]) -> String {
        read(text, Pace::of_threads(0))
    }

    /// How an object is written; none is of the last kind.
    fn object(kind: usize, number: usize) -> serde_json::Value {
        use serde_json::json;
        let name = format!("n-{number}");
        let container =
            json!({"name": "c", "image": "{}},{ \u{e4}\n", "env": [{"name": "A"}, {"name": "B"}]});
        match kind {
            0 => {
                json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}})
            }
            1 => {
                json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "status": {"allocatable": {"cpu": "4"}}})
            }
            2 => {
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "\n        },\n        {"}})
            }
            // told by its list or by its shape
            3 => {
                json!({"metadata": {"name": name, "namespace": "x"}, "spec": {"containers": [container]}})
            }
            4 => json!({"apiVersion": "v1", "kind": "List", "items": [object(0, number)]}),
            5 => json!({"metadata": {"name": name}}),
            // refused
            6 => {
                json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": []}})
            }
            _ => json!(7),
        }
    }

    /// A stream as several printers write it.
    fn stream(form: usize, objects: &[serde_json::Value]) -> Vec<u8> {
        use serde_json::json;
        let list = |kind: &str| json!({"apiVersion": "v1", "items": objects, "kind": kind});
        let text = match form {
            0 => serde_json::to_string_pretty(&list("List")),
            1 => serde_json::to_string(&list("List")),
            2 => serde_json::to_string_pretty(&list("PodList")),
            3 => serde_json::to_string(&json!(objects)),
            4 => serde_json::to_string(
                &json!({"apiVersion": "v1", "kind": "PodList", "items": objects}),
            ),
            _ => {
                let lines = objects.iter().map(|object| {
                    let text = serde_json::to_string(object);
                    text.unwrap() + if form == 5 { "\n" } else { "" }
                });
                Ok(lines.collect())
            }
        };
        text.unwrap().into_bytes()
    }

    fn paces() -> impl Strategy<Value = Pace> {
        (1_usize..400, 1_usize..1500, 1_usize..5).prop_map(|(first, block, threads)| Pace {
            first,
            block,
            threads,
        })
    }

    /// Kinds of objects: long runs of one, and now and then another.
    fn kinds() -> impl Strategy<Value = Vec<usize>> {
        let usual = prop_oneof![Just(0_usize), Just(3)];
        let kind = prop_oneof![12 => Just(None), 1 => (0_usize..8).prop_map(Some)];
        (usual, prop::collection::vec(kind, 0..40)).prop_map(|(usual, kinds)| {
            kinds.into_iter().map(|kind| kind.unwrap_or(usual)).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

        /// Whatever the stream is, how much is read at a time and on how many threads shows in nothing.
        #[test]
        fn reading_ahead_gives_what_reading_in_order_gives(
            form in 0_usize..7,
            kinds in kinds(),
            numbers in prop::collection::vec(0_usize..1000, 40),
            pace in paces(),
            edits in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&b"{}[],:\" \n\\x0\xff"[..]), 0_u8..3), 0..3),
        ) {
            let objects: Vec<_> =
                kinds.iter().zip(&numbers).map(|(&kind, &number)| object(kind, number)).collect();
            let mut text = stream(form, &objects);
            for (at, byte, how) in edits {
                if text.is_empty() {
                    break;
                }
                let at = at.index(text.len());
                match how {
                    0 => text[at] = byte,
                    1 => text.insert(at, byte),
                    _ => text.truncate(at),
                }
            }
            prop_assert_eq!(read(&text, pace), in_order(&text), "{}", String::from_utf8_lossy(&text));
        }
    }

    /// How many objects of a text of this form were decoded ahead.
    fn found_ahead(form: usize) -> usize {
        let objects: Vec<_> = (0..100).map(|number| object(3, number)).collect();
        let text = stream(form, &objects);
        let context = Context { expected: Expected::Any, namespace: Str::EMPTY };
        let starts: Vec<usize> = memchr::memmem::find_iter(&text, b"{\"metadata\"")
            .chain(memchr::memmem::find_iter(&text, b"{\n      \"metadata\""))
            .collect();
        let boundary = boundary(&text, starts[1]).unwrap();
        let pace = Pace { first: 0, block: 3000, threads: 2 };
        let mut ahead = Ahead::new(pace, Arc::new(context), boundary);
        let (mut input, mut strings) = (&text[..], Strings::new());
        let mut found = 0;
        while let Some(block) = ahead.next(&mut input, &mut || false, &mut strings).unwrap() {
            found += block.batch.found.len();
        }
        assert!(ahead.is_over());
        found
    }

    #[test]
    fn all_but_the_first_object_are_decoded_ahead() {
        for form in [0, 1, 3, 5, 6] {
            assert_eq!(found_ahead(form), 99, "{form}");
        }
    }

    #[test]
    fn a_wrong_guess_is_never_taken() {
        let text = br#"{"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c"}]}}"#;
        let decoded = |expected: &Expected| {
            let context =
                Arc::new(Context { expected: expected.clone(), namespace: Str::from("x") });
            decode(text, &context, &mut Strings::new())
        };
        let pods = Expected::Typed(Type::Kept(Kind::Pod));
        let kept = |guessed| Some((What::Kept { kind: Kind::Pod, guessed }, text.len()));
        assert_eq!(decoded(&pods).take(0, &pods), kept(false));
        assert_eq!(decoded(&Expected::Any).take(0, &Expected::Any), kept(true));
        // something else is expected, or the session stands elsewhere
        assert_eq!(decoded(&pods).take(0, &Expected::Any), None);
        assert_eq!(decoded(&pods).take(1, &pods), None);
        assert_eq!(decoded(&pods).behind(1).take(0, &pods), None);
    }

    /// A stream that fails after some bytes.
    struct Failing<'a>(&'a [u8]);

    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::Error::other("unplugged"));
            }
            self.0.read(buffer)
        }
    }

    #[test]
    fn where_a_stream_fails_does_not_depend_on_threads() {
        let objects: Vec<_> = (0..50).map(|number| object(0, number)).collect();
        let text = stream(0, &objects);
        for cut in [0, 1, 100, 777, 3000, 9000] {
            let outcome = |threads| {
                let mut reader = Reader::new();
                reader.inputs.pace = Pace { first: 300, block: 1000, threads };
                format!("{:?}", reader.read_stream("in", Failing(&text[..cut])))
            };
            let alone = outcome(1);
            assert!(alone.contains("unplugged"), "{alone}");
            assert_eq!(outcome(2), alone, "{cut}");
            assert_eq!(outcome(4), alone, "{cut}");
        }
    }

    #[test]
    fn an_interrupted_reading_ends_on_any_number_of_threads() {
        let objects: Vec<_> = (0..200).map(|number| object(0, number)).collect();
        let text = stream(0, &objects);
        for threads in [1, 2, 4] {
            for patience in [1, 2, 5, 9] {
                let mut asked = 0;
                let mut reader = Reader::new().interrupted_by(|| {
                    asked += 1;
                    asked > patience
                });
                reader.inputs.pace = Pace { first: 300, block: 1000, threads };
                let read = reader.read_bytes("in", &text);
                assert!(matches!(read, Err(crate::ReadError::Interrupted)), "{threads} {read:?}");
            }
        }
    }
}
