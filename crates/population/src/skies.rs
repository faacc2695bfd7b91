//! The weather of the regions as people see it: what it is called, at whole minutes.
//! Not here: what it does to people (`plan`).

use std::sync::Arc;

use worldbus_world::{GameTime, Overrides, Weather, WeatherState};

/// People notice the weather so much later: what is forced has time to be announced to those who
/// compute them.
pub const NOTICE_MINUTES: i64 = 1;

/// What the weather is called from a minute on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkyChange {
    /// The first whole minute of game time at which it is so.
    pub minute: i64,
    /// From then on.
    pub state: WeatherState,
}

/// The weather of all regions.
#[derive(Clone, Debug)]
pub struct Skies(Source);

#[derive(Clone, Debug)]
enum Source {
    Computed(Arc<Weather>, Overrides),
    /// By region, in order.
    Received(Vec<Vec<SkyChange>>),
}

impl Skies {
    /// The weather of the world, with what is forced on it, as people notice it: a minute later.
    pub fn new(weather: impl Into<Arc<Weather>>, overrides: Overrides) -> Self {
        Self(Source::Computed(weather.into(), overrides))
    }

    /// Weather that was received: for each region its changes, in order. Before the first it is
    /// clear, and after the last it stays.
    pub fn received(changes: Vec<Vec<SkyChange>>) -> Self {
        Self(Source::Received(changes))
    }

    /// What is called how in a region from one minute to before another: the state at its beginning
    /// first, then each change.
    pub(crate) fn changes(&self, region: usize, from: i64, until: i64) -> Vec<SkyChange> {
        match &self.0 {
            Source::Computed(weather, overrides) => {
                let noticed = (from - NOTICE_MINUTES, until - NOTICE_MINUTES);
                let mut changes = computed(weather, overrides, region, noticed);
                changes.iter_mut().for_each(|change| change.minute += NOTICE_MINUTES);
                changes
            }
            Source::Received(changes) => received(&changes[region], from, until),
        }
    }
}

fn computed(
    weather: &Weather,
    overrides: &Overrides,
    region: usize,
    (from, until): (i64, i64),
) -> Vec<SkyChange> {
    let mut changes: Vec<SkyChange> = Vec::new();
    let mut minute = from;
    while minute < until {
        let game = GameTime::from_minutes(minute);
        let state = weather.state(region, game, overrides);
        if changes.last().is_none_or(|last| last.state != state) {
            changes.push(SkyChange { minute, state });
        }
        // What changes within a minute is seen at the next.
        let next = weather.next_change(region, game, overrides);
        minute = next.plus_us(GameTime::MINUTE_US - 1).minutes().max(minute + 1);
    }
    changes
}

fn received(all: &[SkyChange], from: i64, until: i64) -> Vec<SkyChange> {
    let begun = all.partition_point(|change| change.minute <= from);
    let state = begun.checked_sub(1).map_or(WeatherState::Clear, |last| all[last].state);
    let later = all[begun..].iter().take_while(|change| change.minute < until);
    std::iter::once(SkyChange { minute: from, state }).chain(later.copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use worldbus_world::{Kind, Override, World};

    #[test]
    fn changes_are_those_of_the_weather_at_every_minute_also_when_it_is_forced() {
        let world = World::sample();
        let weather = Weather::new(&world);
        let kind = Kind::SetState { state: WeatherState::Storm, intensity_permille: 500 };
        let start = GameTime(GameTime::from_minutes(90).0 + 1);
        let mut record = Override::new(Vec::new(), kind, start, Some(GameTime::from_minutes(200)));
        (record.rev, record.fade_in_us) = (1, 20 * GameTime::MINUTE_US);
        let mut overrides = Overrides::default();
        overrides.insert(record).unwrap();

        let skies = Skies::new(weather.clone(), overrides.clone());
        let changes = skies.changes(3, 0, 600);
        assert!(changes.iter().any(|change| change.state == WeatherState::Storm));
        for minute in 0..600 {
            let seen = changes.iter().rfind(|change| change.minute <= minute).unwrap().state;
            let is = weather.state(3, GameTime::from_minutes(minute - 1), &overrides);
            assert_eq!(seen, is, "minute {minute}");
        }
    }

    #[test]
    fn received_weather_holds_until_the_next_change() {
        let storm = SkyChange { minute: 10, state: WeatherState::Storm };
        let clear = SkyChange { minute: 20, state: WeatherState::Clear };
        let skies = Skies::received(vec![vec![storm, clear]]);
        assert_eq!(skies.changes(0, 0, 5), [SkyChange { minute: 0, ..clear }]);
        assert_eq!(skies.changes(0, 12, 20), [SkyChange { minute: 12, ..storm }]);
        assert_eq!(skies.changes(0, 12, 21), [SkyChange { minute: 12, ..storm }, clear]);
    }
}
