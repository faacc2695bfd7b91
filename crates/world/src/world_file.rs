//! The file that describes a world, parsed strictly: every mistake names file, line, key and
//! what was expected. Not here: reading the file (the caller hands over its text).

mod calendars;
mod climates;
mod clocks;
pub(crate) mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use self::climates::Climates;
pub use self::clocks::{CLOCK_COUNT_MAX, NamedClock};
use self::table::{Keys, Table};
use crate::calendar::{Calendar, DateTime, Hemisphere, Phase};
use crate::clock::{PhaseSpeeds, Scale};
use crate::sun::{PhasePolicy, Sun, SunRules};
use crate::time::GameTime;
use crate::weather::preset::Preset;

/// Regions that a world may have.
pub const REGION_COUNT_MAX: usize = 10_000;

const SAMPLE_NAME: &str = "worlds/europe.toml";
const SAMPLE: &str = include_str!("../../../worlds/europe.toml");
const NAME_CHARS_MAX: usize = 200;

const KEYS: Keys = &[
    "id",
    "name",
    "seed",
    "calendar",
    "epoch",
    "sun",
    "real_seconds_per_game_hour",
    "climate",
    "regions",
    "clock",
    "clocks",
];
const SUN_KEYS: Keys = &["obliquity_deg", "by_longitude", "phases"];
const REGION_KEYS: Keys = &["id", "name", "latitude", "longitude", "elevation_m", "climate"];

/// A world as its file describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// Names the world in every batch and in its state. Lower case letters, digits, `-`, `_`.
    pub id: String,
    /// For people.
    pub name: String,
    /// All chance in the world follows from it.
    pub seed: u64,
    /// The date at which game time is 0: a whole hour, since the weather changes at those.
    pub epoch: DateTime,
    calendar: Calendar,
    /// What decides days and nights.
    pub sun: SunRules,
    /// The scale that the clock starts with.
    pub scale: Scale,
    /// How fast the phases of the day pass at first, over the scale.
    pub phase_speeds: PhaseSpeeds,
    /// The clocks beside the world's own, by name.
    pub clocks: Vec<NamedClock>,
    /// The climate of regions that name none: one of [`crate::preset::NAMES`], or a file ending in
    /// `.toml`.
    pub climate: String,
    /// The presets by the names that the file gives them.
    pub(crate) climates: BTreeMap<String, Arc<Preset>>,
    /// The regions, at least one; a region's index is its rank in the identity of events.
    pub regions: Vec<Region>,
    by_id: HashMap<String, usize>,
}

/// A place with weather of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// The entity of the region's events. Characters as in [`World::id`].
    pub id: String,
    /// For people.
    pub name: String,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Metres above the sea.
    pub elevation_m: f64,
    /// The name of its climate, as [`World::climate`].
    pub climate: String,
}

/// A mistake in a world file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{file}:{line}: {}{message}",
    if key.is_empty() { String::new() } else { format!("{key}: ") }
)]
pub struct WorldFileError {
    /// The file's name as given.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The path of the key, such as `regions[3].latitude`; empty for the file as a whole.
    pub key: String,
    /// What was expected and what was found.
    pub message: String,
}

impl World {
    /// Parses the text of a world file; `file` is its name, for errors.
    ///
    /// # Errors
    /// The first mistake: no TOML, a key unknown or missing, a value out of its range.
    pub fn parse(file: &str, text: &str) -> Result<Self, WorldFileError> {
        Self::parse_with(file, text, &|_| Err("no file is read here".to_owned()))
    }

    /// The same for a file that may name files of climates: `read_climate` gives the text of one,
    /// or says why it cannot.
    ///
    /// # Errors
    /// The first mistake, in this file or in a preset's.
    pub fn parse_with(
        file: &str,
        text: &str,
        read_climate: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Self, WorldFileError> {
        let source = table::Source { file, text };
        let root = source.parse()?;
        let mut root = Table::root(&source, &root, KEYS)?;
        let id = root.id("id")?;
        let name = root.text_or("name", &id, NAME_CHARS_MAX)?;
        let seed = root.integer("seed", 0, i64::MAX)? as u64;
        let calendar = calendars::calendar(&mut root)?;
        let epoch = calendar.at(GameTime(0));
        let sun = sun(&mut root)?;
        let scale = root.with("real_seconds_per_game_hour", |value| {
            let number = table::number_text(value);
            let number = number.ok_or_else(|| table::expected("a number such as 25", value))?;
            let seconds: f64 = number.parse().unwrap_or(f64::NAN);
            let scale = number.parse().or_else(|_| Scale::from_f64(seconds));
            scale.map_err(|e| e.to_string())
        })?;
        let mut climates = Climates::new(read_climate);
        let climate = climates.name(&mut root)?;
        let (regions, by_id) = regions(&mut root, &climate, &mut climates)?;
        let clocks::Clocks { phase_speeds, named: clocks } = clocks::read(&mut root, scale)?;
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
        })
    }

    /// The world that is built in: `worlds/europe.toml`.
    pub fn sample() -> Self {
        #[expect(clippy::expect_used, reason = "a test parses the very same text")]
        Self::parse(SAMPLE_NAME, SAMPLE).expect("the built-in world file is correct")
    }

    /// The region's rank, if it is one of this world's.
    pub fn region_index(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The world's calendar.
    pub fn calendar(&self) -> Calendar {
        self.calendar.clone()
    }

    /// The world's sun.
    pub fn sun(&self) -> Sun {
        Sun::new(self.calendar(), self.sun)
    }

    /// The phase of the day; where it follows the sun, that of the first region.
    pub fn phase(&self, game: GameTime) -> Phase {
        let Region { latitude, longitude, .. } = self.regions[0];
        self.sun().phase(game, latitude, longitude)
    }

    /// The hemisphere of the first region, which counts as the world's.
    pub fn hemisphere(&self) -> Hemisphere {
        self.regions[0].hemisphere()
    }
}

impl Region {
    /// The hemisphere that the region lies in.
    pub fn hemisphere(&self) -> Hemisphere {
        Hemisphere::of_latitude(self.latitude)
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
            value.as_bool().ok_or_else(|| table::expected("true or false", value))
        })?;
    }
    if table.has("phases") {
        sun.phases = table.with("phases", |value| match value.as_str() {
            Some("fixed") => Ok(PhasePolicy::Fixed),
            Some("astronomical") => Ok(PhasePolicy::Astronomical),
            _ => Err(table::expected("\"fixed\" or \"astronomical\"", value)),
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
