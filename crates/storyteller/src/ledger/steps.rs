//! Arcs as they go from stage to stage. Not here: the order of what moves them (`ledger`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Changes;
use super::OPEN_COUNT_MAX;
use super::arc::{ArcState, InArc};
use super::news::{Advance, Entry, News};
use crate::ids::Ids;
use crate::observe::Observation;
use crate::rules::{ArcRule, Per, Prose, Rules, Step};
use worldbus_events::{Event as _, EventId, v1};
use worldbus_world::World;

/// Regions in which an event of the whole world moves arcs: the world's first.
const REGION_COUNT_MAX: usize = 256;
/// The stage of an arc whose time was taken back.
const UNDONE: &str = "undone";

/// A kind of arc by rank, and of what it is.
type Key = (usize, String);

#[derive(Debug)]
pub(super) struct Steps {
    rules: Arc<Rules>,
    world: Arc<World>,
    ids: Ids,
    open: BTreeMap<Key, ArcState>,
    /// When open arcs end by themselves: game time.
    deadlines: BTreeSet<(i64, Key)>,
}

impl Steps {
    /// With arcs that are open. Those of kinds and stages that the rules do not have any more are
    /// left as they are: nothing moves them.
    pub(super) fn new(rules: Arc<Rules>, world: Arc<World>, ids: Ids, arcs: Vec<ArcState>) -> Self {
        let mut this =
            Self { rules, world, ids, open: BTreeMap::new(), deadlines: BTreeSet::new() };
        for arc in arcs.into_iter().filter(|arc| !arc.ended) {
            let rank = this.rules.arcs.iter().position(|rule| rule.kind == arc.kind);
            let known = rank.filter(|rank| stage(&this.rules.arcs[*rank], &arc).is_some());
            if let Some(rank) = known {
                this.hold((rank, arc.key.clone()), arc);
            }
        }
        this
    }

    /// Whether some arc may go on by it, or an hour is over that one of them was to last.
    pub(super) fn is_for(&self, observation: &Observation) -> bool {
        let fits = |step: &Step| step.fits(&observation.on, observation);
        let arcs = self.rules.arcs.iter().filter(|arc| arc.receives(&observation.on));
        went_back(observation).is_some()
            || self.is_due(observation)
            || arcs.flat_map(|arc| &arc.steps).any(fits)
    }

    /// Whether it is an hour that ends what has lasted too long. One that comes too early for that
    /// is not needed: what ends has the time at which it was due, whichever hour ends it.
    fn is_due(&self, observation: &Observation) -> bool {
        let first = self.deadlines.first();
        observation.on == v1::HourChanged::NAME
            && first.is_some_and(|(deadline_us, _)| *deadline_us <= observation.game_us)
    }

    pub(super) fn apply(&mut self, observation: &Observation, changes: &mut Changes) {
        let mut moved = BTreeMap::new();
        self.time_out(observation.game_us, changes, &mut moved);
        if let Some(to_us) = went_back(observation) {
            self.undo(to_us, observation.wall_ms, changes, &mut moved);
        }
        let rules = Arc::clone(&self.rules);
        for (rank, rule) in rules.arcs.iter().enumerate() {
            if rule.receives(&observation.on) {
                for key in self.keys(rule, observation) {
                    self.step((rank, key), rule, observation, changes, &mut moved);
                }
            }
        }
        for arc in moved.into_values() {
            changes.arcs.retain(|known: &ArcState| known.id != arc.id);
            changes.arcs.push(arc);
        }
    }

    /// Of what the observation may move arcs.
    fn keys(&self, rule: &ArcRule, observation: &Observation) -> Vec<String> {
        match (rule.per, &observation.region, &observation.entity) {
            (Per::World, ..) => vec![String::new()],
            (Per::Entity, _, entity) => entity.iter().cloned().collect(),
            (Per::Region, Some(region), _) => vec![region.clone()],
            // Of an unknown region, not of the whole world.
            (Per::Region, None, Some(_)) => Vec::new(),
            (Per::Region, None, None) => {
                let regions = self.world.regions.iter().take(REGION_COUNT_MAX);
                regions.map(|region| region.id.clone()).collect()
            }
        }
    }

    /// Ends what has lasted too long by then, in the order in which it ended.
    fn time_out(&mut self, until_us: i64, changes: &mut Changes, moved: &mut Moved) {
        while let Some((deadline_us, key)) = self.deadlines.first().cloned() {
            if deadline_us > until_us {
                break;
            }
            let Some(mut arc) = self.release(&key) else { break };
            let rule = &self.rules.arcs[key.0];
            let Some(stage) = stage(rule, &arc) else { continue };
            let then = stage.then.map(|then| &rule.stages[then]);
            arc.ended = true;
            arc.since_us = deadline_us;
            if let Some(then) = then.filter(|then| !then.hidden) {
                arc.stage.clone_from(&then.name);
            }
            let shows = arc.shown.is_some() && then.is_some_and(|then| !then.hidden);
            let prose = stage.prose.as_ref().filter(|_| arc.shown.is_some());
            self.publish(&mut arc, shows, prose, None, changes);
            moved.insert(arc.id.clone(), arc);
        }
    }

    /// Ends what began or went on after an instant that comes again.
    fn undo(&mut self, to_us: i64, wall_ms: i64, changes: &mut Changes, moved: &mut Moved) {
        let after = self.open.iter().filter(|(_, arc)| arc.since_us > to_us);
        let keys: Vec<Key> = after.map(|(key, _)| key.clone()).collect();
        for key in keys {
            let Some(mut arc) = self.release(&key) else { continue };
            arc.ended = true;
            arc.since_us = to_us;
            arc.wall_ms = wall_ms;
            arc.stage = UNDONE.to_owned();
            let shows = arc.shown.is_some();
            self.publish(&mut arc, shows, None, None, changes);
            moved.insert(arc.id.clone(), arc);
        }
    }

    /// Takes the first step that fits.
    fn step(
        &mut self,
        key: Key,
        rule: &ArcRule,
        observation: &Observation,
        changes: &mut Changes,
        moved: &mut Moved,
    ) {
        let open = self.open.get(&key);
        if open.is_none() && self.open.len() >= OPEN_COUNT_MAX {
            metrics::counter!("worldbus_chronicle_arcs_refused_total").increment(1);
            return;
        }
        let at = open.and_then(|arc| rule.stages.iter().position(|at| at.name == arc.stage));
        let from_here = |step: &&Step| match at {
            Some(at) => step.from.contains(&at),
            None => step.from.is_empty(),
        };
        let fitting = rule
            .steps
            .iter()
            .filter(from_here)
            .filter(|step| step.fits(&observation.on, observation));
        let candidates = fitting.map(|step| (step, self.after(&key, rule, step, observation)));
        let taken = candidates.into_iter().find(|(step, arc)| {
            let scope = in_arc(arc, Some(observation));
            step.when_arc.iter().all(|condition| condition.holds(&scope))
        });
        let Some((step, mut arc)) = taken else { return };
        self.release(&key);
        let to = &rule.stages[step.to];
        let moves = arc.stage != to.name;
        arc.stage.clone_from(&to.name);
        arc.ended = to.last;
        let shows = !to.hidden && (moves || arc.shown.is_none());
        self.publish(&mut arc, shows, step.prose.as_ref(), Some(observation), changes);
        let kept = step.keep.as_deref().and_then(|field| observation.value(field));
        if let Some(crate::grammar::Value::Text(kept)) = kept {
            arc.kept = kept;
        }
        moved.insert(arc.id.clone(), arc.clone());
        if !arc.ended {
            self.hold(key, arc);
        }
    }

    /// The arc as it would have counted behind a step, still in its stage.
    fn after(&self, key: &Key, rule: &ArcRule, step: &Step, observation: &Observation) -> ArcState {
        let begin = || ArcState {
            id: self.ids.arc(&rule.kind, &key.1, observation.event, observation.index),
            kind: rule.kind.clone(),
            key: key.1.clone(),
            region: match rule.per {
                Per::Region => Some(key.1.clone()),
                Per::Entity | Per::World => observation.region.clone(),
            },
            stage: String::new(),
            shown: None,
            steps: 0,
            count: 0,
            peak: 0,
            kept: String::new(),
            began_us: observation.game_us,
            since_us: observation.game_us,
            wall_ms: observation.wall_ms,
            ended: false,
        };
        let mut arc = self.open.get(key).cloned().unwrap_or_else(begin);
        arc.count = arc.count.saturating_add(step.add);
        let peak = step.peak.as_deref().and_then(|field| observation.value(field)?.number());
        arc.peak = arc.peak.max(peak.unwrap_or(i64::MIN));
        arc.since_us = observation.game_us;
        arc.wall_ms = observation.wall_ms;
        arc
    }

    /// Adds what is published of a step: that it was taken, if it shows, and the entry about it.
    fn publish(
        &self,
        arc: &mut ArcState,
        shows: bool,
        prose: Option<&Prose>,
        observation: Option<&Observation>,
        changes: &mut Changes,
    ) {
        if !shows && prose.is_none() {
            return;
        }
        arc.steps += 1;
        let (advance, entry) = self.ids.step(&arc.id, arc.steps);
        if shows {
            let from = arc.shown.replace(arc.stage.clone()).unwrap_or_default();
            changes.news.push(News::Advance(Advance {
                id: advance,
                arc: arc.id.clone(),
                kind: arc.kind.clone(),
                number: arc.steps,
                from,
                to: arc.stage.clone(),
                region: arc.region.clone(),
                game_us: arc.since_us,
                ended: arc.ended,
                wall_ms: arc.wall_ms,
            }));
        }
        if let Some(prose) = prose {
            changes.news.push(News::Entry(self.entry(arc, entry, prose, observation)));
        }
    }

    fn entry(
        &self,
        arc: &ArcState,
        id: EventId,
        prose: &Prose,
        observation: Option<&Observation>,
    ) -> Entry {
        let scope = in_arc(arc, observation);
        let cause = observation.and_then(|observation| EventId::from_u128(observation.event).ok());
        Entry {
            id,
            game_us: arc.since_us,
            region: arc.region.clone(),
            significance: prose.significance.of(&scope),
            text: prose.text(&scope, &self.rules.phrases, &self.world, id.to_u128()),
            arc: Some(arc.id.clone()),
            rule: format!("{}.{}", arc.kind, arc.stage),
            causes: cause.into_iter().collect(),
            wall_ms: arc.wall_ms,
        }
    }

    fn hold(&mut self, key: Key, arc: ArcState) {
        let timeout = stage(&self.rules.arcs[key.0], &arc).and_then(|stage| stage.timeout_us);
        if let Some(timeout_us) = timeout {
            self.deadlines.insert((arc.since_us.saturating_add(timeout_us), key.clone()));
        }
        self.open.insert(key, arc);
    }

    fn release(&mut self, key: &Key) -> Option<ArcState> {
        let arc = self.open.remove(key)?;
        let timeout = stage(&self.rules.arcs[key.0], &arc).and_then(|stage| stage.timeout_us);
        if let Some(timeout_us) = timeout {
            self.deadlines.remove(&(arc.since_us.saturating_add(timeout_us), key.clone()));
        }
        Some(arc)
    }
}

/// Arcs that moved, by id.
type Moved = BTreeMap<String, ArcState>;

fn stage<'a>(rule: &'a ArcRule, arc: &ArcState) -> Option<&'a crate::rules::Stage> {
    rule.stages.iter().find(|stage| stage.name == arc.stage)
}

fn in_arc<'a>(arc: &'a ArcState, observation: Option<&'a Observation>) -> InArc<'a> {
    InArc { arc, observation, game_us: arc.since_us }
}

/// Where the clock was set back to, if it was.
fn went_back(observation: &Observation) -> Option<i64> {
    let is_jump = observation.on == v1::Jumped::NAME;
    let from = observation.fields.get("from_game_us").and_then(|value| value.number());
    (is_jump && from.is_some_and(|from| observation.game_us < from)).then_some(observation.game_us)
}
