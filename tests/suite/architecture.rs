//! The rules of ARCHITECTURE.md, held against the sources.

use std::fs;
use std::path::{Path, PathBuf};

struct Source {
    /// Path below `src`, with forward slashes.
    path: String,
    /// The text above the unit tests, without comments.
    code: String,
    /// Lines above the unit tests, comments included.
    lines: usize,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 40, "only {} sources found", files.len());
    files
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(&file).expect("a source can be read");
            let path = file.strip_prefix(&root).expect("it is below src");
            Source {
                path: path.to_string_lossy().replace('\\', "/"),
                code: code(&text),
                lines: above_tests(&text).lines().count(),
            }
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src can be listed") {
        let path = entry.expect("src can be listed").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            files.push(path);
        }
    }
}

fn above_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

fn code(text: &str) -> String {
    above_tests(text)
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect()
}

/// Files outside `allowed` (by path prefix) whose code holds one of `words`.
fn offenders(words: &[&str], allowed: &[&str]) -> Vec<String> {
    sources()
        .into_iter()
        .filter(|source| !allowed.iter().any(|place| source.path.starts_with(place)))
        .flat_map(|source| {
            words
                .iter()
                .filter(|word| source.code.contains(**word))
                .map(|word| format!("src/{}: {word}", source.path))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn must_be_empty(offenders: Vec<String>, instead: &str) {
    assert!(offenders.is_empty(), "{offenders:#?}\n{instead}");
}

/// Files below `place` whose code holds one of `words`.
fn offenders_in(place: &str, words: &[&str]) -> Vec<String> {
    offenders(words, &[])
        .into_iter()
        .filter(|offender| offender.starts_with(&format!("src/{place}")))
        .collect()
}

#[test]
fn the_model_knows_nobody() {
    must_be_empty(
        offenders_in(
            "model/",
            &[
                "crate::config",
                "crate::graph",
                "crate::store",
                "serde",
                "tokio",
                "::now()",
            ],
        ),
        "src/model is std only: hand values and `now` in as arguments",
    );
}

#[test]
fn microsofts_words_stay_in_the_graph_module() {
    must_be_empty(
        offenders(
            &[
                "controlStateUpdates",
                "controlScores",
                "averageComparativeScores",
                "azureTenantId",
            ],
            &["graph/wire.rs", "exposition/catalogue"],
        ),
        "field names of Graph's are read in graph/wire.rs",
    );
    must_be_empty(
        offenders(&["\"ignored\"", "\"Ignored\""], &["graph/translate.rs"]),
        "the state is translated in graph/translate.rs; elsewhere it is ControlState::RiskAccepted",
    );
}

#[test]
fn the_web_cannot_reach_graph() {
    must_be_empty(
        offenders_in("http/", &["crate::graph", "crate::config", "reqwest"]),
        "a scrape shows what the store holds; ask refresh for more",
    );
    must_be_empty(
        offenders_in(
            "http/",
            &[
                "crate::refresh::{",
                "crate::refresh::Fleet",
                "crate::refresh::FleetOptions",
                "crate::refresh::once",
            ],
        ),
        "refresh::OnDemandRefresh is all that web knows of refreshing",
    );
    must_be_empty(
        offenders_in(
            "exposition/",
            &["crate::graph", "crate::config", "crate::store"],
        ),
        "exposition turns a model into bytes and knows nothing else",
    );
    must_be_empty(
        offenders_in(
            "graph/",
            &["crate::store", "secure_score_exposition", "crate::refresh"],
        ),
        "graph hands its answers back to who asked",
    );
    must_be_empty(
        offenders_in(
            "events/",
            &[
                "crate::graph",
                "crate::store",
                "crate::refresh",
                "crate::http",
            ],
        ),
        "events are found in a model and told; hand in what they need",
    );
}

#[test]
fn each_library_has_one_home() {
    must_be_empty(
        offenders(
            &["reqwest"],
            &[
                "graph/",
                "credentials/",
                "http_client.rs",
                "events/webhook.rs",
                "tsdb/",
            ],
        ),
        "talk to Microsoft from graph, to whoever wants events from events/webhook, and to somebody's time series database from tsdb, which shares neither pools nor credentials with them",
    );
    must_be_empty(
        offenders(&["prost", "snap::"], &["tsdb/write.rs"]),
        "the remote-write protocol is spoken in tsdb/write",
    );
    must_be_empty(
        offenders_in(
            "tsdb/",
            &["crate::graph", "crate::config", "secure_score_model"],
        ),
        "tsdb takes samples and answers questions, of whatever they may be",
    );
    must_be_empty(
        offenders(&["hyper::", "hyper_util::"], &["http/"]),
        "serve from web",
    );
    must_be_empty(
        offenders(&["prometheus::"], &["telemetry"]),
        "the exporter's own metrics live in telemetry",
    );
}

#[test]
fn secrets_leave_by_few_doors() {
    must_be_empty(
        offenders(
            &[".expose()", "expose_secret()"],
            &[
                "credentials/client_secret.rs",
                "credentials/workload_identity.rs",
                "credentials/keystore.rs",
                "credentials/decrypted_keys.rs",
                "commands/persons.rs",
                "config_values/secret.rs",
                "config/events.rs",
                "events/webhook.rs",
            ],
        ),
        "a secret is exposed where the token request is built, a password where it opens a private key, the salt where names are hashed, and the webhook's URL where it is checked and where it is posted to",
    );
}

#[test]
fn printing_and_exiting_have_their_places() {
    must_be_empty(
        offenders(
            &["println!", "eprintln!", "print!("],
            &["diagnostics.rs", "commands/"],
        ),
        "log, or return what is to be printed",
    );
    must_be_empty(
        offenders(&["process::exit"], &[]),
        "return an error; main maps it to an exit code",
    );
}

#[test]
fn files_can_be_read_in_one_sitting() {
    let long: Vec<String> = sources()
        .into_iter()
        .filter(|source| source.lines > 420)
        .map(|source| format!("src/{}: {} lines", source.path, source.lines))
        .collect();
    must_be_empty(long, "give the second noun in it a file of its own");
}
