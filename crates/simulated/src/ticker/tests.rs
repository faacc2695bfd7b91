//! Claims about steps: one that computes holds up nothing else. Not here: what a service emits.

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use tokio::sync::oneshot;

use super::*;

struct Never;

impl Emission for Never {
    fn outgoing(&self) -> Outgoing<'_> {
        unreachable!("nothing is emitted")
    }

    fn wall_us(&self) -> i64 {
        0
    }
}

/// Computes until it is let go.
struct Slow {
    begun: Option<oneshot::Sender<()>>,
    go: Receiver<()>,
}

impl Simulated for Slow {
    type Emission = Never;

    async fn step(&mut self, durable: Option<Checkpoint>) -> Step<Never> {
        self.begun.take().unwrap().send(()).unwrap();
        self.go.recv_timeout(Duration::from_secs(60)).unwrap();
        Step { events: Vec::new(), reached: durable, next_us: None }
    }
}

#[tokio::test]
async fn step_that_computes_holds_up_no_other_task() {
    let (begin, begun) = oneshot::channel();
    let (go, gone) = sync_channel(1);
    let durable = Checkpoint { epoch: 1, wall_us: 2 };
    let step = off_thread(Slow { begun: Some(begin), go: gone }, Some(durable));
    // On the one thread of this runtime.
    let other = async {
        begun.await.unwrap();
        go.send(()).unwrap();
    };
    let ((_, step), ()) = tokio::join!(step, other);
    assert_eq!(step.reached, Some(durable));
}
