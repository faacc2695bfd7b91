//! Serde's messages, which name types of the program, in words of whoever sent the request. Not
//! here: which field they are about (`extract`).

/// Characters of a value that are shown.
const SHOWN_CHARS_MAX: usize = 40;

/// What was wrong with the value of a field. A message that is not serde's own stays as it is.
pub(super) fn plain(message: &str, field: Option<&str>) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(text, _)| text);
    if message.starts_with("missing field `") {
        return "missing".to_owned();
    }
    if message.starts_with("duplicate field `") {
        return "given twice".to_owned();
    }
    if let Some((name, rest)) = quoted(message, "unknown field `") {
        let names_it = field.is_some_and(|path| path.rsplit('.').next() == Some(name));
        let who = if names_it { String::new() } else { format!("`{}` is ", shown(name)) };
        let known = rest.strip_prefix(", ").filter(|rest| *rest != "there are no fields");
        return format!("{who}not known; {}", known.unwrap_or("nothing is expected here"));
    }
    if let Some((name, rest)) = quoted(message, "unknown variant `") {
        let known = rest.strip_prefix(", ").unwrap_or("another name is expected");
        return format!("{known}, found `{}`", shown(name));
    }
    for prefix in ["invalid type: ", "invalid value: ", "invalid length "] {
        let Some(rest) = message.strip_prefix(prefix) else { continue };
        let Some((found, wanted)) = rest.rsplit_once(", expected ") else { continue };
        return format!("expected {}, found {}", expected(wanted), value(found));
    }
    of_query(message).unwrap_or(message).to_owned()
}

/// The first name in backticks behind a prefix, and what follows it.
fn quoted<'a>(message: &'a str, prefix: &str) -> Option<(&'a str, &'a str)> {
    message.strip_prefix(prefix)?.split_once('`')
}

fn expected(wanted: &str) -> &str {
    match wanted {
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "a whole number from 0",
        "f32" | "f64" => "a number",
        "a string" | "str" => "a text",
        "a boolean" => "true or false",
        "a sequence" => "an array",
        "a map" => "an object",
        "unit" => "null",
        "string or map" | "variant identifier" => "a name",
        _ if ["struct ", "internally tagged enum ", "adjacently tagged enum "]
            .iter()
            .any(|kind| wanted.starts_with(kind)) =>
        {
            "an object"
        }
        _ if wanted.starts_with("enum ") => "a name",
        _ if wanted.starts_with("tuple ") || wanted.starts_with("an array of") => "an array",
        _ => wanted,
    }
}

/// A value that was found, as JSON writes it.
fn value(found: &str) -> String {
    match found {
        "map" => return "an object".to_owned(),
        "sequence" => return "an array".to_owned(),
        "unit value" => return "null".to_owned(),
        _ => {}
    }
    for kind in ["integer `", "floating point `", "boolean `"] {
        if let Some(number) = found.strip_prefix(kind).and_then(|rest| rest.strip_suffix('`')) {
            return shown(number);
        }
    }
    shown(found.strip_prefix("string ").unwrap_or(found))
}

/// Messages of the standard library about a text that is no number.
fn of_query(message: &str) -> Option<&'static str> {
    Some(match message {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "expected a whole number"
        }
        "number too large to fit in target type" => "expected a smaller number",
        "number too small to fit in target type" => "expected a larger number",
        "invalid float literal" | "cannot parse float from empty string" => "expected a number",
        "provided string was not `true` or `false`" => "expected true or false",
        _ => return None,
    })
}

fn shown(text: &str) -> String {
    match text.chars().count() {
        count if count <= SHOWN_CHARS_MAX => text.to_owned(),
        _ => text.chars().take(SHOWN_CHARS_MAX).chain("...".chars()).collect(),
    }
}
