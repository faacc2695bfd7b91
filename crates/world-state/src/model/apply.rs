//! What a step does to what is there. Everything is checked before anything is written: the
//! outcome is what to write, or why nothing is.
//!
//! ```text
//! step ──▶ drafts of the entities it names ──▶ versions checked ──▶ changes in order ──▶ outcome
//! ```
//! Versions: the world's is the count of its steps. An entity's is the count of the steps that
//! touched it, on through its removal, so that no version of it comes twice; a step that names an
//! entity touches it, also if the value stays the same.

use std::collections::HashMap;

use super::limits::FIELD_COUNT_MAX;
use super::name::{EntityName, FieldName};
use super::refusal::{Refusal, Why};
use super::step::{Change, Op, Step};
use super::value::Value;

/// An entity as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// How many steps touched it; 0: none is known.
    pub version: u64,
    /// Its fields. Without one it does not exist.
    pub field_count: usize,
}

/// What is there before the step.
pub trait Facts {
    /// How reading fails.
    type Error;

    /// An entity.
    ///
    /// # Errors
    /// Those of what keeps it.
    fn head(&mut self, entity: &EntityName) -> Result<Head, Self::Error>;

    /// A field.
    ///
    /// # Errors
    /// Those of what keeps it.
    fn field(
        &mut self,
        entity: &EntityName,
        field: &FieldName,
    ) -> Result<Option<Kept>, Self::Error>;

    /// All fields of an entity, by name.
    ///
    /// # Errors
    /// Those of what keeps it.
    fn fields(&mut self, entity: &EntityName) -> Result<Vec<(FieldName, Kept)>, Self::Error>;
}

/// A field that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its value.
    pub value: Value,
    /// The world's version that set it.
    pub since: u64,
}

/// What to write, entity by entity in the order in which the step names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The entities.
    pub entities: Vec<Touched>,
}

/// An entity that a step touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Its name.
    pub entity: EntityName,
    /// As it was.
    pub before: Head,
    /// As it is then. The same version: it is not there, before and after.
    pub after: Head,
    /// Its fields that the step names, in that order.
    pub fields: Vec<Effect>,
}

/// What becomes of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The field.
    pub field: FieldName,
    /// What it was.
    pub before: Option<Kept>,
    /// What it is then; none: removed.
    pub after: Option<Value>,
}

/// Works out a step.
///
/// # Errors
/// Within: why the step is refused. Without: those of reading `facts`.
pub fn apply<F: Facts>(facts: &mut F, step: &Step) -> Result<Result<Outcome, Refusal>, F::Error> {
    let mut drafts = Drafts::default();

    // Versions are those before the step, whatever the changes before did.
    for (index, change) in step.changes.iter().enumerate() {
        let touched = drafts.of(facts, &change.entity)?;
        if let Err(refusal) = check_version(index, change, touched.before) {
            return Ok(Err(refusal));
        }
    }

    for (index, change) in step.changes.iter().enumerate() {
        if let Err(refusal) = drafts.change(facts, index, change)? {
            return Ok(Err(refusal));
        }
    }

    Ok(drafts.finish(step.only_if_changed))
}

fn check_version(index: usize, change: &Change, head: Head) -> Result<(), Refusal> {
    let Some(wanted) = change.if_version else { return Ok(()) };
    let found = if head.field_count == 0 { 0 } else { head.version };
    if wanted == found {
        return Ok(());
    }
    let entity = &change.entity;
    let found = match found {
        0 => "it does not exist".to_owned(),
        version => format!("it has version {version}"),
    };
    let wanted = match wanted {
        0 => "that it does not exist".to_owned(),
        version => format!("version {version}"),
    };
    let detail = format!("{entity}: expected {wanted}, but {found}; nothing was done");
    Err(Refusal::of_change(Why::Conflict, index, "if_version", detail))
}

/// The entities that a step names, as far as it was worked out.
#[derive(Default)]
struct Drafts<'a> {
    touched: Vec<Touched>,
    by_entity: HashMap<&'a str, usize>,
    by_field: HashMap<(usize, FieldName), usize>,
}

impl<'a> Drafts<'a> {
    fn of<F: Facts>(
        &mut self,
        facts: &mut F,
        entity: &'a EntityName,
    ) -> Result<&mut Touched, F::Error> {
        let at = match self.by_entity.get(entity.as_str()) {
            Some(at) => *at,
            None => {
                let before = facts.head(entity)?;
                let (entity_name, fields) = (entity.clone(), Vec::new());
                self.touched.push(Touched { entity: entity_name, before, after: before, fields });
                self.by_entity.insert(entity.as_str(), self.touched.len() - 1);
                self.touched.len() - 1
            }
        };
        Ok(&mut self.touched[at])
    }

    fn change<F: Facts>(
        &mut self,
        facts: &mut F,
        index: usize,
        change: &Change,
    ) -> Result<Result<(), Refusal>, F::Error> {
        let at = self.by_entity[change.entity.as_str()];
        match &change.op {
            Op::Set(field, value) => {
                self.effect(facts, at, field)?.after = Some(value.clone());
            }
            Op::Remove(Some(field)) => self.effect(facts, at, field)?.after = None,
            Op::Remove(None) => {
                for (field, kept) in facts.fields(&change.entity)? {
                    self.known(at, field, Some(kept));
                }
                self.touched[at].fields.iter_mut().for_each(|effect| effect.after = None);
            }
            Op::Increment(field, by) => {
                let effect = self.effect(facts, at, field)?;
                match effect.after.as_ref().unwrap_or(&Value::zero()).plus(by) {
                    Ok(sum) => effect.after = Some(sum),
                    Err(error) => {
                        let detail = format!("{} of {}: {error}", field, change.entity);
                        return Ok(Err(Refusal::of_change(Why::Conflict, index, "value", detail)));
                    }
                }
            }
        }
        Ok(Ok(()))
    }

    fn effect<F: Facts>(
        &mut self,
        facts: &mut F,
        at: usize,
        field: &FieldName,
    ) -> Result<&mut Effect, F::Error> {
        if let Some(of) = self.by_field.get(&(at, field.clone())) {
            return Ok(&mut self.touched[at].fields[*of]);
        }
        let kept = match self.touched[at].before.field_count {
            0 => None,
            _ => facts.field(&self.touched[at].entity, field)?,
        };
        Ok(self.known(at, field.clone(), kept))
    }

    /// The draft of a field that was read, unless there is one.
    fn known(&mut self, at: usize, field: FieldName, before: Option<Kept>) -> &mut Effect {
        let fields = &mut self.touched[at].fields;
        let of = *self.by_field.entry((at, field.clone())).or_insert_with(|| {
            let after = before.as_ref().map(|kept| kept.value.clone());
            fields.push(Effect { field, before, after });
            fields.len() - 1
        });
        &mut fields[of]
    }

    fn finish(self, only_if_changed: bool) -> Result<Outcome, Refusal> {
        let mut entities = self.touched;
        for touched in &mut entities {
            if only_if_changed {
                touched.fields.retain(Effect::changes);
            }
            let added = touched.count(|effect| effect.before.is_none() && effect.after.is_some());
            let removed = touched.count(|effect| effect.before.is_some() && effect.after.is_none());
            let field_count = touched.before.field_count + added - removed;
            if field_count > FIELD_COUNT_MAX {
                let entity = &touched.entity;
                let detail = format!(
                    "{entity} would have {field_count} fields; at most {FIELD_COUNT_MAX} are \
                     possible"
                );
                return Err(Refusal::new(Why::Limit, "changes", detail));
            }
            let exists = touched.before.field_count > 0 || field_count > 0;
            let raised = exists && !(only_if_changed && touched.fields.is_empty());
            let version = touched.before.version + u64::from(raised);
            touched.after = Head { version, field_count };
        }
        if only_if_changed {
            entities.retain(|touched| !touched.fields.is_empty());
        }
        Ok(Outcome { entities })
    }
}

impl Touched {
    fn count(&self, is: impl Fn(&Effect) -> bool) -> usize {
        self.fields.iter().filter(|effect| is(effect)).count()
    }

    /// It is there, before or after.
    pub fn exists(&self) -> bool {
        self.before.version != self.after.version
    }
}

impl Effect {
    fn changes(&self) -> bool {
        self.before.as_ref().map(|kept| &kept.value) != self.after.as_ref()
    }
}
