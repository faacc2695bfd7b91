//! Arcs as data: stages, the steps between them, time-outs. Not here: arcs that are open
//! (`ledger`).

use super::condition::Condition;
use super::prose::Prose;
use crate::grammar::{Chance, Phrases, Scope, Shape, Template, Value};
use worldbus_world::World;

/// A kind of story.
#[derive(Clone, Debug)]
pub(crate) struct ArcRule {
    /// Its name: `storm`.
    pub(crate) kind: String,
    /// Of what there is one at a time.
    pub(crate) per: Per,
    /// What it is called.
    pub(crate) title: Template,
    /// Its stages.
    pub(crate) stages: Vec<Stage>,
    /// What leads from one to the next; the first that fits is taken.
    pub(crate) steps: Vec<Step>,
}

/// Of what there is one arc of a kind at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Per {
    /// Of each region. An event of the whole world is one of each region.
    Region,
    /// Of each entity.
    Entity,
    /// Of the world.
    World,
}

/// Where a story is.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// Its name.
    pub(crate) name: String,
    /// Not shown and not published: what may yet become a story.
    pub(crate) hidden: bool,
    /// The arc ends with it.
    pub(crate) last: bool,
    /// Game time after which the arc ends, if nothing comes.
    pub(crate) timeout_us: Option<i64>,
    /// The stage that it ends with then.
    pub(crate) then: Option<usize>,
    /// What is written then.
    pub(crate) prose: Option<Prose>,
}

/// What leads to a stage.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// From which stages; empty: it begins the arc.
    pub(crate) from: Vec<usize>,
    /// The event type.
    pub(crate) on: String,
    /// All must hold. Those on the event alone.
    pub(crate) when: Vec<Condition>,
    /// All must hold. Those that look at the arc, after it has counted.
    pub(crate) when_arc: Vec<Condition>,
    /// To which stage.
    pub(crate) to: usize,
    /// What is added to `arc.count`.
    pub(crate) add: i64,
    /// Of which field `arc.peak` is the most.
    pub(crate) peak: Option<String>,
    /// Which field is `arc.kept` from then on.
    pub(crate) keep: Option<String>,
    /// What is written.
    pub(crate) prose: Option<Prose>,
}

/// The shape of a field of an open arc.
pub(crate) fn arc_shape(field: &str) -> Option<Shape> {
    match field {
        "arc.count" | "arc.peak" | "arc.hours" | "arc.days" => Some(Shape::Number),
        "arc.began" => Some(Shape::Game),
        "arc.kept" => Some(Shape::Text),
        _ => None,
    }
}

/// Where an arc is whose region the world does not have.
const NOWHERE: &str = "parts unknown";

/// All that a title knows.
struct Title<'a>(Option<&'a str>);

impl Scope for Title<'_> {
    fn value(&self, field: &str) -> Option<Value> {
        match field {
            "region" => Some(Value::Text(self.0.unwrap_or(NOWHERE).to_owned())),
            _ => None,
        }
    }
}

impl ArcRule {
    pub(super) fn title_of(
        &self,
        region: Option<&str>,
        phrases: &Phrases,
        world: &World,
    ) -> String {
        self.title.render(&Title(region), phrases, world, &mut Chance::new(0, 0))
    }

    /// Whether an event of this type may matter to such an arc.
    pub(crate) fn receives(&self, on: &str) -> bool {
        self.steps.iter().any(|step| step.on == on)
    }
}

impl Step {
    /// Whether an event fits it, whatever arc is open.
    pub(crate) fn fits(&self, on: &str, scope: &dyn Scope) -> bool {
        self.on == on && self.when.iter().all(|condition| condition.holds(scope))
    }
}
