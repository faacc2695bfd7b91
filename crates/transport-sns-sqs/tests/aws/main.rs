//! The transport against emulated AWS: real HTTP, real programs, no account. What no emulator does
//! on demand, such as failing some entries of a batch call, a scripted peer does.
//!
//! What this cannot show: that AWS itself behaves as its emulators do.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests start programs")]

mod answers;
mod clients;
mod deliveries;
mod faults;
mod masks;
mod peer;

use clients::connect;
use std::path::Path;
use std::sync::Arc;
use worldbus_testkit::{Emulator, EmulatorKind};

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_on_ministack() {
    keeps_the_contract(EmulatorKind::Ministack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_on_moto() {
    keeps_the_contract(EmulatorKind::Moto).await;
}

async fn keeps_the_contract(kind: EmulatorKind) {
    let emulator = Emulator::start(kind);
    let transport = Arc::new(connect(&emulator, "contract", "&create=true").await);
    let outcomes = worldbus_conformance::check(transport).await;
    let matrix = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/evidence/conformance.md");
    worldbus_conformance::compare(Path::new(matrix), "sns-sqs", &outcomes);
}
