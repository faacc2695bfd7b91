//! The text of a preset's file: TOML, one row a line, so that a change is a readable diff.
//! Not `toml`'s writer: it would put each number on a line of its own. Not here: reading it back
//! (`worldbus-world`).

use std::fmt::Write as _;

use worldbus_world::preset::{Preset, Table};

/// The preset as the text of its file.
pub fn to_text(preset: &Preset) -> String {
    let mut out = String::from(
        "# Made by `worldbus climate build`; docs/how-to/climate.md describes the format.\n",
    );
    let mut line = |key: &str, value: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{key} = {value}");
    };
    line("name", quoted(&preset.name));
    line("source", quoted(&preset.source));
    line("validated", quoted(&preset.validated));
    line("latitude", preset.latitude.to_string());
    line("elevation_m", preset.elevation_m.to_string());
    line("heat_dc", preset.heat_dc.to_string());
    line("cold_dc", preset.cold_dc.to_string());
    line("heat_index_dc", preset.heat_index_dc.to_string());
    line("wind_chill_dc", preset.wind_chill_dc.to_string());
    line("prevailing_deg", preset.prevailing_deg.to_string());
    line("rain_onset_z", row(&preset.rain_onset_z));
    line("rain_rate_mmph", row(&preset.rain_rate_mmph));
    line("rain_steepness", preset.rain_steepness.to_string());
    line("shower_mmph", preset.shower_mmph.to_string());
    line("shower_onset_z", row(&preset.shower_onset_z));
    line("fog_depression_k", row(&preset.fog_depression_k));
    line("mist_depression_k", row(&preset.mist_depression_k));
    line("thunder_cut", row(&preset.thunder_cut));
    line("temperature_rain", rows(preset.temperature_rain.iter().map(|r| r.as_slice())));
    let table = |t: &Table| rows(t.rows().iter().map(|r| r.as_slice()));
    line("temperature", table(&preset.temperature));
    line("depression", table(&preset.depression));
    line("wind", table(&preset.wind));
    line("cloud", table(&preset.cloud));
    sections(preset, &mut out);
    out
}

fn sections(preset: &Preset, out: &mut String) {
    let (o, c) = (&preset.octaves, &preset.correlations);
    let octaves = [
        ("precipitation", &o.precipitation),
        ("cloud", &o.cloud),
        ("depression", &o.depression),
        ("wind", &o.wind),
        ("temperature", &o.temperature),
        ("convection", &o.convection),
    ];
    out.push_str("\n[octaves]\n");
    for (key, shares) in octaves {
        let _ = writeln!(out, "{key} = {}", row(shares));
    }
    let correlations = [
        ("cloud_rain", c.cloud_rain),
        ("depression_rain", c.depression_rain),
        ("depression_cloud", c.depression_cloud),
        ("wind_rain", c.wind_rain),
        ("temperature_depression", c.temperature_depression),
    ];
    out.push_str("\n[correlations]\n");
    for (key, loading) in correlations {
        let _ = writeln!(out, "{key} = {loading}");
    }
}

/// A text in TOML's quotes: a name may hold what a path may.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", c as u32);
            }
            c => out.push(c),
        }
    }
    out + "\""
}

fn row(values: &[f64]) -> String {
    let values: Vec<String> = values.iter().map(f64::to_string).collect();
    format!("[{}]", values.join(", "))
}

fn rows<'a>(rows: impl Iterator<Item = &'a [f64]>) -> String {
    let rows: String = rows.map(|r| format!("  {},\n", row(r))).collect();
    format!("[\n{rows}]")
}

#[cfg(test)]
mod tests;
