//! Vectors of the weather's events beyond its changes.

use worldbus_events::v1::{
    GroundStateChanged, Severity, TransitionCurve, WeatherAlertEnded, WeatherAlertUpdated,
    WeatherCorrected, WeatherDailySummary, WeatherOverrideCleared, WeatherOverrideSet,
    WeatherSample, WeatherState, WeatherTransitionCompleted, WeatherTransitionStarted,
};

const REGION: &str = "brussels";
const GAME_US: i64 = 5_119_200_000_000;
const LATER_US: i64 = 5_130_000_000_000;

pub(super) fn transition_started() -> WeatherTransitionStarted {
    WeatherTransitionStarted {
        region_id: REGION.to_owned(),
        from_state: WeatherState::Cloudy.into(),
        to_state: WeatherState::Rain.into(),
        start_game_us: GAME_US,
        end_game_us: LATER_US,
        curve: TransitionCurve::Smoothstep.into(),
    }
}

pub(super) fn transition_completed() -> WeatherTransitionCompleted {
    WeatherTransitionCompleted {
        region_id: REGION.to_owned(),
        from_state: WeatherState::Cloudy.into(),
        to_state: WeatherState::Rain.into(),
        end_game_us: LATER_US,
    }
}

pub(super) fn alert_updated() -> WeatherAlertUpdated {
    WeatherAlertUpdated {
        alert_id: format!("{REGION}:{GAME_US}"),
        previous_alert_id: format!("{REGION}:{LATER_US}"),
        region_id: REGION.to_owned(),
        state: WeatherState::Blizzard.into(),
        severity: Severity::Extreme.into(),
        onset_game_us: GAME_US,
        end_game_us: LATER_US,
        peak_wind_gust_dmps: 310,
        peak_precipitation_rate_umph: 22_000,
        forced: true,
    }
}

pub(super) fn alert_ended() -> WeatherAlertEnded {
    WeatherAlertEnded {
        alert_id: format!("{REGION}:{GAME_US}"),
        region_id: REGION.to_owned(),
        ended_game_us: LATER_US,
        called_off: true,
    }
}

pub(super) fn override_set() -> WeatherOverrideSet {
    WeatherOverrideSet {
        override_id: "brussels-3".to_owned(),
        revision: 3,
        region_ids: vec![REGION.to_owned()],
        kind: "set_state".to_owned(),
        state: WeatherState::Storm.into(),
        intensity_permille: 700,
        start_game_us: GAME_US,
        end_game_us: LATER_US,
        fade_in_game_seconds: 600,
        fade_out_game_seconds: 1_200,
        priority: -2,
        actor: "anna".to_owned(),
        reason: "the festival".to_owned(),
    }
}

pub(super) fn override_cleared() -> WeatherOverrideCleared {
    WeatherOverrideCleared {
        revision: 4,
        region_ids: vec![REGION.to_owned()],
        override_id: "brussels-3".to_owned(),
        game_us: LATER_US,
        actor: "anna".to_owned(),
        reason: "the festival is over".to_owned(),
    }
}

pub(super) fn corrected() -> WeatherCorrected {
    WeatherCorrected {
        revision: 5,
        undone_revision: 4,
        region_ids: vec![REGION.to_owned()],
        game_us: LATER_US,
        actor: "bert".to_owned(),
        reason: "it was not over".to_owned(),
    }
}

pub(super) fn sample() -> WeatherSample {
    WeatherSample {
        region_id: REGION.to_owned(),
        state: WeatherState::Snow.into(),
        intensity_permille: 400,
        temperature_decicelsius: -15,
        dew_point_decicelsius: -21,
        relative_humidity_permille: 950,
        wind_speed_dmps: 82,
        wind_gust_dmps: 147,
        wind_direction_degrees: 270,
        precipitation_rate_umph: 900,
        snow_rate_umph: 900,
        cloud_cover_permille: 1000,
        visibility_m: 2_500,
        pressure_dhpa: 9_987,
        game_us: GAME_US,
        forced: true,
    }
}

pub(super) fn daily_summary() -> WeatherDailySummary {
    WeatherDailySummary {
        region_id: REGION.to_owned(),
        start_game_us: GAME_US,
        temperature_min_decicelsius: -31,
        temperature_max_decicelsius: 42,
        precipitation_um: 5_300,
        wind_gust_max_dmps: 147,
        dominant_state: WeatherState::Cloudy.into(),
        wet_hours: 7,
    }
}

pub(super) fn ground_state_changed() -> GroundStateChanged {
    GroundStateChanged {
        region_id: REGION.to_owned(),
        snow_depth_mm: 120,
        wetness_permille: 400,
        frozen: true,
        game_us: GAME_US,
    }
}
