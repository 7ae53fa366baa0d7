//! How does one cell follow another?

use std::ops::ControlFlow;

use crate::cell::Cell;
use crate::plan::Plan;
use crate::row::Row;

/// What measures a cell somewhere, usually in a process of its own.
pub trait CellRunner {
    /// Measures one cell.
    ///
    /// # Errors
    /// A [`RunnerError`]: the sequence ends with it.
    fn run(&mut self, cell: &Cell) -> Result<Row, RunnerError>;
}

/// Why a runner has no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunnerError {
    /// The user wants no more.
    Stopped,
    /// The cell failed, with a sentence that says why.
    Failed(String),
}

/// What is to be known while a plan is measured.
pub trait Observer {
    /// The cell of that number, counted from 0, begins.
    fn begins(&mut self, number: usize, cell: &Cell);
    /// It has been measured; with `Break` as the answer, no other cell is.
    fn measured(&mut self, row: &Row) -> ControlFlow<()>;
}

/// How a sequence of cells ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All cells were measured.
    Complete,
    /// The user wanted no more.
    Stopped,
    /// A cell failed, and those behind it were not measured.
    Failed {
        /// The cell in words.
        cell: String,
        /// A sentence that says why.
        reason: String,
    },
}

/// Measures cell after cell, and ends with the first that fails: what fails a check of its own data
/// casts doubt on whatever would follow.
pub fn measure_plan(
    plan: &Plan,
    runner: &mut dyn CellRunner,
    observer: &mut dyn Observer,
) -> Ending {
    for (number, cell) in plan.cells().iter().enumerate() {
        observer.begins(number, cell);
        match runner.run(cell) {
            Ok(row) => {
                if observer.measured(&row).is_break() {
                    return Ending::Stopped;
                }
            }
            Err(RunnerError::Stopped) => return Ending::Stopped,
            Err(RunnerError::Failed(reason)) => {
                return Ending::Failed { cell: cell.to_string(), reason };
            }
        }
    }
    Ending::Complete
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Choices;
    use crate::row::tests::example;

    /// Gives so many rows and then an error.
    struct Scripted {
        rows: usize,
        error: RunnerError,
    }

    impl CellRunner for Scripted {
        fn run(&mut self, cell: &Cell) -> Result<Row, RunnerError> {
            let Some(rows) = self.rows.checked_sub(1) else { return Err(self.error.clone()) };
            self.rows = rows;
            Ok(example("redis 8.0.2", cell.layout.name(), cell.write_pattern.name(), 40))
        }
    }

    #[derive(Default)]
    struct Kept {
        begun: Vec<String>,
        rows: Vec<Row>,
        /// After so many there is a break; never if 0.
        rows_wanted: usize,
    }

    impl Observer for Kept {
        fn begins(&mut self, number: usize, cell: &Cell) {
            assert_eq!(number, self.begun.len());
            self.begun.push(cell.to_string());
        }

        fn measured(&mut self, row: &Row) -> ControlFlow<()> {
            self.rows.push(row.clone());
            if self.rows.len() == self.rows_wanted {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        }
    }

    fn sequence(rows: usize, error: RunnerError) -> (Ending, Kept) {
        let plan = Plan::new(&Choices::default()).unwrap();
        let mut kept = Kept::default();
        let ending = measure_plan(&plan, &mut Scripted { rows, error }, &mut kept);
        (ending, kept)
    }

    #[test]
    fn every_cell_is_measured_in_the_order_of_the_plan() {
        let (ending, kept) = sequence(12, RunnerError::Stopped);
        assert_eq!(ending, Ending::Complete);
        assert_eq!((kept.begun.len(), kept.rows.len()), (12, 12));
    }

    #[test]
    fn rows_before_a_failure_are_handed_over_and_the_cell_is_named() {
        let (ending, kept) = sequence(3, RunnerError::Failed("no room".to_owned()));
        let cell = "user, hash, grown on embedded".to_owned();
        assert_eq!(ending, Ending::Failed { cell, reason: "no room".to_owned() });
        assert_eq!((kept.begun.len(), kept.rows.len()), (4, 3));
    }

    #[test]
    fn a_stop_is_no_failure() {
        let (ending, kept) = sequence(5, RunnerError::Stopped);
        assert_eq!(ending, Ending::Stopped);
        assert_eq!(kept.rows.len(), 5);
    }

    #[test]
    fn whoever_wants_no_more_rows_gets_no_more() {
        let plan = Plan::new(&Choices::default()).unwrap();
        let mut kept = Kept { rows_wanted: 2, ..Kept::default() };
        let mut runner = Scripted { rows: 12, error: RunnerError::Stopped };
        assert_eq!(measure_plan(&plan, &mut runner, &mut kept), Ending::Stopped);
        assert_eq!(kept.rows.len(), 2);
    }
}
