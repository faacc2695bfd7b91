//! The command line of `worldbus chronicle`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::output::format::Format;
use crate::settings::Chronicle;
use worldbus_service::config::Flags;

/// What to do with the chronicle.
#[derive(Debug, Args)]
#[command(after_help = HELP, mut_arg("chronicle-url", |flag| flag.hide(true)))]
pub(crate) struct ChronicleArguments {
    #[command(subcommand)]
    pub(super) action: Action,
    #[command(flatten)]
    pub(super) flags: Flags<Chronicle>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Search by words, region, time and significance; without words the latest entries
    #[command(after_help = SEARCH)]
    Search(SearchArguments),
    /// Sum up what happened lately, the most significant of it
    #[command(after_help = DIGEST)]
    Digest(DigestArguments),
    /// Show an entry, and the events that it is about
    #[command(after_help = SHOW)]
    Show(ShowArguments),
    /// List the stories that run over several events
    #[command(after_help = ARCS)]
    Arcs(ArcsArguments),
    /// Write the chronicle as a book, by months of the world's calendar
    #[command(after_help = EXPORT)]
    Export(ExportArguments),
}

/// Which entries.
#[derive(Debug, Args)]
pub(super) struct Filters {
    /// Only those of a region
    #[arg(long, value_name = "ID")]
    pub(super) region: Option<String>,
    /// From this game time on: 2024-03-01, or whole game minutes since the world's epoch
    #[arg(long, value_name = "GAME_TIME", allow_hyphen_values = true)]
    pub(super) from: Option<String>,
    /// Before this game time
    #[arg(long, value_name = "GAME_TIME", allow_hyphen_values = true)]
    pub(super) to: Option<String>,
    /// Only those of a story
    #[arg(long, value_name = "ID")]
    pub(super) arc: Option<String>,
    /// Only those that matter so much, 0 to 1000
    #[arg(long, value_name = "NUMBER")]
    pub(super) min_significance: Option<u16>,
}

#[derive(Debug, Args)]
pub(super) struct SearchArguments {
    /// Words that must all be in the text
    #[arg(value_name = "WORD")]
    pub(super) words: Vec<String>,
    #[command(flatten)]
    pub(super) filters: Filters,
    /// How many at most, 1 to 500
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    pub(super) limit: u16,
    /// Where to go on: `next` of the answer before
    #[arg(long, value_name = "CURSOR")]
    pub(super) cursor: Option<String>,
    /// How to write the result
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct DigestArguments {
    /// A region's id; the whole world if left out
    #[arg(value_name = "REGION")]
    pub(super) region: Option<String>,
    /// Game hours up to now, 1 to 8784
    #[arg(long, value_name = "NUMBER", default_value_t = 168)]
    pub(super) hours: u32,
    /// How many entries at most, 1 to 50
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    pub(super) limit: u16,
    /// How to write the result
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct ShowArguments {
    /// The entry's id
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// How to write the result
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct ArcsArguments {
    /// Only those of a region
    #[arg(long, value_name = "ID")]
    pub(super) region: Option<String>,
    /// Only those of a kind, such as storm
    #[arg(long, value_name = "KIND")]
    pub(super) kind: Option<String>,
    /// Only those that go on
    #[arg(long)]
    pub(super) open: bool,
    /// How many at most, 1 to 500
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    pub(super) limit: u16,
    /// How to write the result
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    #[command(flatten)]
    pub(super) filters: Filters,
    /// What to write
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: BookFormat,
    /// The file to write; it must not be there, unless --force
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
    /// Replace the file
    #[arg(long)]
    pub(super) force: bool,
}

/// How to write a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum BookFormat {
    /// Markdown
    #[default]
    Markdown,
    /// One page that needs nothing else: no script, no other file
    Html,
    /// JSON, for programs
    Json,
}

const HELP: &str = "\
Examples:
  worldbus chronicle search storm paris
  worldbus chronicle digest brussels --hours 168
  worldbus chronicle export --format html --out europe.html

In `worldbus up` the storyteller has the URL of all; one of its own is named by --url or by
WORLDBUS_CHRONICLE_URL.";

const SEARCH: &str = "\
Examples:
  worldbus chronicle search                         the latest entries
  worldbus chronicle search heavy rain --region vienna
  worldbus chronicle search --min-significance 500 --from 2024-03-01 --format json";

const DIGEST: &str = "\
Examples:
  worldbus chronicle digest
  worldbus chronicle digest paris --hours 24 --limit 5";

const SHOW: &str = "\
Examples:
  worldbus chronicle show 0008f2c1-7a10-8fc0-8000-00000001a2b3";

const ARCS: &str = "\
Examples:
  worldbus chronicle arcs --open
  worldbus chronicle arcs --kind storm --region paris --format json";

const EXPORT: &str = "\
Examples:
  worldbus chronicle export --format html --out europe.html
  worldbus chronicle export --region paris --min-significance 300 --out paris.md";
