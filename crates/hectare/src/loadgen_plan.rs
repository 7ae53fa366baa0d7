//! What will a load generator's run do?

use hectare_loadgen::{Length, Plan};
use hectare_report::SchemaSource;
use hectare_target::TargetSpec;
use hectare_workload::Dataset;

use crate::args::LoadgenArgs;
use crate::failure::Failure;
use crate::report_plan::{Format, named_schema, policy};

/// A run, and what standard output gets of it.
#[derive(Debug)]
pub(crate) struct LoadgenPlan {
    pub(crate) plan: Plan,
    pub(crate) format: Format,
}

impl LoadgenPlan {
    /// Makes sense of what was typed.
    pub(crate) fn new(args: LoadgenArgs) -> Result<Self, Failure> {
        let format = Format::of(&args.format);
        let mut plan = Plan::new(args.target.clone(), dataset(&args)?);
        let canonical = (plan.threads, plan.connections);
        plan.threads = args.threads.unwrap_or(canonical.0);
        plan.connections = args.connections.unwrap_or(match plan.target {
            TargetSpec::Embedded { .. } => plan.threads,
            _ => canonical.1.max(plan.threads),
        });
        if args.threads.is_none() {
            plan.threads = plan.threads.min(plan.connections);
        }
        if let (TargetSpec::Embedded { shards: Some(named) }, Some(shards)) =
            (&args.target, args.shards)
        {
            return Err(Failure::Usage(format!(
                "--shards {shards} and --target embedded:{named} both say how many shards there \
                 are; leave one of them out"
            )));
        }
        plan.target_options.shards = args.shards;
        plan.mix = args.mix;
        plan.popularity = args.popularity;
        plan.pipeline = args.pipeline.unwrap_or(plan.pipeline);
        plan.warm_up = args.warm_up.unwrap_or(plan.warm_up);
        plan.seed = args.seed.unwrap_or(plan.seed);
        plan.length = match (args.requests, args.duration) {
            (Some(requests), _) => Length::Commands(requests),
            (None, Some(duration)) => Length::Duration(duration),
            (None, None) => plan.length,
        };
        plan.fill = !args.no_fill;
        plan.data = policy(args.running);
        plan.check().map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Self { plan, format })
    }
}

fn dataset(args: &LoadgenArgs) -> Result<Dataset, Failure> {
    let source = match (&args.dataset, &args.schema) {
        (_, Some(path)) => SchemaSource::File(path.clone()),
        (Some(name), None) => named_schema(name),
        (None, None) => named_schema("user"),
    };
    let schema = source.load().map_err(|error| Failure::Usage(error.to_string()))?;
    let dataset = Dataset::new(schema);
    match args.objects {
        Some(objects) => {
            dataset.with_objects(objects).map_err(|error| Failure::Usage(error.to_string()))
        }
        None => Ok(dataset),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Args, Tool};

    fn plan(arguments: &[&str]) -> Plan {
        let typed = ["hectare", "loadgen"].iter().chain(arguments);
        match Args::try_parse_from(typed).unwrap().tool {
            Tool::Loadgen(args) => LoadgenPlan::new(*args).unwrap().plan,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn threads_and_connections_follow_one_another_unless_both_are_typed() {
        let shape = |arguments: &[&str]| {
            let plan = plan(arguments);
            (plan.threads.get(), plan.connections.get())
        };
        assert_eq!(shape(&["--threads", "3"]), (3, 3));
        assert_eq!(shape(&["--connections", "1"]), (1, 1));
        assert_eq!(shape(&["--threads", "2", "--connections", "6"]), (2, 6));
        let server = ["--target", "redis://localhost"];
        assert_eq!(shape(&[&server[..], &["--threads", "4"]].concat()), (4, 50));
        assert_eq!(shape(&[&server[..], &["--threads", "64"]].concat()), (64, 64));
        assert_eq!(shape(&[&server[..], &["--connections", "1"]].concat()), (1, 1));
    }

    #[test]
    fn what_is_typed_is_what_will_be_done() {
        let plan = plan(&[
            "--dataset",
            "counter",
            "--objects",
            "77",
            "--mix",
            "hincrby=1",
            "--popularity",
            "zipf:1.2",
            "--requests",
            "1000",
            "--warm-up",
            "0",
            "--seed",
            "9",
            "--no-fill",
        ]);
        assert_eq!((plan.dataset.name(), plan.dataset.objects()), ("counter", 77));
        assert_eq!(plan.mix.to_string(), "hincrby=1");
        assert_eq!(plan.popularity.to_string(), "zipf:1.2");
        assert_eq!(plan.length.to_string(), "1000 commands");
        assert!(plan.warm_up.is_zero() && !plan.fill && plan.seed == 9);
    }
}
