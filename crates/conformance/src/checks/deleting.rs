//! Checks of deleting topics and subscriptions: nothing is lost without force, what is deleted is
//! gone, its name is free.

use std::sync::Arc;

use crate::events::{batch, spec, topic};
use crate::wait::{next, read_all, soon};
use worldbus_bus::{Kind, Position, ReadSpec, SubscriptionName, Transport};

pub(crate) async fn what_is_deleted_is_gone_and_its_name_is_free(transport: &Arc<dyn Transport>) {
    let (name, of) = (topic("delete"), || spec("delete", &["delete"], Position::Start));
    let subscription = SubscriptionName::new("delete").unwrap();
    let mut consumer = transport.subscribe(of()).await.unwrap();
    transport.publish(&name, batch(145, 0..1)).await.unwrap();
    next(&mut consumer).await;
    let refused = transport.delete_subscription(&subscription, true).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::InUse, "it has a consumer");
    consumer.close().await.unwrap();
    soon("the end of the consumer", async {
        while listed(transport, &subscription).await != Some(0) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    // Something would be lost.
    let refused = transport.delete_subscription(&subscription, false).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::InUse);
    let refused = transport.delete_topic(&name, false).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::InUse);

    transport.delete_subscription(&subscription, true).await.unwrap();
    assert_eq!(listed(transport, &subscription).await, None);
    transport.delete_topic(&name, true).await.unwrap();
    assert!(transport.topics().await.unwrap().iter().all(|status| status.topic != name));
    let gone = transport.delete_subscription(&subscription, true).await.unwrap_err();
    let too = transport.delete_topic(&name, true).await.unwrap_err();
    assert_eq!((gone.kind(), too.kind()), (Kind::NotFound, Kind::NotFound));

    transport.publish(&name, batch(145, 1..2)).await.unwrap();
    let all = read_all(&**transport, ReadSpec::topics([name], Position::Start, false)).await;
    assert_eq!(all.iter().map(|stored| stored.offset).collect::<Vec<_>>(), [0]);
    let mut consumer = transport.subscribe(of()).await.unwrap();
    let delivered = next(&mut consumer).await;
    assert_eq!((delivered.batch, delivered.lease.attempt), (batch(145, 1..2), 1));
}

/// The consumers of a subscription, if it exists.
async fn listed(transport: &Arc<dyn Transport>, name: &SubscriptionName) -> Option<u64> {
    let all = transport.subscriptions().await.unwrap();
    all.iter().find(|status| status.name == *name).map(|status| status.consumers)
}
