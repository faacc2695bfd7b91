//! Tests of `places`, on a clock that stands until all wait.

use super::*;

fn stalled_place(places: &Places) -> (Place, Cut) {
    let cut = Cut::default();
    let place = places.take(cut.clone()).expect("free");
    (place, cut)
}

#[tokio::test(start_paused = true)]
async fn places_run_out_and_come_back() {
    let places = Places::new("test", 2);
    let (first, _) = stalled_place(&places);
    let (_second, _) = stalled_place(&places);
    let error = places.take(Cut::default()).expect_err("full");
    assert_eq!((error.kind(), places.taken()), (Kind::Unavailable, 2));
    drop(first);
    assert!(places.take(Cut::default()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn newcomer_gets_the_place_of_the_client_that_stalled_longest() {
    let places = Places::new("test", 2);
    let (reads, reading) = stalled_place(&places);
    let (stalls, stalled) = stalled_place(&places);
    assert!(stalls.give(1).await);
    assert!(places.take(Cut::default()).is_err(), "it has only just begun");
    sleep(STALL_CONTENDED_MAX).await;
    assert!(reads.give(1).await);
    let newcomer = places.take(Cut::default()).expect("the place of the stalled one");
    assert!(stalled.is_cut() && !reading.is_cut());
    assert!(!stalls.give(1).await, "its place is lost");
    drop((stalls, newcomer));
    assert_eq!(places.taken(), 1);
}

#[tokio::test(start_paused = true)]
async fn client_that_does_not_read_is_cut_and_one_that_waits_for_events_is_not() {
    let places = Places::new("test", 2);
    let (waits, waiting) = stalled_place(&places);
    assert!(waits.give(1).await);
    waits.taken(0);
    let (stalls, stalled) = stalled_place(&places);
    assert!(stalls.give(1).await);
    tokio::select! {
        () = places.watch() => {}
        () = stalled.cut() => {}
    }
    sleep(STALL_MAX).await;
    assert!(!waiting.is_cut());
    assert_eq!(places.taken(), 1);
}

#[tokio::test(start_paused = true)]
async fn bytes_that_clients_leave_are_bounded_and_come_back() {
    let places = Places::new("test", 3);
    let (stalls, stalled) = stalled_place(&places);
    let (other, _) = stalled_place(&places);
    assert!(stalls.give(UNREAD_BYTES_MAX).await);
    assert_eq!(other.try_give(1), None);
    assert!(other.give(1).await, "after the stalled one was cut");
    assert!(stalled.is_cut());
    other.taken(0);
    assert!(other.give(2 * UNREAD_BYTES_MAX).await, "alone");
}

#[tokio::test(start_paused = true)]
async fn what_is_held_for_a_client_that_reads_stays_accounted_and_needs_no_room_again() {
    let places = Places::new("test", 2);
    let (sends, _) = stalled_place(&places);
    let (other, _) = stalled_place(&places);
    assert!(sends.give(UNREAD_BYTES_MAX).await);
    sends.taken(UNREAD_BYTES_MAX - 1);
    assert_eq!(places.unread_bytes(), UNREAD_BYTES_MAX - 1);
    assert!(other.give(1).await);
    assert_eq!(sends.try_give(UNREAD_BYTES_MAX), Some(true), "the rest of what it holds");
    sends.taken(0);
    assert_eq!(places.unread_bytes(), 1);
}

#[tokio::test(start_paused = true)]
async fn few_read_from_the_past_at_once_and_who_waits_at_the_end_needs_no_turn() {
    let places = Places::new("test", 2 * TURN_COUNT_MAX);
    let mut turns = Vec::new();
    for _ in 0..TURN_COUNT_MAX {
        let (place, _) = stalled_place(&places);
        let (read, turn) = place.read(true, async { 4 }).await;
        assert_eq!(read, 4);
        turns.push(turn.expect("one of the turns"));
    }
    let (late, _) = stalled_place(&places);
    let mut reading = pin!(late.read(true, async { 5 }));
    assert!(timeout(STALL_MAX, reading.as_mut()).await.is_err(), "all turns are taken");
    assert_eq!(late.read(false, async { 6 }).await.0, 6, "the present is for all");
    drop(turns.pop());
    assert!(reading.await.1.is_some());
    let (quiet, _) = stalled_place(&places);
    let (read, turn) = quiet.read(true, async { sleep(2 * QUIET).await }).await;
    assert!(turn.is_none(), "{read:?}");
}
