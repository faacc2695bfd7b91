//! What a deployment costs a month, item by item, next to the system before under the same load.
//! Pure: from resources as the templates make them, and prices.
//!
//! What has no price, or no quantity that can be known beforehand, is an item all the same: "not
//! priced", never left out.

mod page;
mod standing;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::{self, Encoding, Load, Way};
use crate::prices::{Item, Price, Prices, usd};
use standing::standing;
use worldbus_deploy::{ClockRole, Composition, Resource};

pub use page::{json, table, text};

/// Thirty days.
const MONTH_HOURS: f64 = 720.0;
const MONTH_S: f64 = MONTH_HOURS * 3600.0;
/// What the system before published and asked of its queues in a month.
const LOAD_MESSAGES: f64 = 10e6;
/// Its tasks, and the share of them on Spot.
const TASKS_BEFORE: f64 = 2.0;
const SPOT_BEFORE: f64 = 0.8;
/// Bytes of the payload of a tick.
const PAYLOAD_BYTES: u32 = 10;
/// What a task logs in a month: assumed, not measured. A quiet service writes a line now and then.
const LOG_GB_A_TASK: f64 = 0.1;
/// Services that publish these events.
const PUBLISHER_COUNT: f64 = 2.0;
/// The service that has a queue for each of its instances.
const EVENT_BUS: &str = "event-bus";
/// The clock is announced every 5 s.
const CLOCK_REPEATS_PER_S: f64 = 0.2;

/// What is paid, item by item.
#[derive(Debug, Clone, Default)]
struct Bill {
    lines: Vec<Line>,
}

/// An item of it.
#[derive(Debug, Clone)]
struct Line {
    what: String,
    quantity: String,
    /// At the least and at the most; `None`: not priced.
    usd: Option<(f64, f64)>,
}

/// What a task has.
#[derive(Debug, Clone, Copy)]
struct Size {
    cpu: f64,
    memory_gb: f64,
    is_arm: bool,
}

impl Bill {
    fn add(&mut self, what: &str, quantity: String, usd: Option<(f64, f64)>) {
        self.lines.push(Line { what: what.to_owned(), quantity, usd });
    }

    /// A quantity of something; its price, if there is one.
    fn count(&mut self, what: &str, quantity: f64, unit: &str, price: Option<f64>) {
        let usd = price.map(|price| (price * quantity, price * quantity));
        self.add(what, format!("{} {unit}", short(quantity)), usd);
    }

    /// Something whose quantity is unknown beforehand.
    fn unknown(&mut self, what: &str) {
        self.add(what, "as it comes".to_owned(), None);
    }

    /// The sum of what is priced, and how many items are not.
    fn total(&self) -> ((f64, f64), usize) {
        let priced = self.lines.iter().filter_map(|line| line.usd);
        let sum = priced.fold((0.0, 0.0), |sum, usd| (sum.0 + usd.0, sum.1 + usd.1));
        (sum, self.lines.iter().filter(|line| line.usd.is_none()).count())
    }

    fn tasks(&mut self, what: &str, count: f64, size: Size, spot: f64, prices: &[Price]) {
        let (cpu, memory) = match size.is_arm {
            true => (Item::FargateArmCpu, Item::FargateArmMemory),
            false => (Item::FargateX86Cpu, Item::FargateX86Memory),
        };
        let hour = usd(prices, cpu).zip(usd(prices, memory));
        let hour = hour.map(|(cpu, memory)| cpu * size.cpu + memory * size.memory_gb);
        let shares = usd(prices, Item::SpotShareLow).zip(usd(prices, Item::SpotShareHigh));
        let month = hour.zip(shares).map(|(hour, (low, high))| {
            let all = hour * count * MONTH_HOURS;
            (all * (1.0 - spot + spot * low), all * (1.0 - spot + spot * high))
        });
        let Size { cpu, memory_gb, .. } = size;
        let quantity = format!("{count} of {cpu} vCPU, {memory_gb} GB, {:.0} % Spot", spot * 100.0);
        self.add(what, quantity, month);
    }
}

/// The system before: two small tasks, and a request an event.
fn before(prices: &[Price]) -> Bill {
    let mut bill = Bill::default();
    let size = Size { cpu: 0.25, memory_gb: 0.5, is_arm: false };
    bill.tasks("Fargate, tasks", TASKS_BEFORE, size, SPOT_BEFORE, prices);
    let millions = LOAD_MESSAGES / 1e6;
    let price = |item| usd(prices, item).map(|usd| usd * 1e6);
    bill.count("SNS, publish", millions, "million", price(Item::SnsPublish));
    bill.count("SQS, requests", millions, "million", price(Item::SqsRequest));
    // More of it is not known.
    bill.unknown("logs, addresses, alarms, data transfer");
    bill
}

/// A deployment under the load of the system before.
fn of(
    resources: &[Resource],
    composition: &Composition,
    prices: &[Price],
    messages: Option<&Prices>,
) -> Bill {
    let mut bill = Bill::default();
    let (mut tasks, mut public) = (0.0, 0.0);
    let mut counts = BTreeMap::new();
    for service in resources.iter().filter(|resource| resource.kind == "AWS::ECS::Service") {
        let count = number(&service.properties["DesiredCount"]);
        tasks += count;
        let name = service.properties["ServiceName"].as_str().unwrap_or(&service.logical);
        counts.insert(name, count);
        let what = format!("Fargate, {name}");
        let (size, spot) = (size_of(service, resources), spot_share(service));
        bill.tasks(&what, count, size, spot, prices);
        if service.properties["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"]
            == "ENABLED"
        {
            public += count;
        }
    }
    let count = |name: &str| counts.get(name).copied().unwrap_or(0.0);
    let of = |role: ClockRole| {
        let chosen = composition.services.iter().filter(|of| of.clock == role);
        chosen.map(|of| count(&of.name)).collect()
    };
    // Instances that share a database publish each event once.
    let publishing = composition.services.iter().map(|of| match of.database {
        true => count(&of.name).min(1.0),
        false => count(&of.name),
    });
    let instances = Instances {
        publishers: publishing.sum(),
        clocks: of(ClockRole::Announces),
        followers: of(ClockRole::Follows),
        others: of(ClockRole::None),
        event_bus: count(EVENT_BUS),
    };
    transport(&mut bill, &instances, messages);
    logs(&mut bill, tasks, prices);
    if public > 0.0 {
        addresses(&mut bill, public, prices);
    }
    standing(&mut bill, resources, prices);
    bill.unknown("data transfer");
    bill.unknown("container registry");
    bill.merge()
}

impl Bill {
    /// One line an item: several addresses are one.
    fn merge(self) -> Self {
        let mut lines: Vec<Line> = Vec::new();
        let mut quantities: BTreeMap<String, f64> = BTreeMap::new();
        for line in self.lines {
            let (quantity, unit) = line.quantity.split_once(' ').unwrap_or((&line.quantity, ""));
            let known = lines.iter_mut().find(|known| known.what == line.what);
            match (known, quantity.parse::<f64>()) {
                (None, quantity) => {
                    quantities.insert(line.what.clone(), quantity.unwrap_or(0.0));
                    lines.push(line);
                }
                (Some(known), Ok(more)) => {
                    let sum = quantities.entry(line.what.clone()).or_default();
                    *sum += more;
                    known.quantity = format!("{} {unit}", short(*sum));
                    known.usd = known.usd.zip(line.usd).map(|(a, b)| (a.0 + b.0, a.1 + b.1));
                }
                (Some(_), Err(_)) => {}
            }
        }
        Self { lines }
    }
}

/// How many run of each service.
struct Instances {
    /// Of all that publish, those that publish the same included.
    publishers: f64,
    /// Of that which announces the clock.
    clocks: Vec<f64>,
    /// Of those that follow it.
    followers: Vec<f64>,
    /// Of those that do neither.
    others: Vec<f64>,
    event_bus: f64,
}

/// SNS and SQS: the same ten million events, and polls that bring nothing. Instances of a simulated
/// service all publish the same, and each is billed.
fn transport(bill: &mut Bill, instances: &Instances, prices: Option<&Prices>) {
    let Instances { publishers, clocks, followers, others, event_bus } = instances;
    let nothing = Prices { all: Vec::new(), sns_publish: 0.0, sns_to_sqs: 0.0, sqs_request: 0.0 };
    let way = Way::Batches { linger_ms: model::default_linger_ms(), encoding: Encoding::Protobuf };
    let estimate = |rate: f64, producers: f64, subscribers: f64| {
        let (producers, subscribers) = (producers.max(1.0) as u32, subscribers as u32);
        let rate = rate.max(f64::MIN_POSITIVE);
        let load = Load { rate, payload_bytes: PAYLOAD_BYTES, producers, subscribers };
        model::cost(&load, way, prices.unwrap_or(&nothing))
    };
    let time: f64 = clocks.iter().sum();
    let rate = LOAD_MESSAGES / MONTH_S * publishers / PUBLISHER_COUNT;
    // The event-bus receives everything, in a queue an instance.
    let Some(all) = estimate(rate, *publishers, *event_bus) else { return };
    let mut deliveries = all.messages * event_bus;
    let mut queues = vec![all];
    // One that follows the clock receives its announcements alone; its instances share a queue, and
    // each polls. The others receive requests for commands, which are few, and poll for them.
    let received = |count: &f64| CLOCK_REPEATS_PER_S * time / count.max(1.0);
    let following = followers.iter().map(|count| (received(count), *count));
    for (rate, count) in following.chain(clocks.iter().chain(others).map(|count| (0.0, *count))) {
        let Some(queue) = estimate(rate, 1.0, count) else { return };
        if rate > 0.0 {
            deliveries += queue.messages * count;
        }
        queues.push(queue);
    }
    let polls = queues.iter().map(|cost| cost.receive_units + cost.delete_units + cost.idle_units);
    let price = |of: fn(&Prices) -> f64| prices.map(|prices| of(prices) * 1e6);
    let mut line = |what, a_second: f64, price| {
        bill.count(what, a_second * MONTH_S / 1e6, "million", price);
    };
    line("SNS, publish", queues[0].publish_units, price(|prices| prices.sns_publish));
    line("SNS, deliveries to queues", deliveries, price(|prices| prices.sns_to_sqs));
    line("SQS, requests", polls.sum(), price(|prices| prices.sqs_request));
}

fn logs(bill: &mut Bill, tasks: f64, prices: &[Price]) {
    let gb = tasks * LOG_GB_A_TASK;
    bill.count("CloudWatch Logs, in", gb, "GB, assumed", usd(prices, Item::LogsIn));
    bill.count("CloudWatch Logs, kept", gb, "GB, assumed", usd(prices, Item::LogsKept));
}

fn addresses(bill: &mut Bill, count: f64, prices: &[Price]) {
    let price = usd(prices, Item::PublicAddress);
    bill.count("public addresses", count * MONTH_HOURS, "hours", price);
}

/// The size of a service's tasks, from the definition that it names.
fn size_of(service: &Resource, resources: &[Resource]) -> Size {
    let name = &service.properties["TaskDefinition"]["Ref"];
    let is_it = |resource: &&Resource| {
        resource.stack == service.stack && Some(resource.logical.as_str()) == name.as_str()
    };
    let definition = resources.iter().find(is_it).map(|found| &found.properties);
    let of = |field: &str| definition.map_or(0.0, |found| number(&found[field]));
    let architecture = definition.map(|found| &found["RuntimePlatform"]["CpuArchitecture"]);
    let is_arm = architecture.is_some_and(|architecture| architecture == "ARM64");
    Size { cpu: of("Cpu") / 1024.0, memory_gb: of("Memory") / 1024.0, is_arm }
}

/// The share of Spot, from the weights of the capacity providers.
fn spot_share(service: &Resource) -> f64 {
    let strategy = service.properties["CapacityProviderStrategy"].as_array();
    let (mut spot, mut all) = (0.0, 0.0);
    for provider in strategy.into_iter().flatten() {
        let weight = number(&provider["Weight"]);
        all += weight;
        if provider["CapacityProvider"] == "FARGATE_SPOT" {
            spot += weight;
        }
    }
    if all > 0.0 { spot / all } else { 0.0 }
}

/// A number that a template may write as text.
fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or(0.0)
}

fn short(quantity: f64) -> String {
    let rounded = (quantity * 100.0).round() / 100.0;
    rounded.to_string()
}

/// The deployment's, and that of the system before.
fn bills(
    region: &str,
    resources: &[Resource],
    composition: &Composition,
    prices: &[Price],
) -> [(&'static str, Bill); 2] {
    let messages = Prices::of(region).ok();
    [
        ("this deployment", of(resources, composition, prices, messages.as_ref())),
        ("the system before, 2 tasks", before(prices)),
    ]
}

#[cfg(test)]
mod tests;
