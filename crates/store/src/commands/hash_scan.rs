//! How is a hash gone through, a few fields at a time?

use crate::command::{Command, Flags};
use crate::commands::scan::{ScanOptions, Scanned, parse_cursor, write_head};
use crate::context::Context;
use crate::error::CommandError;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::value::Value;

pub(super) const ROWS: &[Command] = &[Command::of_key("hscan", -3, Flags::READ, hscan)];

/// A hash that Redis would keep as a listpack comes whole, whatever the cursor.
fn hscan(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let cursor = parse_cursor(args.at(1))?;
    let key = context.key(args, 0);
    let Some(hash) = context.hash(key)? else {
        // As in Redis, nobody looks at the options then.
        write_head(0, 0, sink);
        return Ok(());
    };
    let options = ScanOptions::parse(args.skip(2), Scanned::Fields)?;
    // The reply begins with what is known only at its end, so the fields are gone through twice.
    let mut fields = 0;
    let next = hash.scan(cursor, options.count, &mut |field, _| {
        fields += usize::from(options.is_match(field));
    });
    write_head(next, options.elements(fields), sink);
    hash.scan(cursor, options.count, &mut |field, value| {
        if !sink.is_full() && options.is_match(field) {
            sink.value(Value::Bytes(field));
            if options.with_values {
                sink.value(value);
            }
        }
    });
    Ok(())
}
