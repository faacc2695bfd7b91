//! What runs, compared with what should.

use serde_json::{Value, json};

use crate::Error;
use crate::aws::advice;
use crate::aws::cloudformation::{Description, StackResource, child, members, read, text};
use crate::engine::Engine;
use crate::template::built_in::Stack;

/// Services that are described in one call (D).
const SERVICE_COUNT_MAX: usize = 10;
/// Alarms that are described in one call (D).
const ALARM_COUNT_MAX: usize = 100;
/// The version of CloudWatch's API (D).
const MONITORING_VERSION: &str = "2010-08-01";

/// What was looked at.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// In the order in which things are made.
    pub findings: Vec<Finding>,
}

/// One thing as it is.
#[derive(Debug, Clone)]
pub struct Finding {
    /// `stack`, `service` or `alarm`.
    pub of: &'static str,
    /// Its name.
    pub name: String,
    /// How it is.
    pub is: String,
    /// What is not as it should be, and what to do.
    pub differs: Vec<String>,
}

impl Status {
    /// Whether anything is not as it should be.
    pub fn differs(&self) -> bool {
        self.findings.iter().any(|finding| !finding.differs.is_empty())
    }
}

impl Engine {
    /// Looks at stacks, services and alarms.
    ///
    /// # Errors
    /// If AWS refuses to answer.
    pub async fn status(&self) -> Result<Status, Error> {
        let now = self.look().await?;
        let mut status = Status::default();
        for stack in self.deployment.stacks() {
            let name = self.deployment.name(stack);
            let is_made = |found: &&Description| found.status != "REVIEW_IN_PROGRESS";
            let Some(found) = now.get(stack).filter(is_made) else {
                status.findings.push(finding("stack", &name, "is not there", &[UP]));
                continue;
            };
            let mut differs = self.state_differs(&found.id, &found.status).await?;
            differs.extend(self.template_differs(stack, &name).await?);
            for (parameter, shall) in self.parameters(stack, &now) {
                let is = found.parameters.get(&parameter);
                if is.is_some_and(|is| *is != shall) {
                    let is = is.map_or("", String::as_str);
                    differs.push(format!("{parameter} is {is:?}, not {shall:?}: {UP}"));
                }
            }
            status.findings.push(Finding { of: "stack", name, is: found.status.clone(), differs });
        }
        let (mut services, mut alarms) = (Vec::new(), Vec::new());
        for found in now.values() {
            for resource in self.resources_of(&found.id).await? {
                match resource.kind.as_str() {
                    "AWS::ECS::Service" => services.push(resource),
                    "AWS::CloudWatch::Alarm" => alarms.push(resource),
                    _ => {}
                }
            }
        }
        status.findings.extend(self.services(&services).await?);
        status.findings.extend(self.alarms(&alarms).await?);
        Ok(status)
    }

    async fn state_differs(&self, id: &str, status: &str) -> Result<Vec<String>, Error> {
        if matches!(status, "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE") {
            return Ok(Vec::new());
        }
        if status.ends_with("_IN_PROGRESS") && !status.contains("ROLLBACK") {
            return Ok(vec!["it is being changed: wait, and look again".to_owned()]);
        }
        let why = self.past_failure(id).await?;
        Ok(vec![format!("{why}; `worldbus deploy aws plan` shows how to go on")])
    }

    async fn template_differs(&self, stack: &Stack, name: &str) -> Result<Option<String>, Error> {
        let deployed = self.account.cloudformation.template(name).await;
        let deployed = deployed.map_err(|error| {
            self.account.explain(&format!("read the template of {name}"), &error)
        })?;
        let is_ours = self.deployment.template(stack).is(&deployed);
        Ok((!is_ours).then(|| format!("its template is not that of this program: {UP}")))
    }

    async fn resources_of(&self, id: &str) -> Result<Vec<StackResource>, Error> {
        let all = self.account.cloudformation.resources(id).await;
        let all = all.map_err(|error| self.account.explain("list a stack's resources", &error))?;
        let is_there = |resource: &StackResource| {
            !resource.physical.is_empty() && resource.status != "DELETE_COMPLETE"
        };
        Ok(all.into_iter().filter(is_there).collect())
    }

    async fn services(&self, resources: &[StackResource]) -> Result<Vec<Finding>, Error> {
        let cluster = format!("{}-cluster", self.deployment.system_name);
        let mut findings = Vec::new();
        for some in resources.chunks(SERVICE_COUNT_MAX) {
            let names: Vec<&str> = some.iter().map(|service| &*service.physical).collect();
            let input = json!({ "cluster": cluster, "services": names });
            let answer = self.account.ecs("DescribeServices", &input).await;
            let answer =
                answer.map_err(|error| self.account.explain("describe services", &error))?;
            findings.extend(answer["services"].as_array().into_iter().flatten().map(service));
            for missing in answer["failures"].as_array().into_iter().flatten() {
                let arn = missing["arn"].as_str().unwrap_or_default();
                let name = arn.rsplit('/').next().unwrap_or(arn);
                findings.push(finding("service", name, "is not there", &[UP]));
            }
        }
        Ok(findings)
    }

    async fn alarms(&self, resources: &[StackResource]) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        for some in resources.chunks(ALARM_COUNT_MAX) {
            let names = some.iter().enumerate();
            let names =
                names.map(|(n, a)| (format!("AlarmNames.member.{}", n + 1), a.physical.clone()));
            let fields: Vec<_> = names.collect();
            let caller = &self.account.monitoring;
            let failed = |error| self.account.explain("describe alarms", &error);
            let answer = caller.form(MONITORING_VERSION, "DescribeAlarms", &fields).await;
            let found = read(&answer.map_err(failed)?, |root| {
                let alarms = child(root, "MetricAlarms").into_iter().flat_map(members);
                alarms
                    .map(|alarm| {
                        let of = |name| text(alarm, name);
                        (of("AlarmName"), of("StateValue"), of("StateReason"))
                    })
                    .collect::<Vec<_>>()
            });
            for (name, state, reason) in found.map_err(failed)? {
                let differs = if state == "ALARM" { vec![reason] } else { Vec::new() };
                findings.push(Finding { of: "alarm", name, is: state, differs });
            }
        }
        Ok(findings)
    }
}

/// What to do about most things.
const UP: &str = "`worldbus deploy aws up` sets it";

fn finding(of: &'static str, name: &str, is: &str, differs: &[&str]) -> Finding {
    let differs = differs.iter().map(|&text| text.to_owned()).collect();
    Finding { of, name: name.to_owned(), is: is.to_owned(), differs }
}

/// What ECS reports of a service.
fn service(service: &Value) -> Finding {
    let count = |name: &str| service[name].as_i64().unwrap_or(0);
    let (desired, running, pending) =
        (count("desiredCount"), count("runningCount"), count("pendingCount"));
    let deployments = service["deployments"].as_array().map(Vec::as_slice).unwrap_or_default();
    let primary = deployments.iter().find(|deployment| deployment["status"] == "PRIMARY");
    let rollout = primary.and_then(|primary| primary["rolloutState"].as_str()).unwrap_or("UNKNOWN");
    let mut differs = Vec::new();
    if running != desired || pending != 0 {
        let message = service["events"][0]["message"].as_str().unwrap_or("ECS gives no reason");
        let advice = advice::of(message).map(|advice| format!("; {advice}")).unwrap_or_default();
        differs
            .push(format!("{running} of {desired} run, {pending} on their way: {message}{advice}"));
    }
    if rollout != "COMPLETED" {
        let why = primary.and_then(|primary| primary["rolloutStateReason"].as_str());
        differs.push(format!("its rollout is {rollout}: {}", why.unwrap_or("ECS gives no reason")));
    }
    Finding {
        of: "service",
        name: service["serviceName"].as_str().unwrap_or_default().to_owned(),
        is: format!("{running} running of {desired}, {pending} pending, rollout {rollout}"),
        differs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_that_is_not_whole_differs_with_what_ecs_says() {
        let whole = json!({
            "serviceName": "time-manager", "desiredCount": 2, "runningCount": 2, "pendingCount": 0,
            "deployments": [{ "status": "PRIMARY", "rolloutState": "COMPLETED" }],
        });
        assert!(service(&whole).differs.is_empty());
        let broken = json!({
            "serviceName": "time-manager", "desiredCount": 2, "runningCount": 1, "pendingCount": 0,
            "deployments": [
                { "status": "ACTIVE", "rolloutState": "COMPLETED" },
                { "status": "PRIMARY", "rolloutState": "FAILED",
                  "rolloutStateReason": "ECS deployment circuit breaker: tasks failed to start." },
            ],
            "events": [{ "message": "unable to place: CannotPullContainerError" }],
        });
        let found = service(&broken);
        assert!(found.differs[0].contains("1 of 2 run") && found.differs[0].contains("--image"));
        assert!(
            found.differs[1].contains("FAILED") && found.differs[1].contains("circuit breaker")
        );
    }
}
