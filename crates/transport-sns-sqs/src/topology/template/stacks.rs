//! The topology over several stacks: what all services share, and what each of some services has in
//! a stack of its own. CloudFormation limits a template, not the number of stacks.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{SYSTEM_NAME, Stack, conditions, roles};
use crate::topology::Topology;
use worldbus_bus::Error;

/// What each stack has of a topology.
#[derive(Debug, Clone)]
pub struct StackTemplates {
    /// The template of the stack that the others stand on.
    pub shared: Value,
    /// By service, the sections `Conditions`, `Resources` and `Outputs` of its stack: its queues,
    /// its subscriptions and its role. They have one parameter, `SystemName`.
    pub services: BTreeMap<String, Value>,
}

impl Topology {
    /// The template over several stacks, one for each of these services, which consume the
    /// subscription of their own name alone.
    ///
    /// # Errors
    /// As [`Topology::template`].
    pub fn stacks(&self, services: &[&str]) -> Result<StackTemplates, Error> {
        let mut shared = self.stack()?;
        let (mut stacks, mut queues) = (BTreeMap::new(), BTreeMap::new());
        for &name in services {
            let own = self.stack_of(name)?;
            shared.resources.retain(|id, _| !own.resources.contains_key(id));
            shared.outputs.retain(|id, _| !own.outputs.contains_key(id));
            queues.extend(own.resources.iter().filter_map(queue_arn));
            stacks.insert(name.to_owned(), own);
        }
        // These stacks come later: what they have is known by its name.
        refer(&mut shared.resources, &|id| queues.get(id).cloned());
        let of_shared = |id: &str| shared.resources.contains_key(id).then(|| import(id));
        let sections = |(name, mut own): (String, Stack)| {
            refer(&mut own.resources, &of_shared);
            let Stack { resources, outputs, .. } = own;
            let sections = json!({
                "Conditions": conditions(),
                "Resources": resources,
                "Outputs": outputs,
            });
            (name, sections)
        };
        let services = stacks.into_iter().map(sections).collect();
        Ok(StackTemplates { shared: self.document_of(shared), services })
    }

    /// What a service alone has.
    fn stack_of(&self, service: &str) -> Result<Stack, Error> {
        let mut stack = Stack::default();
        for subscription in self.subscriptions.iter().filter(|of| of.name.as_str() == service) {
            self.subscription(&mut stack, subscription)?;
        }
        for service in self.services.iter().filter(|of| of.name == service) {
            roles::role(&mut stack, service)?;
        }
        Ok(stack)
    }
}

/// The ARN of a queue by its name.
fn queue_arn((id, resource): (&String, &Value)) -> Option<(String, Value)> {
    let name = resource["Properties"]["QueueName"]["Fn::Sub"].as_str()?;
    let arn = format!("arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{AWS::AccountId}}:{name}");
    Some((id.clone(), json!({ "Fn::Sub": arn })))
}

/// The ARN of what another stack exports.
fn import(id: &str) -> Value {
    json!({ "Fn::ImportValue": { "Fn::Sub": format!("{SYSTEM_NAME}-{id}Arn") } })
}

/// Replaces what refers to resources of other stacks.
fn refer(resources: &mut Map<String, Value>, elsewhere: &dyn Fn(&str) -> Option<Value>) {
    resources.values_mut().for_each(|value| refer_in(value, elsewhere));
}

fn refer_in(value: &mut Value, elsewhere: &dyn Fn(&str) -> Option<Value>) {
    let id = value["Ref"].as_str().or_else(|| value["Fn::GetAtt"][0].as_str());
    if let Some(other) = id.and_then(elsewhere) {
        *value = other;
        return;
    }
    match value {
        Value::Array(list) => list.iter_mut().for_each(|value| refer_in(value, elsewhere)),
        Value::Object(map) => map.values_mut().for_each(|value| refer_in(value, elsewhere)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
