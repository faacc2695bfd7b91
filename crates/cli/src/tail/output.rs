//! Writing batches to standard output in the format that was asked for.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::sync::Arc;

use anyhow::{Result, bail};
use worldbus_bus::Filter;
use worldbus_events::{Batch, Catalogue, EventView, json};
use worldbus_service::colour;

use super::text::Lines;
use crate::arguments::TailFormat;

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 64 << 10;

/// Writes the events of batches that a filter admits.
pub(super) struct Output {
    out: BufWriter<StdoutLock<'static>>,
    format: TailFormat,
    catalogue: Arc<Catalogue>,
    filter: Filter,
    lines: Lines,
    line: String,
}

impl Output {
    /// To standard output, coloured if that is a terminal and nobody objects.
    pub(super) fn new(format: TailFormat, catalogue: Arc<Catalogue>, filter: Filter) -> Self {
        let stdout = io::stdout();
        let colour = colour::wanted(&stdout);
        let out = BufWriter::with_capacity(BUFFER_BYTES, stdout.lock());
        let lines = Lines::new(&catalogue, colour);
        Self { out, format, catalogue, filter, lines, line: String::new() }
    }

    /// Writes what is wanted of a batch, at most `left` events; how many there were.
    pub(super) fn write(&mut self, batch: &Batch, left: u64) -> Result<u64> {
        if self.format == TailFormat::Protobuf {
            return self.write_binary(batch, left);
        }
        let mut written = 0;
        for event in batch.iter().filter(|event| admits(&self.filter, event)) {
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
        let matching = batch.iter().filter(|event| admits(&self.filter, event)).count() as u64;
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
            let wanted = room > 0 && admits(&self.filter, event);
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

fn admits(filter: &Filter, event: &EventView<'_>) -> bool {
    event.admits(&filter.types, &filter.entities)
}

fn delimited(out: &mut impl Write, message: &[u8]) -> io::Result<()> {
    let mut length = Vec::with_capacity(prost::length_delimiter_len(message.len()));
    prost::encode_length_delimiter(message.len(), &mut length).map_err(io::Error::other)?;
    out.write_all(&length)?;
    out.write_all(message)
}
