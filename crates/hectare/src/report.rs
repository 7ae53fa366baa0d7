//! How is a report made and shown?

use std::env;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;

use hectare_report::{
    Cell, Ending, Folder, FolderError, Observer, Row, RowWriter, Setup, doubts, measure_plan, text,
    write_resp,
};
use hectare_target::TargetSpec;
use hectare_workload::LoadPlan;

use crate::args::ReportArgs;
use crate::cell_process::CellProcesses;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::report_plan::{Format, MeasurePlan, ReportPlan};
use crate::terminal::{Progress, say, warn};

/// Makes or shows a report.
pub(crate) fn run(args: ReportArgs) -> Result<(), Failure> {
    match ReportPlan::new(args)? {
        ReportPlan::Measure(plan) => measure(&plan),
        ReportPlan::Show { folder, format } => show(&folder, format),
        ReportPlan::Emit { cell, file } => emit(&cell, &file),
    }
}

fn measure(plan: &MeasurePlan) -> Result<(), Failure> {
    if plan.alone {
        warn(
            "no redis-server or valkey-server was found, so the embedded engine is measured alone; \
             scripts/peers unpacks some to compare with",
        );
    }
    let interrupt = Interrupt::watch();
    let setup = Setup::read(command_line(), Path::new(env!("CARGO_MANIFEST_DIR")));
    let cells = plan.plan.cells().len();
    let mut recorder = Recorder {
        rows: Vec::new(),
        archive: Archive::create(&plan.output, &setup),
        printer: Printer::new(plan.format),
        printing: Ok(()),
        progress: Progress::of(cells as u64, "cells"),
    };
    let ending =
        measure_plan(&plan.plan, &mut CellProcesses::new(interrupt.clone()), &mut recorder);
    recorder.progress.end();
    let Recorder { rows, archive, printing, .. } = recorder;
    let kept = archive.finish(&setup, &rows);
    let shown = printing.and_then(|()| match plan.format {
        Format::Text if !rows.is_empty() => print_text(&rows),
        Format::Text | Format::Csv | Format::Json => Ok(()),
    });
    doubts(&rows).into_iter().for_each(warn);
    if ending != Ending::Complete {
        say(&format!("{} of {cells} cells were measured", rows.len()));
    }
    if let Ok(Some(folder)) = &kept {
        say(&format!("kept in {}", folder.path().display()));
    }
    match ending {
        Ending::Failed { cell, reason } => Err(Failure::Failed(format!("{cell}: {reason}"))),
        Ending::Stopped if interrupt.is_raised() => Err(Failure::Interrupted),
        Ending::Stopped | Ending::Complete => shown.and(match kept {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::Failed(format!("results are not kept: {error}"))),
        }),
    }
}

/// Keeps, prints and counts rows as they come.
struct Recorder {
    rows: Vec<Row>,
    archive: Archive,
    printer: Printer,
    printing: Result<(), Failure>,
    progress: Progress,
}

impl Observer for Recorder {
    fn begins(&mut self, _number: usize, cell: &Cell) {
        self.progress.now(cell.to_string());
    }

    fn measured(&mut self, row: &Row) -> ControlFlow<()> {
        self.rows.push(row.clone());
        self.progress.done(self.rows.len() as u64);
        self.progress.aside(|| self.archive.keep(row));
        self.printing = self.progress.aside(|| self.printer.print(row));
        if self.printing.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// The folder of the run, until something cannot be written: then the measuring goes on and the
/// tables are still shown, and the failure is told at once and in the end.
struct Archive(Result<(Folder, RowWriter<File>), FolderError>);

impl Archive {
    fn create(parent: &Path, setup: &Setup) -> Self {
        let created = Folder::create(parent, setup).and_then(|folder| {
            folder.write_setup(setup, &[])?;
            let rows = folder.create_rows()?;
            Ok((folder, rows))
        });
        if let Err(error) = &created {
            warn(format!("the results are not kept: {error}"));
        }
        Self(created)
    }

    fn keep(&mut self, row: &Row) {
        let Ok((folder, rows)) = &mut self.0 else { return };
        if let Err(error) = rows.write(row) {
            let error = FolderError::of_rows(folder, error);
            warn(format!("rows are not kept any more: {error}"));
            self.0 = Err(error);
        }
    }

    /// Writes what follows from the rows; a folder without any is not kept.
    fn finish(self, setup: &Setup, rows: &[Row]) -> Result<Option<Folder>, FolderError> {
        let (folder, _) = self.0?;
        if rows.is_empty() {
            folder.discard()?;
            return Ok(None);
        }
        folder.write_setup(setup, rows)?;
        folder.render(rows)?;
        Ok(Some(folder))
    }
}

/// Writes rows to standard output as they come, unless tables are to follow.
struct Printer {
    format: Format,
    lines: RowWriter<io::Stdout>,
}

impl Printer {
    fn new(format: Format) -> Self {
        Self { format, lines: RowWriter::new(io::stdout()) }
    }

    fn print(&mut self, row: &Row) -> Result<(), Failure> {
        let printed = match self.format {
            Format::Text => Ok(()),
            Format::Csv => self.lines.write(row),
            Format::Json => serde_json::to_string(row)
                .map_err(io::Error::from)
                .and_then(|line| writeln!(io::stdout().lock(), "{line}")),
        };
        printed.map_err(|error| Failure::of_stdout(&error))
    }
}

fn print_text(rows: &[Row]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    write!(stdout, "{}", text(rows))
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::of_stdout(&error))
}

fn show(folder: &Path, format: Format) -> Result<(), Failure> {
    let folder = Folder::open(folder);
    let read = folder.read_rows().map_err(|error| Failure::Failed(error.to_string()))?;
    if read.cut_short {
        warn(
            "the last row was cut short and is left out; the run that wrote it was ended half way",
        );
    }
    match format {
        Format::Text => print_text(&read.rows)?,
        Format::Csv | Format::Json => {
            let mut printer = Printer::new(format);
            read.rows.iter().try_for_each(|row| printer.print(row))?;
        }
    }
    folder.render(&read.rows).map_err(|error| Failure::Failed(error.to_string()))
}

fn emit(cell: &Cell, file: &Path) -> Result<(), Failure> {
    let failed = |text: String| Failure::Failed(text);
    let dataset = cell.dataset().map_err(|error| failed(error.to_string()))?;
    let plan = LoadPlan::new(&dataset, cell.layout, cell.write_pattern)
        .map_err(|error| failed(error.to_string()))?;
    if file == Path::new("-") {
        let mut stdout = io::stdout().lock();
        return write_resp(&plan, &mut BufWriter::new(&mut stdout))
            .map_err(|error| Failure::of_stdout(&error));
    }
    let written = File::create(file).and_then(|sink| write_resp(&plan, &mut BufWriter::new(sink)));
    written.map_err(|error| {
        // Half of the commands would pass for all of them. Only a regular file is taken away.
        if file.is_file() {
            let _ = fs::remove_file(file);
        }
        failed(format!("{} cannot be written: {error}; name another file", file.display()))
    })
}

/// The command as it was typed, with quotes where a shell needs them and passwords hidden.
fn command_line() -> String {
    let arguments = env::args_os().skip(1).map(|argument| {
        let argument = argument.to_string_lossy();
        let (option, value) = match argument.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (format!("{option}="), value),
            _ => (String::new(), argument.as_ref()),
        };
        let value = match value.parse::<TargetSpec>() {
            Ok(target) => target.to_string(),
            Err(_) => value.to_owned(),
        };
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=@,*".contains(letter);
        if !value.is_empty() && value.chars().all(plain) {
            format!("{option}{value}")
        } else {
            format!("{option}'{}'", value.replace('\'', r"'\''"))
        }
    });
    ["hectare".to_owned()].into_iter().chain(arguments).collect::<Vec<_>>().join(" ")
}
