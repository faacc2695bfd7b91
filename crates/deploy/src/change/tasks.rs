//! Tasks and their image: whether it is there before anything is made, and why tasks stop while a
//! stack waits for them, which CloudFormation does not report.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::Error;
use crate::change::progress::{Progress, Report};
use crate::engine::Engine;
use crate::options::EVENT_BUS;
use crate::template::built_in::Stack;
use crate::template::evaluate::Parameters;
use worldbus_aws::CallError;

/// Tasks that are described in one call (D).
const TASK_COUNT_MAX: usize = 100;

/// Refuses an image that its registry does not have. Only ECR's registries are asked; what
/// is elsewhere, or not for us to see, ECS will find out.
pub(crate) async fn check_image(engine: &Engine, services: &Parameters) -> Result<(), Error> {
    let Some(image) = services.get("Image") else { return Ok(()) };
    let Some(Place { registry, region, name, which }) = place(image) else { return Ok(()) };
    if region != engine.deployment.region {
        return Ok(());
    }
    let input = json!({ "registryId": registry, "repositoryName": name, "imageIds": [which] });
    match engine.account.registry("DescribeImages", &input).await {
        Err(CallError::Refused { code, .. })
            if code == "ImageNotFoundException" || code == "RepositoryNotFoundException" =>
        {
            Err(Error::failed(format!(
                "image {image} is not in its registry ({code}): push it first, or name another \
                 with --image; nothing was made"
            )))
        }
        _ => Ok(()),
    }
}

/// Where an image is, if that is in ECR.
struct Place<'a> {
    registry: &'a str,
    region: &'a str,
    name: &'a str,
    which: Value,
}

/// Takes apart `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG` or `…@sha256:…`.
fn place(image: &str) -> Option<Place<'_>> {
    let (host, path) = image.split_once('/')?;
    let (registry, rest) = host.split_once(".dkr.ecr.")?;
    let (region, _) = rest.split_once(".amazonaws.com")?;
    let (name, which) = match path.split_once('@') {
        Some((name, digest)) => (name, json!({ "imageDigest": digest })),
        None => {
            let (name, tag) = path.split_once(':').unwrap_or((path, "latest"));
            (name, json!({ "imageTag": tag }))
        }
    };
    Some(Place { registry, region, name, which })
}

/// The service whose tasks a stack waits for.
pub(crate) fn service_of(stack: &Stack) -> Option<&str> {
    match stack {
        Stack::Services => Some(EVENT_BUS),
        Stack::Service(name) => Some(name),
        _ => None,
    }
}

/// Reports tasks of a service that stopped, each once. That ECS does not answer is no reason to
/// fail.
pub(crate) async fn report_stopped(
    engine: &Engine,
    service: &str,
    reported: &mut BTreeSet<String>,
    report: Report<'_>,
) {
    let cluster = format!("{}-cluster", engine.deployment.system_name);
    let wanted = json!({ "cluster": cluster, "serviceName": service, "desiredStatus": "STOPPED" });
    let Ok(listed) = engine.account.ecs("ListTasks", &wanted).await else { return };
    let arns = listed["taskArns"].as_array().map(Vec::as_slice).unwrap_or_default();
    let arns = arns.iter().filter_map(Value::as_str).filter(|arn| !reported.contains(*arn));
    let arns: Vec<&str> = arns.take(TASK_COUNT_MAX).collect();
    if arns.is_empty() {
        return;
    }
    let input = json!({ "cluster": cluster, "tasks": arns });
    let Ok(described) = engine.account.ecs("DescribeTasks", &input).await else { return };
    for task in described["tasks"].as_array().into_iter().flatten() {
        let arn = task["taskArn"].as_str().unwrap_or_default();
        if reported.insert(arn.to_owned()) {
            report(Progress::Stopped { service: service.to_owned(), reason: reason(task) });
        }
    }
}

/// The reasons of the task and of its containers.
fn reason(task: &Value) -> String {
    let mut reasons: Vec<String> = Vec::new();
    reasons.extend(task["stoppedReason"].as_str().map(str::to_owned));
    for container in task["containers"].as_array().into_iter().flatten() {
        let name = container["name"].as_str().unwrap_or_default();
        if let Some(reason) = container["reason"].as_str() {
            reasons.push(format!("{name}: {reason}"));
        } else if let Some(code) = container["exitCode"].as_i64().filter(|code| *code != 0) {
            reasons.push(format!("{name}: exit code {code}"));
        }
    }
    reasons.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_in_ecr_are_distinguished_from_others() {
        let image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/worldbus:1.2";
        let found = place(image).unwrap();
        assert_eq!((found.registry, found.region), ("123456789012", "eu-west-1"));
        assert_eq!((found.name, &found.which["imageTag"]), ("team/worldbus", &json!("1.2")));
        let digest = place("1.dkr.ecr.x-y-1.amazonaws.com/w@sha256:ab").unwrap();
        assert_eq!(digest.which["imageDigest"], "sha256:ab");
        assert!(place("ghcr.io/studio/worldbus:1").is_none());
        assert!(place("worldbus").is_none());
    }

    #[test]
    fn task_that_stopped_has_its_reasons() {
        let task = json!({
            "stoppedReason": "Essential container in task exited",
            "containers": [
                { "name": "time-manager", "exitCode": 2 },
                { "name": "collector", "reason": "CannotPullContainerError: no such tag" },
            ],
        });
        let why = reason(&task);
        assert!(why.contains("exit code 2") && why.contains("CannotPull"), "{why}");
    }
}
