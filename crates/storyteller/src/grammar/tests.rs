//! The grammar: English, templates, refusals, hostile names.

use std::collections::BTreeMap;

use super::english::{article, ordinal, ordinal_words, plural, words};
use super::*;
use worldbus_world::World;

struct Fields(BTreeMap<&'static str, Value>);

impl Scope for Fields {
    fn value(&self, field: &str) -> Option<Value> {
        self.0.get(field).cloned()
    }
}

fn fields() -> Fields {
    Fields(BTreeMap::from([
        ("region", Value::name("brussels")),
        ("count", Value::Number(3)),
        ("one", Value::Number(1)),
        ("cold", Value::Number(-44)),
        ("wind", Value::Number(250)),
        ("when", Value::Game(30 * 3_600_000_000)),
        ("guild", Value::name("faction/harbour-guild")),
        ("free", Value::name("Fish and/or Chips")),
        ("who", Value::names(["Ada", "Bo", "Cy"])),
        ("evil", Value::name("<b>*x*\u{1b}[31m\u{202e}\r\nnext</b>")),
    ]))
}

fn text(template: &str) -> String {
    let fields = fields();
    let template = Template::parse(template).unwrap();
    template.check(&Phrases::new(), &|field| fields.0.get(field).map(Value::shape)).unwrap();
    template.render(&fields, &Phrases::new(), &World::sample(), &mut Chance::new(7, 7))
}

fn refusal(template: &str) -> String {
    let fields = fields();
    let checked = Template::parse(template).and_then(|template| {
        template.check(&Phrases::new(), &|field| fields.0.get(field).map(Value::shape))
    });
    checked.unwrap_err()
}

#[test]
fn numbers_are_words_up_to_twelve() {
    assert_eq!(words(0), "no");
    assert_eq!(words(12), "twelve");
    assert_eq!(words(13), "13");
    assert_eq!(words(1_234_567), "1,234,567");
    assert_eq!(words(-4), "minus 4");
}

#[test]
fn ordinals_end_as_they_are_spoken() {
    let ordinals: Vec<String> = [1, 2, 3, 4, 11, 12, 13, 21, 22, 103, 111].map(ordinal).into();
    let expected = ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "103rd"];
    assert_eq!(ordinals[..10], expected);
    assert_eq!(ordinals[10], "111th");
    assert_eq!(ordinal_words(12), "twelfth");
    assert_eq!(ordinal_words(0), "0th");
}

#[test]
fn articles_follow_the_sound() {
    for (phrase, sound) in [
        ("storm", "a"),
        ("alert", "an"),
        ("hour", "an"),
        ("house", "a"),
        ("unicorn", "a"),
        ("umbrella", "an"),
        ("European city", "a"),
        ("one-off", "a"),
        ("8 km walk", "an"),
        ("11th hour", "an"),
        ("110 m drop", "a"),
        ("18,000 mile trip", "an"),
    ] {
        assert_eq!(article(phrase), format!("{sound} {phrase}"));
    }
}

#[test]
fn plurals_follow_the_ending() {
    let many = |noun| plural(noun, 2);
    assert_eq!(many("day"), "days");
    assert_eq!(many("city"), "cities");
    assert_eq!(many("church"), "churches");
    assert_eq!(many("person"), "people");
    assert_eq!(plural("city", 1), "city");
    assert_eq!(plural("city", 0), "cities");
}

#[test]
fn slots_are_filled_through_their_filters() {
    assert_eq!(text("{region|region} had {count|count:dry day}."), "Brussels had three dry days.");
    assert_eq!(text("{one|count:city} and {count|ordinal}"), "One city and third");
    assert_eq!(text("at {cold|celsius} in {wind|kmh}"), "At minus 4 degrees in 90 km/h");
    assert_eq!(text("{when|spoken}, {when|weekday}"), "The second of March, Saturday");
    assert_eq!(text("{when|part_of_day} in {when|season}"), "Around noon in spring");
    assert_eq!(text("{who|list} met"), "Ada, Bo and Cy met");
    assert_eq!(text("{guild|thing|the|cap} met"), "The harbour guild met");
    assert_eq!(text("{free|thing} was there"), "Fish and/or Chips was there");
    assert_eq!(text(r"\{x\} \[y\]  z"), "{x} [y] z");
}

#[test]
fn choices_depend_on_the_seed_alone() {
    let template = Template::parse("[a|b|[c|d]]").unwrap();
    let world = World::sample();
    let draw = |name| {
        template.render(&fields(), &Phrases::new(), &world, &mut Chance::new(world.seed, name))
    };
    let drawn: Vec<String> = (0..200).map(draw).collect();
    assert_eq!(drawn, (0..200).map(draw).collect::<Vec<_>>());
    for option in ["A", "B", "C", "D"] {
        assert!(drawn.iter().any(|text| text == option), "{option} is never drawn");
    }
}

#[test]
fn mistakes_name_character_and_expectation() {
    assert!(refusal("a {region").starts_with("character 3: a `{`"));
    assert!(refusal("a [b|c").starts_with("character 3: a `[`"));
    assert!(refusal("a b]").starts_with("character 4: a `]`"));
    assert!(refusal("a }").contains("nothing opened"));
    assert!(refusal("{region|upper}").contains("unknown filter `upper`"));
    assert!(refusal("{nothing}").contains("no field `nothing`"));
    assert!(refusal("{region|celsius}").contains("takes a number, and this is a text"));
    assert!(refusal("{when}").contains("needs a filter"));
    assert!(refusal("{count|count:}").contains("expected a noun"));
    assert!(refusal("{Region}").contains("name of a field"));
    assert!(refusal(&"[".repeat(40)).contains("deep at most"));
    assert!(refusal("").contains("1 to 600 characters"));
    assert!(refusal("x\\").contains("backslash"));
}

#[test]
fn phrase_within_itself_is_refused() {
    let phrases = Phrases::from([("sky".to_owned(), vec![Template::parse("x {@sky}").unwrap()])]);
    let template = Template::parse("{@sky}").unwrap();
    assert!(template.check(&phrases, &|_| None).unwrap_err().contains("within itself"));
    let unknown = Template::parse("{@sea}").unwrap();
    assert!(unknown.check(&phrases, &|_| None).unwrap_err().contains("unknown phrase"));
}

#[test]
fn hostile_names_are_one_line_of_plain_text() {
    assert_eq!(text("by {evil}"), "By <b>*x* [31m next</b>");
    assert_eq!(plain(&"é".repeat(500)).chars().count(), 80);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(template in "[\\[\\]{}|@:a-z\\\\ ]{0,60}") {
        if let Ok(template) = Template::parse(&template) {
            let world = World::sample();
            template.render(&fields(), &Phrases::new(), &world, &mut Chance::new(1, 2));
        }
    }
}
