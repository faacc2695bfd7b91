//! Bills against sums made by hand, and what must not be left out.

use super::*;
use crate::prices;
use worldbus_deploy::{ClockRole, Deployment, Options, ServiceSite, Stack};

/// A clock and the weather that follows it, without the template of their queues.
fn composition() -> Composition {
    let site = |name: &str, api: &str, port, clock| ServiceSite {
        name: name.to_owned(),
        api: vec![api.to_owned()],
        port,
        clock,
        topics: vec![api.to_owned()],
        database: false,
        messaging: Value::Null,
    };
    Composition {
        services: vec![
            site("time-manager", "time", 7071, ClockRole::Announces),
            site("weather-manager", "weather", 7072, ClockRole::Follows),
        ],
        topics: vec!["time".to_owned(), "weather".to_owned()],
        messaging: r#"{"Parameters": {"SystemName": {"Type": "String"}}, "Resources": {}}"#
            .to_owned(),
    }
}

fn resources(parameters: &[(&str, &str)]) -> Vec<Resource> {
    let parameters = parameters.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let options = Options {
        region: "us-east-1".to_owned(),
        system_name: "gaming-system".to_owned(),
        parameters,
        ..Options::default()
    };
    Deployment::new(options, composition()).unwrap().resources(&|_| None)
}

fn bill(parameters: &[(&str, &str)]) -> Bill {
    let prices = prices::list("us-east-1").unwrap();
    of(&resources(parameters), &composition(), &prices, Prices::of("us-east-1").ok().as_ref())
}

fn line<'a>(bill: &'a Bill, what: &str) -> &'a Line {
    let found = bill.lines.iter().find(|line| line.what == what);
    found.unwrap_or_else(|| panic!("no {what} in {:#?}", bill.lines))
}

fn close(usd: Option<(f64, f64)>, least: f64, most: f64) -> bool {
    usd.is_some_and(|usd| (usd.0 - least).abs() < 0.01 && (usd.1 - most).abs() < 0.01)
}

/// By hand: 2 tasks cost 0.25 × 0.04048 + 0.5 × 0.004445 USD an hour each, four fifths of it at 30
/// to 50 %.
#[test]
fn bill_of_the_system_before_is_about_twenty_dollars() {
    let before = before(&prices::list("us-east-1").unwrap());
    let tasks = 2.0 * 720.0 * (0.25 * 0.04048 + 0.5 * 0.004445);
    assert!(close(line(&before, "Fargate, tasks").usd, tasks * 0.44, tasks * 0.6));
    assert!(close(line(&before, "SNS, publish").usd, 5.0, 5.0));
    assert!(close(line(&before, "SQS, requests").usd, 4.0, 4.0));
    let ((least, most), unpriced) = before.total();
    assert!(least > 16.0 && most < 20.0 && unpriced == 1, "{least} to {most}");
}

#[test]
fn instances_that_say_the_same_are_billed_each() {
    let usd =
        |parameters: &[(&str, &str)], item: &str| line(&bill(parameters), item).usd.unwrap().0;
    let two = [("TimeManagerCount", "2"), ("WeatherManagerCount", "2")];
    assert!(usd(&two, "SNS, publish") > 1.8 * usd(&[], "SNS, publish"));
    let before = before(&prices::list("us-east-1").unwrap());
    assert!(usd(&[], "SNS, publish") < line(&before, "SNS, publish").usd.unwrap().0);
    let clock = [("EventBusCount", "0"), ("WeatherManagerCount", "0")];
    assert!(usd(&clock, "SQS, requests") > 0.04, "it polls for requests");
    let none = [("EventBusCount", "0"), ("WeatherManagerCount", "0"), ("TimeManagerCount", "0")];
    assert!(close(Some((usd(&none, "SQS, requests"), 0.0)), 0.0, 0.0), "nothing polls");
}

#[test]
fn instances_that_share_a_database_are_billed_for_publishing_once() {
    let parameters = [("WeatherManagerCount", "2")];
    let published = |database| {
        let mut composition = composition();
        composition.services[1].database = database;
        let prices = Prices::of("us-east-1").ok();
        let bill = of(&resources(&parameters), &composition, &[], prices.as_ref());
        line(&bill, "SNS, publish").usd.unwrap().0
    };
    let alone = line(&bill(&[]), "SNS, publish").usd.unwrap().0;
    assert!((published(true) - alone).abs() < 0.01 && published(false) > 1.4 * alone);
}

#[test]
fn service_without_a_part_in_the_clock_is_not_billed_as_one_that_announces_it() {
    let resources = resources(&[]);
    let prices = Prices::of("us-east-1").ok();
    let deliveries = |clock| {
        let mut composition = composition();
        let chronicle = ServiceSite { clock, ..composition.services[0].clone() };
        composition.services.push(chronicle);
        let bill = of(&resources, &composition, &[], prices.as_ref());
        let delivered = line(&bill, "SNS, deliveries to queues").quantity.clone();
        (delivered, line(&bill, "SQS, requests").usd.unwrap().0)
    };
    let (delivered, polls) = deliveries(ClockRole::None);
    assert!(polls > line(&bill(&[]), "SQS, requests").usd.unwrap().0, "it has a queue");
    assert_ne!(deliveries(ClockRole::Announces).0, delivered);
}

#[test]
fn production_pays_for_what_minimal_has_not() {
    let (minimal, production) = (bill(&[]), bill(&[("Profile", "production")]));
    for item in ["NAT gateways", "balancer", "private DNS zones"] {
        assert!(line(&production, item).usd.is_some());
        assert!(minimal.lines.iter().all(|line| line.what != item), "{item}");
    }
    assert!(close(line(&production, "NAT gateways").usd, 64.8, 64.8), "two, all month");
    assert!(minimal.total().0.1 < production.total().0.0);
}

/// By hand: 720 hours of 0.016 USD, and 20 GB of 0.115.
#[test]
fn database_is_paid_by_the_hour_and_its_storage_by_the_month_in_each_zone() {
    let production = ("Profile", "production");
    let usd = |given: &[(&str, &str)], item: &str| line(&bill(given), item).usd;
    let class = "database, db.t4g.micro";
    assert!(close(usd(&[production], class), 11.52, 11.52));
    assert!(close(usd(&[production], "database, storage"), 2.3, 2.3));
    let double = [production, ("DatabaseMultiAz", "true")];
    assert!(close(usd(&double, class), 23.04, 23.04));
    assert!(close(usd(&double, "database, storage"), 4.6, 4.6));
    let larger = [production, ("DatabaseClass", "db.m8g.large")];
    assert_eq!(usd(&larger, "database, db.m8g.large"), None, "not looked up");
    assert_eq!(usd(&[production], "database, backups beyond 20 GB"), None);
    for without in [&[production, ("Database", "none")][..], &[]] {
        let bill = bill(without);
        assert!(bill.lines.iter().all(|line| !line.what.starts_with("database")));
    }
}

#[test]
fn parameters_change_what_is_paid() {
    let task =
        |parameters: &[(&str, &str)]| line(&bill(parameters), "Fargate, time-manager").usd.unwrap();
    let hour = 0.25 * 0.04048 + 0.5 * 0.004445;
    let usual = task(&[]);
    assert!(close(Some(usual), hour * 720.0 * 0.44, hour * 720.0 * 0.6));
    let on_demand = task(&[("TimeManagerSpotPercent", "0")]);
    assert!(close(Some(on_demand), hour * 720.0, hour * 720.0));
    assert!(task(&[("Architecture", "ARM64")]).0 < usual.0);
    assert!(task(&[("TimeManagerCount", "2")]).0 > usual.0 * 1.9);
    let none = bill(&[("TimeManagerCount", "0")]);
    assert!(none.lines.iter().all(|line| line.what != "Fargate, time-manager"));
    let endpoints = bill(&[("Profile", "production"), ("Egress", "endpoints")]);
    assert!(line(&endpoints, "endpoints").usd.is_some());
}

/// A type that is added to a template must be thought of here: it is free, or has a line. Those of
/// topics and queues: a test of the command line, which knows their template.
#[test]
fn every_type_of_the_templates_is_free_or_has_a_line() {
    for profile in ["minimal", "production"] {
        let traces = [("Profile", profile), ("CollectorImage", "x"), ("AlarmEmail", "a@b")];
        let bill = bill(&traces);
        let unknown: Vec<_> =
            bill.lines.iter().filter(|line| line.what.starts_with("AWS::")).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert!(line(&bill, "X-Ray, traces").usd.is_none());
    }
}

#[test]
fn what_has_no_price_is_an_item_not_left_out() {
    let strange = Resource {
        stack: Stack::Network,
        logical: "Fridge".to_owned(),
        kind: "AWS::Kitchen::Fridge".to_owned(),
        properties: Value::Null,
    };
    let page = text("us-east-1", &[strange.clone(), strange], &composition(), &[]);
    let fridges = page.lines().find(|line| line.contains("AWS::Kitchen::Fridge")).unwrap();
    assert!(fridges.contains(" 2 ") && fridges.ends_with("not priced"), "{fridges}");
    // Nothing was looked up for another region: every item is there, none has a price.
    let (here, there) = (bill(&[]), of(&resources(&[]), &composition(), &[], None));
    assert_eq!(here.lines.len(), there.lines.len());
    assert!(there.lines.iter().all(|line| line.usd.is_none()));
}
