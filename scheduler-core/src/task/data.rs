//! Values that the application provides and tasks use.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A value passed to the scheduler with `.data(value)` and injected into tasks with such a parameter.
///
/// Cheap to clone; dereferences to `T`.
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
    /// Wraps a value, for calling a task's function directly, for example in its unit tests.
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

/// The type of a value that must have been passed to the builder with `.data(…)`.
///
/// Returned by [`FromContext::requires`](crate::FromContext::requires), so that a missing value is detected when the
/// scheduler starts.
///
/// ```
/// use scheduler_core::prelude::*;
/// use scheduler_core::Requirement;
///
/// struct Tenants(Vec<String>);
/// struct FirstTenant(String);
///
/// impl FromContext for FirstTenant {
///     fn from_context(context: &JobContext) -> Result<Self, TaskFailure> {
///         let tenants = Data::<Tenants>::from_context(context)?;
///         tenants.0.first().cloned().map(Self).ok_or_else(|| TaskFailure::new("no tenant"))
///     }
///
///     fn requires() -> Option<Requirement> {
///         Some(Requirement::of::<Tenants>())
///     }
/// }
///
/// assert_eq!(FirstTenant::requires(), Data::<Tenants>::requires());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirement {
    pub(crate) type_id: TypeId,
    pub(crate) type_name: &'static str,
    pub(crate) is_sized: bool,
    /// The types that the value may have been wrapped in by mistake.
    pub(crate) in_arc: TypeId,
    pub(crate) in_box: TypeId,
    pub(crate) in_data: TypeId,
}

impl Requirement {
    /// Requires a value of type `T`.
    pub fn of<T: ?Sized + Send + Sync + 'static>() -> Self {
        Self {
            type_id: TypeId::of::<T>(),
            type_name: std::any::type_name::<T>(),
            is_sized: size_of::<&T>() == size_of::<usize>(),
            in_arc: TypeId::of::<Arc<T>>(),
            in_box: TypeId::of::<Box<T>>(),
            in_data: TypeId::of::<Data<T>>(),
        }
    }
}

/// One value per type. The type may be unsized, such as `dyn Mailer`.
#[derive(Default)]
pub(crate) struct DataMap {
    /// A `Data<T>` for each type `T`.
    values: HashMap<TypeId, (Requirement, Box<dyn Any + Send + Sync>)>,
}

impl DataMap {
    pub(crate) fn insert<T: ?Sized + Send + Sync + 'static>(&mut self, value: Arc<T>) {
        let entry = (Requirement::of::<T>(), Box::new(Data(value)) as _);
        self.values.insert(TypeId::of::<T>(), entry);
    }

    pub(crate) fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Data<T>> {
        let (_, value) = self.values.get(&TypeId::of::<T>())?;
        value.downcast_ref::<Data<T>>().cloned()
    }

    /// Returns what to change to provide such a value, or `None` if there is one.
    pub(crate) fn missing(&self, needed: &Requirement) -> Option<DataRemedy> {
        if self.values.contains_key(&needed.type_id) {
            return None;
        }
        let has = |type_id| self.values.contains_key(&type_id);
        let mut provided = self.values.values().map(|(provided, _)| provided);
        Some(if has(needed.in_arc) {
            DataRemedy::ShareArc
        } else if has(needed.in_data) {
            DataRemedy::ShareData
        } else if has(needed.in_box) {
            DataRemedy::ShareBox
        } else if provided.any(|provided| provided.in_arc == needed.type_id) {
            DataRemedy::AskForInner
        } else if needed.is_sized {
            DataRemedy::Provide
        } else {
            DataRemedy::ProvideShared
        })
    }
}

impl fmt::Debug for DataMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.values.values().map(|(of, _)| of.type_name))
            .finish()
    }
}

/// What to change so that a task gets the value that it needs; part of
/// [`StartError::MissingData`](crate::StartError::MissingData).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataRemedy {
    /// Call `.data(value)`: no similar value was provided.
    Provide,
    /// Call `.shared_data(arc)`: no similar value was provided, and a value of an unsized type (`dyn Trait`) has to
    /// be in an `Arc`.
    ProvideShared,
    /// Call `.shared_data(arc)` instead of `.data(arc)`: the value was provided inside an `Arc`.
    ShareArc,
    /// Call `.shared_data(data.into_inner())`: the value was provided inside a [`Data`].
    ShareData,
    /// Call `.shared_data(Arc::from(boxed))`: the value was provided inside a `Box`.
    ShareBox,
    /// Use `Data<T>` instead of `Data<Arc<T>>`: the `T` was provided, and `Data` is already an `Arc`.
    AskForInner,
}

impl DataRemedy {
    /// Describes the change for a value of this type. The text follows "…, which was not provided".
    pub(crate) fn text(self, type_name: &str) -> String {
        let wrapped = |wrapper: &str, call: &str| {
            format!(
                "but the builder was given `{wrapper}<{type_name}>`: call `{call}` instead of `.data(…)`"
            )
        };
        match self {
            Self::Provide => format!(
                "which was not provided: add `.data(…)` with a value of type `{type_name}` to the builder"
            ),
            Self::ProvideShared => format!(
                "which was not provided: add `.shared_data(…)` with an `Arc<{type_name}>` to the builder"
            ),
            Self::ShareArc => wrapped("Arc", ".shared_data(arc)"),
            Self::ShareData => wrapped("Data", ".shared_data(data.into_inner())"),
            Self::ShareBox => wrapped("Box", ".shared_data(Arc::from(boxed))"),
            Self::AskForInner => {
                let inner = type_name.split_once('<').map_or("…", |(_, inner)| inner);
                let inner = inner.strip_suffix('>').unwrap_or(inner);
                format!(
                    "but the builder was given `{inner}`: ask for `Data<{inner}>`, which is shared already"
                )
            }
        }
    }
}
