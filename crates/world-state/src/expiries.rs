//! Removes what has expired when the world's clock reaches its time: over pauses, jumps and changes
//! of scale, and after downtime. Not here: what is removed (`store`).

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;
use crate::store::StoreError;
use worldbus_world::{GameTime, WallTime};

/// After a failure of the database it is tried again after this.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Runs until the shutdown. `clock` changes with the clock.
pub(crate) async fn run(
    desk: Desk,
    mut clock: watch::Receiver<()>,
    shutdown: CancellationToken,
) -> Result<(), StoreError> {
    let mut news = desk.store.news();
    loop {
        clock.mark_unchanged();
        news.mark_unchanged();
        let due = match step(&desk).await {
            Ok(due) => due,
            Err(error) if error.may_pass() => {
                tracing::warn!(%error, "failed to remove what has expired; retrying");
                let delay = tokio::time::sleep(RETRY_DELAY);
                if shutdown.run_until_cancelled(delay).await.is_none() {
                    return Ok(());
                }
                continue;
            }
            Err(error) => return Err(error),
        };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(()),
            changed = clock.changed() => if changed.is_err() { return Ok(()) },
            changed = news.changed() => if changed.is_err() { return Ok(()) },
            () = desk.wall.sleep_until_us(due.map_or(i64::MAX, |due| due.0)) => {}
        }
    }
}

/// Removes what is due; when to come again.
async fn step(desk: &Desk) -> Result<Option<WallTime>, StoreError> {
    let Some(clock) = desk.clock.clock() else { return Ok(None) };
    let mut next = desk.store.next_expiry().await?;
    loop {
        let now = WallTime(desk.wall.now_us());
        match next {
            Some(due) if due <= clock.game_at(now) => {
                let until = clock.game_at(now);
                next = desk.store.expire(until, desk.moment()).await?;
            }
            Some(due) => return Ok(wall_at(&clock, due, now)),
            None => return Ok(None),
        }
    }
}

/// When the clock, as it is known, reaches a game time: in the segment in force, or in a later one.
fn wall_at(clock: &worldbus_world::Clock, game: GameTime, now: WallTime) -> Option<WallTime> {
    let segments = clock.segments();
    let current = clock.segment_at(now).epoch;
    let from = segments.iter().position(|segment| segment.epoch == current)?;
    for (index, segment) in segments.iter().enumerate().skip(from) {
        let end = segments.get(index + 1).map_or(WallTime(i64::MAX), |next| next.anchor_wall);
        if let Some(wall) = segment.wall_at(game).filter(|wall| *wall < end) {
            return Some(wall);
        }
    }
    None
}
