//! Rust source from descriptors: prost's types, and an `Event` impl for each message that
//! has a catalogue option.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, Value};

const PACKAGE: &str = "worldbus.events.v1";
const OPTION: &str = "worldbus.events.v1.event_type";
/// The first number for studios.
const STUDIO_NUMBER_MIN: u32 = 1000;

pub(crate) fn rust(
    compiler: &protox::Compiler,
    encoded: &[u8],
    events_crate: &str,
    out_dir: &Path,
) -> Result<(), Box<dyn Error>> {
    let ours = events_crate == "crate";
    let mut config = prost_build::Config::new();
    config.out_dir(out_dir).btree_map(["."]);
    if !ours {
        config.extern_path(format!(".{PACKAGE}"), format!("{events_crate}::v1"));
        config.prost_path(format!("{events_crate}::prost"));
    }
    config.compile_fds(compiler.file_descriptor_set())?;

    let pool = DescriptorPool::decode(encoded)?;
    let Some(option) = pool.get_extension_by_name(OPTION) else {
        return Ok(());
    };
    let messages = pool.all_messages().filter(|m| ours || m.package_name() != PACKAGE);
    for message in messages {
        let options = message.options();
        if !options.has_extension(&option) {
            continue;
        }
        let value = options.get_extension(&option);
        let entry = value.as_message().ok_or("the event_type option is not a message")?;
        let file = out_dir.join(format!("{}.rs", message.package_name()));
        let mut source = std::fs::read_to_string(&file)?;
        let number_min = if ours { 1 } else { STUDIO_NUMBER_MIN };
        event_impl(&mut source, &message, entry, events_crate, number_min)?;
        std::fs::write(&file, source)?;
    }
    Ok(())
}

fn event_impl(
    source: &mut String,
    message: &MessageDescriptor,
    entry: &DynamicMessage,
    events_crate: &str,
    number_min: u32,
) -> Result<(), Box<dyn Error>> {
    if message.parent_message().is_some() {
        let name = message.full_name();
        return Err(format!("{name}: the payload of an event type stands at top level").into());
    }
    let number = entry.get_field_by_name("number").and_then(|v| v.as_u32()).unwrap_or(0);
    let name = text(entry, "name");
    let topic = text(entry, "topic");
    if number < number_min || name.is_empty() || topic.is_empty() {
        let message = message.full_name();
        return Err(format!(
            "{message}: the event_type option needs a number from {number_min}, a name and a \
             topic; found {number}, {name:?} and {topic:?}"
        )
        .into());
    }
    writeln!(
        source,
        "impl {events_crate}::Event for {rust_name} {{\n    \
             const NUMBER: u32 = {number};\n    \
             const NAME: &'static str = {name:?};\n    \
             const TOPIC: &'static str = {topic:?};\n}}",
        rust_name = message.name(),
    )?;
    Ok(())
}

fn text(entry: &DynamicMessage, field: &str) -> String {
    entry
        .get_field_by_name(field)
        .and_then(|value: std::borrow::Cow<'_, Value>| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
