//! How does a measurement read on a terminal?

use std::io::{self, Write};

use crate::measurement::{Figures, Measurement};
use crate::quantity::{count, nanoseconds, percent, rate};
use crate::run::ratio;

impl Measurement {
    /// Writes the conditions, then throughput and latency in total and for each operation.
    /// Warnings are not in it: they go elsewhere.
    ///
    /// # Errors
    /// What the writer answers.
    pub fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        let setting = &self.setting;
        writeln!(out, "target       {}: {}", setting.target, setting.server_build)?;
        writeln!(
            out,
            "workload     {}, {} objects, {}, {}, seed {}",
            setting.dataset,
            count(setting.objects),
            setting.mix,
            setting.popularity,
            setting.seed
        )?;
        writeln!(
            out,
            "load         {} × {} in flight from {}",
            plural(setting.connections, "connection"),
            plural(setting.pipeline_commands, "command"),
            plural(setting.threads, "thread")
        )?;
        self.write_amount(out)?;
        writeln!(out)?;
        let total = &self.total;
        let throughput = rate(total.throughput_commands_per_second);
        writeln!(out, "throughput   {throughput} commands/s")?;
        writeln!(out, "latency      {}", latencies(total))?;
        if let Some(cpu_ns) = self.cpu_ns_per_command {
            let whose = if setting.target == "embedded" {
                "engine and load generator together"
            } else {
                "the server's"
            };
            writeln!(out, "CPU time     {} a command, {whose}", nanoseconds(cpu_ns))?;
        }
        if let Some(hit_rate) = total.hit_rate {
            writeln!(out, "hit rate     {}", percent(hit_rate))?;
        }
        if total.errors > 0 {
            writeln!(out, "errors       {} of {}", count(total.errors), count(total.commands))?;
        }
        if self.operations.len() > 1 {
            writeln!(out)?;
            for figures in &self.operations {
                let throughput = rate(figures.throughput_commands_per_second);
                writeln!(
                    out,
                    "{:<12} {throughput:>7}/s    {}",
                    figures.operation,
                    latencies(figures)
                )?;
            }
        }
        out.flush()
    }

    /// How much was sent, for how long.
    fn write_amount(&self, out: &mut impl Write) -> io::Result<()> {
        write!(out, "measured     {} commands in ", count(self.total.commands))?;
        write!(out, "{:.2} s", self.elapsed_seconds)?;
        if self.setting.warm_up_seconds > 0.0 {
            write!(out, " after {} s of warming up", self.setting.warm_up_seconds)?;
        }
        if self.total.commands > self.prepared_commands {
            let times = ratio(self.total.commands, self.prepared_commands);
            let prepared = count(self.prepared_commands);
            write!(out, "; {prepared} different ones, each {times:.1} times")?;
        }
        writeln!(out)
    }
}

fn latencies(figures: &Figures) -> String {
    let columns = [
        ("p50", figures.latency_ns_p50),
        ("p90", figures.latency_ns_p90),
        ("p99", figures.latency_ns_p99),
        ("p99.9", figures.latency_ns_p99_9),
        ("max", figures.latency_ns_max),
    ];
    let columns =
        columns.map(|(name, nanos)| format!("{name} {:<8}", nanoseconds(ratio(nanos, 1))));
    columns.join("  ").trim_end().to_owned()
}

fn plural(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(number as u64))
}
