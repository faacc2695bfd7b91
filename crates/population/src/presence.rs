//! When someone is there. Not here: who (`newcomer`).

/// When a person is there that was added or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Presence {
    /// Before all edges.
    is_here: bool,
    /// Minutes at which it comes or goes, in order.
    edges: Vec<i64>,
}

impl Presence {
    /// Of one whom the file makes.
    pub(crate) fn always() -> Self {
        Self { is_here: true, edges: Vec::new() }
    }

    /// Of no one.
    pub(crate) fn never() -> Self {
        Self { is_here: false, edges: Vec::new() }
    }

    /// Of one who comes at a minute.
    pub(crate) fn from(minute: i64) -> Self {
        Self { is_here: false, edges: vec![minute] }
    }

    pub(crate) fn at(&self, minute: i64) -> bool {
        let passed = self.edges.partition_point(|edge| *edge <= minute);
        self.is_here != (passed % 2 == 1)
    }

    /// When it came, of one who is there at a minute; else when it comes. None: it was there
    /// always, or does not come.
    pub(crate) fn since(&self, minute: i64) -> Option<i64> {
        if self.at(minute) {
            return self.edges.iter().copied().rfind(|edge| *edge <= minute);
        }
        self.next_edge(minute)
    }

    pub(crate) fn next_edge(&self, after: i64) -> Option<i64> {
        self.edges.iter().copied().find(|edge| *edge > after)
    }

    /// From a minute on for good.
    pub(crate) fn turn(&mut self, minute: i64, here: bool) {
        self.edges.retain(|edge| *edge < minute);
        if self.at(minute) != here {
            self.edges.push(minute);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_comes_goes_and_is_there_again_and_the_last_word_counts() {
        let mut presence = Presence::from(10);
        presence.turn(20, false);
        presence.turn(30, true);
        let here: Vec<i64> = (0..40).step_by(5).filter(|minute| presence.at(*minute)).collect();
        assert_eq!(here, [10, 15, 30, 35]);
        assert_eq!((presence.next_edge(10), presence.next_edge(30)), (Some(20), None));
        let since = [5, 10, 19, 25, 35].map(|minute| presence.since(minute));
        assert_eq!(since, [Some(10), Some(10), Some(10), Some(30), Some(30)]);
        assert_eq!(Presence::always().since(7), None);
        presence.turn(15, false);
        assert!(presence.at(14) && !presence.at(15) && !presence.at(35));
        presence.turn(15, false);
        assert_eq!(presence.next_edge(15), None);
        assert!(Presence::always().at(0) && !Presence::never().at(0));
    }
}
