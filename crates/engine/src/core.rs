//! What is a shard, to whoever holds it?
//!
//! Its owner's thread or a borrower: both run commands through [`Core`], which keeps what has to be
//! kept beside the data: versions for those who watch keys, the share of the memory limit, and
//! whether a panic has taken the data away.

use crate::batch::Batch;
use crate::group::{self, Gathered};
use crate::native::{Native, Reply};
use crate::versions::Versions;
use crate::wire::{ReplyBuffer, Wire};
use arrayvec::ArrayVec;
use hectare_mailbox::{Completion, Gauge};
use hectare_store::{CommandError, Contents, GROUP, ReplySink, Request, Store};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A batch and who waits for it.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) batch: Box<Batch>,
    pub(crate) completion: Completion<Box<Batch>>,
}

impl Call {
    /// Tells its caller that it is done.
    pub(crate) fn finish(self) {
        self.completion.complete(self.batch);
    }
}

/// The shard has panicked, and its data is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost;

/// A shard's data and what is kept beside it.
#[derive(Debug)]
pub(crate) struct Core {
    /// `None` after a panic.
    alive: Option<Alive>,
    /// The call that somebody's budget has interrupted; nothing may overtake it.
    current: Option<Call>,
    /// For a call that is run in place.
    replies: ReplyBuffer,
    /// Until when the owner's thread sleeps, in milliseconds since 1970; it has to be woken for an
    /// earlier deadline.
    pub(crate) owner_until_ms: Option<u64>,
}

/// What runs commands.
#[derive(Debug)]
pub(crate) struct Alive {
    pub(crate) store: Store,
    pub(crate) versions: Versions,
    limit: Option<MemoryLimit>,
}

/// How much all shards may take together, and what this one was last said to take.
#[derive(Clone, Debug)]
pub(crate) struct MemoryLimit {
    bytes: u64,
    all: Arc<Gauge>,
    told: u64,
}

/// A shard tells the others what it takes when that has changed by so much.
const TOLD_STEP_BYTES: u64 = 64 << 10;

/// Redis' text.
const OUT_OF_MEMORY: &str = "OOM command not allowed when used memory > 'maxmemory'.";

impl Core {
    pub(crate) fn new(store: Store, versions: Versions, limit: Option<MemoryLimit>) -> Self {
        Self {
            alive: Some(Alive { store, versions, limit }),
            current: None,
            replies: ReplyBuffer::default(),
            owner_until_ms: None,
        }
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.alive.is_none()
    }

    /// Whether a call has been begun and not ended.
    pub(crate) fn is_amid(&self) -> bool {
        self.current.is_some()
    }

    /// The call to go on with, before any other is taken.
    pub(crate) fn resume(&mut self) -> Option<Call> {
        self.current.take()
    }

    /// Runs a call's next commands, at most `budget`, and takes those off it. What is done comes
    /// back, to be completed once nobody holds up others by that; what is not done stays.
    pub(crate) fn advance(&mut self, mut call: Call, budget: &mut usize) -> Option<Call> {
        match self.run_batch(&mut call.batch, *budget) {
            Ok(commands) => *budget -= commands,
            // Dropping the call says so to its caller.
            Err(Lost) => return None,
        }
        if call.batch.is_done() {
            return Some(call);
        }
        self.current = Some(call);
        None
    }

    /// Runs gathered calls, side by side if they are several, and takes their commands off the
    /// budget. What is done goes to `done`, as by [`advance`](Self::advance).
    pub(crate) fn advance_group(
        &mut self,
        gathered: Gathered,
        budget: &mut usize,
        done: &mut impl Extend<Call>,
    ) {
        let (mut group, left_over) = match gathered {
            Gathered::One(call) => return done.extend(self.advance(call, budget)),
            Gathered::Group(group, left_over) => (group, left_over),
        };
        let commands: usize = group.iter().map(|call| call.batch.commands()).sum();
        *budget = budget.saturating_sub(commands);
        let ran = self.guarded(|alive| {
            let mut batches: ArrayVec<&mut Batch, GROUP> =
                group.iter_mut().map(|call| &mut *call.batch).collect();
            group::run(alive, &mut batches);
        });
        // Dropping the calls of a lost shard says so to their callers.
        if ran.is_ok() {
            done.extend(group);
            self.current = left_over;
        }
    }

    /// Runs a batch's next commands, at most `budget`, and says how many that were.
    pub(crate) fn run_batch(&mut self, batch: &mut Batch, budget: usize) -> Result<usize, Lost> {
        self.guarded(|alive| batch.run(alive, budget))
    }

    /// Runs something, whatever that is.
    pub(crate) fn run<R>(&mut self, run: impl FnOnce(&mut Alive) -> R) -> Result<R, Lost> {
        self.guarded(run)
    }

    /// Runs one command and reads its answer.
    pub(crate) fn run_one<R>(
        &mut self,
        request: &Request<'_>,
        read: impl FnOnce(Reply<'_>) -> R,
    ) -> Result<R, Lost> {
        self.run_and_read(|alive, sink| alive.run_group(std::slice::from_ref(request), sink), read)
    }

    /// The same, whatever the memory limit says.
    pub(crate) fn run_regardless<R>(
        &mut self,
        request: &Request<'_>,
        read: impl FnOnce(Reply<'_>) -> R,
    ) -> Result<R, Lost> {
        let run = |alive: &mut Alive, sink: &mut dyn ReplySink| {
            if request.command.flags.write {
                alive.versions.note(request);
            }
            alive.store.run(request, sink);
            alive.tell();
        };
        self.run_and_read(run, read)
    }

    fn run_and_read<R>(
        &mut self,
        run: impl Fn(&mut Alive, &mut dyn ReplySink),
        read: impl FnOnce(Reply<'_>) -> R,
    ) -> Result<R, Lost> {
        let Self { alive, current, replies, .. } = self;
        // Whatever a reader that panicked has left.
        replies.clear();
        guarded(alive, current, |alive| {
            Native.lend(replies, &mut |sink| run(alive, sink));
        })?;
        let answer = read(Reply::read(replies.get(0)));
        replies.clear();
        Ok(answer)
    }

    /// Says what time it is, in milliseconds since 1970.
    pub(crate) fn set_now(&mut self, unix_ms: u64) {
        if let Some(alive) = &mut self.alive {
            alive.store.set_now(unix_ms);
        }
    }

    /// Frees up to so many keys whose deadline has passed.
    /// Does a bounded piece of what is to be done when nobody asks; says whether there is more.
    pub(crate) fn tend(&mut self) -> Result<bool, Lost> {
        self.guarded(|alive| {
            let has_more = alive.store.tend();
            alive.tell();
            has_more
        })
    }

    /// Does a longer piece of it, for an owner that would sleep otherwise; says whether it did.
    pub(crate) fn rest(&mut self) -> Result<bool, Lost> {
        self.guarded(|alive| alive.store.rest())
    }

    pub(crate) fn next_deadline_ms(&self) -> Option<u64> {
        self.alive.as_ref()?.store.next_deadline_ms()
    }

    /// From when on something may be to be removed.
    pub(crate) fn next_removal_ms(&self) -> Option<u64> {
        self.alive.as_ref()?.store.next_removal_ms()
    }

    /// Changes what can be chosen about the store.
    pub(crate) fn configure(&mut self, change: impl FnOnce(&mut Store)) -> Result<(), Lost> {
        self.guarded(|alive| change(&mut alive.store))
    }

    /// Has another limit from now on, or none.
    pub(crate) fn set_memory_limit(&mut self, limit: Option<MemoryLimit>) -> Result<(), Lost> {
        self.guarded(|alive| {
            alive.leave_limit();
            alive.limit = limit;
            alive.tell();
        })
    }

    /// Whether the owner sleeps past the next deadline, or past what else is to be done.
    pub(crate) fn owner_oversleeps(&self) -> bool {
        if self.alive.as_ref().is_some_and(|alive| alive.store.has_chores()) {
            return true;
        }
        match (self.next_removal_ms(), self.owner_until_ms) {
            (Some(next_ms), Some(until_ms)) => next_ms < until_ms,
            (next_ms, None) => next_ms.is_some(),
            (None, Some(_)) => false,
        }
    }

    /// What a key holds.
    pub(crate) fn contents(&mut self, database: u8, key: &[u8]) -> Result<Option<Contents>, Lost> {
        self.guarded(|alive| alive.store.contents(database, key))
    }

    /// Puts contents in the place of whatever the key held, whatever the memory limit says: what is
    /// moved was there before.
    pub(crate) fn put_contents(
        &mut self,
        database: u8,
        key: &[u8],
        contents: &Contents,
    ) -> Result<Result<(), CommandError>, Lost> {
        self.guarded(|alive| {
            alive.versions.note_key(key);
            let put = alive.store.put_contents(database, key, contents);
            alive.tell();
            put
        })
    }

    pub(crate) fn alive(&self) -> Result<&Alive, Lost> {
        self.alive.as_ref().ok_or(Lost)
    }

    fn guarded<R>(&mut self, run: impl FnOnce(&mut Alive) -> R) -> Result<R, Lost> {
        guarded(&mut self.alive, &mut self.current, run)
    }
}

/// Runs something that may panic. If it does, what may be half done is dropped: better no data than
/// data that contradicts itself.
fn guarded<R>(
    alive: &mut Option<Alive>,
    current: &mut Option<Call>,
    run: impl FnOnce(&mut Alive) -> R,
) -> Result<R, Lost> {
    let living = alive.as_mut().ok_or(Lost)?;
    // Whatever the panic has left behind is not looked at again, only dropped.
    let outcome = catch_unwind(AssertUnwindSafe(|| run(living)));
    outcome.map_err(|_panic| {
        let broken = alive.take();
        *current = None;
        let _another_panic = catch_unwind(AssertUnwindSafe(|| drop(broken)));
        Lost
    })
}

impl Alive {
    /// Runs up to a group of requests in order.
    pub(crate) fn run_group(&mut self, requests: &[Request<'_>], sink: &mut dyn ReplySink) {
        for request in requests {
            if request.command.flags.write {
                self.versions.note(request);
            }
        }
        if self.is_out_of_memory(requests) {
            return self.run_what_does_not_grow(requests, sink);
        }
        self.store.run_group(requests, sink);
        self.tell();
    }

    fn is_out_of_memory(&self, requests: &[Request<'_>]) -> bool {
        self.limit.is_some()
            && requests.iter().any(|request| request.command.flags.deny_oom)
            && self.is_full()
    }

    /// Whether all shards together have passed the limit.
    pub(crate) fn is_full(&self) -> bool {
        self.limit.as_ref().is_some_and(|limit| limit.all.sum() > limit.bytes)
    }

    pub(crate) fn out_of_memory() -> CommandError {
        CommandError::Other(OUT_OF_MEMORY.into())
    }

    fn run_what_does_not_grow(&mut self, requests: &[Request<'_>], sink: &mut dyn ReplySink) {
        for request in requests {
            if request.command.flags.deny_oom && self.is_out_of_memory(&[*request]) {
                sink.error(&Self::out_of_memory());
                sink.end();
            } else {
                self.store.run(request, sink);
                self.tell();
            }
        }
    }

    /// Lets the other shards know what this one takes, if there is a limit.
    fn tell(&mut self) {
        let Some(limit) = &mut self.limit else { return };
        let now = self.store.accounting().used_bytes();
        if now.abs_diff(limit.told) >= TOLD_STEP_BYTES.min(limit.bytes / 64) {
            limit.all.replace(limit.told, now);
            limit.told = now;
        }
    }
}

impl Alive {
    /// Nothing that this shard takes counts any more.
    fn leave_limit(&mut self) {
        if let Some(limit) = self.limit.take() {
            limit.all.replace(limit.told, 0);
        }
    }
}

impl Drop for Alive {
    /// What a shard takes goes with it.
    fn drop(&mut self) {
        self.leave_limit();
    }
}

impl MemoryLimit {
    /// For one of the shards that share `all`.
    pub(crate) fn new(bytes: u64, all: Arc<Gauge>) -> Self {
        Self { bytes, all, told: 0 }
    }
}
