//! What `worldbus people` shows: who there is, what they do, are going to do, and why; places.

use anyhow::Result;
use serde_json::Value;

use super::arguments::{ListArguments, PersonArguments, PlanArguments, RegionArguments};
use crate::output::format::Format;
use crate::output::table::{Table, cell, items, pairs};
use crate::session::rest::Rest;

const MINUTES_PER_HOUR: i64 = 60;

/// A page of people.
pub(super) async fn list(rest: &Rest, format: Format, asked: ListArguments) -> Result<String> {
    let query = [
        ("region", asked.region),
        ("role", asked.role),
        ("place", asked.place),
        ("activity", asked.activity),
        ("limit", Some(asked.limit.to_string())),
        ("cursor", asked.cursor),
    ];
    let page = rest.get("/api/people", &query).await?;
    let text = || {
        let heading = ["PERSON", "NAME", "ROLE", "ACTIVITY", "PLACE", "UNTIL, GAME H"];
        let keys = ["id", "name", "role", "activity", "place"];
        let rows = items(&page, "people").map(|person| {
            let cells = keys.iter().map(|key| cell(person, key));
            cells.chain([clock(&person["until_minutes"])]).collect()
        });
        let mut text = table(&heading, rows, "no such people");
        if let Some(next) = page["next"].as_str() {
            text += &format!("more: --cursor {next}\n");
        }
        text
    };
    Ok(format.page(&page, text))
}

/// One person.
pub(super) async fn show(rest: &Rest, format: Format, asked: &PersonArguments) -> Result<String> {
    let person = rest.get(&path(&asked.person, ""), &[]).await?;
    let text = || {
        let character = person["character"].as_object().into_iter().flatten();
        let of = |(name, value): (&String, &Value)| {
            format!("{name} {:.0} %", value.as_f64().unwrap_or(0.0) * 100.0)
        };
        let (since, until) = (clock(&person["from_minutes"]), clock(&person["until_minutes"]));
        pairs(&[
            ("person", cell(&person, "id")),
            ("name", cell(&person, "name")),
            ("role", format!("{} in {}", cell(&person, "role"), cell(&person, "region"))),
            ("activity", format!("{} ({})", cell(&person, "activity"), cell(&person, "cause"))),
            ("place", cell(&person, "place")),
            ("since", format!("{since}, until {until}")),
            ("home", cell(&person, "home")),
            ("workplace", cell(&person, "workplace")),
            ("character", character.map(of).collect::<Vec<_>>().join(", ")),
        ])
    };
    Ok(format.page(&person, text))
}

/// What a person is going to do.
pub(super) async fn plan(rest: &Rest, format: Format, asked: &PlanArguments) -> Result<String> {
    let query = [("hours", Some(asked.hours.to_string()))];
    let plan = rest.get(&path(&asked.person, "/plan"), &query).await?;
    let text = || {
        let rows = items(&plan, "plan").map(|part| {
            let times = ["from_minutes", "to_minutes"].map(|key| clock(&part[key]));
            times.into_iter().chain([cell(part, "activity"), cell(part, "place")]).collect()
        });
        table(&["FROM, GAME H", "TO", "ACTIVITY", "PLACE"], rows, "no plan")
    };
    Ok(format.page(&plan, text))
}

/// Why a person does what it does.
pub(super) async fn why(rest: &Rest, format: Format, asked: &PersonArguments) -> Result<String> {
    let why = rest.get(&path(&asked.person, "/why"), &[]).await?;
    let text = || {
        let heading = [
            "ACTIVITY",
            "PLACE",
            "CAUSE",
            "SCORE",
            "FIT",
            "NEED",
            "CHARACTER",
            "WEATHER",
            "WAY",
            "HABIT",
        ];
        let keys = heading.map(str::to_lowercase);
        let rows = items(&why, "candidates");
        let rows = rows.map(|of| keys.iter().map(|key| cell(of, key)).collect());
        let decided = clock(&why["decided_minutes"]);
        format!("decided at {decided}\n{}", table(&heading, rows, "no candidates"))
    };
    Ok(format.page(&why, text))
}

/// Places, and who is there.
pub(super) async fn places(rest: &Rest, format: Format, asked: RegionArguments) -> Result<String> {
    let places = rest.get("/api/places", &[("region", asked.region)]).await?;
    let text = || {
        let keys = ["id", "kind", "count", "capacity"];
        let rows = items(&places, "places").map(|place| {
            let cells = keys.iter().map(|key| cell(place, key));
            cells.chain([counts(&place["by_activity"])]).collect()
        });
        table(&["PLACE", "KIND", "PEOPLE", "CAPACITY", "THEY"], rows, "no places")
    };
    Ok(format.page(&places, text))
}

/// How many people do what.
pub(super) async fn statistics(
    rest: &Rest,
    format: Format,
    asked: RegionArguments,
) -> Result<String> {
    let counted = rest.get("/api/people/statistics", &[("region", asked.region)]).await?;
    let text = || {
        pairs(&[
            ("people", cell(&counted, "total")),
            ("under a roof", cell(&counted, "under_roof")),
            ("they", counts(&counted["by_activity"])),
        ])
    };
    Ok(format.page(&counted, text))
}

fn path(person: &str, of: &str) -> String {
    let person: String = form_urlencoded::byte_serialize(person.as_bytes()).collect();
    // In a path a plus is one.
    let person = person.replace('+', "%20");
    format!("/api/people/{person}{of}")
}

/// Minutes since the world's epoch as hours and minutes, which says how far away they are.
fn clock(minutes: &Value) -> String {
    let minutes = minutes.as_i64().unwrap_or(0);
    let (hours, minute) =
        (minutes.div_euclid(MINUTES_PER_HOUR), minutes.rem_euclid(MINUTES_PER_HOUR));
    format!("{hours}:{minute:02}")
}

/// `12 work, 3 eat`, the most first.
fn counts(by_activity: &Value) -> String {
    let counts = by_activity.as_object().into_iter().flatten();
    let mut counts: Vec<(u64, &String)> =
        counts.map(|(activity, count)| (count.as_u64().unwrap_or(0), activity)).collect();
    counts.sort_by(|a, b| b.cmp(a));
    counts
        .iter()
        .map(|(count, activity)| format!("{count} {activity}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn table(heading: &[&str], rows: impl Iterator<Item = Vec<String>>, nothing: &str) -> String {
    let mut table = Table::new(heading);
    for row in rows {
        table.row(row);
    }
    if table.is_empty() { format!("{nothing}\n") } else { table.to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn minutes_are_hours_and_minutes_also_before_the_epoch() {
        assert_eq!(clock(&json!(605)), "10:05");
        assert_eq!(clock(&json!(-1)), "-1:59");
    }

    #[test]
    fn counts_begin_with_the_most() {
        assert_eq!(counts(&json!({"eat": 3, "work": 12})), "12 work, 3 eat");
        assert_eq!(counts(&json!({})), "");
    }
}
