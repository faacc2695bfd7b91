//! Claims about which requests are remembered, and which come too soon.

use super::*;

const SECOND_US: i64 = 1_000_000;

fn request(id: usize, scheduled: Option<(u64, i64)>) -> Request {
    let (command, by) = (Command::Pause, By::default());
    let of = |(number, due)| Scheduled { number, due: WallTime(due) };
    Request { id: id.to_string(), command, by, scheduled: scheduled.map(of) }
}

#[test]
fn latest_requests_are_remembered_and_no_more() {
    let mut settled = Settled::default();
    for id in 0..=REQUEST_COUNT_MAX {
        settled.note(&request(id, None), None);
    }
    assert!(!settled.has("0"));
    assert!((1..=REQUEST_COUNT_MAX).all(|id| settled.has(&id.to_string())));
}

#[test]
fn command_of_a_schedule_is_too_soon_within_a_second_of_its_last_and_if_it_was_due_before() {
    let mut settled = Settled::default();
    let at = |due, effective| (request(1, Some((7, due))), WallTime(effective));
    let is_too_soon = |settled: &Settled, (request, effective): (Request, WallTime)| {
        settled.is_too_soon(&request, effective)
    };
    assert!(!is_too_soon(&settled, at(0, 0)));
    settled.note(&request(0, Some((7, 0))), Some(WallTime(10 * SECOND_US)));
    assert!(is_too_soon(&settled, at(10 * SECOND_US + 5, 11 * SECOND_US - 1)));
    assert!(!is_too_soon(&settled, at(10 * SECOND_US + 5, 11 * SECOND_US)));
    // Missed in a downtime, however long it takes to make up for it.
    assert!(is_too_soon(&settled, at(9 * SECOND_US, 60 * SECOND_US)));
    // A clock that was ahead holds nothing up once it is set right.
    let mut ahead = settled.clone();
    ahead.begin_by(WallTime(0));
    assert!(!is_too_soon(&ahead, at(2 * SECOND_US, 2 * SECOND_US)));
    // One that was left out counts for nothing, and others' are their own.
    settled.note(&request(2, Some((7, 0))), None);
    assert!(!is_too_soon(&settled, at(12 * SECOND_US, 12 * SECOND_US)));
    let (other, by_hand) = (request(3, Some((8, 0))), request(4, None));
    assert!(!settled.is_too_soon(&other, WallTime(10 * SECOND_US)));
    assert!(!settled.is_too_soon(&by_hand, WallTime(10 * SECOND_US)));
}
