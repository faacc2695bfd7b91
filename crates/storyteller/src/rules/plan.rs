//! How the director works and what it may propose, as data. Not here: proposing (`director`).

use crate::grammar::Template;
use worldbus_events::v1::WeatherState;

/// How the director works, as the rules have it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// From the beginning of one act to that of the next.
    pub(crate) cycle_hours: i64,
    /// For how much of it incidents are proposed.
    pub(crate) on_hours: i64,
    /// How tense it should be at least.
    pub(crate) calm_permille: i64,
    /// How tense at the height of an act.
    pub(crate) peak_permille: i64,
    /// From one proposal to the next.
    pub(crate) gap_hours: i64,
    /// The same in one region.
    pub(crate) gap_region_hours: i64,
    /// How long a proposal may be accepted.
    pub(crate) valid_hours: i64,
    /// What may be proposed.
    pub(crate) incidents: Vec<Incident>,
}

/// Something that may be proposed.
#[derive(Clone, Debug)]
pub(crate) struct Incident {
    /// Its name.
    pub(crate) kind: String,
    /// Only in these seasons of the world's calendar, by id; in all if empty.
    pub(crate) seasons: Vec<String>,
    /// What it asks for.
    pub(crate) command: IncidentCommand,
    /// In words.
    pub(crate) texts: Vec<Template>,
}

/// The request that carries an incident out.
#[derive(Clone, Debug)]
pub(crate) enum IncidentCommand {
    /// Weather in the region.
    Weather {
        /// The state.
        state: WeatherState,
        /// For how long.
        minutes: u32,
    },
    /// A field of the region in the world's state.
    State {
        /// The field.
        field: String,
        /// Its value, a text.
        value: String,
    },
}
