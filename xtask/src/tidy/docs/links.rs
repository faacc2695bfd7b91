//! Links of the docs lead somewhere, and every page is reached.
//!
//! A relative link of any Markdown file names a file that exists and, behind `#`, a heading of it.
//! What code and docs mention as a page (`docs/….md`) exists. From the README every page under
//! `docs/` is reached by links, and the book's `SUMMARY.md` lists it. Addresses on the web are not
//! asked.

use std::collections::{BTreeMap, BTreeSet};

use crate::repo::TextFile;
use crate::tidy::Violation;

const START: &str = "README.md";
const SUMMARY: &str = "docs/SUMMARY.md";

/// A link of a page.
struct Link<'a> {
    line: usize,
    target: &'a str,
}

/// Checks the links of all Markdown files; `exists` answers for paths from the root.
pub(in crate::tidy) fn check(files: &[TextFile], exists: &dyn Fn(&str) -> bool) -> Vec<Violation> {
    let pages: BTreeMap<&str, &str> = files
        .iter()
        .filter(|file| file.path.ends_with(".md"))
        .map(|file| (file.path.as_str(), file.text.as_str()))
        .collect();
    let mut violations = Vec::new();
    for (page, text) in &pages {
        for link in links(text) {
            let fault = fault_of(page, link.target, &pages, exists);
            let mend = "correct the link, or take it out";
            violations.extend(fault.map(|what| violation(page, Some(link.line), what, mend)));
        }
    }
    violations.extend(unreached(&pages));
    violations.extend(files.iter().flat_map(|file| mentions(file, exists)));
    violations
}

fn fault_of(
    page: &str,
    target: &str,
    pages: &BTreeMap<&str, &str>,
    exists: &dyn Fn(&str) -> bool,
) -> Option<String> {
    let (path, anchor) = match target.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor)),
        None => (target, None),
    };
    let path = if path.is_empty() { page.to_owned() } else { resolve(page, path) };
    if !exists(&path) {
        return Some(format!("links to `{target}`, which does not exist"));
    }
    let text = pages.get(path.as_str())?;
    let missing = anchor.is_some_and(|anchor| !anchors(text).contains(anchor));
    missing.then(|| format!("links to `{target}`, and `{path}` has no such heading"))
}

/// Pages under `docs/` that no way of links leads to, or that the book does not list.
fn unreached(pages: &BTreeMap<&str, &str>) -> Vec<Violation> {
    let linked = |page: &str| -> Vec<String> {
        let text = pages.get(page).copied().unwrap_or_default();
        links(text).iter().map(|link| page_of(page, link.target)).collect()
    };
    let mut reached = BTreeSet::from([START.to_owned()]);
    let mut next = vec![START.to_owned()];
    while let Some(page) = next.pop() {
        next.extend(linked(&page).into_iter().filter(|to| reached.insert(to.clone())));
    }
    let listed: BTreeSet<String> = linked(SUMMARY).into_iter().collect();
    let of_docs = pages.keys().filter(|page| page.starts_with("docs/") && **page != SUMMARY);
    let mut violations = Vec::new();
    for page in of_docs {
        if !reached.contains(*page) {
            let what = "is not reached by links from README.md".to_owned();
            violations.push(violation(page, None, what, "link to it where a reader needs it"));
        }
        if pages.contains_key(SUMMARY) && !listed.contains(*page) {
            let what = format!("is not listed in {SUMMARY}");
            violations.push(violation(page, None, what, "list it where it belongs in the book"));
        }
    }
    violations
}

/// The page that a link leads to; a folder's is its README.
fn page_of(page: &str, target: &str) -> String {
    let path = target.split('#').next().unwrap_or_default();
    let path = if path.is_empty() { page.to_owned() } else { resolve(page, path) };
    if path.ends_with(".md") { path } else { format!("{path}/README.md") }
}

/// Pages that a file mentions and that do not exist.
fn mentions(file: &TextFile, exists: &dyn Fn(&str) -> bool) -> Vec<Violation> {
    // The tests of the checks make pages up, and a decision names what was there in its time.
    if file.path.starts_with("xtask/src/tidy/") || file.path.starts_with("docs/adr/") {
        return Vec::new();
    }
    let mut violations = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for path in paths(line).filter(|path| !exists(path)) {
            let what = format!("mentions `{path}`, which does not exist");
            let mend = "name the page as it is called now";
            violations.push(violation(&file.path, Some(index + 1), what, mend));
        }
    }
    violations
}

/// What looks like a page of ours in a line.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    let of_path = |c: char| c.is_ascii_alphanumeric() || "/_-.".contains(c);
    line.match_indices("docs/").filter_map(move |(at, _)| {
        let before = line[..at].chars().next_back();
        let is_start = before.is_none_or(|c| !c.is_alphanumeric() && !"/._-".contains(c));
        let rest = &line[at..];
        let path = &rest[..rest.find(|c| !of_path(c)).unwrap_or(rest.len())];
        let path = &path[..path.rfind(".md")? + 3];
        is_start.then_some(path)
    })
}

/// The relative links of a page, those in code left out.
fn links(text: &str) -> Vec<Link<'_>> {
    let mut links = Vec::new();
    for (line, text) in prose(text) {
        for (at, _) in text.match_indices("](") {
            let in_code = text[..at].matches('`').count() % 2 == 1;
            let rest = &text[at + 2..];
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            let is_relative = !target.contains(':') && !target.is_empty();
            if is_relative && !in_code {
                links.push(Link { line, target });
            }
        }
    }
    links
}

/// The lines of a page outside of blocks of code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_block = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_block ^= is_fence;
        (!in_block && !is_fence).then_some((index + 1, line))
    })
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter(|(_, line)| line.starts_with('#'));
    headings.map(|(_, line)| anchor(line.trim_start_matches('#').trim())).collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// `../a/b.md` as seen from a page, from the root.
fn resolve(page: &str, path: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn violation(file: &str, line: Option<usize>, what: String, mend: &str) -> Violation {
    Violation { file: file.to_owned(), line, what, mend: mend.to_owned() }
}

#[cfg(test)]
mod tests;
