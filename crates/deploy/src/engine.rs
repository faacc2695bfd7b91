//! What plan, up, status and down have in common: the deployment, the account, and the change sets
//! that are open.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::aws::cloudformation::{ChangeSet, Description};
use crate::template::built_in::Stack;
use crate::template::evaluate::Parameters;
use crate::{Account, Deployment, Error};

/// The name of our change sets. One a stack: a new plan replaces an earlier one, so that none
/// executes what was planned for a stack that has changed since.
const CHANGE_SET: &str = "worldbus-deploy";
/// How long CloudFormation may take to work out a change set.
const CHANGE_SET_MAX: Duration = Duration::from_secs(300);
/// How often it is asked.
const LOOK_MIN: Duration = Duration::from_millis(100);
const LOOK_MAX: Duration = Duration::from_secs(3);

/// A deployment and the account that it is in.
#[derive(Debug)]
pub struct Engine {
    pub(crate) account: Account,
    pub(crate) deployment: Deployment,
    open: Mutex<Vec<OpenChangeSet>>,
}

/// A change set that is neither executed nor deleted.
#[derive(Debug, Clone)]
struct OpenChangeSet {
    id: String,
    /// The stack that came about with it and is nothing without it.
    hollow: Option<String>,
}

/// The parameter of a service's stack that is an output of the services stack. No import: what is
/// imported may not change, and a balancer that opens or closes to the internet is another one.
const LISTENER: &str = "ListenerArn";

/// Stacks as they are.
pub(crate) type Now = BTreeMap<Stack, Description>;

impl Engine {
    /// Brings them together. Asks nothing yet.
    pub fn new(account: Account, deployment: Deployment) -> Self {
        Self { account, deployment, open: Mutex::default() }
    }

    /// What is deployed.
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// All stacks that are there.
    pub(crate) async fn look(&self) -> Result<Now, Error> {
        let mut now = Now::new();
        for stack in self.deployment.stacks() {
            if let Some(described) = self.describe(stack).await? {
                now.insert(stack.clone(), described);
            }
        }
        Ok(now)
    }

    /// A stack as it is; `None` if it is not there.
    pub(crate) async fn describe(&self, stack: &Stack) -> Result<Option<Description>, Error> {
        let name = self.deployment.name(stack);
        let described = self.account.cloudformation.describe(&name).await;
        let described = described
            .map_err(|error| self.account.explain(&format!("describe stack {name}"), &error))?;
        // A deleted stack may be described for a while.
        Ok(described.filter(|found| found.status != "DELETE_COMPLETE"))
    }

    /// What a stack's parameters shall be.
    pub(crate) fn parameters(&self, stack: &Stack, now: &Now) -> Parameters {
        let has = |stack: &Stack| now.get(stack).map(|found| found.parameters.clone());
        let mut shall = self.deployment.parameters(stack, &has);
        take_listener(&mut shall, now.get(&Stack::Services));
        shall
    }

    /// Makes a change set and waits until CloudFormation has worked it out.
    pub(crate) async fn change_set(
        &self,
        stack: &Stack,
        before: Option<&Description>,
        shall: &Parameters,
    ) -> Result<(String, ChangeSet), Error> {
        let name = self.deployment.name(stack);
        let failed =
            |error| self.account.explain(&format!("plan a change of stack {name}"), &error);
        let is_new = before.is_none_or(|before| before.status == "REVIEW_IN_PROGRESS");
        let has = before.map(|before| &before.parameters).filter(|_| !is_new);
        let text = &self.deployment.template(stack).text;
        let cloudformation = &self.account.cloudformation;
        let ask = || cloudformation.create_change_set(&name, CHANGE_SET, is_new, text, shall, has);
        let id = match ask().await {
            // Planned earlier, and not carried out.
            Err(error) if error.to_string().contains("AlreadyExists") => {
                cloudformation.delete_change_set_of(&name, CHANGE_SET).await.map_err(failed)?;
                ask().await
            }
            answer => answer,
        };
        let id = id.map_err(failed)?;
        let hollow = before.is_none().then(|| name.clone());
        self.lock().push(OpenChangeSet { id: id.clone(), hollow });
        let end = Instant::now() + CHANGE_SET_MAX;
        let mut pause = LOOK_MIN;
        loop {
            let set = cloudformation.describe_change_set(&id).await.map_err(failed)?;
            if set.status == "CREATE_COMPLETE" || set.status == "FAILED" {
                return Ok((id, set));
            }
            if Instant::now() > end {
                return Err(Error::failed(format!(
                    "CloudFormation has not worked out the change of stack {name} within \
                     {CHANGE_SET_MAX:?} ({}); run it again",
                    set.status
                )));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LOOK_MAX);
        }
    }

    /// Executes a change set; it is no longer open then.
    pub(crate) async fn execute(&self, stack: &str, id: &str) -> Result<(), Error> {
        let executed = self.account.cloudformation.execute_change_set(id).await;
        executed.map_err(|error| self.account.explain(&format!("change stack {stack}"), &error))?;
        self.lock().retain(|open| open.id != id);
        Ok(())
    }

    /// Deletes a change set, and the stack that is nothing without it.
    pub(crate) async fn discard(&self, id: &str) -> Result<(), Error> {
        let found = self.lock().iter().position(|open| open.id == id);
        let Some(index) = found else { return Ok(()) };
        let open = self.lock().swap_remove(index);
        let cloudformation = &self.account.cloudformation;
        let mut done = cloudformation.delete_change_set(&open.id).await;
        if let (Ok(()), Some(stack)) = (&done, &open.hollow) {
            done = cloudformation.delete_stack(stack).await;
        }
        done.map_err(|error| self.account.explain("delete a change set", &error))
    }

    /// Deletes all change sets that are open: they are not wanted any more.
    ///
    /// # Errors
    /// The first; the others are tried all the same.
    pub async fn abandon(&self) -> Result<(), Error> {
        let ids: Vec<String> = self.lock().iter().map(|open| open.id.clone()).collect();
        let mut result = Ok(());
        for id in ids {
            let done = self.discard(&id).await;
            result = result.and(done);
        }
        result
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<OpenChangeSet>> {
        // No holder panics.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sets where the balancer listens, in the parameters of a service's stack: empty without one.
pub(crate) fn take_listener(shall: &mut Parameters, services: Option<&Description>) {
    let is_balanced = is_production(shall);
    let Some(listener) = shall.get_mut(LISTENER) else { return };
    let mut outputs = services.into_iter().flat_map(|found| &found.outputs);
    let found = outputs.find(|(name, ..)| is_balanced && name == LISTENER);
    *listener = found.map(|(_, value, _)| value.clone()).unwrap_or_default();
}

/// Whether a stack with these parameters has or uses a balancer.
pub(crate) fn is_production(parameters: &Parameters) -> bool {
    parameters.get("Profile").is_some_and(|profile| profile == "production")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_takes_the_listener_that_is_there_and_none_without_a_balancer() {
        let output = (LISTENER.to_owned(), "arn:new".to_owned(), String::new());
        let services = Description { outputs: vec![output], ..Description::default() };
        let taken = |profile: &str, services| {
            let given = [("Profile", profile), (LISTENER, "arn:old")];
            let mut shall = given.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            take_listener(&mut shall, services);
            shall.remove(LISTENER)
        };
        assert_eq!(taken("production", Some(&services)).as_deref(), Some("arn:new"));
        assert_eq!(taken("minimal", Some(&services)).as_deref(), Some(""));
        assert_eq!(taken("production", None).as_deref(), Some(""));
    }
}
