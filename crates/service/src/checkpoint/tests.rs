//! Claims about checkpoints.

use super::*;
use crate::state::Sqlite;

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
