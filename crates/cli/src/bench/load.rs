//! The load: which events, how many, when. What sends them is in `events` and `batches`.

use std::time::Duration;

use prost::Message as _;

use super::arguments::{BenchArguments, End};
use worldbus_bus::{Topic, limits};
use worldbus_events::v1::{Phase, TimeUpdated};

/// How far an event may be behind its schedule and still be timed from when it was sent: timers
/// are this exact. One that is later is timed from when it was due, so that what waits behind a
/// stall counts.
const LATE_MAX: Duration = Duration::from_millis(2);
/// Topics of one publisher and of one subscription: more take several of both.
pub(super) const TOPICS_EACH: usize = limits::TOPIC_COUNT_MAX;
/// The tag of a field that time.updated does not have, of bytes: what fills a payload up.
const FILLER_TAG: u8 = 15 << 3 | 2;
/// Tag and size of the filler.
const FILLER_HEAD_BYTES: usize = 4;

/// What is sent.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) topics: Vec<Topic>,
    pub(super) source: String,
    pub(super) world: String,
    /// In flight at once: events, or batches.
    pub(super) window: usize,
    pub(super) end: End,
    /// Events of a ready batch.
    pub(super) batch_events: Option<u32>,
    rate: Option<f64>,
    payload_bytes: Option<u32>,
}

impl Load {
    pub(super) fn new(
        arguments: &BenchArguments,
        topics: Vec<Topic>,
        source: &str,
        world: &str,
    ) -> Self {
        Self {
            topics,
            source: source.to_owned(),
            world: world.to_owned(),
            window: arguments.window(),
            end: arguments.end(),
            batch_events: arguments.batch_events,
            rate: arguments.rate,
            payload_bytes: arguments.payload_bytes,
        }
    }

    /// Whether nothing is sent any more.
    pub(super) fn is_over(&self, sent: u64, now: Duration) -> bool {
        match self.end {
            End::Events(events) => sent >= events,
            End::Seconds(seconds) => now.as_secs_f64() >= seconds,
        }
    }

    /// When an event is due, by its number; at once without a rate.
    pub(super) fn due(&self, number: u64) -> Option<Duration> {
        self.rate.map(|rate| Duration::from_secs_f64(number as f64 / rate))
    }

    /// From when an event is timed that is sent now.
    pub(super) fn timed_from(&self, due: Option<Duration>, now: Duration) -> Duration {
        due.filter(|due| now.saturating_sub(*due) > LATE_MAX).unwrap_or(now)
    }

    /// Which of the topics an event or a batch goes to, by its number.
    pub(super) fn topic(&self, number: u64) -> usize {
        (number % self.topics.len() as u64) as usize
    }

    /// Writes the payload of an event over `payload`.
    pub(super) fn write_payload(&self, number: u64, sent: Duration, payload: &mut Vec<u8>) {
        payload.clear();
        let event = TimeUpdated {
            total_minutes: sent.as_micros() as i64,
            hour: (number / 60 % 24) as u32,
            minute: (number % 60) as u32,
            phase: Phase::Day.into(),
        };
        // A vector takes all there is.
        let _ = event.encode(payload);
        let Some(bytes) = self.payload_bytes else { return };
        let filler = (bytes as usize).saturating_sub(payload.len() + FILLER_HEAD_BYTES);
        // Its size in three bytes, however small: a payload has 1 MiB at most.
        let size = [filler as u8 | 0x80, (filler >> 7) as u8 | 0x80, (filler >> 14) as u8];
        payload.extend([FILLER_TAG, size[0], size[1], size[2]]);
        payload.resize(bytes as usize, b'.');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use worldbus_events::Event as _;

    fn load(payload_bytes: Option<u32>) -> Load {
        Load {
            topics: Vec::new(),
            source: String::new(),
            world: String::new(),
            window: 1,
            end: End::Events(1),
            batch_events: None,
            rate: Some(1000.0),
            payload_bytes,
        }
    }

    #[test]
    fn payload_has_the_size_that_was_asked_for_and_decodes() {
        let mut payload = Vec::new();
        for bytes in [16, 17, 100, 143, 144, 145, 16_384, 65_536, 1 << 20] {
            for number in [0, 59, 1439] {
                let sent = Duration::from_secs(30_000);
                load(Some(bytes)).write_payload(number, sent, &mut payload);
                assert_eq!(payload.len(), bytes as usize);
                let event = TimeUpdated::from_payload(&payload).unwrap();
                let expected = (30_000_000_000, (number % 60) as u32);
                assert_eq!((event.total_minutes, event.minute), expected, "{bytes}");
            }
        }
        load(None).write_payload(7, Duration::from_secs(1), &mut payload);
        assert!((8..14).contains(&payload.len()), "{}", payload.len());
    }

    #[test]
    fn what_waits_behind_a_stall_is_timed_from_when_it_was_due() {
        let ms = Duration::from_millis;
        assert_eq!(load(None).due(5), Some(ms(5)));
        assert_eq!(load(None).timed_from(Some(ms(5)), ms(6)), ms(6));
        assert_eq!(load(None).timed_from(Some(ms(5)), ms(100)), ms(5));
        assert_eq!(load(None).timed_from(None, ms(100)), ms(100));
    }
}
