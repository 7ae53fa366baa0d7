//! Where do bytes wait on their way to a socket and from it?
//!
//! Buffers are kept from one pipeline to the next, and given back when an unusual one made them
//! large.

use hectare_resp::encode_command;

/// The size of the buffer for answers, unless one answer needs more.
const INPUT_BYTES: usize = 64 * 1024;
/// Buffers above this are given back once they are empty.
const KEPT_BYTES_MAX: usize = 1024 * 1024;
/// So many bytes must be sent, and half of all, before the rest is moved to the front: each byte is
/// moved at most once on average.
const MOVED_BYTES_MIN: usize = 256 * 1024;

/// Bytes on their way out.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
}

impl Outgoing {
    /// What is still to be sent.
    pub(crate) fn pending(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// Appends a command.
    pub(crate) fn encode<'a>(&mut self, arguments: impl ExactSizeIterator<Item = &'a [u8]>) {
        encode_command(&mut self.bytes, arguments);
    }

    /// So many bytes of it are sent.
    pub(crate) fn consume(&mut self, bytes: usize) {
        self.sent += bytes;
        if self.sent == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT_BYTES_MAX);
            self.sent = 0;
        } else if self.sent >= MOVED_BYTES_MIN && self.sent >= self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }
}

/// Bytes that have come in: those from `consumed` to `filled` are not understood yet.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    consumed: usize,
    filled: usize,
}

impl Incoming {
    /// What is not understood yet.
    pub(crate) fn pending(&self) -> &[u8] {
        &self.bytes[self.consumed..self.filled]
    }

    /// Where the next bytes go: at least a quarter of the buffer.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.consumed == self.filled {
            (self.consumed, self.filled) = (0, 0);
            if self.bytes.len() > KEPT_BYTES_MAX || self.bytes.is_empty() {
                self.bytes = vec![0; INPUT_BYTES];
            }
        }
        if self.bytes.len() - self.filled < self.bytes.len() / 4 {
            self.bytes.copy_within(self.consumed..self.filled, 0);
            self.filled -= self.consumed;
            self.consumed = 0;
            if self.filled > self.bytes.len() / 2 {
                self.bytes.resize(self.bytes.len() * 2, 0);
            }
        }
        &mut self.bytes[self.filled..]
    }

    /// So many bytes were put into the room.
    pub(crate) fn fill(&mut self, bytes: usize) {
        self.filled += bytes;
    }

    /// So many bytes are understood.
    pub(crate) fn consume(&mut self, bytes: usize) {
        self.consumed += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands bytes through a buffer as a socket would, some at a time, and understands them in steps.
    fn hand_through(bytes: &[u8], read_bytes_max: usize, understood_bytes: usize) -> Vec<u8> {
        let mut input = Incoming::default();
        let (mut rest, mut out) = (bytes, Vec::new());
        loop {
            while input.pending().len() >= understood_bytes
                || (rest.is_empty() && !input.pending().is_empty())
            {
                let step = understood_bytes.min(input.pending().len());
                out.extend_from_slice(&input.pending()[..step]);
                input.consume(step);
            }
            if rest.is_empty() {
                return out;
            }
            let room = input.room();
            assert!(!room.is_empty());
            let step = room.len().min(read_bytes_max).min(rest.len());
            room[..step].copy_from_slice(&rest[..step]);
            rest = &rest[step..];
            input.fill(step);
        }
    }

    #[test]
    fn bytes_come_out_as_they_went_in_however_they_are_cut() {
        let bytes: Vec<u8> = (0..3_000_000u32).map(|number| (number % 251) as u8).collect();
        for (read_bytes_max, understood_bytes) in
            [(1 << 20, 5), (1000, 300_000), (65_536, 65_536), (70_000, 2_000_000), (4096, 4097)]
        {
            assert_eq!(hand_through(&bytes, read_bytes_max, understood_bytes), bytes);
        }
    }

    #[test]
    fn a_large_answer_does_not_keep_its_buffer() {
        let mut input = Incoming::default();
        while input.filled < 4 * KEPT_BYTES_MAX {
            let room = input.room().len();
            input.fill(room);
        }
        assert!(input.bytes.len() > KEPT_BYTES_MAX);
        input.consume(input.pending().len());
        input.room();
        assert_eq!(input.bytes.len(), INPUT_BYTES);
    }

    #[test]
    fn what_is_sent_in_pieces_is_what_was_encoded() {
        let mut output = Outgoing::default();
        let (mut expected, mut sent) = (Vec::new(), Vec::new());
        for number in 0..3000usize {
            let value = vec![b'v'; number % 700];
            let command: [&[u8]; 3] = [b"SET", b"key", &value];
            output.encode(command.iter().copied());
            encode_command(&mut expected, command);
            if number % 3 == 0 {
                let step = output.pending().len() / 2 + 1;
                sent.extend_from_slice(&output.pending()[..step]);
                output.consume(step);
            }
        }
        sent.extend_from_slice(output.pending());
        output.consume(output.pending().len());
        assert!(sent == expected, "{} of {} bytes", sent.len(), expected.len());
        assert!(output.pending().is_empty());
    }
}
