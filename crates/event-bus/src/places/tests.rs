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
    waits.taken();
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
    other.taken();
    assert!(other.give(2 * UNREAD_BYTES_MAX).await, "alone");
}
