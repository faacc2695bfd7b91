//! Checks that run where a capability is missing: asking for it is refused, and never met by
//! silence.
//!
//! Order and filters are asked for by no call: consumers may come in any order, and what an engine
//! does not leave out this side does (`filters`). A program that cannot do without asks by
//! `Capabilities::require`.

use std::sync::Arc;

use crate::events::{batch, sequences, spec, topic};
use crate::wait::{ack, next, nothing, pace, pass};
use worldbus_bus::{
    Capability, Error, Fate, Kind, Outcome, Position, ReadSpec, SubscriptionName, SubscriptionSpec,
    Transport,
};

/// The refusal names what is missing, and where.
fn refused(transport: &Arc<dyn Transport>, capability: Capability, error: &Error) {
    assert_eq!((error.kind(), error.fate()), (Kind::Unsupported, Fate::Refused), "{error}");
    for word in [transport.capabilities().transport, capability.name()] {
        assert!(error.context().contains(word), "{word} is not named: {error}");
    }
}

fn required(transport: &Arc<dyn Transport>, capability: Capability) {
    let required = transport.capabilities().require(capability);
    refused(transport, capability, &required.unwrap_err());
}

pub(crate) async fn missing_order_per_producer_is_refused(transport: &Arc<dyn Transport>) {
    required(transport, Capability::OrderPerProducer);
}

pub(crate) async fn missing_filter_by_type_is_refused(transport: &Arc<dyn Transport>) {
    required(transport, Capability::FilterByType);
}

pub(crate) async fn missing_filter_by_entity_is_refused(transport: &Arc<dyn Transport>) {
    required(transport, Capability::FilterByEntity);
}

pub(crate) async fn missing_filter_by_place_is_refused(transport: &Arc<dyn Transport>) {
    required(transport, Capability::FilterByPlace);
}

pub(crate) async fn missing_replay_is_refused(transport: &Arc<dyn Transport>) {
    required(transport, Capability::Replay);
    transport.publish(&topic("no-past"), batch(60, 0..1)).await.unwrap();
    let starts = [Position::Start, Position::Offset(0), Position::TimeMs(0)];
    for start in starts {
        let opened = transport.subscribe(spec("no-past", &["no-past"], start)).await;
        refused(transport, Capability::Replay, &opened.err().unwrap());
    }
    let listed = || ReadSpec::topics([topic("no-past")], Position::Start, false);
    for read in [listed(), ReadSpec::all(Position::Now, true)] {
        let opened = transport.read(read).await;
        refused(transport, Capability::Replay, &opened.err().unwrap());
    }
    refused(transport, Capability::Replay, &transport.topics().await.unwrap_err());
}

/// Both come: an engine that does not drop them does not claim that it did.
pub(crate) async fn missing_drop_duplicates_is_refused(transport: &Arc<dyn Transport>) {
    required(transport, Capability::DropDuplicates);
    let mut consumer = transport.subscribe(spec("twice", &["twice"], Position::Now)).await.unwrap();
    for _ in 0..2 {
        let appended = transport.publish(&topic("twice"), batch(61, 0..3)).await.unwrap();
        assert!(appended.duplicates.is_empty());
    }
    for _ in 0..2 {
        let delivered = next(&mut consumer).await;
        assert_eq!(sequences(&delivered.batch), [0, 1, 2]);
        ack(&*consumer, &delivered).await;
    }
}

/// An ack after the lease is refused, whether or not another consumer was given the delivery, and
/// the delivery comes again.
pub(crate) async fn missing_late_ack_is_refused(transport: &Arc<dyn Transport>) {
    required(transport, Capability::LateAck);
    let short =
        SubscriptionSpec { lease: pace().lease, ..spec("no-late", &["no-late"], Position::Now) };
    let mut consumer = transport.subscribe(short).await.unwrap();
    transport.publish(&topic("no-late"), batch(62, 0..1)).await.unwrap();
    let delivered = next(&mut consumer).await;
    pass(2 * pace().lease).await;
    let late = consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap_err();
    assert_eq!((late.kind(), late.fate()), (Kind::LeaseLost, Fate::Refused), "{late}");
    let again = next(&mut consumer).await;
    assert_eq!((again.batch, again.lease.attempt), (delivered.batch, 2));
    consumer.settler().settle(&again.lease, Outcome::Ack).await.unwrap();
    nothing(&mut consumer).await;
}

pub(crate) async fn missing_delete_is_refused(transport: &Arc<dyn Transport>) {
    required(transport, Capability::Delete);
    let name = SubscriptionName::new("no-delete").unwrap();
    let refusals = [
        transport.subscriptions().await.map(drop),
        transport.delete_topic(&topic("no-delete"), true).await,
        transport.delete_subscription(&name, true).await,
    ];
    for refused in refusals {
        let refused = refused.unwrap_err();
        assert_eq!((refused.kind(), refused.fate()), (Kind::Unsupported, Fate::Refused));
    }
}
