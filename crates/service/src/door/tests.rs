//! Tests of `door`.
