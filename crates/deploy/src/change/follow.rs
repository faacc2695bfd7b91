//! Following a stack until it is done: what happens to each resource, and what failed first.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::Error;
use crate::aws::advice;
use crate::aws::cloudformation::Event;
use crate::change::progress::{Progress, Report};
use crate::change::tasks;
use crate::engine::Engine;
use crate::template::built_in::Stack;
use worldbus_aws::CallError;

/// How long a stack is followed. CloudFormation waits three hours for a service that does not
/// become stable; the circuit breaker ends that far earlier.
const FOLLOW_MAX: Duration = Duration::from_secs(2 * 3600);
/// How often it is looked at; less often while nothing happens.
const LOOK_MIN: Duration = Duration::from_millis(200);
const LOOK_MAX: Duration = Duration::from_secs(5);
/// Looks in a row that may fail: AWS goes on whether we see it or not.
const BLIND_COUNT_MAX: u32 = 20;
/// Failures that are reported.
const FAILURE_COUNT_MAX: usize = 8;

/// How a stack ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) status: String,
    /// What failed, the first first.
    pub(crate) failures: Vec<Event>,
}

impl End {
    /// Whether it came about.
    pub(crate) fn is_good(&self) -> bool {
        let ends = ["CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"];
        ends.contains(&self.status.as_str())
    }
}

/// What was seen of a stack.
struct Seen {
    /// The last event.
    since: Option<String>,
    failures: Vec<Event>,
}

impl Seen {
    fn take(&mut self, events: Vec<Event>) {
        for event in events {
            self.since = Some(event.id.clone());
            if event.status.ends_with("_FAILED") && self.failures.len() < FAILURE_COUNT_MAX {
                self.failures.push(event);
            }
        }
    }
}

impl Engine {
    /// The last event of a stack, to follow from there.
    pub(crate) async fn last_event(&self, id: &str) -> Result<Option<String>, Error> {
        let last = self.account.cloudformation.last_event(id).await;
        last.map_err(|error| self.account.explain("read a stack's events", &error))
    }

    /// Follows a stack, by its id, from an event on until it is done.
    pub(crate) async fn follow(
        &self,
        stack: &Stack,
        id: &str,
        since: Option<String>,
        report: Report<'_>,
    ) -> Result<End, Error> {
        let name = self.deployment.name(stack);
        let end = Instant::now() + FOLLOW_MAX;
        let (mut pause, mut blind) = (LOOK_MIN, 0);
        let mut seen = Seen { since, failures: Vec::new() };
        let mut stopped = BTreeSet::new();
        loop {
            match self.look_at(id, seen.since.as_deref()).await {
                Ok((status, events)) => {
                    blind = 0;
                    pause = if events.is_empty() { (pause * 2).min(LOOK_MAX) } else { LOOK_MIN };
                    events.iter().for_each(|event| report(resource(&name, event)));
                    seen.take(events);
                    if !status.ends_with("_IN_PROGRESS") {
                        report(Progress::Ended { stack: name, status: status.clone() });
                        return Ok(End { status, failures: causes(seen.failures) });
                    }
                }
                Err(_) if blind < BLIND_COUNT_MAX => blind += 1,
                Err(error) => {
                    let what = format!("see how stack {name} gets on");
                    return Err(self.account.explain(&what, &error).and(&self.goes_on(&name)));
                }
            }
            if let Some(service) = tasks::service_of(stack) {
                tasks::report_stopped(self, service, &mut stopped, report).await;
            }
            if Instant::now() > end {
                let words = format!("stack {name} is not done within {FOLLOW_MAX:?}");
                return Err(Error::failed(words).and(&self.goes_on(&name)));
            }
            sleep(pause).await;
        }
    }

    /// The state of a stack and what led to it. First the state: what is read after it is no less.
    async fn look_at(
        &self,
        id: &str,
        since: Option<&str>,
    ) -> Result<(String, Vec<Event>), CallError> {
        let cloudformation = &self.account.cloudformation;
        let Some(found) = cloudformation.describe(id).await? else {
            return Ok(("DELETE_COMPLETE".to_owned(), Vec::new()));
        };
        Ok((found.status, cloudformation.events(id, since).await?))
    }

    /// That AWS goes on without us.
    pub(crate) fn goes_on(&self, name: &str) -> String {
        format!(
            "; AWS goes on with stack {name}: look with `worldbus deploy aws status --region {} \
             --system-name {}`",
            self.deployment.region, self.deployment.system_name
        )
    }

    /// Why a stack is in the state that it is in, from its events.
    pub(crate) async fn past_failure(&self, id: &str) -> Result<String, Error> {
        let events = self.account.cloudformation.events(id, None).await;
        let events =
            events.map_err(|error| self.account.explain("read a stack's events", &error))?;
        let failures = events.into_iter().filter(|event| event.status.ends_with("_FAILED"));
        let mut failures: Vec<Event> = failures.collect();
        // The latest are those of the last operation.
        let old = failures.len().saturating_sub(FAILURE_COUNT_MAX);
        let causes = causes(failures.split_off(old));
        let Some(cause) = causes.last() else {
            return Ok("its events have no reason".to_owned());
        };
        Ok(described(cause))
    }

    /// An error for a reason, with what to do about it.
    pub(crate) fn failure(&self, what: &str, reason: &str) -> Error {
        let advice = advice::of(reason).map(|advice| format!("; {advice}")).unwrap_or_default();
        Error::failed(format!("{what}: {reason}{advice}"))
    }
}

/// A failure in words, with what to do about it.
pub(crate) fn described(event: &Event) -> String {
    let Event { logical, kind, physical, reason, .. } = event;
    let name = if physical.is_empty() { String::new() } else { format!(" {physical}") };
    let advice = advice::of(reason).map(|advice| format!("\n    {advice}")).unwrap_or_default();
    format!("{logical} ({kind}{name}): {reason}{advice}")
}

/// Failures that caused others, not those that followed: what was under way is cancelled, and the
/// stack fails because its resources did.
fn causes(failures: Vec<Event>) -> Vec<Event> {
    let is_cause = |event: &&Event| {
        !event.reason.contains("cancelled")
            && event.kind != "AWS::CloudFormation::Stack"
            && !event.reason.is_empty()
    };
    let found: Vec<Event> = failures.iter().filter(is_cause).cloned().collect();
    if found.is_empty() { failures } else { found }
}

fn resource(stack: &str, event: &Event) -> Progress {
    Progress::Resource {
        stack: stack.to_owned(),
        logical: event.logical.clone(),
        kind: event.kind.clone(),
        status: event.status.clone(),
        reason: event.reason.clone(),
    }
}
