//! Tests only: the compiler's messages for mistakes, in `ui/`.
