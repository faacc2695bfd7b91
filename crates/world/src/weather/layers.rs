//! The weather under overrides: each is a layer that works on the numbers beneath it, then the
//! result is named again, so that state and numbers agree while something fades.
//! Not here: which records are in force (`overrides`), how numbers enter a band (`constrain`).

use std::cell::Cell;
use std::sync::Arc;

use super::classify::{self, MIST_VISIBILITY_M, WET_UMPH};
use super::conditions::{Conditions, Numbers};
use super::overrides::{Kind, Override, Overrides, Spans, WHOLE, count_look, step_after, stirs};
use super::plan::hour::wet_visibility_m;
use super::{Weather, WeatherState, constrain};
use crate::time::GameTime;

/// A lock holds what other locks beneath it hold, this many deep.
const LOCK_DEPTH_MAX: usize = 4;
/// And so often in one look, the topmost first; locks beyond that count as not there. Nine locks
/// that fade at once take fewer.
const LOCK_LOOKS_MAX: u32 = 256;

/// How far a look still follows locks.
#[derive(Clone, Copy)]
struct Locks<'a> {
    depth: usize,
    left: &'a Cell<u32>,
}

impl Locks<'_> {
    /// One level further down; none if that is not to be looked at.
    fn beneath(self) -> Option<Self> {
        let left = self.left.get().checked_sub(1)?;
        let depth = self.depth.checked_sub(1)?;
        count_look();
        self.left.set(left);
        Some(Self { depth, ..self })
    }
}

/// Numbers with what else names them.
#[derive(Clone, Copy, Debug)]
struct Sky {
    numbers: Numbers,
    thunder: bool,
    /// Snow has blown long enough.
    blizzard: bool,
    /// The state and intensity that were set and nothing has moved since.
    set: Option<(WeatherState, i64)>,
    touched: bool,
}

impl Weather {
    /// The conditions at an instant at which something is forced; none if nothing is.
    pub(super) fn forced_conditions(
        &self,
        region: usize,
        time: GameTime,
        overrides: &Overrides,
    ) -> Option<Conditions> {
        let (spans, layers) = self.layers_at(region, time, overrides)?;
        let instant = self.instant(region, time, overrides, &spans);
        let named = self.look(region, instant, &layers);
        // At a whole hour, and wherever else a state may change, it is the same look.
        let sky = if instant == time { named } else { self.look(region, time, &layers) };
        if let (Some(_), Some((state, intensity))) = (named.set, sky.set) {
            return Some(sky.numbers.conditions(state, intensity, true));
        }
        let state = self.name(region, &named);
        let settled = constrain::settle(sky.numbers, state, &self.climate(region).preset);
        Some(Conditions { forced: sky.touched, ..settled })
    }

    /// The state alone.
    pub(super) fn forced_state(
        &self,
        region: usize,
        time: GameTime,
        overrides: &Overrides,
    ) -> Option<WeatherState> {
        let (spans, layers) = self.layers_at(region, time, overrides)?;
        let instant = self.instant(region, time, overrides, &spans);
        Some(self.name(region, &self.look(region, instant, &layers)))
    }

    /// The next instant after `time` at which the state may change.
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn next_change(&self, region: usize, time: GameTime, overrides: &Overrides) -> GameTime {
        let hour = GameTime::from_hours(time.hours().saturating_add(1));
        let spans = overrides.spans(&self.region_ids[region]);
        let edge = spans.edge_after(time);
        let step = self.stirs(region, time, overrides, &spans).then(|| step_after(time));
        edge.into_iter().chain(step).fold(hour, GameTime::min)
    }

    /// The last instant before `time` at which the state may have changed.
    pub(super) fn last_change(
        &self,
        region: usize,
        time: GameTime,
        overrides: &Overrides,
    ) -> GameTime {
        let spans = overrides.spans(&self.region_ids[region]);
        self.instant(region, time.plus_us(-1), overrides, &spans)
    }

    /// Whether the state may change at an instant that is no whole hour.
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn may_change(&self, region: usize, time: GameTime, overrides: &Overrides) -> bool {
        let spans = overrides.spans(&self.region_ids[region]);
        !spans.is_empty() && self.instant(region, time, overrides, &spans) == time
    }

    /// The instant that decides about the state at `time`: the last of whole hours, edges and,
    /// while something stirs, steps.
    fn instant(
        &self,
        region: usize,
        time: GameTime,
        overrides: &Overrides,
        spans: &Spans,
    ) -> GameTime {
        let hour = GameTime::from_hours(time.hours());
        let stirs = self.stirs(region, time, overrides, spans);
        let step = stirs.then(|| step_after(time).plus_us(-STEP));
        spans.edge_until(time).into_iter().chain(step).fold(hour, GameTime::max)
    }

    fn stirs(&self, region: usize, time: GameTime, overrides: &Overrides, spans: &Spans) -> bool {
        let in_force = spans.in_force(overrides.records(), time);
        stirs(&in_force, self.spots[region], time)
    }

    /// The layers of a region that decide about an instant, if one is in force then: those in
    /// force, and the others only if there are locks, which look at other instants.
    fn layers_at<'a>(
        &self,
        region: usize,
        time: GameTime,
        overrides: &'a Overrides,
    ) -> Option<(Arc<Spans>, Vec<&'a Override>)> {
        if overrides.records().is_empty() {
            return None;
        }
        let spans = overrides.spans(&self.region_ids[region]);
        let in_force = spans.in_force(overrides.records(), time);
        if in_force.is_empty() {
            return None;
        }
        let layers = if spans.has_locks() { spans.all(overrides.records()) } else { in_force };
        Some((spans, layers))
    }

    fn look(&self, region: usize, time: GameTime, layers: &[&Override]) -> Sky {
        let left = Cell::new(LOCK_LOOKS_MAX);
        self.sky(region, time, layers, Locks { depth: LOCK_DEPTH_MAX, left: &left })
    }

    fn sky(&self, region: usize, time: GameTime, layers: &[&Override], locks: Locks<'_>) -> Sky {
        let Some((top, below)) = layers.split_last() else {
            return self.plan(region, time, 0);
        };
        let weight = self.weight(region, top, time);
        if weight == 0 {
            return self.sky(region, time, below, locks);
        }
        if let Kind::SeasonShift { .. } = top.kind
            && below.iter().any(|r| !matches!(r.kind, Kind::SeasonShift { .. }))
        {
            return self.sky(region, time, &beneath(top, below), locks);
        }
        match &top.kind {
            Kind::SetState { .. } | Kind::StormCell(_) => {
                let under = self.sky(region, time, below, locks);
                let Some((state, intensity)) = top.kind.target() else { return under };
                under.mix(self.set(region, &under, state, i64::from(intensity)), weight)
            }
            Kind::Offset { temperature_dc, wind_dmps, rain_permille } => {
                let part = |value: i64| value * weight / WHOLE;
                let rain = 1000 + part(i64::from(*rain_permille) - 1000);
                let under = self.sky(region, time, below, locks);
                under.shift(part(i64::from(*temperature_dc)), part(i64::from(*wind_dmps)), rain)
            }
            Kind::Lock => {
                let Some(beneath) = locks.beneath() else {
                    return self.sky(region, time, below, locks);
                };
                let held = self.held(region, top, below, beneath);
                if weight == WHOLE {
                    return held;
                }
                self.sky(region, time, below, locks).mix(held, weight)
            }
            Kind::SeasonShift { days } => {
                let later = i64::from(*days) * self.calendar.day_us() / GameTime::HOUR_US;
                let shifted = Sky { touched: true, ..self.plan(region, time, later) };
                self.sky(region, time, below, locks).mix(shifted, weight)
            }
        }
    }

    /// What a lock holds.
    fn held(&self, region: usize, lock: &Override, below: &[&Override], locks: Locks<'_>) -> Sky {
        Sky { touched: true, ..self.sky(region, lock.start, below, locks) }
    }

    fn weight(&self, region: usize, record: &Override, time: GameTime) -> i64 {
        if !record.covers(&self.region_ids[region], time) {
            return 0;
        }
        record.weight(self.spots[region], time)
    }

    /// The plan if the year were `later` hours further on.
    fn plan(&self, region: usize, time: GameTime, later: i64) -> Sky {
        let (state, conditions) = self.planned(region, time, later);
        Sky {
            numbers: Numbers::of(&conditions),
            thunder: state == WeatherState::Storm,
            blizzard: state == WeatherState::Blizzard,
            set: None,
            touched: false,
        }
    }

    fn set(&self, region: usize, under: &Sky, state: WeatherState, intensity: i64) -> Sky {
        let preset = &self.climate(region).preset;
        let conditions = constrain::force(under.numbers, state, intensity, preset);
        Sky {
            numbers: Numbers::of(&conditions),
            thunder: state == WeatherState::Storm,
            blizzard: state == WeatherState::Blizzard,
            set: Some((state, intensity)),
            touched: true,
        }
    }

    fn name(&self, region: usize, sky: &Sky) -> WeatherState {
        if let Some((state, _)) = sky.set {
            return state;
        }
        let n = &sky.numbers;
        let blizzard = sky.blizzard && classify::is_blizzard_hour(n);
        classify::classify(n, sky.thunder, blizzard, &self.climate(region).preset)
    }
}

const STEP: i64 = super::overrides::STEP_US;

/// The layers beneath a season shift with the shift itself at the bottom, above lower shifts.
fn beneath<'a>(shift: &'a Override, below: &[&'a Override]) -> Vec<&'a Override> {
    let is_shift = |r: &&&Override| matches!(r.kind, Kind::SeasonShift { .. });
    let shifts = below.iter().filter(is_shift).copied();
    let others = below.iter().filter(|r| !is_shift(r)).copied();
    shifts.chain([shift]).chain(others).collect()
}

impl Sky {
    fn mix(self, over: Self, weight: i64) -> Self {
        if weight >= WHOLE {
            return over;
        }
        let heavier = if 2 * weight >= WHOLE { over } else { self };
        Self {
            numbers: self.numbers.towards(&over.numbers, weight),
            set: None,
            touched: true,
            ..heavier
        }
    }

    /// Warmer, windier, wetter.
    fn shift(mut self, temperature_dc: i64, wind_dmps: i64, rain_permille: i64) -> Self {
        let n = &mut self.numbers;
        let was = (n.precipitation_umph, n.is_snow_phase());
        n.temperature_dc += temperature_dc;
        n.dew_point_dc += temperature_dc;
        n.wind_dmps = (n.wind_dmps + wind_dmps).clamp(0, 1500);
        n.gust_dmps = (n.gust_dmps + wind_dmps * 3 / 2).clamp(n.wind_dmps, 2500);
        n.precipitation_umph = n.precipitation_umph * rain_permille / 1000;
        let wet = n.precipitation_umph >= WET_UMPH;
        if wet && was != (n.precipitation_umph, n.is_snow_phase()) {
            n.visibility_m = wet_visibility_m(n);
        } else if !wet && was.0 >= WET_UMPH {
            n.visibility_m = n.visibility_m.max(MIST_VISIBILITY_M);
        }
        Self { set: None, touched: true, ..self }
    }
}
