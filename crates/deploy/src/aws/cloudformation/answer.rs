//! Reading answers in XML. What is not there is empty: CloudFormation leaves out what it has not.

use roxmltree::{Document, Node};

use super::{Change, Description, Event};
use worldbus_aws::{CallError, Missing};

/// Reads the element `…Result` of an answer.
pub(crate) fn read<T>(answer: &str, of: impl FnOnce(Node<'_, '_>) -> T) -> Result<T, CallError> {
    let broken = |why: String| {
        CallError::Silent(Missing::Answer, format!("AWS's answer cannot be read: {why}"))
    };
    let document = Document::parse(answer).map_err(|error| broken(error.to_string()))?;
    let root = document.root_element();
    let result = root.children().find(|node| node.tag_name().name().ends_with("Result"));
    Ok(of(result.unwrap_or(root)))
}

pub(crate) fn child<'a, 'd>(node: Node<'a, 'd>, name: &str) -> Option<Node<'a, 'd>> {
    node.children().find(|child| child.tag_name().name() == name)
}

pub(crate) fn members<'a, 'd>(node: Node<'a, 'd>) -> impl Iterator<Item = Node<'a, 'd>> {
    node.children().filter(|child| child.tag_name().name() == "member")
}

/// The text of a child; empty without one.
pub(crate) fn text(node: Node<'_, '_>, name: &str) -> String {
    let text = child(node, name)
        .map(|child| child.children().filter_map(|node| node.text()).collect::<Vec<_>>().concat());
    text.unwrap_or_default()
}

pub(super) fn description(node: Node<'_, '_>) -> Description {
    let each = |name| child(node, name).into_iter().flat_map(members);
    let parameter = |p| (text(p, "ParameterKey"), text(p, "ParameterValue"));
    Description {
        id: text(node, "StackId"),
        status: text(node, "StackStatus"),
        parameters: each("Parameters").map(parameter).collect(),
        outputs: each("Outputs")
            .map(|o| (text(o, "OutputKey"), text(o, "OutputValue"), text(o, "Description")))
            .collect(),
    }
}

pub(super) fn change(node: Node<'_, '_>) -> Change {
    let details = child(node, "Details").into_iter().flat_map(members);
    let mut properties: Vec<String> = details
        .filter_map(|detail| child(detail, "Target"))
        .map(|target| match text(target, "Name") {
            name if name.is_empty() => text(target, "Attribute"),
            name => name,
        })
        .collect();
    properties.sort();
    properties.dedup();
    Change {
        action: text(node, "Action"),
        logical: text(node, "LogicalResourceId"),
        physical: text(node, "PhysicalResourceId"),
        kind: text(node, "ResourceType"),
        replacement: text(node, "Replacement"),
        properties,
    }
}

pub(super) fn event(node: Node<'_, '_>) -> Event {
    Event {
        id: text(node, "EventId"),
        logical: text(node, "LogicalResourceId"),
        physical: text(node, "PhysicalResourceId"),
        kind: text(node, "ResourceType"),
        status: text(node, "ResourceStatus"),
        reason: text(node, "ResourceStatusReason"),
    }
}
