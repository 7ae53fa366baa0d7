//! Is a bad schema refused in one sentence that says where, why and what would be right?

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its own functions too")]

use hectare_workload::{Dataset, Schema, SchemaError};

/// A schema with these lines in place of `key` and of the fields.
fn refusal(key: &str, rest: &str) -> String {
    let text = format!("name = \"n\"\nseed = 1\nobjects = 10\nkey = {key:?}\n{rest}\n");
    let message = Schema::from_toml(&text).unwrap_err().to_string();
    assert!(!message.contains('\n'), "more than a line: {message}");
    assert!(!message.ends_with('.'), "a full stop: {message}");
    message
}

/// A schema of one field with these keys.
fn field_refusal(keys: &str) -> String {
    refusal("k:{n}", &format!("[[fields]]\n{keys}"))
}

fn assert_field_refusals(refusals: &[(&str, &str)]) {
    for (keys, message) in refusals {
        assert_eq!(field_refusal(keys), *message);
    }
}

#[test]
fn a_size_that_makes_no_sense_is_named_with_the_remedy() {
    assert_field_refusals(&[
        (
            "name = \"bio\"\nkind = \"alphanumeric\"\nsize = -5",
            "fields[1] \"bio\": size is -5; it must be from 0 to 536870912",
        ),
        (
            "name = \"bio\"\nkind = \"alphanumeric\"\nsize = { min = 9, max = 3 }",
            "fields[1] \"bio\": size has min 9 and max 3; min is at most max",
        ),
        (
            "name = \"bio\"\nkind = \"alphanumeric\"\nsize = \"20\"",
            "fields[1] \"bio\": size is of type string; it is a number such as 20, or { min = 10, max = 30 }",
        ),
        (
            "name = \"bio\"\nkind = \"alphanumeric\"\nsize = { from = 9 }",
            "fields[1] \"bio\": size: unknown field `from`, expected `min` or `max`",
        ),
        (
            "name = \"bio\"\nkind = \"alphanumeric\"",
            "fields[1] \"bio\": of kind alphanumeric: missing field `size`",
        ),
        (
            "name = \"bio\"\nkind = \"alphanumeric\"\nsize = 5\nmin = 3",
            "fields[1] \"bio\": of kind alphanumeric: unknown field `min`, expected `size`",
        ),
    ]);
}

#[test]
fn a_span_that_makes_no_sense_is_named_with_the_remedy() {
    assert_field_refusals(&[
        (
            "name = \"age\"\nkind = \"integer\"\nmin = 90\nmax = 18",
            "fields[1] \"age\": min is 90 and max is 18; min is at most max",
        ),
        (
            "name = \"at\"\nkind = \"epoch_seconds\"\nstart = 5\nseconds = 0",
            "fields[1] \"at\": 0 seconds from 5 on is no span of time; seconds is 1 or more and ends before 2^63",
        ),
        (
            "name = \"at\"\nkind = \"epoch_seconds\"\nstart = 5\nseconds = 9223372036854775807",
            "fields[1] \"at\": 9223372036854775807 seconds from 5 on is no span of time; seconds is 1 or more and ends before 2^63",
        ),
    ]);
}

#[test]
fn a_list_that_makes_no_sense_is_named_with_the_remedy() {
    assert_field_refusals(&[
        (
            "name = \"c\"\nkind = \"choice\"\nvalues = []",
            "fields[1] \"c\": values is empty; it lists one text or more",
        ),
        (
            "name = \"c\"\nkind = \"choice\"\nvalues = [\"a\"]\nweights = [1, 2]",
            "fields[1] \"c\": there are 2 weights for 1 values; each has one",
        ),
        (
            "name = \"c\"\nkind = \"choice\"\nvalues = [\"a\"]\nweights = [-1]",
            "fields[1] \"c\": a weight is -1; it must be 0 or more",
        ),
        (
            "name = \"c\"\nkind = \"choice\"\nvalues = [\"a\", \"b\"]\nweights = [0, 0]",
            "fields[1] \"c\": all weights are 0; at least one must be more",
        ),
        (
            "name = \"c\"\nkind = \"choice\"\nvalues = [\"a\", \"b\", \"c\"]\nweights = [9223372036854775807, 9223372036854775807, 9]",
            "fields[1] \"c\": the weights add up to 2^64 or more; make them smaller",
        ),
        (
            "name = \"p\"\nkind = \"person_name\"\nfirst = [\"A\"]\nlast = []",
            "fields[1] \"p\": last is empty; it lists one text or more",
        ),
    ]);
}

#[test]
fn a_reference_a_kind_or_a_name_that_makes_no_sense_is_named_with_the_remedy() {
    assert_field_refusals(&[
        (
            "name = \"m\"\nkind = \"email\"\nof = \"name\"\ndomains = [\"d\"]",
            "fields[1] \"m\": of is \"name\", and no field of kind person_name has that name; an email is made from a person's name",
        ),
        (
            "name = \"m\"\nkind = \"email\"\nof = \"m\"\ndomains = [\"d\"]",
            "fields[1] \"m\": of is \"m\", and no field of kind person_name has that name; an email is made from a person's name",
        ),
        (
            "name = \"w\"\nkind = \"words\"\nwords = [\"a\"]\ncount = -1",
            "fields[1] \"w\": count is -1; it must be from 0 to 536870912",
        ),
        (
            "name = \"x\"\nkind = \"float\"",
            "fields[1] \"x\": there is no kind \"float\"; the kinds are integer, epoch_seconds, choice, person_name, email, alphanumeric and words",
        ),
        ("name = \"x\"", "fields[1] \"x\": kind is missing"),
        ("kind = \"integer\"", "fields[1]: name is missing"),
        ("name = 3", "fields[1]: name is of type integer; it is a text in quotes"),
        ("name = \"\"", "fields[1]: the name is empty; a field needs a name"),
        (
            "name = \"f{0..65536}\"",
            "fields[1]: {0..65536} is more than the 65536 fields an object may have",
        ),
    ]);
}

#[test]
fn fields_that_do_not_go_together_are_refused() {
    const NUMBER: &str = "kind = \"integer\"\nmin = 1\nmax = 2";
    let two = |first: &str, second: &str| {
        let field = |name: &str| format!("[[fields]]\nname = {name:?}\n{NUMBER}\n");
        refusal("k:{n}", &(field(first) + &field(second)))
    };
    assert_eq!(two("a", "a"), "fields[2] \"a\": there is a field \"a\" before it; names differ");
    assert_eq!(
        two("f{0..9}", "f7"),
        "fields[2] \"f7\": there is a field \"f7\" before it; names differ"
    );
    assert_eq!(
        two("f{0..65535}", "g"),
        "fields[2] \"g\": it makes more than the 65536 fields an object may have"
    );
    assert_eq!(
        refusal("k:{n}", ""),
        "fields: there are none; a schema has at least one [[fields]] with a name and a kind"
    );
}

#[test]
fn objects_too_large_or_too_many_are_refused() {
    let wide = "[[fields]]\nname = \"f{0..9}\"\nkind = \"alphanumeric\"\nsize = 100_000_000";
    let message = refusal("k:{n}", wide);
    assert!(message.starts_with("fields: an object may take 1000000104 bytes"), "{message}");
    assert!(message.ends_with("make sizes or counts smaller"), "{message}");

    let with_objects = |objects: i64| {
        Schema::from_toml(&format!(
            "name = \"n\"\nseed = 1\nobjects = {objects}\nkey = \"k{{n}}\"\n\
             [[fields]]\nname = \"f\"\nkind = \"alphanumeric\"\nsize = 1000"
        ))
    };
    let message = with_objects(i64::MAX).unwrap_err().to_string();
    assert!(message.starts_with("objects: 9223372036854775807 objects of up to"), "{message}");
    for objects in [0, -3] {
        let message = with_objects(objects).unwrap_err().to_string();
        assert_eq!(message, format!("objects: it is {objects}; it must be 1 or more"));
    }

    let dataset = Dataset::new(with_objects(5).unwrap());
    for objects in [0, u64::MAX] {
        let message = dataset.clone().with_objects(objects).unwrap_err().to_string();
        assert!(message.starts_with("n can have from 1 to "), "{message}");
        assert!(message.ends_with(&format!("objects, and {objects} were asked for")), "{message}");
    }
}

#[test]
fn buckets_that_make_no_sense_are_refused() {
    const FIELD: &str = "[[fields]]\nname = \"a\"\nkind = \"integer\"\nmin = 1\nmax = 2\n";
    const SECOND: &str = "[[fields]]\nname = \"b\"\nkind = \"integer\"\nmin = 1\nmax = 2\n";
    for (rest, message) in [
        (
            format!("bucket = {{ sizes = [10] }}\n{FIELD}{SECOND}"),
            "bucket: objects that share a hash have one field, and these have 2; \
             leave one field, or take [bucket] away",
        ),
        (
            format!("bucket = {{ sizes = [] }}\n{FIELD}"),
            "bucket: sizes is empty; write for example sizes = [100, 512]",
        ),
        (
            format!("bucket = {{ sizes = [0] }}\n{FIELD}"),
            "bucket: a size is 0; a bucket holds 1 to 4294967295 objects",
        ),
        (format!("bucket = {{ sizes = [5, 5] }}\n{FIELD}"), "bucket: size 5 is there twice"),
    ] {
        assert_eq!(refusal("k:{n}", &rest), message);
    }
}

#[test]
fn a_text_that_is_no_schema_is_refused_with_its_line() {
    const FIELD: &str = "[[fields]]\nname = \"a\"\nkind = \"integer\"\nmin = 1\nmax = 2\n";
    let message = refusal("k:{n}", &format!("colour = 1\n{FIELD}"));
    assert!(message.starts_with("line 5: unknown field `colour`, expected one of"), "{message}");
    let message = refusal("k:{n}", "fields = 3");
    assert!(message.starts_with("line 5: invalid type"), "{message}");
    let message = refusal("k:{n}", "= 3");
    assert!(message.starts_with("line 5: "), "{message}");
    let message = refusal("k", FIELD);
    assert!(message.starts_with("key: \"k\" has no {n}"), "{message}");
    for name in ["", "a b", "../x"] {
        let text = format!("name = {name:?}\nseed = 1\nobjects = 1\nkey = \"{{n}}\"\n{FIELD}");
        assert_eq!(
            Schema::from_toml(&text).unwrap_err().to_string(),
            format!("name: it is {name:?}; it is made of letters, digits, - and _")
        );
    }
    let message = Schema::from_toml("name = \"x\"").unwrap_err().to_string();
    assert!(message.contains("missing field `seed`"), "{message}");
}

#[test]
fn a_name_that_is_no_preset_is_answered_with_those_there_are() {
    for message in [
        Schema::preset("users").unwrap_err().to_string(),
        Schema::named("users").unwrap_err().to_string(),
    ] {
        assert_eq!(
            message,
            "there is no dataset \"users\"; it is one of user, counter, session, wide, bucketed, \
             large, giant, sweep:N with 1 to 1024 fields, or the path of a TOML file, which ends in \
             .toml"
        );
    }
}

#[test]
fn a_sweep_of_a_number_that_makes_none_is_no_preset() {
    for name in ["sweep", "sweep:", "sweep:0", "sweep:1025", "sweep:-1", "sweep:016", "sweep:ten"] {
        let message = Schema::preset(name).unwrap_err().to_string();
        assert!(message.contains("sweep:N with 1 to 1024 fields"), "{message}");
    }
}

#[test]
fn a_file_that_cannot_be_used_is_named() {
    let missing = Schema::named("no/such/file.toml").unwrap_err();
    assert!(matches!(missing, SchemaError::Unreadable { .. }));
    assert!(missing.to_string().starts_with("cannot read the schema no/such/file.toml: "));

    let own_manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let message = Schema::from_path(own_manifest).unwrap_err().to_string();
    assert!(message.starts_with(&format!("{own_manifest}: line ")), "{message}");
    assert!(message.contains("unknown field `dependencies`"), "{message}");

    let preset = concat!(env!("CARGO_MANIFEST_DIR"), "/presets/user.toml");
    assert_eq!(Schema::named(preset), Schema::named("user"));
}

#[test]
fn every_preset_is_named_as_it_calls_itself() {
    for name in Schema::preset_names() {
        assert_eq!(Schema::preset(name).unwrap().name(), name);
    }
}
