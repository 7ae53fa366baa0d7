//! Is a command found, or refused in the words of Redis 8?

use crate::support::{Shard, lay_out};
use hectare_store::{Args, Command, Keys, Spread, commands};

#[test]
fn every_row_is_found_by_its_name_in_any_case() {
    for row in commands() {
        let parts = row.name.split('|').collect::<Vec<_>>();
        for name in [row.name.to_lowercase(), row.name.to_uppercase()] {
            let mut words = name.split('|').map(str::to_owned).collect::<Vec<_>>();
            words.resize(usize::from(row.arity.unsigned_abs()), "x".to_owned());
            let (bytes, spans) = lay_out(&words);
            let (found, args) =
                Command::resolve(Args::new(&bytes, &spans)).expect("what a test sends is good");
            assert_eq!(found.name, row.name);
            assert_eq!(args.len(), words.len() - parts.len());
        }
    }
}

#[test]
fn every_row_asks_for_its_number_of_arguments() {
    let mut shard = Shard::default();
    for row in commands() {
        let name = row.name.replace('|', " ");
        let arity = usize::from(row.arity.unsigned_abs());
        let words = name.split(' ').count();
        let text = match row.name.split_once("debug|") {
            Some((_, part)) => format!(
                "ERR unknown subcommand or wrong number of arguments for '{part}'. Try DEBUG HELP."
            ),
            None => format!("ERR wrong number of arguments for '{}' command", row.name),
        };
        if arity > words {
            assert_eq!(shard.fail(&(name.clone() + &" x".repeat(arity - words - 1))), text);
        }
        if row.arity > 0 {
            assert_eq!(shard.fail(&(name + &" x".repeat(arity - words + 1))), text);
        }
    }
}

#[test]
fn keys_and_spread_of_every_row_fit() {
    for row in commands() {
        let fits = match row.spread {
            // Several keys, but not spread: all of them at one moment.
            Spread::One => true,
            Spread::EachKey(_) => matches!(row.keys, Keys::All | Keys::EverySecond),
            Spread::Everywhere(_) | Spread::Cursor => row.keys == Keys::None,
        };
        assert!(fits, "{row:?}");
    }
}

#[test]
fn an_unknown_command_is_quoted_with_its_arguments() {
    let mut shard = Shard::default();
    let text = "ERR unknown command 'nope', with args beginning with: ";
    assert_eq!(shard.fail("nope"), text);
    assert_eq!(shard.fail("nope a b"), format!("{text}'a' 'b' "));
    assert_eq!(shard.fail("nope a\r\nb c\0d"), format!("{text}'a  b' 'c' "));
    let long = "x".repeat(200);
    let cut = &long[..128];
    assert_eq!(shard.fail(&format!("nope {long} b")), format!("{text}'{cut}' "));
    let first = "y".repeat(100);
    let line = format!("nope {first} {long} b");
    assert_eq!(shard.fail(&line), format!("{text}'{first}' '{}' ", &long[..25]));
    let text = format!("ERR unknown command '{cut}', with args beginning with: ");
    assert_eq!(shard.fail(&long), text);
}

#[test]
fn an_unknown_subcommand_is_quoted() {
    let mut shard = Shard::default();
    let text = "ERR unknown subcommand 'Nope'. Try OBJECT HELP.";
    assert_eq!(shard.fail("object Nope k"), text);
    let text = "ERR unknown subcommand or wrong number of arguments for 'Nope'. Try DEBUG HELP.";
    assert_eq!(shard.fail("debug Nope"), text);
    let text = "ERR wrong number of arguments for 'memory' command";
    assert_eq!(shard.fail("MEMORY"), text);
    let text = "ERR wrong number of arguments for 'object|encoding' command";
    assert_eq!(shard.fail("OBJECT encoding"), text);
}
