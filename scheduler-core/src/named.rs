//! Collections of a few named values: stores, executors, and data for each of them.

use std::cmp::Ordering;
use std::sync::Arc;

/// Values by name, ordered by name.
///
/// A scheduler has two or three of each kind. For so few, a vector is faster than a tree and compiles to a tenth of
/// its size.
#[derive(Debug, Clone)]
pub(crate) struct Named<T>(Vec<(Arc<str>, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Named<T> {
    /// Inserts a value, replacing any with the same name.
    pub(crate) fn insert(&mut self, name: Arc<str>, thing: T) {
        match self.place(&name) {
            Ok(index) => self.0[index].1 = thing,
            Err(index) => self.0.insert(index, (name, thing)),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        // Most names differ in length, so testing for equality is cheaper than comparing the order.
        let (_, thing) = self.0.iter().find(|(other, _)| **other == *name)?;
        Some(thing)
    }

    /// Returns the value with this name, creating it if there is none.
    pub(crate) fn get_or_insert_with(&mut self, name: &str, make: impl FnOnce() -> T) -> &mut T {
        let index = self.place(name).unwrap_or_else(|index| {
            self.0.insert(index, (name.into(), make()));
            index
        });
        &mut self.0[index].1
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<T> {
        let index = self.place(name).ok()?;
        Some(self.0.remove(index).1)
    }

    pub(crate) fn into_iter(self) -> impl Iterator<Item = (Arc<str>, T)> {
        self.0.into_iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &T)> + Clone {
        self.0.iter().map(|(name, thing)| (name, thing))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &Arc<str>> + Clone {
        self.0.iter().map(|(name, _)| name)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> + Clone {
        self.0.iter().map(|(_, thing)| thing)
    }

    /// Creates another value from each, under the same name.
    pub(crate) fn map<U>(&self, mut other: impl FnMut(&Arc<str>, &T) -> U) -> Named<U> {
        let mut others = Vec::with_capacity(self.0.len());
        for (name, thing) in &self.0 {
            others.push((name.clone(), other(name, thing)));
        }
        Named(others)
    }

    /// Returns the position of a name, or where it belongs.
    fn place(&self, name: &str) -> Result<usize, usize> {
        for (index, (other, _)) in self.0.iter().enumerate() {
            match (**other).cmp(name) {
                Ordering::Less => {}
                Ordering::Equal => return Ok(index),
                Ordering::Greater => return Err(index),
            }
        }
        Err(self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_values_are_unique_and_ordered_by_name() {
        let mut named = Named::default();
        for (name, thing) in [("sync", 1), ("default", 2), ("mail", 3), ("sync", 4)] {
            named.insert(name.into(), thing);
        }
        let all: Vec<_> = named
            .iter()
            .map(|(name, thing)| (&**name, *thing))
            .collect();
        assert_eq!(all, [("default", 2), ("mail", 3), ("sync", 4)]);
        assert_eq!((named.get("mail"), named.get("m")), (Some(&3), None));
        assert_eq!(named.remove("mail"), Some(3));
        assert_eq!((named.remove("mail"), named.len()), (None, 2));
        *named.get_or_insert_with("a", || 5) += 1;
        *named.get_or_insert_with("a", || 9) += 1;
        let twice = named.map(|_, thing| thing * 2);
        let names: Vec<&str> = twice.names().map(|name| &**name).collect();
        assert_eq!(names, ["a", "default", "sync"]);
        assert!(twice.values().eq(&[14, 4, 8]));
    }
}
