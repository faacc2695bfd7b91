//! The services besides the event-bus, as they describe themselves. A new one is a line here.

use worldbus_service::Description;

/// In the order in which people read of them.
pub(crate) const SERVICES: &[Description] =
    &[worldbus_time_manager::DESCRIPTION, worldbus_weather_manager::DESCRIPTION];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::SocketAddr;

    use super::*;
    use crate::settings::{EventBus, TimeManager, WeatherManager};
    use worldbus_service::config::{Setting, Settings as _};

    #[test]
    fn no_two_services_share_a_name_a_port_or_a_part_of_the_rest_interface() {
        let all = || SERVICES.iter().chain([&worldbus_event_bus::DESCRIPTION]);
        let count = all().count();
        assert_eq!(all().map(|service| service.name).collect::<BTreeSet<_>>().len(), count);
        assert_eq!(all().map(|service| service.port).collect::<BTreeSet<_>>().len(), count);
        assert_eq!(all().map(|service| service.api).collect::<BTreeSet<_>>().len(), count);
    }

    #[test]
    fn each_service_listens_by_default_where_its_description_states() {
        let of = |settings: &[Setting]| {
            let listen = settings.iter().find(|setting| setting.name == "listen").unwrap();
            listen.default.unwrap().parse::<SocketAddr>().unwrap().port()
        };
        let listening =
            [of(&TimeManager::declare()), of(&WeatherManager::declare()), of(&EventBus::declare())];
        let all = SERVICES.iter().chain([&worldbus_event_bus::DESCRIPTION]);
        assert_eq!(all.map(|service| service.port).collect::<Vec<_>>(), listening);
    }
}
