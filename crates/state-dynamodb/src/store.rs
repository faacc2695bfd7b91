//! The store itself.

use crate::address::Options;
use crate::failure::{reading, writing};
use crate::item::{self, Item, NAME, PART, REVISION, number, text};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, CancellationReason, Delete, KeySchemaElement, KeyType, Put,
    ReturnValuesOnConditionCheckFailure, ScalarAttributeType, TableStatus, TransactWriteItem,
    Update,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use worldbus_bus::Backoff;
use worldbus_service::state::{
    Conflict, Entry, Error, Kind, LIST_COUNT_MAX, StateStore, check_key, check_value,
};

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
    client: Client,
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
        let this = Self { client: Client::new(&sdk), table: options.table.clone() };
        if options.create {
            this.create().await?;
        }
        // What is missing is told at the start.
        this.last_revision().await?;
        Ok(this)
    }

    async fn create(&self) -> Result<(), Error> {
        let key = |name: &str, key_type| {
            KeySchemaElement::builder().attribute_name(name).key_type(key_type).build()
        };
        let attribute = |name: &str| {
            let attribute = AttributeDefinition::builder().attribute_name(name);
            attribute.attribute_type(ScalarAttributeType::S).build()
        };
        let keys = [key(PART, KeyType::Hash), key(NAME, KeyType::Range)];
        let request = self
            .client
            .create_table()
            .table_name(&self.table)
            .billing_mode(BillingMode::PayPerRequest)
            .set_key_schema(Some(self.built(keys.into_iter().collect())?))
            .set_attribute_definitions(Some(
                self.built([attribute(PART), attribute(NAME)].into_iter().collect())?,
            ));
        match request.send().await {
            Ok(_) => tracing::info!(table = self.table, "state table created"),
            Err(error) if is_there(&error) => return Ok(()),
            Err(error) => return Err(writing(&self.table, error)),
        }
        let end = Instant::now() + CREATION_MAX;
        loop {
            let described = self.client.describe_table().table_name(&self.table).send().await;
            let table = described.map_err(|error| reading(&self.table, error))?.table;
            let status = table.and_then(|table| table.table_status);
            if status == Some(TableStatus::Active) {
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
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = request.set_key(Some(place)).send().await;
        Ok(answer.map_err(|error| reading(&self.table, error))?.item)
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
            let request = self
                .client
                .transact_write_items()
                .transact_items(TransactWriteItem::builder().update(self.raise(last)?).build())
                .transact_items(self.entry_change(key, expected, value.clone(), last + 1)?);
            let error = match request.send().await {
                Ok(_) => return Ok(Ok(last + 1)),
                Err(error) => error,
            };
            let Some(reasons) = cancelled(&error) else {
                return Err(writing(&self.table, error));
            };
            let entry = reasons.get(1).filter(|reason| failed(reason));
            if let Some(reason) = entry {
                let item = reason.item().filter(|item| !item.is_empty());
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
    fn raise(&self, last: u64) -> Result<Update, Error> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(item::last_revision()))
            .update_expression("SET #revision = :next")
            .expression_attribute_names("#revision", REVISION)
            .expression_attribute_values(":next", number(last + 1));
        let update = if last == 0 {
            update.condition_expression("attribute_not_exists(#revision)")
        } else {
            update
                .condition_expression("#revision = :last")
                .expression_attribute_values(":last", number(last))
        };
        self.built(update.build())
    }

    fn entry_change(
        &self,
        key: &str,
        expected: Option<u64>,
        value: Option<Vec<u8>>,
        revision: u64,
    ) -> Result<TransactWriteItem, Error> {
        const OLD: ReturnValuesOnConditionCheckFailure =
            ReturnValuesOnConditionCheckFailure::AllOld;
        let condition = match expected {
            Some(_) => "#revision = :expected",
            None => "attribute_not_exists(#revision)",
        };
        let names = [("#revision".to_owned(), REVISION.to_owned())].into();
        let values = expected.map(|expected| [(":expected".to_owned(), number(expected))].into());
        let item = TransactWriteItem::builder();
        let item = match value {
            Some(value) => item.put(
                self.built(
                    Put::builder()
                        .table_name(&self.table)
                        .set_item(Some(item::written(key, revision, value)))
                        .condition_expression(condition)
                        .set_expression_attribute_names(Some(names))
                        .set_expression_attribute_values(values)
                        .return_values_on_condition_check_failure(OLD)
                        .build(),
                )?,
            ),
            None => item.delete(
                self.built(
                    Delete::builder()
                        .table_name(&self.table)
                        .set_key(Some(item::place(key)))
                        .condition_expression(condition)
                        .set_expression_attribute_names(Some(names))
                        .set_expression_attribute_values(values)
                        .return_values_on_condition_check_failure(OLD)
                        .build(),
                )?,
            ),
        };
        Ok(item.build())
    }

    /// All entries of a prefix, in pages that need not be of one instant.
    async fn pages(&self, prefix: &str) -> Result<Vec<(String, Entry)>, Error> {
        let mut found = Vec::new();
        let mut from = None;
        loop {
            let request = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("#part = :part AND begins_with(#name, :name)")
                .expression_attribute_names("#part", PART)
                .expression_attribute_names("#name", NAME)
                .expression_attribute_values(":part", text(item::ENTRIES))
                .expression_attribute_values(":name", text(item::name(prefix)))
                .set_exclusive_start_key(from);
            let page = request.send().await.map_err(|error| reading(&self.table, error))?;
            for item in page.items.unwrap_or_default() {
                if found.len() == LIST_COUNT_MAX {
                    let context =
                        format!("state has more than {LIST_COUNT_MAX} keys under `{prefix}`");
                    return Err(Error::new(Kind::TooLarge, context));
                }
                found.push(self.read(&item)?);
            }
            from = page.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() {
                return Ok(found);
            }
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

    /// What the SDK built; it refuses only what lacks something.
    fn built<T>(&self, built: Result<T, BuildError>) -> Result<T, Error> {
        built.map_err(|error| {
            let context = format!("state table {}: {error}", self.table);
            Error::new(Kind::Unopenable, context)
        })
    }
}

fn is_there(error: &SdkError<CreateTableError>) -> bool {
    error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception)
}

/// Why a transaction did not happen, change by change; `None` for another error.
fn cancelled(error: &SdkError<TransactWriteItemsError>) -> Option<&[CancellationReason]> {
    match error.as_service_error()? {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            Some(cancelled.cancellation_reasons())
        }
        _ => None,
    }
}

fn failed(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
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
