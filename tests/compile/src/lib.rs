//! Nothing but tests: what the compiler says about mistakes, in `ui/`.
