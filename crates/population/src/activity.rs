//! What people do, and what for: names and numbers, which are those of the catalogue.
//! Not here: who does what when (`plan`).

use std::fmt;
use std::str::FromStr;

/// What a person does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Activity {
    /// At home, or where a directive puts it.
    Sleep = 1,
    /// On the way to the next place.
    Travel = 2,
    /// At the place of its role.
    Work = 3,
    /// A meal.
    Eat = 4,
    /// At a market.
    Shop = 5,
    /// In company.
    Socialize = 6,
    /// At a temple.
    Worship = 7,
    /// Under a roof until the weather is better.
    Shelter = 8,
    /// At home, awake.
    Rest = 9,
    /// At a school.
    Study = 10,
    /// Outside, for the young.
    Play = 11,
    /// On guard.
    Patrol = 12,
    /// On a feast day.
    Celebrate = 13,
    /// Assembled with others.
    Gather = 14,
}

/// Why a person does what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Cause {
    /// The routine of its role.
    Routine = 1,
    /// The weather of its region.
    Weather = 2,
    /// A need: hunger, rest, company.
    Need = 3,
    /// A directive.
    Directive = 4,
}

/// A name that no activity has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownActivity {
    /// The name, shortened.
    pub found: String,
}

const NAME_CHARS_MAX: usize = 40;

impl Activity {
    /// All, by number.
    pub const ALL: [Self; 14] = [
        Self::Sleep,
        Self::Travel,
        Self::Work,
        Self::Eat,
        Self::Shop,
        Self::Socialize,
        Self::Worship,
        Self::Shelter,
        Self::Rest,
        Self::Study,
        Self::Play,
        Self::Patrol,
        Self::Celebrate,
        Self::Gather,
    ];

    /// What one does at places in one's free time.
    pub(crate) const PASTIMES: [Self; 4] = [Self::Socialize, Self::Shop, Self::Worship, Self::Play];

    /// The short name: `sleep`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sleep => "sleep",
            Self::Travel => "travel",
            Self::Work => "work",
            Self::Eat => "eat",
            Self::Shop => "shop",
            Self::Socialize => "socialize",
            Self::Worship => "worship",
            Self::Shelter => "shelter",
            Self::Rest => "rest",
            Self::Study => "study",
            Self::Play => "play",
            Self::Patrol => "patrol",
            Self::Celebrate => "celebrate",
            Self::Gather => "gather",
        }
    }

    /// The kind of place that it is done at where none is named; none for the workplace.
    pub(crate) fn kind(self) -> Option<&'static str> {
        match self {
            Self::Work | Self::Patrol => None,
            Self::Shop => Some("market"),
            Self::Socialize => Some("tavern"),
            Self::Worship => Some("temple"),
            Self::Study => Some("school"),
            Self::Play | Self::Celebrate | Self::Gather => Some("square"),
            Self::Sleep | Self::Eat | Self::Rest | Self::Shelter | Self::Travel => Some("home"),
        }
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Activity {
    type Err = UnknownActivity;

    fn from_str(name: &str) -> Result<Self, UnknownActivity> {
        let found = Self::ALL.into_iter().find(|activity| activity.name() == name);
        found.ok_or_else(|| UnknownActivity { found: name.chars().take(NAME_CHARS_MAX).collect() })
    }
}

impl fmt::Display for UnknownActivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Activity::ALL.map(Activity::name).join(", ");
        write!(f, "expected an activity ({names}), found {:?}", self.found)
    }
}

impl std::error::Error for UnknownActivity {}

impl Cause {
    /// The short name: `routine`.
    pub fn name(self) -> &'static str {
        ["routine", "weather", "need", "directive"][self as usize - 1]
    }
}
