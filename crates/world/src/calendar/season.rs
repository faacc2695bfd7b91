//! Seasons: the four of the catalogue, and those that a calendar names.
//! Not here: when they begin (`boundary`).

/// A season by whole months: spring begins in March in the north, in September in the south.
/// The numbers are those of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Season {
    /// March to May in the north.
    Spring = 1,
    /// June to August in the north.
    Summer = 2,
    /// September to November in the north.
    Autumn = 3,
    /// December to February in the north.
    Winter = 4,
}

impl Season {
    /// All, by number.
    pub const ALL: [Self; 4] = [Self::Spring, Self::Summer, Self::Autumn, Self::Winter];

    /// Lower case, as in JSON: `spring`.
    pub fn name(self) -> &'static str {
        ["spring", "summer", "autumn", "winter"][self as usize - 1]
    }
}

/// Which half of the globe: it decides the season of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hemisphere {
    /// The equator and what is north of it.
    North,
    /// South of the equator.
    South,
}

impl Hemisphere {
    /// By degrees of latitude.
    pub fn of_latitude(degrees: f64) -> Self {
        if degrees < 0.0 { Self::South } else { Self::North }
    }
}

/// A season of a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedSeason {
    /// Its id; `spring`, `summer`, `autumn` and `winter` are those of the catalogue.
    pub id: String,
    /// For people.
    pub name: String,
    /// Which of the catalogue's it is, if any.
    pub kind: Option<Season>,
    /// The month of its first day in the north, from 1.
    pub month: u8,
    /// The day of that month, from 1.
    pub day: u8,
}

/// The season of a day.
pub(super) fn of_day(
    seasons: &[NamedSeason],
    (month, day): (u8, u8),
    opposite: bool,
) -> &NamedSeason {
    let begun = seasons.iter().rposition(|s| (s.month, s.day) <= (month, day));
    let north = begun.unwrap_or(seasons.len() - 1);
    &seasons[(north + if opposite { seasons.len() / 2 } else { 0 }) % seasons.len()]
}
