//! What `worldbus people` shows: who there is, what they do, are going to do, and why; places.

use anyhow::Result;
use serde_json::Value;

use super::arguments::{ListArguments, PersonArguments, PlanArguments, RegionArguments};
use crate::output::format::Format;
use crate::output::table::{Table, cell, items, pairs};
use crate::session::rest::Rest;

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
        let heading = ["PERSON", "NAME", "ROLE", "ACTIVITY", "PLACE", "UNTIL"];
        let keys = ["id", "name", "role", "activity", "place", "until_time"];
        let rows = items(&page, "people");
        let rows = rows.map(|person| keys.iter().map(|key| cell(person, key)).collect());
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
        let (since, until) = (cell(&person, "from_time"), cell(&person, "until_time"));
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
        let keys = ["from_time", "to_time", "activity", "place"];
        let rows = items(&plan, "plan");
        let rows = rows.map(|part| keys.iter().map(|key| cell(part, key)).collect());
        table(&["FROM", "TO", "ACTIVITY", "PLACE"], rows, "no plan")
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
        let decided = cell(&why, "decided_time");
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

/// How many people do what, region by region.
pub(super) async fn overview(rest: &Rest, format: Format) -> Result<String> {
    let overview = rest.get("/api/people/overview", &[]).await?;
    let text = || {
        let row = |of: &Value, name: String| {
            [name, cell(of, "total"), cell(of, "under_roof"), counts(&of["by_activity"])].into()
        };
        let regions = items(&overview, "regions").map(|of| row(of, cell(of, "region")));
        let all = row(&overview, "(all)".to_owned());
        let heading = ["REGION", "PEOPLE", "UNDER A ROOF", "THEY"];
        table(&heading, regions.chain([all]), "no regions")
    };
    Ok(format.page(&overview, text))
}

/// The path of a person, or of something of it.
pub(super) fn path(person: &str, of: &str) -> String {
    let person: String = form_urlencoded::byte_serialize(person.as_bytes()).collect();
    // In a path a plus is one.
    let person = person.replace('+', "%20");
    format!("/api/people/{person}{of}")
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
    fn counts_begin_with_the_most() {
        assert_eq!(counts(&json!({"eat": 3, "work": 12})), "12 work, 3 eat");
        assert_eq!(counts(&json!({})), "");
    }
}
