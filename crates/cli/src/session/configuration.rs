//! The settings of a command out of the layers: flags, environment, file, defaults. Not here: which
//! settings there are, which is with the commands.

use crate::serve::{EventBus, Up};
use crate::settings::{Publish, Time, Weather};
use worldbus_service::config::{self, Error, Flags, Loaded, Machine, Setting, Settings};

/// Merges the layers. Settings of our other commands may be set: one environment and one file serve
/// all.
pub(crate) fn load<S: Settings>(flags: &Flags<S>) -> Result<Loaded<S>, Error> {
    config::load_tolerating(flags, &Machine, &of_all_commands())
}

/// Each setting of any command; `up` has those of every service.
fn of_all_commands() -> Vec<Setting> {
    let commands = [
        Up::declare(),
        EventBus::declare(),
        Publish::declare(),
        Time::declare(),
        Weather::declare(),
    ];
    commands.concat()
}
