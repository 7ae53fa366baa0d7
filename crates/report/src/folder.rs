//! Where are the results of a run kept?

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::chart::chart;
use crate::row::Row;
use crate::row_file::{ReadRowsError, RowWriter, RowsRead, read_rows};
use crate::setup::Setup;
use crate::summary::summary;

const ROWS_FILE: &str = "memory.csv";
const SETUP_FILE: &str = "SETUP.md";
const SUMMARY_FILE: &str = "summary.md";
const CHART_FILE: &str = "memory.svg";

/// How many runs of one day and machine find a name.
const SUFFIX_MAX: u32 = 999;

/// A folder with the rows, the setup, the summary and the chart of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes a new folder named after the day and the machine in `parent`, which is made too. A
    /// folder that is there already is left alone: the new one's name ends in `-2`, `-3` and so on.
    ///
    /// # Errors
    /// When the folder cannot be made, or the names are used up.
    pub fn create(parent: &Path, setup: &Setup) -> Result<Self, FolderError> {
        let failed = |path: &Path, source| FolderError { path: path.to_owned(), source };
        fs::create_dir_all(parent).map_err(|source| failed(parent, source))?;
        let name = format!("{}-{}", setup.date, setup.machine());
        for suffix in 1..=SUFFIX_MAX {
            let path = match suffix {
                1 => parent.join(&name),
                _ => parent.join(format!("{name}-{suffix}")),
            };
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(failed(&path, source)),
            }
        }
        Err(failed(&parent.join(name), io::ErrorKind::AlreadyExists.into()))
    }

    /// The folder of an earlier run.
    #[must_use]
    pub fn open(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins the file of rows.
    ///
    /// # Errors
    /// When it cannot be made, or is there already.
    pub fn create_rows(&self) -> Result<RowWriter<File>, FolderError> {
        let path = self.path.join(ROWS_FILE);
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        file.map(RowWriter::new).map_err(|source| FolderError { path, source })
    }

    /// Reads the rows of an earlier run.
    ///
    /// # Errors
    /// As [`read_rows`].
    pub fn read_rows(&self) -> Result<RowsRead, ReadRowsError> {
        read_rows(&self.path.join(ROWS_FILE))
    }

    /// Writes `SETUP.md`, with the targets of those rows.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_setup(&self, setup: &Setup, rows: &[Row]) -> Result<(), FolderError> {
        self.replace(SETUP_FILE, &setup.markdown(rows))
    }

    /// Writes `summary.md` and `memory.svg` from the rows.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn render(&self, rows: &[Row]) -> Result<(), FolderError> {
        self.replace(SUMMARY_FILE, &summary(rows))?;
        self.replace(CHART_FILE, &chart(rows))
    }

    /// Removes the folder of a run that measured nothing, with what [`Folder::create_rows`] and
    /// [`Folder::write_setup`] put there and nothing else.
    ///
    /// # Errors
    /// When it cannot be removed, or holds something else.
    pub fn discard(self) -> Result<(), FolderError> {
        for name in [ROWS_FILE, SETUP_FILE] {
            match fs::remove_file(self.path.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(FolderError { path: self.path.join(name), source: error });
                }
                _ => {}
            }
        }
        fs::remove_dir(&self.path).map_err(|source| FolderError { path: self.path, source })
    }

    /// Puts a whole file in the place of what was there, or leaves that as it was.
    fn replace(&self, name: &str, text: &str) -> Result<(), FolderError> {
        let path = self.path.join(name);
        let partial = self.path.join(format!(".{name}.partial"));
        let written = File::create(&partial)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&partial, &path));
        written.map_err(|source| {
            // What is left of it says nothing; if it cannot be removed either, the error stands.
            let _ = fs::remove_file(&partial);
            FolderError { path, source }
        })
    }
}

/// Why results are not kept.
#[derive(Debug)]
pub struct FolderError {
    path: PathBuf,
    source: io::Error,
}

impl FolderError {
    /// The error of writing the rows of a folder.
    #[must_use]
    pub fn of_rows(folder: &Folder, source: io::Error) -> Self {
        Self { path: folder.path.join(ROWS_FILE), source }
    }
}

impl fmt::Display for FolderError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, source) = (self.path.display(), &self.source);
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => write!(
                formatter,
                "no room is left to write {path} ({source}); free some, or name another disk with --output"
            ),
            io::ErrorKind::AlreadyExists => write!(
                formatter,
                "{path} is there already and is not overwritten; name another folder with --output"
            ),
            _ => write!(
                formatter,
                "{path} cannot be written ({source}); name another folder with --output"
            ),
        }
    }
}

impl std::error::Error for FolderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::tests::example;

    fn setup() -> Setup {
        Setup::read("hectare report".to_owned(), Path::new("."))
    }

    #[test]
    fn an_earlier_run_is_never_overwritten() {
        let parent = tempfile::tempdir().unwrap();
        let setup = setup();
        let names: Vec<String> = (0..3)
            .map(|_| Folder::create(&parent.path().join("results"), &setup).unwrap())
            .map(|folder| folder.path().file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        let name = format!("{}-{}", setup.date, setup.machine());
        assert_eq!(names, [name.clone(), format!("{name}-2"), format!("{name}-3")]);
    }

    #[test]
    fn what_is_rendered_again_is_the_same() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::create(parent.path(), &setup()).unwrap();
        let rows = [example("redis 8.0.2", "hash", "bulk", 40)];
        folder.create_rows().unwrap().write(&rows[0]).unwrap();
        folder.write_setup(&setup(), &rows).unwrap();
        folder.render(&rows).unwrap();
        let files = || -> Vec<(String, String)> {
            let mut files: Vec<_> = fs::read_dir(folder.path())
                .unwrap()
                .map(|entry| entry.unwrap())
                .map(|entry| {
                    let name = entry.file_name().into_string().unwrap();
                    (name, fs::read_to_string(entry.path()).unwrap())
                })
                .collect();
            files.sort();
            files
        };
        let before = files();
        let again = Folder::open(folder.path());
        again.render(&again.read_rows().unwrap().rows).unwrap();
        assert_eq!(files(), before);
        let names: Vec<&str> = before.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["SETUP.md", "memory.csv", "memory.svg", "summary.md"]);
    }

    #[test]
    fn a_run_without_rows_leaves_no_folder() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::create(parent.path(), &setup()).unwrap();
        folder.write_setup(&setup(), &[]).unwrap();
        drop(folder.create_rows().unwrap());
        let path = folder.path().to_owned();
        folder.discard().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn rows_are_not_written_over_others() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::create(parent.path(), &setup()).unwrap();
        drop(folder.create_rows().unwrap());
        let message = folder.create_rows().unwrap_err().to_string();
        assert!(message.contains("is there already"), "{message}");
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_named() {
        let parent = tempfile::tempdir().unwrap();
        let taken = parent.path().join("results");
        fs::write(&taken, "").unwrap();
        let message = Folder::create(&taken, &setup()).unwrap_err().to_string();
        assert!(message.contains("results") && message.contains("--output"), "{message}");
    }
}
