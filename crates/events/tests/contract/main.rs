//! What holds the contract from outside the crate: golden vectors and the fuzz corpus.

mod corpus;
mod golden;
mod vectors;
