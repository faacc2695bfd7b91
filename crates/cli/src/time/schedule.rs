//! `worldbus schedule`: events at game times, through the gRPC service of the time-manager.
//! Not here: the grammar (`worldbus-world`), and what is due (the time-manager).

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use clap::{Args, Subcommand};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::output::failure::{WrongUse, complain};
use crate::output::terminal::escaped;
use crate::session;
use crate::settings::Schedule;
use worldbus_rpc::time as rpc;
use worldbus_rpc::time::time_service_client::TimeServiceClient;
use worldbus_service::Secret;
use worldbus_service::config::Flags;

/// How long the time-manager may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// What to do with schedules.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct ScheduleArguments {
    #[command(subcommand)]
    action: Action,
    /// A clock beside the world's own
    #[arg(long, global = true, default_value = "", hide_default_value = true, value_name = "NAME")]
    clock: String,
    /// Who you are; kept with the command
    #[arg(long, global = true, default_value = "worldbus-cli", value_name = "NAME")]
    actor: String,
    /// Why; kept with the command
    #[arg(long, global = true, default_value = "", hide_default_value = true, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    flags: Flags<Schedule>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Publish an event at a game time, or again and again
    Add(AddArguments),
    /// Show what is still due some time
    List,
    /// Take a schedule back
    Cancel {
        /// Its id, as `list` shows it
        id: String,
    },
}

#[derive(Debug, Args)]
struct AddArguments {
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
}

const HELP: &str = "\
Examples:
  worldbus schedule add 'in 3 hours' time.day_activated '{}'
  worldbus schedule add 'dusk each monday' weather.changed '{\"region_id\":\"paris\"}' \\
    --entity paris --actor anna --reason 'market storms'
  worldbus schedule list
  worldbus schedule cancel 2 --time-url http://127.0.0.1:7071

Times are game times, by the clock that --clock names: they move with pause, scale and set.
`in 3 hours`, `at 06:30`, `at 2024-05-01 dusk`, `every 2 hours`, `every day 06:30`, `every month on
day 15 noon`, `dusk each monday`: docs/explanation/time.md has the grammar.";

/// The connection to a time-manager, with the key.
struct Desk {
    client: TimeServiceClient<Channel>,
    key: Option<MetadataValue<Ascii>>,
    url: String,
}

/// Does what is asked for.
pub(crate) async fn run(arguments: ScheduleArguments) -> Result<ExitCode> {
    let Some(settings) = session::settings(&arguments.flags)? else { return Ok(ExitCode::SUCCESS) };
    let mut desk = Desk::new(&settings)?;
    let ScheduleArguments { action, clock, actor, reason, .. } = arguments;
    let mut out = io::stdout().lock();
    match action {
        Action::Add(AddArguments { schedule, event_type, payload: payload_json, entity }) => {
            let text = schedule.clone();
            let request = rpc::AddScheduleRequest {
                clock,
                actor,
                reason,
                schedule,
                event_type,
                payload_json,
                entity,
            };
            let answer = desk.client.add_schedule(desk.signed(request)).await;
            let answer = answer.map_err(|status| desk.explain(&status, Some(&text)))?;
            let rpc::AddScheduleResponse { schedule, warning } = answer.into_inner();
            writeln!(out, "{}", line(&schedule.context("an empty answer")?))?;
            if !warning.is_empty() {
                complain(&format!("warning: {warning}"));
            }
        }
        Action::List => {
            let request = desk.signed(rpc::ListSchedulesRequest { clock });
            let answer = desk.client.list_schedules(request).await;
            let answer = answer.map_err(|status| desk.explain(&status, None))?;
            for schedule in answer.into_inner().schedules {
                writeln!(out, "{}", line(&schedule))?;
            }
        }
        Action::Cancel { id: schedule_id } => {
            let request = rpc::CancelScheduleRequest { clock, actor, reason, schedule_id };
            let answer = desk.client.cancel_schedule(desk.signed(request)).await;
            let answer = answer.map_err(|status| desk.explain(&status, None))?;
            let cancelled = answer.into_inner().schedule.context("an empty answer")?;
            writeln!(out, "cancelled {}", escaped(&cancelled.schedule_id))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A schedule for people: id, when next, what, as it was written.
fn line(schedule: &rpc::Schedule) -> String {
    let rpc::Schedule { schedule_id, event_type, entity, next_date_time, .. } = schedule;
    let next = if next_date_time.is_empty() { "never" } else { next_date_time };
    let about = if entity.is_empty() { String::new() } else { format!(" of {entity}") };
    escaped(&format!("{schedule_id:>4}  {next}  {event_type}{about}  ({})", schedule.schedule))
}

impl Desk {
    fn new(settings: &Schedule) -> Result<Self> {
        let url = settings.time_url.clone();
        let endpoint = worldbus_rpc::endpoint(&url)
            .map_err(|error| WrongUse(format!("--time-url: {error}")))?;
        let endpoint = endpoint.connect_timeout(ANSWER_MAX).timeout(ANSWER_MAX);
        let key = settings.api_key.as_ref().map(bearer).transpose()?;
        Ok(Self { client: TimeServiceClient::new(endpoint.connect_lazy()), key, url })
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
            Code::Unauthenticated => {
                anyhow!("{} asks for its API key: set WORLDBUS_API_KEY", self.url)
            }
            Code::Unimplemented => {
                anyhow!("{} is no time-manager: --time-url says where one is", self.url)
            }
            Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded => {
                let message = status.message();
                anyhow!("no answer of {}: {message}; --time-url says where one is", self.url)
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

fn bearer(key: &Secret) -> Result<MetadataValue<Ascii>> {
    let mut value: MetadataValue<Ascii> = format!("Bearer {}", key.expose())
        .parse()
        .map_err(|_| WrongUse("api_key: expected printable ASCII".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
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
