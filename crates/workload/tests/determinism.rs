//! Does the same seed give the same bytes, on every machine and with any number of threads?
//!
//! The digests were taken once, on x86-64. A change of any of them means that data made before and
//! after it cannot be compared: it belongs in the changelog, with the figures taken anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its own functions too")]

use hectare_workload::{
    Commands, Dataset, KeyPopularity, Layout, LoadPlan, Mix, OperationStream, Schema, WritePattern,
};

/// FNV-1a over every argument and its length.
fn digest<'a>(chunks: impl IntoIterator<Item = &'a Commands>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for &byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for command in chunks.into_iter().flatten() {
        add(&(command.len() as u64).to_le_bytes());
        for argument in command {
            add(&(argument.len() as u64).to_le_bytes());
            add(argument);
        }
    }
    hash
}

fn preset(name: &str, objects: u64) -> Dataset {
    Dataset::new(Schema::preset(name).unwrap()).with_objects(objects).unwrap()
}

fn load_digest(dataset: &Dataset, layout: Layout, pattern: WritePattern) -> u64 {
    digest(&LoadPlan::new(dataset, layout, pattern).unwrap().all())
}

#[test]
fn each_preset_gives_the_bytes_it_always_gave() {
    let digests: Vec<(&str, u64)> = (Schema::preset_names().into_iter())
        .chain(["sweep:1", "sweep:12"])
        .map(|name| (name, load_digest(&preset(name, 1000), Layout::Hash, WritePattern::Bulk)))
        .collect();
    assert_eq!(
        digests,
        [
            ("user", 0xd49f_d0d7_3b38_9a21),
            ("counter", 0x2f2f_1293_5fd0_b562),
            ("session", 0x8429_a460_5cc6_1353),
            ("wide", 0xaa6b_1216_7931_d92e),
            ("bucketed", 0xd692_6279_e3cc_c0ac),
            ("large", 0x6d32_8017_41a6_f332),
            ("giant", 0x0d56_ebe2_9587_5f2a),
            ("sweep:1", 0x59a7_1cb2_933b_0229),
            ("sweep:12", 0x3f74_6c6f_98b2_09f0),
        ]
    );
}

#[test]
fn each_layout_gives_the_bytes_it_always_gave() {
    let (user, bucketed) = (preset("user", 1000), preset("bucketed", 1000));
    let giant = preset("giant", 2000);
    let bucket = Layout::Bucketed { size: 64 };
    let digests = [
        load_digest(&user, Layout::Flat, WritePattern::Bulk),
        load_digest(&user, Layout::Flat, WritePattern::Grown),
        load_digest(&user, Layout::Json, WritePattern::Bulk),
        load_digest(&user, Layout::Json, WritePattern::Grown),
        load_digest(&bucketed, Layout::Flat, WritePattern::Bulk),
        load_digest(&bucketed, bucket, WritePattern::Bulk),
        load_digest(&bucketed, bucket, WritePattern::Grown),
        load_digest(&giant, Layout::Bucketed { size: 1_800_000 }, WritePattern::Bulk),
        load_digest(&giant, Layout::Bucketed { size: 1_800_000 }, WritePattern::Grown),
    ];
    assert_eq!(
        digests,
        [
            0x6d0d_cc04_b592_44df,
            0x61eb_692f_fe2a_bb5b,
            0xd173_e053_4fdd_dbf7,
            0xef3c_6d49_04fe_15c1,
            0x0496_1644_8727_9a38,
            0x2b0a_4b61_aa42_cabc,
            0xb3ab_df9a_1b48_0db0,
            0x44ff_1b39_6f4d_7ede,
            0xad2d_57bd_5935_1d3d
        ]
    );
}

#[test]
fn each_kind_of_value_gives_the_bytes_it_always_gave() {
    let schema = Schema::from_toml(
        r#"
        name = "all"
        seed = 9
        objects = 1000
        key = "all:{n:06}"
        fields = [
            { name = "i", kind = "integer", min = -9223372036854775808, max = 9223372036854775807 },
            { name = "e", kind = "epoch_seconds", start = 0, seconds = 86400 },
            { name = "c", kind = "choice", values = ["a", "b", "c"], weights = [1, 0, 5] },
            { name = "m", kind = "email", of = "p", domains = ["x.test"] },
            { name = "p", kind = "person_name", first = ["Zoë", "Jean Luc"], last = ["O'Neil"] },
            { name = "a", kind = "alphanumeric", size = { min = 0, max = 30 } },
            { name = "w", kind = "words", words = ["un", "deux"], count = { min = 0, max = 9 } },
        ]
        "#,
    )
    .unwrap();
    assert_eq!(
        load_digest(&Dataset::new(schema), Layout::Hash, WritePattern::Bulk),
        0x8d9c_0163_0ea2_aafe
    );
}

#[test]
fn operations_give_the_bytes_they_always_gave() {
    let mix: Mix = "hset1=3,hset=1,hget=2,hmget=1,hgetall=1,hincrby=1".parse().unwrap();
    let digests = ["uniform", "zipf:0.99", "zipf:1", "zipf:1.7"].map(|popularity| {
        let popularity: KeyPopularity = popularity.parse().unwrap();
        let mut commands = Commands::new();
        for index in 0..3 {
            let dataset = preset("user", 1_000_003);
            let mut stream = OperationStream::new(&dataset, &mix, popularity, 42, index).unwrap();
            stream.fill(&mut commands, &mut Vec::new(), 1000);
        }
        digest([&commands])
    });
    assert_eq!(
        digests,
        [
            0x6628_810b_d412_3bc6,
            0xd77d_a83d_1272_996f,
            0x82d9_6ca2_0db6_496e,
            0x7c44_dd42_b550_1013
        ]
    );
}

#[test]
fn any_number_of_threads_and_any_bound_give_the_same_commands_in_the_same_order() {
    for (name, layout, pattern) in [
        ("user", Layout::Hash, WritePattern::Bulk),
        ("user", Layout::Json, WritePattern::Grown),
        ("counter", Layout::Flat, WritePattern::Grown),
        ("bucketed", Layout::Bucketed { size: 100 }, WritePattern::Bulk),
    ] {
        let dataset = preset(name, 5003);
        let plan = LoadPlan::new(&dataset, layout, pattern).unwrap();
        let mut one_by_one = Commands::new();
        plan.append(0..plan.command_count(), &mut one_by_one);
        let expected = digest([&one_by_one]);
        for threads in [1, 2, 7] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| digest(&plan.all())), expected, "{plan:?}");
            for live_bytes_max in [0, 1000, 100_000, 1 << 26] {
                let mut all = Commands::new();
                pool.install(|| {
                    let mut chunks = plan.chunks(live_bytes_max);
                    while let Some(chunk) = chunks.next_chunk() {
                        chunk.iter().for_each(|command| all.push(command));
                    }
                    assert!(chunks.next_chunk().is_none());
                });
                assert_eq!(digest([&all]), expected, "{plan:?}, {live_bytes_max}");
            }
        }
    }
}

#[test]
fn an_object_is_the_same_however_many_there_are() {
    let first = |objects| {
        let mut commands = Commands::new();
        let plan =
            LoadPlan::new(&preset("wide", objects), Layout::Hash, WritePattern::Bulk).unwrap();
        plan.append(0..10, &mut commands);
        digest([&commands])
    };
    assert_eq!(first(10), first(10_000_000));
}

#[test]
fn another_seed_gives_other_values_for_the_same_keys() {
    let make = |seed| {
        let dataset = preset("large", 10).with_seed(seed);
        assert_eq!(dataset.seed(), seed);
        let mut commands = Commands::new();
        let plan = LoadPlan::new(&dataset, Layout::Hash, WritePattern::Bulk).unwrap();
        plan.append(0..10, &mut commands);
        commands
    };
    let (one, two) = (make(1), make(2));
    for (one, two) in one.iter().zip(&two) {
        assert_eq!((&one[1], &one[2]), (&two[1], &two[2]));
        assert_ne!(&one[3], &two[3]);
    }
    assert_eq!(make(1), one);
}

#[test]
fn chunks_stay_within_their_bound_and_use_their_buffers_again() {
    let plan = LoadPlan::new(&preset("user", 100_000), Layout::Hash, WritePattern::Bulk).unwrap();
    for live_bytes_max in [1 << 16, 1 << 20, 1 << 22] {
        let mut chunks = plan.chunks(live_bytes_max);
        let mut places = std::collections::HashSet::new();
        while let Some(chunk) = chunks.next_chunk() {
            // Sixteen chunks are held at a time.
            assert!(chunk.allocated_bytes() * 16 <= live_bytes_max);
            places.insert(chunk.get(0).unwrap()[0].as_ptr());
        }
        assert!(places.len() <= 16, "{} buffers", places.len());
    }
}
