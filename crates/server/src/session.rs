//! What has a client arranged with the server?

use hectare_resp::Protocol;

/// What commands of a client change for its later ones.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) database: u8,
    pub(crate) protocol: Protocol,
    pub(crate) is_authenticated: bool,
    pub(crate) replies: Replying,
}

/// Which replies a client wants, by `CLIENT REPLY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replying {
    /// Every one.
    On,
    /// None.
    Off,
    /// `CLIENT REPLY SKIP` was said: not the next one.
    SkipNext,
    /// Not the one to the command that is being taken.
    Skip,
}

impl Session {
    pub(crate) fn new(is_authenticated: bool) -> Self {
        Self { database: 0, protocol: Protocol::Resp2, is_authenticated, replies: Replying::On }
    }

    /// Whether the reply to the command that is being taken is to be dropped.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self.replies, Replying::Off | Replying::Skip)
    }

    /// A command has been taken.
    pub(crate) fn next_command(&mut self) {
        self.replies = match self.replies {
            Replying::SkipNext => Replying::Skip,
            Replying::Skip => Replying::On,
            replies => replies,
        };
    }
}
