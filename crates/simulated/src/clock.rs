//! The clock of a world as the instances of a service share it: the segments that the time-manager
//! announced, kept in the service's own state. Not here: receiving them (`follow`), the clock's
//! arithmetic (`world`).

use std::sync::Arc;

use tokio::sync::watch;

use crate::causes::Causes;
use crate::follow::{Follow, NotKept};
use crate::wake::Wake;
use worldbus_bus::trace::TraceParent;
use worldbus_events::v1::{ClockChanged, ClockCurve};
use worldbus_service::health::Condition;
use worldbus_service::state::{self, Error, Kind};
use worldbus_service::{Problem, StateStore};
use worldbus_world::{Clock, Curve, CurveError, GameTime, Piece, Segment, WallTime};

const WAITS: &str = "no clock was received yet: waiting for a time-manager's time.clock_changed on \
                     the bus, which comes every few seconds";

/// The clock of a world, as far as this instance knows it.
#[derive(Debug)]
pub struct SharedClock {
    store: Arc<dyn StateStore>,
    key: String,
    received: Condition,
    clock: watch::Sender<Option<Arc<Clock>>>,
    causes: Causes,
    wake: Wake,
}

impl SharedClock {
    /// Restores the clock that is kept under `key`. `received` is met once there is one; what
    /// begins with a segment is noted in `causes`; a change of the clock wakes.
    ///
    /// # Errors
    /// Those of the store; `Damaged` if the value is no clock.
    pub async fn open(
        store: Arc<dyn StateStore>,
        key: String,
        received: Condition,
        causes: Causes,
        wake: Wake,
    ) -> Result<Self, Error> {
        let clock = watch::Sender::new(None);
        let this = Self { store, key, received, clock, causes, wake };
        this.received.failed(WAITS);
        this.read().await?;
        Ok(this)
    }

    /// The clock; none until a segment was received.
    pub fn clock(&self) -> Option<Arc<Clock>> {
        self.clock.borrow().clone()
    }

    /// The clock.
    ///
    /// # Errors
    /// 503 until a segment was received.
    pub fn known(&self) -> Result<Arc<Clock>, Problem> {
        self.clock().ok_or_else(|| Problem::unavailable(WAITS))
    }

    /// Reads what other instances received.
    ///
    /// # Errors
    /// Those of the store; `Damaged` if the value is no clock.
    pub async fn read(&self) -> Result<(), Error> {
        if let Some(entry) = self.store.get(&self.key).await? {
            let clock = decode(&entry.value)?;
            if self.clock.borrow().as_deref() != Some(&clock) {
                self.show(clock);
            }
        }
        Ok(())
    }

    /// Keeps a segment; all instances see it.
    ///
    /// # Errors
    /// See [`NotKept`].
    pub async fn keep(&self, segment: Segment) -> Result<(), NotKept> {
        if self.knows(&segment) {
            return Ok(());
        }
        let mut clock = None;
        let kept = state::update(&*self.store, &self.key, |current| {
            let with = with_segment(current, segment)?;
            let bytes = state::encode("the world's clock", &with)?;
            clock = Some(with);
            Ok::<_, NotKept>(bytes)
        });
        kept.await?;
        if let Some(clock) = clock {
            tracing::info!(epoch = segment.epoch, paused = segment.paused, "clock changed");
            self.show(clock);
        }
        Ok(())
    }

    fn knows(&self, segment: &Segment) -> bool {
        let clock = self.clock.borrow();
        let Some(clock) = clock.as_deref() else { return false };
        let known = clock.segments().iter().find(|known| known.epoch == segment.epoch);
        let forgotten = clock.segments()[0].epoch > segment.epoch;
        known.map_or(forgotten, |known| known.rev >= segment.rev)
    }

    fn show(&self, clock: Clock) {
        let is_new = self.clock.send_if_modified(|shown| {
            let is_new = shown.as_ref().is_none_or(|known| is_newer(&clock, known));
            if is_new {
                *shown = Some(Arc::new(clock));
            }
            is_new
        });
        self.received.met();
        if is_new {
            self.wake.wake();
        }
    }
}

impl Follow for SharedClock {
    type Announcement = ClockChanged;

    async fn receive(
        &self,
        event: &ClockChanged,
        cause: Option<TraceParent>,
    ) -> Result<(), NotKept> {
        self.causes.note_that(event.anchor_wall_us, cause);
        let segment = segment(event).map_err(|error| NotKept::Invalid(error.to_string()))?;
        self.keep(segment).await
    }

    fn pass_over(&self, announced: &str, followed: &str) {
        if self.clock.borrow().is_none() {
            let text = format!(
                "the bus has the clock of world {announced:?} and none of {followed:?} yet; \
                 do all services have the same --world?"
            );
            self.received.failed(text);
        }
    }
}

/// Of two readings of the store, the one that was written later has more epochs.
fn is_newer(clock: &Clock, known: &Clock) -> bool {
    let differs =
        *known.last() != *clock.last() || known.segments().len() != clock.segments().len();
    differs && known.last().epoch <= clock.last().epoch
}

fn with_segment(current: Option<&[u8]>, segment: Segment) -> Result<Clock, NotKept> {
    let invalid = |error: worldbus_world::ClockError| NotKept::Invalid(error.to_string());
    let Some(bytes) = current else {
        return Clock::from_segments([segment]).map_err(invalid);
    };
    let mut clock = decode(bytes)?;
    clock.insert(segment).map_err(invalid)?;
    Ok(clock)
}

fn decode(bytes: &[u8]) -> Result<Clock, Error> {
    serde_json::from_slice(bytes).map_err(|error| {
        let text = "the clock that was received is damaged in the state store; delete it";
        Error::new(Kind::Damaged, text).caused_by(error)
    })
}

/// The segment that an announcement brings.
///
/// # Errors
/// Its curve is invalid.
pub fn segment(event: &ClockChanged) -> Result<Segment, CurveError> {
    Ok(Segment {
        epoch: event.epoch,
        anchor_wall: WallTime(event.anchor_wall_us),
        anchor_game: GameTime(event.anchor_game_us),
        num: event.scale_numerator,
        den: event.scale_denominator,
        paused: event.paused,
        rev: event.revision,
        rest: event.anchor_rest,
        curve: event.curve.as_ref().map(curve).transpose()?,
        continues: event.continues_wall_us.map(WallTime),
    })
}

fn curve(announced: &ClockCurve) -> Result<Curve, CurveError> {
    let pieces = announced.starts_us.iter().zip(&announced.slopes);
    let pieces = pieces.map(|(start, slope)| Piece { start_us: *start, slope: *slope });
    Curve::new(
        announced.cycle_us,
        announced.offset_us,
        announced.units,
        &pieces.collect::<Vec<_>>(),
    )
}
