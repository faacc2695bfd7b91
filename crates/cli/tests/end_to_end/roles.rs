//! The roles of the deployed services against what the services ask of AWS: nothing is missing, and
//! nothing is given that is neither used nor listed with its reason.
//!
//! The account judges each request by the rights of the service's role within the boundary, so
//! what is missing fails the run too, by a judge that is not ours.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::deploy::{deploy, done, process, run_script, tasks};
use crate::support::{
    Account, Feed, Service, eventually, get, post, run_with_input, services, worldbus,
};
use worldbus_testkit::{Asked, Grant, Policy, Recorder};

/// The services and their roles.
const ROLES: [(&str, &str); 6] = [
    ("time-manager", "timeManagerTaskRole"),
    ("weather-manager", "weatherManagerTaskRole"),
    ("npc-behavior", "npcBehaviorTaskRole"),
    ("world-state", "worldStateTaskRole"),
    ("storyteller", "storytellerTaskRole"),
    ("event-bus", "eventBusTaskRole"),
];
/// Slots of the event-bus in the stack.
const SLOT_COUNT: usize = 4;

/// Makes for each role a user of the same rights within the same boundary, whose key marks its
/// requests; prints keys and rights.
const IDENTIFY: &str = "
import boto3, json, sys
iam = boto3.client('iam')
boundary = 'arn:aws:iam::000000000000:policy/GamingSystemDistributedMessaging'
version = iam.get_policy_version(PolicyArn=boundary, VersionId='v1')['PolicyVersion']
made = {'boundary': version['Document']}
for role in sys.argv[1:]:
    assert not iam.list_attached_role_policies(RoleName=role)['AttachedPolicies']
    [name] = iam.list_role_policies(RoleName=role)['PolicyNames']
    rights = iam.get_role_policy(RoleName=role, PolicyName=name)['PolicyDocument']
    iam.create_user(UserName=role, PermissionsBoundary=boundary)
    iam.put_user_policy(UserName=role, PolicyName=name, PolicyDocument=json.dumps(rights))
    key = iam.create_access_key(UserName=role)['AccessKey']
    made[role] = {'id': key['AccessKeyId'], 'secret': key['SecretAccessKey'], 'rights': rights}
print(json.dumps(made))
";
/// Puts what is no event into queues, given in pairs with their dead letters; ends once all of it
/// was set aside.
const POISON: &str = "
import boto3, sys, time
sqs = boto3.client('sqs')
for queue in sys.argv[1::2]:
    sqs.send_message(QueueUrl=queue, MessageBody='no event of ours')
waiting, end = set(sys.argv[2::2]), time.monotonic() + 30
while waiting:
    assert time.monotonic() < end, f'nothing came to {waiting}'
    for letters in list(waiting):
        names = ['ApproximateNumberOfMessages']
        found = sqs.get_queue_attributes(QueueUrl=letters, AttributeNames=names)['Attributes']
        if found[names[0]] != '0':
            waiting.remove(letters)
print('null')
";

/// An announcement of the clock of another world, and a request that its time-manager has carried
/// out: every queue gets one of them, and no service minds.
const ELSEWHERE: [&str; 2] = [
    r#"{"type":"time.clock_changed","world":"elsewhere","payload":{}}"#,
    r#"{"type":"time.clock_requested","world":"elsewhere","source":"time-manager","payload":{}}"#,
];

#[test]
fn each_role_has_what_its_service_uses_and_nothing_else() {
    let account = Account::open_guarded("gaming-system");
    let stage = Stage::set(&account);
    let bus = |number| stage.start("event-bus", &format!("bus-{number}"));
    let buses: Vec<Service> = (0..SLOT_COUNT).map(bus).collect();
    let buses: Vec<Service> = buses.into_iter().map(Service::ready).collect();
    let time = stage.start("time-manager", "time").ready();
    let weather = stage.start("weather-manager", "weather").ready();
    let living = ["npc-behavior", "world-state", "storyteller"];
    let living = living.map(|service| stage.start(service, service).ready());

    // Commands, and whatever clients publish on any topic.
    let scale = json!({ "real_seconds_per_game_hour": 10 });
    assert_eq!(post(&format!("{}/api/time/scale", time.url), &scale).status, 200);
    let rain = json!({ "region": "brussels", "state": "heavy_rain" });
    assert_eq!(post(&format!("{}/api/weather/set", weather.url), &rain).status, 200);
    for name in types_of_each_topic() {
        let event = json!({ "event_type": name, "payload": {} });
        let published = post(&format!("{}/api/events/publish", buses[0].url), &event);
        assert_eq!(published.status, 200, "{name}: {published:?}");
    }
    for bus in &buses {
        let stats = format!("{}/api/events/stats", bus.url);
        eventually("events come to every slot", || {
            get(&stats).ok()?.text.contains("time").then_some(())
        });
    }
    let [_, _, storyteller] = &living;
    accept_a_proposal(&time.url, &storyteller.url, &buses[0].url);
    stage.poison();

    // What is on its way at a shutdown is handed back.
    let feed = |line| Feed::spawn(&mut account.command(&["publish", "--stdin"]), line, 2);
    let feeds = ELSEWHERE.map(feed);
    for service in buses.into_iter().chain(living).chain([weather, time]) {
        service.terminate();
    }
    for feed in feeds {
        feed.stop();
    }
    stage.judge();
}

/// The director proposes within two days of the game. What is accepted it requests of another
/// service, on the topic of such requests, which is not its own.
fn accept_a_proposal(time: &str, storyteller: &str, bus: &str) {
    const REASON: &str = "a quiet afternoon";
    let director = || get(&format!("{storyteller}/api/director")).unwrap().json();
    let mut skipped = None;
    let proposal = eventually("a proposal", || {
        let found = director();
        let hour = |key: &str| found[key].as_str().map(|time| time[..13].to_owned());
        let looked = hour("looked").filter(|looked| hour("game_time").as_ref() == Some(looked));
        let proposals = found["proposals"].as_array().unwrap();
        let open = proposals.iter().find(|proposal| proposal["state"] == "open").cloned();
        // Each hour is looked at once, and skipped if nothing came of it.
        if open.is_none() && looked.is_some() && looked != skipped {
            let skip = json!({ "hours": 1 });
            assert_eq!(post(&format!("{time}/api/time/skip"), &skip).status, 200);
            skipped = looked;
        }
        open
    });
    let id = proposal["id"].as_str().unwrap();
    let accept = format!("{storyteller}/api/director/proposals/{id}/accept");
    let accepted = post(&accept, &json!({ "actor": "gm", "reason": REASON }));
    assert_eq!(accepted.status, 200, "{accepted:?}");
    let event_type = proposal["command"]["event_type"].as_str().unwrap();
    let history = format!("{bus}/api/events/history/{event_type}");
    eventually("its request", || get(&history).ok()?.text.contains(REASON).then_some(()));
}

/// One event type of each topic.
fn types_of_each_topic() -> Vec<String> {
    let catalog = run_with_input(worldbus().args(["catalog", "--format", "json"]), b"");
    let catalog: Value = serde_json::from_slice(&catalog.stdout).unwrap();
    let types = catalog["event_types"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let by_topic: BTreeMap<_, _> =
        types.map(|known| (text(&known["topic"]), text(&known["name"]))).collect();
    by_topic.into_values().collect()
}

/// What was deployed, who the services are in it, and what they ask for.
struct Stage<'a> {
    account: &'a Account,
    tasks: Value,
    identities: Value,
    recorder: Recorder,
}

impl<'a> Stage<'a> {
    fn set(account: &'a Account) -> Self {
        done(deploy(account, "up", &["--image", "worldbus:1", "--yes"]));
        let identities = run_script(account, IDENTIFY, &ROLES.map(|(_, role)| role));
        let recorder = Recorder::start(account.emulator.port());
        Self { account, tasks: tasks(account), identities, recorder }
    }

    /// A service as its task definition starts it, under the rights of its role.
    fn start(&self, service: &str, folder: &str) -> Service {
        let (_, role) = ROLES.iter().find(|(name, _)| *name == service).unwrap();
        let identity = |what: &str| self.identities[role][what].as_str().unwrap();
        let mut command = process(self.account, &self.tasks[service], folder);
        command.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.recorder.port()));
        command.env("AWS_ACCESS_KEY_ID", identity("id"));
        command.env("AWS_SECRET_ACCESS_KEY", identity("secret"));
        // On loopback no client needs a key.
        Service::spawn(command.env_remove("WORLDBUS_API_KEY"))
    }

    /// Gives every queue a message that cannot be decoded, and waits for the dead letters.
    fn poison(&self) {
        let tasks = self.tasks.as_object().unwrap().values();
        let places = tasks.flat_map(|task| {
            let places = task["environment"].as_object().unwrap();
            let queues = places.keys().filter_map(|name| name.strip_suffix("_QUEUE_URL"));
            let queues = queues.filter(|name| !name.ends_with("_DEAD_LETTER"));
            queues.flat_map(|name| {
                [format!("{name}_QUEUE_URL"), format!("{name}_DEAD_LETTER_QUEUE_URL")]
                    .map(|name| places[&name].as_str().unwrap())
            })
        });
        let places: Vec<&str> = places.collect();
        let others = services().len() - 1;
        assert_eq!(places.len(), 2 * (SLOT_COUNT + others), "{places:?}");
        run_script(self.account, POISON, &places);
    }

    /// Compares what was asked for with what the roles and their boundary give.
    fn judge(&self) {
        let (wanted, mut faults) = (wanted(), Vec::new());
        let mut all = BTreeSet::new();
        for (service, role) in ROLES {
            let identity = &self.identities[role];
            let asked = self.recorder.of(identity["id"].as_str().unwrap());
            assert!(!asked.is_empty(), "{service} asked for nothing");
            faults.extend(judge(role, &Policy::parse(&identity["rights"]), &asked, &wanted));
            all.extend(asked);
        }
        faults.extend(judge(
            "boundary",
            &Policy::parse(&self.identities["boundary"]),
            &all,
            &wanted,
        ));
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

fn judge(of: &str, policy: &Policy, asked: &BTreeSet<Asked>, wanted: &[Grant]) -> Vec<String> {
    let missing = policy.missing(asked).into_iter();
    let missing = missing.map(|grant| format!("{of} lacks {grant}, which is used"));
    let excess = policy.excess(asked, wanted).into_iter();
    let excess = excess.map(|grant| {
        format!(
            "{of} has {grant}, which is neither used nor in \
             crates/cli/src/cloud/topology/wanted.toml"
        )
    });
    let stale = wanted.iter().filter(|grant| {
        !policy.gives(&grant.action, &grant.resource)
            || asked.iter().any(|asked| asked.action == grant.action)
    });
    let stale =
        stale.map(|grant| format!("{grant} is listed as wanted, but {of} uses or lacks it"));
    missing.chain(excess).chain(stale).collect()
}

/// The rights that every service has and that are listed with a reason.
fn wanted() -> Vec<Grant> {
    let table = include_str!("../../src/cloud/topology/wanted.toml");
    let table: toml::Table = toml::from_str(table).unwrap();
    let texts = |value: &toml::Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut wanted = Vec::new();
    for right in table["right"].as_array().unwrap() {
        assert!(!right["reason"].as_str().unwrap().is_empty(), "{right:?}");
        let (actions, resources) = (texts(&right["actions"]), texts(&right["resources"]));
        for action in &actions {
            wanted.extend(resources.iter().map(|resource| Grant::new(action, resource)));
        }
    }
    wanted
}
