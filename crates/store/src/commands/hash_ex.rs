//! How are fields read or set together with their deadlines, or read and removed?

use crate::command::{Command, Flags};
use crate::commands::hash::write_optional;
use crate::commands::hash_expire::{COUNT_TEXT, field_deadline_ms, fields_of, named_fields};
use crate::commands::hash_valkey::{self, CountText};
use crate::commands::string_set::{Condition, deadline_option};
use crate::commands::{is_word, quotable_last};
use crate::config::Dialect;
use crate::context::Context;
use crate::edit::FieldDeadline;
use crate::error::CommandError;
use crate::number::parse_integer;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::table::Key;
use crate::value::Value;

pub(super) const ROWS: &[Command] = &[
    Command::of_key("hgetex", -5, Flags::WRITE_FAST, hgetex),
    Command::of_key("hsetex", -6, Flags::GROW_FAST, hsetex),
    Command::of_key("hgetdel", -5, Flags::WRITE_FAST, hgetdel),
];

fn hgetex(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let (key, now_ms, dialect) = (context.key(args, 0), context.now_ms, context.config.dialect);
    // In Redis the type of the key comes before anything that may be wrong with the arguments.
    let (change, fields) = match dialect {
        Dialect::Redis8 => {
            context.hash(key)?;
            parse_hgetex(args, now_ms)?
        }
        Dialect::Valkey9 => {
            let (lifetime, fields) = hash_valkey::parse_hgetex(args.skip(1))?;
            context.hash(key)?;
            let change = lifetime.map(|lifetime| lifetime.field_deadline_ms("hgetex", now_ms));
            (change.transpose()?, fields)
        }
    };
    sink.array(fields.len());
    let Some(mut hash) = context.edit_hash(key)? else {
        fields.iter().for_each(|_| sink.null());
        return Ok(());
    };
    if change.is_some() && dialect == Dialect::Redis8 {
        hash.mark_listpackex()?;
    }
    for field in fields.iter() {
        if sink.is_full() {
            break;
        }
        write_optional(hash.get(field), sink);
        match change {
            None => {}
            Some(Some(deadline_ms)) if deadline_ms <= now_ms => {
                hash.remove(field)?;
            }
            Some(deadline_ms) => {
                hash.set_deadline_ms(field, deadline_ms)?;
            }
        }
    }
    if hash.is_empty() {
        context.remove(key);
    }
    Ok(())
}

/// What becomes of the deadlines, if anything does (`Some(None)`: they are taken away), and the
/// fields.
fn parse_hgetex(
    args: Args<'_>,
    now_ms: u64,
) -> Result<(Option<Option<u64>>, Args<'_>), CommandError> {
    let (change, fields_start) = if let Some(form) = deadline_option(args.at(1)) {
        let deadline_ms = field_deadline_ms(args.at(2), form, "hgetex", now_ms)?;
        (Some(Some(deadline_ms)), 3)
    } else if is_word(args.at(1), "persist") {
        (Some(None), 2)
    } else {
        (None, 1)
    };
    if args.len() < fields_start + 2 {
        return Err(CommandError::WrongArity { command: "hgetex" });
    }
    Ok((change, named_fields(args.skip(fields_start), COUNT_TEXT)?))
}

fn hgetdel(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    let fields = fields_of(context, key, args.skip(1), CountText::Count)?;
    let mut hash = context.edit_hash(key)?;
    sink.array(fields.len());
    for field in fields.iter() {
        if sink.is_full() {
            break;
        }
        write_optional(hash.as_ref().and_then(|hash| hash.get(field)), sink);
        if let Some(hash) = &mut hash {
            hash.remove(field)?;
        }
    }
    if hash.is_some_and(|hash| hash.is_empty()) {
        context.remove(key);
    }
    Ok(())
}

/// Sets all fields or none. A deadline in the past leaves none of them.
fn hsetex(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let (key, now_ms) = (context.key(args, 0), context.now_ms);
    let options = match context.config.dialect {
        Dialect::Redis8 => Some(HsetexOptions::parse(args, now_ms)?),
        Dialect::Valkey9 => HsetexOptions::of_valkey(context, key, args)?,
    };
    let Some(HsetexOptions { condition, deadline, pairs }) = options else {
        sink.integer(0);
        return Ok(());
    };
    let pair = |index: usize| (pairs.at(index * 2), Value::parse(pairs.at(index * 2 + 1)));
    let pairs = (0..pairs.len() / 2).map(pair);
    let old = context.hash(key)?;
    let is_there = |field: &[u8]| old.is_some_and(|hash| hash.get(field).is_some());
    let is_met = match condition {
        Some(Condition::Missing) => !pairs.clone().any(|(field, _)| is_there(field)),
        Some(Condition::Present) => pairs.clone().all(|(field, _)| is_there(field)),
        Some(Condition::Equal(_)) | None => true,
    };
    let dialect = context.config.dialect;
    if is_met {
        let mut hash = context.edit_or_create_hash(key)?;
        match deadline {
            FieldDeadline::At(deadline_ms) if deadline_ms <= now_ms => {
                // In Redis not merely removed: long values turn a listpack into a hashtable also on
                // their way.
                if dialect == Dialect::Redis8 {
                    hash.set_all(pairs.clone(), FieldDeadline::Keep)?;
                    hash.mark_listpackex()?;
                }
                for (field, _) in pairs {
                    hash.remove(field)?;
                }
            }
            _ => {
                hash.set_all(pairs, deadline)?;
            }
        }
        if hash.is_empty() {
            context.remove(key);
        }
    }
    sink.integer(i64::from(is_met));
    Ok(())
}

/// What follows the key.
#[derive(Clone, Copy, Debug)]
struct HsetexOptions<'a> {
    /// None of the fields may be there, or all must be.
    condition: Option<Condition<'a>>,
    deadline: FieldDeadline,
    /// Fields and values in turn.
    pairs: Args<'a>,
}

impl<'a> HsetexOptions<'a> {
    fn parse(args: Args<'a>, now_ms: u64) -> Result<Self, CommandError> {
        let (mut condition, mut deadline) = (None, None);
        let mut index = 1;
        while let Some(option) = args.get(index) {
            let is = |name| is_word(option, name);
            let form = deadline_option(option);
            if is("fields") {
                let deadline = deadline.unwrap_or(FieldDeadline::Clear);
                return Ok(Self { condition, deadline, pairs: Self::pairs(args.skip(index + 1))? });
            } else if is("fnx") || is("fxx") {
                let wanted = if is("fnx") { Condition::Missing } else { Condition::Present };
                if condition.replace(wanted).is_some() {
                    return Err(CommandError::text(
                        "ERR Only one of FXX or FNX arguments can be specified",
                    ));
                }
            } else if is("keepttl") || form.is_some() {
                if deadline.is_some() {
                    return Err(CommandError::text(
                        "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified",
                    ));
                }
                deadline = Some(FieldDeadline::Keep);
                if let Some(form) = form {
                    index += 1;
                    let missing = CommandError::text("ERR missing expire time");
                    let text = args.get(index).ok_or(missing)?;
                    let deadline_ms = field_deadline_ms(text, form, "hsetex", now_ms)?;
                    deadline = Some(FieldDeadline::At(deadline_ms));
                }
            } else {
                let parts = [b"ERR unknown argument: ", &quotable_last(option)[..]];
                return Err(CommandError::quoting(&parts));
            }
            index += 1;
        }
        // A row's arity asks for more than all options together.
        Err(CommandError::WrongArity { command: "hsetex" })
    }

    /// The same in Valkey; `None` if the key is there that must not be, or the other way round.
    fn of_valkey(
        context: &mut Context<'_>,
        key: Key<'_>,
        args: Args<'a>,
    ) -> Result<Option<Self>, CommandError> {
        let options = hash_valkey::parse_hsetex(args.skip(1))?;
        let is_there = context.hash(key)?.is_some();
        if options.key.is_some_and(|condition| is_there != (condition == Condition::Present)) {
            return Ok(None);
        }
        let deadline = match options.lifetime {
            None => FieldDeadline::Clear,
            Some(lifetime) => match lifetime.field_deadline_ms("hsetex", context.now_ms)? {
                Some(deadline_ms) => FieldDeadline::At(deadline_ms),
                None => FieldDeadline::Keep,
            },
        };
        Ok(Some(Self { condition: options.fields, deadline, pairs: options.pairs }))
    }

    /// Fields and values, which must be as many as their count says.
    fn pairs(args: Args<'a>) -> Result<Args<'a>, CommandError> {
        let wrong_arity = CommandError::WrongArity { command: "hsetex" };
        if args.len() < 3 {
            return Err(wrong_arity);
        }
        let count = parse_integer(args.at(0)).and_then(|count| i32::try_from(count).ok());
        let count = count.filter(|&count| count > 0);
        let count = count.ok_or(CommandError::text("ERR invalid number of fields"))?;
        let pairs = args.skip(1);
        if usize::try_from(count).ok().and_then(|count| count.checked_mul(2)) != Some(pairs.len()) {
            return Err(wrong_arity);
        }
        Ok(pairs)
    }
}
