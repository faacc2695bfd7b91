//! Deleting what was made, in reverse order.

use crate::Error;
use crate::change::follow::described;
use crate::change::progress::{Progress, Report};
use crate::engine::Engine;
use crate::template::built_in::Stack;

/// A state of the table in which it may be deleted.
const UNPROTECTED: (&str, &str) = ("Profile", "minimal");

/// What goes and what stays.
#[derive(Debug, Clone, Default)]
pub struct Farewell {
    /// Stacks that go, in order, with the number of their resources.
    pub goes: Vec<(Stack, String, usize)>,
    /// What stays: type and name.
    pub stays: Vec<(String, String)>,
}

impl Engine {
    /// What [`Engine::down`] would delete, and what it would keep.
    ///
    /// # Errors
    /// If AWS refuses to answer.
    pub async fn farewell(&self, delete_data: bool) -> Result<Farewell, Error> {
        let now = self.look().await?;
        let mut farewell = Farewell::default();
        for (stack, found) in now.iter().rev() {
            let name = self.deployment.name(stack);
            let resources = self.account.cloudformation.resources(&found.id).await;
            let resources = resources.map_err(|error| {
                self.account.explain(&format!("list resources of {name}"), &error)
            })?;
            let goes = delete_data || *stack != Stack::State;
            let template = self.deployment.template(stack);
            let kept = resources.iter().filter(|found| {
                found.status != "DELETE_COMPLETE" && (!goes || template.retains(&found.logical))
            });
            farewell.stays.extend(kept.map(|kept| (kept.kind.clone(), kept.physical.clone())));
            if goes {
                farewell.goes.push((stack.clone(), name, resources.len()));
            }
        }
        Ok(farewell)
    }

    /// Deletes the stacks, the last first, those of services at once; that of the state only if its
    /// data may go.
    ///
    /// # Errors
    /// At the first stack that cannot be deleted: why, what to do, and what is there still.
    pub async fn down(&self, farewell: &Farewell, report: Report<'_>) -> Result<(), Error> {
        let stacks: Vec<&Stack> = farewell.goes.iter().map(|(stack, _, _)| stack).collect();
        for stacks in stacks.chunk_by(|a, b| a.is_service() && b.is_service()) {
            let mut done = Ok(());
            if stacks.contains(&&Stack::State) {
                done = self.unprotect(report).await;
            }
            if done.is_ok() {
                done = self.remove(stacks, report).await;
            }
            if let Err(error) = done {
                return Err(error.and(&self.inventory().await));
            }
        }
        Ok(())
    }

    /// Deletes stacks at once and waits until they are gone; the first failure.
    pub(crate) async fn remove(&self, stacks: &[&Stack], report: Report<'_>) -> Result<(), Error> {
        let (mut begun, mut done) = (Vec::new(), Ok(()));
        for stack in stacks {
            match self.begin_removal(stack, report).await {
                Ok(removal) => begun.extend(removal.map(|(id, since)| (*stack, id, since))),
                Err(error) => {
                    done = Err(error);
                    break;
                }
            }
        }
        for (stack, id, since) in begun {
            let end = self.finish_removal(stack, &id, since, report).await;
            done = done.and(end);
        }
        done
    }

    /// The id of the stack and its last event before; `None` if it is not there.
    async fn begin_removal(
        &self,
        stack: &Stack,
        report: Report<'_>,
    ) -> Result<Option<(String, Option<String>)>, Error> {
        let name = self.deployment.name(stack);
        let failed = |error| self.account.explain(&format!("delete stack {name}"), &error);
        let cloudformation = &self.account.cloudformation;
        let Some(found) = cloudformation.describe(&name).await.map_err(failed)? else {
            return Ok(None);
        };
        let since = self.last_event(&found.id).await?;
        cloudformation.delete_stack(&found.id).await.map_err(failed)?;
        report(Progress::Begun { stack: name, what: "delete" });
        Ok(Some((found.id, since)))
    }

    async fn finish_removal(
        &self,
        stack: &Stack,
        id: &str,
        since: Option<String>,
        report: Report<'_>,
    ) -> Result<(), Error> {
        let name = self.deployment.name(stack);
        let end = self.follow(stack, id, since, report).await?;
        if end.is_good() {
            return Ok(());
        }
        let mut text = format!("stack {name} is not deleted ({}):", end.status);
        for failure in &end.failures {
            text.push_str(&format!("\n  {}", described(failure)));
        }
        text.push_str("\nmend the cause and run `worldbus deploy aws down` again");
        Err(Error::failed(text))
    }

    /// In production the state table is protected from deletion; who wants its data deleted wants
    /// that taken off first.
    async fn unprotect(&self, report: Report<'_>) -> Result<(), Error> {
        let now = self.look().await?;
        let Some(found) = now.get(&Stack::State) else { return Ok(()) };
        let (name, value) = UNPROTECTED;
        let mut parameters = found.parameters.clone();
        let before = parameters.insert(name.to_owned(), value.to_owned());
        if before.as_deref() == Some(value) || !found.status.ends_with("_COMPLETE") {
            return Ok(());
        }
        let (id, set) = self.change_set(&Stack::State, Some(found), &parameters).await?;
        if set.status != "CREATE_COMPLETE" {
            return self.discard(&id).await;
        }
        let stack = self.deployment.name(&Stack::State);
        let since = self.last_event(&found.id).await?;
        self.execute(&stack, &id).await?;
        report(Progress::Begun { stack: stack.clone(), what: "update" });
        let end = self.follow(&Stack::State, &found.id, since, report).await?;
        if end.is_good() {
            return Ok(());
        }
        let why = end.failures.first().map(described).unwrap_or_default();
        Err(Error::failed(format!("the protection of stack {stack} cannot be taken off: {why}")))
    }
}
