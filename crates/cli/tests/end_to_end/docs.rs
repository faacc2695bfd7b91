//! Every command of ours that the docs show in a block of `sh` is one that the binary knows, with
//! flags and values that it takes.
//!
//! Not that it does what its page promises: the tests of the verbs hold that.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::worldbus;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The Markdown files of the root and of the docs.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    let mut folders = vec![Path::new(ROOT).to_owned(), Path::new(ROOT).join("docs")];
    while let Some(folder) = folders.pop() {
        let is_root = folder == Path::new(ROOT);
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !is_root {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                pages.push(path);
            }
        }
    }
    pages
}

/// The lines of the blocks of `sh`, those that go on with a backslash as one.
fn lines(page: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let (mut in_block, mut goes_on) = (false, false);
    for line in page.lines().map(str::trim) {
        if line.starts_with("```") {
            in_block = line == "```sh";
        } else if in_block {
            let (text, more) = line.strip_suffix('\\').map_or((line, false), |text| (text, true));
            match lines.last_mut().filter(|_| goes_on) {
                Some(last) => last.push_str(text),
                None => lines.push(text.to_owned()),
            }
            goes_on = more;
        }
    }
    lines
}

/// The words of a line as a shell would part them, up to a pipe or a comment.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quote) = (vec![String::new()], None);
    for c in line.chars() {
        let is_begun = words.last().is_some_and(|word| !word.is_empty());
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '|' | '>' | '<' | '&' | ';') => break,
            (None, '#') if !is_begun => break,
            (None, ' ') if is_begun => words.push(String::new()),
            // A variable is taken by its name.
            (None, ' ') | (_, '$') => {}
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What the binary is given by a line, if it is started by it.
fn arguments(line: &str) -> Option<Vec<String>> {
    let words = words(line);
    let is_variable = |word: &&String| {
        let name = word.split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
    };
    let variables = words.iter().take_while(is_variable).count();
    let words = &words[variables..];
    let is_cargo = words.iter().take(2).eq(["cargo", "run"]);
    match words.first()?.as_str() {
        "worldbus" => Some(words.to_vec()),
        "cargo" if is_cargo && !words.contains(&"-p".to_owned()) => {
            let at = words.iter().position(|word| word == "--")?;
            Some(words[at..].to_vec())
        }
        _ => None,
    }
}

#[test]
fn every_command_of_the_docs_is_known_with_its_flags() {
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for line in lines(&text) {
            let Some(arguments) = arguments(&line) else { continue };
            // Parsed up to `--help`, so that nothing is done.
            let answer = worldbus().args(&arguments[1..]).arg("--help").output().unwrap();
            let errors = String::from_utf8_lossy(&answer.stderr);
            assert!(answer.status.success(), "{}: {line}\n{errors}", page.display());
            count += 1;
        }
    }
    assert!(count >= 10, "only {count} commands were found");
}

#[test]
fn lines_are_parted_as_a_shell_does() {
    let given = |line: &str| arguments(line).map(|words| words[1..].join("|"));
    assert_eq!(given("worldbus tail --type 'a b' # all | x").as_deref(), Some("tail|--type|a b"));
    assert_eq!(given("A=1 cargo run --release -- up | head").as_deref(), Some("up"));
    assert_eq!(given("cargo build"), None);
    assert_eq!(lines("```sh\na \\\n  b\n```\nc\n```js\nd\n```\n"), ["a b"]);
}
