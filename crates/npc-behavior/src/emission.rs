//! People as events: payloads, identities. Not here: when there is one (`agenda`).

use std::sync::Arc;

use crate::NAME;
use crate::commands::{Act, Command, Spawn, Wish, directive_id};
use worldbus_bus::Outgoing;
use worldbus_events::{Event, EventId, ProducerId, v1};
use worldbus_population::{Activity, Change, Crowd, PERSON_COUNT_MAX, Population};
use worldbus_simulated::commands::Act as _;
use worldbus_world::{GameTime, Slots, WallTime, World, producer_id};

/// Ranks in the identity of events.
const ACTIVITY_RANK: usize = 0;
const CROWD_RANK: usize = 1;
const COMMAND_RANK: usize = 2;
const TYPE_RANKS: usize = COMMAND_RANK + 1;

/// An event, ready to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Emission {
    event_type: u32,
    id: EventId,
    /// The nominal wall time of its boundary.
    wall: WallTime,
    /// None: the world as a whole.
    entity: Option<String>,
    place: Option<String>,
    payload: Vec<u8>,
}

/// An instant at which the service emits, with what is in force there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(crate) epoch: u32,
    /// The boundary: a whole minute of game time.
    pub(crate) minute: i64,
    pub(crate) wall: WallTime,
    /// The revisions of the weather's overrides and of the commands on people.
    pub(crate) revs: (u64, u64),
}

/// Makes the events of one world.
#[derive(Debug)]
pub(crate) struct Events {
    world: Arc<World>,
    slots: Slots,
}

impl worldbus_simulated::Emission for Emission {
    fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            event_type: self.event_type,
            id: Some(self.id),
            timestamp_ms: Some(self.wall.0.div_euclid(1000)),
            entity: self.entity.as_deref(),
            place: self.place.as_deref(),
            payload: &self.payload,
            ..Outgoing::default()
        }
    }

    fn wall_us(&self) -> i64 {
        self.wall.0
    }
}

impl Events {
    pub(crate) fn new(world: Arc<World>) -> Self {
        // Room for all people that a world may have: more of them change no identity.
        let slots = Slots::new(TYPE_RANKS, PERSON_COUNT_MAX);
        Self { world, slots }
    }

    /// The id of an event of a rank about an entity of a rank.
    fn id(&self, at: At, rank: usize, entity: Option<usize>) -> EventId {
        // Each revision has 32 bits of the identity: a world does not see more commands.
        let rev = at.revs.0 & 0xffff_ffff | at.revs.1 << 32;
        let producer = ProducerId::from_bits(producer_id(&self.world.id, NAME, at.epoch, rev));
        EventId { producer, sequence: self.slots.sequence(at.minute, rank, entity) }
    }

    fn emission<E: Event>(
        &self,
        at: At,
        event: &E,
        id: EventId,
        (entity, place): (Option<String>, Option<String>),
    ) -> Emission {
        let (wall, payload) = (at.wall, event.encode_to_vec());
        Emission { event_type: E::NUMBER, id, wall, entity, place, payload }
    }

    /// A person does something else; `cause` is the id of the event that it follows from.
    pub(crate) fn activity(
        &self,
        (people, at): (&Population, At),
        change: &Change,
        cause: Option<EventId>,
    ) -> Emission {
        let place = |rank: usize| people.place_id(rank);
        let event = v1::NpcActivityChanged {
            activity: change.activity as i32,
            from_place: place(change.from_place),
            place: place(change.place),
            started_game_us: GameTime::from_minutes(change.minute).0,
            until_game_us: GameTime::from_minutes(change.until).0,
            cause: change.cause as i32,
            cause_event_id: cause.map(|id| id.to_string()).unwrap_or_default(),
        };
        let id = self.id(at, ACTIVITY_RANK, Some(change.person));
        self.emission(at, &event, id, self.of_person(people, change.person))
    }

    /// The people at a place are more or fewer.
    pub(crate) fn crowd(
        &self,
        (people, at): (&Population, At),
        place: usize,
        crowd: &Crowd,
    ) -> Emission {
        let of = &people.places()[place];
        let count = |(activity, count): &(Activity, u32)| v1::NpcActivityCount {
            activity: *activity as i32,
            count: *count,
        };
        let event = v1::NpcCrowdChanged {
            count: crowd.count,
            capacity: of.capacity,
            activities: crowd.by_activity.iter().map(count).collect(),
            game_us: GameTime::from_minutes(at.minute).0,
        };
        let about = (people.place_id(place), self.world.regions[of.region].id.clone());
        let id = self.id(at, CROWD_RANK, Some(place));
        self.emission(at, &event, id, (Some(about.0), Some(about.1)))
    }

    /// What a command is, and who comes or goes because it undoes another; `of` is the command that
    /// it ends or undoes, `count` how many people follow its directive.
    pub(crate) fn commanded(
        &self,
        people: &Population,
        (command, of): (&Command, Option<&Command>),
        count: usize,
    ) -> Vec<Emission> {
        let at = at_command(command);
        let id = self.command_id(command);
        let (revision, game_us) = (command.rev, command.game.0);
        let (actor, reason) = (command.actor.clone(), command.reason.clone());
        let of = of.map(|command| &command.act);
        let one = match &command.act {
            Act::Direct(wish) => {
                let event = directed(wish, command, count);
                self.emission(at, &event, id, (about(wish), None))
            }
            Act::Clear { directive } => {
                let directive_id = directive_id(*directive);
                let event =
                    v1::NpcDirectiveCleared { directive_id, revision, game_us, actor, reason };
                let target = if let Some(Act::Direct(wish)) = of { about(wish) } else { None };
                self.emission(at, &event, id, (target, None))
            }
            Act::Spawn(spawn) => return vec![self.spawned((people, command), &spawn.id, id)],
            Act::Remove { person } => return vec![self.removed((people, command), person, id)],
            Act::Undo { undone } => {
                let undone_revision = *undone;
                let event = v1::NpcCorrected { revision, undone_revision, game_us, actor, reason };
                self.emission(at, &event, id, (None, None))
            }
        };
        let id = self.id(at, COMMAND_RANK, Some(0));
        let with = match (&command.act, of) {
            (Act::Undo { .. }, Some(Act::Spawn(Spawn { id: person, .. }))) => {
                Some(self.removed((people, command), person, id))
            }
            (Act::Undo { .. }, Some(Act::Remove { person })) => {
                Some(self.spawned((people, command), person, id))
            }
            _ => None,
        };
        [one].into_iter().chain(with).collect()
    }

    fn spawned(
        &self,
        (people, command): (&Population, &Command),
        person: &str,
        id: EventId,
    ) -> Emission {
        // Only another file of the world does not have the places of someone who was added.
        let rank = people.rank(person);
        let home = rank.map(|rank| people.place_id(people.home(rank)));
        let called = rank.map(|rank| called(people, rank));
        let (name, role) = called.unwrap_or_default();
        let (entity, region) = self.of_resident(people, person);
        let event = v1::NpcSpawned {
            name,
            role,
            region_id: region.clone().unwrap_or_default(),
            home_place: home.unwrap_or_default(),
            game_us: command.game.0,
            revision: command.rev,
            actor: command.actor.clone(),
            reason: command.reason.clone(),
            undone_revision: command.act.undoes(),
        };
        self.emission(at_command(command), &event, id, (entity, region))
    }

    fn removed(
        &self,
        (people, command): (&Population, &Command),
        person: &str,
        id: EventId,
    ) -> Emission {
        let (name, role) = people.rank(person).map(|rank| called(people, rank)).unzip();
        let event = v1::NpcRemoved {
            game_us: command.game.0,
            revision: command.rev,
            actor: command.actor.clone(),
            reason: command.reason.clone(),
            name,
            role,
            undone_revision: command.act.undoes(),
        };
        let about = self.of_resident(people, person);
        self.emission(at_command(command), &event, id, about)
    }

    /// The id of a person who comes or goes, and that of its region.
    fn of_resident(&self, people: &Population, id: &str) -> (Option<String>, Option<String>) {
        let rank = people.rank(id);
        (Some(id.to_owned()), rank.and_then(|rank| self.of_person(people, rank).1))
    }

    /// A person's id, and that of its region.
    fn of_person(&self, people: &Population, rank: usize) -> (Option<String>, Option<String>) {
        let region = usize::from(people.person(rank).region);
        (Some(people.id(rank)), Some(self.world.regions[region].id.clone()))
    }

    /// The id of a command's event: it is the only one of its revision with that rank.
    pub(crate) fn command_id(&self, command: &Command) -> EventId {
        self.id(at_command(command), COMMAND_RANK, None)
    }
}

/// The name of a person, and its role's id.
fn called(people: &Population, rank: usize) -> (String, String) {
    let role = usize::from(people.person(rank).role);
    (people.name(rank), people.roles()[role].id.clone())
}

/// A command's event has an identity of its own revision alone, so that it does not depend on the
/// weather that an instance knows.
fn at_command(command: &Command) -> At {
    let minute = command.game.minutes();
    At { epoch: command.epoch, minute, wall: command.at, revs: (0, command.rev) }
}

/// What a directive is about, if that is one thing.
fn about(wish: &Wish) -> Option<String> {
    match (wish.people.as_slice(), &wish.region, &wish.role) {
        ([person], _, _) => Some(person.clone()),
        ([], Some(region), None) => Some(region.clone()),
        _ => None,
    }
}

fn directed(wish: &Wish, command: &Command, count: usize) -> v1::NpcDirectiveSet {
    let activity = wish.activity.parse::<Activity>().map_or(0, |activity| activity as i32);
    v1::NpcDirectiveSet {
        directive_id: directive_id(command.rev),
        revision: command.rev,
        person_ids: wish.people.clone(),
        role: wish.role.clone().unwrap_or_default(),
        region_id: wish.region.clone().unwrap_or_default(),
        activity,
        place: wish.place.clone().unwrap_or_default(),
        start_game_us: command.game.0,
        end_game_us: command.game.plus_us(wish.minutes * GameTime::MINUTE_US).0,
        person_count: count.min(u32::MAX as usize) as u32,
        actor: command.actor.clone(),
        reason: command.reason.clone(),
    }
}
