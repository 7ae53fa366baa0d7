//! Which shards does a pipeline's command go to, and how do their answers become one?

use crate::across::{Across, keys_together};
use crate::batch::Batch;
use crate::exchange::Exchange;
use crate::route::Route;
use crate::wire::{ReplyBuffer, Wire};
use hectare_store::{Command, CommandError, KeyHasher, Keys, Merge, Spread, shard_of_cursor};

/// Where the answers of a pipeline's commands are, in the order of the commands.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    places: Vec<Place>,
    /// The commands that went to several shards.
    merges: Vec<Merging>,
    /// Their parts, command after command.
    parts: Vec<Part>,
    /// The commands that need several shards at one moment, and cannot be split.
    pub(crate) across: Vec<Across>,
}

/// Where one command's answer is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// With one shard.
    Part(Part),
    /// Among the merged answers, at this index.
    Merged(usize),
    /// Among the answers of commands across shards, at this index.
    Across(usize),
}

/// One command of one shard's batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) shard: u32,
    pub(crate) index: u32,
}

#[derive(Clone, Copy, Debug)]
struct Merging {
    how: Merge,
    parts_start: usize,
    parts_end: usize,
}

/// Where commands can go: every shard's batch, and the way to it.
pub(crate) struct Destinations<'a> {
    pub(crate) hasher: &'a KeyHasher,
    pub(crate) route: Route,
    pub(crate) database: u8,
    pub(crate) exchanges: &'a mut [Exchange],
}

impl Plan {
    /// How many commands there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn place(&self, command: usize) -> Place {
        self.places[command]
    }

    pub(crate) fn clear(&mut self) {
        self.places.clear();
        self.merges.clear();
        self.parts.clear();
        self.across.clear();
    }

    /// Whether a command needs several shards at one moment.
    pub(crate) fn needs_several(&self) -> bool {
        !self.merges.is_empty() || !self.across.is_empty()
    }

    /// Puts a command into the batches of the shards that hold its keys.
    ///
    /// # Errors
    /// If one of the batches would pass what it can hold; nothing is changed then.
    pub(crate) fn add(
        &mut self,
        command: &'static Command,
        args: &[&[u8]],
        to: &mut Destinations<'_>,
    ) -> Result<(), CommandError> {
        let place = match command.spread {
            Spread::EachKey(merge) if to.exchanges.len() > 1 => {
                match key_width(command.keys, args.len()) {
                    Some(width) => self.split(command, args, width, merge, to)?,
                    None => Place::Part(to.by_first_key(command, args)?),
                }
            }
            Spread::Everywhere(merge) if to.exchanges.len() > 1 => {
                self.repeat(command, args, merge, to)?
            }
            Spread::Cursor => Place::Part(to.by_cursor(command, args)?),
            _ => match self.add_across(command, args, to) {
                Some(place) => place,
                None => Place::Part(to.by_first_key(command, args)?),
            },
        };
        self.places.push(place);
        Ok(())
    }

    /// Keeps a command apart whose keys belong together and are on several shards.
    fn add_across(
        &mut self,
        command: &'static Command,
        args: &[&[u8]],
        to: &mut Destinations<'_>,
    ) -> Option<Place> {
        let mut after = Vec::new();
        for key in keys_together(command, args) {
            let shard = to.route.shard(to.hasher.hash(key));
            if after.iter().all(|(known, _)| *known != shard) {
                after.push((shard, to.exchanges[shard].batch().commands()));
            }
        }
        if after.len() < 2 {
            return None;
        }
        self.across.push(Across::new(command, to.database, args, after));
        Some(Place::Across(self.across.len() - 1))
    }

    /// One part for each key and what belongs to it.
    fn split(
        &mut self,
        command: &'static Command,
        args: &[&[u8]],
        width: usize,
        how: Merge,
        to: &mut Destinations<'_>,
    ) -> Result<Place, CommandError> {
        to.check_room(args)?;
        let parts_start = self.parts.len();
        for first in (0..args.len()).step_by(width) {
            let part = to.by_first_key(command, &args[first..first + width])?;
            self.parts.push(part);
        }
        Ok(self.merging(how, parts_start))
    }

    /// The same for every shard.
    fn repeat(
        &mut self,
        command: &'static Command,
        args: &[&[u8]],
        how: Merge,
        to: &mut Destinations<'_>,
    ) -> Result<Place, CommandError> {
        to.check_room(args)?;
        let parts_start = self.parts.len();
        for shard in 0..to.exchanges.len() {
            let part = to.push(shard, command, 0, args)?;
            self.parts.push(part);
        }
        Ok(self.merging(how, parts_start))
    }

    fn merging(&mut self, how: Merge, parts_start: usize) -> Place {
        self.merges.push(Merging { how, parts_start, parts_end: self.parts.len() });
        Place::Merged(self.merges.len() - 1)
    }

    /// Writes the answers of the commands that went to several shards.
    pub(crate) fn merge(
        &self,
        wire: &'static dyn Wire,
        exchanges: &[Exchange],
        merged: &mut ReplyBuffer,
    ) {
        for merging in &self.merges {
            let parts = &self.parts[merging.parts_start..merging.parts_end];
            let replies = parts.iter().map(|part| reply(exchanges, *part));
            match merging.how {
                Merge::Sum => merge_sum(wire, replies, merged),
                Merge::Status => merge_status(wire, replies, merged),
                Merge::Array => merge_array(wire, replies, merged),
                Merge::Draw => merge_draw(wire, replies, merged),
            }
        }
    }

    /// How many of the answers that stay behind merged ones are errors.
    pub(crate) fn hidden_errors(&self, wire: &'static dyn Wire, exchanges: &[Exchange]) -> usize {
        self.parts.iter().filter(|part| wire.is_error(reply(exchanges, **part))).count()
    }
}

impl Destinations<'_> {
    fn by_first_key(
        &mut self,
        command: &'static Command,
        args: &[&[u8]],
    ) -> Result<Part, CommandError> {
        let key = if command.keys == Keys::None { None } else { args.first() };
        let hash = key.map_or(0, |key| self.hasher.hash(key));
        self.push(self.route.shard(hash), command, hash, args)
    }

    /// The cursor's lowest bits name the shard; what is no cursor may go to any, to be refused.
    fn by_cursor(
        &mut self,
        command: &'static Command,
        args: &[&[u8]],
    ) -> Result<Part, CommandError> {
        let shard = args.first().and_then(|cursor| shard_of_cursor(cursor)).unwrap_or(0);
        let shard = if shard < self.exchanges.len() { shard } else { 0 };
        self.push(shard, command, 0, args)
    }

    fn push(
        &mut self,
        shard: usize,
        command: &'static Command,
        hash: u64,
        args: &[&[u8]],
    ) -> Result<Part, CommandError> {
        let index = self.exchanges[shard].batch().push(command, self.database, hash, args)?;
        #[expect(clippy::cast_possible_truncation, reason = "at most 1024 shards")]
        let shard = shard as u32;
        Ok(Part { shard, index })
    }

    /// So that a command is in all of its batches or in none.
    fn check_room(&mut self, args: &[&[u8]]) -> Result<(), CommandError> {
        self.exchanges.iter_mut().try_for_each(|exchange| exchange.batch().check_room(args))
    }
}

/// How many arguments make one key's part; `None` if the command cannot be split, because it has
/// only one key, or because its arguments do not come out even (then it is refused as it is).
fn key_width(keys: Keys, args: usize) -> Option<usize> {
    let width = match keys {
        Keys::None | Keys::First => return None,
        Keys::All => 1,
        Keys::EverySecond => 2,
    };
    (args > width && args.is_multiple_of(width)).then_some(width)
}

fn reply(exchanges: &[Exchange], part: Part) -> &[u8] {
    let batch: &Batch = exchanges[part.shard as usize].returned();
    batch.replies.get(part.index as usize)
}

fn merge_sum<'a>(
    wire: &'static dyn Wire,
    replies: impl Iterator<Item = &'a [u8]> + Clone,
    merged: &mut ReplyBuffer,
) {
    let sum = replies.clone().map(|reply| wire.integer(reply)).sum::<Option<i64>>();
    match sum {
        Some(sum) => wire.lend(merged, &mut |sink| {
            sink.integer(sum);
            sink.end();
        }),
        None => merge_status(wire, replies, merged),
    }
}

/// The first error, or else what the first shard says.
fn merge_status<'a>(
    wire: &'static dyn Wire,
    mut replies: impl Iterator<Item = &'a [u8]> + Clone,
    merged: &mut ReplyBuffer,
) {
    let mut all = replies.clone();
    let error = all.find(|reply| wire.is_error(reply));
    if let Some(reply) = error.or_else(|| replies.next()) {
        merged.bytes.extend_from_slice(reply);
        merged.errors += usize::from(error.is_some());
    }
    merged.end();
}

/// Each reply is an array: their elements, under one head.
fn merge_array<'a>(
    wire: &'static dyn Wire,
    replies: impl Iterator<Item = &'a [u8]> + Clone,
    merged: &mut ReplyBuffer,
) {
    let arrays = replies.clone().map(|reply| wire.array(reply));
    let Some(count) = arrays.map(|array| Some(array?.0)).sum::<Option<usize>>() else {
        return merge_status(wire, replies, merged);
    };
    wire.lend(merged, &mut |sink| sink.array(count));
    for reply in replies {
        let (_, start) = wire.array(reply).unwrap_or_default();
        merged.bytes.extend_from_slice(&reply[start..]);
    }
    merged.end();
}

/// Each reply is a lot and a string, or else nothing: the string with the lowest lot.
fn merge_draw<'a>(
    wire: &'static dyn Wire,
    replies: impl Iterator<Item = &'a [u8]> + Clone,
    merged: &mut ReplyBuffer,
) {
    let lots = replies.clone().filter_map(|reply| {
        let pair = &reply[wire.array(reply)?.1..];
        Some((wire.integer(pair)?, pair))
    });
    let Some((lot, pair)) = lots.min_by_key(|(lot, _)| *lot) else {
        return merge_status(wire, replies, merged);
    };
    let mut lot_bytes = 0;
    wire.lend(merged, &mut |sink| {
        let start = sink.written();
        sink.integer(lot);
        lot_bytes = sink.written() - start;
        sink.truncate(start);
    });
    merged.bytes.extend_from_slice(&pair[lot_bytes..]);
    merged.end();
}

impl Place {
    /// The reply in the engine's own form or another's, as it was written.
    pub(crate) fn find<'a>(
        self,
        exchanges: &'a [Exchange],
        merged: &'a ReplyBuffer,
        across: &'a ReplyBuffer,
    ) -> &'a [u8] {
        match self {
            Self::Across(index) => across.get(index),
            Self::Part(part) => reply(exchanges, part),
            Self::Merged(index) => merged.get(index),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{merge_array, merge_draw, merge_status, merge_sum};
    use crate::native::{Native, Reply};
    use crate::wire::{ReplyBuffer, Wire};
    use hectare_store::{CommandError, ReplySink, Value};

    fn written(write: impl Fn(&mut dyn ReplySink)) -> Vec<u8> {
        let mut buffer = ReplyBuffer::default();
        Native.lend(&mut buffer, &mut |sink| {
            write(sink);
            sink.end();
        });
        buffer.get(0).to_vec()
    }

    #[test]
    fn integers_are_summed() {
        let replies = [written(|sink| sink.integer(2)), written(|sink| sink.integer(-5))];
        let mut merged = ReplyBuffer::default();
        merge_sum(&Native, replies.iter().map(Vec::as_slice), &mut merged);
        assert_eq!(Reply::read(merged.get(0)), Reply::Integer(-3));
        assert_eq!(merged.errors, 0);
    }

    #[test]
    fn the_first_error_is_the_answer() {
        let ok = written(|sink| sink.status("OK"));
        let error = written(|sink| sink.error(&CommandError::WrongType));
        let replies = [ok.clone(), error.clone(), ok];
        let mut merged = ReplyBuffer::default();
        merge_status(&Native, replies.iter().map(Vec::as_slice), &mut merged);
        merge_sum(&Native, replies.iter().map(Vec::as_slice), &mut merged);
        merge_array(&Native, replies.iter().map(Vec::as_slice), &mut merged);
        for index in 0..3 {
            assert_eq!(merged.get(index), error);
        }
        assert_eq!(merged.errors, 3);
    }

    #[test]
    fn arrays_become_one_array() {
        let array = |elements: &[&[u8]]| {
            written(|sink| {
                sink.array(elements.len());
                elements.iter().for_each(|element| sink.value(Value::Bytes(element)));
            })
        };
        let null = written(|sink| {
            sink.array(1);
            sink.null();
        });
        let replies = [array(&[b"a", b"b"]), array(&[]), null];
        let mut merged = ReplyBuffer::default();
        merge_array(&Native, replies.iter().map(Vec::as_slice), &mut merged);
        let Reply::Array(elements) = Reply::read(merged.get(0)) else { panic!("an array") };
        let expected = [Reply::Bytes(b"a"), Reply::Bytes(b"b"), Reply::Null];
        assert_eq!(elements.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_lowest_lot_is_drawn() {
        let lot = |lot: i64, key: &'static [u8]| {
            written(move |sink| {
                sink.array(2);
                sink.integer(lot);
                sink.value(Value::Bytes(key));
            })
        };
        let null = written(|sink| sink.null());
        let mut merged = ReplyBuffer::default();
        let replies = [null.clone(), lot(70_000, b"a"), lot(3, b"b"), lot(500, b"c")];
        merge_draw(&Native, replies.iter().map(Vec::as_slice), &mut merged);
        merge_draw(&Native, [&null[..], &null].into_iter(), &mut merged);
        assert_eq!(Reply::read(merged.get(0)), Reply::Bytes(b"b"));
        assert_eq!(Reply::read(merged.get(1)), Reply::Null);
    }
}
