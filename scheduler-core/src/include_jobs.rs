//! Linking library crates into the program.

/// Makes the jobs and tasks of other crates part of the program, even if it names nothing else in them.
///
/// The linker leaves out a library crate that nothing in the program names, together with the jobs that it defines,
/// and [`start`](crate::Builder::start) then cannot find them. Write this once in each program, at the top of
/// `main.rs`, with every crate of the workspace that defines jobs. A crate that is not a dependency is a compile
/// error. The log line `scheduler started` counts the jobs per crate, and
/// [`Builder::expect_jobs`](crate::Builder::expect_jobs) makes `start` fail without them.
///
/// ```standalone_crate
/// # extern crate scheduler_core as billing_jobs; // a crate that is certain to be there
/// scheduler_core::include_jobs!(billing_jobs);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! include_jobs {
    ($($krate:ident),+ $(,)?) => {
        $(
            #[allow(unused_imports)]
            use ::$krate as _;
        )+
    };
}
