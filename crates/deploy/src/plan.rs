//! What `up` would do: per stack the change set that CloudFormation works out, or, where it cannot
//! yet, what the template makes.

use crate::Error;
use crate::aws::cloudformation::{Change, Description};
use crate::change::tasks;
use crate::engine::{Engine, Now, is_production};
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
        for stack in self.deployment.stacks() {
            if let Some(found) = now.get(stack) {
                self.check_state(stack, found).await?;
            }
            let shall = self.parameters(stack, &now);
            if let Some(parameter) = self.deployment.missing(stack, &shall) {
                return Err(ask_for(&parameter));
            }
        }
        self.check_database(&now)?;
        let shared = self.parameters(&Stack::Services, &now);
        tasks::check_image(self, &shared).await?;
        let balancer = Balancer::of(now.get(&Stack::Services), &shared);
        let mut stacks: Vec<StackPlan> = Vec::new();
        for stack in balancer.order(self.deployment.stacks()) {
            let parameters = self.parameters(stack, &now);
            let stands = stacks.iter().all(|before| matches!(before.changes, Changes::None));
            let is_later = balancer == Balancer::Another && stack.is_service();
            stacks.push(self.plan_stack(stack, &now, parameters, stands, is_later).await?);
        }
        let has = |stack: &Stack| now.get(stack).map(|found| found.parameters.clone());
        Ok(Plan { stacks, resources: self.deployment.resources(&has) })
    }

    /// `stands` if nothing changes in the stacks before, `is_later` if a parameter is known only
    /// once they have changed.
    async fn plan_stack(
        &self,
        stack: &Stack,
        now: &Now,
        parameters: Parameters,
        stands: bool,
        is_later: bool,
    ) -> Result<StackPlan, Error> {
        let found = now.get(stack);
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
        } else if is_later {
            Changes::Foreseen(Vec::new())
        } else {
            self.worked_out(stack, found, &parameters, stands).await?
        };
        let status = found.map(|found| found.status.clone());
        let stack = stack.clone();
        Ok(StackPlan { stack, name, status, wreck, changes, parameters })
    }

    async fn worked_out(
        &self,
        stack: &Stack,
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
    fn foreseen(&self, stack: &Stack, parameters: &Parameters) -> Vec<Change> {
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
    async fn check_state(&self, stack: &Stack, found: &Description) -> Result<(), Error> {
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

/// What becomes of the balancer that the services stack has, and of the namespace with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Balancer {
    /// As it is, or absent.
    Same,
    /// It comes about, or another takes its place: services join it once it is there.
    Another,
    /// It goes: services leave it first.
    Goes,
}

impl Balancer {
    fn of(services: Option<&Description>, shall: &Parameters) -> Self {
        let open = |of: &Parameters| of.get("InternetFacing").is_some_and(|open| open == "true");
        let had = services.map(|found| &found.parameters).filter(|had| is_production(had));
        match (had, is_production(shall)) {
            (Some(_), false) => Self::Goes,
            (Some(had), true) if open(had) == open(shall) => Self::Same,
            (_, true) => Self::Another,
            (None, false) => Self::Same,
        }
    }

    /// Stacks in the order in which they change.
    fn order<'a>(self, stacks: impl Iterator<Item = &'a Stack>) -> Vec<&'a Stack> {
        let mut stacks: Vec<&Stack> = stacks.collect();
        if self == Self::Goes {
            // The sort is stable.
            stacks.sort_by_key(|stack| matches!(stack, Stack::Services | Stack::Observability));
        }
        stacks
    }
}

/// Whether there is a stack by name only.
pub(crate) fn is_not_yet(found: &Description) -> bool {
    found.status == "REVIEW_IN_PROGRESS" || found.status == "ROLLBACK_COMPLETE"
}

/// The two ways in which CloudFormation reports that there is nothing to do.
pub(crate) fn reports_no_changes(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains("No updates are to be performed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(profile: &str, open: &str) -> Parameters {
        let given = [("Profile", profile), ("InternetFacing", open)];
        given.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    fn labels(balancer: Balancer) -> Vec<String> {
        let service = |name: &str| Stack::Service(name.to_owned());
        let stacks = [Stack::Messaging, Stack::Services, service("a"), service("b")];
        let stacks = [&stacks[..], &[Stack::Observability]].concat();
        balancer.order(stacks.iter()).iter().map(|stack| stack.label().to_owned()).collect()
    }

    #[test]
    fn services_join_a_balancer_after_it_is_there_and_leave_it_before_it_goes() {
        let becomes = |before: Option<(&str, &str)>, after: (&str, &str)| {
            let parameters_before = before.map(|(profile, open)| parameters(profile, open));
            let found = parameters_before
                .map(|parameters| Description { parameters, ..Description::default() });
            Balancer::of(found.as_ref(), &parameters(after.0, after.1))
        };
        let (minimal, inside, open) =
            (("minimal", "false"), ("production", "false"), ("production", "true"));
        assert_eq!(becomes(None, minimal), Balancer::Same);
        assert_eq!(becomes(Some(minimal), minimal), Balancer::Same);
        assert_eq!(becomes(Some(inside), inside), Balancer::Same);
        for (before, after) in
            [(None, inside), (Some(minimal), open), (Some(inside), open), (Some(open), inside)]
        {
            assert_eq!(becomes(before, after), Balancer::Another, "{before:?} {after:?}");
        }
        assert_eq!(becomes(Some(open), minimal), Balancer::Goes);
        let usual = ["messaging", "services", "a", "b", "observability"];
        assert_eq!(labels(Balancer::Another), usual);
        let leaving = ["messaging", "a", "b", "services", "observability"];
        assert_eq!(labels(Balancer::Goes), leaving);
    }
}
