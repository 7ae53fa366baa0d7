//! Does a store answer as Redis 8 does, and keep its books?

mod support;

mod churn;
mod expire;
mod fields;
mod forms;
mod fuzzed;
mod hash;
mod hostile;
mod keyspace;
mod model;
mod model_fields;
mod model_strings;
mod resolve;
mod scan;
mod sizes;
mod string;
mod words;
