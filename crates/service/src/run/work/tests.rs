//! Claims about places: who gets one, waits, is refused, gives it back. Not here: how long it took.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;

const DEADLINE: Duration = Duration::from_secs(60);

/// A computation that has begun, and goes on until it is let go.
struct Busy {
    done: JoinHandle<Result<(), Problem>>,
    go: SyncSender<()>,
}

async fn busy(work: &Work) -> Busy {
    let (go, gone) = sync_channel(1);
    let (begin, begun) = oneshot::channel();
    let work = work.clone();
    let done = tokio::spawn(async move {
        let compute = move || {
            begin.send(()).unwrap();
            gone.recv().unwrap();
        };
        work.run(compute).await
    });
    tokio::time::timeout(DEADLINE, begun).await.unwrap().unwrap();
    Busy { done, go }
}

/// Waits until so many requests wait.
async fn waiting(work: &Work, free: usize) {
    let queued = async {
        while work.queue.available_permits() != free {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, queued).await.unwrap();
}

#[tokio::test]
async fn what_is_computed_holds_up_no_other_task() {
    let work = Work::new(1, 1);
    // On the one thread of this runtime: `busy` comes back while it is computed.
    let Busy { done, go } = busy(&work).await;
    assert!(!done.is_finished());
    go.send(()).unwrap();
    done.await.unwrap().unwrap();
    assert_eq!(work.run(|| 1 + 1).await.unwrap(), 2);
}

#[tokio::test]
async fn beyond_the_places_requests_wait_and_beyond_the_queue_they_are_refused() {
    let work = Work::new(2, 1);
    let (first, second) = (busy(&work).await, busy(&work).await);
    let waits = tokio::spawn({
        let work = work.clone();
        async move { work.answer(|| Ok(3)).await }
    });
    waiting(&work, 0).await;
    let problem = work.run(|| ()).await.unwrap_err();
    assert_eq!((problem.status, &*problem.kind), (503, "urn:worldbus:problem:unavailable"));
    assert!(problem.detail.contains("try again later"), "{problem}");
    assert!(!waits.is_finished());
    first.go.send(()).unwrap();
    assert_eq!(waits.await.unwrap().unwrap().status(), 200);
    second.go.send(()).unwrap();
    first.done.await.unwrap().unwrap();
    second.done.await.unwrap().unwrap();
}

#[tokio::test]
async fn who_left_gives_back_its_place_when_its_computation_ends_and_in_the_queue_at_once() {
    let work = Work::new(1, 1);
    let Busy { done, go } = busy(&work).await;
    let waits = tokio::spawn({
        let work = work.clone();
        async move { work.run(|| ()).await }
    });
    waiting(&work, 0).await;
    waits.abort();
    waiting(&work, 1).await;
    done.abort();
    assert!(done.await.unwrap_err().is_cancelled());
    assert_eq!(work.places.available_permits(), 0, "it is computed still");
    go.send(()).unwrap();
    tokio::time::timeout(DEADLINE, work.run(|| ())).await.unwrap().unwrap();
}

#[tokio::test]
async fn panic_is_that_of_the_request_and_frees_the_place() {
    let work = Work::new(1, 0);
    let panicking = work.clone();
    let ended = tokio::spawn(async move { panicking.run(|| panic!("a fault of ours")).await });
    assert!(ended.await.unwrap_err().is_panic());
    work.run(|| ()).await.unwrap();
    assert!(work.run(panics::is_of_client).await.unwrap());
}

#[tokio::test]
async fn problem_of_a_computation_is_the_answer() {
    let answer = Work::default().answer(|| Err::<(), _>(Problem::conflict("changed"))).await;
    assert_eq!(answer.unwrap_err().status, 409);
}
