//! What Prometheus' client libraries say of any process (`process_*`, as far as Linux has it), and
//! `worldbus_build_info`. Read when they are asked for.
//!
//! Not the `metrics-process` crate: it brings six more for systems that we do not serve on.
#![allow(clippy::disallowed_methods, reason = "the adapter of what the kernel knows of a process")]

use std::fmt::Write as _;
use std::fs;

use crate::observe::build;

/// Parts of a second in which Linux counts times of a process; fixed for user space (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// The metrics as text; what this system does not have is left out.
pub(super) fn render() -> String {
    let mut page = String::new();
    let stat = fs::read_to_string("/proc/self/stat").ok();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let (cpu, start) = stat.as_deref().map_or((None, None), times);
    let name = "process_cpu_seconds_total";
    put(&mut page, name, "counter", "Processor time that the process took.", cpu);
    let name = "process_start_time_seconds";
    put(&mut page, name, "gauge", "When the process started, since the Unix epoch.", start);
    let name = "process_resident_memory_bytes";
    put(&mut page, name, "gauge", "Memory that the process has in RAM.", bytes(&status, "VmRSS:"));
    let name = "process_virtual_memory_bytes";
    put(&mut page, name, "gauge", "Address space of the process.", bytes(&status, "VmSize:"));
    let threads = field(&status, "Threads:").map(|threads| threads as f64);
    put(&mut page, "process_threads", "gauge", "Threads of the process.", threads);
    let name = "process_open_fds";
    put(&mut page, name, "gauge", "File descriptors that are open.", open_fds());
    let name = "process_max_fds";
    put(&mut page, name, "gauge", "File descriptors that may be open at once.", max_fds());
    build_info(&mut page);
    page
}

fn put(page: &mut String, name: &str, kind: &str, help: &str, value: Option<f64>) {
    if let Some(value) = value {
        // Writing to a string cannot fail.
        let _ = write!(page, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n\n");
    }
}

fn build_info(page: &mut String) {
    let version = env!("CARGO_PKG_VERSION");
    let commit = build::commit().unwrap_or("unknown");
    let _ = write!(
        page,
        "# HELP worldbus_build_info The build that runs; always 1.\n\
         # TYPE worldbus_build_info gauge\n\
         worldbus_build_info{{version=\"{version}\",commit=\"{commit}\"}} 1\n\n"
    );
}

/// Processor seconds, and the start in seconds since the Unix epoch, by `proc_pid_stat(5)`.
fn times(stat: &str) -> (Option<f64>, Option<f64>) {
    // The second field is the name in brackets, which may hold anything; the third is next.
    let fields: Vec<&str> =
        stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
    let cpu = ticks(14).zip(ticks(15)).map(|(user, system)| (user + system) / TICKS_PER_SECOND);
    let start = ticks(22).zip(boot_time()).map(|(ticks, boot)| boot + ticks / TICKS_PER_SECOND);
    (cpu, start)
}

fn boot_time() -> Option<f64> {
    field(&fs::read_to_string("/proc/stat").ok()?, "btime").map(|seconds| seconds as f64)
}

/// The number behind a name, as the files of `/proc` have them.
fn field(page: &str, name: &str) -> Option<u64> {
    let line = page.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn bytes(status: &str, name: &str) -> Option<f64> {
    field(status, name).map(|kib| (kib * 1024) as f64)
}

fn open_fds() -> Option<f64> {
    // Reading the folder takes one of its own.
    Some(fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1) as f64)
}

/// None where there is no limit.
fn max_fds() -> Option<f64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    field(&limits, "Max open files").map(|count| count as f64)
}
