//! The guide of CONTRIBUTING.md that adds a metric family, applied to a copy of
//! the sources.

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the copy needs to compile the library with its unit tests.
const SOURCES: [&str; 20] = [
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "alerts",
    "benches",
    "build.rs",
    "clippy.toml",
    "crates",
    "docs/acceptances.md",
    "docs/decisions.md",
    "docs/partners.md",
    "docs/permissions.md",
    "docs/reference/configuration.md",
    "docs/reference/entra-errors.md",
    "docs/reliability.md",
    "docs/runbooks",
    "examples",
    "rust-toolchain.toml",
    "src",
    "tests/suite/main.rs",
];

/// Files by hand, including test and changelog.
const MAX_FILES: usize = 6;

/// A unit test of the copy: the family is in the reference page, and has the
/// values of a scenario.
const CHECK: &str = r##"
use crate::config::TenantRules;
use crate::graph::read_catalogue;
use secure_score_exposition::{Chunk, Format, Policy, FamilyHeaders, assemble, reference, render_data};
use secure_score_model::{CategoryPins, TenantIdentity, TenantSnapshot};

#[test]
fn the_family_is_documented_and_exported() {
    let row = "| `secure_score_control_rank` | gauge | `control`, `category` | yes |";
    assert!(reference(&[]).contains(row), "{}", reference(&[]));
    let body = std::fs::read(env!("GUIDE_SCENARIO")).unwrap();
    let catalogue = read_catalogue(&body).unwrap();
    let mut pins = CategoryPins::default();
    pins.learn(&catalogue);
    let snapshot = TenantSnapshot::join(Some(&catalogue), None, &pins, &TenantRules::default());
    let data = render_data(&TenantIdentity::new("contoso"), &snapshot, &Policy::default());
    let health = Chunk::default();
    let body = assemble(&FamilyHeaders::default(), Format::Text, std::iter::once((&data, &health))).concat();
    let body = String::from_utf8(body).unwrap();
    let series = "secure_score_control_rank{tenant=\"contoso\",control=\"Untouched\",category=\"Identity\"} 10\n";
    assert!(body.contains(series), "{body}");
}
"##;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(path: &Path, all: &mut Vec<PathBuf>) {
    match path.is_dir() {
        false => all.push(path.to_owned()),
        true => {
            let entries = fs::read_dir(path).expect("the folder can be listed");
            for entry in entries {
                files(&entry.expect("the folder can be listed").path(), all);
            }
        }
    }
}

/// The files of the copy before the guide is applied, by path.
fn sources() -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = Vec::new();
    for part in SOURCES {
        files(&root().join(part), &mut all);
    }
    let relative = |file: PathBuf| file.strip_prefix(root()).expect("below").to_owned();
    all.into_iter()
        .map(|file| (relative(file.clone()), fs::read(file).expect("readable")))
        .collect()
}

/// A change of a file: the text to be found, and the text in its place.
struct Hunk {
    file: PathBuf,
    old: String,
    new: String,
}

/// The changes in the `diff` blocks of a section. A block is indented by three
/// spaces, as part of a list.
fn hunks(section: &str) -> Vec<Hunk> {
    let page = fs::read_to_string(root().join("CONTRIBUTING.md")).expect("readable");
    let (_, rest) = page
        .split_once(&format!("\n## {section}\n"))
        .unwrap_or_else(|| panic!("CONTRIBUTING.md has no section {section}"));
    let section = rest.split("\n## ").next().unwrap_or_default();
    let mut hunks: Vec<Hunk> = Vec::new();
    for block in section.split("```diff\n").skip(1) {
        // The closing fence is indented, too.
        let block = block.split("```").next().unwrap_or_default().trim_end();
        let mut file = PathBuf::new();
        for line in block.lines() {
            let line = line.strip_prefix("   ").unwrap_or(line);
            if let Some(path) = line.strip_prefix("+++ ") {
                file = path.into();
                continue;
            }
            if line == "@@" {
                hunks.push(Hunk {
                    file: file.clone(),
                    old: String::new(),
                    new: String::new(),
                });
                continue;
            }
            let Some(hunk) = hunks.last_mut() else {
                continue;
            };
            let (kind, text) = line.split_at_checked(1).unwrap_or((" ", ""));
            if kind != "+" {
                hunk.old += &format!("{text}\n");
            }
            if kind != "-" {
                hunk.new += &format!("{text}\n");
            }
        }
    }
    hunks
}

fn apply(hunks: &[Hunk], files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for Hunk { file, old, new } in hunks {
        let name = file.display();
        let bytes = files.get_mut(file);
        let bytes = bytes.unwrap_or_else(|| panic!("CONTRIBUTING.md changes {name}: no such file"));
        let text = String::from_utf8(bytes.clone()).expect("a source is UTF-8");
        let found = text.matches(old.as_str()).count();
        assert_eq!(
            found, 1,
            "{name}: the guide of CONTRIBUTING.md no longer fits; it expects once:\n{old}"
        );
        *bytes = text.replace(old, new).into_bytes();
    }
}

/// Gives the packages of the copy versions of their own. Cargo tells packages
/// of two checkouts in one target directory apart by nothing else: their paths
/// count relative to the workspace.
fn set_versions(files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    let version = Regex::new(r#"(?m)^version = "([^"]+)""#).expect("a valid expression");
    for (path, bytes) in files {
        let name = path.file_name().unwrap_or_default();
        let text = String::from_utf8_lossy(bytes).into_owned();
        let own = |block: &str| match block.contains("\nsource = ") {
            true => block.to_owned(),
            false => version
                .replace(block, "version = \"$1+guide\"")
                .into_owned(),
        };
        let text = if name == "Cargo.lock" {
            let blocks: Vec<String> = text.split("[[package]]").map(own).collect();
            blocks.join("[[package]]")
        } else if name == "Cargo.toml" {
            version
                .replace(&text, "version = \"$1+guide\"")
                .into_owned()
        } else {
            continue;
        };
        *bytes = text.into_bytes();
    }
}

/// Makes the folder hold these files. A file that is the same keeps its time,
/// so that Cargo does not compile it again.
fn sync(folder: &Path, wanted: &BTreeMap<PathBuf, Vec<u8>>) {
    fs::create_dir_all(folder).expect("the folder can be created");
    let mut there = Vec::new();
    files(folder, &mut there);
    for file in there {
        let relative = file.strip_prefix(folder).expect("below");
        if !wanted.contains_key(relative) {
            fs::remove_file(&file).expect("the file can be removed");
        }
    }
    for (path, bytes) in wanted {
        let file = folder.join(path);
        if fs::read(&file).is_ok_and(|it| it == *bytes) {
            continue;
        }
        fs::create_dir_all(file.parent().expect("a parent")).expect("the folder can be created");
        fs::write(file, bytes).expect("the file can be written");
    }
}

#[test]
fn the_guide_adds_a_family_with_six_files() {
    let hunks = hunks("Add a metric family");
    let changed: BTreeSet<&Path> = hunks.iter().map(|hunk| hunk.file.as_path()).collect();
    assert!(changed.contains(Path::new("CHANGELOG.md")), "{changed:?}");
    assert_eq!(changed.len(), MAX_FILES, "{changed:?}");

    let mut files = sources();
    apply(&hunks, &mut files);
    set_versions(&mut files);
    let library = files.get_mut(Path::new("src/lib.rs")).expect("src/lib.rs");
    library.extend(b"#[cfg(test)]\nmod guide_check;\n");
    files.insert("src/guide_check.rs".into(), CHECK.into());
    let target_tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let copy = target_tmp.join("guide");
    sync(&copy, &files);

    // The dependencies are compiled there already.
    let target = target_tmp.parent().expect("the target directory");
    let scenario = root().join("tests/scenarios/states/graph/secureScoreControlProfiles.json");
    let tested = Command::new(env!("CARGO"))
        .args(["test", "--offline", "--locked", "--lib"])
        .args(["--package", "secure-score-exporter", "--"])
        .args(["guide_check", "graph::translate"])
        .current_dir(&copy)
        .env("CARGO_TARGET_DIR", target)
        .env("GUIDE_SCENARIO", scenario)
        .output()
        .expect("cargo runs");
    let output = [tested.stdout, tested.stderr].concat();
    let output = String::from_utf8_lossy(&output);
    assert!(tested.status.success(), "{output}");
    for test in [
        "the_family_is_documented_and_exported",
        "a_rank_below_one_is_left_out_and_counted",
    ] {
        assert!(output.contains(&format!("{test} ... ok")), "{output}");
    }
}
