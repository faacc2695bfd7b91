//! The set of overrides as messages of a bounded size, and back. What several overrides share, the
//! names of regions and lifts, stands once. Not here: which set there is.

use std::collections::BTreeMap;

use super::Invalid;
use worldbus_events::prost::Message;
use worldbus_events::v1::weather_override::Effect;
use worldbus_events::v1::{
    WeatherCommand, WeatherLift, WeatherLock, WeatherOffset, WeatherOverride,
    WeatherOverridesAnnounced, WeatherSeasonShift, WeatherSetState, WeatherStormCell,
    WeatherWaypoint,
};
use worldbus_world::{
    Cell, Effective, GameTime, Kind, Lift, Override, Overrides, Timeline, WallTime, Waypoint,
    WeatherState,
};

/// Bytes of a part: with its envelope it fits into 64 KiB.
pub const PART_BYTES_MAX: usize = 60_000;
/// Parts of an announcement. A weather-manager's log of commands fills a few of them.
pub const PART_COUNT_MAX: u32 = 64;

/// Regions that the lifts of all overrides name together: what a follower holds of them.
const LIFTED_COUNT_MAX: usize = 1 << 22;

/// Bytes that an entry of a list takes besides its own, at most: its tag and its length.
const ENTRY_BYTES: usize = 1 + 5;

/// The announcement of a set of overrides, in parts. `epoch` is that of the clock by which the
/// commands' wall times were computed; `wall` names the announcement among those of its revision
/// and epoch.
pub fn announce(timeline: &Timeline, epoch: u32, wall: WallTime) -> Vec<WeatherOverridesAnnounced> {
    let mut tables = Tables::default();
    let records = timeline.overrides.records();
    let overrides: Vec<_> = records.iter().map(|record| tables.record(record)).collect();

    let mut parts = Parts::new(WeatherOverridesAnnounced {
        revision: timeline.rev,
        epoch,
        announced_wall_us: wall.0,
        forgotten_revision: timeline.forgotten_rev,
        ..WeatherOverridesAnnounced::default()
    });
    for id in tables.region_ids {
        parts.add(id.len(), |part| part.region_ids.push(id));
    }
    for command in &timeline.commands {
        let command = WeatherCommand {
            revision: command.rev,
            effective_wall_us: command.wall.0,
            undone_revision: command.undone.unwrap_or(0),
        };
        parts.add(command.encoded_len(), |part| part.commands.push(command));
    }
    for record in overrides {
        parts.add(record.encoded_len(), |part| part.overrides.push(record));
    }
    for lift in tables.lifts {
        parts.add(lift.encoded_len(), |part| part.lifts.push(lift));
    }
    parts.finish()
}

/// What the parts of an announcement are together, which come in order and are at least one.
pub(super) fn timeline(
    parts: impl Iterator<Item = WeatherOverridesAnnounced>,
) -> Result<Timeline, Invalid> {
    let mut whole = WeatherOverridesAnnounced::default();
    for part in parts {
        whole.revision = part.revision;
        whole.forgotten_revision = part.forgotten_revision;
        whole.region_ids.extend(part.region_ids);
        whole.commands.extend(part.commands);
        whole.overrides.extend(part.overrides);
        whole.lifts.extend(part.lifts);
    }
    check_lifts(&whole)?;
    let mut overrides = Overrides::default();
    for record in &whole.overrides {
        overrides
            .insert(record_of(record, &whole)?)
            .map_err(|error| Invalid::new(format!("override {}: {error}", record.revision)))?;
    }
    let effective = |command: &WeatherCommand| Effective {
        rev: command.revision,
        wall: WallTime(command.effective_wall_us),
        undone: (command.undone_revision > 0).then_some(command.undone_revision),
    };
    Ok(Timeline {
        rev: whole.revision,
        forgotten_rev: whole.forgotten_revision,
        commands: whole.commands.iter().map(effective).collect(),
        overrides,
    })
}

/// Lifts are shared, so a few bytes may name many regions.
fn check_lifts(whole: &WeatherOverridesAnnounced) -> Result<(), Invalid> {
    let lifts = whole.overrides.iter().flat_map(|record| &record.lift_indexes);
    let of = |at: &u32| whole.lifts.get(*at as usize).map_or(0, |lift| lift.region_indexes.len());
    let count = lifts.map(|at| 1 + of(at)).fold(0, usize::saturating_add);
    if count <= LIFTED_COUNT_MAX {
        return Ok(());
    }
    Err(Invalid::new(format!("lifts of {count} regions, more than {LIFTED_COUNT_MAX}")))
}

/// What overrides share.
#[derive(Default)]
struct Tables {
    region_ids: Vec<String>,
    lifts: Vec<WeatherLift>,
    /// Where a region is.
    region_at: BTreeMap<String, u32>,
    /// Where the lifts of a revision are.
    lifts_at: BTreeMap<u64, Vec<u32>>,
}

impl Tables {
    fn record(&mut self, record: &Override) -> WeatherOverride {
        WeatherOverride {
            revision: record.rev,
            override_id: record.id.clone(),
            region_indexes: self.regions(&record.regions),
            start_game_us: record.start.0,
            end_game_us: record.end.map(|end| end.0),
            fade_in_us: record.fade_in_us,
            fade_out_us: record.fade_out_us,
            priority: i32::from(record.priority),
            actor: record.author.clone(),
            lift_indexes: record.lifted.iter().map(|lift| self.lift(lift)).collect(),
            effect: Some(effect(&record.kind)),
        }
    }

    fn regions(&mut self, ids: &[String]) -> Vec<u32> {
        ids.iter().map(|id| self.region(id)).collect()
    }

    fn region(&mut self, id: &str) -> u32 {
        if let Some(at) = self.region_at.get(id) {
            return *at;
        }
        let at = self.region_ids.len() as u32;
        self.region_ids.push(id.to_owned());
        self.region_at.insert(id.to_owned(), at);
        at
    }

    /// All that a command lifted has one lift.
    fn lift(&mut self, lift: &Lift) -> u32 {
        let lift = WeatherLift {
            revision: lift.rev,
            region_indexes: self.regions(&lift.regions),
            from_game_us: lift.from.0,
            to_game_us: lift.to.map(|to| to.0),
        };
        let known = self.lifts_at.entry(lift.revision).or_default();
        if let Some(at) = known.iter().find(|at| self.lifts[**at as usize] == lift) {
            return *at;
        }
        let at = self.lifts.len() as u32;
        known.push(at);
        self.lifts.push(lift);
        at
    }
}

/// Parts that fill up, one after the other.
struct Parts {
    head: WeatherOverridesAnnounced,
    head_bytes: usize,
    full: Vec<WeatherOverridesAnnounced>,
    last: WeatherOverridesAnnounced,
    last_bytes: usize,
}

impl Parts {
    fn new(head: WeatherOverridesAnnounced) -> Self {
        // What numbers of parts take when they are known.
        let numbered = WeatherOverridesAnnounced { part: u32::MAX, part_count: u32::MAX, ..head };
        let head_bytes = numbered.encoded_len();
        let head = WeatherOverridesAnnounced { part: 0, part_count: 0, ..numbered };
        Self { last: head.clone(), last_bytes: head_bytes, head, head_bytes, full: Vec::new() }
    }

    fn add(&mut self, bytes: usize, push: impl FnOnce(&mut WeatherOverridesAnnounced)) {
        let bytes = bytes + ENTRY_BYTES;
        if self.last_bytes + bytes > PART_BYTES_MAX {
            self.full.push(std::mem::replace(&mut self.last, self.head.clone()));
            self.last_bytes = self.head_bytes;
        }
        self.last_bytes += bytes;
        push(&mut self.last);
    }

    fn finish(self) -> Vec<WeatherOverridesAnnounced> {
        let mut parts = self.full;
        parts.push(self.last);
        let part_count = parts.len() as u32;
        for (number, part) in (0..).zip(&mut parts) {
            (part.part, part.part_count) = (number, part_count);
        }
        parts
    }
}

fn effect(kind: &Kind) -> Effect {
    match kind {
        Kind::SetState { state, intensity_permille } => Effect::SetState(WeatherSetState {
            state: *state as i32,
            intensity_permille: u32::from(*intensity_permille),
        }),
        Kind::Offset { temperature_dc, wind_dmps, rain_permille } => {
            Effect::Offset(WeatherOffset {
                temperature_decicelsius: i32::from(*temperature_dc),
                wind_speed_dmps: i32::from(*wind_dmps),
                precipitation_permille: *rain_permille,
            })
        }
        Kind::Lock => Effect::Lock(WeatherLock {}),
        Kind::SeasonShift { days } => {
            Effect::SeasonShift(WeatherSeasonShift { days: i32::from(*days) })
        }
        Kind::StormCell(cell) => Effect::StormCell(WeatherStormCell {
            path: cell.path.iter().map(waypoint).collect(),
            radius_m: cell.radius_m,
            speed_mph: cell.speed_mph,
            state: cell.state as i32,
            intensity_permille: u32::from(cell.intensity_permille),
        }),
    }
}

fn waypoint(point: &Waypoint) -> WeatherWaypoint {
    WeatherWaypoint {
        latitude_millidegrees: point.latitude_mdeg,
        longitude_millidegrees: point.longitude_mdeg,
    }
}

fn record_of(
    record: &WeatherOverride,
    whole: &WeatherOverridesAnnounced,
) -> Result<Override, Invalid> {
    let effect = record.effect.as_ref().ok_or_else(|| {
        Invalid::new(format!("override {}: an effect that is unknown here", record.revision))
    })?;
    let regions = regions_of(&record.region_indexes, whole)?;
    let (start, end) = (GameTime(record.start_game_us), record.end_game_us.map(GameTime));
    let lift_of = |at: &u32| {
        let lift = whole.lifts.get(*at as usize);
        let lift = lift.ok_or_else(|| Invalid::new(format!("no lift {at}")))?;
        let regions = regions_of(&lift.region_indexes, whole)?;
        let (from, to) = (GameTime(lift.from_game_us), lift.to_game_us.map(GameTime));
        Ok(Lift { rev: lift.revision, regions, from, to })
    };
    Ok(Override {
        id: record.override_id.clone(),
        rev: record.revision,
        fade_in_us: record.fade_in_us,
        fade_out_us: record.fade_out_us,
        priority: narrow("priority", record.priority)?,
        author: record.actor.clone(),
        lifted: record.lift_indexes.iter().map(lift_of).collect::<Result<_, Invalid>>()?,
        ..Override::new(regions, kind(effect)?, start, end)
    })
}

fn regions_of(indexes: &[u32], whole: &WeatherOverridesAnnounced) -> Result<Vec<String>, Invalid> {
    let region = |at: &u32| {
        let id = whole.region_ids.get(*at as usize).cloned();
        id.ok_or_else(|| Invalid::new(format!("no region {at}")))
    };
    indexes.iter().map(region).collect()
}

fn kind(effect: &Effect) -> Result<Kind, Invalid> {
    Ok(match effect {
        Effect::SetState(set) => Kind::SetState {
            state: state(set.state)?,
            intensity_permille: narrow("intensity_permille", set.intensity_permille)?,
        },
        Effect::Offset(offset) => Kind::Offset {
            temperature_dc: narrow("temperature_decicelsius", offset.temperature_decicelsius)?,
            wind_dmps: narrow("wind_speed_dmps", offset.wind_speed_dmps)?,
            rain_permille: offset.precipitation_permille,
        },
        Effect::Lock(WeatherLock {}) => Kind::Lock,
        Effect::SeasonShift(shift) => Kind::SeasonShift { days: narrow("days", shift.days)? },
        Effect::StormCell(cell) => Kind::StormCell(Cell {
            path: cell.path.iter().map(point).collect(),
            radius_m: cell.radius_m,
            speed_mph: cell.speed_mph,
            state: state(cell.state)?,
            intensity_permille: narrow("intensity_permille", cell.intensity_permille)?,
        }),
    })
}

fn point(waypoint: &WeatherWaypoint) -> Waypoint {
    Waypoint {
        latitude_mdeg: waypoint.latitude_millidegrees,
        longitude_mdeg: waypoint.longitude_millidegrees,
    }
}

fn state(number: i32) -> Result<WeatherState, Invalid> {
    let state = WeatherState::ALL.into_iter().find(|state| *state as i32 == number);
    state.ok_or_else(|| Invalid::new(format!("unknown state {number}")))
}

fn narrow<T: TryFrom<N>, N: Copy + std::fmt::Display>(
    field: &str,
    number: N,
) -> Result<T, Invalid> {
    T::try_from(number).map_err(|_| Invalid::new(format!("{field} of {number}")))
}
