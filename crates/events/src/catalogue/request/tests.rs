//! Claims about requests: what is cautioned about, and what is refused.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use super::*;

#[test]
fn facts_of_services_are_cautioned_about_and_requests_are_not() {
    let catalogue = Catalogue::builtin();
    let caution = |name: &str| catalogue.caution(catalogue.by_name(name).unwrap());
    let text = caution("weather.changed").unwrap();
    assert!(text.contains("publish weather.override_requested"), "{text}");
    let text = caution("time.day_activated").unwrap();
    assert!(text.contains("publish time.clock_requested"), "{text}");
    for request in ["weather.override_requested", "time.clock_requested"] {
        assert_eq!(caution(request), None);
    }
    assert_eq!(caution("world_state.updated"), None);
}

#[test]
fn request_beyond_its_bounds_is_refused_with_the_field() {
    let storm = WeatherOverrideRequested {
        state: WeatherState::Storm.into(),
        ..WeatherOverrideRequested::default()
    };
    assert_eq!(storm.check(), Ok(()));
    let refused = |field: &str, request: WeatherOverrideRequested| {
        let error = request.check().unwrap_err();
        assert!(error.starts_with(field), "{error}");
    };
    refused("state", WeatherOverrideRequested::default());
    refused("state", WeatherOverrideRequested { state: 99, ..storm.clone() });
    let region_ids = vec![String::new(); REGION_COUNT_MAX + 1];
    refused("region_ids", WeatherOverrideRequested { region_ids, ..storm.clone() });
    let intensity_permille = Some(1001);
    refused("intensity_permille", WeatherOverrideRequested { intensity_permille, ..storm.clone() });
    for minutes in [0, DURATION_GAME_MINUTES_MAX + 1] {
        let duration_game_minutes = Some(minutes);
        let wrong = WeatherOverrideRequested { duration_game_minutes, ..storm.clone() };
        refused("duration_game_minutes", wrong);
    }
}
