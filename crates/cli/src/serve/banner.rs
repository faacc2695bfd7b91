//! What a serving command says on standard output when its port is open: for people what runs
//! where and what to try next, for scripts the line `listening on http://…`.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde_json::{Value, json};

use super::ground::Ground;
use crate::output::format::Format;
use crate::output::terminal::escaped;
use worldbus_service::config::Common;
use worldbus_service::{Description, SecretUrl};

/// Of `worldbus up`, which runs these services.
pub(super) fn up(ground: &Ground, common: &Common, services: &[Description], format: Format) {
    let (url, program) = (url(ground.address), program());
    let world = &ground.world;
    let names: Vec<_> = services.iter().map(|service| service.name).collect();
    let asks: String = services.iter().map(|service| ask(service, &url)).collect();
    let text = || {
        format!(
            "listening on http://{}
world     {} with {} regions
services  {}
data      {}{}
follow    {program} tail --url {url}{asks}
all paths {url}/openapi.json
stop      Ctrl-C",
            ground.address,
            escaped(&world.name),
            world.regions.len(),
            names.join(", "),
            common.data_dir.display(),
            database(common.database_url.as_ref()),
        )
    };
    say(format, &document(ground), text);
}

/// Of `worldbus event-bus`.
pub(super) fn event_bus(ground: &Ground, format: Format) {
    let (url, program) = (url(ground.address), program());
    let ask = ask(&worldbus_event_bus::DESCRIPTION, &url);
    let text = || {
        format!(
            "listening on http://{}
follow    {program} tail --url {url}
publish   {program} publish time.day_activated '{{}}' --url {url}{ask}
stop      Ctrl-C",
            ground.address,
        )
    };
    say(format, &document(ground), text);
}

/// Of a service alone.
pub(super) fn alone(ground: &Ground, common: &Common, service: &Description, format: Format) {
    let ask = ask(service, &url(ground.address));
    let text = || {
        format!(
            "listening on http://{}
bus       {}{}{ask}
stop      Ctrl-C",
            ground.address,
            common.url,
            database(common.database_url.as_ref().filter(|_| service.database)),
        )
    };
    say(format, &document(ground), text);
}

/// A line with a command that asks a service something, if it has one.
fn ask(service: &Description, url: &str) -> String {
    let line = |ask| format!("\nask       {} {ask} --url {url}", program());
    service.ask.map(line).unwrap_or_default()
}

/// A line with the database that services keep what they write in, if one is set.
fn database(url: Option<&SecretUrl>) -> String {
    url.map(|url| format!("\ndatabase  {}", escaped(&url.to_string()))).unwrap_or_default()
}

/// The same for programs: where it listens, and which world it has.
fn document(ground: &Ground) -> Value {
    let world = &ground.world;
    json!({
        "service": ground.name,
        "listening": format!("http://{}", ground.address),
        "url": url(ground.address),
        "world": { "id": world.id, "name": world.name, "regions": world.regions.len() },
    })
}

/// A reader that is gone is no reason to fail.
fn say(format: Format, document: &Value, text: impl FnOnce() -> String) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{}", format.line(document, text));
    let _ = out.flush();
}

/// How this program was called, so that what is shown can be typed.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "worldbus".to_owned())
}

/// An address at which this machine reaches itself.
fn url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_is_shown_without_its_password() {
        let url = SecretUrl::new("postgres://w:hunter2@db.example/worldbus");
        let line = database(Some(&url));
        assert!(line.contains("@db.example/worldbus") && !line.contains("hunter2"), "{line}");
        assert_eq!(database(None), "");
    }

    #[test]
    fn address_of_every_interface_is_shown_as_one_that_answers() {
        assert_eq!(url("0.0.0.0:7070".parse().unwrap()), "http://127.0.0.1:7070");
        assert_eq!(url("[::]:7070".parse().unwrap()), "http://[::1]:7070");
        assert_eq!(url("10.0.0.1:1".parse().unwrap()), "http://10.0.0.1:1");
    }
}
