//! Marks: words that no search has, which are added to those of an entry for where and when it was,
//! so that a search in a region for a common word reads what is in both. Not here: the index.

use worldbus_world::GameTime;

/// A mark begins with it: a character that is part of a word for an index and that no search has.
pub(super) const MARK: char = '\u{e000}';
/// The game time that entries with one mark share.
const SPAN_US: i64 = 30 * GameTime::DAY_US;
/// Spans that a search names; of a longer one all times are read.
const SPAN_COUNT_MAX: i64 = 60;
/// The same for searches of days.
const DAYS_US: i64 = 3 * GameTime::DAY_US;
const DAYS_COUNT_MAX: i64 = 12;

fn mark(kind: char, value: &str) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{MARK}{kind}{:016x}", value.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

pub(super) fn of_region(region: &str) -> String {
    mark('r', region)
}

pub(super) fn of_arc(arc: &str) -> String {
    mark('a', arc)
}

/// The mark of an instant.
pub(super) fn of_time(game_us: i64) -> String {
    of_span(game_us.div_euclid(SPAN_US))
}

fn of_span(span: i64) -> String {
    mark('t', &span.to_string())
}

/// The mark of the days around an instant.
pub(super) fn of_days(game_us: i64) -> String {
    of_few_days(game_us.div_euclid(DAYS_US))
}

fn of_few_days(days: i64) -> String {
    mark('d', &days.to_string())
}

/// The marks of a stretch of game time, if they are few.
pub(super) fn of_stretch(from_us: Option<i64>, to_us: Option<i64>) -> Option<Vec<String>> {
    let (from, to) = (from_us?.div_euclid(SPAN_US), to_us?.div_euclid(SPAN_US));
    (to.saturating_sub(from) < SPAN_COUNT_MAX).then(|| (from..=to).map(of_span).collect())
}

/// The marks of the days of a short stretch.
pub(super) fn of_short_stretch(from_us: Option<i64>, to_us: Option<i64>) -> Option<Vec<String>> {
    let (from, to) = (from_us?.div_euclid(DAYS_US), to_us?.div_euclid(DAYS_US));
    (to.saturating_sub(from) < DAYS_COUNT_MAX).then(|| (from..=to).map(of_few_days).collect())
}
