//! What is written while AWS is at it, and what it was at when somebody stopped watching.

use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use worldbus_deploy::{Deployment, Progress};

/// Who watches.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// The stack that AWS is at, and what it does with it.
    at: Mutex<Option<(String, &'static str)>>,
}

impl Watch {
    /// Writes a line. That nobody reads it is no reason to stop half-way.
    pub(super) fn tell(&self, progress: &Progress) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::Begun { stack, what } => *at = Some((stack.clone(), what)),
            Progress::Ended { .. } => *at = None,
            _ => {}
        }
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{}", line(progress)).and_then(|()| out.flush());
    }

    /// What goes on in AWS though nobody watches any more.
    pub(super) fn interrupted(&self, deployment: &Deployment) -> String {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        let place =
            format!("--region {} --system-name {}", deployment.region, deployment.system_name);
        match &*at {
            None => "interrupted; nothing goes on in AWS".to_owned(),
            Some((stack, what)) => {
                let cancel = match *what {
                    "update" => format!(
                        "\n  aws cloudformation cancel-update-stack --region {} --stack-name \
                         {stack}    takes it back",
                        deployment.region
                    ),
                    _ => String::new(),
                };
                format!(
                    "interrupted; AWS goes on to {what} stack {stack}, and begins no other:\n  \
                     worldbus deploy aws status {place}    shows how far it is{cancel}\n\
                     Once it is done the same command goes on from there."
                )
            }
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
