//! What will a server be started with?
//!
//! What is typed goes before the environment, and that before a file. What each parameter takes, and
//! what is said if it does not, is the library's.

use std::env;
use std::fmt::Display;

use hectare_server::{Parameters, Settings};

use crate::args::ServeArgs;
use crate::failure::Failure;

/// A server, and what its user should know although it starts.
#[derive(Debug)]
pub(crate) struct ServePlan {
    pub(crate) settings: Settings,
    pub(crate) warnings: Vec<String>,
}

impl ServePlan {
    /// Makes sense of what was typed.
    pub(crate) fn new(args: ServeArgs) -> Result<Self, Failure> {
        let variables: Vec<(String, String)> = env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self::with_environment(args, &variables)
    }

    fn with_environment(args: ServeArgs, variables: &[(String, String)]) -> Result<Self, Failure> {
        let mut parameters = Parameters::default();
        // Not all addresses, as Redis' own default is, but those that its example file has.
        parameters.bind = vec!["127.0.0.1".to_owned(), "-::1".to_owned()];
        if let Some(path) = &args.config {
            parameters.read_file(path).map_err(|problems| refused(&problems))?;
        }
        let variables = variables.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        parameters.read_environment(variables).map_err(|problems| refused(&problems))?;
        type_in(&mut parameters, args)?;
        parameters.read_password_file().map_err(|problem| refused(&[problem]))?;
        let inert: Vec<&str> = parameters.inert().collect();
        let warnings = match inert[..] {
            [] => Vec::new(),
            _ => vec![format!("these parameters do nothing here: {}", inert.join(", "))],
        };
        Ok(Self { settings: Settings::new(parameters), warnings })
    }
}

/// Takes over what was typed.
fn type_in(parameters: &mut Parameters, args: ServeArgs) -> Result<(), Failure> {
    // A password that is typed goes before one in a file that something else names, and the other
    // way round.
    if args.requirepass.is_some() {
        parameters.hectare_requirepass_file.clear();
    }
    let bind = (!args.bind.is_empty()).then(|| args.bind.join(" "));
    for (name, typed) in [
        ("port", args.port),
        ("bind", bind),
        ("unixsocket", args.unixsocket),
        ("unixsocketperm", args.unixsocketperm),
        ("hectare-shards", args.shards),
        ("requirepass", args.requirepass),
        ("hectare-requirepass-file", args.requirepass_file),
        ("protected-mode", args.protected_mode),
        ("maxclients", args.maxclients),
        ("timeout", args.timeout),
        ("tcp-keepalive", args.tcp_keepalive),
        ("tcp-backlog", args.tcp_backlog),
        ("maxmemory", args.maxmemory),
        ("proto-max-bulk-len", args.proto_max_bulk_len),
        ("hectare-metrics-addr", args.metrics_addr),
        ("loglevel", args.loglevel),
        ("hectare-dialect", args.dialect),
    ] {
        if let Some(typed) = typed {
            parameters.read_flag(name, typed.as_bytes()).map_err(|problem| refused(&[problem]))?;
        }
    }
    Ok(())
}

fn refused(problems: &[impl Display]) -> Failure {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Failure::Usage(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;

    use super::*;
    use crate::args::{Args, Tool};

    fn plan(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Parameters, Failure> {
        let typed = ["hectare", "serve"].iter().chain(arguments);
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let variables: Vec<_> = variables.iter().map(owned).collect();
        match Args::try_parse_from(typed).unwrap().tool {
            Tool::Serve(args) => {
                ServePlan::with_environment(*args, &variables).map(|plan| plan.settings.parameters)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_arguments_it_is_redis_port_on_this_machine() {
        let parameters = plan(&[], &[]).unwrap();
        assert_eq!((parameters.port, parameters.maxclients), (6379, 10_000));
        assert_eq!(parameters.bind, ["127.0.0.1", "-::1"]);
        assert!(parameters.requirepass.is_empty());
    }

    #[test]
    fn what_is_typed_is_what_will_be_done() {
        let typed = "--port 7000 --bind 10.0.0.1 --bind=-::1 --shards 3 --maxclients 5 --timeout 7 \
                     --maxmemory 2gb --unixsocketperm 770 --protected-mode no --dialect valkey";
        let parameters = plan(&typed.split_whitespace().collect::<Vec<_>>(), &[]).unwrap();
        assert_eq!(
            (parameters.port, parameters.hectare_shards, parameters.maxclients),
            (7000, 3, 5)
        );
        assert_eq!(parameters.bind, ["10.0.0.1", "-::1"]);
        assert_eq!((parameters.timeout, parameters.maxmemory), (7, 2 << 30));
        assert_eq!((parameters.unixsocketperm, parameters.protected_mode), (0o770, false));
        assert_eq!(parameters.hectare_dialect.word(), "valkey");
    }

    #[test]
    fn what_is_typed_goes_before_the_environment_and_that_before_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "timeout 1\nport 1001\nmaxclients 101\nrequirepass file\n").unwrap();
        let path = file.path().to_str().unwrap();
        let variables = [("HECTARE_PORT", "1002"), ("HECTARE_MAXCLIENTS", "102")];
        let parameters = plan(&["--config", path, "--maxclients", "103"], &variables).unwrap();
        assert_eq!((parameters.timeout, parameters.port, parameters.maxclients), (1, 1002, 103));
        let password = |arguments: &[&str]| {
            let all = [&["--config", path], arguments].concat();
            plan(&all, &[("HECTARE_REQUIREPASS", "variable")]).unwrap().requirepass
        };
        assert_eq!(password(&[]), b"variable");
        assert_eq!(password(&["--requirepass", "typed"]), b"typed");
        let secret = tempfile::NamedTempFile::new().unwrap();
        fs::write(secret.path(), "from its file\n").unwrap();
        let secret = secret.path().to_str().unwrap();
        assert_eq!(password(&["--requirepass-file", secret]), b"from its file");
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for arguments in [["--port", "x"], ["--maxmemory", "lots"], ["--loglevel", "loud"]] {
            assert!(matches!(plan(&arguments, &[]), Err(Failure::Usage(_))), "{arguments:?}");
        }
    }
}
