//! An arc as it stands, and what texts about it know. Not here: what moves it (`ledger`).

use serde::{Deserialize, Serialize};

use crate::grammar::{Scope, Value};
use crate::observe::Observation;
use worldbus_world::GameTime;

/// An arc that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ArcState {
    /// Its identity.
    pub(crate) id: String,
    /// The kind of story.
    pub(crate) kind: String,
    /// Of what there is one of this kind at a time.
    pub(crate) key: String,
    /// Where.
    pub(crate) region: Option<String>,
    /// Its stage.
    pub(crate) stage: String,
    /// The last stage that was shown; none while it may not become a story.
    pub(crate) shown: Option<String>,
    /// How many stages were shown, and entries written.
    pub(crate) steps: u32,
    /// What its steps counted.
    pub(crate) count: i64,
    /// The most that was seen.
    pub(crate) peak: i64,
    /// What it kept.
    pub(crate) kept: String,
    /// When it began in the world.
    pub(crate) began_us: i64,
    /// When its last step was.
    pub(crate) since_us: i64,
    /// The wall time of its last step.
    pub(crate) wall_ms: i64,
    /// It is over.
    pub(crate) ended: bool,
}

/// What a text knows of an arc and the observation that moved it, or the instant of a time-out.
pub(super) struct InArc<'a> {
    pub(super) arc: &'a ArcState,
    pub(super) observation: Option<&'a Observation>,
    pub(super) game_us: i64,
}

impl Scope for InArc<'_> {
    fn value(&self, field: &str) -> Option<Value> {
        let hours = self.game_us.saturating_sub(self.arc.began_us) / GameTime::HOUR_US;
        match field {
            "arc.count" => Some(Value::Number(self.arc.count)),
            "arc.peak" => Some(Value::Number(self.arc.peak)),
            "arc.kept" => Some(Value::name(&self.arc.kept)),
            "arc.began" => Some(Value::Game(self.arc.began_us)),
            "arc.hours" => Some(Value::Number(hours)),
            "arc.days" => Some(Value::Number((hours + 12) / 24)),
            "region" => self.arc.region.clone().map(Value::Text),
            "when" => Some(Value::Game(self.game_us)),
            _ => self.observation?.value(field),
        }
    }
}

impl Scope for Observation {
    fn value(&self, field: &str) -> Option<Value> {
        Self::value(self, field)
    }
}
