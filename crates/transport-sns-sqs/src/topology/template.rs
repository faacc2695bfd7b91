//! A topology as a CloudFormation template, for those who deploy by stacks. The prefix of all
//! names is its parameter `SystemName`.

use super::{DEAD_LETTER_QUEUE, QUEUE, RECEIVE_COUNT_MAX, Subscription, Topology, policy};
use serde_json::{Map, Value, json};
use worldbus_bus::{Error, Topic};

/// The parameter, as it stands in texts.
const SYSTEM_NAME: &str = "${SystemName}";
/// Encrypts what SNS keeps for a moment; AWS's own, which costs nothing to have.
const SNS_KEY: &str = "alias/aws/sns";

impl Topology {
    /// The template of a stack that has all of it, and outputs where everything is.
    ///
    /// # Errors
    /// `Invalid` for a name that SQS does not take.
    pub fn template(&self) -> Result<Value, Error> {
        let mut stack = Stack::default();
        for topic in &self.topics {
            self.topic(&mut stack, topic);
        }
        for subscription in &self.subscriptions {
            self.subscription(&mut stack, subscription)?;
        }
        let name = json!({
            "Type": "String",
            "Description": "What the names of all topics and queues begin with",
            "Default": self.names.prefix(),
            "AllowedPattern": "[A-Za-z0-9_-]{1,40}",
        });
        Ok(json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": "Worldbus: topics, queues, dead letters and subscriptions",
            "Parameters": { "SystemName": name },
            "Resources": stack.resources,
            "Outputs": stack.outputs,
        }))
    }

    fn topic(&self, stack: &mut Stack, topic: &Topic) {
        let id = topic_id(topic);
        let properties = json!({
            "TopicName": self.named(&self.names.topic(topic)),
            "KmsMasterKeyId": SNS_KEY,
            "Tags": tags(),
        });
        stack.resource(&id, "AWS::SNS::Topic", properties);
        stack.output(&format!("{id}Arn"), &format!("SNS topic of {topic}"), reference(&id));
    }

    fn subscription(&self, stack: &mut Stack, subscription: &Subscription) -> Result<(), Error> {
        let name = &subscription.name;
        let id = camel(name.as_str());
        let (queue, letters) = (format!("{id}Queue"), format!("{id}DeadLetters"));
        let queue_name = self.names.queue(name)?;
        let mut of_letters = settings(&DEAD_LETTER_QUEUE);
        of_letters.insert("QueueName".into(), self.named(&self.names.dead_letter_queue(name)?));
        // Written out: the queue refers to its dead letters already.
        let source = format!(
            "arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{AWS::AccountId}}:{}",
            self.with_parameter(&queue_name)
        );
        let allowed =
            json!({ "redrivePermission": "byQueue", "sourceQueueArns": [{ "Fn::Sub": source }] });
        of_letters.insert("RedriveAllowPolicy".into(), allowed);
        of_letters.insert("Tags".into(), tags());
        stack.resource(&letters, "AWS::SQS::Queue", of_letters.into());
        let mut of_queue = settings(&QUEUE);
        of_queue.insert("QueueName".into(), self.named(&queue_name));
        let redrive = json!({
            "deadLetterTargetArn": arn(&letters),
            "maxReceiveCount": RECEIVE_COUNT_MAX,
        });
        of_queue.insert("RedrivePolicy".into(), redrive);
        of_queue.insert("Tags".into(), tags());
        stack.resource(&queue, "AWS::SQS::Queue", of_queue.into());
        let topics: Vec<Value> =
            subscription.topics.keys().map(|topic| reference(&topic_id(topic))).collect();
        let admitting = json!({
            "Queues": [reference(&queue)],
            "PolicyDocument": policy::queue(&arn(&queue), &topics),
        });
        stack.resource(&format!("{queue}Policy"), "AWS::SQS::QueuePolicy", admitting);
        for (topic, types) in &subscription.topics {
            let mut properties = json!({
                "Protocol": "sqs",
                "TopicArn": reference(&topic_id(topic)),
                "Endpoint": arn(&queue),
                "RawMessageDelivery": true,
            });
            if let Some(filter) = policy::filter(types) {
                properties["FilterPolicy"] = filter;
            }
            let of_topic = format!("{id}Hears{}", camel(topic.as_str()));
            stack.resource(&of_topic, "AWS::SNS::Subscription", properties);
        }
        stack.output(&format!("{queue}Url"), &format!("SQS queue of {name}"), reference(&queue));
        let what = format!("SQS queue of the dead letters of {name}");
        stack.output(&format!("{letters}Url"), &what, reference(&letters));
        Ok(())
    }

    /// A name with the parameter in the place of the prefix.
    fn named(&self, name: &str) -> Value {
        json!({ "Fn::Sub": self.with_parameter(name) })
    }

    fn with_parameter(&self, name: &str) -> String {
        let rest = name.strip_prefix(self.names.prefix()).unwrap_or(name);
        format!("{SYSTEM_NAME}{rest}")
    }
}

#[derive(Default)]
struct Stack {
    resources: Map<String, Value>,
    outputs: Map<String, Value>,
}

impl Stack {
    fn resource(&mut self, id: &str, kind: &str, properties: Value) {
        let resource = json!({ "Type": kind, "Properties": properties });
        self.resources.insert(id.to_owned(), resource);
    }

    fn output(&mut self, id: &str, description: &str, value: Value) {
        let export = json!({ "Name": { "Fn::Sub": format!("${{AWS::StackName}}-{id}") } });
        let output = json!({ "Description": description, "Value": value, "Export": export });
        self.outputs.insert(id.to_owned(), output);
    }
}

fn topic_id(topic: &Topic) -> String {
    format!("{}Topic", camel(topic.as_str()))
}

/// `world-state` as `WorldState`: logical ids have letters and digits only.
fn camel(name: &str) -> String {
    let parts = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let capital = |part: &str| {
        let mut letters = part.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    parts.map(capital).collect()
}

fn reference(id: &str) -> Value {
    json!({ "Ref": id })
}

fn arn(id: &str) -> Value {
    json!({ "Fn::GetAtt": [id, "Arn"] })
}

fn tags() -> Value {
    json!([{ "Key": "system", "Value": { "Ref": "SystemName" } }])
}

/// Settings of a queue, as numbers and truth where they are.
fn settings(settings: &[(&str, &str)]) -> Map<String, Value> {
    let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    settings.iter().map(|&(name, text)| (name.to_owned(), value(text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logical_ids_have_letters_and_digits() {
        assert_eq!(camel("world-state"), "WorldState");
        assert_eq!(camel("npc_behavior2"), "NpcBehavior2");
    }
}
