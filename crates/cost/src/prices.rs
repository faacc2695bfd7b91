//! The price table: data with date, source and certainty, built in. Not for: what is bought
//! (`model`, `bill`), nor for asking AWS.

use serde::Deserialize;

/// The table as it stands in the repository.
const TABLE: &str = include_str!("prices.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    price: Vec<Price>,
}

/// One price.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// What is charged for.
    pub item: Item,
    /// The region of AWS.
    pub region: String,
    /// USD for `per` units.
    pub usd: f64,
    /// How many units that is for.
    #[serde(default = "one")]
    pub per: u32,
    /// What a unit is, in words.
    pub unit: String,
    /// When it was looked up.
    pub date: String,
    /// Where.
    pub source: String,
    /// How far to trust it.
    pub certainty: Certainty,
}

/// What is charged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A unit published to a topic.
    SnsPublish,
    /// A delivery from a topic to a queue.
    SnsToSqs,
    /// A unit of any request to a queue.
    SqsRequest,
    /// An hour of a vCPU, x86.
    FargateX86Cpu,
    /// An hour of a GB of memory, x86.
    FargateX86Memory,
    /// An hour of a vCPU, ARM.
    FargateArmCpu,
    /// An hour of a GB of memory, ARM.
    FargateArmMemory,
    /// What Spot costs of the same, when it is cheap.
    SpotShareLow,
    /// The same when it is dear.
    SpotShareHigh,
    /// A GB that is logged.
    LogsIn,
    /// A GB of logs, a month.
    LogsKept,
    /// An hour of an address.
    PublicAddress,
    /// An hour of a NAT gateway.
    NatGateway,
    /// An hour of a balancer.
    Balancer,
    /// An hour of an endpoint in a zone.
    Endpoint,
    /// A secret, a month.
    Secret,
    /// A metric of an alarm, a month.
    Alarm,
    /// A dashboard, a month.
    Dashboard,
    /// A private DNS zone, a month.
    HostedZone,
    /// An hour of the smallest database.
    DatabaseT4gMicro,
    /// A GB of a database's storage, a month.
    DatabaseStorage,
    /// A GB of backups beyond the size of the storage, a month.
    DatabaseBackup,
    /// A GB of a volume, a month.
    Volume,
}

impl Item {
    /// Whether it is of SNS or SQS.
    fn is_of_messages(self) -> bool {
        matches!(self, Self::SnsPublish | Self::SnsToSqs | Self::SqsRequest)
    }
}

/// How far to trust a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Certainty {
    /// From AWS's documentation.
    D,
    /// From third parties.
    T,
    /// From memory.
    M,
}

/// The prices of SNS and SQS in one region.
#[derive(Debug, Clone)]
pub struct Prices {
    /// All that was looked up there.
    pub all: Vec<Price>,
    /// USD for a unit published.
    pub sns_publish: f64,
    /// USD for a delivery to a queue.
    pub sns_to_sqs: f64,
    /// USD for a unit of a queue's requests.
    pub sqs_request: f64,
}

impl Prices {
    /// The prices of a region.
    ///
    /// # Errors
    /// In words, naming the regions that are known.
    pub fn of(region: &str) -> Result<Self, String> {
        let mut all = list(region)?;
        all.retain(|price| price.item.is_of_messages());
        let find = |item: Item| usd(&all, item);
        let found = (find(Item::SnsPublish), find(Item::SnsToSqs), find(Item::SqsRequest));
        let (Some(sns_publish), Some(sns_to_sqs), Some(sqs_request)) = found else {
            let mut known: Vec<_> = table()?.into_iter().map(|price| price.region).collect();
            known.dedup();
            let known = known.join(", ");
            return Err(format!("no prices of region {region:?} are built in; --region {known}"));
        };
        Ok(Self { all, sns_publish, sns_to_sqs, sqs_request })
    }
}

/// All prices of a region; none if nothing was looked up there.
///
/// # Errors
/// In words, if the table is broken.
pub fn list(region: &str) -> Result<Vec<Price>, String> {
    let mut all = table()?;
    all.retain(|price| price.region == region);
    Ok(all)
}

/// USD for a unit; `None` if it was not looked up.
pub fn usd(prices: &[Price], item: Item) -> Option<f64> {
    let price = prices.iter().find(|price| price.item == item)?;
    Some(price.usd / f64::from(price.per))
}

fn table() -> Result<Vec<Price>, String> {
    let broken = |error| format!("the built-in price table: {error}");
    Ok(toml::from_str::<Table>(TABLE).map_err(broken)?.price)
}

fn one() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_price_has_a_date_a_source_and_a_certainty() {
        let table: Table = toml::from_str(TABLE).unwrap();
        assert!(!table.price.is_empty());
        for price in table.price {
            assert!(price.date.parse::<jiff::civil::Date>().is_ok(), "{price:?}");
            assert!(!price.source.is_empty() && !price.unit.is_empty(), "{price:?}");
            assert!(price.usd >= 0.0 && price.usd < 10.0 && price.per > 0, "{price:?}");
        }
        let prices = Prices::of("us-east-1").unwrap();
        let per_million = [prices.sns_publish, prices.sqs_request].map(|usd| (usd * 1e8).round());
        assert_eq!((per_million, prices.sns_to_sqs), ([50.0, 40.0], 0.0));
    }

    #[test]
    fn each_item_has_one_price_a_region() {
        let all = list("us-east-1").unwrap();
        for price in &all {
            let same = all.iter().filter(|other| other.item == price.item);
            assert_eq!(same.count(), 1, "{price:?}");
        }
        assert_eq!(usd(&all, Item::FargateX86Cpu), Some(0.04048));
        assert!(list("mars-1").unwrap().is_empty());
    }

    #[test]
    fn a_region_without_prices_is_refused_with_those_that_have() {
        let error = Prices::of("mars-1").unwrap_err();
        assert!(error.contains("us-east-1") && error.contains("mars-1"), "{error}");
    }
}
