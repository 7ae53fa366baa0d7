//! What does one shard hold, and what does it weigh?
pub mod command;
pub mod error;
pub mod hasher;
pub mod reply;
pub mod request;
pub mod store;
pub mod value;
pub use hasher::KeyHasher;
