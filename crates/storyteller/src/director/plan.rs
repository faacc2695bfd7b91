//! How tense a story is, how tense it should be, and which incident would help. Pure. Not here:
//! when that is asked (`run`), what came of it (`state`).

use super::state::{Proposal, State};
use crate::grammar::{Chance, Scope, Value};
use crate::ids::Ids;
use crate::ledger::Publication;
use crate::rules::{Incident, IncidentCommand, Plan, Rules};
use crate::store::Found;
use worldbus_events::v1::WorldStateChangeRequested;
use worldbus_events::v1::{StateChangeWish, StateWish, WeatherOverrideRequested};
use worldbus_events::{Event as _, EventId};
use worldbus_world::{GameTime, World};

/// After so long an entry counts half.
const HALF_LIFE_US: i64 = 12 * GameTime::HOUR_US;
/// After so many half lives it counts nothing.
const HALF_LIFE_COUNT_MAX: i64 = 6;
/// The sum of significances at which a story is half as tense as it can be.
const SUM_OF_HALF: i64 = 1_500;
/// A story that lacks less than this needs nothing.
const LACK_PERMILLE_MIN: i64 = 100;

/// How tense a story is, 0 to 1000, and how tense it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tension {
    /// It is.
    pub(crate) permille: u16,
    /// It should be.
    pub(crate) target_permille: u16,
    /// Incidents are proposed in this part of the cycle.
    pub(crate) on: bool,
}

/// The earliest entry that counts at an instant.
pub(crate) fn counts_from(now: GameTime) -> i64 {
    now.0.saturating_sub(HALF_LIFE_US * HALF_LIFE_COUNT_MAX)
}

impl Plan {
    /// The tension at an instant, by the entries before it.
    pub(crate) fn tension(&self, now: GameTime, entries: &[Found]) -> Tension {
        let weights = entries.iter().map(|found| {
            let age = now.0.saturating_sub(found.entry.game_us);
            weight(i64::from(found.entry.significance), age)
        });
        let sum = weights.fold(0, i64::saturating_add);
        let hour = now.hours().rem_euclid(self.cycle_hours);
        let on = hour < self.on_hours;
        // It rises from the beginning of an act to its height, which is its end.
        let rise = (self.peak_permille - self.calm_permille) * (hour + 1) / self.on_hours;
        let target = self.calm_permille + if on { rise } else { 0 };
        let permille = sum.saturating_mul(1000) / sum.saturating_add(SUM_OF_HALF).max(1);
        Tension { permille: small(permille), target_permille: small(target), on }
    }

    /// What would help at a whole hour, if something would.
    pub(crate) fn propose(
        &self,
        now: GameTime,
        tension: Tension,
        state: &State,
        (rules, world, ids): (&Rules, &World, &Ids),
    ) -> Option<Proposal> {
        let lack = i64::from(tension.target_permille) - i64::from(tension.permille);
        let last = state.proposals.iter().map(|proposal| proposal.game_us).max();
        let rests = last.is_some_and(|last| now.0 < last + self.gap_hours * GameTime::HOUR_US);
        if !tension.on || lack < LACK_PERMILLE_MIN || rests {
            return None;
        }
        let id = ids.named(&format!("proposal/{}", now.hours()));
        let mut chance = Chance::new(world.seed, id.to_u128());
        let since = now.0 - self.gap_region_hours * GameTime::HOUR_US;
        let is_free = |region: &&worldbus_world::Region| {
            let mut of_region = state.proposals.iter().filter(|of| of.region == region.id);
            !of_region.any(|proposal| proposal.game_us > since)
        };
        let regions: Vec<_> = world.regions.iter().filter(is_free).collect();
        let region = regions.get(chance.below(regions.len()))?;
        let calendar = world.calendar();
        let season = &calendar.season(now, region.hemisphere()).id;
        let fits = |incident: &&Incident| {
            incident.seasons.is_empty() || incident.seasons.iter().any(|of| of == season)
        };
        let incidents: Vec<_> = self.incidents.iter().filter(fits).collect();
        let incident = incidents.get(chance.below(incidents.len()))?;
        let template = incident.texts.get(chance.below(incident.texts.len()))?;
        let text = template.render(&InRegion(&region.id), &rules.phrases, world, &mut chance);
        let (command_type, command) = incident.command.of(&region.id);
        Some(Proposal {
            id: id.to_string(),
            kind: incident.kind.clone(),
            region: region.id.clone(),
            text,
            command_type,
            command,
            game_us: now.0,
            expires_us: now.0 + self.valid_hours * GameTime::HOUR_US,
            tension_permille: tension.permille,
            target_permille: tension.target_permille,
            answered: None,
        })
    }
}

/// What an entry of a significance and an age counts: half of it after each half life, and in
/// between on a straight line.
fn weight(significance: i64, age_us: i64) -> i64 {
    let halves = age_us.div_euclid(HALF_LIFE_US);
    if !(0..HALF_LIFE_COUNT_MAX).contains(&halves) {
        return 0;
    }
    let full = significance >> halves;
    let passed = age_us.rem_euclid(HALF_LIFE_US) / GameTime::SECOND_US;
    full - full * passed / (2 * HALF_LIFE_US / GameTime::SECOND_US)
}

fn small(permille: i64) -> u16 {
    u16::try_from(permille.clamp(0, 1000)).unwrap_or(0)
}

/// All that the text of a proposal knows.
struct InRegion<'a>(&'a str);

impl Scope for InRegion<'_> {
    fn value(&self, field: &str) -> Option<Value> {
        (field == "region").then(|| Value::Text(self.0.to_owned()))
    }
}

impl IncidentCommand {
    /// The request for a region: its event type, and its payload as JSON.
    fn of(&self, region: &str) -> (String, String) {
        match self {
            Self::Weather { state, minutes } => {
                let payload = serde_json::json!({
                    "region_ids": [region],
                    "state": state.as_str_name(),
                    "duration_game_minutes": minutes,
                });
                (WeatherOverrideRequested::NAME.to_owned(), payload.to_string())
            }
            Self::State { field, value } => {
                let change = serde_json::json!({
                    "entity": format!("region/{region}"),
                    "field": field,
                    "wish": StateWish::Set.as_str_name(),
                    "value": base64(&serde_json::Value::from(value.as_str()).to_string()),
                });
                let payload = serde_json::json!({ "changes": [change] });
                (WorldStateChangeRequested::NAME.to_owned(), payload.to_string())
            }
        }
    }

    /// The same as it is published, with who accepted and why.
    pub(super) fn request(
        &self,
        region: &str,
        (actor, reason): (&str, &str),
        id: EventId,
        wall_ms: i64,
    ) -> Publication {
        let (actor, reason) = (actor.to_owned(), reason.to_owned());
        let request = match self {
            Self::Weather { state, minutes } => {
                let request = WeatherOverrideRequested {
                    region_ids: vec![region.to_owned()],
                    state: (*state).into(),
                    duration_game_minutes: Some(*minutes),
                    actor,
                    reason,
                    ..WeatherOverrideRequested::default()
                };
                Publication::new(&request, id, wall_ms)
            }
            Self::State { field, value } => {
                let change = StateChangeWish {
                    entity: format!("region/{region}"),
                    field: field.clone(),
                    wish: StateWish::Set.into(),
                    value: serde_json::Value::from(value.as_str()).to_string().into_bytes(),
                    if_version: None,
                };
                let request = WorldStateChangeRequested { changes: vec![change], actor, reason };
                Publication::new(&request, id, wall_ms)
            }
        };
        request.about(Some(region.to_owned()), None)
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;

    base64::engine::general_purpose::STANDARD.encode(text)
}
