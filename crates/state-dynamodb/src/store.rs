//! The store itself.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::address::Options;
use crate::failure::{reading, writing};
use crate::item::{self, Item, NAME, PART, REVISION, number, text};
use worldbus_aws::{CallError, Caller, SdkConfig, Service};
use worldbus_bus::Backoff;
use worldbus_service::state::{
    Conflict, Entry, Error, Kind, LIST_COUNT_MAX, StateStore, check_key, check_value,
};

const DYNAMODB: Service = Service { id: "DynamoDB", signing_name: "dynamodb", host: "dynamodb" };
/// Of AWS's JSON protocol.
const JSON_VERSION: &str = "1.0";
const API: &str = "DynamoDB_20120810";
/// How often a write or a list is tried while others write.
const TURN_COUNT_MAX: u32 = 32;
/// Pauses between turns.
const PAUSE_MIN: Duration = Duration::from_millis(2);
const PAUSE_MAX: Duration = Duration::from_millis(250);
/// How long a table that is created may take to be there.
const CREATION_MAX: Duration = Duration::from_secs(60);

/// A state store in a table.
#[derive(Debug, Clone)]
pub struct DynamoDb {
    dynamodb: Caller,
    table: String,
}

impl DynamoDb {
    /// Opens the table that a URL names, with credentials and endpoint as every AWS tool takes
    /// them.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] for another URL; [`Kind::Unopenable`] if the table is not there, or
    /// not for us; [`Kind::Busy`] if DynamoDB is not there.
    pub async fn open(url: &str) -> Result<Self, Error> {
        let options = Options::parse(url)?;
        Self::connect(&options, worldbus_aws::load().await).await
    }

    /// As [`DynamoDb::open`], with credentials, endpoint and HTTP client of the caller's.
    ///
    /// # Errors
    /// As there.
    pub async fn connect(options: &Options, sdk: SdkConfig) -> Result<Self, Error> {
        let sdk = worldbus_aws::bounded(sdk, &options.region);
        let dynamodb = Caller::new(&sdk, DYNAMODB, &options.region);
        let this = Self { dynamodb, table: options.table.clone() };
        if options.create {
            this.create().await?;
        }
        // What is missing is reported at the start.
        this.last_revision().await?;
        Ok(this)
    }

    /// Calls an action; `input` is what it takes.
    async fn call(&self, action: &str, input: &Value) -> Result<Value, CallError> {
        self.dynamodb.json(JSON_VERSION, &format!("{API}.{action}"), input).await
    }

    async fn create(&self) -> Result<(), Error> {
        let request = json!({
            "TableName": self.table,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [
                { "AttributeName": PART, "KeyType": "HASH" },
                { "AttributeName": NAME, "KeyType": "RANGE" },
            ],
            "AttributeDefinitions": [
                { "AttributeName": PART, "AttributeType": "S" },
                { "AttributeName": NAME, "AttributeType": "S" },
            ],
        });
        match self.call("CreateTable", &request).await {
            Ok(_) => tracing::info!(table = self.table, "state table created"),
            Err(CallError::Refused { code, .. }) if code == "ResourceInUseException" => {
                return Ok(());
            }
            Err(error) => return Err(writing(&self.table, error)),
        }
        let end = Instant::now() + CREATION_MAX;
        let request = json!({ "TableName": self.table });
        loop {
            let described = self.call("DescribeTable", &request).await;
            let described = described.map_err(|error| reading(&self.table, error))?;
            if described["Table"]["TableStatus"] == "ACTIVE" {
                return Ok(());
            }
            if Instant::now() > end {
                let table = &self.table;
                let context = format!("state table {table} is being created still; start again");
                return Err(Error::new(Kind::Busy, context));
            }
            sleep(PAUSE_MAX).await;
        }
    }

    async fn item(&self, place: Item) -> Result<Option<Item>, Error> {
        let request = json!({ "TableName": self.table, "Key": place, "ConsistentRead": true });
        let answer = self.call("GetItem", &request).await;
        let answer = answer.map_err(|error| reading(&self.table, error))?;
        Ok(answer["Item"].as_object().cloned())
    }

    /// The last revision that was given; 0 before the first.
    async fn last_revision(&self) -> Result<u64, Error> {
        match self.item(item::last_revision()).await? {
            None => Ok(0),
            Some(item) => item::revision(&item).ok_or_else(|| self.foreign()),
        }
    }

    /// Changes an entry if it is at revision `expected`; the new revision.
    async fn change(
        &self,
        key: &str,
        expected: Option<u64>,
        value: Option<Vec<u8>>,
    ) -> Result<Result<u64, Conflict>, Error> {
        let mut pauses = Backoff::new(PAUSE_MIN, PAUSE_MAX);
        for _ in 0..TURN_COUNT_MAX {
            let last = self.last_revision().await?;
            let request = json!({
                "ClientRequestToken": token()?,
                "TransactItems": [
                    { "Update": self.raise(last) },
                    self.entry_change(key, expected, value.as_deref(), last + 1),
                ],
            });
            let error = match self.call("TransactWriteItems", &request).await {
                Ok(_) => return Ok(Ok(last + 1)),
                Err(error) => error,
            };
            let Some(reasons) = cancelled(&error) else {
                return Err(writing(&self.table, error));
            };
            let entry = reasons.get(1).filter(|reason| failed(reason));
            if let Some(reason) = entry {
                let item = reason["Item"].as_object().filter(|item| !item.is_empty());
                let current = item.map(|item| self.read(item)).transpose()?;
                return Ok(Err(Conflict { current: current.map(|(_, entry)| entry) }));
            }
            // Another writer was first, at the revision or in the same instant.
            sleep(pauses.next()).await;
        }
        let context = format!("state key `{key}`: others wrote before us {TURN_COUNT_MAX} times");
        Err(Error::new(Kind::Busy, context))
    }

    /// Raises the last revision if it is still this.
    fn raise(&self, last: u64) -> Value {
        let mut update = json!({
            "TableName": self.table,
            "Key": item::last_revision(),
            "UpdateExpression": "SET #revision = :next",
            "ConditionExpression": "attribute_not_exists(#revision)",
            "ExpressionAttributeNames": { "#revision": REVISION },
            "ExpressionAttributeValues": { ":next": number(last + 1) },
        });
        if last > 0 {
            update["ConditionExpression"] = json!("#revision = :last");
            update["ExpressionAttributeValues"][":last"] = number(last);
        }
        update
    }

    /// Writes or, without a value, deletes an entry if it is at revision `expected`.
    fn entry_change(
        &self,
        key: &str,
        expected: Option<u64>,
        value: Option<&[u8]>,
        revision: u64,
    ) -> Value {
        let mut change = json!({
            "TableName": self.table,
            "ConditionExpression": "attribute_not_exists(#revision)",
            "ExpressionAttributeNames": { "#revision": REVISION },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        });
        if let Some(expected) = expected {
            change["ConditionExpression"] = json!("#revision = :expected");
            change["ExpressionAttributeValues"] = json!({ ":expected": number(expected) });
        }
        if let Some(value) = value {
            change["Item"] = item::written(key, revision, value).into();
            json!({ "Put": change })
        } else {
            change["Key"] = item::place(key).into();
            json!({ "Delete": change })
        }
    }

    /// All entries of a prefix, in pages that need not be of one instant.
    async fn pages(&self, prefix: &str) -> Result<Vec<(String, Entry)>, Error> {
        let mut found = Vec::new();
        let mut request = json!({
            "TableName": self.table,
            "ConsistentRead": true,
            "KeyConditionExpression": "#part = :part AND begins_with(#name, :name)",
            "ExpressionAttributeNames": { "#part": PART, "#name": NAME },
            "ExpressionAttributeValues": {
                ":part": text(item::ENTRIES),
                ":name": text(&item::name(prefix)),
            },
        });
        loop {
            let page = self.call("Query", &request).await;
            let mut page = page.map_err(|error| reading(&self.table, error))?;
            for item in page["Items"].as_array().into_iter().flatten() {
                if found.len() == LIST_COUNT_MAX {
                    let context =
                        format!("state has more than {LIST_COUNT_MAX} keys under `{prefix}`");
                    return Err(Error::new(Kind::TooLarge, context));
                }
                found.push(self.read(item.as_object().ok_or_else(|| self.foreign())?)?);
            }
            let next = page["LastEvaluatedKey"].take();
            if next.as_object().is_none_or(Item::is_empty) {
                return Ok(found);
            }
            request["ExclusiveStartKey"] = next;
        }
    }

    fn read(&self, item: &Item) -> Result<(String, Entry), Error> {
        item::read(item).ok_or_else(|| self.foreign())
    }

    fn foreign(&self) -> Error {
        let table = &self.table;
        let context =
            format!("state table {table} holds an item that is not ours; give us one of our own");
        Error::new(Kind::Damaged, context)
    }
}

/// Why a transaction did not happen, change by change; `None` for another error.
fn cancelled(error: &CallError) -> Option<Vec<Value>> {
    match error {
        CallError::Refused { code, answer, .. } if code == "TransactionCanceledException" => {
            let mut answer: Value = serde_json::from_str(answer).ok()?;
            serde_json::from_value(answer["CancellationReasons"].take()).ok()
        }
        _ => None,
    }
}

fn failed(reason: &Value) -> bool {
    reason["Code"] == "ConditionalCheckFailed"
}

/// A transaction whose answer was lost is tried again under the same token, and happens once.
fn token() -> Result<String, Error> {
    let bits = getrandom::u64().map_err(|error| {
        Error::new(Kind::Io, "the system gives no random bits").caused_by(error)
    })?;
    Ok(format!("{bits:016x}"))
}

#[async_trait]
impl StateStore for DynamoDb {
    async fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        check_key(key)?;
        let found = self.item(item::place(key)).await?;
        found.map(|item| Ok(self.read(&item)?.1)).transpose()
    }

    async fn compare_and_set(
        &self,
        key: &str,
        expected: Option<u64>,
        value: Vec<u8>,
    ) -> Result<Result<u64, Conflict>, Error> {
        check_key(key)?;
        check_value(key, &value)?;
        self.change(key, expected, Some(value)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, Entry)>, Error> {
        check_key(prefix)?;
        let mut pauses = Backoff::new(PAUSE_MIN, PAUSE_MAX);
        let mut before = self.last_revision().await?;
        for _ in 0..TURN_COUNT_MAX {
            let found = self.pages(prefix).await?;
            let after = self.last_revision().await?;
            if after == before {
                return Ok(found);
            }
            before = after;
            sleep(pauses.next()).await;
        }
        let context = format!("state keys under `{prefix}`: they do not stop changing");
        Err(Error::new(Kind::Busy, context))
    }

    async fn delete(&self, key: &str, expected: u64) -> Result<Result<(), Conflict>, Error> {
        check_key(key)?;
        Ok(self.change(key, Some(expected), None).await?.map(drop))
    }
}
