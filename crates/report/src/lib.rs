//! How much memory did it take, and how much will it?
//!
//! A [`Plan`] is a list of [`Cell`]s: a dataset in one layout, written in one pattern to one target.
//! Each is measured by [`measure_cell`], in a process of its own that a [`CellRunner`] starts, and
//! gives a [`Row`]; rows are written as they come, and a [`Folder`] keeps them with what was
//! measured on and what follows from them: [`overview()`], [`tables`], [`sentences`] and a [`chart()`].
//!
//! ```
//! use hectare_report::{Choices, Plan, SchemaSource};
//!
//! let choices = Choices {
//!     schemas: vec![SchemaSource::Preset("session".to_owned())],
//!     objects: Some(10_000),
//!     ..Choices::default()
//! };
//! let plan = Plan::new(&choices)?;
//! assert_eq!(plan.cells()[0].to_string(), "session, flat, bulk on embedded");
//! # Ok::<(), hectare_report::PlanError>(())
//! ```
//!
//! What this crate does not know: terminals, signals and processes. It writes to files and to the
//! [`std::io::Write`] it is given.

#![forbid(unsafe_code)]

mod cell;
mod chart;
mod comparison;
mod date;
mod doubt;
mod folder;
mod load;
mod measure;
mod overview;
mod plan;
mod row;
mod row_file;
mod sentence;
mod sequence;
mod setup;
mod standard;
mod summary;
mod table;
mod units;

pub use cell::{Cell, DataError, SchemaSource};
pub use chart::chart;
pub use doubt::doubts;
pub use folder::{Folder, FolderError};
pub use load::{LoadError, write_resp};
pub use measure::{CellError, measure_cell};
pub use overview::overview;
pub use plan::{Choices, LayoutChoice, Plan, PlanError};
pub use row::{Row, SCHEMA_VERSION};
pub use row_file::{ReadRowsError, RowWriter, RowsRead, read_rows};
pub use sentence::sentences;
pub use sequence::{CellRunner, Ending, Observer, RunnerError, measure_plan};
pub use setup::Setup;
pub use summary::summary;
pub use table::{TableStyle, tables, text};
