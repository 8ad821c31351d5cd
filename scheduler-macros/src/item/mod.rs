//! The annotated function and its parameters.

mod function;
mod parameter;
mod ty;

pub(crate) use function::Function;
pub(crate) use parameter::{Default, Parameter, Role};
pub(crate) use ty::{find, last_segment, type_text};
