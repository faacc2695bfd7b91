//! Claims about the log of commands: older forms are read, pruning changes nothing that counts.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use worldbus_world::{Kind, WeatherState};

use super::*;

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
    commands.push(set("paris", 1, None, true)).unwrap();
    commands.push(set("paris", 2, None, true)).unwrap();
    commands.push(command(3, Act::Clear { regions: Vec::new() })).unwrap();
    let in_force = |commands: &Commands, hours| {
        let overrides = commands.overrides_with(u64::MAX);
        let records = overrides.in_force("paris", hour(hours));
        records.iter().map(|record| record.rev).collect::<Vec<_>>()
    };
    assert_eq!([1, 2, 3].map(|h| in_force(&commands, h)), [vec![1], vec![2], vec![]]);
    for (at, undone, left) in [(4, 3, vec![2]), (5, 2, vec![1]), (6, 1, vec![])] {
        assert_eq!(commands.undoable().map(|command| command.rev), Some(undone));
        commands.push(command(at, Act::Undo { undone })).unwrap();
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
        commands.push(act).unwrap();
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

#[test]
fn a_log_that_is_full_takes_nothing_more() {
    let mut commands = Commands::default();
    for hours in 0..COMMAND_COUNT_MAX as i64 {
        commands.push(command(hours, Act::Clear { regions: Vec::new() })).unwrap();
    }
    assert_eq!(commands.push(set("paris", 0, None, false)), Err(Full));
    let mut commands = Commands::default();
    let long = vec!["a".repeat(64); 256];
    let wide = |hours| command(hours, Act::Clear { regions: long.clone() });
    let refused = (0..COMMAND_COUNT_MAX as i64).find(|hours| commands.push(wide(*hours)).is_err());
    assert!(refused.is_some(), "the text is longer than a value of the state store");
}
