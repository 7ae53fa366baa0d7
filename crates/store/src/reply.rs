//! How does a command answer without knowing the protocol?

use crate::error::CommandError;
use crate::value::Value;

/// Where a command writes its reply, once, in the form that goes out.
///
/// Calls come in the order of the wire: an [`array`](Self::array) of three is that call and then
/// three replies. The store calls [`end`](Self::end) after each command, so a sink can note where
/// one reply ends and the next begins.
pub trait ReplySink {
    /// A status such as `OK`.
    fn status(&mut self, text: &str);
    /// A failure; [`CommandError`]'s `Display` is the text that Redis sends.
    fn error(&mut self, error: &CommandError);
    /// An integer.
    fn integer(&mut self, integer: i64);
    /// A string.
    fn value(&mut self, value: Value<'_>);
    /// No value where there could be one.
    fn null(&mut self);
    /// No array where there could be one.
    fn null_array(&mut self);
    /// The head of an array of so many elements, which follow.
    fn array(&mut self, elements: usize);
    /// The head of a map; key, value, key, value … follow. (RESP2: a flat array of twice as many.)
    fn map(&mut self, pairs: usize);
    /// The head of a list of pairs; before each pair comes [`pair`](Self::pair). (RESP2: flat.)
    fn pairs(&mut self, pairs: usize);
    /// The head of one pair of a list of pairs; two values follow. (RESP2: nothing.)
    fn pair(&mut self);

    /// How many bytes are written so far: a mark that [`truncate`](Self::truncate) goes back to.
    fn written(&self) -> usize;
    /// Takes back what was written since the mark.
    fn truncate(&mut self, written: usize);
    /// Whether this reply has passed the sink's bound. A command that could go on without end looks
    /// here and stops; the store then takes the reply back and answers with an error.
    fn is_full(&self) -> bool;
    /// How many bytes this reply may still take, if that is known: what is longer for certain is not
    /// begun.
    fn bytes_left(&self) -> usize {
        usize::MAX
    }
    /// One command's reply is complete.
    fn end(&mut self);
}
