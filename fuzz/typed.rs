//! Payloads of every event type, decoded by generated code and by prost. What one refuses the other
//! refuses; what they accept they make the same message of, and write again as the same bytes.

use std::fmt::Debug;

use worldbus_events::{Event, v1};

/// What became of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Refused,
    /// Generated code decoded it.
    Direct,
    /// Generated code left it to prost.
    ByProst,
}

macro_rules! event_types {
    ($($event:ident)*) => {
        /// Decodes a payload of an event type in both ways; `None` for an unknown type. Panics if
        /// they differ.
        pub(crate) fn decode(event_type: u32, payload: &[u8]) -> Option<Outcome> {
            Some(match event_type {
                $(v1::$event::NUMBER => both_ways::<v1::$event>(payload),)*
                _ => return None,
            })
        }
    };
}

event_types! {
    WeatherChanged WeatherSevere TimeChanged DayActivated NightActivated TimeUpdated
    WorldStateUpdated ClockChanged
    HourChanged DayChanged MonthChanged YearChanged SeasonChanged MoonPhaseChanged HolidayStarted
    HolidayEnded ScaleChanged Paused Resumed Jumped ScheduleFired ClockRequested
    WeatherTransitionStarted WeatherTransitionCompleted WeatherAlertUpdated WeatherAlertEnded
    WeatherOverrideSet WeatherOverrideCleared WeatherCorrected WeatherSample WeatherDailySummary
    GroundStateChanged WeatherOverrideRequested WeatherOverridesAnnounced
    NpcActivityChanged NpcCrowdChanged NpcDirectiveSet NpcDirectiveCleared NpcCorrected NpcSpawned
    NpcRemoved NpcDirectiveRequested
    WorldStateChangeRequested
    StoryEntryAdded StoryArcAdvanced StoryProposalMade StoryProposalAnswered StoryEntryRewritten
}

/// Decodes a payload in both ways. Panics if they differ.
pub(crate) fn both_ways<E: Event + Debug>(payload: &[u8]) -> Outcome {
    match (E::from_payload(payload), E::decode(payload)) {
        (Ok(ours), Ok(prosts)) => {
            // Not `==`, by which NaN differs from itself and -0 is 0.
            assert_eq!(format!("{ours:?}"), format!("{prosts:?}"), "{payload:?}");
            let encoded = prosts.encode_to_vec();
            assert_eq!(ours.encode_to_vec(), encoded, "{payload:?}");
            let mut written = vec![7];
            ours.write_payload(&mut written);
            assert_eq!(written[1..], encoded, "{payload:?}");
            let is_direct = E::direct(payload).is_some();
            if is_direct { Outcome::Direct } else { Outcome::ByProst }
        }
        (Err(_), Err(_)) => Outcome::Refused,
        (ours, prosts) => panic!("{}: {ours:?}, by prost {prosts:?}: {payload:?}", E::NAME),
    }
}
