//! The templates that are built in, in the order in which their stacks are made.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::Error;
use crate::template::evaluate::{Parameters, Scope, text};
use crate::template::expand::{Composition, expand};
use crate::template::yaml;

/// CloudFormation's limit for a template that is sent with a call, in bytes (D).
pub const TEMPLATE_BYTES_MAX: usize = 51_200;

/// A stack of the deployment. In their order each may import from those before it, but services do
/// not from one another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stack {
    /// What must outlive everything else: the state table, the API key, logs.
    State,
    /// Subnets and security groups.
    Network,
    /// The database, if there is one.
    Database,
    /// Topics, the queues and the role of the event-bus, and the boundary of all roles.
    Messaging,
    /// What all services share: cluster, execution role, alarms topic, balancer; and the event-bus.
    Services,
    /// One service besides the event-bus, by its name: queue, role, tasks, alarms.
    Service(String),
    /// Dashboard, and the alarms of what is shared.
    Observability,
}

impl Stack {
    /// All of a deployment, in their order.
    pub fn all(composition: &Composition) -> BTreeSet<Self> {
        let own = composition.services.iter().map(|service| Self::Service(service.name.clone()));
        let shared = [Self::State, Self::Network, Self::Database, Self::Messaging, Self::Services];
        shared.into_iter().chain(own).chain([Self::Observability]).collect()
    }

    /// The last part of its name.
    pub fn label(&self) -> &str {
        match self {
            Self::State => "state",
            Self::Network => "network",
            Self::Database => "database",
            Self::Messaging => "messaging",
            Self::Services => "services",
            Self::Service(name) => name,
            Self::Observability => "observability",
        }
    }

    /// Its name in CloudFormation.
    pub fn name(&self, system: &str) -> String {
        format!("{system}-{}", self.label())
    }

    /// Whether it is the stack of one service.
    pub(crate) fn is_service(&self) -> bool {
        matches!(self, Self::Service(_))
    }

    /// What its file is called where the templates are written out.
    fn file(&self) -> String {
        let kind = if *self == Self::Messaging { "json" } else { "yaml" };
        format!("{}.{kind}", self.label())
    }

    /// The template as people may read it, with all services and topics.
    fn source<'a>(&self, composition: &'a Composition) -> Result<Cow<'a, str>, String> {
        let written = match self {
            Self::State => include_str!("../../../../deploy/aws/state.yaml"),
            Self::Network => include_str!("../../../../deploy/aws/network.yaml"),
            Self::Database => include_str!("../../../../deploy/aws/database.yaml"),
            Self::Messaging => return Ok(Cow::Borrowed(&composition.messaging)),
            Self::Services => include_str!("../../../../deploy/aws/services.yaml"),
            Self::Service(name) => {
                let written = include_str!("../../../../deploy/aws/service.yaml");
                return expand(written, composition, Some(name)).map(Cow::Owned);
            }
            Self::Observability => include_str!("../../../../deploy/aws/observability.yaml"),
        };
        expand(written, composition, None).map(Cow::Owned)
    }
}

/// Every template by the name of its file, in the order in which their stacks are made, as people
/// read it and `aws cloudformation deploy` takes it.
///
/// # Errors
/// If a template is broken.
pub fn templates(composition: &Composition) -> Result<Vec<(String, String)>, Error> {
    let write = |stack: &Stack| {
        let text = stack.source(composition).map_err(|why| broken(stack, &why))?;
        Ok((stack.file(), text.into_owned()))
    };
    Stack::all(composition).iter().map(write).collect()
}

fn broken(stack: &Stack, why: &str) -> Error {
    Error::failed(format!("the {} template: {why}", stack.label()))
}

/// A template, as text and as data.
#[derive(Debug, Clone)]
pub struct Template {
    /// Whose it is.
    pub stack: Stack,
    /// What is sent.
    pub text: String,
    body: Value,
}

/// A resource that a template makes for the parameters at hand.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// The stack that it is in.
    pub stack: Stack,
    /// Its name within the template.
    pub logical: String,
    /// E.g. `AWS::SQS::Queue`.
    pub kind: String,
    /// Its properties, as far as they can be known before it is there.
    pub properties: Value,
}

impl Template {
    /// The template of a stack, without the resources of some types: for emulators that lack them.
    ///
    /// # Errors
    /// If the template that is built in is broken, or too long to send.
    pub(crate) fn of(
        stack: &Stack,
        composition: &Composition,
        without: &BTreeSet<String>,
    ) -> Result<Self, Error> {
        let broken = |why: String| broken(stack, &why);
        let source = stack.source(composition).map_err(broken)?;
        let mut body = yaml::parse(&source).map_err(broken)?;
        let stripped = strip(&mut body, without);
        // People read it in the console: it goes as it is written, unless that is generated or
        // too long with its comments.
        let is_written = stripped == 0 && *stack != Stack::Messaging;
        let fits = source.len() <= TEMPLATE_BYTES_MAX;
        let text = if is_written && fits { source.into_owned() } else { body.to_string() };
        if text.len() > TEMPLATE_BYTES_MAX {
            let length = text.len();
            return Err(broken(format!("{length} bytes, of {TEMPLATE_BYTES_MAX} at most")));
        }
        Ok(Self { stack: stack.clone(), text, body })
    }

    /// The names of its parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.body["Parameters"].as_object().into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// The default of a parameter; `None` if it must be given.
    pub fn default(&self, parameter: &str) -> Option<String> {
        text(self.body["Parameters"].get(parameter)?.get("Default")?)
    }

    /// Whether a stack was made of it, however it was written.
    pub(crate) fn is(&self, deployed: &str) -> bool {
        deployed == self.text || yaml::parse(deployed).is_ok_and(|body| body == self.body)
    }

    /// What it makes for some parameters; those that are not given have their defaults.
    pub fn resources(&self, parameters: &Parameters, region: &str) -> Vec<Resource> {
        let made = Scope::new(&self.body, parameters, region).resources();
        let resource = |(logical, mut definition): (String, Value)| Resource {
            stack: self.stack.clone(),
            logical,
            kind: definition["Type"].as_str().unwrap_or_default().to_owned(),
            properties: definition["Properties"].take(),
        };
        made.into_iter().map(resource).collect()
    }

    /// Whether it takes something from another stack.
    pub(crate) fn imports(&self) -> bool {
        mentions(&self.body["Resources"], "Fn::ImportValue")
    }

    /// What a resource leaves when its stack goes: itself, or a snapshot of it.
    pub(crate) fn leaves(&self, logical: &str) -> Option<&'static str> {
        match self.body["Resources"][logical]["DeletionPolicy"].as_str() {
            Some("Retain" | "RetainExceptOnCreate") => Some(""),
            Some("Snapshot") => Some("a last snapshot of "),
            _ => None,
        }
    }
}

/// Takes out the resources of some types; how many there were.
fn strip(body: &mut Value, without: &BTreeSet<String>) -> usize {
    let Some(resources) = body["Resources"].as_object_mut() else { return 0 };
    let before = resources.len();
    resources.retain(|_, definition| {
        definition["Type"].as_str().is_none_or(|kind| !without.contains(kind))
    });
    before - resources.len()
}

/// The resources of some types, of all templates: what is stripped.
pub(crate) fn stripped(
    composition: &Composition,
    without: &BTreeSet<String>,
) -> Result<Vec<(Stack, String, String)>, Error> {
    let mut found = Vec::new();
    for stack in Stack::all(composition) {
        let template = Template::of(&stack, composition, &BTreeSet::new())?;
        let resources = template.body["Resources"].as_object();
        for (logical, definition) in resources.into_iter().flatten() {
            let kind = definition["Type"].as_str().unwrap_or_default();
            if without.contains(kind) {
                found.push((stack.clone(), logical.clone(), kind.to_owned()));
            }
        }
    }
    Ok(found)
}

fn mentions(value: &Value, function: &str) -> bool {
    match value {
        Value::Array(list) => list.iter().any(|value| mentions(value, function)),
        Value::Object(map) => {
            map.iter().any(|(name, value)| name == function || mentions(value, function))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
