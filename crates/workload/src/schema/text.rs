//! Which schema does a TOML text describe?

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Table;

use super::{COMMAND_BYTES_MAX, FIELDS_MAX, Field, Schema, SchemaError};
use crate::json;
use crate::pattern::{self, KeyPattern};
use crate::value::{Names, Span, Value};

/// Sizes and counts beyond this are refused one by one, so that their sums cannot overflow.
const SPAN_MAX: i64 = 1 << 29;

/// Reads and checks a schema.
pub(super) fn read(text: &str) -> Result<Schema, SchemaError> {
    let typed: SchemaText = toml::from_str(text).map_err(|error| SchemaError::Text {
        line: error.span().map(|span| line_of(text, span.start)),
        cause: one_line(&error),
    })?;
    if typed.name.is_empty() || !typed.name.chars().all(stands_in_a_file_name) {
        let cause = format!("it is {:?}; it is made of letters, digits, - and _", typed.name);
        return Err(SchemaError::invalid("name", cause));
    }
    let fields = read_fields(typed.fields)?;
    let schema = Schema {
        name: typed.name,
        seed: at_least("seed", typed.seed, 0)?,
        objects: at_least("objects", typed.objects, 1)?,
        key: KeyPattern::parse(&typed.key).map_err(|cause| SchemaError::invalid("key", cause))?,
        bucket_sizes: match &typed.bucket {
            Some(bucket) => read_bucket_sizes(bucket, fields.len())?,
            None => Vec::new(),
        },
        bucket_field: {
            let pattern = typed.bucket.as_ref().and_then(|bucket| bucket.field.as_deref());
            KeyPattern::parse(pattern.unwrap_or("{n}"))
                .map_err(|cause| SchemaError::invalid("bucket", format!("field: {cause}")))?
        },
        fields,
    };
    check_sizes(&schema)?;
    Ok(schema)
}

/// The text as it was typed, types checked and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaText {
    name: String,
    seed: i64,
    objects: i64,
    key: String,
    #[serde(default)]
    fields: Vec<Table>,
    bucket: Option<BucketText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BucketText {
    sizes: Vec<i64>,
    field: Option<String>,
}

/// Datasets name rows and files of results.
fn stands_in_a_file_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '-' || letter == '_'
}

fn at_least(place: &str, number: i64, min: u64) -> Result<u64, SchemaError> {
    match u64::try_from(number) {
        Ok(number) if number >= min => Ok(number),
        _ => Err(SchemaError::invalid(place, format!("it is {number}; it must be {min} or more"))),
    }
}

fn read_bucket_sizes(bucket: &BucketText, field_count: usize) -> Result<Vec<u32>, SchemaError> {
    let invalid = |cause: String| Err(SchemaError::invalid("bucket", cause));
    if field_count != 1 {
        return invalid(format!(
            "objects that share a hash have one field, and these have {field_count}; \
             leave one field, or take [bucket] away"
        ));
    }
    if bucket.sizes.is_empty() {
        return invalid("sizes is empty; write for example sizes = [100, 512]".to_owned());
    }
    let mut sizes = Vec::new();
    for &size in &bucket.sizes {
        match u32::try_from(size) {
            Ok(size) if size > 0 && !sizes.contains(&size) => sizes.push(size),
            Ok(size) if size > 0 => return invalid(format!("size {size} is there twice")),
            _ => {
                let max = u32::MAX;
                return invalid(format!("a size is {size}; a bucket holds 1 to {max} objects"));
            }
        }
    }
    Ok(sizes)
}

/// Where a field was typed and what its value is, before names become indices.
struct TypedField {
    place: String,
    name: String,
    value: TypedValue,
}

#[derive(Clone)]
enum TypedValue {
    Known(Value),
    Email { of: String, domains: Vec<String> },
}

fn read_fields(tables: Vec<Table>) -> Result<Vec<Field>, SchemaError> {
    let mut typed: Vec<TypedField> = Vec::new();
    for (index, mut table) in tables.into_iter().enumerate() {
        let place = format!("fields[{}]", index + 1);
        let pattern = take_text(&mut table, "name", &place)?;
        let names = pattern::names(&pattern, FIELDS_MAX)
            .map_err(|cause| SchemaError::invalid(&place, cause))?;
        let place = format!("{place} {pattern:?}");
        let value = read_value(table, &place)?;
        typed.extend(names.into_iter().map(|name| TypedField {
            place: place.clone(),
            name,
            value: value.clone(),
        }));
        if typed.len() > FIELDS_MAX {
            let cause = format!("it makes more than the {FIELDS_MAX} fields an object may have");
            return Err(SchemaError::invalid(place, cause));
        }
    }
    if typed.is_empty() {
        let cause = "there are none; a schema has at least one [[fields]] with a name and a kind";
        return Err(SchemaError::invalid("fields", cause));
    }
    let mut index_of = HashMap::new();
    for (index, field) in typed.iter().enumerate() {
        if index_of.insert(field.name.as_str(), index).is_some() {
            let cause = format!("there is a field {:?} before it; names differ", field.name);
            return Err(SchemaError::invalid(&field.place, cause));
        }
    }
    typed.iter().map(|field| resolve(field, &typed, &index_of)).collect()
}

/// Looks up what a field's value refers to.
fn resolve(
    field: &TypedField,
    all: &[TypedField],
    index_of: &HashMap<&str, usize>,
) -> Result<Field, SchemaError> {
    let value = match &field.value {
        TypedValue::Known(value) => value.clone(),
        TypedValue::Email { of, domains } => {
            let found = index_of.get(of.as_str()).map(|&index| (index, &all[index].value));
            let Some((name_field, TypedValue::Known(Value::PersonName(names)))) = found else {
                let cause = format!(
                    "of is {of:?}, and no field of kind person_name has that name; \
                     an email is made from a person's name"
                );
                return Err(SchemaError::invalid(&field.place, cause));
            };
            Value::Email { name_field, names: names.for_email(), domains: domains.clone() }
        }
    };
    let mut json_name = Vec::new();
    json::write_string(&mut json_name, |out| out.extend_from_slice(field.name.as_bytes()));
    json_name.push(b':');
    Ok(Field { name: field.name.clone(), json_name, value })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IntegerText {
    min: i64,
    max: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EpochSecondsText {
    start: i64,
    seconds: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChoiceText {
    values: Vec<String>,
    weights: Option<Vec<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonNameText {
    first: Vec<String>,
    last: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmailText {
    of: String,
    domains: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlphanumericText {
    size: toml::Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WordsText {
    words: Vec<String>,
    count: toml::Value,
}

const KINDS: &str = "integer, epoch_seconds, choice, person_name, email, alphanumeric and words";

/// Reads what a field's `kind` and the keys that belong to it say.
fn read_value(mut table: Table, place: &str) -> Result<TypedValue, SchemaError> {
    let kind = take_text(&mut table, "kind", place)?;
    let value = match kind.as_str() {
        "integer" => {
            let IntegerText { min, max } = keys_of(&kind, table, place)?;
            if min > max {
                let cause = format!("min is {min} and max is {max}; min is at most max");
                return Err(SchemaError::invalid(place, cause));
            }
            Value::Integer { min, max }
        }
        "epoch_seconds" => {
            let EpochSecondsText { start, seconds } = keys_of(&kind, table, place)?;
            let last = (seconds >= 1).then(|| start.checked_add(seconds - 1)).flatten();
            let Some(max) = last else {
                let cause = format!(
                    "{seconds} seconds from {start} on is no span of time; \
                     seconds is 1 or more and ends before 2^63"
                );
                return Err(SchemaError::invalid(place, cause));
            };
            Value::Integer { min: start, max }
        }
        "choice" => {
            let ChoiceText { values, weights } = keys_of(&kind, table, place)?;
            let values = some_of("values", values, place)?;
            let weight_ends = match weights {
                Some(weights) => Some(weight_ends(&weights, values.len(), place)?),
                None => None,
            };
            Value::Choice { values, weight_ends }
        }
        "person_name" => {
            let PersonNameText { first, last } = keys_of(&kind, table, place)?;
            let (first, last) = (some_of("first", first, place)?, some_of("last", last, place)?);
            Value::PersonName(Names { first, last })
        }
        "email" => {
            let EmailText { of, domains } = keys_of(&kind, table, place)?;
            let domains = some_of("domains", domains, place)?;
            return Ok(TypedValue::Email { of, domains });
        }
        "alphanumeric" => {
            let AlphanumericText { size } = keys_of(&kind, table, place)?;
            Value::Alphanumeric { size: read_span("size", size, place)? }
        }
        "words" => {
            let WordsText { words, count } = keys_of(&kind, table, place)?;
            let words = some_of("words", words, place)?;
            Value::Words { words, count: read_span("count", count, place)? }
        }
        _ => {
            let cause = format!("there is no kind {kind:?}; the kinds are {KINDS}");
            return Err(SchemaError::invalid(place, cause));
        }
    };
    Ok(TypedValue::Known(value))
}

/// Takes a key that every field has.
fn take_text(table: &mut Table, key: &str, place: &str) -> Result<String, SchemaError> {
    match table.remove(key) {
        Some(toml::Value::String(text)) => Ok(text),
        Some(other) => {
            let cause = format!("{key} is of type {}; it is a text in quotes", other.type_str());
            Err(SchemaError::invalid(place, cause))
        }
        None => Err(SchemaError::invalid(place, format!("{key} is missing"))),
    }
}

/// Reads the keys that belong to a kind of value, and refuses others.
fn keys_of<T: DeserializeOwned>(kind: &str, table: Table, place: &str) -> Result<T, SchemaError> {
    table.try_into().map_err(|error| {
        SchemaError::invalid(place, format!("of kind {kind}: {}", one_line(&error)))
    })
}

fn some_of(key: &str, list: Vec<String>, place: &str) -> Result<Vec<String>, SchemaError> {
    if list.is_empty() {
        let cause = format!("{key} is empty; it lists one text or more");
        return Err(SchemaError::invalid(place, cause));
    }
    Ok(list)
}

/// The running sums of weights.
fn weight_ends(weights: &[i64], values: usize, place: &str) -> Result<Vec<u64>, SchemaError> {
    let invalid = |cause: String| Err(SchemaError::invalid(place, cause));
    if weights.len() != values {
        let count = weights.len();
        return invalid(format!("there are {count} weights for {values} values; each has one"));
    }
    let mut sum = 0_u64;
    let mut ends = Vec::new();
    for &weight in weights {
        let Ok(positive) = u64::try_from(weight) else {
            return invalid(format!("a weight is {weight}; it must be 0 or more"));
        };
        let Some(end) = sum.checked_add(positive) else {
            return invalid("the weights add up to 2^64 or more; make them smaller".to_owned());
        };
        sum = end;
        ends.push(end);
    }
    if sum == 0 {
        return invalid("all weights are 0; at least one must be more".to_owned());
    }
    Ok(ends)
}

/// Reads `20` or `{ min = 10, max = 30 }`.
fn read_span(key: &str, value: toml::Value, place: &str) -> Result<Span, SchemaError> {
    let invalid = |cause: String| Err(SchemaError::invalid(place, cause));
    let IntegerText { min, max } = match value {
        toml::Value::Integer(number) => IntegerText { min: number, max: number },
        toml::Value::Table(table) => table.try_into().map_err(|error: toml::de::Error| {
            SchemaError::invalid(place, format!("{key}: {}", one_line(&error)))
        })?,
        other => {
            let found = other.type_str();
            return invalid(format!(
                "{key} is of type {found}; it is a number such as 20, or {{ min = 10, max = 30 }}"
            ));
        }
    };
    for number in [min, max] {
        if !(0..=SPAN_MAX).contains(&number) {
            return invalid(format!("{key} is {number}; it must be from 0 to {SPAN_MAX}"));
        }
    }
    match (u32::try_from(min), u32::try_from(max)) {
        (Ok(min), Ok(max)) if min <= max => Ok(Span { min, max }),
        _ => invalid(format!("{key} has min {min} and max {max}; min is at most max")),
    }
}

fn check_sizes(schema: &Schema) -> Result<(), SchemaError> {
    let bytes = schema.object_bytes_max();
    if bytes > COMMAND_BYTES_MAX {
        let cause = format!(
            "an object may take {bytes} bytes, and a command takes {COMMAND_BYTES_MAX}; \
             make sizes or counts smaller"
        );
        return Err(SchemaError::invalid("fields", cause));
    }
    if schema.objects > schema.objects_max() {
        let cause = format!(
            "{} objects of up to {bytes} bytes do not fit 64 bits of address; \
             there can be {}",
            schema.objects,
            schema.objects_max()
        );
        return Err(SchemaError::invalid("objects", cause));
    }
    Ok(())
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().trim().replace('\n', "; ")
}
