//! The store at an emulated DynamoDB over HTTP: the contract of every state store, and what only a
//! table can have.
//!
//! What this cannot show: that AWS isolates transactions as it states. Both emulators do one call
//! after the other.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use serde_json::json;

use worldbus_aws::{Caller, Service};
use worldbus_service::state::{Error, Fate, Kind, LIST_COUNT_MAX, StateStore};
use worldbus_state_dynamodb::{DynamoDb, Options};
use worldbus_testkit::{
    AwsAnswer, AwsCall, Emulator, EmulatorKind, free_port, keeps_the_state_contract, scripted_aws,
};

fn sdk(port: u16) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(format!("http://127.0.0.1:{port}"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

async fn open(port: u16, url: &str) -> Result<DynamoDb, Error> {
    DynamoDb::connect(&Options::parse(url).unwrap(), sdk(port)).await
}

async fn store(port: u16) -> Arc<DynamoDb> {
    Arc::new(open(port, "dynamodb://us-east-1/state?create=true").await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_on_ministack() {
    let emulator = Emulator::start(EmulatorKind::Ministack);
    keeps_the_state_contract(store(emulator.port()).await, store(emulator.port()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_on_moto() {
    let emulator = Emulator::start(EmulatorKind::Moto);
    keeps_the_state_contract(store(emulator.port()).await, store(emulator.port()).await).await;
}

/// A page of DynamoDB is one MiB.
#[tokio::test(flavor = "multi_thread")]
async fn list_goes_over_pages() {
    let emulator = Emulator::start(EmulatorKind::Ministack);
    let store = store(emulator.port()).await;
    for number in 0..12_u8 {
        let value = vec![number; 200 << 10];
        store.compare_and_set(&format!("{number:02}"), None, value).await.unwrap().unwrap();
    }
    let listed = store.list("").await.unwrap();
    let first: Vec<u8> = listed.iter().map(|(_, entry)| entry.value[0]).collect();
    assert_eq!(first, (0..12).collect::<Vec<_>>());
    assert!(listed.len() < LIST_COUNT_MAX);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_reported_at_the_start_with_what_to_do() {
    let emulator = Emulator::start(EmulatorKind::Ministack);
    let error = open(emulator.port(), "dynamodb://us-east-1/nowhere").await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Unopenable, Fate::Refused), "{error}");
    for part in ["nowhere", "does not exist", "create=true"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    let away = open(free_port(), "dynamodb://us-east-1/state").await.unwrap_err();
    assert_eq!((away.kind(), away.fate()), (Kind::Busy, Fate::Retry), "{away}");
    assert!(away.to_string().contains("AWS_ENDPOINT_URL"), "{away}");
}

#[tokio::test(flavor = "multi_thread")]
async fn table_of_others_is_refused() {
    let emulator = Emulator::start(EmulatorKind::Ministack);
    let ours = store(emulator.port()).await;
    ours.compare_and_set("key", None, vec![1]).await.unwrap().unwrap();
    let dynamodb = Service { id: "DynamoDB", signing_name: "dynamodb", host: "dynamodb" };
    let sdk = worldbus_aws::bounded(sdk(emulator.port()), "us-east-1");
    let dynamodb = Caller::new(&sdk, dynamodb, "us-east-1");
    let stranger = json!({ "part": { "S": "entry" }, "name": { "S": "=stranger" } });
    let put = json!({ "TableName": "state", "Item": stranger });
    dynamodb.json("1.0", "DynamoDB_20120810.PutItem", &put).await.unwrap();
    let error = ours.get("stranger").await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Damaged, Fate::Refused), "{error}");
    assert_eq!(ours.list("").await.unwrap_err().kind(), Kind::Damaged);
    assert_eq!(ours.get("key").await.unwrap().unwrap().value, [1]);
}

/// The emulator is gone between two calls: nothing was sent, so nothing is in doubt.
#[tokio::test(flavor = "multi_thread")]
async fn store_that_is_away_may_be_tried_again() {
    let mut emulator = Emulator::start(EmulatorKind::Ministack);
    let store = store(emulator.port()).await;
    emulator.stop();
    let error = store.compare_and_set("key", None, vec![1]).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Busy, Fate::Retry), "{error}");
    assert_eq!(store.list("").await.unwrap_err().fate(), Fate::Retry);
}

/// An answer that is lost leaves open whether the transaction happened. Under the same token AWS
/// does it once; under another the second one would meet the revision of the first.
#[tokio::test(flavor = "multi_thread")]
async fn transaction_whose_answer_is_lost_is_tried_again_under_its_token() {
    let tokens = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&tokens);
    let script = move |call: AwsCall| {
        let mut seen = seen.lock().unwrap();
        if call.action == "TransactWriteItems" {
            seen.push(call.json["ClientRequestToken"].as_str().unwrap().to_owned());
            if seen.len() == 1 {
                return AwsAnswer::Cut;
            }
        }
        AwsAnswer::Say(200, "{}".to_owned())
    };
    let store = open(scripted_aws(script), "dynamodb://us-east-1/state").await.unwrap();
    assert_eq!(store.compare_and_set("key", None, vec![1]).await.unwrap(), Ok(1));
    store.compare_and_set("other", None, vec![1]).await.unwrap().unwrap();
    let tokens = tokens.lock().unwrap();
    let [first, again, other] = tokens.as_slice() else { panic!("{tokens:?}") };
    assert_eq!(first, again);
    assert_ne!(first, other);
}
