//! The command line of `worldbus people`.

use clap::{Args, Subcommand};

use crate::output::format::Format;
use crate::session::by::By;
use crate::settings::People;
use worldbus_service::config::Flags;

/// What to do with the people.
#[derive(Debug, Args)]
#[command(after_help = HELP, mut_arg("people-url", |flag| flag.hide(true)))]
pub(crate) struct PeopleArguments {
    #[command(subcommand)]
    pub(super) action: Action,
    /// How to write the result
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) flags: Flags<People>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// List people and what each does now
    #[command(after_help = LIST)]
    List(ListArguments),
    /// Show a person
    #[command(after_help = SHOW)]
    Show(PersonArguments),
    /// Show what a person is going to do
    #[command(after_help = PLAN)]
    Plan(PlanArguments),
    /// Show why a person does what it does
    #[command(after_help = WHY)]
    Why(PersonArguments),
    /// List places and who is there now
    #[command(after_help = PLACES)]
    Places(RegionArguments),
    /// Show how many people do what now
    #[command(after_help = STATISTICS)]
    Statistics(RegionArguments),
    /// Show how many people do what now, region by region
    #[command(after_help = OVERVIEW)]
    Overview,
    /// List the commands on people
    #[command(after_help = DIRECTIVES)]
    Directives,
    /// Direct people to do something for a while
    #[command(after_help = DIRECT)]
    Direct(DirectArguments),
    /// End a directive
    #[command(after_help = CLEAR)]
    Clear(ClearArguments),
    /// Add a person to the world
    #[command(after_help = SPAWN)]
    Spawn(SpawnArguments),
    /// Remove a person from the world
    #[command(after_help = REMOVE)]
    Remove(RemoveArguments),
    /// Undo the last command that is not undone yet
    #[command(after_help = UNDO)]
    Undo(By),
}

/// Which people.
#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// Only those of this region
    #[arg(long, value_name = "ID")]
    pub(super) region: Option<String>,
    /// Only those of this role
    #[arg(long, value_name = "ID")]
    pub(super) role: Option<String>,
    /// Only those who are at this place, or on the way to it
    #[arg(long, value_name = "ID")]
    pub(super) place: Option<String>,
    /// Only those who do this: sleep, travel, work, eat, shop, socialize, worship, shelter, …
    #[arg(long, value_name = "NAME")]
    pub(super) activity: Option<String>,
    /// How many of them, 1 to 1000
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub(super) limit: u32,
    /// Where to go on: `next` of the page before
    #[arg(long, value_name = "CURSOR")]
    pub(super) cursor: Option<String>,
}

/// Which person.
#[derive(Debug, Args)]
pub(super) struct PersonArguments {
    /// A person's id
    #[arg(value_name = "PERSON")]
    pub(super) person: String,
}

/// Which person, and how far ahead.
#[derive(Debug, Args)]
pub(super) struct PlanArguments {
    /// A person's id
    #[arg(value_name = "PERSON")]
    pub(super) person: String,
    /// Game hours from now on, 1 to 168
    #[arg(long, value_name = "NUMBER", default_value_t = 24)]
    pub(super) hours: u32,
}

/// Which region, if not all.
#[derive(Debug, Args)]
pub(super) struct RegionArguments {
    /// A region's id; all regions if left out
    #[arg(value_name = "REGION")]
    pub(super) region: Option<String>,
}

/// Who is directed, and to do what.
#[derive(Debug, Args)]
pub(super) struct DirectArguments {
    /// What they do: worship, gather, sleep, work, …
    #[arg(value_name = "ACTIVITY")]
    pub(super) activity: String,
    /// A person's id; given again for each further one
    #[arg(long = "person", value_name = "ID", conflicts_with_all = ["role", "region"],
          required_unless_present_any = ["role", "region"])]
    pub(super) people: Vec<String>,
    /// All of a role
    #[arg(long, value_name = "ID")]
    pub(super) role: Option<String>,
    /// All of a region
    #[arg(long, value_name = "ID")]
    pub(super) region: Option<String>,
    /// Where; by default where each is best off for the activity
    #[arg(long, value_name = "ID")]
    pub(super) place: Option<String>,
    /// How long it is in force, in game minutes, 1 to 43200; then they go on with their day
    #[arg(long, value_name = "NUMBER")]
    pub(super) minutes: u32,
    #[command(flatten)]
    pub(super) by: By,
}

/// Which directive.
#[derive(Debug, Args)]
pub(super) struct ClearArguments {
    /// A directive's id, as `directives` shows it
    #[arg(value_name = "ID")]
    pub(super) id: String,
    #[command(flatten)]
    pub(super) by: By,
}

/// Who is added.
#[derive(Debug, Args)]
pub(super) struct SpawnArguments {
    /// An id that no one has or had: lower case letters, digits, - and _
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// The name; the id if left out
    #[arg(long, value_name = "TEXT")]
    pub(super) name: Option<String>,
    /// The region where it lives
    #[arg(long, value_name = "ID")]
    pub(super) region: String,
    /// Its role
    #[arg(long, value_name = "ID")]
    pub(super) role: String,
    /// Its home; by default one with room
    #[arg(long, value_name = "ID")]
    pub(super) home: Option<String>,
    /// Where it works; by default a place with room near home
    #[arg(long, value_name = "ID")]
    pub(super) workplace: Option<String>,
    #[command(flatten)]
    pub(super) by: By,
}

/// Who is removed.
#[derive(Debug, Args)]
pub(super) struct RemoveArguments {
    /// A person's id
    #[arg(value_name = "PERSON")]
    pub(super) person: String,
    #[command(flatten)]
    pub(super) by: By,
}

const HELP: &str = "\
Examples:
  worldbus people statistics
  worldbus people list --region brussels --activity work
  worldbus people plan mayor-of-brussels --hours 48
  worldbus people direct worship --region brussels --place brussels-temple --minutes 240

In `worldbus up` npc-behavior has the URL of all; one of its own is named by --url or by
WORLDBUS_PEOPLE_URL. A command takes effect after the lead of the service.";

const LIST: &str = "\
Examples:
  worldbus people list --region brussels
  worldbus people list --role night-watch --activity patrol
  worldbus people list --place brussels-market --format json | jq -r '.people[].name'";

const SHOW: &str = "\
Examples:
  worldbus people show mayor-of-brussels
  worldbus people show brussels-17 --format json | jq .character";

const PLAN: &str = "\
Examples:
  worldbus people plan brussels-17
  worldbus people plan brussels-17 --hours 168

A plan comes true unless the weather is forced or a directive is set.";

const WHY: &str = "\
Examples:
  worldbus people why brussels-17

Shown is what there was to choose from when the person decided last. The highest score was
chosen; the other columns add up to it.";

const PLACES: &str = "\
Examples:
  worldbus people places brussels
  worldbus people places --format json | jq '.places[] | select(.count > 50)'";

const STATISTICS: &str = "\
Examples:
  worldbus people statistics
  worldbus people statistics brussels";

const DIRECTIVES: &str = "\
Examples:
  worldbus people directives
  worldbus people directives --format json | jq '.commands[] | select(.state == \"active\")'

A command is scheduled until it takes effect, then active. A directive that is over is ended.";

const DIRECT: &str = "\
Examples:
  worldbus people direct worship --region brussels --place brussels-temple --minutes 240
  worldbus people direct rest --region paris --minutes 600 --reason 'curfew'
  worldbus people direct gather --person mayor-of-brussels --place brussels-market --minutes 60
  worldbus people direct patrol --role guard --region london --minutes 720

It takes effect after the lead of the service, and is in force for --minutes of game time: in
the sample world 240 of them are 100 seconds. At its end people go on with their day. `clear` ends
it before, `undo` takes it back. Where a place has no room for all, the others stay as they are.";

const CLEAR: &str = "\
Examples:
  worldbus people clear directive-7
  worldbus people clear directive-7 --actor anna --reason 'it rains'";

const UNDO: &str = "\
Examples:
  worldbus people undo
  worldbus people undo --actor anna --reason 'wrong region'

It undoes the last command that is not undone yet, by any actor, and prints it.";

const OVERVIEW: &str = "\
Examples:
  worldbus people overview
  worldbus people overview --format json | jq '.regions[] | {region, under_roof}'";

const SPAWN: &str = "\
Examples:
  worldbus people spawn wieland --region brussels --role artisan
  worldbus people spawn wieland --name 'Wieland' --region brussels --role artisan --actor anna

No one else does anything else because of it: it takes room that is left.";

const REMOVE: &str = "\
Examples:
  worldbus people remove wieland
  worldbus people remove brussels-17 --actor anna --reason 'lost in the storm'

Its room is free for another; its id stays its own. Undo brings it back while its room is free.";
