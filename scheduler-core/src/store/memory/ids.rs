//! Which job has which slot, by id. The table keeps slots and hashes, since ids stand in their rows: eight
//! bytes for a job instead of the two dozen that a map from id to slot takes, and no row is looked at when
//! it grows.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::row::Row;
use super::slot::Slot;

/// The hash of an id, for one table.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdHash(u32);

impl IdHash {
    /// As the table wants it: it takes the place from the low bits, and a watermark from the high ones.
    fn wide(self) -> u64 {
        u64::from(self.0) | u64::from(self.0) << 32
    }
}

/// See the module.
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
    /// Hashes an id, once for all that is done with it.
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

    /// Enters a job whose id is not here.
    pub(super) fn insert(&mut self, slot: Slot, hash: IdHash) {
        let hash_of = |(_, hash): &(Slot, IdHash)| hash.wide();
        self.slots.insert_unique(hash.wide(), (slot, hash), hash_of);
    }

    /// Takes a job out that still stands in its row.
    pub(super) fn remove(&mut self, rows: &Rows, id: &str) -> Option<Slot> {
        let hash = self.hash(id);
        let is_it = |(slot, _): &(Slot, IdHash)| id_at(rows, *slot) == Some(id);
        let entry = self.slots.find_entry(hash.wide(), is_it).ok()?;
        Some(entry.remove().0.0)
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
        let hash = hashes[index].wide();
        if self.0.find(hash, |other| id_at(*other) == id).is_some() {
            return false;
        }
        self.0
            .insert_unique(hash, index, |other| hashes[*other].wide());
        true
    }
}
