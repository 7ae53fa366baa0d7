//! On what was it measured?

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;
use std::time::SystemTime;

use hectare_target::transparent_huge_pages;

use crate::date::iso_date;
use crate::row::Row;
use crate::units;

/// No folder's name takes more of the processor's.
const MACHINE_BYTES_MAX: usize = 40;

/// The machine, the program and the command of a run; what cannot be found out is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The day, in UTC: `2026-11-23`.
    pub date: String,
    /// The command as it was typed, passwords hidden.
    pub command: String,
    /// The program's version.
    pub version: String,
    /// The commit that the program was built from.
    pub commit: Option<String>,
    /// The processor's own name.
    pub processor: Option<String>,
    /// How many threads may run at a time.
    pub cores: usize,
    /// Which of the machine's processors this program may use.
    pub cpuset: Option<String>,
    /// The machine's memory.
    pub memory_bytes: Option<u64>,
    /// The kernel's name and release.
    pub kernel: Option<String>,
    /// The setting for transparent huge pages.
    pub thp: Option<String>,
}

impl Setup {
    /// Reads it from this machine. `sources` is a folder of the repository that the program was
    /// built from, if it still exists.
    #[must_use]
    pub fn read(command: String, sources: &Path) -> Self {
        let processors = proc_file("cpuinfo");
        Self {
            date: iso_date(SystemTime::now()),
            command,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: commit(sources),
            processor: line_value(&processors, "model name"),
            cores: available_parallelism().map_or(1, usize::from),
            cpuset: line_value(&proc_file("self/status"), "Cpus_allowed_list"),
            memory_bytes: meminfo_bytes("MemTotal"),
            kernel: kernel(),
            thp: transparent_huge_pages(),
        }
    }

    /// What names the machine in a folder's name: `amd-epyc-9b45-2-cores`.
    #[must_use]
    pub fn machine(&self) -> String {
        let processor = self.processor.as_deref().unwrap_or(std::env::consts::ARCH);
        // "CPU @ 2.20GHz" and "(R)" tell nobody anything.
        let processor = processor.split(" @ ").next().unwrap_or_default();
        let processor = ["(R)", "(r)", "(TM)", "(tm)", " Processor", " CPU"]
            .into_iter()
            .fold(processor.to_owned(), |name, noise| name.replace(noise, ""));
        let plural = if self.cores == 1 { "" } else { "s" };
        format!("{}-{}-core{plural}", dashed(&processor), self.cores)
    }

    /// The contents of `SETUP.md`, with the targets that the rows speak of.
    #[must_use]
    pub fn markdown(&self, rows: &[Row]) -> String {
        let unknown = || "unknown".to_owned();
        let facts = [
            ("date", self.date.clone()),
            ("command", format!("`{}`", self.command.replace('`', "'"))),
            ("hectare", self.version.clone()),
            ("commit", self.commit.clone().unwrap_or_else(unknown)),
            ("processor", self.processor.clone().unwrap_or_else(unknown)),
            ("cores", self.cores.to_string()),
            ("cpuset", self.cpuset.clone().unwrap_or_else(unknown)),
            ("memory", self.memory_bytes.map_or_else(unknown, |bytes| units::bytes(bytes as f64))),
            ("kernel", self.kernel.clone().unwrap_or_else(unknown)),
            ("transparent huge pages", self.thp.clone().unwrap_or_else(unknown)),
        ];
        let mut text = String::from("# Setup\n\n| what | value |\n| --- | --- |\n");
        for (name, value) in facts {
            line(&mut text, &format!("| {name} | {} |", value.replace('|', "\\|")));
        }
        text.push_str("\n## Targets\n\n");
        let mut named = Vec::new();
        for row in rows {
            let quantum = row.allocator_quantum_bytes;
            let entry = match quantum {
                Some(bytes) => format!("- {}, {bytes}-byte allocator quantum", row.server_build),
                None => format!("- {}, allocator quantum unknown", row.server_build),
            };
            if !named.contains(&entry) {
                line(&mut text, &entry);
                named.push(entry);
            }
        }
        if named.is_empty() {
            text.push_str("None was measured.\n");
        }
        text
    }
}

/// The memory that programs could still take, where the system says.
pub(crate) fn available_memory_bytes() -> Option<u64> {
    meminfo_bytes("MemAvailable")
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a String takes every write");
}

/// A file below `/proc`, empty where there is none.
fn proc_file(name: &str) -> String {
    fs::read_to_string(Path::new("/proc").join(name)).unwrap_or_default()
}

/// What stands behind the colon of the first line that begins with `name`.
fn line_value(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    let (_, value) = line.split_once(':')?;
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn meminfo_bytes(name: &str) -> Option<u64> {
    let value = line_value(&proc_file("meminfo"), name)?;
    let kibibytes: u64 = value.strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

fn kernel() -> Option<String> {
    let release = proc_file("sys/kernel/osrelease");
    let name = proc_file("sys/kernel/ostype");
    (!release.is_empty()).then(|| format!("{} {}", name.trim(), release.trim()))
}

/// The commit that is checked out in a folder, and whether files differ from it.
fn commit(sources: &Path) -> Option<String> {
    let git = |arguments: &[&str]| -> Option<String> {
        let output = Command::new("git").arg("-C").arg(sources).args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changed.is_empty() { commit } else { format!("{commit} with uncommitted changes") })
}

/// Lower-case letters and digits, all else a dash, and not longer than a folder's name should be.
fn dashed(text: &str) -> String {
    let mut dashed = String::new();
    for letter in text.chars().map(|letter| letter.to_ascii_lowercase()) {
        if letter.is_ascii_alphanumeric() {
            dashed.push(letter);
        } else if !dashed.is_empty() && !dashed.ends_with('-') {
            dashed.push('-');
        }
        if dashed.len() == MACHINE_BYTES_MAX {
            break;
        }
    }
    dashed.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::tests::example;

    fn setup(processor: &str) -> Setup {
        let mut setup = Setup::read("hectare report".to_owned(), Path::new("."));
        setup.processor = Some(processor.to_owned());
        setup.cores = 2;
        setup
    }

    #[test]
    fn a_machine_is_named_after_its_processor() {
        assert_eq!(setup("AMD EPYC 9B45").machine(), "amd-epyc-9b45-2-cores");
        let intel = setup("Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz");
        assert_eq!(intel.machine(), "intel-xeon-platinum-8481c-2-cores");
        assert_eq!(setup("../../etc").machine(), "etc-2-cores");
    }

    #[test]
    fn each_target_is_listed_once_with_its_allocator() {
        let rows = [
            example("redis 8.0.2", "flat", "bulk", 100),
            example("redis 8.0.2", "hash", "bulk", 40),
        ];
        let text = setup("a|b").markdown(&rows);
        assert_eq!(
            text.matches("redis 8.0.2 (jemalloc-5.3.0), 16-byte allocator quantum").count(),
            1
        );
        assert!(text.contains("| processor | a\\|b |"), "{text}");
    }

    #[test]
    #[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
    fn this_machine_has_memory_and_a_kernel() {
        let setup = setup("any");
        assert!(setup.memory_bytes > available_memory_bytes());
        assert!(setup.kernel.is_some_and(|kernel| kernel.starts_with("Linux")));
    }
}
