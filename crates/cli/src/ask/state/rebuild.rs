//! `worldbus state rebuild`: folds every `world_state.updated` that the bus has, and compares the
//! outcome with the state. In memory: for a state of a million entities about a gigabyte.

use std::collections::{BTreeMap, HashSet};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::output;
use crate::output::format::Format;
use crate::output::table::{items, pairs};
use crate::session::connection;
use crate::session::rest::Rest;
use worldbus_bus::{Bus, Filter, Position, ReadSpec, Topic};
use worldbus_events::v1::WorldStateUpdated;
use worldbus_events::{Catalogue, Event as _, EventId, ProducerId};
use worldbus_service::Secret;
use worldbus_world_state::NAME;
use worldbus_world_state::model::{Fold, FoldedEntity};

/// Entities of a page.
const PAGE_COUNT: usize = 1_000;
/// Differences that are listed; more are counted.
const LISTED_COUNT_MAX: usize = 20;

type Entities = BTreeMap<String, FoldedEntity>;

/// What a comparison came to.
struct Compared {
    version: u64,
    events: u64,
    /// The version that the fold began with.
    from: u64,
    entities: usize,
    differing: Vec<String>,
}

/// Folds, compares, reports.
pub(super) async fn run(
    rest: &Rest,
    format: Format,
    url: &str,
    key: Option<&Secret>,
) -> Result<ExitCode> {
    let bus = connection::parse(url)?;
    let bus = connection::open_at(&bus, key, Catalogue::builtin().into()).await?;
    let compared = compare(rest, &bus).await?;
    let listed = &compared.differing[..compared.differing.len().min(LISTED_COUNT_MAX)];
    let document = json!({
        "world_version": compared.version,
        "events": compared.events,
        "from_version": compared.from,
        "entities": compared.entities,
        "differing": compared.differing.len(),
        "differing_entities": listed,
    });
    let text = || {
        let outcome = match compared.differing.len() {
            0 => "the state is the fold of its events".to_owned(),
            count => format!("{count} entities differ: {}", listed.join(", ")),
        };
        pairs(&[
            ("world version", compared.version.to_string()),
            ("events", compared.events.to_string()),
            ("from version", compared.from.to_string()),
            ("entities", compared.entities.to_string()),
            ("outcome", outcome),
        ])
    };
    output::page(&format.page(&document, text))?;
    Ok(ExitCode::from(u8::from(!compared.differing.is_empty())))
}

async fn compare(rest: &Rest, bus: &Bus) -> Result<Compared> {
    let (logged, version) = (logged(bus).await?, version(rest).await?);
    // Where the bus has lost the first events the state at the version before them is the ground.
    let from = logged.map_or(version, |logged| logged.first_version - 1).min(version);
    let mut fold = Fold { version: from, entities: read(rest, from).await? };
    let events = match logged {
        Some(logged) => fold_events(bus, logged.producer, &mut fold, version).await?,
        None => 0,
    };
    if fold.version != version {
        bail!(
            "the bus has events up to version {} of {version}: those that are missing are in the \
             outbox of {NAME}, or another bus has them (--url)",
            fold.version
        );
    }
    let state = read(rest, version).await?;
    let names = fold.entities.keys().chain(state.keys()).collect::<std::collections::BTreeSet<_>>();
    let differs = |name: &&String| fold.entities.get(*name) != state.get(*name);
    let differing = names.into_iter().filter(differs).cloned().collect();
    Ok(Compared { version, events, from, entities: state.len(), differing })
}

async fn version(rest: &Rest) -> Result<u64> {
    let page = rest.get("/api/state", &[("limit", Some("1".to_owned()))]).await?;
    page["world_version"].as_u64().context("the answer has no world_version")
}

/// The state at a version.
async fn read(rest: &Rest, at: u64) -> Result<Entities> {
    let mut entities = Entities::new();
    let mut cursor = None;
    loop {
        let at_version = cursor.is_none().then(|| at.to_string());
        let query = [
            ("at_version", at_version),
            ("cursor", cursor),
            ("limit", Some(PAGE_COUNT.to_string())),
        ];
        let page = rest.get("/api/state", &query).await?;
        for entity in items(&page, "entities") {
            let fields = entity["fields"].as_object().into_iter().flatten();
            let fields = fields.map(|(name, value)| (name.clone(), value.to_string())).collect();
            let name = entity["entity"].as_str().context("an entity without a name")?;
            entities.insert(name.to_owned(), FoldedEntity { fields });
        }
        cursor = page["next"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return Ok(entities);
        }
    }
}

/// Whose events the bus has, and from which on.
#[derive(Clone, Copy)]
struct Logged {
    producer: ProducerId,
    first_version: u64,
}

/// Those of the latest database: one that was lost had events of its own.
async fn logged(bus: &Bus) -> Result<Option<Logged>> {
    let mut logged: Option<Logged> = None;
    for_each(bus, |id, event| {
        if logged.is_none_or(|logged| logged.producer != id.producer) {
            logged = Some(Logged { producer: id.producer, first_version: event.version });
        }
    })
    .await?;
    Ok(logged)
}

/// Folds the events behind the fold's version, up to another one.
async fn fold_events(bus: &Bus, producer: ProducerId, fold: &mut Fold, until: u64) -> Result<u64> {
    let (mut count, mut failed) = (0, None);
    for_each(bus, |id, event| {
        let is_wanted = event.version > fold.version && event.version <= until;
        if id.producer == producer && is_wanted && failed.is_none() {
            // As the state is read: text of JSON that was parsed.
            failed = fold.apply(&normal(event)).err();
            count += 1;
        }
    })
    .await?;
    match failed {
        Some(error) => bail!("the events have a gap or come twice: {error}"),
        None => Ok(count),
    }
}

fn normal(mut event: WorldStateUpdated) -> WorldStateUpdated {
    for change in &mut event.changes {
        if let Ok(value) = serde_json::from_slice::<Value>(&change.value) {
            change.value = value.to_string().into_bytes();
        }
    }
    event
}

/// Reads the events of world-state in the order of the log, each once.
async fn for_each(bus: &Bus, mut take: impl FnMut(EventId, WorldStateUpdated)) -> Result<()> {
    let topic = Topic::new(WorldStateUpdated::TOPIC)?;
    let filter = Filter { types: vec![WorldStateUpdated::NUMBER], ..Filter::default() };
    let spec = ReadSpec::topics([topic], Position::Start, false);
    let mut reader = bus.transport().read(ReadSpec { filter, ..spec }).await?;
    let mut seen = HashSet::<EventId>::new();
    while let Some(stored) = reader.next().await? {
        let ours = stored.batch.iter().filter(|view| {
            view.event_type == WorldStateUpdated::NUMBER && stored.batch.source() == NAME
        });
        for view in ours {
            if seen.insert(view.id) {
                take(view.id, view.decode::<WorldStateUpdated>()?);
            }
        }
    }
    Ok(())
}
