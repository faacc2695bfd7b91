//! What is there now: reported after a failure, so that nothing is left half-made unseen.

use crate::aws::cloudformation::StackResource;
use crate::engine::Engine;

/// Resources of a stack that failed that are named one by one.
const NAMED_COUNT_MAX: usize = 50;

impl Engine {
    /// Each stack with its state, and what is there of those that are not whole. In words, for the
    /// end of an error; that AWS does not answer is no second error.
    pub(crate) async fn inventory(&self) -> String {
        let mut text = "\nwhat is there now:".to_owned();
        let names: Vec<_> =
            self.deployment.stacks().map(|stack| self.deployment.name(stack)).collect();
        let width = names.iter().map(String::len).max().unwrap_or(0);
        for name in names {
            let line = match self.account.cloudformation.describe(&name).await {
                Ok(Some(found)) if found.status == "DELETE_COMPLETE" => "not made".to_owned(),
                Ok(None) => "not made".to_owned(),
                Ok(Some(found)) if found.status == "REVIEW_IN_PROGRESS" => {
                    "not made (planned only)".to_owned()
                }
                Ok(Some(found)) => {
                    let resources = self.account.cloudformation.resources(&found.id).await;
                    let resources = resources.map(|all| summary(&found.status, &all));
                    format!("{}{}", found.status, resources.unwrap_or_default())
                }
                Err(error) => format!("unknown ({error})"),
            };
            text.push_str(&format!("\n  {name:width$}  {line}"));
        }
        text
    }
}

fn summary(status: &str, resources: &[StackResource]) -> String {
    let is_there = |resource: &&StackResource| {
        resource.status != "DELETE_COMPLETE"
            && !(resource.status == "CREATE_FAILED" && resource.physical.is_empty())
    };
    let there: Vec<&StackResource> = resources.iter().filter(is_there).collect();
    let count = there.len();
    let mut text = format!(", {count} resources");
    let is_whole = matches!(
        status,
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" | "IMPORT_COMPLETE"
    );
    if is_whole {
        return text;
    }
    for resource in there.iter().take(NAMED_COUNT_MAX) {
        let StackResource { kind, physical, status, .. } = resource;
        text.push_str(&format!("\n    {kind} {physical} ({status})"));
    }
    if count > NAMED_COUNT_MAX {
        text.push_str(&format!("\n    and {} more", count - NAMED_COUNT_MAX));
    }
    text
}
