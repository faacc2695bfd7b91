//! Three containers of one image make a world: each serves, is confined, and drains on SIGTERM.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::container::{Container, MEMORY_MIB};
use super::engine::Engine;

/// What a stop may take, the engine's own work included.
const STOP_MAX: Duration = Duration::from_secs(5);

/// What one start of the three services showed.
pub(super) struct Start {
    /// Each service, in the order of their start.
    pub(super) services: Vec<Service>,
}

/// One service of it.
pub(super) struct Service {
    pub(super) name: &'static str,
    /// From the begin of the process to the first answer, and to being ready.
    pub(super) live: Duration,
    pub(super) ready: Duration,
    /// From `podman stop` to its return.
    pub(super) stop: Duration,
    /// The most memory that the process had.
    pub(super) peak_kib: u64,
}

/// Starts all, checks each, stops all. The weather is ready only once it has received the clock,
/// which proves that events pass from one container through another to the third.
pub(super) fn check(engine: &Engine, image: &str) -> Result<Start> {
    let mut bus = Container::start(engine, image, "event-bus", &[])?;
    let bus_times = times(&mut bus)?;
    let url = bus.url();
    let on_bus = [("WORLDBUS_URL", url.as_str())];
    let mut time = Container::start(engine, image, "time-manager", &on_bus)?;
    let time_times = times(&mut time)?;
    let mut weather = Container::start(engine, image, "weather-manager", &on_bus)?;
    let weather_times = times(&mut weather)?;
    serves(&time, "/api/time/current")?;
    serves(&weather, "/api/weather/regions")?;
    serves(&bus, "/api/events/stats")?;
    for container in [&bus, &time, &weather] {
        container.is_healthy()?;
    }
    let all = [(weather, weather_times), (time, time_times), (bus, bus_times)];
    for (container, _) in &all {
        is_confined(container).with_context(|| container.service)?;
    }
    let mut services = Vec::new();
    for (container, (live, ready)) in &all {
        services.push(end(container, *live, *ready).with_context(|| container.service)?);
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

fn serves(container: &Container<'_>, path: &str) -> Result<()> {
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
    Ok(Service { name: container.service, live, ready, stop, peak_kib })
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
