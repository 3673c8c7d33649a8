//! The rules of ARCHITECTURE.md, checked against the sources.

mod imports;

use super::golden;
use imports::{Crate, above_tests, circles, rust_files, without_comments};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Source {
    /// Path below the repository, with forward slashes.
    path: String,
    /// The text above the unit tests, without comments.
    code: String,
    /// Lines above the unit tests, comments included.
    lines: usize,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder and the workspace's own dependencies of each package.
fn packages() -> BTreeMap<String, (PathBuf, Vec<String>)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--locked", "--format-version=1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let own = |dependency: &&Value| dependency["path"].is_string() && dependency["kind"].is_null();
    packages
        .iter()
        .map(|package| {
            let manifest = PathBuf::from(text(&package["manifest_path"]));
            let folder = manifest.parent().expect("a folder").to_owned();
            let dependencies = package["dependencies"].as_array().expect("a list");
            let mut own: Vec<String> = dependencies
                .iter()
                .filter(own)
                .map(|it| text(&it["name"]))
                .collect();
            own.sort();
            (text(&package["name"]), (folder, own))
        })
        .collect()
}

fn sources() -> Vec<Source> {
    let files: Vec<PathBuf> = packages()
        .values()
        .flat_map(|(folder, _)| rust_files(&folder.join("src")))
        .filter(|file| {
            !file
                .iter()
                .any(|part| part == "tests" || part == "tests.rs")
        })
        .collect();
    assert!(files.len() > 100, "only {} sources found", files.len());
    files
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(&file).expect("a source can be read");
            let path = file.strip_prefix(root()).expect("below the repository");
            Source {
                path: path.to_string_lossy().replace('\\', "/"),
                code: without_comments(&above_tests(&text)),
                lines: above_tests(&text).lines().count(),
            }
        })
        .collect()
}

/// Files outside `allowed` (by path prefix) whose code holds one of `words`.
/// Each allowed place must exist, so that a rule cannot outlive its file.
fn offenders(words: &[&str], allowed: &[&str]) -> Vec<String> {
    let sources = sources();
    for place in allowed {
        assert!(
            sources.iter().any(|source| source.path.starts_with(place)),
            "no source below {place}: correct the rule"
        );
    }
    sources
        .into_iter()
        .filter(|source| !allowed.iter().any(|place| source.path.starts_with(place)))
        .flat_map(|source| {
            words
                .iter()
                .filter(|word| source.code.contains(**word))
                .map(|word| format!("{}: {word}", source.path))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn must_be_empty(offenders: Vec<String>, instead: &str) {
    assert!(offenders.is_empty(), "{offenders:#?}\n{instead}");
}

#[test]
fn the_diagram_shows_the_imports() {
    let row = |name: &str, targets: Vec<String>| {
        let targets = match targets.is_empty() {
            true => "–".to_owned(),
            false => targets.join(", "),
        };
        format!("{name:<23} ─► {targets}")
    };
    let packages = packages();
    let crates: Vec<String> = packages
        .iter()
        .map(|(name, (_, own))| row(name, own.clone()))
        .collect();
    let layers = Crate::read(&root().join("src")).layers();
    assert!(layers.len() > 10, "only {} modules found", layers.len());
    let sources = sources();
    let uses = |layer: &str, package: &str| {
        let (file, folder) = (format!("src/{layer}.rs"), format!("src/{layer}/"));
        let word = package.replace('-', "_");
        let in_layer = |it: &&Source| it.path == file || it.path.starts_with(&folder);
        let mut sources = sources.iter().filter(in_layer);
        sources.any(|it| it.code.contains(&format!("{word}::")))
    };
    let modules =
        layers
            .iter()
            .filter(|(module, _)| *module != "crate")
            .map(|(module, targets)| {
                let crates = packages.keys().filter(|it| uses(module, it));
                row(module, targets.iter().chain(crates).cloned().collect())
            });
    let diagram: Vec<String> = crates
        .into_iter()
        .chain([String::new()])
        .chain(modules)
        .collect();
    golden::compare_part(
        &root().join("ARCHITECTURE.md"),
        "imports",
        &format!("```text\n{}\n```", diagram.join("\n")),
    );
}

#[test]
fn imports_go_one_way() {
    let circles: BTreeMap<_, _> = packages()
        .into_iter()
        .map(|(name, (folder, _))| {
            let imports = Crate::read(&folder.join("src")).imports();
            assert!(!imports.is_empty(), "no file of {name} was read");
            (name, circles(&imports))
        })
        .filter(|(_, circles)| !circles.is_empty())
        .collect();
    assert!(
        circles.is_empty(),
        "files that import each other: {circles:#?}\nmove what both need into a file of its own"
    );
}

#[test]
fn microsofts_words_stay_in_the_graph_module() {
    let simulator = "crates/graph-simulator/";
    must_be_empty(
        offenders(
            &[
                "controlStateUpdates",
                "controlScores",
                "averageComparativeScores",
                "azureTenantId",
            ],
            &[
                "src/graph/wire.rs",
                simulator,
                "crates/exposition/src/catalogue",
            ],
        ),
        "Graph's field names are read in src/graph/wire.rs",
    );
    must_be_empty(
        offenders(
            &["\"ignored\"", "\"Ignored\""],
            // A comment that is one of Graph's words is no reason.
            &[
                "src/graph/translate.rs",
                "crates/model/src/state_update.rs",
                simulator,
            ],
        ),
        "src/graph/translate.rs translates the state; elsewhere it is ControlState::RiskAccepted",
    );
}

/// What the files below a place must not name, and what to do instead.
const FORBIDDEN: [(&[&str], &[&str], &str); 7] = [
    (
        &["src/http/", "src/http_types/", "src/views/", "src/api/"],
        &["crate::graph", "crate::config", "reqwest"],
        "a scrape shows what the store holds; refresh requests more from Graph",
    ),
    (
        &["src/http/"],
        &[
            "crate::refresh::{",
            "crate::refresh::Fleet",
            "crate::refresh::refresh_all_once",
        ],
        "refresh::OnDemandRefresh is all that http needs of refresh",
    ),
    (
        &["src/http_types/", "src/views/", "src/api/"],
        &["crate::http::", "crate::refresh"],
        "http routes to views and api; what they share with it is in http_types",
    ),
    (
        &["src/http_types/"],
        &["crate::views", "crate::api"],
        "views and api use http_types",
    ),
    (
        &["src/graph/"],
        &["crate::store", "secure_score_exposition", "crate::refresh"],
        "graph returns its answers to refresh",
    ),
    (
        &["src/events/"],
        &[
            "crate::graph",
            "crate::store",
            "crate::refresh",
            "crate::http::",
            "crate::http_types",
        ],
        "events follow from the model; pass in what they need",
    ),
    (
        &["src/tsdb/"],
        &["crate::graph", "crate::config", "secure_score_model"],
        "tsdb writes and queries samples of any kind",
    ),
];

#[test]
fn layers_do_not_reach_past_their_neighbours() {
    for (places, words, instead) in FORBIDDEN {
        let found = offenders(words, &[])
            .into_iter()
            .filter(|it| places.iter().any(|place| it.starts_with(place)));
        must_be_empty(found.collect(), instead);
    }
}

#[test]
fn a_request_reaches_the_store_as_its_client_sees_it() {
    let places = ["src/http/", "src/views/", "src/api/"];
    let whole = [
        "src/http/visibility.rs",
        "src/http/scrape.rs",
        "src/http/compressor.rs",
    ];
    let words = ["store.current()", "store.partners()", "VisibleStore::new"];
    let found = offenders(&words, &whole)
        .into_iter()
        .filter(|it| places.iter().any(|place| it.starts_with(place)));
    must_be_empty(
        found.collect(),
        "use the VisibleStore of the request, which holds the tenants of its client only",
    );
}

#[test]
fn each_library_has_one_home() {
    must_be_empty(
        offenders(
            &["reqwest"],
            &[
                "src/graph/",
                "src/credentials/",
                "src/http_client/",
                "src/events/webhook.rs",
                "src/tsdb/",
            ],
        ),
        "talk to Microsoft from src/graph and src/credentials, to the webhook's receiver from src/events/webhook.rs, and to a time series database from src/tsdb: they share neither connections nor credentials",
    );
    must_be_empty(
        offenders(&["prost", "snap::"], &["src/tsdb/write.rs"]),
        "the remote-write protocol is encoded in src/tsdb/write.rs",
    );
    must_be_empty(
        offenders(
            &["hyper::", "hyper_util::"],
            &[
                "src/http/",
                "src/http_types/",
                "src/api/",
                // The rules by which the HTTP client chooses a proxy, and its errors.
                "src/http_client/proxy.rs",
                "src/http_client/transport_error.rs",
                "crates/graph-simulator/",
                "crates/alert-inbox/",
                "crates/exporter-web-config/",
            ],
        ),
        "serve HTTP from src/http, the simulator or the inbox; src/http_types and src/api build responses",
    );
    must_be_empty(
        offenders(&["prometheus::"], &["src/telemetry"]),
        "the exporter's own metrics live in src/telemetry",
    );
}

#[test]
fn secrets_are_exposed_in_few_places() {
    must_be_empty(
        offenders(
            &[".expose()", "expose_secret()"],
            &[
                "src/credentials/client_secret.rs",
                "src/credentials/workload_identity.rs",
                "src/credentials/keystore.rs",
                "src/credentials/decrypted_keys.rs",
                "src/commands/privacy.rs",
                "src/config_values/secret.rs",
                "src/config/events.rs",
                "src/events/webhook.rs",
            ],
        ),
        "a secret is exposed where the token request is built, a password where it decrypts a private key, the salt where names are hashed, and the webhook's URL where it is checked and where events are posted",
    );
}

#[test]
fn no_state_is_global() {
    // The allocator is in lib.rs, beside modules only.
    must_be_empty(
        offenders(&[" static ", "\nstatic ", "thread_local!"], &["src/lib.rs"]),
        "give the value an owner, and pass it on",
    );
}

#[test]
fn printing_and_exiting_have_their_places() {
    must_be_empty(
        offenders(
            &["println!", "eprintln!", "print!("],
            &["src/diagnostics.rs", "src/commands/"],
        ),
        "log, or return what is to be printed",
    );
    must_be_empty(
        offenders(&["process::exit"], &[]),
        "return an error; main maps it to an exit code",
    );
}

#[test]
fn the_model_reads_no_clock() {
    let clocks = offenders(&["::now()", "tokio"], &[])
        .into_iter()
        .filter(|offender| offender.starts_with("crates/model/"))
        .collect();
    must_be_empty(clocks, "crates/model takes `now` as an argument");
}

#[test]
fn files_can_be_read_in_one_sitting() {
    let long: Vec<String> = sources()
        .into_iter()
        .filter(|source| source.lines > 420)
        .map(|source| format!("{}: {} lines", source.path, source.lines))
        .collect();
    must_be_empty(long, "give the second noun in it a file of its own");
}
