//! What does `CONFIG SET` change, and why does it refuse to?

use super::Parameters;
use super::table::{Changes, Row};

impl Parameters {
    /// Takes over all of these names and values, or none of them: name, value, name, value …
    /// Gives the names of the parameters that were set, without their older names.
    ///
    /// # Errors
    /// The text of Redis' error: an odd number of arguments, an unknown name, a parameter that is named
    /// twice or cannot be changed while the server runs, a value that it does not take.
    pub fn change(&mut self, arguments: &[&[u8]]) -> Result<Vec<&'static str>, Vec<u8>> {
        let (pairs, []) = arguments.as_chunks::<2>() else {
            return Err(b"ERR syntax error".to_vec());
        };
        let mut changes: Vec<(&'static Row, &'static str, &[u8])> = Vec::with_capacity(pairs.len());
        for &[name, value] in pairs {
            let Some((row, known)) = find(name) else {
                let text = b"ERR Unknown option or number of arguments for CONFIG SET - '";
                return Err([text, name, b"'"].concat());
            };
            match row.changes {
                Changes::AtStart => return Err(failure(name, "can't set immutable config")),
                Changes::Protected => return Err(failure(name, "can't set protected config")),
                Changes::Always => {}
            }
            // To Redis the older name of a parameter is another one.
            if changes.iter().any(|&(_, other, _)| other == known) {
                return Err(failure(name, "duplicate parameter"));
            }
            changes.push((row, known, value));
        }
        let mut changed = self.clone();
        for &(row, known, value) in &changes {
            let words: Vec<&[u8]> = if row.takes_words() {
                value.split(|&byte| byte == b' ').filter(|word| !word.is_empty()).collect()
            } else {
                vec![value]
            };
            let outcome = row.read(&mut changed, &words);
            outcome.map_err(|refusal| failure(known.as_bytes(), &refusal))?;
        }
        *self = changed;
        Ok(changes.into_iter().map(|(row, ..)| row.name).collect())
    }
}

/// The row of a name, and the name as the row has it.
fn find(name: &[u8]) -> Option<(&'static Row, &'static str)> {
    let row = Row::find(name)?;
    let known = row.names().find(|known| known.as_bytes().eq_ignore_ascii_case(name))?;
    Some((row, known))
}

fn failure(name: &[u8], refusal: &str) -> Vec<u8> {
    let text = b"ERR CONFIG SET failed (possibly related to argument '";
    [text, name, b"') - ", refusal.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(
        parameters: &mut Parameters,
        arguments: &[&str],
    ) -> Result<Vec<&'static str>, String> {
        let arguments: Vec<&[u8]> = arguments.iter().map(|argument| argument.as_bytes()).collect();
        parameters.change(&arguments).map_err(|text| String::from_utf8_lossy(&text).into_owned())
    }

    #[test]
    fn all_are_set_or_none() {
        let mut parameters = Parameters::default();
        let set = change(&mut parameters, &["MaxMemory", "1gb", "timeout", "5"]);
        assert_eq!(set, Ok(vec!["maxmemory", "timeout"]));
        assert_eq!((parameters.maxmemory, parameters.timeout), (1 << 30, 5));
        let before = parameters.clone();
        change(&mut parameters, &["timeout", "7", "maxmemory", "abc"]).unwrap_err();
        assert_eq!(parameters, before);
    }

    #[test]
    fn older_names_mean_the_same() {
        let mut parameters = Parameters::default();
        let pairs = ["hash-max-ziplist-value", "8", "hash-max-listpack-value", "32"];
        change(&mut parameters, &pairs).unwrap();
        assert_eq!(parameters.hash_max_listpack_value, 32);
        change(&mut parameters, &["hash-max-ziplist-entries", "0"]).unwrap();
        assert_eq!(parameters.hash_max_listpack_entries, 0);
    }

    #[test]
    fn refusals_are_told_as_redis_tells_them() {
        let failed = |name, why| {
            format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {why}")
        };
        let unknown =
            |name| format!("ERR Unknown option or number of arguments for CONFIG SET - '{name}'");
        let immutable = "can't set immutable config";
        for (arguments, expected) in [
            (&["a", "b", "c"][..], "ERR syntax error".to_owned()),
            (&["maxmemory", "1gb", "foo", "bar"], unknown("foo")),
            (&["databases", "3", "foo", "bar"], failed("databases", immutable)),
            (&["Databases", "3"], failed("Databases", immutable)),
            (&["dir", "/"], failed("dir", "can't set protected config")),
            (&["MAXMEMORY", "1", "maxmemory", "2"], failed("maxmemory", "duplicate parameter")),
            (&["MAXMEMORY", "abc"], failed("maxmemory", "argument must be a memory value")),
            (
                &["timeout", "-1"],
                failed("timeout", "argument must be between 0 and 2147483647 inclusive"),
            ),
            (
                &["maxclients", "0"],
                failed("maxclients", "argument must be between 1 and 4294967295 inclusive"),
            ),
            (&["appendonly", "foo"], failed("appendonly", "argument must be 'yes' or 'no'")),
        ] {
            let refusal = change(&mut Parameters::default(), arguments).unwrap_err();
            assert_eq!(refusal, expected, "{arguments:?}");
        }
    }

    #[test]
    fn what_is_not_here_is_refused_with_a_reason() {
        let mut parameters = Parameters::default();
        for (name, value) in
            [("appendonly", "no"), ("save", ""), ("maxmemory-policy", "noeviction")]
        {
            assert!(change(&mut parameters, &[name, value]).is_ok(), "{name}");
        }
        for (name, value) in
            [("appendonly", "yes"), ("save", "60 1"), ("maxmemory-policy", "allkeys-lru")]
        {
            let refusal = change(&mut parameters, &[name, value]).unwrap_err();
            assert!(refusal.contains("is possible, since"), "{refusal}");
        }
    }
}
