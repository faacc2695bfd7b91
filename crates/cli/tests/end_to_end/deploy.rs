//! `worldbus deploy aws` against an emulated account: everything is made, found by describing it,
//! runs, changes when a parameter does, and goes.
//!
//! The account lacks two types of resources, which are left out of the templates, and no others.
//! What fails, and how it is reported, is in `failures`: an emulator does not fail when asked to.

mod database;
mod failures;
mod peer;

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};

use crate::formats::documents;
use crate::support::{
    Account, Finished, Service, Tail, eventually, get, run_with_input, services, worldbus,
};

/// Types that the emulator lacks.
const WITHOUT: [&str; 2] =
    ["AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy"];
const INVENTORY: &str = include_str!("deploy/inventory.py");
const TASKS: &str = include_str!("deploy/tasks.py");

/// What an installation of each profile has, besides what has no name of its own.
const NAMED: [&str; 42] = [
    "cluster gaming-system-cluster",
    "service event-bus",
    "service time-manager",
    "service weather-manager",
    "task definition gaming-system-event-bus",
    "task definition gaming-system-time-manager",
    "task definition gaming-system-weather-manager",
    "topic gaming-system-time-events",
    "topic gaming-system-weather-events",
    "topic gaming-system-world-events",
    "queue gaming-system-time-manager-events",
    "queue gaming-system-time-manager-events-dead-letters",
    "queue gaming-system-weather-manager-events",
    "queue gaming-system-weather-manager-events-dead-letters",
    "queue gaming-system-event-bus-events",
    "queue gaming-system-event-bus-events-dead-letters",
    "queue gaming-system-event-bus-4-events",
    "subscription gaming-system-time-events to gaming-system-time-manager-events",
    "subscription gaming-system-time-events to gaming-system-weather-manager-events",
    "subscription gaming-system-weather-events to gaming-system-event-bus-events",
    "policy GamingSystemDistributedMessaging",
    "role timeManagerTaskRole",
    "role weatherManagerTaskRole",
    "role eventBusTaskRole",
    "log group /gaming-system/time-manager",
    "log group /gaming-system/weather-manager",
    "log group /gaming-system/event-bus",
    "table gaming-system-state",
    "secret gaming-system/api-key",
    "security group gaming-system-services",
    "network gaming-system-vpc",
    "alarm gaming-system-no-time-updated",
    "dashboard gaming-system",
    "queue gaming-system-ticks",
    "stack gaming-system-database",
    "stack gaming-system-time-manager",
    "stack gaming-system-npc-behavior",
    "stack gaming-system-world-state",
    "stack gaming-system-storyteller",
    "topic gaming-system-npc-events",
    "topic gaming-system-story-events",
    "stack gaming-system-observability",
];
/// What `down` keeps.
const KEPT: [&str; 10] = [
    "stack gaming-system-state",
    "table gaming-system-state",
    "secret gaming-system/api-key",
    "log group /gaming-system/time-manager",
    "log group /gaming-system/weather-manager",
    "log group /gaming-system/npc-behavior",
    "log group /gaming-system/world-state",
    "log group /gaming-system/storyteller",
    "log group /gaming-system/event-bus",
    "log group /gaming-system/stopped-tasks",
];

pub(crate) fn deploy(account: &Account, action: &str, more: &[&str]) -> Finished {
    let mut command = account.command(&["deploy", "aws", action]);
    command.args(WITHOUT.iter().flat_map(|kind| ["--without", kind])).args(more);
    run_with_input(&mut command, b"")
}

pub(crate) fn done(finished: Finished) -> String {
    let page = finished.lines().join("\n");
    assert_eq!(finished.code, 0, "{page}\n{}", finished.stderr);
    page
}

/// Stacks of an installation: what all share, and one for each service besides the event-bus.
fn stack_count() -> usize {
    6 + services().len() - 1
}

pub(crate) fn run_script(account: &Account, script: &str, arguments: &[&str]) -> Value {
    let finished = run_with_input(account.python(&["-c", script]).args(arguments), b"");
    assert_eq!(finished.code, 0, "{finished:?}");
    serde_json::from_slice(&finished.stdout).unwrap()
}

/// Kind and name of all that is there.
fn inventory(account: &Account) -> BTreeSet<String> {
    serde_json::from_value(run_script(account, INVENTORY, &[])).unwrap()
}

fn assert_there(there: &BTreeSet<String>, names: &[&str]) {
    for name in names {
        assert!(there.contains(*name), "{name} is not in {there:#?}");
    }
}

/// Stacks that a page shows as being made or changed.
fn begun(page: &str) -> Vec<&str> {
    let is_begun = |line: &&str| line.starts_with("create ") || line.starts_with("update ");
    page.lines().filter(is_begun).collect()
}

fn left_out(page: &str) -> BTreeSet<&str> {
    let lines = page.lines().filter_map(|line| line.strip_prefix("left out: "));
    lines.map(|line| line.split(' ').next().unwrap()).collect()
}

#[test]
fn minimal_installation_comes_about_runs_changes_and_goes() {
    let account = Account::open("gaming-system");
    let before = inventory(&account);
    plan_is_json_for_programs(&account);
    let planned = done(deploy(&account, "plan", &["--image", "worldbus:1"]));
    assert!(planned.contains("gaming-system-services (new, 6 resources by its template)"));
    assert!(planned.contains("+ AWS::ECS::Cluster Cluster"), "{planned}");
    assert!(planned.contains("+ AWS::ECS::Service WeatherManagerService"), "{planned}");
    assert!(planned.contains("this deployment") && planned.contains("the system before"));
    assert!(planned.contains("not priced"), "{planned}");
    assert_eq!(inventory(&account), before, "a plan leaves nothing behind");

    let made = done(deploy(&account, "up", &["--image", "worldbus:1", "--yes"]));
    assert_eq!(left_out(&made), BTreeSet::from(WITHOUT));
    assert_eq!(begun(&made).len(), stack_count(), "{made}");
    assert!(made.contains("CREATE_COMPLETE              AWS::SQS::Queue WeatherManagerQueue"));
    assert!(made.contains("ClusterName") && made.contains("gaming-system-cluster"), "{made}");
    assert_there(&inventory(&account), &NAMED);
    done(deploy(&account, "status", &["--image", "worldbus:1"]));

    let again = done(deploy(&account, "up", &["--yes"]));
    assert!(again.contains("Everything is as it should be; nothing changes."), "{again}");
    assert!(begun(&again).is_empty(), "{again}");
    changed_parameter_changes_what_it_should(&account);
    world_runs_as_the_task_definitions_say(&account);
    down_leaves_what_it_lists(&account, &before);
}

fn plan_is_json_for_programs(account: &Account) {
    let planned = deploy(account, "plan", &["--image", "worldbus:1", "--format", "json"]);
    assert_eq!(planned.code, 0, "{planned:?}");
    let plan = &documents(&planned)[0];
    let count = plan["stacks"].as_array().unwrap().len();
    assert_eq!((&plan["differs"], count), (&json!(true), stack_count()));
    assert!(plan["cost"]["bills"].is_array(), "{plan:#}");
}

fn changed_parameter_changes_what_it_should(account: &Account) {
    let tasks = || tasks(account);
    let before = tasks();
    assert_eq!(before["time-manager"]["spread"], json!({ "FARGATE_SPOT": 4, "FARGATE": 1 }));
    let spot = ["--parameter", "TimeManagerSpotPercent=0"];
    let differs = deploy(account, "status", &spot);
    assert_eq!(differs.code, 1, "{differs:?}");
    assert!(differs.lines().iter().any(|line| line.contains("TimeManagerSpotPercent")));
    let json = ["--format", "json"];
    let status = documents(&deploy(account, "status", &[&spot[..], &json].concat()));
    assert_eq!(status[0]["differs"], true, "{status:#?}");
    let page = done(deploy(account, "up", &[&spot[..], &["--yes"]].concat()));
    assert_eq!(begun(&page), ["update gaming-system-time-manager"]);
    let after = tasks();
    assert_eq!(after["time-manager"]["spread"], json!({ "FARGATE_SPOT": 0, "FARGATE": 1 }));
    assert_eq!(after["weather-manager"], before["weather-manager"]);
    assert_eq!(after["event-bus"], before["event-bus"]);

    let fewer = ["--services", "time-manager,weather-manager=2", "--yes"];
    let changed = deploy(account, "up", &[&fewer[..], &json].concat());
    assert_eq!(changed.code, 0, "{changed:?}");
    let changed = documents(&changed);
    let progress: Vec<&Value> = changed.iter().map(|line| &line["progress"]).collect();
    assert!(progress.contains(&&json!("begun")) && progress.contains(&&json!("ended")));
    assert!(changed[0]["stacks"].is_array() && changed.last().unwrap()["outputs"].is_array());
    let after = tasks();
    assert_eq!(
        (&after["weather-manager"]["desired"], &after["event-bus"]),
        (&json!(2), &json!(null))
    );
    assert_eq!(after["time-manager"]["spread"], json!({ "FARGATE_SPOT": 0, "FARGATE": 1 }));
    done(deploy(
        account,
        "up",
        &["--services", "time-manager,weather-manager=1,event-bus", "--yes"],
    ));
    assert_eq!(tasks()["event-bus"], before["event-bus"]);
}

/// How ECS would start each service of what was deployed.
pub(crate) fn tasks(account: &Account) -> Value {
    run_script(account, TASKS, &["gaming-system-cluster"])
}

/// A task as a process, with the environment that ECS would give it. It listens on an address of
/// its own, and has a disk of its own, in this folder, where a volume is mounted.
pub(crate) fn process(account: &Account, task: &Value, folder: &str) -> Command {
    let disk = account.folder.path().join(folder);
    std::fs::create_dir_all(&disk).unwrap();
    let mut command = account.command(&[]);
    let words = task["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
    command.args(words).current_dir(&disk).env_remove("WORLDBUS_URL");
    for (name, value) in task["environment"].as_object().unwrap() {
        let is_mount = task["mounts"].as_array().unwrap().contains(value);
        match (name.as_str(), is_mount) {
            ("WORLDBUS_LISTEN", _) => command.env(name, "127.0.0.1:0"),
            (_, true) => command.env(name, &disk),
            (_, false) => command.env(name, value.as_str().unwrap()),
        };
    }
    command
}

/// The three services as processes.
fn world_runs_as_the_task_definitions_say(account: &Account) {
    let tasks = tasks(account);
    let start = |name: &str| Service::spawn(&mut process(account, &tasks[name], name));
    let key = tasks["event-bus"]["environment"]["WORLDBUS_API_KEY"].as_str().unwrap();
    assert!(key.len() >= 32, "the secret is made, not written");
    let (bus, time, weather) =
        (start("event-bus"), start("time-manager"), start("weather-manager"));
    // The weather-manager is ready once the clock came to it through topic and queue.
    let (bus, time, weather) = (bus.ready(), time.ready(), weather.ready());
    let closed = get(&format!("{}/api/time/current", time.url)).unwrap();
    assert_eq!(closed.status, 401, "without the key");
    let rain = json!({ "region": "brussels", "state": "heavy_rain" });
    let set = ureq::post(format!("{}/api/weather/set", weather.url))
        .header("authorization", format!("Bearer {key}"))
        .send_json(&rain);
    assert_eq!(set.unwrap().status(), 200);
    let mut tail = worldbus();
    let tail = Tail::spawn(Tail::command(&mut tail, &bus.url).env("WORLDBUS_API_KEY", key));
    let mut sources = BTreeSet::new();
    tail.until(|event| {
        let text = |field: &str| event[field].as_str().unwrap().to_owned();
        sources.insert((text("source"), text("event_type")));
        let came = |source: &str, event_type: &str| {
            sources.contains(&(source.to_owned(), event_type.to_owned()))
        };
        came("time-manager", "time.updated") && came("weather-manager", "weather.changed")
    });
    for service in [weather, time, bus] {
        service.terminate();
    }
}

fn down_leaves_what_it_lists(account: &Account, before: &BTreeSet<String>) {
    let gone = done(deploy(account, "down", &["--yes"]));
    // All but that of the state.
    let deleted = format!("{} stacks are deleted", stack_count() - 1);
    assert!(gone.contains(&deleted), "{gone}");
    let mut kept = before.clone();
    kept.extend(KEPT.map(str::to_owned));
    let there = inventory(account);
    assert_eq!(there, kept, "only what it keeps");
    for (kind, name) in KEPT.iter().filter_map(|kept| kept.rsplit_once(' ')) {
        let line = |line: &str| kind == "stack" || line.trim_end().ends_with(&format!(" {name}"));
        assert!(gone.lines().any(line), "{name} is missing in {gone}");
    }
    let status = deploy(account, "status", &[]);
    assert_eq!(status.code, 1, "{status:?}");
    let gone = deploy(account, "down", &["--delete-data", "--yes", "--format", "json"]);
    assert_eq!(gone.code, 0, "{gone:?}");
    let gone = documents(&gone);
    assert_eq!(gone[0]["goes"][0]["stack"], "gaming-system-state", "{gone:#?}");
    let last = gone.last().unwrap();
    assert_eq!(last["deleted"], json!(["gaming-system-state"]), "{gone:#?}");
    assert_eq!(inventory(account), *before, "nothing at all");
    assert!(done(deploy(account, "down", &["--yes"])).contains("there is nothing to delete"));
}

#[test]
fn production_installation_has_what_minimal_lacks_and_gives_its_data_up_when_asked() {
    let account = Account::open("gaming-system");
    let before = inventory(&account);
    let profile = ["--profile", "production", "--image", "worldbus:1", "--yes"];
    let made = done(deploy(&account, "up", &profile));
    assert_eq!(left_out(&made), BTreeSet::from(WITHOUT));
    let there = inventory(&account);
    assert_there(&there, &NAMED);
    assert_there(
        &there,
        &[
            "balancer gaming-system-balancer",
            "target group gaming-system-bus",
            "namespace gaming-system.internal",
            "discovery time-manager",
            "nat gateway gaming-system-nat-a",
            "nat gateway gaming-system-nat-b",
            "database gaming-system-database",
        ],
    );
    let tasks = tasks(&account);
    assert_eq!(
        (&tasks["time-manager"]["desired"], &tasks["event-bus"]["desired"]),
        (&json!(2), &json!(1))
    );
    let again = done(deploy(&account, "up", &["--yes"]));
    assert!(begun(&again).is_empty(), "the profile is kept: {again}");
    done(deploy(&account, "status", &[]));
    world_runs_as_the_task_definitions_say(&account);

    // An installation of another name stands next to it and goes without it.
    let other = ["--system-name", "arena", "--image", "worldbus:1", "--yes"];
    done(deploy(&account, "up", &other));
    assert_there(
        &inventory(&account),
        &["cluster arena-cluster", "role arena-timeManagerTaskRole", "topic arena-time-events"],
    );
    done(deploy(&account, "down", &["--system-name", "arena", "--delete-data", "--yes"]));
    assert_eq!(inventory(&account), there);
    done(deploy(&account, "status", &[]));
    balancer_opens_and_goes(&account);
    done(deploy(&account, "down", &["--delete-data", "--yes"]));
    let mut left = before;
    left.insert("snapshot gaming-system-database".to_owned());
    assert_eq!(inventory(&account), left, "table and database were protected");
}

#[test]
fn messaging_template_is_what_topology_prints_without_services() {
    let folder = tempfile::tempdir().unwrap();
    let mut write = worldbus();
    write.args(["deploy", "aws", "templates"]).arg(folder.path());
    let written = done(run_with_input(&mut write, b""));
    for name in ["time-manager.yaml", "database.yaml", "services.yaml"] {
        assert!(written.lines().any(|path| path.ends_with(name)), "{written}");
    }
    let messaging = std::fs::read(folder.path().join("messaging.json")).unwrap();
    let topology = |action: &str| {
        let url = "sns-sqs://us-east-1?prefix=gaming-system";
        let arguments = ["topology", action, "--without-services", "--url", url];
        run_with_input(worldbus().args(arguments), b"")
    };
    let printed: Value = serde_json::from_slice(&topology("template").stdout).unwrap();
    assert_eq!(printed, serde_json::from_slice::<Value>(&messaging).unwrap());
    topology("print").refused(&["--without-services", "template"]);
}

/// Services join another balancer after it is there, and leave one before it goes.
fn balancer_opens_and_goes(account: &Account) {
    const CERTIFICATE: &str = "arn:aws:acm:us-east-1:000000000000:certificate/6fdd22ba";
    let mut names = services();
    names.retain(|name| name != "event-bus");
    names.sort();
    let updates = names.iter().map(|name| format!("update gaming-system-{name}"));
    let updates: Vec<String> =
        ["update gaming-system-services".to_owned()].into_iter().chain(updates).collect();
    let open = ["--certificate-arn", CERTIFICATE, "--internet-facing", "true", "--yes"];
    let opened = done(deploy(account, "up", &open));
    assert_eq!(begun(&opened), updates);
    let there = inventory(account);
    assert_there(&there, &["balancer gaming-system-internet", "target group gaming-system-i-time"]);
    assert!(!there.contains("target group gaming-system-time"), "{there:#?}");
    done(deploy(account, "status", &[]));

    let close = ["--profile", "minimal", "--certificate-arn", "", "--internet-facing", "false"];
    let kept = ["--parameter", "Database=postgres", "--yes"];
    let gone = done(deploy(account, "up", &[&close[..], &kept].concat()));
    let place = |stack: &str| begun(&gone).iter().position(|line| line.ends_with(stack)).unwrap();
    assert!(place("-weather-manager") < place("-services"), "{gone}");
    let there = inventory(account);
    let left = ["balancer", "target group", "namespace", "discovery"];
    let left = |name: &String| left.iter().any(|kind| name.starts_with(kind));
    assert!(!there.iter().any(left), "{there:#?}");
    done(deploy(account, "status", &[]));
}

#[test]
fn stack_that_was_changed_by_hand_is_reported_and_mended() {
    const CHANGE: &str = "
import boto3, re
stacks, name = boto3.client('cloudformation'), 'gaming-system-network'
body = stacks.get_template(StackName=name, TemplateStage='Original')['TemplateBody']
stacks.update_stack(StackName=name, TemplateBody=re.sub('ToPort: 7[0-9]+', 'ToPort: 9999', body),
                    Capabilities=['CAPABILITY_NAMED_IAM'])
stacks.get_waiter('stack_update_complete').wait(StackName=name, WaiterConfig={'Delay': 1})
print('{}')
";
    let account = Account::open("gaming-system");
    done(deploy(&account, "up", &["--image", "worldbus:1", "--yes"]));
    run_script(&account, CHANGE, &[]);
    let status = deploy(&account, "status", &[]);
    assert_eq!(status.code, 1, "{status:?}");
    let lines = status.lines();
    let marked: Vec<_> = lines.iter().filter(|line| line.starts_with('!')).collect();
    assert_eq!(marked, ["! stack gaming-system-network: UPDATE_COMPLETE"]);
    let mended = done(deploy(&account, "up", &["--yes"]));
    assert_eq!(begun(&mended), ["update gaming-system-network"]);
    eventually("it is as it should be", || {
        (deploy(&account, "status", &[]).code == 0).then_some(())
    });
}
