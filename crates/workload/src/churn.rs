//! What wears data out, and leaves the same data behind?

use std::ops::Range;

use crate::commands::Commands;
use crate::load::LoadPlan;
use crate::permutation::Permutation;
use crate::random::Stream;

/// Commands are made so many bytes at a time.
const BUFFER_BYTES_MAX: usize = 4 << 20;

/// The parts of the seed from which the orders of deleting and of writing again follow.
const REMOVAL_ORDER: u64 = u64::MAX;
const ADDITION_ORDER: u64 = u64::MAX - 1;

/// Commands for data that has been loaded: [`LoadPlan::OVERWRITING_ROUNDS`] times every value is
/// overwritten with one of another length, and then half of the keys, at random, are deleted and, in
/// another order, written again. Afterwards the data is what was loaded.
///
/// They are made in a buffer that is as large from the beginning as it will be, so that whoever reads
/// the memory of this process before and after sees nothing of them.
#[derive(Debug)]
pub struct Churn {
    rounds: Vec<LoadPlan>,
    again: LoadPlan,
    removal_order: Permutation,
    addition_order: Permutation,
    buffer: Commands,
}

impl Churn {
    /// Wears what `plan` loads.
    #[must_use]
    pub fn new(plan: &LoadPlan) -> Self {
        let rounds: Vec<LoadPlan> =
            (1..=LoadPlan::OVERWRITING_ROUNDS).map(|round| plan.overwriting(round)).collect();
        let again = plan.in_bulk();
        let mut buffer = Commands::new();
        for plan in [&rounds[0], &again] {
            let of_one_key = again.commands_per_key().min(again.command_count());
            let at_once = plan.commands_within(BUFFER_BYTES_MAX).max(of_one_key);
            plan.reserve_touched(at_once, &mut buffer);
        }
        let keys = plan.key_count();
        let order =
            |length, part| Permutation::new(length, Stream::new(plan.dataset().seed(), part));
        Self {
            removal_order: order(keys, REMOVAL_ORDER),
            addition_order: order(keys.div_ceil(2), ADDITION_ORDER),
            rounds,
            again,
            buffer,
        }
    }

    /// How many keys are deleted and written again: half of them, rounded up.
    #[must_use]
    pub fn removed_keys(&self) -> u64 {
        self.again.key_count().div_ceil(2)
    }

    /// Hands over some of the longest commands there will be, in no particular order and not to be
    /// sent as they are: what carries commands can be made as large as it must be with them.
    pub fn rehearse<E>(
        &mut self,
        count: u64,
        mut send: impl FnMut(&Commands) -> Result<(), E>,
    ) -> Result<(), E> {
        for plan in &self.rounds[..2] {
            self.buffer.clear();
            plan.append(0..count.min(plan.commands_within(BUFFER_BYTES_MAX)), &mut self.buffer);
            send(&self.buffer)?;
        }
        Ok(())
    }

    /// Hands over the commands that overwrite every value, round by round and some at a time.
    ///
    /// # Errors
    /// The first error of `send`.
    pub fn overwrite<E>(
        &mut self,
        mut send: impl FnMut(&Commands) -> Result<(), E>,
    ) -> Result<(), E> {
        for plan in &self.rounds {
            let at_once = plan.commands_within(BUFFER_BYTES_MAX);
            in_parts(plan.command_count(), at_once, |range| {
                self.buffer.clear();
                plan.append(range, &mut self.buffer);
                send(&self.buffer)
            })?;
        }
        Ok(())
    }

    /// Hands over the commands that delete half of the keys, and then those that write them again.
    ///
    /// # Errors
    /// The first error of `send`.
    pub fn remove_and_add<E>(
        &mut self,
        mut send: impl FnMut(&Commands) -> Result<(), E>,
    ) -> Result<(), E> {
        let (again, buffer) = (&self.again, &mut self.buffer);
        let per_key = again.commands_per_key();
        let keys_at_once = (again.commands_within(BUFFER_BYTES_MAX) / per_key).max(1);
        let removed = again.key_count().div_ceil(2);
        in_parts(removed, keys_at_once, |range| {
            buffer.clear();
            for number in range {
                let key = self.removal_order.image(number);
                buffer.push_with(|command| {
                    command.argument(b"UNLINK");
                    command.argument_with(|out| again.write_key(key, out));
                });
            }
            send(buffer)
        })?;
        in_parts(removed, keys_at_once, |range| {
            buffer.clear();
            for number in range {
                let key = self.removal_order.image(self.addition_order.image(number));
                again.append(key * per_key..(key + 1) * per_key, buffer);
            }
            send(buffer)
        })
    }
}

fn in_parts<E>(
    count: u64,
    at_once: u64,
    mut run: impl FnMut(Range<u64>) -> Result<(), E>,
) -> Result<(), E> {
    let mut start = 0;
    while start < count {
        let end = (start + at_once).min(count);
        run(start..end)?;
        start = end;
    }
    Ok(())
}
