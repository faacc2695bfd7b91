//! Searches without words: by time or by significance, a page at a time. The planner chooses the
//! index by the values (`plan_cache_mode`), so that one statement does for all that may be asked
//! for.

use super::rows::{self, entries};
use crate::store::search::NOTABLE;
use crate::store::{Order, Page, Search, stored};
use worldbus_postgres::{Client, Parameters};
use worldbus_service::state::Error;

/// What holds in every order: `$1` to `$5`.
macro_rules! in_order {
    ($($rest:literal),+) => {
        entries!(
            "WHERE game_us >= $1 AND game_us < $2 AND entry_row >= $3
                AND ($4::text IS NULL OR region = $4) AND ($5::text IS NULL OR arc = $5) ",
            $($rest),+
        )
    };
}

const LATEST: &str = in_order!(
    "AND ($6::bigint IS NULL OR (game_us, entry_row) < ($6, $7))
     ORDER BY game_us DESC, entry_row DESC LIMIT $8"
);
const LATEST_NOTABLE: &str = in_order!(
    "AND significance >= 400 AND ($6::bigint IS NULL OR (game_us, entry_row) < ($6, $7))
     ORDER BY game_us DESC, entry_row DESC LIMIT $8"
);
const EARLIEST: &str = in_order!(
    "AND ($6::bigint IS NULL OR (game_us, entry_row) > ($6, $7))
     ORDER BY game_us, entry_row LIMIT $8"
);
const EARLIEST_NOTABLE: &str = in_order!(
    "AND significance >= 400 AND ($6::bigint IS NULL OR (game_us, entry_row) > ($6, $7))
     ORDER BY game_us, entry_row LIMIT $8"
);
const SIGNIFICANT: &str =
    in_order!("AND ($6::bigint IS NULL OR entry_row < $7) ORDER BY entry_row DESC LIMIT $8");

/// The results behind a cursor, and whether there are more.
pub(super) async fn page(client: &Client, search: &Search) -> Result<Page, Error> {
    let is_notable = search.significance_min >= NOTABLE;
    let sql = match (search.order, is_notable) {
        (Order::Best | Order::Latest, false) => LATEST,
        (Order::Best | Order::Latest, true) => LATEST_NOTABLE,
        (Order::Earliest, false) => EARLIEST,
        (Order::Earliest, true) => EARLIEST_NOTABLE,
        (Order::Significance, _) => SIGNIFICANT,
    };
    let (from_us, to_us) = stretch(search);
    let least = stored::row_of(search.significance_min, 0);
    let (key, row) = search.after.map(|after| (after.key, after.row)).unzip();
    let limit = i64::try_from(search.limit + 1).unwrap_or(i64::MAX);
    let Search { region, arc, .. } = search;
    let values: Parameters<'_> = &[&from_us, &to_us, &least, region, arc, &key, &row, &limit];
    let found = client.read(sql, values).await?;
    let found = found.iter().map(rows::found).collect::<Result<Vec<_>, _>>()?;
    let more = found.len() > search.limit;
    Ok(Page { found: found.into_iter().take(search.limit).collect(), more })
}

/// From which game time on, and before which; all times without bounds.
pub(super) fn stretch(search: &Search) -> (i64, i64) {
    (search.from_us.unwrap_or(i64::MIN), search.to_us.unwrap_or(i64::MAX))
}
