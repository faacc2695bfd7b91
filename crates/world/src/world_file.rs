//! The file that describes a world, parsed strictly: every mistake names file, line, key and
//! what was expected. Not here: reading the file (the caller hands over its text).

mod calendars;
mod climates;
mod clocks;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use self::climates::Climates;
use crate::clock::Scale;
use crate::model::{REGION_COUNT_MAX, Region, World, WorldFile};
use crate::source::{self, Keys, Source, Table, WorldFileError};
use crate::sun::{PhasePolicy, SunRules};
use crate::time::GameTime;

const SAMPLE_NAME: &str = "worlds/europe.toml";
const SAMPLE: &str = include_str!("../../../worlds/europe.toml");
const NAME_CHARS_MAX: usize = 200;

/// What a world file may have at its root.
pub const KEYS: Keys = &[
    "id",
    "name",
    "seed",
    "calendar",
    "holidays",
    "epoch",
    "sun",
    "real_seconds_per_game_hour",
    "climate",
    "regions",
    "clock",
    "clocks",
    "people",
    "names",
    "places",
    "roles",
];
/// Of these keys what describes the people of a world: read by another crate.
pub const PEOPLE_KEYS: Keys = &["people", "names", "places", "roles"];
const SUN_KEYS: Keys = &["obliquity_deg", "by_longitude", "phases"];
const REGION_KEYS: Keys = &["id", "name", "latitude", "longitude", "elevation_m", "climate"];

impl World {
    /// Parses the text of a world file; `file` is its name, for errors.
    ///
    /// # Errors
    /// The first mistake: no TOML, a key unknown or missing, a value out of its range.
    pub fn parse(file: &str, text: &str) -> Result<Self, WorldFileError> {
        Self::parse_with(file, text, &|_| Err("no file is read here".to_owned()))
    }

    /// The same for a file that may name files of climates: `read_climate` gives the text of one,
    /// or states why it cannot.
    ///
    /// # Errors
    /// The first mistake, in this file or in a preset's.
    pub fn parse_with(
        file: &str,
        text: &str,
        read_climate: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Self, WorldFileError> {
        let source = Source { file, text };
        let root = source.parse()?;
        let mut root = Table::root(&source, &root, KEYS)?;
        let id = root.id("id")?;
        let name = root.text_or("name", &id, NAME_CHARS_MAX)?;
        let seed = root.integer("seed", 0, i64::MAX)? as u64;
        let calendar = calendars::calendar(&mut root)?;
        let epoch = calendar.at(GameTime(0));
        let sun = sun(&mut root)?;
        let scale = root.with("real_seconds_per_game_hour", |value| {
            let number = source::number_text(value);
            let number = number.ok_or_else(|| source::expected("a number such as 25", value))?;
            let seconds: f64 = number.parse().unwrap_or(f64::NAN);
            let scale = number.parse().or_else(|_| Scale::from_f64(seconds));
            scale.map_err(|e| e.to_string())
        })?;
        let mut climates = Climates::new(read_climate);
        let climate = climates.name(&mut root)?;
        let (regions, by_id) = regions(&mut root, &climate, &mut climates)?;
        let clocks::Clocks { phase_speeds, named: clocks } = clocks::read(&mut root, scale)?;
        for key in PEOPLE_KEYS {
            root.has(key);
        }
        root.finish()?;
        Ok(Self {
            id,
            name,
            seed,
            epoch,
            calendar,
            sun,
            scale,
            phase_speeds,
            clocks,
            climate,
            climates: climates.by_name,
            regions,
            by_id,
            file: WorldFile { name: file.into(), text: text.into() },
        })
    }

    /// The world that is built in: `worlds/europe.toml`.
    pub fn sample() -> Self {
        #[expect(clippy::expect_used, reason = "a test parses the very same text")]
        Self::parse(SAMPLE_NAME, SAMPLE).expect("the built-in world file is correct")
    }
}

/// `[sun]`, whose keys may all be left out.
fn sun(root: &mut Table<'_>) -> Result<SunRules, WorldFileError> {
    let mut sun = SunRules::default();
    if !root.has("sun") {
        return Ok(sun);
    }
    let mut table = root.table("sun", SUN_KEYS)?;
    if table.has("obliquity_deg") {
        sun.obliquity_deg = table.number("obliquity_deg", "degrees", 0.0, 90.0)?;
    }
    if table.has("by_longitude") {
        sun.by_longitude = table.with("by_longitude", |value| {
            value.as_bool().ok_or_else(|| source::expected("true or false", value))
        })?;
    }
    if table.has("phases") {
        sun.phases = table.with("phases", |value| match value.as_str() {
            Some("fixed") => Ok(PhasePolicy::Fixed),
            Some("astronomical") => Ok(PhasePolicy::Astronomical),
            _ => Err(source::expected("\"fixed\" or \"astronomical\"", value)),
        })?;
    }
    table.finish()?;
    Ok(sun)
}

type Regions = (Vec<Region>, HashMap<String, usize>);

fn regions(
    root: &mut Table<'_>,
    world_climate: &str,
    climates: &mut Climates<'_>,
) -> Result<Regions, WorldFileError> {
    let tables = root.tables("regions", REGION_KEYS, REGION_COUNT_MAX)?;
    let (mut regions, mut by_id) = (Vec::with_capacity(tables.len()), HashMap::new());
    for mut table in tables {
        let id = table.id("id")?;
        if let Some(first) = by_id.insert(id.clone(), regions.len()) {
            let message = format!("expected an id of its own, found {id} of regions[{first}]");
            return Err(table.error("id", message));
        }
        let name = table.text_or("name", &id, NAME_CHARS_MAX)?;
        let latitude = table.number("latitude", "degrees", -90.0, 90.0)?;
        let longitude = table.number("longitude", "degrees", -180.0, 180.0)?;
        let elevation_m = table.number("elevation_m", "metres", -500.0, 9000.0)?;
        let own = table.has("climate");
        let climate = if own { climates.name(&mut table)? } else { world_climate.to_owned() };
        table.finish()?;
        regions.push(Region { id, name, latitude, longitude, elevation_m, climate });
    }
    Ok((regions, by_id))
}
