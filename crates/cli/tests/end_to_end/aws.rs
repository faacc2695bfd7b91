//! Three services over emulated SNS, SQS and DynamoDB, as they would run in an AWS account.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use worldbus_events::ProducerId;
use worldbus_testkit::{Emulator, EmulatorKind};

use crate::support::{
    Finished, Service, Tail, current, eventually, get, id, is, minutes, post, run_with_input,
    worldbus,
};

/// An account of a town's own, and what runs in it.
pub(crate) struct Account {
    emulator: Emulator,
    folder: tempfile::TempDir,
    url: String,
}

impl Account {
    pub(crate) fn open(prefix: &str) -> Self {
        let emulator = Emulator::start(EmulatorKind::Ministack);
        let url = format!("sns-sqs://us-east-1?prefix={prefix}&linger_ms=20");
        Self { emulator, folder: tempfile::tempdir().unwrap(), url }
    }

    /// The binary with the account's environment, as every AWS tool takes it.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = worldbus();
        command.args(arguments).envs(self.emulator.environment());
        command.env("WORLDBUS_URL", &self.url);
        command
    }

    /// A python3 that has boto3, in the project's folder.
    fn python(&self, arguments: &[&str]) -> Command {
        let mut python = Command::new(self.emulator.python());
        python.args(arguments).envs(self.emulator.environment()).current_dir(root());
        python
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        run_with_input(&mut self.command(arguments), b"")
    }

    /// A file in the account's folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&self, service: &str) -> Service {
        self.start_with(service, |_| {})
    }

    pub(crate) fn start_with(
        &self,
        service: &str,
        configure: impl FnOnce(&mut Command),
    ) -> Service {
        let state = "dynamodb://us-east-1/gaming-system-state?create=true";
        let dir = self.folder.path().to_str().unwrap();
        let mut arguments = vec![service, "--listen", "127.0.0.1:0", "--data-dir", dir];
        arguments.extend(["--state-url", state, "--log", "info"]);
        if service != "event-bus" {
            arguments.extend(["--lead-ms", "400"]);
        }
        let mut command = self.command(&arguments);
        configure(&mut command);
        Service::spawn(&mut command)
    }
}

#[test]
fn topology_is_compared_then_made_then_as_it_should_be() {
    let account = Account::open("shape");
    let diff = account.run(&["topology", "diff"]);
    assert_eq!(diff.code, 1, "{diff:?}");
    let lines = diff.lines();
    for wanted in [
        "+ SNS topic shape-time-events",
        "+ SQS queue shape-weather-manager-events",
        "+ SQS queue shape-weather-manager-events-dead-letters",
        "+ subscription of shape-weather-manager-events to topic time",
    ] {
        assert!(lines.iter().any(|line| line == wanted), "{wanted} is not in {lines:#?}");
    }
    let applied = account.run(&["topology", "apply"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    let again = account.run(&["topology", "diff"]);
    assert_eq!(again.code, 0, "{:#?}", again.lines());
    let more = account.run(&["topology", "diff", "--subscription", "npc=weather.changed"]);
    assert_eq!(more.code, 1);
    assert!(more.lines().iter().all(|line| !line.contains("weather-manager")), "{more:?}");
    let refused = account.run(&["topology", "diff", "--url", "http://127.0.0.1:7070"]);
    refused.refused(&["needs no topology", "sns-sqs://REGION"]);
}

/// Deployed under another name than the one that it was printed with.
#[test]
fn template_makes_a_stack_that_is_as_it_should_be() {
    const DEPLOY: &str = "
import boto3, sys
stacks = boto3.client('cloudformation')
name = {'ParameterKey': 'SystemName', 'ParameterValue': 'stacked'}
stacks.create_stack(StackName='messaging', TemplateBody=sys.stdin.read(), Parameters=[name])
stacks.get_waiter('stack_create_complete').wait(StackName='messaging', WaiterConfig={'Delay': 1})
for output in stacks.describe_stacks(StackName='messaging')['Stacks'][0]['Outputs']:
    print(output['OutputKey'], output['OutputValue'])
";
    let account = Account::open("printed");
    let template = account.run(&["topology", "template"]);
    let deployed = run_with_input(&mut account.python(&["-c", DEPLOY]), &template.stdout);
    assert_eq!(deployed.code, 0, "{deployed:?}");
    let outputs = deployed.lines();
    let queue = outputs.iter().find(|line| line.starts_with("WeatherManagerQueueUrl "));
    assert!(queue.is_some_and(|line| line.ends_with("/stacked-weather-manager-events")));
    let url = "sns-sqs://us-east-1?prefix=stacked";
    let diff = account.run(&["topology", "diff", "--url", url]);
    assert_eq!(diff.code, 0, "{:#?}", diff.lines());
}

#[test]
fn service_whose_queue_is_missing_says_which_and_what_to_do() {
    let account = Account::open("bare");
    let bus = account.run(&["event-bus", "--listen", "127.0.0.1:0", "--data-dir", "unused"]);
    bus.refused(&["bare-event-bus-events", "worldbus topology apply"]);
}

#[test]
fn without_credentials_it_says_where_to_put_them() {
    let mut tail = worldbus();
    let dir = tempfile::tempdir().unwrap();
    tail.args(["topology", "diff", "--url", "sns-sqs://us-east-1?prefix=none"]);
    tail.env("HOME", dir.path()).env("AWS_EC2_METADATA_DISABLED", "true");
    tail.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").env_remove("AWS_ACCESS_KEY_ID");
    let refused = run_with_input(&mut tail, b"");
    refused.refused(&["no AWS credentials", "AWS_ACCESS_KEY_ID", "AWS_PROFILE"]);
}

#[test]
fn past_is_asked_of_an_event_bus_not_of_sqs() {
    let account = Account::open("past");
    let refused = account.run(&["tail", "--from", "start"]);
    refused.refused(&["sns-sqs", "replay"]);
}

#[test]
fn three_processes_make_a_world_over_sns_and_sqs_and_killing_one_loses_nothing() {
    let account = Account::open("town");
    assert_eq!(account.run(&["topology", "apply"]).code, 0);
    let bus = account.start("event-bus").ready();
    let time = account.start("time-manager").ready();
    let weather = account.start("weather-manager").ready();
    let tail = Tail::start(&bus.url, &[]);
    let mut log = Log::default();
    let scale = json!({ "real_seconds_per_game_hour": 10 });
    assert_eq!(post(&format!("{}/api/time/scale", time.url), &scale).status, 200);
    let set = json!({ "hour": 3 });
    assert_eq!(post(&format!("{}/api/time/set", time.url), &set).status, 200);
    let now = format!("{}/api/weather/current?region=brussels", weather.url);
    eventually("weather follows the clock", || {
        let told = get(&now).unwrap().json()["game_time"].as_str()?.to_owned();
        told.contains("T03:").then_some(())
    });
    let rain = json!({ "region": "brussels", "state": "heavy_rain" });
    assert_eq!(post(&format!("{}/api/weather/set", weather.url), &rain).status, 200);
    log.follow(&tail, minute(&time) + 5);

    time.kill();
    let time = account.start("time-manager").ready();
    log.follow(&tail, minute(&time) + 5);
    weather.kill();
    let weather = account.start("weather-manager").ready();
    bus.kill();
    let target = minute(&time) + 5;
    eventually("time goes on without the event-bus", || (minute(&time) > target).then_some(()));
    let bus = account.start("event-bus").ready();
    // The log of an event-bus outlives it: what it had, and what waited in the queue.
    let tail = Tail::start(&bus.url, &[]);
    let mut log = Log::default();
    log.follow(&tail, target);
    let weather_came = |log: &Log| log.types.contains("weather.changed");
    if !weather_came(&log) {
        tail.until(|event| {
            log.note(event);
            weather_came(&log)
        });
    }
    for service in [weather, time, bus] {
        service.terminate();
    }
}

#[test]
fn stock_boto3_and_protobuf_receive_our_events_and_publish_theirs() {
    let account = Account::open("stock");
    let npc = "npc=weather.changed";
    assert_eq!(account.run(&["topology", "apply", "--subscription", npc]).code, 0);
    let stubs = account.folder.path().join("stubs");
    std::fs::create_dir(&stubs).unwrap();
    let files = std::fs::read_dir(root().join("proto/worldbus/events/v1")).unwrap();
    let mut protoc = account.python(&["-m", "grpc_tools.protoc", "--proto_path=proto"]);
    protoc.arg(format!("--python_out={}", stubs.display()));
    protoc.args(files.map(|file| file.unwrap().path().strip_prefix(root()).unwrap().to_owned()));
    assert!(protoc.status().unwrap().success());

    let mut receive = account.python(&["examples/boto3/receive.py", "stock-npc-events"]);
    let mut receive = receive.env("PYTHONPATH", &stubs).stdout(Stdio::piped()).spawn().unwrap();
    let rain = "{\"new_state\":\"WEATHER_STATE_RAIN\"}";
    let published = account.run(&["publish", "weather.changed", rain, "--entity", "brussels"]);
    assert_eq!(published.code, 0, "{published:?}");
    let mut line = String::new();
    BufReader::new(receive.stdout.take().unwrap()).read_line(&mut line).unwrap();
    receive.kill().unwrap();
    receive.wait().unwrap();
    assert_eq!(line.trim(), "worldbus-cli 1 2 bytes");

    let bus = account.start("event-bus").ready();
    let tail = Tail::start(&bus.url, &["--type", "weather.changed"]);
    let arn = "arn:aws:sns:us-east-1:000000000000:stock-weather-events";
    let mut publish = account.python(&["examples/boto3/publish.py", arn]);
    let theirs = publish.env("PYTHONPATH", &stubs).output().unwrap();
    assert!(theirs.status.success(), "{theirs:?}");
    let events = tail.until(|event| event["source"] == "my-service");
    let event = events.last().unwrap();
    assert_eq!(event["payload"]["new_state"], "WEATHER_STATE_RAIN");
    assert_eq!((&event["entity"], &event["world"]), (&json!("brussels"), &json!("europe")));
    bus.terminate();
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn minute(time: &Service) -> i64 {
    current(&time.url)["total_minutes"].as_i64().unwrap()
}

/// What a tail has shown. SNS and SQS keep no order, so it is looked at as a set.
#[derive(Default)]
struct Log {
    ids: HashSet<worldbus_events::EventId>,
    types: BTreeSet<String>,
    /// Minutes that were told, by the producer, which is the epoch of the clock.
    told: BTreeMap<ProducerId, BTreeSet<i64>>,
}

impl Log {
    /// Reads until every minute up to one has been told, each once.
    fn follow(&mut self, tail: &Tail, up_to: i64) {
        tail.until(|event| {
            self.note(event);
            self.told.values().any(|minutes| minutes.last() >= Some(&up_to)) && self.is_gapless()
        });
    }

    fn note(&mut self, event: &Value) {
        assert!(self.ids.insert(id(event)), "{event} came twice");
        self.types.insert(event["event_type"].as_str().unwrap().to_owned());
        if is(event, "time.updated") {
            self.told.entry(id(event).producer).or_default().insert(minutes(event));
        }
    }

    fn is_gapless(&self) -> bool {
        self.told.values().all(|minutes| {
            let (first, last) = (minutes.first().unwrap(), minutes.last().unwrap());
            (last - first + 1) as usize == minutes.len()
        })
    }
}
