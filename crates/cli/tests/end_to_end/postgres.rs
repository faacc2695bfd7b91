//! Services whose state is in PostgreSQL: instances that share it are twins, also over a kill of
//! the database; what is wrong with it is a clear error, and its password is never printed.

use std::process::Command;

use serde_json::{Value, json};

use crate::aws::{Log, minute};
use crate::support::{
    Finished, Service, Tail, Town, current, eventually, get, post, run_with_input, worldbus,
};
use worldbus_testkit::PostgresServer;

const PASSWORD: &str = "open-sesame";

/// A server where the password is asked for, and its address without it.
fn server() -> (PostgresServer, String) {
    let server = PostgresServer::start();
    server.sql("postgres", &format!("ALTER ROLE worldbus PASSWORD '{PASSWORD}'"));
    let url = format!("postgres://worldbus@127.0.0.1:{}/worldbus", server.port());
    (server, url)
}

/// A service of the town that keeps its state there.
fn start(town: &Town, service: &str, url: &str) -> Service {
    let by_environment = |command: &mut Command| {
        command.env("WORLDBUS_STATE_PASSWORD", PASSWORD);
    };
    town.start_over(service, url, by_environment).ready()
}

fn command(service: &Service, path: &str, body: &Value) {
    let reply = post(&format!("{}{path}", service.url), body);
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[test]
fn twins_over_postgres_announce_every_minute_once_while_it_is_killed_and_know_each_others_commands()
{
    let (mut server, url) = server();
    let town = Town::found();
    let twins = [start(&town, "time-manager", &url), start(&town, "time-manager", &url)];
    let weather = start(&town, "weather-manager", &url);
    let tail = Tail::start(&town.bus.url, &[]);
    let mut log = Log::default();
    command(&twins[0], "/api/time/scale", &json!({ "real_seconds_per_game_hour": 10 }));
    log.follow(&tail, minute(&twins[1]) + 10);
    command(&weather, "/api/weather/set", &json!({ "region": "vienna", "state": "blizzard" }));

    // A command is refused while there is no database, and carried out when there is.
    server.kill();
    let set = json!({ "month": 7, "hour": 5 });
    let away = post(&format!("{}/api/time/set", twins[0].url), &set);
    assert_eq!(away.status, 503, "{away:?}");
    assert!(!away.text.contains(PASSWORD), "{away:?}");
    server.restart();
    eventually("a command is taken", || {
        let reply = post(&format!("{}/api/time/set", twins[1].url), &set);
        (reply.status == 200).then_some(())
    });
    let reached = eventually("both know the command", || {
        let times = twins.each_ref().map(|time| current(&time.url));
        let known = times.iter().all(|time| time["month"] == 7);
        known.then(|| times[0]["total_minutes"].as_i64().unwrap())
    });
    log.follow(&tail, reached + 10);
    assert!(log.is_gapless(), "{:?}", log.published.keys());
    eventually("the weather is forced still", || {
        let now = get(&format!("{}/api/weather/current?region=vienna", weather.url)).ok()?.json();
        (now["state"] == "blizzard").then_some(())
    });

    let [one, two] = twins;
    for service in [one, two, weather] {
        service.terminate();
    }
}

#[test]
fn wrong_database_is_a_clear_error_and_no_password_is_printed() {
    let (_server, url) = server();
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let up = |url: &str, password: Option<&str>, more: &[&str]| -> Finished {
        let mut up = worldbus();
        up.args(["up", "--listen", "127.0.0.1:0", "--data-dir", dir, "--state-url", url]);
        password.map(|password| up.env("WORLDBUS_STATE_PASSWORD", password));
        let finished = run_with_input(up.args(more), b"");
        let printed = format!("{} {}", String::from_utf8_lossy(&finished.stdout), finished.stderr);
        assert!(!printed.contains("sesame"), "{printed}");
        finished
    };
    let with = |login: &str| url.replacen("worldbus@", login, 1);
    up(&url, Some("sesame"), &[]).refused(&["28P01", "correct user and password"]);
    up(&url, None, &[]).refused(&["password missing"]);
    let nowhere = format!("{}/nowhere", url.strip_suffix("/worldbus").unwrap());
    up(&nowhere, Some(PASSWORD), &[]).refused(&["nowhere", "CREATE DATABASE"]);

    let twice = up(&with("worldbus:sesame@"), Some(PASSWORD), &[]);
    twice.refused(&["has a password already"]);
    assert_eq!(twice.code, 2, "{twice:?}");
    let misspelt = up(&format!("{}?sslmod=require", with("worldbus:sesame@")), None, &[]);
    misspelt.refused(&["unknown parameter `sslmod`", "sslmode"]);
    let unused = up("sqlite:state.db", Some(PASSWORD), &["--print-config"]);
    unused.refused(&["WORLDBUS_STATE_PASSWORD", "postgres://USER@HOST/DATABASE"]);
    up(&with("worldbus:sesame@").replacen("postgres", "postgre", 1), None, &[])
        .refused(&["postgre://worldbus:********@", "is not supported"]);

    let printed = up(&with("worldbus:open-sesame@"), None, &["--print-config"]);
    assert_eq!(printed.code, 0, "{printed:?}");
    let line = "# state_url = \"postgres://worldbus:********@127.0.0.1:";
    assert!(printed.lines().iter().any(|found| found.starts_with(line)), "{printed:?}");
}
