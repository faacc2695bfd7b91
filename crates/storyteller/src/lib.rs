//! The storyteller: writes the chronicle of one world, entries from events and stories that run
//! over several, as text that can be searched.
//!
//! What it writes is a function of the events, the rules and the world's seed: every instance gives
//! the same entries under the same ids, also after a restart, and the bus drops the twins.
//!
//! Not for: what happens in the world (the services that publish it), the port.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests touch disk and clock"))]

mod chronicler;
mod director;
mod grammar;
mod ids;
mod ledger;
mod observe;
mod publish;
mod rest;
mod rewrite;
mod rules;
mod start;
mod store;

use worldbus_events::{Event as _, v1};

pub use director::Mode as DirectorMode;
pub use start::{Settings, Storyteller};

/// The service's name: the source of its events and its subscription.
pub const NAME: &str = "storyteller";

/// The topic of its events.
pub const TOPIC: &str = v1::StoryEntryAdded::TOPIC;

/// The event types that it receives.
const RECEIVES: &[&str] = &[
    v1::GroundStateChanged::NAME,
    v1::NpcCrowdChanged::NAME,
    v1::NpcDirectiveSet::NAME,
    v1::NpcRemoved::NAME,
    v1::NpcSpawned::NAME,
    v1::ClockChanged::NAME,
    v1::DayChanged::NAME,
    v1::HolidayEnded::NAME,
    v1::HolidayStarted::NAME,
    v1::HourChanged::NAME,
    v1::Jumped::NAME,
    v1::MonthChanged::NAME,
    v1::MoonPhaseChanged::NAME,
    v1::SeasonChanged::NAME,
    v1::YearChanged::NAME,
    v1::WeatherAlertEnded::NAME,
    v1::WeatherAlertUpdated::NAME,
    v1::WeatherChanged::NAME,
    v1::WeatherDailySummary::NAME,
    v1::WeatherSevere::NAME,
    v1::WorldStateUpdated::NAME,
];

/// The requests that the director publishes, by name.
const REQUESTS: &[&str] =
    &[v1::WeatherOverrideRequested::NAME, v1::WorldStateChangeRequested::NAME];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_type_that_rules_may_use_is_received() {
        let of_rules = observe::RECEIVED.iter().copied();
        let mut expected: Vec<&str> = of_rules.chain([v1::ClockChanged::NAME]).collect();
        let mut received = RECEIVES.to_vec();
        expected.sort_unstable();
        received.sort_unstable();
        assert_eq!(received, expected);
    }
}
