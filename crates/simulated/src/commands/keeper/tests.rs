//! Claims about what instances keep together: no change is lost, each shows what any wrote.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::time::Duration;

use super::*;
use worldbus_bus::ManualClock;
use worldbus_service::state::Sqlite;

/// The names of those who changed it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Names(Vec<String>);

impl Log for Names {
    fn absent() -> Result<Self, Error> {
        Ok(Self(Vec::new()))
    }

    fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let names = serde_json::from_slice(bytes);
        let damaged = |e| Error::new(Kind::Damaged, "names are damaged").caused_by(e);
        names.map(Self).map_err(damaged)
    }

    fn encode(&self) -> Result<Vec<u8>, Error> {
        worldbus_service::state::encode("names", &self.0)
    }
}

struct Ground {
    store: Arc<dyn StateStore>,
    wall: Arc<ManualClock>,
    _dir: tempfile::TempDir,
}

impl Ground {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Sqlite::open(dir.path().join("state.db")).await.unwrap());
        Self { store, wall: Arc::new(ManualClock::new(1_000_000)), _dir: dir }
    }

    async fn keeper(&self, begin: Option<&str>) -> Keeper<Names> {
        let lead = Lead::new(Duration::from_millis(200)).unwrap();
        let place = (Arc::clone(&self.store), "names".to_owned());
        let wall = Arc::clone(&self.wall) as _;
        let begin = begin.map(|name| Names(vec![name.to_owned()]));
        Keeper::open(place, wall, lead, Wake::default(), |_| Ok(begin)).await.unwrap()
    }
}

async fn add(keeper: &Keeper<Names>, name: &str) -> Changed<Names, usize> {
    let change = |names: &mut Names, _| {
        names.0.push(name.to_owned());
        Ok::<_, Error>(Some(names.0.len()))
    };
    keeper.change(change).await.unwrap()
}

#[tokio::test]
async fn changes_of_two_instances_are_all_kept_and_both_show_them() {
    let ground = Ground::new().await;
    let keepers = [ground.keeper(None).await, ground.keeper(None).await];
    let many = async |keeper: &Keeper<Names>, name: &str| {
        for _ in 0..20 {
            add(keeper, name).await;
        }
    };
    tokio::join!(many(&keepers[0], "a"), many(&keepers[1], "b"));
    for keeper in &keepers {
        keeper.read(keeper.now()).await.unwrap();
        let names = &keeper.view().log.0;
        let count = |name: &str| names.iter().filter(|known| *known == name).count();
        assert_eq!((count("a"), count("b")), (20, 20));
    }
}

#[tokio::test]
async fn first_value_is_written_once_and_found_by_the_next_instance() {
    let ground = Ground::new().await;
    for begin in ["first", "second"] {
        let keeper = ground.keeper(Some(begin)).await;
        assert_eq!(keeper.view().log.0, ["first"]);
    }
}

#[tokio::test]
async fn change_without_anything_to_do_writes_nothing() {
    let ground = Ground::new().await;
    let keeper = ground.keeper(None).await;
    let idle = |names: &mut Names, _| {
        names.0.push("unwritten".to_owned());
        Ok::<Option<()>, Error>(None)
    };
    assert!(keeper.change(idle).await.unwrap().outcome.is_none());
    assert!(ground.store.get("names").await.unwrap().is_none());
    let refuse = |_: &mut Names, _| Err::<Option<()>, _>(Error::new(Kind::TooLarge, "no"));
    assert_eq!(keeper.change(refuse).await.unwrap_err().kind(), Kind::TooLarge);
    assert!(ground.store.get("names").await.unwrap().is_none());
}

#[tokio::test]
async fn fence_rises_with_each_reading_by_half_the_lead_and_never_falls() {
    let ground = Ground::new().await;
    let keeper = ground.keeper(None).await;
    let fence = || keeper.view().fence.0;
    assert_eq!(fence(), 1_100_000);
    ground.wall.set_us(3_000_000);
    keeper.read(keeper.now()).await.unwrap();
    assert_eq!(fence(), 3_100_000);
    keeper.read(WallTime(2_000_000)).await.unwrap();
    assert_eq!(fence(), 3_100_000);
}

#[tokio::test]
async fn foreign_value_is_damage_and_stays() {
    let ground = Ground::new().await;
    ground.store.compare_and_set("names", None, b"{}".to_vec()).await.unwrap().unwrap();
    let lead = Lead::new(Duration::ZERO).unwrap();
    let place = (Arc::clone(&ground.store), "names".to_owned());
    let wall = Arc::clone(&ground.wall) as _;
    let opened = Keeper::<Names>::open(place, wall, lead, Wake::default(), |_| Ok(None)).await;
    assert_eq!(opened.unwrap_err().kind(), Kind::Damaged);
    assert_eq!(ground.store.get("names").await.unwrap().unwrap().value, b"{}");
}

#[test]
fn command_that_would_wait_for_a_wrong_clock_is_refused_with_what_to_correct() {
    let wait = |us| check_wait((WallTime(0), WallTime(us)), "the tide", "tide");
    wait(WAIT_US_MAX).unwrap();
    let problem = wait(WAIT_US_MAX + 1).unwrap_err();
    assert_eq!(problem.status, 503);
    assert!(problem.detail.starts_with("the tide is 5 s ahead"), "{}", problem.detail);
}
