//! Claims about checkpoints.

use super::*;
use worldbus_service::state::Sqlite;

#[tokio::test]
async fn checkpoint_moves_forward_only_and_survives_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let open = async || Arc::new(Sqlite::open(dir.path().join("state.db")).await.unwrap());
    let at = |epoch, wall_us| Checkpoint { epoch, wall_us };
    let checkpoints = Checkpoints::new(open().await, "time/europe/checkpoint".to_owned());
    assert_eq!(checkpoints.load().await.unwrap(), None);
    for (save, then) in [
        (at(0, 50), at(0, 50)),
        (at(0, 40), at(0, 50)),
        (at(1, 45), at(1, 45)),
        (at(0, 99), at(1, 45)),
    ] {
        checkpoints.save(save).await.unwrap();
        assert_eq!(checkpoints.load().await.unwrap(), Some(then));
    }
    drop(checkpoints);
    let again = Checkpoints::new(open().await, "time/europe/checkpoint".to_owned());
    assert_eq!(again.load().await.unwrap(), Some(at(1, 45)));
}

#[tokio::test]
async fn foreign_value_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn StateStore> =
        Arc::new(Sqlite::open(dir.path().join("state.db")).await.unwrap());
    store.compare_and_set("key", None, b"{}".to_vec()).await.unwrap().unwrap();
    let error = Checkpoints::new(store, "key".to_owned()).load().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Damaged);
}

#[tokio::test]
async fn progress_is_kept_each_second_and_at_a_new_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Sqlite::open(dir.path().join("state.db")).await.unwrap());
    let checkpoints = Checkpoints::new(store, "key".to_owned());
    let mut progress = Progress::load(checkpoints.clone()).await.unwrap();
    assert_eq!(progress.durable(), None);
    for (epoch, wall_us, kept) in [
        (0, 0, (0, 0)),
        (0, SAVE_US_MIN - 1, (0, 0)),
        (0, SAVE_US_MIN, (0, SAVE_US_MIN)),
        (1, SAVE_US_MIN + 1, (1, SAVE_US_MIN + 1)),
        (1, SAVE_US_MIN + 2, (1, SAVE_US_MIN + 1)),
    ] {
        progress.reach(Checkpoint { epoch, wall_us }).await;
        let kept = Checkpoint { epoch: kept.0, wall_us: kept.1 };
        assert_eq!(checkpoints.load().await.unwrap(), Some(kept));
    }
    progress.save().await;
    let again = Progress::load(checkpoints).await.unwrap();
    assert_eq!(again.durable(), progress.durable());
}
