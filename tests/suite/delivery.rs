//! Events that wait for the webhook: kills, restarts, damaged files, reloads.

use crate::process::Process;
use crate::receiver::{Receiver, Reply, Request};
use crate::simulated::Simulated;
use crate::world::value;
use secure_score_exporter::events::{DeliveryQueue, WebhookPayload};
use secure_score_exporter::store::event_files::EventFiles;
use secure_score_exporter::store::state_directory::StateDirectory;
use secure_score_exporter::telemetry::Telemetry;
use secure_score_model::{EventKind, Timestamp};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How long a test waits for anything: far more than it needs.
const TIMEOUT: Duration = Duration::from_secs(90);

const TENANTS: [&str; 5] = ["contoso", "fabrikam", "adatum", "litware", "northwind"];
const CONTROLS: [&str; 3] = [
    "AdminMFAV2",
    "SigninRiskPolicy",
    "BlockLegacyAuthentication",
];

/// Repeats an attempt until it gives something.
pub(crate) async fn until<T>(
    what: &str,
    exporter: &Process,
    mut seen: impl AsyncFnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        if let Some(seen) = seen().await {
            return seen;
        }
        let output = exporter.output();
        assert!(Instant::now() < deadline, "not seen: {what}\n{output}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A simulator, and an exporter with a state directory and a webhook.
struct Stage {
    simulated: Simulated,
    state: PathBuf,
}

impl Stage {
    fn new(receiver: &str) -> Self {
        let simulated = Simulated::start();
        let stage = Self {
            state: simulated.folder().join("state"),
            simulated,
        };
        stage.set_receiver(receiver);
        let webhook = "events: {webhook: {url_file: receiver, timeout: 1s}}\n";
        stage.simulated.configure(webhook);
        stage
    }

    /// Replaces the file with the receiver's URL.
    fn set_receiver(&self, url: &str) {
        let file = self.simulated.folder().join("receiver");
        fs::write(&file, url).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn exporter(&self) -> Process {
        Process::exporter(&[
            "--web.listen-address=127.0.0.1:0",
            "--config.file",
            &self.simulated.config(),
            "--state.dir",
            &self.state.display().to_string(),
        ])
    }

    async fn accept(&self, tenant: &str, control: &str, by: &str) {
        let acceptance = json!({"by": by, "comment": "why"});
        self.simulated.accept(tenant, control, acceptance).await;
    }

    /// The files of the events that wait, in order.
    fn stored(&self) -> Vec<PathBuf> {
        files(&self.state.join("events"), "event")
    }
}

/// The files of a directory with this extension, in order.
fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(files) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let files = files.map(|file| file.unwrap().path());
    let kind = |file: &PathBuf| file.extension().is_some_and(|kind| kind == extension);
    let files: BTreeSet<_> = files.filter(kind).collect();
    files.into_iter().collect()
}

async fn metric(exporter: &Process, series: &str) -> f64 {
    let address = exporter.word_after("address=");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(format!("http://{address}/metrics")).send().await;
    let metrics = answer.unwrap().text().await.unwrap();
    value(&metrics, series).unwrap_or_else(|| panic!("{series} is missing in\n{metrics}"))
}

async fn waiting(exporter: &Process) -> f64 {
    metric(exporter, "secure_score_exporter_webhook_waiting_events").await
}

/// By whom each event was caused, in the order of the requests.
fn persons(requests: &[Request]) -> Vec<String> {
    let persons = requests
        .iter()
        .map(|it| it.body["by"].as_str().unwrap_or_default());
    persons.map(str::to_owned).collect()
}

// ---- kills ------------------------------------------------------------------

/// How often each kill test kills the exporter; `tests/soak` sets more.
fn kills() -> u32 {
    let kills = std::env::var("SOAK_KILLS").ok();
    kills.map_or(10, |kills| kills.parse().unwrap())
}

/// Kills the exporter at random moments while controls change, then lets the
/// receiver accept everything: no change may be missing.
async fn kill_often(usual: Reply) {
    let receiver = Receiver::start(&[]).await;
    *receiver.usual.lock() = usual;
    let stage = Stage::new(&receiver.url());
    let mut random = fastrand::Rng::with_seed(19);
    let mut number = 0;
    let mut expected = BTreeSet::new();
    // Whether the last change of a control accepted its risk.
    let mut accepted: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    let mut change = async |random: &mut fastrand::Rng| {
        let tenant = TENANTS[random.usize(..TENANTS.len())];
        let control = CONTROLS[random.usize(..CONTROLS.len())];
        let by = format!("person{number}@{tenant}.example");
        number += 1;
        let before = accepted.get(&(tenant, control)).copied();
        if before == Some(true) {
            stage.simulated.revert(tenant, control, &by).await;
        } else {
            stage.accept(tenant, control, &by).await;
        }
        accepted.insert((tenant, control), before != Some(true));
        // Whether the first one changes the state depends on the data.
        if before.is_some() {
            expected.insert(by);
        }
    };
    for _ in 0..30 {
        change(&mut random).await;
    }
    for _ in 0..kills() {
        let mut exporter = stage.exporter();
        change(&mut random).await;
        // Half of the kills come soon after an event was detected.
        let until = Instant::now() + Duration::from_millis(random.u64(200..2_500));
        let soon = random.bool();
        while Instant::now() < until && !(soon && exporter.output().contains("event=state_changed"))
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        change(&mut random).await;
        tokio::time::sleep(Duration::from_millis(random.u64(..400))).await;
        exporter.kill();
    }
    let by_then = receiver.accepted().len();
    *receiver.usual.lock() = Reply::Status(204);
    let exporter = stage.exporter();
    until("every change at the receiver", &exporter, async || {
        let arrived: BTreeSet<_> = persons(&receiver.accepted()).into_iter().collect();
        expected.is_subset(&arrived).then_some(())
    })
    .await;
    until("that no event waits", &exporter, async || {
        (waiting(&exporter).await == 0.0 && stage.stored().is_empty()).then_some(())
    })
    .await;

    let mut ids: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    let accepted = receiver.accepted();
    let arrived: BTreeSet<_> = persons(&accepted).into_iter().collect();
    for request in &accepted {
        let body = &request.body;
        assert_eq!(request.head["idempotency-key"], body["id"]);
        let key = ["event", "tenant", "control", "by", "to"].map(|key| body[key].to_string());
        ids.entry(key).or_default().insert(body["id"].to_string());
    }
    assert!(ids.values().all(|ids| ids.len() == 1), "{ids:#?}");
    eprintln!(
        "{usual:?}: {} kills, {} changes, {} lost, {} events, {by_then} accepted before the last start, {} twice",
        kills(),
        expected.len(),
        expected.difference(&arrived).count(),
        ids.len(),
        accepted.len() - ids.len(),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_no_event_for_a_receiver_that_answers_at_once() {
    kill_often(Reply::Status(204)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_no_event_for_a_slow_receiver() {
    kill_often(Reply::Slow).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_no_event_for_a_failing_receiver() {
    kill_often(Reply::Fail).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_no_event_for_a_stalling_receiver() {
    kill_often(Reply::Stall).await;
}

// ---- restarts ---------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_keeps_what_waits_and_the_next_start_sends_it_in_order() {
    let receiver = Receiver::start(&[]).await;
    *receiver.usual.lock() = Reply::Status(503);
    let stage = Stage::new(&receiver.url());
    for (number, control) in CONTROLS.iter().enumerate() {
        let by = format!("person{number}@contoso.example");
        stage.accept("contoso", control, &by).await;
    }
    let mut first = stage.exporter();
    until("the events on the disk", &first, async || {
        let waiting = waiting(&first).await as usize;
        (waiting >= CONTROLS.len() && stage.stored().len() == waiting).then_some(())
    })
    .await;
    assert_eq!(first.terminate(), Some(0));
    let output = first.output();
    assert!(output.contains("the next start sends them"), "{output}");
    let stored = stage.stored();
    for file in &stored {
        let mode = fs::metadata(file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
    let mode = fs::metadata(stage.state.join("events"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    assert!(receiver.accepted().is_empty());

    // One file is damaged, and a crash left an incomplete one.
    let mut bytes = fs::read(&stored[1]).unwrap();
    let last = bytes.len() - 5;
    bytes[last] ^= 1;
    fs::write(&stored[1], bytes).unwrap();
    let unfinished = stage
        .state
        .join("events/00000000000000000099.event.unfinished");
    fs::write(&unfinished, "half").unwrap();
    let expected: Vec<_> = stored.iter().map(|file| id_in(file)).collect();

    *receiver.usual.lock() = Reply::Status(204);
    let second = stage.exporter();
    until("the events at the receiver", &second, async || {
        (receiver.accepted().len() >= stored.len() - 1).then_some(())
    })
    .await;
    let mut arrived = receiver.accepted();
    arrived.truncate(stored.len() - 1);
    let ids: Vec<_> = arrived
        .iter()
        .map(|it| it.body["id"].as_str().unwrap())
        .collect();
    let kept = [&expected[..1], &expected[2..]].concat();
    assert_eq!(ids, kept, "in order and under their ids");
    until("that the files are deleted", &second, async || {
        stage.stored().is_empty().then_some(())
    })
    .await;
    assert!(second.output().contains("is unusable and is set aside"));
    assert_eq!(files(&stage.state.join("events"), "unusable").len(), 1);
    assert!(!unfinished.exists());
}

/// The id in the file of an event, which its damage left readable.
fn id_in(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let (_, rest) = text.split_once("\"id\":\"").unwrap();
    rest[..32].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_stores_no_event_stops_no_delivery() {
    let receiver = Receiver::start(&[]).await;
    let stage = Stage::new(&receiver.url());
    fs::create_dir(&stage.state).unwrap();
    let obstacle = stage.state.join("events");
    fs::write(&obstacle, "a file in the place of the directory").unwrap();
    stage
        .accept("contoso", CONTROLS[0], "alex@contoso.example")
        .await;
    *receiver.usual.lock() = Reply::Status(503);
    let exporter = stage.exporter();
    exporter.word_after("state cannot be written");
    let failures = "secure_score_exporter_state_write_failures_total";
    assert!(metric(&exporter, failures).await >= 1.0);
    let state = fs::read_to_string(stage.state.join("contoso.state"));
    let counts_as_seen = state.is_ok_and(|state| state.contains("alex@contoso.example"));
    assert!(!counts_as_seen, "the event is not stored");
    *receiver.usual.lock() = Reply::Status(204);
    until("the acceptance", &exporter, async || {
        let arrived = persons(&receiver.accepted());
        arrived
            .contains(&"alex@contoso.example".to_owned())
            .then_some(())
    })
    .await;

    fs::remove_file(&obstacle).unwrap();
    exporter.word_after("state is written again");
    until("the state of each tenant", &exporter, async || {
        (files(&stage.state, "state").len() == TENANTS.len()).then_some(())
    })
    .await;
}

// ---- reloads ----------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_sends_what_waits_to_another_receiver() {
    let first = Receiver::start(&[]).await;
    *first.usual.lock() = Reply::Status(401);
    let stage = Stage::new(&first.url());
    stage
        .accept("contoso", CONTROLS[0], "alex@contoso.example")
        .await;
    let exporter = stage.exporter();
    until("an attempt at the first receiver", &exporter, async || {
        (!first.requests().is_empty()).then_some(())
    })
    .await;

    // Without a receiver the events wait.
    let config = fs::read_to_string(stage.simulated.config()).unwrap();
    let without: String = config
        .lines()
        .filter(|line| !line.starts_with("events:"))
        .flat_map(|line| [line, "\n"])
        .collect();
    fs::write(stage.simulated.config(), without).unwrap();
    exporter.hang_up();
    exporter.word_after("configuration reloaded");
    let attempts = first.requests().len();
    assert!(waiting(&exporter).await >= 1.0);

    let second = Receiver::start(&[]).await;
    stage.set_receiver(&second.url());
    fs::write(stage.simulated.config(), config).unwrap();
    exporter.hang_up();
    until(
        "the acceptance at the second receiver",
        &exporter,
        async || {
            let arrived = persons(&second.accepted());
            arrived
                .contains(&"alex@contoso.example".to_owned())
                .then_some(())
        },
    )
    .await;
    let late = first.requests().len() - attempts;
    assert!(late <= 1, "{late} attempts without a receiver");

    // A new URL in the file is enough.
    let third = Receiver::start(&[]).await;
    stage.set_receiver(&third.url());
    until("that the new URL is used", &exporter, async || {
        let reloads = exporter.output().matches("configuration reloaded").count();
        (reloads >= 3).then_some(())
    })
    .await;
    stage
        .accept("contoso", CONTROLS[1], "kim@contoso.example")
        .await;
    until(
        "the acceptance at the third receiver",
        &exporter,
        async || {
            let arrived = persons(&third.accepted());
            arrived
                .contains(&"kim@contoso.example".to_owned())
                .then_some(())
        },
    )
    .await;
}

// ---- the files --------------------------------------------------------------

fn payload(number: u32) -> WebhookPayload {
    WebhookPayload {
        id: format!("{number:032x}").try_into().unwrap(),
        kind: EventKind::StateChanged,
        tenant: "contoso".into(),
        control: "A".into(),
        seen_at: Timestamp::from_seconds(number.into()),
        body: json!({ "number": number }).to_string(),
    }
}

struct Stored {
    folder: tempfile::TempDir,
    files: EventFiles,
    queue: DeliveryQueue,
    telemetry: Telemetry,
}

impl Stored {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = Arc::new(StateDirectory::open(folder.path()).unwrap());
        Self {
            files: EventFiles::of(&directory),
            queue: DeliveryQueue::default(),
            telemetry: Telemetry::new().unwrap(),
            folder,
        }
    }

    fn push(&self, number: u32) {
        self.queue.push(payload(number), &self.telemetry);
    }

    fn store(&self) -> io::Result<()> {
        self.queue
            .store_changes(|changes| self.files.apply(changes))
    }

    fn loaded(&self) -> Vec<WebhookPayload> {
        self.files.load().waiting.into_values().collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("events").join(name)
    }
}

#[test]
fn stored_events_are_loaded_unchanged_and_in_order() {
    let stored = Stored::new();
    assert!(stored.loaded().is_empty(), "a state without events");
    for number in 0..12 {
        stored.push(number);
    }
    stored.store().unwrap();
    assert_eq!(stored.loaded(), (0..12).map(payload).collect::<Vec<_>>());
}

#[test]
fn a_full_disk_keeps_events_in_memory_until_they_can_be_stored() {
    let stored = Stored::new();
    stored.push(0);
    stored.push(1);
    // A directory in the place of the new file makes the write fail, even for root.
    let obstacle = stored.path("00000000000000000001.event.unfinished");
    fs::create_dir_all(&obstacle).unwrap();
    assert!(stored.store().is_err());
    assert_eq!(stored.queue.len(), 2);
    stored.push(2);
    assert!(stored.store().is_err());
    fs::remove_dir(&obstacle).unwrap();
    stored.store().unwrap();
    assert_eq!(stored.loaded(), (0..3).map(payload).collect::<Vec<_>>());
}

#[test]
fn no_event_is_written_into_a_directory_that_took_the_place_of_the_locked_one() {
    let stored = Stored::new();
    stored.push(0);
    let elsewhere = tempfile::tempdir().unwrap();
    fs::rename(stored.folder.path(), elsewhere.path().join("before")).unwrap();
    fs::create_dir(stored.folder.path()).unwrap();
    let error = stored.store().unwrap_err().to_string();
    assert!(error.contains("restart the exporter"), "{error}");
    assert_eq!(fs::read_dir(stored.folder.path()).unwrap().count(), 0);
    assert_eq!(stored.queue.len(), 1, "it waits in memory");
}

#[test]
fn unusable_files_are_set_aside_for_a_week_and_the_others_are_kept() {
    let stored = Stored::new();
    for number in 0..5 {
        stored.push(number);
    }
    stored.store().unwrap();
    let good = fs::read(stored.path("00000000000000000000.event")).unwrap();
    let cut = &good[..good.len() / 2];
    fs::write(stored.path("00000000000000000001.event"), cut).unwrap();
    fs::write(stored.path("00000000000000000003.event"), "").unwrap();
    fs::write(stored.path("notes.txt"), "of another program").unwrap();
    fs::write(stored.path("x.event"), "of another program").unwrap();
    fs::create_dir(stored.path("00000000000000000007.event")).unwrap();
    assert_eq!(stored.loaded(), [0, 2, 4].map(payload));
    let aside = stored.path("00000000000000000001.event.unusable");
    assert_eq!(fs::read(&aside).unwrap(), cut);
    assert_eq!(stored.loaded(), [0, 2, 4].map(payload));
    assert!(aside.exists());
    let week_ago = SystemTime::now() - Duration::from_secs(8 * 24 * 60 * 60);
    let file = fs::File::options().write(true).open(&aside).unwrap();
    file.set_modified(week_ago).unwrap();
    assert_eq!(stored.loaded(), [0, 2, 4].map(payload));
    assert!(!aside.exists(), "it may hold names");
}
