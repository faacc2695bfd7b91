//! What holds for every verb: examples in its help, each of which parses.

use std::collections::BTreeSet;

use clap::{Command, CommandFactory as _, Parser as _, Subcommand as _};

use super::Arguments;
use crate::serve::services::ServiceCommand;

/// All verbs without verbs of their own, by their words: `worldbus time set`.
fn leaves() -> Vec<(String, Command)> {
    let mut root = Arguments::command();
    root.build();
    let (mut leaves, mut open) = (Vec::new(), vec![("worldbus".to_owned(), root)]);
    while let Some((words, command)) = open.pop() {
        let verbs = command.get_subcommands().filter(|verb| verb.get_name() != "help");
        let verbs: Vec<_> =
            verbs.map(|verb| (format!("{words} {}", verb.get_name()), verb.clone())).collect();
        let runs_alone = !command.is_subcommand_required_set() && words != "worldbus";
        if verbs.is_empty() || runs_alone {
            leaves.push((words, command));
        }
        open.extend(verbs);
    }
    leaves
}

/// The lines of a help's examples that call us, continued ones joined.
fn examples(command: &Command) -> Vec<String> {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let parts: Vec<&str> = help.split("\\\n").map(|part| part.trim_matches(' ')).collect();
    // Examples are indented, prose is not.
    let help = format!("\n  {}", parts.join(" "));
    let lines = help.lines().filter_map(|line| line.strip_prefix("  "));
    lines.filter(|line| line.contains("worldbus ")).map(str::to_owned).collect()
}

/// The words of a command line of ours as a shell would hand them over: quotes, comments, pipes,
/// redirections and variables before it.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => {
                words.extend(word.take());
                // What is aligned behind two blanks or stands in brackets is for people.
                if characters.peek() == Some(&' ') && !words.is_empty() {
                    break;
                }
            }
            (None, '|' | '>' | '<' | '&' | '(') => break,
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    let begin = words.iter().position(|word| word == "worldbus");
    words.split_off(begin.unwrap_or(words.len()))
}

#[test]
fn words_are_those_of_a_shell() {
    let line = "KEY=… worldbus publish a '{\"b\":1}' --stdin < events.jsonl";
    assert_eq!(words(line), ["worldbus", "publish", "a", "{\"b\":1}", "--stdin"]);
    assert_eq!(words("worldbus up                 (all of it)"), ["worldbus", "up"]);
    assert_eq!(words("curl http://127.0.0.1:7070/"), [""; 0]);
}

#[test]
fn every_verb_has_examples_and_each_of_them_parses() {
    let leaves = leaves();
    assert!(leaves.len() > 30, "{}", leaves.len());
    for (verb, command) in leaves.iter().filter(|(verb, _)| verb != "worldbus config-reference") {
        let examples = examples(command);
        assert!(!examples.is_empty(), "{verb} --help has no example");
        let name = verb.strip_prefix("worldbus ").unwrap_or(verb);
        let name = name.replace("schedule", "time schedule").replace("time time", "time");
        assert!(
            examples.iter().any(|line| line.contains(&name)),
            "no example of {verb} calls it: {examples:?}"
        );
        for line in &examples {
            // A pipe may call us twice.
            for part in line.split(" | ").filter(|part| part.contains("worldbus ")) {
                if let Err(error) = Arguments::try_parse_from(words(part)) {
                    panic!("an example of {verb} does not parse: {part}\n{error}");
                }
            }
        }
    }
}

#[test]
fn command_line_is_consistent() {
    Arguments::command().debug_assert();
}

/// Verbs that write a script, man pages and a page of the docs.
const WITHOUT_FORMAT: [&str; 3] =
    ["worldbus completions", "worldbus config-reference", "worldbus man"];

#[test]
fn every_verb_that_prints_can_print_json() {
    for (verb, command) in leaves() {
        if WITHOUT_FORMAT.contains(&verb.as_str()) {
            continue;
        }
        let format = command.get_arguments().find(|flag| flag.get_long() == Some("format"));
        let format = format.unwrap_or_else(|| panic!("{verb} has no --format"));
        let values = format.get_possible_values();
        let names: Vec<_> = values.iter().map(|value| value.get_name()).collect();
        assert!(names.contains(&"json"), "{verb} --format: {names:?}");
    }
}

#[test]
fn every_verb_is_in_the_reference_and_no_other() {
    let page = include_str!("../../../../docs/reference/command-line.md");
    let (_, table) = page.split_once("## Verbs").unwrap();
    let first_cells = table.lines().filter_map(|line| line.split(" | ").next());
    let shown: BTreeSet<&str> = first_cells
        .flat_map(|cell| cell.split('`'))
        .filter(|word| word.starts_with("worldbus "))
        .collect();
    let leaves = leaves();
    let is_of_service =
        |verb: &str| verb.strip_prefix("worldbus ").is_some_and(ServiceCommand::has_subcommand);
    let mut there: BTreeSet<&str> = leaves.iter().map(|(verb, _)| verb.as_str()).collect();
    // Commands of services are alike: those that are shown stand for all.
    assert!(shown.iter().any(|verb| is_of_service(verb)), "{shown:?}");
    there.retain(|verb| shown.contains(verb) || !is_of_service(verb));
    assert_eq!(shown, there);
}
