//! The transport against emulated AWS: real HTTP, real programs, no account.
//!
//! What this cannot show: that AWS itself behaves as its emulators do. Where both are known to be
//! wrong, `scripted` plays what AWS documents.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests start programs")]

mod deliveries;
mod emulator;
mod faults;

use emulator::{Emulator, Kind};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_on_ministack() {
    keeps_the_contract(Kind::Ministack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_on_moto() {
    keeps_the_contract(Kind::Moto).await;
}

async fn keeps_the_contract(kind: Kind) {
    let emulator = Emulator::start(kind).await;
    let transport = Arc::new(emulator.connect("contract", "&create=true").await);
    let matrix = worldbus_conformance::check(transport, &[]).await;
    println!("{matrix:?}");
}
