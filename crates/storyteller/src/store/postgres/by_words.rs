//! The most significant entries that have all words of a search.
//!
//! An index of words gives its matches in no order, and of a common word there are more than can
//! be sorted. So a sample of the entries is asked first: it shows how many matches there are, and
//! down to which row the most significant of them may reach. A search of that window finds the same
//! as one of all, if it finds enough; if it does not, all are searched. The sample decides how long
//! a search takes, never what it finds.

use super::in_order::stretch;
use super::rows::{self, entries};
use super::words::{self, Window};
use crate::store::rank::CANDIDATE_COUNT_MAX;
use crate::store::stored::{self, NUMBER_BITS};
use crate::store::{Found, Search};
use worldbus_postgres::{Client, Parameters, Row};
use worldbus_service::state::Error;
use worldbus_world::ids::mix;

/// One of so many entries is in the sample.
const SAMPLE_ONE_OF: u64 = 64;
/// Matches in the sample up to which all matches are read: some 4,000.
const SAMPLED_FEW: usize = 64;
/// Windows reach down to this match of the sample: the first has 1,500 matches, more or less.
const WINDOWS: [usize; 2] = [24, SAMPLED_FEW];

const SAMPLE: &str = "
    SELECT entry_row, (SELECT last_number FROM chronicle_ledger) FROM chronicle_sample
    WHERE words @@ $1::text::tsquery AND game_us >= $2 AND game_us < $3 AND entry_row >= $4
    ORDER BY entry_row DESC LIMIT $5";
/// By no other index than that of the words: hence `+ 0` and `|| ''`.
const FIND: &str = entries!(
    "WHERE words @@ $1::text::tsquery AND game_us + 0 >= $2 AND game_us + 0 < $3
        AND entry_row + 0 >= $4 AND ($6::text IS NULL OR region || '' = $6)
        AND ($7::text IS NULL OR arc || '' = $7)
     ORDER BY entry_row + 0 DESC LIMIT $5"
);

/// The most significant of those that have all words.
pub(super) async fn candidates(client: &Client, search: &Search) -> Result<Vec<Found>, Error> {
    let all = Window::of_significance(search.significance_min);
    let sample = sample(client, search, &all).await?;
    if sample.len() > SAMPLED_FEW {
        for reach in WINDOWS {
            let found = find(client, search, &window(&sample, reach)?).await?;
            if found.len() == CANDIDATE_COUNT_MAX {
                return Ok(found);
            }
        }
    }
    find(client, search, &all).await
}

/// Whether an entry is in the sample, by its row.
pub(super) fn is_sampled(row: i64) -> bool {
    mix((row & ((1 << NUMBER_BITS) - 1)).unsigned_abs()).is_multiple_of(SAMPLE_ONE_OF)
}

/// The window down to a match of the sample: its whole level, if that has few.
fn window(sample: &[Row], reach: usize) -> Result<Window, Error> {
    let (row, last_number) = (sample[reach - 1].get(0)?, sample[reach - 1].get(1)?);
    let lowest: i64 = sample[sample.len() - 1].get(0)?;
    if lowest >= Window::level_begins(row) {
        return Ok(Window::From(row, last_number));
    }
    Ok(Window::of_significance(stored::significance_of(row)))
}

async fn sample(client: &Client, search: &Search, window: &Window) -> Result<Vec<Row>, Error> {
    let query = words::matching(search, window);
    let (from_us, to_us) = stretch(search);
    let least = stored::row_of(search.significance_min, 0);
    let count_max = i64::try_from(SAMPLED_FEW + 1).unwrap_or(i64::MAX);
    client.read(SAMPLE, &[&query, &from_us, &to_us, &least, &count_max]).await
}

/// The first candidates in a window.
async fn find(client: &Client, search: &Search, window: &Window) -> Result<Vec<Found>, Error> {
    let query = words::matching(search, window);
    let (from_us, to_us) = stretch(search);
    let least = stored::row_of(search.significance_min, 0);
    let count_max = i64::try_from(CANDIDATE_COUNT_MAX).unwrap_or(i64::MAX);
    let Search { region, arc, .. } = search;
    let values: Parameters<'_> = &[&query, &from_us, &to_us, &least, &count_max, region, arc];
    let found = client.read(FIND, values).await?;
    found.iter().map(rows::found).collect()
}
