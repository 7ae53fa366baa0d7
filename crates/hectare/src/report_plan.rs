//! What will a report do?

use std::env;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use hectare_report::{Cell, Choices, Plan, SchemaSource};
use hectare_target::{DataPolicy, Peer, TargetSpec, installed_servers};

use crate::args::{DataArgs, FormatArgs, ReportArgs, RunningArgs};
use crate::failure::Failure;

/// What a report does; each of them can be done.
#[derive(Debug)]
pub(crate) enum ReportPlan {
    /// Measure.
    Measure(MeasurePlan),
    /// Show an earlier run.
    Show { folder: PathBuf, format: Format },
    /// Write one load's commands.
    Emit { cell: Box<Cell>, file: PathBuf },
}

/// What is measured, and what becomes of it.
#[derive(Debug)]
pub(crate) struct MeasurePlan {
    pub(crate) plan: Plan,
    pub(crate) output: PathBuf,
    pub(crate) format: Format,
    /// Whether no server to compare with was found.
    pub(crate) alone: bool,
}

/// What standard output gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Tables and sentences.
    Text,
    /// A CSV line for each row.
    Csv,
    /// A JSON object for each row.
    Json,
}

impl ReportPlan {
    /// Makes sense of what was typed.
    pub(crate) fn new(args: ReportArgs) -> Result<Self, Failure> {
        let format = Format::of(&args.format);
        if let Some(folder) = args.from {
            return Ok(Self::Show { folder, format });
        }
        let mut choices = Choices {
            schemas: schemas(&args.data),
            objects: args.data.objects,
            layouts: args.layouts,
            bucket_sizes: args.bucket_sizes,
            write_patterns: args.write_patterns,
            churn: args.churn,
            targets: args.targets,
            policy: policy(args.running),
        };
        if let Some(file) = args.emit_resp {
            return emit(&choices, file);
        }
        let mut alone = false;
        if choices.targets.is_empty() {
            let servers = installed_servers(&workspace_root());
            alone = servers.is_empty();
            choices.targets =
                if args.standard { standard_targets(servers) } else { usual_targets(servers) };
        }
        let plan = if args.standard { Plan::standard(&choices) } else { Plan::new(&choices) };
        let plan = plan.map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Self::Measure(MeasurePlan { plan, output: args.output, format, alone }))
    }
}

impl Format {
    pub(crate) fn of(args: &FormatArgs) -> Self {
        match (args.csv, args.json) {
            (true, _) => Self::Csv,
            (false, true) => Self::Json,
            (false, false) => Self::Text,
        }
    }
}

/// The schemas in the order: those of the program, those of the user.
fn schemas(data: &DataArgs) -> Vec<SchemaSource> {
    let named = data.datasets.iter().map(|name| named_schema(name));
    named.chain(data.schemas.iter().cloned().map(SchemaSource::File)).collect()
}

/// What a dataset's name stands for: a file, when it ends as files of schemas do.
pub(crate) fn named_schema(name: &str) -> SchemaSource {
    match Path::new(name).extension() {
        Some(extension) if extension == "toml" => SchemaSource::File(name.into()),
        _ => SchemaSource::Preset(name.to_owned()),
    }
}

pub(crate) fn policy(running: RunningArgs) -> DataPolicy {
    DataPolicy { allow_nonempty: running.allow_nonempty, key_prefix: running.key_prefix }
}

fn emit(choices: &Choices, file: PathBuf) -> Result<ReportPlan, Failure> {
    let plan = Plan::new(choices).map_err(|error| Failure::Usage(error.to_string()))?;
    match plan.cells() {
        [cell] => Ok(ReportPlan::Emit { cell: Box::new(cell.clone()), file }),
        cells => Err(Failure::Usage(format!(
            "--emit-resp writes one load, and these choices make {}; choose one --dataset, one \
             --layout and one --write-pattern",
            cells.len()
        ))),
    }
}

/// The embedded engine and every server that was found.
fn usual_targets(servers: Vec<Peer>) -> Vec<TargetSpec> {
    [TargetSpec::EMBEDDED].into_iter().chain(servers.into_iter().map(spawned)).collect()
}

/// The embedded engine in one shard and in two, and of each product the newest server found: an older
/// one takes more.
fn standard_targets(servers: Vec<Peer>) -> Vec<TargetSpec> {
    let product = |name: &str| name.split('-').next().map(str::to_owned);
    let mut newest: Vec<Peer> = Vec::new();
    for server in servers {
        // They are sorted by name, so by version within a product.
        newest.retain(|other| product(&other.name) != product(&server.name));
        newest.push(server);
    }
    let embedded = [1, 2].map(|shards| TargetSpec::Embedded { shards: NonZeroUsize::new(shards) });
    embedded.into_iter().chain(newest.into_iter().map(spawned)).collect()
}

fn spawned(server: Peer) -> TargetSpec {
    TargetSpec::Spawn { program: server.path }
}

/// Where `scripts/peers` puts servers: below the workspace that this program was built from, or
/// else below the current folder.
fn workspace_root() -> PathBuf {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    built_from.canonicalize().or_else(|_| env::current_dir()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_product_the_newest_is_the_standard_to_compare_with() {
        let names = ["redis-7.0-server", "redis-8.0-server", "valkey-9.1-server"];
        let servers = names.map(|name| Peer { name: name.to_owned(), path: name.into() }).to_vec();
        let shown: Vec<String> =
            standard_targets(servers).iter().map(TargetSpec::to_string).collect();
        let expected =
            ["embedded:1", "embedded:2", "spawn:redis-8.0-server", "spawn:valkey-9.1-server"];
        assert_eq!(shown, expected);
    }
}
