//! The length of the journal, and what happens without space to rewrite it.

use std::fs;

use scheduler_core::store::records::{Record, RecordChange, Records, Storage, StoredRun};
use scheduler_core::{JobId, Run, RunId, RunKind};

use super::store::Journal;
use super::{Folder, at};

/// Returns a batch that changes one run `size` times.
fn batch(size: u32) -> Vec<RecordChange> {
    let (id, job) = (RunId::from_u128(1), JobId::new("job").unwrap());
    let time = at("2026-01-01T00:00:00Z");
    let mut stored = StoredRun::new(Run::queued(
        id,
        job,
        "task".into(),
        RunKind::Scheduled,
        time,
    ));
    let changes = (0..size).map(|attempt| {
        stored.run.attempt = attempt;
        RecordChange::Put(Record::Run(stored.clone()))
    });
    changes.collect()
}

fn after(changes: &[RecordChange]) -> Records {
    let mut records = Records::default();
    for change in changes {
        records.apply(change.clone());
    }
    records
}

/// Writes the batch `times` times, and returns the records.
async fn write(journal: &mut Journal, changes: &[RecordChange], times: usize) -> Records {
    let records = after(changes);
    for _ in 0..times {
        journal.write(changes, &records).await.unwrap();
    }
    records
}

/// Returns the number of changes in the file.
fn changes_in(folder: &Folder) -> usize {
    let text = fs::read_to_string(folder.0.join("jobs")).unwrap();
    text.matches("\"put\"").count()
}

#[tokio::test]
async fn journal_of_batches_does_not_grow_without_bound() {
    for size in [1, 100, 1_000] {
        let folder = Folder::new();
        let mut journal = folder.journal();
        journal.load().await.unwrap();
        let records = write(&mut journal, &batch(size), 2_500 / size as usize).await;
        let count = changes_in(&folder);
        assert!(count <= 1_010, "{count} changes in batches of {size}");
        assert!(journal.load().await.unwrap() == records);
    }
}

#[tokio::test]
async fn journal_that_was_opened_again_and_again_does_not_grow_without_bound() {
    let folder = Folder::new();
    for _ in 0..10 {
        let mut journal = folder.journal();
        journal.load().await.unwrap();
        write(&mut journal, &batch(900), 1).await;
    }
    assert!(changes_in(&folder) <= 1_900, "{}", changes_in(&folder));
}

#[tokio::test]
async fn write_succeeds_although_the_journal_cannot_be_compacted() {
    let folder = Folder::new();
    let mut journal = folder.journal();
    journal.load().await.unwrap();
    let obstacle = folder.0.join("jobs.new"); // as if there was no space for a copy
    fs::create_dir(&obstacle).unwrap();
    let records = write(&mut journal, &batch(1_000), 5).await;
    assert_eq!(changes_in(&folder), 5_000);
    assert!(
        journal.load().await.unwrap() == records,
        "a load needs space"
    );
    fs::remove_dir(&obstacle).unwrap();
    write(&mut journal, &batch(1_000), 1).await;
    assert_eq!(changes_in(&folder), 1, "it is compacted later");
    drop(journal);
    assert!(folder.journal().load().await.unwrap() == records);
}

#[tokio::test]
async fn failed_compaction_leaves_no_second_file() {
    let folder = Folder::new();
    let mut journal = folder.journal();
    journal.load().await.unwrap();
    let (path, aside) = (folder.0.join("jobs"), folder.0.join("aside"));
    fs::rename(&path, &aside).unwrap();
    fs::create_dir(&path).unwrap(); // no file can take its place
    write(&mut journal, &batch(1_000), 2).await;
    assert!(!folder.0.join("jobs.new").exists());
    fs::remove_dir(&path).unwrap();
    fs::rename(&aside, &path).unwrap();
    assert_eq!(changes_in(&folder), 2_000);
}

#[tokio::test]
async fn torn_line_is_cut_off_and_the_lines_before_it_stay_as_they_are() {
    let folder = Folder::new();
    let mut journal = folder.journal();
    journal.load().await.unwrap();
    let changes = batch(3);
    let records = write(&mut journal, &changes, 2).await;
    let path = folder.0.join("jobs");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [&whole[..], b"[{\"put\":"].concat()).unwrap();
    assert!(journal.load().await.unwrap() == records);
    assert!(fs::read(&path).unwrap() == whole);
    write(&mut journal, &changes, 1).await;
    let line = whole.len() / 2;
    assert!(fs::read(&path).unwrap() == [&whole[..], &whole[..line]].concat());
}

#[cfg(unix)]
#[tokio::test]
async fn compacted_journal_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let mut journal = folder.journal();
    journal.load().await.unwrap();
    let path = folder.0.join("jobs");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    write(&mut journal, &batch(1_000), 2).await;
    assert_eq!(changes_in(&folder), 1);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
