//! Programs that a page shows are the files of the repository that are run.
//!
//! A block of code behind `<!-- quote: PATH -->` on a line of its own is the whole text of that
//! file. Blocks without one are free. Whether the program does what its page claims is not checked.

use crate::repo::TextFile;
use crate::tidy::Violation;

const BEFORE: &str = "<!-- quote: ";
const BEHIND: &str = " -->";

/// Compares the quotes of all Markdown files with the files that they name.
pub(in crate::tidy) fn check(files: &[TextFile]) -> Vec<Violation> {
    let pages = files.iter().filter(|file| file.path.ends_with(".md"));
    pages.flat_map(|page| check_page(page, files)).collect()
}

fn check_page(page: &TextFile, files: &[TextFile]) -> Vec<Violation> {
    let lines: Vec<&str> = page.text.lines().collect();
    let mut violations = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let path = line.strip_prefix(BEFORE).and_then(|rest| rest.strip_suffix(BEHIND));
        let Some(path) = path else { continue };
        let fault = match files.iter().find(|file| file.path == path) {
            None => Some(format!("quotes `{path}`, which does not exist")),
            Some(file) if block(&lines[index + 1..]) != Some(file.text.lines().collect()) => {
                Some(format!("quotes `{path}`, which reads otherwise"))
            }
            Some(_) => None,
        };
        violations.extend(fault.map(|what| Violation {
            file: page.path.clone(),
            line: Some(index + 1),
            what,
            mend: "copy the file into the block of code below, or correct the path".to_owned(),
        }));
    }
    violations
}

/// The lines of the block of code that begins here.
fn block<'a>(lines: &[&'a str]) -> Option<Vec<&'a str>> {
    let (fence, rest) = lines.split_first()?;
    let end = rest.iter().position(|line| *line == "```")?;
    fence.starts_with("```").then(|| rest[..end].to_vec())
}

#[cfg(test)]
mod tests;
