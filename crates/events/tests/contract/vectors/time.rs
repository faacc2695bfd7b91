//! The events of clocks and calendars, every field set but those of the sun (`sun`).

use worldbus_events::v1::{
    ClockChanged, ClockCurve, Date, DayChanged, HolidayEnded, HolidayStarted, HourChanged, Jumped,
    MonthChanged, MoonPhase, MoonPhaseChanged, MoonView, Paused, Phase, Resumed, ScaleChanged,
    ScheduleFired, Season, SeasonChanged, YearChanged,
};
use worldbus_events::{Batch, BatchBuilder, Event, EventId, ProducerId};

const NOON_MS: i64 = 1_772_366_400_000;
const GAME_US: i64 = 5_097_600_000_000;

fn push<E: Event>(builder: &mut BatchBuilder, event: &E, entity: Option<&str>) {
    let sequence = builder.len() as u64;
    let id = EventId { producer: ProducerId::from_bits(0x0123_4567_89ab_cdef), sequence };
    builder.push_event(event, id, NOON_MS, entity).unwrap();
}

pub(crate) fn batch() -> Batch {
    let mut builder = BatchBuilder::new("time-manager", "europe");
    calendar(&mut builder);
    clock(&mut builder);
    builder.finish().unwrap()
}

fn calendar(builder: &mut BatchBuilder) {
    let date = Some(Date { year: 2024, month: 5, day: 3 });
    let hour = HourChanged {
        date,
        day_of_year: 124,
        hour: 12,
        phase: Phase::Day as i32,
        is_day: true,
        game_us: GAME_US,
        ..HourChanged::default()
    };
    push(builder, &hour, None);
    let (moon, phase) = ("Selene".to_owned(), MoonPhase::Full as i32);
    let view = MoonView { moon: moon.clone(), phase, cycle_permille: 437, lit_permille: 961 };
    let day = DayChanged {
        date,
        day_of_year: 124,
        weekday: "Friday".to_owned(),
        season: Season::Spring as i32,
        game_us: GAME_US,
        moons: vec![view],
        holidays: vec!["may_day".to_owned()],
        ..DayChanged::default()
    };
    push(builder, &day, None);
    let month = MonthChanged { date, old_month: 4, new_month: 5, name: "May".to_owned() };
    push(builder, &month, None);
    push(builder, &YearChanged { old_year: Some(2023), new_year: 2024 }, None);
    let (old_season, new_season) = (Season::Winter as i32, Season::Spring as i32);
    let name = "spring".to_owned();
    push(builder, &SeasonChanged { old_season, new_season, date, name }, None);
    let changed = MoonPhaseChanged {
        moon,
        old_phase: MoonPhase::WaxingGibbous as i32,
        new_phase: phase,
        cycle_permille: 437,
        lit_permille: 961,
        game_us: GAME_US,
    };
    push(builder, &changed, Some("Selene"));
    let (holiday, name) = ("may_day".to_owned(), "May Day".to_owned());
    let started = HolidayStarted { holiday: holiday.clone(), name: name.clone(), date };
    push(builder, &started, Some("may_day"));
    push(builder, &HolidayEnded { holiday, name, date }, Some("may_day"));
}

fn clock(builder: &mut BatchBuilder) {
    let (epoch, game_us) = (3, GAME_US);
    let (reason, actor) = ("the siege begins".to_owned(), "anna".to_owned());
    let scaled = ScaleChanged {
        old_numerator: 144,
        old_denominator: 1,
        new_numerator: 20_000,
        new_denominator: 333,
        epoch,
        game_us,
        reason: reason.clone(),
        actor: actor.clone(),
        curved: true,
    };
    push(builder, &scaled, None);
    push(builder, &Paused { epoch, game_us, reason: reason.clone(), actor: actor.clone() }, None);
    push(builder, &Resumed { epoch, game_us, reason: reason.clone(), actor: actor.clone() }, None);
    let (from_game_us, to_game_us) = (GAME_US, GAME_US + 3_600_000_000);
    let jumped = Jumped { epoch, from_game_us, to_game_us, reason, actor: actor.clone() };
    push(builder, &jumped, None);
    let fired = ScheduleFired {
        schedule_id: "7".to_owned(),
        due_game_us: GAME_US,
        game_us: GAME_US + 1,
        event_type: 4,
        payload: vec![10, 2, 24, 3],
        entity: "harbour".to_owned(),
    };
    push(builder, &fired, None);
    let curve = ClockCurve {
        cycle_us: 86_400_000_000,
        offset_us: 3_600_000_000,
        units: 2,
        starts_us: vec![0, 7_200_000_000],
        slopes: vec![2, 1],
    };
    let changed = ClockChanged {
        epoch,
        anchor_wall_us: NOON_MS * 1000,
        anchor_game_us: GAME_US,
        scale_numerator: 20_000,
        scale_denominator: 333,
        paused: true,
        reason: "pause".to_owned(),
        revision: 12,
        anchor_rest: 17,
        curve: Some(curve),
        actor,
        continues_wall_us: None,
    };
    push(builder, &changed, None);
}
