//! The model against one of ten lines, and what it refuses.

use std::collections::BTreeMap;
use std::convert::Infallible;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::apply::Kept;
use super::*;

/// Facts in memory.
#[derive(Debug, Default)]
struct Memory {
    entities: BTreeMap<EntityName, (u64, BTreeMap<FieldName, Kept>)>,
    version: u64,
}

impl Facts for Memory {
    type Error = Infallible;

    fn head(&mut self, entity: &EntityName) -> Result<Head, Infallible> {
        let head = |(version, fields): &(u64, BTreeMap<_, _>)| Head {
            version: *version,
            field_count: fields.len(),
        };
        Ok(self.entities.get(entity).map(head).unwrap_or_default())
    }

    fn field(
        &mut self,
        entity: &EntityName,
        field: &FieldName,
    ) -> Result<Option<Kept>, Infallible> {
        Ok(self.entities.get(entity).and_then(|(_, fields)| fields.get(field)).cloned())
    }

    fn fields(&mut self, entity: &EntityName) -> Result<Vec<(FieldName, Kept)>, Infallible> {
        let fields = self.entities.get(entity).into_iter().flat_map(|(_, fields)| fields.clone());
        Ok(fields.collect())
    }
}

impl Memory {
    fn take(&mut self, changes: Vec<Change>) -> Result<Outcome, Refusal> {
        let step = Step::new(StepParts { changes, ..StepParts::default() })?;
        let Ok(outcome) = apply(self, &step);
        let outcome = outcome?;
        self.version += 1;
        for touched in outcome.entities.iter().filter(|touched| touched.exists()) {
            let (version, fields) = self.entities.entry(touched.entity.clone()).or_default();
            *version = touched.after.version;
            for effect in &touched.fields {
                match &effect.after {
                    Some(value) => {
                        let kept = Kept { value: value.clone(), since: self.version };
                        fields.insert(effect.field.clone(), kept)
                    }
                    None => fields.remove(&effect.field),
                };
            }
            assert_eq!(fields.len(), touched.after.field_count);
        }
        Ok(outcome)
    }

    fn json(&self) -> BTreeMap<(String, String), Json> {
        let fields = self.entities.iter().flat_map(|(entity, (_, fields))| {
            fields.iter().map(move |(field, kept)| {
                let value = serde_json::from_str(kept.value.as_str()).unwrap();
                ((entity.to_string(), field.to_string()), value)
            })
        });
        fields.collect()
    }
}

fn change(entity: &str, op: Op) -> Change {
    Change { entity: entity.parse().unwrap(), op, if_version: None }
}

fn set(entity: &str, field: &str, value: &Json) -> Change {
    change(entity, Op::Set(field.parse().unwrap(), Value::new(value).unwrap()))
}

fn remove(entity: &str) -> Change {
    change(entity, Op::Remove(None))
}

fn if_version(version: u64, change: Change) -> Change {
    Change { if_version: Some(version), ..change }
}

/// Set 0, increment 1, remove a field 2, remove an entity 3.
type Wish = (u8, u8, u8, i64);

fn of_wish((kind, entity, field, number): Wish) -> Change {
    let (entity, field) = (format!("e/{entity}"), format!("f{field}"));
    let value = || Value::new(&json!(number)).unwrap();
    let field = || field.parse().unwrap();
    let op = match kind {
        0 => Op::Set(field(), value()),
        1 => Op::Increment(field(), value()),
        2 => Op::Remove(Some(field())),
        _ => Op::Remove(None),
    };
    change(&entity, op)
}

proptest! {
    #[test]
    fn steps_do_what_ten_lines_do(
        steps in prop::collection::vec(
            prop::collection::vec((0_u8..4, 0_u8..4, 0_u8..3, -5_i64..5), 1..8),
            1..20,
        )
    ) {
        let mut memory = Memory::default();
        let mut model = BTreeMap::<(String, String), Json>::new();
        for wishes in steps {
            for (kind, entity, field, number) in &wishes {
                let key = (format!("e/{entity}"), format!("f{field}"));
                match kind {
                    0 => drop(model.insert(key, json!(number))),
                    1 => {
                        let sum = model.get(&key).and_then(Json::as_i64).unwrap_or(0) + number;
                        model.insert(key, json!(sum));
                    }
                    2 => drop(model.remove(&key)),
                    _ => model.retain(|(of, _), _| *of != key.0),
                }
            }
            memory.take(wishes.into_iter().map(of_wish).collect()).unwrap();
            prop_assert_eq!(memory.json(), model.clone());
        }
    }
}

#[test]
fn version_counts_the_steps_that_touched_an_entity_and_goes_on_through_its_removal() {
    let mut memory = Memory::default();
    let version = |memory: &mut Memory| {
        let Ok(head) = memory.head(&"a".parse().unwrap());
        head.version
    };
    memory.take(vec![set("a", "x", &json!(1)), set("a", "y", &json!(2))]).unwrap();
    assert_eq!(version(&mut memory), 1);
    memory.take(vec![set("a", "x", &json!(1))]).unwrap();
    assert_eq!(version(&mut memory), 2);
    memory.take(vec![remove("a")]).unwrap();
    memory.take(vec![remove("a")]).unwrap();
    assert_eq!(version(&mut memory), 3);
    memory.take(vec![if_version(0, set("a", "x", &json!(1)))]).unwrap();
    assert_eq!(version(&mut memory), 4);
}

#[test]
fn version_that_does_not_match_refuses_the_whole_step_and_states_what_was_found() {
    let mut memory = Memory::default();
    memory.take(vec![set("a", "x", &json!(1))]).unwrap();
    for (wanted, entity, found) in
        [(2, "a", "it has version 1"), (0, "a", "it has version 1"), (1, "b", "it does not exist")]
    {
        let before = memory.json();
        let first = set("c", "x", &json!(1));
        let refusal = memory.take(vec![first, if_version(wanted, set(entity, "x", &json!(2)))]);
        let refusal = refusal.unwrap_err();
        assert_eq!((refusal.why, refusal.at.as_str()), (Why::Conflict, "changes[1].if_version"));
        assert!(refusal.detail.contains(found), "{refusal}");
        assert_eq!(memory.json(), before);
    }
    // Versions are those before the step, whatever comes first in it.
    memory.take(vec![set("a", "x", &json!(2)), if_version(1, set("a", "y", &json!(2)))]).unwrap();
}

#[test]
fn numbers_are_added_whole_as_long_as_they_are() {
    let mut memory = Memory::default();
    let add = |number: Json| {
        change("a", Op::Increment("n".parse().unwrap(), Value::new(&number).unwrap()))
    };
    let mut sums = Vec::new();
    for number in [json!(2), json!(-5), json!(0.5), json!(i64::MAX)] {
        memory.take(vec![add(number)]).unwrap();
        sums.push(memory.json()[&("a".to_owned(), "n".to_owned())].clone());
    }
    assert_eq!(sums, [json!(2), json!(-3), json!(-2.5), json!(9.223_372_036_854_776e18)]);
    // Also those beyond the largest signed one.
    memory.take(vec![set("a", "n", &json!(u64::MAX))]).unwrap();
    for (number, sum) in [(json!(0), u64::MAX), (json!(-5), u64::MAX - 5), (json!(2), u64::MAX - 3)]
    {
        memory.take(vec![add(number)]).unwrap();
        assert_eq!(memory.json()[&("a".to_owned(), "n".to_owned())], json!(sum));
    }
    memory.take(vec![set("a", "n", &json!("text"))]).unwrap();
    let refusal = memory.take(vec![add(json!(1))]).unwrap_err();
    assert_eq!(refusal.why, Why::Conflict);
    assert!(refusal.detail.contains("expected a number, found \"text\""), "{refusal}");
    memory.take(vec![set("a", "n", &json!(f64::MAX))]).unwrap();
    assert!(memory.take(vec![add(json!(f64::MAX))]).unwrap_err().detail.contains("finite"));
}

#[test]
fn names_that_are_none_are_refused_and_shown_in_short() {
    let long = "x".repeat(10 << 10);
    for text in [
        "", "/", "a/", "/a", "a//b", "..", "a/../b", "./a", "A", "a b", "ü", "commands",
        "snapshot", &long,
    ] {
        let why = text.parse::<EntityName>().unwrap_err();
        assert!(why.len() < 250, "{why}");
    }
    for text in ["", "a/b", "A", &"x".repeat(65)] {
        text.parse::<FieldName>().unwrap_err();
    }
    let longest = "x".repeat(256);
    for text in ["a", "faction/harbour-guild", "npc:7/inventory.main_1", &longest] {
        assert_eq!(text.parse::<EntityName>().unwrap().as_str(), text);
    }
    assert!(check_prefix("region/").is_ok() && check_prefix("").is_ok());
    assert!(check_prefix("/").is_err() && check_prefix("%").is_err());
}

#[test]
fn values_have_limits_of_size_and_depth() {
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    assert!(Value::new(&nested(VALUE_DEPTH_MAX)).is_ok());
    assert!(Value::new(&nested(VALUE_DEPTH_MAX + 1)).unwrap_err().contains("16"));
    assert!(Value::new(&json!("x".repeat(VALUE_BYTES_MAX - 2))).is_ok());
    assert!(Value::new(&json!("x".repeat(VALUE_BYTES_MAX - 1))).unwrap_err().contains("16384"));
    assert!(Value::parse(b"{").is_err());
    // Equal values are equal text.
    assert_eq!(Value::parse(br#"{"b":1, "a":2}"#), Value::parse(br#"{"a":2,"b":1}"#));
}

#[test]
fn steps_and_entities_have_limits() {
    let changes = |count: usize| (0..count).map(|n| set("a", &format!("f{n}"), &json!(n)));
    let mut memory = Memory::default();
    for count in [0, CHANGE_COUNT_MAX + 1] {
        let refusal = memory.take(changes(count).collect()).unwrap_err();
        assert_eq!((refusal.why, refusal.at.as_str()), (Why::Invalid, "changes"));
    }
    memory.take(changes(256).collect()).unwrap();
    memory.take((256..512).map(|n| set("a", &format!("f{n}"), &json!(n))).collect()).unwrap();
    let refusal = memory.take(vec![set("a", "more", &json!(1))]).unwrap_err();
    assert_eq!(refusal.why, Why::Limit);
    assert!(refusal.detail.contains("513 fields"), "{refusal}");
    for key in ["", "a b", &"k".repeat(KEY_BYTES_MAX + 1)] {
        let parts = StepParts { key: Some(key.to_owned()), ..parts() };
        assert_eq!(Step::new(parts).unwrap_err().at, "idempotency_key");
    }
}

#[test]
fn field_that_has_its_value_is_left_out_where_that_is_asked_for() {
    let mut memory = Memory::default();
    memory.take(vec![set("a", "x", &json!(1)), set("b", "x", &json!(1))]).unwrap();
    let changes = vec![set("a", "x", &json!(1)), set("b", "x", &json!(2))];
    let step = Step::new(StepParts { changes, only_if_changed: true, ..parts() }).unwrap();
    let Ok(outcome) = apply(&mut memory, &step);
    let entities = outcome.unwrap().entities;
    let names: Vec<_> = entities.iter().map(|touched| touched.entity.as_str()).collect();
    assert_eq!(names, ["b"]);
}

fn parts() -> StepParts {
    StepParts { changes: vec![set("a", "x", &json!(1))], ..StepParts::default() }
}
