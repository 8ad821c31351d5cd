mod no_such_crate {}

scheduler_core::include_jobs!(no_such_crate);

fn main() {}
