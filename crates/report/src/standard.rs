//! Which cells answer for every size and shape of data?
//!
//! Small objects and wide ones, small values and large, one hash of all, and hashes of every power of
//! two of fields to 1,024: a representation that is good for some of them and bad for others is found
//! out. Each dataset has the size that its schema says.

use hectare_target::TargetSpec;
use hectare_workload::{Layout, WritePattern};

/// One dataset, layout and order of writing.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) dataset: String,
    pub(crate) layout: Layout,
    pub(crate) write_pattern: WritePattern,
    /// Whether the first of the engines wears it: what it leaves there says enough.
    pub(crate) churn: bool,
}

impl Case {
    /// JSON is measured on servers, where it is what a hash has to be better than.
    pub(crate) fn is_for(&self, target: &TargetSpec) -> bool {
        self.layout != Layout::Json || !target.is_embedded()
    }
}

/// Every case, those of a dataset one behind another.
pub(crate) fn cases() -> Vec<Case> {
    use WritePattern::{Bulk, Grown};
    let mut cases = Vec::new();
    let mut add = |dataset: &str, layout, write_pattern, churn| {
        cases.push(Case { dataset: dataset.to_owned(), layout, write_pattern, churn });
    };
    for dataset in ["user", "session"] {
        for layout in [Layout::Flat, Layout::Hash, Layout::Json] {
            add(dataset, layout, Bulk, true);
            add(dataset, layout, Grown, false);
        }
    }
    for layout in [Layout::Flat, Layout::Hash, Layout::Json] {
        add("counter", layout, Bulk, false);
    }
    for dataset in ["wide", "large"] {
        for layout in [Layout::Hash, Layout::Json] {
            add(dataset, layout, Bulk, false);
        }
    }
    add("bucketed", Layout::Flat, Bulk, false);
    for size in [100, 512, 1000] {
        add("bucketed", Layout::Bucketed { size }, Bulk, false);
    }
    for write_pattern in [Bulk, Grown] {
        add("giant", Layout::Bucketed { size: 1_800_000 }, write_pattern, false);
    }
    for power in 0..=10 {
        add(&format!("sweep:{}", 1 << power), Layout::Hash, Bulk, false);
    }
    cases
}
