//! The events of days that follow the sun of a region, every field set; and a day without sunrise.

use worldbus_events::v1::{
    Date, DayActivated, DayChanged, HourChanged, MoonPhase, MoonView, NightActivated, Phase,
    Season, TimeChanged,
};
use worldbus_events::{Batch, BatchBuilder, Event, EventId, ProducerId};

const NOON_MS: i64 = 1_772_366_400_000;
const GAME_US: i64 = 5_097_600_000_000;
const REGION: &str = "north-cape";

fn push<E: Event>(builder: &mut BatchBuilder, event: &E, entity: Option<&str>) {
    let sequence = builder.len() as u64;
    let id = EventId { producer: ProducerId::from_bits(0x0123_4567_89ab_cdef), sequence };
    builder.push_event(event, id, NOON_MS, entity).unwrap();
}

pub(crate) fn batch() -> Batch {
    let mut builder = BatchBuilder::new("time-manager", "isles");
    phases(&mut builder);
    light(&mut builder);
    builder.finish().unwrap()
}

fn phases(builder: &mut BatchBuilder) {
    let date = Some(Date { year: 901, month: 3, day: 1 });
    let region_id = || Some(REGION.to_owned());
    let changed = TimeChanged {
        old_phase: Phase::Dawn as i32,
        new_phase: Phase::Day as i32,
        date,
        hour: 6,
        minute: 31,
        season: Season::Spring as i32,
        total_minutes: 84_961,
        region_id: region_id(),
        sun_altitude_centidegrees: Some(-81),
    };
    push(builder, &changed, Some(REGION));
    let sun_altitude_centidegrees = Some(-81);
    let day = DayActivated { date, region_id: region_id(), sun_altitude_centidegrees };
    push(builder, &day, Some(REGION));
    let sun_altitude_centidegrees = Some(-602);
    let night = NightActivated { date, region_id: region_id(), sun_altitude_centidegrees };
    push(builder, &night, Some(REGION));
}

fn light(builder: &mut BatchBuilder) {
    let date = Some(Date { year: 901, month: 3, day: 2 });
    let hour = HourChanged {
        date,
        day_of_year: 62,
        hour: 7,
        phase: Phase::Day as i32,
        is_day: true,
        game_us: GAME_US,
        light_permille: Some(843),
    };
    push(builder, &hour, None);
    let moon = MoonView {
        moon: "Selva".to_owned(),
        phase: MoonPhase::New as i32,
        cycle_permille: 33,
        lit_permille: 11,
    };
    let day = DayChanged {
        date,
        day_of_year: 62,
        weekday: "Millday".to_owned(),
        season: Season::Spring as i32,
        game_us: GAME_US,
        sunrise_game_us: Some(GAME_US + 23_460_000_000),
        sunset_game_us: Some(GAME_US + 64_020_000_000),
        day_length_s: Some(40_560),
        moons: vec![moon],
        holidays: vec!["sowing-eve".to_owned()],
    };
    let polar_night = DayChanged {
        sunrise_game_us: None,
        sunset_game_us: None,
        day_length_s: Some(0),
        ..day.clone()
    };
    push(builder, &polar_night, None);
    push(builder, &day, None);
}
