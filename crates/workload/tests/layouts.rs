//! Do all layouts and write orders carry the same data?

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its own functions too")]

use std::collections::{BTreeMap, HashMap};

use hectare_workload::{Command, Dataset, Layout, LayoutError, LoadPlan, Schema, WritePattern};
use proptest::prelude::*;

type Hash = BTreeMap<Vec<u8>, Vec<u8>>;

/// What a server holds after SET and HSET.
#[derive(Default)]
struct Server {
    strings: HashMap<Vec<u8>, Vec<u8>>,
    hashes: HashMap<Vec<u8>, Hash>,
}

impl Server {
    fn loaded_with(plan: &LoadPlan) -> Self {
        let mut server = Self::default();
        let chunks = plan.all();
        chunks.iter().flatten().for_each(|command| server.run(command));
        let commands: usize = chunks.iter().map(|chunk| chunk.len()).sum();
        assert_eq!(commands as u64, plan.command_count());
        assert_eq!((server.strings.len() + server.hashes.len()) as u64, plan.key_count());
        server
    }

    fn run(&mut self, command: Command<'_>) {
        let arguments: Vec<&[u8]> = command.iter().collect();
        match arguments.as_slice() {
            [b"SET", key, value] => {
                self.strings.insert(key.to_vec(), value.to_vec());
            }
            [b"HSET", key, pairs @ ..] if !pairs.is_empty() && pairs.len() % 2 == 0 => {
                let hash = self.hashes.entry(key.to_vec()).or_default();
                for pair in pairs.chunks(2) {
                    hash.insert(pair[0].to_vec(), pair[1].to_vec());
                }
            }
            _ => panic!("a server does not know {command:?}"),
        }
    }
}

/// What each object holds: its number, and its fields with their values.
type Content = BTreeMap<u64, Hash>;

/// Reads objects back from keys of the form `PREFIX{n}`.
fn content(plan: &LoadPlan, prefix: &str) -> Content {
    let server = Server::loaded_with(plan);
    let after_prefix = |key: &[u8]| {
        String::from_utf8(key.to_vec()).unwrap().strip_prefix(prefix).unwrap().to_owned()
    };
    let mut content = Content::new();
    for (key, value) in &server.strings {
        let rest = after_prefix(key);
        if plan.layout() == Layout::Json {
            content.insert(rest.parse().unwrap(), from_json(value));
        } else if let Some((number, field)) = rest.split_once(':') {
            let object = content.entry(number.parse().unwrap()).or_default();
            object.insert(field.into(), value.clone());
        } else {
            content.insert(rest.parse().unwrap(), only_field(plan, value));
        }
    }
    for (key, hash) in server.hashes {
        let number: u64 = after_prefix(&key).parse().unwrap();
        match plan.layout() {
            Layout::Bucketed { size } => {
                for (field, value) in hash {
                    let field: u64 = String::from_utf8(field).unwrap().parse().unwrap();
                    assert!(field < u64::from(size));
                    content.insert(number * u64::from(size) + field, only_field(plan, &value));
                }
            }
            _ => {
                content.insert(number, hash);
            }
        }
    }
    content
}

/// A bucketed dataset's field has no name in buckets and flat keys.
fn only_field(plan: &LoadPlan, value: &[u8]) -> Hash {
    let name = plan.dataset().schema().field_names().next().unwrap();
    Hash::from([(name.into(), value.to_vec())])
}

fn from_json(text: &[u8]) -> Hash {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(text).unwrap();
    object
        .into_iter()
        .map(|(name, value)| {
            let value = match value {
                serde_json::Value::String(text) => text.into_bytes(),
                serde_json::Value::Number(number) => number.to_string().into_bytes(),
                other => panic!("{other} is neither text nor number"),
            };
            (name.into_bytes(), value)
        })
        .collect()
}

/// A schema in which everything that could be confused is.
const TRICKY: &str = r#"
    name = "tricky"
    seed = 0
    objects = 1
    key = "o:{n}"
    fields = [
        { name = "say \"hi\":\\", kind = "choice", values = ["", "\"", "a\\b\n\t\u0001", "é😀", "12"] },
        { name = "number", kind = "integer", min = -1_000, max = 1_000 },
        { name = "any number", kind = "integer", min = -9223372036854775808, max = 9223372036854775807 },
        { name = "mail", kind = "email", of = "name", domains = ["m.test"] },
        { name = "name", kind = "person_name", first = ["Zoë", "Li"], last = ["O'\"Neil", "de la Cruz"] },
        { name = "x{08..11}", kind = "alphanumeric", size = { min = 0, max = 9 } },
        { name = "text", kind = "words", words = ["a", "bc", "\""], count = { min = 0, max = 3 } },
    ]
"#;

#[test]
fn a_sweep_has_about_the_same_fields_whatever_its_number_and_weighs_24_bytes_and_a_key() {
    for (fields, objects) in [(1, 1_572_864), (12, 131_072), (1000, 1572), (1024, 1536)] {
        let dataset = Dataset::new(Schema::preset(&format!("sweep:{fields}")).unwrap());
        assert_eq!(dataset.objects(), objects);
        let few = dataset.with_objects(10).unwrap();
        assert_eq!(few.logical_bytes(), 10 * (12 + fields * (8 + 16)));
    }
}

#[test]
fn objects_of_a_sweep_have_as_many_fields_as_its_name_says() {
    for fields in [1, 2, 3, 100, 1023, 1024] {
        let schema = Schema::preset(&format!("sweep:{fields}")).unwrap();
        assert_eq!(
            (schema.name(), schema.fields_per_object()),
            (&*format!("sweep-{fields}"), fields)
        );
        let dataset = Dataset::new(schema).with_objects(2).unwrap();
        let last = commands(&dataset, Layout::Hash, WritePattern::Bulk).pop().unwrap();
        let name = format!(" fld{:05} ", fields - 1);
        assert!(last.starts_with("HSET obj:00000001 fld00000 ") && last.contains(&name), "{last}");
    }
}

#[test]
fn the_payload_is_what_the_layout_stores() {
    let user = Dataset::new(Schema::preset("user").unwrap()).with_objects(1000).unwrap();
    let giant = Dataset::new(Schema::preset("giant").unwrap()).with_objects(5000).unwrap();
    let payload = |dataset: &Dataset, layout| {
        let plan = |pattern| LoadPlan::new(dataset, layout, pattern).unwrap().payload_bytes();
        assert_eq!(plan(WritePattern::Bulk), plan(WritePattern::Grown));
        plan(WritePattern::Bulk)
    };
    assert_eq!(payload(&user, Layout::Hash), user.logical_bytes());
    // The key of each object four times more, and a colon before each of its five fields' names.
    let keys = payload(&user, Layout::Flat) - payload(&user, Layout::Hash) - 5 * 1000;
    let key_bytes: usize = (0..1000).map(|number| format!("user:{number}").len()).sum();
    assert_eq!(keys, 4 * key_bytes as u64);
    assert_eq!(payload(&giant, Layout::Flat), 5000 * (13 + 16));
    for (size, keys) in [(1, 5000), (1000, 5), (1024, 5), (1025, 5), (3000, 2), (1_800_000, 1)] {
        let bytes = payload(&giant, Layout::Bucketed { size });
        assert_eq!(bytes, 5000 * (13 + 16) + keys * 13, "{size}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn layouts_and_write_orders_of_a_dataset_hold_the_same(objects in 1_u64..200, seed: u64) {
        let schema = Schema::from_toml(TRICKY).unwrap();
        let dataset = Dataset::new(schema)
            .with_seed(seed)
            .with_objects(objects)
            .unwrap()
            .with_key_prefix("pre:fix:");
        let mut contents = Vec::new();
        for layout in [Layout::Flat, Layout::Hash, Layout::Json] {
            for pattern in [WritePattern::Bulk, WritePattern::Grown] {
                let plan = LoadPlan::new(&dataset, layout, pattern).unwrap();
                contents.push(content(&plan, "pre:fix:o:"));
            }
        }
        prop_assert_eq!(contents[0].len() as u64, objects);
        prop_assert!(contents.windows(2).all(|pair| pair[0] == pair[1]));

        let logical_bytes: usize = (contents[0].iter())
            .map(|(number, fields)| {
                let fields: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
                format!("pre:fix:o:{number}").len() + fields
            })
            .sum();
        prop_assert_eq!(dataset.logical_bytes(), logical_bytes as u64);
        let fields: usize = contents[0].values().map(BTreeMap::len).sum();
        prop_assert_eq!(dataset.fields(), fields as u64);
    }

    #[test]
    fn buckets_of_any_size_hold_the_same_as_flat_keys(objects in 1_u64..300, size in 1_u32..400) {
        let dataset = Dataset::new(Schema::preset("bucketed").unwrap()).with_objects(objects).unwrap();
        let mut contents = Vec::new();
        for layout in [Layout::Flat, Layout::Hash, Layout::Json, Layout::Bucketed { size }] {
            for pattern in [WritePattern::Bulk, WritePattern::Grown] {
                let plan = LoadPlan::new(&dataset, layout, pattern).unwrap();
                contents.push(content(&plan, "media:"));
            }
        }
        prop_assert_eq!(contents[0].len() as u64, objects);
        prop_assert!(contents.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

fn commands(dataset: &Dataset, layout: Layout, pattern: WritePattern) -> Vec<String> {
    let chunks = LoadPlan::new(dataset, layout, pattern).unwrap().all();
    chunks.iter().flatten().map(|command| format!("{command:?}")).collect()
}

/// Two objects of two fields, each of which can hold one value only.
fn fixed() -> Dataset {
    let schema = r#"
        name = "fixed"
        seed = 0
        objects = 2
        key = "k{n}"
        fields = [
            { name = "a", kind = "integer", min = 7, max = 7 },
            { name = "b", kind = "choice", values = ["x"] },
        ]
    "#;
    Dataset::new(Schema::from_toml(schema).unwrap())
}

#[test]
fn flat_keys_are_set_one_by_one() {
    assert_eq!(
        commands(&fixed(), Layout::Flat, WritePattern::Bulk),
        ["SET k0:a 7", "SET k0:b x", "SET k1:a 7", "SET k1:b x"]
    );
    assert_eq!(
        commands(&fixed(), Layout::Flat, WritePattern::Grown),
        ["SET k0:a 7", "SET k1:a 7", "SET k0:b x", "SET k1:b x"]
    );
}

#[test]
fn hashes_are_written_whole_or_field_by_field_round_robin() {
    assert_eq!(
        commands(&fixed(), Layout::Hash, WritePattern::Bulk),
        ["HSET k0 a 7 b x", "HSET k1 a 7 b x"]
    );
    assert_eq!(
        commands(&fixed(), Layout::Hash, WritePattern::Grown),
        ["HSET k0 a 7", "HSET k1 a 7", "HSET k0 b x", "HSET k1 b x"]
    );
}

#[test]
fn blobs_are_written_whole_or_anew_with_each_field() {
    let unescaped = |layout, pattern| -> Vec<String> {
        let lines = commands(&fixed(), layout, pattern);
        lines.iter().map(|line| line.replace('\\', "")).collect()
    };
    assert_eq!(
        unescaped(Layout::Json, WritePattern::Bulk),
        [r#"SET k0 {"a":7,"b":"x"}"#, r#"SET k1 {"a":7,"b":"x"}"#]
    );
    assert_eq!(
        unescaped(Layout::Json, WritePattern::Grown),
        [
            r#"SET k0 {"a":7}"#,
            r#"SET k1 {"a":7}"#,
            r#"SET k0 {"a":7,"b":"x"}"#,
            r#"SET k1 {"a":7,"b":"x"}"#
        ]
    );
}

#[test]
fn buckets_are_filled_whole_or_round_robin() {
    let schema = r#"
        name = "pairs"
        seed = 0
        objects = 5
        key = "m{n}"
        bucket = { sizes = [2] }
        fields = [{ name = "v", kind = "integer", min = 7, max = 7 }]
    "#;
    let dataset = Dataset::new(Schema::from_toml(schema).unwrap());
    let layout = Layout::Bucketed { size: 2 };
    assert_eq!(
        commands(&dataset, layout, WritePattern::Bulk),
        ["HSET m0 0 7 1 7", "HSET m1 0 7 1 7", "HSET m2 0 7"]
    );
    assert_eq!(
        commands(&dataset, layout, WritePattern::Grown),
        ["HSET m0 0 7", "HSET m1 0 7", "HSET m2 0 7", "HSET m0 1 7", "HSET m1 1 7"]
    );
    assert_eq!(commands(&dataset, Layout::Flat, WritePattern::Bulk)[4], "SET m4 7");
}

#[test]
fn a_layout_that_the_dataset_does_not_allow_is_refused() {
    let refusal =
        |dataset: &Dataset, layout| LoadPlan::new(dataset, layout, WritePattern::Bulk).unwrap_err();
    let user = Dataset::new(Schema::preset("user").unwrap());
    assert_eq!(
        refusal(&user, Layout::Bucketed { size: 100 }).to_string(),
        "user cannot be laid out in buckets, since its schema has no [bucket] section; \
         use flat, hash or json"
    );
    let bucketed = Dataset::new(Schema::preset("bucketed").unwrap());
    assert_eq!(refusal(&bucketed, Layout::Bucketed { size: 0 }), LayoutError::EmptyBucket);
    // No command holds more than 1,024 fields of a bucket, so it takes long values to be too large.
    let schema = "name = \"long\"\nseed = 1\nobjects = 5000\nkey = \"{n}\"\n\
                  bucket = { sizes = [10] }\n[[fields]]\nname = \"f\"\nkind = \"alphanumeric\"\n\
                  size = 1_000_000\n";
    let long = Dataset::new(Schema::from_toml(schema).unwrap());
    let message = refusal(&long, Layout::Bucketed { size: u32::MAX }).to_string();
    assert!(message.starts_with("as bucketed:4294967295, one command may take"), "{message}");
}

#[test]
fn presets_weigh_what_the_published_baselines_weigh() {
    // Bytes per field of key, field name and value as stored in hashes, at the published sizes.
    for (name, objects, payload) in [
        ("user", 360_000, 19.0),
        ("session", 450_000, 19.6),
        ("counter", 400_000, 11.6),
        ("wide", 72_000, 23.2),
        ("large", 50_000, 1031.7),
        ("bucketed", 1_500_000, 19.3),
    ] {
        let dataset = Dataset::new(Schema::preset(name).unwrap());
        assert_eq!(dataset.objects(), objects);
        let measured = dataset.logical_bytes() as f64 / dataset.fields() as f64;
        assert!((measured - payload).abs() < 0.1, "{name}: {measured}, published {payload}");
        let bytes = measured * dataset.fields() as f64;
        assert!(!["wide", "large"].contains(&name) || bytes >= 100e6, "{name}: {bytes} B in all");
    }
}

#[test]
fn values_of_neighbouring_objects_and_fields_differ() {
    let dataset = Dataset::new(Schema::preset("wide").unwrap()).with_objects(1000).unwrap();
    let plan = LoadPlan::new(&dataset, Layout::Flat, WritePattern::Bulk).unwrap();
    let chunks = plan.all();
    let values: std::collections::HashSet<&[u8]> =
        chunks.iter().flatten().map(|command| command.get(2).unwrap()).collect();
    assert_eq!(values.len() as u64, dataset.fields());
}
