//! Carrying out a plan, stack by stack.

use crate::Error;
use crate::change::follow::{End, described};
use crate::change::progress::{Progress, Report};
use crate::engine::{Engine, take_listener};
use crate::plan::{Changes, Plan, StackPlan, reports_no_changes};
use crate::template::built_in::Stack;

impl Engine {
    /// Does what is planned, and reports what happens as it does: stack by stack, but the services
    /// at once, each of which takes minutes to become healthy.
    ///
    /// # Errors
    /// At the first stack that fails, once those that were begun with it are done: what failed,
    /// what to do about it, and what is there now. The change sets of the stacks behind it stay
    /// open until [`Engine::abandon`].
    pub async fn up(&self, plan: &Plan, report: Report<'_>) -> Result<(), Error> {
        for stacks in plan.stacks.chunk_by(|a, b| a.stack.is_service() && b.stack.is_service()) {
            if let Err(error) = self.change_all(stacks, report).await {
                return Err(error.and(&self.inventory().await));
            }
        }
        Ok(())
    }

    /// Begins to change stacks, then follows one after the other; the first failure.
    async fn change_all(&self, stacks: &[StackPlan], report: Report<'_>) -> Result<(), Error> {
        let (mut begun, mut done) = (Vec::new(), Ok(()));
        for stack in stacks {
            match self.begin(stack, report).await {
                Ok(change) => begun.extend(change),
                Err(error) => {
                    done = Err(error);
                    break;
                }
            }
        }
        for change in begun {
            let end = self.finish(&change, report).await;
            done = done.and(end);
        }
        done
    }

    /// `None` if nothing changes.
    async fn begin<'a>(
        &self,
        plan: &'a StackPlan,
        report: Report<'_>,
    ) -> Result<Option<Begun<'a>>, Error> {
        match &plan.changes {
            Changes::None => {
                report(Progress::Unchanged { stack: plan.name.clone() });
                Ok(None)
            }
            Changes::Known { id, .. } => self.carry_out(plan, id, report).await.map(Some),
            Changes::Foreseen(_) => self.make(plan, report).await,
        }
    }

    /// The outputs of the stacks: name, value, and what it is for.
    ///
    /// # Errors
    /// If AWS refuses to answer.
    pub async fn outputs(&self) -> Result<Vec<(String, String, String)>, Error> {
        let now = self.look().await?;
        Ok(now.into_values().flat_map(|stack| stack.outputs).collect())
    }

    /// A stack whose change could not be worked out before those before it were there.
    async fn make<'a>(
        &self,
        plan: &'a StackPlan,
        report: Report<'_>,
    ) -> Result<Option<Begun<'a>>, Error> {
        if plan.wreck.is_some() {
            self.remove(&[&plan.stack], report).await?;
        }
        let mut parameters = plan.parameters.clone();
        if plan.stack.is_service() {
            take_listener(&mut parameters, self.describe(&Stack::Services).await?.as_ref());
        }
        let found = self.describe(&plan.stack).await?;
        let (id, set) = self.change_set(&plan.stack, found.as_ref(), &parameters).await?;
        if set.status == "CREATE_COMPLETE" {
            return self.carry_out(plan, &id, report).await.map(Some);
        }
        self.discard(&id).await?;
        if reports_no_changes(&set.reason) {
            report(Progress::Unchanged { stack: plan.name.clone() });
            return Ok(None);
        }
        Err(self.failure(&format!("CloudFormation cannot make stack {}", plan.name), &set.reason))
    }

    async fn carry_out<'a>(
        &self,
        plan: &'a StackPlan,
        id: &str,
        report: Report<'_>,
    ) -> Result<Begun<'a>, Error> {
        let name = &plan.name;
        let failed = |error| self.account.explain(&format!("describe stack {name}"), &error);
        let found = self.account.cloudformation.describe(name).await.map_err(failed)?;
        let found = found.ok_or_else(|| {
            Error::failed(format!("stack {name} went away; run it again for a new plan"))
        })?;
        let is_new = found.status == "REVIEW_IN_PROGRESS";
        let since = self.last_event(&found.id).await?;
        self.execute(name, id).await?;
        let what = if is_new { "create" } else { "update" };
        report(Progress::Begun { stack: name.clone(), what });
        Ok(Begun { plan, id: found.id, since, is_new })
    }

    /// Waits until a change is done.
    async fn finish(&self, begun: &Begun<'_>, report: Report<'_>) -> Result<(), Error> {
        let Begun { plan, id, since, .. } = begun;
        let end = self.follow(&plan.stack, id, since.clone(), report).await?;
        if end.is_good() { Ok(()) } else { Err(ended_badly(begun, &end)) }
    }
}

/// A stack that AWS changes.
struct Begun<'a> {
    plan: &'a StackPlan,
    /// The stack's id.
    id: String,
    /// Its last event before.
    since: Option<String>,
    is_new: bool,
}

fn ended_badly(begun: &Begun<'_>, end: &End) -> Error {
    let Begun { plan, is_new, .. } = begun;
    let mut text = format!("stack {} failed ({}):", plan.name, end.status);
    for failure in &end.failures {
        text.push_str(&format!("\n  {}", described(failure)));
    }
    if end.failures.is_empty() {
        text.push_str("\n  its events have no reason");
    }
    text.push_str(match (end.status.ends_with("_FAILED"), *is_new) {
        (false, true) => {
            "\nwhat it had made was taken back; mend the cause and run `worldbus deploy aws \
             up` again, which removes what is left of the stack and goes on from there"
        }
        (false, false) => {
            "\nit is back where it was before; mend the cause and run `worldbus deploy aws up` \
             again"
        }
        (true, _) => "\nAWS could not take it back; `worldbus deploy aws plan` shows how to go on",
    });
    Error::failed(text)
}
