//! Claims about the log of commands.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use super::*;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Turn {
    Left,
    Undo(u64),
}

impl Act for Turn {
    fn undoes(&self) -> Option<u64> {
        match self {
            Self::Left => None,
            Self::Undo(rev) => Some(*rev),
        }
    }
}

fn command(at: i64, act: Turn, cause: Option<&str>) -> Command<Turn> {
    let (actor, reason) = ("anna".to_owned(), "a test".to_owned());
    let cause = cause.map(str::to_owned);
    Command { rev: 0, at: WallTime(at), epoch: 0, game: GameTime(at), actor, reason, cause, act }
}

#[test]
fn undo_takes_back_command_after_command() {
    let mut log = CommandLog::default();
    (1..=3).for_each(|at| log.push(command(at, Turn::Left, None)));
    for undone in [3, 2, 1] {
        assert_eq!(log.undoable().map(|command| command.rev), Some(undone));
        log.push(command(9, Turn::Undo(undone), None));
    }
    assert_eq!((log.undoable(), log.rev()), (None, 6));
}

#[test]
fn revision_in_force_and_causes_outlast_the_forgotten() {
    let mut log = CommandLog::default();
    for at in 1..=CAUSE_COUNT_MAX as i64 + 2 {
        log.push(command(at, Turn::Left, Some(&at.to_string())));
    }
    assert_eq!((log.rev_at(WallTime(0)), log.rev_at(WallTime(7))), (0, 7));
    assert_eq!(log.caused_by(Some("7")), Some(WallTime(7)));
    log.retain(|command| command.rev > CAUSE_COUNT_MAX as u64 + 1);
    let last = CAUSE_COUNT_MAX as u64 + 2;
    assert_eq!((log.list().len(), log.rev()), (1, last));
    assert_eq!(log.rev_at(WallTime(0)), last - 1, "never lower than what is forgotten");
    assert_eq!(log.caused_by(Some("7")), Some(WallTime(i64::MIN)));
    assert_eq!((log.caused_by(Some("1")), log.caused_by(None)), (None, None));
    let text = serde_json::to_string(&log).unwrap();
    assert_eq!(serde_json::from_str::<CommandLog<Turn>>(&text).unwrap(), log);
}

#[test]
fn command_that_was_put_off_takes_effect_where_the_clock_was_resumed() {
    let scale = worldbus_world::Scale::from_f64(25.0).unwrap();
    let mut clock = Clock::new(scale, WallTime(0), GameTime(0));
    let mut log = CommandLog::default();
    log.push(command(1_000, Turn::Left, None));
    log.push(command(9_000_000_000, Turn::Left, None));
    assert!(!log.is_moved_by(&clock));
    clock.insert(clock.resume(WallTime(9_000_000_001), WallTime(5_000))).unwrap();
    assert!(log.is_moved_by(&clock));
    log.move_by(&clock);
    let at: Vec<i64> = log.list().iter().map(|command| command.at.0).collect();
    assert_eq!(at, [1_000, 5_000]);
    assert!(!log.is_moved_by(&clock));
}
