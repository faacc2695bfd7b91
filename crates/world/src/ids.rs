//! Identities of simulated events: equal on every instance, different after anything that could
//! change an event's content. Not here: UUIDs (the contract's `events`), random incarnations.

#[cfg(test)]
mod tests;

/// Raised with every change that makes any instant's weather, phase or event content different.
pub const MODEL_VERSION: u32 = 3;

const PRODUCER_ID_BITS: u32 = 58;

/// Producer id (58 bits, never 0) of the events that `service` emits at a boundary of a world:
/// FNV-1a of 128 bits over the fields, strings with their length before them, numbers little
/// endian; its halves xor-ed, mixed by SplitMix64's finaliser, cut to the low 58 bits.
pub fn producer_id(world_id: &str, service: &str, epoch: u32, override_rev: u64) -> u64 {
    producer_id_of_model(world_id, service, epoch, override_rev, MODEL_VERSION)
}

fn producer_id_of_model(world: &str, service: &str, epoch: u32, rev: u64, model: u32) -> u64 {
    let mut hash = Fnv128::default();
    for text in [world, service] {
        hash.write(&(text.len() as u64).to_le_bytes());
        hash.write(text.as_bytes());
    }
    hash.write(&epoch.to_le_bytes());
    hash.write(&rev.to_le_bytes());
    hash.write(&model.to_le_bytes());
    let mixed = mix((hash.0 >> 64) as u64 ^ hash.0 as u64);
    (mixed & ((1 << PRODUCER_ID_BITS) - 1)).max(1)
}

/// Where an event stands among those of one boundary: the rank of (event type, entity).
/// sequence = boundary x stride + slot, in wrapping u64 arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    entity_count: u64,
    type_count: u64,
}

impl Slots {
    /// For a service with `type_count` event types in a world with `entity_count` entities.
    pub fn new(type_count: usize, entity_count: usize) -> Self {
        Self { entity_count: entity_count as u64 + 1, type_count: type_count as u64 }
    }

    /// Slots of a boundary.
    pub fn stride(&self) -> u64 {
        self.type_count * self.entity_count
    }

    /// The sequence of an event: its type's rank among the service's types, ordered by number,
    /// and its entity's rank in the world, or none for the world as a whole.
    pub fn sequence(&self, boundary: i64, type_rank: usize, entity_rank: Option<usize>) -> u64 {
        let entity = entity_rank.map_or(0, |rank| rank as u64 + 1);
        debug_assert!((type_rank as u64) < self.type_count && entity < self.entity_count);
        let slot = type_rank as u64 * self.entity_count + entity;
        (boundary as u64).wrapping_mul(self.stride()).wrapping_add(slot)
    }
}

/// FNV-1a with 128 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
pub(crate) struct Fnv128(pub(crate) u128);

impl Default for Fnv128 {
    fn default() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }
}

impl Fnv128 {
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 ^= u128::from(*byte);
            self.0 = self.0.wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): chance from numbers, the same everywhere.
pub fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
