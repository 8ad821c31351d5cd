//! Values that the application provides and tasks ask for.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A value given to the scheduler with `.data(value)`, injected into tasks that name it.
///
/// Cloning is cheap; it dereferences to `T`.
///
/// ```
/// use scheduler_core::prelude::*;
///
/// struct Greeting(&'static str);
///
/// #[task]
/// async fn greet_all(greeting: Data<Greeting>) -> String {
///     format!("{}, all", greeting.0)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// // The function stays callable, as in its unit tests:
/// assert_eq!(greet_all(Data::new(Greeting("hello"))).await, "hello, all");
/// # }
/// ```
pub struct Data<T: ?Sized>(Arc<T>);

impl<T> Data<T> {
    /// Wraps a value, for calling a task's function by hand, as in its unit tests.
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T: ?Sized> Data<T> {
    /// Returns the shared pointer inside.
    pub fn into_inner(self) -> Arc<T> {
        self.0
    }
}

impl<T: ?Sized> From<Arc<T>> for Data<T> {
    fn from(value: Arc<T>) -> Self {
        Self(value)
    }
}

impl<T: ?Sized> Clone for Data<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ?Sized> Deref for Data<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Data<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Data").field(&&*self.0).finish()
    }
}

/// One value per type; a type may be unsized, such as `dyn Mailer`.
#[derive(Default)]
pub(crate) struct DataMap {
    /// By the type of `T`, a `Data<T>`.
    values: HashMap<TypeId, (&'static str, Box<dyn Any + Send + Sync>)>,
}

impl DataMap {
    pub(crate) fn insert<T: ?Sized + Send + Sync + 'static>(&mut self, value: Arc<T>) {
        let entry = (std::any::type_name::<T>(), Box::new(Data(value)) as _);
        self.values.insert(TypeId::of::<T>(), entry);
    }

    pub(crate) fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Data<T>> {
        let (_, value) = self.values.get(&TypeId::of::<T>())?;
        value.downcast_ref::<Data<T>>().cloned()
    }

    pub(crate) fn contains(&self, type_id: TypeId) -> bool {
        self.values.contains_key(&type_id)
    }
}

impl fmt::Debug for DataMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.values.values().map(|(name, _)| name))
            .finish()
    }
}
