//! The store against the fold of what it would publish, at every version; keys, expiry, the past
//! that is kept, and disks that fail.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::json;

use super::*;
use crate::model::{Change, Fold, Op, Refusal, StepParts, Value, Why};
use crate::store::Condition;
use worldbus_events::prost::Message as _;
use worldbus_events::v1::WorldStateUpdated;
use worldbus_world::WallTime;

const LIMITS: Limits =
    Limits { step_count: 1_000_000, step_age_us: i64::MAX, key_count: 1_000, key_age_us: i64::MAX };

struct Place {
    dir: tempfile::TempDir,
    store: Sqlite,
}

impl Place {
    async fn with(limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Sqlite::open(dir.path().join("world-state.db"), "europe", limits).await;
        Self { dir, store: store.unwrap() }
    }

    async fn new() -> Self {
        Self::with(LIMITS).await
    }

    async fn take(&self, parts: StepParts) -> Result<Committed, NotCommitted> {
        self.store.commit(Step::new(parts).unwrap(), moment(0)).await
    }

    async fn set(&self, entity: &str, field: &str, value: serde_json::Value) -> u64 {
        self.take(parts(vec![set(entity, field, value)])).await.unwrap().version
    }

    async fn refused(&self, parts: StepParts) -> Refusal {
        match self.take(parts).await {
            Err(NotCommitted::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    /// All entities at a version.
    async fn all(&self, at: u64) -> BTreeMap<String, Entity> {
        let wanted = Wanted { limit: 1_000, ..Wanted::default() };
        let page = self.store.list(wanted, at).await.unwrap();
        page.entities.into_iter().map(|entity| (entity.name.clone(), entity)).collect()
    }

    fn raw(&self) -> Connection {
        Connection::open(self.dir.path().join("world-state.db")).unwrap()
    }
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

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn state_at_every_version_is_the_fold_of_the_events_up_to_it(
        steps in prop::collection::vec(
            prop::collection::vec((0_u8..4, 0_u8..4, 0_u8..3, -5_i64..5), 1..6),
            1..16,
        )
    ) {
        runtime().block_on(async {
            let place = Place::new().await;
            for wishes in steps {
                let changes = wishes.into_iter().map(|(kind, entity, field, number)| {
                    let field = || format!("f{field}").parse().unwrap();
                    let value = || Value::new(&json!(number)).unwrap();
                    let op = match kind {
                        0 => Op::Set(field(), value()),
                        1 => Op::Increment(field(), value()),
                        2 => Op::Remove(Some(field())),
                        _ => Op::Remove(None),
                    };
                    let entity = format!("e/{entity}").parse().unwrap();
                    Change { entity, op, if_version: None }
                });
                place.take(parts(changes.collect())).await.unwrap();
            }
            let mut fold = Fold::default();
            let mut versions = BTreeMap::<String, u64>::new();
            for kept in place.store.steps(0, 1_000).await.unwrap() {
                let event = WorldStateUpdated::decode(kept.event.as_slice()).unwrap();
                let before = fold.entities.clone();
                for entity in fold.apply(&event).unwrap() {
                    let exists = |of: &BTreeMap<_, _>| of.contains_key(&entity);
                    if exists(&before) || fold.entities.contains_key(&entity) {
                        *versions.entry(entity).or_default() += 1;
                    }
                }
                let state = place.all(fold.version).await;
                let fields: BTreeMap<_, _> =
                    state.iter().map(|(name, entity)| (name.clone(), text(entity))).collect();
                let folded: BTreeMap<_, _> = fold.entities.iter()
                    .map(|(name, entity)| (name.clone(), entity.fields.clone())).collect();
                assert_eq!(fields, folded);
                for (name, entity) in &state {
                    assert_eq!(entity.version, versions[name], "{name} at {}", fold.version);
                    let one = place.store.entity(name, Some(fold.version)).await.unwrap();
                    assert_eq!(one, (Some(entity.clone()), fold.version));
                }
            }
        });
    }
}

#[tokio::test]
async fn same_key_has_the_first_answer_and_another_command_under_it_is_refused() {
    let place = Place::new().await;
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

#[tokio::test]
async fn step_that_changes_nothing_makes_no_version_where_that_is_asked_for_but_keeps_its_key() {
    let place = Place::new().await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_of_many_callers_are_all_made_and_each_has_a_version_of_its_own() {
    let place = Arc::new(Place::new().await);
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

#[tokio::test]
async fn what_expires_is_removed_by_a_step_of_its_own_unless_it_was_set_again() {
    let place = Place::new().await;
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

#[tokio::test]
async fn past_beyond_its_limit_goes_once_it_was_published_and_reads_of_it_are_refused() {
    let place = Place::with(Limits { step_count: 5, key_count: 3, ..LIMITS }).await;
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
    let rows = |table: &str| -> i64 {
        let count = format!("SELECT count(*) FROM {table}");
        place.raw().query_row(&count, [], |row| row.get(0)).unwrap()
    };
    assert_eq!((rows("step"), rows("history"), rows("entity"), rows("used_key")), (5, 10, 1, 3));
}

#[tokio::test]
async fn latest_step_at_a_game_time_counts_also_if_the_clock_was_set_back() {
    let place = Place::new().await;
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

#[tokio::test]
async fn list_is_paged_in_order_by_prefix_and_condition() {
    let place = Place::new().await;
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

#[tokio::test]
async fn state_and_its_publisher_survive_reopening() {
    let place = Place::new().await;
    place.set("a", "x", json!(1)).await;
    let path = place.dir.path().join("world-state.db");
    let again = Sqlite::open(path, "europe", LIMITS).await.unwrap();
    assert_eq!(again.producer(), place.store.producer());
    assert_eq!(again.versions().await.unwrap().world, 1);
    let other = Place::new().await;
    assert_ne!(other.store.producer(), place.store.producer());
}

#[tokio::test]
async fn two_stores_over_one_file_never_fork_it() {
    let place = Place::new().await;
    let path = place.dir.path().join("world-state.db");
    let other = Sqlite::open(path, "europe", LIMITS).await.unwrap();
    for round in 0..20 {
        let store = if round % 2 == 0 { &place.store } else { &other };
        let step = Step::new(parts(vec![set("a", "x", json!(round))])).unwrap();
        assert_eq!(store.commit(step, moment(0)).await.unwrap().version, round + 1);
    }
}

#[tokio::test]
async fn file_that_another_process_holds_is_busy_and_writes_resume() {
    let place = Place::new().await;
    place.set("a", "x", json!(1)).await;
    let other = place.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = place.take(parts(vec![set("a", "x", json!(2))])).await.unwrap_err();
    let NotCommitted::Store(error) = error else { panic!("{error}") };
    assert!(error.may_pass() && error.to_string().contains("another process"), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(place.set("a", "x", json!(2)).await, 2);
}

#[tokio::test]
async fn full_disk_refuses_steps_and_loses_nothing_and_writes_resume() {
    let place = Place::new().await;
    place.set("a", "x", json!(1)).await;
    let pages = async |count| {
        let (reply, limited) = oneshot::channel();
        place.store.requests.send(Request::LimitPages(count, reply)).await.unwrap();
        drop(limited.await);
    };
    pages(30).await;
    let large = |field: &str| parts(vec![set("a", field, json!("x".repeat(16_000)))]);
    let mut made = 1;
    let error = loop {
        match place.take(large(&format!("f{made}"))).await {
            Ok(_) => made += 1,
            Err(NotCommitted::Store(error)) => break error,
            Err(error) => panic!("{error}"),
        }
        assert!(made < 100);
    };
    assert!(error.may_pass() && error.to_string().contains("disk is full"), "{error}");
    assert_eq!(place.store.versions().await.unwrap().world, made);
    pages(10_000).await;
    assert_eq!(place.take(large("more")).await.unwrap().version, made + 1);
}

#[tokio::test]
async fn files_that_are_none_of_this_world_are_refused_by_name() {
    let place = Place::new().await;
    let path = place.dir.path().join("world-state.db");
    let error = Sqlite::open(path.clone(), "asia", LIMITS).await.unwrap_err().to_string();
    assert!(error.contains("\"asia\"") && error.contains("\"europe\""), "{error}");
    place.raw().pragma_update(None, "user_version", 2).unwrap();
    let error = Sqlite::open(path, "europe", LIMITS).await.unwrap_err().to_string();
    assert!(error.contains("version 2"), "{error}");
    let theirs = place.dir.path().join("theirs.db");
    Connection::open(&theirs).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let error = Sqlite::open(theirs, "europe", LIMITS).await.unwrap_err().to_string();
    assert!(error.contains("not a world's state"), "{error}");
    let error = Sqlite::open(place.dir.path().to_owned(), "europe", LIMITS).await.unwrap_err();
    assert!(error.to_string().contains("cannot use"), "{error}");
}

#[test]
fn failed_sync_is_final_and_a_write_that_the_system_refuses_is_not() {
    let fault = |code| {
        let error = rusqlite::ffi::Error::new(code);
        fault::Fault::Sqlite(rusqlite::Error::SqliteFailure(error, None))
    };
    assert!(fault(rusqlite::ffi::SQLITE_IOERR_FSYNC).is_final());
    assert!(fault(rusqlite::ffi::SQLITE_IOERR_DIR_FSYNC).is_final());
    for code in [rusqlite::ffi::SQLITE_FULL, rusqlite::ffi::SQLITE_IOERR_WRITE] {
        assert!(!fault(code).is_final());
        assert!(fault(code).into_error(Path::new("x.db")).may_pass());
    }
}
