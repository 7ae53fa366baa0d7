//! Does a run measure what its plan says, and leave behind what it should?

mod peers;

use std::cell::{Cell, RefCell};
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hectare_loadgen::{Length, Measurement, Moment, Plan, RunError, Stage, run};
use hectare_target::{
    AdmissionError, ConnectionError, DataPolicy, OpenError, Reply, Target, TargetOptions,
    TargetSpec,
};
use hectare_workload::{Dataset, Mix, Schema};
use peers::for_each_peer;

const OBJECTS: u64 = 5_000;

fn plan(target: TargetSpec, commands: u64) -> Plan {
    let dataset = Dataset::new(Schema::preset("user").expect("it is a preset"));
    let mut plan = Plan::new(target, dataset.with_objects(OBJECTS).expect("they are few"));
    plan.length = Length::Commands(NonZeroU64::new(commands).expect("there are some"));
    plan.warm_up = Duration::ZERO;
    plan.threads = at_least_one(2);
    plan.connections = at_least_one(5);
    plan
}

fn at_least_one(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("it is more than 0")
}

fn mix(text: &str) -> Mix {
    text.parse().expect("it is a mix")
}

fn carry_out(plan: &Plan) -> Result<Measurement, RunError> {
    run(plan, &|_| (), &AtomicBool::new(false))
}

fn open(spec: &TargetSpec) -> Target {
    Target::open(spec, &TargetOptions::default()).expect("the target opens")
}

/// A server that is running, and how a user would name it.
fn running(program: &std::path::Path) -> (Target, TargetSpec) {
    let spawned = open(&TargetSpec::Spawn { program: program.to_owned() });
    let endpoint = spawned.endpoint().expect("a server has an address");
    let spec = format!("redis://{endpoint}").parse().expect("this is a target");
    (spawned, spec)
}

/// What must hold for any measurement that was not cut short and met no error.
fn assert_sound(measurement: &Measurement, plan: &Plan, commands: u64) {
    let total = &measurement.total;
    assert_eq!((total.commands, total.errors, total.absent), (commands, 0, 0));
    let kinds: u64 = measurement.operations.iter().map(|figures| figures.commands).sum();
    assert_eq!(kinds, commands);
    assert_eq!(measurement.filled.map(|filled| filled.objects), plan.fill.then_some(OBJECTS));
    assert_eq!(total.hit_rate, Some(1.0));
    for figures in measurement.operations.iter().chain([total]) {
        assert!(figures.commands > 0, "{figures:?}");
        let ordered = [
            figures.latency_ns_p50,
            figures.latency_ns_p90,
            figures.latency_ns_p99,
            figures.latency_ns_p99_9,
            figures.latency_ns_max,
        ];
        assert!(ordered.is_sorted() && ordered[0] > 0, "{figures:?}");
        let seconds = total.commands as f64 / total.throughput_commands_per_second;
        assert!((seconds - measurement.elapsed_seconds).abs() < 1e-6);
    }
}

#[test]
fn the_embedded_engine_answers_every_command_of_the_plan() {
    let plan = plan(TargetSpec::EMBEDDED, 100_003);
    assert_sound(&carry_out(&plan).unwrap(), &plan, 100_003);
}

#[test]
fn a_server_that_is_started_answers_every_command_of_the_plan() {
    for_each_peer(|peer| {
        let plan = plan(TargetSpec::Spawn { program: peer.path.clone() }, 50_003);
        assert_sound(&carry_out(&plan).unwrap(), &plan, 50_003);
    });
}

#[test]
fn fewer_commands_than_connections_are_all_sent_and_warned_about() {
    let plan = plan(TargetSpec::EMBEDDED, 3);
    let measurement = carry_out(&plan).unwrap();
    assert_eq!(measurement.total.commands, 3);
    let warnings: Vec<String> = measurement.warnings.iter().map(ToString::to_string).collect();
    assert!(warnings.iter().any(|text| text.contains("had few answers")), "{warnings:?}");
}

#[test]
fn a_run_may_be_longer_than_what_was_prepared() {
    // Objects of 4 KiB fill the bound for prepared commands soon.
    let dataset = Dataset::new(Schema::preset("large").unwrap()).with_objects(100).unwrap();
    let mut plan = plan(TargetSpec::EMBEDDED, 50_000);
    plan.dataset = dataset;
    plan.mix = mix("hset=100");
    let measurement = carry_out(&plan).unwrap();
    assert!(measurement.prepared_commands < 50_000, "{}", measurement.prepared_commands);
    assert_eq!((measurement.total.commands, measurement.total.errors), (50_000, 0));
    assert_eq!(measurement.total.hit_rate, None);
}

#[test]
fn warming_up_does_not_count() {
    let mut plan = plan(TargetSpec::EMBEDDED, 20_000);
    plan.warm_up = Duration::from_millis(200);
    let stages = RefCell::new(Vec::new());
    let observe = |moment: Moment| {
        assert!((0.0..=1.0).contains(&moment.fraction), "{moment:?}");
        if stages.borrow().last() != Some(&moment.stage) {
            stages.borrow_mut().push(moment.stage);
        }
    };
    let measurement = run(&plan, &observe, &AtomicBool::new(false)).unwrap();
    assert_sound(&measurement, &plan, 20_000);
    let stages = stages.into_inner();
    assert_eq!(stages[..4], [Stage::Open, Stage::Fill, Stage::Prepare, Stage::WarmUp]);
}

#[test]
fn a_run_by_time_ends_by_itself() {
    let mut plan = plan(TargetSpec::EMBEDDED, 1);
    plan.length = Length::Duration(Duration::from_millis(300));
    let measurement = carry_out(&plan).unwrap();
    assert!(!measurement.stopped_early);
    assert!(measurement.total.commands > 0);
}

#[test]
fn a_run_that_is_stopped_keeps_what_it_measured() {
    for_each_peer(|peer| {
        let mut plan = plan(TargetSpec::Spawn { program: peer.path.clone() }, 1);
        plan.length = Length::Duration(Duration::from_secs(3600));
        let stop = AtomicBool::new(false);
        let observe = |moment: Moment| {
            if moment.stage == Stage::Measure && moment.commands > 0 {
                stop.store(true, Ordering::Relaxed);
            }
        };
        let measurement = run(&plan, &observe, &stop).unwrap();
        assert!(measurement.stopped_early);
        assert!(measurement.total.commands > 0 && measurement.total.errors == 0);
        let warning = measurement.warnings[0].to_string();
        assert!(warning.starts_with("it was stopped after "), "{warning}");
    });
}

#[test]
fn a_run_that_is_stopped_before_it_measures_says_so() {
    let plan = plan(TargetSpec::EMBEDDED, 1000);
    let outcome = run(&plan, &|_| (), &AtomicBool::new(true));
    assert!(matches!(outcome, Err(RunError::Stopped)), "{outcome:?}");
}

#[test]
fn a_running_server_gets_back_what_it_had() {
    for_each_peer(|peer| {
        let (server, spec) = running(&peer.path);
        server.connect().unwrap().call(&[b"SET", b"somebody's", b"data"]).unwrap();

        let mut plan = plan(spec, 10_000);
        let refused = carry_out(&plan).unwrap_err();
        assert!(
            matches!(refused, RunError::Admission(AdmissionError::HoldsData { keys: 1, .. })),
            "{refused}"
        );
        let key_prefix = Some("trial[1]:".to_owned());
        plan.data = DataPolicy { allow_nonempty: true, key_prefix };
        let (most, clean) = (Cell::new(0), Cell::new(false));
        let observe = |moment: Moment| {
            if moment.stage == Stage::Measure {
                most.set(most.get().max(server.keys().unwrap()));
            }
            clean.set(clean.get() || moment.stage == Stage::Clean);
        };
        let measurement = run(&plan, &observe, &AtomicBool::new(false)).unwrap();
        assert_sound(&measurement, &plan, 10_000);
        assert_eq!((most.get(), clean.get()), (OBJECTS + 1, true));
        assert_eq!(server.keys().unwrap(), 1);

        // Also when it is stopped half way through.
        let outcome = run(&plan, &|_| (), &AtomicBool::new(true));
        assert!(matches!(outcome, Err(RunError::Stopped)), "{outcome:?}");
        assert_eq!(server.keys().unwrap(), 1);
    });
}

#[test]
fn objects_that_are_there_are_used_when_that_is_allowed() {
    for_each_peer(|peer| {
        let (server, spec) = running(&peer.path);
        let mut plan = plan(spec, 10_000);
        let measurement = carry_out(&plan).unwrap();
        assert_eq!(server.keys().unwrap(), OBJECTS);
        let last = measurement.warnings.last().unwrap().to_string();
        assert!(last.contains("so the objects stay there"), "{last}");

        plan.fill = false;
        let refused = carry_out(&plan).unwrap_err();
        assert!(
            matches!(refused, RunError::Admission(AdmissionError::WritesToData { .. })),
            "{refused}"
        );
        plan.data.allow_nonempty = true;
        assert_sound(&carry_out(&plan).unwrap(), &plan, 10_000);
        assert_eq!(server.keys().unwrap(), OBJECTS);
    });
}

#[test]
fn misses_and_refusals_are_counted_and_warned_about() {
    for_each_peer(|peer| {
        let (server, spec) = running(&peer.path);
        let mut plan = plan(spec, 10_000);
        plan.fill = false;
        plan.data.allow_nonempty = true;
        plan.mix = mix("hget=100");
        let measurement = carry_out(&plan).unwrap();
        assert_eq!((measurement.total.absent, measurement.total.hit_rate), (10_000, Some(0.0)));
        let warning = measurement.warnings[0].to_string();
        assert!(warning.starts_with("only 0.00 % of the reads found something"), "{warning}");
        assert!(!measurement.all_failed());

        // A string where a hash should be: every command about it is refused.
        let mut connection = server.connect().unwrap();
        plan.dataset = plan.dataset.with_objects(1).unwrap();
        plan.fill = true;
        carry_out(&Plan { fill: true, ..plan.clone() }).unwrap();
        let Reply::Array(scan) = connection.call(&[b"KEYS", b"*"]).unwrap() else { panic!() };
        let key = scan[0].as_bytes().unwrap().to_vec();
        connection.call(&[b"SET", &key, b"text"]).unwrap();
        plan.fill = false;
        let measurement = carry_out(&plan).unwrap();
        assert!(measurement.all_failed());
        assert_eq!((measurement.total.errors, measurement.total.hit_rate), (10_000, None));
        let warning = measurement.warnings[0].to_string();
        assert!(warning.contains("10,000 of 10,000 answers are errors (`WRONGTYPE"), "{warning}");
    });
}

#[test]
fn an_operation_that_does_not_fit_the_dataset_is_refused_before_anything_is_sent() {
    let dataset = Dataset::new(Schema::preset("wide").unwrap()).with_objects(10).unwrap();
    let mut plan = plan(TargetSpec::EMBEDDED, 10);
    (plan.dataset, plan.mix) = (dataset, mix("hincrby=100"));
    let outcome = carry_out(&plan);
    assert!(matches!(outcome, Err(RunError::Operation(_))), "{outcome:?}");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let spec: TargetSpec = "redis://127.0.0.1:1".parse().unwrap();
    let error = carry_out(&plan(spec, 10)).unwrap_err();
    assert!(matches!(error, RunError::Open(OpenError::Connection(_))), "{error}");
    assert!(error.to_string().starts_with("cannot connect to 127.0.0.1:1: "), "{error}");
}

#[test]
fn a_server_that_dies_half_way_ends_the_run_with_one_sentence() {
    for_each_peer(|peer| {
        let (server, spec) = running(&peer.path);
        let mut plan = plan(spec, 1);
        plan.length = Length::Duration(Duration::from_secs(3600));
        let server = RefCell::new(Some(server));
        let observe = |moment: Moment| {
            if moment.stage == Stage::Measure && moment.commands > 0 {
                // Dropping it kills it.
                server.borrow_mut().take();
            }
        };
        let error = run(&plan, &observe, &AtomicBool::new(false)).unwrap_err();
        assert!(matches!(error, RunError::Connection(ConnectionError::Closed { .. })), "{error}");
        assert!(error.to_string().contains("closed the connection after "), "{error}");
    });
}

#[test]
fn more_threads_than_connections_are_refused() {
    let mut plan = plan(TargetSpec::EMBEDDED, 10);
    plan.threads = at_least_one(6);
    assert!(matches!(carry_out(&plan), Err(RunError::Plan(_))));
}
