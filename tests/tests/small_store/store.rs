//! A storage that keeps the records of a store in a file; `docs/writing-a-store.md` walks through it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use scheduler_core::store::StoreError;
use scheduler_core::store::records::{RecordChange, Records, Storage};

/// A file to which each write adds one line.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// The end of the journal.
    file: File,
    /// How many lines it has.
    lines: usize,
    /// Locked as long as it is open.
    _lock: File,
}

impl Journal {
    /// Opens the journal at this path, which is made if it is not there.
    ///
    /// # Errors
    /// The file cannot be opened, or another process has it open.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let lock = File::create(beside(&path, "lock"))?;
        lock.try_lock()?;
        Ok(Self {
            file: File::options().append(true).create(true).open(&path)?,
            path,
            lines: 0,
            _lock: lock,
        })
    }
}

/// The path of another file, which begins with the same name.
fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

impl Storage for Journal {
    async fn load(&mut self) -> Result<Records, StoreError> {
        let records = self.replay().map_err(StoreError::new)?;
        self.rewrite(&records).map_err(StoreError::new)?;
        Ok(records)
    }

    async fn write(&mut self, changes: &[RecordChange], after: &Records) -> Result<(), StoreError> {
        self.append(changes).map_err(StoreError::new)?;
        if self.lines > 1_000 + 4 * after.len() {
            self.rewrite(after).map_err(StoreError::new)?;
        }
        Ok(())
    }
}

impl Journal {
    /// Carries out all changes, line by line.
    fn replay(&self) -> io::Result<Records> {
        let mut records = Records::default();
        let text = fs::read(&self.path)?;
        for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let Some(line) = line.strip_suffix(b"\n") else {
                break; // the process was killed while it wrote this
            };
            let changes: Vec<RecordChange> = serde_json::from_slice(line).map_err(|error| {
                let place = format!("{}:{}: {error}", self.path.display(), index + 1);
                io::Error::new(io::ErrorKind::InvalidData, place)
            })?;
            for change in changes {
                records.apply(change);
            }
        }
        Ok(records)
    }
}

impl Journal {
    fn append(&mut self, changes: &[RecordChange]) -> io::Result<()> {
        let mut line = serde_json::to_vec(changes)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.lines += 1;
        Ok(())
    }
}

impl Journal {
    /// Puts a new journal in place of the old one, with a line for each record.
    fn rewrite(&mut self, records: &Records) -> io::Result<()> {
        let path = beside(&self.path, "new");
        let mut new = io::BufWriter::new(File::create(&path)?);
        for record in records.iter() {
            serde_json::to_writer(&mut new, &[RecordChange::Put(record)])?;
            new.write_all(b"\n")?;
        }
        let new = new.into_inner()?;
        new.sync_data()?;
        fs::rename(&path, &self.path)?;
        if cfg!(unix)
            && let Some(folder) = self.path.canonicalize()?.parent()
        {
            File::open(folder)?.sync_all()?;
        }
        self.file = new;
        self.lines = records.len();
        Ok(())
    }
}
