//! Does the server answer over real sockets as Redis does, whoever else is on the line?

mod bounds;
mod clients;
mod itself;
mod login;
mod metrics;
mod order;
mod peers;
mod protocol;
mod redis_rs;
mod stop;
mod support;
