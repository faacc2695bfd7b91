//! The roles of services in the template: each with exactly the rights of its service, all within
//! one permissions boundary, the union of those rights.

use serde_json::{Value, json};

use super::super::rights::{Right, Service, union};
use super::{HAS_DEFAULT_NAME, SYSTEM_NAME, Stack, arn, reference, tags};
use crate::names;
use worldbus_bus::{Error, Kind};

/// The managed policy that bounds all roles.
const BOUNDARY: &str = "GamingSystemDistributedMessaging";
/// What the name of a role ends with.
const TASK_ROLE: &str = "TaskRole";
/// Characters of the name of a role.
const ROLE_NAME_CHARS_MAX: usize = 64;
/// Characters of a managed policy, without white space.
const POLICY_CHARS_MAX: usize = 6144;
/// What stands for parts of an ARN, and the most characters that each becomes. Of a system's name:
/// as the stacks of a deployment take it.
const PARTS: [(&str, usize); 4] = [
    ("${AWS::Partition}", "aws-us-gov".len()),
    ("${AWS::Region}", "ap-southeast-1".len()),
    ("${AWS::AccountId}", 12),
    (SYSTEM_NAME, 22),
];
/// What the ARN of a queue or a topic has before its name.
const BEFORE_NAME: &str = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:";
/// Characters of the name of a queue.
const NAME_CHARS_MAX: usize = 80;

/// Adds the boundary and a role for each service.
///
/// # Errors
/// `Invalid` for a name or for rights that IAM does not take.
pub(super) fn add(stack: &mut Stack, services: &[Service]) -> Result<(), Error> {
    if services.is_empty() {
        return Ok(());
    }
    let rights = union(services);
    check_size(stack, &rights)?;
    let boundary = json!({
        "ManagedPolicyName": once_in_an_account(BOUNDARY),
        "Description": "The most that any service of the system may do: the union of the rights \
            of all task roles",
        "PolicyDocument": document(&rights),
    });
    stack.resource(BOUNDARY, "AWS::IAM::ManagedPolicy", boundary);
    stack.output(&format!("{BOUNDARY}Arn"), reference(BOUNDARY));
    for service in services {
        role(stack, service)?;
    }
    Ok(())
}

/// Adds the role of a service.
///
/// # Errors
/// `Invalid` for a name that IAM does not take.
pub(super) fn role(stack: &mut Stack, service: &Service) -> Result<(), Error> {
    let (id, name) =
        (format!("{}{TASK_ROLE}", names::camel(&service.name)), role_name(&service.name)?);
    let properties = json!({
        "RoleName": once_in_an_account(&name),
        "Description": format!("What {} may do, and no more", service.name),
        "AssumeRolePolicyDocument": trust(),
        "PermissionsBoundary": reference(BOUNDARY),
        "Policies": [{ "PolicyName": "rights", "PolicyDocument": document(&service.rights()) }],
        "Tags": tags(),
    });
    stack.resource(&id, "AWS::IAM::Role", properties);
    stack.output(&format!("{id}Arn"), arn(&id));
    Ok(())
}

/// `weather-manager` as `weatherManagerTaskRole`.
fn role_name(service: &str) -> Result<String, Error> {
    let camel = names::camel(service);
    let (first, rest) = camel.split_at(camel.chars().next().map_or(0, char::len_utf8));
    let name = format!("{}{rest}{TASK_ROLE}", first.to_ascii_lowercase());
    if name.len() > ROLE_NAME_CHARS_MAX {
        let context = format!(
            "service {service}: the name of its role would have {} characters, IAM takes \
             {ROLE_NAME_CHARS_MAX}; shorten it",
            name.len()
        );
        return Err(Error::refused(Kind::Invalid, context));
    }
    Ok(name)
}

/// A name that an account has once, whatever the region: a system of another name has it with
/// that name before it.
fn once_in_an_account(name: &str) -> Value {
    let other = json!({ "Fn::Sub": format!("{SYSTEM_NAME}-{name}") });
    json!({ "Fn::If": [HAS_DEFAULT_NAME, name, other] })
}

/// Who may take a role: tasks of ECS in this account and region.
fn trust() -> Value {
    let tasks = "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:*";
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "ecs-tasks.amazonaws.com" },
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": { "aws:SourceAccount": reference("AWS::AccountId") },
                "ArnLike": { "aws:SourceArn": { "Fn::Sub": tasks } },
            },
        }],
    })
}

fn document(rights: &[Right]) -> Value {
    let statement = |right: &Right| {
        let resources: Vec<Value> = right.resources.iter().map(|text| resource(text)).collect();
        json!({
            "Sid": right.name,
            "Effect": "Allow",
            "Action": right.actions,
            "Resource": resources,
        })
    };
    let statements: Vec<Value> = rights.iter().map(statement).collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// What a right names, in the shortest of CloudFormation's forms.
fn resource(text: &str) -> Value {
    let alone = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    match alone.filter(|name| !name.contains("${")) {
        Some(name) => match name.split_once('.') {
            Some((id, attribute)) => json!({ "Fn::GetAtt": [id, attribute] }),
            None => reference(name),
        },
        None if text.contains("${") => json!({ "Fn::Sub": text }),
        None => json!(text),
    }
}

/// IAM counts what the names become, so the estimate takes the longest that they can.
fn check_size(stack: &Stack, rights: &[Right]) -> Result<(), Error> {
    let chars = |text: &str| {
        let longest =
            |text: String, (part, chars): &(&str, usize)| text.replace(part, &"x".repeat(*chars));
        PARTS.iter().fold(text.to_owned(), longest).len()
    };
    // Of the stack's own topics and queues the names are known.
    let of_own = |id: &str| {
        let properties = &stack.resources.get(id).unwrap_or(&Value::Null)["Properties"];
        let name = ["QueueName", "TopicName"].map(|name| properties[name]["Fn::Sub"].as_str());
        chars(BEFORE_NAME) + name.into_iter().flatten().next().map_or(NAME_CHARS_MAX, chars)
    };
    let resolved = |text: &str| {
        let written = resource(text);
        let id = written["Ref"].as_str().or_else(|| written["Fn::GetAtt"][0].as_str());
        id.map_or_else(|| chars(text), of_own)
    };
    let quoted = |text: usize| text + 3;
    let of_right = |right: &Right| {
        let actions = right.actions.iter().map(|action| quoted(action.len())).sum::<usize>();
        let resources = right.resources.iter().map(|text| quoted(resolved(text))).sum::<usize>();
        60 + right.name.len() + actions + resources
    };
    let total = 40 + rights.iter().map(of_right).sum::<usize>();
    if total <= POLICY_CHARS_MAX {
        return Ok(());
    }
    let context = format!(
        "the rights of all services may have {total} characters, IAM takes {POLICY_CHARS_MAX} in \
         one policy; deploy some services as a system of their own"
    );
    Err(Error::refused(Kind::Invalid, context))
}

#[cfg(test)]
mod tests;
