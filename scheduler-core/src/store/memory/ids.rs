//! An index from job ids to slots. The table contains only slots and hashes, since the ids are in the rows: eight
//! bytes per job instead of about 24 for a map from id to slot, and growing it does not access the rows.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::row::Row;
use super::slot::Slot;

/// The hash of an id, valid for one table.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdHash(u32);

impl IdHash {
    /// Expands the hash as the table needs it, which takes the position from the low bits and a tag from the high
    /// ones.
    fn wide(self) -> u64 {
        u64::from(self.0) | u64::from(self.0) << 32
    }
}

/// See the module documentation.
#[derive(Debug, Default)]
pub(super) struct Ids {
    slots: HashTable<(Slot, IdHash)>,
    hasher: RandomState,
}

type Rows = [Option<Row>];

fn id_at(rows: &Rows, slot: Slot) -> Option<&str> {
    let row = rows.get(slot as usize)?.as_ref()?;
    Some(row.id.as_str())
}

impl Ids {
    /// Hashes an id, once for all operations on it.
    #[allow(clippy::cast_possible_truncation)] // both halves are taken
    pub(super) fn hash(&self, id: &str) -> IdHash {
        let hash = self.hasher.hash_one(id);
        IdHash((hash ^ (hash >> 32)) as u32)
    }

    pub(super) fn find(&self, rows: &Rows, id: &str, hash: IdHash) -> Option<Slot> {
        let is_it =
            |(slot, other): &(Slot, IdHash)| other.0 == hash.0 && id_at(rows, *slot) == Some(id);
        self.slots.find(hash.wide(), is_it).map(|(slot, _)| *slot)
    }

    /// Inserts a job whose id is not in the index.
    pub(super) fn insert(&mut self, slot: Slot, hash: IdHash) {
        let hash_of = |(_, hash): &(Slot, IdHash)| hash.wide();
        self.slots.insert_unique(hash.wide(), (slot, hash), hash_of);
    }

    /// Removes a job whose row is still in place.
    pub(super) fn remove(&mut self, rows: &Rows, id: &str) -> Option<Slot> {
        let hash = self.hash(id);
        let is_it = |(slot, _): &(Slot, IdHash)| id_at(rows, *slot) == Some(id);
        let entry = self.slots.find_entry(hash.wide(), is_it).ok()?;
        Some(entry.remove().0.0)
    }
}

/// The ids of one call, for finding duplicates.
#[derive(Debug)]
pub(super) struct Batch(HashTable<usize>);

impl Batch {
    pub(super) fn with_capacity(count: usize) -> Self {
        Self(HashTable::with_capacity(count))
    }

    /// Returns `true` if none of the earlier ids equals the one at this index.
    pub(super) fn is_new<'a>(
        &mut self,
        index: usize,
        hashes: &[IdHash],
        id_at: impl Fn(usize) -> &'a str,
    ) -> bool {
        let id = id_at(index);
        let hash = hashes[index].wide();
        if self.0.find(hash, |other| id_at(*other) == id).is_some() {
            return false;
        }
        self.0
            .insert_unique(hash, index, |other| hashes[*other].wide());
        true
    }
}
