//! What is billed for being there, by the type of a resource.

use std::collections::BTreeMap;

use super::{Bill, Item, MONTH_HOURS, Price, addresses, number, usd};
use worldbus_deploy::Resource;

/// The class of databases that has a price.
const SMALLEST: &str = "db.t4g.micro";

/// What is billed for being there. A type that is unknown here is an item that is not priced.
pub(super) fn standing(bill: &mut Bill, resources: &[Resource], prices: &[Price]) {
    let mut unknown = BTreeMap::<&str, usize>::new();
    for resource in resources {
        if !of_network(bill, resource, prices) && !of_rest(bill, resource, prices) {
            *unknown.entry(&resource.kind).or_default() += 1;
        }
    }
    for (kind, count) in unknown {
        bill.add(kind, count.to_string(), None);
    }
}

/// Whether it is of these.
fn of_network(bill: &mut Bill, resource: &Resource, prices: &[Price]) -> bool {
    let mut hours = |what: &str, hours, item| {
        bill.count(what, hours, "hours", usd(prices, item));
        bill.unknown(&format!("{what}, what passes"));
    };
    match resource.kind.as_str() {
        "AWS::EC2::EIP" => addresses(bill, 1.0, prices),
        "AWS::EC2::NatGateway" => hours("NAT gateways", MONTH_HOURS, Item::NatGateway),
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => {
            hours("balancer", MONTH_HOURS, Item::Balancer);
        }
        "AWS::EC2::VPCEndpoint" if resource.properties["VpcEndpointType"] == "Interface" => {
            let zones = resource.properties["SubnetIds"].as_array().map_or(1, Vec::len);
            hours("endpoints", zones as f64 * MONTH_HOURS, Item::Endpoint);
        }
        _ => return false,
    }
    true
}

/// Whether it is of these, or free.
fn of_rest(bill: &mut Bill, resource: &Resource, prices: &[Price]) -> bool {
    let price = |item| usd(prices, item);
    match resource.kind.as_str() {
        "AWS::SecretsManager::Secret" => {
            bill.count("secrets", 1.0, "", price(Item::Secret));
            bill.unknown("secrets, reads");
        }
        "AWS::CloudWatch::Alarm" => {
            bill.count("alarms, metrics", alarm_metrics(resource), "", price(Item::Alarm));
        }
        "AWS::ApplicationAutoScaling::ScalingPolicy" => bill.unknown("scaling, its alarms"),
        "AWS::CloudWatch::Dashboard" => {
            bill.count("dashboards", 1.0, "", price(Item::Dashboard));
        }
        "AWS::ServiceDiscovery::PrivateDnsNamespace" => {
            bill.count("private DNS zones", 1.0, "", price(Item::HostedZone));
            bill.unknown("Cloud Map and DNS, queries");
        }
        "AWS::RDS::DBInstance" => database(bill, resource, prices),
        "AWS::DynamoDB::Table" => bill.unknown("DynamoDB, requests, storage and recovery"),
        "AWS::SNS::Topic" if resource.properties.get("KmsMasterKeyId").is_some() => {
            bill.unknown("KMS, requests of topics");
        }
        "AWS::ECS::TaskDefinition" if has_collector(resource) => bill.unknown("X-Ray, traces"),
        kind => return FREE.contains(&kind),
    }
    true
}

/// A database by the hour, with a second one in another zone or not, and its storage. Backups up to
/// the size of the storage are free.
fn database(bill: &mut Bill, resource: &Resource, prices: &[Price]) {
    let of = &resource.properties;
    let class = of["DBInstanceClass"].as_str().unwrap_or_default();
    let is_double = of["MultiAZ"] == true || of["MultiAZ"] == "true";
    let zones = if is_double { 2.0 } else { 1.0 };
    // Of other classes no price was looked up.
    let hour = (class == SMALLEST).then(|| usd(prices, Item::DatabaseT4gMicro)).flatten();
    bill.count(&format!("database, {class}"), zones * MONTH_HOURS, "hours", hour);
    let gb = number(&of["AllocatedStorage"]);
    let storage = usd(prices, Item::DatabaseStorage);
    bill.count("database, storage", zones * gb, "GB", storage);
    bill.unknown(&format!("database, backups beyond {gb} GB"));
    bill.unknown("database, CPU beyond its share");
}

/// What costs nothing by itself, or has a line of its own.
const FREE: &[&str] = &[
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCEndpoint",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::ECS::Cluster",
    "AWS::ECS::Service",
    "AWS::ECS::TaskDefinition",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::ListenerRule",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::Events::Rule",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::Logs::LogGroup",
    "AWS::Logs::ResourcePolicy",
    "AWS::RDS::DBSubnetGroup",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::ServiceDiscovery::Service",
];

/// An alarm over an expression is billed by the metrics in it.
fn alarm_metrics(alarm: &Resource) -> f64 {
    let metrics = alarm.properties["Metrics"].as_array();
    let metrics = metrics.map(|all| all.iter().filter(|m| m.get("MetricStat").is_some()).count());
    metrics.unwrap_or(1).max(1) as f64
}

fn has_collector(definition: &Resource) -> bool {
    let containers = definition.properties["ContainerDefinitions"].as_array();
    containers.is_some_and(|containers| containers.iter().any(|c| c["Name"] == "collector"))
}
