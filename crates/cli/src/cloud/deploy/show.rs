//! What people see of a plan, of the state of things, and of a farewell.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::{Value, json};

use crate::output;
use crate::output::failure::WrongUse;
use crate::output::format::Format;
use worldbus_cost::{bill, prices};
use worldbus_deploy::{
    Change, Changes, Deployment, Farewell, Finding, Plan, Stack, StackPlan, Status,
};

/// What would change, stack by stack, and what a month costs then.
pub(super) fn plan(deployment: &Deployment, plan: &Plan, format: Format) -> Result<()> {
    let region = &deployment.region;
    let prices = prices::list(region).map_err(WrongUse)?;
    let document = plan_document(
        deployment,
        plan,
        bill::json(region, &plan.resources, &deployment.composition, &prices),
    );
    let text = || {
        let bill = bill::table(region, &plan.resources, &deployment.composition, &prices);
        plan_text(deployment, plan)
            + "\nWhat a month costs, with the load of the system before (`worldbus cost --profile` \
               says where prices are from):\n\n"
            + &bill
            + "\n"
    };
    say(format, &document, text)
}

fn plan_document(deployment: &Deployment, plan: &Plan, bill: Value) -> Value {
    let left_out = deployment.stripped.iter().map(|(stack, logical, kind)| {
        json!({ "stack": stack.label(), "resource": logical, "type": kind })
    });
    let stacks = plan.stacks.iter().map(|stack| {
        let change = |change: &Change| {
            json!({
                "action": change.action,
                "type": change.kind,
                "resource": change.logical,
                "properties": change.properties,
                "replacement": change.replacement,
            })
        };
        let changes: Vec<Value> = stack.changes.list().iter().map(change).collect();
        json!({ "stack": stack.name, "summary": fate(stack), "changes": changes })
    });
    json!({
        "left_out": left_out.collect::<Vec<_>>(),
        "stacks": stacks.collect::<Vec<_>>(),
        "differs": !plan.is_empty(),
        "cost": bill,
    })
}

fn plan_text(deployment: &Deployment, plan: &Plan) -> String {
    let mut page = String::new();
    for (stack, logical, kind) in &deployment.stripped {
        let stack = stack.label();
        let _ = writeln!(page, "left out: {kind} {logical} of stack {stack}");
    }
    for stack in &plan.stacks {
        let _ = writeln!(page, "{} ({})", stack.name, fate(stack));
        for change in stack.changes.list() {
            let _ = writeln!(page, "  {}", line(change));
        }
    }
    if plan.is_empty() {
        page.push_str("\nEverything is as it should be; nothing changes.\n");
    }
    page
}

fn fate(stack: &StackPlan) -> String {
    let (changes, wreck) = (&stack.changes, &stack.wreck);
    let count = changes.list().len();
    if let Some(why) = wreck {
        return format!(
            "could not be made before: {why}\n  what is left of it is deleted, then it is made: \
             {count} resources"
        );
    }
    match (changes, &stack.status) {
        (Changes::None, _) => "as it should be".to_owned(),
        (Changes::Foreseen(changes), Some(_)) if changes.is_empty() => {
            "changes with the stacks before it, as far as it takes from them".to_owned()
        }
        (Changes::Foreseen(_), _) => format!("new, {count} resources by its template"),
        (Changes::Known { .. }, None) => format!("new, {count} resources"),
        (Changes::Known { .. }, Some(_)) if count == 1 => "1 change".to_owned(),
        (Changes::Known { .. }, Some(_)) => format!("{count} changes"),
    }
}

/// `+ TYPE name`, with what changes and whether it is replaced.
fn line(change: &Change) -> String {
    let sign = match change.action.as_str() {
        "Add" => "+",
        "Remove" => "-",
        _ => "~",
    };
    let mut line = format!("{sign} {} {}", change.kind, change.logical);
    if !change.properties.is_empty() && sign == "~" {
        let _ = write!(line, ": {}", change.properties.join(", "));
    }
    match change.replacement.as_str() {
        "True" => line.push_str(" (is replaced)"),
        "Conditional" => line.push_str(" (may be replaced)"),
        _ => {}
    }
    line
}

/// What the stacks say of themselves.
pub(super) fn outputs(outputs: &[(String, String, String)], format: Format) -> Result<()> {
    let one = |output: &(String, String, String)| {
        let (name, value, what) = output;
        json!({ "name": name, "value": value, "description": what })
    };
    let document = json!({ "outputs": outputs.iter().map(one).collect::<Vec<_>>() });
    let text = || {
        let width = outputs.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        let mut page = "\nOutputs:\n".to_owned();
        for (name, value, what) in outputs {
            let _ = writeln!(page, "  {name:width$}  {value}");
            if !what.is_empty() {
                let _ = writeln!(page, "  {:width$}  ({what})", "");
            }
        }
        page
    };
    say(format, &document, text)
}

/// How things are, and what differs.
pub(super) fn status(status: &Status, format: Format) -> Result<()> {
    let one = |finding: &Finding| {
        let Finding { of, name, is, differs, .. } = finding;
        json!({ "of": of.to_string(), "name": name, "is": is, "differs": differs })
    };
    let findings: Vec<Value> = status.findings.iter().map(one).collect();
    let document = json!({ "findings": findings, "differs": status.differs() });
    say(format, &document, || status_text(status))
}

fn status_text(status: &Status) -> String {
    let mut page = String::new();
    for finding in &status.findings {
        let sign = if finding.differs.is_empty() { ' ' } else { '!' };
        let _ = writeln!(page, "{sign} {} {}: {}", finding.of, finding.name, finding.is);
        for difference in &finding.differs {
            let _ = writeln!(page, "    {difference}");
        }
    }
    let last = if status.differs() {
        "\nWhat is marked ! is not as it should be."
    } else {
        "\nEverything is as it should be."
    };
    page + last + "\n"
}

/// What would go and what would stay.
pub(super) fn farewell(farewell: &Farewell, format: Format) -> Result<()> {
    let text = || {
        let mut page = String::new();
        for (_, name, count) in &farewell.goes {
            let _ = writeln!(page, "- stack {name}, {count} resources");
        }
        if farewell.goes.is_empty() {
            page.push_str("there is nothing to delete\n");
        }
        if farewell.idles {
            page.push_str("~ the network stays for the database, without NAT and endpoints\n");
        }
        page + &stays(farewell)
    };
    let goes =
        farewell.goes.iter().map(|(_, name, count)| json!({ "stack": name, "resources": count }));
    let document = json!({
        "goes": goes.collect::<Vec<_>>(),
        "network_idles": farewell.idles,
        "stays": kept_list(farewell),
    });
    say(format, &document, text)
}

/// What stayed.
pub(super) fn kept(farewell: &Farewell, format: Format) -> Result<()> {
    let deleted: Vec<&String> = farewell.goes.iter().map(|(_, name, _)| name).collect();
    let document = json!({ "deleted": deleted, "kept": kept_list(farewell) });
    let count = deleted.len();
    say(format, &document, || format!("\n{count} stacks are deleted\n") + &stays(farewell))
}

fn kept_list(farewell: &Farewell) -> Vec<Value> {
    let stays = farewell.stays.iter();
    stays.map(|(kind, name)| json!({ "type": kind, "name": name })).collect()
}

fn stays(farewell: &Farewell) -> String {
    if farewell.stays.is_empty() {
        return "nothing stays\n".to_owned();
    }
    let with_data = farewell.goes.iter().any(|(stack, ..)| *stack == Stack::State);
    let mut page = if with_data { "kept:\n" } else { "kept, until --delete-data:\n" }.to_owned();
    for (kind, name) in &farewell.stays {
        let _ = writeln!(page, "  {kind} {name}");
    }
    page
}

/// A page for people, or an object on a line: several follow one another.
fn say(format: Format, document: &Value, text: impl FnOnce() -> String) -> Result<()> {
    let page = match format {
        Format::Text => text(),
        Format::Json => format!("{document}\n"),
    };
    Ok(output::page(&page)?)
}
