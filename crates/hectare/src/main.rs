//! Which of Hectare's tools was asked for, and how did it end?
//!
//! The command is a thin front: [`args`] is what was typed, the plan of each tool what will be
//! done, and the libraries do it. Results go to standard output, progress and warnings to standard
//! error. It exits with 0 when it did what was asked, 1 when it could not, 2 when that was not to be
//! understood, and 130 when it was interrupted.

#![forbid(unsafe_code)]

mod args;
mod cell;
mod cell_process;
mod failure;
mod interrupt;
mod loadgen;
mod loadgen_plan;
mod report;
mod report_plan;
mod serve;
mod serve_plan;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Tool};

fn main() -> ExitCode {
    let outcome = match Args::parse().tool {
        Tool::Report(args) => report::run(*args),
        Tool::Loadgen(args) => loadgen::run(*args),
        Tool::Serve(args) => serve::run(*args),
        Tool::Cell => cell::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
