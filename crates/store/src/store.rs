//! One shard's data.
use crate::{command::Command, error::CommandError, reply::ReplySink, request::{Args, Request}};
/// How a command of the store runs.
pub type Run = fn(&mut Context<'_>, Args<'_>, &mut dyn ReplySink) -> Result<(), CommandError>;
/// What a running command has at hand.
#[derive(Debug)]
pub struct Context<'a> { pub(crate) store: &'a mut Store }
/// One shard's data.
#[derive(Debug)]
pub struct Store {}
