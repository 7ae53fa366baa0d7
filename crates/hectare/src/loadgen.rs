//! How is a load generator's run made and shown?

use std::cell::Cell;
use std::io::{self, Write};

use hectare_loadgen::{Measurement, Moment, RunError, Stage};

use crate::args::LoadgenArgs;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::loadgen_plan::LoadgenPlan;
use crate::report_plan::Format;
use crate::terminal::{Progress, warn};

/// Makes a run and shows its figures.
pub(crate) fn run(args: LoadgenArgs) -> Result<(), Failure> {
    let LoadgenPlan { plan, format } = LoadgenPlan::new(args)?;
    let interrupt = Interrupt::watch();
    let progress = Progress::of_parts();
    let stage: Cell<Option<Stage>> = Cell::new(None);
    let observe = |moment: Moment| {
        if stage.replace(Some(moment.stage)) != Some(moment.stage) {
            progress.now(moment.stage.to_string());
        }
        progress.reached(moment.fraction);
    };
    let outcome = hectare_loadgen::run(&plan, &observe, interrupt.flag());
    progress.end();
    let measurement = match outcome {
        Ok(measurement) => measurement,
        Err(RunError::Stopped) => return Err(Failure::Interrupted),
        Err(RunError::Plan(error)) => return Err(Failure::Usage(error.to_string())),
        Err(error) => return Err(Failure::Failed(error.to_string())),
    };
    write(&measurement, format).map_err(|error| Failure::of_stdout(&error))?;
    for warning in &measurement.warnings {
        warn(warning);
    }
    if interrupt.is_raised() {
        return Err(Failure::Interrupted);
    }
    if measurement.all_failed() {
        let said = measurement.first_error.unwrap_or_default();
        return Err(Failure::Failed(format!(
            "the target refused every command, so nothing but the refusal was measured: {said}"
        )));
    }
    Ok(())
}

fn write(measurement: &Measurement, format: Format) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match format {
        Format::Text => measurement.write_text(&mut stdout)?,
        Format::Csv => measurement.write_csv(&mut stdout)?,
        Format::Json => measurement.write_json(&mut stdout)?,
    }
    stdout.flush()
}
