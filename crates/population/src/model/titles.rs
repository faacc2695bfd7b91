//! Ids and names of places, which are made when they are asked for: in a large world most of what a
//! place would take in memory. Not here: what else there is to a place (`model`).

use std::collections::HashMap;

/// Where the number stands in a name.
const NUMBER: &str = "{number}";

/// The places that one table of the file makes in one region: ranks in one run, whose ids and names
/// differ by a number from 1 on. One that is alone has none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    pub(crate) first: usize,
    pub(crate) count: usize,
    /// The id without the number.
    pub(crate) id: String,
    /// The name; `{number}` is the number, which else follows it.
    pub(crate) name: String,
}

/// The ids and names of all places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Titles {
    /// By rank.
    series: Vec<Series>,
    /// By id, those that are alone and those that are numbered: where in the list.
    alone: HashMap<String, usize>,
    numbered: HashMap<String, usize>,
}

impl Series {
    /// The id of its place of a number.
    pub(crate) fn id(&self, number: usize) -> String {
        if self.count > 1 { format!("{}-{number}", self.id) } else { self.id.clone() }
    }

    fn name(&self, number: usize) -> String {
        match self.count > 1 && !self.name.contains(NUMBER) {
            true => format!("{} {number}", self.name),
            false => self.name.replace(NUMBER, &number.to_string()),
        }
    }
}

impl Titles {
    /// Those of series that follow one another; or which of them has an id that another has, too,
    /// and that id.
    pub(crate) fn new(series: Vec<Series>) -> Result<Self, (usize, String)> {
        let mut this = Self { series, ..Self::default() };
        for (at, series) in this.series.iter().enumerate() {
            let by_id = if series.count > 1 { &mut this.numbered } else { &mut this.alone };
            if by_id.insert(series.id.clone(), at).is_some() {
                return Err((at, series.id(1)));
            }
        }
        let twice = this.alone.iter().filter_map(|(id, at)| {
            let (other, _) = this.find_numbered(id)?;
            Some((other.max(*at), id.clone()))
        });
        match twice.min() {
            Some(twice) => Err(twice),
            None => Ok(this),
        }
    }

    /// The id of a place by rank.
    pub(crate) fn id(&self, rank: usize) -> String {
        let series = self.of(rank);
        series.id(rank - series.first + 1)
    }

    /// The name of a place by rank.
    pub(crate) fn name(&self, rank: usize) -> String {
        let series = self.of(rank);
        series.name(rank - series.first + 1)
    }

    /// The rank of a place by id.
    pub(crate) fn rank(&self, id: &str) -> Option<usize> {
        if let Some(at) = self.alone.get(id) {
            return Some(self.series[*at].first);
        }
        self.find_numbered(id).map(|(_, rank)| rank)
    }

    /// Of a place that is one of several: its series and its rank.
    fn find_numbered(&self, id: &str) -> Option<(usize, usize)> {
        let (series, number) = id.rsplit_once('-')?;
        let at = *self.numbered.get(series)?;
        let series = &self.series[at];
        let number = plain_number(number)?;
        (1..=series.count).contains(&number).then(|| (at, series.first + number - 1))
    }

    fn of(&self, rank: usize) -> &Series {
        let behind = self.series.partition_point(|series| series.first <= rank);
        &self.series[behind - 1]
    }
}

/// A number as ids have it: digits, of which the first is not 0.
pub(crate) fn plain_number(text: &str) -> Option<usize> {
    let is_plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(first: usize, count: usize, id: &str, name: &str) -> Series {
        Series { first, count, id: id.to_owned(), name: name.to_owned() }
    }

    #[test]
    fn id_leads_to_the_place_that_has_it_and_to_no_other() {
        let all = vec![
            series(0, 3, "ghent-house", "House {number} of Ghent"),
            series(3, 1, "gate", "The gate"),
            series(4, 2, "gate-north", "North gate"),
            series(6, 1, "ghent-house-4", "Tower {number}"),
        ];
        let titles = Titles::new(all).unwrap();
        let ids: Vec<String> = (0..7).map(|rank| titles.id(rank)).collect();
        let wanted = ["ghent-house-1", "ghent-house-2", "ghent-house-3", "gate", "gate-north-1"];
        assert_eq!(ids[..5], wanted);
        for (rank, id) in ids.iter().enumerate() {
            assert_eq!(titles.rank(id), Some(rank), "{id}");
        }
        for id in ["ghent-house", "ghent-house-0", "ghent-house-01", "ghent-house-5", "gate-1", ""]
        {
            assert_eq!(titles.rank(id), None, "{id}");
        }
        let names: Vec<String> = [1, 3, 5, 6].map(|rank| titles.name(rank)).into();
        assert_eq!(names, ["House 2 of Ghent", "The gate", "North gate 2", "Tower 1"]);
    }

    #[test]
    fn id_that_two_places_would_have_is_refused_with_the_later_one() {
        let of = |all: [(usize, &str); 2]| {
            let mut first = 0;
            let series = all.map(|(count, id)| {
                first += count;
                series(first - count, count, id, "")
            });
            Titles::new(series.into()).map(|_| ()).map_err(|(at, id)| (at, id.to_owned()))
        };
        let twice = |id: &str| Err((1, id.to_owned()));
        assert_eq!(of([(1, "a"), (1, "a")]), twice("a"));
        assert_eq!(of([(2, "a"), (3, "a")]), twice("a-1"));
        assert_eq!(of([(2, "a"), (1, "a-2")]), twice("a-2"));
        assert_eq!(of([(1, "a-2"), (2, "a")]), twice("a-2"));
        assert_eq!(of([(2, "a"), (1, "a-3")]), Ok(()));
        assert_eq!(of([(2, "a"), (1, "a")]), Ok(()));
    }
}
