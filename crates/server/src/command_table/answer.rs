//! What is asked about commands, and how is it answered?

use hectare_resp::Encoder;

use super::filter::Filter;
use super::{CommandTable, OWN, docs, info};

impl CommandTable {
    /// Answers `COMMAND` with these arguments, the command's name not included.
    pub fn answer(&self, arguments: &[&[u8]], encoder: &mut Encoder<'_>) {
        let Some((&subcommand, rest)) = arguments.split_first() else {
            return self.write_info(encoder);
        };
        let own = OWN.iter().find_map(|&(name, arity)| {
            let name = name.strip_prefix("command|")?;
            name.as_bytes().eq_ignore_ascii_case(subcommand).then_some((name, arity))
        });
        let Some((name, arity)) = own else {
            return encoder.error(unknown_subcommand(subcommand));
        };
        let (words, least) = (arguments.len() + 1, usize::from(arity.unsigned_abs()));
        if words < least || (arity > 0 && words > least) {
            let text = format!("ERR wrong number of arguments for 'command|{name}' command");
            return encoder.error(text);
        }
        match name {
            "count" => encoder.integer(i64::try_from(self.entries.len()).unwrap_or(i64::MAX)),
            "docs" => self.docs(rest, encoder),
            "getkeys" => self.getkeys(rest, encoder),
            "getkeysandflags" => self.getkeysandflags(rest, encoder),
            "info" => self.info(rest, encoder),
            "list" => self.list(rest, encoder),
            _ => help(encoder),
        }
    }

    fn write_info(&self, encoder: &mut Encoder<'_>) {
        encoder.array(self.entries.len());
        self.entries.iter().for_each(|entry| info::write(entry, encoder));
    }

    fn info(&self, names: &[&[u8]], encoder: &mut Encoder<'_>) {
        if names.is_empty() {
            return self.write_info(encoder);
        }
        encoder.array(names.len());
        for name in names {
            match self.find_full(name) {
                Some(entry) => info::write(entry, encoder),
                None => encoder.null(),
            }
        }
    }

    fn docs(&self, names: &[&[u8]], encoder: &mut Encoder<'_>) {
        if names.is_empty() {
            encoder.map(self.entries.len());
            return self.entries.iter().for_each(|entry| docs::write(entry, encoder));
        }
        let entries: Vec<_> = names.iter().filter_map(|name| self.find_full(name)).collect();
        encoder.map(entries.len());
        entries.iter().for_each(|entry| docs::write(entry, encoder));
    }

    fn list(&self, words: &[&[u8]], encoder: &mut Encoder<'_>) {
        let Some(filter) = Filter::parse(words) else { return encoder.error("ERR syntax error") };
        let entries: Vec<_> = self.all().filter(|entry| filter.is_match(entry)).collect();
        encoder.array(entries.len());
        entries.iter().for_each(|entry| encoder.bulk(entry.name().as_bytes()));
    }

    fn getkeys(&self, request: &[&[u8]], encoder: &mut Encoder<'_>) {
        match self.keys(request) {
            Ok(keys) => {
                encoder.array(keys.len());
                keys.iter().for_each(|used| encoder.bulk(used.key));
            }
            Err(text) => encoder.error(text),
        }
    }

    fn getkeysandflags(&self, request: &[&[u8]], encoder: &mut Encoder<'_>) {
        match self.keys(request) {
            Ok(keys) => {
                encoder.array(keys.len());
                for used in keys {
                    encoder.array(2);
                    encoder.bulk(used.key);
                    let flags: Vec<&str> = used.flags.split_ascii_whitespace().collect();
                    info::statuses(&flags, "", encoder);
                }
            }
            Err(text) => encoder.error(text),
        }
    }
}

/// Redis quotes so many bytes of an unknown name at most.
const QUOTED_BYTES_MAX: usize = 128;

fn unknown_subcommand(name: &[u8]) -> Vec<u8> {
    let name = &name[..name.len().min(QUOTED_BYTES_MAX)];
    [b"ERR unknown subcommand '", name, b"'. Try COMMAND HELP."].concat()
}

const HELP: [&str; 17] = [
    "COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "(no subcommand)",
    "    Everything about all commands.",
    "COUNT",
    "    How many commands there are.",
    "LIST [FILTERBY MODULE|ACLCAT|PATTERN <value>]",
    "    The names of commands.",
    "INFO [<command-name> ...]",
    "    Arity, flags and keys of these commands, or of all.",
    "DOCS [<command-name> ...]",
    "    What these commands do, or all.",
    "GETKEYS <full-command>",
    "    Which arguments of a command are keys.",
    "GETKEYSANDFLAGS <full-command>",
    "    The same, and what happens to them.",
    "HELP",
    "    Print this help.",
];

fn help(encoder: &mut Encoder<'_>) {
    encoder.array(HELP.len());
    HELP.iter().for_each(|line| encoder.simple(line));
}
