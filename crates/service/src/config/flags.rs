//! The flags of a command, made from its declared settings: a `#[command(flatten)]` field.

use std::marker::PhantomData;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::resolved::Settings;
use super::setting::{Layer, Setting};
use super::value::Shape;

const CONFIG: &str = "config";
const PRINT_CONFIG: &str = "print-config";

/// What the command line has of the settings of `S`, with `--config FILE` and
/// `--print-config`. Values are checked by [`load`](super::load), as those of every layer.
#[derive(Debug, Clone)]
pub struct Flags<S> {
    values: Layer,
    config: Option<PathBuf>,
    /// Print the effective configuration and stop.
    pub print_config: bool,
    settings: PhantomData<fn() -> S>,
}

impl<S> Default for Flags<S> {
    fn default() -> Self {
        Self { values: Layer::new(), config: None, print_config: false, settings: PhantomData }
    }
}

impl<S> Flags<S> {
    pub(super) fn values(&self) -> &Layer {
        &self.values
    }

    pub(super) fn config_path(&self) -> Option<PathBuf> {
        self.config.clone()
    }
}

impl<S: Settings> clap::Args for Flags<S> {
    fn augment_args(command: Command) -> Command {
        let flags = S::declare().into_iter().filter_map(|setting| argument(&setting));
        let others = [config_argument(), print_config_argument()];
        // Before and behind a subcommand, where the command has some.
        command.args(flags.chain(others).map(|argument| argument.global(true)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<S: Settings> clap::FromArgMatches for Flags<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in S::declare() {
            let Some(flag) = setting.flag() else { continue };
            let Some(given) = matches.try_get_many::<String>(&flag).ok().flatten() else {
                continue;
            };
            self.values.insert(setting.name, given.cloned().collect());
        }
        if let Some(path) = matches.get_one::<PathBuf>(CONFIG) {
            self.config = Some(path.clone());
        }
        self.print_config |= matches.get_flag(PRINT_CONFIG);
        Ok(())
    }
}

fn argument(setting: &Setting) -> Option<Arg> {
    let flag = setting.flag()?;
    let argument = Arg::new(flag.clone()).long(flag).help(help(setting));
    Some(match setting.shape {
        Shape::List => argument.action(ArgAction::Append).value_name("TEXT"),
        Shape::Boolean => argument
            .num_args(0..=1)
            .require_equals(true)
            .value_name("BOOL")
            .default_missing_value("true"),
        Shape::Integer | Shape::Number => {
            argument.value_name("NUMBER").allow_negative_numbers(true)
        }
        Shape::Text => argument.value_name(value_name(setting)),
    })
}

fn value_name(setting: &Setting) -> &'static str {
    match setting.name {
        "data_dir" => "DIR",
        "listen" => "ADDR",
        name if name.ends_with("url") => "URL",
        _ if setting.expected == "a path" => "FILE",
        _ => "TEXT",
    }
}

fn help(setting: &Setting) -> String {
    let doc = setting.doc.replace('`', "");
    let words: Vec<&str> = doc.split_whitespace().collect();
    let default =
        setting.default.as_ref().map(|text| format!(" [default: {text}]")).unwrap_or_default();
    format!("{}{default} [env: {}]", words.join(" "), setting.variable())
}

fn config_argument() -> Arg {
    Arg::new(CONFIG)
        .long(CONFIG)
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help("Read settings from this TOML file [env: WORLDBUS_CONFIG]")
}

fn print_config_argument() -> Arg {
    Arg::new(PRINT_CONFIG)
        .long(PRINT_CONFIG)
        .action(ArgAction::SetTrue)
        .help("Print the effective configuration, with the origin of each value, and stop")
}
