//! Running checks: each in a task of its own, its panic caught and written in the report instead of
//! on the terminal.

use std::any::Any;
use std::cell::RefCell;
use std::sync::{Arc, Once};

use crate::checks::{Check, Need, checks};
use crate::engine::Engine;
use crate::report::{Report, Verdict};
use crate::wait::PACE;
use worldbus_bus::Capabilities;

tokio::task_local! {
    /// What a check panicked with, and where.
    static PANIC: RefCell<Option<String>>;
}

/// Runs every check that the engine can be held to.
///
/// # Panics
/// When the engine exempts a check that does not exist.
pub async fn check(engine: impl Engine) -> Report {
    run(Arc::new(engine), |_| true).await
}

/// Runs some checks by name.
///
/// # Panics
/// When there is no check of a name, or the engine exempts one that does not exist.
pub async fn check_only(engine: impl Engine, names: &[&str]) -> Report {
    for name in names {
        assert!(checks().iter().any(|check| check.name == *name), "there is no check {name}");
    }
    run(Arc::new(engine), |name| names.contains(&name)).await
}

async fn run(engine: Arc<dyn Engine>, wanted: impl Fn(&str) -> bool) -> Report {
    keep_checks_quiet();
    for (name, _) in engine.exempt() {
        assert!(checks().iter().any(|check| check.name == *name), "there is no check {name}");
    }
    let mut verdicts = Vec::new();
    for check in checks().into_iter().filter(|check| wanted(check.name)) {
        let verdict = match skip(&check, &*engine) {
            Some(reason) => Verdict::Skip(reason),
            None => run_one(&check, Arc::clone(&engine)).await,
        };
        verdicts.push((check.name, verdict));
    }
    Report { verdicts }
}

/// Why a check is not run.
fn skip(check: &Check, engine: &dyn Engine) -> Option<String> {
    if let Some((_, reason)) = engine.exempt().iter().find(|(name, _)| *name == check.name) {
        return Some((*reason).to_owned());
    }
    let transport = engine.transport();
    check.needs.iter().find_map(|need| unmet(*need, transport.capabilities(), engine))
}

fn unmet(need: Need, capabilities: &Capabilities, engine: &dyn Engine) -> Option<String> {
    match need {
        Need::Has(one) => (!capabilities.can(one)).then(|| format!("no {}", one.name())),
        Need::Lacks(one) => capabilities.can(one).then(|| format!("has {}", one.name())),
        Need::Restart => {
            engine.restart().is_none().then(|| "the test cannot restart the engine".to_owned())
        }
        Need::Inject => {
            let topic = crate::topic("hostile");
            let injected = engine.inject(&topic, bytes::Bytes::new());
            injected.is_none().then(|| "the engine has no door for foreign bytes".to_owned())
        }
    }
}

async fn run_one(check: &Check, engine: Arc<dyn Engine>) -> Verdict {
    let pace = engine.pace();
    let run = (check.run)(engine);
    let caught = async move {
        let result = futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(run)).await;
        result.map_err(|payload| {
            let noted = PANIC.with(|panic| panic.borrow_mut().take());
            noted.unwrap_or_else(|| text(&*payload))
        })
    };
    // In a task of its own, so that one that is stuck can be given up.
    let task = PACE.scope(pace, PANIC.scope(RefCell::default(), caught));
    let mut task = tokio::spawn(task);
    match tokio::time::timeout(3 * pace.deadline, &mut task).await {
        Ok(Ok(Ok(()))) => Verdict::Pass,
        Ok(Ok(Err(panic))) => Verdict::Fail(panic),
        Ok(Err(error)) => Verdict::Fail(error.to_string()),
        Err(_) => {
            task.abort();
            Verdict::Fail(format!("not done in {:?}", 3 * pace.deadline))
        }
    }
}

fn text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("panicked").to_owned()
}

/// A check that fails shows so in the report; all else panics as before.
fn keep_checks_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let noted = PANIC.try_with(|panic| *panic.borrow_mut() = Some(info.to_string()));
            if noted.is_err() {
                before(info);
            }
        }));
    });
}
