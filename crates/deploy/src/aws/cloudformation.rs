//! CloudFormation's calls, as far as a deployment needs them, and their answers as data.
//!
//! Not here: what to do about an answer.

mod answer;

use roxmltree::Node;

use crate::template::evaluate::Parameters;
use answer::{change, description, event};
use worldbus_aws::{CallError, Caller, SdkConfig, Service};

pub(crate) use answer::{child, members, read, text};

/// The version of the API (D).
const VERSION: &str = "2010-05-15";
const CLOUDFORMATION: Service =
    Service { id: "CloudFormation", signing_name: "cloudformation", host: "cloudformation" };
/// Pages of an answer that are read; a stack has at most 500 resources (D).
const PAGE_COUNT_MAX: usize = 20;

/// CloudFormation in a region.
#[derive(Debug, Clone)]
pub(crate) struct CloudFormation {
    caller: Caller,
}

/// A stack as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Description {
    pub(crate) id: String,
    /// E.g. `UPDATE_COMPLETE`.
    pub(crate) status: String,
    pub(crate) parameters: Parameters,
    /// Name, value, and what it is for.
    pub(crate) outputs: Vec<(String, String, String)>,
}

/// A change set that is made, or failed to be.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChangeSet {
    /// `CREATE_COMPLETE` or `FAILED`, or on the way there.
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) changes: Vec<Change>,
}

/// What a change does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `Add`, `Modify`, `Remove`, as CloudFormation calls it.
    pub action: String,
    /// The resource's name within the template.
    pub logical: String,
    /// Its name in AWS, if it is there.
    pub physical: String,
    /// E.g. `AWS::SQS::Queue`.
    pub kind: String,
    /// `True` or `Conditional` if the resource is replaced.
    pub replacement: String,
    /// The properties that change.
    pub properties: Vec<String>,
}

/// Something that happened to a resource or to the stack itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) logical: String,
    pub(crate) physical: String,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) reason: String,
}

/// A resource of a stack.
#[derive(Debug, Clone)]
pub(crate) struct StackResource {
    pub(crate) logical: String,
    pub(crate) physical: String,
    pub(crate) kind: String,
    pub(crate) status: String,
}

/// Name and value of fields of a form.
type Fields = Vec<(String, String)>;

impl CloudFormation {
    pub(crate) fn new(sdk: &SdkConfig, region: &str) -> Self {
        Self { caller: Caller::new(sdk, CLOUDFORMATION, region) }
    }

    /// A stack, by its name or id; `None` if it does not exist.
    pub(crate) async fn describe(&self, stack: &str) -> Result<Option<Description>, CallError> {
        let answer = self.call("DescribeStacks", vec![field("StackName", stack)]).await;
        match answer {
            Ok(answer) => read(&answer, |root| {
                let stacks = child(root, "Stacks");
                stacks.and_then(|stacks| members(stacks).next()).map(description)
            }),
            Err(CallError::Refused { message, .. }) if message.contains("does not exist") => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes a change set; its id. It is to be described until it is done. A parameter that is as
    /// the stack `has` it is left to CloudFormation, which alone knows those that are secret.
    pub(crate) async fn create_change_set(
        &self,
        stack: &str,
        name: &str,
        is_new: bool,
        template: &str,
        parameters: &Parameters,
        has: Option<&Parameters>,
    ) -> Result<String, CallError> {
        let kind = if is_new { "CREATE" } else { "UPDATE" };
        let mut fields = vec![
            field("StackName", stack),
            field("ChangeSetName", name),
            field("ChangeSetType", kind),
            field("TemplateBody", template),
            field("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
        ];
        for (index, (name, value)) in parameters.iter().enumerate() {
            let path = format!("Parameters.member.{}", index + 1);
            fields.push((format!("{path}.ParameterKey"), name.clone()));
            if has.and_then(|has| has.get(name)) == Some(value) {
                fields.push((format!("{path}.UsePreviousValue"), "true".to_owned()));
            } else {
                fields.push((format!("{path}.ParameterValue"), value.clone()));
            }
        }
        let answer = self.call("CreateChangeSet", fields).await?;
        read(&answer, |root| text(root, "Id"))
    }

    pub(crate) async fn describe_change_set(&self, id: &str) -> Result<ChangeSet, CallError> {
        let mut whole = ChangeSet::default();
        let fields = vec![field("ChangeSetName", id)];
        self.pages("DescribeChangeSet", fields, |root| {
            whole.status = text(root, "Status");
            whole.reason = text(root, "StatusReason");
            let changes = child(root, "Changes").into_iter().flat_map(members);
            whole.changes.extend(changes.filter_map(|m| child(m, "ResourceChange")).map(change));
            true
        })
        .await?;
        Ok(whole)
    }

    pub(crate) async fn delete_change_set(&self, id: &str) -> Result<(), CallError> {
        self.call("DeleteChangeSet", vec![field("ChangeSetName", id)]).await.map(drop)
    }

    /// The same by the names of the stack and the set.
    pub(crate) async fn delete_change_set_of(
        &self,
        stack: &str,
        name: &str,
    ) -> Result<(), CallError> {
        let fields = vec![field("StackName", stack), field("ChangeSetName", name)];
        self.call("DeleteChangeSet", fields).await.map(drop)
    }

    pub(crate) async fn execute_change_set(&self, id: &str) -> Result<(), CallError> {
        self.call("ExecuteChangeSet", vec![field("ChangeSetName", id)]).await.map(drop)
    }

    pub(crate) async fn delete_stack(&self, stack: &str) -> Result<(), CallError> {
        self.call("DeleteStack", vec![field("StackName", stack)]).await.map(drop)
    }

    /// Events of a stack since one of them, the oldest first.
    pub(crate) async fn events(
        &self,
        stack: &str,
        since: Option<&str>,
    ) -> Result<Vec<Event>, CallError> {
        let mut events = Vec::new();
        self.pages("DescribeStackEvents", vec![field("StackName", stack)], |root| {
            for member in child(root, "StackEvents").into_iter().flat_map(members) {
                let event = event(member);
                if Some(event.id.as_str()) == since {
                    return false;
                }
                events.push(event);
            }
            true
        })
        .await?;
        events.reverse();
        Ok(events)
    }

    /// The id of the last event of a stack.
    pub(crate) async fn last_event(&self, stack: &str) -> Result<Option<String>, CallError> {
        let answer = self.call("DescribeStackEvents", vec![field("StackName", stack)]).await?;
        read(&answer, |root| {
            let last = child(root, "StackEvents").and_then(|events| members(events).next());
            last.map(|event| text(event, "EventId"))
        })
    }

    pub(crate) async fn resources(&self, stack: &str) -> Result<Vec<StackResource>, CallError> {
        let mut resources = Vec::new();
        self.pages("ListStackResources", vec![field("StackName", stack)], |root| {
            let summaries = child(root, "StackResourceSummaries").into_iter().flat_map(members);
            resources.extend(summaries.map(|member| StackResource {
                logical: text(member, "LogicalResourceId"),
                physical: text(member, "PhysicalResourceId"),
                kind: text(member, "ResourceType"),
                status: text(member, "ResourceStatus"),
            }));
            true
        })
        .await?;
        Ok(resources)
    }

    /// The template of a stack, as it was sent.
    pub(crate) async fn template(&self, stack: &str) -> Result<String, CallError> {
        let fields = vec![field("StackName", stack), field("TemplateStage", "Original")];
        let answer = self.call("GetTemplate", fields).await?;
        read(&answer, |root| text(root, "TemplateBody"))
    }

    async fn call(&self, action: &str, fields: Fields) -> Result<String, CallError> {
        self.caller.form(VERSION, action, &fields).await
    }

    /// Reads page after page while `page` wants more.
    async fn pages(
        &self,
        action: &str,
        fields: Fields,
        mut page: impl FnMut(Node<'_, '_>) -> bool,
    ) -> Result<(), CallError> {
        let mut token = String::new();
        for _ in 0..PAGE_COUNT_MAX {
            let mut fields = fields.clone();
            if !token.is_empty() {
                fields.push(field("NextToken", &token));
            }
            let answer = self.call(action, fields).await?;
            let (goes_on, next) = read(&answer, |root| (page(root), text(root, "NextToken")))?;
            token = next;
            if !goes_on || token.is_empty() {
                break;
            }
        }
        Ok(())
    }
}

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
