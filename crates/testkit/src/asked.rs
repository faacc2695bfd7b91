//! What services ask of AWS: a proxy in front of an emulator that notes the action of IAM and the
//! resource of each request, and who signed it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::proxy::{HttpMessage, Proxy};

/// One thing that was asked for: what AWS would look for in the rights of whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// The access key that signed it.
    pub who: String,
    /// The action, e.g. `sns:Publish`.
    pub action: String,
    /// The ARN of what it is done to; `*` if the request names nothing that we know of.
    pub resource: String,
}

/// Notes what goes to an emulator.
#[derive(Debug)]
pub struct Recorder {
    proxy: Proxy,
    asked: Arc<Mutex<BTreeSet<Asked>>>,
}

impl Recorder {
    /// Notes what is asked of the emulator on a port. Each service needs an access key of its own.
    pub fn start(to: u16) -> Self {
        let asked = Arc::<Mutex<BTreeSet<Asked>>>::default();
        let noted = Arc::clone(&asked);
        let note = move |request: &HttpMessage, _: &HttpMessage| {
            noted.lock().unwrap_or_else(PoisonError::into_inner).extend(read(request));
        };
        Self { proxy: Proxy::start(to, note), asked }
    }

    /// Where the services find it, on loopback.
    pub fn port(&self) -> u16 {
        self.proxy.port()
    }

    /// What one asked for so far, each once.
    pub fn of(&self, who: &str) -> BTreeSet<Asked> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|asked| asked.who == who).cloned().collect()
    }
}

/// What a request asks for; a transaction for several things.
fn read(request: &HttpMessage) -> Vec<Asked> {
    let scope = request.header("authorization").and_then(Scope::parse);
    let Some(scope) = scope else {
        return vec![Asked { who: String::new(), action: "unsigned".into(), resource: "*".into() }];
    };
    let target = request.header("x-amz-target").and_then(|target| target.split_once('.'));
    let asked = match target {
        Some((_, operation)) => of_json(&scope, operation, &request.body),
        None => vec![of_form(&request.body)],
    };
    let asked = asked.into_iter().map(|(action, resource)| Asked {
        who: scope.key.to_owned(),
        action: format!("{}:{action}", scope.service),
        resource,
    });
    asked.collect()
}

/// What a signature holds: by which key, where, of which service.
struct Scope<'a> {
    key: &'a str,
    region: &'a str,
    service: &'a str,
}

impl<'a> Scope<'a> {
    fn parse(authorization: &'a str) -> Option<Self> {
        let (_, credential) = authorization.split_once("Credential=")?;
        let mut parts = credential.split([',', ' ']).next()?.split('/');
        let (key, _day) = (parts.next()?, parts.next()?);
        Some(Self { key, region: parts.next()?, service: parts.next()? })
    }
}

/// SQS and DynamoDB.
fn of_json(scope: &Scope<'_>, operation: &str, body: &[u8]) -> Vec<(String, String)> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let action = single(operation);
    if scope.service == "dynamodb" {
        let table = |part: &Value| table(scope, part);
        if operation == "TransactWriteItems" {
            let parts = body["TransactItems"].as_array().into_iter().flatten();
            let parts = parts.filter_map(Value::as_object).flatten();
            return parts.map(|(kind, part)| (of_part(kind), table(part))).collect();
        }
        return vec![(action, table(&body))];
    }
    let url = body["QueueUrl"].as_str().unwrap_or_default();
    let mut path = url.rsplit('/');
    let resource = match (path.next().filter(|name| !name.is_empty()), path.next()) {
        (Some(name), Some(account)) => format!("arn:aws:sqs:{}:{account}:{name}", scope.region),
        _ => "*".to_owned(),
    };
    vec![(action, resource)]
}

/// The ARN of the table that a request or a part of one names; emulators have one account.
fn table(scope: &Scope<'_>, part: &Value) -> String {
    match part["TableName"].as_str() {
        Some(arn) if arn.starts_with("arn:") => arn.to_owned(),
        Some(name) => format!("arn:aws:dynamodb:{}:000000000000:table/{name}", scope.region),
        None => "*".to_owned(),
    }
}

/// A part of a transaction asks for what it would ask for alone.
fn of_part(kind: &str) -> String {
    let action = match kind {
        "Put" => "PutItem",
        "Update" => "UpdateItem",
        "Delete" => "DeleteItem",
        "ConditionCheck" => "ConditionCheckItem",
        other => other,
    };
    action.to_owned()
}

/// SNS, and whatever else speaks in forms.
fn of_form(body: &[u8]) -> (String, String) {
    let form: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    let value = |wanted: &str| form.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    let action = value("Action").map_or("unknown".to_owned(), |operation| single(operation));
    let named = value("TopicArn").or_else(|| value("TargetArn"));
    (action, named.map_or("*".to_owned(), Clone::clone))
}

/// A batch of a messaging call asks for the right to the call alone.
fn single(operation: &str) -> String {
    const BATCHES: [&str; 4] =
        ["ChangeMessageVisibilityBatch", "DeleteMessageBatch", "PublishBatch", "SendMessageBatch"];
    let alone = BATCHES.contains(&operation).then(|| operation.strip_suffix("Batch")).flatten();
    alone.unwrap_or(operation).to_owned()
}

#[cfg(test)]
mod tests;
