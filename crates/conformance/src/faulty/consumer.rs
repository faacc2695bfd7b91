//! The consumer with a fault.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use tokio::time::{Instant, sleep, timeout};

use super::settler::WrongSettler;
use super::{Bug, Memory};
use worldbus_bus::{Consumer, Delivered, Error, Outcome, Settle};

/// Deliveries that are taken ahead.
const AHEAD_MAX: usize = 8;

pub(super) struct WrongConsumer {
    inner: Box<dyn Consumer>,
    bug: Bug,
    lease: Duration,
    memory: Arc<Memory>,
    ahead: VecDeque<Delivered>,
}

impl WrongConsumer {
    pub(super) fn new(
        inner: Box<dyn Consumer>,
        bug: Bug,
        lease: Duration,
        memory: Arc<Memory>,
    ) -> Self {
        Self { inner, bug, lease, memory, ahead: VecDeque::new() }
    }

    async fn wrong(&mut self) -> Result<Delivered, Error> {
        if let Some(delivered) = self.ahead.pop_front() {
            return Ok(delivered);
        }
        let first = self.inner.next().await?;
        match self.bug {
            Bug::AcksEarly | Bug::LosesOnCancel => {
                self.inner.settler().settle(&first.lease, Outcome::Ack).await?;
                if self.bug == Bug::LosesOnCancel {
                    sleep(Duration::from_millis(2)).await;
                }
            }
            Bug::SwapsTwo => {
                if let Ok(second) = timeout(Duration::from_millis(20), self.inner.next()).await {
                    self.ahead.push_back(first);
                    return second;
                }
            }
            Bug::DoublesOne if self.memory.turn(5) => self.ahead.push_back(first.clone()),
            Bug::LosesOnClose => {
                while self.ahead.len() < AHEAD_MAX {
                    let Some(next) = self.inner.next().now_or_never() else { break };
                    self.ahead.push_back(next?);
                }
            }
            _ => {}
        }
        Ok(first)
    }
}

#[async_trait]
impl Consumer for WrongConsumer {
    async fn next(&mut self) -> Result<Delivered, Error> {
        let delivered = self.wrong().await?;
        let note = (delivered.batch.clone(), Instant::now());
        self.memory.lock().delivered.insert(delivered.lease.clone(), note);
        Ok(delivered)
    }

    fn settler(&self) -> Arc<dyn Settle> {
        let (inner, memory) = (self.inner.settler(), Arc::clone(&self.memory));
        Arc::new(WrongSettler { inner, bug: self.bug, lease: self.lease, memory })
    }

    async fn close(self: Box<Self>) -> Result<(), Error> {
        self.inner.close().await
    }
}
