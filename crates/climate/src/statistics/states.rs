//! Figures of the fourteen states: how often, how long, at which time of day.

use super::hourly::at;
use super::numbers::{mean, runs, share, transition};
use super::{Figures, run_of, share_of};
use crate::observations::{Hour, Record};
use worldbus_world::WeatherState;

/// Fewer runs in a record do not tell how long a state lasts.
const RUN_COUNT_MIN: usize = 10;

pub(super) fn figures(record: &Record, out: &mut Figures) {
    let known = |hour: &Hour| Some((at(record, hour), hour.state?));
    let states: Vec<(i64, WeatherState)> = record.hours.iter().filter_map(known).collect();
    if states.is_empty() {
        return;
    }
    for state in WeatherState::ALL {
        out.put(&share_of(state), share(states.iter().map(|(_, s)| *s == state)));
        let runs = runs(&states, &state);
        if runs.len() >= RUN_COUNT_MIN {
            out.put(&run_of(state), mean(runs));
        }
    }
    let wet: Vec<(i64, bool)> = states.iter().map(|(at, state)| (*at, state.is_wet())).collect();
    out.put("wet_state_given_wet", transition(&wet, true));
    let fog = |hours: std::ops::RangeInclusive<i64>| {
        let within = states.iter().filter(|(at, _)| hours.contains(&at.rem_euclid(24)));
        share(within.map(|(_, state)| *state == WeatherState::Fog))
    };
    let afternoon = fog(13..=17).filter(|share| *share > 0.0);
    out.put("fog_dawn_over_afternoon", fog(5..=8).zip(afternoon).map(|(dawn, late)| dawn / late));
}
