//! Which file of a crate imports from which other file of it.
//!
//! The sources are read as text: comments and unit tests are removed, `use`
//! trees are expanded, and names that a module re-exports are followed to the
//! file that defines them.

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module path below the crate root, `["http", "views"]`. The root is empty.
type Module = Vec<String>;

/// The source of one file, above its unit tests, without comments and `use`.
struct Source {
    code: String,
    /// Paths of the `use` declarations; `true` for re-exports.
    uses: Vec<(Vec<String>, String, bool)>,
}

/// The files of one crate and the imports between them.
pub(super) struct Crate {
    files: BTreeMap<Module, Source>,
}

impl Crate {
    /// Reads every file below `folder`, the crate's `src`.
    pub(super) fn read(folder: &Path) -> Self {
        let files = rust_files(folder)
            .into_iter()
            .filter_map(|file| {
                let module = module_of(file.strip_prefix(folder).expect("below the folder"))?;
                let code = without_comments(&above_tests(&fs::read_to_string(&file).unwrap()));
                let uses = use_declarations(&code);
                let code = use_declaration().replace_all(&code, "").into_owned();
                Some((module, Source { code, uses }))
            })
            .collect();
        Self { files }
    }

    /// The imports from file to file, by module path.
    ///
    /// A file's own folder does not count: what `mod.rs` declares belongs to
    /// the whole folder, and what it re-exports is only a shorter path.
    pub(super) fn imports(&self) -> BTreeMap<String, BTreeSet<String>> {
        let edges = |module: &Module, source: &Source| {
            self.paths(module, source)
                .iter()
                .filter_map(|path| self.definition(module, path, 0))
                .filter(|target| !module.starts_with(target))
                .map(|target| name(&target))
                .collect()
        };
        let files = self.files.iter();
        files
            .map(|(module, source)| (name(module), edges(module, source)))
            .collect()
    }

    /// The imports between the modules right below the crate root.
    pub(super) fn layers(&self) -> BTreeMap<String, BTreeSet<String>> {
        let layer = |module: &str| module.split("::").next().unwrap_or(module).to_owned();
        let mut layers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, targets) in self.imports() {
            let from = layer(&from);
            let targets = targets.iter().map(|to| layer(to)).filter(|to| *to != from);
            layers.entry(from.clone()).or_default().extend(targets);
        }
        layers
    }

    /// Every path the file names, relative ones made absolute.
    fn paths(&self, module: &Module, source: &Source) -> BTreeSet<Vec<String>> {
        let inline = Regex::new(r"\b(?:crate|super|self)(?:::[A-Za-z_][A-Za-z0-9_]*)+").unwrap();
        let inline = inline
            .find_iter(&source.code)
            .map(|found| found.as_str().split("::").map(str::to_owned).collect());
        let declared = source
            .uses
            .iter()
            .filter(|(_, _, exported)| !exported)
            .map(|(path, _, _)| path.clone());
        let children = self.children(module).into_iter().flat_map(|child| {
            let path = Regex::new(&format!(
                r"(?:^|[^:\w]){child}(?:::[A-Za-z_][A-Za-z0-9_]*)+"
            ))
            .unwrap();
            let text = &source.code;
            path.find_iter(text)
                .map(|found| {
                    let path = found
                        .as_str()
                        .trim_start_matches(|c: char| !c.is_alphabetic() && c != '_');
                    path.split("::").map(str::to_owned).collect()
                })
                .collect::<Vec<Vec<String>>>()
        });
        inline
            .chain(declared)
            .chain(children)
            .filter_map(|path| self.absolute(module, path))
            .collect()
    }

    fn children(&self, module: &Module) -> Vec<&str> {
        self.files
            .keys()
            .filter(|it| it.len() == module.len() + 1 && it.starts_with(module))
            .filter_map(|it| it.last().map(String::as_str))
            .collect()
    }

    /// The path from the crate root; nothing for a path into another crate.
    fn absolute(&self, module: &Module, path: Vec<String>) -> Option<Vec<String>> {
        let mut segments = path.into_iter().peekable();
        let mut base = match segments.peek()?.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => module.clone(),
            child if self.children(module).contains(&child) => {
                let mut path = module.clone();
                path.extend(segments);
                return Some(path);
            }
            _ => return None,
        };
        while let Some(first) =
            segments.next_if(|it| matches!(it.as_str(), "crate" | "self" | "super"))
        {
            if first == "super" {
                base.pop();
            }
        }
        base.extend(segments);
        Some(base)
    }

    /// The module whose file defines what `path` names, re-exports followed.
    fn definition(&self, user: &Module, path: &[String], depth: usize) -> Option<Module> {
        let mut module: Module = Vec::new();
        let mut rest = path;
        while let [first, others @ ..] = rest {
            let mut deeper = module.clone();
            deeper.push(first.clone());
            if !self.files.contains_key(&deeper) {
                break;
            }
            module = deeper;
            rest = others;
        }
        let source = self.files.get(&module)?;
        let Some(item) = rest.first() else {
            return Some(module);
        };
        if module != *user && depth < 8 {
            let exported = source
                .uses
                .iter()
                .find(|(_, name, public)| *public && name == item);
            if let Some((path, _, _)) = exported {
                let path = self.absolute(&module, path.clone())?;
                return self.definition(&module, &path, depth + 1);
            }
        }
        Some(module)
    }
}

/// The files that reach themselves by their imports, with the imports that
/// lead back; empty where there is no circle.
pub(super) fn circles(
    imports: &BTreeMap<String, BTreeSet<String>>,
) -> BTreeMap<String, BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> = imports
        .keys()
        .map(|file| (file, reachable(file, imports)))
        .collect();
    let leads_back =
        |from: &String, to: &String| reached.get(to).is_some_and(|it| it.contains(from));
    imports
        .iter()
        .map(|(file, targets)| {
            let circle = targets.iter().filter(|to| leads_back(file, to));
            (file.clone(), circle.cloned().collect::<BTreeSet<_>>())
        })
        .filter(|(_, circle)| !circle.is_empty())
        .collect()
}

fn reachable<'a>(
    file: &'a String,
    imports: &'a BTreeMap<String, BTreeSet<String>>,
) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&String> = imports[file].iter().collect();
    while let Some(file) = next.pop() {
        if reached.insert(file) {
            next.extend(&imports[file]);
        }
    }
    reached
}

/// Every Rust file below `folder`.
pub(super) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            files.push(path);
        }
    }
    files
}

/// The text above the unit tests.
pub(super) fn above_tests(text: &str) -> String {
    text.split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or(text)
        .to_owned()
}

pub(super) fn without_comments(text: &str) -> String {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect()
}

/// `http/views/tenant.rs` is `http::views::tenant`; `main.rs` is a crate of
/// its own, and files of `tests` are tests.
fn module_of(path: &Path) -> Option<Module> {
    let mut module: Module = path
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    match module.last().map(String::as_str) {
        Some("main") => return None,
        Some("mod" | "lib") => {
            module.pop();
        }
        _ => {}
    }
    (!module.iter().any(|part| part == "tests")).then_some(module)
}

fn name(module: &Module) -> String {
    match module.is_empty() {
        true => "crate".to_owned(),
        false => module.join("::"),
    }
}

fn use_declaration() -> Regex {
    Regex::new(r"(?ms)^\s*(pub(?:\([a-z]+\))? )?use ([^;]+);").unwrap()
}

/// The paths of every `use` declaration, with the name each is known by and
/// whether it is a re-export.
fn use_declarations(code: &str) -> Vec<(Vec<String>, String, bool)> {
    let mut all = Vec::new();
    for found in use_declaration().captures_iter(code) {
        let tree: String = found[2].split_whitespace().collect::<Vec<_>>().join(" ");
        expand(&tree, &[], found.get(1).is_some(), &mut all);
    }
    all
}

fn expand(tree: &str, prefix: &[String], public: bool, all: &mut Vec<(Vec<String>, String, bool)>) {
    let tree = tree.trim();
    if let Some(open) = tree.find('{') {
        let mut path = prefix.to_vec();
        path.extend(segments(&tree[..open]));
        let inner = tree[open + 1..].trim_end().trim_end_matches('}');
        let closing = tree.trim_end().len() - 1;
        let inner = if tree.trim_end().ends_with('}') {
            &tree[open + 1..closing]
        } else {
            inner
        };
        for part in split_outside_braces(inner) {
            expand(&part, &path, public, all);
        }
        return;
    }
    let (path, alias) = match tree.split_once(" as ") {
        Some((path, alias)) => (path, Some(alias.trim().to_owned())),
        None => (tree, None),
    };
    let mut full = prefix.to_vec();
    full.extend(segments(path));
    if full.last().is_some_and(|last| last == "self") && full.len() > 1 {
        full.pop();
    }
    if let Some(last) = full.last().cloned() {
        all.push((full, alias.unwrap_or(last), public));
    }
}

fn segments(path: &str) -> impl Iterator<Item = String> {
    path.split("::")
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .into_iter()
}

fn split_outside_braces(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("never empty").push(c);
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}
