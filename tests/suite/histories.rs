//! A great many histories at once, against a second opinion.
//!
//! Each is a list of updates as Graph might send it: out of order, with dates
//! missing or equal, states repeated, words in any case and words nobody knows.
//! They go in as JSON over HTTPS and are read back from the metrics.

use crate::world::World;
use graph_simulator::Options;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

const HISTORIES: usize = 100_000;
/// As many as a catalogue may list.
const CATALOGUE: usize = 5_000;
const PAGE: usize = 1_000;
const LOOKBACK: usize = 3;

/// Graph's words with what the portal calls them; the last is nobody's word.
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

/// One update: which word, and on which day, if any.
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

/// What must come out.
#[derive(Debug, PartialEq)]
struct Expected {
    state: String,
    accepted: bool,
    acceptances: usize,
    in_lookback: Option<bool>,
}

/// The rules in their plainest form: day by day, beginning with what has none,
/// note each state that differs from the one before.
fn expected(updates: &[Update]) -> Expected {
    let mut course: Vec<&str> = Vec::new();
    for day in std::iter::once(None).chain((1..=28).map(Some)) {
        for update in updates.iter().filter(|update| update.day == day) {
            if course.last() != Some(&update.state()) {
                course.push(update.state());
            }
        }
    }
    let untouched = |update: &Update| update.day.is_none() && update.state() == "to_address";
    if updates.iter().all(untouched) {
        course.clear();
    }
    let accepted = |state: &&&str| **state == "risk_accepted";
    let now = course.last().copied().unwrap_or("to_address");
    Expected {
        state: now.to_owned(),
        accepted: now == "risk_accepted",
        acceptances: course.iter().filter(accepted).count(),
        in_lookback: (!course.is_empty()).then(|| {
            course
                .iter()
                .rev()
                .take(LOOKBACK)
                .any(|state| accepted(&state))
        }),
    }
}

/// Writes the catalogue, page by page.
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

/// The label and the number of one line.
fn label<'a>(line: &'a str, name: &str) -> &'a str {
    let (_, rest) = line.split_once(&format!("{name}=\"")).unwrap();
    rest.split('"').next().unwrap()
}

/// What the metrics say, by control.
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
async fn a_hundred_thousand_histories_come_out_as_a_plain_reading_of_them() {
    let mut random = fastrand::Rng::with_seed(20_261_123);
    let histories: Vec<Vec<Update>> = (0..HISTORIES)
        .map(|_| {
            let length = random.usize(..8);
            (0..length).map(|_| Update::random(&mut random)).collect()
        })
        .collect();
    for catalogue in histories.chunks(CATALOGUE) {
        come_out_as_read(catalogue).await;
    }
}

async fn come_out_as_read(histories: &[Vec<Update>]) {
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
