//! A world and its regions, as a file describes them. Not here: reading the file (`world_file`).

pub mod facts;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::calendar::{Calendar, DateTime, Hemisphere, Phase};
use crate::clock::{PhaseSpeeds, Scale};
use crate::preset::Preset;
use crate::sun::{Sun, SunRules};
use crate::time::GameTime;

/// Regions that a world may have.
pub const REGION_COUNT_MAX: usize = 10_000;

/// Clocks that a world may have besides its own.
pub const CLOCK_COUNT_MAX: usize = 16;

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
    pub(crate) calendar: Calendar,
    /// What decides days and nights.
    pub sun: SunRules,
    /// The scale that the clock starts with.
    pub scale: Scale,
    /// How fast the phases of the day pass at first, over the scale.
    pub phase_speeds: PhaseSpeeds,
    /// The clocks besides the world's own, by name.
    pub clocks: Vec<NamedClock>,
    /// The climate of regions that name none: one of [`NAMES`](crate::preset::NAMES), or a file
    /// ending in `.toml`.
    pub climate: String,
    /// The presets by the names that the file gives them.
    pub(crate) climates: BTreeMap<String, Arc<Preset>>,
    /// The regions, at least one; a region's index is its rank in the identity of events.
    pub regions: Vec<Region>,
    pub(crate) by_id: HashMap<String, usize>,
    /// The file: other crates read their parts of it.
    pub file: WorldFile,
}

/// The file that a world was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldFile {
    /// Its name, for errors.
    pub name: Arc<str>,
    /// What it holds.
    pub text: Arc<str>,
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

/// A clock besides the world's own: of a dungeon, of a dream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedClock {
    /// Names it among the world's clocks. Characters as in [`World::id`].
    pub name: String,
    /// The scale that it starts with.
    pub scale: Scale,
    /// How fast the phases of its day pass at first.
    pub phase_speeds: PhaseSpeeds,
}

impl World {
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

    /// This world as a clock besides its own sees it: under the id `world:clock`, with that
    /// clock's scale and speeds.
    pub fn of_clock(&self, clock: &NamedClock) -> Self {
        Self {
            id: format!("{}:{}", self.id, clock.name),
            scale: clock.scale,
            phase_speeds: clock.phase_speeds,
            clocks: Vec::new(),
            ..self.clone()
        }
    }
}

impl Region {
    /// The hemisphere that the region lies in.
    pub fn hemisphere(&self) -> Hemisphere {
        Hemisphere::of_latitude(self.latitude)
    }
}
