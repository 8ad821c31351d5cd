//! Entries under small indexes. Insert, lookup and removal are O(1), and the indexes of removed entries are reused.

/// See the module documentation.
#[derive(Debug)]
pub(super) struct Slab<T> {
    entries: Vec<Option<T>>,
    vacant: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            vacant: Vec::new(),
        }
    }
}

impl<T> Slab<T> {
    /// Inserts an entry, created from the index that it keeps until it is removed. Returns the index.
    #[inline]
    pub(super) fn insert_with(&mut self, entry: impl FnOnce(u32) -> T) -> u32 {
        if let Some(index) = self.vacant.pop()
            && let Some(place) = self.entries.get_mut(index as usize)
        {
            *place = Some(entry(index));
            return index;
        }
        // Four billion runs at once do not fit into memory.
        let index = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.entries.push(Some(entry(index)));
        index
    }

    pub(super) fn get(&self, index: u32) -> Option<&T> {
        self.entries.get(index as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.entries.get_mut(index as usize)?.as_mut()
    }

    /// Changes an entry, if it exists.
    pub(super) fn change(&mut self, index: u32, change: impl FnOnce(T) -> T) {
        if let Some(entry) = self.entries.get_mut(index as usize) {
            *entry = entry.take().map(change);
        }
    }

    pub(super) fn remove(&mut self, index: u32) -> Option<T> {
        let entry = self.entries.get_mut(index as usize)?.take();
        if entry.is_some() {
            self.vacant.push(index);
        }
        entry
    }

    /// Returns all entries with their indexes, in index order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(&self.entries).filter_map(|(index, entry)| {
            let entry = entry.as_ref()?;
            Some((index, entry))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_of_a_removed_entry_is_reused() {
        let mut slab = Slab::default();
        let [first, second] = ["a", "b"].map(|entry| slab.insert_with(|_| entry));
        assert_eq!(slab.remove(first), Some("a"));
        assert_eq!((slab.remove(first), slab.get(first)), (None, None));
        let index = slab.insert_with(|index| {
            assert_eq!(index, first);
            "c"
        });
        assert_eq!(index, first);
        let entries: Vec<_> = slab.iter().collect();
        assert_eq!(entries, [(first, &"c"), (second, &"b")]);
    }
}
