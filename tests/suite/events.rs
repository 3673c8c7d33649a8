//! Events: from a click in the portal to the log and to the webhook.

use crate::process::Process;
use crate::world::World;
use graph_simulator::{Fault, Options, Simulator};
use secure_score_exporter::config::{PemFile, Secret, Webhook as Config};
use secure_score_exporter::events::{DeliveryQueue, Letter, Pace, Webhook, WebhookSender};
use secure_score_exporter::telemetry::Telemetry;
use secure_score_exposition::Format;
use secure_score_model::{Delivery, EventKind};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How long anything may take before a test gives up: far more than it needs.
const PATIENCE: Duration = Duration::from_secs(60);

const CONTROL: &str = "BlockLegacyAuthentication";

/// What a comment may hold that somebody means harm with.
fn hostile() -> String {
    let line = "ok\r\nts=1 level=error event=forged\u{1b}[2J\u{1b}]0;owned\u{7}\u{0} \u{202e}\"}";
    format!("{line}{}", "ä".repeat(10_000))
}

async fn until<T>(what: &str, mut seen: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = seen() {
            return seen;
        }
        assert!(
            Instant::now() < deadline,
            "not seen in {PATIENCE:?}: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

// ---- what is found, through the real loops ---------------------------------

/// The events of one control of contoso, as a receiver would read them.
fn told(world: &World, control: &str) -> Vec<Value> {
    let letters = world.outbox.unsent();
    let bodies = letters.iter().map(|letter| {
        let body: Value = serde_json::from_str(&letter.body).expect("a letter is JSON");
        assert_eq!(body["id"], letter.key.to_string());
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
async fn accepted_and_withdrawn_between_two_refreshes_is_told_twice_and_never_again() {
    let world = World::watched().await;
    let before = told(&world, CONTROL).len();
    let handle = world.handle();
    handle
        .accept("contoso", CONTROL, "alex@contoso.example", "legacy printer")
        .unwrap();
    handle
        .revert("contoso", CONTROL, "kim@contoso.example")
        .unwrap();
    let events = until("both changes", || {
        let events = told(&world, CONTROL).split_off(before);
        (events.len() >= 2).then_some(events)
    })
    .await;
    refreshes(&world, 2).await;
    assert_eq!(told(&world, CONTROL).len(), before + 2);

    let accepted = &events[0];
    let expected = json!({
        "id": accepted["id"],
        "event": "state_changed",
        "tenant": "contoso",
        "entra_tenant_id": world.tenant("contoso").identity.entra_tenant_id.as_deref(),
        "control": CONTROL,
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
async fn a_history_made_to_forget_and_a_control_that_vanishes_are_told() {
    let world = World::watched().await;
    let handle = world.handle();
    handle
        .accept("contoso", CONTROL, "alex@contoso.example", "")
        .unwrap();
    let kinds = |events: &[Value]| -> Vec<String> {
        let kinds = events.iter().map(|event| event["event"].as_str().unwrap());
        kinds.map(str::to_owned).collect()
    };
    until("the acceptance without a reason", || {
        let events = kinds(&told(&world, CONTROL));
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
        let last = told(&world, CONTROL).pop()?;
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
        let last = told(&world, CONTROL).pop()?;
        (last["by"] == "kim@contoso.example").then_some(())
    })
    .await;

    accepted["deprecated"] = json!(true);
    handle
        .set_profile_json("contoso", CONTROL, accepted)
        .unwrap();
    until("the withdrawn control", || {
        let last = told(&world, CONTROL).pop()?;
        (last["event"] == "accepted_control_deprecated").then_some(())
    })
    .await;

    // Another control in its place: the catalogue no longer has it.
    let another = json!({
        "id": "SomethingElse", "title": "Something else", "controlCategory": "Identity",
        "azureTenantId": world.tenant("contoso").identity.entra_tenant_id.as_deref(),
        "deprecated": false, "maxScore": 8.0, "controlStateUpdates": [],
    });
    handle
        .set_profile_json("contoso", CONTROL, another)
        .unwrap();
    let left = until("the vanished control", || {
        let last = told(&world, CONTROL).pop()?;
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
    assert_eq!(told(&world, CONTROL).pop(), Some(left), "told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_fail_or_lack_something_are_no_events() {
    let world = World::watched().await;
    world
        .handle()
        .accept("contoso", CONTROL, "alex@contoso.example", "why")
        .unwrap();
    until("the acceptance", || {
        let last = told(&world, CONTROL).pop()?;
        (last["to"] == "risk_accepted").then_some(())
    })
    .await;
    let count = world.outbox.unsent().len();
    for what in ["partial206", "empty_value", "truncated", "unsorted_history"] {
        let fault = fault(what);
        world.inject(None, fault);
        refreshes(&world, 2).await;
        world.handle().clear_faults();
        refreshes(&world, 1).await;
        let letters = world.outbox.unsent();
        assert_eq!(letters.len(), count, "{what}: {:#?}", letters.last());
    }
}

/// A fault of the catalogue, as the control API is told of it.
fn fault(what: &str) -> Fault {
    let fault = json!({"api": "profiles", "what": what});
    serde_json::from_value(fault).unwrap()
}

// ---- the log of the real program -------------------------------------------

/// The simulator as a program of its own, and a configuration that watches it.
struct Simulated {
    folder: tempfile::TempDir,
    control: String,
    http: reqwest::Client,
    _process: Process,
}

impl Simulated {
    fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = Process::exporter(&[
            "simulate",
            "--quiet",
            "--listen-address=127.0.0.1:0",
            "--control.listen-address=127.0.0.1:0",
            "--config-dir",
            &folder.path().display().to_string(),
        ]);
        let control = process.word_after("control API ");
        process.word_after("configuration ");
        let file = folder.path().join("secure-score.yml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text + settings).unwrap();
        Self {
            folder,
            control,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            _process: process,
        }
    }

    /// A file that only we may read, beside the configuration.
    fn secret(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    async fn accept(&self, by: &str, comment: &str) {
        let url = format!("{}/tenants/contoso/controls/{CONTROL}/accept", self.control);
        let body = json!({"by": by, "comment": comment}).to_string();
        let answer = self.http.post(url).body(body).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    fn exporter(&self, arguments: &[&str]) -> Process {
        let file = self.folder.path().join("secure-score.yml");
        let file = file.display().to_string();
        let own = [
            "--config.file",
            &file,
            "--web.listen-address=127.0.0.1:0",
            "--web.external-url=https://score.example/x",
            "--web.route-prefix=/",
        ];
        Process::exporter(&[&own, arguments].concat())
    }
}

/// The lines of the log that tell of the control at contoso.
fn lines(output: &str) -> Vec<String> {
    let lines = output.lines().filter(|line| {
        line.contains("contoso") && line.contains(CONTROL) && line.contains("state_changed")
    });
    lines.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_has_one_line_per_change_whatever_the_comment_says() {
    let simulated = Simulated::start("");
    simulated.accept("alex@contoso.example", &hostile()).await;
    let logfmt = simulated.exporter(&[]);
    let written = simulated.exporter(&["--log.format=json"]);
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

    simulated.accept("kim@contoso.example", "again").await;
    let revert = format!(
        "{}/tenants/contoso/controls/{CONTROL}/revert",
        simulated.control
    );
    let body = json!({"by": "kim@contoso.example"}).to_string();
    simulated.http.post(revert).body(body).send().await.unwrap();
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
        "writing a state again is no change: {lines:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn persons_are_left_out_of_the_line_where_they_are_to_be() {
    let simulated = Simulated::start("privacy: {events: off}\n");
    simulated
        .accept("alex@contoso.example", "ask Kim about it")
        .await;
    let exporter = simulated.exporter(&[]);
    let line = until("the line", || {
        let lines = lines(&exporter.output());
        lines
            .into_iter()
            .rfind(|line| line.contains("to=risk_accepted"))
    })
    .await;
    assert!(
        !line.contains(" by=") && !line.contains(" comment="),
        "{line}"
    );
    assert!(!exporter.output().contains("alex@contoso.example"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_posts_events_and_its_log_never_shows_where_to() {
    let receiver = Receiver::start(&[Reply::Status(500), Reply::Close]).await;
    let simulated =
        Simulated::start("events: {webhook: {url_file: hook, authorization_file: token}}\n");
    let secret = "T0pS3cr3t";
    simulated.secret(
        "hook",
        &format!("{}hook/{secret}?key={secret}\n", receiver.url()),
    );
    simulated.secret("token", &format!("{secret}Token\n"));
    simulated.accept("alex@contoso.example", "why").await;
    let mut exporter = simulated.exporter(&["--log.level=trace"]);
    let got = until("the acceptance at the receiver", || {
        let got = receiver.taken();
        got.into_iter()
            .find(|got| got.body["control"] == CONTROL && got.body["by"] == "alex@contoso.example")
    })
    .await;
    assert_eq!(got.path, format!("/hook/{secret}?key={secret}"));
    assert_eq!(got.head["authorization"], format!("Bearer {secret}Token"));
    assert_eq!(got.body["exporter"], "https://score.example/x");
    let url = format!("http://{}/metrics", exporter.word_after("address="));
    let metrics = simulated.http.get(url).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let counted = |series: &str| crate::world::value(&metrics, series).unwrap();
    let delivered =
        counted(r#"secure_score_exporter_webhook_deliveries_total{outcome="delivered"}"#);
    let changes = counted(r#"secure_score_exporter_events_total{event="state_changed"}"#);
    assert!(delivered >= 1.0 && changes >= 1.0, "{metrics}");

    receiver.go_away().await;
    simulated.accept("alex@contoso.example", "").await;
    let revert = format!(
        "{}/tenants/contoso/controls/{CONTROL}/revert",
        simulated.control
    );
    let body = json!({"by": "kim@contoso.example"}).to_string();
    simulated.http.post(revert).body(body).send().await.unwrap();
    until("that the receiver is away", || {
        let output = exporter.output();
        let (_, after) = output.rsplit_once("to=to_address")?;
        after
            .contains("the webhook could not be reached")
            .then_some(())
    })
    .await;
    assert_eq!(exporter.terminate(), Some(0));
    let output = exporter.output();
    assert!(
        output.contains("stopped before the webhook took these events"),
        "{output}"
    );
    assert!(!output.contains(secret), "{output}");
}

// ---- the webhook against a receiver that misbehaves ------------------------

/// What a receiver does with a request.
#[derive(Debug, Clone, Copy)]
enum Reply {
    Status(u16),
    /// Takes the request and says nothing.
    Stall,
    /// Takes the request and closes.
    Close,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
struct Request {
    path: String,
    head: BTreeMap<String, String>,
    body: Value,
    reply: u16,
}

/// A receiver that follows a script, and says 204 after its end.
struct Receiver {
    address: String,
    came: Arc<Mutex<Vec<Request>>>,
    script: Arc<Mutex<Vec<Reply>>>,
    task: Mutex<tokio::task::JoinHandle<()>>,
}

impl Receiver {
    async fn start(script: &[Reply]) -> Self {
        Self::at("127.0.0.1:0", script).await
    }

    async fn at(address: &str, script: &[Reply]) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let came = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Mutex::new(script.to_vec()));
        let task = tokio::spawn(receive(listener, Arc::clone(&came), Arc::clone(&script)));
        Self {
            address,
            came,
            script,
            task: Mutex::new(task),
        }
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    fn came(&self) -> Vec<Request> {
        self.came.lock().unwrap().clone()
    }

    /// What it said yes to.
    fn taken(&self) -> Vec<Request> {
        let mut came = self.came();
        came.retain(|request| request.reply == 204);
        came
    }

    /// Nobody listens any more.
    async fn go_away(&self) {
        let task = std::mem::replace(&mut *self.task.lock().unwrap(), tokio::spawn(async {}));
        task.abort();
        let _aborted = task.await;
    }
}

async fn receive(
    listener: TcpListener,
    came: Arc<Mutex<Vec<Request>>>,
    script: Arc<Mutex<Vec<Reply>>>,
) {
    // They end with the listener.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&came), Arc::clone(&script)));
    }
}

async fn serve(
    mut stream: TcpStream,
    came: Arc<Mutex<Vec<Request>>>,
    script: Arc<Mutex<Vec<Reply>>>,
) {
    let mut received = Vec::new();
    let mut part = [0; 16 * 1024];
    while let Ok(length @ 1..) = stream.read(&mut part).await {
        received.extend_from_slice(&part[..length]);
        while let Some((mut request, end)) = whole_request(&received) {
            received.drain(..end);
            let reply = {
                let mut script = script.lock().unwrap();
                match script.is_empty() {
                    true => Reply::Status(204),
                    false => script.remove(0),
                }
            };
            request.reply = match reply {
                Reply::Status(status) => status,
                Reply::Stall | Reply::Close => 0,
            };
            came.lock().unwrap().push(request);
            let status = match reply {
                Reply::Status(status) => status,
                Reply::Stall => std::future::pending().await,
                Reply::Close => return,
            };
            let answer = format!(
                "HTTP/1.1 {status} So\r\nLocation: http://127.0.0.1:1/elsewhere\r\nRetry-After: 0\r\nContent-Length: 4\r\n\r\nbody"
            );
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

fn whole_request(bytes: &[u8]) -> Option<(Request, usize)> {
    let head_end = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let (first, rest) = text.split_once("\r\n")?;
    assert!(first.starts_with("POST "), "{first}");
    let head: BTreeMap<String, String> = rest
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let end = head_end + head["content-length"].parse::<usize>().unwrap();
    let body = bytes.get(head_end..end)?;
    let request = Request {
        path: first.split(' ').nth(1)?.to_owned(),
        head,
        body: serde_json::from_slice(body).expect("the body is JSON"),
        reply: 0,
    };
    Some((request, end))
}

/// A courier in a hurry.
struct Office {
    outbox: Arc<DeliveryQueue>,
    telemetry: Arc<Telemetry>,
    courier: WebhookSender,
}

impl Office {
    fn sending_to(url: &str) -> Self {
        let webhook = Webhook::new(&to(url), None).unwrap();
        let outbox = Arc::new(DeliveryQueue::default());
        let telemetry = Arc::new(Telemetry::new().unwrap());
        let pace = Pace {
            first_wait: Duration::from_millis(5),
            longest_wait: Duration::from_millis(100),
            ..Pace::default()
        };
        let courier =
            WebhookSender::start(webhook, pace, Arc::clone(&outbox), Arc::clone(&telemetry));
        Self {
            outbox,
            telemetry,
            courier,
        }
    }

    fn put(&self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            self.outbox.put(letter(number), &self.telemetry);
        }
    }

    async fn idle(&self) {
        until("that nothing waits", || {
            self.outbox.unsent().is_empty().then_some(())
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

fn letter(number: u32) -> Letter {
    let id = format!("{number:032x}");
    Letter {
        key: id.parse().unwrap(),
        kind: EventKind::StateChanged,
        tenant: "contoso".into(),
        control: CONTROL.into(),
        body: json!({"id": id, "number": number}).to_string(),
    }
}

fn numbers(requests: &[Request]) -> Vec<u64> {
    let numbers = requests.iter().map(|it| it.body["number"].as_u64());
    numbers.map(Option::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_stalls_and_closes_gets_each_event_in_order_under_one_key() {
    let script = [
        Reply::Status(500),
        Reply::Close,
        Reply::Status(204),
        Reply::Stall,
        Reply::Status(429),
        Reply::Status(503),
    ];
    let receiver = Receiver::start(&script).await;
    let office = Office::sending_to(&receiver.url());
    office.put(0..4);
    office.idle().await;
    assert_eq!(numbers(&receiver.came()), [0, 0, 0, 1, 1, 1, 1, 2, 3]);
    assert_eq!(numbers(&receiver.taken()), [0, 1, 2, 3]);
    for request in receiver.came() {
        let head = |name: &str| request.head[name].clone();
        assert_eq!(head("idempotency-key"), request.body["id"]);
        assert_eq!(head("content-type"), "application/json");
        assert_eq!(head("authorization"), "Basic dXNlcjpwYXNz");
        let agent = concat!("secure-score-exporter/", env!("CARGO_PKG_VERSION"));
        assert_eq!(head("user-agent"), agent);
    }
    assert_eq!(office.count(Delivery::Delivered), 4.0);
    assert_eq!(office.count(Delivery::Failed), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_restarts_gets_what_happened_meanwhile() {
    let receiver = Receiver::start(&[]).await;
    let office = Office::sending_to(&receiver.url());
    office.put(0..2);
    office.idle().await;
    receiver.go_away().await;
    office.put(2..5);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let again = Receiver::at(&receiver.address, &[]).await;
    office.idle().await;
    assert_eq!(numbers(&receiver.taken()), [0, 1]);
    assert_eq!(numbers(&again.taken()), [2, 3, 4]);
    assert_eq!(office.count(Delivery::Delivered), 5.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_and_a_redirect_are_final_and_lead_nowhere() {
    let script = [Reply::Status(307), Reply::Status(410), Reply::Status(401)];
    let receiver = Receiver::start(&script).await;
    let office = Office::sending_to(&receiver.url());
    office.put(0..4);
    office.idle().await;
    assert_eq!(numbers(&receiver.came()), [0, 1, 2, 3]);
    assert_eq!(office.count(Delivery::Failed), 3.0);
    assert_eq!(office.count(Delivery::Delivered), 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_events_is_bounded_and_what_is_dropped_is_counted() {
    let receiver = Receiver::start(&[Reply::Stall]).await;
    let office = Office::sending_to(&receiver.url());
    office.put(0..1);
    until("the first at the receiver", || {
        (!receiver.came().is_empty()).then_some(())
    })
    .await;
    office.put(1..1_101);
    assert_eq!(office.count(Delivery::Dropped), 100.0);
    assert_eq!(office.outbox.unsent().len(), 1_001);
    office.idle().await;
    let expected: Vec<u64> = std::iter::once(0).chain(101..1_101).collect();
    assert_eq!(numbers(&receiver.taken()), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_sends_what_waits() {
    let receiver = Receiver::start(&[Reply::Status(503), Reply::Status(503)]).await;
    let office = Office::sending_to(&receiver.url());
    office.put(0..3);
    until("the first at the receiver", || {
        (!receiver.came().is_empty()).then_some(())
    })
    .await;
    receiver.script.lock().unwrap().clear();
    let (outbox, courier) = (Arc::clone(&office.outbox), office.courier);
    courier.stop().await;
    assert_eq!(numbers(&receiver.taken()), [0, 1, 2]);
    assert!(outbox.unsent().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_authorities_that_are_trusted_get_events() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let ca = PemFile {
        path: PathBuf::new(),
        pem: simulator.ca_pem().as_bytes().to_vec(),
    };
    let config = to(&format!("{}/hook", simulator.url()));
    let office = |roots: Option<&PemFile>| {
        let outbox = Arc::new(DeliveryQueue::default());
        let telemetry = Arc::new(Telemetry::new().unwrap());
        let courier = WebhookSender::start(
            Webhook::new(&config, roots).unwrap(),
            Pace {
                give_up_after: Duration::from_millis(200),
                ..Pace::default()
            },
            Arc::clone(&outbox),
            Arc::clone(&telemetry),
        );
        Office {
            outbox,
            telemetry,
            courier,
        }
    };
    let asked = || simulator.handle().requests().len();
    let stranger = office(None);
    stranger.put(0..1);
    stranger.idle().await;
    assert_eq!(asked(), 0, "no request without trust");
    let friend = office(Some(&ca));
    friend.put(0..1);
    friend.idle().await;
    assert_eq!(asked(), 1, "the simulator is no receiver, but it was asked");
}
