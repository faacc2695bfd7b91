//! What is written while AWS is at it, and what it was at when somebody stopped watching.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::output::format::Format;
use worldbus_deploy::{Deployment, Progress};

/// Who watches.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// The stacks that AWS is at, and what it does with each.
    at: Mutex<BTreeMap<String, &'static str>>,
    format: Format,
}

impl Watch {
    /// One that writes in a format.
    pub(super) fn new(format: Format) -> Self {
        Self { format, ..Self::default() }
    }

    /// Writes a line. A reader that is gone is no reason to stop half-way.
    pub(super) fn show(&self, progress: &Progress) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::Begun { stack, what } => {
                at.insert(stack.clone(), what);
            }
            Progress::Ended { stack, .. } => {
                at.remove(stack);
            }
            _ => {}
        }
        let mut out = io::stdout().lock();
        let shown = self.format.line(&document(progress), || line(progress));
        let _ = writeln!(out, "{shown}").and_then(|()| out.flush());
    }

    /// What goes on in AWS though nobody watches any more.
    pub(super) fn interrupted(&self, deployment: &Deployment) -> String {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        let place =
            format!("--region {} --system-name {}", deployment.region, deployment.system_name);
        if at.is_empty() {
            return "interrupted; nothing goes on in AWS".to_owned();
        }
        let all: Vec<_> = at.iter().map(|(stack, what)| format!("{what} stack {stack}")).collect();
        let updates = at.iter().filter(|(_, what)| **what == "update");
        let cancel = updates.map(|(stack, _)| {
            format!(
                "\n  aws cloudformation cancel-update-stack --region {} --stack-name {stack}    \
                 takes it back",
                deployment.region
            )
        });
        format!(
            "interrupted; AWS goes on to {}, and begins no other:\n  \
             worldbus deploy aws status {place}    shows how far it is{}\n\
             Once it is done the same command goes on from there.",
            all.join(", "),
            cancel.collect::<String>()
        )
    }
}

fn document(progress: &Progress) -> Value {
    match progress {
        Progress::Begun { stack, what } => {
            json!({ "progress": "begun", "stack": stack, "action": what })
        }
        Progress::Unchanged { stack } => json!({ "progress": "unchanged", "stack": stack }),
        Progress::Resource { stack, logical, kind, status, reason } => json!({
            "progress": "resource",
            "stack": stack,
            "resource": logical,
            "type": kind,
            "status": status,
            "reason": reason,
        }),
        Progress::Stopped { service, reason } => {
            json!({ "progress": "task_stopped", "service": service, "reason": reason })
        }
        Progress::Ended { stack, status } => {
            json!({ "progress": "ended", "stack": stack, "status": status })
        }
    }
}

fn line(progress: &Progress) -> String {
    match progress {
        Progress::Begun { stack, what } => format!("\n{what} {stack}"),
        Progress::Unchanged { stack } => format!("\n{stack} is as it should be"),
        Progress::Resource { logical, kind, status, reason, .. } => {
            let reason = if reason.is_empty() { String::new() } else { format!("  {reason}") };
            format!("  {status:28} {kind} {logical}{reason}")
        }
        Progress::Stopped { service, reason } => format!("  task of {service} stopped: {reason}"),
        Progress::Ended { stack, status } => format!("{stack}: {status}"),
    }
}
