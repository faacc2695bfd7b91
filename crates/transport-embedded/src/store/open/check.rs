//! Looking at a log that no process has open, and cutting off what cannot be read.
//!
//! Not for: mending single records. What is behind damage follows from it: offsets of batches have
//! no gaps.

use std::path::Path;
use std::sync::Arc;

use super::changes;
use crate::format::group::records;
use crate::journal::Changes;
use crate::journal::disk::{Disk, Real};
use crate::journal::heal;
use crate::journal::scan::{Behind, End, Scan};
use crate::journal::segments::{Segments, name};
use crate::store::database::{self, Found, connect_reader};
use crate::store::failure::Failure;
use crate::store::load::load;
use crate::store::schema::TABLES;
use crate::store::{lock, query};
use worldbus_bus::{Error, Fate, Kind};

/// The fold of a log in its directory.
const FOLD: &str = "log.db";
/// What the names of files begin with that a repair put away.
const LOST: &str = "lost-";

/// What a log holds, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// Files that hold it.
    pub segments: u64,
    /// Commits that can be read, from the oldest that is kept on.
    pub commits: u64,
    /// Batches in them; some may be too old to be kept, and some are there twice.
    pub batches: u64,
    /// Bytes of a group that was not written whole, nor acknowledged: the next start takes it away
    /// and keeps a copy.
    pub torn_bytes: u64,
    /// What is wrong, by segment and byte: the log does not start.
    pub damage: Option<String>,
    /// Commits and batches behind it that can be read still. A repair gives them up.
    pub commits_behind: u64,
    /// Likewise.
    pub batches_behind: u64,
    /// What is wrong with `log.db`: the log does not start; without that file it makes another.
    pub index: Option<String>,
}

/// Reads a log from front to back and changes nothing. Blocks for as long as that takes.
///
/// # Errors
/// `NotFound` without a log, `InUse` if a process has it open, `Invalid` if it is of a format
/// before or newer, `Unavailable` if the disk fails. Damage is no error.
pub fn check(dir: impl AsRef<Path>) -> Result<Check, Error> {
    with_log(dir.as_ref(), |disk, dir| Ok(look(disk, dir)?.0))
}

/// Makes a log that does not start one that does, with all that is before the damage: what is
/// behind it is lost, and kept in files `lost-…` next to the log. An index that does not fit is put
/// away likewise. Returns what was there before, as [`check`]; without damage nothing is changed.
///
/// # Errors
/// As [`check`]; `Damaged` if nothing before the damage can be read.
pub fn repair(dir: impl AsRef<Path>) -> Result<Check, Error> {
    with_log(dir.as_ref(), |disk, dir| {
        let (found, end) = look(disk, dir)?;
        if found.damage.is_some() || found.index.is_some() {
            put_away_index(disk)?;
        }
        match (&found.damage, end) {
            (None, _) => {}
            (Some(_), Some((segments, end))) if found.commits > 0 => cut(disk, &segments, end)?,
            (Some(what), _) => return Err(Failure::Damaged(what.clone())),
        }
        Ok(found)
    })
}

fn with_log(
    dir: &Path,
    work: impl FnOnce(&dyn Disk, &Path) -> Result<Check, Failure>,
) -> Result<Check, Error> {
    if !super::is_in(dir, FOLD) {
        let context = format!("there is no log in {}", dir.display());
        return Err(Error::refused(Kind::NotFound, context));
    }
    let _lock = lock::take(dir)?;
    if matches!(database::look(&dir.join(FOLD)), Ok(Found::Old)) {
        let dir = dir.display();
        let context = format!("{dir} has a log of a format before; start it, which takes it over");
        return Err(Error::refused(Kind::Invalid, context));
    }
    let disk: Arc<dyn Disk> = Arc::new(Real { dir: dir.to_owned(), sync: true });
    let found = work(&*disk, dir);
    found.map_err(|failure| failure.to_error(dir, Fate::Refused))
}

/// What there is, and where the last whole record ends, if that is known.
fn look(disk: &dyn Disk, dir: &Path) -> Result<(Check, Option<(Segments, End)>), Failure> {
    let mut found = Check::default();
    let file = dir.join(FOLD);
    let fold = database::look(&file);
    let segments = match Segments::list(disk) {
        Ok(Some(segments)) => segments,
        Ok(None) => return Ok((damaged(found, "its segments are missing"), None)),
        Err(Failure::Damaged(what)) => return Ok((damaged(found, &what), None)),
        Err(failure) => return Err(failure),
    };
    found.segments = segments.all.len() as u64;

    let mut scan = Scan::from_start(disk, &segments)?;
    loop {
        match scan.next() {
            Ok(Some(record)) => {
                found.commits += 1;
                found.batches += batches(&changes(record)?.1)?;
            }
            Ok(None) => break,
            Err(Failure::Damaged(what)) => {
                found.damage = Some(what);
                break;
            }
            Err(failure) => return Err(failure),
        }
    }
    if found.damage.is_some() {
        scan.look_behind(|record| {
            found.commits_behind += 1;
            found.batches_behind += changes(record).and_then(|(_, one)| batches(&one)).unwrap_or(0);
        })?;
    }
    let (end, torn) = scan.end();
    found.torn_bytes = torn.map_or(0, |torn| torn.bytes);
    found.index = match fold {
        Ok(Found::Missing) => None,
        fold => fold.and_then(|_| check_index(disk, &segments, &file)).err().map(text),
    };
    Ok((found, Some((segments, end))))
}

fn damaged(found: Check, what: &str) -> Check {
    Check { damage: Some(what.to_owned()), ..found }
}

fn text(failure: Failure) -> String {
    match failure {
        Failure::Damaged(what) | Failure::Fold(what) => what,
        other => format!("{other:?}"),
    }
}

/// How many batches a commit has, verified.
fn batches(changes: &Changes) -> Result<u64, Failure> {
    let mut count = 0;
    for group in changes.group.iter().chain(&changes.moved) {
        let head = query::group_head(group.id, &group.head)?;
        count += records(group.id, &head, &group.data).map_err(Failure::Damaged)?.len() as u64;
    }
    Ok(count)
}

fn check_index(disk: &dyn Disk, segments: &Segments, file: &Path) -> Result<(), Failure> {
    let connection = connect_reader(file)?;
    let folded = query::folded(&connection)?;
    if folded.journal != segments.journal {
        return Err(Failure::Fold("it is of another log".to_owned()));
    }
    let first = segments.all.first().map_or(0, |segment| segment.number);
    if folded.number == 0 || folded.place.segment < first {
        return Ok(());
    }
    load(&connection, &TABLES, 0)?;
    match Scan::behind(disk, segments, folded.place, folded.number, folded.crc)? {
        Behind::Scan(_) => Ok(()),
        Behind::Other => Err(Failure::Fold("it is of another history of the log".to_owned())),
        Behind::Missing(at) => Err(Failure::Fold(format!("it has a commit that is not at {at}"))),
    }
}

fn put_away_index(disk: &dyn Disk) -> Result<(), Failure> {
    let all = disk.list()?;
    // The database last: without it its write-ahead log is nothing.
    for name in ["log.db-shm", "log.db-wal", FOLD] {
        if all.iter().any(|file| file == name) {
            disk.rename(name, &format!("{LOST}{name}"))?;
        }
    }
    Ok(disk.sync()?)
}

/// Puts all away that is behind the last whole record, the newest first.
fn cut(disk: &dyn Disk, segments: &Segments, end: End) -> Result<(), Failure> {
    let behind = segments.all.iter().filter(|segment| segment.number > end.segment);
    for segment in behind.rev() {
        let name = name(segment.number);
        disk.rename(&name, &format!("{LOST}{name}"))?;
        disk.sync()?;
    }
    heal::cut(disk, end.segment, end.position, &format!("{LOST}{}", name(end.segment)))
}
