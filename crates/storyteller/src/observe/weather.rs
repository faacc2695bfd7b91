//! What the weather-manager's events mean. Not here: what is written of them.

use super::fields::{hours, number, severity, weather};
use super::{Envelope, Observation, Observe};
use crate::grammar::Value;
use worldbus_events::{Event, v1};
use worldbus_world::World;

impl Observe for v1::WeatherChanged {
    fn observe(&self, envelope: &Envelope<'_>, world: &World) -> Vec<Observation> {
        let observed = Observation::new(Self::NAME, envelope)
            .at(self.started_game_us)
            .in_region(world, &self.region_id)
            .with("old_state", weather(self.old_state()))
            .with("new_state", weather(self.new_state()))
            .with("intensity_permille", number(self.intensity_permille))
            .with("temperature_decicelsius", number(self.temperature_decicelsius))
            .with("wind_speed_dmps", number(self.wind_speed_dmps))
            .with("wind_gust_dmps", number(self.wind_gust_dmps))
            .with("precipitation_rate_umph", number(self.precipitation_rate_umph))
            .with("snow_rate_umph", number(self.snow_rate_umph))
            .with("visibility_m", number(self.visibility_m))
            .with("hours", hours(self.started_game_us, self.expected_end_game_us))
            .with("forced", Value::Flag(self.forced));
        vec![observed]
    }
}

/// What `weather.severe` and its updates share.
struct Alert<'a> {
    region_id: &'a str,
    state: v1::WeatherState,
    severity: v1::Severity,
    onset_game_us: i64,
    end_game_us: i64,
    gust_dmps: u32,
    rain_umph: u32,
    forced: bool,
}

impl Alert<'_> {
    fn observed(&self, on: &str, envelope: &Envelope<'_>, world: &World) -> Vec<Observation> {
        let observed = Observation::new(on, envelope)
            .in_region(world, self.region_id)
            .with("state", weather(self.state))
            .with("severity", severity(self.severity))
            .with("onset_game_us", Value::Game(self.onset_game_us))
            .with("end_game_us", Value::Game(self.end_game_us))
            .with("hours", hours(self.onset_game_us, self.end_game_us))
            .with("peak_wind_gust_dmps", number(self.gust_dmps))
            .with("peak_precipitation_rate_umph", number(self.rain_umph))
            .with("forced", Value::Flag(self.forced));
        vec![observed]
    }
}

impl Observe for v1::WeatherSevere {
    /// When it was announced.
    const HAS_GAME_TIME: bool = false;

    fn observe(&self, envelope: &Envelope<'_>, world: &World) -> Vec<Observation> {
        let alert = Alert {
            region_id: &self.region_id,
            state: self.state(),
            severity: self.severity(),
            onset_game_us: self.onset_game_us,
            end_game_us: self.end_game_us,
            gust_dmps: self.peak_wind_gust_dmps,
            rain_umph: self.peak_precipitation_rate_umph,
            forced: self.forced,
        };
        alert.observed(Self::NAME, envelope, world)
    }
}

impl Observe for v1::WeatherAlertUpdated {
    /// When it was announced.
    const HAS_GAME_TIME: bool = false;

    fn observe(&self, envelope: &Envelope<'_>, world: &World) -> Vec<Observation> {
        let alert = Alert {
            region_id: &self.region_id,
            state: self.state(),
            severity: self.severity(),
            onset_game_us: self.onset_game_us,
            end_game_us: self.end_game_us,
            gust_dmps: self.peak_wind_gust_dmps,
            rain_umph: self.peak_precipitation_rate_umph,
            forced: self.forced,
        };
        alert.observed(Self::NAME, envelope, world)
    }
}

impl Observe for v1::WeatherAlertEnded {
    fn observe(&self, envelope: &Envelope<'_>, world: &World) -> Vec<Observation> {
        let observed = Observation::new(Self::NAME, envelope)
            .at(self.ended_game_us)
            .in_region(world, &self.region_id)
            .with("called_off", Value::Flag(self.called_off));
        vec![observed]
    }
}

impl Observe for v1::WeatherDailySummary {
    /// It happens at the end of its day.
    fn observe(&self, envelope: &Envelope<'_>, world: &World) -> Vec<Observation> {
        let day_us = world.calendar().day_us();
        let observed = Observation::new(Self::NAME, envelope)
            .at(self.start_game_us.saturating_add(day_us))
            .in_region(world, &self.region_id)
            .with("day", Value::Game(self.start_game_us))
            .with("temperature_min_decicelsius", number(self.temperature_min_decicelsius))
            .with("temperature_max_decicelsius", number(self.temperature_max_decicelsius))
            .with("precipitation_um", number(self.precipitation_um))
            .with("wind_gust_max_dmps", number(self.wind_gust_max_dmps))
            .with("dominant_state", weather(self.dominant_state()))
            .with("wet_hours", number(self.wet_hours));
        vec![observed]
    }
}

impl Observe for v1::GroundStateChanged {
    fn observe(&self, envelope: &Envelope<'_>, world: &World) -> Vec<Observation> {
        let observed = Observation::new(Self::NAME, envelope)
            .at(self.game_us)
            .in_region(world, &self.region_id)
            .with("snow_depth_mm", number(self.snow_depth_mm))
            .with("wetness_permille", number(self.wetness_permille))
            .with("frozen", Value::Flag(self.frozen));
        vec![observed]
    }
}
