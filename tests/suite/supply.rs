//! The licences of the dependencies, and the banned crates.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The texts in double quotes of a list in deny.toml.
fn list(of: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("deny.toml")).unwrap();
    let (_, rest) = text.split_once(&format!("\n{of} = [")).unwrap();
    let inner = rest.split("\n]").next().unwrap();
    let quoted = inner.split('"').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

/// Name and licence of every crate that is compiled in, tests included. Cargo's
/// own tree is asked, since its metadata names what no feature switches on.
fn crates() -> BTreeSet<(String, String)> {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--edges=normal,build,dev",
            "--prefix=none",
        ])
        .args(["--target=x86_64-unknown-linux-gnu", "--format={p}|{l}"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        tree.status.success(),
        "{}",
        String::from_utf8_lossy(&tree.stderr)
    );
    let lines = String::from_utf8(tree.stdout).unwrap();
    let named = lines.lines().filter_map(|line| {
        let (package, licence) = line.split_once('|')?;
        let licence = licence.trim_end_matches(" (*)");
        Some((package.split(' ').next()?.to_owned(), licence.to_owned()))
    });
    let crates: BTreeSet<_> = named.collect();
    assert!(crates.len() > 200, "only {} crates", crates.len());
    crates
}

/// Whether a licence expression can be met with what is allowed: one of what
/// stands between OR (or the old slash), all of what stands between AND.
fn can_be_met(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ");
    let spaced = spaced.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let met = either(&words, &mut at, allowed);
    assert_eq!(at, words.len(), "not understood: {expression}");
    met
}

fn either(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut met = all(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all(words, at, allowed);
    }
    met
}

fn all(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut met = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at, allowed);
    }
    met
}

fn one(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let word = words.get(*at).expect("a licence");
    *at += 1;
    if *word == "(" {
        let met = either(words, at, allowed);
        assert_eq!(words.get(*at), Some(&")"));
        *at += 1;
        return met;
    }
    let mut licence = (*word).to_owned();
    if words.get(*at) == Some(&"WITH") {
        licence = format!("{licence} WITH {}", words[*at + 1]);
        *at += 2;
    }
    allowed.contains(&licence)
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"];
    let allowed = allowed.map(str::to_owned).into();
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("ISC AND (GPL-3.0 OR MIT)", true),
        ("(ISC OR MIT) AND GPL-3.0", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0", false),
    ] {
        assert_eq!(can_be_met(expression, &allowed), met, "{expression}");
    }
}

#[test]
fn every_licence_is_one_that_is_allowed() {
    let allowed = list("allow");
    assert!(allowed.contains("MIT") && allowed.len() < 15, "{allowed:?}");
    for (name, licence) in crates() {
        assert!(
            can_be_met(&licence, &allowed),
            "{name} is under {licence:?}"
        );
    }
}

#[test]
fn nothing_that_is_banned_is_in_the_tree_and_all_of_it_is_from_one_registry() {
    let banned = list("deny");
    assert!(
        banned.contains("openssl") && banned.contains("ring"),
        "{banned:?}"
    );
    for (name, _) in crates() {
        assert!(!banned.contains(&name), "{name} is banned");
    }
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let sources = lock.lines().filter(|line| line.starts_with("source = "));
    let sources: BTreeSet<&str> = sources.collect();
    assert_eq!(sources.len(), 1, "{sources:?}");
}
