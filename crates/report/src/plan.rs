//! Which cells are measured, and in which order?

use std::fmt;

use hectare_target::{DataPolicy, TargetSpec};
use hectare_workload::{Layout, LayoutError, LayoutNameError, LoadPlan, Schema, WritePattern};

use crate::cell::{Cell, DataError, SchemaSource};
use crate::standard;

/// How many fields the usual datasets have, unless a size is chosen: enough that what a program takes
/// without data disappears beside them, few enough for a short run.
const USUAL_FIELDS: u64 = 1_000_000;

/// What a report compares. An empty list stands for the usual choice.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    /// The schemas; `user` and `counter` if empty.
    pub schemas: Vec<SchemaSource>,
    /// How many objects each dataset has. If `None`, as many as its schema says; where no schema is
    /// chosen, so many that there are about a million fields.
    pub objects: Option<u64>,
    /// The layouts; flat, hash and JSON if empty, flat and bucketed for a schema with buckets.
    pub layouts: Vec<LayoutChoice>,
    /// How many objects share a hash in bucketed layouts; the sizes in the schema if empty.
    pub bucket_sizes: Vec<u32>,
    /// The write patterns; bulk and grown if empty.
    pub write_patterns: Vec<WritePattern>,
    /// Whether the data is worn after it was measured, and measured again.
    pub churn: bool,
    /// The targets; the embedded engine if empty.
    pub targets: Vec<TargetSpec>,
    /// What is allowed on a running server.
    pub policy: DataPolicy,
}

/// A layout as it is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayoutChoice {
    /// This one.
    Exactly(Layout),
    /// Bucketed in each of the sizes chosen, or given by the schema.
    Bucketed,
}

impl std::str::FromStr for LayoutChoice {
    type Err = LayoutNameError;

    /// `flat`, `hash`, `json`, `bucketed` or `bucketed:SIZE`.
    fn from_str(text: &str) -> Result<Self, LayoutNameError> {
        if text == "bucketed" { Ok(Self::Bucketed) } else { text.parse().map(Self::Exactly) }
    }
}

/// The cells of a report, all of which can be measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    cells: Vec<Cell>,
}

impl Plan {
    /// Spreads out the choices, target by target; what was chosen twice is measured once.
    ///
    /// # Errors
    /// A schema cannot be read, not have so many objects, or not be laid out as chosen.
    pub fn new(choices: &Choices) -> Result<Self, PlanError> {
        let schemas = or_usual(&choices.schemas, || {
            ["user", "counter"].map(|name| SchemaSource::Preset(name.to_owned())).to_vec()
        });
        let patterns =
            or_usual(&choices.write_patterns, || vec![WritePattern::Bulk, WritePattern::Grown]);
        let targets = or_usual(&choices.targets, || vec![TargetSpec::EMBEDDED]);
        let mut cells: Vec<Cell> = Vec::new();
        for target in &targets {
            for schema in &schemas {
                for layout in layouts(choices, schema)? {
                    for &write_pattern in &patterns {
                        let cell = Cell {
                            schema: schema.clone(),
                            objects: objects(choices, schema)?,
                            layout,
                            write_pattern,
                            churn: choices.churn,
                            target: target.clone(),
                            policy: choices.policy.clone(),
                            written_before: false,
                        };
                        add(&mut cells, cell)?;
                    }
                }
            }
        }
        Ok(Self { cells })
    }

    /// The cells that answer for every size and shape of data; of the choices the number of objects,
    /// the targets and the policy count.
    ///
    /// # Errors
    /// The datasets cannot have so many objects.
    pub fn standard(choices: &Choices) -> Result<Self, PlanError> {
        let targets = or_usual(&choices.targets, || vec![TargetSpec::EMBEDDED]);
        let mut cells = Vec::new();
        for case in standard::cases() {
            let worn = targets.iter().find(|target| target.is_embedded());
            for target in targets.iter().filter(|target| case.is_for(target)) {
                let cell = Cell {
                    schema: SchemaSource::Preset(case.dataset.clone()),
                    objects: choices.objects,
                    layout: case.layout,
                    write_pattern: case.write_pattern,
                    churn: case.churn && Some(target) == worn,
                    target: target.clone(),
                    policy: choices.policy.clone(),
                    written_before: false,
                };
                add(&mut cells, cell)?;
            }
        }
        Ok(Self { cells })
    }

    /// The cells in the order in which they are measured; at least one.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }
}

fn or_usual<T: Clone>(chosen: &[T], usual: impl FnOnce() -> Vec<T>) -> Vec<T> {
    if chosen.is_empty() { usual() } else { chosen.to_vec() }
}

/// Adds a cell that can be measured, unless it is there already.
fn add(cells: &mut Vec<Cell>, mut cell: Cell) -> Result<(), PlanError> {
    check(&cell)?;
    cell.written_before = cells.iter().any(|earlier| same_server(&earlier.target, &cell.target));
    if cells.iter().all(|earlier| !same_work(earlier, &cell)) {
        cells.push(cell);
    }
    Ok(())
}

/// Whether both are databases of one running server.
fn same_server(a: &TargetSpec, b: &TargetSpec) -> bool {
    match (a, b) {
        (TargetSpec::Running(a), TargetSpec::Running(b)) => a.endpoint() == b.endpoint(),
        _ => false,
    }
}

fn same_work(a: &Cell, b: &Cell) -> bool {
    (&a.schema, a.layout, a.write_pattern, &a.target)
        == (&b.schema, b.layout, b.write_pattern, &b.target)
}

fn load(source: &SchemaSource) -> Result<Schema, PlanError> {
    source.load().map_err(|error| PlanError::Data(DataError::Schema(error)))
}

fn objects(choices: &Choices, source: &SchemaSource) -> Result<Option<u64>, PlanError> {
    if choices.objects.is_some() || !choices.schemas.is_empty() {
        return Ok(choices.objects);
    }
    let schema = load(source)?;
    let usual = USUAL_FIELDS / schema.fields_per_object().max(1) as u64;
    Ok(Some(usual.clamp(1, schema.objects())))
}

fn layouts(choices: &Choices, source: &SchemaSource) -> Result<Vec<Layout>, PlanError> {
    let schema = load(source)?;
    let sizes =
        if choices.bucket_sizes.is_empty() { schema.bucket_sizes() } else { &choices.bucket_sizes };
    let usual = || {
        if schema.is_bucketed() {
            vec![LayoutChoice::Exactly(Layout::Flat), LayoutChoice::Bucketed]
        } else {
            [Layout::Flat, Layout::Hash, Layout::Json].map(LayoutChoice::Exactly).to_vec()
        }
    };
    let chosen = or_usual(&choices.layouts, usual);
    if !choices.bucket_sizes.is_empty() && !chosen.contains(&LayoutChoice::Bucketed) {
        return Err(PlanError::NothingBucketed { dataset: schema.name().to_owned() });
    }
    let mut layouts = Vec::new();
    for choice in chosen {
        match choice {
            LayoutChoice::Exactly(layout) => layouts.push(layout),
            LayoutChoice::Bucketed if !schema.is_bucketed() => {
                let dataset = schema.name().to_owned();
                return Err(PlanError::Layout(LayoutError::NotBucketed { dataset }));
            }
            LayoutChoice::Bucketed => {
                layouts.extend(sizes.iter().map(|&size| Layout::Bucketed { size }));
            }
        }
    }
    Ok(layouts)
}

fn check(cell: &Cell) -> Result<(), PlanError> {
    let dataset = cell.dataset().map_err(PlanError::Data)?;
    LoadPlan::new(&dataset, cell.layout, cell.write_pattern).map_err(PlanError::Layout)?;
    Ok(())
}

/// Why choices make no plan.
#[derive(Debug)]
pub enum PlanError {
    /// There is no data to write.
    Data(DataError),
    /// The data cannot be laid out so.
    Layout(LayoutError),
    /// Bucket sizes were chosen, and no layout uses them.
    NothingBucketed {
        /// The dataset that is not laid out in buckets.
        dataset: String,
    },
}

impl fmt::Display for PlanError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(error) => error.fmt(formatter),
            Self::Layout(error) => error.fmt(formatter),
            Self::NothingBucketed { dataset } => write!(
                formatter,
                "--bucket-size is for the bucketed layout, and {dataset} is not laid out so; \
                 add --dataset bucketed or --layout bucketed, or leave the size out"
            ),
        }
    }
}

impl std::error::Error for PlanError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn preset(name: &str) -> SchemaSource {
        SchemaSource::Preset(name.to_owned())
    }

    fn shown(plan: &Plan) -> Vec<String> {
        plan.cells().iter().map(Cell::to_string).collect()
    }

    #[test]
    fn without_a_choice_two_datasets_are_measured_in_three_layouts_and_two_patterns() {
        let plan = Plan::new(&Choices::default()).unwrap();
        assert_eq!(plan.cells().len(), 2 * 3 * 2);
        assert_eq!(plan.cells()[0].to_string(), "user, flat, bulk on embedded");
        assert_eq!(plan.cells()[11].to_string(), "counter, json, grown on embedded");
    }

    #[test]
    fn a_dataset_has_what_its_schema_says_and_a_million_fields_if_none_is_named() {
        let schemas = ["user", "counter", "bucketed", "large"].map(preset).to_vec();
        let choices = Choices {
            schemas,
            layouts: vec![LayoutChoice::Exactly(Layout::Flat)],
            write_patterns: vec![WritePattern::Bulk],
            ..Choices::default()
        };
        let objects = |choices: &Choices| -> Vec<Option<u64>> {
            Plan::new(choices).unwrap().cells().iter().map(|cell| cell.objects).collect()
        };
        let usual = Choices { schemas: Vec::new(), ..choices.clone() };
        assert_eq!(objects(&usual), [200_000, 250_000].map(Some));
        assert_eq!(objects(&choices), [None; 4]);
        assert_eq!(objects(&Choices { objects: Some(7), ..choices }), [Some(7); 4]);
    }

    #[test]
    fn buckets_come_in_the_sizes_of_the_schema_or_in_those_chosen() {
        let mut choices = Choices {
            schemas: vec![preset("bucketed")],
            write_patterns: vec![WritePattern::Bulk],
            ..Choices::default()
        };
        let expected = ["flat", "bucketed:100", "bucketed:512", "bucketed:1000"]
            .map(|layout| format!("bucketed, {layout}, bulk on embedded"));
        assert_eq!(shown(&Plan::new(&choices).unwrap()), expected);
        choices.bucket_sizes = vec![64];
        choices.layouts = vec![LayoutChoice::Bucketed];
        assert_eq!(
            shown(&Plan::new(&choices).unwrap()),
            ["bucketed, bucketed:64, bulk on embedded"]
        );
    }

    #[test]
    fn a_choice_made_twice_is_measured_once() {
        let choices = Choices {
            schemas: vec![preset("user"), preset("user")],
            layouts: vec![LayoutChoice::Exactly(Layout::Hash); 2],
            write_patterns: vec![WritePattern::Grown; 2],
            targets: vec![TargetSpec::EMBEDDED; 2],
            ..Choices::default()
        };
        assert_eq!(shown(&Plan::new(&choices).unwrap()), ["user, hash, grown on embedded"]);
    }

    #[test]
    fn only_the_first_cell_on_a_running_server_finds_it_unwritten() {
        let choices = Choices {
            schemas: vec![preset("user")],
            layouts: vec![LayoutChoice::Exactly(Layout::Hash)],
            targets: ["embedded", "redis://localhost", "redis://localhost/5"]
                .map(|target| target.parse().unwrap())
                .to_vec(),
            ..Choices::default()
        };
        let plan = Plan::new(&choices).unwrap();
        let written: Vec<bool> = plan.cells().iter().map(|cell| cell.written_before).collect();
        assert_eq!(written, [false, false, false, true, true, true]);
    }

    #[test]
    fn the_standard_plan_has_json_on_servers_only_and_every_number_of_fields() {
        let targets = ["embedded:1", "spawn:/bin/redis-server"].map(|text| text.parse().unwrap());
        let choices = Choices { targets: targets.to_vec(), ..Choices::default() };
        let shown = shown(&Plan::standard(&choices).unwrap());
        let has = |text: &str| shown.iter().any(|cell| cell == text);
        for cell in [
            "user, flat, bulk, churned on embedded:1",
            "session, hash, grown on spawn:/bin/redis-server",
            "user, flat, bulk on spawn:/bin/redis-server",
            "counter, json, bulk on spawn:/bin/redis-server",
            "bucketed, bucketed:1000, bulk on embedded:1",
            "giant, bucketed:1800000, grown on embedded:1",
            "sweep:1, hash, bulk on embedded:1",
            "sweep:1024, hash, bulk on spawn:/bin/redis-server",
        ] {
            assert!(has(cell), "{cell}");
        }
        assert!(!has("counter, json, bulk on embedded:1"));
    }

    #[test]
    fn what_cannot_be_measured_is_no_plan() {
        let refused = |choices: Choices| Plan::new(&choices).unwrap_err().to_string();
        let message = refused(Choices { schemas: vec![preset("users")], ..Choices::default() });
        assert!(message.contains("users") && message.contains("counter"), "{message}");
        let message = refused(Choices { objects: Some(0), ..Choices::default() });
        assert!(message.contains("from 1 to"), "{message}");
        let message =
            refused(Choices { layouts: vec![LayoutChoice::Bucketed], ..Choices::default() });
        assert!(message.contains("user cannot be laid out in buckets"), "{message}");
        let message = refused(Choices { bucket_sizes: vec![100], ..Choices::default() });
        assert!(message.starts_with("--bucket-size is for the bucketed layout"), "{message}");
    }
}
