//! Entries under small numbers. Inserting, looking up and removing one is O(1), and the numbers of removed
//! entries are used again.

/// See the module.
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
    /// Returns the index that the next entry gets.
    pub(super) fn next_index(&self) -> u32 {
        // Four billion runs at once do not fit into memory.
        let end = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.vacant.last().copied().unwrap_or(end)
    }

    /// Inserts an entry. Returns its index, which is its own until it is removed.
    pub(super) fn insert(&mut self, entry: T) -> u32 {
        let index = self.next_index();
        match self.vacant.pop() {
            Some(index) => self.entries[index as usize] = Some(entry),
            None => self.entries.push(Some(entry)),
        }
        index
    }

    pub(super) fn get(&self, index: u32) -> Option<&T> {
        self.entries.get(index as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.entries.get_mut(index as usize)?.as_mut()
    }

    /// Changes an entry, if it is there.
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

    /// All entries with their indexes, in the order of these.
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
    fn index_of_a_removed_entry_is_used_again() {
        let mut slab = Slab::default();
        let [first, second] = ["a", "b"].map(|entry| slab.insert(entry));
        assert_eq!(slab.remove(first), Some("a"));
        assert_eq!((slab.remove(first), slab.get(first)), (None, None));
        assert_eq!(slab.next_index(), first);
        assert_eq!(slab.insert("c"), first);
        let entries: Vec<_> = slab.iter().collect();
        assert_eq!(entries, [(first, &"c"), (second, &"b")]);
    }
}
