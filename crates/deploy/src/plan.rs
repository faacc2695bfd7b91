//! What `up` would do: per stack the change set that CloudFormation works out, or, where it cannot
//! yet, what the template makes.

use crate::Error;
use crate::aws::cloudformation::{Change, Description};
use crate::change::tasks;
use crate::engine::{Engine, Now};
use crate::options::ask_for;
use crate::template::built_in::{Resource, Stack};
use crate::template::evaluate::Parameters;

/// What would be done, stack by stack.
#[derive(Debug, Clone)]
pub struct Plan {
    /// In the order in which it is done.
    pub stacks: Vec<StackPlan>,
    /// All resources that would be there afterwards.
    pub resources: Vec<Resource>,
}

/// What would be done with a stack.
#[derive(Debug, Clone)]
pub struct StackPlan {
    /// Which.
    pub stack: Stack,
    /// Its name in CloudFormation.
    pub name: String,
    /// E.g. `UPDATE_COMPLETE`; `None` if it is not there.
    pub status: Option<String>,
    /// Why it could not be made before; what is left of it goes first.
    pub wreck: Option<String>,
    /// What changes in it.
    pub changes: Changes,
    /// What its parameters shall be.
    pub parameters: Parameters,
}

/// What changes in a stack.
#[derive(Debug, Clone)]
pub enum Changes {
    /// Nothing.
    None,
    /// What CloudFormation computed; the change set is open.
    Known {
        /// The change set.
        id: String,
        /// What it does.
        changes: Vec<Change>,
    },
    /// The stack takes from stacks that are not there yet, so CloudFormation cannot compute it:
    /// what the template has.
    Foreseen(Vec<Change>),
}

impl Plan {
    /// Whether everything is as it should be.
    pub fn is_empty(&self) -> bool {
        self.stacks.iter().all(|stack| matches!(stack.changes, Changes::None))
    }
}

impl Changes {
    /// The changes, from whichever side.
    pub fn list(&self) -> &[Change] {
        match self {
            Self::None => &[],
            Self::Known { changes, .. } | Self::Foreseen(changes) => changes,
        }
    }
}

impl Engine {
    /// Works out what `up` would do. Its change sets are open until they are executed or
    /// [`Engine::abandon`] deletes them.
    ///
    /// # Errors
    /// If a parameter has no value, an image is not in its registry, a stack is in a state that
    /// allows no change, or AWS refuses; with what to do. Nothing was changed.
    pub async fn plan(&self) -> Result<Plan, Error> {
        let now = self.look().await?;
        let has = |stack: Stack| now.get(&stack).map(|found| found.parameters.clone());
        for stack in Stack::ALL {
            if let Some(found) = now.get(&stack) {
                self.check_state(stack, found).await?;
            }
            let shall = self.deployment.parameters(stack, &has);
            if let Some(parameter) = self.deployment.missing(stack, &shall) {
                return Err(ask_for(&parameter));
            }
        }
        tasks::check_image(self, &self.deployment.parameters(Stack::Services, &has)).await?;
        let mut stacks: Vec<StackPlan> = Vec::new();
        for stack in Stack::ALL {
            let parameters = self.deployment.parameters(stack, &has);
            let stands = stacks.iter().all(|before| matches!(before.changes, Changes::None));
            stacks.push(self.plan_stack(stack, &now, parameters, stands).await?);
        }
        Ok(Plan { stacks, resources: self.deployment.resources(&has) })
    }

    /// `stands` if nothing changes in the stacks before.
    async fn plan_stack(
        &self,
        stack: Stack,
        now: &Now,
        parameters: Parameters,
        stands: bool,
    ) -> Result<StackPlan, Error> {
        let found = now.get(&stack);
        let name = self.deployment.name(stack);
        let is_wreck = found.is_some_and(|found| found.status == "ROLLBACK_COMPLETE");
        let wreck = match found {
            Some(found) if is_wreck => Some(self.past_failure(&found.id).await?),
            _ => None,
        };
        let is_new = found.is_none_or(is_not_yet);
        let leans = self.deployment.template(stack).imports();
        let changes = if is_wreck || (is_new && leans && !stands) {
            Changes::Foreseen(self.foreseen(stack, &parameters))
        } else {
            self.worked_out(stack, found, &parameters, stands).await?
        };
        let status = found.map(|found| found.status.clone());
        Ok(StackPlan { stack, name, status, wreck, changes, parameters })
    }

    async fn worked_out(
        &self,
        stack: Stack,
        found: Option<&Description>,
        parameters: &Parameters,
        stands: bool,
    ) -> Result<Changes, Error> {
        let (id, set) = self.change_set(stack, found, parameters).await?;
        if set.status == "CREATE_COMPLETE" {
            return Ok(Changes::Known { id, changes: set.changes });
        }
        self.discard(&id).await?;
        if reports_no_changes(&set.reason) {
            return Ok(Changes::None);
        }
        if !stands && set.reason.contains("No export named") {
            return Ok(Changes::Foreseen(Vec::new()));
        }
        let name = self.deployment.name(stack);
        Err(self.failure(&format!("CloudFormation cannot change stack {name}"), &set.reason))
    }

    /// All that a stack which is not there yet will have.
    fn foreseen(&self, stack: Stack, parameters: &Parameters) -> Vec<Change> {
        let template = self.deployment.template(stack);
        let added = |resource: Resource| Change {
            action: "Add".to_owned(),
            logical: resource.logical,
            physical: String::new(),
            kind: resource.kind,
            replacement: String::new(),
            properties: Vec::new(),
        };
        template.resources(parameters, &self.deployment.region).into_iter().map(added).collect()
    }

    /// Refuses a stack that cannot be changed as it is.
    async fn check_state(&self, stack: Stack, found: &Description) -> Result<(), Error> {
        let name = self.deployment.name(stack);
        let (status, region) = (&found.status, &self.deployment.region);
        if is_not_yet(found) || status == "ROLLBACK_COMPLETE" {
            return Ok(());
        }
        if status.ends_with("_IN_PROGRESS") {
            return Err(Error::failed(format!(
                "stack {name} is {status}: it is being changed, or what was interrupted goes on; \
                 wait until `worldbus deploy aws status` shows the end, then run it again"
            )));
        }
        if !status.ends_with("_FAILED") {
            return Ok(());
        }
        let why = self.past_failure(&found.id).await?;
        let mend = match status.as_str() {
            "UPDATE_ROLLBACK_FAILED" => format!(
                "mend that, then go back with `aws cloudformation continue-update-rollback \
                 --stack-name {name} --region {region}`, then run it again"
            ),
            _ => format!(
                "mend that, then delete what is left with `aws cloudformation delete-stack \
                 --stack-name {name} --region {region}`, then run it again"
            ),
        };
        let text = format!("stack {name} is {status}:\n  {why}\n{mend}");
        Err(Error::failed(text).and(&self.inventory().await))
    }
}

/// Whether there is a stack by name only.
fn is_not_yet(found: &Description) -> bool {
    found.status == "REVIEW_IN_PROGRESS" || found.status == "ROLLBACK_COMPLETE"
}

/// The two ways in which CloudFormation reports that there is nothing to do.
pub(crate) fn reports_no_changes(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains("No updates are to be performed")
}
