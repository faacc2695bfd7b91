//! Imports stand in three blocks: std, then others, then ours, a blank line between.
//!
//! rustfmt sorts within a block; to part the blocks it would need a nightly, and it would take our
//! crates for others. Re-exports (`pub use`) among imports are a block of their own behind them.
//! `tidy --fix` puts the blocks right.

use std::collections::BTreeSet;
use std::ops::Range;

use super::flat::declared;
use super::source::{self, Token};
use crate::repo::TextFile;
use crate::tidy::Violation;
use crate::tidy::ratchet::{Finding, place};

/// The ratchet's name for it.
pub(in crate::tidy) const NAME: &str = "imports";

/// What an import is of, in the order of the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Block {
    Std,
    Others,
    Ours,
    ReExports,
}

/// An import with the attributes and comments above it.
struct Import {
    block: Block,
    lines: Range<usize>,
}

/// Every file whose imports are not in their blocks.
pub(in crate::tidy) fn check(files: &[TextFile]) -> Vec<Finding> {
    let rust = files.iter().filter(|file| file.path.ends_with(".rs"));
    let wrong = rust.filter_map(|file| Some((file, fixed(&file.text)?)));
    let describe = |(file, right): (&TextFile, String)| {
        let same = file.text.lines().zip(right.lines()).take_while(|(now, right)| now == right);
        Finding {
            check: NAME,
            place: place(&file.path),
            violation: Violation {
                file: file.path.clone(),
                line: Some(same.count() + 1),
                what: "imports are not std, others, ours, a block each".to_owned(),
                mend: "cargo xtask tidy --fix, then cargo fmt".to_owned(),
            },
        }
    };
    wrong.map(describe).collect()
}

/// The text with its imports in their blocks, if they are not.
pub(in crate::tidy) fn fixed(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut fixed = Vec::new();
    let mut at = 0;
    for run in runs(text, &lines) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        let (start, end) = (first.lines.start, last.lines.end);
        fixed.extend_from_slice(&lines[at..start]);
        fixed.extend(in_blocks(&run, &lines));
        at = end;
    }
    fixed.extend_from_slice(&lines[at..]);
    (fixed != lines).then(|| fixed.join("\n") + "\n")
}

fn in_blocks<'a>(run: &[Import], lines: &[&'a str]) -> Vec<&'a str> {
    let blocks: BTreeSet<Block> = run.iter().map(|import| import.block).collect();
    let block = |block: Block| {
        let of = run.iter().filter(move |import| import.block == block);
        of.flat_map(|import| &lines[import.lines.clone()]).copied().collect::<Vec<_>>()
    };
    let blocks: Vec<Vec<&str>> = blocks.into_iter().map(block).collect();
    blocks.join(&"")
}

/// Imports that follow each other with nothing but blank lines between.
fn runs(text: &str, lines: &[&str]) -> Vec<Vec<Import>> {
    let mut runs: Vec<Vec<Import>> = Vec::new();
    for import in imports(text, lines) {
        let end = runs.last().and_then(|run| run.last()).map(|last| last.lines.end);
        let joins = end.is_some_and(|end| {
            lines[end.min(import.lines.start)..import.lines.start].iter().all(|l| l.is_empty())
        });
        match runs.last_mut().filter(|_| joins) {
            Some(run) => run.push(import),
            None => runs.push(vec![import]),
        }
    }
    runs
}

/// The imports at the outermost level of a file.
fn imports(text: &str, lines: &[&str]) -> Vec<Import> {
    let tokens = source::tokens(text);
    let modules = declared(&tokens);
    let mut imports: Vec<Import> = Vec::new();
    let (mut depth, mut at) = (0_usize, 0);
    while at < tokens.len() {
        match tokens[at].text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            "use" if depth == 0 => {
                let length = source::item_length(&tokens[at..]);
                let start = start_of_item(&tokens, at);
                let item = &tokens[start..at + length];
                let floor = imports.last().map_or(0, |last| last.lines.end);
                let lines = item_lines(text, item, lines, floor);
                let block = block(item, &modules);
                imports.push(Import { block, lines });
                at += length - 1;
            }
            _ => {}
        }
        at += 1;
    }
    imports
}

/// The token at which an item begins whose keyword is at `at`: its visibility comes before.
fn start_of_item(tokens: &[Token<'_>], at: usize) -> usize {
    let before = |back: usize| at.checked_sub(back).map(|index| tokens[index].text);
    match before(1) {
        Some("pub") => at - 1,
        Some(")") => {
            let open = (0..at).rev().find(|index| tokens[*index].text == "pub");
            open.unwrap_or(at)
        }
        _ => at,
    }
}

/// The lines of an item, with the attributes and comments directly above it.
fn item_lines(text: &str, item: &[Token<'_>], lines: &[&str], floor: usize) -> Range<usize> {
    let line_of = |at: usize| text[..at].matches('\n').count();
    let (first, last) = (item[0], item[item.len() - 1]);
    let mut start = line_of(first.at);
    let belongs = |line: &str| {
        (line.starts_with("//") && !line.starts_with("//!"))
            || (line.starts_with("#[") && line.ends_with(']'))
    };
    while start > floor && belongs(lines[start - 1]) {
        start -= 1;
    }
    start..line_of(last.at) + 1
}

fn block(item: &[Token<'_>], modules: &[&str]) -> Block {
    if item[0].text == "pub" {
        return Block::ReExports;
    }
    let mut names = item[1..].iter().map(|token| token.text);
    let first = names.find(|name| *name != "::").unwrap_or_default();
    match first {
        "std" | "core" | "alloc" => Block::Std,
        "crate" | "self" | "super" => Block::Ours,
        _ if first.starts_with("worldbus") || modules.contains(&first) => Block::Ours,
        _ if first.starts_with(char::is_uppercase) => Block::Ours,
        _ => Block::Others,
    }
}

#[cfg(test)]
mod tests;
