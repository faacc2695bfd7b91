//! Takes steps, however they are asked for: at which moment, and as what a refusal is answered. Not
//! here: the forms of REST, gRPC and events.

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;

use crate::model::{Refusal, Step, Why};
use crate::store::{Committed, Moment, NotCommitted, Store, StoreError};
use worldbus_bus::trace::{self, TraceParent};
use worldbus_bus::{Backoff, WallClock};
use worldbus_service::Problem;
use worldbus_simulated::SharedClock;
use worldbus_world::{Clock, DateTime, GameTime, WallTime, World};

/// How long a step that an event asks for waits before it is tried again.
const RETRY_DELAY_MIN: Duration = Duration::from_millis(50);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(5);

/// What every face of the service shares.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) world: Arc<World>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<SharedClock>,
    pub(crate) wall: Arc<dyn WallClock>,
}

/// A step that an event asks for, in the event's trace.
pub(crate) struct OfEvent {
    pub(crate) step: Step,
    pub(crate) trace: Option<TraceParent>,
}

impl Desk {
    /// Now.
    pub(crate) fn moment(&self) -> Moment {
        let wall = WallTime(self.wall.now_us());
        let game = self.clock.clock().map(|clock: Arc<Clock>| clock.game_at(wall));
        Moment { wall, game, trace: trace::current() }
    }

    /// Makes a step. It is durable when this returns, and published soon after.
    pub(crate) async fn take(&self, step: Step) -> Result<Committed, NotCommitted> {
        let moment = self.moment();
        let made = self.store.commit(step, moment).await;
        match &made {
            Ok(made) => count(outcome(made)),
            Err(NotCommitted::Refused(_)) => count("refused"),
            Err(NotCommitted::Store(_)) => count("failed"),
        }
        made
    }

    /// Makes steps that no caller would send again, since events ask for them, all or none, each
    /// in its trace: waits for a database that fails for now, and for the bus where too much waits
    /// for it. Each has a key, so those that were made before are not made again.
    pub(crate) async fn take_patiently(
        &self,
        steps: &[OfEvent],
    ) -> Result<Vec<Result<Committed, Refusal>>, StoreError> {
        let mut backoff = Backoff::new(RETRY_DELAY_MIN, RETRY_DELAY_MAX);
        loop {
            let moment = self.moment();
            let all = steps
                .iter()
                .map(|OfEvent { step, trace }| (step.clone(), Moment { trace: *trace, ..moment }));
            let why = match self.store.commit_all(all.collect()).await {
                Ok(made) => match made.iter().find_map(|made| waits(made)) {
                    Some(refusal) => refusal.to_string(),
                    None => {
                        made.iter()
                            .for_each(|made| count(made.as_ref().map_or("refused", outcome)));
                        return Ok(made);
                    }
                },
                Err(error) if error.may_pass() => error.to_string(),
                Err(error) => return Err(error),
            };
            let steps = steps.len();
            tracing::warn!(steps, why, "steps that events ask for wait; retrying");
            tokio::time::sleep(backoff.next()).await;
        }
    }

    /// A game time as people write it: `2024-03-01T06:00:00`, or whole game minutes since the
    /// world's epoch.
    pub(crate) fn game_time(&self, text: &str) -> Result<GameTime, String> {
        if let Ok(minutes) = text.parse() {
            return Ok(GameTime::from_minutes(minutes));
        }
        let wrong = |why: String| {
            format!(
                "expected a game time such as 2024-03-01T06:00:00 or whole game minutes since the \
                 world's epoch, found {:?}{why}",
                text.chars().take(40).collect::<String>()
            )
        };
        let date: DateTime = text.parse().map_err(|_| wrong(String::new()))?;
        let time = self.world.calendar().game_time(&date);
        time.map_err(|error| wrong(format!(": {error}")))
    }

    /// A game time as text.
    pub(crate) fn date(&self, game: GameTime) -> String {
        self.world.calendar().at(game).to_string()
    }
}

/// Why a step has to wait.
fn waits(made: &Result<Committed, Refusal>) -> Option<&Refusal> {
    made.as_ref().err().filter(|refusal| refusal.why == Why::Later)
}

fn outcome(made: &Committed) -> &'static str {
    if made.repeated { "repeated" } else { "made" }
}

fn count(outcome: &'static str) {
    counter!("worldbus_state_steps_total", "outcome" => outcome).increment(1);
}

impl From<NotCommitted> for Problem {
    fn from(error: NotCommitted) -> Self {
        match error {
            NotCommitted::Refused(refusal) => refusal.into(),
            NotCommitted::Store(error) => error.into_problem("changes"),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (detail, at) = (refusal.to_string(), refusal.at);
        let problem = match refusal.why {
            Why::Invalid | Why::KeyReused => Self::unprocessable(detail),
            Why::Conflict => Self::conflict(detail),
            Why::Limit => Self::limit_reached(detail),
            Why::Later => Self::unavailable(detail),
        };
        problem.with_field(at)
    }
}
