//! Compares the world file with the one that the state of this world was begun with, of which the
//! state store keeps what matters: a changed file is told of, and refused where events would share
//! ids with others that say another thing. Not here: what differs (`worldbus_world::Difference`).

use anyhow::{Context as _, Result};

use crate::output::failure::WrongUse;
use worldbus_service::StateStore;
use worldbus_service::state::UPDATE_COUNT_MAX;
use worldbus_world::{Difference, Facts, Meaning, World};

/// Warns of each difference between a world and what is kept of it under `world/{id}`, and keeps
/// it as it is now. A world without anything kept, as a new one, has no differences.
///
/// # Errors
/// The identity of events would change, and `accept` is not set; nothing is kept then. Or the
/// state store is unavailable.
pub(in crate::serve) async fn check(
    store: &dyn StateStore,
    world: &World,
    accept: bool,
) -> Result<()> {
    let key = format!("world/{}", world.id);
    let mut facts = world.facts();
    facts.extend(worldbus_population::facts(world)?);
    for _ in 0..UPDATE_COUNT_MAX {
        let kept = store.get(&key).await?;
        let mut facts = facts.clone();
        let revision = kept.as_ref().map(|entry| entry.revision);
        if let Some(entry) = &kept {
            let was: Facts = serde_json::from_slice(&entry.value)
                .with_context(|| format!("state key `{key}` is damaged; delete it"))?;
            let differences = Difference::between(&was, &facts);
            refuse(world, &differences, accept)?;
            differences.iter().for_each(warn);
            keep_ignored(&differences, &mut facts);
            if facts == was {
                return Ok(());
            }
        }
        let value =
            serde_json::to_vec(&facts).context("cannot encode what the world is made of")?;
        if store.compare_and_set(&key, revision, value).await?.is_ok() {
            return Ok(());
        }
    }
    anyhow::bail!("other instances wrote `{key}` all the time; start again")
}

fn refuse(world: &World, differences: &[Difference], accept: bool) -> Result<()> {
    let of_identity = differences.iter().filter(|d| d.meaning() == Meaning::Identity);
    let lines: Vec<String> = of_identity.map(|d| format!("  {d}")).collect();
    if accept || lines.is_empty() {
        return Ok(());
    }
    let text = format!(
        "the world file is not the one that the state of `{}` was begun with:\n{}\nEvents to come \
         would have ids of events that say another thing. Take the old file, another data \
         directory or state store, or another world id; or --accept-world-changes to go on so",
        world.id,
        lines.join("\n"),
    );
    Err(WrongUse(text).into())
}

/// What is ignored stays as it was: it is not in force.
fn keep_ignored(differences: &[Difference], facts: &mut Facts) {
    for Difference { name, was, .. } in
        differences.iter().filter(|d| d.meaning() == Meaning::Ignored)
    {
        facts.insert(name.clone(), was.clone());
    }
}

fn warn(difference: &Difference) {
    let effect = match difference.meaning() {
        Meaning::Identity => "accepted: events may share ids with others that say another thing",
        Meaning::Ignored => {
            "ignored: a clock keeps the speed that it has; POST /api/time/scale changes it"
        }
        Meaning::Otherwise => "the world goes on otherwise from now on",
    };
    tracing::warn!(%difference, "the world file changed; {effect}");
}

#[cfg(test)]
mod tests;
