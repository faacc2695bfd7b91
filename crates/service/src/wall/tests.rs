//! Tests of `wall`.
