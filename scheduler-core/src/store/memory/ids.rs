//! Which job has which slot, by id. The table keeps slots alone, since ids stand in their rows: four
//! bytes for a job instead of the two dozen that a map from id to slot takes.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::row::Row;
use super::table::Slot;

/// The hash of an id, for one table.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdHash(u64);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Ids {
    slots: HashTable<Slot>,
    hasher: RandomState,
}

type Rows = [Option<Row>];

fn id_at(rows: &Rows, slot: Slot) -> Option<&str> {
    let row = rows.get(slot as usize)?.as_ref()?;
    Some(row.id.as_str())
}

impl Ids {
    /// Hashes an id, once for all that is done with it.
    pub(super) fn hash(&self, id: &str) -> IdHash {
        IdHash(self.hasher.hash_one(id))
    }

    pub(super) fn find(&self, rows: &Rows, id: &str, hash: IdHash) -> Option<Slot> {
        let is_it = |slot: &Slot| id_at(rows, *slot) == Some(id);
        self.slots.find(hash.0, is_it).copied()
    }

    /// Enters a job that stands in its row already, and whose id is not here.
    pub(super) fn insert(&mut self, rows: &Rows, slot: Slot, hash: IdHash) {
        let hasher = &self.hasher;
        let hash_again = |slot: &Slot| id_at(rows, *slot).map_or(0, |id| hasher.hash_one(id));
        self.slots.insert_unique(hash.0, slot, hash_again);
    }

    /// Takes a job out that still stands in its row.
    pub(super) fn remove(&mut self, rows: &Rows, id: &str) -> Option<Slot> {
        let hash = self.hash(id);
        let is_it = |slot: &Slot| id_at(rows, *slot) == Some(id);
        let entry = self.slots.find_entry(hash.0, is_it).ok()?;
        Some(entry.remove().0)
    }
}

/// The ids of one call, to find one that is there twice.
#[derive(Debug)]
pub(super) struct Batch(HashTable<usize>);

impl Batch {
    pub(super) fn with_capacity(count: usize) -> Self {
        Self(HashTable::with_capacity(count))
    }

    /// Whether none of those before has the id at this index.
    pub(super) fn is_new<'a>(
        &mut self,
        index: usize,
        hashes: &[IdHash],
        id_at: impl Fn(usize) -> &'a str,
    ) -> bool {
        let id = id_at(index);
        let hash = hashes[index].0;
        if self.0.find(hash, |other| id_at(*other) == id).is_some() {
            return false;
        }
        self.0.insert_unique(hash, index, |other| hashes[*other].0);
        true
    }
}
