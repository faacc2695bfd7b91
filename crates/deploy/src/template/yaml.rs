//! A CloudFormation template in YAML as a JSON value, its short forms (`!Ref`, `!Sub`, …) written
//! out. JSON is YAML too, so this reads both.
//!
//! Not for: YAML at large. Aliases and merge keys are refused: our templates have none.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Value};

/// Containers within each other.
const DEPTH_MAX: usize = 64;

/// A container that is being read.
enum Open {
    List(Vec<Value>, Option<String>),
    Map(Map<String, Value>, Option<String>, Option<String>),
}

/// The template as a value.
///
/// # Errors
/// In words, with the line.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let mut stack: Vec<Open> = Vec::new();
    let mut root = None;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        let line = span.start.line();
        let done = match event {
            Event::Scalar(text, style, _, tag) => Some(scalar(text, style, tag.as_deref())),
            Event::SequenceStart(_, tag) => {
                stack.push(Open::List(Vec::new(), short(tag)));
                None
            }
            Event::MappingStart(_, tag) => {
                stack.push(Open::Map(Map::new(), None, short(tag)));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => stack.pop().map(close),
            Event::Alias(_) => return Err(format!("line {line}: an alias; write it out")),
            _ => None,
        };
        if stack.len() > DEPTH_MAX {
            return Err(format!("line {line}: more than {DEPTH_MAX} levels"));
        }
        if let Some(value) = done {
            match stack.last_mut() {
                Some(open) => put(open, value).map_err(|why| format!("line {line}: {why}"))?,
                None => root = Some(value),
            }
        }
    }
    root.ok_or_else(|| "it is empty".to_owned())
}

fn put(open: &mut Open, value: Value) -> Result<(), String> {
    match open {
        Open::List(list, _) => list.push(value),
        Open::Map(map, key, _) => match key.take() {
            None => {
                let name = match value {
                    Value::String(name) => name,
                    // A key such as 80 or true is its text.
                    other => other.to_string(),
                };
                *key = Some(name);
            }
            Some(key) => {
                if map.insert(key.clone(), value).is_some() {
                    return Err(format!("{key} stands twice"));
                }
            }
        },
    }
    Ok(())
}

fn close(open: Open) -> Value {
    match open {
        Open::List(list, tag) => written_out(tag, Value::Array(list)),
        Open::Map(map, _, tag) => written_out(tag, Value::Object(map)),
    }
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let tag = tag.filter(|tag| tag.handle == "!").map(|tag| tag.suffix.clone());
    let value = match style {
        ScalarStyle::Plain if tag.is_none() => plain(&text),
        _ => Value::String(text.into_owned()),
    };
    written_out(tag, value)
}

/// What a plain scalar means by YAML's core schema.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" => return Value::Null,
        "true" => return Value::Bool(true),
        "false" => return Value::Bool(false),
        _ => {}
    }
    // Leading zeros are ids, not numbers, and CloudFormation's values are text anyway.
    let is_number = !(text.starts_with('0') && text.len() > 1 && !text.starts_with("0."));
    let number = is_number.then(|| text.parse::<serde_json::Number>().ok()).flatten();
    number.map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

fn short(tag: Option<Cow<'_, Tag>>) -> Option<String> {
    tag.filter(|tag| tag.handle == "!").map(|tag| tag.suffix.clone())
}

/// `!Ref x` is `{"Ref": "x"}`, `!GetAtt a.b` is `{"Fn::GetAtt": ["a", "b"]}`, and so on.
fn written_out(tag: Option<String>, value: Value) -> Value {
    let Some(tag) = tag else { return value };
    let name = match tag.as_str() {
        "Ref" | "Condition" => tag,
        _ => format!("Fn::{tag}"),
    };
    let value = match (name.as_str(), value) {
        ("Fn::GetAtt", Value::String(path)) => {
            let (resource, attribute) = path.split_once('.').unwrap_or((&path, ""));
            Value::Array(vec![resource.into(), attribute.into()])
        }
        (_, value) => value,
    };
    Value::Object(Map::from_iter([(name, value)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn short_forms_are_written_out() {
        let text = "
A: !Ref Name
B: !Sub '${Name}-x'
C: !GetAtt Queue.Arn
D: !If [Big, !Ref One, 2]
E: !Not [!Equals [!Ref P, minimal]]
F: !Join
  - ','
  - [a, \"1\", 1, true, '007', 007]
G: {Condition: Big}
";
        let wanted = json!({
            "A": {"Ref": "Name"},
            "B": {"Fn::Sub": "${Name}-x"},
            "C": {"Fn::GetAtt": ["Queue", "Arn"]},
            "D": {"Fn::If": ["Big", {"Ref": "One"}, 2]},
            "E": {"Fn::Not": [{"Fn::Equals": [{"Ref": "P"}, "minimal"]}]},
            "F": {"Fn::Join": [",", ["a", "1", 1, true, "007", "007"]]},
            "G": {"Condition": "Big"},
        });
        assert_eq!(parse(text).unwrap(), wanted);
    }

    #[test]
    fn json_is_read_as_it_is() {
        let value = json!({"a": [1, "2", {"b": null, "c": "x\ny: z"}], "d": true, "e": 1.5});
        assert_eq!(parse(&value.to_string()).unwrap(), value);
        assert_eq!(parse(&serde_json::to_string_pretty(&value).unwrap()).unwrap(), value);
    }

    #[test]
    fn what_is_no_template_is_refused_with_its_line() {
        for wrong in ["a: [1", "a: 1\na: 2", "a: &x 1\nb: *x", ""] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(parse("a: 1\na: 2").unwrap_err().contains("line 2"));
    }
}
