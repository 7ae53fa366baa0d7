//! Do bytes, read as commands, lead a store where its model does not follow?
//!
//! How it is run is said in `tests/store/fuzzed.rs`, which does the work.

#![no_main]

#[path = "../../tests/store/forms.rs"]
mod forms;
#[path = "../../tests/store/fuzzed.rs"]
mod fuzzed;
#[path = "../../tests/store/model.rs"]
mod model;
#[path = "../../tests/store/model_fields.rs"]
mod model_fields;
#[path = "../../tests/store/model_strings.rs"]
mod model_strings;
#[path = "../../tests/store/support.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::run(bytes));
