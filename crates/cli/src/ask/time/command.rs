//! The commands of a clock: each answers with the time that it makes, and when.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::arguments::{PhaseSpeed, ScaleArguments, SetArguments, SkipArguments};
use super::common::Common;
use super::look;
use crate::output::failure::complain;
use crate::session::by::By;
use crate::session::rest::{Rest, object};

/// Sets the clock.
pub(super) async fn set(
    rest: &Rest,
    common: &Common,
    wish: &SetArguments,
    by: &By,
) -> Result<String> {
    let time = &wish.time;
    let date = |of: fn((i64, i64, i64)) -> i64| time.date.map(of).map(Value::from);
    let body = object([
        ("hour", Some(time.hour.into())),
        ("minute", Some(time.minute.into())),
        ("year", date(|(year, ..)| year)),
        ("month", date(|(_, month, _)| month)),
        ("day", date(|(.., day)| day)),
    ]);
    post(rest, common, "/api/time/set", body, by).await
}

/// Skips game time.
pub(super) async fn skip(
    rest: &Rest,
    common: &Common,
    wish: &SkipArguments,
    by: &By,
) -> Result<String> {
    let body = object([
        ("days", wish.days.map(Value::from)),
        ("hours", wish.hours.map(Value::from)),
        ("minutes", wish.minutes.map(Value::from)),
        ("seconds", wish.seconds.map(Value::from)),
    ]);
    post(rest, common, "/api/time/skip", body, by).await
}

/// Changes how fast the clock runs.
pub(super) async fn scale(
    rest: &Rest,
    common: &Common,
    wish: &ScaleArguments,
    by: &By,
) -> Result<String> {
    let speeds: BTreeMap<_, _> =
        wish.phase.iter().map(|PhaseSpeed(name, speed)| (name.as_str(), *speed)).collect();
    let is_given = wish.even || !speeds.is_empty();
    let body = object([
        ("real_seconds_per_game_hour", wish.seconds.map(Value::from)),
        ("phase_speeds", is_given.then(|| serde_json::json!(speeds))),
    ]);
    post(rest, common, "/api/time/scale", body, by).await
}

/// Stops the clock or lets it run.
pub(super) async fn turn(rest: &Rest, common: &Common, path: &str, by: &By) -> Result<String> {
    post(rest, common, path, object([]), by).await
}

async fn post(rest: &Rest, common: &Common, path: &str, body: Value, by: &By) -> Result<String> {
    let clock = [("clock", common.clock.clone())];
    let changed = rest.post(path, &clock, &by.sign(body)).await?;
    if changed["announced"] == false {
        complain("warning: the bus did not take the announcement in time; it follows");
    }
    Ok(common.format.page(&changed, || look::time(&changed)))
}
