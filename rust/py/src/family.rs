//! `Family`: a cluster and its forks, as far as they share one state of the engine.
//!
//! To callers every fork is a cluster of its own. In truth a fork and the cluster that it was made of are one state, in
//! which the engine notes what undoes each change: the fork that was made last works on it, at the cost of what it changes.
//! Only if an earlier one is used while a later one is open is the state copied, and the earlier one's copy rolled back.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::ThreadId;
use std::time::Duration;

use bayplan_sched::cluster::ForkId;
use indexmap::IndexMap;

use crate::enter::Interrupt;
use crate::error::{Fault, NativeError};
use crate::state::State;

/// A cluster or a fork, as its family knows it.
#[derive(Debug)]
pub(crate) struct Handle {
    family: Arc<Family>,
    id: u64,
}

/// A cluster, its forks, and theirs.
#[derive(Debug)]
struct Family {
    members: Mutex<Members>,
    /// The thread that is at work on them.
    thread: Mutex<Option<ThreadId>>,
    /// Handles that Python has forgotten; whoever comes next puts them away.
    forgotten: Mutex<Vec<u64>>,
}

#[derive(Debug, Default)]
struct Members {
    worlds: IndexMap<u64, World>,
    all: IndexMap<u64, Member>,
    forgotten: BTreeSet<u64>,
    last: u64,
    /// The world that is at work: if that panics, nobody knows what it is.
    working: Option<u64>,
}

/// One state, and who shares it: each member but the first is a fork of the one before.
#[derive(Debug)]
struct World {
    state: State,
    stack: Vec<u64>,
    is_broken: bool,
}

#[derive(Debug)]
struct Member {
    /// `None` once it has ended.
    world: Option<u64>,
    /// `None` for the first of its world.
    fork: Option<ForkId>,
    parent: Option<u64>,
    /// How often it changed.
    version: u64,
    /// How often its parent had changed when it was made.
    parent_version: u64,
}

/// How long a call waits for another one before it asks for signals again.
const WAIT: Duration = Duration::from_millis(1);

impl Handle {
    /// A cluster without forks.
    pub(crate) fn new(state: State) -> Self {
        let world = World { state, stack: vec![0], is_broken: false };
        let member =
            Member { world: Some(0), fork: None, parent: None, version: 0, parent_version: 0 };
        let members = Members {
            worlds: IndexMap::from([(0, world)]),
            all: IndexMap::from([(0, member)]),
            ..Members::default()
        };
        let (thread, forgotten) = (Mutex::default(), Mutex::default());
        let family = Family { members: Mutex::new(members), thread, forgotten };
        Self { family: Arc::new(family), id: 0 }
    }

    /// Looks at the state, or changes it and back again.
    ///
    /// # Errors
    ///
    /// Those of `work`; `NativeError::Argument` if this is a fork that has ended; what a signal handler raises meanwhile.
    pub(crate) fn with<T>(
        &self,
        interrupt: &Interrupt,
        work: impl FnOnce(&mut State) -> Result<T, NativeError>,
    ) -> Result<T, NativeError> {
        self.enter(interrupt)?.work(self.id, work)
    }

    /// Changes the state, or, if that fails, leaves it as it was.
    ///
    /// # Errors
    ///
    /// As for [`Handle::with`].
    pub(crate) fn change<T>(
        &self,
        interrupt: &Interrupt,
        work: impl FnOnce(&mut State) -> Result<T, NativeError>,
    ) -> Result<T, NativeError> {
        let mut members = self.enter(interrupt)?;
        let (done, changed) = members.work(self.id, |state| state.kept(work))?;
        members.member(self.id)?.version += u64::from(changed);
        Ok(done)
    }

    /// A fork.
    ///
    /// # Errors
    ///
    /// As for [`Handle::with`].
    pub(crate) fn fork(&self, interrupt: &Interrupt) -> Result<Self, NativeError> {
        let mut members = self.enter(interrupt)?;
        let fork = members.work(self.id, |state| Ok(state.cluster.fork()))?;
        let Member { world, version, .. } = *members.member(self.id)?;
        members.last += 1;
        let id = members.last;
        members.all.insert(
            id,
            Member {
                world,
                fork: Some(fork),
                parent: Some(self.id),
                version: 0,
                parent_version: version,
            },
        );
        if let Some(world) = world.and_then(|world| members.worlds.get_mut(&world)) {
            world.stack.push(id);
        }
        drop(members);
        Ok(Self { family: Arc::clone(&self.family), id })
    }

    /// Whether it has not ended.
    ///
    /// # Errors
    ///
    /// What a signal handler raises meanwhile.
    pub(crate) fn is_open(&self, interrupt: &Interrupt) -> Result<bool, NativeError> {
        Ok(self.enter(interrupt)?.world_of(self.id).is_ok())
    }

    /// Gives what the fork changed to the cluster that it was made of, and ends it.
    ///
    /// # Errors
    ///
    /// `NativeError::Argument` if it has ended, a fork of it is open, or the cluster has changed since.
    pub(crate) fn commit(&self, interrupt: &Interrupt) -> Result<(), NativeError> {
        self.enter(interrupt)?.commit(self.id)
    }

    /// Forgets what the fork changed, and ends it and the forks that were made of it.
    ///
    /// # Errors
    ///
    /// `NativeError::Argument` if it has ended.
    pub(crate) fn rollback(&self, interrupt: &Interrupt) -> Result<(), NativeError> {
        self.enter(interrupt)?.rollback(self.id)
    }

    /// Waits until nobody else of the family is at work.
    ///
    /// # Errors
    ///
    /// `NativeError::Argument` if it is this thread that is at work: a signal handler asks about the cluster on which the
    /// call that it interrupted works.
    fn enter(&self, interrupt: &Interrupt) -> Result<AtWork<'_>, NativeError> {
        let thread = std::thread::current().id();
        let mut members = loop {
            match self.family.members.try_lock() {
                Ok(members) => break members,
                Err(TryLockError::Poisoned(poisoned)) => {
                    self.family.members.clear_poison();
                    let mut members = poisoned.into_inner();
                    members.note_panic();
                    break members;
                }
                Err(TryLockError::WouldBlock) => {
                    if *self.family.thread() == Some(thread) {
                        return Err(wrong(
                            "the call that was interrupted is at work on this cluster",
                        ));
                    }
                    interrupt.check()?;
                    std::thread::sleep(WAIT);
                }
            }
        };
        let forgotten = std::mem::take(&mut *self.family.forgotten());
        for id in forgotten {
            members.forget(id);
        }
        *self.family.thread() = Some(thread);
        Ok(AtWork { members, family: &self.family })
    }
}

/// The members, while one thread works on them.
struct AtWork<'a> {
    members: MutexGuard<'a, Members>,
    family: &'a Family,
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        *self.family.thread() = None;
    }
}

impl Deref for AtWork<'_> {
    type Target = Members;

    fn deref(&self) -> &Members {
        &self.members
    }
}

impl DerefMut for AtWork<'_> {
    fn deref_mut(&mut self) -> &mut Members {
        &mut self.members
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // not here: the lock may be held by one who waits for the interpreter, which this thread may have
        self.family.forgotten().push(self.id);
    }
}

impl Family {
    fn thread(&self) -> MutexGuard<'_, Option<ThreadId>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forgotten(&self) -> MutexGuard<'_, Vec<u64>> {
        // nothing that can panic runs under this lock
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Members {
    fn member(&mut self, id: u64) -> Result<&mut Member, NativeError> {
        self.all.get_mut(&id).ok_or_else(ended)
    }

    fn world_of(&self, id: u64) -> Result<u64, NativeError> {
        self.all.get(&id).and_then(|member| member.world).ok_or_else(ended)
    }

    fn world(&mut self, world: u64) -> Result<&mut World, NativeError> {
        self.worlds.get_mut(&world).ok_or_else(ended)
    }

    /// Lets `work` have the state of a member.
    fn work<T>(
        &mut self,
        id: u64,
        work: impl FnOnce(&mut State) -> Result<T, NativeError>,
    ) -> Result<T, NativeError> {
        self.part_from_forks(id)?;
        let number = self.world_of(id)?;
        self.working = Some(number);
        let done = work(&mut self.world(number)?.state);
        self.working = None;
        done
    }

    /// Lets the member be the last of its world: forks of it that are open keep the state, and it takes a copy.
    fn part_from_forks(&mut self, id: u64) -> Result<(), NativeError> {
        let number = self.world_of(id)?;
        let world = self.world(number)?;
        if world.is_broken {
            let message =
                "a call failed inside the engine and left this cluster half-changed: load it again";
            return Err(NativeError::Internal(message.to_owned()));
        }
        let Some(at) = world.stack.iter().position(|&member| member == id) else {
            return Err(ended());
        };
        let Some(&child) = world.stack.get(at + 1) else { return Ok(()) };
        let mut lower = world.stack.clone();
        let upper = lower.split_off(at + 1);
        let mut state = world.state.clone();
        world.stack = upper;
        let Some(fork) = self.member(child)?.fork.take() else { return Err(ended()) };
        let undone = state.cluster.rollback(fork);
        let parted = self.world(number)?.state.cluster.begin_at(fork);
        undone.and(parted).map_err(|error| NativeError::Internal(error.to_string()))?;
        self.last += 1;
        let copy = self.last;
        for &member in &lower {
            self.member(member)?.world = Some(copy);
        }
        self.worlds.insert(copy, World { state, stack: lower, is_broken: false });
        Ok(())
    }

    fn commit(&mut self, id: u64) -> Result<(), NativeError> {
        let number = self.world_of(id)?;
        if self.forks_of(id).next().is_some() {
            return Err(wrong("a fork of this fork is open: end that one first"));
        }
        let is_first = self.world(number)?.stack.len() == 1;
        let Member { fork, parent, parent_version, .. } = *self.member(id)?;
        let Some(parent) = parent else { return Err(wrong("this is no fork")) };
        let gone = || wrong("the cluster that was forked is gone");
        let home = self.world_of(parent).map_err(|_| gone())?;
        if self.forgotten.contains(&parent) {
            return Err(gone());
        }
        if is_first {
            if self.member(parent)?.version != parent_version {
                return Err(wrong("the cluster has changed since it was forked"));
            }
            self.leave(parent, home)?;
            self.world(number)?.stack = vec![parent];
            let member = self.member(parent)?;
            member.world = Some(number);
            member.fork = None;
        } else {
            let world = self.world(number)?;
            if let Some(fork) = fork {
                let done = world.state.cluster.commit(fork);
                done.map_err(|error| NativeError::Internal(error.to_string()))?;
            }
            world.stack.pop();
        }
        self.member(id)?.world = None;
        self.member(parent)?.version += 1;
        self.put_away();
        Ok(())
    }

    /// Takes a member out of its world, which others keep.
    fn leave(&mut self, id: u64, number: u64) -> Result<(), NativeError> {
        self.part_from_forks(id)?;
        let number = self.world_of(id).unwrap_or(number);
        self.end_from(id, number)
    }

    /// Rolls a world back to before the member, who was its last.
    fn end_from(&mut self, id: u64, number: u64) -> Result<(), NativeError> {
        let world = self.world(number)?;
        let Some(at) = world.stack.iter().position(|&member| member == id) else {
            return Err(ended());
        };
        let gone = world.stack.split_off(at);
        let is_empty = world.stack.is_empty();
        if let Some(fork) = self.member(id)?.fork
            && !is_empty
        {
            let done = self.world(number)?.state.cluster.rollback(fork);
            done.map_err(|error| NativeError::Internal(error.to_string()))?;
        }
        for member in gone {
            self.member(member)?.world = None;
            if self.forgotten.remove(&member) {
                self.all.swap_remove(&member);
            }
        }
        if is_empty {
            self.worlds.swap_remove(&number);
        }
        Ok(())
    }

    /// The open forks of a member.
    fn forks_of(&self, id: u64) -> impl Iterator<Item = u64> {
        let forks = self.all.iter().filter(move |(_, member)| member.parent == Some(id));
        forks.filter(|(_, member)| member.world.is_some()).map(|(&fork, _)| fork)
    }

    fn rollback(&mut self, id: u64) -> Result<(), NativeError> {
        self.world_of(id)?;
        loop {
            let fork = self.forks_of(id).next();
            let Some(fork) = fork else { break };
            self.rollback(fork)?;
        }
        let number = self.world_of(id)?;
        self.end_from(id, number)?;
        self.put_away();
        Ok(())
    }

    fn forget(&mut self, id: u64) {
        if self.world_of(id).is_ok() {
            self.forgotten.insert(id);
            self.put_away();
        } else {
            self.all.swap_remove(&id);
        }
    }

    /// Ends forgotten members on whom nobody stands.
    fn put_away(&mut self) {
        loop {
            let mut tops = self.worlds.iter().filter_map(|(&number, world)| {
                world.stack.last().filter(|id| self.forgotten.contains(*id)).map(|&id| (id, number))
            });
            let Some((id, number)) = tops.next_back() else { return };
            if self.end_from(id, number).is_err() {
                return;
            }
        }
    }

    /// A call panicked; what it worked on is of no use any more.
    fn note_panic(&mut self) {
        if let Some(world) = self.working.take().and_then(|number| self.worlds.get_mut(&number)) {
            world.is_broken = true;
        }
    }
}

fn ended() -> NativeError {
    wrong("this fork has ended: it was committed or rolled back, or one that it was made of")
}

fn wrong(message: &str) -> NativeError {
    NativeError::argument(Fault::new(message))
}
