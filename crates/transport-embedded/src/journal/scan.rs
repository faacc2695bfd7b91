//! Reading the journal from a place to its end, each record verified, and judging what is behind
//! the last one: nothing, a torn group, or damage (see the head of `journal`).

use bytes::Bytes;

use crate::journal::disk::Disk;
use crate::journal::heal::{self, Torn};
use crate::journal::layout::{ALIGNMENT, HEAD_BYTES, HEADER_BYTES, Head, Place, unframe};
use crate::journal::segments::{Segments, name};
use crate::journal::window::Window;
use crate::store::failure::Failure;

/// A record as it was written.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) number: u64,
    pub(crate) crc: u32,
    pub(crate) place: Place,
    pub(crate) body: Bytes,
}

/// Where the next record goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) segment: u64,
    pub(crate) position: u64,
    /// Its number, and the crc of the record before.
    pub(crate) number: u64,
    pub(crate) chain: u32,
}

/// What is behind a record that is known.
pub(crate) enum Behind<'a> {
    Scan(Box<Scan<'a>>),
    /// Another record is in its place.
    Other,
    /// No record is in its place, which is named.
    Missing(String),
}

/// Reads records in their order.
pub(crate) struct Scan<'a> {
    disk: &'a dyn Disk,
    segments: &'a Segments,
    /// The segment that is read.
    index: usize,
    window: Window,
    position: u64,
    /// Number and chain of the next record; `None` where the first there is begins.
    expected: Option<(u64, u32)>,
    end: End,
    torn: Option<Torn>,
}

impl<'a> Scan<'a> {
    /// From the first record that is kept. The first of all has number 1; later ones are the first
    /// of their segment.
    pub(crate) fn from_start(disk: &'a dyn Disk, segments: &'a Segments) -> Result<Self, Failure> {
        let Some(&first) = segments.all.first() else {
            return Err(Failure::Damaged("its segments are missing".to_owned()));
        };
        let expected = (first.number == 1).then_some((1, 0));
        let end = End { segment: first.number, position: HEADER_BYTES, number: 1, chain: 0 };
        Self::new(disk, segments, 0, expected, end)
    }

    /// From so far before the end on that there are so many bytes, if there are.
    pub(crate) fn newest(
        disk: &'a dyn Disk,
        segments: &'a Segments,
        end: End,
        bytes: u64,
    ) -> Result<Self, Failure> {
        let (mut index, mut found) = (segments.index(end.segment).unwrap_or(0), end.position);
        while index > 0 && found < bytes {
            index -= 1;
            found += segments.all[index].bytes;
        }
        let expected = (index == 0 && segments.all[0].number == 1).then_some((1, 0));
        let begin = End { segment: segments.all[index].number, position: HEADER_BYTES, ..end };
        Self::new(disk, segments, index, expected, begin)
    }

    /// Behind a record that is known.
    pub(crate) fn behind(
        disk: &'a dyn Disk,
        segments: &'a Segments,
        place: Place,
        number: u64,
        crc: u32,
    ) -> Result<Behind<'a>, Failure> {
        let at = || format!("{} at byte {}", name(place.segment), place.position);
        let Some(index) = segments.index(place.segment) else { return Ok(Behind::Missing(at())) };
        let (position, number) = (place.position + u64::from(place.bytes), number + 1);
        let end = End { segment: place.segment, position, number, chain: crc };
        let mut this = Self::new(disk, segments, index, Some((number, crc)), end)?;
        let frame = this.window.get(place.position, place.bytes as usize)?;
        let known = frame.and_then(|frame| unframe(segments.journal, frame));
        Ok(match known {
            Some((head, _)) if head.number + 1 == number && head.crc == crc => {
                Behind::Scan(Box::new(this))
            }
            Some(_) => Behind::Other,
            None => Behind::Missing(at()),
        })
    }

    fn new(
        disk: &'a dyn Disk,
        segments: &'a Segments,
        index: usize,
        expected: Option<(u64, u32)>,
        end: End,
    ) -> Result<Self, Failure> {
        let window = Window::open(disk, segments.all[index])?;
        let (position, torn) = (end.position, None);
        Ok(Self { disk, segments, index, window, position, expected, end, torn })
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// `Damaged` for what is neither a record nor a torn group, by segment and byte; `Io`.
    pub(crate) fn next(&mut self) -> Result<Option<Record>, Failure> {
        loop {
            if let Some(record) = self.record()? {
                return Ok(Some(record));
            }
            if self.torn.is_some() {
                return Ok(None);
            }

            // No record is here. With zeros behind, the journal goes on in the next segment.
            let has_next = self.index + 1 < self.segments.all.len();
            match self.window.first_not_zero(self.position)? {
                None if has_next => {
                    self.index += 1;
                    self.window = Window::open(self.disk, self.segments.all[self.index])?;
                    self.position = HEADER_BYTES;
                }
                None if self.expected.is_none() => return Err(self.missing()),
                None => return Ok(None),
                Some(_) => self.torn = Some(self.judge()?),
            }
        }
    }

    /// Looks at records behind damage that are whole, wherever they begin.
    pub(crate) fn look_behind(&self, mut look: impl FnMut(Record)) -> Result<(), Failure> {
        let mut at = self.end.position;
        let first = self.segments.index(self.end.segment).unwrap_or(self.index);
        for segment in &self.segments.all[first..] {
            let mut window = Window::open(self.disk, *segment)?;
            while let Some(next) = window.first_not_zero(at)? {
                // A frame begins at its alignment.
                at = at.max(next - next % ALIGNMENT as u64);
                let record = whole(self.segments.journal, &mut window, at)?;
                at += record
                    .as_ref()
                    .map_or(ALIGNMENT as u64, |record| u64::from(record.place.bytes));
                record.into_iter().for_each(&mut look);
            }
            at = HEADER_BYTES;
        }
        Ok(())
    }

    /// Where the next record goes, once [`Scan::next`] has returned `None`, and the torn group that
    /// is to be healed before.
    pub(crate) fn end(self) -> (End, Option<Torn>) {
        (self.end, self.torn)
    }

    /// The record at the position, if one is there.
    fn record(&mut self) -> Result<Option<Record>, Failure> {
        let (journal, position) = (self.segments.journal, self.position);
        let Some(head) = self.head(position)? else { return Ok(None) };
        let (number, chain) = self.expected.unwrap_or((head.number, head.chain));
        if (head.number, head.chain) != (number, chain) {
            return Err(self.missing());
        }
        let bytes = head.frame_bytes();
        let Some(frame) = self.window.get(position, bytes as usize)? else {
            return Err(self.damaged(position, "a record that reaches beyond the end"));
        };
        let Some((head, body)) = unframe(journal, frame) else { return Ok(None) };
        let body = Bytes::copy_from_slice(body);
        let place = Place { segment: self.window.segment.number, position, bytes: bytes as u32 };
        self.position += bytes;
        self.expected = Some((number + 1, head.crc));
        let (segment, position) = (place.segment, self.position);
        self.end = End { segment, position, number: number + 1, chain: head.crc };
        Ok(Some(Record { number, crc: head.crc, place, body }))
    }

    fn head(&mut self, position: u64) -> Result<Option<Head>, Failure> {
        let journal = self.segments.journal;
        let head = self.window.get(position, HEAD_BYTES)?;
        Ok(head.and_then(|head| Head::decode(journal, head.first_chunk()?)))
    }

    /// What is at the position is no record and not all zeros: a torn group, or damage.
    fn judge(&mut self) -> Result<Torn, Failure> {
        let position = self.position;

        // No record begins behind it: it would have been written after this one was synced.
        for later in &self.segments.all[self.index + 1..] {
            let mut window = Window::open(self.disk, *later)?;
            if window.first_not_zero(HEADER_BYTES)?.is_some() {
                let what = format!(
                    "a record that is wrong, with others behind it in {}",
                    name(later.number)
                );
                return Err(self.damaged(position, &what));
            }
        }
        let last = self.window.last_not_zero(position)?;
        let mut at = position + ALIGNMENT as u64;
        while at <= last {
            if self.head(at)?.is_some() {
                let what = format!("a record that is wrong, with another behind it at byte {at}");
                return Err(self.damaged(position, &what));
            }
            at += ALIGNMENT as u64;
        }

        // It is what a write leaves that was not completed.
        let head = self.head(position)?;
        let torn =
            heal::torn(&mut self.window, position, last, head.map(|head| head.frame_bytes()));
        torn?.map_err(|what| self.damaged(position, what))
    }

    fn missing(&self) -> Failure {
        let End { segment, position, number, .. } = self.end;
        Failure::Damaged(format!(
            "{} at byte {position}: record {number} is missing",
            name(segment)
        ))
    }

    fn damaged(&self, position: u64, what: &str) -> Failure {
        let name = name(self.window.segment.number);
        Failure::Damaged(format!("{name} at byte {position}: {what}"))
    }
}

/// The record at a place, if one is there that was written whole, whatever its number.
fn whole(journal: u64, window: &mut Window, position: u64) -> Result<Option<Record>, Failure> {
    let head = window.get(position, HEAD_BYTES)?;
    let Some(head) = head.and_then(|head| Head::decode(journal, head.first_chunk()?)) else {
        return Ok(None);
    };
    let bytes = head.frame_bytes();
    let frame = window.get(position, bytes as usize)?;
    let Some((head, body)) = frame.and_then(|frame| unframe(journal, frame)) else {
        return Ok(None);
    };
    let (number, crc, body) = (head.number, head.crc, Bytes::copy_from_slice(body));
    let place = Place { segment: window.segment.number, position, bytes: bytes as u32 };
    Ok(Some(Record { number, crc, place, body }))
}
