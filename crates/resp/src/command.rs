//! How does a client write a command?

use crate::number;

/// Appends a command: its name and its other arguments.
///
/// ```
/// let mut out = Vec::new();
/// hectare_resp::encode_command(&mut out, ["HGET", "user:1", "name"]);
/// assert_eq!(out, b"*3\r\n$4\r\nHGET\r\n$6\r\nuser:1\r\n$4\r\nname\r\n");
/// ```
#[inline]
pub fn encode_command<I>(out: &mut Vec<u8>, args: I)
where
    I: IntoIterator<IntoIter: ExactSizeIterator, Item: AsRef<[u8]>>,
{
    let args = args.into_iter();
    encode_command_header(out, args.len());
    for arg in args {
        encode_argument(out, arg.as_ref());
    }
}

/// Appends the head of a command of `args_count` arguments, each of which an [`encode_argument`] follows
/// with: for arguments that are made one by one.
///
/// ```
/// use hectare_resp::{encode_argument, encode_command_header};
///
/// let mut out = Vec::new();
/// encode_command_header(&mut out, 2);
/// encode_argument(&mut out, b"GET");
/// encode_argument(&mut out, b"k");
/// assert_eq!(out, b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
/// ```
#[inline]
pub fn encode_command_header(out: &mut Vec<u8>, args_count: usize) {
    number::write_line(out, b'*', args_count as u64);
}

/// Appends one argument of a command begun with [`encode_command_header`].
#[inline]
pub fn encode_argument(out: &mut Vec<u8>, arg: &[u8]) {
    number::write_line(out, b'$', arg.len() as u64);
    out.extend_from_slice(arg);
    out.extend_from_slice(b"\r\n");
}
