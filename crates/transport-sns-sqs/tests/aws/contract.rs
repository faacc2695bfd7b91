//! The transport held to the suite, in its column of the matrix.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sns::primitives::Blob;
use aws_sdk_sns::types::MessageAttributeValue;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::clients::{connect_to, sns};
use crate::line::Line;
use worldbus_bus::{Error, Topic, Transport};
use worldbus_conformance::{Engine, Pace};
use worldbus_testkit::{Emulator, EmulatorKind};
use worldbus_transport_sns_sqs::SnsSqs;

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_on_ministack() {
    keeps_the_contract(EmulatorKind::Ministack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_on_moto() {
    keeps_the_contract(EmulatorKind::Moto).await;
}

/// The same column, whichever the emulator.
async fn keeps_the_contract(kind: EmulatorKind) {
    let emulator = Emulator::start(kind);
    let line = Line::open(emulator.port()).await;
    let transport = Arc::new(connect_to(line.port(), "contract", "&create=true").await);
    let matrix = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/evidence/conformance.md");
    worldbus_conformance::check(Aws { emulator, line, transport })
        .await
        .assert_matrix(&matrix, "sns-sqs");
}

/// An emulator behind a line.
struct Aws {
    emulator: Emulator,
    line: Line,
    transport: Arc<SnsSqs>,
}

impl Engine for Aws {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::<SnsSqs>::clone(&self.transport)
    }

    /// SQS counts in whole seconds.
    fn pace(&self) -> Pace {
        let (lease, quiet) = (Duration::from_secs(1), Duration::from_millis(300));
        Pace { lease, quiet, ..Pace::default() }
    }

    /// The nearest to it that a client of AWS sees: AWS cannot be stopped.
    fn restart(&self) -> Option<BoxFuture<'_, ()>> {
        Some(self.line.cut().boxed())
    }

    /// As another program may publish them, declared to be a batch.
    fn inject(&self, topic: &Topic, bytes: Bytes) -> Option<BoxFuture<'_, Result<(), Error>>> {
        const BATCH: &str = "application/x-protobuf; messageType=worldbus.events.v1.EventBatch";
        let name = format!("contract-{topic}-events");
        let text = MessageAttributeValue::builder().data_type("String");
        let declared = text.string_value(format!("{BATCH}; topic={topic}")).build().unwrap();
        let binary = MessageAttributeValue::builder().data_type("Binary");
        let batch = binary.binary_value(Blob::new(bytes)).build().unwrap();
        let publish = async move {
            let sns = sns(&self.emulator);
            let created = sns.create_topic().name(name).send().await.unwrap();
            let publish = sns.publish().set_topic_arn(created.topic_arn).message("a batch");
            let publish = publish.message_attributes("content_type", declared);
            publish.message_attributes("batch", batch).send().await.unwrap();
            Ok(())
        };
        Some(publish.boxed())
    }
}
