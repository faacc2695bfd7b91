//! Who gives a command and why, for audit.

use serde::{Deserialize, Serialize};

use worldbus_service::Problem;

/// Bytes of who gives a command. Bytes, since what is stored of commands has a bound in bytes.
pub const ACTOR_BYTES_MAX: usize = 64;
/// Bytes of why.
pub const REASON_BYTES_MAX: usize = 200;

/// Who gives a command, and why, in their own words; empty where they left it out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// Who.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub actor: String,
    /// Why. The stored form calls it `why`, since `reason` is the command's name there.
    #[serde(default, rename = "why", skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl By {
    /// An actor and a reason within their bounds.
    ///
    /// # Errors
    /// 422, naming the field: longer than [`ACTOR_BYTES_MAX`] or [`REASON_BYTES_MAX`], or with
    /// control characters.
    pub fn new(actor: Option<&str>, reason: Option<&str>) -> Result<Self, Problem> {
        let check = |field: &'static str, text: Option<&str>, most: usize| {
            let text = text.unwrap_or_default();
            if text.len() <= most && !text.chars().any(char::is_control) {
                return Ok(text.to_owned());
            }
            let detail = format!("{field}: expected at most {most} bytes of text on one line");
            Err(Problem::unprocessable(detail).with_field(field))
        };
        Ok(Self {
            actor: check("actor", actor, ACTOR_BYTES_MAX)?,
            reason: check("reason", reason, REASON_BYTES_MAX)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actor_and_reason_are_bounded_in_bytes_and_stand_on_one_line() {
        let by = By::new(Some(&"é".repeat(32)), Some(&"x".repeat(REASON_BYTES_MAX))).unwrap();
        assert_eq!((by.actor.len(), by.reason.len()), (ACTOR_BYTES_MAX, REASON_BYTES_MAX));
        assert_eq!(By::new(None, None).unwrap(), By::default());
        for (actor, reason, field) in [
            ("é".repeat(33), String::new(), "actor"),
            (String::new(), "x".repeat(REASON_BYTES_MAX + 1), "reason"),
            ("anna\n".to_owned(), String::new(), "actor"),
        ] {
            let problem = By::new(Some(&actor), Some(&reason)).unwrap_err();
            assert_eq!((problem.status, problem.field.as_deref()), (422, Some(field)));
        }
    }
}
