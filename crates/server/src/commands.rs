//! What can be asked that is not about data?

use crate::rows::Row;

pub(crate) mod absent;
mod client;
mod connection;
mod server;

/// The rows of each file.
pub(crate) const GROUPS: [&[Row]; 3] = [connection::ROWS, client::ROWS, server::ROWS];

/// The version of Redis whose behaviour this is.
pub(crate) const VERSION: &[u8] = b"8.0.6";
