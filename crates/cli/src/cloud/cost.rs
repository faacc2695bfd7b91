//! `worldbus cost`: what a load costs over AWS SNS and SQS, beside the ways that it replaces; and
//! what a whole deployment costs, which `worldbus deploy` shows too.
//!
//! Figures and prices are in `worldbus-cost`; here are the arguments, their limits, and the table.

mod table;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::cloud::composition::composition;
use crate::cloud::deploy::Profile;
use crate::output;
use crate::output::failure::WrongUse;
use crate::output::format::Format;
use worldbus_cost::bill;
use worldbus_cost::model::{self, Cost, Encoding, Load, MESSAGE_BYTES_MAX, Way};
use worldbus_cost::prices::{self, Prices};
use worldbus_deploy::{Deployment, Options};

/// Events a second at most: more is a mistake of units.
const RATE_MAX: f64 = 1e8;
/// A longer wait is no live event.
const LINGER_MS_MAX: u32 = 20_000;
/// Processes, and queues.
const COUNT_MAX: u32 = 100_000;

/// What says which load, and how it is carried.
const LOAD: [&str; 6] =
    ["rate", "payload_bytes", "linger_ms", "subscribers", "producers", "encoding"];

/// A load, and how it is carried.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct CostArguments {
    /// Events a second, of all producers; one world's clock says 2.4
    #[arg(long, value_name = "EVENTS", default_value_t = 2.4)]
    rate: f64,
    /// Bytes of an event's payload as protobuf; a tick has 10
    #[arg(long, value_name = "BYTES", default_value_t = 10)]
    payload_bytes: u32,
    /// How long an event waits for others to share its request
    #[arg(long, value_name = "MS", default_value_t = model::default_linger_ms())]
    linger_ms: u32,
    /// Queues that every event goes to
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    subscribers: u32,
    /// Processes that publish; each batches on its own
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    producers: u32,
    /// How batches are written
    #[arg(long, value_enum, default_value_t)]
    encoding: CostEncoding,
    /// The region of AWS whose prices count
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    region: String,
    /// Estimate a whole deployment of this profile instead, beside the system before
    #[arg(long, value_enum, conflicts_with_all = LOAD)]
    profile: Option<Profile>,
    /// How to write the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// How batches are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum CostEncoding {
    /// Columns of protobuf, as they are
    #[default]
    Protobuf,
    /// The same, compressed: to a fifth, as ticks are; other payloads compress less
    Zstd,
    /// The JSON form, for people
    Json,
}

const HELP: &str = "\
Examples:
  worldbus cost                                        one world's clock
  worldbus cost --rate 80000 --subscribers 5
  worldbus cost --rate 2.4 --linger-ms 1000 --format json
  worldbus cost --profile production                   a whole deployment, a month

A model with a built-in price table, not a bill: check the prices at its foot before quoting.";

/// A way with its name and what it costs.
struct Column {
    name: &'static str,
    /// `None` if an event fits no message.
    cost: Option<Cost>,
}

/// Prints what the load costs.
pub(crate) fn run(arguments: &CostArguments) -> Result<ExitCode> {
    check(arguments)?;
    let prices = Prices::of(&arguments.region).map_err(WrongUse)?;
    let page = match (arguments.profile, arguments.format) {
        (Some(profile), format) => deployment(profile, &arguments.region, format)?,
        (None, Format::Text) => table::text(arguments, &columns(arguments, &prices), &prices),
        (None, Format::Json) => table::json(arguments, &columns(arguments, &prices), &prices)?,
    };
    output::page(&page)?;
    Ok(ExitCode::SUCCESS)
}

/// What a deployment of a profile costs a month, as it is by default.
fn deployment(profile: Profile, region: &str, format: Format) -> Result<String> {
    let options = Options {
        region: region.to_owned(),
        system_name: "gaming-system".to_owned(),
        parameters: [("Profile".to_owned(), profile.name().to_owned())].into(),
        ..Options::default()
    };
    let deployment = Deployment::new(options, composition()?)?;
    let resources = deployment.resources(&|_| None);
    let composition = &deployment.composition;
    let prices = prices::list(region).map_err(WrongUse)?;
    let document = bill::json(region, &resources, composition, &prices);
    Ok(format.page(&document, || bill::text(region, &resources, composition, &prices)))
}

fn columns(arguments: &CostArguments, prices: &Prices) -> Vec<Column> {
    let CostArguments { rate, payload_bytes, producers, subscribers, .. } = *arguments;
    let load = Load { rate, payload_bytes, producers, subscribers };
    let linger_ms = arguments.linger_ms;
    let encoding = match arguments.encoding {
        CostEncoding::Protobuf => Encoding::Protobuf,
        CostEncoding::Zstd => Encoding::Zstd,
        CostEncoding::Json => Encoding::Json,
    };
    let mut ways = vec![
        ("json", Way::JsonSingles),
        ("protobuf x10", Way::ProtobufTens { linger_ms }),
        ("worldbus, no linger", Way::Batches { linger_ms: 0, encoding }),
    ];
    if linger_ms > 0 {
        ways.push(("worldbus", Way::Batches { linger_ms, encoding }));
    }
    let column = |(name, way)| Column { name, cost: model::cost(&load, way, prices) };
    ways.into_iter().map(column).collect()
}

fn check(arguments: &CostArguments) -> Result<()> {
    let refuse = |text: String| Err(WrongUse(text).into());
    let CostArguments { rate, payload_bytes, linger_ms, .. } = *arguments;
    if !(rate > 0.0 && rate <= RATE_MAX) {
        return refuse(format!(
            "--rate {rate}: expected events a second, more than 0 and at most {RATE_MAX}; \
             one world's clock says 2.4"
        ));
    }
    if payload_bytes >= MESSAGE_BYTES_MAX - 1024 {
        return refuse(format!(
            "--payload-bytes {payload_bytes}: a message holds {MESSAGE_BYTES_MAX} bytes with all \
             that goes with it; put large data elsewhere and publish a reference to it"
        ));
    }
    if linger_ms > LINGER_MS_MAX {
        return refuse(format!(
            "--linger-ms {linger_ms}: expected {LINGER_MS_MAX} at most, which is 20 s late"
        ));
    }
    for (flag, count) in
        [("producers", arguments.producers), ("subscribers", arguments.subscribers)]
    {
        if !(1..=COUNT_MAX).contains(&count) {
            return refuse(format!("--{flag} {count}: expected 1 to {COUNT_MAX}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_acks_as_the_transport_does() {
        assert_eq!(model::ACK_LINGER, worldbus_transport_sns_sqs::ACK_LINGER);
    }
}
