//! By which subscription an event-bus gets the events of an engine that keeps no past: by one that
//! it was given, or by a slot that it claims in the state store.

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use anyhow::Result;

use super::EventBus;
use crate::output::failure::WrongUse;
use crate::session::connection;
use worldbus_bus::{Bus, SubscriptionName};
use worldbus_event_bus::{SLOT_COUNT_MAX, Slot, Slots};
use worldbus_service::config::{Origin, Resolved};
use worldbus_service::{StateStore, start};

/// Where Linux tells the name of the machine, or of the container.
const HOSTNAME: &str = "/proc/sys/kernel/hostname";
/// Bytes of a name: what Linux allows.
const HOSTNAME_BYTES_MAX: u64 = 64;

/// What an event-bus consumes.
pub(in crate::serve) enum Source {
    /// The only instance's subscription.
    Sole(Slot),
    /// One of several, shared out among the instances.
    Slots(Slots),
}

impl Source {
    /// Refuses settings that make no sense, whatever the bus is.
    pub(super) fn check(settings: &EventBus) -> Result<(SubscriptionName, usize)> {
        let subscription = SubscriptionName::new(&settings.subscription)
            .map_err(|error| WrongUse(format!("--subscription: {error}")))?;
        let count = settings.subscription_slots as usize;
        if (1..=SLOT_COUNT_MAX).contains(&count) {
            return Ok((subscription, count));
        }
        let expected = format!("1 to {SLOT_COUNT_MAX}");
        Err(start::Error::Setting { name: "subscription_slots", expected }.into())
    }

    /// What the settings say; slots are claimed in `state`.
    pub(super) fn open(
        from: &Resolved,
        settings: &EventBus,
        bus: &Bus,
        state: Arc<dyn StateStore>,
    ) -> Result<Self> {
        let (subscription, count) = Self::check(settings)?;
        if count == 1 {
            return Ok(Self::Sole(Slot::sole(subscription)));
        }
        if matches!(from.origin("state_url"), Some(Origin::Default)) {
            let text = "--subscription-slots: instances claim their slots in a state store that \
                        all of them share; name it by --state-url (WORLDBUS_STATE_URL)";
            return Err(WrongUse(text.to_owned()).into());
        }
        let holder = format!("{} (process {})", hostname(), std::process::id());
        let wall = Arc::clone(bus.wall());
        let slots = Slots::new(&subscription, count, &holder, state, wall);
        Ok(Self::Slots(slots.map_err(|error| connection::explain("--subscription", error))?))
    }
}

/// How people call this machine.
fn hostname() -> String {
    let mut name = String::new();
    let read = File::open(HOSTNAME)
        .and_then(|file| file.take(HOSTNAME_BYTES_MAX).read_to_string(&mut name));
    match read {
        Ok(_) if !name.trim().is_empty() => name.trim().to_owned(),
        _ => "an unnamed host".to_owned(),
    }
}
