//! The parts of a day by the clock. Not here: the same by the sun (`sun`).

/// A part of the day: dawn from 5, day from 7, dusk from 18, night from 20 o'clock.
/// The numbers are those of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Phase {
    /// 5 to 7.
    Dawn = 1,
    /// 7 to 18.
    Day = 2,
    /// 18 to 20.
    Dusk = 3,
    /// 20 to 5.
    Night = 4,
}

impl Phase {
    /// The hours at which phases begin, in order, in a day of 24. In a day of other hours they
    /// begin after the same share of it.
    pub const START_HOURS: [(u8, Self); 4] =
        [(5, Self::Dawn), (7, Self::Day), (18, Self::Dusk), (20, Self::Night)];

    /// The phase when so much of a day has passed; both in one unit.
    pub(super) fn after(passed: i64, day: i64) -> Self {
        let begun = |(start, _): &&(u8, Self)| passed * 24 >= i64::from(*start) * day;
        Self::START_HOURS.iter().rev().find(begun).map_or(Self::Night, |(_, phase)| *phase)
    }

    /// Lower case, as in JSON: `dawn`.
    pub fn name(self) -> &'static str {
        ["dawn", "day", "dusk", "night"][self as usize - 1]
    }
}
