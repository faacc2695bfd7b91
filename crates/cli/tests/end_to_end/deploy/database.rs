//! The database of an installation: it is made as it should be, the services that use it and no
//! others get to it, and it stays until all data goes. The emulator makes what describes it, and no
//! PostgreSQL: that services work over one is shown where they are.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{assert_there, begun, deploy, done, inventory, process, run_script, tasks};
use crate::support::{Account, run_with_input, services};

const DATABASE: &str = include_str!("database.py");
/// The services that keep what they write in it.
const USERS: [&str; 2] = ["world-state", "storyteller"];

fn database(account: &Account) -> Value {
    run_script(account, DATABASE, &["gaming-system"])
}

/// Both are given the database, and no other service is.
fn assert_given(tasks: &Value, database: &Value, tls: &str) {
    for service in services() {
        let given = |name: &str| tasks[&service]["environment"][name].as_str();
        let names = ["WORLDBUS_DATABASE_URL", "WORLDBUS_DATABASE_PASSWORD"];
        let given = names.map(|name| given(name).unwrap_or_default().to_owned());
        let mut wanted = [String::new(), String::new()];
        if USERS.contains(&service.as_str()) {
            let address = database["address"].as_str().unwrap();
            wanted[0] = format!("postgres://worldbus@{address}/worldbus?{tls}");
            wanted[1] = database["password"].as_str().unwrap().to_owned();
        }
        assert_eq!(given, wanted, "{service}");
    }
}

fn desired(tasks: &Value) -> [Value; 2] {
    USERS.map(|service| tasks[service]["desired"].clone())
}

#[test]
fn production_has_a_database_that_stays_until_its_data_may_go() {
    let account = Account::open("gaming-system");
    let before = inventory(&account);
    let up = ["--profile", "production", "--image", "worldbus:1", "--yes"];
    done(deploy(&account, "up", &up));
    let made = database(&account);
    is_made_as_it_should_be(&made);
    let running = tasks(&account);
    assert_given(&running, &made, "sslmode=require");
    assert_eq!(desired(&running), [json!(2), json!(2)]);
    settings_are_taken(&account, &running);

    for parameter in ["Database=none", "Profile=minimal"] {
        let gone = deploy(&account, "up", &["--yes", "--parameter", parameter]);
        gone.refused(&["the database would be deleted", "Database=postgres", "--delete-data"]);
    }
    database_outlives_the_rest(&account, &made);

    let gone = done(deploy(&account, "down", &["--delete-data", "--yes"]));
    assert!(gone.contains("a last snapshot of AWS::RDS::DBInstance gaming-system-database"));
    let mut left = before;
    left.insert("snapshot gaming-system-database".to_owned());
    assert_eq!(inventory(&account), left);
}

fn is_made_as_it_should_be(made: &Value) {
    assert_eq!(
        (&made["name"], &made["class"]),
        (&json!("gaming-system-database"), &json!("db.t4g.micro"))
    );
    assert_eq!(
        (&made["engine"], &made["storage"]),
        (&json!(["postgres", "15"]), &json!(["gp3", 20]))
    );
    for (what, wanted) in [
        ("encrypted", json!(true)),
        ("public", json!(false)),
        ("protected", json!(true)),
        ("days", json!(7)),
        ("multi_az", json!(false)),
        ("is_private", json!(true)),
        ("groups", json!(["database"])),
        ("admits", json!([[5432, 5432, "services"]])),
        ("reached", json!([[5432, 5432]])),
        ("read_secrets", json!(["gaming-system/api-key", "gaming-system/database-password"])),
    ] {
        assert_eq!(made[what], wanted, "{what} of {made:#}");
    }
    assert_eq!(made["password"].as_str().unwrap().len(), 48);
}

/// The services take what their tasks are given: the URL is one, and its password is not lost.
fn settings_are_taken(account: &Account, tasks: &Value) {
    for service in USERS {
        let mut command = process(account, &tasks[service], service);
        let printed = done(run_with_input(command.arg("--print-config"), b""));
        assert!(
            printed.contains("database_url") && printed.contains("sslmode=require"),
            "{printed}"
        );
        assert!(printed.contains("database_password"), "{printed}");
    }
}

/// `down` keeps the database and the network around it, without what costs; `up` goes on with it.
fn database_outlives_the_rest(account: &Account, made: &Value) {
    let gone = done(deploy(account, "down", &["--yes"]));
    assert!(
        gone.contains("without NAT") && gone.contains("update gaming-system-network"),
        "{gone}"
    );
    let there = inventory(account);
    assert_there(
        &there,
        &[
            "stack gaming-system-database",
            "stack gaming-system-network",
            "stack gaming-system-state",
            "database gaming-system-database",
            "secret gaming-system/database-password",
        ],
    );
    let costs = ["nat gateway", "address", "cluster", "balancer"];
    let left: BTreeSet<_> =
        there.iter().filter(|name| costs.iter().any(|kind| name.starts_with(kind))).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(done(deploy(account, "down", &["--yes"])).contains("there is nothing to delete"));

    let again = done(deploy(account, "up", &["--image", "worldbus:1", "--yes"]));
    assert!(begun(&again).contains(&"update gaming-system-network"), "{again}");
    assert!(!again.contains("update gaming-system-database"), "{again}");
    let kept = database(account);
    assert_eq!((&kept["address"], &kept["password"]), (&made["address"], &made["password"]));
    assert_there(&inventory(account), &["nat gateway gaming-system-nat-a"]);
    assert_eq!(desired(&tasks(account)), [json!(2), json!(2)]);
    done(deploy(account, "status", &[]));
}

#[test]
fn minimal_has_one_instance_and_a_disk_and_a_database_if_asked_for_one() {
    let account = Account::open("gaming-system");
    done(deploy(&account, "up", &["--image", "worldbus:1", "--yes"]));
    assert!(!inventory(&account).iter().any(|name| name.starts_with("database ")));
    let alone = tasks(&account);
    assert_eq!(desired(&alone), [json!(1), json!(1)]);
    for service in USERS {
        assert_eq!(alone[service]["mounts"], json!(["/data"]));
        assert_eq!(alone[service]["environment"]["WORLDBUS_DATA_DIR"], "/data");
        assert_eq!(alone[service]["healthy"], json!([0, 100]), "no two at once");
    }
    assert_eq!(alone["time-manager"]["healthy"], json!([100, 200]));
    let two = ["--services", "time-manager,world-state=2", "--yes"];
    deploy(&account, "up", &two).refused(&["WorldStateCount above 1 needs Database=postgres"]);

    let given = [
        "--parameter",
        "Database=postgres",
        "--parameter",
        "DatabaseAuthorities=/etc/ssl/certs/rds.pem",
        "--parameter",
        "DatabaseMultiAz=true",
        "--yes",
    ];
    done(deploy(&account, "up", &given));
    let (made, running) = (database(&account), tasks(&account));
    let verified = "sslmode=verify-full&sslrootcert=/etc/ssl/certs/rds.pem";
    assert_given(&running, &made, verified);
    assert_eq!((&made["multi_az"], &made["protected"]), (&json!(true), &json!(false)));
    assert_eq!(running["world-state"]["healthy"], json!([100, 200]));
    assert_eq!(desired(&running), [json!(1), json!(1)]);
    done(deploy(&account, "up", &two));
    assert_eq!(desired(&tasks(&account)), [json!(2), Value::Null]);
}
