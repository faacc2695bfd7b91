//! Which resources a template makes for some parameters: conditions, mappings and references to
//! parameters, worked out. What only AWS knows (an address, an export) stays as it is written.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Values of parameters, by name.
pub type Parameters = BTreeMap<String, String>;

/// A template and the values that it is read with.
pub(crate) struct Scope<'a> {
    template: &'a Value,
    parameters: &'a Parameters,
    region: &'a str,
}

/// Conditions that name each other, one in the other.
const DEPTH_MAX: usize = 32;
/// What stands for the value that is not there.
const NO_VALUE: &str = "AWS::NoValue";

impl<'a> Scope<'a> {
    pub(crate) fn new(template: &'a Value, parameters: &'a Parameters, region: &'a str) -> Self {
        Self { template, parameters, region }
    }

    /// The resources whose condition holds: logical id and definition, worked out.
    pub(crate) fn resources(&self) -> Vec<(String, Value)> {
        let Some(resources) = self.template["Resources"].as_object() else { return Vec::new() };
        let made = |definition: &&Value| match definition["Condition"].as_str() {
            Some(condition) => self.holds(condition, 0),
            None => true,
        };
        let worked_out = |(id, definition): (&String, &Value)| (id.clone(), self.value(definition));
        let resources = resources.iter().filter(|(_, definition)| made(definition));
        resources.map(worked_out).collect()
    }

    /// A value with what can be known put in.
    pub(crate) fn value(&self, value: &Value) -> Value {
        self.work_out(value).unwrap_or(Value::Null)
    }

    /// `None` for `AWS::NoValue`.
    fn work_out(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Array(list) => {
                Some(Value::Array(list.iter().filter_map(|value| self.work_out(value)).collect()))
            }
            Value::Object(map) => match map.iter().next() {
                Some((name, argument)) if map.len() == 1 => self.function(name, argument),
                _ => Some(Value::Object(self.fields(map))),
            },
            other => Some(other.clone()),
        }
    }

    fn fields(&self, map: &Map<String, Value>) -> Map<String, Value> {
        map.iter().filter_map(|(k, v)| Some((k.clone(), self.work_out(v)?))).collect()
    }

    fn function(&self, name: &str, argument: &Value) -> Option<Value> {
        let as_written =
            |argument| Some(Value::Object(Map::from_iter([(name.to_owned(), argument)])));
        match (name, argument) {
            ("Ref", Value::String(name)) if name == NO_VALUE => None,
            ("Ref", Value::String(name)) => match self.known(name) {
                Some(value) => Some(Value::String(value)),
                None => as_written(argument.clone()),
            },
            ("Fn::If", Value::Array(parts)) => {
                let condition = parts.first().and_then(Value::as_str).unwrap_or_default();
                let index = if self.holds(condition, 0) { 1 } else { 2 };
                parts.get(index).and_then(|value| self.work_out(value))
            }
            ("Fn::FindInMap", Value::Array(keys)) => {
                let keys: Vec<Value> = keys.iter().map(|key| self.value(key)).collect();
                let found = keys.iter().try_fold(&self.template["Mappings"], |place, key| {
                    place.get(key.as_str().unwrap_or_default())
                });
                found.and_then(|value| self.work_out(value))
            }
            ("Fn::Sub", Value::String(text)) => match self.substituted(text) {
                Some(text) => Some(Value::String(text)),
                None => as_written(argument.clone()),
            },
            (_, argument) => as_written(self.value(argument)),
        }
    }

    /// `None` if something in it only AWS knows.
    fn substituted(&self, text: &str) -> Option<String> {
        let mut done = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}')?;
            done.push_str(before);
            match name.strip_prefix('!') {
                Some(literal) => done.push_str(&format!("${{{literal}}}")),
                None => done.push_str(&self.known(name)?),
            }
            rest = after;
        }
        done.push_str(rest);
        Some(done)
    }

    fn known(&self, name: &str) -> Option<String> {
        if name == "AWS::Region" {
            return Some(self.region.to_owned());
        }
        if let Some(given) = self.parameters.get(name) {
            return Some(given.clone());
        }
        text(self.template["Parameters"].get(name)?.get("Default")?)
    }

    fn holds(&self, condition: &str, depth: usize) -> bool {
        let Some(definition) = self.template["Conditions"].get(condition) else { return false };
        depth < DEPTH_MAX && self.is_true(definition, depth + 1)
    }

    fn is_true(&self, expression: &Value, depth: usize) -> bool {
        let Some((name, argument)) = expression.as_object().and_then(|map| map.iter().next())
        else {
            return false;
        };
        let parts = argument.as_array().map(Vec::as_slice).unwrap_or_default();
        match name.as_str() {
            "Condition" => self.holds(argument.as_str().unwrap_or_default(), depth),
            "Fn::Equals" => {
                let sides: Vec<_> = parts.iter().map(|part| text(&self.value(part))).collect();
                sides.len() == 2 && sides[0] == sides[1]
            }
            "Fn::Not" => !parts.iter().any(|part| self.is_true(part, depth)),
            "Fn::And" => parts.iter().all(|part| self.is_true(part, depth)),
            "Fn::Or" => parts.iter().any(|part| self.is_true(part, depth)),
            _ => false,
        }
    }
}

/// A scalar as CloudFormation compares it.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::yaml;
    use serde_json::json;

    const TEMPLATE: &str = "
Parameters:
  Profile: {Type: String, Default: minimal}
  Count: {Type: Number, Default: 1}
Mappings:
  Sizes: {minimal: {Cpu: 256}, production: {Cpu: 512}}
Conditions:
  Production: !Equals [!Ref Profile, production]
  Some: !Not [!Equals [!Ref Count, 0]]
  Both: !And [!Condition Production, !Condition Some]
Resources:
  Gateway: {Type: Nat, Condition: Both}
  Service:
    Type: Service
    Condition: Some
    Properties:
      Name: !Sub '${Profile}-x-${AWS::Region}'
      Arn: !Sub '${AWS::Partition}'
      Cpu: !FindInMap [Sizes, !Ref Profile, Cpu]
      Count: !Ref Count
      Balancer: !If [Production, {Port: 1}, !Ref AWS::NoValue]
      Group: !Ref Gateway
";

    fn of(given: &[(&str, &str)]) -> Vec<(String, Value)> {
        let given = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Scope::new(&yaml::parse(TEMPLATE).unwrap(), &given, "eu-west-1").resources()
    }

    #[test]
    fn only_what_the_conditions_admit_is_made() {
        let names =
            |given: &[(&str, &str)]| of(given).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
        assert_eq!(names(&[]), ["Service"]);
        assert_eq!(names(&[("Profile", "production")]), ["Gateway", "Service"]);
        assert!(names(&[("Profile", "production"), ("Count", "0")]).is_empty());
    }

    #[test]
    fn what_can_be_known_is_put_in_and_the_rest_stays() {
        let properties = of(&[]).remove(0).1["Properties"].clone();
        let wanted = json!({
            "Name": "minimal-x-eu-west-1",
            "Arn": {"Fn::Sub": "${AWS::Partition}"},
            "Cpu": 256,
            "Count": "1",
            "Group": {"Ref": "Gateway"},
        });
        assert_eq!(properties, wanted);
        let balanced = of(&[("Profile", "production")]).remove(1).1["Properties"].clone();
        assert_eq!(balanced["Balancer"], json!({"Port": 1}));
    }
}
