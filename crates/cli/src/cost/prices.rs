//! The price table: data with date, source and certainty, built in. Not for: what is bought
//! (`model`), nor for asking AWS.

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
pub(crate) struct Price {
    /// What is charged for.
    pub(crate) item: Item,
    /// The region of AWS.
    pub(crate) region: String,
    /// USD for a million units.
    pub(crate) usd_per_million: f64,
    /// What a unit is, in words.
    pub(crate) unit: String,
    /// When it was looked up.
    pub(crate) date: String,
    /// Where.
    pub(crate) source: String,
    /// How far to trust it.
    pub(crate) certainty: Certainty,
}

/// What is charged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Item {
    /// A unit published to a topic.
    SnsPublish,
    /// A delivery from a topic to a queue.
    SnsToSqs,
    /// A unit of any request to a queue.
    SqsRequest,
}

/// How far to trust a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Certainty {
    /// AWS's documentation says so.
    D,
    /// Third parties say so.
    T,
    /// From memory.
    M,
}

/// The prices of one region.
#[derive(Debug, Clone)]
pub(crate) struct Prices {
    /// All that was looked up there.
    pub(crate) all: Vec<Price>,
    /// USD for a unit published.
    pub(crate) sns_publish: f64,
    /// USD for a delivery to a queue.
    pub(crate) sns_to_sqs: f64,
    /// USD for a unit of a queue's requests.
    pub(crate) sqs_request: f64,
}

impl Prices {
    /// The prices of a region.
    ///
    /// # Errors
    /// In words, naming the regions that are known.
    pub(crate) fn of(region: &str) -> Result<Self, String> {
        let broken = |error| format!("the built-in price table: {error}");
        let table: Table = toml::from_str(TABLE).map_err(broken)?;
        let mut regions: Vec<_> = table.price.iter().map(|price| price.region.clone()).collect();
        regions.dedup();
        let all: Vec<Price> = table.price.into_iter().filter(|p| p.region == region).collect();
        let find = |item: Item| {
            let price = all.iter().find(|price| price.item == item)?;
            Some(price.usd_per_million / 1e6)
        };
        let found = (find(Item::SnsPublish), find(Item::SnsToSqs), find(Item::SqsRequest));
        let (Some(sns_publish), Some(sns_to_sqs), Some(sqs_request)) = found else {
            let known = regions.join(", ");
            return Err(format!("no prices of region {region:?} are built in; --region {known}"));
        };
        Ok(Self { all, sns_publish, sns_to_sqs, sqs_request })
    }
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
            assert!(price.usd_per_million >= 0.0 && price.usd_per_million < 10.0, "{price:?}");
        }
        let prices = Prices::of("us-east-1").unwrap();
        let per_million = [prices.sns_publish, prices.sqs_request].map(|usd| (usd * 1e8).round());
        assert_eq!((per_million, prices.sns_to_sqs), ([50.0, 40.0], 0.0));
    }

    #[test]
    fn a_region_without_prices_is_refused_with_those_that_have() {
        let error = Prices::of("mars-1").unwrap_err();
        assert!(error.contains("us-east-1") && error.contains("mars-1"), "{error}");
    }
}
