//! What the events about people mean. Not here: what is written of them.

use super::fields::{activity, hours, number};
use super::{Envelope, Observation, Observe};
use crate::grammar::Value;
use worldbus_events::{Event, v1};
use worldbus_world::World;

impl Observe for v1::NpcCrowdChanged {
    /// The entity is the place, the event's place is the region.
    fn observe(&self, envelope: &Envelope<'_>, world: &World) -> Vec<Observation> {
        let most = self.activities.iter().max_by_key(|of| of.count);
        let most = most.map_or(v1::NpcActivity::Unspecified, v1::NpcActivityCount::activity);
        let full = i64::from(self.count) * 1000 / i64::from(self.capacity.max(1));
        let observed = Observation::new(Self::NAME, envelope)
            .at(self.game_us)
            .in_region(world, envelope.place.unwrap_or_default())
            .with("count", number(self.count))
            .with("capacity", number(self.capacity))
            .with("full_permille", number(full))
            .with("activity", activity(most));
        vec![observed]
    }
}

impl Observe for v1::NpcDirectiveSet {
    fn observe(&self, envelope: &Envelope<'_>, world: &World) -> Vec<Observation> {
        let observed = Observation::new(Self::NAME, envelope)
            .at(self.start_game_us)
            .in_region(world, &self.region_id)
            .with("activity", activity(self.activity()))
            .with("place", Value::name(&self.place))
            .with("role", Value::name(&self.role))
            .with("person_count", number(self.person_count))
            .with("hours", hours(self.start_game_us, self.end_game_us))
            .with("actor", Value::name(&self.actor))
            .with("reason", Value::name(&self.reason));
        vec![observed]
    }
}

impl Observe for v1::NpcSpawned {
    fn observe(&self, envelope: &Envelope<'_>, world: &World) -> Vec<Observation> {
        let observed = Observation::new(Self::NAME, envelope)
            .at(self.game_us)
            .in_region(world, &self.region_id)
            .with("name", Value::name(&self.name))
            .with("role", Value::name(&self.role))
            .with("undone", Value::Flag(self.undone_revision.is_some()))
            .with("actor", Value::name(&self.actor))
            .with("reason", Value::name(&self.reason));
        vec![observed]
    }
}

impl Observe for v1::NpcRemoved {
    fn observe(&self, envelope: &Envelope<'_>, world: &World) -> Vec<Observation> {
        let observed = Observation::new(Self::NAME, envelope)
            .at(self.game_us)
            .in_region(world, envelope.place.unwrap_or_default())
            .with("name", Value::name(self.name.as_deref().or(envelope.entity).unwrap_or_default()))
            .with("role", Value::name(self.role()))
            .with("undone", Value::Flag(self.undone_revision.is_some()))
            .with("actor", Value::name(&self.actor))
            .with("reason", Value::name(&self.reason));
        vec![observed]
    }
}
