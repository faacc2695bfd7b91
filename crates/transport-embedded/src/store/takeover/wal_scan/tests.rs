//! Every flipped bit ahead of the last frame is damage, every cut is a torn write; on logs
//! written here, in both endiannesses, and on one written by SQLite.

use proptest::prelude::*;

use super::frame::{Endian, Sum};
use super::*;

/// Small pages: the format does not care, and every bit can be tried.
const PAGE: u32 = 32;
const FRAME: usize = 24 + PAGE as usize;

fn put(bytes: &mut Vec<u8>, words: &[u32]) {
    words.iter().for_each(|word| bytes.extend_from_slice(&word.to_be_bytes()));
}

/// A log whose frames commit where `commits` is true.
fn log(endian: Endian, salts: [u32; 2], commits: &[bool]) -> Vec<u8> {
    log_of(endian, salts, commits, 1)
}

fn log_of(endian: Endian, salts: [u32; 2], commits: &[bool], seed: usize) -> Vec<u8> {
    let mut log = Vec::new();
    put(&mut log, &[MAGIC | u32::from(endian == Endian::Big), FORMAT, PAGE, 3, salts[0], salts[1]]);
    let mut sum = Sum::default().over(&log, endian);
    sum.store(&mut log);
    for (number, &commit) in commits.iter().enumerate() {
        let start = log.len();
        put(&mut log, &[number as u32 + 1, if commit { 9 } else { 0 }]);
        let page: Vec<u8> =
            (0..PAGE).map(|i| (i as usize * 7 + number * 31 + seed) as u8).collect();
        sum = sum.over(&log[start..], endian).over(&page, endian);
        put(&mut log, &salts);
        sum.store(&mut log);
        log.extend_from_slice(&page);
    }
    log
}

fn verdict(log: &[u8]) -> Verdict {
    scan(log, PAGE).unwrap()
}

/// What SQLite would take from it, by the rules of its documentation alone.
fn committed(commits: &[bool], cut: usize) -> u64 {
    let whole = cut.saturating_sub(HEADER_BYTES) / FRAME;
    let last = commits[..whole.min(commits.len())].iter().rposition(|&commit| commit);
    last.map_or(0, |last| last as u64 + 1)
}

const COMMITS: [bool; 7] = [true, false, true, false, false, true, true];

#[test]
fn a_log_as_written_is_whole() {
    for endian in [Endian::Little, Endian::Big] {
        assert_eq!(verdict(&log(endian, [5, 6], &COMMITS)), Verdict::Whole { frames: 7 });
    }
    assert_eq!(verdict(&[]), Verdict::Torn { frames: 0, bytes_behind: 0 });
}

#[test]
fn every_flipped_bit_ahead_of_the_last_frame_is_damage() {
    for endian in [Endian::Little, Endian::Big] {
        let log = log(endian, [5, 6], &COMMITS);
        for bit in 0..(log.len() - FRAME) * 8 {
            let mut flipped = log.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let Verdict::Damaged { frame, .. } = verdict(&flipped) else {
                panic!("bit {bit}: {:?}", verdict(&flipped));
            };
            let expected = (bit / 8).checked_sub(HEADER_BYTES).map(|at| (at / FRAME) as u64);
            assert_eq!(frame, expected, "bit {bit}");
        }
    }
}

#[test]
fn every_cut_is_torn_whatever_stands_behind() {
    for endian in [Endian::Little, Endian::Big] {
        let log = log(endian, [5, 6], &COMMITS);
        for cut in 0..log.len() {
            let frames = committed(&COMMITS, cut);
            for behind in [None, Some(0), Some(0xa5)] {
                let mut torn = log[..cut].to_vec();
                if let Some(byte) = behind {
                    torn.resize(log.len(), byte);
                }
                match verdict(&torn) {
                    Verdict::Torn { frames: found, .. } | Verdict::Whole { frames: found } => {
                        assert_eq!(found, frames, "cut at {cut}, behind {behind:?}");
                    }
                    // A cut within the header leaves no frames behind it unless they are there.
                    damaged => panic!("cut at {cut}, behind {behind:?}: {damaged:?}"),
                }
            }
        }
    }
}

#[test]
fn frames_of_an_earlier_generation_are_not_damage() {
    let old = log(Endian::Little, [4, 99], &[true; 9]);
    let new = log(Endian::Little, [5, 6], &COMMITS);
    for frames in 0..COMMITS.len() {
        let end = HEADER_BYTES + frames * FRAME;
        let mut both = old.clone();
        both[..end].copy_from_slice(&new[..end]);
        let expected = committed(&COMMITS, end);
        let Verdict::Torn { frames: found, .. } = verdict(&both) else {
            panic!("{frames}: {:?}", verdict(&both));
        };
        assert_eq!(found, expected);
    }
}

/// A full disk leaves frames without a commit behind; the next transaction writes over some.
#[test]
fn what_a_rolled_back_transaction_left_is_not_damage() {
    let aborted = log_of(Endian::Little, [5, 6], &[false, false, false, false, false], 1);
    let new = log_of(Endian::Little, [5, 6], &[false, true], 2);
    let mut both = aborted;
    both[..new.len()].copy_from_slice(&new);
    let Verdict::Torn { frames, .. } = verdict(&both) else { panic!("{:?}", verdict(&both)) };
    assert_eq!(frames, 2);
}

proptest! {
    #[test]
    fn noise_is_judged_without_panic(noise in proptest::collection::vec(any::<u8>(), 0..300)) {
        verdict(&noise);
        let mut log = log(Endian::Little, [5, 6], &COMMITS);
        let at = noise.len().min(log.len());
        log[..at].copy_from_slice(&noise[..at]);
        verdict(&log);
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "how much to try is the caller's choice")]
fn a_log_of_sqlite_is_whole_or_torn_wherever_it_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("any.db");
    let connection = crate::store::database::connect(&file, false).unwrap();
    connection.execute_batch("CREATE TABLE t (x BLOB)").unwrap();
    let wal = dir.path().join("any.db-wal");
    let mut ends = Vec::new();
    for bytes in [10, 6_000, 100, 20_000, 9_000, 500, 14_000, 3_000] {
        connection.execute("INSERT INTO t VALUES (randomblob(?1))", [bytes]).unwrap();
        ends.push(std::fs::metadata(&wal).unwrap().len());
    }
    let log = std::fs::read(&wal).unwrap();
    let frame_bytes = (24 + 4096) as u64;
    let frames = |end: u64| (end - 32) / frame_bytes;
    assert_eq!(scan(&log[..], 4096).unwrap(), Verdict::Whole { frames: frames(log.len() as u64) });
    // A scan reads all of the log: each byte of the last frame, and where a frame ends or one
    // in a while before. WORLDBUS_EVERY_BYTE tries them all.
    let every = std::env::var_os("WORLDBUS_EVERY_BYTE").is_some();
    let near_edge = |cut: usize| (cut.wrapping_sub(32) + 2) % 4120 <= 28;
    let worth =
        |cut: usize| every || cut + 4120 > log.len() || near_edge(cut) || cut.is_multiple_of(97);
    for cut in (log.len().saturating_sub(64 << 10)..log.len()).filter(|&cut| worth(cut)) {
        let expected = ends.iter().rfind(|&&end| end <= cut as u64).map_or(2, |&end| frames(end));
        let found = match scan(&log[..cut], 4096).unwrap() {
            Verdict::Torn { frames, .. } | Verdict::Whole { frames } => frames,
            damaged => panic!("cut at {cut}: {damaged:?}"),
        };
        assert_eq!(found, expected, "cut at {cut}");
    }
}
