//! A hundred thousand random histories, checked by a second implementation.
//!
//! Each is a list of updates as Graph might send it: out of order, with missing
//! and equal dates, repeated states, words in any case and unknown words. The
//! simulator serves them as JSON, and the test reads them from the metrics.

use crate::world::World;
use graph_simulator::Options;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

const HISTORIES: usize = 100_000;
/// The maximum size of a catalogue.
const CATALOGUE: usize = 5_000;
const PAGE: usize = 1_000;
const LOOKBACK: usize = 3;

/// Graph's words with the portal's; the last one is unknown.
const WORDS: [(&str, &str); 9] = [
    ("Default", "to_address"),
    ("default", "to_address"),
    ("Ignored", "risk_accepted"),
    ("ignore", "risk_accepted"),
    ("IGNORED", "risk_accepted"),
    ("ThirdParty", "third_party"),
    ("Reviewed", "alternate_mitigation"),
    ("Planned", "planned"),
    ("Postponed", "unknown"),
];

/// One update: the index of its word, and its day.
#[derive(Debug, Clone, Copy)]
struct Update {
    word: usize,
    day: Option<u8>,
}

impl Update {
    fn random(random: &mut fastrand::Rng) -> Self {
        Self {
            word: random.usize(..WORDS.len()),
            day: (random.u8(..8) > 0).then(|| random.u8(1..=28)),
        }
    }

    fn state(self) -> &'static str {
        WORDS[self.word].1
    }

    fn json(self) -> Value {
        json!({
            "state": WORDS[self.word].0,
            "updatedDateTime": self.day.map(|day| format!("2026-10-{day:02}T12:00:00Z")),
            "updatedBy": self.day.map(|_| "alex@contoso.example"),
            "comment": null,
            "assignedTo": null,
        })
    }
}

/// The expected metrics of a control.
#[derive(Debug, PartialEq)]
struct Expected {
    state: String,
    accepted: bool,
    acceptances: usize,
    in_lookback: Option<bool>,
}

/// The rules in their simplest form: updates without a day first, then day by
/// day, each state that differs from the one before is a change.
fn expected(updates: &[Update]) -> Expected {
    let mut changes: Vec<&str> = Vec::new();
    for day in std::iter::once(None).chain((1..=28).map(Some)) {
        for update in updates.iter().filter(|update| update.day == day) {
            if changes.last() != Some(&update.state()) {
                changes.push(update.state());
            }
        }
    }
    let untouched = |update: &Update| update.day.is_none() && update.state() == "to_address";
    if updates.iter().all(untouched) {
        changes.clear();
    }
    let accepted = |state: &&&str| **state == "risk_accepted";
    let now = changes.last().copied().unwrap_or("to_address");
    Expected {
        state: now.to_owned(),
        accepted: now == "risk_accepted",
        acceptances: changes.iter().filter(accepted).count(),
        in_lookback: (!changes.is_empty()).then(|| {
            changes
                .iter()
                .rev()
                .take(LOOKBACK)
                .any(|state| accepted(&state))
        }),
    }
}

/// Writes a catalogue, page by page.
fn write(histories: &[Vec<Update>], folder: &Path) {
    for (number, page) in histories.chunks(PAGE).enumerate() {
        let controls = page.iter().enumerate().map(|(place, updates)| {
            json!({
                "id": format!("control{}", number * PAGE + place),
                "azureTenantId": "11111111-2222-4333-8444-555555555555",
                "controlCategory": "Identity",
                "title": "A control",
                "service": "AzureAD",
                "maxScore": 5,
                "controlStateUpdates": updates.iter().map(|it| it.json()).collect::<Vec<_>>(),
            })
        });
        let answer = json!({"value": controls.collect::<Vec<_>>()});
        let file = folder.join(format!("secureScoreControlProfiles-{number:03}.json"));
        fs::write(file, answer.to_string()).unwrap();
    }
    fs::write(
        folder.join("secureScores.json"),
        json!({"value": []}).to_string(),
    )
    .unwrap();
}

/// The value of a label in one line.
fn label<'a>(line: &'a str, name: &str) -> &'a str {
    let (_, rest) = line.split_once(&format!("{name}=\"")).unwrap();
    rest.split('"').next().unwrap()
}

/// The metrics by control.
fn shown(metrics: &str) -> HashMap<&str, Expected> {
    let mut shown: HashMap<&str, Expected> = HashMap::new();
    for line in metrics
        .lines()
        .filter(|line| line.contains("control=\"control"))
    {
        let name = line.split('{').next().unwrap();
        let number: usize = line.rsplit(' ').next().unwrap().parse().unwrap_or(0);
        let control = shown.entry(label(line, "control")).or_insert(Expected {
            state: String::new(),
            accepted: false,
            acceptances: 0,
            in_lookback: None,
        });
        match name {
            "secure_score_control_state" => control.state = label(line, "state").to_owned(),
            "secure_score_control_risk_accepted" => control.accepted = number == 1,
            "secure_score_control_risk_acceptances" => control.acceptances = number,
            "secure_score_control_risk_accepted_in_lookback" => {
                control.in_lookback = Some(number == 1);
            }
            _ => {}
        }
    }
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn random_histories_give_the_expected_metrics() {
    let mut random = fastrand::Rng::with_seed(20_261_123);
    let histories: Vec<Vec<Update>> = (0..HISTORIES)
        .map(|_| {
            let length = random.usize(..8);
            (0..length).map(|_| Update::random(&mut random)).collect()
        })
        .collect();
    for catalogue in histories.chunks(CATALOGUE) {
        check_metrics(catalogue).await;
    }
}

async fn check_metrics(histories: &[Vec<Update>]) {
    let folder = tempfile::tempdir().unwrap();
    write(histories, folder.path());

    let world = World::with(Options {
        replay: Some(folder.path().to_owned()),
        ..Options::default()
    })
    .await
    .configure(|config| {
        config.refresh.timeout = Duration::from_secs(60);
        config.refresh.profiles = Duration::from_secs(3_600);
    })
    .watch();
    world.attempted().await;
    let metrics = world.metrics();
    let shown = shown(&metrics);

    assert_eq!(shown.len(), histories.len());
    for (number, updates) in histories.iter().enumerate() {
        let id = format!("control{number}");
        assert_eq!(shown[id.as_str()], expected(updates), "{id}: {updates:?}");
    }
    world.simulator.stop().await;
}
