//! Tests of `gather`.

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tokio::sync::mpsc;

use super::*;

const BYTES_MAX: usize = 1000;

type Seen = mpsc::Receiver<(Vec<u32>, oneshot::Sender<Result<(), Error>>)>;

/// A gather whose calls the test answers itself.
fn gather() -> (Gather<u32, u32>, Seen) {
    gather_for(Duration::ZERO)
}

fn gather_for(linger: Duration) -> (Gather<u32, u32>, Seen) {
    let (seen, calls) = mpsc::channel(16);
    let call = move |items: Vec<u32>| {
        let seen = seen.clone();
        async move {
            let (answer, answered) = oneshot::channel();
            seen.send((items.clone(), answer)).await.expect("the test listens");
            answered.await.expect("the test answers")?;
            Ok(items.into_iter().map(Ok).collect())
        }
        .boxed()
    };
    let limits = GatherLimits { count_max: 64, bytes_max: BYTES_MAX, linger };
    (Gather::start(limits, Box::new(call)), calls)
}

#[tokio::test]
async fn items_gather_in_order_while_a_call_is_under_way() {
    let (gather, mut calls) = gather();
    let sends = join_all((0..100).map(|item| gather.send(item, 1)));
    let answers = async {
        let mut order = Vec::new();
        while order.len() < 100 {
            let (items, answer) = calls.recv().await.expect("a call");
            order.extend(items);
            answer.send(Ok(())).expect("waits");
        }
        order
    };
    let (results, order) = tokio::join!(sends, answers);
    assert_eq!(order, (0..100).collect::<Vec<_>>());
    let results: Vec<u32> = results.into_iter().map(|result| result.expect("answered")).collect();
    assert_eq!(results, order);
}

#[tokio::test]
async fn call_is_bounded_in_bytes_but_takes_one_item_of_any_size() {
    let (gather, mut calls) = gather();
    let sends = join_all((0..4).map(|item| gather.send(item, BYTES_MAX * 2 / 3)));
    let answers = async {
        let mut sizes = Vec::new();
        while sizes.iter().sum::<usize>() < 4 {
            let (items, answer) = calls.recv().await.expect("a call");
            answer.send(Ok(())).expect("waits");
            sizes.push(items.len());
        }
        sizes
    };
    let (_, sizes) = tokio::join!(sends, answers);
    assert_eq!(sizes, [1, 1, 1, 1]);
}

#[tokio::test]
async fn error_of_a_call_is_the_error_of_each_item() {
    let (gather, mut calls) = gather();
    let sends = join_all((0..2).map(|item| gather.send(item, 1)));
    let answers = async {
        for _ in 0..2 {
            let Some((items, answer)) = calls.recv().await else { return };
            answer.send(Err(Error::unknown(Kind::Timeout, "late"))).expect("waits");
            if items.len() == 2 {
                return;
            }
        }
    };
    let (results, ()) = tokio::join!(sends, answers);
    for result in results {
        assert_eq!(result.expect_err("failed").kind(), Kind::Timeout);
    }
}

#[tokio::test]
async fn item_whose_caller_went_away_is_withdrawn() {
    let (gather, mut calls) = gather();
    let first = gather.send(1, 1);
    tokio::pin!(first);
    assert!(first.as_mut().now_or_never().is_none());
    let (_, answer) = calls.recv().await.expect("a call");
    assert!(gather.send(2, 1).now_or_never().is_none());
    let third = gather.send(3, 1);
    tokio::pin!(third);
    assert!(third.as_mut().now_or_never().is_none());
    answer.send(Ok(())).expect("waits");
    let (items, answer) = calls.recv().await.expect("a call");
    assert_eq!(items, [3]);
    answer.send(Ok(())).expect("waits");
    assert_eq!((first.await.expect("sent"), third.await.expect("sent")), (1, 3));
}

#[tokio::test]
async fn close_waits_for_the_line_and_takes_no_more() {
    let (gather, mut calls) = gather();
    let send = gather.send(1, 1);
    let rest = async {
        let (_, answer) = calls.recv().await.expect("a call");
        let close = gather.close();
        tokio::pin!(close);
        assert!(close.as_mut().now_or_never().is_none());
        answer.send(Ok(())).expect("waits");
        close.await;
    };
    let (sent, ()) = tokio::join!(send, rest);
    assert_eq!(sent.expect("sent"), 1);
    assert_eq!(gather.send(2, 1).await.expect_err("closed").kind(), Kind::Closed);
}

#[tokio::test(start_paused = true)]
async fn first_item_lingers_for_company_but_not_once_the_call_is_full() {
    const LINGER: Duration = Duration::from_millis(100);
    let (gather, mut calls) = gather_for(LINGER);
    let begun = Instant::now();
    let early = gather.send(1, 1);
    let late = async {
        tokio::time::sleep(LINGER / 2).await;
        gather.send(2, 1).await
    };
    let answers = async {
        let (items, answer) = calls.recv().await.expect("a call");
        assert_eq!((items, begun.elapsed() >= LINGER), (vec![1, 2], true));
        answer.send(Ok(())).expect("waits");
        let begun = Instant::now();
        let (items, answer) = calls.recv().await.expect("a call");
        assert_eq!((items.len(), begun.elapsed() < LINGER), (64, true));
        answer.send(Ok(())).expect("waits");
    };
    let full = async {
        tokio::time::sleep(LINGER * 3 / 2).await;
        join_all((0..64).map(|item| gather.send(item, 1))).await
    };
    let (early, late, _, ()) = tokio::join!(early, late, full, answers);
    assert_eq!((early.expect("sent"), late.expect("sent")), (1, 2));
}

#[tokio::test]
async fn those_in_line_have_an_error_when_a_call_panics() {
    let call = |_: Vec<u32>| async { panic!("a bug") }.boxed();
    let limits = GatherLimits { count_max: 1, bytes_max: BYTES_MAX, linger: Duration::ZERO };
    let gather: Gather<u32, u32> = Gather::start(limits, Box::new(call));
    let sends = join_all((0..3).map(|item| gather.send(item, 1)));
    let results = tokio::time::timeout(Duration::from_secs(60), sends).await.expect("no answers");
    for result in results {
        assert_eq!(result.expect_err("a panic").kind(), Kind::Unavailable);
    }
    assert_eq!(gather.send(4, 1).await.expect_err("closed").kind(), Kind::Closed);
    gather.close().await;
}
