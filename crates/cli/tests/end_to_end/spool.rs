//! `worldbus publish --spool-dir` while its event-bus is away: what is acknowledged arrives once
//! and in order, whatever is killed meanwhile.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::json;

use crate::support::{
    Service, Tail, Town, eventually, id, is, run, run_with_input, serving, worldbus,
};

/// A `publish --stdin` that is given lines and asked for ids; killed when dropped.
struct Stream {
    child: Child,
    stdin: Option<ChildStdin>,
    ids: Lines<BufReader<ChildStdout>>,
}

impl Stream {
    fn start(url: &str, spool: &str) -> Self {
        let mut publish = worldbus();
        publish.args(["publish", "--stdin", "--url", url, "--spool-dir", spool]);
        let mut child = publish.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let ids = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, stdin, ids }
    }

    /// Publishes so many events, one after the other; the ids that were acknowledged.
    fn publish(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for _ in 0..count {
            let stdin = self.stdin.as_mut().unwrap();
            writeln!(stdin, "{{\"type\":\"world_state.updated\",\"payload\":{{}}}}").unwrap();
            ids.push(self.ids.next().unwrap().unwrap());
        }
        ids
    }

    fn finish(mut self) {
        drop(self.stdin.take());
        let status = eventually("publish has ended", || self.child.try_wait().unwrap());
        assert_eq!(status.code(), Some(0));
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Hands on what an earlier run left; the spool must then be empty.
fn drain(url: &str, spool: &str) {
    let drained = run(&["publish", "--stdin", "--url", url, "--spool-dir", spool]);
    assert_eq!((drained.code, drained.stderr.as_str()), (0, ""), "{drained:?}");
}

/// Asserts that the bus has these events and no others of their type, once and in order.
fn assert_arrived(url: &str, ids: &[String]) {
    let (tail, last) = (Tail::start(url, &[]), ids.last().unwrap());
    let events = tail.until(|event| event["event_id"] == last.as_str());
    let events = events.iter().filter(|event| is(event, "world_state.updated"));
    let arrived: Vec<String> = events.map(|event| id(event).to_string()).collect();
    assert!(arrived == ids, "{} of {} arrived: {arrived:?}", arrived.len(), ids.len());
}

#[test]
fn a_stream_goes_on_while_its_event_bus_is_away_and_arrives_once_in_order() {
    let mut town = Town::found();
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().to_str().unwrap();
    let url = town.bus.url.clone();
    let mut stream = Stream::start(&url, spool);
    let mut ids = stream.publish(20);
    town.without_bus(|| ids.extend(stream.publish(200)));
    ids.extend(stream.publish(200));
    let second = run(&["publish", "time.updated", "{}", "--url", &url, "--spool-dir", spool]);
    second.refused(&["in use by another process", "--spool-dir"]);
    stream.finish();
    drain(&url, spool);
    assert_arrived(&url, &ids);
}

#[test]
fn a_filled_spool_survives_kill_9_and_is_drained_by_the_next_run() {
    let mut town = Town::found();
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().to_str().unwrap();
    let url = town.bus.url.clone();
    let mut ids = Vec::new();
    town.without_bus(|| {
        // Opened while no engine answers, and killed, twice.
        for _ in 0..2 {
            ids.extend(Stream::start(&url, spool).publish(50));
        }
        let one =
            run(&["publish", "world_state.updated", "{}", "--url", &url, "--spool-dir", spool]);
        assert_eq!(one.code, 0, "{one:?}");
        assert!(one.stderr.contains("events wait in the spool"), "{one:?}");
        ids.extend(one.lines());
    });
    drain(&url, spool);
    assert_arrived(&url, &ids);
    drain(&url, spool);
    let mut stream = Stream::start(&url, spool);
    ids.extend(stream.publish(1));
    stream.finish();
    assert_arrived(&url, &ids);
}

#[test]
fn a_spool_is_refused_where_something_else_is_and_services_need_none() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let bus = Service::start("event-bus", &["--data-dir", dir]).ready();
    bus.terminate();
    let log = format!("{dir}/bus");
    let publish = |more: &[&str]| {
        run(&[&["publish", "time.updated", "{}", "--url", "http://127.0.0.1:1"], more].concat())
    };
    publish(&["--spool-dir", &log]).refused(&["not a queue", "--spool-dir"]);
    let spool = format!("{dir}/spool");
    publish(&["--spool-dir", &spool, "--spool-bytes-max", "1000"]).refused(&["needs room for"]);
    publish(&[]).refused(&["worldbus up"]);
    // One environment serves all: the others take no notice.
    for command in serving().chain(["tail".to_owned()]) {
        let mut other = worldbus();
        other.args([&command, "--print-config"]).env("WORLDBUS_SPOOL_DIR", &spool);
        assert_eq!(run_with_input(&mut other, b"").code, 0, "{command}");
    }
}

/// A spool on a small disk of its own, filled while the bus is away: what was acknowledged
/// arrives, what did not fit is reported as an error. Needs a mount; reports where it cannot.
#[test]
fn a_full_disk_under_the_spool_is_reported_and_loses_nothing() {
    let mut town = Town::found();
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let disk = format!("{dir}/disk");
    std::fs::create_dir(&disk).unwrap();
    let mount = format!("mount -t tmpfs -o size=4m tmpfs {disk}");
    let allowed = Command::new("unshare").args(["-rm", "sh", "-c", &mount]).output();
    if !allowed.as_ref().is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: this machine does not let us mount a small disk: {allowed:?}");
        return;
    }
    let payload = json!({ "region_id": "x".repeat(20_000) });
    let line = json!({ "type": "weather.changed", "payload": payload }).to_string() + "\n";
    std::fs::write(format!("{dir}/lines"), line.repeat(400)).unwrap();
    let url = town.bus.url.clone();
    let publish = format!("\"$0\" publish --stdin --url {url} --spool-dir {disk}/spool");
    // The disk is this shell's alone, so both runs are in it.
    let script = format!(
        "{mount} && cd {dir} && head -c 1000000 /dev/zero > {disk}/ballast
         {publish} < lines > ids 2> errors; echo $? > code.new; mv code.new code
         while ! [ -e back ]; do sleep 0.05; done
         rm {disk}/ballast; {publish} < /dev/null 2> drained; echo $? > end.new; mv end.new end"
    );
    let mut shell = Command::new("unshare");
    shell.args(["-rm", "sh", "-c", &script]).arg(worldbus().get_program());
    let read = |name: &str| std::fs::read_to_string(format!("{dir}/{name}")).ok();
    let mut shell = town.without_bus(|| {
        let shell = shell.spawn().unwrap();
        let code = eventually("the disk is full", || read("code"));
        assert_eq!(code.trim(), "1");
        let errors = read("errors").unwrap();
        for part in ["make room", "was not published", "events wait in the spool"] {
            assert!(errors.contains(part), "`{part}` is not in: {errors:.2000}");
        }
        assert!(!errors.contains("panicked"), "{errors:.2000}");
        shell
    });
    std::fs::write(format!("{dir}/back"), "").unwrap();
    let end = eventually("the spool is drained", || read("end"));
    let drained = read("drained").unwrap();
    assert!(end.trim() == "0" && !drained.contains("events wait"), "{end}: {drained:.2000}");
    shell.wait().unwrap();
    let ids = read("ids").unwrap();
    let ids: Vec<&str> = ids.lines().collect();
    assert!((10..400).contains(&ids.len()), "{}", ids.len());
    let count = ids.len().to_string();
    let tail = ["tail", "--url", &url, "--from", "start", "--format", "json", "--count", &count];
    let shown = String::from_utf8(run(&tail).stdout).unwrap();
    assert!(ids.iter().all(|id| shown.contains(id)), "an acknowledged event is lost");
}
