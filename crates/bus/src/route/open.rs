//! A router whose subscription is open: it takes deliveries and has them handled, until the
//! shutdown or until the transport gives up.

use tokio_util::sync::CancellationToken;

use super::flow::Flow;
use super::limits::Limits;
use super::settlement::Settling;
use super::work::{Work, drain_ends};
use crate::error::Error;
use crate::transport::Consumer;

/// A router whose subscription is open.
pub struct OpenRouter {
    consumer: Box<dyn Consumer>,
    work: Work,
    limits: Limits,
    settling: Settling,
}

impl OpenRouter {
    pub(super) fn new(consumer: Box<dyn Consumer>, work: Work, limits: Limits) -> Self {
        Self { consumer, work, limits, settling: Settling::default() }
    }

    /// Handles deliveries until `shutdown`; then finishes or hands back what is under way: what
    /// has not ended after 2 s is dropped where it waits, and its delivery comes again.
    ///
    /// # Errors
    /// Those of [`Consumer::next`].
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), Error> {
        let result = match self.limits.concurrency {
            1 => self.one_by_one(&shutdown).await,
            _ => self.side_by_side(&shutdown).await,
        };
        self.settling.end().await;
        if let Err(error) = self.consumer.close().await {
            tracing::debug!(%error, "deliveries were not handed back; their leases will end");
        }
        result
    }

    async fn one_by_one(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        loop {
            let delivered = tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ok(()),
                delivered = self.consumer.next() => delivered?,
            };
            let settlement = self.work.deliver(delivered, shutdown).await;
            self.settling.begin(settlement);
            if !self.settling.has_room() {
                self.settling.next().await;
            }
        }
    }

    async fn side_by_side(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        let mut flow = Flow::new(&self.work, self.limits);
        let mut cancelled = std::pin::pin!(shutdown.cancelled());
        let result = loop {
            flow.begin();
            flow.ended().for_each(|settlement| self.settling.begin(settlement));
            let takes = flow.has_room() && self.settling.has_room();
            tokio::select! {
                biased;
                () = &mut cancelled => break Ok(()),
                () = flow.next() => {}
                delivered = self.consumer.next(), if takes => match delivered {
                    Ok(delivered) => flow.take(delivered),
                    Err(error) => break Err(error),
                },
                () = self.settling.next(), if !self.settling.has_room() => {}
            }
        };

        // No more is taken; what was taken goes on.
        let mut drained = std::pin::pin!(drain_ends(shutdown));
        while !flow.is_empty() {
            tokio::select! {
                biased;
                () = &mut drained => flow.release(),
                () = flow.next() => flow.begin(),
            }
            flow.ended().for_each(|settlement| self.settling.begin(settlement));
        }
        result
    }
}
