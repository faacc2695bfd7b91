//! What room a region has for one who comes. Not here: who comes (`newcomer`).

use crate::directive::Directives;
use crate::generate::Vacancies;
use crate::model::Population;

/// What room there is in a region from a minute on.
pub(super) struct Room<'a> {
    people: &'a Population,
    region: usize,
    /// How many more may be at each of its places.
    left: Vec<u32>,
}

impl<'a> Room<'a> {
    pub(super) fn new(
        people: &'a Population,
        directives: &Directives,
        region: usize,
        minute: i64,
    ) -> Self {
        let ranks = people.places_of(region);
        let free = |place: usize| {
            let guests = directives.guests(place, minute) as u32;
            people.places()[place].capacity.saturating_sub(guests)
        };
        let mut left: Vec<u32> = ranks.clone().map(free).collect();
        for rank in people.people_of(region).filter(|rank| people.is_expected(*rank, minute)) {
            for place in people.own_places(rank) {
                let left = &mut left[place - ranks.start];
                *left = left.saturating_sub(1);
            }
        }
        Self { people, region, left }
    }

    pub(super) fn left(&self, place: usize) -> u32 {
        self.left[place - self.people.places_of(self.region).start]
    }

    /// A place of a kind with room for one who lives somewhere: the one that is named, or one near
    /// home.
    pub(super) fn take(
        &self,
        (rank, home): (usize, Option<usize>),
        kind: usize,
        named: Option<usize>,
    ) -> Option<usize> {
        if named.is_some() {
            return named.filter(|place| self.left(*place) > 0);
        }
        let places = self.people.made.of_kind(self.region, kind);
        let room: Vec<(u32, u32)> = places.map(|place| (place as u32, self.left(place))).collect();
        let home = home.or_else(|| room.first().map(|(place, _)| *place as usize))?;
        let mut room = Vacancies::new(room);
        let place = self.people.made.near_home((rank, home), kind, &mut room);
        place.map(|place| place as usize)
    }
}
