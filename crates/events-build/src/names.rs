//! The names that prost gives to what it generates: its own rules, which it keeps private.

use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_reflect::{MessageDescriptor, OneofDescriptor};

/// A type or a variant.
pub(crate) fn camel(name: &str) -> String {
    identifier(name.to_upper_camel_case())
}

/// A field or a module.
pub(crate) fn snake(name: &str) -> String {
    identifier(name.to_snake_case())
}

/// The file of a package.
pub(crate) fn file(package: &str) -> String {
    let parts: Vec<String> = package.split('.').map(snake).collect();
    if package.is_empty() { "_.rs".to_owned() } else { format!("{}.rs", parts.join(".")) }
}

/// The type of a message, from the module of its package.
pub(crate) fn path(message: &MessageDescriptor) -> String {
    let outer = message.parent_message();
    outer.map_or_else(String::new, |outer| module(&outer)) + &camel(message.name())
}

/// The type of a oneof, from the module of its package. It gives way to a type of its name.
pub(crate) fn oneof_path(oneof: &OneofDescriptor) -> String {
    let (message, name) = (oneof.parent_message(), camel(oneof.name()));
    let is_taken = message.child_messages().any(|inner| camel(inner.name()) == name)
        || message.child_enums().any(|inner| camel(inner.name()) == name);
    let suffix = if is_taken { "OneOf" } else { "" };
    format!("{}{name}{suffix}", module(message))
}

/// The module of what is within a message, from that of its package.
fn module(message: &MessageDescriptor) -> String {
    let outer = message.parent_message();
    let outer = outer.map_or_else(String::new, |outer| module(&outer));
    format!("{outer}{}::", snake(message.name()))
}

/// A keyword is written raw, or with an underscore if it cannot be.
fn identifier(name: String) -> String {
    const SUFFIXED: &[&str] = &["_", "super", "self", "Self", "extern", "crate"];
    const RAW: &[&str] = &[
        "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do",
        "dyn", "else", "enum", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
        "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
        "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
        "virtual", "where", "while", "yield",
    ];
    if SUFFIXED.contains(&&name[..]) {
        format!("{name}_")
    } else if RAW.contains(&&name[..]) {
        format!("r#{name}")
    } else if name.starts_with(char::is_numeric) {
        format!("_{name}")
    } else {
        name
    }
}
