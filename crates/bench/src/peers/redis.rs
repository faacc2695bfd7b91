//! Redis Streams in RESP: XADD; XREADGROUP and one XACK for all that it brought.
//!
//! Not the crate `redis`: a client that only counts is faster, and what is measured is the server.

use std::io::Write as _;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Syncs, Wire, line};

/// Entries of one XREADGROUP.
const READ_COUNT: &[u8] = b"500";

pub(super) fn server(program: &Path, port: u16, folder: &Path, sync: Syncs) -> Result<Command> {
    let mut command = Command::new(program);
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir"]).arg(folder);
    command.args(["--save", "", "--appendonly", "yes", "--appendfsync"]);
    command.arg(if sync == Syncs::Always { "always" } else { "everysec" });
    // No rewrite of its file falls into the run.
    command.args(["--auto-aof-rewrite-percentage", "0"]);
    Ok(command)
}

/// Makes the stream and its group.
pub(super) async fn set_up(port: u16) -> Result<()> {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut request = Vec::new();
    write(&mut request, &[b"XGROUP", b"CREATE", b"s", b"g", b"0", b"MKSTREAM"]);
    connection.write_all(&request).await?;
    let mut answer = [0; 64];
    let read = connection.read(&mut answer).await?;
    ensure!(answer[..read].starts_with(b"+OK"), "{:?}", String::from_utf8_lossy(&answer[..read]));
    Ok(())
}

fn write(out: &mut Vec<u8>, words: &[&[u8]]) {
    // A vector takes all there is.
    let _ = write!(out, "*{}\r\n", words.len());
    words.iter().for_each(|word| write_word(out, word));
}

fn write_word(out: &mut Vec<u8>, word: &[u8]) {
    let _ = write!(out, "${}\r\n", word.len());
    out.extend_from_slice(word);
    out.extend_from_slice(b"\r\n");
}

/// Either side.
#[derive(Default)]
pub(super) struct Redis {
    /// Where ids and payloads of a reply stand.
    entries: Vec<(Range<usize>, Range<usize>)>,
}

impl Wire for Redis {
    fn begin(&mut self, _: &mut Vec<u8>) {}

    fn publish(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"*5\r\n$4\r\nXADD\r\n$1\r\ns\r\n$1\r\n*\r\n$1\r\ne\r\n");
        write_word(out, payload);
    }

    fn answers(&mut self, input: &[u8], _: &mut Vec<u8>) -> Result<(usize, u64)> {
        let (mut used, mut count) = (0, 0);
        let mut reader = Reader { input, at: 0 };
        while reader.word()?.is_some() {
            (used, count) = (reader.at, count + 1);
        }
        Ok((used, count))
    }

    fn deliveries(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<usize> {
        if input.is_empty() {
            ask(out);
            return Ok(0);
        }
        let mut reader = Reader { input, at: 0 };
        // Counts of what XACK took.
        while input.get(reader.at) == Some(&b':') {
            let Some((_, bytes)) = line(&input[reader.at..]) else { return Ok(reader.at) };
            reader.at += bytes;
        }
        let used = reader.at;
        self.entries.clear();
        if reader.entries(&mut self.entries)?.is_none() {
            return Ok(used);
        }
        let _ = write!(out, "*{}\r\n$4\r\nXACK\r\n$1\r\ns\r\n$1\r\ng\r\n", self.entries.len() + 3);
        for (id, payload) in &self.entries {
            each(&input[payload.clone()]);
            write_word(out, &input[id.clone()]);
        }
        ask(out);
        Ok(reader.at)
    }
}

fn ask(out: &mut Vec<u8>) {
    let words: [&[u8]; 11] = [
        b"XREADGROUP",
        b"GROUP",
        b"g",
        b"c",
        b"COUNT",
        READ_COUNT,
        b"BLOCK",
        b"0",
        b"STREAMS",
        b"s",
        b">",
    ];
    write(out, &words);
}

/// Reads replies; `None` where one is not whole yet.
struct Reader<'a> {
    input: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn number(&mut self, kind: u8) -> Result<Option<usize>> {
        // A word that is not whole yet ends behind the input.
        let rest = self.input.get(self.at..).and_then(line);
        let Some((text, bytes)) = rest else { return Ok(None) };
        let text = std::str::from_utf8(text)?;
        if text.as_bytes().first() != Some(&kind) {
            bail!("Redis answers {text:?}");
        }
        self.at += bytes;
        Ok(Some(text[1..].parse().with_context(|| format!("no number: {text:?}"))?))
    }

    fn word(&mut self) -> Result<Option<Range<usize>>> {
        let Some(size) = self.number(b'$')? else { return Ok(None) };
        let word = self.at..self.at + size;
        self.at = word.end + 2;
        Ok((self.at <= self.input.len()).then_some(word))
    }

    /// `[[stream, [[id, [field, payload]], …]]]`
    fn entries(&mut self, entries: &mut Vec<(Range<usize>, Range<usize>)>) -> Result<Option<()>> {
        let (Some(_), Some(_)) = (self.number(b'*')?, self.number(b'*')?) else { return Ok(None) };
        let Some(_) = self.word()? else { return Ok(None) };
        let Some(count) = self.number(b'*')? else { return Ok(None) };
        for _ in 0..count {
            let Some(_) = self.number(b'*')? else { return Ok(None) };
            let Some(id) = self.word()? else { return Ok(None) };
            let Some(_) = self.number(b'*')? else { return Ok(None) };
            let (Some(_), Some(payload)) = (self.word()?, self.word()?) else { return Ok(None) };
            entries.push((id, payload));
        }
        Ok(Some(()))
    }
}
