//! The command line: commands, their flags, and the help that teaches by example.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use worldbus_service::config::Flags;

use crate::cloud::cost::CostArguments;
use crate::cloud::deploy::DeployCommand;
use crate::inspect::catalog::CatalogArguments;
use crate::inspect::dead_letters::DeadLettersArguments;
use crate::inspect::inventory::InventoryCommand;
use crate::inspect::tail::From;
use crate::settings::{Client, EventBus, Health, Publish, TimeManager, Up, WeatherManager};
use crate::time::schedule::ScheduleArguments;
use crate::worlds::climate::ClimateCommand;
use crate::worlds::world::WorldCommand;

/// The binary event backbone of a living game world.
#[derive(Debug, Parser)]
#[command(name = "worldbus", version, after_help = AFTER_HELP, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in one process: clock, weather, bus, REST
    #[command(after_help = UP)]
    Up(Flags<Up>),
    /// Run the clock of a world, over an event-bus
    #[command(after_help = TIME_MANAGER)]
    TimeManager(Flags<TimeManager>),
    /// Run the weather of a world, over an event-bus
    #[command(after_help = WEATHER_MANAGER)]
    WeatherManager(Flags<WeatherManager>),
    /// Run the bus for other processes: gRPC, REST, live stream
    #[command(after_help = EVENT_BUS)]
    EventBus(Flags<EventBus>),
    /// Show events, past and as they come
    #[command(after_help = TAIL)]
    Tail(TailArguments),
    /// Publish an event, or one a line from standard input
    #[command(after_help = PUBLISH)]
    Publish(PublishArguments),
    /// Publish events at game times: add, list, cancel
    #[command(after_help = SCHEDULE)]
    Schedule(ScheduleArguments),
    /// List the event types, or register those of a studio at a bus: add, list
    #[command(after_help = CATALOG)]
    Catalog(CatalogArguments),
    /// List, show, replay or discard what subscriptions could not handle
    DeadLetters(DeadLettersArguments),
    /// List or delete the topics of a bus
    #[command(subcommand, after_help = TOPICS)]
    Topics(InventoryCommand),
    /// List or delete the subscriptions of a bus
    #[command(subcommand, after_help = SUBSCRIPTIONS)]
    Subscriptions(InventoryCommand),
    /// Compare or create the topics and queues that a bus over SNS and SQS needs
    #[command(after_help = TOPOLOGY)]
    Topology(TopologyArguments),
    /// Run everything in the cloud
    #[command(subcommand)]
    Deploy(DeployCommand),
    /// Ask the service on this machine whether it is healthy; exit code 1 if not
    #[command(after_help = HEALTH)]
    Health(Flags<Health>),
    /// Tools for development
    #[command(subcommand)]
    Dev(DevCommand),
    /// Reckon what a load costs over AWS SNS and SQS
    #[command(after_help = COST)]
    Cost(CostArguments),
    /// Make climates, print their weather, compare them with observations
    #[command(subcommand)]
    Climate(ClimateCommand),
    /// Look at a world before it is run
    #[command(subcommand)]
    World(WorldCommand),
    /// Print docs/reference/config.md
    #[command(hide = true)]
    ConfigReference,
}

/// What to show, and how.
#[derive(Debug, Args)]
pub(crate) struct TailArguments {
    /// Only events of this topic; may be given several times
    #[arg(long, value_name = "TOPIC")]
    pub(crate) topic: Vec<String>,
    /// Only events of this type, by name or number; may be given several times
    #[arg(long = "type", value_name = "NAME")]
    pub(crate) types: Vec<String>,
    /// Leave out events of this type, by name or number; may be given several times. As text,
    /// time.clock_changed is left out unless --type asks for it
    #[arg(long, value_name = "NAME")]
    pub(crate) exclude: Vec<String>,
    /// Only events about this entity; may be given several times
    #[arg(long, value_name = "ENTITY")]
    pub(crate) entity: Vec<String>,
    /// Only events of this world, such as europe, or europe:dungeon for a clock beside its own; may
    /// be given several times
    #[arg(long, value_name = "WORLD")]
    pub(crate) world: Vec<String>,
    /// Where to begin: now, start, or a time such as 2026-03-01T12:00:00Z (when it was stored)
    #[arg(long, value_name = "WHERE", default_value = "now")]
    pub(crate) from: From,
    /// Stop after this many events
    #[arg(long, value_name = "NUMBER")]
    pub(crate) count: Option<u64>,
    /// How to write events
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TailFormat,
    #[command(flatten)]
    pub(crate) flags: Flags<Client>,
}

/// How `tail` writes events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum TailFormat {
    /// A row an event, for people: wall time, game time, the world if there are several, type,
    /// entity, and of the payload what says something, in usual units where field names say theirs
    #[default]
    Text,
    /// A line an event, in the JSON form
    Json,
    /// EventBatch messages, each behind its length as a varint
    Protobuf,
}

/// What to publish.
#[derive(Debug, Args)]
pub(crate) struct PublishArguments {
    /// The event type, by name
    #[arg(value_name = "TYPE", required_unless_present = "stdin", conflicts_with = "stdin")]
    pub(crate) event_type: Option<String>,
    /// The payload in JSON; {} is a payload of defaults
    #[arg(value_name = "JSON", required_unless_present = "stdin", conflicts_with = "stdin")]
    pub(crate) payload: Option<String>,
    /// Read events from standard input, one a line: {"type":"…","payload":{…}}
    #[arg(long)]
    pub(crate) stdin: bool,
    /// What the event is about; with --stdin, of lines that do not say
    #[arg(long, value_name = "ENTITY")]
    pub(crate) entity: Option<String>,
    /// The world that the event happens in; with --stdin, of lines that do not say. By default that
    /// of the event-bus; of a bus that has none, europe
    #[arg(long, value_name = "WORLD")]
    pub(crate) world: Option<String>,
    /// The service that the event comes from; with --stdin, of lines that do not say
    #[arg(long, value_name = "SOURCE", default_value = "worldbus-cli")]
    pub(crate) source: String,
    #[command(flatten)]
    pub(crate) flags: Flags<Publish>,
}

/// Tools for development.
#[derive(Debug, Subcommand)]
pub(crate) enum DevCommand {
    /// Run an emulator of AWS on this machine: SNS and SQS without an account
    #[command(after_help = DEV_AWS)]
    Aws(DevAwsArguments),
}

/// Where the emulator is.
#[derive(Debug, Args)]
pub(crate) struct DevAwsArguments {
    /// Its port on loopback
    #[arg(long, value_name = "PORT", default_value_t = 4566)]
    pub(crate) port: u16,
    /// Where it is installed; by default in the user's cache
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

/// What to do with the topology.
#[derive(Debug, Args)]
pub(crate) struct TopologyArguments {
    #[arg(value_enum)]
    pub(crate) action: TopologyAction,
    /// A subscription of your own: NAME=TYPE,TYPE; may be given several times. In a template the
    /// service of that name gets a role
    #[arg(long, value_name = "NAME=TYPES")]
    pub(crate) subscription: Vec<String>,
    /// The topics that a service of your own publishes on, for its role: NAME=TOPIC,TOPIC; may be
    /// given several times
    #[arg(long, value_name = "NAME=TOPICS")]
    pub(crate) publishes: Vec<String>,
    /// Subscriptions that the instances of the event-bus share out, one each: 4 in a template,
    /// else 1
    #[arg(long, value_name = "NUMBER")]
    pub(crate) event_bus_slots: Option<usize>,
    #[command(flatten)]
    pub(crate) flags: Flags<Client>,
}

/// What to do with the topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TopologyAction {
    /// Create what is missing, set what differs
    Apply,
    /// Show what is missing or differs; exit code 1 if anything does
    Diff,
    /// Print what there should be, as JSON; asks nothing of AWS
    Print,
    /// Print the same as a CloudFormation template, with the roles of the services
    Template,
}

const AFTER_HELP: &str = "\
Begin with:
  worldbus up                             a world on http://127.0.0.1:7070
  worldbus tail                           its events, from a second terminal
  curl http://127.0.0.1:7070/api/time/current

Each setting has a flag, an environment variable (WORLDBUS_URL for --url) and a key in the file
of --config; `--print-config` shows what is in force and why. WORLDBUS_API_KEY has no flag.

Exit codes:
  0    done; or asked to stop (Ctrl-C, SIGTERM) and drained
  1    refused or failed; the message says what to do
  2    the command line, the configuration or the world file is wrong; nothing was started
  130  a second Ctrl-C or SIGTERM cut the drain short";

const UP: &str = "\
Examples:
  worldbus up
  worldbus up --world worlds/europe.toml --data-dir /var/lib/worldbus
  WORLDBUS_API_KEY=… worldbus up --listen 0.0.0.0:7070

With port 0 the system chooses one; the line `listening on http://…` names it. The same data
directory continues the same world, at the time that it should be by then.";

const TIME_MANAGER: &str = "\
Examples:
  worldbus time-manager                   its bus: http://127.0.0.1:7070
  worldbus time-manager --url http://bus:7070 --data-dir ./time
  curl -X POST -H 'content-type: application/json' -d '{\"hour\":22}' \\
    http://127.0.0.1:7071/api/time/set

Several instances may run: with the same --state-url and --lead-ms, each with its own --listen.
It waits for an event-bus that is not there yet; /readyz says so.";

const WEATHER_MANAGER: &str = "\
Examples:
  worldbus weather-manager                its bus: http://127.0.0.1:7070
  curl 'http://127.0.0.1:7072/api/weather/forecast?region=brussels&hours=24'

Several instances may run: with the same --state-url and --lead-ms, each with its own --listen.
It follows the clock that a time-manager announces; until it has heard one it is not ready.";

const EVENT_BUS: &str = "\
Examples:
  worldbus event-bus                      its log: ./worldbus-data/bus
  worldbus event-bus --url embedded:/var/lib/worldbus/bus
  curl http://127.0.0.1:7070/api/events/stats";

const TAIL: &str = "\
Examples:
  worldbus tail
  worldbus tail --exclude time.updated    (all but the ticks)
  worldbus tail --topic weather --entity brussels --from start
  worldbus tail --type weather.severe --format json | jq .payload
  worldbus tail --from 2026-03-01T12:00:00Z --count 100
  worldbus tail --format protobuf --catalog studio.binpb > batches.bin
  worldbus tail --url embedded:./worldbus-data/bus --from start    (while nobody else has it)";

const PUBLISH: &str = "\
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

const SCHEDULE: &str = "\
Examples:
  worldbus schedule add 'in 3 hours' time.day_activated '{}'
  worldbus schedule add 'dusk each monday' weather.changed '{\"region_id\":\"paris\"}' \\
    --entity paris --actor anna --reason 'market storms'
  worldbus schedule list
  worldbus schedule cancel 2 --time-url http://127.0.0.1:7071

Times are game times, by the clock that --clock names: they move with pause, scale and set.
`in 3 hours`, `at 06:30`, `at 2024-05-01 dusk`, `every 2 hours`, `every day 06:30`, `every month on
day 15 noon`, `dusk each monday`: docs/explanation/time.md has the grammar.";

const CATALOG: &str = "\
Examples:
  worldbus catalog
  worldbus catalog --format asyncapi > asyncapi.json
  worldbus catalog --catalog studio.binpb
  worldbus catalog add studio.binpb --url http://127.0.0.1:7070
  worldbus catalog list --url http://127.0.0.1:7070

Without a verb no bus is asked. What is added to a bus it knows at once and keeps.";

const TOPOLOGY: &str = "\
Examples:
  worldbus topology print --url 'sns-sqs://us-east-1?prefix=gaming-system'
  worldbus topology template --url 'sns-sqs://us-east-1?prefix=gaming-system' >messaging.json
  worldbus topology template --url 'sns-sqs://us-east-1?prefix=gaming-system' \\
    --subscription npc-brain=weather.changed --publishes npc-brain=world >messaging.json
  worldbus topology diff --url 'sns-sqs://us-east-1?prefix=gaming-system'
  worldbus topology apply --url 'sns-sqs://us-east-1?prefix=gaming-system' \\
    --subscription npc-brain=weather.changed,time.changed

Credentials and endpoint are those of every AWS tool: AWS_PROFILE, AWS_ACCESS_KEY_ID,
AWS_ENDPOINT_URL. What is there beyond the topology is left alone. Services create nothing.";

const HEALTH: &str = "\
Examples:
  worldbus health                         the service on 127.0.0.1:7070
  worldbus health --listen 0.0.0.0:7071

For the health check of a container, where WORLDBUS_LISTEN is that of its service. A service is
healthy from when it was ready for the first time (/readyz) and as long as it answers (/livez);
/healthz says so.";

const COST: &str = "\
Examples:
  worldbus cost                                        one world's clock
  worldbus cost --rate 80000 --subscribers 5
  worldbus cost --rate 2.4 --linger-ms 1000 --format json
  worldbus cost --profile production                   a whole deployment, a month

A model with a built-in price table, not a bill: check the prices at its foot before quoting.";

const DEV_AWS: &str = "\
Examples:
  worldbus dev aws                        prints the environment that uses it
  worldbus dev aws --port 15004

It needs Python 3 with venv, and PyPI the first time. It listens on loopback only and keeps
everything in memory.";

const TOPICS: &str = "\
Examples:
  worldbus topics list
  worldbus topics delete garbage
  worldbus topics delete garbage --yes --url embedded:/var/lib/worldbus/bus

A topic that holds batches, or that a subscription is bound to, is deleted after asking; without a
terminal it needs --yes.";

const SUBSCRIPTIONS: &str = "\
Examples:
  worldbus subscriptions list
  worldbus subscriptions delete old-service

A subscription with consumers is not deleted. One that batches wait for, or that has dead letters,
is deleted after asking; without a terminal it needs --yes.";
