//! Does churn leave the data that was loaded, after all that it does to it?

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its own functions too")]

use std::collections::BTreeMap;

use hectare_workload::{Churn, Command, Commands, Dataset, Layout, LoadPlan, Schema, WritePattern};

/// The fields of each key; a string is one without a name.
#[derive(Clone, Default, PartialEq)]
struct Model(BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, Vec<u8>>>);

impl Model {
    fn run(&mut self, command: Command<'_>) {
        let key = command[1].to_vec();
        match &command[0] {
            b"UNLINK" => assert!(self.0.remove(&key).is_some(), "a key that is not there"),
            b"SET" => {
                self.0.insert(key, BTreeMap::from([(Vec::new(), command[2].to_vec())]));
            }
            b"HSET" => {
                let fields = self.0.entry(key).or_default();
                for index in (2..command.len()).step_by(2) {
                    fields.insert(command[index].to_vec(), command[index + 1].to_vec());
                }
            }
            other => panic!("{}", other.escape_ascii()),
        }
    }

    fn load(plan: &LoadPlan) -> Self {
        let mut model = Self::default();
        plan.all().iter().flatten().for_each(|command| model.run(command));
        model
    }

    fn values(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.0.values().flat_map(BTreeMap::values)
    }
}

fn plans() -> Vec<LoadPlan> {
    let layouts = [
        ("user", Layout::Flat),
        ("user", Layout::Hash),
        ("user", Layout::Json),
        ("counter", Layout::Hash),
        ("bucketed", Layout::Bucketed { size: 7 }),
        ("giant", Layout::Bucketed { size: 1100 }),
        ("giant", Layout::Bucketed { size: 1_800_000 }),
    ];
    let plan = |preset: &str, layout, pattern| {
        let dataset = Dataset::new(Schema::preset(preset).unwrap()).with_objects(1201).unwrap();
        LoadPlan::new(&dataset, layout, pattern).unwrap()
    };
    (layouts.into_iter())
        .flat_map(|(preset, layout)| {
            [WritePattern::Bulk, WritePattern::Grown].map(|pattern| plan(preset, layout, pattern))
        })
        .collect()
}

#[test]
fn each_round_gives_every_value_another_length_and_the_last_what_was_loaded() {
    for plan in plans() {
        let loaded = Model::load(&plan);
        let mut model = loaded.clone();
        for round in 1..=LoadPlan::OVERWRITING_ROUNDS {
            let before = model.clone();
            plan.overwriting(round).all().iter().flatten().for_each(|command| model.run(command));
            assert_eq!(model.0.len(), before.0.len());
            // Of a blob only the values in it have one; their sum can be the same by chance.
            let same = before.values().zip(model.values()).filter(|(a, b)| a.len() == b.len());
            let allowed = if plan.layout() == Layout::Json { 1201 / 5 } else { 0 };
            assert!(same.count() <= allowed, "{plan:?}, round {round}");
        }
        assert!(model == loaded, "{plan:?}");
    }
}

#[test]
fn overwriting_keeps_the_sum_of_the_bytes_about_the_same() {
    for plan in plans() {
        let bytes = |model: &Model| model.values().map(Vec::len).sum::<usize>() as f64;
        let loaded = bytes(&Model::load(&plan));
        for round in 1..LoadPlan::OVERWRITING_ROUNDS {
            let worn = bytes(&Model::load(&plan.overwriting(round)));
            assert!((worn / loaded - 1.0).abs() < 0.1, "{plan:?}, round {round}: {worn} {loaded}");
        }
    }
}

#[test]
fn churn_runs_all_rounds_and_then_deletes_half_of_the_keys_and_writes_them_again() {
    for plan in plans() {
        let loaded = Model::load(&plan);
        let mut model = loaded.clone();
        let mut churn = Churn::new(&plan);
        let mut sent = 0;
        let mut overwrite = |commands: &Commands| -> Result<(), ()> {
            sent += commands.len() as u64;
            commands.iter().for_each(|command| model.run(command));
            Ok(())
        };
        churn.overwrite(&mut overwrite).unwrap();
        let expected: u64 =
            (1..=LoadPlan::OVERWRITING_ROUNDS).map(|n| plan.overwriting(n).command_count()).sum();
        assert_eq!(sent, expected);
        assert!(model == loaded, "{plan:?}");
        let mut fewest = usize::MAX;
        let mut replace = |commands: &Commands| -> Result<(), ()> {
            for command in commands {
                model.run(command);
                fewest = fewest.min(model.0.len());
            }
            Ok(())
        };
        churn.remove_and_add(&mut replace).unwrap();
        assert_eq!(fewest as u64, plan.key_count() - churn.removed_keys());
        assert!(model == loaded, "{plan:?}");
    }
}

#[test]
fn the_buffer_for_commands_never_grows() {
    for plan in plans() {
        let mut churn = Churn::new(&plan);
        let mut held = Vec::new();
        let mut note = |commands: &Commands| -> Result<(), ()> {
            held.push(commands.allocated_bytes());
            Ok(())
        };
        churn.rehearse(8192, &mut note).unwrap();
        churn.overwrite(&mut note).unwrap();
        churn.remove_and_add(&mut note).unwrap();
        assert!(held.iter().all(|&bytes| bytes == held[0]), "{plan:?}: {held:?}");
    }
}

#[test]
fn an_error_ends_it() {
    let plan = plans().remove(1);
    let mut calls = 0;
    let ended = Churn::new(&plan).overwrite(|_| {
        calls += 1;
        Err("no room")
    });
    assert_eq!((ended, calls), (Err("no room"), 1));
}
