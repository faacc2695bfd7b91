//! Opening a log: its journal is read from where the fold stands, what is torn is healed, and the
//! fold is brought up to date, or made again if it is missing. What does not fit is refused.

pub(crate) mod check;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use crate::format::codec::Kind;
use crate::format::group::records;
use crate::format::record::{Folded, Tally};
use crate::journal::append::{self, Appended, Settings};
use crate::journal::changes::Records;
use crate::journal::disk::Disk;
use crate::journal::heal::{self, Torn};
use crate::journal::read::RecordReader;
use crate::journal::scan::{Behind, End, Record, Scan};
use crate::journal::segments::{Segments, is_segment, remove_unfinished};
use crate::journal::{Changes, Journal, NewGroup};
use crate::options::Options;
use crate::store::database::{self, Found, connect, connect_reader};
use crate::store::failure::Failure;
use crate::store::fold::{Fold, Pending, Progress, checkpoint};
use crate::store::load::{Loaded, load};
use crate::store::names::{Names, name};
use crate::store::query;
use crate::store::schema::TABLES;
use crate::store::takeover;
use worldbus_bus::SeenWindow;
use worldbus_events::Batch;

/// A log that was opened and verified.
pub(crate) struct Opened {
    pub(crate) journal: Journal,
    pub(crate) fold: Fold,
    /// For what the writer looks up.
    pub(crate) connection: Connection,
    pub(crate) records: Arc<RecordReader>,
    pub(crate) loaded: Loaded,
    pub(crate) seen: SeenWindow,
    pub(crate) names: Names,
}

/// Opens the log in a directory whose fold is `file`; makes one where there was no log.
pub(crate) fn open(
    disk: &Arc<dyn Disk>,
    file: &Path,
    options: &Options,
) -> Result<Opened, Failure> {
    // The journal. One that is not there is begun, or made of a log of a format before.
    let settings = Settings { segment_bytes_max: options.segment_bytes_max, with_thread: true };
    remove_unfinished(&**disk)?;
    let found = database::look(file).map_err(Failure::of_fold)?;
    if found == Found::Old {
        takeover::take_over(disk, file, options, settings).map_err(Failure::of_old_log)?;
    }
    let segments = match Segments::list(&**disk)? {
        Some(segments) => segments,
        None if found == Found::Fold => {
            let what = "the segments are missing that it is the index of".to_owned();
            return Err(Failure::Damaged(what));
        }
        None => {
            append::create(&**disk, append::random_number()?, settings)?;
            let missing = || Failure::Damaged("the first segment vanished".to_owned());
            Segments::list(&**disk)?.ok_or_else(missing)?
        }
    };

    // The fold, up to the end of the journal.
    let (mut connection, end) = catch_up(&**disk, file, &segments, options.sync)?;
    let seen = seen(&**disk, &segments, end, options)?;

    // What this opening commits: that there is a log at all, and its name from here on.
    let small = Records(query::all_records(&connection).map_err(Failure::of_fold)?);
    let mut journal = Journal::open(Arc::clone(disk), &segments, end, small, settings)?;
    let (names, begun) = begin(&mut journal, &mut connection, &segments, options)?;
    let now_ms = options.clock.steady_us().div_euclid(1000);
    let loaded = load(&connection, &TABLES, now_ms).map_err(Failure::of_fold)?;
    checkpoint(&connection, "TRUNCATE");

    // Who goes on from here.
    let reader = connect_reader(file)?;
    let applied = journal.last() - u64::from(begun.is_some());
    let progress = Progress::new(applied, end.segment);
    let fold = Fold::start(connection, file.to_owned(), segments.journal, progress)?;
    if let Some((appended, changes)) = begun {
        fold.progress.committed(appended.number);
        fold.push(appended, changes);
    }
    let records = Arc::new(RecordReader::new(Arc::clone(disk), segments.journal));
    Ok(Opened { journal, fold, connection: reader, records, loaded, seen, names })
}

/// Whether there is a log in a directory, of whose fold this is the name.
pub(crate) fn is_in(dir: &Path, file: &str) -> bool {
    let is_ours = |name: &std::ffi::OsStr| name == file || name.to_str().is_some_and(is_segment);
    let Ok(mut entries) = std::fs::read_dir(dir) else { return false };
    entries.any(|entry| entry.is_ok_and(|entry| is_ours(&entry.file_name())))
}

/// Applies to the fold what of the journal is not in it; where the next record goes.
pub(super) fn catch_up(
    disk: &dyn Disk,
    file: &Path,
    segments: &Segments,
    sync: bool,
) -> Result<(Connection, End), Failure> {
    if database::look(file)? == Found::Missing {
        database::create(file, segments.journal, sync)?;
    }
    let mut connection = connect(file, sync).map_err(Failure::of_fold)?;
    let folded = query::folded(&connection).map_err(Failure::of_fold)?;
    if folded.journal != segments.journal {
        return Err(Failure::Fold("it is of another log".to_owned()));
    }
    let first = segments.all.first().map_or(0, |segment| segment.number);
    let mut scan = if folded.number == 0 {
        Scan::from_start(disk, segments)?
    } else if folded.place.segment < first {
        // Older than what is left: all that is needed of it is in the segments.
        drop(connection);
        tracing::warn!(file = %file.display(), "the index of the log is too old; it is made again");
        database::create(file, segments.journal, sync)?;
        connection = connect(file, sync)?;
        Scan::from_start(disk, segments)?
    } else {
        behind(disk, segments, &folded)?
    };

    let (mut pending, mut is_first) = (Pending::default(), folded.number == 0);
    while let Some(record) = scan.next()? {
        let (appended, changes) = changes(record)?;
        if std::mem::take(&mut is_first) && appended.number != 1 && !changes.whole {
            let what = "its first record does not hold all small records".to_owned();
            return Err(Failure::Damaged(what));
        }
        pending.add(appended, changes)?;
        if pending.is_large() {
            let pending = std::mem::take(&mut pending);
            pending.apply(&mut connection, segments.journal).map_err(Failure::of_fold)?;
            checkpoint(&connection, "PASSIVE");
        }
    }
    pending.apply(&mut connection, segments.journal).map_err(Failure::of_fold)?;
    let (end, torn) = scan.end();
    torn.map_or(Ok(()), |torn| heal(disk, torn))?;
    Ok((connection, end))
}

/// Reads on behind the last record that the fold has.
fn behind<'a>(
    disk: &'a dyn Disk,
    segments: &'a Segments,
    folded: &Folded,
) -> Result<Scan<'a>, Failure> {
    let Folded { number, crc, place, .. } = *folded;
    match Scan::behind(disk, segments, place, number, crc)? {
        Behind::Scan(scan) => Ok(*scan),
        Behind::Other => Err(Failure::Fold(format!("its record {number} is another one there"))),
        Behind::Missing(at) => Err(Failure::Damaged(format!(
            "{at}: record {number} is missing, which the index has: acknowledged commits are lost"
        ))),
    }
}

fn heal(disk: &dyn Disk, torn: Torn) -> Result<(), Failure> {
    let copy = heal::heal(disk, torn)?;
    let Torn { segment, position, bytes } = torn;
    tracing::warn!(
        segment,
        position,
        bytes,
        copy,
        "the last group was not written whole, nor acknowledged; a copy of it is kept"
    );
    Ok(())
}

fn changes(record: Record) -> Result<(Appended, Changes), Failure> {
    let Record { number, crc, place, body } = record;
    let changes = Changes::decode(&body)
        .ok_or_else(|| Failure::Damaged(format!("record {number} cannot be read")))?;
    Ok((Appended { number, crc, place }, changes))
}

/// Commits what each opening does: the names of the log from here on, and what is still to be
/// applied to the fold. A new log begins with this; else there may be no space for it now.
fn begin(
    journal: &mut Journal,
    connection: &mut Connection,
    segments: &Segments,
    options: &Options,
) -> Result<(Names, Option<(Appended, Changes)>), Failure> {
    let is_new = journal.last() == 0;
    let mut first = Changes::default();
    if is_new {
        let tally = Tally { closed: true, ..Tally::default() };
        first.records.push((Kind::Tally, 0, tally.encode().into()));
    }
    let next_group = if is_new { 0 } else { query::tally(connection)?.next_group };
    let now_ms = options.clock.now_us().div_euclid(1000);
    let (names, named) = name(connection, next_group, now_ms)?;
    let mut after = names.clone();
    if let Some((changes, named)) = named {
        first.records.extend(changes.records);
        first.records_removed.extend(changes.records_removed);
        after = named;
    }
    if first.records.is_empty() {
        return Ok((names, None));
    }
    match journal.append(&first) {
        Ok(appended) if is_new => {
            let mut pending = Pending::default();
            pending.add(appended, first)?;
            pending.apply(connection, segments.journal)?;
            Ok((after, None))
        }
        Ok(appended) => Ok((after, Some((appended, first)))),
        // No space for that now: the next opening tries again.
        Err(Failure::Full(why)) if !is_new => {
            tracing::warn!(why, "the log has no name of its own yet");
            Ok((names, None))
        }
        Err(failure) => Err(failure),
    }
}

/// Remembers the event ids of the newest batches, oldest first.
fn seen(
    disk: &dyn Disk,
    segments: &Segments,
    end: End,
    options: &Options,
) -> Result<SeenWindow, Failure> {
    let bytes_max = options.seen_rebuild_bytes_max;
    let mut seen = SeenWindow::new(options.seen);
    if options.seen.ranges_per_producer_max == 0 || end.number == 1 {
        return Ok(seen);
    }
    let mut groups: VecDeque<NewGroup> = VecDeque::new();
    let mut bytes = 0;
    let mut scan = Scan::newest(disk, segments, end, bytes_max)?;
    while let Some(record) = scan.next()? {
        let Some(group) = changes(record)?.1.group else { continue };
        bytes += group.data.len() as u64;
        groups.push_back(group);
        while bytes > bytes_max
            && let Some(oldest) = groups.pop_front()
        {
            bytes -= oldest.data.len() as u64;
        }
    }
    for NewGroup { id, head, data, .. } in groups {
        let head = query::group_head(id, &head)?;
        for record in records(id, &head, &data).map_err(Failure::Damaged)? {
            let batch = Batch::decode(data.slice_ref(record.bytes));
            let batch = batch.map_err(|error| {
                let (offset, topic) = (record.offset, record.topic);
                Failure::Damaged(format!("batch {offset} of topic {topic} is {error}"))
            })?;
            remember(&mut seen, &batch);
        }
    }
    Ok(seen)
}

/// Marks the events of a batch as seen.
pub(crate) fn remember(seen: &mut SeenWindow, batch: &Batch) {
    match batch.consecutive_sequences() {
        Some(range) if seen.insert_range(batch.producer(), range.start, range.end) => {}
        _ => {
            for event in batch {
                seen.insert(event.id);
            }
        }
    }
}
