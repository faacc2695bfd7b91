//! What the steps of a transaction name, in memory: as it was read, then as the steps leave it, and
//! the rows that are written for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;

use crate::model::apply::{Facts, Head, Kept};
use crate::model::{EntityName, FieldName, Key, Op, Step};
use crate::store::make::{Made, Rows, Used};
use worldbus_world::WallTime;

/// What steps name.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    pub(super) entities: BTreeSet<&'a str>,
    pub(super) fields: BTreeSet<(&'a str, &'a str)>,
    /// Entities that are removed, with whatever fields they have.
    pub(super) removed: BTreeSet<&'a str>,
    pub(super) keys: BTreeSet<&'a str>,
}

impl<'a> Names<'a> {
    pub(super) fn of(steps: impl IntoIterator<Item = &'a Step>) -> Self {
        let mut names = Self::default();
        for step in steps {
            names.keys.extend(step.key.as_ref().map(Key::text));
            for change in &step.changes {
                let entity = change.entity.as_str();
                names.entities.insert(entity);
                match &change.op {
                    Op::Set(field, _) | Op::Increment(field, _) | Op::Remove(Some(field)) => {
                        names.fields.insert((entity, field.as_str()));
                    }
                    Op::Remove(None) => {
                        names.removed.insert(entity);
                    }
                }
            }
        }
        names
    }
}

/// What the steps name, and what they change of it.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) heads: HashMap<EntityName, Head>,
    pub(super) fields: HashMap<EntityName, BTreeMap<FieldName, Kept>>,
    pub(super) used: HashMap<String, Used>,
    pub(super) changed: Changed,
}

/// The rows to write.
#[derive(Default)]
pub(super) struct Changed {
    /// The last step of each entity.
    pub(super) entities: HashMap<EntityName, u64>,
    /// Fields that were set or removed: as the draft has them.
    pub(super) fields: BTreeSet<(EntityName, FieldName)>,
    pub(super) history: Vec<Past>,
    pub(super) steps: Vec<NewStep>,
    pub(super) keys: Vec<NewKey>,
    /// Game time, entity and field, and the step whose value is removed then.
    pub(super) expiries: BTreeMap<(i64, EntityName, FieldName), u64>,
}

/// What a field was before a step; under the empty field the entity's version.
pub(super) struct Past {
    pub(super) entity: EntityName,
    pub(super) field: Option<FieldName>,
    pub(super) step: u64,
    pub(super) value: Option<String>,
}

/// A row of a step.
pub(super) struct NewStep {
    pub(super) version: u64,
    pub(super) wall: WallTime,
    pub(super) game_us: Option<i64>,
    pub(super) actor: String,
    pub(super) reason: String,
    pub(super) entity: Option<String>,
    pub(super) trace: Option<String>,
    pub(super) event: Vec<u8>,
}

/// A row of a key.
pub(super) struct NewKey {
    pub(super) text: String,
    pub(super) used: Used,
    pub(super) wall: WallTime,
}

impl Facts for Draft {
    type Error = Infallible;

    fn head(&mut self, entity: &EntityName) -> Result<Head, Infallible> {
        Ok(self.heads.get(entity).copied().unwrap_or_default())
    }

    fn field(
        &mut self,
        entity: &EntityName,
        field: &FieldName,
    ) -> Result<Option<Kept>, Infallible> {
        Ok(self.fields.get(entity).and_then(|fields| fields.get(field)).cloned())
    }

    fn fields(&mut self, entity: &EntityName) -> Result<Vec<(FieldName, Kept)>, Infallible> {
        let fields = self.fields.get(entity).into_iter().flatten();
        Ok(fields.map(|(field, kept)| (field.clone(), kept.clone())).collect())
    }
}

impl Rows for Draft {
    fn used(&mut self, key: &Key) -> Result<Option<Used>, Infallible> {
        Ok(self.used.get(key.text()).copied())
    }

    fn write(&mut self, made: Made<'_>) -> Result<(), Infallible> {
        self.facts(&made);
        if let Some(at) = made.step.expires_at {
            for touched in &made.outcome.entities {
                for effect in touched.fields.iter().filter(|effect| effect.after.is_some()) {
                    let key = (at.0, touched.entity.clone(), effect.field.clone());
                    self.changed.expiries.insert(key, made.version);
                }
            }
        }
        let step = NewStep {
            version: made.version,
            wall: made.moment.wall,
            game_us: made.moment.game.map(|game| game.0),
            actor: made.step.by.actor.clone(),
            reason: made.step.by.reason.clone(),
            entity: made.entity().map(str::to_owned),
            trace: made.trace(),
            event: made.event,
        };
        self.changed.steps.push(step);
        Ok(())
    }

    fn note(&mut self, key: &Key, version: u64, wall: WallTime) -> Result<(), Infallible> {
        let used = Used { fingerprint: key.fingerprint(), version };
        self.used.insert(key.text().to_owned(), used);
        self.changed.keys.push(NewKey { text: key.text().to_owned(), used, wall });
        Ok(())
    }
}

impl Draft {
    /// Entities and fields as a step leaves them, and what they were before.
    fn facts(&mut self, made: &Made<'_>) {
        let step = made.version;
        for touched in made.outcome.entities.iter().filter(|touched| touched.exists()) {
            let entity = &touched.entity;
            let version = Some(touched.before.version.to_string());
            self.changed.past(entity, None, step, version);
            self.heads.insert(entity.clone(), touched.after);
            self.changed.entities.insert(entity.clone(), step);
            let fields = self.fields.entry(entity.clone()).or_default();
            for effect in &touched.fields {
                let before = effect.before.as_ref().map(|kept| kept.value.as_str().to_owned());
                match &effect.after {
                    Some(value) => {
                        let kept = Kept { value: value.clone(), since: step };
                        fields.insert(effect.field.clone(), kept);
                    }
                    None if before.is_some() => {
                        fields.remove(&effect.field);
                    }
                    None => continue,
                }
                self.changed.fields.insert((entity.clone(), effect.field.clone()));
                self.changed.past(entity, Some(&effect.field), step, before);
            }
        }
    }
}

impl Changed {
    fn past(
        &mut self,
        entity: &EntityName,
        field: Option<&FieldName>,
        step: u64,
        value: Option<String>,
    ) {
        let (entity, field) = (entity.clone(), field.cloned());
        self.history.push(Past { entity, field, step, value });
    }
}
