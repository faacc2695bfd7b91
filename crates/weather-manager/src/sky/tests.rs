//! Claims about commands in the state store.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::time::Duration;

use super::*;
use worldbus_service::health::Readiness;
use worldbus_testkit::Place;

#[tokio::test]
async fn command_of_an_event_is_taken_once_however_often_the_event_comes() {
    let place = Place::new().await;
    let lead = Lead::new(Duration::ZERO).unwrap();
    let open = async || {
        let condition = Readiness::default().condition("clock");
        let (state, wall) = (Arc::clone(&place.state), Arc::clone(place.bus.wall()));
        Sky::open(state, &place.world, wall, lead, condition).await.unwrap()
    };
    let sky = open().await;
    let clock = Clock::new(place.world.scale, place.now(), GameTime(0));
    sky.clock.keep(*clock.last()).await.unwrap();
    let take = async |sky: &Sky, cause: Option<&str>| {
        let act = |_: GameTime, _: &Commands| Ok(Act::Clear { regions: Vec::new() });
        let taken = sky.command(&By::default(), cause, act).await.unwrap();
        (taken.commands.rev(), taken.effective)
    };
    let first = take(&sky, Some("a")).await;
    place.advance(1_000_000);
    assert_eq!(take(&sky, Some("a")).await, first);
    // By another instance, too, and after it was started again.
    assert_eq!(take(&open().await, Some("a")).await, first);
    assert_eq!(take(&sky, Some("b")).await.0, 2);
    assert_eq!([take(&sky, None).await.0, take(&sky, None).await.0], [3, 4]);
}
