//! The answers to events that are under way, awaited and printed in the order of input.

use std::fmt;
use std::io::{self, BufWriter, Write as _};
use std::ops::RangeInclusive;
use std::pin::Pin;

use futures_util::FutureExt as _;
use serde_json::json;
use tokio::sync::mpsc;

use crate::output;
use crate::output::failure::complain;
use crate::output::format::Format;
use worldbus_bus::{Error, Fate, PendingReceipt, Receipt, counted};
use worldbus_service::CancellationToken;

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
    /// Those that the bus had before, by id; printed as well.
    pub(super) duplicates: u64,
    /// Refused, each reported.
    pub(super) refused: u64,
    /// Where publishing ended before the input did.
    pub(super) stopped: Option<Stopped>,
}

/// Where publishing ended because the bus could not take an event.
#[derive(Debug)]
pub(super) struct Stopped {
    /// The first line whose event is not known to be published: where to go on.
    line: u64,
    /// Lines behind it that were read and not published.
    unsent: u64,
    /// Lines behind it that were under way and are published, as ranges: on other topics, or of
    /// other sources or worlds. At most as many as are under way.
    published: Vec<RangeInclusive<u64>>,
}

impl Stopped {
    fn note_published(&mut self, line: u64) {
        match self.published.last_mut() {
            Some(last) if *last.end() + 1 == line => *last = *last.start()..=line,
            _ => self.published.push(line..=line),
        }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, unsent, published } = self;
        write!(f, "stopped at line {line}: the bus cannot take events; publish again from there")?;
        if *unsent > 0 {
            let lines = counted(*unsent, "line", "lines");
            write!(f, "; of what is behind it {lines} had been read and not published")?;
        }
        for (index, range) in published.iter().enumerate() {
            let before = if index == 0 { "; leave out, they are published: lines " } else { ", " };
            match range.start() == range.end() {
                true => write!(f, "{before}{}", range.start())?,
                false => write!(f, "{before}{}-{}", range.start(), range.end())?,
            }
        }
        Ok(())
    }
}

/// Prints ids as they become durable.
pub(super) struct Answers {
    waiting: mpsc::Receiver<Sent>,
    stop: CancellationToken,
    format: Format,
    outcome: Outcome,
}

/// Prints the id of the one event there was.
pub(super) fn print_one(receipt: Receipt, format: Format) -> io::Result<()> {
    let id = receipt.id().to_string();
    let document = json!({ "event_id": id, "receipt": name(receipt) });
    output::page(&format.page(&document, || id + "\n"))
}

/// The line about the event of a line of the input.
fn line(number: u64, receipt: Receipt, format: Format) -> String {
    let id = receipt.id().to_string();
    let document = json!({ "line": number, "event_id": id, "receipt": name(receipt) });
    format.line(&document, || id)
}

fn name(receipt: Receipt) -> &'static str {
    match receipt {
        Receipt::Durable(_) => "durable",
        Receipt::Duplicate(_) => "duplicate",
        Receipt::Spooled(_) => "spooled",
    }
}

impl Answers {
    /// Awaits what comes from `waiting`; cancels `stop` when nothing more should be sent.
    pub(super) fn new(
        waiting: mpsc::Receiver<Sent>,
        stop: CancellationToken,
        format: Format,
    ) -> Self {
        Self { waiting, stop, format, outcome: Outcome::default() }
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
                    match receipt {
                        Receipt::Duplicate(_) => self.outcome.duplicates += 1,
                        _ => self.outcome.published += 1,
                    }
                    if let Some(stopped) = &mut self.outcome.stopped {
                        stopped.note_published(number);
                    }
                    writeln!(out, "{}", line(number, receipt, self.format))?;
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
            fate => match &mut self.outcome.stopped {
                // One complaint is enough for what the first one stopped.
                Some(stopped) if fate == Fate::Retry => stopped.unsent += 1,
                stopped => {
                    let happened = match fate {
                        Fate::Unknown => "may have been published",
                        _ => "was not published",
                    };
                    complain(&format!("line {number}: {error} ({happened})"));
                    let first = Stopped { line: number, unsent: 0, published: Vec::new() };
                    stopped.get_or_insert(first);
                    self.stop.cancel();
                }
            },
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
