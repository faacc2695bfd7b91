//! Moons: where in their cycle they are, by integers. Not here: where in the sky.

/// A moon of a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moon {
    /// For people, and for holidays to name it.
    pub name: String,
    /// From new moon to new moon, in game microseconds.
    pub period_us: i64,
    /// How long before the first instant of year 1 it was new.
    pub(super) age_us: i64,
}

/// A part of a moon's cycle, an eighth of it with its namesake instant in the middle.
/// The numbers are those of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum MoonPhase {
    /// Dark.
    New = 1,
    /// Less than half lit, growing.
    WaxingCrescent = 2,
    /// Half lit, growing.
    FirstQuarter = 3,
    /// More than half lit, growing.
    WaxingGibbous = 4,
    /// All lit.
    Full = 5,
    /// More than half lit, shrinking.
    WaningGibbous = 6,
    /// Half lit, shrinking.
    LastQuarter = 7,
    /// Less than half lit, shrinking.
    WaningCrescent = 8,
}

impl MoonPhase {
    /// All, in the order of a cycle.
    pub const ALL: [Self; 8] = [
        Self::New,
        Self::WaxingCrescent,
        Self::FirstQuarter,
        Self::WaxingGibbous,
        Self::Full,
        Self::WaningGibbous,
        Self::LastQuarter,
        Self::WaningCrescent,
    ];

    /// Lower case, as in JSON and in world files: `waxing_crescent`.
    pub fn name(self) -> &'static str {
        [
            "new",
            "waxing_crescent",
            "first_quarter",
            "waxing_gibbous",
            "full",
            "waning_gibbous",
            "last_quarter",
            "waning_crescent",
        ][self as usize - 1]
    }

    /// The phase of a name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }
}

/// A moon at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MoonState {
    /// Its phase.
    pub phase: MoonPhase,
    /// How much of its cycle has passed since new moon, 0 to 999.
    pub cycle_permille: u16,
    /// How much of its disc is lit, 0 to 1000.
    pub lit_permille: u16,
}

impl Moon {
    /// Microseconds since new moon, when it is so long after the first instant of year 1.
    fn age(&self, since_us: i128) -> i64 {
        (since_us + i128::from(self.age_us)).rem_euclid(i128::from(self.period_us)) as i64
    }

    pub(super) fn state(&self, since_us: i128) -> MoonState {
        let (age, period) = (i128::from(self.age(since_us)), i128::from(self.period_us));
        let turn = age as f64 / period as f64 * core::f64::consts::TAU;
        MoonState {
            phase: MoonPhase::ALL[((age * 16 / period + 1) / 2 % 8) as usize],
            cycle_permille: (age * 1000 / period) as u16,
            lit_permille: libm::round((1.0 - libm::cos(turn)) * 500.0) as u16,
        }
    }

    /// Microseconds to the next beginning of a phase, above 0.
    pub(super) fn to_next_phase(&self, since_us: i128) -> i64 {
        let (age, period) = (i128::from(self.age(since_us)), i128::from(self.period_us));
        let begins = (0..9).map(|k| ((2 * k + 1) * period + 15) / 16);
        let next = begins.filter(|start| *start > age).min().unwrap_or(period);
        (next - age) as i64
    }

    /// Microseconds to the next middle of a phase, from 0: when a moon is full, for example.
    pub(super) fn to_middle(&self, since_us: i128, phase: MoonPhase) -> i64 {
        let (age, period) = (self.age(since_us), i128::from(self.period_us));
        let middle = ((phase as i128 - 1) * period + 7) / 8;
        (middle as i64 - age).rem_euclid(self.period_us)
    }
}
