//! A simulated service of a studio: the tide on the coast of each region, high and low in turn
//! every 6 h 12 min of game time. It follows the world's clock and publishes each turn once,
//! however many instances run and whichever of them is stopped.
//!
//! The whole service is what it computes (`Water`) and how it is put together ([`Tide`]); the
//! rest is the kit's. Not for: real tides.

use std::sync::Arc;

use worldbus_bus::{Bus, Outgoing, WallClock};
use worldbus_events::prost::Message as _;
use worldbus_events::v1::ClockChanged;
use worldbus_events::{Event as _, EventId, ProducerId};
use worldbus_service::start::Error;
use worldbus_service::{CancellationToken, Deps, Description, Part, Publishes, StateUse, Task};
use worldbus_simulated::follow::{Follower, IfRefused, subscribe};
use worldbus_simulated::{
    Causes, Checkpoint, Checkpoints, Emission, Emitter, Progress, Service, Setup, SharedClock,
    Simulated, Step, Ticker, Wake,
};
use worldbus_world::{Boundary, GameTime, Slots, WallTime, World, producer_id};

/// The messages of `proto/tide/v1`, made by build.rs.
#[allow(missing_docs, unreachable_pub)]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/tide.v1.rs"));
}

/// The service's name: the source of its events and its subscription.
pub const NAME: &str = "tide";
/// Game time from one turn to the next.
pub const TURN_US: i64 = 372 * GameTime::MINUTE_US;

/// Turns that are published at once.
const CHUNK_COUNT_MAX: usize = 256;
/// Days of the world's calendar that are made up for after downtime.
const CATCH_UP_DAYS_MAX: i64 = 1;

/// The service; its state is kept under `tide/{world}`.
#[derive(Debug)]
pub struct Tide;

impl Service for Tide {
    const DESCRIPTION: Description = Description {
        name: NAME,
        about: "Run the tide of a world, over an event-bus",
        help: "",
        ask: None,
        publishes: Publishes::To(v1::TideTurned::TOPIC),
        requests: &[],
        receives: &[ClockChanged::NAME],
        studio_types: false,
        state: &[StateUse::Get, StateUse::CompareAndSet],
        database: false,
        api: &["tide"],
        port: 7079,
    };

    type Settings = ();
    type Checked = ();

    fn check((): &(), _: &World) -> Result<(), Error> {
        Ok(())
    }

    async fn start(setup: Setup, (): (), (): ()) -> Result<Part, Error> {
        start(setup).await
    }
}

async fn start(Setup { deps, world, .. }: Setup) -> Result<Part, Error> {
    let Deps { bus, state, readiness, shutdown, .. } = deps;
    let (causes, wake) = (Causes::default(), Wake::default());
    let received = readiness.condition(format!("{NAME}: clock"));
    let key = format!("tide/{}/clock", world.id);
    let news = wake.subscribe();
    let clock = SharedClock::open(Arc::clone(&state), key, received, causes.clone(), wake).await?;
    let clock = Arc::new(clock);
    let wall = Arc::clone(bus.wall());
    let checkpoints = Checkpoints::new(state, format!("tide/{}/checkpoint", world.id));
    let ticker = Ticker {
        emitter: Emitter::new(&bus, NAME, &world.id, v1::TideTurned::TOPIC, &readiness)?,
        progress: Progress::load(checkpoints).await?,
        simulated: Water::new(Arc::clone(&world), Arc::clone(&clock), Arc::clone(&wall)),
        news,
        causes,
    };
    let follower = Arc::new(Follower::new(bus.clone(), &world.id, clock));
    Ok(Part::new(NAME, Default::default())
        .with_task(Task::new("tide clock", follow(bus, follower, shutdown.clone())))
        .with_task(Task::new("tide ticker", ticker.run(wall, shutdown))))
}

async fn follow(
    bus: Bus,
    clock: Arc<Follower<SharedClock>>,
    shutdown: CancellationToken,
) -> Result<(), worldbus_bus::Error> {
    let subscribed = subscribe(&bus, NAME, |router| clock.on(router), IfRefused::Fail, &shutdown);
    tokio::try_join!(subscribed, clock.follow(&shutdown))?;
    Ok(())
}

/// What the service computes.
struct Water {
    world: Arc<World>,
    clock: Arc<SharedClock>,
    wall: Arc<dyn WallClock>,
    slots: Slots,
}

/// A turn of one region's water.
struct Turn {
    id: EventId,
    wall: WallTime,
    region: String,
    payload: Vec<u8>,
}

impl Water {
    fn new(world: Arc<World>, clock: Arc<SharedClock>, wall: Arc<dyn WallClock>) -> Self {
        let slots = Slots::new(1, world.regions.len());
        Self { world, clock, wall, slots }
    }

    /// The turns of all regions at a boundary: the same on every instance, id and bytes.
    fn turns(&self, boundary: Boundary) -> impl Iterator<Item = Turn> {
        let Boundary { number, epoch, wall, .. } = boundary;
        let producer = ProducerId::from_bits(producer_id(&self.world.id, NAME, epoch, 0));
        self.world.regions.iter().enumerate().map(move |(rank, region)| {
            // Each coast has a tide of its own, spring tides every 28 turns.
            let is_high = (number + rank as i64).rem_euclid(2) == 0;
            let height = 120 + 5 * (number.rem_euclid(28) - 14).abs();
            let level_cm = if is_high { height } else { -height } as i32;
            let sequence = self.slots.sequence(number, 0, Some(rank));
            let payload = v1::TideTurned { is_high, level_cm }.encode_to_vec();
            Turn { id: EventId { producer, sequence }, wall, region: region.id.clone(), payload }
        })
    }
}

impl Simulated for Water {
    type Emission = Turn;

    async fn step(&mut self, durable: Option<Checkpoint>) -> Step<Turn> {
        let Some(clock) = self.clock.clock() else {
            return Step { events: Vec::new(), reached: None, next_us: None };
        };

        // From where everything is durable, but no more than a day back.
        let now = WallTime(self.wall.now_us());
        let reached = durable.map(|durable| (durable.epoch, WallTime(durable.wall_us)));
        let after = clock.unpublished_after(reached).min(now);
        let day_us = CATCH_UP_DAYS_MAX * self.world.calendar().day_us();
        let after = clock.last_stretch(after, now, day_us);

        // What comes until now, in chunks.
        let due: Vec<_> = clock.boundaries(after, now, TURN_US).take(CHUNK_COUNT_MAX).collect();
        let until = match due.last() {
            Some(last) if due.len() == CHUNK_COUNT_MAX => last.wall,
            _ => now.max(after),
        };
        let events = due.into_iter().flat_map(|boundary| self.turns(boundary)).collect();
        let next = clock.next_boundary(until, TURN_US).map(|boundary| boundary.wall.0);
        let reached = Checkpoint { epoch: clock.last().epoch, wall_us: until.0 };
        Step { events, reached: Some(reached), next_us: next }
    }
}

impl Emission for Turn {
    fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            event_type: v1::TideTurned::NUMBER,
            id: Some(self.id),
            timestamp_ms: Some(self.wall.0.div_euclid(1000)),
            entity: Some(&self.region),
            payload: &self.payload,
            ..Outgoing::default()
        }
    }

    fn wall_us(&self) -> i64 {
        self.wall.0
    }
}
