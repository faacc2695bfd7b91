//! Writes out what a template repeats for each service and each topic, or has of one service.
//!
//! The templates name no service but the event-bus. A line `#: for service` begins what is repeated
//! and `#: end` ends it; `#: for topic` repeats for each topic of the system, and within a service
//! `#: for topic of service` for those that it uses, `#: for api of service` for its parts of the
//! REST interface. Loops nest. `#: if database` begins what only a service with a database has, and
//! `#: unless database` what only one without has; both end as loops do. In the template of one
//! service, outside loops, `#: messaging Resources` stands for the entries that its queues and its
//! role have in that section. A name in `<>` stands for a value:
//!
//! ```text
//! <service> time-manager   <Service> TimeManager   <SERVICE> TIME_MANAGER
//! <topic>   time           <Topic>   Time          <TOPIC>   TIME
//! <port> <group> <priority>  of the service   <api> of its part   <port_max> of all services
//! <,>       a comma, but nothing in the last round of its loop
//! ```
//!
//! Why not CloudFormation's own loop, `Fn::ForEach`: it repeats entries of a map, not items of a
//! list or parts of a text, and its transform is not everywhere.

use serde_json::Value;

/// Characters of a service's part of the REST interface in the name of its target group.
const GROUP_CHARACTERS_MAX: usize = 7;

/// What is deployed, as the services describe themselves.
#[derive(Debug, Clone, Default)]
pub struct Composition {
    /// The services besides the event-bus, in the order in which people read of them.
    pub services: Vec<ServiceSite>,
    /// All topics.
    pub topics: Vec<String>,
    /// The template of what all services share of topics, queues and roles.
    pub messaging: String,
}

impl Composition {
    /// A service by its name, and its place among the others.
    fn site(&self, name: &str) -> Option<(usize, &ServiceSite)> {
        self.services.iter().enumerate().find(|(_, service)| service.name == name)
    }
}

/// What the templates need to know of a service.
#[derive(Debug, Clone)]
pub struct ServiceSite {
    /// Its name, e.g. `time-manager`.
    pub name: String,
    /// Its parts of the REST interface, e.g. `time` for `/api/time`; the name of its target group
    /// has the beginning of the first.
    pub api: Vec<String>,
    /// Where it listens.
    pub port: u16,
    /// What it has to do with the announcements of the clock, which never stop.
    pub clock: ClockRole,
    /// The topics that it publishes to or receives from.
    pub topics: Vec<String>,
    /// It keeps what it writes in the database, if there is one, and else on the disk of its task.
    pub database: bool,
    /// Its queues, its subscriptions and its role: the sections `Conditions`, `Resources` and
    /// `Outputs` of a template.
    pub messaging: Value,
}

/// What a service has to do with the announcements of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockRole {
    /// It publishes them.
    Announces,
    /// It receives them.
    Follows,
    /// Neither.
    None,
}

/// Where the event-bus listens: the first port of all.
const EVENT_BUS_PORT: u16 = 7070;
/// Rules of the balancer are tried by priority. The one for gRPC comes first, at 10.
const PRIORITY_STEP: usize = 10;
/// How a line that directs begins, after its indent.
const DIRECTIVE: &str = "#: ";
/// How one begins that names a section.
const MESSAGING: &str = "messaging ";

/// The values that stand for names in `<>`, innermost last.
type Values = Vec<(&'static str, String)>;

/// A template with every loop written out: that of a service, if one is named.
///
/// # Errors
/// The service is unknown, or what is wrong with the template: a loop that is unknown or does not
/// end, an `end` too many.
pub(crate) fn expand(
    source: &str,
    composition: &Composition,
    service: Option<&str>,
) -> Result<String, String> {
    let lines: Vec<&str> = source.lines().collect();
    let last = composition.services.iter().map(|service| service.port).max();
    let port_max = last.unwrap_or(EVENT_BUS_PORT).max(EVENT_BUS_PORT);
    let mut expansion = Expansion { composition, lines: &lines, text: String::new() };
    let mut values = vec![("port_max", port_max.to_string())];
    let mut of = None;
    if let Some(name) = service {
        let (n, site) = composition.site(name).ok_or_else(|| format!("no service {name:?}"))?;
        values.extend(of_service(site, n, true));
        of = Some(site);
    }
    let end = expansion.write(0, of, &values)?;
    match end == lines.len() {
        true => Ok(expansion.text),
        false => Err(format!("line {}: an end without a loop", end + 1)),
    }
}

struct Expansion<'a> {
    composition: &'a Composition,
    lines: &'a [&'a str],
    text: String,
}

impl<'a> Expansion<'a> {
    /// Writes from a line up to the `end` of its loop, whose number it returns.
    fn write(
        &mut self,
        from: usize,
        service: Option<&'a ServiceSite>,
        values: &Values,
    ) -> Result<usize, String> {
        let mut number = from;
        while let Some(line) = self.lines.get(number) {
            match line.trim_start().strip_prefix(DIRECTIVE) {
                Some("end") => return Ok(number),
                Some(directive) => match (directive.strip_prefix(MESSAGING), service) {
                    (Some(section), Some(of)) => self.write_messaging(section, of),
                    _ => number = self.repeat(directive, number + 1, service, values)?,
                },
                None => {
                    self.text.push_str(&fill(line, values));
                    self.text.push('\n');
                }
            }
            number += 1;
        }
        Ok(number)
    }

    /// Writes the entries of a section, as JSON, which YAML takes.
    fn write_messaging(&mut self, section: &str, service: &ServiceSite) {
        for (id, value) in service.messaging[section].as_object().into_iter().flatten() {
            // Every line of a value is further in than its name.
            let value = format!("{value:#}").replace('\n', "\n    ");
            self.text.push_str(&format!("  {id}: {value}\n"));
        }
    }

    /// Writes a loop whose first line is given; the number of its `end`.
    fn repeat(
        &mut self,
        loop_of: &str,
        first: usize,
        service: Option<&'a ServiceSite>,
        values: &Values,
    ) -> Result<usize, String> {
        let rounds = self.rounds(loop_of, service);
        let rounds = rounds.ok_or_else(|| format!("line {first}: unknown loop {loop_of:?}"))?;
        let mut end = None;
        for (service, own) in rounds {
            let values = [values.clone(), own].concat();
            end = Some(self.write(first, service, &values)?);
        }
        // A loop without rounds is passed over.
        let end = end.unwrap_or_else(|| self.end_of(first));
        match end < self.lines.len() {
            true => Ok(end),
            false => Err(format!("line {first}: a loop without an end")),
        }
    }

    fn rounds(
        &self,
        loop_of: &str,
        service: Option<&'a ServiceSite>,
    ) -> Option<Vec<(Option<&'a ServiceSite>, Values)>> {
        let topics = |topics: &[String]| {
            let count = topics.len();
            let round = |(n, topic): (usize, &String)| (service, of_topic(topic, n + 1 == count));
            topics.iter().enumerate().map(round).collect()
        };
        match (loop_of, service) {
            ("for service", None) => {
                let services = &self.composition.services;
                let count = services.len();
                let round = |(n, of): (usize, &'a ServiceSite)| {
                    (Some(of), of_service(of, n, n + 1 == count))
                };
                Some(services.iter().enumerate().map(round).collect())
            }
            ("for topic", _) => Some(topics(&self.composition.topics)),
            ("for topic of service", Some(of)) => Some(topics(&of.topics)),
            ("for api of service", Some(of)) => {
                let round = |api: &String| (service, vec![("api", api.clone())]);
                Some(of.api.iter().map(round).collect())
            }
            ("if database", Some(of)) => Some(once_if(of.database, service)),
            ("unless database", Some(of)) => Some(once_if(!of.database, service)),
            _ => None,
        }
    }

    /// The `end` of a loop whose first line is given.
    fn end_of(&self, first: usize) -> usize {
        let mut depth = 1;
        for (number, line) in self.lines.iter().enumerate().skip(first) {
            match line.trim_start().strip_prefix(DIRECTIVE) {
                Some("end") if depth == 1 => return number,
                Some("end") => depth -= 1,
                Some(_) => depth += 1,
                None => {}
            }
        }
        self.lines.len()
    }
}

/// One round of what is no loop, or none.
fn once_if(holds: bool, service: Option<&ServiceSite>) -> Vec<(Option<&ServiceSite>, Values)> {
    holds.then(|| (service, Values::new())).into_iter().collect()
}

fn of_service(service: &ServiceSite, n: usize, is_last: bool) -> Values {
    let [name, camel, screaming] = cases(&service.name);
    let first = service.api.first().map(String::as_str).unwrap_or_default();
    vec![
        (",", comma(is_last)),
        ("service", name),
        ("Service", camel),
        ("SERVICE", screaming),
        ("port", service.port.to_string()),
        ("group", first.chars().take(GROUP_CHARACTERS_MAX).collect()),
        ("priority", ((n + 2) * PRIORITY_STEP).to_string()),
    ]
}

fn of_topic(topic: &str, is_last: bool) -> Values {
    let [name, camel, screaming] = cases(topic);
    vec![(",", comma(is_last)), ("topic", name), ("Topic", camel), ("TOPIC", screaming)]
}

fn comma(is_last: bool) -> String {
    if is_last { String::new() } else { ",".to_owned() }
}

/// `time-manager`, `TimeManager`, `TIME_MANAGER`.
pub(crate) fn cases(name: &str) -> [String; 3] {
    let capital = |part: &str| {
        let mut letters = part.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    let camel = name.split(['-', '.', '_']).map(capital).collect();
    [name.to_owned(), camel, name.replace(['-', '.'], "_").to_ascii_uppercase()]
}

/// A line with its names replaced; the innermost loop's values win.
fn fill(line: &str, values: &Values) -> String {
    if !line.contains('<') {
        return line.to_owned();
    }
    let replace =
        |line: String, (name, value): &(&str, String)| line.replace(&format!("<{name}>"), value);
    values.iter().rev().fold(line.to_owned(), replace)
}

#[cfg(test)]
mod tests;
