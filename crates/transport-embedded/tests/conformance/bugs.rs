//! The suite finds what it is for: each known fault, planted into a log that has none, is found by
//! the checks named here, and each check finds a fault.

use std::collections::BTreeSet;

use crate::log::Log;
use worldbus_bus::Capability;
use worldbus_conformance::faulty::{Bug, Faulty};
use worldbus_transport_embedded::Options;

/// Faults, and checks that each find them.
const FOUND_BY: &[(Bug, &[&str])] = &[
    (
        Bug::AcksEarly,
        &["nacked_batches_come_again", "released_deliveries_do_not_count", "attempts_are_bounded"],
    ),
    (Bug::BeginsAtStart, &["a_new_subscription_begins_now", "subscriptions_begin_where_they_ask"]),
    (Bug::BindsOneTopic, &["everything_arrives"]),
    (Bug::DeadLettersWholeBatch, &["events_are_set_aside_once", POISON]),
    (Bug::DoublesOne, &["everything_arrives", CONCURRENT, "no_batch_is_held_by_two_at_once"]),
    (Bug::DropsOne, &["everything_arrives", CONCURRENT, "a_cancelled_next_loses_nothing"]),
    (Bug::ForgetsDeadLetters, &["events_are_set_aside_once", NEWEST_FIRST, POISON]),
    (
        Bug::ForgetsEntities,
        &[
            "filters_by_entity_leave_out_batches",
            "filters_by_place_leave_out_batches",
            "readers_filter",
            "readers_filter_by_place",
            "a_router_hears_of_its_entities_only",
            "a_router_gets_events_of_its_places_only",
        ],
    ),
    (
        Bug::ForgetsPlaces,
        &[
            "filters_by_place_leave_out_batches",
            "readers_filter_by_place",
            "a_router_gets_events_of_its_places_only",
        ],
    ),
    (Bug::ForgetsNacks, &["nacked_batches_come_again", "a_nacked_batch_waits_for_its_delay"]),
    (Bug::ForgetsReplays, &[REPLAYED, "a_replayed_event_is_delivered_as_any_other", MENDED, LASTS]),
    (Bug::ForgetsSubscriptions, &["a_subscription_waits_for_its_consumer", DRAIN]),
    (Bug::Hides(Capability::Replay), &["missing_replay_is_refused"]),
    (Bug::Hides(Capability::DropDuplicates), &["missing_drop_duplicates_is_refused"]),
    (Bug::Hides(Capability::LateAck), &["missing_late_ack_is_refused"]),
    (Bug::Hides(Capability::Delete), &["missing_delete_is_refused"]),
    (Bug::IgnoresAttemptsMax, &["attempts_are_bounded"]),
    (Bug::IgnoresDelays, &["a_nacked_batch_waits_for_its_delay"]),
    (Bug::IgnoresExtensions, &["an_extended_lease_is_kept"]),
    (
        Bug::IgnoresFilters,
        &[
            "filters_by_type_leave_out_batches",
            "filters_by_entity_leave_out_batches",
            "filters_by_place_leave_out_batches",
            "readers_filter",
            "readers_filter_by_place",
        ],
    ),
    (Bug::IgnoresInFlightMax, &["a_stalled_consumer_is_bounded_and_holds_nobody_up"]),
    (Bug::IgnoresStarts, &["subscriptions_begin_where_they_ask", "the_past_is_read_again"]),
    (Bug::KeepsDuplicates, &["duplicates_are_dropped", "a_batch_published_twice_is_handled_once"]),
    (Bug::DeletesUnasked, &["what_is_deleted_is_gone_and_its_name_is_free"]),
    (Bug::KeepsDeleted, &["what_is_deleted_is_gone_and_its_name_is_free"]),
    (Bug::KeepsDiscarded, &["a_discarded_event_is_gone"]),
    (Bug::ListsOldestFirst, &[NEWEST_FIRST]),
    (
        Bug::LosesAnEvent,
        &["everything_arrives", "a_publisher_that_closes_leaves_everything_durable"],
    ),
    (Bug::LosesOnCancel, &["a_cancelled_next_loses_nothing"]),
    (Bug::LosesOnClose, &["a_consumer_that_closes_hands_back_what_it_took_ahead"]),
    (Bug::LosesOnRestart, &["a_restart_of_the_engine_mid_stream_loses_nothing"]),
    (Bug::PublishesOutOfOrder, &["concurrent_publishes_keep_their_order"]),
    (Bug::PublishesReplays, &[REPLAYED]),
    (Bug::ReadsWithGaps, &["the_past_is_read_again", "readers_follow_all_topics"]),
    (Bug::RefusesLateAcks, &["a_late_ack_counts_until_the_batch_is_given_away"]),
    (Bug::ReleaseCounts, &["released_deliveries_do_not_count", DRAIN]),
    (Bug::SharesOneQueue, &["every_subscription_gets_everything"]),
    (Bug::ShortensAbsurd, &["what_is_beyond_a_bound_is_refused"]),
    (Bug::SwallowsHostileBytes, &["hostile_bytes_are_quarantined"]),
    (Bug::SwapsTwo, &["one_producer_is_heard_in_order", "offsets_have_no_gaps"]),
    (Bug::TakesLostLeases, &["an_ended_lease_is_given_away_and_lost", "nacked_batches_come_again"]),
    (Bug::TakesOversize, &["too_large_batches_are_refused"]),
];

const CONCURRENT: &str = "concurrent_publishers_and_consumers_lose_and_double_nothing";
const LASTS: &str = "a_replay_outlives_a_restart";
const MENDED: &str = "a_replayed_event_is_handled_in_the_end";
const REPLAYED: &str = "a_replayed_event_goes_to_its_subscription_only";
const DRAIN: &str = "a_router_that_ends_leaves_the_rest_to_another";
const NEWEST_FIRST: &str = "dead_letters_are_listed_newest_first";
const POISON: &str = "a_poison_event_of_a_full_batch_is_isolated";

/// What no transport can do wrong: `Capabilities` itself refuses, and no call asks.
const ASKED_BY_NO_CALL: &[&str] = &[
    "missing_order_per_producer_is_refused",
    "missing_filter_by_type_is_refused",
    "missing_filter_by_entity_is_refused",
    "missing_filter_by_place_is_refused",
];

fn faulty(bug: Bug) -> Faulty {
    Faulty::new(Log::open(Options { sync: false, ..Options::default() }), bug)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_planted_fault_is_found_by_the_checks_that_are_for_it() {
    let finding = FOUND_BY.iter().map(|&(bug, checks)| {
        tokio::spawn(async move {
            let report = worldbus_conformance::check_only(faulty(bug), checks).await;
            let failed: BTreeSet<_> = report.failed().into_iter().collect();
            (failed == checks.iter().copied().collect()).then_some(()).ok_or((bug, report))
        })
    });
    for found in futures_util::future::join_all(finding).await {
        if let Err((bug, report)) = found.unwrap() {
            panic!("{bug:?} was missed:\n{report}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_fault_nothing_is_found_and_each_check_can_find_one() {
    let report = worldbus_conformance::check(faulty(Bug::Nothing)).await;
    report.assert_kept();
    let finds: Vec<_> = FOUND_BY.iter().flat_map(|(_, checks)| *checks).collect();
    for (name, _) in report.verdicts() {
        let found = finds.contains(&&name) || ASKED_BY_NO_CALL.contains(&name);
        assert!(found, "no fault is planted that {name} finds");
    }
}
