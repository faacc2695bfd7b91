//! Layers, their mistakes, and the pages made from the declarations.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use clap::{Args as _, FromArgMatches as _};

use super::*;
use crate::Secret;

crate::settings! {
    /// Settings of the
    /// example.
    struct Example {
        ..common: Common { listen: "127.0.0.1:7071", url: "http://127.0.0.1:7070" },
        /// Game minutes from one
        /// event to the next.
        cadence: u32 = "1",
        /// A factor.
        factor: f64 = "1.5",
        /// Whether to be careful.
        careful: bool = "true",
        /// Files to read.
        catalog: Vec<String>,
    }
}

#[derive(Default)]
struct Fake {
    variables: Vec<(String, String)>,
    files: BTreeMap<String, String>,
}

impl Fake {
    fn env(variables: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self { variables: variables.iter().map(owned).collect(), files: BTreeMap::new() }
    }

    fn file(mut self, text: &str) -> Self {
        self.variables.push(("WORLDBUS_CONFIG".to_owned(), "w.toml".to_owned()));
        self.files.insert("w.toml".to_owned(), text.to_owned());
        self
    }
}

impl Sources for Fake {
    fn variables(&self) -> Vec<(String, String)> {
        self.variables.clone()
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        let text = self.files.get(path.to_str().unwrap());
        text.cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn flags(line: &[&str]) -> Flags<Example> {
    let command = Flags::<Example>::augment_args(clap::Command::new("example"));
    let matches = command.try_get_matches_from([&["example"], line].concat()).unwrap();
    Flags::from_arg_matches(&matches).unwrap()
}

fn loaded(sources: &Fake, line: &[&str]) -> Loaded<Example> {
    load(&flags(line), sources).unwrap()
}

fn mistake(sources: &Fake, line: &[&str]) -> (Kind, String) {
    let error = load(&flags(line), sources).unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn defaults_are_the_declared_ones() {
    let settings = loaded(&Fake::default(), &[]).settings;
    assert_eq!(settings.common.listen.to_string(), "127.0.0.1:7071");
    assert_eq!(settings.common.url, "http://127.0.0.1:7070");
    assert_eq!(settings.common.state_url.expose(), "sqlite:./worldbus-data/state.db");
    assert_eq!(settings.common.log_format, LogFormat::Text);
    assert!(settings.common.world.is_none() && settings.common.api_key.is_none());
    assert_eq!((settings.cadence, settings.factor, settings.careful), (1, 1.5, true));
    assert!(settings.catalog.is_empty());
}

#[test]
fn flag_beats_variable_beats_file_beats_default() {
    let file = "cadence = 2\nfactor = 2\nlog = \"off\"\n";
    let sources = Fake::env(&[("WORLDBUS_CADENCE", "3"), ("WORLDBUS_FACTOR", "3")]).file(file);
    let loaded = loaded(&sources, &["--cadence", "4"]);
    let settings = &loaded.settings;
    assert_eq!((settings.cadence, settings.factor), (4, 3.0));
    assert_eq!((&settings.common.log, settings.careful), (&"off".parse().unwrap(), true));
    let origin = |name| loaded.resolved.origin(name).unwrap().to_string();
    assert_eq!(origin("cadence"), "flag --cadence");
    assert_eq!(origin("factor"), "env WORLDBUS_FACTOR");
    assert_eq!(origin("log"), "file w.toml:3");
    assert_eq!(origin("careful"), "default");
}

#[test]
fn defaults_follow_the_data_directory() {
    let settings = loaded(&Fake::default(), &["--data-dir", "/srv/world/"]).settings;
    assert_eq!(settings.common.state_url.expose(), "sqlite:/srv/world/state.db");
    let sources = Fake::env(&[("WORLDBUS_STATE_URL", "sqlite:{data_dir}")]);
    let loaded = loaded(&sources, &[]);
    assert_eq!(loaded.settings.common.state_url.expose(), "sqlite:{data_dir}");
}

#[test]
fn each_type_is_read_from_each_layer() {
    let file = "catalog = ['a', \"b\"]\ncareful = false\nfactor = 1_0.5\ncadence = 0x1F\n";
    let from_file = loaded(&Fake::default().file(file), &[]).settings;
    assert_eq!(from_file.catalog, ["a", "b"]);
    assert_eq!((from_file.careful, from_file.factor, from_file.cadence), (false, 10.5, 31));
    let from_env = loaded(&Fake::env(&[("WORLDBUS_CATALOG", "a, b")]), &[]).settings;
    assert_eq!(from_env.catalog, ["a", "b"]);
    let line = ["--catalog", "a,b", "--catalog=c", "--careful=false", "--factor", "-1"];
    let from_flags = loaded(&Fake::default(), &line).settings;
    assert_eq!(from_flags.catalog, ["a,b", "c"]);
    assert_eq!((from_flags.careful, from_flags.factor), (false, -1.0));
}

#[test]
fn localhost_is_an_address_and_other_names_are_not() {
    let listen = |text| loaded(&Fake::default(), &["--listen", text]).settings.common.listen;
    assert_eq!(listen("localhost:7070"), "127.0.0.1:7070".parse().unwrap());
    for wrong in ["localhost", "localhost:", "localhost:x", "example:7070", "localhost:70707"] {
        let (_, text) = mistake(&Fake::default(), &["--listen", wrong]);
        assert!(text.contains("localhost:7070"), "{text}");
    }
}

#[test]
fn allowed_origins_are_a_list_and_each_is_an_origin() {
    let sources =
        Fake::env(&[("WORLDBUS_ALLOW_ORIGIN", "https://Game.example,http://localhost:3000")]);
    let origins = loaded(&sources, &[]).settings.common.allow_origin;
    let origins: Vec<String> = origins.iter().map(ToString::to_string).collect();
    assert_eq!(origins, ["https://game.example", "http://localhost:3000"]);
    for wrong in ["*", "null", "game.example", "https://game.example/"] {
        let (_, text) = mistake(&Fake::default(), &["--allow-origin", wrong]);
        assert!(text.contains("https://game.example"), "{text}");
    }
}

#[test]
fn unknown_key_names_file_line_and_the_near_key() {
    let (kind, text) = mistake(&Fake::default().file("log = \"info\"\n\ncadense = 5\n"), &[]);
    assert_eq!(kind, Kind::UnknownKey);
    assert_eq!(text, "w.toml:3: unknown key `cadense`; did you mean `cadence`?");
    let (_, text) = mistake(&Fake::default().file("data-dir = 'x'"), &[]);
    assert!(text.ends_with("did you mean `data_dir`?"), "{text}");
    let (_, text) = mistake(&Fake::default().file("[storage]\npath = 1"), &[]);
    assert!(text.starts_with("w.toml:1: unknown key `storage`; known keys: data_dir,"), "{text}");
}

#[test]
fn wrong_value_names_its_place_and_what_was_expected() {
    let (kind, text) = mistake(&Fake::default().file("\nlisten = 7070"), &[]);
    assert_eq!(kind, Kind::Invalid);
    assert!(text.starts_with("w.toml:2: key `listen` is of type integer"), "{text}");
    assert!(text.contains("127.0.0.1:7070"), "{text}");
    let (_, text) = mistake(&Fake::default().file("cadence = -1"), &[]);
    assert!(text.contains("file w.toml:1") && text.contains("`-1`"), "{text}");
    let (_, text) = mistake(&Fake::env(&[("WORLDBUS_LISTEN", "here")]), &[]);
    assert!(text.contains("env WORLDBUS_LISTEN: `here`"), "{text}");
    let (_, text) = mistake(&Fake::default(), &["--log-format", "xml"]);
    assert!(text.contains("flag --log-format") && text.contains("text or json"), "{text}");
}

#[test]
fn file_that_is_missing_or_not_toml_is_named() {
    let (kind, text) = mistake(&Fake::default(), &["--config", "absent.toml"]);
    assert_eq!(kind, Kind::File);
    assert!(text.starts_with("absent.toml: cannot read"), "{text}");
    let (kind, text) = mistake(&Fake::default().file("log = \"info\"\ncadence = = 1"), &[]);
    assert_eq!(kind, Kind::File);
    assert!(text.starts_with("w.toml:2: "), "{text}");
}

#[test]
fn misspelt_variable_is_refused_with_the_near_name() {
    for wrong in ["WORLDBUS_DATADIR", "WORLDBUS_API_KEYS", "WORLDBUS_CONFG"] {
        let (kind, text) = mistake(&Fake::env(&[(wrong, "x")]), &[]);
        assert_eq!(kind, Kind::UnknownVariable);
        assert!(text.contains(wrong) && text.contains("did you mean WORLDBUS_"), "{text}");
    }
}

#[test]
fn strange_variable_is_a_warning_and_a_tolerated_one_is_silent() {
    let sources = Fake::env(&[
        ("WORLDBUS_FLUX_CAPACITOR", "1"),
        ("WORLDBUS_SERVICE_HOST", "10.0.0.1"),
        ("WORLDBUS_PORT_7070_TCP", "tcp://10.0.0.1:7070"),
        ("WORLDBUS_WORLD", ""),
        ("PATH", "/bin"),
    ]);
    let loaded = loaded(&sources, &[]);
    assert_eq!(loaded.warnings.len(), 1);
    assert!(loaded.warnings[0].contains("WORLDBUS_FLUX_CAPACITOR"));
    assert!(loaded.settings.common.world.is_none());
}

#[test]
fn settings_of_other_commands_may_be_in_the_environment_and_in_the_file() {
    let sources = Fake::env(&[("WORLDBUS_CADENCE", "nonsense")]).file("factor = 1\nlog = 'info'");
    let flags = Flags::<Common>::default();
    let loaded = load_tolerating(&flags, &sources, &Example::declare()).unwrap();
    assert!(loaded.warnings.is_empty());
    assert_eq!(loaded.settings.log, "info".parse().unwrap());
    let sources = Fake::default().file("cadense = 5");
    let mistake = load_tolerating(&flags, &sources, &Example::declare()).unwrap_err();
    assert!(mistake.to_string().ends_with("did you mean `cadence`?"), "{mistake}");
}

#[test]
fn secret_is_never_shown_and_has_no_flag() {
    let sources = Fake::env(&[("WORLDBUS_API_KEY", "swordfish")]);
    let loaded = loaded(&sources, &[]);
    assert!(loaded.settings.common.api_key.as_ref().unwrap().matches(b"swordfish"));
    let shown = format!("{} {:?}", loaded.print(), loaded);
    assert!(!shown.contains("swordfish") && shown.contains(Secret::MASK), "{shown}");
    let (_, text) = mistake(&Fake::env(&[("WORLDBUS_API_KEY", "sword fish")]), &[]);
    assert!(!text.contains("fish") && text.contains("printable ASCII"), "{text}");
    let command = Flags::<Example>::augment_args(clap::Command::new("example"));
    assert!(command.get_arguments().all(|flag| flag.get_id() != "api-key"));
}

#[test]
fn printed_configuration_is_a_file_that_gives_the_same() {
    let line = ["--catalog", "a\"b\\", "--cadence", "9", "--data-dir", "d\u{e9}j\u{e0}"];
    let first = loaded(&Fake::default(), &line);
    let page = first.print();
    assert!(page.contains("cadence = 9 # flag --cadence\n"), "{page}");
    assert!(page.contains("# world is not set\n"), "{page}");
    let second = loaded(&Fake::default().file(&page), &[]);
    let values = |page: &str| -> Vec<String> {
        page.lines().map(|line| line.split(" #").next().unwrap().to_owned()).collect()
    };
    assert_eq!(values(&second.print()), values(&page));
}

#[test]
fn reference_documents_every_setting() {
    let page = reference::<Example>("example");
    assert!(page.starts_with("## example\n\nSettings of the example.\n\n| key |"), "{page}");
    let row = "| `cadence` | `--cadence` | `WORLDBUS_CADENCE` | `1` | \
               Game minutes from one event to the next. (a whole number from 0 to 4294967295) |\n";
    assert!(page.contains(row), "{page}");
    assert!(page.contains("| `api_key` | none: a secret | `WORLDBUS_API_KEY` | not set |"));
    assert_eq!(page.lines().filter(|line| line.starts_with("| `")).count(), 16);
}

#[test]
fn password_of_a_url_is_in_the_settings_and_on_no_page() {
    let sources = Fake::env(&[("WORLDBUS_STATE_URL", "postgres://w:pa55@db/w")]);
    let loaded = loaded(&sources, &[]);
    assert_eq!(loaded.settings.common.state_url.expose(), "postgres://w:pa55@db/w");
    let line = "# state_url = \"postgres://w:********@db/w\" # env WORLDBUS_STATE_URL";
    assert!(loaded.print().contains(line), "{}", loaded.print());
    let shown = format!("{:?} {:?}", loaded.settings, loaded.resolved);
    assert!(!shown.contains("pa55"), "{shown}");
}

#[test]
fn flags_flatten_into_a_derived_command() {
    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        flags: Flags<Example>,
        #[arg(long)]
        own: Option<String>,
    }
    let line = ["example", "--own", "x", "--cadence", "7", "--print-config"];
    let command = <Command as clap::Parser>::try_parse_from(line).unwrap();
    assert_eq!(command.own.as_deref(), Some("x"));
    assert!(command.flags.print_config);
    assert_eq!(load(&command.flags, &Fake::default()).unwrap().settings.cadence, 7);
}

#[test]
fn help_tells_default_and_variable() {
    let mut command = Flags::<Example>::augment_args(clap::Command::new("example"));
    let help = command.render_long_help().to_string();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("--listen <ADDR>"), "{help}");
    assert!(help.contains("[default: 127.0.0.1:7071] [env: WORLDBUS_LISTEN]"), "{help}");
    assert!(help.contains("--print-config"), "{help}");
}
