//! Is what the connections ask for what the mix, the popularity and the dataset say?

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its own functions too")]

use std::collections::{HashMap, HashSet};

use hectare_workload::{
    Command, Commands, Dataset, KeyPopularity, Layout, LoadPlan, Mix, OperationError,
    OperationKind, OperationStream, Schema, WritePattern,
};

const ZIPF: KeyPopularity = KeyPopularity::Zipf { exponent: 1.0 };

fn preset(name: &str, objects: u64) -> Dataset {
    Dataset::new(Schema::preset(name).unwrap()).with_objects(objects).unwrap()
}

fn asked(
    dataset: &Dataset,
    mix: &str,
    popularity: KeyPopularity,
    stream_index: u64,
    count: usize,
) -> (Commands, Vec<OperationKind>) {
    let mix: Mix = mix.parse().unwrap();
    let mut stream = OperationStream::new(dataset, &mix, popularity, 5, stream_index).unwrap();
    let (mut commands, mut kinds) = (Commands::new(), Vec::new());
    stream.fill(&mut commands, &mut kinds, count);
    assert_eq!((commands.len(), kinds.len()), (count, count));
    (commands, kinds)
}

fn text(argument: &[u8]) -> &str {
    std::str::from_utf8(argument).unwrap()
}

fn count_keys(commands: &Commands) -> HashMap<String, u32> {
    let mut counts = HashMap::new();
    for command in commands {
        *counts.entry(text(&command[1]).to_owned()).or_default() += 1;
    }
    counts
}

fn hottest(commands: &Commands) -> Vec<(String, u32)> {
    let mut counts: Vec<_> = count_keys(commands).into_iter().collect();
    counts.sort_unstable_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

#[test]
fn each_kind_has_its_share() {
    const COUNT: usize = 100_000;
    let mix = "hset1=60,hset=10,hget=20,hmget=5,hgetall=4,hincrby=1";
    let (commands, kinds) = asked(&preset("user", 1000), mix, KeyPopularity::Uniform, 0, COUNT);
    let parsed: Mix = mix.parse().unwrap();
    for kind in OperationKind::ALL {
        let expected = COUNT as f64 * f64::from(parsed.share(kind)) / 100.0;
        let seen = kinds.iter().filter(|&&seen| seen == kind).count() as f64;
        assert!((seen - expected).abs() < 5.0 * expected.sqrt(), "{kind}: {seen} of {expected}");
    }
    for (command, kind) in commands.iter().zip(&kinds) {
        assert_eq!(text(&command[0]), kind.command_name());
        let arguments_after_key = command.len() - 2;
        let expected = match kind {
            OperationKind::HsetOne | OperationKind::Hincrby => 2..=2,
            OperationKind::HsetAll => 10..=10,
            OperationKind::Hget => 1..=1,
            OperationKind::Hmget => 2..=5,
            OperationKind::Hgetall => 0..=0,
        };
        assert!(expected.contains(&arguments_after_key), "{command:?}");
    }
}

#[test]
fn only_keys_and_fields_that_are_loaded_are_asked_for() {
    const MIX: &str = "hset1=1,hset=1,hget=1,hmget=1,hgetall=1,hincrby=1";
    for name in ["user", "counter", "bucketed"] {
        for popularity in [KeyPopularity::Uniform, ZIPF] {
            let dataset = preset(name, 100).with_key_prefix("p:");
            let loaded = LoadPlan::new(&dataset, Layout::Hash, WritePattern::Bulk).unwrap().all();
            let keys: HashSet<&[u8]> =
                loaded.iter().flatten().map(|command| command.get(1).unwrap()).collect();
            let names: HashSet<&str> = dataset.schema().field_names().collect();
            let (commands, kinds) = asked(&dataset, MIX, popularity, 0, 10_000);
            for (command, kind) in commands.iter().zip(kinds) {
                assert!(keys.contains(&command[1]), "{command:?}");
                let step = if kind.is_write() { 2 } else { 1 };
                let asked: Vec<&str> = command.iter().skip(2).step_by(step).map(text).collect();
                assert!(asked.iter().all(|field| names.contains(field)), "{command:?}");
                assert_eq!(asked.iter().collect::<HashSet<_>>().len(), asked.len(), "{command:?}");
            }
        }
    }
}

#[test]
fn each_connection_asks_for_other_keys_in_other_order() {
    for popularity in [KeyPopularity::Uniform, ZIPF] {
        let dataset = preset("user", 1_000_000);
        let keys = |index| -> Vec<String> {
            let (commands, _) = asked(&dataset, "hget=1", popularity, index, 1000);
            commands.iter().map(|command| text(&command[1]).to_owned()).collect()
        };
        let (first, second) = (keys(0), keys(1));
        let same = first.iter().zip(&second).filter(|(first, second)| first == second).count();
        // Under Zipf's law two draws are the same key once in a hundred times or so.
        assert!(same < 40, "{same} of 1000 are the same");
        assert_eq!(first, keys(0));
    }
}

#[test]
fn connections_agree_on_the_hot_keys_which_are_no_neighbours() {
    let dataset = preset("user", 100_000);
    let top = |index| -> HashSet<String> {
        let (commands, _) = asked(&dataset, "hget=1", ZIPF, index, 200_000);
        hottest(&commands).into_iter().take(5).map(|(key, _)| key).collect()
    };
    let hot = top(0);
    assert_eq!(hot, top(1));
    let mut numbers: Vec<u64> =
        hot.iter().map(|key| key.strip_prefix("user:").unwrap().parse().unwrap()).collect();
    numbers.sort_unstable();
    assert!(numbers.windows(2).all(|pair| pair[1] - pair[0] > 10), "{numbers:?}");
}

#[test]
fn keys_are_asked_for_as_often_as_their_popularity_says() {
    const COUNT: usize = 200_000;
    const OBJECTS: u64 = 1000;
    let dataset = preset("user", OBJECTS);
    let (commands, _) = asked(&dataset, "hget=1", ZIPF, 0, COUNT);
    let harmonic: f64 = (1..=OBJECTS).map(|rank| 1.0 / rank as f64).sum();
    for (rank, (key, count)) in hottest(&commands).iter().take(10).enumerate() {
        let expected = COUNT as f64 / harmonic / (rank + 1) as f64;
        let distance = (f64::from(*count) - expected).abs();
        assert!(distance < 5.0 * expected.sqrt(), "{key}: {count}, expected {expected}");
    }

    let (commands, _) = asked(&dataset, "hget=1", KeyPopularity::Uniform, 0, COUNT);
    let expected = COUNT as f64 / OBJECTS as f64;
    let counts = count_keys(&commands);
    assert_eq!(counts.len() as u64, OBJECTS);
    let chi_square: f64 =
        counts.values().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
    // 999 degrees of freedom: mean 999, standard deviation 45.
    assert!(chi_square < 1200.0, "{chi_square}");
}

#[test]
fn every_write_brings_a_new_value() {
    let (commands, _) =
        asked(&preset("wide", 10), "hset1=1,hset=1", KeyPopularity::Uniform, 0, 1000);
    let values: Vec<&[u8]> =
        commands.iter().flat_map(|command| command.iter().skip(3).step_by(2)).collect();
    let different: HashSet<&[u8]> = values.iter().copied().collect();
    assert_eq!(different.len(), values.len());

    let (other, _) = asked(&preset("wide", 10), "hset1=1,hset=1", KeyPopularity::Uniform, 1, 1000);
    let other: HashSet<&[u8]> =
        other.iter().flat_map(|command| command.iter().skip(3).step_by(2)).collect();
    assert!(different.is_disjoint(&other));
}

#[test]
fn an_email_is_made_from_the_name_of_its_own_object() {
    let check = |command: Command<'_>| {
        let arguments: Vec<&str> = command.iter().map(text).collect();
        assert_eq!((arguments[2], arguments[4]), ("name", "email"));
        let local_part = arguments[3].to_lowercase().replace(' ', ".");
        assert!(arguments[5].starts_with(&local_part), "{command:?}");
    };
    let dataset = preset("user", 1000);
    let loaded = LoadPlan::new(&dataset, Layout::Hash, WritePattern::Bulk).unwrap().all();
    loaded.iter().flatten().for_each(check);
    let (written, _) = asked(&dataset, "hset=1", KeyPopularity::Uniform, 0, 1000);
    written.iter().for_each(check);
}

#[test]
fn hincrby_adds_to_integers_only() {
    let (commands, _) = asked(&preset("user", 10), "hincrby=1", KeyPopularity::Uniform, 0, 1000);
    for command in &commands {
        assert!(["age", "last_login"].contains(&text(&command[2])), "{command:?}");
        assert!((1..=100).contains(&text(&command[3]).parse::<i64>().unwrap()), "{command:?}");
    }
}

#[test]
fn hincrby_without_an_integer_is_refused() {
    let refusal = |dataset: &Dataset| {
        let mix: Mix = "hget=1,hincrby=1".parse().unwrap();
        OperationStream::new(dataset, &mix, ZIPF, 1, 0).unwrap_err().to_string()
    };
    assert_eq!(
        refusal(&preset("large", 10)),
        "large has no integer that HINCRBY could add to; leave hincrby out of the mix, \
         or take a dataset such as counter"
    );
    // One that may be so large that it would overflow does not count.
    let huge = r#"
        name = "huge"
        seed = 0
        objects = 1
        key = "k{n}"
        fields = [{ name = "a", kind = "integer", min = 0, max = 9223372036854775807 }]
    "#;
    assert!(refusal(&Dataset::new(Schema::from_toml(huge).unwrap())).starts_with("huge has no"));
}

#[test]
fn an_exponent_that_no_distribution_has_is_refused() {
    for exponent in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let popularity = KeyPopularity::Zipf { exponent };
        let refusal = OperationStream::new(&preset("user", 10), &Mix::default(), popularity, 1, 0);
        assert!(matches!(refusal, Err(OperationError::BadExponent { .. })));
    }
}

#[test]
fn a_dataset_of_one_object_of_one_field_is_asked_for_that() {
    let (commands, _) = asked(&preset("bucketed", 1), "hmget=1", ZIPF, 0, 10);
    for command in &commands {
        assert_eq!(format!("{command:?}"), "HMGET media:0 owner");
    }
}
