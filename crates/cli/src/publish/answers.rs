//! The answers to events that are under way, awaited and printed in the order of input.

use std::io::{self, BufWriter, Write as _};
use std::pin::Pin;

use futures_util::FutureExt as _;
use tokio::sync::mpsc;
use worldbus_bus::{Error, Fate, PendingReceipt, Receipt};
use worldbus_events::EventId;
use worldbus_service::CancellationToken;

use crate::failure::complain;

/// An event that was handed to a publisher, or why it was not.
pub(super) struct Sent {
    /// Its line.
    pub(super) number: u64,
    /// Its answer, to come.
    pub(super) pending: Result<PendingReceipt, Error>,
}

/// What became of all events.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Durable, in the bus or in the spool, and their ids printed.
    pub(super) published: u64,
    /// Refused, each reported.
    pub(super) refused: u64,
    /// Why publishing ended before the input did.
    pub(super) stopped: Option<String>,
}

/// Prints ids as they become durable.
pub(super) struct Answers {
    waiting: mpsc::Receiver<Sent>,
    stop: CancellationToken,
    outcome: Outcome,
}

/// Prints the id of the one event there was.
pub(super) fn print_one(id: EventId) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{id}")?;
    out.flush()
}

impl Answers {
    /// Awaits what comes from `waiting`; cancels `stop` when nothing more should be sent.
    pub(super) fn new(waiting: mpsc::Receiver<Sent>, stop: CancellationToken) -> Self {
        Self { waiting, stop, outcome: Outcome::default() }
    }

    /// Until everything that was sent is answered.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(super) async fn run(mut self) -> io::Result<Outcome> {
        let _stop_when_done = self.stop.clone().drop_guard();
        let mut out = BufWriter::new(io::stdout());
        while let Some(Sent { number, pending }) = self.next(&mut out).await? {
            let answer = match pending {
                Ok(mut pending) => wait(Pin::new(&mut pending), &mut out).await?,
                Err(error) => Err(error),
            };
            match answer {
                Ok(receipt) => {
                    self.outcome.published += 1;
                    writeln!(out, "{}", receipt.id())?;
                }
                Err(error) => self.failed(number, &error),
            }
        }
        out.flush()?;
        Ok(self.outcome)
    }

    /// The next event; hands on what is printed before it has to wait for one.
    async fn next(&mut self, out: &mut impl io::Write) -> io::Result<Option<Sent>> {
        if let Ok(sent) = self.waiting.try_recv() {
            return Ok(Some(sent));
        }
        out.flush()?;
        Ok(self.waiting.recv().await)
    }

    fn failed(&mut self, number: u64, error: &Error) {
        match error.fate() {
            Fate::Refused => {
                self.outcome.refused += 1;
                complain(&format!("line {number}: {error}"));
            }
            fate => {
                let happened = match fate {
                    Fate::Unknown => "may have been published",
                    _ => "was not published",
                };
                complain(&format!("line {number}: {error} ({happened})"));
                let first = format!("stopped at line {number}: the bus cannot take events");
                self.outcome.stopped.get_or_insert(first);
                self.stop.cancel();
            }
        }
    }
}

/// The answer to one event; hands on what is printed before it has to wait for it.
async fn wait(
    mut pending: Pin<&mut PendingReceipt>,
    out: &mut impl io::Write,
) -> io::Result<Result<Receipt, Error>> {
    if let Some(answer) = pending.as_mut().now_or_never() {
        return Ok(answer);
    }
    out.flush()?;
    Ok(pending.await)
}
