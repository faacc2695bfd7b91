//! Time-outs, rates and circuit breakers around handlers, while time stands until it is waited for.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::scripted::{Scripted, Settled, batch};
use worldbus_bus::*;
use worldbus_events::v1::TimeUpdated;

const SECOND: Duration = Duration::from_secs(1);

/// Attempts that began: of which minute, and when after the start.
type Attempts = Arc<Mutex<Vec<(u64, Duration)>>>;

fn no_delay(attempts_max: u32) -> RetryPolicy {
    RetryPolicy { attempts_max, delay_min: Duration::ZERO, delay_max: Duration::ZERO }
}

/// One delivery an event, each about an entity of its own.
fn scripted(count: u64) -> Arc<Scripted> {
    Scripted::new((0..count).map(|sequence| batch([(sequence, Some(&*sequence.to_string()))])))
}

/// A router that notes attempts and then does what `handle` does.
fn router<R>(
    scripted: &Arc<Scripted>,
    attempts: &Attempts,
    handle: impl Fn(u64) -> R + Send + Sync + 'static,
) -> Router
where
    R: Future<Output = Result<(), HandlerError>> + Send + 'static,
{
    let (attempts, start) = (Arc::clone(attempts), Instant::now());
    let handler = move |event: TimeUpdated, _: Message| {
        let minute = event.total_minutes as u64;
        attempts.lock().unwrap().push((minute, start.elapsed()));
        handle(minute)
    };
    Router::new(&scripted.bus(), "test").unwrap().retry(no_delay(3)).on(handler).unwrap()
}

async fn settled(scripted: &Arc<Scripted>, router: Router, count: usize) -> Vec<Settled> {
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(router.run(shutdown.clone()));
    let settled = scripted.settled(count).await;
    shutdown.cancel();
    running.await.unwrap().unwrap();
    settled.into_iter().map(|(_, settled)| settled).collect()
}

fn acked() -> Settled {
    Settled::Acked { dead: Vec::new() }
}

fn away() -> HandlerError {
    HandlerError::temporary("the database is away")
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_fails_and_is_retried() {
    let (scripted, attempts) = (scripted(2), Attempts::default());
    let begun = Instant::now();
    let router = router(&scripted, &attempts, |minute| async move {
        tokio::time::sleep(SECOND * if minute == 0 { 9 } else { 1 }).await;
        Ok(())
    });
    let settled = settled(&scripted, router.timeout(SECOND * 2), 2).await;
    assert_eq!(settled, [Settled::Acked { dead: vec![0] }, acked()]);
    assert_eq!(begun.elapsed().as_secs(), 3 * 2 + 1);
    assert_eq!(attempts.lock().unwrap().len(), 4);
}

/// As a layer of the router it bounds all attempts of an event together.
#[tokio::test(start_paused = true)]
async fn a_timeout_outside_of_retry_bounds_the_event() {
    let (scripted, attempts) = (scripted(1), Attempts::default());
    let begun = Instant::now();
    let router = router(&scripted, &attempts, |_| async {
        tokio::time::sleep(SECOND).await;
        Err(away())
    });
    let router = router.layer(|inner| Timeout::new(inner, SECOND + SECOND / 2));
    assert_eq!(settled(&scripted, router, 1).await, [Settled::Acked { dead: vec![0] }]);
    assert_eq!(begun.elapsed(), SECOND + SECOND / 2);
    assert_eq!(attempts.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn events_beyond_the_rate_wait_in_order_and_a_burst_does_not() {
    let (scripted, attempts) = (scripted(12), Attempts::default());
    let router = router(&scripted, &attempts, |_| async { Ok(()) });
    let router = router.rate_limit(RateLimit::per_second(10, 4)).concurrency(12);
    settled(&scripted, router, 12).await;
    let attempts = attempts.lock().unwrap();
    let expected = (0..12).map(|minute| (minute, SECOND * (minute as u32).saturating_sub(3) / 10));
    let to_ms = |(minute, at): &(u64, Duration)| (*minute, at.as_millis());
    let expected: Vec<_> = expected.map(|event| to_ms(&event)).collect();
    // A timer of tokio fires with the next millisecond.
    for (attempt, expected) in attempts.iter().map(to_ms).zip(expected) {
        assert_eq!(attempt.0, expected.0);
        assert!((expected.1..=expected.1 + 1).contains(&attempt.1), "{attempt:?} {expected:?}");
    }
    assert_eq!(attempts.len(), 12);
}

/// The database is away for a minute, from the second event on.
#[tokio::test(start_paused = true)]
async fn an_outage_sets_no_event_aside_and_is_tried_by_one_at_a_time() {
    for concurrency in [1, 8] {
        let (scripted, attempts) = (scripted(8), Attempts::default());
        let begun = Instant::now();
        let is_away = move || (1..60).contains(&begun.elapsed().as_secs());
        let router = router(&scripted, &attempts, move |minute| async move {
            let lasts = if minute == 0 { SECOND } else { Duration::from_millis(10) };
            tokio::time::sleep(lasts).await;
            if minute > 0 && is_away() { Err(away()) } else { Ok(()) }
        });
        // The first keeps the others waiting where there is one at a time; else they are early.
        tokio::time::advance(Duration::from_millis(999)).await;
        let breaker = Breaker::new("database", 3, SECOND * 10);
        let router = router.breaker(breaker.clone()).concurrency(concurrency);
        let settled = settled(&scripted, router, 8).await;
        assert_eq!(settled, vec![acked(); 8], "nothing is set aside: {concurrency}");
        assert!(!breaker.is_open());
        let attempts = attempts.lock().unwrap();
        let meanwhile = |(_, at): &&(u64, Duration)| (5..60).contains(&at.as_secs());
        let tries: Vec<u64> =
            attempts.iter().filter(meanwhile).map(|(minute, _)| *minute).collect();
        assert_eq!(tries.len(), 5, "one every 10 s: {attempts:?}");
        let tried: BTreeSet<_> = tries.iter().collect();
        let events = if concurrency == 1 { 1 } else { 5 };
        assert_eq!(tried.len(), events, "each in its turn: {tries:?}");
    }
}

/// The second event is under way when the first one opens the breaker, and fails then.
#[tokio::test(start_paused = true)]
async fn what_fails_that_was_under_way_when_a_breaker_opened_waits_as_well() {
    let (scripted, attempts) = (scripted(2), Attempts::default());
    let begun = Instant::now();
    let router = router(&scripted, &attempts, move |minute| async move {
        tokio::time::sleep(SECOND * (minute as u32 + 1)).await;
        if begun.elapsed() < SECOND * 5 { Err(away()) } else { Ok(()) }
    });
    let breaker = Breaker::new("database", 1, SECOND * 10);
    let router = router.retry(no_delay(1)).breaker(breaker).concurrency(2);
    assert_eq!(settled(&scripted, router, 2).await, [acked(), acked()]);
}

#[tokio::test(start_paused = true)]
async fn single_failures_and_faults_of_events_open_no_breaker() {
    let (scripted, attempts) = (scripted(9), Attempts::default());
    let before = Arc::clone(&attempts);
    let router = router(&scripted, &attempts, move |minute| {
        let attempt = before.lock().unwrap().iter().filter(|(of, _)| *of == minute).count();
        async move {
            match minute % 3 {
                0 => Ok(()),
                1 => Err(HandlerError::permanent("its own fault")),
                _ if attempt <= 2 => Err(away()),
                _ => Ok(()),
            }
        }
    });
    let breaker = Breaker::new("database", 3, SECOND * 10);
    let begun = Instant::now();
    let settled = settled(&scripted, router.breaker(breaker.clone()), 9).await;
    let dead = Settled::Acked { dead: vec![0] };
    let each = [acked(), dead, acked()];
    assert!(settled.chunks(3).all(|chunk| chunk == each), "{settled:?}");
    assert!(begun.elapsed() < SECOND && !breaker.is_open());
}

/// It opens the breaker by itself, and the other closes it.
#[tokio::test(start_paused = true)]
async fn an_event_that_always_fails_is_set_aside_once_others_succeed() {
    let (scripted, attempts) = (scripted(2), Attempts::default());
    let router = router(&scripted, &attempts, |minute| async move {
        if minute == 0 { Err(away()) } else { Ok(()) }
    });
    let breaker = Breaker::new("database", 3, SECOND * 10);
    let router = router.breaker(breaker).concurrency(2).retry(no_delay(3));
    let router = router.layer(Later);
    let settled = settled(&scripted, router, 2).await;
    assert_eq!(settled, [Settled::Acked { dead: vec![0] }, acked()]);
    let last = attempts.lock().unwrap().last().copied().unwrap();
    assert_eq!((last.0, last.1.as_secs()), (0, 20), "tried at 10 s, the other at 20 s");
}

/// Holds the second event until the first has failed.
struct Later(BoxHandler);

impl Handler for Later {
    async fn handle(&self, message: Message) -> Result<(), HandlerError> {
        if message.entity() == Some("1") {
            tokio::time::sleep(SECOND).await;
        }
        self.0.handle(message).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_breaker_keeps_leases_while_events_wait_and_is_half_open_for_one() {
    let (scripted, attempts) = (scripted(2), Attempts::default());
    let is_away = Arc::new(AtomicBool::new(true));
    let away_now = Arc::clone(&is_away);
    let router = router(&scripted, &attempts, move |_| {
        let result = if away_now.load(Ordering::Relaxed) { Err(away()) } else { Ok(()) };
        async move { result }
    });
    let breaker = Breaker::new("database", 2, SECOND * 60);
    let router = router.breaker(breaker.clone()).concurrency(2).lease(SECOND * 30);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(router.run(shutdown.clone()));
    tokio::time::sleep(SECOND * 59).await;
    assert!(breaker.is_open());
    assert_eq!(attempts.lock().unwrap().len(), 2);
    assert_eq!(scripted.script.lock().unwrap().extended.len(), 2 * 5, "every 10 s");
    is_away.store(false, Ordering::Relaxed);
    assert_eq!(scripted.settled(2).await, [(0, acked()), (1, acked())]);
    assert!(!breaker.is_open());
    shutdown.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_opens_too_late_is_refused() {
    let router = router(&scripted(0), &Attempts::default(), |_| async { Ok(()) });
    let error = router.breaker(Breaker::new("database", 4, SECOND)).open().await.err().unwrap();
    assert_eq!((error.kind(), error.fate()), (Kind::Invalid, Fate::Refused));
    assert!(error.context().contains("4 failures"), "{error}");
}
