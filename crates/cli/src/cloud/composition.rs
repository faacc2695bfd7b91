//! What the templates of a deployment are made of: the services as they describe themselves, the
//! topics of both, and the template of topics, queues and roles.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;

use super::topology;
use crate::serve::services::descriptions;
use worldbus_deploy::{ClockRole, Composition, ServiceSite};
use worldbus_events::v1::ClockChanged;
use worldbus_events::{Catalogue, Event as _};
use worldbus_service::{Description, Publishes};

/// What is deployed.
///
/// # Errors
/// None but of descriptions that are wrong, which its test would find.
pub(crate) fn composition() -> Result<Composition> {
    of(&descriptions().collect::<Vec<_>>(), &Catalogue::builtin())
}

/// What these services are deployed as.
fn of(services: &[Description], catalogue: &Catalogue) -> Result<Composition> {
    let mut stacks = topology::stack_templates(services, catalogue)?;
    let topics = topology::topics(services, catalogue).into_iter().map(str::to_owned).collect();
    let sites = services.iter().map(|service| {
        let messaging = stacks.services.remove(service.name).unwrap_or_default();
        site(service, messaging, catalogue)
    });
    let services = sites.collect::<Result<_>>()?;
    Ok(Composition { services, topics, messaging: topology::text(&stacks.shared) })
}

fn site(service: &Description, messaging: Value, catalogue: &Catalogue) -> Result<ServiceSite> {
    Ok(ServiceSite {
        name: service.name.to_owned(),
        api: service.api.iter().map(|&api| api.to_owned()).collect(),
        port: service.port,
        clock: clock_role(service),
        topics: topics_of(service, catalogue)?,
        database: service.database,
        messaging,
    })
}

fn clock_role(service: &Description) -> ClockRole {
    if service.publishes.topic() == Some(ClockChanged::TOPIC) {
        ClockRole::Announces
    } else if service.receives.contains(&ClockChanged::NAME) {
        ClockRole::Follows
    } else {
        ClockRole::None
    }
}

/// The topics that a service publishes to or receives from: all, if its clients choose them.
///
/// # Errors
/// It names an event type that the catalogue does not have.
pub(crate) fn topics_of(service: &Description, catalogue: &Catalogue) -> Result<Vec<String>> {
    let mut topics: BTreeSet<String> = match service.publishes {
        Publishes::WhatClientsSend => catalogue.topics().map(str::to_owned).collect(),
        _ => topology::published(service, catalogue)?.into_iter().map(str::to_owned).collect(),
    };
    for name in service.receives {
        topics.insert(catalogue.by_name(name)?.topic().to_owned());
    }
    Ok(topics.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use worldbus_deploy::TEMPLATE_BYTES_MAX;
    use worldbus_deploy::{Deployment, Options, Stack};
    use worldbus_service::StateUse;

    /// Services besides the event-bus that are deployed at the least, with a topic each.
    const SERVICE_COUNT: u16 = 12;

    /// Names and topics as long as a studio's are.
    fn many_services() -> Vec<Description> {
        let service = |n: u16| {
            let name: &str = Box::leak(format!("world-state-manager-{n}").into_boxed_str());
            Description {
                name,
                publishes: Publishes::To(name),
                receives: &["time.clock_changed", "weather.changed", "weather.override_requested"],
                state: &[StateUse::Get, StateUse::CompareAndSet, StateUse::Delete],
                api: Box::leak(Box::new([&name[name.len() - 2..]])),
                database: n.is_multiple_of(2),
                port: 7071 + n,
                ..descriptions().next().unwrap()
            }
        };
        (10..10 + SERVICE_COUNT).map(service).collect()
    }

    /// CloudFormation limits a template that is sent with a call, IAM the boundary of all roles.
    #[test]
    fn twelve_services_with_topics_of_their_own_can_be_deployed() {
        let services = many_services();
        let composition = of(&services, &Catalogue::builtin()).unwrap();
        let options = Options {
            region: "us-east-1".to_owned(),
            system_name: "gaming-system".to_owned(),
            ..Options::default()
        };
        let deployment = Deployment::new(options, composition).unwrap();
        assert_eq!(deployment.templates.len(), 6 + usize::from(SERVICE_COUNT));
        for (stack, template) in &deployment.templates {
            let bytes = template.text.len();
            assert!(bytes <= TEMPLATE_BYTES_MAX, "{}: {bytes} bytes", stack.label());
        }
        let own = |kind: &str| {
            let made = deployment.resources(&|_| None);
            made.iter()
                .filter(|of| of.kind == kind && matches!(of.stack, Stack::Service(_)))
                .count()
        };
        assert_eq!(own("AWS::ECS::Service"), usize::from(SERVICE_COUNT));
        assert_eq!(own("AWS::IAM::Role"), usize::from(SERVICE_COUNT));
        assert_eq!(own("AWS::SQS::Queue"), 2 * usize::from(SERVICE_COUNT));
    }

    #[test]
    fn templates_of_both_profiles_are_made_of_what_the_services_state() {
        for profile in ["minimal", "production"] {
            let options = Options {
                region: "us-east-1".to_owned(),
                system_name: "gaming-system".to_owned(),
                parameters: [("Profile".to_owned(), profile.to_owned())].into(),
                ..Options::default()
            };
            let deployment = Deployment::new(options, composition().unwrap()).unwrap();
            let made = deployment.resources(&|_| None);
            let services: BTreeSet<_> = made
                .iter()
                .filter(|resource| resource.kind == "AWS::ECS::Service")
                .map(|resource| resource.properties["ServiceName"].as_str().unwrap().to_owned())
                .collect();
            let expected = descriptions().map(|service| service.name).chain(["event-bus"]);
            assert_eq!(services, expected.map(str::to_owned).collect());
            let bill = worldbus_cost::bill::table("us-east-1", &made, &deployment.composition, &[]);
            let unknown: Vec<_> = bill.lines().filter(|line| line.contains("AWS::")).collect();
            assert!(unknown.is_empty(), "neither free nor a line of the bill: {unknown:?}");
        }
    }
}
