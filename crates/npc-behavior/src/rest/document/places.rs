//! The JSON document about places, which are many in a large world. Not here: those about people.

use std::ops::Range;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::share;
use worldbus_population::{Activity, Population};
use worldbus_world::World;

/// The places.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::rest) struct Places {
    #[schema(value_type = Vec<Place>)]
    places: Rows,
}

/// The places, each made when it is written: in a large world they are many.
#[derive(Debug)]
struct Rows {
    world: Arc<World>,
    people: Arc<Population>,
    /// Which ones, by rank.
    ranks: Range<usize>,
    /// How many do what at each of these.
    counts: Vec<[u32; Activity::ALL.len()]>,
}

/// A place, and who is there now.
#[derive(Debug, Serialize, ToSchema)]
struct Place<'a> {
    id: String,
    name: String,
    kind: &'a str,
    region: &'a str,
    /// How many are there; those on their way are not.
    count: u32,
    capacity: u32,
    /// 0 under the sky, 1 behind thick walls.
    roof: f64,
    #[schema(value_type = std::collections::BTreeMap<String, u32>)]
    by_activity: Counts,
}

/// How many do what, in the order of the activities' numbers; written by name, without zeros.
#[derive(Debug)]
pub(super) struct Counts(pub(super) [u32; Activity::ALL.len()]);

impl Places {
    /// Those of a region, or all.
    pub(in crate::rest) fn new(
        world: &Arc<World>,
        people: &Arc<Population>,
        region: Option<usize>,
        doing: impl Iterator<Item = (Activity, usize)>,
    ) -> Self {
        let ranks = region.map_or(0..people.places().len(), |region| people.places_of(region));
        let mut counts = vec![[0; Activity::ALL.len()]; ranks.len()];
        for (activity, place) in doing.filter(|(activity, _)| *activity != Activity::Travel) {
            counts[place - ranks.start][activity as usize - 1] += 1;
        }
        let (world, people) = (Arc::clone(world), Arc::clone(people));
        Self { places: Rows { world, people, ranks, counts } }
    }
}

impl Rows {
    fn row(&self, rank: usize) -> Place<'_> {
        let place = &self.people.places()[rank];
        let counts = self.counts[rank - self.ranks.start];
        Place {
            id: self.people.place_id(rank),
            name: self.people.place_name(rank),
            kind: &self.people.kinds()[place.kind],
            region: &self.world.regions[place.region].id,
            count: counts.iter().sum(),
            capacity: place.capacity,
            roof: share(place.roof_permille),
            by_activity: Counts(counts),
        }
    }
}

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.ranks.clone().map(|rank| self.row(rank)))
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = Activity::ALL.into_iter().map(Activity::name).zip(self.0);
        serializer.collect_map(named.filter(|(_, count)| *count > 0))
    }
}
