//! What decisions rest on, with what many people share kept: the slots of a role's day in a region,
//! and the weather of a region's day. Bounded: what is kept is thrown away when it is too much.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::directive::Directives;
use crate::model::Population;
use crate::routine::table::{Days, Table};
use crate::skies::{Skies, SkyChange};
use worldbus_world::WeatherState;

/// Days of roles in regions that are kept.
const TABLE_COUNT_MAX: usize = 1 << 16;
/// Days of weather of regions that are kept.
const BLOCK_COUNT_MAX: usize = 1 << 16;
/// A block of weather, in minutes.
const BLOCK_MINUTES: i64 = 1_440;
/// Blocks that are looked through for the next change of the weather, and for the last one.
const BLOCKS_AWAY_MAX: i64 = 8;

type Of<K, V> = RefCell<HashMap<K, Arc<V>>>;

/// What decisions rest on.
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) people: Arc<Population>,
    pub(super) directives: Arc<Directives>,
    pub(super) days: Days,
    skies: Arc<Skies>,
    tables: Of<(u16, u16, i64), Table>,
    blocks: Of<(u16, i64), Vec<SkyChange>>,
}

impl Inputs {
    pub(super) fn new(
        people: Arc<Population>,
        skies: Arc<Skies>,
        directives: Arc<Directives>,
    ) -> Self {
        let (tables, blocks) = (RefCell::default(), RefCell::default());
        let days = Days::of(&people.made);
        Self { people, directives, days, skies, tables, blocks }
    }

    /// Under another weather and other directives, with people who were added or removed.
    pub(super) fn change(
        &mut self,
        people: Arc<Population>,
        skies: Arc<Skies>,
        directives: Arc<Directives>,
    ) {
        if !Arc::ptr_eq(&skies, &self.skies) {
            self.blocks.borrow_mut().clear();
        }
        (self.people, self.skies, self.directives) = (people, skies, directives);
    }

    /// The slots of a person's role on a day.
    pub(super) fn table(&self, person: usize, day: i64) -> Arc<Table> {
        let person = self.people.person(person);
        let make = || self.people.made.table(person.role.into(), person.region.into(), day);
        kept(&self.tables, (person.role, person.region, day), TABLE_COUNT_MAX, make)
    }

    /// The number of the person's day that a minute is in.
    pub(super) fn day_of(&self, person: usize, minute: i64) -> i64 {
        let offset = self.people.made.day_offset(self.people.person(person).role.into());
        self.days.split(minute - offset).0
    }

    /// What the weather of a region is called at a minute, and since when: a week back at the most.
    pub(super) fn sky(&self, region: u16, minute: i64) -> SkyChange {
        let number = minute.div_euclid(BLOCK_MINUTES);
        let block = self.block(region, number);
        let begun = block.partition_point(|change| change.minute <= minute);
        let mut sky = block[begun.saturating_sub(1)];

        // A block begins with a state, which may have begun before.
        for back in 1..BLOCKS_AWAY_MAX {
            if sky.minute > (number - back + 1) * BLOCK_MINUTES {
                break;
            }
            match self.block(region, number - back).last() {
                Some(last) if last.state == sky.state => sky = *last,
                _ => break,
            }
        }
        sky
    }

    /// What the weather of a region is called at a minute.
    pub(super) fn state(&self, region: u16, minute: i64) -> WeatherState {
        let block = self.block(region, minute.div_euclid(BLOCK_MINUTES));
        let begun = block.partition_point(|change| change.minute <= minute);
        block[begun.saturating_sub(1)].state
    }

    /// The next minute after another at which the weather of a region is called otherwise; none
    /// within a week.
    pub(super) fn next_sky(&self, region: u16, after: i64) -> Option<i64> {
        let state = self.state(region, after);
        let first = after.div_euclid(BLOCK_MINUTES);
        (first..first + BLOCKS_AWAY_MAX).find_map(|number| {
            let block = self.block(region, number);
            let is_next = |change: &&SkyChange| change.minute > after && change.state != state;
            block.iter().find(is_next).map(|change| change.minute)
        })
    }

    fn block(&self, region: u16, number: i64) -> Arc<Vec<SkyChange>> {
        let from = number * BLOCK_MINUTES;
        let make = || self.skies.changes(region.into(), from, from + BLOCK_MINUTES);
        kept(&self.blocks, (region, number), BLOCK_COUNT_MAX, make)
    }
}

fn kept<K: Eq + std::hash::Hash, V>(
    of: &Of<K, V>,
    key: K,
    count_max: usize,
    make: impl FnOnce() -> V,
) -> Arc<V> {
    let mut of = of.borrow_mut();
    if let Some(known) = of.get(&key) {
        return Arc::clone(known);
    }
    if of.len() >= count_max {
        of.clear();
    }
    let value = Arc::new(make());
    of.insert(key, Arc::clone(&value));
    value
}
