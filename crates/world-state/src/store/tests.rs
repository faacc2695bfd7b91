//! Both stores against the fold of what they would publish, at every version; keys, expiry, the
//! past that is kept, two instances. What one database has of its own: `sqlite`, `postgres`.

mod place;
mod postgres;
mod sqlite;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::*;
use crate::model::{Change, Fold, Op, StepParts, Value, Why};
use place::{Ground, Kind, LIMITS, Place};
use worldbus_events::prost::Message as _;
use worldbus_events::v1::WorldStateUpdated;
use worldbus_world::WallTime;

/// Each test over each database.
macro_rules! over_both {
    ($($test:ident,)*) => {
        mod over_sqlite {
            use super::Kind;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() { super::$test(Kind::Sqlite).await; })*
        }
        mod over_postgres {
            use super::Kind;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() { super::$test(Kind::Postgres).await; })*
        }
    };
}

over_both! {
    same_key_has_the_first_answer_and_another_command_under_it_is_refused,
    same_key_has_its_answer_also_when_what_it_set_has_expired,
    step_that_changes_nothing_makes_no_version_where_that_is_asked_for_but_keeps_its_key,
    steps_made_together_follow_each_other_and_one_that_is_refused_leaves_the_others,
    steps_of_many_callers_are_all_made_and_each_has_a_version_of_its_own,
    what_expires_is_removed_by_a_step_of_its_own_unless_it_was_set_again,
    past_beyond_its_limit_goes_once_it_was_published_and_reads_of_it_are_refused,
    latest_step_at_a_game_time_counts_also_if_the_clock_was_set_back,
    list_is_paged_in_order_by_prefix_and_condition,
    state_and_its_publisher_survive_reopening,
    two_stores_over_one_database_never_fork_it,
}

fn moment(game_minutes: i64) -> Moment {
    let game = Some(GameTime::from_minutes(game_minutes));
    Moment { wall: WallTime(game_minutes * 1_000_000), game, trace: None }
}

fn parts(changes: Vec<Change>) -> StepParts {
    StepParts { changes, ..StepParts::default() }
}

fn set(entity: &str, field: &str, value: serde_json::Value) -> Change {
    let op = Op::Set(field.parse().unwrap(), Value::new(&value).unwrap());
    Change { entity: entity.parse().unwrap(), op, if_version: None }
}

fn remove(entity: &str) -> Change {
    Change { entity: entity.parse().unwrap(), op: Op::Remove(None), if_version: None }
}

fn text(entity: &Entity) -> BTreeMap<String, String> {
    let fields = entity.fields.iter();
    fields.map(|(field, value)| (field.clone(), value.as_str().to_owned())).collect()
}

/// Steps of a few entities, a few fields each, removals among them.
fn some_steps() -> impl Strategy<Value = Vec<Vec<Change>>> {
    let change = (0_u8..4, 0_u8..4, 0_u8..3, -5_i64..5).prop_map(|(op, entity, field, number)| {
        let field = || format!("f{field}").parse().unwrap();
        let value = || Value::new(&json!(number)).unwrap();
        let op = match op {
            0 => Op::Set(field(), value()),
            1 => Op::Increment(field(), value()),
            2 => Op::Remove(Some(field())),
            _ => Op::Remove(None),
        };
        Change { entity: format!("e/{entity}").parse().unwrap(), op, if_version: None }
    });
    prop::collection::vec(prop::collection::vec(change, 1..6), 1..16)
}

/// The steps come at once, so that several share a transaction.
fn is_the_fold(kind: Kind) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (ground, cases) = (Ground::new(kind), Cell::new(0));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(24));
    let ran = runner.run(&some_steps(), |steps| {
        cases.set(cases.get() + 1);
        let name = format!("case_{}", cases.get());
        runtime.block_on(async {
            let place = Place::on(Arc::clone(&ground), &name, LIMITS).await;
            let taken = steps.into_iter().map(|changes| place.take(parts(changes)));
            for made in futures_util::future::join_all(taken).await {
                made.unwrap();
            }
            every_version_is_the_fold(&place).await;
        });
        Ok(())
    });
    ran.unwrap();
}

#[test]
fn state_at_every_version_is_the_fold_of_the_events_up_to_it() {
    is_the_fold(Kind::Sqlite);
}

#[test]
fn state_in_postgresql_at_every_version_is_the_fold_of_the_events_up_to_it() {
    is_the_fold(Kind::Postgres);
}

async fn every_version_is_the_fold(place: &Place) {
    let mut fold = Fold::default();
    let mut versions = BTreeMap::<String, u64>::new();
    for kept in place.store.steps(0, 1_000).await.unwrap() {
        let event = WorldStateUpdated::decode(kept.event.as_slice()).unwrap();
        let before = fold.entities.clone();
        for entity in fold.apply(&event).unwrap() {
            if before.contains_key(&entity) || fold.entities.contains_key(&entity) {
                *versions.entry(entity).or_default() += 1;
            }
        }
        let state = place.all(fold.version).await;
        let fields: BTreeMap<_, _> =
            state.iter().map(|(name, entity)| (name.clone(), text(entity))).collect();
        let folded = fold.entities.iter().map(|(name, of)| (name.clone(), of.fields.clone()));
        assert_eq!(fields, folded.collect());
        for (name, entity) in &state {
            assert_eq!(entity.version, versions[name], "{name} at {}", fold.version);
            let one = place.store.entity(name, Some(fold.version)).await.unwrap();
            assert_eq!(one, (Some(entity.clone()), fold.version));
        }
    }
}

async fn same_key_has_the_first_answer_and_another_command_under_it_is_refused(kind: Kind) {
    let place = Place::new(kind).await;
    let keyed = |number: i64| StepParts {
        key: Some("k-1".to_owned()),
        ..parts(vec![set("a", "x", json!(number))])
    };
    let first = place.take(keyed(1)).await.unwrap();
    place.set("a", "x", json!(5)).await;
    let again = place.take(keyed(1)).await.unwrap();
    assert_eq!((again.version, first.repeated, again.repeated), (first.version, false, true));
    let refusal = place.refused(keyed(2)).await;
    assert_eq!((refusal.why, refusal.at.as_str()), (Why::KeyReused, "idempotency_key"));
    assert_eq!(place.store.versions().await.unwrap().world, 2);
    // An event's key is another one.
    let event = StepParts { key: None, event: Some("k-1".to_owned()), ..keyed(3) };
    assert_eq!(place.take(event).await.unwrap().version, 3);
}

async fn same_key_has_its_answer_also_when_what_it_set_has_expired(kind: Kind) {
    let place = Place::new(kind).await;
    let keyed = |key: &str| StepParts {
        key: Some(key.to_owned()),
        expires_at: Some(GameTime::from_minutes(10)),
        ..parts(vec![set("a", "x", json!(1))])
    };
    let first = place.take(keyed("k-1")).await.unwrap();
    let later = |key| place.store.commit(Step::new(keyed(key)).unwrap(), moment(11));
    let again = later("k-1").await.unwrap();
    assert_eq!((again.version, again.repeated), (first.version, true));
    let NotCommitted::Refused(refusal) = later("k-2").await.unwrap_err() else { panic!() };
    assert_eq!((refusal.why, refusal.at.as_str()), (Why::Invalid, "expires_at_game"));
}

async fn step_that_changes_nothing_makes_no_version_where_that_is_asked_for_but_keeps_its_key(
    kind: Kind,
) {
    let place = Place::new(kind).await;
    place.set("a", "x", json!(1)).await;
    let projected = |number: i64| StepParts {
        event: Some("e-1".to_owned()),
        only_if_changed: true,
        ..parts(vec![set("a", "x", json!(number))])
    };
    assert_eq!(place.take(projected(1)).await.unwrap().version, 1);
    place.set("a", "x", json!(2)).await;
    assert!(place.take(projected(1)).await.unwrap().repeated);
    assert_eq!(place.store.versions().await.unwrap().world, 2);
}

async fn steps_made_together_follow_each_other_and_one_that_is_refused_leaves_the_others(
    kind: Kind,
) {
    let place = Place::new(kind).await;
    let add = |key: &str, number: i64, if_version| {
        let op = Op::Increment("x".parse().unwrap(), Value::new(&json!(number)).unwrap());
        let change = Change { entity: "a".parse().unwrap(), op, if_version: Some(if_version) };
        let parts = StepParts { event: Some(key.to_owned()), ..parts(vec![change]) };
        (Step::new(parts).unwrap(), moment(0))
    };
    let steps = vec![add("1", 1, 0), add("2", 10, 1), add("3", 100, 7), add("4", 1_000, 2)];
    let made = |made: Vec<Result<Committed, Refusal>>| {
        let each = made.into_iter().map(|made| match made {
            Ok(made) => Ok((made.version, made.repeated)),
            Err(refusal) => Err(refusal.why),
        });
        each.collect::<Vec<_>>()
    };
    let first = made(place.store.commit_all(steps.clone()).await.unwrap());
    assert_eq!(first, [Ok((1, false)), Ok((2, false)), Err(Why::Conflict), Ok((3, false))]);
    let again = made(place.store.commit_all(steps).await.unwrap());
    assert_eq!(again, [Ok((1, true)), Ok((2, true)), Err(Why::Conflict), Ok((3, true))]);
    let (entity, version) = place.store.entity("a", None).await.unwrap();
    assert_eq!((entity.unwrap().fields["x"].as_str(), version), ("1011", 3));
    assert!(place.store.commit_all(Vec::new()).await.unwrap().is_empty());
}

async fn steps_of_many_callers_are_all_made_and_each_has_a_version_of_its_own(kind: Kind) {
    let place = Arc::new(Place::new(kind).await);
    let mut all = tokio::task::JoinSet::new();
    for caller in 0..32 {
        let place = Arc::clone(&place);
        all.spawn(async move {
            let mut versions = Vec::new();
            for _ in 0..10 {
                let op = Op::Increment("n".parse().unwrap(), Value::new(&json!(1)).unwrap());
                let entity = "count".parse().unwrap();
                let total = Change { entity, op, if_version: None };
                let own = set(&format!("caller/{caller}"), "x", json!(1));
                versions.push(place.take(parts(vec![total, own])).await.unwrap().version);
            }
            assert!(versions.is_sorted());
            versions
        });
    }
    let mut versions: Vec<_> = all.join_all().await.concat();
    versions.sort_unstable();
    assert_eq!(versions, (1..=320).collect::<Vec<_>>());
    let (count, _) = place.store.entity("count", None).await.unwrap();
    assert_eq!(text(&count.unwrap())["n"], "320");
}

async fn what_expires_is_removed_by_a_step_of_its_own_unless_it_was_set_again(kind: Kind) {
    let place = Place::new(kind).await;
    let expiring = |field: &str, minute: i64| StepParts {
        expires_at: Some(GameTime::from_minutes(minute)),
        ..parts(vec![set("a", field, json!(1))])
    };
    place.take(expiring("x", 10)).await.unwrap();
    place.take(expiring("y", 10)).await.unwrap();
    place.take(expiring("z", 20)).await.unwrap();
    place.set("a", "y", json!(2)).await;
    let next = place.store.next_expiry().await.unwrap();
    assert_eq!(next, Some(GameTime::from_minutes(10)));
    let next = place.store.expire(GameTime::from_minutes(10), moment(10)).await.unwrap();
    assert_eq!(next, Some(GameTime::from_minutes(20)));
    let (entity, version) = place.store.entity("a", None).await.unwrap();
    assert_eq!(version, 5);
    assert_eq!(entity.unwrap().fields.keys().collect::<Vec<_>>(), ["y", "z"]);
    let steps = place.store.steps(4, 10).await.unwrap();
    assert_eq!((steps[0].actor.as_str(), steps[0].reason.as_str()), ("world-state", "expired"));
    assert_eq!(place.store.expire(GameTime::from_minutes(20), moment(20)).await.unwrap(), None);
}

async fn past_beyond_its_limit_goes_once_it_was_published_and_reads_of_it_are_refused(kind: Kind) {
    let place = Place::with(kind, Limits { step_count: 5, key_count: 3, ..LIMITS }).await;
    place.set("gone", "x", json!(1)).await;
    place.take(parts(vec![remove("gone")])).await.unwrap();
    for number in 3..=20 {
        let key = Some(format!("k-{number}"));
        let parts = StepParts { key, ..parts(vec![set("a", "x", json!(number))]) };
        place.take(parts).await.unwrap();
    }
    // Nothing was published: all of it is the outbox.
    assert_eq!(place.store.versions().await.unwrap().kept_from, 0);
    assert_eq!(place.store.steps(0, 100).await.unwrap().len(), 20);
    place.store.published(20).await.unwrap();
    place.set("a", "x", json!(21)).await;
    let versions = place.store.versions().await.unwrap();
    assert_eq!((versions.world, versions.kept_from, versions.published), (21, 16, 20));
    let value = async |at| {
        let (entity, _) = place.store.entity("a", Some(at)).await.unwrap();
        text(&entity.unwrap())["x"].clone()
    };
    assert_eq!((value(16).await.as_str(), value(20).await.as_str()), ("16", "20"));
    let error = place.store.entity("a", Some(15)).await.unwrap_err();
    assert!(matches!(error, StoreError::NotKept { found: 15, kept_from: 16, latest: 21 }));
    assert!(place.store.steps(15, 10).await.is_err());
    let error = place.store.entity("a", Some(22)).await.unwrap_err();
    assert!(matches!(error, StoreError::Future { found: 22, latest: 21 }));
    let rows = |table| place.rows(table);
    assert_eq!((rows("step"), rows("history"), rows("entity"), rows("used_key")), (5, 10, 1, 3));
}

async fn latest_step_at_a_game_time_counts_also_if_the_clock_was_set_back(kind: Kind) {
    let place = Place::new(kind).await;
    for (minute, number) in [(10, 1), (20, 2), (5, 3), (15, 4)] {
        let step = Step::new(parts(vec![set("a", "x", json!(number))])).unwrap();
        place.store.commit(step, moment(minute)).await.unwrap();
    }
    let at = async |minute| place.store.version_at(GameTime::from_minutes(minute)).await.unwrap();
    assert_eq!(
        (at(4).await, at(5).await, at(12).await, at(99).await),
        (None, Some(3), Some(3), Some(4))
    );
}

async fn list_is_paged_in_order_by_prefix_and_condition(kind: Kind) {
    let place = Place::new(kind).await;
    for number in 0..25 {
        let weather = if number % 5 == 0 { "storm" } else { "clear" };
        place.set(&format!("region/r{number:02}"), "weather", json!(weather)).await;
    }
    place.set("regions", "x", json!(1)).await;
    let at = place.store.versions().await.unwrap().world;
    let mut wanted = Wanted { prefix: "region/".to_owned(), limit: 10, ..Wanted::default() };
    let mut names = Vec::new();
    loop {
        let page = place.store.list(wanted.clone(), at).await.unwrap();
        names.extend(page.entities.into_iter().map(|entity| entity.name));
        wanted.after = page.next;
        if wanted.after.is_none() {
            break;
        }
    }
    assert_eq!(names, (0..25).map(|n| format!("region/r{n:02}")).collect::<Vec<_>>());
    let value = Value::new(&json!("storm")).unwrap();
    let conditions = vec![Condition { field: "weather".to_owned(), value }];
    let page = place.store.list(Wanted { conditions, after: None, ..wanted }, at).await.unwrap();
    assert_eq!(page.entities.len(), 5);
}

async fn state_and_its_publisher_survive_reopening(kind: Kind) {
    let place = Place::new(kind).await;
    place.set("a", "x", json!(1)).await;
    let again = place.again("europe").await.unwrap();
    assert_eq!(again.producer(), place.store.producer());
    assert_eq!(again.versions().await.unwrap().world, 1);
    let other = Place::new(kind).await;
    assert_ne!(other.store.producer(), place.store.producer());
}

async fn two_stores_over_one_database_never_fork_it(kind: Kind) {
    let place = Place::new(kind).await;
    let other = place.again("europe").await.unwrap();
    for round in 0..20 {
        let store = if round % 2 == 0 { &place.store } else { &other };
        let step = Step::new(parts(vec![set("a", "x", json!(round))])).unwrap();
        assert_eq!(store.commit(step, moment(0)).await.unwrap().version, round + 1);
    }
}
