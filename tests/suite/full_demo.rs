//! `demo --full` with Debian's Prometheus and Alertmanager: an acceptance is in the inbox as
//! a page and a mail, and nothing stays behind.

use crate::browser::{Browser, CONTRAST};
use crate::process::{Process, program};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const TENANT: &str = "contoso";
const CONTROL: &str = "UserRiskPolicy";
const BY: &str = "nina.roth@contoso.example";

/// More than anything here takes, in steps of 100 ms.
const POLLS: u32 = 1_200;
const POLL: Duration = Duration::from_millis(100);

/// A running demo, whose temporary directories are in one of the test's own.
pub(crate) struct FullDemo {
    process: Process,
    folder: tempfile::TempDir,
    pub(crate) inbox: String,
    control_api: String,
    http: reqwest::Client,
}

/// The program with these folders in front of `PATH`.
fn exporter(path: &[&Path], temporary: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"));
    let paths = std::env::join_paths(path).unwrap();
    command.env("PATH", paths).env("TMPDIR", temporary);
    command
}

/// Where Debian's programs are, and those of the shell.
fn installed() -> Vec<std::path::PathBuf> {
    let name = "prometheus-alertmanager";
    let files = [program("prometheus", "prometheus"), program(name, name)];
    let folders = files.iter().map(|file| file.parent().unwrap().to_owned());
    folders.chain(["/usr/bin".into(), "/bin".into()]).collect()
}

impl FullDemo {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let installed = installed();
        let path: Vec<&Path> = installed.iter().map(AsRef::as_ref).collect();
        let mut command = exporter(&path, folder.path());
        command.args([
            "demo",
            "--full",
            "--quiet",
            "--web.listen-address=127.0.0.1:0",
        ]);
        let process = Process::start(&mut command);
        let control_api = process.word_after("control API ");
        let inbox = process.word_after("inbox ");
        Self {
            inbox,
            control_api,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            folder,
            process,
        }
    }

    pub(crate) async fn accept(&self, comment: &str) {
        let body = json!({"by": BY, "comment": comment});
        self.administrator("accept", body).await;
    }

    async fn administrator(&self, action: &str, body: Value) {
        let url = format!(
            "{}/tenants/{TENANT}/controls/{CONTROL}/{action}",
            self.control_api
        );
        let request = self.http.post(url).body(body.to_string());
        let response = request.send().await.unwrap();
        assert!(response.status().is_success());
    }

    async fn get(&self, url: &str) -> String {
        let response = self.http.get(url).send().await.unwrap();
        response.text().await.unwrap()
    }

    /// Waits for a message in the inbox that has these texts, and returns it.
    pub(crate) async fn message(&self, texts: &[&str]) -> String {
        for _ in 0..POLLS {
            let page = self.get(&self.inbox).await;
            let mut messages = page.split("<article").skip(1);
            let found = messages.find(|it| texts.iter().all(|text| it.contains(text)));
            if let Some(found) = found {
                return found.split("</article>").next().unwrap().to_owned();
            }
            tokio::time::sleep(POLL).await;
        }
        panic!("{texts:?} never arrived\n{}", self.process.output());
    }

    /// The printed links to Prometheus and Alertmanager.
    fn links(&self) -> [String; 2] {
        ["Prometheus ", "Alertmanager "].map(|name| self.process.word_after(&format!("  {name}")))
    }

    /// The addresses of Prometheus and Alertmanager.
    fn programs(&self) -> [String; 2] {
        let address = |url: String| url.split('/').nth(2).unwrap().to_owned();
        self.links().map(address)
    }
}

fn files_in(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

/// Waits until neither program answers and their directories are gone.
fn assert_nothing_stays(programs: &[String], folder: &Path) {
    let answers = |address: &String| TcpStream::connect(address).is_ok();
    for _ in 0..POLLS {
        if !programs.iter().any(answers) && files_in(folder) == 0 {
            return;
        }
        std::thread::sleep(POLL);
    }
    let left: Vec<_> = fs::read_dir(folder).unwrap().collect();
    panic!(
        "{:?} answer, {left:?} are left",
        programs.iter().filter(|it| answers(it))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_is_a_page_and_a_mail_in_the_inbox_and_its_end_too() {
    let mut demo = FullDemo::start();
    let programs = demo.programs();
    assert_eq!(files_in(demo.folder.path()), 2, "a directory each");
    demo.accept("the pilot <i>runs</i>").await;

    // Another tenant's older decision is a page too, without a delay.
    let page = demo.message(&["<b>Page</b>", TENANT, CONTROL]).await;
    assert!(page.contains("critical"), "{page}");
    assert!(page.contains(" s after the decision"), "{page}");
    assert!(!page.contains("<i>runs"), "{page}");
    for link in demo.links() {
        let status = demo.http.get(&link).send().await.unwrap().status();
        assert!(status.is_success(), "{link}: {status}");
    }

    // The metric that the README shows.
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let (_, shown) = readme.split_once("metrics such as `").unwrap();
    let shown = shown.split('`').next().unwrap();
    assert!(shown.contains(TENANT) && shown.contains(CONTROL), "{shown}");
    let metrics = demo.get(&demo.process.word_after("metrics ")).await;
    assert!(metrics.lines().any(|line| line == shown), "{shown}");

    let mail = demo
        .message(&["<b>Mail</b>", "security-on-call@", TENANT, CONTROL])
        .await;
    let (_, path) = mail.split_once("<iframe src=\"").unwrap();
    let path = path.split('"').next().unwrap();
    let html = demo.get(&demo.inbox.replace("/inbox", path)).await;
    assert!(html.contains(CONTROL) && html.contains(TENANT), "{html}");
    assert!(!html.contains("<i>runs"), "{html}");

    let browser = Browser::open().await;
    let still = format!("{}?refresh=off", demo.inbox);
    for scheme in ["light", "dark"] {
        browser.prefer(scheme).await;
        browser.open_url(&still).await;
        let seen = browser.value(CONTRAST).await;
        assert!(seen[0].as_u64().unwrap() > 10, "{seen}");
        assert_eq!(seen[1], json!([]), "{scheme}");
    }
    browser.resize(390, 844, true).await;
    browser.open_url(&still).await;
    let width = browser.value("document.documentElement.scrollWidth").await;
    assert_eq!(width, json!(390));
    let frame = "[...document.querySelectorAll('iframe')].findIndex(it => it.closest('article').textContent.includes('security-on-call@') && it.closest('article').textContent.includes('contoso'))";
    let frame = browser.value(frame).await.as_u64().unwrap();
    browser.enter_frame(Some(frame as usize)).await;
    let mail = browser.text().await;
    assert!(mail.contains(CONTROL) && mail.contains(TENANT), "{mail}");
    browser.enter_frame(None).await;
    assert_eq!(browser.errors().await, Vec::<Value>::new());
    drop(browser);

    demo.administrator("revert", json!({"by": BY})).await;
    demo.message(&["<b>End of a page</b>", TENANT, CONTROL])
        .await;
    assert_eq!(
        demo.process.terminate(),
        Some(0),
        "{}",
        demo.process.output()
    );
    let answers = programs.iter().any(|it| TcpStream::connect(it).is_ok());
    assert!(!answers, "the programs end before the demo does");
    assert_nothing_stays(&programs, demo.folder.path());
}

#[test]
fn a_killed_demo_leaves_neither_programs_nor_files() {
    let mut demo = FullDemo::start();
    let programs = demo.programs();
    demo.process.kill();
    assert_nothing_stays(&programs, demo.folder.path());
}

#[test]
fn without_the_programs_it_names_their_packages() {
    let folder = tempfile::tempdir().unwrap();
    let output = exporter(&[folder.path()], folder.path())
        .args(["demo", "--full"])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    for part in [
        "not found in PATH: prometheus, alertmanager or prometheus-alertmanager",
        "apt-get install --no-install-recommends prometheus prometheus-alertmanager",
    ] {
        assert!(error.contains(part), "{part}\n{error}");
    }
}

#[test]
fn a_program_that_does_not_start_ends_the_demo_and_nothing_stays() {
    let (fakes, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let fake = fakes.path().join("prometheus");
    fs::write(&fake, "#!/bin/sh\necho the disk is full\nexit 2\n").unwrap();
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
    let name = "prometheus-alertmanager";
    symlink(program(name, name), fakes.path().join("alertmanager")).unwrap();
    let path = [fakes.path(), Path::new("/usr/bin"), Path::new("/bin")];
    let output = exporter(&path, temporary.path())
        .args(["demo", "--full", "--web.listen-address=127.0.0.1:0"])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains("Prometheus does not start:\nthe disk is full"),
        "{error}"
    );
    assert_nothing_stays(&[], temporary.path());
}
