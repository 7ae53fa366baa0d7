//! What will be asked? A schema and a seed go in, commands come out.
//!
//! This crate knows no clock, no socket and no server. It turns a [`Schema`] (a key pattern, fields
//! and how their values are distributed, written as TOML) into the commands that load the data in
//! one of several layouts ([`LoadPlan`]), and into the endless mixed operations that a load
//! generator sends afterwards ([`OperationStream`]). The same seed gives the same bytes on every
//! machine, with any number of threads and in any layout.
//!
//! # A dataset of one's own
//!
//! ```
//! use hectare_workload::{Dataset, Layout, LoadPlan, Schema, WritePattern};
//!
//! let schema = Schema::from_toml(
//!     r#"
//!     name = "order"
//!     seed = 7
//!     objects = 1000
//!     key = "order:{n:08}"
//!
//!     [[fields]]
//!     name = "state"
//!     kind = "choice"
//!     values = ["open", "paid", "sent"]
//!     weights = [1, 2, 7]
//!
//!     [[fields]]
//!     name = "total_cents"
//!     kind = "integer"
//!     min = 100
//!     max = 250_000
//!
//!     [[fields]]
//!     name = "note{0..2}"
//!     kind = "alphanumeric"
//!     size = { min = 4, max = 40 }
//!     "#,
//! )?;
//!
//! let dataset = Dataset::new(schema);
//! assert_eq!((dataset.objects(), dataset.fields()), (1000, 5000));
//!
//! let plan = LoadPlan::new(&dataset, Layout::Hash, WritePattern::Bulk)?;
//! let chunks = plan.all();
//! let first = chunks[0].get(0).expect("a thousand commands");
//! assert_eq!(&first[0], b"HSET");
//! assert_eq!(&first[1], b"order:00000000");
//! assert_eq!(&first[2], b"state");
//! assert_eq!(first.len(), 2 + 2 * 5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Kinds of values
//!
//! | `kind` | its keys | example of a value |
//! | --- | --- | --- |
//! | `integer` | `min`, `max` (both included) | `42` |
//! | `epoch_seconds` | `start`, `seconds` (the span's length) | `1754870400` |
//! | `choice` | `values`, and if you like `weights` | `Lisbon` |
//! | `person_name` | `first`, `last` (lists) | `Ana Moreau` |
//! | `email` | `of` (a `person_name` field), `domains` | `ana.moreau217@mail.example` |
//! | `alphanumeric` | `size` in bytes, a number or `{ min, max }` | `q7Zt0b` |
//! | `words` | `words` (a list), `count`, a number or `{ min, max }` | `amber stone` |
//!
//! A name such as `f{00..63}` stands for 64 fields, `f00` to `f63`. A key pattern has one `{n}`, the
//! object's number from 0 on, or `{n:08}` for one padded with zeros. `{{` and `}}` are braces.
//! `[bucket] sizes = [100, 512]` in a schema of one field allows [`Layout::Bucketed`]; a `field` pattern
//! there, `{n}` if left out, names the fields of a bucket by the object's place in it.
//!
//! # Loading
//!
//! [`LoadPlan::all`] makes every command at once, so that memory can be read between making and
//! sending; [`LoadPlan::chunks`] makes them in bounded memory. Both use rayon's threads and give the
//! same commands in the same order whatever their number.
//!
//! ```
//! use hectare_workload::{Dataset, Layout, LoadPlan, Schema, WritePattern};
//!
//! let dataset = Dataset::new(Schema::preset("counter")?)
//!     .with_objects(1000)?
//!     .with_key_prefix("trial:");
//! let plan = LoadPlan::new(&dataset, Layout::Json, WritePattern::Grown)?;
//!
//! let mut chunks = plan.chunks(1 << 20);
//! let mut sent = 0;
//! while let Some(commands) = chunks.next_chunk() {
//!     for command in commands.iter() {
//!         assert_eq!(command.iter().next(), Some(&b"SET"[..]));
//!         sent += 1;
//!     }
//! }
//! assert_eq!(sent, plan.command_count());
//! assert_eq!(plan.key_count(), 1000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What was loaded is worn by a [`Churn`]: every value overwritten ten times with another length, and
//! half of the keys deleted and written again, after which the data is what it was.
//!
//! # Operations
//!
//! Every connection has its own [`OperationStream`], numbered from 0: they share which keys are hot
//! and nothing else.
//!
//! ```
//! use hectare_workload::{Commands, Dataset, KeyPopularity, Mix, OperationStream, Schema};
//!
//! let dataset = Dataset::new(Schema::preset("user")?);
//! let mix: Mix = "hset1=60,hset=10,hget=20,hmget=5,hgetall=5".parse()?;
//! let popularity: KeyPopularity = "zipf:0.99".parse()?;
//! let mut stream = OperationStream::new(&dataset, &mix, popularity, 1, 0)?;
//!
//! let (mut commands, mut kinds) = (Commands::new(), Vec::new());
//! stream.fill(&mut commands, &mut kinds, 64);
//! for (command, kind) in commands.iter().zip(&kinds) {
//!     assert_eq!(&command[0], kind.command_name().as_bytes());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod churn;
mod commands;
mod dataset;
mod json;
mod layout;
mod load;
mod mix;
mod operations;
mod pattern;
mod permutation;
mod popularity;
mod presets;
mod random;
mod schema;
mod value;
mod zipf;

pub use churn::Churn;
pub use commands::{Arguments, Command, CommandIter, CommandWriter, Commands};
pub use dataset::{Dataset, DatasetError};
pub use layout::{Layout, LayoutNameError, WritePattern, WritePatternNameError};
pub use load::{Chunks, LayoutError, LoadPlan};
pub use mix::{Mix, MixError, OperationKind};
pub use operations::{OperationError, OperationStream};
pub use popularity::{KeyPopularity, KeyPopularityError};
pub use schema::{Schema, SchemaError};
