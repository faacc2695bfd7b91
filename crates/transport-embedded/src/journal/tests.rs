//! The journal alone, over the simulated disk: whatever happens to the disk, what was acknowledged
//! is there, nothing is invented, and what is neither is refused by segment and byte.
//!
//! `WORLDBUS_TEST_SEEDS` sets how many power losses are tried, `WORLDBUS_EVERY_BYTE` has each bit
//! of a whole segment flipped; the default is for every run.
#![allow(clippy::disallowed_methods, reason = "how much to try is the caller's choice")]

use std::sync::Arc;

use bytes::Bytes;

use crate::format::codec::Kind;
use crate::journal::append::{Appended, Settings, create};
use crate::journal::changes::Records;
use crate::journal::disk::Disk;
use crate::journal::heal::{self, Torn};
use crate::journal::layout::{HEADER_BYTES, Place};
use crate::journal::scan::{Behind, Scan};
use crate::journal::segments::{self, Segments, name, remove_unfinished};
use crate::journal::simulated::{Fault, Planted, Simulated};
use crate::journal::{Changes, Journal, NewGroup};
use crate::store::failure::Failure;

const JOURNAL: u64 = 0x5eed;
const SEGMENT_BYTES: u64 = 64 << 10;
const SETTINGS: Settings = Settings { segment_bytes_max: SEGMENT_BYTES, with_thread: false };

/// A small generator, so that a run can be repeated: SplitMix64.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What commit `id` holds: bytes that are not zero, as batches are.
fn data(id: u64, bytes: usize) -> Bytes {
    let mut seed = id;
    (0..bytes).map(|_| random(&mut seed) as u8 | 1).collect::<Vec<u8>>().into()
}

/// The commit `id`: a batch of so many bytes, and a cursor.
fn commit(id: u64, bytes: usize, cursor: u64) -> Changes {
    let group = NewGroup { id, head: Bytes::new(), data: data(id, bytes), indexes: None };
    let cursor = Bytes::copy_from_slice(&cursor.to_le_bytes());
    let records = vec![(Kind::Subscription, 0, cursor)];
    Changes { group: Some(group), records, ..Changes::default() }
}

/// What is read back.
struct Opened {
    journal: Journal,
    commits: Vec<Changes>,
    torn: Option<Torn>,
}

fn open(disk: &Simulated) -> Result<Opened, Failure> {
    remove_unfinished(disk)?;
    let segments = match Segments::list(disk)? {
        Some(segments) => segments,
        None => {
            create(disk, JOURNAL, SETTINGS)?;
            Segments::list(disk)?.expect("it was made")
        }
    };
    let mut scan = Scan::from_start(disk, &segments)?;
    let (mut commits, mut records) = (Vec::new(), Records::default());
    while let Some(record) = scan.next()? {
        let changes = Changes::decode(&record.body).expect("a record that passed its checksum");
        records.apply(&changes);
        commits.push(changes);
    }
    let (end, torn) = scan.end();
    if let Some(torn) = torn {
        heal::heal(disk, torn)?;
    }
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let journal = Journal::open(disk, &segments, end, records, SETTINGS)?;
    Ok(Opened { journal, commits, torn })
}

/// Whether what was read back is what was written: all that was acknowledged, in its order, at most
/// what was tried, no cursor ahead of the batches.
fn check(commits: &[Changes], acked: u64, tried: u64) -> Result<(), String> {
    let mut next = 0;
    for changes in commits {
        let Some(group) = &changes.group else { continue };
        if group.id != next || group.data != data(group.id, group.data.len()) {
            return Err(format!("commit {} is not what was written", group.id));
        }
        next += 1;
        let cursor = changes.records.iter().find(|(kind, ..)| *kind == Kind::Subscription);
        let cursor =
            cursor.map_or(0, |(_, _, value)| u64::from_le_bytes(value[..8].try_into().unwrap()));
        if cursor > next {
            return Err(format!("the cursor is at {cursor}, the log ends at {next}"));
        }
    }
    match next {
        lost if lost < acked => Err(format!("{lost} of {acked} acknowledged commits are left")),
        invented if invented > tried => Err(format!("{invented} commits of {tried}")),
        _ => Ok(()),
    }
}

/// Commits of sizes that differ, over several segments.
fn filled(count: u64) -> (Simulated, Vec<Place>) {
    let disk = Simulated::default();
    let mut journal = open(&disk).unwrap().journal;
    let append = |id| journal.append(&commit(id, size(id), id)).unwrap().place;
    let places = (0..count).map(append).collect();
    (disk, places)
}

fn size(id: u64) -> usize {
    [40, 3_000, 700, 12_000, 5][(id % 5) as usize]
}

fn refused(opened: Result<Opened, Failure>) -> Option<String> {
    match opened {
        Ok(_) => None,
        Err(Failure::Damaged(what)) => Some(what),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn what_is_appended_is_read_back_over_several_segments() {
    let (disk, places) = filled(60);
    assert!(places.last().unwrap().segment > 2);
    let Opened { mut journal, commits, torn } = open(&disk).unwrap();
    assert_eq!(torn, None);
    check(&commits, 60, 60).unwrap();
    journal.append(&commit(60, 10, 0)).unwrap();
    check(&open(&disk).unwrap().commits, 61, 61).unwrap();
    // Each segment begins with all small records.
    for changes in commits.iter().zip(&places).filter(|(_, place)| place.position == HEADER_BYTES) {
        assert!(changes.0.whole);
    }
}

#[test]
fn record_that_fits_no_segment_gets_one_of_its_own_size() {
    let disk = Simulated::default();
    let mut journal = open(&disk).unwrap().journal;
    for (id, bytes) in [10, 300_000, 20, 200_000, 30].into_iter().enumerate() {
        journal.append(&commit(id as u64, bytes, 0)).unwrap();
    }
    check(&open(&disk).unwrap().commits, 5, 5).unwrap();
    assert!(disk.names().iter().all(|file| segments::is_segment(file)), "{:?}", disk.names());
}

#[test]
fn segments_grow_with_the_log_and_are_removed_oldest_first() {
    let settings = Settings { segment_bytes_max: 4 << 20, ..SETTINGS };
    let disk = Simulated::default();
    create(&disk, JOURNAL, settings).unwrap();
    let segments = Segments::list(&disk).unwrap().unwrap();
    let (end, _) = Scan::from_start(&disk, &segments).unwrap().end();
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let mut journal = Journal::open(shared, &segments, end, Records::default(), settings).unwrap();
    for id in 0..40 {
        journal.append(&commit(id, 300_000, 0)).unwrap();
    }
    let sizes: Vec<u64> =
        Segments::list(&disk).unwrap().unwrap().all.iter().map(|s| s.bytes >> 20).collect();
    assert_eq!(sizes[..8], [1, 1, 1, 1, 2, 3, 4, 4]);
    while journal.oldest().is_some() {
        assert!(journal.remove_oldest());
    }
    let Opened { commits, .. } = open(&disk).unwrap();
    assert!(commits[0].whole && commits.len() < 40);
}

/// The last segment, cut at each byte where a record or a sector begins, and at some in between:
/// zeros from there on, as a killed process leaves it.
#[test]
fn tail_that_is_cut_at_any_byte_heals_to_whole_groups() {
    let (disk, places) = filled(24);
    let last = places.last().unwrap();
    let file = name(last.segment);
    let bytes = disk.read(&file);
    let end = (last.position + u64::from(last.bytes)) as usize;
    let in_file: Vec<(u64, &Place)> =
        (0..).zip(&places).filter(|(_, place)| place.segment == last.segment).collect();
    let every = std::env::var_os("WORLDBUS_EVERY_BYTE").is_some();
    let edge =
        |cut: usize| in_file.iter().any(|(_, place)| (place.position as usize).abs_diff(cut) < 40);
    let worth = |cut: &usize| every || edge(*cut) || (cut + 2) % 512 < 4 || cut.is_multiple_of(211);
    for cut in (HEADER_BYTES as usize..end).filter(worth) {
        let mut torn = bytes.clone();
        torn[cut..].fill(0);
        let torn = disk.with(&file, torn);
        let whole = in_file
            .iter()
            .filter(|(_, place)| place.position + u64::from(place.bytes) <= cut as u64);
        let before = in_file[0].0;
        let expected = before + whole.count() as u64;
        let opened = open(&torn).unwrap_or_else(|failure| panic!("cut at {cut}: {failure:?}"));
        check(&opened.commits, expected, expected)
            .unwrap_or_else(|what| panic!("cut at {cut}: {what}"));
        // A copy is kept of what was taken away, and the log goes on.
        let begun = in_file.iter().any(|(_, place)| {
            (place.position..place.position + u64::from(place.bytes)).contains(&(cut as u64))
                && place.position < cut as u64
        });
        assert_eq!(opened.torn.is_some(), begun, "cut at {cut}");
        let copies = torn.names().into_iter().filter(|file| heal::is_copy(file)).count();
        assert_eq!(copies == 1, begun, "cut at {cut}");
        let mut journal = opened.journal;
        journal.append(&commit(expected, 30, 0)).unwrap();
        check(&open(&torn).unwrap().commits, expected + 1, expected + 1).unwrap();
    }
}

#[test]
fn every_flipped_bit_of_a_segment_is_refused_by_segment_and_byte() {
    let (disk, places) = filled(24);
    let every = std::env::var_os("WORLDBUS_EVERY_BYTE").is_some();
    let last = places.last().unwrap();
    for place in [places[3], *last] {
        let file = name(place.segment);
        let bytes = disk.read(&file);
        let end =
            if place == *last { last.position + u64::from(last.bytes) } else { SEGMENT_BYTES };
        let mut seed = place.segment;
        let step = if every { 1 } else { 997 };
        for bit in (0..bytes.len() * 8).step_by(step) {
            let bit = if every { bit } else { bit + (random(&mut seed) % 997) as usize };
            if bit / 8 >= bytes.len() {
                continue;
            }
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            match open(&disk.with(&file, flipped)) {
                Err(Failure::Damaged(what)) => {
                    assert!(what.contains(&file) && what.contains("byte"), "{what}");
                }
                Err(other) => panic!("{other:?}"),
                // Behind all records, as a sector of a torn group: nothing is lost.
                Ok(opened) => {
                    assert!((bit / 8) as u64 >= end, "{file} bit {bit}");
                    assert!(opened.torn.is_some());
                    check(&opened.commits, 24, 24).unwrap();
                }
            }
        }
    }
}

#[test]
fn page_that_is_zero_doubled_or_in_the_place_of_another_is_refused() {
    let (disk, places) = filled(24);
    let last = places.last().unwrap();
    for page_bytes in [512, 4096] {
        for segment in 1..=last.segment {
            let file = name(segment);
            let bytes = disk.read(&file);
            let pages = bytes.len() / page_bytes;
            let page = |index: usize| index * page_bytes..(index + 1) * page_bytes;
            for index in 0..pages {
                let mut zeroed = bytes.clone();
                zeroed[page(index)].fill(0);
                let mut doubled = bytes.clone();
                doubled.copy_within(page(index), (index + 1) % pages * page_bytes);
                let mut swapped = bytes.clone();
                let other = (index * 7 + 3) % pages;
                swapped.copy_within(page(other), index * page_bytes);
                swapped[page(other)].copy_from_slice(&bytes[page(index)]);
                for (what, changed) in
                    [("zeroed", zeroed), ("doubled", doubled), ("swapped", swapped)]
                {
                    if changed == bytes {
                        continue;
                    }
                    // Where all behind a place is gone, or a part of the last group, the log ends
                    // before: that only the fold knows.
                    let begin = (0..bytes.len()).find(|&at| changed[at] != bytes[at]).unwrap_or(0);
                    let begin = (begin / page_bytes * page_bytes) as u64;
                    let at_end =
                        segment == last.segment && begin + page_bytes as u64 > last.position;
                    let before = |place: &&Place| {
                        place.segment < segment || place.position + u64::from(place.bytes) <= begin
                    };
                    let least =
                        if at_end { places.iter().filter(before).count() as u64 } else { 24 };
                    match open(&disk.with(&file, changed)) {
                        Ok(opened) => check(&opened.commits, least, 24)
                            .unwrap_or_else(|lost| panic!("{what} {index} of {file}: {lost}")),
                        Err(Failure::Damaged(_)) => {}
                        Err(other) => panic!("{other:?}"),
                    }
                }
            }
        }
    }
}

#[test]
fn segment_that_is_missing_cut_or_of_another_log_is_refused() {
    let (disk, places) = filled(60);
    let (other, _) = filled(60);
    assert!(places.last().unwrap().segment > 2);
    disk.remove(&name(2)).unwrap();
    assert!(refused(open(&disk)).unwrap().contains(&name(2)));
    let bytes = other.read(&name(2));
    assert!(refused(open(&other.with(&name(2), bytes[..9_000].to_vec()))).is_some());
    assert!(refused(open(&other.with(&name(2), other.read(&name(1))))).is_some());
    let foreign = Simulated::default();
    create(&foreign, 1, SETTINGS).unwrap();
    assert!(refused(open(&other.with(&name(2), foreign.read(&name(1))))).is_some());
}

/// A script of commits, roll of segments included, in which one call fails.
#[test]
fn call_that_fails_is_final_or_leaves_nothing_behind() {
    for new in [Simulated::default, Simulated::reserving] {
        let calls = {
            let disk = new();
            disk.fail(u64::MAX, Fault::Io);
            script(&disk).unwrap();
            disk.mend()
        };
        assert!(calls > 50, "{calls}");
        for fault in [Fault::Io, Fault::NoSpace, Fault::ShortWrite] {
            (0..calls).for_each(|call| fails_at(new(), call, fault));
        }
    }
}

fn fails_at(disk: Simulated, call: u64, fault: Fault) {
    disk.fail(call, fault);
    let acked = match script(&disk) {
        Ok(acked) => acked,
        Err((acked, _)) => acked,
    };
    disk.mend();
    // Whatever failed: the next start finds all that was acknowledged, also after a power
    // loss, and goes on.
    let mut seed = call;
    for disk in [disk.clone(), disk.after_power_loss(|| random(&mut seed))] {
        let at = format!("{fault:?} at call {call}");
        let opened = open(&disk).unwrap_or_else(|failure| panic!("{at}: {failure:?}"));
        check(&opened.commits, acked, acked + 1).unwrap_or_else(|what| panic!("{at}: {what}"));
        let next = opened.commits.iter().filter(|changes| changes.group.is_some()).count() as u64;
        let Opened { mut journal, .. } = opened;
        journal.append(&commit(next, 10, 0)).unwrap_or_else(|failure| panic!("{at}: {failure:?}"));
    }
}

/// Appends until something fails for good; how many were acknowledged, and why it ended.
fn script(disk: &Simulated) -> Result<u64, (u64, Failure)> {
    let mut journal = open(disk).map_err(|failure| (0, failure))?.journal;
    let mut acked = 0;
    let mut full = 0;
    while acked < 16 {
        match journal.append(&commit(acked, size(acked), acked)) {
            Ok(_) => acked += 1,
            Err(Failure::Full(_)) if full < 3 => {
                full += 1;
                let _ = journal.tend();
            }
            Err(failure) => {
                let again = journal.append(&commit(acked, 1, 0)).unwrap_err();
                let final_one = format!("{failure:?}") == format!("{again:?}");
                assert!(final_one, "{failure:?}, then {again:?}");
                return Err((acked, failure));
            }
        }
    }
    Ok(acked)
}

#[test]
fn full_disk_takes_nothing_and_goes_on_when_there_is_room() {
    let (disk, _) = filled(1);
    let mut journal = open(&disk).unwrap().journal;
    disk.set_room(Some(2 * SEGMENT_BYTES as usize + 1000));
    let mut acked = 1;
    while journal.append(&commit(acked, 12_000, 0)).is_ok() {
        acked += 1;
    }
    for _ in 0..3 {
        assert!(matches!(journal.append(&commit(acked, 12_000, 0)), Err(Failure::Full(_))));
        assert!(matches!(journal.tend(), Err(Failure::Full(_))));
    }
    // What makes room fits still: no batch takes the last bytes.
    let head = (Kind::Topic, 0, Bytes::from_static(b"head"));
    journal.append(&Changes { records: vec![head], ..Changes::default() }).unwrap();
    disk.set_room(None);
    let _ = journal.tend();
    assert!(journal.tend().unwrap());
    journal.append(&commit(acked, 12_000, 0)).unwrap();
    check(&open(&disk).unwrap().commits, acked + 1, acked + 1).unwrap();
}

/// A fault of ours, planted in what is written.
#[derive(Clone, Copy)]
enum Broken {
    Nothing,
    CursorAhead,
}

/// One life of a log that ends with a power loss; what is wrong at the next start, if anything.
fn life(seed: u64, planted: Planted, fault: Broken, fold_waits: bool) -> Result<(), String> {
    let mut state = seed;
    let mut disk = match seed % 2 {
        0 => Simulated::default(),
        _ => Simulated::reserving(),
    };
    if planted.forgets_file_syncs {
        // The first segments are made in order: the fault is in commits.
        drop(open(&disk));
    }
    disk.plant(planted);
    let (mut acked, mut tried) = (0, 0);
    let mut fold: Option<Appended> = None;
    for _ in 0..1 + random(&mut state) % 3 {
        let Opened { mut journal, commits, .. } =
            open(&disk).map_err(|failure| format!("{failure:?}"))?;
        check_fold(&disk, fold)?;
        check(&commits, acked, tried)?;
        acked = commits.iter().filter(|changes| changes.group.is_some()).count() as u64;
        tried = acked;
        let commits = random(&mut state) % 12;
        let cut = random(&mut state) % 60;
        disk.fail(cut, Fault::Io);
        for _ in 0..commits {
            let bytes = (random(&mut state) % 20_000) as usize;
            let cursor = match fault {
                Broken::Nothing => random(&mut state) % (acked + 1),
                Broken::CursorAhead => acked + 2,
            };
            tried = acked + 1;
            let Ok(appended) = journal.append(&commit(acked, bytes, cursor)) else { break };
            acked += 1;
            if fold_waits && random(&mut state).is_multiple_of(2) {
                fold = Some(appended);
            }
        }
        disk.mend();
        drop(journal);
        disk = disk.after_power_loss(|| random(&mut state));
    }
    let Opened { commits, .. } = open(&disk).map_err(|failure| format!("{failure:?}"))?;
    check_fold(&disk, fold)?;
    check(&commits, acked, tried)
}

/// Whether the last record that a fold has is in the journal.
fn check_fold(disk: &Simulated, fold: Option<Appended>) -> Result<(), String> {
    let Some(Appended { number, crc, place }) = fold else { return Ok(()) };
    let segments = Segments::list(disk).unwrap().ok_or("no segments")?;
    match Scan::behind(disk, &segments, place, number, crc) {
        Ok(Behind::Scan(_)) => Ok(()),
        _ => Err("the fold is ahead".to_owned()),
    }
}

fn seeds() -> u64 {
    let seeds = std::env::var("WORLDBUS_TEST_SEEDS").ok().and_then(|text| text.parse().ok());
    seeds.unwrap_or(500)
}

#[test]
fn acknowledged_commits_survive_power_losses() {
    for seed in 0..seeds() {
        life(seed, Planted::default(), Broken::Nothing, true)
            .unwrap_or_else(|what| panic!("seed {seed}: {what}"));
    }
}

#[test]
fn planted_faults_are_found_by_the_same_check() {
    let files = Planted { forgets_file_syncs: true, ..Planted::default() };
    let directories = Planted { forgets_directory_syncs: true, ..Planted::default() };
    let found = |planted, fault, fold| {
        (0..200).filter_map(|seed| life(seed, planted, fault, fold).err()).collect::<Vec<_>>()
    };
    let lost = found(files, Broken::Nothing, false);
    assert!(lost.iter().any(|what| what.contains("acknowledged commits")), "{lost:?}");
    let ahead = found(files, Broken::Nothing, true);
    assert!(ahead.iter().any(|what| what.contains("the fold is ahead")), "{ahead:?}");
    let vanished = found(directories, Broken::Nothing, false);
    assert!(!vanished.is_empty());
    let cursor = found(Planted::default(), Broken::CursorAhead, false);
    assert!(cursor.iter().any(|what| what.contains("the cursor is at")), "{cursor:?}");
}
