//! What does Prometheus see of a server?
//!
//! [`text`] are the facts in its text format, version 0.0.4; [`HttpRequest`] answers the one question
//! that is asked for them, without a socket: bytes in, bytes out. A thread of the server has the
//! sockets, if it is to have any.

mod endpoint;
mod families;
mod http;

pub(crate) use endpoint::Endpoint;

pub use families::text;
pub use http::{HEAD_BYTES_MAX, HttpRequest, Refusal};
