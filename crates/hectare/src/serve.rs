//! How is a server started, and stopped again?

use std::io::{self, Write};

use hectare_server::{Address, Level, Log, Server, StartError};

use crate::args::ServeArgs;
use crate::failure::Failure;
use crate::serve_plan::ServePlan;
use crate::terminal::{say, warn};

/// Serves until a signal, or a client, asks it to stop.
pub(crate) fn run(args: ServeArgs) -> Result<(), Failure> {
    let ServePlan { settings, warnings } = ServePlan::new(args)?;
    warnings.iter().for_each(warn);
    let log = Log::new(|level, text| say(&format!("{}: {text}", name(level))));
    let server = Server::start(settings, log).map_err(|error| match error {
        StartError::NoAddress => Failure::Usage(error.to_string()),
        error => Failure::Failed(error.to_string()),
    })?;
    let stopper = server.stopper();
    // It fails only if a handler is there already; then that one ends the process.
    let _handler = ctrlc::set_handler(move || stopper.stop());
    announce(&server).map_err(|error| Failure::of_stdout(&error))?;
    server.wait().map_err(|error| Failure::Failed(error.to_string()))
}

/// One line for whoever waits until it can connect.
fn announce(server: &Server) -> io::Result<()> {
    let addresses: Vec<String> = server.addresses().iter().map(Address::to_string).collect();
    let (threads, version) = (server.threads(), env!("CARGO_PKG_VERSION"));
    let shards = if threads == 1 { "shard" } else { "shards" };
    let metrics = server.metrics_address();
    let metrics = metrics.map(|address| format!(", metrics on http://{address}/metrics"));
    let mut stdout = io::stdout().lock();
    writeln!(
        stdout,
        "hectare {version} listens on {}, {threads} {shards}{}, process {}",
        addresses.join(" and "),
        metrics.unwrap_or_default(),
        std::process::id()
    )?;
    stdout.flush()
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Verbose => "verbose",
        Level::Notice => "notice",
        Level::Warning => "warning",
    }
}
