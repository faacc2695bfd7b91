//! Containers of one image make a world: each serves, is confined, and drains on SIGTERM.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::container::{Container, MEMORY_MIB};
use super::engine::Engine;
use crate::repo::output;

/// The service that the others are connected to.
const BUS: &str = "event-bus";
/// What a stop may take, the engine's own work included.
const STOP_MAX: Duration = Duration::from_secs(5);

/// What one start of all services showed.
pub(super) struct Start {
    /// Each service, in the order of their start.
    pub(super) services: Vec<Service>,
}

/// One service of it.
pub(super) struct Service {
    pub(super) name: String,
    /// From the begin of the process to the first answer, and to being ready.
    pub(super) live: Duration,
    pub(super) ready: Duration,
    /// From `podman stop` to its return.
    pub(super) stop: Duration,
    /// The most memory that the process had.
    pub(super) peak_kib: u64,
}

/// The services of a binary: names, and the first of their parts of the REST interface. The
/// event-bus, which the others wait for, is first.
pub(super) fn all(binary: &Path) -> Result<Vec<(String, String)>> {
    let list = output(Command::new(binary).args(["services", "--format", "json"]))?;
    let list: Value = serde_json::from_str(&list).context("the list of services is not JSON")?;
    let list = list["services"].as_array().context("no services are listed")?;
    let text = |of: &Value| of.as_str().map(str::to_owned);
    let pair = |of: &Value| Some((text(&of["name"])?, text(&of["api"][0])?));
    let pairs: Option<Vec<_>> = list.iter().map(pair).collect();
    let mut pairs = pairs.context("a service without a name")?;
    pairs.sort_by_key(|(name, _)| name != BUS);
    Ok(pairs)
}

/// Starts all, checks each, stops all. One that follows the clock is ready only once it has
/// received it, which proves that events pass from one container through another to the third.
pub(super) fn check(engine: &Engine, image: &str, services: &[(String, String)]) -> Result<Start> {
    let (mut started, mut variables) = (Vec::new(), Vec::new());
    for (name, api) in services {
        let container = Container::start(engine, image, name, &variables)?;
        if name == BUS {
            variables.push(("WORLDBUS_URL", container.url()));
            container.answered("/readyz")?;
        }
        started.push((container, api));
    }
    let mut all = Vec::new();
    for (mut container, api) in started {
        let times = times(&mut container)?;
        serves(&container, api).with_context(|| container.service.clone())?;
        all.push((container, times));
    }
    for (container, _) in &all {
        container.is_healthy()?;
        is_confined(container).with_context(|| container.service.clone())?;
    }
    let mut services = Vec::new();
    for (container, (live, ready)) in all.iter().rev() {
        services.push(end(container, *live, *ready).with_context(|| container.service.clone())?);
    }
    services.reverse();
    Ok(Start { services })
}

/// From the begin of the process to its first answer, and to being ready.
fn times(container: &mut Container<'_>) -> Result<(Duration, Duration)> {
    let (live, ready) = (container.answered("/livez")?, container.answered("/readyz")?);
    let began = container.began()?;
    Ok((live.duration_since(began)?, ready.duration_since(began)?))
}

/// A path of its part of the REST interface, which takes no parameters, answers.
fn serves(container: &Container<'_>, api: &str) -> Result<()> {
    let (status, body) = container.get("/openapi.json")?;
    ensure!(status == 200, "/openapi.json answered {status}: {body}");
    let description: Value = serde_json::from_str(&body).context("/openapi.json is not JSON")?;
    let paths = description["paths"].as_object().context("/openapi.json has no paths")?;
    let is_plain = |operation: &Value| {
        let parameters = operation["parameters"].as_array();
        operation.is_object()
            && parameters.is_none_or(|all| all.iter().all(|of| of["required"] != true))
    };
    let path = paths.iter().find(|(path, of)| {
        path.starts_with(&format!("/api/{api}/"))
            && !path.contains("stream")
            && is_plain(&of["get"])
    });
    let (path, _) = path.with_context(|| format!("no path of {api} can be asked"))?;
    let (status, body) = container.get(path)?;
    ensure!(status == 200, "{path} answered {status}: {body}");
    Ok(())
}

fn end(container: &Container<'_>, live: Duration, ready: Duration) -> Result<Service> {
    let peak_kib = value(&container.proc("status")?, "VmHWM:")?.parse()?;
    let (code, stop) = container.stop()?;
    ensure!(code == 0, "exit code {code} after SIGTERM; its log:\n{}", container.log());
    ensure!(container.log().contains("draining"), "it did not drain:\n{}", container.log());
    ensure!(stop < STOP_MAX, "it took {stop:?} to stop");
    Ok(Service { name: container.service.clone(), live, ready, stop, peak_kib })
}

/// What the kernel reports of the process.
fn is_confined(container: &Container<'_>) -> Result<()> {
    let status = container.proc("status")?;
    for (line, wanted) in [
        ("Uid:", "65532"),
        ("Gid:", "65532"),
        ("CapEff:", "0000000000000000"),
        ("CapBnd:", "0000000000000000"),
        ("NoNewPrivs:", "1"),
    ] {
        let found = value(&status, line)?;
        ensure!(found == wanted, "{line} {found}, not {wanted}");
    }
    let mounts = container.proc("mountinfo")?;
    let mut root = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let root = root.find(|fields| fields.get(4) == Some(&"/")).context("nothing is mounted")?;
    ensure!(root[5].split(',').any(|option| option == "ro"), "its root is mounted {}", root[5]);
    let limit = memory_limit(&container.proc("cgroup")?)?;
    ensure!(limit == MEMORY_MIB << 20, "its memory is limited to {limit} bytes");
    Ok(())
}

/// What the kernel enforces: of version 2 of cgroups, or of version 1.
fn memory_limit(cgroups: &str) -> Result<u64> {
    let places = cgroups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        match (fields.next()?, fields.next()?) {
            ("", path) => Some(format!("/sys/fs/cgroup{path}/memory.max")),
            ("memory", path) => Some(format!("/sys/fs/cgroup/memory{path}/memory.limit_in_bytes")),
            _ => None,
        }
    });
    let limit = places.filter_map(|place| fs::read_to_string(place).ok()).next();
    Ok(limit.context("no limit of memory is to be found")?.trim().parse()?)
}

/// The first word behind a name in a file such as `/proc/PID/status`.
fn value<'a>(text: &'a str, name: &str) -> Result<&'a str> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name));
    rest.and_then(|rest| rest.split_whitespace().next()).with_context(|| format!("no {name}"))
}
