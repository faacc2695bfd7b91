//! Plans as a page for people, or as JSON. Not here: any figure.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::{Value, json};

use crate::output::table::{Table, grouped};
use worldbus_bus::counted;
use worldbus_cost::plan::{
    Disk, Engine, HEADROOM_SHARE, Item, Plan, REGION, Source, Wanted, cheapest_shared, short,
};

/// A row: its label, and its cell of a plan.
type Row = (&'static str, fn(&Plan) -> String);

const ROWS: [Row; 14] = [
    ("run", run),
    ("topics of each, at most", |plan| plan.topics_each.to_string()),
    ("publishers, at least", |plan| grouped(plan.publishers as f64)),
    ("window, in flight at each log", |plan| plan.window.map_or_else(none, |n| n.to_string())),
    ("events a batch, about", |plan| short(plan.batch_events)),
    ("linger", |plan| format!("{} ms", plan.linger_ms)),
    ("events/s with this window", |plan| plan.window_events_per_s.map_or_else(none, short)),
    ("capacity, events/s", |plan| short(plan.capacity_events_per_s)),
    ("share of capacity used", |plan| percent(plan.share_used)),
    ("latency p50, order of", |plan| ms(plan.p50_ms)),
    ("latency p99, order of", |plan| ms(plan.p99_ms)),
    ("bytes an event, on the wire", |plan| short(plan.event_bytes)),
    ("network", |plan| match plan.network_bytes_per_s {
        0.0 => none(),
        bytes => format!("{}/s", size(bytes)),
    }),
    ("disk, written", |plan| match plan.disk {
        Some(disk) => format!("{}/s, {} a day", size(disk.bytes_per_s), size(disk.bytes_per_day)),
        None => none(),
    }),
];

/// A table with a column an engine, what it costs, what to know, and where it is from.
pub(super) fn text(wanted: &Wanted, plans: &[Plan], source: &Source) -> String {
    let mut page = load(wanted) + "\n";
    if plans.len() > 1 {
        page += &choice(plans);
    }
    page.push('\n');
    page += &table(wanted, plans);
    page += "\nUSD a month of 30 days\n";
    for plan in plans {
        page += &bill(plan);
    }
    for plan in plans {
        let _ = writeln!(page, "\n{}", name(plan.engine));
        for note in &plan.notes {
            // Writing to a String cannot fail.
            let _ = writeln!(page, "- {note}");
        }
    }
    page + "\n" + &foot(source)
}

/// One JSON object.
pub(super) fn json(wanted: &Wanted, plans: &[Plan], source: &Source) -> Result<Value> {
    let plan = |plan: &Plan| -> Result<Value> {
        let mut document = serde_json::to_value(plan)?;
        document["usd_per_month"] = plan.usd_per_month().into();
        Ok(document)
    };
    Ok(json!({
        "events_per_s": wanted.events_per_s,
        "payload_bytes": wanted.payload_bytes,
        "topics": wanted.topics,
        "subscribers": wanted.subscribers,
        "retention_hours": wanted.retention_hours,
        "disk_gib": wanted.disk_gib,
        "headroom_share": HEADROOM_SHARE,
        "region": REGION,
        "cheapest_shared": cheapest_shared(plans),
        "plans": plans.iter().map(plan).collect::<Result<Vec<_>>>()?,
        "measured": source,
    }))
}

fn load(wanted: &Wanted) -> String {
    let how = match wanted.batch_events {
        Some(events) => format!("ready batches of {events}"),
        None => "one event a call".to_owned(),
    };
    format!(
        "{} events/s of {} bytes, {how}, {}, {}; at most {} of the capacity is planned for",
        match wanted.events_per_s {
            rate if rate < 100.0 => short(rate),
            rate => grouped(rate),
        },
        wanted.payload_bytes,
        counted(u64::from(wanted.topics), "topic", "topics"),
        counted(u64::from(wanted.subscribers), "subscriber", "subscribers"),
        percent(HEADROOM_SHARE)
    )
}

/// Which to take.
fn choice(plans: &[Plan]) -> String {
    let Some(shared) = cheapest_shared(plans) else { return String::new() };
    format!(
        "several processes: {}, which costs least of those that they can share; all in one \
         process: embedded\n",
        name(shared)
    )
}

fn table(wanted: &Wanted, plans: &[Plan]) -> String {
    let mut heading = vec![""];
    heading.extend(plans.iter().map(|plan| name(plan.engine)));
    let mut table = Table::new(&heading);
    let mut row = |label: String, cell: &dyn Fn(&Plan) -> String| {
        let cells = plans.iter().map(cell);
        table.row([label].into_iter().chain(cells));
    };
    for (label, cell) in ROWS {
        row(label.to_owned(), &cell);
    }
    let of_disk = |plan: &Plan, cell: &dyn Fn(Disk) -> String| plan.disk.map_or_else(none, cell);
    row(format!("disk for {} h", wanted.retention_hours), &|plan| {
        of_disk(plan, &|disk| size(disk.bytes_for_retention))
    });
    if let Some(gib) = wanted.disk_gib {
        row(format!("kept on {gib} GiB a log"), &|plan| {
            of_disk(plan, &|disk| hours(disk.hours_that_fit.unwrap_or_default()))
        });
    }
    table.to_string()
}

fn bill(plan: &Plan) -> String {
    let mut text = format!("  {}: {:.2}\n", name(plan.engine), plan.usd_per_month());
    for Item { item, usd } in &plan.month {
        let usd = usd.map_or_else(|| "not priced".to_owned(), |usd| format!("{usd:.2}"));
        let _ = writeln!(text, "    {item}  {usd}");
    }
    text
}

fn foot(source: &Source) -> String {
    let Source { command, commit, day, processor, cores, note } = source;
    let command = command.as_ref().map(|command| format!(" by `{command}`")).unwrap_or_default();
    let note = note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
    format!(
        "Measured on {day} at commit {commit}{command}, on one machine of {cores} cores \
         ({processor}), over loopback{note}.\nWhat your machine, its disk and your network carry \
         is not known here: measure it by `worldbus bench --url URL`.\nPrices and quotas are of \
         {REGION}, some from memory: check them before quoting; `worldbus cost --profile minimal` \
         lists where prices are from.\n"
    )
}

fn name(engine: Engine) -> &'static str {
    match engine {
        Engine::Embedded => "embedded",
        Engine::Remote => "remote",
        Engine::SnsSqs => "sns-sqs",
    }
}

fn run(plan: &Plan) -> String {
    let (one, many) = match plan.engine {
        Engine::Embedded => ("process", "processes"),
        Engine::Remote => ("event-bus", "event-buses"),
        Engine::SnsSqs => ("account", "accounts or regions"),
    };
    counted(plan.count, one, many)
}

fn none() -> String {
    "-".to_owned()
}

fn percent(share: f64) -> String {
    match share * 100.0 {
        percent @ 10.0.. => format!("{percent:.0} %"),
        percent @ 0.01.. => format!("{} %", short(percent)),
        _ => "less than 0.01 %".to_owned(),
    }
}

fn ms(time: Option<f64>) -> String {
    time.map_or_else(|| "not measured".to_owned(), |ms| format!("{} ms", short(ms)))
}

fn hours(hours: f64) -> String {
    if hours < 48.0 {
        format!("{} h", short(hours))
    } else {
        format!("{} days", short(hours / 24.0))
    }
}

/// Bytes, in units of a thousand.
fn size(bytes: f64) -> String {
    let text = short(bytes);
    if text.contains(' ') { text + "B" } else { text + " B" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_have_units() {
        assert_eq!([size(15_092_000.0), size(75.0)], ["15.1 MB", "75 B"]);
        assert_eq!([hours(0.5), hours(47.0), hours(72.0)], ["0.5 h", "47 h", "3 days"]);
        assert_eq!(
            [percent(0.5), percent(0.043), percent(1e-9)],
            ["50 %", "4.3 %", "less than 0.01 %"]
        );
        assert_eq!([ms(Some(1.152)), ms(None)], ["1.15 ms", "not measured"]);
    }
}
