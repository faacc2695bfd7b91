//! An HTTP server that plays CloudFormation, ECS and the container registry as far as a deployment
//! asks them, and fails as a script demands. Stacks and their change sets are kept; what is in a
//! template is not looked at.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::support::{Finished, run_with_input, worldbus};
use worldbus_testkit::{AwsAnswer, AwsCall, scripted_aws};

/// An event of a stack: logical id, type, status, reason.
pub(super) type Event = (&'static str, &'static str, &'static str, &'static str);

/// What becomes of a stack when a change set of it is executed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fate {
    pub(super) status: &'static str,
    pub(super) events: &'static [Event],
}

/// It comes about.
pub(super) const GOOD: Fate = Fate {
    status: "CREATE_COMPLETE",
    events: &[("Thing", "AWS::SQS::Queue", "CREATE_COMPLETE", "")],
};

#[derive(Debug, Clone, Default)]
struct FakeStack {
    status: String,
    events: Vec<Event>,
}

/// What an account holds.
#[derive(Debug, Default)]
pub(super) struct Cloud {
    stacks: BTreeMap<String, FakeStack>,
    fates: BTreeMap<&'static str, Fate>,
    /// Error code and message of an action of CloudFormation.
    pub(super) refusals: BTreeMap<&'static str, (&'static str, &'static str)>,
    /// Answers of actions in JSON: status and body.
    pub(super) json: BTreeMap<&'static str, (u16, &'static str)>,
    /// So many calls are throttled first.
    pub(super) throttled: u32,
    /// Actions, with the stack or change set that they name.
    pub(super) calls: Vec<String>,
}

/// The peer, while it runs.
pub(super) struct Peer {
    url: String,
    cloud: Arc<Mutex<Cloud>>,
}

impl Cloud {
    /// What will become of a stack.
    pub(super) fn fate(&mut self, stack: &'static str, fate: Fate) {
        self.fates.insert(stack, fate);
    }

    /// A stack that is there from the beginning.
    pub(super) fn stack(&mut self, name: &str, status: &str, events: &[Event]) {
        let stack = FakeStack { status: status.to_owned(), events: events.to_vec() };
        self.stacks.insert(name.to_owned(), stack);
    }

    fn answer(&mut self, call: AwsCall) -> AwsAnswer {
        if call.json.is_null() {
            let (status, body) = self.form(&call.form);
            return AwsAnswer::Say(status, body);
        }
        let (status, body) = self.json.get(call.action.as_str()).copied().unwrap_or((200, "{}"));
        self.calls.push(call.action);
        AwsAnswer::Say(status, body.to_owned())
    }

    fn form(&mut self, form: &BTreeMap<String, String>) -> (u16, String) {
        let of = |name: &str| form.get(name).cloned().unwrap_or_default();
        let action = of("Action");
        let set = of("ChangeSetName");
        let stack = of("StackName").trim_start_matches("id:").to_owned();
        let stack =
            if stack.is_empty() { set.trim_start_matches("set:").to_owned() } else { stack };
        self.calls.push(format!("{action} {stack}"));
        if self.throttled > 0 {
            self.throttled -= 1;
            return error("Throttling", "Rate exceeded");
        }
        if let Some((code, message)) = self.refusals.get(action.as_str()) {
            return error(code, message);
        }
        let result = match action.as_str() {
            "DescribeStacks" => match self.stacks.get(&stack) {
                Some(found) => format!(
                    "<Stacks><member><StackId>id:{stack}</StackId><StackStatus>{}</StackStatus>\
                     </member></Stacks>",
                    found.status
                ),
                None => {
                    return error(
                        "ValidationError",
                        &format!("Stack with id {stack} does not exist"),
                    );
                }
            },
            "CreateChangeSet" => {
                let new = FakeStack { status: "REVIEW_IN_PROGRESS".to_owned(), events: Vec::new() };
                self.stacks.entry(stack.clone()).or_insert(new);
                format!("<Id>set:{stack}</Id>")
            }
            "DescribeChangeSet" => "<Status>CREATE_COMPLETE</Status><Changes><member>\
                <ResourceChange><Action>Add</Action><LogicalResourceId>Thing</LogicalResourceId>\
                <ResourceType>AWS::SQS::Queue</ResourceType></ResourceChange></member></Changes>"
                .to_owned(),
            "ExecuteChangeSet" => {
                let fate = self.fates.get(stack.as_str()).copied().unwrap_or(GOOD);
                let found = self.stacks.entry(stack).or_default();
                found.status = fate.status.to_owned();
                found.events.extend(fate.events);
                String::new()
            }
            "DeleteStack" => {
                self.stacks.remove(&stack);
                String::new()
            }
            "DescribeStackEvents" => events(self.stacks.get(&stack)),
            "ListStackResources" => resources(self.stacks.get(&stack)),
            _ => String::new(),
        };
        (
            200,
            format!(
                "<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"
            ),
        )
    }
}

impl Peer {
    pub(super) fn start(prepare: impl FnOnce(&mut Cloud)) -> Self {
        let mut cloud = Cloud::default();
        prepare(&mut cloud);
        let cloud = Arc::new(Mutex::new(cloud));
        let shared = Arc::clone(&cloud);
        let port = scripted_aws(move |call| shared.lock().unwrap().answer(call));
        let url = format!("http://127.0.0.1:{port}");
        Self { url, cloud }
    }

    pub(super) fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap()
    }

    /// `worldbus deploy aws …` against it.
    pub(super) fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = worldbus();
        command.args(["deploy", "aws"]).args(arguments);
        command.env("AWS_ENDPOINT_URL", &self.url).env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Finished {
        run_with_input(&mut self.command(arguments), b"")
    }
}

fn events(stack: Option<&FakeStack>) -> String {
    let mut members = String::new();
    // The latest first, as CloudFormation has it.
    for (number, event) in stack.into_iter().flat_map(|stack| &stack.events).enumerate() {
        let (logical, kind, status, reason) = event;
        let member = format!(
            "<member><EventId>{number}</EventId><LogicalResourceId>{logical}</LogicalResourceId>\
             <ResourceType>{kind}</ResourceType><ResourceStatus>{status}</ResourceStatus>\
             <ResourceStatusReason>{reason}</ResourceStatusReason></member>"
        );
        members.insert_str(0, &member);
    }
    format!("<StackEvents>{members}</StackEvents>")
}

/// The state of each resource is that of its last event.
fn resources(stack: Option<&FakeStack>) -> String {
    let mut last = BTreeMap::new();
    for (logical, kind, status, _) in stack.into_iter().flat_map(|stack| &stack.events) {
        last.insert(logical, (kind, status));
    }
    let mut members = String::new();
    for (logical, (kind, status)) in last {
        let _ = write!(
            members,
            "<member><LogicalResourceId>{logical}</LogicalResourceId><PhysicalResourceId>the-\
             {logical}</PhysicalResourceId><ResourceType>{kind}</ResourceType><ResourceStatus>\
             {status}</ResourceStatus></member>"
        );
    }
    format!("<StackResourceSummaries>{members}</StackResourceSummaries>")
}

fn error(code: &str, message: &str) -> (u16, String) {
    let body = format!(
        "<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error>\
         </ErrorResponse>"
    );
    (400, body)
}
