//! Claims about presets' files.

use super::{NAMES, Preset};

fn text() -> String {
    include_str!("../../presets/brussels.toml").replace("\r\n", "\n")
}

#[track_caller]
fn refused(change: impl Fn(&str) -> String, wanted: &str) {
    let text = text();
    let changed = change(&text);
    assert_ne!(changed, text, "the change changes nothing");
    let error = Preset::parse("p.toml", &changed).unwrap_err().to_string();
    assert!(error.starts_with("p.toml:") && error.contains(wanted), "{error}");
}

/// Replaces the line that begins so.
fn line(text: &str, start: &str, with: &str) -> String {
    let lines = text.lines().map(|line| if line.starts_with(start) { with } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn built_in_presets_parse() {
    for name in NAMES {
        assert_eq!(Preset::built_in(name).unwrap().name, *name);
    }
    assert_eq!(Preset::built_in("atlantis"), None);
}

#[test]
fn a_table_that_does_not_rise_is_refused_with_month_and_hour() {
    let change = |text: &str| {
        let at = text.find("\nwind = [").unwrap();
        let (before, rows) = text.split_at(at + "\nwind = [\n  [".len());
        format!("{before}9{rows}")
    };
    refused(change, "wind[0]: expected rising knots in month 1 at 0 h");
}

#[test]
fn wrong_numbers_are_refused_with_their_key() {
    let twelve = |first: &str| format!("rain_onset_z = [{first}{}]", ", 1.0".repeat(11));
    for first in ["nan", "inf", "-inf", "\"a\"", "99"] {
        let wanted = "rain_onset_z[0]: expected a number from -4 to 6, found ";
        refused(|t| line(t, "rain_onset_z", &twelve(first)), wanted);
    }
    refused(|t| line(t, "rain_onset_z", "rain_onset_z = [1.0]"), "expected an array of 12");
    refused(|t| line(t, "latitude", "latitude = nan"), "latitude: expected a number of degrees");
    refused(|t| line(t, "heat_dc", "heat_dc = 3.5"), "heat_dc: expected a whole number");
    refused(|t| line(t, "cold_dc", "cold_dc = 150\nhumidity = 1"), "humidity");
    refused(|t| line(t, "source", ""), "source: expected this key, found none");
    refused(
        |t| line(t, "wind = [0", "wind = [1.0, 0.5, 0, 0, 0]"),
        "octaves.wind: expected shares",
    );
    refused(
        |t| line(t, "depression_rain", "depression_rain = -1"),
        "correlations: expected squares",
    );
    let fog = "fog_depression_k = [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]";
    refused(|t| line(t, "fog_depression_k", fog), "mist_depression_k: expected month 1 at least 9");
}
