//! The structure of the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The modules that each module names, above its unit tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = fs::read_dir(sources)
        .unwrap()
        .map(|file| file.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|kind| kind == "rs"));
    let module = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        assert!(!code.contains("super::"), "{}: use crate::", path.display());
        let paths = code.split("crate::").skip(1);
        let names = paths.map(|path| path.split(|c: char| !c.is_alphanumeric() && c != '_'));
        let names = names.map(|mut words| words.next().unwrap().to_owned());
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, names.collect())
    };
    files.map(|path| module(&path)).collect()
}

#[test]
fn no_modules_depend_on_each_other() {
    let mut left = dependencies();
    assert!(
        left.len() > 30 && left["list_reply"].contains("corrupt"),
        "{left:?}"
    );
    left.remove("lib");
    while let Some(name) = left
        .iter()
        .find(|(_, uses)| uses.iter().all(|used| !left.contains_key(used)))
        .map(|(name, _)| name.clone())
    {
        left.remove(&name);
    }
    assert!(left.is_empty(), "these modules form a cycle: {left:#?}");
}
