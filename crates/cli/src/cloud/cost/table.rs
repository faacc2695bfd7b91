//! The result as a table for people, or as JSON. Not here: any figure.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::{Value, json};

use super::{Column, CostArguments};
use crate::output::table::grouped;
use worldbus_cost::model::{ACK_LINGER, Cost, ROUND_TRIP_S};
use worldbus_cost::prices::Prices;

/// A row: its label, and its figure of a cost.
type Row = (&'static str, fn(&Cost) -> f64);

const ROWS: [Row; 13] = [
    ("publish requests /s", |cost| cost.publish_requests),
    ("messages (batches) /s", |cost| cost.messages),
    ("events a message", |cost| cost.events_per_message),
    ("bytes an event", |cost| cost.bytes_per_event),
    ("added latency, ms at most", |cost| f64::from(cost.added_latency_ms)),
    ("all requests /s", |cost| cost.requests),
    ("billed /s: publish", |cost| cost.publish_units),
    ("billed /s: receive", |cost| cost.receive_units),
    ("billed /s: delete", |cost| cost.delete_units),
    ("billed /s: idle polls", |cost| cost.idle_units),
    ("billed /s: all", Cost::units),
    ("USD a million events", |cost| cost.usd_per_million_events),
    ("USD a month (30 days)", |cost| cost.usd_per_month),
];

/// A table with a column a way.
pub(super) fn text(arguments: &CostArguments, columns: &[Column], prices: &Prices) -> String {
    let CostArguments { rate, payload_bytes, linger_ms, producers, subscribers, .. } = arguments;
    let region = &arguments.region;
    let mut page = format!(
        "{rate} events/s of {payload_bytes} bytes, {producers} producers, {subscribers} \
         subscribers, linger {linger_ms} ms, SNS and SQS in {region}\n\n"
    );
    let labels = ROWS.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    // Writing to a String cannot fail.
    let _ = write!(page, "{:labels$}", "");
    for Column { name, .. } in columns {
        let _ = write!(page, "  {name:>19}");
    }
    page.push('\n');
    for (label, figure) in ROWS {
        let _ = write!(page, "{label:labels$}");
        for Column { cost, .. } in columns {
            let cell = cost.as_ref().map_or("does not fit".to_owned(), |cost| number(figure(cost)));
            let _ = write!(page, "  {cell:>19}");
        }
        page.push('\n');
    }
    page.push_str(&footer(prices));
    page
}

fn footer(prices: &Prices) -> String {
    let round_trip_ms = ROUND_TRIP_S * 1000.0;
    let ack_linger_ms = ACK_LINGER.as_millis();
    let mut footer = format!(
        "\njson: an event a request, 291 bytes a tick, as the system before; protobuf x10: \
         PublishBatch of ten\nmessages of an event each; worldbus: EventBatch in a binary \
         attribute, 180 KiB a message.\nA model of means: a request takes {round_trip_ms} ms; \
         each queue is polled 20 s long by one idle poller,\n\
         and acks of worldbus wait {ack_linger_ms} ms for others.\n\
         Prices, to check before quoting (D documented, T third parties, M from memory):\n"
    );
    for price in &prices.all {
        let _ = writeln!(
            footer,
            "  {:.2} USD a million, {} ({:?}, {}, {})",
            price.usd / f64::from(price.per) * 1e6,
            price.unit,
            price.certainty,
            price.date,
            price.source
        );
    }
    footer
}

/// One JSON object: the load, a cost a way, the prices.
pub(super) fn json(
    arguments: &CostArguments,
    columns: &[Column],
    prices: &Prices,
) -> Result<String> {
    let ways: Vec<Value> = columns
        .iter()
        .map(|Column { name, cost }| json!({ "way": name, "per_second": cost }))
        .collect();
    let prices: Vec<Value> = prices
        .all
        .iter()
        .map(|price| {
            json!({
                "usd_per_million": price.usd / f64::from(price.per) * 1e6,
                "unit": price.unit,
                "region": price.region,
                "date": price.date,
                "source": price.source,
                "certainty": format!("{:?}", price.certainty),
            })
        })
        .collect();
    let document = json!({
        "rate": arguments.rate,
        "payload_bytes": arguments.payload_bytes,
        "linger_ms": arguments.linger_ms,
        "producers": arguments.producers,
        "subscribers": arguments.subscribers,
        "ways": ways,
        "prices": prices,
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// Three digits or so, whole thousands apart.
fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if value < 0.01 {
        return format!("{value:.1e}");
    }
    if value < 100.0 {
        return format!("{value:.2}");
    }
    grouped(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_thousands_are_apart() {
        let cases = [(0.0, "0"), (0.004, "4.0e-3"), (2.4, "2.40"), (999.6, "1,000")];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
        assert_eq!(number(207_360_000.0), "207,360,000");
    }
}
