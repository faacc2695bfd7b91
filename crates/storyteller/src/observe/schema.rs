//! Which event types there are for rules, and their fields. Not here: reading them from events.

use crate::grammar::Shape::{self, Flag, Game, List, Number, Text};

/// An event type as rules see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its fields, by the names that they have in the contract.
    pub(crate) fields: &'static [(&'static str, Shape)],
}

impl Kind {
    /// The shape of a field.
    pub(crate) fn shape(&self, field: &str) -> Option<Shape> {
        self.fields.iter().find(|(name, _)| *name == field).map(|(_, shape)| *shape)
    }
}

/// The event type of a name.
pub(crate) fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// All event types that rules may use, by name.
pub(crate) const RECEIVED: &[&str] = &[
    "ground.state_changed",
    "npc.crowd_changed",
    "npc.directive_set",
    "npc.removed",
    "npc.spawned",
    "time.day_changed",
    "time.holiday_ended",
    "time.holiday_started",
    "time.hour_changed",
    "time.jumped",
    "time.month_changed",
    "time.moon_phase_changed",
    "time.season_changed",
    "time.year_changed",
    "weather.alert_ended",
    "weather.alert_updated",
    "weather.changed",
    "weather.daily_summary",
    "weather.severe",
    "world_state.updated",
];

const fn of(name: &'static str, fields: &'static [(&'static str, Shape)]) -> Kind {
    Kind { name, fields }
}

const ALERT: &[(&str, Shape)] = &[
    ("state", Text),
    ("severity", Text),
    ("onset_game_us", Game),
    ("end_game_us", Game),
    ("hours", Number),
    ("peak_wind_gust_dmps", Number),
    ("peak_precipitation_rate_umph", Number),
    ("forced", Flag),
];

const RESIDENT: &[(&str, Shape)] =
    &[("name", Text), ("role", Text), ("undone", Flag), ("actor", Text), ("reason", Text)];

const HOLIDAY: &[(&str, Shape)] = &[("holiday", Text), ("name", Text)];

/// In the order of [`RECEIVED`].
pub(super) const KINDS: &[Kind] = &[
    of(
        "ground.state_changed",
        &[("snow_depth_mm", Number), ("wetness_permille", Number), ("frozen", Flag)],
    ),
    of(
        "npc.crowd_changed",
        &[("count", Number), ("capacity", Number), ("full_permille", Number), ("activity", Text)],
    ),
    of(
        "npc.directive_set",
        &[
            ("activity", Text),
            ("place", Text),
            ("role", Text),
            ("person_count", Number),
            ("hours", Number),
            ("actor", Text),
            ("reason", Text),
        ],
    ),
    of("npc.removed", RESIDENT),
    of("npc.spawned", RESIDENT),
    of(
        "time.day_changed",
        &[
            ("day_of_year", Number),
            ("weekday", Text),
            ("season", Text),
            ("day_length_minutes", Number),
            ("holidays", List),
        ],
    ),
    of("time.holiday_ended", HOLIDAY),
    of("time.holiday_started", HOLIDAY),
    of("time.hour_changed", &[("hour", Number), ("phase", Text)]),
    of(
        "time.jumped",
        &[("from_game_us", Game), ("forward_hours", Number), ("actor", Text), ("reason", Text)],
    ),
    of("time.month_changed", &[("name", Text), ("new_month", Number)]),
    of("time.moon_phase_changed", &[("moon", Text), ("new_phase", Text)]),
    of("time.season_changed", &[("name", Text), ("new_season", Text), ("old_season", Text)]),
    of("time.year_changed", &[("new_year", Number)]),
    of("weather.alert_ended", &[("called_off", Flag)]),
    of("weather.alert_updated", ALERT),
    of(
        "weather.changed",
        &[
            ("old_state", Text),
            ("new_state", Text),
            ("intensity_permille", Number),
            ("temperature_decicelsius", Number),
            ("wind_speed_dmps", Number),
            ("wind_gust_dmps", Number),
            ("precipitation_rate_umph", Number),
            ("snow_rate_umph", Number),
            ("visibility_m", Number),
            ("hours", Number),
            ("forced", Flag),
        ],
    ),
    of(
        "weather.daily_summary",
        &[
            ("day", Game),
            ("temperature_min_decicelsius", Number),
            ("temperature_max_decicelsius", Number),
            ("precipitation_um", Number),
            ("wind_gust_max_dmps", Number),
            ("dominant_state", Text),
            ("wet_hours", Number),
        ],
    ),
    of("weather.severe", ALERT),
    of(
        "world_state.updated",
        &[
            ("of", Text),
            ("name", Text),
            ("field", Text),
            ("operation", Text),
            ("value", Text),
            ("number", Number),
        ],
    ),
];
