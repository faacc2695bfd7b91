//! Checks that do something to the engine behind the transport.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use crate::engine::Engine;
use crate::events::{batch, sequences, spec, topic};
use crate::wait::{ack, next, nothing, pace, pass, perhaps, soon};
use worldbus_bus::{
    Consumer, DeadContent, Error, Fate, Kind, Lease, Outcome, Position, Settle, SubscriptionName,
    SubscriptionSpec,
};

/// Pause between attempts at an engine that is starting.
const AGAIN: Duration = Duration::from_millis(5);

/// Either the engine's door refuses them, or they are set aside with their bytes, and what comes
/// behind is not held up.
pub(crate) async fn hostile_bytes_are_quarantined(engine: &dyn Engine) {
    const HOSTILE: [&[u8]; 3] = [b"not a batch", b"\xff\xff\xff\xff", b"\x0a\x7fcut"];
    let transport = engine.transport();
    let mut consumer =
        transport.subscribe(spec("hostile", &["hostile"], Position::Now)).await.unwrap();
    let mut taken = Vec::new();
    for bytes in HOSTILE {
        let injected = engine.inject(&topic("hostile"), Bytes::from_static(bytes));
        match injected.expect("asked before").await {
            Ok(()) => taken.push(Bytes::from_static(bytes)),
            Err(error) => {
                assert_eq!((error.kind(), error.fate()), (Kind::Invalid, Fate::Refused), "{error}");
            }
        }
    }
    transport.publish(&topic("hostile"), batch(70, 0..1)).await.unwrap();
    let delivered = next(&mut consumer).await;
    assert_eq!(delivered.batch, batch(70, 0..1), "what is no batch was delivered");
    ack(&*consumer, &delivered).await;
    let name = SubscriptionName::new("hostile").unwrap();
    let letters = soon("the dead letters", async {
        loop {
            let letters = transport.dead_letters(Some(&name), 10).await.unwrap();
            if letters.len() >= taken.len() {
                return letters;
            }
            tokio::time::sleep(AGAIN).await;
        }
    })
    .await;
    let mut found = Vec::new();
    for letter in letters {
        assert!(!letter.event.reason.is_empty(), "{letter:?}");
        let DeadContent::Undecoded { bytes, .. } = letter.content else { panic!("{letter:?}") };
        found.push(bytes);
    }
    found.sort();
    taken.sort();
    assert_eq!(found, taken);
    nothing(&mut consumer).await;
}

/// A publisher that tries again and a consumer that opens again go on over two restarts. What
/// was held before the first can be settled after the last.
pub(crate) async fn a_restart_of_the_engine_mid_stream_loses_nothing(engine: &dyn Engine) {
    const BATCHES: u64 = 120;
    let mut consumer = open(engine).await;
    publish(engine, 0).await;
    let held = next(&mut consumer).await;
    let settler = consumer.settler();
    let (progress, mut published) = watch::channel(0);
    let publishing = async {
        for sequence in 1..BATCHES {
            publish(engine, sequence).await;
            progress.send_replace(sequence);
        }
    };
    let restarting = async {
        for after in [BATCHES / 3, 2 * BATCHES / 3] {
            published.wait_for(|published| *published >= after).await.unwrap();
            engine.restart().expect("asked before").await;
        }
    };
    let consuming = async {
        let mut found = BTreeSet::from_iter(sequences(&held.batch));
        while found.len() < BATCHES as usize {
            match consumer.next().await {
                Ok(delivered) => {
                    // Lost with the engine, it comes again.
                    let _ = consumer.settler().settle(&delivered.lease, Outcome::Ack).await;
                    found.extend(sequences(&delivered.batch));
                }
                Err(error) => {
                    goes_on(&error);
                    consumer = open(engine).await;
                }
            }
        }
        found
    };
    // As a router does while its handler runs; what fails is tried again.
    let extending = async {
        loop {
            pass(lease() / 4).await;
            let _ = settler.settle(&held.lease, Outcome::Extend).await;
        }
    };
    let all = async {
        tokio::select! {
            ((), (), found) = async { tokio::join!(publishing, restarting, consuming) } => found,
            () = extending => unreachable!("it never ends"),
        }
    };
    let found = soon("all of a stream", all).await;
    assert_eq!(found, (0..BATCHES).collect());
    let mut consumer = open(engine).await;
    soon("the lease of before", settle_again(consumer.settler(), &held.lease)).await;
    let rest = async {
        // Acks that the engine took just before it stopped may not have been durable.
        while let Some(again) = perhaps(&mut consumer).await {
            assert!(found.contains(&again.batch.first_id().sequence), "{again:?}");
            ack(&*consumer, &again).await;
        }
    };
    soon("quiet", rest).await;
}

/// What is lost on its way to a consumer comes again after as long.
pub(super) fn lease() -> Duration {
    pace().deadline / 3
}

async fn open(engine: &dyn Engine) -> Box<dyn Consumer> {
    let of = || {
        let spec = spec("restart", &["restart"], Position::Now);
        SubscriptionSpec { in_flight_max: 64, lease: lease(), ..spec }
    };
    soon("the subscription", async {
        loop {
            match engine.transport().subscribe(of()).await {
                Ok(consumer) => return consumer,
                Err(error) => goes_on(&error),
            }
            tokio::time::sleep(AGAIN).await;
        }
    })
    .await
}

async fn publish(engine: &dyn Engine, sequence: u64) {
    let published = || batch(71, sequence..sequence + 1);
    soon("a durable batch", async {
        while let Err(error) = engine.transport().publish(&topic("restart"), published()).await {
            goes_on(&error);
            tokio::time::sleep(AGAIN).await;
        }
    })
    .await;
}

/// A settlement may need the subscription to be open again at the engine.
async fn settle_again(settler: Arc<dyn Settle>, lease: &Lease) {
    while let Err(error) = settler.settle(lease, Outcome::Ack).await {
        assert_ne!(error.fate(), Fate::Refused, "{error}");
        tokio::time::sleep(AGAIN).await;
    }
}

/// Whether an error is one of an engine that is away.
fn goes_on(error: &Error) {
    let away = error.kind() == Kind::Closed || error.fate() != Fate::Refused;
    assert!(away, "an engine that restarts refuses: {error}");
}
