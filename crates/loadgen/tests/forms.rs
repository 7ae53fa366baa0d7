//! Are the three forms of a measurement complete, and do they say the same?

use std::io::{self, Write};
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use hectare_loadgen::{Length, Measurement, Plan, run};
use hectare_target::TargetSpec;
use hectare_workload::{Dataset, Schema};

fn measurement() -> Measurement {
    let dataset = Dataset::new(Schema::preset("user").expect("it is a preset"));
    let dataset = dataset.with_objects(1000).expect("they are few");
    let mut plan = Plan::new(TargetSpec::EMBEDDED, dataset);
    plan.length = Length::Commands(NonZeroU64::new(12_345).expect("there are some"));
    plan.warm_up = Duration::ZERO;
    plan.threads = NonZeroUsize::MIN;
    plan.connections = NonZeroUsize::MIN;
    plan.mix = "hset1=50,hget=50".parse().expect("it is a mix");
    run(&plan, &|_| (), &AtomicBool::new(false)).expect("the engine answers")
}

#[test]
fn csv_has_units_in_its_header_and_a_row_for_each_operation_and_the_total() {
    let measurement = measurement();
    let mut csv = Vec::new();
    measurement.write_csv(&mut csv).unwrap();
    let text = String::from_utf8(csv).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| split(line)).collect();
    let column = |name: &str| rows[0].iter().position(|&header| header == name).unwrap();
    for header in [
        "throughput_commands_per_second",
        "latency_ns_p50",
        "latency_ns_p99_9",
        "latency_ns_max",
        "elapsed_seconds",
    ] {
        column(header);
    }
    let operations: Vec<&str> = rows[1..].iter().map(|row| row[column("operation")]).collect();
    assert_eq!(operations, ["hset1", "hget", "total"]);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()));
    assert_eq!(rows[3][column("commands")], "12345");
    assert_eq!(rows[1][column("hit_rate")], "");
    assert_eq!(rows[2][column("hit_rate")].parse(), Ok(1.0));
    assert_eq!(rows[3][column("mix")], "\"hset1=50,hget=50\"");
}

/// The cells of a line; those with a comma inside are quoted.
fn split(line: &str) -> Vec<&str> {
    let mut quoted = false;
    line.split(|sign| {
        quoted ^= sign == '"';
        sign == ',' && !quoted
    })
    .collect()
}

#[test]
fn json_holds_every_figure_under_the_name_it_has_in_csv() {
    let measurement = measurement();
    let mut json = Vec::new();
    measurement.write_json(&mut json).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["setting"]["mix"], "hset1=50,hget=50");
    assert_eq!(document["total"]["commands"], 12_345);
    assert_eq!(document["operations"].as_array().unwrap().len(), 2);
    assert_eq!(document["total"]["latency_ns_max"], measurement.total.latency_ns_max);
    assert_eq!(document["filled"]["objects"], 1000);
}

#[test]
fn text_says_what_was_run_and_what_came_out() {
    let measurement = measurement();
    let mut text = Vec::new();
    measurement.write_text(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap_or_default();
    assert!(line("target ").contains("embedded: hectare "), "{text}");
    assert!(line("workload ").contains("user, 1,000 objects, hset1=50,hget=50, "), "{text}");
    assert!(
        line("load ").ends_with("1 connection × 16 commands in flight from 1 thread"),
        "{text}"
    );
    assert!(line("measured ").contains("12,345 commands in "), "{text}");
    assert!(line("throughput ").ends_with(" commands/s"), "{text}");
    assert!(line("latency ").contains(" p50 ") && line("latency ").contains(" max "), "{text}");
    assert!(line("hit rate ").ends_with(" 100.00 %"), "{text}");
    assert!(line("hset1 ").contains("/s"), "{text}");
}

#[test]
fn a_writer_that_fails_is_an_error_and_no_panic() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }
    let measurement = measurement();
    let kind = |outcome: io::Result<()>| outcome.unwrap_err().kind();
    assert_eq!(kind(measurement.write_text(&mut Full)), io::ErrorKind::StorageFull);
    assert_eq!(kind(measurement.write_csv(Full)), io::ErrorKind::StorageFull);
    assert_eq!(kind(measurement.write_json(Full)), io::ErrorKind::StorageFull);
}
