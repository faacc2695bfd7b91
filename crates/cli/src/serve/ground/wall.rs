//! `/readyz` says when this machine's wall clock is wrong, as far as the process can tell. Not
//! here: how the process follows it (the bus).

use std::sync::Arc;
use std::time::Duration;

use super::Ground;
use worldbus_bus::WallClock;
use worldbus_service::CancellationToken;
use worldbus_service::health::Condition;
use worldbus_service::part::Task;

/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Watches the wall clock of a process.
pub(in crate::serve) fn watch(ground: &Ground, wall: Arc<dyn WallClock>) -> Task {
    let condition = ground.readiness.condition("wall clock");
    Task::new("wall clock", look(wall, condition, ground.shutdown.clone()))
}

async fn look(
    wall: Arc<dyn WallClock>,
    condition: Condition,
    shutdown: CancellationToken,
) -> Result<(), worldbus_bus::Error> {
    loop {
        match wall.fault() {
            None => condition.met(),
            Some(fault) => condition.failed(fault),
        }
        if shutdown.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_none() {
            return Ok(());
        }
    }
}
