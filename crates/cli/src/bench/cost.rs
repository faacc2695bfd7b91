//! What a run costs in a real AWS account, and whether that is wanted.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Result;

use super::arguments::{BenchArguments, End};
use crate::output::failure::WrongUse;
use worldbus::BusUrl;
use worldbus_cost::model::{self, Encoding, Load, ROUND_TRIP_S, Way};
use worldbus_cost::prices::Prices;

/// Bytes of a plain time.updated.
const PAYLOAD_BYTES: u32 = 10;
const SCHEME: &str = "sns-sqs://";

/// Whether the run may begin: over SNS and SQS only by `--yes` or a person's.
///
/// # Errors
/// Without `--yes` and without a terminal to ask on.
pub(super) fn accepted(url: &BusUrl, arguments: &BenchArguments) -> Result<bool> {
    let BusUrl::SnsSqs(text) = url else { return Ok(true) };
    if arguments.yes {
        return Ok(true);
    }
    let estimate = estimate(text, arguments);
    if !io::stdin().is_terminal() {
        return Err(WrongUse(format!("{estimate}; give --yes to run it")).into());
    }
    let mut err = io::stderr().lock();
    write!(err, "{estimate}. Run it? [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// What it costs, for people; an upper bound where no number of events is stated.
fn estimate(url: &str, arguments: &BenchArguments) -> String {
    let linger_ms = model::default_linger_ms();
    // The window goes once a round trip.
    let window = arguments.window() as f64 * f64::from(arguments.batch_events.unwrap_or(1));
    let fastest = window / (f64::from(linger_ms) / 1000.0 + ROUND_TRIP_S);
    let rate = arguments.rate.unwrap_or(fastest).min(fastest);
    let events = match arguments.end() {
        End::Events(events) => events as f64,
        End::Seconds(seconds) => rate * seconds,
    };
    let load = Load {
        rate,
        payload_bytes: arguments.payload_bytes.unwrap_or(PAYLOAD_BYTES),
        producers: arguments.topics,
        subscribers: arguments.subscribers,
    };
    let region = url.trim_start_matches(SCHEME).split(['?', '/']).next().unwrap_or_default();
    let way = Way::Batches { linger_ms, encoding: Encoding::Protobuf };
    let prices = Prices::of(region).ok();
    match prices.and_then(|prices| model::cost(&load, way, &prices)) {
        Some(cost) => {
            let usd = cost.usd_per_million_events * events / 1e6;
            format!(
                "AWS bills this run: {events:.0} events to {} are about {usd:.4} USD, by the \
                 prices of `worldbus cost`",
                worldbus_bus::counted(u64::from(load.subscribers), "queue", "queues")
            )
        }
        None => "AWS bills this run, and how much is not known: `worldbus cost` has no price \
                 for it"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        bench: BenchArguments,
    }

    fn of(url: &str, line: &[&str]) -> String {
        let line = [&["bench"], line].concat();
        estimate(url, &Line::parse_from(line).bench)
    }

    #[test]
    fn estimate_grows_with_events_and_queues_and_names_what_has_no_price() {
        let url = "sns-sqs://us-east-1?prefix=x";
        let usd = |line: &[&str]| {
            let text = of(url, line);
            let (_, amount) = text.split_once(" about ").unwrap();
            amount.split(' ').next().unwrap().parse::<f64>().unwrap()
        };
        let one = usd(&["--events", "100000000"]);
        assert!(one > 0.01, "{one}");
        assert!(usd(&["--events", "1000000000"]) > 9.0 * one);
        assert!(usd(&["--events", "100000000", "--subscribers", "8"]) > one);
        assert!(of(url, &["--seconds", "5"]).contains(" events to 1 queue "));
        assert!(of("sns-sqs://mars-north-1", &[]).contains("no price"));
    }
}
