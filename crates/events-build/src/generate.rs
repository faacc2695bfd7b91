//! Rust source from descriptors: prost's types, an `Event` impl for each message that has a
//! catalogue option, and a `Direct` impl for each that payloads hold.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, MessageDescriptor, Value,
};

use crate::{direct, names};
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
    let is_generated = |message: &MessageDescriptor| ours || message.package_name() != PACKAGE;
    let messages: Vec<_> = pool.all_messages().filter(is_generated).collect();
    let is_payload = |message: &&MessageDescriptor| message.options().has_extension(&option);
    // All of Worldbus's own: a payload of a studio may hold any of them.
    let direct = direct::messages(messages.iter().filter(|message| ours || is_payload(message)));

    let mut sources = BTreeMap::<String, String>::new();
    let number_min = if ours { 1 } else { STUDIO_NUMBER_MIN };
    for payload in messages.iter().filter(is_payload) {
        let source = sources.entry(names::file(payload.package_name())).or_default();
        let is_direct = direct.contains_key(payload.full_name());
        event_impl(
            source,
            payload,
            &entry(payload, &option)?,
            events_crate,
            number_min,
            is_direct,
        )?;
    }
    for message in direct.values().filter(|message| is_generated(message)) {
        let source = sources.entry(names::file(message.package_name())).or_default();
        source.push_str(&direct::code(message, events_crate));
    }
    for (file, source) in sources {
        let file = out_dir.join(file);
        std::fs::write(&file, std::fs::read_to_string(&file)? + &source)?;
    }
    Ok(())
}

/// The catalogue option of a payload.
fn entry(
    payload: &MessageDescriptor,
    option: &ExtensionDescriptor,
) -> Result<DynamicMessage, Box<dyn Error>> {
    let options = payload.options();
    let value = options.get_extension(option);
    Ok(value.as_message().ok_or("the event_type option is not a message")?.clone())
}

fn event_impl(
    source: &mut String,
    message: &MessageDescriptor,
    entry: &DynamicMessage,
    events_crate: &str,
    number_min: u32,
    is_direct: bool,
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
             const TOPIC: &'static str = {topic:?};",
        rust_name = names::path(message),
    )?;
    if is_direct {
        writeln!(
            source,
            "    fn direct(payload: &[u8]) -> ::core::option::Option<Self> {{\n        \
                     {events_crate}::wire::direct(payload)\n    \
                 }}\n    \
                 fn write_payload(&self, out: &mut ::std::vec::Vec<u8>) {{\n        \
                     {events_crate}::wire::Direct::write(self, out)\n    \
                 }}"
        )?;
    }
    writeln!(source, "}}")?;
    Ok(())
}

fn text(entry: &DynamicMessage, field: &str) -> String {
    entry
        .get_field_by_name(field)
        .and_then(|value: std::borrow::Cow<'_, Value>| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
