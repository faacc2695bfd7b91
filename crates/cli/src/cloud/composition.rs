//! What the templates of a deployment are made of: the services as they describe themselves, the
//! topics of the catalogue, and the template of topics, queues and roles.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;

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
    let catalogue = Arc::new(Catalogue::builtin());
    let sites: Result<_> = descriptions().map(|service| site(&service, &catalogue)).collect();
    Ok(Composition {
        services: sites?,
        topics: catalogue.topics().map(str::to_owned).collect(),
        messaging: topology::stack_template(&catalogue)?,
    })
}

fn site(service: &Description, catalogue: &Catalogue) -> Result<ServiceSite> {
    Ok(ServiceSite {
        name: service.name.to_owned(),
        api: service.api.to_owned(),
        port: service.port,
        clock: clock_role(service),
        topics: topics_of(service, catalogue)?,
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
/// It receives an event type that the catalogue does not have.
pub(crate) fn topics_of(service: &Description, catalogue: &Catalogue) -> Result<Vec<String>> {
    let mut topics: BTreeSet<String> = match service.publishes {
        Publishes::WhatClientsSend => catalogue.topics().map(str::to_owned).collect(),
        of => of.topic().into_iter().map(str::to_owned).collect(),
    };
    for name in service.receives {
        topics.insert(catalogue.by_name(name)?.topic().to_owned());
    }
    Ok(topics.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use worldbus_deploy::{Deployment, Options};

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
