//! The command line of `worldbus state`.

use clap::{Args, Subcommand};

use crate::output::format::Format;
use crate::session::by::By;
use crate::settings::State;
use worldbus_service::config::Flags;

/// What to do with the state.
#[derive(Debug, Args)]
#[command(after_help = HELP, mut_arg("state-service-url", |flag| flag.hide(true)))]
pub(crate) struct StateArguments {
    #[command(subcommand)]
    pub(super) action: Action,
    /// How to write the result
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) flags: Flags<State>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Show an entity, or a field of it, now or as it was
    #[command(after_help = GET)]
    Get(GetArguments),
    /// List entities by the beginning of their names and by their fields
    #[command(after_help = LIST)]
    List(ListArguments),
    /// Show the latest changes of an entity, the newest first
    #[command(after_help = HISTORY)]
    History(HistoryArguments),
    /// Set a field
    #[command(after_help = SET)]
    Set(SetArguments),
    /// Remove a field, or an entity with all its fields
    #[command(after_help = REMOVE)]
    Remove(RemoveArguments),
    /// Add a number to a field
    #[command(after_help = INCREMENT)]
    Increment(IncrementArguments),
    /// Show changes as they come
    #[command(after_help = WATCH)]
    Watch(WatchArguments),
    /// Prove that the state is the fold of its events; exit code 1 if it is not
    #[command(after_help = REBUILD)]
    Rebuild,
}

/// Of which entity, and when.
#[derive(Debug, Args)]
pub(super) struct GetArguments {
    /// An entity: `region/ghent`
    #[arg(value_name = "ENTITY")]
    pub(super) entity: String,
    /// Only this field, as JSON
    #[arg(value_name = "FIELD")]
    pub(super) field: Option<String>,
    #[command(flatten)]
    pub(super) at: At,
}

/// When.
#[derive(Debug, Args)]
pub(super) struct At {
    /// As it was at this version of the world
    #[arg(long, value_name = "VERSION", conflicts_with = "at_game_time")]
    pub(super) at_version: Option<u64>,
    /// As it was at this game time: `2024-03-01T06:00:00`, or whole game minutes since the world's
    /// epoch
    #[arg(long, value_name = "GAME_TIME", allow_negative_numbers = true)]
    pub(super) at_game_time: Option<String>,
}

/// Which entities.
#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// What their names begin with: `region/`
    #[arg(value_name = "PREFIX")]
    pub(super) prefix: Option<String>,
    /// Fields with their values: `weather:storm,alert:true`
    #[arg(long = "where", value_name = "CONDITIONS")]
    pub(super) conditions: Option<String>,
    /// How many, 1 to 1000
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub(super) limit: u32,
    /// The `next` of the page before
    #[arg(long, value_name = "CURSOR")]
    pub(super) cursor: Option<String>,
    #[command(flatten)]
    pub(super) at: At,
}

/// Of which entity.
#[derive(Debug, Args)]
pub(super) struct HistoryArguments {
    /// An entity
    #[arg(value_name = "ENTITY")]
    pub(super) entity: String,
    /// How many, 1 to 1000
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    pub(super) limit: u32,
}

/// What every change takes.
#[derive(Debug, Args)]
pub(super) struct Wish {
    /// Only if the entity has this version; 0: if it does not exist
    #[arg(long, value_name = "VERSION")]
    pub(super) if_version: Option<u64>,
    /// The same key again does nothing and has the first answer
    #[arg(long, value_name = "KEY")]
    pub(super) idempotency_key: Option<String>,
    #[command(flatten)]
    pub(super) by: By,
}

/// What to set.
#[derive(Debug, Args)]
pub(super) struct SetArguments {
    /// An entity
    #[arg(value_name = "ENTITY")]
    pub(super) entity: String,
    /// A field
    #[arg(value_name = "FIELD")]
    pub(super) field: String,
    /// JSON, or else text
    #[arg(value_name = "VALUE", allow_negative_numbers = true)]
    pub(super) value: String,
    /// A game minute since the world's epoch at which it is removed again
    #[arg(long, value_name = "MINUTE")]
    pub(super) expires_at_game: Option<i64>,
    #[command(flatten)]
    pub(super) wish: Wish,
}

/// What to remove.
#[derive(Debug, Args)]
pub(super) struct RemoveArguments {
    /// An entity
    #[arg(value_name = "ENTITY")]
    pub(super) entity: String,
    /// A field; the whole entity if left out
    #[arg(value_name = "FIELD")]
    pub(super) field: Option<String>,
    #[command(flatten)]
    pub(super) wish: Wish,
}

/// What to add.
#[derive(Debug, Args)]
pub(super) struct IncrementArguments {
    /// An entity
    #[arg(value_name = "ENTITY")]
    pub(super) entity: String,
    /// A field
    #[arg(value_name = "FIELD")]
    pub(super) field: String,
    /// The number to add
    #[arg(value_name = "NUMBER", default_value = "1", allow_negative_numbers = true)]
    pub(super) number: String,
    #[command(flatten)]
    pub(super) wish: Wish,
}

/// From where.
#[derive(Debug, Args)]
pub(super) struct WatchArguments {
    /// Only changes of entities whose names begin with this
    #[arg(value_name = "PREFIX")]
    pub(super) prefix: Option<String>,
    /// From behind this version of the world on; from now on if left out
    #[arg(long, value_name = "VERSION")]
    pub(super) from_version: Option<u64>,
    /// End after so many steps
    #[arg(long, value_name = "NUMBER")]
    pub(super) count: Option<u64>,
}

const HELP: &str = "\
Examples:
  worldbus state list region/ --where weather:storm
  worldbus state set faction/harbour-guild gold 250 --reason 'the tale begins'
  worldbus state watch

In `worldbus up` the world-state service has the URL of all; one of its own is named by --url or by
WORLDBUS_STATE_SERVICE_URL.";

const GET: &str = "\
Examples:
  worldbus state get region/brussels
  worldbus state get region/brussels weather
  worldbus state get world/clock --at-version 12 --format json";

const LIST: &str = "\
Examples:
  worldbus state list
  worldbus state list region/ --where weather:storm --format json | jq -r '.entities[].entity'
  worldbus state list place/ --at-game-time 2024-03-01T12:00:00";

const HISTORY: &str = "\
Examples:
  worldbus state history region/brussels
  worldbus state history faction/harbour-guild --limit 100 --format json";

const SET: &str = "\
Examples:
  worldbus state set region/ghent ruler anna --reason 'a coup'
  worldbus state set city/ghent siege '{\"by\":\"the count\",\"men\":4000}' --if-version 0
  worldbus state set region/ghent curfew true --expires-at-game 90000";

const REMOVE: &str = "\
Examples:
  worldbus state remove region/ghent curfew
  worldbus state remove city/ghent --if-version 3";

const INCREMENT: &str = "\
Examples:
  worldbus state increment faction/harbour-guild gold 50
  worldbus state increment faction/harbour-guild gold -20 --idempotency-key sale-77";

const WATCH: &str = "\
Examples:
  worldbus state watch
  worldbus state watch region/ --from-version 0 --count 10
  worldbus state watch --format json | jq -c .changes";

const REBUILD: &str = "\
Examples:
  worldbus state rebuild
  worldbus state rebuild --url http://127.0.0.1:7070 --format json

It reads every world_state.updated of the bus at --url, folds them, and compares the outcome with
the state entity by entity. Where the bus no longer has the first of them it begins with the state
at the version before those that it has. A state that is written meanwhile is read at one
version.";
