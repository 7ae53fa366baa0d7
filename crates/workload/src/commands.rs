//! How are many commands held without an allocation for each?
//!
//! ```text
//! bytes          H S E T u s e r : 7 a g e 4 2 | G E T k | …
//! argument_ends        4           10    13  15 |    3 4  | …   from the command's first byte
//! ends                                       ^         ^        bytes and arguments so far
//! ```
//!
//! A command costs its bytes, 4 bytes an argument and 16 bytes for its end.

use std::fmt;
use std::ops::Index;

/// A packed list of commands, each a list of arguments (the command's name is the first).
///
/// Cleared and filled again, it allocates nothing once it has grown to its working size.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Commands {
    bytes: Vec<u8>,
    /// Where each argument ends, counted from its command's first byte.
    argument_ends: Vec<u32>,
    ends: Vec<End>,
}

/// How much of `bytes` and of `argument_ends` is used up to a command's end.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct End {
    bytes: usize,
    arguments: usize,
}

/// What one command costs beside its bytes and what one argument costs beside its bytes.
pub(crate) const COMMAND_OVERHEAD_BYTES: usize = size_of::<End>();
pub(crate) const ARGUMENT_OVERHEAD_BYTES: usize = size_of::<u32>();

impl Commands {
    /// An empty list, which has allocated nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many commands there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no command.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of all arguments together, without any framing.
    #[must_use]
    pub fn argument_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The memory held, used or not, in bytes.
    #[must_use]
    pub fn allocated_bytes(&self) -> usize {
        self.bytes.capacity()
            + self.argument_ends.capacity() * ARGUMENT_OVERHEAD_BYTES
            + self.ends.capacity() * COMMAND_OVERHEAD_BYTES
    }

    /// Forgets all commands and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.argument_ends.clear();
        self.ends.clear();
    }

    /// Gives back the memory that no command uses.
    pub fn shrink_to_fit(&mut self) {
        self.bytes.shrink_to_fit();
        self.argument_ends.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// Makes room for so many more commands, arguments and argument bytes, and no more than that.
    pub(crate) fn reserve_exact(&mut self, commands: usize, arguments: usize, bytes: usize) {
        self.ends.reserve_exact(commands);
        self.argument_ends.reserve_exact(arguments);
        self.bytes.reserve_exact(bytes);
    }

    /// Writes to the room that is not in use yet, so that the system has given it to this process.
    pub(crate) fn touch(&mut self) {
        fn touch<T: Clone + Default>(list: &mut Vec<T>) {
            let length = list.len();
            list.resize(list.capacity(), T::default());
            list.truncate(length);
        }
        touch(&mut self.bytes);
        touch(&mut self.argument_ends);
        touch(&mut self.ends);
    }

    /// Appends a command.
    ///
    /// # Panics
    ///
    /// If the command's arguments are 4 GiB or more together; no server takes such a command.
    pub fn push<'a>(&mut self, arguments: impl IntoIterator<Item = &'a [u8]>) {
        self.push_with(|command| {
            for argument in arguments {
                command.argument(argument);
            }
        });
    }

    /// Appends a command whose arguments `write` adds one by one, in place.
    ///
    /// # Panics
    ///
    /// As [`Commands::push`].
    pub fn push_with(&mut self, write: impl FnOnce(&mut CommandWriter<'_>)) {
        let first_byte = self.bytes.len();
        write(&mut CommandWriter { commands: self, first_byte });
        self.ends.push(End { bytes: self.bytes.len(), arguments: self.argument_ends.len() });
    }

    /// The command at `index`, counted from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Command<'_>> {
        let end = *self.ends.get(index)?;
        let start = match index.checked_sub(1) {
            Some(previous) => self.ends[previous],
            None => End::default(),
        };
        Some(Command {
            bytes: &self.bytes[start.bytes..end.bytes],
            argument_ends: &self.argument_ends[start.arguments..end.arguments],
        })
    }

    /// The commands in the order they were pushed.
    #[must_use]
    pub fn iter(&self) -> CommandIter<'_> {
        CommandIter { commands: self, next: 0 }
    }
}

impl fmt::Debug for Commands {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self).finish()
    }
}

impl<'a> IntoIterator for &'a Commands {
    type Item = Command<'a>;
    type IntoIter = CommandIter<'a>;

    fn into_iter(self) -> CommandIter<'a> {
        self.iter()
    }
}

/// Adds arguments to a command that is being pushed.
#[derive(Debug)]
pub struct CommandWriter<'a> {
    commands: &'a mut Commands,
    first_byte: usize,
}

impl CommandWriter<'_> {
    /// Adds one argument.
    ///
    /// # Panics
    ///
    /// As [`Commands::push`].
    pub fn argument(&mut self, argument: &[u8]) {
        self.argument_with(|bytes| bytes.extend_from_slice(argument));
    }

    /// Adds the argument that `write` appends to the bytes given; it must only append.
    pub(crate) fn argument_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.commands.bytes);
        let end = u32::try_from(self.commands.bytes.len() - self.first_byte)
            .expect("a command has less than 4 GiB of arguments");
        self.commands.argument_ends.push(end);
    }
}

/// One command of a [`Commands`]: `command[0]` is its name, `command.len()` its argument count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Command<'a> {
    bytes: &'a [u8],
    argument_ends: &'a [u32],
}

impl<'a> Command<'a> {
    /// How many arguments there are, the name included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.argument_ends.len()
    }

    /// Whether there is no argument, not even a name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.argument_ends.is_empty()
    }

    /// The bytes of all arguments together, without any framing.
    #[must_use]
    pub fn argument_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The argument at `index`; 0 is the command's name.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        let end = *self.argument_ends.get(index)?;
        let start = match index.checked_sub(1) {
            Some(previous) => self.argument_ends[previous],
            None => 0,
        };
        Some(&self.bytes[start as usize..end as usize])
    }

    /// The arguments, the name first.
    #[must_use]
    pub fn iter(&self) -> Arguments<'a> {
        Arguments { command: *self, next: 0 }
    }
}

impl Index<usize> for Command<'_> {
    type Output = [u8];

    fn index(&self, index: usize) -> &[u8] {
        match self.get(index) {
            Some(argument) => argument,
            None => panic!("argument {index} of a command that has {}", self.len()),
        }
    }
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, argument) in self.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(formatter, "{space}{}", argument.escape_ascii())?;
        }
        Ok(())
    }
}

impl<'a> IntoIterator for Command<'a> {
    type Item = &'a [u8];
    type IntoIter = Arguments<'a>;

    fn into_iter(self) -> Arguments<'a> {
        self.iter()
    }
}

/// The commands of a [`Commands`], in order.
#[derive(Clone, Debug)]
pub struct CommandIter<'a> {
    commands: &'a Commands,
    next: usize,
}

impl<'a> Iterator for CommandIter<'a> {
    type Item = Command<'a>;

    fn next(&mut self) -> Option<Command<'a>> {
        let command = self.commands.get(self.next)?;
        self.next += 1;
        Some(command)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.commands.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for CommandIter<'_> {}

/// The arguments of one [`Command`], the name first.
#[derive(Clone, Debug)]
pub struct Arguments<'a> {
    command: Command<'a>,
    next: usize,
}

impl<'a> Iterator for Arguments<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let argument = self.command.get(self.next)?;
        self.next += 1;
        Some(argument)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.command.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Arguments<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_pushed_comes_out_in_order_also_after_clear(
            lists in prop::collection::vec(
                prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..6), 0..30)
        ) {
            let mut commands = Commands::new();
            commands.push([&b"left over"[..]]);
            commands.clear();
            prop_assert!(commands.is_empty());
            for list in &lists {
                commands.push(list.iter().map(Vec::as_slice));
            }
            prop_assert_eq!(commands.len(), lists.len());
            let out: Vec<Vec<Vec<u8>>> =
                commands.iter().map(|command| command.iter().map(<[u8]>::to_vec).collect()).collect();
            prop_assert_eq!(&out, &lists);
            for (command, list) in commands.iter().zip(&lists) {
                prop_assert_eq!(command.len(), list.len());
                prop_assert_eq!(command.argument_bytes(), list.iter().map(Vec::len).sum::<usize>());
                for (index, argument) in list.iter().enumerate() {
                    prop_assert_eq!(&command[index], argument.as_slice());
                }
                prop_assert_eq!(command.get(list.len()), None);
            }
            prop_assert_eq!(commands.get(lists.len()), None);
        }
    }

    #[test]
    fn a_command_prints_as_one_would_type_it() {
        let mut commands = Commands::new();
        commands.push([&b"SET"[..], b"k", b"\xff\n"]);
        assert_eq!(format!("{commands:?}"), r"[SET k \xff\n]");
    }
}
