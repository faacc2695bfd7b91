//! What room the places of a kind have, in a region. Those that are full are passed over at once:
//! in a large region most are full by and by. Not here: who gets it (`generate`).

/// Places of one kind, in order, each with how many more may be there.
pub(crate) struct Vacancies {
    places: Vec<(u32, u32)>,
    /// From each place a step towards the first place from there on that has room: to itself, if it
    /// has. One more than there are places: behind the last.
    next: Vec<u32>,
}

impl Vacancies {
    /// Of places in ascending order, each with its room.
    pub(crate) fn new(places: Vec<(u32, u32)>) -> Self {
        let step = |(at, (_, left)): (usize, &(u32, u32))| at as u32 + u32::from(*left == 0);
        let mut next: Vec<u32> = places.iter().enumerate().map(step).collect();
        next.push(places.len() as u32);
        Self { places, next }
    }

    /// How many places there are, with room or not.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// The places, each with its room.
    pub(crate) fn list(&self) -> &[(u32, u32)] {
        &self.places
    }

    /// How many more may be at all of them.
    pub(crate) fn total(&self) -> u64 {
        self.places.iter().map(|(_, left)| u64::from(*left)).sum()
    }

    /// Where in the list a place is.
    pub(crate) fn find(&self, place: u32) -> Option<usize> {
        self.places.binary_search_by_key(&place, |(of, _)| *of).ok()
    }

    /// Takes room at a place of the list. False if it is full.
    pub(crate) fn take(&mut self, at: usize) -> bool {
        let (_, left) = &mut self.places[at];
        let Some(less) = left.checked_sub(1) else { return false };
        *left = less;
        if less == 0 {
            self.next[at] = at as u32 + 1;
        }
        true
    }

    /// The first places with room from one on, and behind the last from the first on: at most so
    /// many.
    pub(crate) fn around(&mut self, begin: usize, count_max: usize) -> Vec<usize> {
        let mut found = Vec::with_capacity(count_max.min(self.len()));
        for (from, until) in [(begin, self.len()), (0, begin)] {
            let mut at = self.first_from(from);
            while at < until && found.len() < count_max {
                found.push(at);
                at = self.first_from(at + 1);
            }
        }
        found
    }

    /// The first place with room from one on; behind the last if all are full. The steps that lead
    /// there become shorter: what was passed over once is not again.
    fn first_from(&mut self, from: usize) -> usize {
        let mut at = from;
        while self.next[at] as usize != at {
            at = self.next[at] as usize;
        }
        let mut passed = from;
        while passed != at {
            passed = std::mem::replace(&mut self.next[passed], at as u32) as usize;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::{Chance, Draw};

    #[test]
    fn places_with_room_are_those_that_looking_at_each_finds() {
        let chance = Chance::new(7);
        for count in [1, 2, 5, 40] {
            let draw = |key: u64, below: u64| chance.below(Draw::Order, key, count, below);
            let left: Vec<u32> = (0..count).map(|at| draw(at, 4) as u32).collect();
            let mut model: Vec<(u32, u32)> =
                left.iter().zip(0..).map(|(left, at)| (3 * at + 1, *left)).collect();
            let mut vacancies = Vacancies::new(model.clone());
            for step in 0..4 * count {
                let begin = draw(1_000 + step, count) as usize;
                let around = (begin..begin + model.len()).map(|at| at % model.len());
                let with_room = around.filter(|at| model[*at].1 > 0);
                let wanted: Vec<usize> = with_room.take(3).collect();
                assert_eq!(vacancies.around(begin, 3), wanted, "{count} {step}");
                assert_eq!(vacancies.find(3 * begin as u32 + 1), Some(begin));
                let at = wanted.last().copied().unwrap_or(begin);
                assert_eq!(vacancies.take(at), model[at].1 > 0);
                model[at].1 = model[at].1.saturating_sub(1);
                assert_eq!(vacancies.list(), model);
            }
            assert_eq!((vacancies.total(), vacancies.find(0)), (0, None));
        }
        assert!(Vacancies::new(Vec::new()).around(0, 3).is_empty());
    }
}
