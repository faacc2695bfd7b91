//! Claims about the log of commands: older forms are read, pruning changes nothing that counts.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use super::*;
use worldbus_testkit::Dice;
use worldbus_world::{Kind, Weather, WeatherState, World};

fn hour(hours: i64) -> GameTime {
    GameTime::from_hours(hours)
}

fn command(hours: i64, act: Act) -> Command {
    let (actor, reason) = ("anna".to_owned(), "a test".to_owned());
    Command {
        rev: 0,
        at: WallTime(hours),
        epoch: 0,
        game: hour(hours),
        actor,
        reason,
        cause: None,
        act,
    }
}

fn set(region: &str, hours: i64, end: Option<i64>, replaces: bool) -> Command {
    let kind = Kind::SetState { state: WeatherState::Fog, intensity_permille: 500 };
    let record = Override::new(vec![region.to_owned()], kind, hour(hours), end.map(hour));
    command(hours, Act::Set { record, replaces })
}

#[test]
fn commands_of_the_older_form_are_read() {
    let text = br#"{"rev":2,"pruned_rev":0,"commands":[
        {"rev":1,"at":5,"epoch":3,"game":7200000000,"region":"paris",
         "force":{"state":"heavy_rain","intensity_permille":null,"end":9000000000}},
        {"rev":2,"at":6,"epoch":3,"game":7300000000,"region":"paris","force":null}]}"#;
    let commands = Commands::decode(text).unwrap();
    assert_eq!((commands.rev(), commands.list().len()), (2, 2));
    let overrides = commands.overrides_with(1);
    let [record] = overrides.records() else { panic!("{overrides:?}") };
    assert_eq!(
        (record.id.as_str(), record.start, record.end),
        ("paris-1", GameTime(7_200_000_000), Some(GameTime(9_000_000_000)),)
    );
    assert_eq!(record.kind.target(), Some((WeatherState::HeavyRain, 500)));
    assert!(commands.overrides_with(2).in_force("paris", GameTime(7_300_000_000)).is_empty());
    assert_eq!(Commands::decode(&commands.encode().unwrap()).unwrap(), commands);
}

#[test]
fn an_unknown_command_is_damage_not_nothing() {
    let text = br#"{"rev":1,"pruned_rev":0,"commands":[{"rev":1,"at":5,"act":"dance"}]}"#;
    assert!(Commands::decode(text).is_err());
}

#[test]
fn undo_takes_back_command_after_command() {
    let mut commands = Commands::default();
    commands.push(set("paris", 1, None, true), published_at(0)).unwrap();
    commands.push(set("paris", 2, None, true), published_at(0)).unwrap();
    commands.push(command(3, Act::Clear { regions: Vec::new() }), published_at(0)).unwrap();
    let in_force = |commands: &Commands, hours| {
        let overrides = commands.overrides_with(u64::MAX);
        let records = overrides.in_force("paris", hour(hours));
        records.iter().map(|record| record.rev).collect::<Vec<_>>()
    };
    assert_eq!([1, 2, 3].map(|h| in_force(&commands, h)), [vec![1], vec![2], vec![]]);
    for (at, undone, left) in [(4, 3, vec![2]), (5, 2, vec![1]), (6, 1, vec![])] {
        assert_eq!(commands.undoable().map(|command| command.rev), Some(undone));
        commands.push(command(at, Act::Undo { undone }), published_at(0)).unwrap();
        assert_eq!(in_force(&commands, at), left, "after undoing {undone}");
    }
    assert_eq!(commands.undoable(), None);
    assert_eq!([1, 2, 3].map(|h| in_force(&commands, h)), [vec![1], vec![2], vec![]], "the past");
}

#[test]
fn pruning_leaves_the_weather_as_it_is_and_revisions_never_fall() {
    let mut commands = Commands::default();
    for step in 0..200 {
        let end = (step % 3 == 0).then_some(step + 2);
        let region = ["paris", "vienna", "oslo"][step as usize % 3];
        let act = match (step % 7, commands.undoable()) {
            (5, Some(last)) => command(step, Act::Undo { undone: last.rev }),
            (6, _) => command(step, Act::Clear { regions: vec![region.to_owned()] }),
            _ => set(region, step, end, step % 2 == 0),
        };
        commands.push(act, published_at(0)).unwrap();
    }
    let whole = commands.clone();
    let now = KEPT_GAME_HOURS + 150;
    commands.prune(hour(now), WallTime(now));
    assert!((1..150).contains(&commands.list().len()), "{}", commands.list().len());
    let (before, after) = (whole.overrides_with(u64::MAX), commands.overrides_with(u64::MAX));
    for hours in 150..now {
        for region in ["paris", "vienna", "oslo"] {
            let revs = |overrides: &Overrides| {
                let records = overrides.in_force(region, hour(hours));
                records.iter().map(|record| record.rev).collect::<Vec<_>>()
            };
            assert_eq!(revs(&after), revs(&before), "{region} at hour {hours}");
        }
    }
    assert_eq!(commands.rev_at(WallTime(now)), whole.rev_at(WallTime(now)));
    commands.prune(hour(now * 10), WallTime(now * 10));
    assert_eq!(commands.rev_at(WallTime(now)), whole.rev());
}

fn published_at(hours: i64) -> Published {
    Published { wall: WallTime(hours), game: hour(hours) }
}

/// With so long a text that a few hundred fill the log.
fn long(command: Command) -> Command {
    Command { reason: "x".repeat(800), ..command }
}

fn full(more: &Command) -> Commands {
    let mut commands = Commands::default();
    while commands.push(more.clone(), published_at(0)).is_ok() {}
    commands
}

#[test]
fn log_full_of_what_is_over_takes_more_and_one_of_what_is_in_force_does_not() {
    let mut commands = Commands::default();
    for step in 0..COMMAND_COUNT_MAX as i64 + 3 {
        // All in one game hour: nothing is long over.
        let fog = Command { game: hour(0), ..set("paris", step, None, true) };
        commands.push(fog, Published { wall: WallTime(step - 1), game: hour(0) }).unwrap();
        assert!(commands.list().len() <= COMMAND_COUNT_MAX);
    }
    let mut commands = full(&long(set("paris", 1, None, false)));
    let count = commands.list().len();
    assert_eq!(commands.push(long(set("paris", 2, None, true)), published_at(1)), Err(Full));
    assert_eq!(commands.list().len(), count, "what is refused changes nothing");
}

#[test]
fn full_log_takes_clears_and_undos_which_make_room() {
    let clear = command(2, Act::Clear { regions: vec!["paris".to_owned()] });
    for act in [clear.act.clone(), Act::ClearOne { record: 7 }, Act::Undo { undone: 7 }] {
        let mut commands = full(&long(set("paris", 1, None, false)));
        let count = commands.list().len();
        commands.push(command(2, act.clone()), published_at(1)).unwrap();
        assert_eq!(commands.list().len(), count + 1, "{act:?}: not published yet");
        commands.push(long(set("paris", 3, None, false)), published_at(3)).unwrap();
        assert!(commands.list().len() <= count, "{act:?}");
    }
    // A clear of a part makes no room, and stays: there is an end to them, but not for others.
    let mut commands = full(&long(set("paris", 1, None, false)));
    while commands.push(long(clear.clone()), published_at(0)).is_ok() {}
    for record in [1, 2, 3] {
        commands.push(command(3, Act::ClearOne { record }), published_at(0)).unwrap();
    }
    let most = COMMAND_COUNT_MAX + 2 * CLEARING_COUNT_MAX;
    while commands.push(long(command(3, Act::ClearOne { record: 9 })), published_at(0)).is_ok() {}
    assert!(commands.list().len() <= most && commands.encode().unwrap().len() <= VALUE_BYTES_MAX);
}

#[test]
fn room_is_made_of_nothing_that_was_not_published_and_the_weather_stays_as_it_is() {
    let mut commands = Commands::default();
    commands.push(set("paris", 0, None, false), published_at(0)).unwrap();
    let mut forgets = 0;
    for step in 1..500 {
        let act = match (step % 4, commands.undoable()) {
            (1, Some(last)) => Act::Undo { undone: last.rev },
            _ => set("paris", step, None, step % 2 == 0).act,
        };
        let published = Published { wall: WallTime(step - 20), game: hour(0) };
        let next = Command { game: hour(0), ..long(command(step, act)) };
        let before = commands.clone();
        commands.push(next, published).unwrap();
        if commands.list().len() > before.list().len() {
            continue;
        }
        forgets += 1;
        let late = before.list().iter().filter(|known| known.at > published.wall);
        assert!(late.clone().all(|known| commands.of_rev(known.rev).is_some()), "{step}");
        for at in step - 20..step {
            let revs = |commands: &Commands| {
                let overrides = commands.overrides(WallTime(at));
                let records = overrides.in_force("paris", hour(0));
                records.iter().map(|record| record.rev).collect::<Vec<_>>()
            };
            assert_eq!(revs(&commands), revs(&before), "{step} at {at}");
            assert_eq!(commands.rev_at(WallTime(at)), before.rev_at(WallTime(at)), "{step}");
        }
    }
    assert!(forgets > 1);
}

#[test]
fn forgotten_command_leaves_lifted_what_it_lifted_and_is_not_taken_again() {
    let mut commands = Commands::default();
    let everywhere = |hours| match set("", hours, None, false).act {
        Act::Set { record, .. } => {
            let record = Override { regions: Vec::new(), ..record };
            command(hours, Act::Set { record, replaces: false })
        }
        _ => unreachable!(),
    };
    let paris = || command(3, Act::Clear { regions: vec!["paris".to_owned()] });
    commands.push(everywhere(1), published_at(0)).unwrap();
    commands.push(set("paris", 2, None, true), published_at(0)).unwrap();
    commands.push(Command { cause: Some("a".to_owned()), ..paris() }, published_at(0)).unwrap();
    let now = 10 * KEPT_GAME_HOURS;
    commands.prune(hour(now), WallTime(now));
    let revs =
        |commands: &Commands| -> Vec<u64> { commands.list().iter().map(|c| c.rev).collect() };
    assert_eq!(revs(&commands), [1, 2], "the second one ends the first in a part");
    let in_force =
        |region: &str| commands.overrides(WallTime(now)).in_force(region, hour(now)).len();
    assert_eq!([in_force("paris"), in_force("oslo")], [0, 1]);
    assert!(commands.caused_by(Some("a")).is_some() && commands.caused_by(Some("b")).is_none());
    assert_eq!(Commands::decode(&commands.encode().unwrap()).unwrap(), commands);
}

/// What a lock in Paris holds ended or was lifted long ago, in part by what was forgotten since.
#[test]
fn lock_holds_what_it_held_however_long_ago_that_ended() {
    let lock = |hours| {
        let record = Override::new(vec!["paris".to_owned()], Kind::Lock, hour(hours), None);
        command(hours, Act::Set { record, replaces: false })
    };
    let mut commands = Commands::default();
    commands.push(set("paris", 1, Some(4), false), published_at(0)).unwrap();
    commands.push(lock(3), published_at(0)).unwrap();
    // What is lifted when a lock begins is not held, though the lift was undone later.
    commands.push(set("paris", 10, Some(20), false), published_at(0)).unwrap();
    commands.push(command(11, Act::ClearOne { record: 3 }), published_at(0)).unwrap();
    commands.push(lock(12), published_at(0)).unwrap();
    commands.push(command(13, Act::Undo { undone: 4 }), published_at(0)).unwrap();
    let (world, now) = (World::sample(), 10 * KEPT_GAME_HOURS);
    let (weather, paris) = (Weather::new(&world), world.region_index("paris").unwrap());
    let held = |commands: &Commands| {
        let overrides = commands.overrides(WallTime(now));
        [now, now + 5].map(|at| weather.conditions(paris, hour(at), &overrides))
    };
    let before = held(&commands);
    assert_eq!(before[0].state, WeatherState::Fog);
    commands.prune(hour(now), WallTime(now));
    assert_eq!(held(&commands), before);
    let mut full = commands.clone();
    full.forget(0, published_at(now));
    assert_eq!(held(&full), before);
    // It is over: nothing is needed any more.
    commands.push(command(now, Act::Clear { regions: Vec::new() }), published_at(now)).unwrap();
    commands.prune(hour(2 * now), WallTime(2 * now));
    assert_eq!(commands.list(), []);
}

#[test]
fn timeline_is_what_is_forced_as_of_any_wall_time() {
    for seed in 0..40 {
        let mut dice = Dice(seed);
        let mut commands = Commands::default();
        for step in 0..60 {
            let region = ["paris", "vienna", "oslo"][dice.below(3) as usize];
            let count = commands.rev().max(1);
            let act = match (dice.below(8), commands.undoable()) {
                (0 | 1, Some(last)) => Act::Undo { undone: last.rev },
                (2, _) => Act::Clear { regions: vec![region.to_owned()] },
                (3, _) => Act::ClearOne { record: 1 + dice.below(count) },
                (4, _) => Act::Clear { regions: Vec::new() },
                (kind, _) => {
                    let end = (dice.below(2) == 0).then(|| step + 1 + dice.below(20) as i64);
                    let lasts = set(region, step + dice.below(3) as i64, end.map(|e| e + 3), false);
                    let Act::Set { record, .. } = lasts.act else { unreachable!() };
                    Act::Set { record, replaces: kind == 5 }
                }
            };
            // Some together, and the wall clock is not the game's.
            let at = WallTime(step / 2 * 1_000);
            commands.push(Command { at, ..command(step, act) }, published_at(0)).unwrap();
            if step % 20 == 19 {
                let published =
                    Published { wall: WallTime((step - 5) / 2 * 1_000), ..published_at(step) };
                commands.forget(dice.below(10) as i64, published);
            }
            let timeline = commands.timeline();
            for at in (-1_000..=at.0 + 1_000).step_by(500).map(WallTime) {
                assert_eq!(timeline.overrides(at), commands.overrides(at), "{seed} {step} {at:?}");
                assert_eq!(timeline.rev_at(at), commands.rev_at(at), "{seed} {step} {at:?}");
            }
        }
    }
}
