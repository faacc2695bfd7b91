//! `worldbus time schedule`: events at game times, through the gRPC service of the time-manager.
//! Not here: the grammar (`worldbus-world`), and what is due (the time-manager).

use anyhow::{Context as _, Result, anyhow};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use super::common::Common;
use crate::output::failure::{WrongUse, complain};
use crate::output::terminal::escaped;
use crate::session::by::By;
use crate::session::rest::Place;
use worldbus_rpc::time as rpc;
use worldbus_rpc::time::time_service_client::TimeServiceClient;

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Publish an event at a game time, or again and again
    #[command(after_help = ADD)]
    Add(AddArguments),
    /// Show what is still due some time
    #[command(after_help = LIST)]
    List,
    /// Take a schedule back
    #[command(after_help = CANCEL)]
    Cancel {
        /// Its id, as `list` shows it
        id: String,
        #[command(flatten)]
        by: By,
    },
}

#[derive(Debug, Args)]
pub(super) struct AddArguments {
    /// When: `in 3 hours`, `every day 06:30`, `dusk each monday`
    schedule: String,
    /// The event type, by name
    #[arg(value_name = "TYPE")]
    event_type: String,
    /// The payload in JSON
    #[arg(value_name = "JSON", default_value = "{}")]
    payload: String,
    /// What the event is about
    #[arg(long, default_value = "", hide_default_value = true, value_name = "ENTITY")]
    entity: String,
    #[command(flatten)]
    by: By,
}

pub(super) const HELP: &str = "\
Examples:
  worldbus time schedule add 'in 3 hours' time.day_activated '{}'
  worldbus time schedule add 'dusk each monday' weather.override_requested \\
    '{\"region_ids\":[\"paris\"],\"state\":\"WEATHER_STATE_STORM\",\"duration_game_minutes\":90}'
  worldbus time schedule list
  worldbus time schedule cancel 2 --url http://127.0.0.1:7071

Times are game times, by the clock that --clock names: they move with pause, scale and set.
`in 3 hours`, `at 06:30`, `at 2024-05-01 dusk`, `every 2 hours`, `every day 06:30`, `every month on
day 15 noon`, `dusk each monday`: docs/explanation/time.md has the grammar.";

const ADD: &str = "\
Examples:
  worldbus time schedule add 'in 3 hours' time.day_activated
  worldbus time schedule add 'every day at nightfall' time.clock_requested \\
    '{\"skip\":{\"hours\":9}}'
  worldbus time schedule add 'dusk each monday' weather.changed '{\"region_id\":\"paris\"}' \\
    --entity paris --actor anna --reason 'market storms'";

const LIST: &str = "\
Examples:
  worldbus time schedule list
  worldbus time schedule list --format json | jq -r '.schedules[].next_date_time'";

const CANCEL: &str = "\
Examples:
  worldbus time schedule cancel 2";

/// The connection to a time-manager, with the key.
struct Desk<'a> {
    client: TimeServiceClient<Channel>,
    key: Option<MetadataValue<Ascii>>,
    place: &'a Place,
}

/// Does what is asked for; the page to print.
pub(super) async fn run(place: &Place, action: Action, common: &Common) -> Result<String> {
    let mut desk = Desk::new(place)?;
    match action {
        Action::Add(arguments) => desk.add(arguments, common).await,
        Action::List => desk.list(common).await,
        Action::Cancel { id, by } => desk.cancel(id, common, by).await,
    }
}

/// A schedule for people: id, when next, what, as it was written.
fn line(schedule: &rpc::Schedule) -> String {
    let rpc::Schedule { schedule_id, event_type, entity, next_date_time, .. } = schedule;
    let next = if next_date_time.is_empty() { "never" } else { next_date_time };
    let about = if entity.is_empty() { String::new() } else { format!(" of {entity}") };
    escaped(&format!("{schedule_id:>4}  {next}  {event_type}{about}  ({})", schedule.schedule))
}

/// The same as JSON, with the names that REST has.
fn document(schedule: &rpc::Schedule) -> Value {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "schedule_id": schedule.schedule_id,
        "schedule": schedule.schedule,
        "event_type": schedule.event_type,
        "entity": text(&schedule.entity),
        "next_game_us": schedule.next_game_us,
        "next_date_time": text(&schedule.next_date_time),
        "actor": schedule.actor,
        "reason": schedule.reason,
    })
}

impl<'a> Desk<'a> {
    fn new(place: &'a Place) -> Result<Self> {
        let client = TimeServiceClient::new(place.channel()?);
        let key = place.bearer()?.map(|key| MetadataValue::try_from(key.as_bytes())).transpose()?;
        let key = key.map(|mut key| {
            key.set_sensitive(true);
            key
        });
        Ok(Self { client, key, place })
    }

    async fn add(&mut self, arguments: AddArguments, common: &Common) -> Result<String> {
        let AddArguments { schedule, event_type, payload: payload_json, entity, by } = arguments;
        let text = schedule.clone();
        let request = self.signed(rpc::AddScheduleRequest {
            clock: common.clock.clone().unwrap_or_default(),
            actor: by.actor,
            reason: by.reason.unwrap_or_default(),
            schedule,
            event_type,
            payload_json,
            entity,
        });
        let answer = self.client.add_schedule(request).await;
        let answer = answer.map_err(|status| self.explain(&status, Some(&text)))?;
        let rpc::AddScheduleResponse { schedule, warning } = answer.into_inner();
        if !warning.is_empty() {
            complain(&format!("warning: {warning}"));
        }
        let added = schedule.context("an empty answer")?;
        Ok(common.format.page(&document(&added), || line(&added) + "\n"))
    }

    async fn list(&mut self, common: &Common) -> Result<String> {
        let clock = common.clock.clone().unwrap_or_default();
        let request = self.signed(rpc::ListSchedulesRequest { clock });
        let answer = self.client.list_schedules(request).await;
        let answer = answer.map_err(|status| self.explain(&status, None))?;
        let schedules = answer.into_inner().schedules;
        let all = json!({ "schedules": schedules.iter().map(document).collect::<Vec<_>>() });
        let text = || match schedules.is_empty() {
            true => "no schedules\n".to_owned(),
            false => schedules.iter().map(|schedule| line(schedule) + "\n").collect(),
        };
        Ok(common.format.page(&all, text))
    }

    async fn cancel(&mut self, schedule_id: String, common: &Common, by: By) -> Result<String> {
        let request = self.signed(rpc::CancelScheduleRequest {
            clock: common.clock.clone().unwrap_or_default(),
            actor: by.actor,
            reason: by.reason.unwrap_or_default(),
            schedule_id,
        });
        let answer = self.client.cancel_schedule(request).await;
        let answer = answer.map_err(|status| self.explain(&status, None))?;
        let cancelled = answer.into_inner().schedule.context("an empty answer")?;
        let text = || format!("cancelled {}\n", escaped(&cancelled.schedule_id));
        Ok(common.format.page(&document(&cancelled), text))
    }

    fn signed<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(key) = &self.key {
            request.metadata_mut().insert("authorization", key.clone());
        }
        request
    }

    /// The error with what to do; with a caret under the fault of a schedule.
    fn explain(&self, status: &Status, text: Option<&str>) -> anyhow::Error {
        let number = |name| status.metadata().get(name)?.to_str().ok()?.parse::<usize>().ok();
        let fault = number("worldbus-fault-at").zip(number("worldbus-fault-length"));
        if let Some((text, (at, length))) = text.zip(fault) {
            let message = status.message();
            return WrongUse(format!("{message}\n{}", underlined(text, at, length))).into();
        }
        match status.code() {
            Code::InvalidArgument => WrongUse(status.message().to_owned()).into(),
            Code::Unauthenticated => self.place.unauthorized(),
            Code::Unimplemented => self.place.is_another(),
            Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded => {
                self.place.silent(status.message())
            }
            _ => anyhow!("{}", status.message()),
        }
    }
}

/// A text with carets under a part of it.
fn underlined(text: &str, at: usize, length: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("  {line}\n  {}{}", " ".repeat(at.min(1024)), "^".repeat(length.clamp(1, 1024)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedule_of_a_stranger_does_not_steer_the_terminal() {
        let entity = "a\u{1b}[2J\n".to_owned();
        let shown = line(&rpc::Schedule { entity, ..rpc::Schedule::default() });
        assert!(shown.contains(" of a\\u{1b}[2J\\n  ()"), "{shown:?}");
    }

    #[test]
    fn fault_of_a_schedule_has_carets_under_it() {
        let shown = underlined("at teatime", 3, 7);
        assert_eq!(shown, "  at teatime\n     ^^^^^^^");
        assert_eq!(underlined("in", 2, 1), "  in\n    ^");
    }
}
