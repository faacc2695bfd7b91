//! Projections: rules, as data, by which events write into the state. Each event's projections are
//! one step, made once by the event's id, and only of fields whose value changes.
//!
//! Not here: what a step does (`model`).

mod condition;
mod file;
mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::asked::Asked;
use crate::model::{Change, EntityName, FieldName, Op, Step, StepParts, Value};
use condition::Condition;
use template::Template;
use worldbus_bus::{Error, HandlerError, Message, Router, Topic};
use worldbus_events::{EventType, json};
use worldbus_service::{file as files, start};
use worldbus_simulated::EventTypes;
use worldbus_simulated::commands::By;

const BUILT_IN_NAME: &str = "worlds/projections.toml";
const BUILT_IN: &str = include_str!("../../../worlds/projections.toml");
/// Bytes of a file of projections.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Who the steps are by.
const ACTOR: &str = "projection";

/// A rule.
#[derive(Debug)]
struct Projection {
    event_type: EventType,
    entity: Template,
    fields: Vec<(FieldName, Template)>,
    remove: Vec<FieldName>,
    when: Option<Condition>,
}

/// The rules, each checked against the event type that it is on.
#[derive(Debug)]
pub(crate) struct Projections(Vec<Projection>);

/// An event as rules see it.
struct Seen<'a> {
    event_type: &'a EventType,
    entity: Option<&'a str>,
    place: Option<&'a str>,
    world: &'a str,
    payload: Json,
}

impl Projections {
    /// Those of a file, or those that are built in.
    ///
    /// # Errors
    /// `Setting`: the first mistake, with file, line and key.
    pub(crate) fn load(path: Option<&Path>, types: &EventTypes) -> Result<Self, start::Error> {
        let wrong = |why: String| {
            let expected = format!("a file of projections that fit the event types: {why}");
            start::Error::Setting { name: "state_projections", expected }
        };
        let (name, text) = match path {
            None => (BUILT_IN_NAME.to_owned(), BUILT_IN.to_owned()),
            Some(path) => {
                let name = path.display().to_string();
                let text = files::read_text(path, FILE_BYTES_MAX);
                (name.clone(), text.map_err(|error| wrong(format!("{name}: {error}")))?)
            }
        };
        let read = file::read(&name, &text, &types.current());
        read.map(Self).map_err(|error| wrong(error.to_string()))
    }
}

impl Projection {
    /// What an event writes; nothing where it lacks what the rule needs.
    fn changes(&self, seen: &Seen<'_>) -> Result<Vec<Change>, String> {
        if self.when.as_ref().is_some_and(|when| !when.holds(seen)) {
            return Ok(Vec::new());
        }
        let Some(entity) = self.entity.text(seen) else { return Ok(Vec::new()) };
        let entity: EntityName = entity.parse().map_err(|why| format!("entity: {why}"))?;
        let change = |op| Change { entity: entity.clone(), op, if_version: None };
        let mut changes = Vec::new();
        for (field, template) in &self.fields {
            let Some(json) = template.value(seen) else { continue };
            let value = Value::new(&json).map_err(|why| format!("{field}: {why}"))?;
            changes.push(change(Op::Set(field.clone(), value)));
        }
        let removals = self.remove.iter().map(|field| change(Op::Remove(Some(field.clone()))));
        changes.extend(removals);
        Ok(changes)
    }
}

/// Makes the steps of projections.
#[derive(Clone)]
pub(crate) struct Projector {
    asked: Asked,
    /// The one whose events are projected.
    world: Arc<str>,
    by_type: BTreeMap<u32, Arc<[Projection]>>,
}

impl Projector {
    pub(crate) fn new(asked: Asked, world: &str, Projections(all): Projections) -> Self {
        let mut by_type = BTreeMap::<u32, Vec<Projection>>::new();
        for projection in all {
            by_type.entry(projection.event_type.number()).or_default().push(projection);
        }
        let by_type = by_type.into_iter().map(|(number, all)| (number, all.into())).collect();
        Self { asked, world: world.into(), by_type }
    }

    /// Adds a handler for each event type that rules are on.
    pub(crate) fn on(&self, mut router: Router) -> Result<Router, Error> {
        for (number, projections) in &self.by_type {
            let topic = Topic::new(projections[0].event_type.topic())?;
            let (this, projections) = (self.clone(), Arc::clone(projections));
            router = router.on_type(*number, topic, move |message: Message| {
                let (this, projections) = (this.clone(), Arc::clone(&projections));
                async move { this.project(&projections, &message).await }
            });
        }
        Ok(router)
    }

    async fn project(
        &self,
        projections: &[Projection],
        message: &Message,
    ) -> Result<(), HandlerError> {
        // A bus may carry other worlds.
        if message.world() != &*self.world {
            return Ok(());
        }
        let event_type = &projections[0].event_type;
        let changes = changes(projections, event_type, message).map_err(HandlerError::permanent)?;
        if changes.is_empty() {
            return Ok(());
        }
        let by = By { actor: ACTOR.to_owned(), reason: event_type.name().to_owned() };
        let event = Some(message.id.to_string());
        let parts = StepParts { changes, by, event, only_if_changed: true, ..StepParts::default() };
        let step = Step::new(parts).map_err(HandlerError::permanent)?;
        self.asked.make(step, message).await
    }
}

fn changes(
    projections: &[Projection],
    event_type: &EventType,
    message: &Message,
) -> Result<Vec<Change>, String> {
    let payload = json::payload(event_type, message.payload());
    let payload = payload.and_then(|text| serde_json::from_str(&text).ok());
    let payload = payload.ok_or_else(|| format!("payload is no {}", event_type.name()))?;
    let (entity, place, world) = (message.entity(), message.place(), message.world());
    let seen = Seen { event_type, entity, place, world, payload };
    let each = projections.iter().map(|projection| projection.changes(&seen));
    Ok(each.collect::<Result<Vec<_>, _>>()?.concat())
}
