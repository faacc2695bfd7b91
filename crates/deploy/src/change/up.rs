//! Carrying out a plan, stack by stack.

use crate::Error;
use crate::change::follow::{End, described};
use crate::change::progress::{Progress, Report};
use crate::engine::Engine;
use crate::plan::{Changes, Plan, StackPlan, reports_no_changes};

impl Engine {
    /// Does what is planned, and reports what happens as it does.
    ///
    /// # Errors
    /// At the first stack that fails: what failed, what to do about it, and what is there now. The
    /// change sets of the stacks behind it stay open until [`Engine::abandon`].
    pub async fn up(&self, plan: &Plan, report: Report<'_>) -> Result<(), Error> {
        for stack in &plan.stacks {
            let done = match &stack.changes {
                Changes::None => {
                    report(Progress::Unchanged { stack: stack.name.clone() });
                    continue;
                }
                Changes::Known { id, .. } => self.carry_out(stack, id, report).await,
                Changes::Foreseen(_) => self.make(stack, report).await,
            };
            if let Err(error) = done {
                return Err(error.and(&self.inventory().await));
            }
        }
        Ok(())
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
    async fn make(&self, plan: &StackPlan, report: Report<'_>) -> Result<(), Error> {
        if plan.wreck.is_some() {
            self.remove(plan.stack, report).await?;
        }
        let described = self.account.cloudformation.describe(&plan.name).await;
        let found = described
            .map_err(|error| {
                self.account.explain(&format!("describe stack {}", plan.name), &error)
            })?
            .filter(|found| found.status != "DELETE_COMPLETE");
        let (id, set) = self.change_set(plan.stack, found.as_ref(), &plan.parameters).await?;
        if set.status == "CREATE_COMPLETE" {
            return self.carry_out(plan, &id, report).await;
        }
        self.discard(&id).await?;
        if reports_no_changes(&set.reason) {
            report(Progress::Unchanged { stack: plan.name.clone() });
            return Ok(());
        }
        Err(self.failure(&format!("CloudFormation cannot make stack {}", plan.name), &set.reason))
    }

    async fn carry_out(&self, plan: &StackPlan, id: &str, report: Report<'_>) -> Result<(), Error> {
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
        let end = self.follow(plan.stack, &found.id, since, report).await?;
        if end.is_good() { Ok(()) } else { Err(self.ended_badly(plan, is_new, &end)) }
    }

    fn ended_badly(&self, plan: &StackPlan, is_new: bool, end: &End) -> Error {
        let mut text = format!("stack {} failed ({}):", plan.name, end.status);
        for failure in &end.failures {
            text.push_str(&format!("\n  {}", described(failure)));
        }
        if end.failures.is_empty() {
            text.push_str("\n  its events have no reason");
        }
        text.push_str(match (end.status.ends_with("_FAILED"), is_new) {
            (false, true) => {
                "\nwhat it had made was taken back; mend the cause and run `worldbus deploy aws \
                 up` again, which removes what is left of the stack and goes on from there"
            }
            (false, false) => {
                "\nit is back where it was before; mend the cause and run `worldbus deploy aws up` \
                 again"
            }
            (true, _) => {
                "\nAWS could not take it back; `worldbus deploy aws plan` shows how to go on"
            }
        });
        Error::failed(text)
    }
}
