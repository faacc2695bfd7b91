//! Conditions of rules: `new_state in storm blizzard`, `precipitation_um < 200`.
//! Not here: where values come from.

use crate::grammar::{Scope, Shape, Value};

/// Words of a condition.
const WORD_COUNT_MAX: usize = 40;

/// A comparison of a field with words, numbers or another field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    field: String,
    operator: Operator,
    with: Vec<Operand>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Below,
    AtMost,
    Above,
    AtLeast,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operand {
    Word(String),
    Number(i64),
    Flag(bool),
    Field(String),
}

impl Condition {
    /// Reads a condition on fields of which `shape_of` knows the shapes.
    ///
    /// # Errors
    /// What was expected.
    pub(crate) fn parse(
        text: &str,
        shape_of: &dyn Fn(&str) -> Option<Shape>,
    ) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().take(WORD_COUNT_MAX + 1).collect();
        let expected = "expected `FIELD OPERATOR VALUE`, with =, !=, <, <=, >, >=, in or not in";
        let (field, operator, with) = match words.as_slice() {
            [_, ..] if words.len() > WORD_COUNT_MAX => {
                return Err(format!("expected at most {WORD_COUNT_MAX} words"));
            }
            [field, "not", "in", with @ ..] if !with.is_empty() => (field, Operator::NotIn, with),
            [field, "in", with @ ..] if !with.is_empty() => (field, Operator::In, with),
            [field, sign, _] => {
                let operator = operator(sign).ok_or_else(|| format!("{expected}, found {text:?}"));
                (field, operator?, &words[2..])
            }
            _ => return Err(format!("{expected}, found {text:?}")),
        };
        let shape = shape_of(field).ok_or_else(|| format!("no field `{field:.40}` here"))?;
        let is_order = !matches!(operator, Operator::In | Operator::NotIn);
        match shape {
            Shape::List => return Err(format!("`{field}` is a list, which no condition takes")),
            Shape::Text | Shape::Flag if is_order => {
                return Err(format!("`{field}` is {}, which has no order", shape.name()));
            }
            _ => {}
        }
        let with = with.iter().map(|word| operand(word, field, shape, shape_of));
        let with = with.collect::<Result<_, _>>()?;
        Ok(Self { field: (*field).to_owned(), operator, with })
    }

    /// Whether it needs an open arc.
    pub(crate) fn is_of_arc(&self) -> bool {
        let of_arc = |field: &str| field.starts_with("arc.");
        let with = |operand: &Operand| matches!(operand, Operand::Field(field) if of_arc(field));
        of_arc(&self.field) || self.with.iter().any(with)
    }

    /// Whether it holds; not if the field is not there.
    pub(crate) fn holds(&self, scope: &dyn Scope) -> bool {
        let Some(value) = scope.value(&self.field) else { return false };
        let any = self.with.iter().any(|operand| compare(&value, self.operator, operand, scope));
        if self.operator == Operator::NotIn { !any } else { any }
    }
}

fn operator(sign: &str) -> Option<Operator> {
    Some(match sign {
        "=" => Operator::In,
        "!=" => Operator::NotIn,
        "<" => Operator::Below,
        "<=" => Operator::AtMost,
        ">" => Operator::Above,
        ">=" => Operator::AtLeast,
        _ => return None,
    })
}

fn operand(
    word: &str,
    field: &str,
    shape: Shape,
    shape_of: &dyn Fn(&str) -> Option<Shape>,
) -> Result<Operand, String> {
    if word.starts_with("arc.") {
        return match shape_of(word) {
            Some(other) if other == shape => Ok(Operand::Field(word.to_owned())),
            Some(other) => {
                Err(format!("`{field}` is {}, `{word}` is {}", shape.name(), other.name()))
            }
            None => Err(format!("no field `{word:.40}` here")),
        };
    }
    let number = word.parse().ok();
    match (shape, number, word) {
        (Shape::Number | Shape::Game, Some(number), _) => Ok(Operand::Number(number)),
        (Shape::Number | Shape::Game, None, _) => {
            Err(format!("`{field}` is {}, found `{word:.40}`", shape.name()))
        }
        (Shape::Flag, _, "true") => Ok(Operand::Flag(true)),
        (Shape::Flag, _, "false") => Ok(Operand::Flag(false)),
        (Shape::Flag, ..) => Err(format!("`{field}`: expected true or false, found `{word:.40}`")),
        _ => Ok(Operand::Word(word.to_owned())),
    }
}

fn compare(value: &Value, operator: Operator, operand: &Operand, scope: &dyn Scope) -> bool {
    let other = match operand {
        Operand::Word(word) => return matches!(value, Value::Text(text) if text == word),
        Operand::Flag(flag) => return *value == Value::Flag(*flag),
        Operand::Number(number) => Some(Value::Number(*number)),
        Operand::Field(field) => scope.value(field),
    };
    let Some(other) = other else { return false };
    match (value.number(), other.number(), operator) {
        (Some(a), Some(b), Operator::Below) => a < b,
        (Some(a), Some(b), Operator::AtMost) => a <= b,
        (Some(a), Some(b), Operator::Above) => a > b,
        (Some(a), Some(b), Operator::AtLeast) => a >= b,
        (Some(a), Some(b), Operator::In | Operator::NotIn) => a == b,
        _ => *value == other,
    }
}
