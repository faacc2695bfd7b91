//! Tests of `part`.
