//! Three services over emulated SNS, SQS and DynamoDB, as they would run in an AWS account.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::formats::documents;
use crate::support::{
    Account, Service, Tail, current, eventually, get, id, is, minutes, post, root, run_with_input,
    worldbus,
};
use worldbus_events::ProducerId;

#[test]
fn topology_is_compared_then_made_then_as_it_should_be() {
    let account = Account::open("shape");
    let diff = account.run(&["topology", "diff"]);
    assert_eq!(diff.code, 1, "{diff:?}");
    let lines = diff.lines();
    for wanted in [
        "+ SNS topic shape-time-events",
        "+ subscription of shape-time-manager-events to topic time",
        "+ SQS queue shape-weather-manager-events",
        "+ SQS queue shape-weather-manager-events-dead-letters",
        "+ subscription of shape-weather-manager-events to topic time",
    ] {
        assert!(lines.iter().any(|line| line == wanted), "{wanted} is not in {lines:#?}");
    }
    let changes = documents(&account.run(&["topology", "diff", "--format", "json"]));
    let (summary, changes) = changes.split_last().unwrap();
    assert_eq!((&summary["changes"], &summary["applied"]), (&changes.len().into(), &false.into()));
    let topic = json!({ "change": "create", "what": "SNS topic shape-time-events" });
    assert!(changes.contains(&topic), "{changes:#?}");
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
    let account = Account::open("printed");
    let template = account.run(&["topology", "template"]);
    assert_eq!(template.code, 0, "{template:?}");
    let outputs = account.deploy("messaging", &template.stdout, "stacked");
    assert!(outputs["WeatherManagerQueueUrl"].ends_with("/stacked-weather-manager-events"));
    assert_eq!(outputs["EventBus4DeadLettersName"], "stacked-event-bus-4-events-dead-letters");
    // What an account has once is distinguished by the name of the system.
    let role = "arn:aws:iam::000000000000:role/stacked-weatherManagerTaskRole";
    assert_eq!(outputs["WeatherManagerTaskRoleArn"], role);
    let url = "sns-sqs://us-east-1?prefix=stacked";
    let diff = account.run(&["topology", "diff", "--url", url, "--event-bus-slots", "4"]);
    assert_eq!(diff.code, 0, "{:#?}", diff.lines());
}

/// In an account that judges by policies, with a subscription that another party made.
#[test]
fn queue_of_the_stack_takes_what_its_service_receives_of_its_topics_and_nothing_else() {
    const SEND: &str = "
import boto3, json, sys
sns, sqs = boto3.client('sns'), boto3.client('sqs')
url, time = sys.argv[1:]
queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])
foreign = sns.create_topic(Name='foreign')['TopicArn']
sns.subscribe(TopicArn=foreign, Protocol='sqs', Endpoint=queue['Attributes']['QueueArn'],
              Attributes={'RawMessageDelivery': 'true'})
sns.publish(TopicArn=foreign, Message='foreign')
for name in ['time.updated', 'time.clock_changed']:
    types = {'DataType': 'String.Array', 'StringValue': json.dumps([name])}
    sns.publish(TopicArn=time, Message=name, MessageAttributes={'event_types': types})
received = []
while 'time.clock_changed' not in received:
    answer = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, MaxNumberOfMessages=10)
    received += [message['Body'] for message in answer['Messages']]
print(received)
";
    let account = Account::open_guarded("guarded");
    let template = account.run(&["topology", "template"]);
    let outputs = account.deploy("messaging", &template.stdout, "guarded");
    let places = [&outputs["WeatherManagerQueueUrl"], &outputs["TimeTopicArn"]];
    let sent = run_with_input(account.python(&["-c", SEND]).args(places), b"");
    assert_eq!(sent.lines(), ["['time.clock_changed']"], "{sent:?}");
}

#[test]
fn service_whose_queue_is_missing_reports_which_and_what_to_do() {
    let account = Account::open("bare");
    let dir = account.folder.path().to_str().unwrap();
    let bus = account.run(&["event-bus", "--listen", "127.0.0.1:0", "--data-dir", dir]);
    bus.refused(&["bare-event-bus-events", "worldbus topology apply"]);
}

#[test]
fn publisher_whose_topic_is_missing_is_not_ready_and_reports_which_and_what_to_do() {
    let account = Account::open("topicless");
    let time = account.start("time-manager");
    let readyz = format!("{}/readyz", time.url);
    eventually("the missing topic is named", || {
        let page = get(&readyz).ok()?.text;
        let named = page.contains("topicless-time-events");
        (named && page.contains("worldbus topology apply")).then_some(())
    });
    assert_eq!(account.run(&["topology", "apply"]).code, 0);
    time.ready().terminate();
}

#[test]
fn without_credentials_it_reports_where_to_put_them() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [&["topology", "diff"][..], &["publish", "time.updated", "{}"]] {
        let mut command = worldbus();
        command.args(arguments).args(["--url", "sns-sqs://us-east-1?prefix=none"]);
        command.env("HOME", dir.path()).env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").env_remove("AWS_ACCESS_KEY_ID");
        let refused = run_with_input(&mut command, b"");
        refused.refused(&["no AWS credentials", "AWS_ACCESS_KEY_ID", "AWS_PROFILE"]);
        // No role lacks a right where there is no role.
        assert!(!refused.stderr.contains("a role without"), "{refused:?}");
        assert!(!refused.stderr.contains("Attempted"), "{refused:?}");
    }
}

#[test]
fn past_is_asked_of_an_event_bus_not_of_sqs() {
    let account = Account::open("past");
    for from in ["start", "now"] {
        let refused = account.run(&["tail", "--from", from]);
        refused.refused(&["sns-sqs", "replay", "worldbus event-bus", "--url http://"]);
    }
}

/// As in an installation whose topology is older than the service.
#[test]
fn time_manager_without_its_queue_runs_the_clock_and_what_is_scheduled() {
    const DELETE: &str = "
import boto3, sys
sqs = boto3.client('sqs')
sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=sys.argv[1])['QueueUrl'])
";
    let account = Account::open("older");
    assert_eq!(account.run(&["topology", "apply"]).code, 0);
    let queue = ["older-time-manager-events"];
    let deleted = run_with_input(account.python(&["-c", DELETE]).args(queue), b"");
    assert_eq!(deleted.code, 0, "{deleted:?}");
    let time = account.start("time-manager").ready();
    let stop = json!({
        "schedule": "in 1 minute", "event_type": "time.clock_requested", "payload": {"stop": {}},
    });
    assert_eq!(post(&format!("{}/api/time/schedules", time.url), &stop).status, 200);
    let fast = json!({ "real_seconds_per_game_hour": 10 });
    assert_eq!(post(&format!("{}/api/time/scale", time.url), &fast).status, 200);
    eventually("the clock stands", || (current(&time.url)["running"] == false).then_some(()));
    time.terminate();
}

#[test]
fn stats_of_the_event_bus_count_what_every_service_set_aside() {
    const POISON: &str = "
import boto3, sys
sqs = boto3.client('sqs')
for name in sys.argv[1:]:
    url = sqs.get_queue_url(QueueName=name)['QueueUrl']
    for number in range(4):
        sqs.send_message(QueueUrl=url, MessageBody='no event of ours')
";
    let mut account = Account::open("counted");
    assert_eq!(account.run(&["topology", "apply"]).code, 0);
    let bus = account.start("event-bus").ready();
    let time = account.start("time-manager").ready();
    let weather = account.start("weather-manager").ready();
    let stats = format!("{}/api/events/stats", bus.url);
    let counted = || get(&stats).ok()?.json()["dead_letters"].as_u64();
    assert_eq!(counted(), Some(0));
    let queues = ["counted-event-bus-events", "counted-weather-manager-events"];
    let sent = run_with_input(account.python(&["-c", POISON]).args(queues), b"");
    assert_eq!(sent.code, 0, "{sent:?}");
    eventually("all eight are counted", || (counted() == Some(8)).then_some(()));
    // Without AWS they are unknown, and all else is reported.
    account.emulator.stop();
    eventually("they are unknown", || {
        let reply = get(&stats).ok()?;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["dead_letters"].is_null().then_some(())
    });
    for service in [bus, weather, time] {
        service.terminate();
    }
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
        let shown = get(&now).unwrap().json()["game_time"].as_str()?.to_owned();
        shown.contains("T03:").then_some(())
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
    const NOISE: &str = "
import boto3, sys
types = {'DataType': 'String.Array', 'StringValue': '[\"weather.changed\"]'}
event = {'DataType': 'Binary', 'BinaryValue': b'\\xff'}
boto3.client('sns').publish(TopicArn=sys.argv[1], Message='noise',
                            MessageAttributes={'event': event, 'event_types': types})
";
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
    let mut received = BufReader::new(receive.stdout.take().unwrap()).lines();
    assert_eq!(received.next().unwrap().unwrap(), "worldbus-cli 1 2 bytes");

    let bus = account.start("event-bus").ready();
    let tail = Tail::start(&bus.url, &["--type", "weather.changed"]);
    let arn = "arn:aws:sns:us-east-1:000000000000:stock-weather-events";
    let mut publish = account.python(&["examples/boto3/publish.py", arn]);
    // What cannot be decoded is set aside, and what comes behind it is received.
    let noise = run_with_input(account.python(&["-c", NOISE]).arg(arn), b"");
    assert_eq!(noise.code, 0, "{noise:?}");
    let theirs = publish.env("PYTHONPATH", &stubs).output().unwrap();
    assert!(theirs.status.success(), "{theirs:?}");
    assert_eq!(received.next().unwrap().unwrap(), "my-service 1 2 bytes");
    receive.kill().unwrap();
    receive.wait().unwrap();
    let events = tail.until(|event| event["source"] == "my-service");
    let event = events.last().unwrap();
    assert_eq!(event["payload"]["new_state"], "WEATHER_STATE_RAIN");
    assert_eq!((&event["entity"], &event["world"]), (&json!("brussels"), &json!("europe")));
    bus.terminate();
}

pub(crate) fn minute(time: &Service) -> i64 {
    current(&time.url)["total_minutes"].as_i64().unwrap()
}

/// What a tail has shown. SNS and SQS keep no order, so it is looked at as a set.
#[derive(Default)]
pub(crate) struct Log {
    ids: HashSet<worldbus_events::EventId>,
    pub(crate) types: BTreeSet<String>,
    /// Minutes that were published, by the producer, which is the epoch of the clock.
    pub(crate) published: BTreeMap<ProducerId, BTreeSet<i64>>,
}

impl Log {
    /// Reads until every minute up to one has been published, each once.
    pub(crate) fn follow(&mut self, tail: &Tail, up_to: i64) {
        tail.until(|event| {
            self.note(event);
            self.published.values().any(|minutes| minutes.last() >= Some(&up_to))
                && self.is_gapless()
        });
    }

    pub(crate) fn note(&mut self, event: &Value) {
        assert!(self.ids.insert(id(event)), "{event} came twice");
        self.types.insert(event["event_type"].as_str().unwrap().to_owned());
        if is(event, "time.updated") {
            self.published.entry(id(event).producer).or_default().insert(minutes(event));
        }
    }

    pub(crate) fn is_gapless(&self) -> bool {
        self.published.values().all(|minutes| {
            let (first, last) = (minutes.first().unwrap(), minutes.last().unwrap());
            (last - first + 1) as usize == minutes.len()
        })
    }
}

/// Queues that AWS has lost are an outage as well, until they are made again.
#[test]
fn event_bus_is_not_ready_while_aws_is_away_and_ready_when_it_is_back() {
    let mut account = Account::open("away");
    assert_eq!(account.run(&["topology", "apply"]).code, 0);
    let bus = account.event_bus("log", &[]).ready();
    let readyz = |status| {
        let page = || get(&format!("{}/readyz", bus.url)).ok().filter(|r| r.status == status);
        eventually(&format!("/readyz answers {status}"), page).text
    };
    account.emulator.stop();
    let page = readyz(503);
    assert!(page.contains("engine: receive from"), "{page}");
    let healthy = get(&format!("{}/healthz", bus.url)).unwrap();
    assert_eq!(healthy.status, 200, "it was ready: {healthy:?}");
    account.emulator.restart();
    assert_eq!(account.run(&["topology", "apply"]).code, 0);
    readyz(200);
    bus.terminate();
}
