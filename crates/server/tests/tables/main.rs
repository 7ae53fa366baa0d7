//! Does the server say of itself what Redis 8 says of itself?

mod command;
mod config;
mod info;

mod redis;
