//! The world as pure functions: its clock, calendar, sun, weather, and the file that describes it.
//! Not here: reading a clock, chance from outside, I/O, async, events on a wire (the services
//! map these enums to the catalogue's by number).
//!
//! Everything is a function of a [`World`], a [`Clock`]'s segments and [`Overrides`], so every
//! instance of a service computes the same, on every machine:
//!
//! ```
//! use worldbus_world::{GameTime, Overrides, Weather, World};
//!
//! let world = World::sample();
//! let weather = Weather::new(&world);
//! let brussels = world.region_index("brussels").expect("a region of the sample world");
//! let now = GameTime::from_hours(30);
//! let conditions = weather.conditions(brussels, now, &Overrides::default());
//! let forecast = weather.forecast(brussels, now, 24, &Overrides::default());
//! assert_eq!(forecast[0].conditions, conditions);
//! ```
//!
//! Only `+ - * /`, square roots, integers and `libm` are used at run time: std's transcendental
//! functions differ from platform to platform.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests touch disk and clock"))]

pub mod calendar;
pub mod clock;
pub mod ids;
mod model;
pub mod preset;
pub mod schedule;
pub mod source;
pub mod sun;
mod time;
pub mod weather;
mod whole;
mod world_file;

pub use calendar::{
    Calendar, CalendarError, CalendarRules, DateTime, Day, Era, Hemisphere, Holiday, Intercalary,
    Month, Moon, MoonPhase, MoonState, NAMES as CALENDAR_NAMES, NamedSeason, NoDate, Phase, Season,
    SetTime, Year,
};
pub use clock::{
    Boundaries, Boundary, Change, Clock, ClockError, Curve, CurveError, PIECE_COUNT_MAX,
    PhaseSpeeds, Piece, SEGMENT_COUNT_MAX, Scale, ScaleError, Segment, Span, SpeedError,
};
pub use ids::{MODEL_VERSION, Slots, producer_id};
pub use model::facts::{self, Difference, Facts, Meaning};
pub use model::{CLOCK_COUNT_MAX, NamedClock, REGION_COUNT_MAX, Region, World, WorldFile};
pub use schedule::{Days, Plan, SCHEDULE_BYTES_MAX, ScheduleError};
pub use source::WorldFileError;
pub use sun::{Daylight, EARTH_OBLIQUITY_DEG, PhasePolicy, Sun, SunDay, SunRules};
pub use time::{GameTime, WallTime};
pub use weather::{
    Cell, Conditions, Confidence, Effective, FADE_HOURS_MAX, FORECAST_HOURS_MAX, Forecast,
    GROUND_LOOK_BACK_HOURS, Ground, Guess, Kind, Lift, Needed, ONSET_HOURS_MAX, OVERRIDE_COUNT_MAX,
    Override, OverrideError, Overrides, REGIONS_OF_OVERRIDE_MAX, SPELL_HOURS_MAX, SPELL_STEP_HOURS,
    Severity, Spell, Summary, Sweep, Timeline, Trial, TrialHour, UnknownState, WAYPOINT_COUNT_MAX,
    Waypoint, Weather, WeatherState, bounds,
};
pub use world_file::{KEYS as WORLD_FILE_KEYS, PEOPLE_KEYS};
