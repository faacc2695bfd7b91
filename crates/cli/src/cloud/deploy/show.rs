//! What people see of a plan, of the state of things, and of a farewell.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anyhow::Result;

use worldbus_deploy::{Change, Changes, Deployment, Farewell, Plan, StackPlan, Status};

/// What would change, stack by stack.
pub(super) fn plan(deployment: &Deployment, plan: &Plan) -> Result<()> {
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
    say(&page)
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

/// `+ TYPE name`, with what changes and whether it is made anew.
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
        "True" => line.push_str(" (is made anew)"),
        "Conditional" => line.push_str(" (may be made anew)"),
        _ => {}
    }
    line
}

/// What the stacks say of themselves.
pub(super) fn outputs(outputs: &[(String, String, String)]) -> Result<()> {
    let width = outputs.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    let mut page = "\nOutputs:\n".to_owned();
    for (name, value, what) in outputs {
        let _ = writeln!(page, "  {name:width$}  {value}");
        if !what.is_empty() {
            let _ = writeln!(page, "  {:width$}  ({what})", "");
        }
    }
    say(&page)
}

/// How things are, and what differs.
pub(super) fn status(status: &Status) -> Result<()> {
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
    say(&(page + last + "\n"))
}

/// What would go and what would stay.
pub(super) fn farewell(farewell: &Farewell) -> Result<()> {
    let mut page = String::new();
    for (_, name, count) in &farewell.goes {
        let _ = writeln!(page, "- stack {name}, {count} resources");
    }
    if farewell.goes.is_empty() {
        page.push_str("there is nothing to delete\n");
    }
    say(&(page + &stays(farewell)))
}

/// What stayed.
pub(super) fn kept(farewell: &Farewell) -> Result<()> {
    let gone = format!("\n{} stacks are deleted\n", farewell.goes.len());
    say(&(gone + &stays(farewell)))
}

fn stays(farewell: &Farewell) -> String {
    if farewell.stays.is_empty() {
        return "nothing stays\n".to_owned();
    }
    let mut page = "kept, until --delete-data:\n".to_owned();
    for (kind, name) in &farewell.stays {
        let _ = writeln!(page, "  {kind} {name}");
    }
    page
}

fn say(page: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(page.as_bytes())?;
    out.flush()?;
    Ok(())
}
