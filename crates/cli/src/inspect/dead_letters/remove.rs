//! `worldbus dead-letters replay` and `discard`: both take letters out of where they are, page by
//! page, so that what was done before an error stays done.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::arguments::{DiscardArguments, Which};
use super::letter::letters;
use super::{LOOK_COUNT_MAX, list};
use crate::output;
use crate::output::failure::{FAILED, WrongUse, complain};
use crate::output::format::Format;
use crate::session::Session;
use worldbus_bus::{DeadContent, DeadLetter, SubscriptionName};

/// Letters of one call.
const PAGE_COUNT: usize = 100;
/// Letters that one run with `--all` takes out; what they were is remembered meanwhile.
const ALL_COUNT_MAX: usize = 1_000_000;
/// Letters that are shown before they are discarded.
const SHOWN_COUNT_MAX: usize = 10;

/// What becomes of the letters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Replay,
    Discard,
}

/// How it went.
#[derive(Default)]
struct Tally {
    done: usize,
    missing: Vec<String>,
}

/// Gives letters back to their subscription.
pub(super) async fn replay(
    session: &Session,
    subscription: &SubscriptionName,
    which: &Which,
) -> Result<ExitCode> {
    let work = Work { session, subscription, fate: Fate::Replay };
    let tally = if which.all { work.all().await? } else { work.these(&which.ids).await? };
    work.report(&tally, which.format)
}

/// Removes letters for good, after asking.
pub(super) async fn discard(
    session: &Session,
    subscription: &SubscriptionName,
    arguments: &DiscardArguments,
) -> Result<ExitCode> {
    let which = &arguments.which;
    let work = Work { session, subscription, fate: Fate::Discard };
    if !arguments.yes {
        let mut doomed = work.look().await?;
        doomed.retain(|letter| which.all || which.ids.contains(&letter.id));
        if !doomed.is_empty() && !work.confirmed(&doomed)? {
            complain("nothing was discarded");
            return Ok(ExitCode::from(FAILED));
        }
    }
    let tally = if which.all { work.all().await? } else { work.these(&which.ids).await? };
    work.report(&tally, which.format)
}

/// Whether there is a person to ask.
pub(super) fn can_ask(yes: bool) -> Result<()> {
    if yes || io::stdin().is_terminal() {
        return Ok(());
    }
    let text = "there is no terminal to ask on whether to discard for good; give --yes";
    Err(WrongUse(text.to_owned()).into())
}

struct Work<'a> {
    session: &'a Session,
    subscription: &'a SubscriptionName,
    fate: Fate,
}

impl Work<'_> {
    async fn look(&self) -> Result<Vec<DeadLetter>> {
        let found =
            self.session.bus.transport().dead_letters(Some(self.subscription), LOOK_COUNT_MAX);
        found.await.map_err(|error| self.session.explain(error))
    }

    /// Those of these ids.
    async fn these(&self, ids: &[String]) -> Result<Tally> {
        let mut known = HashSet::new();
        let ids: Vec<String> = ids.iter().filter(|id| known.insert(*id)).cloned().collect();
        let mut tally = Tally::default();
        self.take_out(&ids, ids.len(), &mut tally).await?;
        Ok(tally)
    }

    /// All that are there. An event that was replayed and failed again meanwhile is left where it
    /// is: else a consumer that is not mended would keep this running for ever.
    async fn all(&self) -> Result<Tally> {
        let mut tally = Tally::default();
        let (mut ids, mut contents) = (HashSet::new(), HashSet::new());
        while ids.len() < ALL_COUNT_MAX {
            let mut found = self.look().await?;
            found.retain(|letter| !contents.contains(&hash(letter)));
            let page: Vec<String> = found
                .iter()
                .map(|letter| &letter.id)
                .filter(|id| !ids.contains(*id))
                .fold(Vec::new(), |mut page, id| {
                    // Letters that share an id lie side by side.
                    if page.last() != Some(id) {
                        page.push(id.clone());
                    }
                    page
                });
            if page.is_empty() {
                break;
            }
            ids.extend(page.iter().cloned());
            if self.fate == Fate::Replay {
                contents.extend(found.iter().map(hash));
            }
            self.take_out(&page, tally.done + page.len(), &mut tally).await?;
        }
        // Another process took them meanwhile, which is as good.
        tally.missing.clear();
        Ok(tally)
    }

    /// In pages, saying how far it is.
    async fn take_out(&self, ids: &[String], of: usize, tally: &mut Tally) -> Result<()> {
        let transport = self.session.bus.transport();
        for page in ids.chunks(PAGE_COUNT) {
            let missing = match self.fate {
                Fate::Replay => transport.replay_dead_letters(self.subscription, page).await,
                Fate::Discard => transport.discard_dead_letters(self.subscription, page).await,
            };
            let missing = missing
                .map_err(|error| self.session.explain(error))
                .with_context(|| format!("{} {} before this", letters(tally.done), self.past()))?;
            tally.done += page.len().saturating_sub(missing.len());
            tally.missing.extend(missing);
            if ids.len() > PAGE_COUNT {
                complain(&format!("{} of {of} {}", tally.done, self.past()));
            }
        }
        Ok(())
    }

    fn past(&self) -> &'static str {
        match self.fate {
            Fate::Replay => "replayed",
            Fate::Discard => "discarded",
        }
    }

    fn report(&self, tally: &Tally, format: Format) -> Result<ExitCode> {
        let (count, past, subscription) = (letters(tally.done), self.past(), self.subscription);
        let preposition = if self.fate == Fate::Replay { "to" } else { "of" };
        let document = json!({
            "subscription": subscription.as_str(),
            past: tally.done,
            "missing": tally.missing,
        });
        let text = || format!("{count} {past} {preposition} {subscription}\n");
        output::page(&format.page(&document, text))?;
        if tally.missing.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        complain(&format!("not there: {}", tally.missing.join(" ")));
        Ok(ExitCode::from(FAILED))
    }

    /// Shows what will be lost, and asks.
    fn confirmed(&self, doomed: &[DeadLetter]) -> Result<bool> {
        let shown = &doomed[..doomed.len().min(SHOWN_COUNT_MAX)];
        let mut err = io::stderr().lock();
        write!(err, "{}", list::table(shown, &self.session.catalogue))?;
        if doomed.len() > shown.len() {
            writeln!(err, "and {} more", doomed.len() - shown.len())?;
        }
        let (count, subscription) = (letters(doomed.len()), self.subscription);
        write!(err, "Discard {count} of {subscription}? Nothing brings them back. [y/N] ")?;
        err.flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(is_yes(&answer))
    }
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

/// Distinguishes events; letters change their ids as they come back.
fn hash(letter: &DeadLetter) -> u64 {
    let mut hasher = DefaultHasher::new();
    match &letter.content {
        DeadContent::Event(event) => event.event_id.hash(&mut hasher),
        DeadContent::Undecoded { bytes, .. } => bytes.hash(&mut hasher),
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_discards() {
        assert!(is_yes("y\n") && is_yes(" YES \n"));
        assert!(!is_yes("\n") && !is_yes("") && !is_yes("yep"));
    }
}
