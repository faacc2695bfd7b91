//! What goes wrong on the way in: each a clear error that states what to do, and nothing is lost.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{
    Service, Tail, empty_log, eventually, get, id, is, post, run, run_with_input, serving, worldbus,
};

#[test]
fn mistakes_in_an_event_are_refused_with_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    let url = empty_log(folder.path());
    let publish = |name: &str, payload: &str| run(&["publish", name, payload, "--url", &url]);
    publish("wether.changed", "{}")
        .refused(&["unknown event type", "did you mean weather.changed"]);
    publish("time.updated", "{\"hour\":\"noon\"}").refused(&["payload.hour", "an integer"]);
    publish("time.updated", "{\"huor\":1}").refused(&["huor", "its fields"]);
    publish("time.updated", "{").refused(&["not JSON"]);
    publish("time.updated", "{},\"source\":\"x\"").refused(&["not JSON"]);
    run(&["tail", "--url", &url, "--type", "time.update"]).refused(&["time.updated"]);
    run(&["tail", "--url", &url, "--topic", "wether"]).refused(&["did you mean weather"]);
    run(&["tail", "--url", &url, "--from", "yesterday"]).refused(&["2026-03-01T12:00:00Z"]);
    run(&["tail", "--url", &url, "--topic", "time", "--type", "weather.changed"])
        .refused(&["weather.changed has the topic weather"]);
    for limit in ["0", "10001"] {
        run(&["dead-letters", "list", "--limit", limit, "--url", &url])
            .refused(&["--limit", "1..=10000"]);
    }
    for (name, id) in [("topics", "topic nosuch"), ("subscriptions", "subscription nosuch")] {
        let deleted = run(&[name, "delete", "nosuch", "--url", &url]);
        assert!(deleted.stderr.contains(&format!("error: {id} does not exist")), "{deleted:?}");
    }
    let source = "x".repeat(1000);
    let long = run(&["publish", "time.updated", "{}", "--source", &source, "--url", &url]);
    assert!(long.code != 0 && !long.stderr.contains("cannot use"), "{long:?}");
    run(&["tail", "--url", "ftp://x"]).refused(&["expected embedded:DIR, http://"]);
    run(&["tail", "--url", "http://127.0.0.1:1"]).refused(&["worldbus up"]);
    run(&["catalog", "--catalog", "/nonexistent.binpb"]).refused(&["/nonexistent.binpb"]);
}

/// A mistyped path is neither answered from nor left as an empty log.
#[test]
fn client_makes_no_log_and_reports_where_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    empty_log(&data.join("bus"));
    let commands: [&[&str]; 7] = [
        &["publish", "weather.changed", "{}"],
        &["publish", "weather.changed", "{}", "--spool-dir", folder.path().to_str().unwrap()],
        &["tail", "--from", "start"],
        &["topics", "list"],
        &["subscriptions", "list"],
        &["dead-letters", "list"],
        &["catalog", "list"],
    ];
    let at = |command: &[&str], dir: &Path| {
        let url = format!("embedded:{}", dir.display());
        let refused = run(&[command, &["--url", &url]].concat());
        assert_eq!(refused.code, 2, "{refused:?}");
        refused
    };
    let (missing, empty) = (folder.path().join("missing"), folder.path().join("empty"));
    std::fs::create_dir(&empty).unwrap();
    for command in commands {
        let inner = format!("--url embedded:{}", data.join("bus").display());
        at(command, &data).refused(&["holds no log", &inner]);
        at(command, &empty).refused(&["holds no log", "DATA_DIR/bus"]);
        at(command, &missing).refused(&["does not exist", "DATA_DIR/bus"]);
        let names = |dir: &Path| std::fs::read_dir(dir).unwrap().count();
        assert_eq!((names(&data), names(&empty), missing.exists()), (1, 0, false), "{command:?}");
    }
}

#[test]
fn oversize_event_is_refused_and_its_neighbours_are_published() {
    let folder = tempfile::tempdir().unwrap();
    let bus = Service::start("event-bus", &["--data-dir", folder.path().to_str().unwrap()]).ready();
    let line = |region: &str| {
        let payload = json!({ "region_id": region });
        json!({ "type": "weather.changed", "payload": payload }).to_string() + "\n"
    };
    let lines = [line("a"), line(&"x".repeat(1_100_000)), line("b"), line(&"y".repeat(5 << 20))];
    let mut publish = worldbus();
    publish.args(["publish", "--stdin", "--url", &bus.url]);
    let published = run_with_input(&mut publish, lines.concat().as_bytes());
    published.refused(&["line 2: ", "line 4: longer than"]);
    assert_eq!(published.lines().len(), 2);
    let body =
        json!({ "type": "weather.changed", "payload": { "region_id": "z".repeat(2 << 20) } });
    post(&format!("{}/api/events/publish", bus.url), &body).problem(413, &["1048576"]);
    let wrong = json!({ "type": "time.updated", "payload": { "hour": "noon" } });
    let reply = post(&format!("{}/api/events/publish", bus.url), &wrong);
    assert!((400..500).contains(&reply.status), "{reply:?}");
    let unknown = json!({ "type": "time.update", "payload": {} });
    let reply = post(&format!("{}/api/events/publish", bus.url), &unknown);
    assert!((400..500).contains(&reply.status) && reply.text.contains("time.updated"), "{reply:?}");
}

#[test]
fn plan_refuses_loads_that_make_no_sense_and_names_how_to_measure() {
    let plan = |arguments: &[&str]| run(&[&["plan"], arguments].concat());
    for rate in ["0", "1e9", "NaN"] {
        plan(&["--events-per-second", rate]).refused(&["--events-per-second", "more than 0"]);
    }
    plan(&[]).refused(&["--events-per-second"]);
    let with = |arguments: &[&str]| plan(&[&["--events-per-second", "10"], arguments].concat());
    with(&["--subscribers", "0"]).refused(&["--subscribers"]);
    with(&["--payload-bytes", "184320"]).refused(&["--payload-bytes"]);
    with(&["--engine", "nats"]).refused(&["--engine", "sns-sqs"]);
    with(&["--window", "1", "--batch-events", "2"]).refused(&["--window"]);
    let page = String::from_utf8(with(&["--engine", "remote"]).stdout).unwrap();
    for part in ["at most 50 %", "carries it by far", "1 event-bus", "worldbus bench --url URL"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn a_load_that_cannot_be_is_refused_with_what_can() {
    let cost = |arguments: &[&str]| run(&[&["cost"], arguments].concat());
    for rate in ["0", "-2", "NaN", "inf", "1e12"] {
        cost(&[&format!("--rate={rate}")]).refused(&["--rate", "more than 0", "2.4"]);
    }
    cost(&["--rate", "many"]).refused(&["--rate"]);
    cost(&["--payload-bytes", "184320"]).refused(&["184320 bytes", "publish a reference"]);
    cost(&["--payload-bytes=-1"]).refused(&["--payload-bytes"]);
    cost(&["--linger-ms", "20001"]).refused(&["--linger-ms", "20000"]);
    cost(&["--subscribers", "0"]).refused(&["--subscribers", "1 to"]);
    cost(&["--producers", "0"]).refused(&["--producers", "1 to"]);
    cost(&["--region", "mars-1"]).refused(&["mars-1", "us-east-1"]);
    let page = String::from_utf8(cost(&["--rate", "80000", "--subscribers", "2"]).stdout).unwrap();
    for part in ["USD a month", "check before quoting", "2026-11-23", "no linger"] {
        assert!(page.contains(part), "`{part}` is not in: {page}");
    }
    let json = cost(&["--format", "json"]).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["ways"][0]["per_second"]["publish_units"], 2.4, "{json}");
}

#[test]
fn port_or_data_directory_in_use_is_reported_and_the_holder_goes_on() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (dir, other) = (folder.path().to_str().unwrap(), other.path().to_str().unwrap());
    let holder = Service::start("event-bus", &["--data-dir", dir]).ready();
    let listen = format!("127.0.0.1:{}", holder.port());
    for command in serving() {
        let taken = run(&[&command, "--data-dir", other, "--listen", &listen]);
        taken.refused(&[holder.port(), "in use", "--listen"]);
    }
    for command in ["up", "event-bus"] {
        let taken = run(&[command, "--data-dir", dir, "--listen", "127.0.0.1:0"]);
        taken.refused(&["in use by another process", &holder.pid().to_string()]);
    }
    let url = format!("embedded:{dir}/bus");
    run(&["tail", "--url", &url]).refused(&["in use by another process", "http://"]);
    assert_eq!(run(&["publish", "time.updated", "{}", "--url", &holder.url]).code, 0);
    holder.terminate();
}

#[test]
fn start_that_is_refused_for_its_url_leaves_no_data_directory() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for command in ["up", "event-bus"] {
        let dir = data.to_str().unwrap();
        let refused = run(&[command, "--data-dir", dir, "--url", "http://127.0.0.1:7070"]);
        refused.refused(&["a bus of its own", "embedded:DIR"]);
        assert!(!data.exists(), "{command}");
    }
}

#[test]
fn data_of_a_newer_version_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    Service::start("up", &["--data-dir", dir]).ready().terminate();
    for (file, hint) in [("bus/log.db", "newer"), ("state.db", "newer")] {
        let path = folder.path().join(file);
        let before = std::fs::read(&path).unwrap();
        // The user_version of an SQLite file: https://www.sqlite.org/fileformat2.html
        let mut newer = before.clone();
        newer[60..64].copy_from_slice(&9_999u32.to_be_bytes());
        std::fs::write(&path, newer).unwrap();
        let refused = run(&["up", "--data-dir", dir, "--listen", "127.0.0.1:0"]);
        refused.refused(&[file.rsplit('/').next().unwrap(), hint]);
        std::fs::write(&path, before).unwrap();
    }
    Service::start("up", &["--data-dir", dir]).ready().terminate();
}

#[test]
fn damaged_log_is_refused_by_segment_and_byte_and_starts_again_once_it_is_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let log = folder.path().join("bus");
    let log = log.to_str().unwrap();
    let bus = Service::start("event-bus", &["--data-dir", dir]).ready();
    let body = json!({ "type": "weather.changed", "payload": { "region_id": "ghent" } });
    for _ in 0..3 {
        assert_eq!(post(&format!("{}/api/events/publish", bus.url), &body).status, 200);
    }
    run(&["log", "check", log]).refused(&["in use"]);
    bus.terminate();
    assert_eq!(run(&["log", "check", log]).code, 0);

    // Without the index all of it is read; the first record is not the last one.
    std::fs::remove_file(folder.path().join("bus/log.db")).unwrap();
    let segment = folder.path().join("bus/log-0000000001.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    let second =
        (4096..).step_by(8).skip(4).find(|&at| bytes[at + 8..at + 16] == 2u64.to_le_bytes());
    bytes[second.unwrap() + 26] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let start = ["event-bus", "--data-dir", dir, "--listen", "127.0.0.1:0"];
    run(&start).refused(&["log-0000000001.seg at byte"]);
    let found = run(&["log", "check", log, "--format", "json"]);
    let shown = String::from_utf8(found.stdout).unwrap();
    assert!(found.code == 1 && shown.contains("log-0000000001.seg at byte"), "{shown}");
    assert_eq!(run(&["log", "repair", log]).code, 1, "without --yes nothing is done");
    assert_eq!(run(&["log", "repair", log, "--yes"]).code, 0);
    Service::start("event-bus", &["--data-dir", dir]).ready().terminate();
}

#[test]
fn mistakes_in_configuration_and_world_file_name_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let sample = include_str!("../../../../worlds/europe.toml");
    let broken = write("world.toml", &sample.replacen("latitude = 50.85", "latitude = 508.5", 1));
    run(&["up", "--world", &broken]).refused(&["world.toml:", "regions[0].latitude", "508.5"]);
    run(&["up", "--world", "/nonexistent.toml"]).refused(&["/nonexistent.toml", "--world"]);
    let config = write("config.toml", "lisen = \"127.0.0.1:0\"\n");
    run(&["up", "--config", &config]).refused(&["config.toml:1", "did you mean `listen`"]);
    run(&["up", "--listen", "7070"]).refused(&["127.0.0.1:7070"]);
    run(&["up", "--url", "http://127.0.0.1:7070"]).refused(&["embedded:DIR", "leave it out"]);
    let dir = folder.path().to_str().unwrap();
    let up = |more: &[&str]| {
        run(&[&["up", "--listen", "127.0.0.1:0", "--data-dir", dir], more].concat())
    };
    up(&["--state-url", "redis:x"]).refused(&["redis:x", "sqlite:PATH"]);
    run(&["tail", "--log", "infoo"]).refused(&["did you mean `info`", "flag --log"]);
    run(&["upp"]).refused(&["up"]);
}

/// What a start refuses without having opened anything, the page of the configuration refuses too.
#[test]
fn wrong_configuration_exits_2_and_is_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("data");
    let refused = |command: &str, wrong: [&str; 2], expected: &[&str]| {
        for more in [&[][..], &["--print-config"]] {
            let fixed = [command, "--listen", "127.0.0.1:0", "--data-dir", dir.to_str().unwrap()];
            let refused = run(&[&fixed[..], &wrong, more].concat());
            assert_eq!(refused.code, 2, "{wrong:?}: {refused:?}");
            refused.refused(expected);
        }
    };
    for (wrong, expected) in [
        (["--state-url", "mysql://x"], &["mysql://x", "sqlite:PATH"][..]),
        (["--state-url", "dynamodb://us-east-1"], &["no /TABLE", "dynamodb://REGION/TABLE"]),
        (["--catch-up", "some"], &["catch_up", "none, last or all"]),
        (["--url", "ftp://x"], &["ftp://x", "embedded:DIR"]),
        (["--world", "/nonexistent.toml"], &["/nonexistent.toml"]),
        (["--cadence-game-minutes", "0"], &["from flag --cadence-game-minutes: `0`", "1 to 1440"]),
        (["--lead-ms", "99999999"], &["from flag --lead-ms: `99999999`", "0 to 60000 ms"]),
        (["--log", "worldbus=loud"], &["worldbus=loud", "info"]),
        (["--log", "wran"], &["did you mean `warn`"]),
        (["--retention-hours", "0"], &["from flag --retention-hours: `0`", "at least 1"]),
        (["--retention-bytes", "0"], &["--retention-bytes", "at least"]),
        (["--dead-letters-max", "0"], &["--dead-letters-max", "at least"]),
        (["--dead-letter-bytes-max", "9"], &["--dead-letter-bytes-max", "at least"]),
    ] {
        refused("up", wrong, expected);
    }
    refused("time-manager", ["--url", "ftp://x"], &["ftp://x", "http://HOST:PORT"]);
    refused("weather-manager", ["--url", "sns-sqs://"], &["region"]);
    refused("event-bus", ["--subscription-slots", "0"], &["1 to 16"]);
    assert!(!dir.exists());
}

#[test]
fn beyond_loopback_no_request_enters_without_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let open = run(&["event-bus", "--data-dir", dir, "--listen", "0.0.0.0:0"]);
    open.refused(&["WORLDBUS_API_KEY", "--listen 127.0.0.1"]);
    let mut guarded = worldbus();
    guarded.args(["event-bus", "--data-dir", dir, "--listen", "127.0.0.1:0"]);
    let bus = Service::spawn(guarded.env("WORLDBUS_API_KEY", "swordfish")).ready();
    get(&format!("{}/api/events/stats", bus.url)).unwrap().problem(401, &["Bearer"]);
    let publish = |key: Option<&str>| {
        let mut publish = worldbus();
        publish.args(["publish", "time.updated", "{}", "--url", &bus.url]);
        key.map(|key| publish.env("WORLDBUS_API_KEY", key));
        run_with_input(&mut publish, b"")
    };
    publish(None).refused(&["WORLDBUS_API_KEY"]);
    publish(Some("sword")).refused(&["WORLDBUS_API_KEY"]);
    assert_eq!(publish(Some("swordfish")).code, 0);
}

/// An event-bus on a small disk with a file `ballast` on it. Needs a mount of our own; `None` where
/// that is not allowed, which it reports.
fn on_a_small_disk(dir: &str) -> Option<Service> {
    let mount = format!("mount -t tmpfs -o size=4m tmpfs {dir}");
    let allowed = Command::new("unshare").args(["-rm", "sh", "-c", &mount]).output();
    if !allowed.as_ref().is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: this machine does not let us mount a small disk: {allowed:?}");
        return None;
    }
    let script = format!(
        "{mount} && head -c 1500000 /dev/zero > {dir}/ballast && \
         exec \"$0\" event-bus --listen 127.0.0.1:0 --data-dir {dir} --log error"
    );
    let mut small = worldbus();
    let program = small.get_program().to_owned();
    small = Command::new("unshare");
    small.args(["-rm", "sh", "-c", &script]).arg(program);
    Some(Service::spawn(&mut small).ready())
}

fn drop_ballast(bus: &Service, dir: &str) {
    std::fs::remove_file(format!("/proc/{}/root{dir}/ballast", bus.pid())).unwrap();
}

/// Whoever goes on at the line that is named doubles nothing, also if there is room again at once.
#[test]
fn nothing_is_published_behind_the_line_that_a_full_disk_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let Some(bus) = on_a_small_disk(dir) else { return };
    let region = "x".repeat(20_000);
    let event = json!({ "type": "weather.changed", "payload": { "region_id": region } });
    let mut publish = worldbus();
    publish.args(["publish", "--stdin", "--url", &bus.url, "--log", "error"]);
    publish.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut publish = publish.spawn().unwrap();
    let mut stdin = publish.stdin.take().unwrap();
    // It stops reading when it stops.
    let feed = std::thread::spawn(move || (0..1000).all(|_| writeln!(stdin, "{event}").is_ok()));
    let stdout = BufReader::new(publish.stdout.take().unwrap());
    let ids = std::thread::spawn(move || stdout.lines().map(Result::unwrap).collect::<Vec<_>>());
    let mut stderr = BufReader::new(publish.stderr.take().unwrap()).lines().map(Result::unwrap);
    let first = stderr.find(|line| !line.starts_with("warning: ")).unwrap();
    drop_ballast(&bus, dir);
    let errors: Vec<String> = stderr.collect();
    assert!(!publish.wait().unwrap().success());
    let (ids, _) = (ids.join().unwrap(), feed.join().unwrap());
    assert!(!ids.is_empty() && ids.len() < 1000, "{} published", ids.len());
    let next = ids.len() + 1;
    assert!(first.starts_with(&format!("line {next}: ")), "{first}");
    let stopped = format!("stopped at line {next}: ");
    assert!(errors.iter().any(|line| line.starts_with(&stopped)), "{errors:?}");

    let marker = run(&["publish", "world_state.updated", "{}", "--url", &bus.url]);
    assert_eq!(marker.code, 0, "{marker:?}");
    let tail = Tail::start(&bus.url, &[]);
    let events = tail.until(|event| is(event, "world_state.updated"));
    let events = events.iter().filter(|event| is(event, "weather.changed"));
    let found: Vec<String> = events.map(|event| id(event).to_string()).collect();
    assert!(found == ids, "{} printed, {} published", ids.len(), found.len());
}

#[test]
fn publish_reports_at_once_that_it_retries_why_and_for_how_long() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let Some(bus) = on_a_small_disk(dir) else { return };
    let payload = json!({ "region_id": "x".repeat(20_000) });
    let body = json!({ "type": "weather.changed", "payload": payload });
    eventually("the disk is full", || {
        (post(&format!("{}/api/events/publish", bus.url), &body).status == 503).then_some(())
    });
    let mut publish = worldbus();
    publish.args(["publish", "weather.changed", &payload.to_string(), "--url", &bus.url]);
    let mut publish = publish.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(publish.stderr.take().unwrap()).lines().map(Result::unwrap);
    let begun = Instant::now();
    let line = stderr.find(|line| line.contains("retrying")).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{line}");
    assert!(line.contains("left_s=2") && line.contains("space"), "{line}");
    drop_ballast(&bus, dir);
    let published = publish.wait_with_output().unwrap();
    assert!(published.status.success() && !published.stdout.is_empty(), "{published:?}");
}

/// A small disk, filled: refused with the fate "retry", not ready, nothing lost, and it goes on by
/// itself when there is room.
#[test]
fn full_disk_refuses_without_loss_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let Some(bus) = on_a_small_disk(dir) else { return };
    let region = "x".repeat(20_000);
    let body = json!({ "type": "weather.changed", "payload": { "region_id": region } });
    let publish = || post(&format!("{}/api/events/publish", bus.url), &body);
    let mut ids = Vec::new();
    let full = eventually("the disk is full", || {
        let reply = publish();
        if reply.status == 200 {
            ids.push(reply.json()["event_id"].as_str().unwrap().to_owned());
            return None;
        }
        Some(reply)
    });
    assert_eq!(full.status, 503, "{full:?}");
    assert!(!ids.is_empty());
    let ready = get(&format!("{}/readyz", bus.url)).unwrap();
    assert_eq!(ready.status, 503, "{ready:?}");
    drop_ballast(&bus, dir);
    eventually("it takes events again", || (publish().status == 200).then_some(()));
    eventually("it is ready again", || {
        (get(&format!("{}/readyz", bus.url)).unwrap().status == 200).then_some(())
    });
    let args = ["tail", "--url", &bus.url, "--from", "start", "--format", "json", "--count"];
    let count = ids.len().to_string();
    let tail = run(&[&args[..], &[&count]].concat());
    let shown = String::from_utf8(tail.stdout).unwrap();
    assert!(ids.iter().all(|id| shown.contains(id)), "an acknowledged event is lost");
}

/// A limit of file sizes is as a full disk, where its signal would kill the process without a word.
#[test]
fn limit_of_file_sizes_refuses_events_says_so_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let limited = |blocks: &str| {
        let mut shell = Command::new("sh");
        let script = format!("ulimit -f {blocks} && exec \"$@\"");
        shell.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_worldbus"), "event-bus"]);
        shell.args(["--listen", "127.0.0.1:0", "--log", "warn"]);
        shell
    };
    let bus = Service::spawn(limited("4096").args(["--data-dir", dir])).ready();
    let body = json!({ "type": "weather.changed", "payload": { "region_id": "x".repeat(20_000) } });
    let mut ids = Vec::new();
    let refused = eventually("the limit is reached", || {
        let reply = post(&format!("{}/api/events/publish", bus.url), &body);
        if reply.status == 200 {
            ids.push(reply.json()["event_id"].as_str().unwrap().to_owned());
            return None;
        }
        Some(reply)
    });
    refused.problem(503, &["ulimit -f"]);
    let ready = get(&format!("{}/readyz", bus.url)).unwrap();
    assert!(ready.status == 503 && ready.text.contains("ulimit -f"), "{ready:?}");
    bus.terminate();

    let bus = Service::start("event-bus", &["--data-dir", dir]).ready();
    let args = ["tail", "--url", &bus.url, "--from", "start", "--format", "json", "--count"];
    let count = ids.len().to_string();
    let shown = String::from_utf8(run(&[&args[..], &[&count]].concat()).stdout).unwrap();
    let missing = ids.iter().filter(|id| !shown.contains(*id)).count();
    assert_eq!((missing, ids.is_empty()), (0, false), "of {}", ids.len());
    bus.terminate();

    // A start that cannot make its files.
    let none = folder.path().join("none");
    let none = none.to_str().unwrap();
    let started = run_with_input(limited("8").args(["--data-dir", none]), b"");
    assert!(started.code > 0 && started.stderr.contains("ulimit -f"), "{started:?}");
}

/// What is no file is waited for, or read until memory ends.
#[test]
fn fifo_or_device_in_the_place_of_a_file_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for file in [fifo.to_str().unwrap(), "/dev/zero"] {
        let commands: [&[&str]; 5] = [
            &["up", "--world", file],
            &["up", "--config", file],
            &["world", "check", file],
            &["catalog", "--catalog", file],
            &["climate", "sample", "--preset", file],
        ];
        for command in commands {
            let refused = run(command);
            assert_eq!(refused.code, 2, "{command:?}: {refused:?}");
            refused.refused(&[file, "not a regular file"]);
        }
    }
}
