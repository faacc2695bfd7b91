//! Deleting what was made, in reverse order.

use crate::Error;
use crate::change::follow::described;
use crate::change::progress::{Progress, Report};
use crate::engine::Engine;
use crate::template::built_in::Stack;

/// What goes and what stays.
#[derive(Debug, Clone, Default)]
pub struct Farewell {
    /// Stacks that go, in order, with the number of their resources.
    pub goes: Vec<(Stack, String, usize)>,
    /// What stays: type and name.
    pub stays: Vec<(String, String)>,
    /// The network stays around a database, and gives up what it costs by the hour.
    pub idles: bool,
}

impl Engine {
    /// What [`Engine::down`] would delete, and what it would keep.
    ///
    /// # Errors
    /// If AWS refuses to answer.
    pub async fn farewell(&self, delete_data: bool) -> Result<Farewell, Error> {
        let now = self.look().await?;
        let kept: &[Stack] = match (delete_data, self.has_database(&now)) {
            (true, _) => &[],
            (false, false) => &[Stack::State],
            (false, true) => &[Stack::State, Stack::Network, Stack::Database],
        };
        let idles = kept.contains(&Stack::Network) && self.has_busy_network(&now);
        let mut farewell = Farewell { idles, ..Farewell::default() };
        for (stack, found) in now.iter().rev() {
            let name = self.deployment.name(stack);
            let resources = self.account.cloudformation.resources(&found.id).await;
            let resources = resources.map_err(|error| {
                self.account.explain(&format!("list resources of {name}"), &error)
            })?;
            let goes = !kept.contains(stack);
            let template = self.deployment.template(stack);
            let there = resources.iter().filter(|found| found.status != "DELETE_COMPLETE");
            farewell.stays.extend(there.filter_map(|found| {
                let what = if goes { template.leaves(&found.logical)? } else { "" };
                Some((format!("{what}{}", found.kind), found.physical.clone()))
            }));
            if goes {
                farewell.goes.push((stack.clone(), name, resources.len()));
            }
        }
        Ok(farewell)
    }

    /// Deletes the stacks, the last first, those of services at once; those of state and database
    /// only if their data may go.
    ///
    /// # Errors
    /// At the first stack that cannot be deleted: why, what to do, and what is there still.
    pub async fn down(&self, farewell: &Farewell, report: Report<'_>) -> Result<(), Error> {
        let stacks: Vec<&Stack> = farewell.goes.iter().map(|(stack, _, _)| stack).collect();
        for stacks in stacks.chunk_by(|a, b| a.is_service() && b.is_service()) {
            let mut done = Ok(());
            if let [stack @ (Stack::State | Stack::Database)] = stacks {
                done = self.unprotect(stack, report).await;
            }
            if done.is_ok() {
                done = self.remove(stacks, report).await;
            }
            if let Err(error) = done {
                return Err(error.and(&self.inventory().await));
            }
        }
        if farewell.idles { self.make_network_idle(report).await } else { Ok(()) }
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
}
