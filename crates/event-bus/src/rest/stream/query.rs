//! The query of the event stream. Lists may be repeated or separated by commas; a comma within an
//! entity or a place is written `%2C`.

use std::borrow::Cow;

use jiff::Timestamp;

use worldbus_bus::{Filter, Position, Topic};
use worldbus_events::Catalogue;
use worldbus_service::Problem;

/// Values of a list.
const LIST_COUNT_MAX: usize = 256;

/// What a client asks for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) topics: Vec<Topic>,
    pub(super) filter: Filter,
    pub(super) worlds: Vec<String>,
    pub(super) from: Position,
    pub(super) cursor: Option<String>,
}

impl Asked {
    /// Reads a query string.
    ///
    /// # Errors
    /// 400, naming the parameter.
    pub(super) fn parse(query: &str, catalogue: &Catalogue) -> Result<Self, Problem> {
        let (topics, filter, worlds) = (Vec::new(), Filter::default(), Vec::new());
        let mut asked = Self { topics, filter, worlds, from: Position::Now, cursor: None };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, raw) = pair.split_once('=').unwrap_or((pair, ""));
            match decode(name).as_ref() {
                "entity" => asked.filter.entities.extend(texts(raw)),
                "place" => asked.filter.places.extend(texts(raw)),
                name => asked.take(name, &decode(raw), catalogue)?,
            }
        }
        let Filter { types, entities, places } = &asked.filter;
        let names = [entities.len(), places.len(), asked.worlds.len()];
        let lengths = [asked.topics.len(), types.len()];
        if lengths.iter().chain(&names).any(|length| *length > LIST_COUNT_MAX) {
            return Err(Problem::bad_request(format!("a list of more than {LIST_COUNT_MAX}")));
        }
        Ok(asked)
    }

    fn take(&mut self, name: &str, value: &str, catalogue: &Catalogue) -> Result<(), Problem> {
        let wrong = |why: String| Problem::bad_request(why).with_field(name);
        let list = || value.split(',').map(str::trim).filter(|one| !one.is_empty());
        match name {
            "topic" => {
                for one in list() {
                    self.topics.push(Topic::new(one).map_err(|error| wrong(error.to_string()))?);
                }
            }
            "type" => {
                for one in list() {
                    let known = catalogue.by_name(one);
                    let known = known.map_err(|error| wrong(error.to_string()))?;
                    self.filter.types.push(known.number());
                }
            }
            "world" => self.worlds.extend(list().map(str::to_owned)),
            "from" => {
                self.from = position(value).ok_or_else(|| {
                    wrong(format!("from is {value:.80?}; expected now, start, or a time, RFC 3339"))
                })?
            }
            "cursor" => self.cursor = Some(value.to_owned()).filter(|value| !value.is_empty()),
            _ => {
                let detail = format!(
                    "unknown parameter {name:.80?}; expected topic, type, entity, place, \
                     world, from, cursor"
                );
                return Err(wrong(detail));
            }
        }
        Ok(())
    }
}

/// The texts of a list of entities or places, which are any text: split before they are decoded,
/// and taken as they are.
fn texts(raw: &str) -> impl Iterator<Item = String> {
    raw.split(',').filter(|one| !one.is_empty()).map(|one| decode(one).into_owned())
}

/// The text of a part of a query, whose separators were taken out before.
fn decode(part: &str) -> Cow<'_, str> {
    let mut pairs = form_urlencoded::parse(part.as_bytes());
    // What has a `=` of its own is read as name and value: put them together again.
    match pairs.next() {
        Some((name, value)) if part.contains('=') => Cow::Owned(format!("{name}={value}")),
        Some((name, _)) => name,
        None => Cow::Borrowed(""),
    }
}

fn position(from: &str) -> Option<Position> {
    match from {
        "now" | "" => Some(Position::Now),
        "start" => Some(Position::Start),
        time => time.parse::<Timestamp>().ok().map(|at| Position::TimeMs(at.as_millisecond())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<Asked, Problem> {
        Asked::parse(query, &Catalogue::builtin())
    }

    #[test]
    fn lists_are_repeated_or_separated_by_commas() {
        let query = "topic=time,weather&topic=npc&type=time.updated&entity=a&entity=b,c&from=start\
                     &world=europe,europe:dungeon";
        let asked = parse(query).expect("valid");
        let topics: Vec<_> = asked.topics.iter().map(Topic::as_str).collect();
        assert_eq!(topics, ["time", "weather", "npc"]);
        assert_eq!(asked.filter.types, [6]);
        assert_eq!(asked.filter.entities, ["a", "b", "c"]);
        assert_eq!(asked.worlds, ["europe", "europe:dungeon"]);
        assert_eq!(asked.from, Position::Start);
    }

    #[test]
    fn entity_and_place_of_any_text_can_be_asked_for() {
        let asked = parse("entity=a%2Cb,%20c%20&entity=d%3D%26e=f+g,,&entity=").expect("valid");
        assert_eq!(asked.filter.entities, ["a,b", " c ", "d=&e=f g"]);
        let asked = parse("place=a%2Cb,%20c%20&entity=d&place=e").expect("valid");
        assert_eq!(asked.filter.places, ["a,b", " c ", "e"]);
        assert_eq!(asked.filter.entities, ["d"]);
    }

    #[test]
    fn time_is_a_position() {
        let asked = parse("from=1970-01-01T00:00:01.500Z").expect("valid");
        assert_eq!(asked.from, Position::TimeMs(1500));
    }

    #[test]
    fn wrong_parameter_is_named() {
        let many = "w,".repeat(LIST_COUNT_MAX + 1);
        assert_eq!(parse(&format!("world={many}")).expect_err("too many").status, 400);
        for (query, field) in [
            ("topic=Not%20One", "topic"),
            ("type=weather.chnged", "type"),
            ("from=yesterday", "from"),
            ("form=now", "form"),
        ] {
            let problem = parse(query).expect_err(query);
            assert_eq!((problem.status, problem.field.as_deref()), (400, Some(field)));
        }
        assert!(
            parse("type=weather.chnged").expect_err("wrong").detail.contains("weather.changed")
        );
    }
}
