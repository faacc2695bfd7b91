//! The database, which holds what cannot be made again: it goes only with all other data, and keeps
//! the network that it is in. Not for: what is in it, which is of services.

use crate::Error;
use crate::aws::cloudformation::Description;
use crate::change::follow::described;
use crate::change::progress::{Progress, Report};
use crate::engine::{Engine, Now, is_production};
use crate::plan::is_not_yet;
use crate::template::built_in::Stack;
use crate::template::evaluate::Parameters;

/// What it is.
const KIND: &str = "AWS::RDS::DBInstance";
/// Parameters of stacks that are protected in production, in which they may be deleted. They change
/// nothing else: the database stays one.
const UNPROTECTED: [(&str, &str); 2] = [("Profile", "minimal"), ("Database", "postgres")];
/// A network in which nothing runs.
const IDLE: [(&str, &str); 1] = [("Idle", "true")];

impl Engine {
    /// Whether a stack of these parameters has a database.
    fn makes_database(&self, parameters: &Parameters) -> bool {
        let template = self.deployment.template(&Stack::Database);
        let made = template.resources(parameters, &self.deployment.region);
        made.iter().any(|resource| resource.kind == KIND)
    }

    /// Whether there is a database.
    pub(crate) fn has_database(&self, now: &Now) -> bool {
        let found = now.get(&Stack::Database).filter(|found| !is_not_yet(found));
        found.is_some_and(|found| self.makes_database(&found.parameters))
    }

    /// Whether the network would cost without use.
    pub(crate) fn has_busy_network(&self, now: &Now) -> bool {
        let [(name, idle)] = IDLE;
        now.get(&Stack::Network).is_some_and(|found| {
            let is_idle = found.parameters.get(name).is_some_and(|value| value == idle);
            is_production(&found.parameters) && !is_idle
        })
    }

    /// Refuses parameters with which a database that is there would go.
    pub(crate) fn check_database(&self, now: &Now) -> Result<(), Error> {
        let shall = self.parameters(&Stack::Database, now);
        if !self.has_database(now) || self.makes_database(&shall) {
            return Ok(());
        }
        Err(Error::wrong_use(
            "the database would be deleted, with all that services keep in it: keep it with \
             --parameter Database=postgres; or, to be without it, take everything down with \
             `worldbus deploy aws down --delete-data` first",
        ))
    }

    /// In production table and database are protected from deletion; who wants their data deleted
    /// wants that taken off first.
    pub(crate) async fn unprotect(&self, stack: &Stack, report: Report<'_>) -> Result<(), Error> {
        let now = self.look().await?;
        match (stack, now.get(stack)) {
            (Stack::Database, _) if !self.has_database(&now) => Ok(()),
            (_, Some(found)) => self.set(stack, found, &UNPROTECTED, report).await,
            (_, None) => Ok(()),
        }
    }

    /// Takes out of the network what costs without use.
    pub(crate) async fn make_network_idle(&self, report: Report<'_>) -> Result<(), Error> {
        match self.look().await?.get(&Stack::Network) {
            Some(found) => self.set(&Stack::Network, found, &IDLE, report).await,
            None => Ok(()),
        }
    }

    /// Sets those of some parameters that a stack has, and changes nothing else.
    async fn set(
        &self,
        stack: &Stack,
        found: &Description,
        values: &[(&str, &str)],
        report: Report<'_>,
    ) -> Result<(), Error> {
        let known: Vec<&str> = self.deployment.template(stack).parameters().collect();
        let mut parameters = found.parameters.clone();
        for (name, value) in values.iter().filter(|(name, _)| known.contains(name)) {
            parameters.insert((*name).to_owned(), (*value).to_owned());
        }
        if parameters == found.parameters || !found.status.ends_with("_COMPLETE") {
            return Ok(());
        }
        let (id, set) = self.change_set(stack, Some(found), &parameters).await?;
        if set.status != "CREATE_COMPLETE" {
            return self.discard(&id).await;
        }
        let name = self.deployment.name(stack);
        let since = self.last_event(&found.id).await?;
        self.execute(&name, &id).await?;
        report(Progress::Begun { stack: name.clone(), what: "update" });
        let end = self.follow(stack, &found.id, since, report).await?;
        if end.is_good() {
            return Ok(());
        }
        let why = end.failures.first().map(described).unwrap_or_default();
        Err(Error::failed(format!("stack {name} cannot be changed before it is deleted: {why}")))
    }
}
