//! How does a measurement become rows of a table for programs?

use std::io::{self, Write};

use serde::Serialize;

use crate::measurement::{Figures, Measurement, Setting, TOTAL};

/// One row: the conditions, then the figures of one operation. The names are the header.
#[derive(Serialize)]
struct Row<'a> {
    schema_version: u32,
    target: &'a str,
    server_build: &'a str,
    dataset: &'a str,
    objects: u64,
    mix: &'a str,
    popularity: &'a str,
    seed: u64,
    threads: usize,
    connections: usize,
    pipeline_commands: usize,
    warm_up_seconds: f64,
    elapsed_seconds: f64,
    operation: &'a str,
    commands: u64,
    errors: u64,
    absent: u64,
    hit_rate: Option<f64>,
    throughput_commands_per_second: f64,
    latency_ns_mean: f64,
    latency_ns_p50: u64,
    latency_ns_p90: u64,
    latency_ns_p99: u64,
    latency_ns_p99_9: u64,
    latency_ns_max: u64,
    cpu_ns_per_command: Option<f64>,
}

impl Measurement {
    /// Writes a header and one row for each operation of the mix, then one for all together. Units
    /// are in the names of the columns; what is not known is empty.
    ///
    /// # Errors
    /// What the writer answers.
    pub fn write_csv(&self, out: impl Write) -> io::Result<()> {
        let mut rows = csv::Writer::from_writer(out);
        for figures in self.figures() {
            rows.serialize(Row::new(self, figures)).map_err(io::Error::from)?;
        }
        rows.flush()
    }
}

impl<'a> Row<'a> {
    fn new(measurement: &'a Measurement, figures: &'a Figures) -> Self {
        let Setting {
            target,
            server_build,
            dataset,
            objects,
            mix,
            popularity,
            seed,
            threads,
            connections,
            pipeline_commands,
            warm_up_seconds,
        } = &measurement.setting;
        // Processor time is known for all operations together only.
        let is_total = figures.operation == TOTAL;
        Self {
            schema_version: measurement.schema_version,
            target,
            server_build,
            dataset,
            objects: *objects,
            mix,
            popularity,
            seed: *seed,
            threads: *threads,
            connections: *connections,
            pipeline_commands: *pipeline_commands,
            warm_up_seconds: *warm_up_seconds,
            elapsed_seconds: measurement.elapsed_seconds,
            operation: &figures.operation,
            commands: figures.commands,
            errors: figures.errors,
            absent: figures.absent,
            hit_rate: figures.hit_rate,
            throughput_commands_per_second: figures.throughput_commands_per_second,
            latency_ns_mean: figures.latency_ns_mean,
            latency_ns_p50: figures.latency_ns_p50,
            latency_ns_p90: figures.latency_ns_p90,
            latency_ns_p99: figures.latency_ns_p99,
            latency_ns_p99_9: figures.latency_ns_p99_9,
            latency_ns_max: figures.latency_ns_max,
            cpu_ns_per_command: measurement.cpu_ns_per_command.filter(|_| is_total),
        }
    }
}
