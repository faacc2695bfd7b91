//! Plans of engines that have logs of their own: in one process, or in event-buses.

use super::capacity::{Capacity, Shape, capacity};
use super::measured::Measured;
use super::{
    DAY_S, Disk, Engine, HEADROOM_SHARE, Item, PLACES_MAX, Plan, Wanted, event_bytes, item, short,
    task_usd,
};
use crate::model::BATCH_EVENTS_MAX;
use crate::prices::{self, Price, usd};

/// Batches in flight, where batches are ready.
const BATCH_WINDOW: u32 = 64;
/// What a record of the log has besides its batches.
const RECORD_OVERHEAD_BYTES: f64 = 32.0;
/// The files of a log take so many times what is kept, and so many bytes more, at the most
/// (docs/reference/retention.md).
const FILES_FACTOR: f64 = 2.0;
const FILES_MORE_BYTES: f64 = 256.0 * 1024.0 * 1024.0;
/// Vcpus of tasks to choose from, each with twice as many GB of memory.
const TASK_VCPUS: [f64; 7] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0];
const GB_A_VCPU: f64 = 2.0;
const GIB: f64 = 1_073_741_824.0;
/// Bytes of a priced GB of storage: AWS counts GiB.
const STORAGE_GB_BYTES: f64 = GIB;
/// Below this share of one log's capacity a smaller machine would do.
const FAR_BELOW: f64 = 0.01;

/// Below this a topic keeps what is wanted by the default of `retention_bytes`.
pub(super) const RETENTION_BYTES_DEFAULT: f64 = GIB;
/// What a volume of EBS writes a second unless more is paid (M).
const VOLUME_BYTES_PER_S_MAX: f64 = 125.0 * 1024.0 * 1024.0;

/// How many logs, and what each carries.
struct Split {
    logs: u64,
    shape: Shape,
    capacity: Capacity,
    /// Events a second of each with the window that carries most.
    most: f64,
}

/// Plans a load.
pub(super) fn plan(
    measured: &Measured,
    wanted: &Wanted,
    engine: Engine,
    prices: &[Price],
) -> Result<Plan, String> {
    let Split { logs, shape, capacity, most } = split(measured, wanted, engine)?;
    let all = logs as f64;
    let share_used = wanted.events_per_s / (most * all);
    let of_window = wanted.events_per_s / (capacity.events_per_s * all);
    let batch_events = batch_events(&shape, of_window);
    let event_bytes = event_bytes(wanted.payload_bytes, batch_events);
    let network = match engine {
        Engine::Embedded => 0.0,
        _ => wanted.events_per_s * event_bytes * f64::from(1 + wanted.subscribers),
    };
    let disk = disk(wanted, logs, event_bytes + RECORD_OVERHEAD_BYTES / batch_events);
    let task_vcpu = task_vcpu(f64::from(measured.source.cores), share_used);
    let mut notes = Vec::new();
    notes.extend(split_note(engine, logs));
    notes.extend(spare_note(logs, most, share_used));
    notes.extend(batches_note(measured, wanted, engine, logs)?);
    notes.push(retention_note(wanted, &disk));
    notes.extend(volume_note(&disk, all));
    let cores = f64::from(measured.source.cores);
    if task_vcpu < cores {
        notes.push(format!(
            "{cores} cores were measured: a task of {task_vcpu} vCPU is taken to carry its part"
        ));
    }
    notes.extend(capacity.assumptions);
    Ok(Plan {
        engine,
        count: logs,
        topics_each: u64::from(shape.topics),
        publishers: logs,
        window: Some(shape.window),
        batch_events,
        linger_ms: 0,
        window_events_per_s: Some(capacity.events_per_s * all),
        capacity_events_per_s: most * all,
        share_used,
        p50_ms: capacity.p50_ms,
        p99_ms: capacity.p99_ms,
        event_bytes,
        disk: Some(disk),
        network_bytes_per_s: network,
        task_vcpu: Some(task_vcpu),
        month: month(wanted, engine, logs, &disk, task_vcpu, prices),
        notes,
    })
}

/// One log with the smallest window that suffices; else as few logs as suffice with the window that
/// carries most.
fn split(measured: &Measured, wanted: &Wanted, engine: Engine) -> Result<Split, String> {
    let windows = match (wanted.batch_events, wanted.window) {
        (Some(_), _) => vec![BATCH_WINDOW],
        (None, Some(window)) => vec![window],
        (None, None) => measured.windows(engine),
    };
    let rate_of =
        |window, logs| capacity(measured, engine, &shape(wanted, window, logs)).events_per_s;
    let of = |window, logs| {
        let shape = shape(wanted, window, logs);
        let capacity = capacity(measured, engine, &shape);
        let others = measured.windows(engine).into_iter().map(|window| rate_of(window, logs));
        let most = others.fold(capacity.events_per_s, f64::max);
        Split { logs, shape, capacity, most }
    };
    let least = u64::from(wanted.topics.div_ceil(PLACES_MAX));
    let with_least: Vec<Split> = windows.into_iter().map(|window| of(window, least)).collect();
    let rate = |split: &Split| split.capacity.events_per_s;
    let best = with_least.iter().max_by(|a, b| rate(a).total_cmp(&rate(b)));
    let best = best.filter(|best| rate(best) > 0.0);
    let window =
        best.ok_or("the built-in measurements have no points of this engine")?.shape.window;
    let suffices = |split: &Split| logs_needed(wanted, split) <= split.logs;
    if let Some(found) = with_least.into_iter().find(suffices) {
        return Ok(found);
    }
    // More logs have fewer topics each, so that each carries more: the fewest that suffice are
    // searched for between those that do not and those that do.
    let (mut too_few, mut enough) = (least, logs_needed(wanted, &of(window, least)));
    while enough - too_few > 1 {
        let middle = too_few + (enough - too_few) / 2;
        match suffices(&of(window, middle)) {
            true => enough = middle,
            false => too_few = middle,
        }
    }
    Ok(of(window, enough))
}

/// Logs that carry all of the load, if each is like this one.
fn logs_needed(wanted: &Wanted, split: &Split) -> u64 {
    (wanted.events_per_s / (split.capacity.events_per_s * HEADROOM_SHARE)).ceil() as u64
}

/// What goes through each of so many logs.
fn shape(wanted: &Wanted, window: u32, logs: u64) -> Shape {
    let Wanted { payload_bytes, subscribers, batch_events, .. } = *wanted;
    let topics = u64::from(wanted.topics).div_ceil(logs);
    Shape { window, payload_bytes, topics: topics as u32, subscribers, batch_events }
}

/// Those that are in flight of a topic share a batch; below the capacity fewer are.
fn batch_events(shape: &Shape, share_used: f64) -> f64 {
    let gathered = f64::from(shape.window) * share_used / f64::from(shape.topics);
    let events = shape.batch_events.map_or(gathered, f64::from);
    events.clamp(1.0, f64::from(BATCH_EVENTS_MAX))
}

fn disk(wanted: &Wanted, logs: u64, event_bytes: f64) -> Disk {
    let logs = logs as f64;
    let bytes_per_s = wanted.events_per_s * event_bytes;
    let kept = bytes_per_s * f64::from(wanted.retention_hours) * 3600.0;
    let hours = |gib: u32| {
        let bytes = (f64::from(gib) * GIB - FILES_MORE_BYTES).max(0.0) * logs / FILES_FACTOR;
        bytes / bytes_per_s / 3600.0
    };
    Disk {
        bytes_per_s,
        bytes_per_day: bytes_per_s * DAY_S,
        bytes_for_retention: kept * FILES_FACTOR + FILES_MORE_BYTES * logs,
        retention_bytes_a_topic: kept / f64::from(wanted.topics).max(logs),
        hours_that_fit: wanted.disk_gib.map(hours),
    }
}

/// The smallest task that has the headroom, if a task carries by its cores.
fn task_vcpu(cores: f64, share_used: f64) -> f64 {
    let needed = cores * share_used / HEADROOM_SHARE;
    let fitting = TASK_VCPUS.into_iter().find(|vcpu| *vcpu >= needed * (1.0 - f64::EPSILON));
    fitting.unwrap_or(cores)
}

fn month(
    wanted: &Wanted,
    engine: Engine,
    logs: u64,
    disk: &Disk,
    vcpu: f64,
    prices: &[Price],
) -> Vec<Item> {
    let memory_gb = vcpu * GB_A_VCPU;
    let of = if engine == Engine::Embedded { "processes" } else { "event-buses" };
    let tasks = format!("Fargate, {of}, {logs} of {vcpu} vCPU, {memory_gb} GB");
    let bytes = match wanted.disk_gib {
        Some(gib) => f64::from(gib) * GIB * logs as f64,
        None => disk.bytes_for_retention,
    };
    let gb = (bytes / STORAGE_GB_BYTES).ceil();
    let mut month = vec![
        item(tasks, logs as f64, task_usd(vcpu, memory_gb, prices)),
        item(format!("EBS, {gb} GB"), gb, usd(prices, prices::Item::Volume)),
    ];
    if engine == Engine::Remote {
        month.push(item("data transfer between zones".to_owned(), 0.0, None));
    }
    month
}

fn split_note(engine: Engine, logs: u64) -> Option<String> {
    let text = match engine {
        _ if logs == 1 => return None,
        Engine::Embedded => {
            "one process does not carry it: run a world, or a group of regions, in each, with a \
             data directory of its own"
        }
        _ => {
            "one event-bus does not carry it: give each the topics of some worlds, or of a group \
             of regions, and a data directory of its own; publishers and subscribers connect to \
             those whose topics they need"
        }
    };
    Some(text.to_owned())
}

fn spare_note(logs: u64, most: f64, share_used: f64) -> Option<String> {
    let is_far_below = logs == 1 && share_used < FAR_BELOW;
    is_far_below.then(|| {
        let times = short(HEADROOM_SHARE / share_used);
        format!("carries it by far: of {} events/s, with headroom {times} times it", short(most))
    })
}

/// What ready batches would save.
fn batches_note(
    measured: &Measured,
    wanted: &Wanted,
    engine: Engine,
    logs: u64,
) -> Result<Option<String>, String> {
    let ready = measured.batches(engine).and_then(|point| point.batch_events);
    let Some(events) = ready.filter(|_| logs > 1 && wanted.batch_events.is_none()) else {
        return Ok(None);
    };
    let with_batches = Wanted { batch_events: Some(events), window: None, ..*wanted };
    let fewer = split(measured, &with_batches, engine)?.logs;
    Ok((fewer < logs).then(|| {
        format!("with ready batches of {events} events it is {fewer} (--batch-events {events})")
    }))
}

fn retention_note(wanted: &Wanted, disk: &Disk) -> String {
    let hours = wanted.retention_hours;
    let bytes = disk.retention_bytes_a_topic;
    let more = if bytes > RETENTION_BYTES_DEFAULT {
        format!(" --retention-bytes {:.0}", (bytes / 1e9).ceil() * 1e9)
    } else {
        String::new()
    };
    format!("to keep {hours} hours: --retention-hours {hours}{more}")
}

fn volume_note(disk: &Disk, logs: f64) -> Option<String> {
    let bytes_per_s = disk.bytes_per_s / logs;
    (bytes_per_s > VOLUME_BYTES_PER_S_MAX).then(|| {
        format!(
            "each log writes {}B/s: a volume of EBS that has more than 125 MiB/s costs more than \
             is priced here",
            short(bytes_per_s)
        )
    })
}
