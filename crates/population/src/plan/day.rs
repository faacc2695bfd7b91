//! A person's own day: the slots of its role, each moved a little. Not here: the slots themselves
//! (`routine::table`).

use std::sync::Arc;

use super::inputs::Inputs;
use crate::chance::Draw;
use crate::routine::table::Table;
use crate::routine::{LAST_CALL_MINUTES, RETURN_MINUTES, Slot};

/// How much earlier or later than others a person does everything, at the most, in minutes.
const EARLY_MINUTES_MAX: i64 = 10;

/// A person's day.
pub(super) struct Day<'a> {
    table: Arc<Table>,
    slots: &'a [Slot],
    inputs: &'a Inputs,
    person: usize,
}

impl<'a> Day<'a> {
    /// The day that a minute is in.
    pub(super) fn of(inputs: &'a Inputs, person: usize, minute: i64) -> Self {
        Self::of_number(inputs, person, inputs.day_of(person, minute))
    }

    pub(super) fn of_number(inputs: &'a Inputs, person: usize, day: i64) -> Self {
        let table = inputs.table(person, day);
        let role = usize::from(inputs.people.person(person).role);
        let slots = &inputs.people.roles()[role].routines[table.routine].slots;
        Self { table, slots, inputs, person }
    }

    /// The first minute.
    pub(super) fn begins(&self) -> i64 {
        self.table.starts[0]
    }

    /// The first minute of the next day.
    pub(super) fn end(&self) -> i64 {
        self.table.end
    }

    /// From then on one goes home, or stays there.
    pub(super) fn last_call(&self) -> i64 {
        self.end() - LAST_CALL_MINUTES
    }

    /// From when on before its beginning a directive would keep the person from home.
    pub(super) fn kept_from(&self) -> i64 {
        self.begins() - RETURN_MINUTES
    }

    /// The slot at a minute of the day, and when it ends.
    pub(super) fn slot(&self, minute: i64) -> (&'a Slot, i64) {
        let mut at = 0;
        let mut end = self.end();
        for next in 1..self.slots.len() {
            let start = self.start(next);
            if start > minute {
                end = start;
                break;
            }
            at = next;
        }
        (&self.slots[at], end)
    }

    /// The last slot.
    pub(super) fn last(&self) -> &'a Slot {
        &self.slots[self.slots.len() - 1]
    }

    /// When a slot begins for this person. No slot begins before an earlier one: of two that are
    /// moved past each other the later has no time.
    fn start(&self, slot: usize) -> i64 {
        let people = &self.inputs.people;
        let person = people.person(self.person);
        let jitter = i64::from(people.roles()[usize::from(person.role)].jitter_minutes);
        let early = people.made.chance.around(
            Draw::Jitter,
            self.person as u64,
            u64::MAX,
            EARLY_MINUTES_MAX,
        );
        let which = (self.table.day as u64).wrapping_mul(64) + slot as u64;
        let moved = people.made.chance.around(Draw::Jitter, self.person as u64, which, jitter);
        let start = self.table.starts[slot] + if jitter == 0 { 0 } else { early + moved };
        start.clamp(self.begins() + 1, self.last_call())
    }
}
