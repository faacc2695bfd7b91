//! What was proposed and what came of it, as it is kept in the store. Not here: proposing (`plan`).

use serde::{Deserialize, Serialize};

use crate::ids::Ids;
use crate::ledger::Publication;
use worldbus_events::{EventId, v1};
use worldbus_world::GameTime;

/// Proposals that are kept; the oldest are forgotten.
const PROPOSAL_COUNT_MAX: usize = 200;

/// What the director remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// The last whole game hour that was looked at.
    pub(crate) hour: i64,
    /// What was proposed, in order.
    pub(crate) proposals: Vec<Proposal>,
}

/// An incident as it was proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Proposal {
    /// Its identity, and that of the event that announces it.
    pub(crate) id: String,
    /// The incident.
    pub(crate) kind: String,
    /// Where.
    pub(crate) region: String,
    /// What it would do, in words.
    pub(crate) text: String,
    /// The event type of the request that carries it out.
    pub(crate) command_type: String,
    /// The request's payload, as JSON.
    pub(crate) command: String,
    /// When it was made.
    pub(crate) game_us: i64,
    /// Until when it may be accepted.
    pub(crate) expires_us: i64,
    /// How tense the story was, and should have been.
    pub(crate) tension_permille: u16,
    pub(crate) target_permille: u16,
    /// What came of it.
    pub(crate) answered: Option<Answered>,
}

/// An answer to a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answered {
    /// Or else rejected.
    pub(crate) accepted: bool,
    /// Who.
    pub(crate) actor: String,
    /// Why.
    pub(crate) reason: String,
    /// When.
    pub(crate) game_us: i64,
}

impl State {
    /// Adds a proposal.
    pub(super) fn add(&mut self, proposal: Proposal) {
        self.proposals.push(proposal);
        if self.proposals.len() > PROPOSAL_COUNT_MAX {
            self.proposals.remove(0);
        }
    }
}

impl Proposal {
    /// Whether it may be answered at an instant.
    pub(crate) fn is_open(&self, now: GameTime) -> bool {
        self.answered.is_none() && (self.game_us..self.expires_us).contains(&now.0)
    }

    /// The event that announces it.
    pub(super) fn publication(&self, wall_ms: i64) -> Option<Publication> {
        let id: EventId = self.id.parse().ok()?;
        let event = v1::StoryProposalMade {
            proposal_id: self.id.clone(),
            kind: self.kind.clone(),
            region_id: self.region.clone(),
            text: self.text.clone(),
            command_type: self.command_type.clone(),
            command: self.command.clone().into_bytes(),
            game_us: self.game_us,
            expires_game_us: self.expires_us,
            tension_permille: u32::from(self.tension_permille),
            tension_target_permille: u32::from(self.target_permille),
        };
        let region = Some(self.region.clone());
        Some(Publication::new(&event, id, wall_ms).about(region.clone(), region))
    }

    /// The event that announces the answer.
    pub(super) fn answer(&self, ids: &Ids, answered: &Answered, wall_ms: i64) -> Publication {
        let event = v1::StoryProposalAnswered {
            proposal_id: self.id.clone(),
            accepted: answered.accepted,
            actor: answered.actor.clone(),
            reason: answered.reason.clone(),
            game_us: answered.game_us,
        };
        let region = Some(self.region.clone());
        let id = ids.named(&format!("answer/{}", self.id));
        Publication::new(&event, id, wall_ms).about(region.clone(), region)
    }
}
