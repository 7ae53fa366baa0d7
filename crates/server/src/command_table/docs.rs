//! How does `COMMAND DOCS` describe a command?

use hectare_resp::Encoder;

use super::arguments;
use super::entry::Entry;
use super::info::statuses;

/// Writes the full name and a map of what is told about it.
pub(super) fn write(entry: &Entry, encoder: &mut Encoder<'_>) {
    let fact = entry.fact();
    let texts = [
        ("summary", fact.summary),
        ("since", fact.since),
        ("group", fact.group),
        ("complexity", fact.complexity),
        ("doc_flags", fact.doc_flags),
        ("deprecated_since", fact.deprecated),
        ("replaced_by", fact.replaced_by),
    ];
    let texts = texts.into_iter().filter(|(_, text)| !text.is_empty());
    let arguments = arguments::parse(fact.arguments);
    let subcommands = entry.subcommands();

    encoder.bulk(entry.name().as_bytes());
    encoder.map(
        texts.clone().count()
            + usize::from(!arguments.is_empty())
            + usize::from(!subcommands.is_empty()),
    );
    for (key, text) in texts {
        encoder.bulk(key.as_bytes());
        match key {
            "doc_flags" => statuses(&[text], "", encoder),
            _ => encoder.bulk(text.as_bytes()),
        }
    }
    if !arguments.is_empty() {
        encoder.bulk(b"arguments");
        arguments::write_all(&arguments, encoder);
    }
    if !subcommands.is_empty() {
        encoder.bulk(b"subcommands");
        encoder.map(subcommands.len());
        subcommands.iter().for_each(|subcommand| write(subcommand, encoder));
    }
}
