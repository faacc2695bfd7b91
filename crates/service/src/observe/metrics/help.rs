//! Every metric that is counted through the `metrics` facade: its kind, name and help. Names
//! follow Prometheus' conventions: `worldbus_`, what is measured, its base unit in the plural, and
//! `_total` behind what only grows. What is missing here, or here and nowhere else, fails a test.

use ::metrics::{describe_counter, describe_gauge, describe_histogram};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

use Kind::{Counter, Gauge, Histogram};

/// All of them, by what they are about.
pub(super) const METRICS: &[(Kind, &str, &str)] = &[
    // Requests to this process.
    (Counter, "worldbus_http_requests_total", "HTTP requests by method, route and status."),
    (Histogram, "worldbus_http_request_seconds", "Time until the answer to an HTTP request began."),
    (Gauge, "worldbus_http_requests_running", "Requests whose answer has not begun yet."),
    (Counter, "worldbus_grpc_requests_total", "gRPC calls that have ended, by method and status."),
    (Histogram, "worldbus_grpc_request_seconds", "Time until the answer to a gRPC call began."),
    (Counter, "worldbus_connections_shed_total", "Connections closed to make room for others."),
    (Counter, "worldbus_answers_refused_total", "Answers there was no room for: 503."),
    (Counter, "worldbus_answers_cut_total", "Answers that were not read; connections cut."),
    (Counter, "worldbus_wrong_keys_total", "Requests with a wrong API key."),
    (Gauge, "worldbus_streams_open", "Streams of events to other processes, by kind."),
    (Counter, "worldbus_streams_cut_total", "Connections cut as a stream was not read, by kind."),
    (Counter, "worldbus_events_served_total", "Events sent to other processes, by kind of stream."),
    (Counter, "worldbus_work_refusals_total", "Requests refused as too many long ones waited."),
    (Counter, "worldbus_panics_total", "Panics; each is a bug."),
    (Counter, "worldbus_log_lines_dropped_total", "Log lines that were not read in time."),
    // Publishing.
    (Counter, "worldbus_published_events_total", "Events in batches that left for the engine."),
    (Counter, "worldbus_publish_failed_total", "Events whose publisher was given an error."),
    (Counter, "worldbus_publish_retries_total", "Attempts after the first to publish a batch."),
    (Histogram, "worldbus_batch_events", "Events of a batch that was published."),
    (Histogram, "worldbus_batch_bytes", "Encoded bytes of a batch that was published."),
    (Histogram, "worldbus_received_batch_events", "Events of a batch from another process."),
    (Histogram, "worldbus_received_batch_bytes", "Encoded bytes of a batch from another process."),
    (Counter, "worldbus_publish_failures_total", "Batches from other processes that failed."),
    (Counter, "worldbus_intake_waits_total", "Calls that waited for room on the way to the log."),
    (Counter, "worldbus_intake_refusals_total", "Calls refused for want of room to the log."),
    (Counter, "worldbus_spooled_events_total", "Events appended to the spool."),
    (Counter, "worldbus_spooled_bytes_total", "Encoded bytes appended to the spool."),
    (Counter, "worldbus_spool_full_total", "Times that a publisher waited for room in the spool."),
    (Counter, "worldbus_spool_drained_events_total", "Events that went from the spool on."),
    (Counter, "worldbus_spool_refused_events_total", "Spooled events that the engine refused."),
    (Gauge, "worldbus_spool_bytes", "Bytes that the spool holds."),
    (Gauge, "worldbus_spool_batches", "Batches that the spool holds."),
    // Consuming.
    (Counter, "worldbus_redeliveries_total", "Deliveries of a batch after its first."),
    (Counter, "worldbus_duplicates_dropped_total", "Events received before and left out."),
    (Counter, "worldbus_poison_events_total", "Events that a handler could not take."),
    (Counter, "worldbus_dead_letters_total", "Events set aside as dead letters."),
    (Counter, "worldbus_dead_letters_removed_total", "Dead letters removed by the retention."),
    (Counter, "worldbus_late_replies_total", "Replies after their deadline, or second ones."),
    (Gauge, "worldbus_breaker_state", "Circuit breakers: 0 closed, 1 half-open, 2 open."),
    (Gauge, "worldbus_subscription_lag_batches", "Batches that a subscription has to settle."),
    (Counter, "worldbus_subscription_lost_batches_total", "Batches removed before they were read."),
    // The embedded log.
    (Counter, "worldbus_log_commits_total", "Commits of the log."),
    (Counter, "worldbus_log_events_total", "Events appended to the log."),
    (Histogram, "worldbus_log_commit_seconds", "Time of a commit of the log, with its fsync."),
    (Histogram, "worldbus_log_commit_bytes", "Bytes of batches in a commit of the log."),
    (Histogram, "worldbus_log_commit_events", "Events in a commit of the log."),
    (Gauge, "worldbus_log_fold_lag_records", "Commits that the index of the log lacks."),
    (Counter, "worldbus_retention_batches_total", "Batches removed by the retention."),
    (Counter, "worldbus_retention_unread_batches_total", "Unread batches that retention removed."),
    (Counter, "worldbus_expired_subscriptions_total", "Subscriptions deleted as unused."),
    (Counter, "worldbus_expired_topics_total", "Topics deleted as unused."),
    (Counter, "worldbus_expired_unread_batches_total", "Unread by subscriptions that expired."),
    (Gauge, "worldbus_unread_retention_used_ratio", "Of a topic's limits, how much is unread."),
    (Gauge, "worldbus_dead_letters_used_ratio", "Of the limits of dead letters, how much is used."),
    (Gauge, "worldbus_topic_bytes", "Bytes of a topic's batches in the log."),
    (Gauge, "worldbus_topic_next_offset", "Offset of the next batch of a topic."),
    // Other transports.
    (Counter, "worldbus_acks_lost_total", "Acks that SQS did not take: the delivery comes again."),
    (Counter, "worldbus_aws_entries_retried_total", "Entries of batch calls to AWS sent again."),
    (Counter, "worldbus_undecodable_messages_total", "Messages from SQS that are not batches."),
    (Counter, "worldbus_remote_streams_lost_total", "Streams of an event-bus that broke."),
    // Simulated services.
    (Counter, "worldbus_emitted_events_total", "Events that a simulated service published."),
    (
        Histogram,
        "worldbus_boundary_lag_seconds",
        "From when an event of a simulated service is due until it is durable.",
    ),
    (Counter, "worldbus_scheduled_refused_total", "Scheduled events that the bus refused."),
    (Counter, "worldbus_time_catch_up_skipped_total", "Game minutes left out after a pause."),
    (Gauge, "worldbus_time_segments", "Segments of the clock."),
    (Counter, "worldbus_weather_catch_up_skipped_total", "Weather events left out after a pause."),
    (Gauge, "worldbus_weather_commands", "Commands on the weather in force or kept."),
    (Gauge, "worldbus_npc_commands", "Commands on people in force or kept."),
    // The state of a world and its chronicle.
    (Counter, "worldbus_state_steps_total", "Steps of the world's state, by outcome."),
    (Histogram, "worldbus_state_group_steps", "Steps that were written in one transaction."),
    (Counter, "worldbus_state_failures_total", "Groups of steps that the database refused."),
    (Counter, "worldbus_chronicle_entries_total", "Entries of the chronicle that were written."),
    (Counter, "worldbus_chronicle_late_events_total", "Events later than the grace of arcs."),
    (Counter, "worldbus_chronicle_arcs_refused_total", "Arcs that there was no room for."),
    (
        Counter,
        "worldbus_chronicle_rewrites_skipped_total",
        "Entries that no model was asked about.",
    ),
    (Counter, "worldbus_chronicle_rewrite_failures_total", "Answers of a model that were no text."),
    (Counter, "worldbus_wall_clock_steps_back_total", "Steps back of the wall clock, clamped."),
    (Counter, "worldbus_wall_clock_steps_ahead_total", "Steps ahead of the wall clock."),
    // Tracing.
    (Counter, "worldbus_trace_spans_exported_total", "Spans that the collector took."),
    (Counter, "worldbus_trace_spans_dropped_total", "Spans that were dropped, by reason."),
];

/// Gives the recorder of this process the help of all.
pub(super) fn describe() {
    for &(kind, name, help) in METRICS {
        match kind {
            Counter => describe_counter!(name, help),
            Gauge => describe_gauge!(name, help),
            Histogram => describe_histogram!(name, help),
        }
    }
}
