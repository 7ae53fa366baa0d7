//! What will a server be started with?

use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use hectare_server::{Level, Settings};

use crate::args::ServeArgs;
use crate::failure::Failure;

/// A server, and what standard error gets of what happens.
#[derive(Debug)]
pub(crate) struct ServePlan {
    pub(crate) settings: Settings,
    pub(crate) log_level: Level,
}

/// The environment variable that holds the password, if no argument says it.
const PASSWORD_VARIABLE: &str = "HECTARE_REQUIREPASS";

impl ServePlan {
    /// Makes sense of what was typed.
    pub(crate) fn new(args: ServeArgs) -> Result<Self, Failure> {
        Self::with_variable(args, env::var(PASSWORD_VARIABLE).ok())
    }

    fn with_variable(args: ServeArgs, variable: Option<String>) -> Result<Self, Failure> {
        let canonical = Settings::default();
        let password = match (args.requirepass, &args.requirepass_file) {
            (Some(password), _) => Some(password),
            (None, Some(path)) => Some(password_in(path)?),
            (None, None) => variable,
        };
        let bind = if args.bind.is_empty() { canonical.bind.clone() } else { args.bind };
        let settings = Settings {
            bind: bind.into_iter().filter(|address| !address.is_empty()).collect(),
            port: args.port,
            unix_socket: args.unixsocket,
            unix_socket_mode: args.unixsocketperm,
            shards: args.shards.map(std::num::NonZeroUsize::get),
            // Redis takes an empty password for none.
            password: password.filter(|password| !password.is_empty()),
            protected_mode: args.protected_mode.is_yes(),
            clients_max: args.maxclients.get(),
            idle_timeout: Duration::from_secs(args.timeout),
            tcp_keepalive: Duration::from_secs(args.tcp_keepalive),
            tcp_backlog: args.tcp_backlog,
            memory_bytes: (args.maxmemory.0 > 0).then_some(args.maxmemory.0),
            bulk_bytes_max: bulk_bytes(args.proto_max_bulk_len.0)?,
            ..canonical
        };
        Ok(Self { settings, log_level: args.loglevel.level() })
    }
}

/// A password is the first line of its file.
fn password_in(path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::Failed(format!("the password in {} cannot be read: {error}", path.display()))
    })?;
    match text.lines().next() {
        Some(password) if !password.is_empty() => Ok(password.to_owned()),
        _ => Err(Failure::Usage(format!(
            "--requirepass-file {} has no password in its first line",
            path.display()
        ))),
    }
}

fn bulk_bytes(bytes: u64) -> Result<u32, Failure> {
    u32::try_from(bytes).ok().filter(|bytes| (1 << 20..=512 << 20).contains(bytes)).ok_or_else(
        || {
            Failure::Usage(format!(
                "--proto-max-bulk-len is from 1mb to 512mb, the longest value, not {bytes} bytes"
            ))
        },
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Args, Tool};

    fn plan(arguments: &[&str], variable: Option<&str>) -> Result<ServePlan, Failure> {
        let typed = ["hectare", "serve"].iter().chain(arguments);
        match Args::try_parse_from(typed).unwrap().tool {
            Tool::Serve(args) => ServePlan::with_variable(*args, variable.map(str::to_owned)),
            other => panic!("{other:?}"),
        }
    }

    fn settings(arguments: &[&str]) -> Settings {
        plan(arguments, None).unwrap().settings
    }

    #[test]
    fn without_arguments_it_is_redis_port_on_this_machine() {
        let settings = settings(&[]);
        assert_eq!((settings.port, settings.clients_max), (6379, 10_000));
        assert_eq!(settings.bind, ["127.0.0.1", "-::1"]);
        assert_eq!(settings.password, None);
    }

    #[test]
    fn what_is_typed_is_what_will_be_done() {
        let settings = settings(&[
            "--port",
            "7000",
            "--bind",
            "10.0.0.1",
            "-::1",
            "--shards",
            "3",
            "--maxclients",
            "5",
            "--timeout",
            "7",
            "--maxmemory",
            "2gb",
            "--unixsocketperm",
            "770",
            "--protected-mode",
            "no",
        ]);
        assert_eq!((settings.port, settings.shards, settings.clients_max), (7000, Some(3), 5));
        assert_eq!(settings.bind, ["10.0.0.1", "-::1"]);
        assert_eq!(settings.idle_timeout, Duration::from_secs(7));
        assert_eq!(settings.memory_bytes, Some(2 << 30));
        assert_eq!(settings.unix_socket_mode, Some(0o770));
        assert!(!settings.protected_mode);
        assert_eq!(super::plan(&["--bind", ""], None).unwrap().settings.bind, [""; 0]);
    }

    #[test]
    fn a_password_is_typed_or_in_a_file_or_in_the_environment() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "from file\nsecond line\n").unwrap();
        let path = file.path().to_str().unwrap();
        let password =
            |arguments: &[&str], variable| plan(arguments, variable).unwrap().settings.password;
        let typed = ["--requirepass", "typed"];
        assert_eq!(password(&typed, Some("variable")).as_deref(), Some("typed"));
        let named = ["--requirepass-file", path];
        assert_eq!(password(&named, Some("variable")).as_deref(), Some("from file"));
        assert_eq!(password(&[], Some("variable")).as_deref(), Some("variable"));
        assert_eq!(password(&[], Some("")), None);
        fs::write(file.path(), "\n").unwrap();
        assert!(plan(&named, None).is_err());
    }
}
