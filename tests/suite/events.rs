//! Events: from a change in the portal to the log and the webhook.

use crate::process::Process;
use crate::receiver::{Receiver, Reply, Request};
use crate::simulated::Simulated;
use crate::world::World;
use exporter_web_config::certificates;
use graph_simulator::{Fault, Options, Simulator};
use regex::Regex;
use secure_score_exporter::backoff::Backoff;
use secure_score_exporter::config::{PemFile, Secret, Webhook as Config};
use secure_score_exporter::events::{
    CAPACITY, DeliveryQueue, RetryPolicy, Webhook, WebhookPayload, WebhookSender,
};
use secure_score_exporter::telemetry::Telemetry;
use secure_score_exposition::Format;
use secure_score_model::{Delivery, EventKind, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a test waits for anything: far more than it needs.
const TIMEOUT: Duration = Duration::from_secs(60);

const CONTROL: &str = "BlockLegacyAuthentication";

/// A comment with forged log lines, terminal escapes and far too many characters.
fn hostile() -> String {
    let line = "ok\r\nts=1 level=error event=forged\u{1b}[2J\u{1b}]0;owned\u{7}\u{0} \u{202e}\"}";
    format!("{line}{}", "ä".repeat(10_000))
}

async fn until<T>(what: &str, mut seen: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        if let Some(seen) = seen() {
            return seen;
        }
        assert!(Instant::now() < deadline, "not within {TIMEOUT:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

// ---- detection, through the real refresh loops ------------------------------

/// The events of one control of contoso, as a receiver reads them.
fn emitted(world: &World, control: &str) -> Vec<Value> {
    let payloads = world.queue.undelivered();
    let bodies = payloads.iter().map(|payload| {
        let body: Value = serde_json::from_str(&payload.body).expect("a payload is JSON");
        assert_eq!(body["id"], payload.id.to_string());
        body
    });
    bodies
        .filter(|body| body["tenant"] == "contoso" && body["control"] == control)
        .collect()
}

async fn refreshes(world: &World, more: u64) {
    let count = || world.tenant("contoso").health.profiles.refreshes;
    let now = count();
    until("some more refreshes", || {
        (count() >= now + more).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_and_withdrawn_between_two_refreshes_is_two_events() {
    let world = World::watched().await;
    let before = emitted(&world, CONTROL).len();
    let handle = world.handle();
    handle
        .accept("contoso", CONTROL, "alex@contoso.example", "legacy printer")
        .unwrap();
    handle
        .revert("contoso", CONTROL, "kim@contoso.example")
        .unwrap();
    let events = until("both changes", || {
        let events = emitted(&world, CONTROL).split_off(before);
        (events.len() >= 2).then_some(events)
    })
    .await;
    refreshes(&world, 2).await;
    assert_eq!(emitted(&world, CONTROL).len(), before + 2);

    let accepted = &events[0];
    let expected = json!({
        "id": accepted["id"],
        "event": "state_changed",
        "where": "secure_score",
        "tenant": "contoso",
        "entra_tenant_id": world.tenant("contoso").identity.entra_tenant_id.as_deref(),
        "control": CONTROL,
        "recommendation": null,
        "category": "Identity",
        "title": accepted["title"],
        "from": accepted["from"],
        "to": "risk_accepted",
        "by": "alex@contoso.example",
        "at": accepted["at"],
        "comment": "legacy printer",
        "approved": false,
        "reference": null,
        "lost": null,
        "postponed_until": null,
        "seen_at": accepted["seen_at"],
        "exporter": null,
    });
    assert_eq!(accepted, &expected);
    assert!(accepted["title"].as_str().is_some_and(|it| it.len() > 5));
    for time in ["at", "seen_at"] {
        let time: Result<jiff::Timestamp, _> = accepted[time].as_str().unwrap().parse();
        let age = jiff::Timestamp::now().duration_since(time.unwrap());
        assert!(age.as_secs().abs() < 3_600, "{accepted}");
    }
    let withdrawn = &events[1];
    assert_eq!(
        (&withdrawn["from"], &withdrawn["to"], &withdrawn["by"]),
        (
            &json!("risk_accepted"),
            &json!("to_address"),
            &json!("kim@contoso.example")
        )
    );
    assert_ne!(accepted["id"], withdrawn["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_history_and_a_control_that_vanishes_are_events() {
    let world = World::watched().await;
    let handle = world.handle();
    handle
        .accept("contoso", CONTROL, "alex@contoso.example", "")
        .unwrap();
    let kinds = |events: &[Value]| -> Vec<String> {
        let kinds = events.iter().map(|event| event["event"].as_str().unwrap());
        kinds.map(str::to_owned).collect()
    };
    until("the acceptance without a comment", || {
        let events = kinds(&emitted(&world, CONTROL));
        events
            .ends_with(&["state_changed".into(), "acceptance_without_comment".into()])
            .then_some(())
    })
    .await;

    let element = json!({
        "id": CONTROL, "title": "Block legacy authentication", "controlCategory": "Identity",
        "azureTenantId": world.tenant("contoso").identity.entra_tenant_id.as_deref(),
        "deprecated": false, "maxScore": 8.0, "controlStateUpdates": [],
    });
    handle
        .set_profile_json("contoso", CONTROL, element.clone())
        .unwrap();
    let shortened = until("the wiped history", || {
        let last = emitted(&world, CONTROL).pop()?;
        (last["event"] == "history_shortened").then_some(last)
    })
    .await;
    assert_eq!(
        (&shortened["from"], &shortened["to"]),
        (&json!("risk_accepted"), &json!("to_address"))
    );

    let mut accepted = element;
    accepted["controlStateUpdates"] = json!([{
        "state": "Ignored", "updatedBy": "kim@contoso.example", "comment": "why",
        "updatedDateTime": jiff::Timestamp::now().to_string(),
    }]);
    handle
        .set_profile_json("contoso", CONTROL, accepted.clone())
        .unwrap();
    until("the acceptance after it", || {
        let last = emitted(&world, CONTROL).pop()?;
        (last["by"] == "kim@contoso.example").then_some(())
    })
    .await;

    accepted["deprecated"] = json!(true);
    handle
        .set_profile_json("contoso", CONTROL, accepted)
        .unwrap();
    until("the withdrawn control", || {
        let last = emitted(&world, CONTROL).pop()?;
        (last["event"] == "accepted_control_deprecated").then_some(())
    })
    .await;

    // Another control replaces it in the catalogue.
    let another = json!({
        "id": "SomethingElse", "title": "Something else", "controlCategory": "Identity",
        "azureTenantId": world.tenant("contoso").identity.entra_tenant_id.as_deref(),
        "deprecated": false, "maxScore": 8.0, "controlStateUpdates": [],
    });
    handle
        .set_profile_json("contoso", CONTROL, another)
        .unwrap();
    let left = until("the vanished control", || {
        let last = emitted(&world, CONTROL).pop()?;
        (last["event"] == "accepted_control_left").then_some(last)
    })
    .await;
    assert_eq!(
        (&left["by"], &left["to"], &left["title"]),
        (
            &json!("kim@contoso.example"),
            &Value::Null,
            &json!("Block legacy authentication")
        )
    );
    refreshes(&world, 2).await;
    assert_eq!(emitted(&world, CONTROL).pop(), Some(left), "reported once");
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_and_incomplete_answers_are_no_events() {
    let world = World::watched().await;
    world
        .handle()
        .accept("contoso", CONTROL, "alex@contoso.example", "why")
        .unwrap();
    until("the acceptance", || {
        let last = emitted(&world, CONTROL).pop()?;
        (last["to"] == "risk_accepted").then_some(())
    })
    .await;
    let count = world.queue.undelivered().len();
    for what in ["partial206", "empty_value", "truncated", "unsorted_history"] {
        let fault = fault(what);
        world.inject(None, fault);
        refreshes(&world, 2).await;
        world.handle().clear_faults();
        refreshes(&world, 1).await;
        let payloads = world.queue.undelivered();
        assert_eq!(payloads.len(), count, "{what}: {:#?}", payloads.last());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_date_that_cannot_be_read_for_a_while_shortens_no_history() {
    let world = World::watched().await;
    let shortened = || {
        let payloads = world.queue.undelivered();
        let bodies = payloads.iter().map(|payload| payload.body.clone());
        let mut shortened = bodies.filter(|body| body.contains("history_shortened"));
        shortened.next()
    };
    for odd in ["unreadable_date", "undated", "future_date"] {
        world.inject(None, fault(json!({"odd_update": odd})));
        refreshes(&world, 2).await;
        assert_eq!(shortened(), None, "{odd}");
        world.handle().clear_faults();
        refreshes(&world, 2).await;
        assert_eq!(shortened(), None, "after {odd}");
    }

    let handle = world.handle();
    handle
        .accept("contoso", CONTROL, "alex@contoso.example", "why")
        .unwrap();
    refreshes(&world, 2).await;
    world.inject(None, fault(json!({"odd_update": "unreadable_date"})));
    refreshes(&world, 2).await;
    world.handle().clear_faults();
    let element = json!({
        "id": CONTROL, "title": "Block legacy authentication", "controlCategory": "Identity",
        "azureTenantId": world.tenant("contoso").identity.entra_tenant_id.as_deref(),
        "deprecated": false, "maxScore": 8.0, "controlStateUpdates": [],
    });
    handle
        .set_profile_json("contoso", CONTROL, element)
        .unwrap();
    until("a real loss", shortened).await;
}

/// A fault of the catalogue, in the form of the control API.
fn fault(what: impl Serialize) -> Fault {
    let fault = json!({"api": "profiles", "what": what});
    serde_json::from_value(fault).unwrap()
}

// ---- the log of the real program -------------------------------------------

/// The simulator, and a configuration that watches it with these settings too.
fn simulated_with(settings: &str) -> Simulated {
    let simulated = Simulated::start();
    simulated.configure(settings);
    simulated
}

/// A private file beside the configuration.
fn write_secret(simulated: &Simulated, name: &str, text: &str) {
    let path = simulated.folder().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

async fn accept(simulated: &Simulated, by: &str, comment: &str) {
    let acceptance = json!({"by": by, "comment": comment});
    simulated.accept("contoso", CONTROL, acceptance).await;
}

fn exporter(simulated: &Simulated, arguments: &[&str]) -> Process {
    let config = simulated.config();
    let own = [
        "--config.file",
        &config,
        "--web.listen-address=127.0.0.1:0",
        "--web.external-url=https://score.example/x",
        "--web.route-prefix=/",
    ];
    Process::exporter(&[&own, arguments].concat())
}

/// The log lines about changes of the control at contoso.
fn lines(output: &str) -> Vec<String> {
    let lines = output.lines().filter(|line| {
        line.contains("contoso") && line.contains(CONTROL) && line.contains("state_changed")
    });
    lines.map(str::to_owned).collect()
}

/// The keys of a line of logfmt, in their order, with the words that do not depend on the
/// tenant.
fn keys(line: &str) -> Vec<&str> {
    let pair = Regex::new(r#"([a-z_]+)=("(?:[^"\\]|\\.)*"|\S+)"#).unwrap();
    let fixed = ["level", "message", "event", "to", "approved"];
    let pairs = pair.captures_iter(line).map(|pair| {
        let [key, value] = [1, 2].map(|part| pair.get(part).unwrap());
        let end = match fixed.contains(&key.as_str()) {
            true => value.end(),
            false => key.end(),
        };
        &line[key.start()..end]
    });
    pairs.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_has_one_line_per_change_whatever_the_comment() {
    let simulated = simulated_with("");
    accept(&simulated, "alex@contoso.example", &hostile()).await;
    let logfmt = exporter(&simulated, &[]);
    let written = exporter(&simulated, &["--log.format=json"]);
    let accepted = |process: &Process| {
        let lines = lines(&process.output());
        lines
            .into_iter()
            .find(|line| line.contains("alex@contoso.example"))
    };
    let line = until("the line", || accepted(&logfmt)).await;
    for field in [
        "level=warn",
        "event=state_changed",
        "tenant=contoso",
        "control=BlockLegacyAuthentication",
        "title=\"",
        "to=risk_accepted",
        "by=alex@contoso.example",
        "approved=false",
        "comment=\"ok ts=1 level=error event=forged [2J ]0;owned",
    ] {
        assert!(line.contains(field), "{field} is missing in {line}");
    }
    assert!(line.chars().count() < 1_000, "{}", line.chars().count());
    assert!(line.contains(" at=2") && line.contains('…'), "{line}");
    let output = logfmt.output();
    let is_odd = |c: char| c != '\n' && c.is_control() || c == '\u{202e}';
    assert!(!output.contains(is_odd), "{output}");
    assert!(
        !output.lines().any(|line| line.starts_with("ts=1 ")),
        "{output}"
    );

    let line = until("the line as JSON", || accepted(&written)).await;
    let line: Value = serde_json::from_str(&line).expect("one line is one object");
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["event"], "state_changed");
    assert_eq!(line["by"], "alex@contoso.example");
    let comment = line["comment"].as_str().unwrap();
    assert!(comment.chars().count() <= 257, "{comment}");

    accept(&simulated, "kim@contoso.example", "again").await;
    simulated
        .revert("contoso", CONTROL, "kim@contoso.example")
        .await;
    until("the withdrawal", || {
        let lines = lines(&logfmt.output());
        lines
            .into_iter()
            .find(|line| line.contains("to=to_address"))
    })
    .await;
    let lines = lines(&logfmt.output());
    let acceptances = lines.iter().filter(|l| l.contains("alex@contoso.example"));
    assert_eq!(acceptances.count(), 1, "{lines:#?}");
    assert!(
        !lines
            .iter()
            .any(|line| line.contains("to=risk_accepted by=kim")),
        "a repeated state is no change: {lines:#?}"
    );

    // The document shows one that follows another state.
    accept(&simulated, "megan@contoso.example", "the night shift").await;
    let line = until("the next acceptance", || {
        let mut lines = self::lines(&logfmt.output()).into_iter();
        lines.find(|line| line.contains("megan"))
    })
    .await;
    let document = include_str!("../../docs/events.md");
    let shown = document.lines().find(|line| line.starts_with("ts="));
    assert_eq!(keys(shown.unwrap()), keys(&line));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_comments_are_hidden_where_configured() {
    let simulated = simulated_with("privacy: {events: off}\n");
    accept(&simulated, "alex@contoso.example", "ask Kim about it").await;
    let running = exporter(&simulated, &[]);
    let line = until("the line", || {
        let lines = lines(&running.output());
        lines
            .into_iter()
            .rfind(|line| line.contains("to=risk_accepted"))
    })
    .await;
    assert!(
        !line.contains(" by=") && !line.contains(" comment="),
        "{line}"
    );
    assert!(!running.output().contains("alex@contoso.example"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_sends_events_and_its_log_hides_the_url() {
    let receiver = Receiver::start(&[Reply::Status(500), Reply::Close]).await;
    let simulated =
        simulated_with("events: {webhook: {url_file: hook, authorization_file: token}}\n");
    let secret = "T0pS3cr3t";
    write_secret(
        &simulated,
        "hook",
        &format!("\u{feff}{}hook/{secret}?key={secret} \r\n", receiver.url()),
    );
    write_secret(&simulated, "token", &format!("\u{feff}{secret}Token\r\n"));
    accept(&simulated, "alex@contoso.example", "why").await;
    let mut running = exporter(&simulated, &["--log.level=trace"]);
    let got = until("the acceptance at the receiver", || {
        let got = receiver.accepted();
        got.into_iter()
            .find(|got| got.body["control"] == CONTROL && got.body["by"] == "alex@contoso.example")
    })
    .await;
    assert_eq!(got.path, format!("/hook/{secret}?key={secret}"));
    assert_eq!(got.head["authorization"], format!("Bearer {secret}Token"));
    assert_eq!(got.body["exporter"], "https://score.example/x");
    let url = format!("http://{}/metrics", running.word_after("address="));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let metrics = http.get(url).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let counted = |series: &str| crate::world::value(&metrics, series).unwrap();
    let delivered =
        counted(r#"secure_score_exporter_webhook_deliveries_total{outcome="delivered"}"#);
    let changes = counted(r#"secure_score_exporter_events_total{event="state_changed"}"#);
    assert!(delivered >= 1.0 && changes >= 1.0, "{metrics}");

    receiver.stop().await;
    accept(&simulated, "alex@contoso.example", "").await;
    simulated
        .revert("contoso", CONTROL, "kim@contoso.example")
        .await;
    until("that the receiver is unavailable", || {
        let output = running.output();
        let (_, after) = output.rsplit_once("to=to_address")?;
        after.contains("refused the connection").then_some(())
    })
    .await;
    assert_eq!(running.terminate(), Some(0));
    let output = running.output();
    assert!(
        output.contains("stopped before the webhook accepted these events"),
        "{output}"
    );
    assert!(!output.contains(secret), "{output}");
}

// ---- the webhook against a faulty receiver ----------------------------------

/// A sender with short delays.
struct Stage {
    queue: Arc<DeliveryQueue>,
    telemetry: Arc<Telemetry>,
    sender: WebhookSender<Webhook>,
}

impl Stage {
    fn sending_to(url: &str) -> Self {
        let webhook = Some(Webhook::new(&to(url), None).unwrap());
        let queue = Arc::new(DeliveryQueue::default());
        let telemetry = Arc::new(Telemetry::new().unwrap());
        let policy = RetryPolicy {
            backoff: Backoff {
                first: Duration::from_millis(5),
                max: Duration::from_millis(100),
                jitter: 0.5..=1.0,
            },
            ..RetryPolicy::default()
        };
        let sender =
            WebhookSender::start(webhook, policy, Arc::clone(&queue), Arc::clone(&telemetry));
        Self {
            queue,
            telemetry,
            sender,
        }
    }

    fn push(&self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            self.queue.push(payload(number), &self.telemetry);
        }
    }

    async fn idle(&self) {
        until("that the queue is empty", || {
            self.queue.undelivered().is_empty().then_some(())
        })
        .await;
    }

    fn count(&self, outcome: Delivery) -> f64 {
        let text = String::from_utf8(self.telemetry.encode(Format::Text)).unwrap();
        let outcome = outcome.as_str();
        let series =
            format!("secure_score_exporter_webhook_deliveries_total{{outcome=\"{outcome}\"}}");
        crate::world::value(&text, &series).unwrap()
    }
}

fn to(url: &str) -> Config {
    Config {
        url: Secret::new(url.to_owned()),
        authorization: Some(Secret::new("Basic dXNlcjpwYXNz".to_owned())),
        timeout: Duration::from_millis(500),
    }
}

fn payload(number: u32) -> WebhookPayload {
    let id = format!("{number:032x}");
    WebhookPayload {
        id: id.clone().try_into().unwrap(),
        kind: EventKind::StateChanged,
        tenant: "contoso".into(),
        control: CONTROL.into(),
        seen_at: Timestamp::from_seconds(0),
        body: json!({"id": id, "number": number}).to_string(),
    }
}

fn numbers(requests: &[Request]) -> Vec<u64> {
    let numbers = requests.iter().map(|it| it.body["number"].as_u64());
    numbers.map(Option::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_receiver_gets_each_event_in_order_under_one_id() {
    let script = [
        Reply::Status(500),
        Reply::Close,
        Reply::Status(204),
        Reply::Stall,
        Reply::Status(429),
        Reply::Status(503),
    ];
    let receiver = Receiver::start(&script).await;
    let stage = Stage::sending_to(&receiver.url());
    stage.push(0..4);
    stage.idle().await;
    assert_eq!(numbers(&receiver.requests()), [0, 0, 0, 1, 1, 1, 1, 2, 3]);
    assert_eq!(numbers(&receiver.accepted()), [0, 1, 2, 3]);
    for request in receiver.requests() {
        let head = |name: &str| request.head[name].clone();
        assert_eq!(head("idempotency-key"), request.body["id"]);
        assert_eq!(head("content-type"), "application/json");
        assert_eq!(head("authorization"), "Basic dXNlcjpwYXNz");
        let agent = concat!("secure-score-exporter/", env!("CARGO_PKG_VERSION"));
        assert_eq!(head("user-agent"), agent);
    }
    assert_eq!(stage.count(Delivery::Delivered), 4.0);
    assert_eq!(stage.count(Delivery::Failed), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_receiver_gets_the_events_of_its_absence() {
    let receiver = Receiver::start(&[]).await;
    let stage = Stage::sending_to(&receiver.url());
    stage.push(0..2);
    stage.idle().await;
    receiver.stop().await;
    stage.push(2..5);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let again = Receiver::at(&receiver.address, &[]).await;
    stage.idle().await;
    assert_eq!(numbers(&receiver.accepted()), [0, 1]);
    assert_eq!(numbers(&again.accepted()), [2, 3, 4]);
    assert_eq!(stage.count(Delivery::Delivered), 5.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_and_a_redirect_are_final() {
    let script = [Reply::Status(307), Reply::Status(410), Reply::Status(403)];
    let receiver = Receiver::start(&script).await;
    let stage = Stage::sending_to(&receiver.url());
    stage.push(0..4);
    stage.idle().await;
    assert_eq!(numbers(&receiver.requests()), [0, 1, 2, 3]);
    assert_eq!(stage.count(Delivery::Failed), 3.0);
    assert_eq!(stage.count(Delivery::Delivered), 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_bounded_and_dropped_events_are_counted() {
    let receiver = Receiver::start(&[Reply::Stall]).await;
    let stage = Stage::sending_to(&receiver.url());
    stage.push(0..1);
    until("the first at the receiver", || {
        (!receiver.requests().is_empty()).then_some(())
    })
    .await;
    let last = u32::try_from(CAPACITY).unwrap() + 100;
    stage.push(1..last + 1);
    assert_eq!(stage.count(Delivery::Dropped), 100.0);
    let waiting = stage.queue.undelivered();
    assert_eq!(waiting.len(), CAPACITY + 1, "and the one in flight");
    let ids = [&waiting[0].id, &waiting[1].id, &waiting[CAPACITY].id];
    let expected = [0, 101, last].map(|number| payload(number).id);
    assert_eq!(ids.map(|id| *id), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_sends_the_queued_events() {
    let receiver = Receiver::start(&[Reply::Status(503), Reply::Status(503)]).await;
    let stage = Stage::sending_to(&receiver.url());
    stage.push(0..3);
    until("the first at the receiver", || {
        (!receiver.requests().is_empty()).then_some(())
    })
    .await;
    receiver.script.lock().clear();
    let (queue, sender) = (Arc::clone(&stage.queue), stage.sender);
    sender.stop().await;
    assert_eq!(numbers(&receiver.accepted()), [0, 1, 2]);
    assert!(queue.undelivered().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_receivers_with_a_trusted_certificate_get_events() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let ca = PemFile {
        path: PathBuf::new(),
        certificates: certificates(simulator.ca_pem().as_bytes()).unwrap(),
    };
    let config = to(&format!("{}/hook", simulator.url()));
    let stage = |roots: Option<&PemFile>| {
        let queue = Arc::new(DeliveryQueue::default());
        let telemetry = Arc::new(Telemetry::new().unwrap());
        let sender = WebhookSender::start(
            Some(Webhook::new(&config, roots).unwrap()),
            RetryPolicy {
                give_up_after: Duration::from_millis(200),
                ..RetryPolicy::default()
            },
            Arc::clone(&queue),
            Arc::clone(&telemetry),
        );
        Stage {
            queue,
            telemetry,
            sender,
        }
    };
    let requests = || simulator.handle().requests().len();
    let untrusted = stage(None);
    untrusted.push(0..1);
    untrusted.idle().await;
    assert_eq!(requests(), 0, "no request to an untrusted server");
    let trusted = stage(Some(&ca));
    trusted.push(0..1);
    trusted.idle().await;
    assert_eq!(
        requests(),
        1,
        "the simulator is no receiver, but got the request"
    );
}
