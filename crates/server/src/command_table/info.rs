//! How does `COMMAND INFO` describe a command?

use hectare_resp::Encoder;

use super::entry::{Entry, KeySpec};

/// Writes name, arity, flags, key range, categories, tips, key specifications and subcommands.
pub(super) fn write(entry: &Entry, encoder: &mut Encoder<'_>) {
    encoder.array(10);
    encoder.bulk(entry.name().as_bytes());
    encoder.integer(entry.arity().into());
    statuses(&entry.flags(), "", encoder);
    let (first, last, step) = entry.key_range();
    encoder.integer(first);
    encoder.integer(last);
    encoder.integer(step);
    statuses(&entry.categories(), "@", encoder);
    let tips: Vec<&str> = entry.fact().tips.split_ascii_whitespace().collect();
    encoder.set(tips.len());
    tips.iter().for_each(|tip| encoder.bulk(tip.as_bytes()));
    let specs = entry.specs();
    encoder.set(specs.len());
    specs.iter().for_each(|spec| write_spec(spec, entry.fact().notes, encoder));
    // Redis sends an empty set, but an array of some.
    match entry.subcommands().len() {
        0 => encoder.set(0),
        subcommands => encoder.array(subcommands),
    }
    entry.subcommands().iter().for_each(|subcommand| write(subcommand, encoder));
}

/// Writes a set of words as statuses.
pub(super) fn statuses(words: &[&str], prefix: &str, encoder: &mut Encoder<'_>) {
    encoder.set(words.len());
    words.iter().for_each(|word| encoder.simple(&format!("{prefix}{word}")));
}

fn write_spec(spec: &KeySpec, notes: &str, encoder: &mut Encoder<'_>) {
    encoder.map(3 + usize::from(!notes.is_empty()));
    if !notes.is_empty() {
        encoder.bulk(b"notes");
        encoder.bulk(notes.as_bytes());
    }
    encoder.bulk(b"flags");
    statuses(&spec.flags.split_ascii_whitespace().collect::<Vec<_>>(), "", encoder);
    let integer = |encoder: &mut Encoder<'_>, name: &str, value: i64| {
        encoder.bulk(name.as_bytes());
        encoder.integer(value);
    };
    let typed = |encoder: &mut Encoder<'_>, name: &str, kind: &str, values: usize| {
        encoder.bulk(name.as_bytes());
        encoder.map(2);
        encoder.bulk(b"type");
        encoder.bulk(kind.as_bytes());
        encoder.bulk(b"spec");
        encoder.map(values);
    };
    typed(encoder, "begin_search", "index", 1);
    integer(encoder, "index", i64::try_from(spec.first).unwrap_or_default());
    typed(encoder, "find_keys", "range", 3);
    integer(encoder, "lastkey", spec.last);
    integer(encoder, "keystep", i64::try_from(spec.step).unwrap_or_default());
    integer(encoder, "limit", 0);
}
