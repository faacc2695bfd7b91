//! The command line of `worldbus publish`.

use clap::Args;

use crate::output::format::Format;
use crate::settings::Publish;
use worldbus_service::config::Flags;

/// What to publish.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct PublishArguments {
    /// The event type, by name
    #[arg(value_name = "TYPE", required_unless_present = "stdin", conflicts_with = "stdin")]
    pub(super) event_type: Option<String>,
    /// The payload in JSON; {} is a payload of defaults
    #[arg(value_name = "JSON", required_unless_present = "stdin", conflicts_with = "stdin")]
    pub(super) payload: Option<String>,
    /// Read events from standard input, one a line: {"type":"…","payload":{…}}
    #[arg(long)]
    pub(super) stdin: bool,
    /// What the event is about; with --stdin, of lines that do not say
    #[arg(long, value_name = "ENTITY")]
    pub(super) entity: Option<String>,
    /// Where it happens, if that is not its entity; with --stdin, of lines that do not say
    #[arg(long, value_name = "PLACE")]
    pub(super) place: Option<String>,
    /// The world that the event happens in; with --stdin, of lines that do not say. By default that
    /// of the event-bus; of a bus that has none, europe
    #[arg(long, value_name = "WORLD")]
    pub(super) world: Option<String>,
    /// The service that the event comes from; with --stdin, of lines that do not say
    #[arg(long, value_name = "SOURCE", default_value = "worldbus-cli")]
    pub(super) source: String,
    /// How to write ids
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) flags: Flags<Publish>,
}

const HELP: &str = "\
Examples:
  worldbus publish time.day_activated '{}'
  worldbus publish weather.changed '{\"new_state\":\"WEATHER_STATE_RAIN\"}' --entity brussels
  worldbus publish --stdin < events.jsonl
  worldbus tail --from start --format json | worldbus publish --stdin --url http://other:7070
  worldbus publish --stdin --spool-dir ./spool < events.jsonl     (also while the bus is away)

Prints the id of each event once it is durable, in the order of input. A line of --stdin is an
event in the JSON form; a bad one is reported by its number, the rest goes on, and the exit code
is 1. A line that has an event_id keeps it, so publishing it again makes no duplicate.

With --spool-dir an event that the bus does not take within 2 s is durable in that folder instead,
and its id is printed. The next run with the same folder, be it with no input, hands on what waits
there, in order; before it ends it waits for that while the bus takes it. A full folder is waited
for, a full disk is an error. What the bus refuses for good is set aside there as a dead letter.";
