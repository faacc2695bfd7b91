//! The cursor agrees with a model that knows each batch by itself.

use proptest::prelude::*;

use super::*;
use crate::format::codec::{Kind, unseal};

/// What becomes of a batch, one entry each; nothing is merged, nothing is indexed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Fresh,
    Leased { attempts: u32, until: i64 },
    Due { attempts: u32, at: i64 },
    Settled,
}

#[derive(Debug, Clone)]
enum Step {
    Append(u64),
    Pass(i64),
    Take,
    Skip,
    Settle { pick: prop::sample::Index, stale: bool, how: u8 },
    Retire(u64),
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (1..4u64).prop_map(Step::Append),
        3 => (1..30i64).prop_map(Step::Pass),
        6 => Just(Step::Take),
        1 => Just(Step::Skip),
        5 => (any::<prop::sample::Index>(), prop::bool::weighted(0.1), 0..4u8)
            .prop_map(|(pick, stale, how)| Step::Settle { pick, stale, how }),
        1 => (0..3u64).prop_map(Step::Retire),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..120)
}

const LEASE_MS: i64 = 20;

fn due(fates: &[Fate], now: i64) -> Option<(i64, usize)> {
    let at = |(offset, fate): (usize, &Fate)| match *fate {
        Fate::Leased { until, .. } => Some((until, offset)),
        Fate::Due { at, .. } => Some((at, offset)),
        _ => None,
    };
    fates.iter().enumerate().filter_map(at).min().filter(|&(at, _)| at <= now)
}

proptest! {
    #[test]
    fn it_agrees_with_a_model(steps in steps()) {
        let mut cursor = Cursor::new(0);
        let mut fates: Vec<Fate> = Vec::new();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Append(count) => fates.extend((0..count).map(|_| Fate::Fresh)),
                Step::Pass(ms) => now += ms,
                Step::Take => {
                    cursor.expire(now);
                    let fresh = fates.iter().position(|fate| *fate == Fate::Fresh);
                    let expected = due(&fates, now).map(|(_, offset)| offset).or(fresh);
                    let chosen = cursor.due(now).map(|(offset, _)| offset);
                    let chosen = chosen.or_else(|| cursor.fresh(fates.len() as u64));
                    prop_assert_eq!(chosen, expected.map(|offset| offset as u64));
                    if let Some(offset) = chosen {
                        let before = match fates[offset as usize] {
                            Fate::Leased { attempts, .. } | Fate::Due { attempts, .. } => attempts,
                            _ => 0,
                        };
                        let attempt = cursor.grant(offset, 7, now + LEASE_MS);
                        prop_assert_eq!(attempt, before + 1);
                        fates[offset as usize] =
                            Fate::Leased { attempts: attempt, until: now + LEASE_MS };
                    }
                }
                Step::Skip => {
                    if let Some(offset) = cursor.fresh(fates.len() as u64) {
                        cursor.skip(offset);
                        fates[offset as usize] = Fate::Settled;
                    }
                }
                Step::Settle { pick, stale, how } => {
                    if fates.is_empty() {
                        continue;
                    }
                    let offset = pick.index(fates.len());
                    let attempt = match fates[offset] {
                        Fate::Leased { attempts, .. } => attempts - u32::from(stale),
                        _ => 1,
                    };
                    let settlement = match how {
                        0 => Settlement::Ack,
                        1 => Settlement::Nack { at_ms: now + 10 },
                        2 => Settlement::Release,
                        _ => Settlement::Extend { until_ms: now + LEASE_MS },
                    };
                    let valid = matches!(fates[offset], Fate::Leased { .. }) && !stale;
                    prop_assert_eq!(cursor.holds(offset as u64, attempt), valid);
                    let settled = cursor.settle(offset as u64, attempt, settlement);
                    prop_assert_eq!(settled.is_ok(), valid);
                    if valid {
                        fates[offset] = match how {
                            0 => Fate::Settled,
                            1 => Fate::Due { attempts: attempt, at: now + 10 },
                            2 => Fate::Due { attempts: attempt - 1, at: 0 },
                            _ => Fate::Leased { attempts: attempt, until: now + LEASE_MS },
                        };
                    }
                }
                Step::Retire(count) => {
                    let first = (cursor.floor() + count).min(fates.len() as u64);
                    let below = fates[..first as usize].iter_mut();
                    let mut lost = 0;
                    for fate in below {
                        lost += u64::from(*fate != Fate::Settled);
                        *fate = Fate::Settled;
                    }
                    prop_assert_eq!(cursor.retire(first).lost, lost);
                }
                Step::Restart => {
                    let put = cursor.encode(Put::default(), now);
                    let bytes = put.seal(Kind::Topic, 0);
                    let unsealed = unseal(Kind::Topic, 0, &bytes);
                    let mut take = unsealed.unwrap();
                    let read = Cursor::decode(&mut take, now).unwrap();
                    prop_assert_eq!(read.floor(), cursor.floor());
                    cursor = read;
                    // What is over is over, however long.
                    for fate in &mut fates {
                        match fate {
                            Fate::Leased { until: at, .. } | Fate::Due { at, .. } => {
                                *at = now.max(*at);
                            }
                            _ => {}
                        }
                    }
                }
            }
            let open = |fate: &Fate| *fate != Fate::Settled;
            let floor = fates.iter().position(open).unwrap_or(fates.len());
            prop_assert_eq!(cursor.floor(), floor as u64);
        }
    }

    #[test]
    fn noise_is_refused_without_panic(noise in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = Cursor::decode(&mut Take(&noise), 0);
    }
}

#[test]
fn what_is_pending_is_bounded() {
    let mut cursor = Cursor::new(0);
    while let Some(offset) = cursor.fresh(u64::MAX) {
        cursor.grant(offset, 1, 10);
    }
    assert_eq!(cursor.floor(), 0);
    assert_eq!(cursor.next, PENDING_MAX as u64);
    cursor.settle(17, 1, Settlement::Ack).unwrap();
    assert_eq!(cursor.fresh(u64::MAX), Some(PENDING_MAX as u64));
}

#[test]
fn ended_leases_are_due_at_once_and_may_still_be_settled() {
    let mut cursor = Cursor::new(5);
    cursor.grant(5, 1, 1_000_000);
    assert_eq!(cursor.due(10), None);
    cursor.end_leases();
    assert_eq!(cursor.due(10), Some((5, 1)));
    cursor.settle(5, 1, Settlement::Ack).unwrap();
    assert_eq!(cursor.settle(5, 1, Settlement::Ack), Err(Lost));
}

/// `next` 8; batch 7 pending, leased by a process whose format had wall times.
#[test]
fn times_of_an_earlier_format_end_at_once() {
    for code in 0..3u8 {
        let put = Put::default().u64(8).u32(1).u64(7).u32(2).u8(code).i64(i64::MAX);
        let sealed = put.seal(Kind::Topic, 0);
        let mut take = unseal(Kind::Topic, 0, &sealed).unwrap();
        let mut cursor = Cursor::decode(&mut take, 500).unwrap();
        cursor.expire(500);
        assert_eq!(cursor.due(500), Some((7, 2)));
    }
}

#[test]
fn nothing_has_more_left_than_may_be_asked_for() {
    let put = Put::default().u64(8).u32(1).u64(7).u32(2).u8(5).i64(i64::MAX);
    let sealed = put.seal(Kind::Topic, 0);
    let mut take = unseal(Kind::Topic, 0, &sealed).unwrap();
    let cursor = Cursor::decode(&mut take, 500).unwrap();
    assert_eq!(cursor.due(499 + REMAINING_MS_MAX), None);
    assert_eq!(cursor.due(500 + REMAINING_MS_MAX), Some((7, 2)));
}

#[test]
fn a_start_beyond_the_end_that_an_earlier_version_took_is_the_end() {
    let mut cursor = Cursor::new(1 << 63);
    cursor.confine(7);
    assert_eq!((cursor.fresh(7), cursor.fresh(8)), (None, Some(7)));
}
