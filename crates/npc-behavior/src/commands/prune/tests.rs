//! Which commands are forgotten, and for which there is always room.

use super::*;
use crate::commands::{Spawn, Wish};
use worldbus_world::WallTime;

fn commands(acts: Vec<Act>) -> Commands {
    let mut commands = Commands::default();
    for (hour, act) in (0..).zip(acts) {
        let taken = commands.push(Command {
            rev: 0,
            at: WallTime(hour),
            epoch: 0,
            game: GameTime::from_hours(hour),
            actor: String::new(),
            reason: String::new(),
            cause: None,
            act,
        });
        assert!(taken);
    }
    commands
}

fn spawn(seat: usize, id: &str) -> Act {
    Act::Spawn(Spawn { seat, id: id.to_owned(), ..Spawn::default() })
}

fn remove(person: &str) -> Act {
    Act::Remove { person: person.to_owned() }
}

#[test]
fn who_was_added_and_is_long_gone_is_forgotten_and_changes_that_count_are_kept() {
    let acts = vec![
        spawn(0, "gone"),
        spawn(1, "undone"),
        Act::Undo { undone: 2 },
        spawn(2, "here"),
        remove("gone"),
        remove("paris-7"),
        Act::Undo { undone: 6 },
        remove("paris-8"),
        remove("here"),
        Act::Undo { undone: 9 },
    ];
    let all = commands(acts);
    let left = |hours: i64| -> (Vec<u64>, usize) {
        let mut commands = all.clone();
        commands.prune(GameTime::from_hours(hours));
        (commands.list().iter().map(|command| command.rev).collect(), commands.free_seat())
    };
    assert_eq!(left(90), ((1..=10).collect(), 3));
    assert_eq!(left(300), (vec![4, 8, 9, 10], 0));
}

fn direct(minutes: i64) -> Act {
    Act::Direct(Wish { activity: "rest".to_owned(), minutes, ..Wish::default() })
}

#[test]
fn directive_that_was_ended_stays_ended_and_is_forgotten_with_what_ended_it() {
    const LONG: i64 = 30 * 1_440;
    let left = |acts: Vec<Act>, hours: i64| -> Vec<u64> {
        let mut commands = commands(acts);
        commands.prune(GameTime::from_hours(hours));
        commands.list().iter().map(|command| command.rev).collect()
    };
    let cleared = || vec![direct(LONG), Act::Clear { directive: 1 }];
    assert_eq!(left(cleared(), 90), [1, 2]);
    assert_eq!(left(cleared(), 120), [0; 0]);
    let undone = || vec![direct(LONG), Act::Undo { undone: 1 }];
    assert_eq!((left(undone(), 90), left(undone(), 120)), (vec![1, 2], vec![]));
    let again = || [cleared(), vec![Act::Undo { undone: 2 }]].concat();
    assert_eq!(left(again(), 120), [1, 2, 3], "it is in force again");
    let twice = || [again(), vec![Act::Clear { directive: 1 }]].concat();
    assert_eq!((left(twice(), 90), left(twice(), 120)), (vec![1, 2, 3, 4], vec![]));
    assert_eq!(left(vec![direct(60), direct(LONG)], 120), [2]);
}

fn command(act: Act, text: &str) -> Command {
    Command {
        rev: 0,
        at: WallTime(1_700_000_000_000_000),
        epoch: 1,
        game: GameTime::from_hours(1_000),
        actor: text.chars().take(64).collect(),
        reason: text.chars().take(200).collect(),
        cause: None,
        act,
    }
}

/// A log in which there is no room for another directive.
fn full() -> Commands {
    let people = |count: usize| (0..count).map(|n| format!("{n:x<64}")).collect();
    let mut commands = Commands::default();
    for count in [250, 30, 1] {
        let Act::Direct(wish) = direct(60) else { unreachable!() };
        let act = Act::Direct(Wish { people: people(count), ..wish });
        while commands.push(command(act.clone(), &"x".repeat(200))) {}
    }
    commands
}

#[test]
fn full_log_takes_clears_and_every_undo() {
    let (mut commands, text) = (full(), "x".repeat(200));
    let last = commands.rev();
    for directive in 1..=last {
        assert!(commands.push(command(Act::Clear { directive }, &text)), "{directive}");
    }
    while let Some(last) = commands.undoable().map(|last| last.rev) {
        assert!(commands.push(command(Act::Undo { undone: last }, &text)), "{last}");
    }
    let bytes = worldbus_simulated::commands::Log::encode(&commands).unwrap();
    assert!(bytes.len() <= worldbus_service::state::VALUE_BYTES_MAX);
}

#[test]
fn ending_and_undoing_in_turn_leaves_room_to_undo() {
    let (mut commands, reason) = (full(), "x".repeat(200));
    let first = commands.rev();
    while commands.push(command(Act::Clear { directive: 1 }, &reason)) {
        let undone = commands.rev();
        assert!(commands.push(command(Act::Undo { undone }, &reason)));
    }
    for undone in (1..=first).rev() {
        assert!(commands.push(command(Act::Undo { undone }, &reason)), "{undone}");
    }
    assert!(commands.undoable().is_none());
}

#[test]
fn changes_are_bounded_by_themselves() {
    let mut commands = commands(vec![]);
    let mut of = |act: Act| {
        commands.push(Command {
            rev: 0,
            at: WallTime(0),
            epoch: 0,
            game: GameTime(0),
            actor: String::new(),
            reason: String::new(),
            cause: None,
            act,
        })
    };
    for seat in 0..crate::commands::CHANGE_COUNT_MAX {
        assert!(of(spawn(seat, &format!("smith-{seat}"))), "{seat}");
    }
    assert!(!of(remove("paris-7")), "one more");
    assert!(of(direct(60)), "others have room of their own");
}
