//! The list of checks: each a promise of the trait, as a claim, with what it needs.

mod closing;
mod dead_letters;
mod deleting;
mod filters;
mod flow;
mod lacking;
mod leases;
mod order;
mod publishing;
mod reading;
mod restarts;
mod routers;

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::engine::Engine;
use worldbus_bus::Capability;
use worldbus_bus::Capability::{
    Delete, DropDuplicates, FilterByEntity, FilterByPlace, FilterByType, LateAck, OrderPerProducer,
    Replay,
};

/// A promise of the trait and how it is checked.
pub(crate) struct Check {
    /// The promise, as a claim.
    pub(crate) name: &'static str,
    /// Without which it is not run.
    pub(crate) needs: Vec<Need>,
    pub(crate) run: fn(Arc<dyn Engine>) -> BoxFuture<'static, ()>,
}

/// What a check needs to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// The transport declares that it can do this.
    Has(Capability),
    /// It declares that it cannot.
    Lacks(Capability),
    /// The engine can be restarted.
    Restart,
    /// The engine can be given foreign bytes.
    Inject,
}

/// A check of `fn(&Arc<dyn Transport>)`, or, with `engine`, of `fn(&dyn Engine)`.
macro_rules! check {
    ($module:ident :: $name:ident) => { check!($module::$name, []) };
    ($module:ident :: $name:ident, [$($need:expr),*]) => {
        Check {
            name: stringify!($name),
            needs: vec![$(Need::from($need)),*],
            run: |engine| async move { $module::$name(&engine.transport()).await }.boxed(),
        }
    };
    (engine $module:ident :: $name:ident, [$($need:expr),*]) => {
        Check {
            name: stringify!($name),
            needs: vec![$(Need::from($need)),*],
            run: |engine| async move { $module::$name(&*engine).await }.boxed(),
        }
    };
}

/// All checks, in the order in which they are run. Each uses topics and subscriptions of its own,
/// but for the routers': their topics are those of the event types.
pub(crate) fn checks() -> Vec<Check> {
    vec![
        check!(flow::everything_arrives),
        check!(flow::every_subscription_gets_everything),
        check!(flow::a_new_subscription_begins_now),
        check!(flow::concurrent_publishers_and_consumers_lose_and_double_nothing),
        check!(flow::no_batch_is_held_by_two_at_once),
        check!(flow::a_stalled_consumer_is_bounded_and_holds_nobody_up),
        check!(flow::a_cancelled_next_loses_nothing),
        check!(leases::nacked_batches_come_again),
        check!(leases::a_nacked_batch_waits_for_its_delay),
        check!(leases::what_is_beyond_a_bound_is_refused),
        check!(leases::released_deliveries_do_not_count),
        check!(leases::an_ended_lease_is_given_away_and_lost),
        check!(leases::an_extended_lease_is_kept),
        check!(leases::a_late_ack_counts_until_the_batch_is_given_away, [LateAck]),
        check!(leases::attempts_are_bounded),
        check!(dead_letters::events_are_set_aside_once),
        check!(dead_letters::dead_letters_are_listed_newest_first),
        check!(dead_letters::a_replayed_event_goes_to_its_subscription_only),
        check!(dead_letters::a_replayed_event_is_delivered_as_any_other),
        check!(dead_letters::a_discarded_event_is_gone),
        check!(filters::filters_by_type_leave_out_batches),
        check!(filters::filters_by_entity_leave_out_batches),
        check!(filters::filters_by_place_leave_out_batches),
        check!(filters::readers_filter, [Replay]),
        check!(filters::readers_filter_by_place, [Replay]),
        check!(closing::a_subscription_waits_for_its_consumer),
        check!(closing::a_consumer_that_closes_hands_back_what_it_took_ahead),
        check!(publishing::too_large_batches_are_refused),
        check!(publishing::a_publisher_that_closes_leaves_everything_durable),
        check!(publishing::duplicates_are_dropped, [DropDuplicates, Replay]),
        check!(order::one_producer_is_heard_in_order, [OrderPerProducer]),
        check!(order::offsets_have_no_gaps, [OrderPerProducer, Replay]),
        check!(order::concurrent_publishes_keep_their_order, [OrderPerProducer, Replay]),
        check!(reading::subscriptions_begin_where_they_ask, [Replay]),
        check!(reading::the_past_is_read_again, [Replay]),
        check!(reading::readers_follow_all_topics, [Replay]),
        check!(deleting::what_is_deleted_is_gone_and_its_name_is_free, [Delete, Replay]),
        check!(routers::a_batch_published_twice_is_handled_once),
        check!(routers::a_poison_event_of_a_full_batch_is_isolated),
        check!(routers::a_replayed_event_is_handled_in_the_end),
        check!(routers::a_router_hears_of_its_entities_only),
        check!(routers::a_router_gets_events_of_its_places_only),
        check!(routers::a_router_that_ends_leaves_the_rest_to_another),
        check!(lacking::missing_order_per_producer_is_refused, [Lacks(OrderPerProducer)]),
        check!(lacking::missing_replay_is_refused, [Lacks(Replay)]),
        check!(lacking::missing_filter_by_type_is_refused, [Lacks(FilterByType)]),
        check!(lacking::missing_filter_by_entity_is_refused, [Lacks(FilterByEntity)]),
        check!(lacking::missing_filter_by_place_is_refused, [Lacks(FilterByPlace)]),
        check!(lacking::missing_drop_duplicates_is_refused, [Lacks(DropDuplicates)]),
        check!(lacking::missing_late_ack_is_refused, [Lacks(LateAck)]),
        check!(lacking::missing_delete_is_refused, [Lacks(Delete)]),
        check!(engine restarts::hostile_bytes_are_quarantined, [Need::Inject]),
        check!(engine dead_letters::a_replay_outlives_a_restart, [Need::Restart]),
        check!(engine restarts::a_restart_of_the_engine_mid_stream_loses_nothing, [Need::Restart]),
    ]
}

/// So that a need of a capability is written as the capability.
struct Lacks(Capability);

impl From<Lacks> for Need {
    fn from(Lacks(capability): Lacks) -> Self {
        Self::Lacks(capability)
    }
}

impl From<Capability> for Need {
    fn from(capability: Capability) -> Self {
        Self::Has(capability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_capability_has_a_check_that_its_absence_is_refused() {
        for capability in Capability::ALL {
            let name = format!("missing_{}_is_refused", capability.name());
            let check = checks().into_iter().find(|check| check.name == name);
            let check = check.unwrap_or_else(|| panic!("there is no check {name}"));
            assert_eq!(check.needs, [Need::Lacks(capability)]);
        }
    }

    #[test]
    fn checks_have_names_of_their_own() {
        let mut names: Vec<_> = checks().iter().map(|check| check.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
