//! What ids and names a person may have, however it comes to a world: by its file or by a command.
//! Not here: whether another has the id.

use worldbus_world::World;

const ID_CHARS_MAX: usize = 64;
const NAME_CHARS_MAX: usize = 100;

/// What the paths of requests have where the id of a person stands.
const RESERVED: [&str; 5] = ["clear", "directives", "overview", "statistics", "undo"];

/// Refuses what cannot be the id of a person who is named.
///
/// # Errors
/// What is expected instead.
pub fn check_id(world: &World, id: &str) -> Result<(), String> {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    if !(1..=ID_CHARS_MAX).contains(&id.len()) || !id.bytes().all(plain) {
        return Err(format!("expected 1 to {ID_CHARS_MAX} lower case letters, digits, - or _"));
    }
    if RESERVED.contains(&id) {
        return Err(format!("expected another id than {}", RESERVED.join(", ")));
    }
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match id.rsplit_once('-') {
        Some((region, number)) if world.region_index(region).is_some() && is_number(number) => {
            Err("expected another id than REGION-NUMBER, which people have who are not named"
                .to_owned())
        }
        _ => Ok(()),
    }
}

/// Refuses what cannot be the name of a person, or a part of one: what breaks a line, or turns its
/// direction.
///
/// # Errors
/// What is expected instead.
pub fn check_name(name: &str) -> Result<(), String> {
    let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
    if fits && !name.chars().any(breaks) {
        return Ok(());
    }
    Err(format!(
        "expected 1 to {NAME_CHARS_MAX} characters on one line, without control characters"
    ))
}

fn breaks(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}')
}
