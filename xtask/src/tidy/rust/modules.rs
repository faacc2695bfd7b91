//! The modules of a crate and what each names of the others, read from its files.
//!
//! A name leads to the file that defines it, through the re-exports and imports on its way. Not a
//! compiler: macros are not expanded, a glob leads to the module that it names, and where two
//! items of one name could be meant the module wins.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{self, Token};
use crate::repo::TextFile;

/// A module by its path from the root of its crate: empty for the root.
pub(super) type Path = Vec<String>;

/// How many re-exports a name is followed through.
const HOPS_MAX: usize = 8;

/// A file of a crate.
pub(super) struct Module {
    /// From the root of the repository.
    pub(super) file: String,
    imports: Vec<Import>,
    paths: BTreeSet<Path>,
}

/// A leaf of a `use`.
struct Import {
    /// What it is called here; `*` for a glob.
    name: String,
    path: Path,
}

/// All files of one crate that ship.
pub(super) struct Modules(pub(super) BTreeMap<Path, Module>);

impl Modules {
    /// The crate whose sources are in `folder`, which ends in `src/`.
    pub(super) fn of(folder: &str, files: &[TextFile]) -> Self {
        let inside = files.iter().filter_map(|file| Some((file.path.strip_prefix(folder)?, file)));
        let has_lib = files.iter().any(|file| file.path == format!("{folder}lib.rs"));
        let modules = inside.filter_map(|(path, file)| {
            let path = module_path(path, has_lib)?;
            Some((path, Module::read(file)))
        });
        Self(modules.collect())
    }

    /// What the files name of each other: from, to.
    pub(super) fn edges(&self) -> BTreeSet<(Path, Path)> {
        let mut edges = BTreeSet::new();
        for (from, module) in &self.0 {
            let imported = module.imports.iter().map(|import| &import.path);
            for path in imported.chain(&module.paths) {
                let to = self.resolve(from, path, HOPS_MAX);
                edges.extend(to.filter(|to| to != from).map(|to| (from.clone(), to)));
            }
        }
        edges
    }

    /// The module in which what `path` names in `from` is defined; `None` for another crate's.
    fn resolve(&self, from: &Path, path: &[String], hops: usize) -> Option<Path> {
        let (mut at, mut rest) = self.start(from, path)?;
        while let Some(name) = rest.first() {
            let child = child(&at, name);
            if self.0.contains_key(&child) {
                at = child;
                rest = &rest[1..];
                continue;
            }
            let imports = &self.0.get(&at)?.imports;
            let import = imports.iter().find(|import| import.name == *name && hops > 0);
            let Some(import) = import else { break };
            let onward: Path = import.path.iter().chain(&rest[1..]).cloned().collect();
            return self.resolve(&at, &onward, hops - 1);
        }
        Some(at)
    }

    /// Where a path begins, and what of it remains.
    fn start<'a>(&self, from: &Path, path: &'a [String]) -> Option<(Path, &'a [String])> {
        let first = path.first()?;
        match first.as_str() {
            "crate" => Some((Path::new(), &path[1..])),
            "self" => Some((from.clone(), &path[1..])),
            "super" => {
                let ups = path.iter().take_while(|name| *name == "super").count();
                let up = from.len().checked_sub(ups)?;
                Some((from[..up].to_vec(), &path[ups..]))
            }
            name => {
                let is_ours = self.0.contains_key(&child(from, name)) || self.imports(from, name);
                is_ours.then(|| (from.clone(), path))
            }
        }
    }

    /// Whether `name` is imported in `from` from within the crate.
    fn imports(&self, from: &Path, name: &str) -> bool {
        let imports = self.0.get(from).map_or(&[][..], |module| &module.imports);
        let import = imports.iter().find(|import| import.name == name);
        let is_ours = |first: &String| ["crate", "self", "super"].contains(&first.as_str());
        import.and_then(|import| import.path.first()).is_some_and(|first| {
            is_ours(first) || (first != name && self.0.contains_key(&child(from, first)))
        })
    }
}

impl Module {
    fn read(file: &TextFile) -> Self {
        let tokens = source::shipped(&file.text);
        let mut imports = Vec::new();
        let mut at = 0;
        let mut others = Vec::new();
        while at < tokens.len() {
            let is_use = tokens[at].text == "use" && tokens.get(at + 1).is_some_and(is_start);
            let length = if is_use { source::item_length(&tokens[at..]) } else { 1 };
            match is_use {
                true => import_tree(&tokens[at + 1..at + length], &[], &mut imports),
                false => others.push(tokens[at]),
            }
            at += length;
        }
        Self { file: file.path.clone(), imports, paths: paths(&others) }
    }
}

/// `use` is followed by a name or a brace; in `impl use<'a>` it is not.
fn is_start(token: &Token<'_>) -> bool {
    token.text != "<"
}

/// The leaves of what stands behind `use`.
fn import_tree(tokens: &[Token<'_>], prefix: &[String], imports: &mut Vec<Import>) {
    let (mut path, mut at) = (prefix.to_vec(), 0);
    while let Some(token) = tokens.get(at) {
        match token.text {
            "{" => {
                let end = at + source::item_length(&tokens[at..]).max(1);
                let inner = &tokens[at + 1..(end - 1).max(at + 1)];
                split_list(inner).for_each(|part| import_tree(part, &path, imports));
                return;
            }
            "as" => break,
            "::" | ";" | "}" => {}
            name => path.push(name.to_owned()),
        }
        at += 1;
    }
    let alias = tokens.get(at + 1).filter(|_| at < tokens.len()).map(|token| token.text.to_owned());
    if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
        path.pop();
    }
    let name = alias.or_else(|| path.last().cloned());
    if path.last().is_some_and(|last| last == "*") {
        path.pop();
    }
    imports.extend(name.map(|name| Import { name, path }));
}

/// The parts of a list between its commas, not those within inner braces.
fn split_list<'t, 'a>(tokens: &'t [Token<'a>]) -> impl Iterator<Item = &'t [Token<'a>]> {
    let mut depth = 0_i32;
    let parts = tokens.split(move |token| {
        depth += i32::from(token.text == "{") - i32::from(token.text == "}");
        token.text == "," && depth == 0
    });
    parts.filter(|part| !part.is_empty())
}

/// The paths of two names and more in code.
fn paths(tokens: &[Token<'_>]) -> BTreeSet<Path> {
    let mut paths = BTreeSet::new();
    let mut path = Path::new();
    for (index, token) in tokens.iter().enumerate() {
        let follows = index > 0 && tokens[index - 1].text == "::";
        if token.text == "::" {
            continue;
        }
        if !follows {
            paths.insert(std::mem::take(&mut path));
        }
        path.push(token.text.to_owned());
    }
    paths.insert(path);
    paths.retain(|path| path.len() > 1);
    paths
}

/// `bus/publish.rs` is the module `bus::publish`; `None` for tests and for other binaries.
fn module_path(path: &str, has_lib: bool) -> Option<Path> {
    let stem = path.strip_suffix(".rs")?;
    let mut parts: Path = stem.split('/').map(str::to_owned).collect();
    let is_root = |part: &str| part == "lib" || (part == "main" && !has_lib);
    match parts.as_slice() {
        [root] if is_root(root) => return Some(Path::new()),
        [main] if main == "main" => return None,
        _ => {}
    }
    if parts.iter().any(|part| part == "tests") || parts[0] == "bin" {
        return None;
    }
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    Some(parts)
}

fn child(parent: &[String], name: &str) -> Path {
    let mut path = parent.to_vec();
    path.push(name.to_owned());
    path
}
