//! Which parameters does `CONFIG GET` ask for?

use hectare_store::Glob;

use super::Parameters;
use super::table::{ROWS, Row};

impl Parameters {
    /// Names and values of what any of the patterns asks for, each once: in upper or lower case, also by
    /// older names. A pattern without wildcards is a name, which is answered as it was asked for.
    #[must_use]
    pub fn ask(&self, patterns: &[&[u8]]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut answers: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let mut answer = |name: &[u8], row: &Row| {
            if !answers.iter().any(|(answered, _)| answered.eq_ignore_ascii_case(name)) {
                answers.push((name.to_vec(), row.show(self)));
            }
        };
        for pattern in patterns {
            if !pattern.iter().any(|byte| b"[*?".contains(byte)) {
                if let Some(row) = Row::find(pattern) {
                    answer(pattern, row);
                }
                continue;
            }
            let pattern = pattern.to_ascii_lowercase();
            let glob = Glob::new(&pattern);
            for (row, name) in ROWS.iter().flat_map(|row| row.names().map(move |name| (row, name)))
            {
                if glob.is_match(name.as_bytes()) {
                    answer(name.as_bytes(), row);
                }
            }
        }
        answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(patterns: &[&str]) -> Vec<String> {
        let patterns: Vec<&[u8]> = patterns.iter().map(|pattern| pattern.as_bytes()).collect();
        let answers = Parameters::default().ask(&patterns);
        let text = |(name, value): (Vec<u8>, Vec<u8>)| {
            format!("{} {}", String::from_utf8_lossy(&name), String::from_utf8_lossy(&value))
        };
        answers.into_iter().map(text).collect()
    }

    #[test]
    fn what_tools_ask_for_is_answered() {
        assert_eq!(ask(&["save"]), ["save "]);
        assert_eq!(ask(&["appendonly"]), ["appendonly no"]);
        assert_eq!(ask(&["databases", "maxmemory"]), ["databases 16", "maxmemory 0"]);
    }

    #[test]
    fn patterns_and_names_are_answered_once() {
        let hash = [
            "hash-max-listpack-entries 512",
            "hash-max-ziplist-entries 512",
            "hash-max-listpack-value 64",
            "hash-max-ziplist-value 64",
        ];
        assert_eq!(ask(&["hash-max-*", "HASH*", "hash-max-ziplist-value"]), hash);
        assert_eq!(ask(&["TIMEOUT", "timeout", "foo*", "?imeout"]), ["TIMEOUT 0"]);
        assert_eq!(ask(&["", "foo", "time\\out", "timeout?"]), [""; 0]);
        assert_eq!(ask(&["[m]axmemory"]), ["maxmemory 0"]);
        assert_eq!(ask(&["*"]).len(), ROWS.iter().flat_map(Row::names).count());
    }
}
