//! Writing batches to standard output in the format that was asked for.

use std::io::{self, BufWriter, IsTerminal as _, StdoutLock, Write};
use std::sync::Arc;

use anyhow::{Result, bail};

use super::arguments::TailFormat;
use super::text::Lines;
use worldbus_bus::{Filter, StoredBatch, Topic};
use worldbus_events::{Batch, Catalogue, EventView, json};
use worldbus_service::colour;

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 64 << 10;

/// Writes the events of batches that a filter admits.
pub(super) struct Output {
    out: BufWriter<StdoutLock<'static>>,
    format: TailFormat,
    catalogue: Arc<Catalogue>,
    wanted: Wanted,
    lines: Lines,
    line: String,
}

/// The events that are written of those that are read.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// What is asked for.
    pub(super) filter: Filter,
    /// Topics that are asked for; empty: all.
    pub(super) topics: Vec<Topic>,
    /// Worlds that are asked for; empty: all.
    pub(super) worlds: Vec<String>,
    /// Types that are left out.
    pub(super) excluded: Vec<u32>,
}

impl Wanted {
    fn admits(&self, event: &EventView<'_>) -> bool {
        self.filter.admits_event(event) && !self.excluded.contains(&event.event_type)
    }
}

impl Output {
    /// To standard output, coloured if that is a terminal and colours are allowed.
    pub(super) fn new(format: TailFormat, catalogue: Arc<Catalogue>, wanted: Wanted) -> Self {
        let stdout = io::stdout();
        let colour = colour::wanted(&stdout);
        let out = BufWriter::with_capacity(BUFFER_BYTES, stdout.lock());
        let row_width = stdout.is_terminal().then(row_width).flatten();
        let lines = Lines::new(&catalogue, colour, row_width);
        Self { out, format, catalogue, wanted, lines, line: String::new() }
    }

    /// Writes what is wanted of a batch, at most `left` events; how many there were.
    pub(super) fn write(&mut self, stored: &StoredBatch, left: u64) -> Result<u64> {
        let batch = &stored.batch;
        let Wanted { topics, worlds, .. } = &self.wanted;
        if !worlds.is_empty() && !worlds.iter().any(|world| world == batch.world()) {
            return Ok(0);
        }
        let is_wanted = topics.is_empty() || topics.contains(&stored.topic);
        if self.format == TailFormat::Protobuf {
            return if is_wanted { self.write_binary(batch, left) } else { Ok(0) };
        }
        let mut written = 0;
        for event in batch {
            self.lines.follow(&event);
            if !is_wanted || !self.wanted.admits(&event) {
                continue;
            }
            if written == left {
                break;
            }
            self.line.clear();
            match self.format {
                TailFormat::Json => json::write_event(&mut self.line, &event, &self.catalogue),
                _ => self.lines.write(&mut self.line, &event, &self.catalogue),
            }
            self.line.push('\n');
            self.out.write_all(self.line.as_bytes())?;
            written += 1;
        }
        Ok(written)
    }

    /// A batch of which everything is wanted passes through untouched.
    fn write_binary(&mut self, batch: &Batch, left: u64) -> Result<u64> {
        let matching = batch.iter().filter(|event| self.wanted.admits(event)).count() as u64;
        let written = matching.min(left);
        if written == 0 {
            return Ok(0);
        }
        if written == batch.len() as u64 {
            delimited(&mut self.out, batch.bytes())?;
            return Ok(written);
        }
        let mut room = written;
        let some = batch.retain(|event| {
            let wanted = room > 0 && self.wanted.admits(event);
            room -= u64::from(wanted);
            wanted
        });
        match some {
            Some(some) => delimited(&mut self.out, some.bytes())?,
            None => bail!("the batch of {} cannot be taken apart", batch.first_id()),
        }
        Ok(written)
    }

    /// Hands on what was gathered.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Characters of a row of the terminal.
fn row_width() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

fn delimited(out: &mut impl Write, message: &[u8]) -> io::Result<()> {
    let mut length = Vec::with_capacity(prost::length_delimiter_len(message.len()));
    prost::encode_length_delimiter(message.len(), &mut length).map_err(io::Error::other)?;
    out.write_all(&length)?;
    out.write_all(message)
}
