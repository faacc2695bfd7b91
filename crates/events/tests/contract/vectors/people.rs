//! People, the state of the world and its chronicle: each of their event types with every field
//! set.

use worldbus_events::v1::{
    NpcActivity, NpcActivityChanged, NpcActivityCount, NpcCause, NpcCorrected, NpcCrowdChanged,
    NpcDirectiveCleared, NpcDirectiveRequested, NpcDirectiveSet, NpcRemoved, NpcSpawned,
    StateChangeWish, StateWish, StoryArcAdvanced, StoryEntryAdded, StoryEntryRewritten,
    StoryProposalAnswered, StoryProposalMade, WorldStateChangeRequested,
};
use worldbus_events::{Batch, BatchBuilder, Event, EventId, NewEvent, ProducerId};

const NOON_MS: i64 = 1_772_366_400_250;
const GAME_US: i64 = 5_119_200_000_000;
const HOUR_US: i64 = 3_600_000_000;
const EVENT_ID: &str = "48d159e2-6af3-87bc-8000-00000000002a";

/// What npc-behavior publishes.
pub(crate) fn people() -> Batch {
    let mut batch = Vector::new("npc-behavior");
    batch.push(&activity_changed(), Some("ghent-0017"), Some("ghent"));
    batch.push(&crowd_changed(), Some("ghent-market"), Some("ghent"));
    let directive = NpcDirectiveSet {
        directive_id: "directive-3".to_owned(),
        revision: 3,
        person_ids: vec!["ghent-0017".to_owned(), "mayor".to_owned()],
        role: "baker".to_owned(),
        region_id: "ghent".to_owned(),
        activity: NpcActivity::Worship.into(),
        place: "ghent-temple".to_owned(),
        start_game_us: GAME_US,
        end_game_us: GAME_US + 8 * HOUR_US,
        person_count: 2,
        actor: "anna".to_owned(),
        reason: "the feast".to_owned(),
    };
    batch.push(&directive, Some("ghent"), None);
    let cleared = NpcDirectiveCleared {
        directive_id: "directive-3".to_owned(),
        revision: 4,
        game_us: GAME_US + HOUR_US,
        actor: "anna".to_owned(),
        reason: "it rains".to_owned(),
    };
    batch.push(&cleared, Some("ghent"), None);
    let corrected = NpcCorrected {
        revision: 5,
        undone_revision: 4,
        game_us: GAME_US + 2 * HOUR_US,
        actor: "anna".to_owned(),
        reason: "it does not".to_owned(),
    };
    batch.push(&corrected, None, None);
    let spawned = NpcSpawned {
        name: "Zoë van Straten".to_owned(),
        role: "baker".to_owned(),
        region_id: "ghent".to_owned(),
        home_place: "ghent-home-12".to_owned(),
        game_us: GAME_US,
        revision: 6,
        actor: "anna".to_owned(),
        reason: "a quest".to_owned(),
        undone_revision: None,
    };
    batch.push(&spawned, Some("zoe"), Some("ghent"));
    let removed = NpcRemoved {
        game_us: GAME_US + HOUR_US,
        revision: 7,
        actor: "anna".to_owned(),
        reason: "the quest is over".to_owned(),
        ..NpcRemoved::default()
    };
    batch.push(&removed, Some("zoe"), Some("ghent"));
    batch.finish()
}

/// People who come and go, with the fields that came later.
pub(crate) fn residents() -> Batch {
    let mut batch = Vector::new("npc-behavior");
    let removed = NpcRemoved {
        game_us: GAME_US,
        revision: 8,
        actor: "anna".to_owned(),
        reason: "a mistake".to_owned(),
        name: Some("Zoë van Straten".to_owned()),
        role: Some("baker".to_owned()),
        undone_revision: Some(6),
    };
    batch.push(&removed, Some("zoe"), Some("ghent"));
    let spawned = NpcSpawned {
        name: "Jan Peeters".to_owned(),
        role: "guard".to_owned(),
        region_id: "ghent".to_owned(),
        home_place: "ghent-home-3".to_owned(),
        game_us: GAME_US + HOUR_US,
        revision: 10,
        actor: "anna".to_owned(),
        reason: "he lives".to_owned(),
        undone_revision: Some(9),
    };
    batch.push(&spawned, Some("ghent-0018"), Some("ghent"));
    batch.finish()
}

/// What people and the state of the world are asked for.
pub(crate) fn requests() -> Batch {
    let mut batch = Vector::new("time-manager");
    let directive = NpcDirectiveRequested {
        person_ids: vec!["mayor".to_owned()],
        role: "baker".to_owned(),
        region_id: "ghent".to_owned(),
        activity: NpcActivity::Gather.into(),
        place: "ghent-market".to_owned(),
        duration_game_minutes: 90,
        actor: "anna".to_owned(),
        reason: "the speech".to_owned(),
    };
    batch.push(&directive, None, None);
    let wish = |wish: StateWish, value: &[u8], if_version| StateChangeWish {
        entity: "faction/harbour-guild".to_owned(),
        field: "gold".to_owned(),
        wish: wish.into(),
        value: value.to_vec(),
        if_version,
    };
    let change = WorldStateChangeRequested {
        changes: vec![
            wish(StateWish::Set, b"{\"coins\":12}", Some(0)),
            wish(StateWish::Increment, b"-2.5", Some(7)),
            wish(StateWish::Remove, b"", None),
        ],
        actor: "anna".to_owned(),
        reason: "the tax".to_owned(),
    };
    batch.push(&change, None, None);
    batch.finish()
}

/// What the storyteller publishes.
pub(crate) fn story() -> Batch {
    let mut batch = Vector::new("storyteller");
    let entry = StoryEntryAdded {
        entry_id: "entry-1".to_owned(),
        game_us: GAME_US,
        region_id: "ghent".to_owned(),
        significance_permille: 640,
        text: "A storm broke over Ghent, and 212 people fled from the market.".to_owned(),
        arc_id: "storm-ghent-85320".to_owned(),
        rule: "storm_breaks".to_owned(),
        event_ids: vec![EVENT_ID.to_owned()],
    };
    batch.push(&entry, Some("storm-ghent-85320"), Some("ghent"));
    let arc = StoryArcAdvanced {
        arc_id: "storm-ghent-85320".to_owned(),
        kind: "storm".to_owned(),
        from_stage: "alert".to_owned(),
        stage: "aftermath".to_owned(),
        region_id: "ghent".to_owned(),
        game_us: GAME_US,
        ended: true,
    };
    batch.push(&arc, Some("storm-ghent-85320"), Some("ghent"));
    let proposal = StoryProposalMade {
        proposal_id: "proposal-1".to_owned(),
        kind: "storm".to_owned(),
        region_id: "ghent".to_owned(),
        text: "A storm over Ghent for three hours.".to_owned(),
        command_type: "weather.override_requested".to_owned(),
        command: b"{\"state\":\"WEATHER_STATE_STORM\"}".to_vec(),
        game_us: GAME_US,
        expires_game_us: GAME_US + 24 * HOUR_US,
        tension_permille: 210,
        tension_target_permille: 600,
    };
    batch.push(&proposal, Some("ghent"), None);
    let answered = StoryProposalAnswered {
        proposal_id: "proposal-1".to_owned(),
        accepted: true,
        actor: "anna".to_owned(),
        reason: "why not".to_owned(),
        game_us: GAME_US + HOUR_US,
    };
    batch.push(&answered, Some("ghent"), None);
    let rewritten = StoryEntryRewritten {
        entry_id: "entry-1".to_owned(),
        text: "Thunder rolled over Ghent, and the market emptied in a breath.".to_owned(),
        model: "local-8b".to_owned(),
    };
    batch.push(&rewritten, Some("storm-ghent-85320"), Some("ghent"));
    batch.finish()
}

fn activity_changed() -> NpcActivityChanged {
    NpcActivityChanged {
        activity: NpcActivity::Shelter.into(),
        from_place: "ghent-field-2".to_owned(),
        place: "ghent-tavern".to_owned(),
        started_game_us: GAME_US,
        until_game_us: GAME_US + 3 * HOUR_US,
        cause: NpcCause::Weather.into(),
        cause_event_id: EVENT_ID.to_owned(),
    }
}

fn crowd_changed() -> NpcCrowdChanged {
    let count =
        |activity: NpcActivity, count| NpcActivityCount { activity: activity.into(), count };
    NpcCrowdChanged {
        count: 215,
        capacity: 400,
        activities: vec![count(NpcActivity::Work, 12), count(NpcActivity::Shop, 203)],
        game_us: GAME_US,
    }
}

/// A batch to which events are added, each a sequence further.
struct Vector {
    builder: BatchBuilder,
    sequence: u64,
}

impl Vector {
    fn new(source: &str) -> Self {
        Self { builder: BatchBuilder::new(source, "europe"), sequence: 0 }
    }

    fn push<E: Event>(&mut self, event: &E, entity: Option<&str>, place: Option<&str>) {
        let producer = ProducerId::from_bits(0x0123_4567_89ab_cdef);
        self.builder
            .push(NewEvent {
                id: EventId { producer, sequence: self.sequence },
                event_type: E::NUMBER,
                timestamp_ms: NOON_MS,
                entity,
                place,
                payload: &event.encode_to_vec(),
                metadata: None,
            })
            .unwrap();
        self.sequence += 1;
    }

    fn finish(mut self) -> Batch {
        self.builder.finish().unwrap()
    }
}
