//! The director at work: at each whole game hour it looks at the story, and it takes answers. What
//! it keeps is in the store under compare-and-set, so that of several instances one proposes.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Mode;
use super::plan::{Tension, counts_from};
use super::state::{Answered, Proposal, State};
use crate::chronicler::Chronicler;
use crate::ids::Ids;
use crate::ledger::Publication;
use crate::rules::Plan;
use crate::store::{Found, Order, Search};
use worldbus_bus::WallClock;
use worldbus_service::Problem;
use worldbus_service::state::Error;
use worldbus_world::{GameTime, WallTime};

/// Where the state is kept.
const NAME: &str = "director";
/// Who accepts by the setting `auto`.
const ACTOR: &str = "director";
/// Entries that count for the tension.
const ENTRY_COUNT_MAX: usize = 2_000;
/// The clock is looked at this often.
const POLL: Duration = Duration::from_secs(1);
/// How often a change is computed again because another instance was faster.
const CONFLICT_COUNT_MAX: u32 = 16;

/// Where proposals are made and answered.
pub(crate) struct Desk {
    pub(crate) chronicler: Arc<Chronicler>,
    pub(crate) wall: Arc<dyn WallClock>,
    pub(crate) mode: Mode,
    ids: Ids,
}

/// Looks at the story at each whole game hour, until the shutdown.
pub(crate) async fn run(
    desk: Arc<Desk>,
    shutdown: CancellationToken,
) -> Result<(), std::convert::Infallible> {
    if desk.mode == Mode::Off {
        shutdown.cancelled().await;
        return Ok(());
    }
    let mut hour = None;
    loop {
        let now = desk.now();
        if let Some(now) = now.filter(|now| hour != Some(now.hours())) {
            match desk.look(now.hours()).await {
                Ok(()) => hour = Some(now.hours()),
                Err(error) => tracing::warn!(%error, "the director failed; retrying"),
            }
        }
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(()),
            () = desk.wall.sleep_until_us(desk.next_hour_us()) => {}
            // The clock may have changed meanwhile.
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

impl Desk {
    pub(crate) fn new(chronicler: Arc<Chronicler>, wall: Arc<dyn WallClock>, mode: Mode) -> Self {
        let ids = Ids::new(&chronicler.world.id, chronicler.rules.version);
        Self { chronicler, wall, mode, ids }
    }

    fn now(&self) -> Option<GameTime> {
        let clock = self.chronicler.clock.clock()?;
        Some(clock.game_at(WallTime(self.wall.now_us())))
    }

    /// The wall time of the next whole game hour, as the clock runs now.
    fn next_hour_us(&self) -> i64 {
        let now = WallTime(self.wall.now_us());
        let clock = self.chronicler.clock.clock();
        let next = clock.and_then(|clock| clock.next_boundary(now, GameTime::HOUR_US));
        next.map_or(i64::MAX, |next| next.wall.0)
    }

    fn plan(&self) -> &Plan {
        &self.chronicler.rules.director
    }

    /// How tense the story is.
    pub(crate) async fn tension(&self, now: GameTime) -> Result<Tension, Error> {
        Ok(self.plan().tension(now, &self.entries(now).await?))
    }

    async fn entries(&self, now: GameTime) -> Result<Vec<Found>, Error> {
        let search = Search {
            from_us: Some(counts_from(now)),
            to_us: Some(now.0),
            order: Order::Latest,
            limit: ENTRY_COUNT_MAX,
            ..Search::default()
        };
        Ok(self.chronicler.store.search(search).await?.found)
    }

    /// What is remembered, and its revision.
    pub(crate) async fn state(&self) -> Result<(State, u64), Error> {
        let Some(kept) = self.chronicler.store.kept(NAME).await? else {
            return Ok((State { hour: i64::MIN, ..State::default() }, 0));
        };
        // What a newer version kept is begun again; events have what came of it.
        let state = serde_json::from_str(&kept.value).unwrap_or_default();
        Ok((state, kept.revision))
    }

    /// Proposes at a whole hour what would help, once.
    pub(crate) async fn look(&self, hour: i64) -> Result<(), Error> {
        let now = GameTime::from_hours(hour);
        let tension = self.tension(now).await?;
        for _ in 0..CONFLICT_COUNT_MAX {
            let (mut state, revision) = self.state().await?;
            if state.hour == hour {
                return Ok(());
            }
            // The clock was set back: what was proposed later than now is forgotten.
            state.proposals.retain(|proposal| proposal.game_us <= now.0);
            state.hour = hour;
            let Chronicler { rules, world, .. } = &*self.chronicler;
            let proposed = self.plan().propose(now, tension, &state, (rules, world, &self.ids));
            let mut publications = Vec::new();
            if let Some(proposal) = proposed {
                publications = self.propose(&mut state, proposal);
            }
            if self.keep(&state, revision, publications).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Adds a proposal, and accepts it if the setting is `auto`.
    fn propose(&self, state: &mut State, mut proposal: Proposal) -> Vec<Publication> {
        let wall_ms = self.wall.now_us() / 1000;
        let mut publications: Vec<_> = proposal.publication(wall_ms).into_iter().collect();
        if self.mode == Mode::Auto {
            let reason =
                format!("tension {} of {}", proposal.tension_permille, proposal.target_permille);
            let game_us = proposal.game_us;
            let answered = Answered { accepted: true, actor: ACTOR.to_owned(), reason, game_us };
            publications.extend(self.answer(&mut proposal, answered, wall_ms));
        }
        state.add(proposal);
        publications
    }

    /// What an answer publishes.
    fn answer(
        &self,
        proposal: &mut Proposal,
        answered: Answered,
        wall_ms: i64,
    ) -> Vec<Publication> {
        let mut publications = vec![proposal.answer(&self.ids, &answered, wall_ms)];
        if answered.accepted {
            publications.extend(self.request(proposal, &answered, wall_ms));
        }
        proposal.answered = Some(answered);
        publications
    }

    /// The request that carries a proposal out; none if the rules have no such incident any more.
    fn request(
        &self,
        proposal: &Proposal,
        answered: &Answered,
        wall_ms: i64,
    ) -> Option<Publication> {
        let incidents = &self.plan().incidents;
        let incident = incidents.iter().find(|incident| incident.kind == proposal.kind)?;
        let Answered { actor, reason, .. } = answered;
        let reason = match reason.as_str() {
            "" => format!("proposal {}", proposal.kind),
            reason => reason.to_owned(),
        };
        let id = self.ids.named(&format!("request/{}", proposal.id));
        Some(incident.command.request(&proposal.region, (actor, &reason), id, wall_ms))
    }

    async fn keep(
        &self,
        state: &State,
        revision: u64,
        publications: Vec<Publication>,
    ) -> Result<bool, Error> {
        let value = worldbus_service::state::encode("the director's state", state)?;
        let value = String::from_utf8(value).unwrap_or_default();
        let has_news = !publications.is_empty();
        for publication in &publications {
            self.chronicler.traces.note(publication.id, worldbus_bus::trace::current());
        }
        let kept = self.chronicler.store.keep(NAME, revision, value, publications).await?;
        if kept && has_news {
            self.chronicler.notify();
        }
        Ok(kept)
    }

    /// Takes an answer.
    ///
    /// # Errors
    /// 404: no such proposal. 409: it was answered, or may no longer be.
    pub(crate) async fn take(
        &self,
        id: &str,
        accepted: bool,
        actor: String,
        reason: String,
    ) -> Result<Proposal, Problem> {
        let clock = self.chronicler.clock.known()?;
        let now = clock.game_at(WallTime(self.wall.now_us()));
        for _ in 0..CONFLICT_COUNT_MAX {
            let (mut state, revision) = self.state().await?;
            let found = state.proposals.iter_mut().find(|proposal| proposal.id == id);
            let Some(proposal) = found else {
                let shown: String = id.chars().take(40).collect();
                return Err(Problem::not_found(format!("no proposal {shown:?}")));
            };
            if let Some(answered) = &proposal.answered {
                let what = if answered.accepted { "accepted" } else { "rejected" };
                let text = format!("the proposal was {what} by {:?} already", answered.actor);
                return Err(Problem::conflict(text));
            }
            if !proposal.is_open(now) {
                return Err(Problem::conflict("the proposal is no longer open: its time is over"));
            }
            let (actor, reason) = (actor.clone(), reason.clone());
            let answered = Answered { accepted, actor, reason, game_us: now.0 };
            let publications = self.answer(proposal, answered, self.wall.now_us() / 1000);
            let taken = proposal.clone();
            if self.keep(&state, revision, publications).await? {
                return Ok(taken);
            }
        }
        Err(Problem::unavailable("others answer at the same time; try again"))
    }
}
