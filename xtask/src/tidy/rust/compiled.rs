//! Every Rust file is compiled: another file declares it as a module, or cargo finds it by itself.
//!
//! A file of tests that nothing declares passes always. Not a compiler: a declaration counts also
//! where a `cfg` takes it out.

use std::collections::BTreeSet;

use super::source;
use crate::repo::TextFile;
use crate::tidy::Violation;

/// Folders of a package each of whose files is a crate of its own.
const CRATES_EACH: [&str; 5] = ["bin", "benches", "examples", "fuzz_targets", "tests"];

/// A violation for each `.rs` file without a declaration.
pub(in crate::tidy) fn check(files: &[TextFile]) -> Vec<Violation> {
    let rust: Vec<&TextFile> = files.iter().filter(|file| file.path.ends_with(".rs")).collect();
    let declared: BTreeSet<String> = rust.iter().flat_map(|file| declarations(file)).collect();
    let lost = rust.iter().filter(|file| {
        !is_root(&file.path, &rust) && !ways(&file.path).any(|way| declared.contains(&way))
    });
    let describe = |file: &&TextFile| Violation {
        file: file.path.clone(),
        line: None,
        what: "is not compiled: no file declares it as a module".to_owned(),
        mend: "add its `mod` line, or delete it".to_owned(),
    };
    lost.map(describe).collect()
}

/// Cargo compiles it without being asked: `lib.rs`, `main.rs`, `build.rs`, and each file that lies
/// flat in one of [`CRATES_EACH`], which is not the folder of a module.
fn is_root(path: &str, rust: &[&TextFile]) -> bool {
    let Some((folder, name)) = path.rsplit_once('/') else { return false };
    let last = folder.rsplit('/').next().unwrap_or(folder);
    let is_module = rust
        .iter()
        .any(|file| file.path == format!("{folder}.rs") || file.path == format!("{folder}/mod.rs"));
    let is_flat = CRATES_EACH.contains(&last) && !is_module;
    ["lib.rs", "main.rs", "build.rs"].contains(&name) || is_flat
}

/// What a file declares: the folder of the module and its name, or the name behind `path =`.
fn declarations(file: &TextFile) -> Vec<String> {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let stem = name.trim_end_matches(".rs");
    // A crate's root may be any file of its folder; each other file has a folder of its name.
    let homes = [folder.to_owned(), format!("{folder}/{stem}")];
    let tokens = source::tokens(&file.text);
    let pairs = tokens.windows(3).filter(|three| three[0].text == "mod" && three[2].text == ";");
    let named =
        pairs.flat_map(|three| homes.each_ref().map(|home| format!("{home}/{}", three[1].text)));
    let paths = file.text.split("path = \"").skip(1).filter_map(|rest| rest.split_once('"'));
    named.chain(paths.map(|(path, _)| base(path).to_owned())).collect()
}

/// As what a file may be declared.
fn ways(path: &str) -> impl Iterator<Item = String> {
    let stem = path.trim_end_matches(".rs");
    let module = stem.strip_suffix("/mod").unwrap_or(stem).to_owned();
    [module, base(path).to_owned()].into_iter()
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(files: &[(&str, &str)]) -> Vec<String> {
        let file = |&(path, text): &(&str, &str)| TextFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let files: Vec<TextFile> = files.iter().map(file).collect();
        check(&files).into_iter().map(|violation| violation.file).collect()
    }

    #[test]
    fn file_that_no_other_declares_is_named() {
        let files = [
            ("crates/a/src/lib.rs", "mod kept;\n#[cfg(test)]\nmod tests;\n"),
            ("crates/a/src/kept.rs", "pub mod inner;\n// mod lost;\n"),
            ("crates/a/src/kept/inner.rs", ""),
            ("crates/a/src/kept/lost.rs", ""),
            ("crates/a/src/tests.rs", ""),
            ("crates/a/tests/all/main.rs", "mod one;\n"),
            ("crates/a/tests/all/one.rs", ""),
            ("crates/a/tests/all/two.rs", ""),
        ];
        assert_eq!(lost(&files), ["crates/a/src/kept/lost.rs", "crates/a/tests/all/two.rs"]);
    }

    #[test]
    fn what_cargo_finds_by_itself_needs_no_declaration() {
        let files = [
            ("crates/a/build.rs", ""),
            ("crates/a/tests/own.rs", "mod support;\n"),
            ("crates/a/tests/support/mod.rs", ""),
            ("crates/a/examples/own.rs", "#[cfg_attr(x, path = \"own/queue.rs\")]\nmod queue;\n"),
            ("crates/a/examples/own/queue.rs", ""),
            ("examples/b/src/bin/storm.rs", ""),
            ("fuzz/fuzz_targets/decode.rs", ""),
        ];
        assert_eq!(lost(&files), [] as [&str; 0]);
    }
}
