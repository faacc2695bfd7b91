//! The rows: a load each, run on our engines and on the peers in turn, again and again.

use serde_json::{Value, json};

use super::options::Options;
use super::runner::{Engine, Runner};

/// A load, the same for all.
pub(super) struct Row {
    pub(super) name: &'static str,
    /// For people.
    pub(super) title: &'static str,
    load: &'static [&'static str],
    /// Which figure a row is judged by.
    pub(super) figure: Figure,
    pub(super) target: &'static str,
    /// Where the time goes that is left to gain.
    pub(super) why: &'static str,
}

/// A figure of a run, by its path in what `worldbus bench` prints.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    Rate,
    Handled,
    Published,
}

impl Figure {
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Rate => "handled.events_per_s",
            Self::Handled => "handled.p50_ms",
            Self::Published => "published.p50_ms",
        }
    }
}

pub(super) const ROWS: [Row; 4] = [
    Row {
        name: "stream",
        title: "One event a call, 1,000 in flight, published and consumed at once",
        load: &["--window", "1000"],
        figure: Figure::Rate,
        target: "embedded 2 M events/s; two processes 1 M, 10 times Redis that syncs always, 200 \
                 times NATS that does, 10 times NATS as it is installed",
        why: "Across two processes both cores are busy. By a profile of both, a third is the \
              kernel's, most of it switches between threads, a seventh is the thread that \
              commits, and half is what publisher and router do for each event, the clock reads \
              of the load itself among it. Embedded, the disk is waited for: a larger window \
              fills that time.",
    },
    Row {
        name: "batches",
        title: "Ready batches of 1,000 events, 64 in flight, published and consumed at once",
        load: &["--window", "64", "--batch-events", "1000"],
        figure: Figure::Rate,
        target: "two processes 10 M events/s, ahead of both peers that sync always",
        why: "Copies and checksums, on both sides of the connection and of the disk.",
    },
    Row {
        name: "paced",
        title: "1,000 events a second, from publish to handler",
        load: &["--window", "1000", "--rate", "1000"],
        figure: Figure::Handled,
        target: "two processes p50 0.35 ms, p99 2 ms, below both peers that sync always",
        why: "The disk, and four switches between sleeping threads: to the event-bus, to its \
              thread that commits, back, and to the consumer. A peer that commits where it reads \
              the request has two.",
    },
    Row {
        name: "single",
        title: "One event at a time, to its durable answer",
        load: &["--window", "1"],
        figure: Figure::Published,
        target: "1.3 times what the disk takes to append a page and sync it",
        why: "As before: embedded two switches between threads, across two processes four.",
    },
];

/// What a load runs on, and what is not equal there.
pub(super) struct Contender {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    engine: Engine,
    pub(super) not_equal: &'static str,
}

pub(super) const CONTENDERS: [Contender; 6] = [
    Contender {
        name: "remote",
        title: "Worldbus, two processes",
        engine: Engine::Remote,
        not_equal: "Syncs before it answers, drops duplicates by id, checks and checksums each \
                    batch; its client batches, retries and decodes to types.",
    },
    Contender {
        name: "redis always",
        title: "Redis Streams, appendfsync always",
        engine: Engine::Peer("redis", "always"),
        not_equal: "Syncs before it answers. All of a stream is in memory; no duplicate is \
                    dropped; one XACK for up to 500 entries.",
    },
    Contender {
        name: "nats always",
        title: "NATS JetStream, sync_interval always",
        engine: Engine::Peer("nats", "always"),
        not_equal: "Syncs each message before it answers. A consumer's ack is not answered.",
    },
    Contender {
        name: "redis everysec",
        title: "Redis Streams, appendfsync everysec",
        engine: Engine::Peer("redis", "default"),
        not_equal: "Answers first: a loss of power takes up to a second of acknowledged events.",
    },
    Contender {
        name: "nats default",
        title: "NATS JetStream, as it is installed",
        engine: Engine::Peer("nats", "default"),
        not_equal: "Answers first: a loss of power takes up to two minutes of acknowledged events.",
    },
    Contender {
        name: "embedded",
        title: "Worldbus, one process",
        engine: Engine::Embedded,
        not_equal: "Syncs before it answers; no second process and no network, so it is compared \
                    with no peer.",
    },
];

/// Measurements that have no peer or bring theirs along, by their subcommand, and the seconds that
/// they take.
pub(super) const SINGLE: [(&str, f64); 3] = [("codec", 45.0), ("idle", 20.0), ("aws", 330.0)];

/// Seconds that all of it is planned to take.
pub(super) fn planned_s(options: &Options) -> f64 {
    let rows = ROWS.iter().filter(|row| options.wants(row.name)).count() as f64;
    let runs = rows * (CONTENDERS.len() * options.repeats) as f64;
    let single = SINGLE.iter().filter(|(name, _)| options.wants(name) && has_time(name, options));
    runs * Runner::planned(options.seconds()) + single.map(|(_, seconds)| seconds).sum::<f64>()
}

/// A run over the emulator takes minutes whatever its load.
fn has_time(name: &str, options: &Options) -> bool {
    name != "aws" || !options.quick
}

/// Runs all rows, ours and the peers' in turn, as often as asked for.
pub(super) fn measure(runner: &mut Runner, options: &Options) -> Value {
    let rows: Vec<&Row> = ROWS.iter().filter(|row| options.wants(row.name)).collect();
    let mut runs = vec![vec![Vec::new(); CONTENDERS.len()]; rows.len()];
    for _ in 0..options.repeats {
        for (row, runs) in rows.iter().zip(&mut runs) {
            for (contender, runs) in CONTENDERS.iter().zip(runs) {
                let load = load(row, contender, options);
                let name = format!("row {}", row.name);
                runs.push(runner.load(&name, contender.engine, &load, options.seconds()));
            }
        }
    }
    let contenders = |runs: Vec<Vec<Value>>| {
        let of = |(contender, runs): (&Contender, Vec<Value>)| {
            let name = contender.name;
            json!({ "name": name, "runs": runs })
        };
        CONTENDERS.iter().zip(runs).map(of).collect::<Vec<_>>()
    };
    let rows = rows.iter().zip(runs);
    rows.map(|(row, runs)| json!({ "name": row.name, "contenders": contenders(runs) })).collect()
}

/// The options of a load: of `worldbus bench` or of `worldbus-bench peer`.
fn load(row: &Row, contender: &Contender, options: &Options) -> Vec<String> {
    let mut load: Vec<String> = row.load.iter().map(|&word| word.to_owned()).collect();
    let is_ours = !matches!(contender.engine, Engine::Peer(..));
    // Our ready batches are made before they are sent, so there is a number of them: no event may
    // come twice.
    let end = match is_ours && row.load.contains(&"--batch-events") {
        true => ["--events".to_owned(), if options.quick { "2000000" } else { "40000000" }.into()],
        false => ["--seconds".to_owned(), options.seconds().to_string()],
    };
    load.extend(end);
    load
}

/// Runs what has no load: codec, memory and start, requests over SNS and SQS.
pub(super) fn measure_single(runner: &mut Runner, options: &Options) -> Value {
    let mut found = json!({});
    for (name, seconds) in SINGLE {
        if options.wants(name) && has_time(name, options) {
            found[name] = runner.rows(name, seconds);
        }
    }
    found
}
