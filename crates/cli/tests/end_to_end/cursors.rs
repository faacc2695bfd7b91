//! Clients that move from one event-bus to another over SNS and SQS, each of which keeps a log of
//! its own of the same events, in an order of its own.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead as _, BufReader, Read};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Account, Service, Tail, run_with_input};

/// Events that are published at a time.
const EVENTS: usize = 120;
/// No stream is read for longer.
const READ_MAX: Duration = Duration::from_secs(60);

/// Publishes events to SNS; their ids.
fn publish(account: &Account) -> HashSet<String> {
    let mut publish = account.command(&["publish", "--stdin"]);
    let lines = "{\"type\":\"world_state.updated\",\"payload\":{}}\n".repeat(EVENTS);
    let published = run_with_input(&mut publish, lines.as_bytes());
    assert_eq!(published.code, 0, "{published:?}");
    published.lines().into_iter().collect()
}

/// The fields of a server-sent event.
type Block = BTreeMap<String, String>;

/// An event stream as a program reads it that keeps the last id.
struct Stream(Box<dyn Iterator<Item = String>>);

impl Stream {
    fn open(bus: &Service, query: &str, last_id: Option<&str>) -> Self {
        let config = ureq::Agent::config_builder().timeout_global(Some(READ_MAX)).build();
        let agent: ureq::Agent = config.into();
        let request = agent.get(format!("{}/api/events/stream?{query}", bus.url));
        let request = match last_id {
            Some(id) => request.header("last-event-id", id),
            None => request,
        };
        let body: Box<dyn Read> = Box::new(request.call().unwrap().into_body().into_reader());
        Self(Box::new(BufReader::new(body).lines().map(|line| line.unwrap())))
    }

    fn next(&mut self) -> Block {
        let lines = self.0.by_ref().take_while(|line| !line.is_empty());
        let fields = lines.filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_owned(), value.to_owned()))
        });
        fields.collect()
    }

    /// The next one with data.
    fn next_event(&mut self) -> Block {
        loop {
            let block = self.next();
            if block.contains_key("data") {
                return block;
            }
        }
    }
}

/// A handler behind a memory of ids, as every consumer has it.
#[derive(Default)]
struct Handler {
    seen: HashSet<String>,
    handled: Vec<String>,
}

impl Handler {
    fn take(&mut self, block: &Block) -> String {
        let event: Value = serde_json::from_str(&block["data"]).unwrap();
        let id = event["event_id"].as_str().unwrap().to_owned();
        if self.seen.insert(id.clone()) {
            self.handled.push(id.clone());
        }
        id
    }
}

/// Two event-buses with a log of their own each.
fn two(account: &Account) -> [Service; 2] {
    let slots = ["--subscription-slots", "2"];
    let first = account.event_bus("first", &slots).ready();
    [first, account.event_bus("second", &slots).ready()]
}

fn open(prefix: &str) -> Account {
    let mut account = Account::open(prefix);
    account.url.push_str("&create=true");
    account
}

#[test]
fn cursor_of_one_event_bus_at_another_loses_nothing_and_a_handler_sees_nothing_twice() {
    let account = open("moves");
    let [first, second] = two(&account);
    let mut ids = publish(&account);
    let mut handler = Handler::default();
    let mut stream = Stream::open(&first, "from=start", None);
    let mut cursor = String::new();
    for _ in 0..EVENTS / 2 {
        let block = stream.next_event();
        handler.take(&block);
        cursor.clone_from(&block["id"]);
    }
    drop(stream);
    first.kill();
    ids.extend(publish(&account));

    let mut stream = Stream::open(&second, "from=now", Some(&cursor));
    let resumed = stream.next_event();
    assert_eq!((resumed["event"].as_str(), resumed.get("id")), ("resumed", None));
    let data: Value = serde_json::from_str(&resumed["data"]).unwrap();
    assert_eq!(data["reason"], "another_log");
    assert!(data["from_time"].as_str().unwrap().ends_with('Z'), "{data}");
    let mut sent = HashSet::new();
    while handler.handled.len() < ids.len() {
        let block = stream.next_event();
        cursor.clone_from(&block["id"]);
        assert!(sent.insert(handler.take(&block)), "{block:?} came twice");
    }
    assert_eq!(handler.handled.iter().cloned().collect::<HashSet<_>>(), ids);
    assert_eq!(handler.handled.len(), ids.len(), "each once");

    // And there it goes on from exactly here.
    let more = publish(&account);
    let mut stream = Stream::open(&second, "", Some(&cursor));
    for _ in 0..EVENTS {
        let id = handler.take(&stream.next_event());
        assert!(more.contains(&id), "{id} is not new");
    }
    assert_eq!(handler.handled.len(), ids.len() + EVENTS);
    second.terminate();
}

#[test]
fn tail_goes_on_at_another_event_bus_and_shows_each_event_once() {
    let account = open("tails");
    let [first, second] = two(&account);
    let mut tail = Tail::start_with_notes(&first.url);
    let mut shown = HashSet::new();
    let mut shows = |tail: &Tail, mut wanted: HashSet<String>| {
        tail.until(|event| {
            let id = event["event_id"].as_str().unwrap().to_owned();
            wanted.remove(&id);
            assert!(shown.insert(id), "{event} came twice");
            wanted.is_empty()
        });
    };
    shows(&tail, publish(&account));
    // The second comes back at the address of the first, whose slot no other takes so soon.
    let listen = format!("127.0.0.1:{}", first.port());
    second.terminate();
    first.kill();
    let folder = account.folder.path().join("second");
    let moved = [
        ["event-bus", "--subscription-slots"],
        ["2", "--listen"],
        [&listen, "--data-dir"],
        [folder.to_str().unwrap(), "--state-url"],
        ["dynamodb://us-east-1/gaming-system-state?create=true", "--log=info"],
    ];
    let second = Service::spawn(&mut account.command(&moved.concat())).ready();
    shows(&tail, publish(&account));
    tail.notes("another log");
    second.terminate();
}
