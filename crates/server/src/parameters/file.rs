//! Where do parameters come from before the server starts, and what is wrong with them there?

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::Parameters;
use super::table::Row;
use super::value::Refusal;
use super::words;

/// Where a parameter was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In a line of a file, counted from 1; 0 is the file as a whole.
    File {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// In a variable of the environment.
    Environment {
        /// Its name.
        variable: String,
    },
    /// On the command line.
    Flag,
}

/// One thing that is wrong with a parameter, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub origin: Origin,
    /// What, in lower case and without a full stop.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, text } = self;
        match origin {
            Origin::File { path, line: 0 } => write!(formatter, "{}: {text}", path.display()),
            Origin::File { path, line } => write!(formatter, "{}:{line}: {text}", path.display()),
            Origin::Environment { variable } => write!(formatter, "${variable}: {text}"),
            Origin::Flag => formatter.write_str(text),
        }
    }
}

impl std::error::Error for Problem {}

/// Files may include others to this depth.
const DEPTH_MAX: usize = 16;
/// Of so many things that are wrong nobody reads on.
const PROBLEMS_MAX: usize = 100;
/// A file is not longer than this.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// What variables of the environment begin with.
const VARIABLE_PREFIX: &str = "HECTARE_";

impl Parameters {
    /// Takes over what a `redis.conf` says. Relative paths of `include` start at the current folder, as in
    /// Redis.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of lines; what was right has been taken over.
    pub fn read_file(&mut self, path: &Path) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        self.read_file_at_depth(path, 0, &mut problems);
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn read_file_at_depth(&mut self, path: &Path, depth: usize, problems: &mut Vec<Problem>) {
        let text = match read_bounded(path) {
            Ok(text) => text,
            Err(text) => {
                let origin = Origin::File { path: path.to_owned(), line: 0 };
                return problems.push(Problem { origin, text });
            }
        };
        for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let line = line.trim_ascii();
            if problems.len() >= PROBLEMS_MAX {
                return;
            }
            if line.is_empty() || line[0] == b'#' {
                continue;
            }
            let origin = Origin::File { path: path.to_owned(), line: index + 1 };
            let Some(words) = words::split(line) else {
                let text = "a quote is not closed, or not followed by a blank".to_owned();
                problems.push(Problem { origin, text });
                continue;
            };
            let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            match words[..] {
                [name, included] if name.eq_ignore_ascii_case(b"include") => {
                    if depth == DEPTH_MAX {
                        let text =
                            format!("files include others to a depth of {DEPTH_MAX} at most");
                        return problems.push(Problem { origin, text });
                    }
                    let included = String::from_utf8_lossy(included).into_owned();
                    self.read_file_at_depth(Path::new(&included), depth + 1, problems);
                }
                [name, ref value @ ..] => problems.extend(self.read(origin, name, value).err()),
                [] => {}
            }
        }
    }

    /// Takes over what variables of the environment say: `HECTARE_` and a parameter's name in capitals,
    /// with `_` for `-`, and without its own `hectare-`. Other variables are passed over.
    ///
    /// # Errors
    /// Everything that is wrong; what was right has been taken over.
    pub fn read_environment<'a>(
        &mut self,
        variables: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        for (variable, value) in variables {
            let Some(row) = row_of_variable(variable) else { continue };
            let origin = Origin::Environment { variable: variable.to_owned() };
            problems.extend(self.read_text(origin, row, value).err());
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Takes over one parameter, whose value has been split into words.
    ///
    /// # Errors
    /// If there is no such parameter, or it does not take the value.
    pub fn read(&mut self, origin: Origin, name: &[u8], words: &[&[u8]]) -> Result<(), Problem> {
        let Some(row) = Row::find(name) else {
            let text = format!("there is no parameter '{}'", name.escape_ascii());
            return Err(Problem { origin, text });
        };
        row.read(self, words).map_err(|refusal| problem(origin, row, &refusal))
    }

    /// Takes over one parameter whose value is one text, as flags and variables have it.
    ///
    /// # Errors
    /// The same.
    pub fn read_flag(&mut self, name: &str, value: &[u8]) -> Result<(), Problem> {
        let Some(row) = Row::find(name.as_bytes()) else {
            return Err(Problem {
                origin: Origin::Flag,
                text: format!("there is no parameter '{name}'"),
            });
        };
        self.read_text(Origin::Flag, row, value)
    }

    fn read_text(&mut self, origin: Origin, row: &Row, value: &[u8]) -> Result<(), Problem> {
        let words: Vec<&[u8]> = if row.takes_words() {
            value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect()
        } else {
            vec![value]
        };
        row.read(self, &words).map_err(|refusal| problem(origin, row, &refusal))
    }

    /// Takes the password from the file that `hectare-requirepass-file` names, if it names one: its first
    /// line.
    ///
    /// # Errors
    /// If the file cannot be read or holds no password.
    pub fn read_password_file(&mut self) -> Result<(), Problem> {
        if self.hectare_requirepass_file.is_empty() {
            return Ok(());
        }
        let path = PathBuf::from(&self.hectare_requirepass_file);
        let origin = Origin::File { path, line: 0 };
        let Origin::File { path, .. } = &origin else { return Ok(()) };
        let text = match read_bounded(path) {
            Ok(text) => text,
            Err(text) => return Err(Problem { origin, text }),
        };
        let password = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let password = password.strip_suffix(b"\r").unwrap_or(password);
        if password.is_empty() {
            let text = "the first line of a file with a password is the password".to_owned();
            return Err(Problem { origin, text });
        }
        self.read(origin, b"requirepass", &[password])
    }

    /// The names of parameters that were set and do nothing here.
    pub fn inert(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.inert.keys().copied()
    }
}

fn problem(origin: Origin, row: &Row, refusal: &Refusal) -> Problem {
    Problem { origin, text: format!("{}: {refusal}", row.name) }
}

fn row_of_variable(variable: &str) -> Option<&'static Row> {
    let name = variable.strip_prefix(VARIABLE_PREFIX)?.to_ascii_lowercase().replace('_', "-");
    Row::find(name.as_bytes()).or_else(|| Row::find(format!("hectare-{name}").as_bytes()))
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, String> {
    use std::io::Read as _;

    let mut text = Vec::new();
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("a configuration file has {FILE_BYTES_MAX} bytes at most"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Parameters, Vec<String>) {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("redis.conf");
        fs::write(&path, text.replace("FOLDER", folder.path().to_str().unwrap())).unwrap();
        fs::write(folder.path().join("more.conf"), "timeout 9\nbogus 1\n").unwrap();
        let mut parameters = Parameters::default();
        let problems = parameters.read_file(&path).err().unwrap_or_default();
        let prefix = format!("{}/", folder.path().display());
        let told = problems.iter().map(|problem| problem.to_string().replace(&prefix, ""));
        (parameters, told.collect())
    }

    #[test]
    fn a_file_is_read_as_redis_reads_it() {
        let text = "# a comment\n\n  port 7000\r\nBIND 127.0.0.1 -::1\nrequirepass \"a b\"\nsave \"\"\n\
                    client-output-buffer-limit normal 0 0 0\nclient-output-buffer-limit pubsub 1mb 2mb 3\n\
                    hash-max-ziplist-value 1kb\nrdbcompression no\nunixsocketperm 700\n";
        let (parameters, problems) = read(text);
        assert_eq!(problems, [""; 0]);
        assert_eq!((parameters.port, parameters.unixsocketperm), (7000, 0o700));
        assert_eq!(parameters.bind, ["127.0.0.1", "-::1"]);
        assert_eq!(parameters.requirepass, b"a b");
        assert_eq!(parameters.hash_max_listpack_value, 1024);
        assert_eq!(parameters.client_output_buffer_limit.normal.hard_bytes, 0);
        assert_eq!(parameters.client_output_buffer_limit.pubsub.soft_seconds, 3);
        assert_eq!(parameters.inert().collect::<Vec<_>>(), ["rdbcompression"]);
    }

    #[test]
    fn everything_wrong_is_told_with_its_line() {
        let text = "port 1 2\nfoo bar\nrequirepass \"a\ninclude FOLDER/more.conf\nappendonly yes\n\
                    include FOLDER/none.conf\ntcp-backlog x\n";
        let (parameters, problems) = read(text);
        assert_eq!(parameters.timeout, 9);
        assert_eq!(
            problems,
            [
                "redis.conf:1: port: wrong number of arguments",
                "redis.conf:2: there is no parameter 'foo'",
                "redis.conf:3: a quote is not closed, or not followed by a blank",
                "more.conf:2: there is no parameter 'bogus'",
                "redis.conf:5: appendonly: only 'no' is possible, since nothing is kept on disk yet",
                "none.conf: No such file or directory (os error 2)",
                "redis.conf:7: tcp-backlog: argument couldn't be parsed into an integer",
            ]
        );
    }

    #[test]
    fn a_file_that_includes_itself_ends() {
        let (_, problems) = read("include FOLDER/redis.conf\n");
        assert_eq!(problems, ["redis.conf:1: files include others to a depth of 16 at most"]);
    }

    #[test]
    fn a_variable_is_the_name_in_capitals() {
        let mut parameters = Parameters::default();
        let variables: [(&str, &[u8]); 5] = [
            ("HECTARE_REQUIREPASS", b"secret"),
            ("HECTARE_SHARDS", b"3"),
            ("HECTARE_BIND", b"::1 127.0.0.1"),
            ("HECTARE_PEERS", b"/"),
            ("PORT", b"1"),
        ];
        parameters.read_environment(variables).unwrap();
        assert_eq!(parameters.requirepass, b"secret");
        assert_eq!((parameters.hectare_shards, parameters.port), (3, 6379));
        assert_eq!(parameters.bind, ["::1", "127.0.0.1"]);
        let problems = parameters.read_environment([("HECTARE_PORT", &b"x"[..])]).unwrap_err();
        let told = "$HECTARE_PORT: port: argument couldn't be parsed into an integer";
        assert_eq!(problems[0].to_string(), told);
        parameters.read_flag("port", b"8000").unwrap();
        assert_eq!(parameters.port, 8000);
    }

    #[test]
    fn a_password_is_the_first_line_of_its_file() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("password");
        let mut parameters = Parameters {
            hectare_requirepass_file: path.to_str().unwrap().to_owned(),
            ..Parameters::default()
        };
        assert!(parameters.read_password_file().is_err());
        fs::write(&path, "secret word\r\nnot this").unwrap();
        parameters.read_password_file().unwrap();
        assert_eq!(parameters.requirepass, b"secret word");
        fs::write(&path, "\n").unwrap();
        assert!(parameters.read_password_file().is_err());
    }
}
