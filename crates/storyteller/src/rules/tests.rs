//! Reading rules: what is built in, and mistakes with file, line and key.

use super::*;
use crate::ledger::Ledger;

fn refusal(text: &str) -> String {
    Rules::parse("my.toml", text).unwrap_err().to_string()
}

const HEAD: &str = "grace_ms = 1\n";
/// What a file must have at its end.
const DIRECTOR: &str = "[director]\ncycle_hours = 2\non_hours = 1\ncalm_permille = 0\n\
    peak_permille = 1\ngap_hours = 1\ngap_region_hours = 1\nvalid_hours = 1\n\
    [[director.incidents]]\nkind = \"a\"\nweather = \"storm\"\nminutes = 1\ntexts = [\"x\"]\n";

fn rule(rest: &str) -> String {
    format!("{HEAD}[[rules]]\nid = \"a\"\n{rest}")
}

#[test]
fn built_in_rules_are_valid_and_enough_to_fill_a_year() {
    let rules = Rules::built_in();
    let prose = rules.arcs.iter().flat_map(|arc| &arc.steps).filter(|step| step.prose.is_some());
    let count = rules.entries.len() + prose.count();
    assert!(count >= 40, "{count}");
    assert!(rules.entries.iter().all(|rule| !rule.prose.texts.is_empty()));
    let world = std::sync::Arc::new(World::sample());
    let title = rules.title("storm", Some("brussels"), &world);
    assert_eq!(title.as_deref(), Some("The storm over Brussels"));
    let title = rules.title("crowd", None, &world);
    assert_eq!(title.as_deref(), Some("The crowd in parts unknown"));
    Ledger::new(std::sync::Arc::new(rules), world, crate::ledger::Saved::default());
}

#[test]
fn another_text_is_another_version() {
    let text = rule("on = \"time.year_changed\"\nsignificance = 1\ntexts = [\"x\"]\n");
    let version =
        |text: &str| Rules::parse("my.toml", &format!("{text}{DIRECTOR}")).unwrap().version;
    assert_eq!(version(&text), version(&text));
    assert_ne!(version(&text), version(&text.replace("\"x\"", "\"y\"")));
}

#[test]
fn mistakes_name_file_line_and_key() {
    let year = "on = \"time.year_changed\"\n";
    for (text, expected) in [
        (rule("on = \"weather.gone\"\n"), "my.toml:4: rules[0].on: expected an event type"),
        (rule("on = \"weather.changed\"\ncolour = 1\n"), "my.toml:5: rules[0].colour: unknown key"),
        (
            rule(&format!("{year}significance = 1001\n")),
            "my.toml:5: rules[0].significance: expected a whole number from 0 to 1000",
        ),
        (
            rule(&format!("{year}when = [\"x = 1\"]\n")),
            "my.toml:5: rules[0].when: no field `x` here",
        ),
        (
            rule(&format!("{year}when = [\"new_year = soon\"]\n")),
            "my.toml:5: rules[0].when: `new_year` is a number, found `soon`",
        ),
        (
            rule(&format!("{year}when = [\"new_year\"]\n")),
            "my.toml:5: rules[0].when: expected `FIELD OPERATOR VALUE`",
        ),
        (
            rule(&format!("{year}significance = 1\ntexts = [\n\"fine\",\n\"{{oops\"]\n")),
            "my.toml:8: rules[0].texts: character 1: a `{` that nothing closes",
        ),
        (
            rule(&format!("{year}significance = 1\ntexts = []\n")),
            "my.toml:6: rules[0].texts: expected an array of 1 to 32 texts",
        ),
        (
            rule(&format!("{year}significance = 1\nterms = [{{ of = \"region\" }}]\n")),
            "my.toml:6: rules[0].terms[0].of: expected a number, and \"region\" is a text",
        ),
        (String::from("grace_ms = 1\nrules = 7\n"), "my.toml:2: rules: expected 1 to 200 tables"),
        (String::from("grace_ms = -1\n"), "my.toml:1: grace_ms: expected a whole number"),
        (String::from("x"), "my.toml:1: expected TOML"),
    ] {
        let found = refusal(&text);
        assert!(found.starts_with(expected), "{found}\n  expected {expected}");
    }
}

#[test]
fn two_rules_of_one_id_are_refused() {
    let one =
        "[[rules]]\nid = \"a\"\non = \"time.year_changed\"\nsignificance = 1\ntexts = [\"x\"]\n";
    assert!(refusal(&format!("{HEAD}{one}{one}")).starts_with("my.toml:8: rules[1].id: expected"));
}

#[test]
fn arcs_with_unknown_stages_or_hidden_texts_are_refused() {
    let arcs = |steps: &str| {
        let head = rule("on = \"time.year_changed\"\nsignificance = 1\ntexts = [\"x\"]\n");
        let stages = "[[arcs.stages]]\nname = \"one\"\nhidden = true\n";
        format!(
            "{head}[[arcs]]\nkind = \"k\"\nper = \"world\"\ntitle = \"t\"\n{stages}[[arcs.steps]]\n\
             on = \"time.year_changed\"\n{steps}"
        )
    };
    assert!(refusal(&arcs("to = \"two\"\n")).contains("arcs[0].steps[0].to: expected one of"));
    let hidden = arcs("to = \"one\"\nsignificance = 1\ntexts = [\"x\"]\n");
    assert!(refusal(&hidden).contains("expected a stage that is shown"));
    let from = arcs("from = [\"none\"]\nto = \"one\"\n");
    assert!(refusal(&from).contains("arcs[0].steps[0].from: expected one of the stages one"));
    let keep = arcs("to = \"one\"\nkeep = \"new_year\"\n");
    assert!(refusal(&keep).contains("expected a field that is a text"));
    let right = format!("{}{DIRECTOR}", arcs("to = \"one\"\n"));
    Rules::parse("my.toml", &right).unwrap();
    for (key, wrong) in
        [("weather = \"storm\"", "weather = \"frogs\""), ("on_hours = 1", "on_hours = 3")]
    {
        let error = refusal(&right.replace(key, wrong));
        assert!(error.contains("director"), "{error}");
    }
}

proptest::proptest! {
    #[test]
    fn no_condition_makes_the_parser_panic(text in "[a-z_. =!<>0-9]{0,40}") {
        let _ = Condition::parse(&text, &crate::observe::common_shape);
    }
}
