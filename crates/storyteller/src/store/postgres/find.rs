//! Entries as they are read: one, how many there are, and by which way a search goes. Not here: the
//! two ways (`by_words`, `in_order`).

use super::rows::{self, entries};
use super::{by_words, in_order};
use crate::store::{Extent, Found, Page, Search, rank, stored};
use worldbus_events::EventId;
use worldbus_postgres::Client;
use worldbus_service::state::Error;

const ENTRY: &str = entries!("WHERE id = $1");
const EXTENT: &str = "
    SELECT entries, (SELECT min(game_us) FROM chronicle_entry),
        (SELECT max(game_us) FROM chronicle_entry)
    FROM chronicle_ledger";

pub(super) async fn entry(client: &Client, id: EventId) -> Result<Option<Found>, Error> {
    let rows = client.read(ENTRY, &[&stored::bytes(id).as_slice()]).await?;
    rows.first().map(rows::found).transpose()
}

pub(super) async fn search(client: &Client, search: &Search) -> Result<Page, Error> {
    if is_nowhere([&search.region, &search.arc]) {
        return Ok(Page::default());
    }
    if search.words.is_empty() {
        in_order::page(client, search).await
    } else {
        Ok(rank::page(by_words::candidates(client, search).await?, search))
    }
}

/// Whether a name is in no entry: PostgreSQL has no texts with a zero character, and refuses to
/// look for one.
pub(super) fn is_nowhere<const N: usize>(names: [&Option<String>; N]) -> bool {
    names.into_iter().flatten().any(|name| name.contains('\0'))
}

pub(super) async fn extent(client: &Client) -> Result<Extent, Error> {
    let rows = client.read(EXTENT, &[]).await?;
    let row = rows.first().ok_or_else(|| rows::damaged("the ledger has no row"))?;
    let (count, first, last): (i64, Option<i64>, Option<i64>) =
        (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(Extent { count: count.unsigned_abs(), span_us: first.zip(last) })
}
