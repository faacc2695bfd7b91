//! The grammar of the chronicle: templates with slots, filters and choices, made into sentences.
//! The same template, values and seed give the same text on every machine. Not for: which events
//! get a sentence (`rules`), escaping for a medium (what writes it there).
//!
//! Not an off-the-shelf template engine: those draw no choices, and check slots when they render,
//! while here a rule file with a slot that no event fills is refused when it is read.

mod chance;
mod english;
mod filter;
mod template;
#[cfg(test)]
mod tests;
mod value;
mod words;

pub(crate) use chance::Chance;
pub(crate) use template::{Phrases, Scope, Template};
pub(crate) use value::{Shape, Value, line, plain};
pub(crate) use words::month_title;
