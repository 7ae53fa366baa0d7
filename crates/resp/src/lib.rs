//! How do bytes become requests and replies become bytes?
//!
//! This crate sees no socket. What reads from one hands its buffer here and learns what is in it, or
//! that more bytes are needed; what writes to one takes the bytes that were put into its `Vec`.
//!
//! | side | in | out |
//! | --- | --- | --- |
//! | server | [`RequestParser`]: RESP arrays and inline commands | [`Encoder`]: RESP2 and RESP3 replies |
//! | client | [`Skimmer`]: counts replies; [`ReplyParser`]: builds a [`Reply`] | [`encode_command`] |
//!
//! The parsers share three habits. They are *resumable*: called again with the same bytes and more, they
//! go on where they stopped, so that a large request or reply in many pieces costs time linear in its
//! bytes. They give the *same answer however the bytes were cut* into pieces. And they *trust no claim*:
//! memory is taken for bytes that are there, never for a count that somebody announced.
//!
//! ```
//! use hectare_resp::{Encoder, Parsed, Protocol, RequestParser};
//!
//! let received = b"*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\nPING\r\n*1\r\n$4\r\nPI";
//! let mut parser = RequestParser::default();
//! let mut replies = Vec::new();
//! let mut position = 0;
//! loop {
//!     match parser.parse(&received[position..])? {
//!         Parsed::Request(request) => {
//!             let mut encoder = Encoder::new(&mut replies, Protocol::Resp2);
//!             match request.arg(0) {
//!                 Some(b"ECHO") => encoder.bulk(request.arg(1).unwrap_or_default()),
//!                 Some(b"PING") => encoder.simple("PONG"),
//!                 _ => encoder.error("ERR unknown command"),
//!             }
//!             position += request.consumed();
//!         }
//!         Parsed::Empty { consumed } => position += consumed,
//!         Parsed::Partial { missing_bytes_min } => {
//!             assert_eq!(missing_bytes_min, 4); // `NG\r\n`
//!             break;
//!         }
//!     }
//! }
//! assert_eq!(replies, b"$5\r\nhello\r\n+PONG\r\n");
//! # Ok::<(), hectare_resp::ProtocolError>(())
//! ```
#![forbid(unsafe_code)]

mod encoder;
mod inline;
mod request;

mod command;
mod reply;
mod reply_parser;
mod skim;

mod element;

mod double;
mod limits;
mod line;
mod number;

pub use command::{encode_argument, encode_command, encode_command_header};
pub use element::{ReplyError, ReplyKind};
pub use encoder::{Encoder, Protocol};
pub use limits::{ReplyLimits, RequestLimits};
pub use reply::Reply;
pub use reply_parser::ReplyParser;
pub use request::{Parsed, ProtocolError, Request, RequestParser, Span};
pub use skim::{Skimmed, Skimmer};
