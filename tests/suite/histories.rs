//! A hundred thousand random histories, checked by a second implementation.
//!
//! Each is a list of updates as Graph might send it: out of order, with missing
//! and equal dates, repeated states, words in any spelling, unknown words and
//! updates that cannot be read. The simulator serves them as JSON, and the test
//! reads them from the metrics.

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

/// Words with the state that they mean. The last but one is unknown, the last
/// one stands for an update that cannot be read.
const WORDS: [(&str, &str); 13] = [
    ("Default", "to_address"),
    ("default", "to_address"),
    ("Ignored", "risk_accepted"),
    ("ignore", "risk_accepted"),
    ("IGNORED", "risk_accepted"),
    ("ThirdParty", "third_party"),
    ("Reviewed", "alternate_mitigation"),
    ("Planned", "planned"),
    ("Risk accepted", "risk_accepted"),
    ("AlternateMitigation", "alternate_mitigation"),
    ("to-address", "to_address"),
    ("Postponed", "unknown"),
    ("", "unknown"),
];

const LAST_DAY: u8 = 28;

/// One update: the index of its word, and its day.
#[derive(Debug, Clone, Copy)]
struct Update {
    word: usize,
    day: Option<u8>,
}

impl Update {
    fn random(random: &mut fastrand::Rng) -> Self {
        let word = random.usize(..WORDS.len());
        let has_day = random.u8(..8) > 0 && !WORDS[word].0.is_empty();
        Self {
            word,
            day: has_day.then(|| random.u8(1..=LAST_DAY)),
        }
    }

    fn state(self) -> &'static str {
        WORDS[self.word].1
    }

    fn json(self) -> Value {
        if WORDS[self.word].0.is_empty() {
            return json!("no update");
        }
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
    accepted: Option<bool>,
    acceptances: Option<usize>,
    in_lookback: Option<bool>,
}

/// The day on which an update counts. Without one, an unknown update and an
/// acceptance are after all others, and any other update is before them. In a
/// list that is sorted or has no days, an acceptance counts on the day before it.
fn effective_day(updates: &[Update], place: usize) -> u8 {
    let update = updates[place];
    match (update.day, update.state()) {
        (Some(day), _) => day,
        (None, "unknown") => LAST_DAY + 1,
        (None, "risk_accepted") => {
            let all: Vec<u8> = updates.iter().filter_map(|it| it.day).collect();
            let days = updates[..place].iter().filter_map(|it| it.day);
            match all.is_sorted() && (all.is_empty() || all.first() < all.last()) {
                true => days.max().unwrap_or(0),
                false => LAST_DAY + 1,
            }
        }
        (None, _) => 0,
    }
}

/// Adds a state unless it is the last one.
fn note(states: &mut Vec<&'static str>, state: &'static str) {
    if states.last() != Some(&state) {
        states.push(state);
    }
}

/// The rules in their simplest form: day by day, each state that differs from
/// the one before is a change, except placeholders.
fn expected(updates: &[Update]) -> Expected {
    let (mut changes, mut known) = (Vec::new(), Vec::new());
    for day in 0..=LAST_DAY + 1 {
        for (place, update) in updates.iter().enumerate() {
            let is_placeholder = update.day.is_none() && update.state() == "to_address";
            if effective_day(updates, place) != day || is_placeholder {
                continue;
            }
            note(&mut changes, update.state());
            if update.state() != "unknown" {
                note(&mut known, update.state());
            }
        }
    }
    let accepted = known.last() == Some(&"risk_accepted");
    let newest = changes.last().copied().unwrap_or("to_address");
    let state = if accepted { "risk_accepted" } else { newest };
    let acceptances = known.iter().filter(|it| **it == "risk_accepted").count();
    let recent = || changes.iter().rev().take(LOOKBACK);
    let in_lookback = if accepted || recent().any(|it| *it == "risk_accepted") {
        Some(true)
    } else if changes.is_empty() || recent().any(|it| *it == "unknown") {
        None
    } else {
        Some(false)
    };
    Expected {
        state: state.to_owned(),
        accepted: (state != "unknown").then_some(accepted),
        acceptances: (acceptances > 0 || !changes.contains(&"unknown")).then_some(acceptances),
        in_lookback,
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
            accepted: None,
            acceptances: None,
            in_lookback: None,
        });
        match name {
            "secure_score_control_state" => control.state = label(line, "state").to_owned(),
            "secure_score_control_risk_accepted" => control.accepted = Some(number == 1),
            "secure_score_control_risk_acceptances" => control.acceptances = Some(number),
            "secure_score_control_risk_accepted_in_lookback" => {
                control.in_lookback = Some(number == 1);
            }
            _ => {}
        }
    }
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_with_a_mistyped_year_counts_where_the_answer_before_lacked_it() {
    let world = World::watched().await;
    let entra_id = world.tenant("contoso").identity.entra_tenant_id.clone();
    let update = |state: &str, at: &str| json!({"state": state, "updatedBy": "alex@contoso.example", "updatedDateTime": at});
    let accepted = update("Ignored", "2025-11-28T00:00:00Z");
    let list = |updates: Value| {
        let element = json!({
            "id": "MFARegistrationV2", "title": "MFA", "controlCategory": "Identity",
            "azureTenantId": entra_id.as_deref(), "maxScore": 9.0, "controlStateUpdates": updates,
        });
        let handle = world.handle();
        handle
            .set_profile_json("contoso", "MFARegistrationV2", element)
            .unwrap();
    };
    let is_accepted = || {
        let labels = r#"tenant="contoso",control="MFARegistrationV2",category="Identity""#;
        world.value(&format!("secure_score_control_risk_accepted{{{labels}}}"))
    };
    list(json!([accepted]));
    world
        .until("the acceptance", |_| is_accepted() == Some(1.0))
        .await;
    list(json!([update("Default", "2099-11-29T00:00:00Z"), accepted]));
    world
        .until("the withdrawal", |_| is_accepted() == Some(0.0))
        .await;
    world.simulator.stop().await;
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
