//! What does a command of the server have at hand?

use crate::directory::Card;
use crate::session::Session;
use crate::shared::Shared;
use hectare_engine::{Client, CommandError, Shard};
use hectare_resp::Encoder;
use hectare_store::{Command, Flags, Keys, Spread};
use std::time::Instant;

/// The client that asks, and what it may ask about.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    pub(crate) session: &'a mut Session,
    pub(crate) card: &'a Card,
    pub(crate) shared: &'a Shared,
    pub(crate) client: &'a Client,
    /// The shard of this thread: whoever asks the engine steps aside from it meanwhile.
    pub(crate) shard: &'a mut Shard,
    pub(crate) now: Instant,
    out: &'a mut Vec<u8>,
}

/// How a command of the server runs: the arguments come without its name, and as many as its arity
/// asks for. It writes one reply, or none and returns an error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerRun {
    pub(crate) run: fn(&mut Desk<'_>, &[&[u8]]) -> Answered,
    /// Whether it waits until all that the client asked before is answered.
    pub(crate) in_turn: bool,
    /// Whether it may be asked before a login.
    pub(crate) without_login: bool,
}

/// What a command of the server gives.
pub(crate) type Answered = Result<Then, CommandError>;

/// What becomes of the connection after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The next command.
    Next,
    /// It is closed when the replies are sent.
    Close,
    /// It is closed at once.
    Vanish,
    /// It waits, until then if somebody does not end it, and gets this reply.
    Wait { until: Option<Instant>, reply: &'static [u8] },
}

impl<'a> Desk<'a> {
    #[expect(clippy::too_many_arguments, reason = "it is what is at hand, and made in one place")]
    pub(crate) fn new(
        session: &'a mut Session,
        card: &'a Card,
        shared: &'a Shared,
        client: &'a Client,
        shard: &'a mut Shard,
        now: Instant,
        out: &'a mut Vec<u8>,
    ) -> Self {
        Self { session, card, shared, client, shard, now, out }
    }

    /// Writes the reply, in the protocol that the client speaks by now.
    pub(crate) fn reply(&mut self) -> Encoder<'_> {
        Encoder::new(self.out, self.session.protocol)
    }

    /// The reply `OK`.
    pub(crate) fn ok(&mut self) -> Answered {
        self.reply().ok();
        Ok(Then::Next)
    }
}

/// An error by its whole text.
pub(crate) fn error<T>(text: &'static str) -> Result<T, CommandError> {
    Err(CommandError::Other(text.into()))
}

/// A row of a command that has no keys.
pub(crate) const fn row(
    name: &'static str,
    arity: i8,
    run: fn(&mut Desk<'_>, &[&[u8]]) -> Answered,
) -> Command<ServerRun> {
    Command {
        name,
        arity,
        flags: Flags { write: false, deny_oom: false, fast: false },
        keys: Keys::None,
        spread: Spread::One,
        run: ServerRun { run, in_turn: false, without_login: false },
    }
}

/// The same, waiting for its turn.
pub(crate) const fn in_turn(mut row: Command<ServerRun>) -> Command<ServerRun> {
    row.run.in_turn = true;
    row
}

/// The same, for whoever has not logged in, too.
pub(crate) const fn for_all(mut row: Command<ServerRun>) -> Command<ServerRun> {
    row.run.without_login = true;
    row
}

/// The same, taking constant time.
pub(crate) const fn fast(mut row: Command<ServerRun>) -> Command<ServerRun> {
    row.flags.fast = true;
    row
}
