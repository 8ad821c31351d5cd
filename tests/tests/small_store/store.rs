//! A storage that keeps the records of a store in a file; `docs/writing-a-store.md` walks through it.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use scheduler_core::store::StoreError;
use scheduler_core::store::records::{RecordChange, Records, Storage};

/// A file to which each write adds one line.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// The end of the journal.
    file: File,
    /// How many changes were appended since it was last compacted.
    appended: usize,
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
            file: File::options()
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)?,
            path,
            appended: 0,
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
        self.replay().map_err(StoreError::new)
    }

    async fn write(&mut self, changes: &[RecordChange], after: &Records) -> Result<(), StoreError> {
        self.append(changes).map_err(StoreError::new)?;
        if self.appended > 1_000 + 4 * after.len() {
            self.appended = 0;
            match self.compact(after) {
                Ok(()) => self.sync_folder().map_err(StoreError::new)?,
                Err(error) => tracing::warn!(%error, "the journal was not compacted"),
            }
        }
        Ok(())
    }
}

impl Journal {
    /// Carries out all changes, line by line, and cuts off what follows the last whole line.
    fn replay(&mut self) -> io::Result<Records> {
        let (mut records, mut end, mut appended) = (Records::default(), 0, 0);
        let text = fs::read(&self.path)?;
        for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if !line.ends_with(b"\n") {
                break; // the process was killed while it wrote this
            }
            let changes: Vec<RecordChange> = serde_json::from_slice(line).map_err(|error| {
                let place = format!("{}:{}: {error}", self.path.display(), index + 1);
                io::Error::new(io::ErrorKind::InvalidData, place)
            })?;
            end += line.len() as u64;
            appended += changes.len();
            for change in changes {
                records.apply(change);
            }
        }
        self.file.set_len(end)?;
        self.file.seek(SeekFrom::Start(end))?;
        self.file.sync_all()?;
        self.sync_folder()?;
        self.appended = appended;
        Ok(records)
    }
}

impl Journal {
    fn append(&mut self, changes: &[RecordChange]) -> io::Result<()> {
        let mut line = serde_json::to_vec(changes)?;
        line.push(b'\n');
        let end = self.file.stream_position()?;
        let written = self.file.write_all(&line);
        if let Err(error) = written.and_then(|()| self.file.sync_data()) {
            let _ = self.file.set_len(end); // otherwise a load finds what is left of it
            return Err(error);
        }
        self.appended += changes.len();
        Ok(())
    }
}

impl Journal {
    /// Puts a new journal in place of the old one, with a line for each record.
    fn compact(&mut self, records: &Records) -> io::Result<()> {
        let path = beside(&self.path, "new");
        let copied = self.copy_to(&path, records);
        let renamed = copied.and_then(|new| fs::rename(&path, &self.path).map(|()| new));
        self.file = renamed.inspect_err(|_| drop(fs::remove_file(&path)))?;
        Ok(())
    }

    fn copy_to(&self, path: &Path, records: &Records) -> io::Result<File> {
        let new = File::create(path)?;
        new.set_permissions(self.file.metadata()?.permissions())?;
        let mut new = io::BufWriter::new(new);
        for record in records.iter() {
            serde_json::to_writer(&mut new, &[RecordChange::Put(record)])?;
            new.write_all(b"\n")?;
        }
        let new = new.into_inner()?;
        new.sync_all()?;
        Ok(new)
    }

    /// Waits until the disk has the name of the journal: that of a new file is kept by its folder.
    fn sync_folder(&self) -> io::Result<()> {
        if cfg!(unix)
            && let Some(folder) = self.path.canonicalize()?.parent()
        {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}
