//! What the chronicle is asked for, checked. Not here: finding it.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{Shared, cursor};
use crate::store::{ArcSearch, Cursor, Order, Search, query_words};
use worldbus_service::Problem;
use worldbus_world::GameTime;

const LIMIT_DEFAULT: i64 = 50;
const LIMIT_MAX: i64 = 500;
const DIGEST_LIMIT_DEFAULT: i64 = 10;
const DIGEST_LIMIT_MAX: i64 = 50;
const DIGEST_HOURS_DEFAULT: i64 = 24;
/// A leap year of Earth.
const DIGEST_HOURS_MAX: i64 = 8_784;
const SIGNIFICANCE_MAX: i64 = 1_000;
/// Characters of an arc's id or kind.
const NAME_CHARS_MAX: usize = 100;

/// What is searched for. All that is given must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchQuery {
    /// Words, of which each must be in the text; at most 16. No sign is an operator.
    q: Option<String>,
    /// A region's id.
    region: Option<String>,
    /// From this game time on: `2024-03-01T06:00:00`, or whole game minutes since the epoch.
    from: Option<String>,
    /// Before this game time.
    to: Option<String>,
    /// The id of an arc.
    arc: Option<String>,
    /// The least significance.
    #[param(minimum = 0, maximum = 1000)]
    min_significance: Option<i64>,
    /// `best` if left out.
    #[param(inline)]
    order: Option<OrderName>,
    /// How many at most; 50 if left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
    /// `next` of the answer before.
    cursor: Option<String>,
}

/// The best matches first (without words the latest), the latest first, the earliest first, or the
/// most significant first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum OrderName {
    Best,
    Latest,
    Earliest,
    Significance,
}

/// Of which stretch of time.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct DigestQuery {
    /// A region's id.
    region: Option<String>,
    /// Game hours up to now; 24 if left out.
    #[param(minimum = 1, maximum = 8784)]
    hours: Option<i64>,
    /// How many entries at most; 10 if left out.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<i64>,
}

/// Which stories.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ArcsQuery {
    /// A region's id.
    region: Option<String>,
    /// The kind of story: `storm`.
    kind: Option<String>,
    /// Only those that go on, or only those that ended.
    open: Option<bool>,
    /// How many at most; 50 if left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
    /// `next` of the answer before.
    cursor: Option<String>,
}

impl SearchQuery {
    /// The search, and what its cursors are named by.
    pub(super) fn read(self, shared: &Shared) -> Result<(Search, String), Problem> {
        let of = self.name();
        let order = match self.order {
            None | Some(OrderName::Best) => Order::Best,
            Some(OrderName::Latest) => Order::Latest,
            Some(OrderName::Earliest) => Order::Earliest,
            Some(OrderName::Significance) => Order::Significance,
        };
        let time = |field, text: &Option<String>| {
            text.as_deref().map(|text| shared.game_time(field, text)).transpose()
        };
        let significance = self.min_significance.unwrap_or(0);
        let significance =
            within("min_significance", significance, 0, SIGNIFICANCE_MAX)?.unsigned_abs();
        let after = self.cursor.as_deref().map(|text| place(&of, text)).transpose()?;
        let search = Search {
            words: words(self.q.as_deref())?,
            from_us: time("from", &self.from)?,
            to_us: time("to", &self.to)?,
            region: shared.region(self.region)?,
            arc: self.arc.map(|arc| name("arc", arc)).transpose()?,
            significance_min: u16::try_from(significance).unwrap_or(u16::MAX),
            order,
            limit: limit(self.limit, LIMIT_DEFAULT, LIMIT_MAX)?,
            after,
        };
        Ok((search, of))
    }

    /// All of it but the limit and the cursor.
    fn name(&self) -> String {
        let Self { q, region, from, to, arc, min_significance, order, .. } = self;
        format!("{q:?}{region:?}{from:?}{to:?}{arc:?}{min_significance:?}{order:?}")
    }
}

impl DigestQuery {
    /// Which entries, and how many of them at most.
    pub(super) fn read(self, shared: &Shared, now: GameTime) -> Result<(Search, usize), Problem> {
        let hours = self.hours.unwrap_or(DIGEST_HOURS_DEFAULT);
        let hours = within("hours", hours, 1, DIGEST_HOURS_MAX)?;
        let search = Search {
            region: shared.region(self.region)?,
            from_us: Some(now.0.saturating_sub(GameTime::from_hours(hours).0)),
            to_us: Some(now.0.saturating_add(1)),
            order: Order::Significance,
            ..Search::default()
        };
        Ok((search, limit(self.limit, DIGEST_LIMIT_DEFAULT, DIGEST_LIMIT_MAX)?))
    }
}

impl ArcsQuery {
    /// Which arcs, and what the cursors are named by. One more than is shown: whether there are
    /// more.
    pub(super) fn read(self, shared: &Shared) -> Result<(ArcSearch, String), Problem> {
        let Self { region, kind, open, .. } = &self;
        let of = format!("arcs{region:?}{kind:?}{open:?}");
        let behind = |text: &str| {
            let place = cursor::decode(&of, text)?;
            let (since, id) = place.split_once(' ').unwrap_or_default();
            Ok::<_, Problem>((since.parse().unwrap_or(i64::MIN), id.to_owned()))
        };
        let after = self.cursor.as_deref().map(behind).transpose()?;
        let search = ArcSearch {
            region: shared.region(self.region)?,
            kind: self.kind.map(|kind| name("kind", kind)).transpose()?,
            open: self.open,
            limit: limit(self.limit, LIMIT_DEFAULT, LIMIT_MAX)? + 1,
            after,
        };
        Ok((search, of))
    }
}

fn words(text: Option<&str>) -> Result<Vec<String>, Problem> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(Vec::new()) };
    let wrong =
        |why: String| Problem::bad_request(format!("query parameter `q`: {why}")).with_field("q");
    let words = query_words(text).map_err(wrong)?;
    if words.is_empty() {
        return Err(wrong("expected at least one word, found signs alone".to_owned()));
    }
    Ok(words)
}

fn place(of: &str, text: &str) -> Result<Cursor, Problem> {
    let place = cursor::decode(of, text)?;
    let (key, row) = place.split_once(' ').unwrap_or_default();
    Ok(Cursor { key: key.parse().unwrap_or(i64::MIN), row: row.parse().unwrap_or(i64::MIN) })
}

fn name(field: &'static str, text: String) -> Result<String, Problem> {
    if (1..=NAME_CHARS_MAX).contains(&text.chars().count()) {
        return Ok(text);
    }
    let text = format!("query parameter `{field}`: expected 1 to {NAME_CHARS_MAX} characters");
    Err(Problem::bad_request(text).with_field(field))
}

fn limit(limit: Option<i64>, default: i64, max: i64) -> Result<usize, Problem> {
    let limit = within("limit", limit.unwrap_or(default), 1, max)?;
    Ok(usize::try_from(limit).unwrap_or(1))
}

fn within(field: &'static str, number: i64, min: i64, max: i64) -> Result<i64, Problem> {
    if (min..=max).contains(&number) {
        return Ok(number);
    }
    let text = format!("query parameter `{field}`: expected {min} to {max}, found {number}");
    Err(Problem::bad_request(text).with_field(field))
}
