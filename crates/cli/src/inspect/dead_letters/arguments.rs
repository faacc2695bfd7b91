//! The command line of `worldbus dead-letters`.

use clap::{Args, Subcommand, ValueEnum};

use crate::output::format::Format;
use crate::settings::Client;
use worldbus_service::config::Flags;

/// Dead letters of a list: more than an embedded bus keeps.
const LIMIT_MAX: i64 = 10_000;

/// What to do with dead letters.
#[derive(Debug, Args)]
#[command(after_help = ALL)]
pub(crate) struct DeadLettersArguments {
    #[command(subcommand)]
    pub(super) action: Action,
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// List dead letters, the latest first
    #[command(after_help = LIST)]
    List(ListArguments),
    /// Show one: why, when, and the event itself
    #[command(after_help = SHOW)]
    Show(ShowArguments),
    /// Give dead letters back to their subscription, and to no other
    #[command(after_help = REPLAY)]
    Replay(ReplayArguments),
    /// Remove dead letters for good
    #[command(after_help = DISCARD)]
    Discard(DiscardArguments),
}

/// Which to list.
#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// Only those of this subscription
    #[arg(long, value_name = "NAME")]
    pub(super) subscription: Option<String>,
    /// At most so many, 1 to 10000
    #[arg(long, value_name = "NUMBER", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..=LIMIT_MAX))]
    pub(super) limit: u32,
    /// How to write them
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: ListFormat,
    #[command(flatten)]
    pub(super) flags: Flags<Client>,
}

/// How `list` writes dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum ListFormat {
    /// A table, for people
    #[default]
    Text,
    /// A line a letter, as an object
    Json,
}

/// Which to show.
#[derive(Debug, Args)]
pub(super) struct ShowArguments {
    /// The letter, by the id that `list` shows
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// The subscription that set it aside
    #[arg(long, value_name = "NAME")]
    pub(super) subscription: String,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: ShowFormat,
    #[command(flatten)]
    pub(super) flags: Flags<Client>,
}

/// How `show` writes a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum ShowFormat {
    /// For people
    #[default]
    Text,
    /// One object on a line
    Json,
    /// The GameEvent message alone, or the bytes that did not decode, as they came
    Protobuf,
}

/// Which letters of which subscription.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The letters, by the ids that `list` shows
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    pub(super) ids: Vec<String>,
    /// All letters of the subscription
    #[arg(long)]
    pub(super) all: bool,
    /// The subscription that set them aside
    #[arg(long, value_name = "NAME")]
    pub(super) subscription: String,
    /// How to write the result
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) flags: Flags<Client>,
}

/// Which to replay.
#[derive(Debug, Args)]
pub(super) struct ReplayArguments {
    #[command(flatten)]
    pub(super) which: Which,
}

/// Which to discard.
#[derive(Debug, Args)]
pub(super) struct DiscardArguments {
    #[command(flatten)]
    pub(super) which: Which,
    /// Skip confirmation
    #[arg(long)]
    pub(super) yes: bool,
}

const ALL: &str = "\
Examples:
  worldbus dead-letters list
  worldbus dead-letters show 17 --subscription npc-brain
  worldbus dead-letters replay --all --subscription npc-brain    (once its consumer is mended)
  worldbus dead-letters discard 17 18 --subscription npc-brain";

const LIST: &str = "\
Examples:
  worldbus dead-letters list
  worldbus dead-letters list --subscription npc-brain --limit 1000
  worldbus dead-letters list --format json | jq -r '[.id, .event.event_type, .reason] | @tsv'
  worldbus dead-letters list --url 'sns-sqs://us-east-1?prefix=gaming-system' \\
    --subscription npc-brain

A queue of SQS can be looked at only by taking from it: what is listed there is hidden from others
for up to 30 s, and what others look at is not listed.";

const SHOW: &str = "\
Examples:
  worldbus dead-letters show 17 --subscription npc-brain
  worldbus dead-letters show 17 --subscription npc-brain --catalog studio.binpb
  worldbus dead-letters show 17 --subscription npc-brain --format protobuf > event.bin

Bytes that did not decode are shown in base64, with what they were declared to be.";

const REPLAY: &str = "\
Examples:
  worldbus dead-letters replay 17 18 --subscription npc-brain
  worldbus dead-letters replay --all --subscription npc-brain

The subscription gets the event as it was published, as its first attempt; no other subscription
does. A letter whose event fails again comes back as a new letter; --all does not replay it twice.
Ids that are not there are named, the others are replayed, and the exit code is 1.";

const DISCARD: &str = "\
Examples:
  worldbus dead-letters discard 17 18 --subscription npc-brain
  worldbus dead-letters discard --all --subscription npc-brain --yes

Shows what will be lost and asks; without a terminal it needs --yes. Ids that are not there are
named, the others are discarded, and the exit code is 1.";
