//! Requests among the event types: what they may ask for, by the contract. A request is a wish that
//! anybody may publish; every other type of Worldbus is a fact that its service alone publishes.
//! Not here: who carries a request out.

use super::{Catalogue, EventType, Owner};
use crate::v1::{WeatherOverrideRequested, WeatherState};

/// How the name of a request ends.
const REQUEST: &str = "_requested";
/// Topics whose facts follow from a service's own state.
const STATEFUL_TOPICS: [&str; 2] = ["time", "weather"];

/// Regions that a request may name.
const REGION_COUNT_MAX: usize = 256;
/// Thousandths of a state's band.
const INTENSITY_PERMILLE_MAX: u32 = 1000;
/// A year of Earth.
const DURATION_GAME_MINUTES_MAX: u32 = 366 * 24 * 60;

impl EventType {
    /// Whether it is a request, which anybody may publish.
    pub fn is_request(&self) -> bool {
        self.name().ends_with(REQUEST)
    }
}

impl Catalogue {
    /// What a person should know who publishes an event of a type by hand or by a schedule: none
    /// unless it is a fact that a service of Worldbus publishes. Consumers believe such an event,
    /// and the service's own state stays as it is.
    pub fn caution(&self, event_type: &EventType) -> Option<String> {
        let stateful = STATEFUL_TOPICS.contains(&event_type.topic());
        if event_type.owner() == Owner::Studio || event_type.is_request() || !stateful {
            return None;
        }
        let (name, topic) = (event_type.name(), event_type.topic());
        let about = |of: &&EventType| of.is_request() && of.name().starts_with(topic);
        let instead = match self.iter().find(about) {
            Some(request) => format!("; to change that, publish {}", request.name()),
            None => String::new(),
        };
        Some(format!(
            "{name} is a fact that the service of topic {topic} publishes itself: consumers will \
             believe this one, but the {topic} stays as it is{instead}"
        ))
    }
}

impl WeatherOverrideRequested {
    /// Refuses what the contract does not allow; names the field, and what was expected. Whether
    /// regions exist only a world's file knows.
    pub fn check(&self) -> Result<(), String> {
        let wrong = |field: &str, expected: String| Err(format!("{field}: expected {expected}"));
        if self.state() == WeatherState::Unspecified {
            return wrong("state", "a state such as WEATHER_STATE_STORM".to_owned());
        }
        if self.region_ids.len() > REGION_COUNT_MAX {
            return wrong("region_ids", format!("at most {REGION_COUNT_MAX}"));
        }
        if self.intensity_permille.is_some_and(|permille| permille > INTENSITY_PERMILLE_MAX) {
            return wrong("intensity_permille", format!("0 to {INTENSITY_PERMILLE_MAX}"));
        }
        let lasts = |minutes| (1..=DURATION_GAME_MINUTES_MAX).contains(&minutes);
        match self.duration_game_minutes.is_none_or(lasts) {
            true => Ok(()),
            false => wrong("duration_game_minutes", format!("1 to {DURATION_GAME_MINUTES_MAX}")),
        }
    }
}

#[cfg(test)]
mod tests;
