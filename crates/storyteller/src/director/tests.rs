//! The director: tension, the curve, gaps, and that it proposes the same from any instance.

use super::plan::Tension;
use super::state::{Proposal, State};
use crate::ids::Ids;
use crate::ledger::Entry;
use crate::rules::{IncidentCommand, Rules};
use crate::store::{Cursor, Found};
use worldbus_events::v1::WeatherState;
use worldbus_events::{Catalogue, EventId, ProducerId};
use worldbus_world::{GameTime, World};

fn entry(hour: i64, significance: u16) -> Found {
    let id = EventId { producer: ProducerId::from_bits(1), sequence: hour as u64 };
    let entry = Entry {
        id,
        game_us: GameTime::from_hours(hour).0,
        region: None,
        significance,
        text: String::new(),
        arc: None,
        rule: String::new(),
        causes: Vec::new(),
        wall_ms: 0,
    };
    Found { entry, rewritten: None, cursor: Cursor { key: 0, row: 0 } }
}

/// Hours at which something is proposed in a story without entries.
fn proposals(hours: i64, entries: &[Found]) -> Vec<Proposal> {
    let (rules, world) = (Rules::built_in(), World::sample());
    let ids = Ids::new(&world.id, rules.version);
    let mut state = State::default();
    for hour in 0..hours {
        let now = GameTime::from_hours(hour);
        let tension = rules.director.tension(now, entries);
        let proposed = rules.director.propose(now, tension, &state, (&rules, &world, &ids));
        if let Some(proposal) = proposed {
            state.add(proposal);
        }
    }
    state.proposals
}

#[test]
fn tension_rises_with_entries_and_falls_with_time() {
    let plan = Rules::built_in().director;
    let at = |hour, entries: &[Found]| plan.tension(GameTime::from_hours(hour), entries).permille;
    let entries = [entry(10, 500), entry(10, 1000)];
    assert_eq!(at(10, &[]), 0);
    assert_eq!(at(10, &entries), 500);
    assert_eq!(at(22, &entries), 333);
    assert!(at(30, &entries) < 333);
    assert_eq!(at(10 + 72, &entries), 0);
    // What is yet to come does not count.
    assert_eq!(at(9, &entries), 0);
}

#[test]
fn target_rises_in_the_acts_and_is_calm_in_between() {
    let plan = Rules::built_in().director;
    let targets: Vec<_> =
        (0..plan.cycle_hours).map(|hour| plan.tension(GameTime::from_hours(hour), &[])).collect();
    let on = plan.on_hours as usize;
    assert!(targets[..on].is_sorted_by_key(|tension| tension.target_permille));
    assert_eq!(i64::from(targets[on - 1].target_permille), plan.peak_permille);
    assert!(targets[..on].iter().all(|tension| tension.on));
    let calm = |tension: &Tension| i64::from(tension.target_permille) == plan.calm_permille;
    assert!(targets[on..].iter().all(|tension| calm(tension) && !tension.on));
}

#[test]
fn proposals_keep_their_gaps_and_come_only_in_acts() {
    let plan = Rules::built_in().director;
    let proposals = proposals(2_000, &[]);
    assert!(proposals.len() > 10, "{}", proposals.len());
    let hours = |us: i64| us / GameTime::HOUR_US;
    for pair in proposals.windows(2) {
        assert!(hours(pair[1].game_us - pair[0].game_us) >= plan.gap_hours);
    }
    for (rank, proposal) in proposals.iter().enumerate() {
        assert!(hours(proposal.game_us).rem_euclid(plan.cycle_hours) < plan.on_hours);
        let before = proposals[..rank].iter().filter(|other| other.region == proposal.region);
        for other in before {
            assert!(hours(proposal.game_us - other.game_us) >= plan.gap_region_hours);
        }
    }
}

#[test]
fn every_instance_proposes_the_same() {
    assert_eq!(proposals(1_000, &[]), proposals(1_000, &[]));
}

#[test]
fn tense_story_is_left_alone() {
    let entries: Vec<_> = (0..500).map(|hour| entry(hour, 900)).collect();
    assert_eq!(proposals(500, &entries).len(), 0);
}

#[test]
fn incidents_keep_to_their_seasons() {
    let rules = Rules::built_in();
    let (calendar, hemisphere) = (World::sample().calendar(), World::sample().hemisphere());
    for proposal in proposals(9_000, &[]) {
        let incidents = &rules.director.incidents;
        let incident = incidents.iter().find(|incident| incident.kind == proposal.kind).unwrap();
        let season = &calendar.season(GameTime(proposal.game_us), hemisphere).id;
        assert!(incident.seasons.is_empty() || incident.seasons.contains(season), "{proposal:?}");
    }
}

#[test]
fn every_request_is_one_that_the_service_states_and_travels_on_its_topic() {
    let (catalogue, id) = (Catalogue::builtin(), entry(0, 0).entry.id);
    let weather = IncidentCommand::Weather { state: WeatherState::Storm, minutes: 60 };
    let state = IncidentCommand::State { field: "mood".to_owned(), value: "grim".to_owned() };
    let requests = [weather, state].map(|command| {
        let request = command.request("ghent", ("gm", "a feast"), id, 1);
        let event_type = catalogue.by_number(request.event_type).unwrap();
        assert_eq!(request.topic, event_type.topic());
        event_type.name().to_owned()
    });
    assert_eq!(requests, crate::REQUESTS);
}
