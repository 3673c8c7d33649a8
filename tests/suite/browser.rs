//! The pages in a real browser.
//!
//! `chromedriver` (WebDriver, JSON over HTTP) controls Chromium. Each test has a
//! browser and a profile of its own; they run one at a time, since a browser
//! needs much memory.

use crate::partner_pages::partners;
use crate::process::{Process, program};
use crate::test_server::{
    HOSTILE, TestServer, change, control, options, start, start_showing, tenant, troubled,
    with_controls, with_history,
};
use crate::web_pages::{PAGES, RUNBOOKS, encoded};
use secure_score_exporter::store::TenantState;
use secure_score_model::{Category, ControlState};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// The browser can reach this machine only, whatever a page or the browser itself
/// tries to load.
const ARGUMENTS: [&str; 7] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

const TAB: &str = "\u{E004}";
const ENTER: &str = "\u{E007}";

/// A browser with one window.
pub(crate) struct Browser {
    http: reqwest::Client,
    session: String,
    process: PathBuf,
    _driver: Process,
    /// With the profile, since a killed driver removes nothing.
    _folder: TempDir,
    _lock: MutexGuard<'static, ()>,
}

/// Starts chromedriver, and returns its port too. The one that it chooses is free in
/// IPv6 and may be taken in IPv4; then it ends, and is started again.
fn started_driver(folder: &Path) -> (Process, String) {
    let path = program("chromedriver", "chromium chromium-driver");
    let mut command = Command::new(path);
    command.arg("--port=0").env("TMPDIR", folder);
    for _ in 0..10 {
        let driver = Process::start(&mut command);
        let started = "started successfully on port ";
        let port = driver.word_after_unless(started, Some("port not available"));
        if let Some(port) = port {
            return (driver, port);
        }
    }
    panic!("chromedriver finds no free port");
}

impl Browser {
    pub(crate) async fn open() -> Self {
        let lock = ONE_AT_A_TIME.lock().await;
        let folder = tempfile::tempdir().unwrap();
        let (driver, port) = started_driver(folder.path());
        let address = format!("http://127.0.0.1:{}/session", port.trim_end_matches('.'));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "unhandledPromptBehavior": "ignore",
            "goog:chromeOptions": {"args": ARGUMENTS},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let response = send(&http, http.post(&address), &capabilities)
            .await
            .unwrap();
        let id = response["sessionId"].as_str().unwrap();
        let process = response["capabilities"]["goog:processID"].to_string();
        Self {
            process: Path::new("/proc").join(process),
            session: format!("{address}/{id}"),
            http,
            _driver: driver,
            _folder: folder,
            _lock: lock,
        }
    }

    async fn command(&self, path: &str, body: Value) -> Result<Value, String> {
        let request = self.http.post(format!("{}/{path}", self.session));
        send(&self.http, request, &body).await
    }

    async fn devtools(&self, method: &str, parameters: Value) -> Value {
        let body = json!({"cmd": method, "params": parameters});
        self.command("goog/cdp/execute", body).await.unwrap()
    }

    pub(crate) async fn visit(&self, server: &TestServer, path: &str) {
        self.open_url(&format!("http://{}{path}", server.address))
            .await;
    }

    pub(crate) async fn open_url(&self, url: &str) {
        self.command("url", json!({"url": url})).await.unwrap();
    }

    /// Runs what follows in the frame with this index, or in the whole page.
    pub(crate) async fn enter_frame(&self, index: Option<usize>) {
        let frame = json!({"id": index});
        self.command("frame", frame).await.unwrap();
    }

    /// The value of a script, which the page itself would not be allowed to run.
    pub(crate) async fn value(&self, script: &str) -> Value {
        let body = json!({"script": format!("return {script}"), "args": []});
        self.command("execute/sync", body).await.unwrap()
    }

    /// Waits until a script returns true.
    pub(crate) async fn until(&self, condition: &str) {
        for _ in 0..600 {
            if self.value(condition).await == json!(true) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never true: {condition}\n{}", self.text().await);
    }

    /// The visible text.
    pub(crate) async fn text(&self) -> String {
        let text = self.value("document.body.innerText").await;
        text.as_str().unwrap().to_owned()
    }

    pub(crate) async fn click(&self, selector: &str) {
        let wanted = json!({"using": "css selector", "value": selector});
        let found = self.command("element", wanted).await;
        let found = found.unwrap_or_else(|error| panic!("{selector}: {error}"));
        let id = found.as_object().unwrap().values().next().unwrap().clone();
        let path = format!("element/{}/click", id.as_str().unwrap());
        self.command(&path, json!({})).await.unwrap();
    }

    async fn press(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key})))
            .collect();
        let actions = json!({"actions": [{"type": "key", "id": "keys", "actions": strokes}]});
        self.command("actions", actions).await.unwrap();
    }

    pub(crate) async fn prefer(&self, scheme: &str) {
        let feature = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.devtools("Emulation.setEmulatedMedia", json!({"features": feature}))
            .await;
    }

    /// The page as a PDF, with the page size of its style sheet.
    pub(crate) async fn print(&self) -> Vec<u8> {
        let options = json!({"preferCSSPageSize": true});
        let printed = self.devtools("Page.printToPDF", options).await;
        let data = printed["data"].as_str().unwrap();
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data).unwrap()
    }

    /// Shows the page as it would be printed.
    pub(crate) async fn print_styles(&self) {
        let print = json!({"media": "print"});
        self.devtools("Emulation.setEmulatedMedia", print).await;
    }

    pub(crate) async fn resize(&self, width: u32, height: u32, phone: bool) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone});
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await;
    }

    /// A screenshot.
    pub(crate) async fn picture(&self) -> Vec<u8> {
        let taken = self
            .devtools("Page.captureScreenshot", json!({"format": "png"}))
            .await;
        let text = taken["data"].as_str().unwrap();
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).unwrap()
    }

    /// The browser's errors: refused scripts, styles and requests.
    pub(crate) async fn errors(&self) -> Vec<Value> {
        let log = self.command("se/log", json!({"type": "browser"})).await;
        log.unwrap().as_array().unwrap().clone()
    }
}

/// Asks the driver to end the browser, so that a failed test leaves none behind,
/// and waits for it, since it still writes into its profile.
impl Drop for Browser {
    fn drop(&mut self) {
        let Some((address, path)) = self
            .session
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once('/'))
        else {
            return;
        };
        let request = format!("DELETE /{path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        if let Ok(mut stream) = TcpStream::connect(address) {
            let _bounded = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let _sent = stream.write_all(request.as_bytes());
            let _done = stream.read(&mut [0; 1024]);
        }
        for _ in 0..200 {
            if !self.process.exists() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Sends a command; returns the value or the driver's error.
async fn send(
    http: &reqwest::Client,
    request: reqwest::RequestBuilder,
    body: &Value,
) -> Result<Value, String> {
    let request = request
        .header("content-type", "application/json")
        .body(body.to_string())
        .build()
        .unwrap();
    let response = http.execute(request).await.unwrap();
    let good = response.status().is_success();
    let bytes = response.bytes().await.unwrap();
    let response: Value = serde_json::from_slice(&bytes).unwrap();
    match good {
        true => Ok(response["value"].clone()),
        false => Err(response["value"]["message"].to_string()),
    }
}

/// A tenant with everything that a page can show.
pub(crate) fn full_tenant() -> TenantState {
    let mut state = troubled(with_history());
    let mut snapshot = (*state.snapshot).clone();
    for control in &mut snapshot.controls {
        control.watched = true;
    }
    state.snapshot = Arc::new(snapshot);
    state
}

#[tokio::test]
async fn hostile_text_is_shown_and_not_run() {
    let update = change(
        ControlState::RiskAccepted,
        1_763_626_530,
        HOSTILE,
        "<script>document.title = 'owned'; alert(1)</script><style>body{display:none}</style>",
    );
    let mut hostile = control(HOSTILE, Category::Identity, vec![update]);
    hostile.watched = true;
    if let Some(entry) = &mut hostile.entry {
        Arc::make_mut(entry).action_url = Some("javascript:alert(1)".into());
    }
    let server = start_showing(with_controls(tenant("contoso"), vec![hostile])).await;
    let browser = Browser::open().await;
    for path in PAGES {
        let path = path.replace("newer", &encoded(HOSTILE));
        browser.visit(&server, &path).await;
        browser
            .value("document.querySelectorAll('details').forEach(it => it.open = true)")
            .await;
        let text = browser.text().await;
        // The matrix has no comments.
        assert!(
            text.contains("<script>document.title = 'owned'") || path == "/controls",
            "{path}: {text}"
        );
        assert!(text.contains("<img src=x onerror=alert(1)>"), "{path}");
        for (what, count) in [
            ("document.scripts.length", 0),
            ("document.images.length", 0),
            (
                "document.querySelectorAll('style, iframe, object').length",
                0,
            ),
            (
                "[...document.links].filter(a => !a.protocol.startsWith('http')).length",
                0,
            ),
            ("document.querySelectorAll('h1').length", 1),
        ] {
            assert_eq!(browser.value(what).await, json!(count), "{path}: {what}");
        }
        let title = browser.value("document.title").await;
        assert!(title.as_str().unwrap().ends_with("Secure Score exporter"));
        let dialog = browser.command("alert/dismiss", json!({})).await;
        assert!(dialog.unwrap_err().contains("no such alert"));
        assert_eq!(browser.errors().await, Vec::<Value>::new(), "{path}");
    }
}

#[tokio::test]
async fn empty_tables_say_so() {
    let server = start_showing(with_controls(tenant("contoso"), Vec::new())).await;
    let browser = Browser::open().await;
    for (path, words) in [
        (
            "/",
            "No acceptance and no claim on a watched control waits for a decision.",
        ),
        (
            "/controls",
            "No known control or recommendation is on the watch list.",
        ),
        (
            "/acceptances",
            "No known control or recommendation has, or ever had",
        ),
        (
            "/tenants/contoso",
            "No control of this tenant is known now.",
        ),
    ] {
        browser.visit(&server, path).await;
        let text = browser.text().await;
        assert!(text.contains(words), "{path}: {text}");
    }
}

#[tokio::test]
async fn a_failing_tenant_comes_first_with_its_remedy() {
    let server = start_showing(tenant("adatum")).await;
    server.store.publish(troubled(tenant("northwind")));
    let browser = Browser::open().await;
    browser.visit(&server, "/").await;
    let first = "document.querySelector('tbody tr').innerText";
    let row = browser.value(first).await.as_str().unwrap().to_owned();
    assert!(
        row.contains("northwind") && row.contains("refresh failing"),
        "{row}"
    );
    let broken = "document.querySelector('section[aria-labelledby=broken]').innerText";
    let broken = browser.value(broken).await.as_str().unwrap().to_owned();
    for words in [
        "northwind",
        "403 Forbidden",
        "grant the application permission SecurityEvents.Read.All",
    ] {
        assert!(broken.contains(words), "{broken}");
    }
    browser.click("tbody tr th a").await;
    browser
        .until("location.pathname == '/tenants/northwind'")
        .await;
    let text = browser.text().await;
    assert!(text.contains("SecurityEvents.Read.All"), "{text}");
}

#[tokio::test]
async fn a_thousand_tenants_are_paged() {
    let server = start(options()).await;
    for number in 0..1_000 {
        let accepted = (0..3).map(|n| {
            let at = 1_763_626_530 + n;
            let update = change(ControlState::RiskAccepted, at, "amy@x.example", "later");
            control(&format!("control-{n}"), Category::Identity, vec![update])
        });
        let name = format!("tenant-{number:04}");
        server
            .store
            .publish(with_controls(tenant(&name), accepted.collect()));
    }
    let browser = Browser::open().await;
    browser.visit(&server, "/").await;
    let tenants = "document.querySelectorAll('section[aria-labelledby=tenants] tbody tr').length";
    assert_eq!(browser.value(tenants).await, json!(200));
    browser.click("nav.paging a[rel=next]").await;
    browser.until("location.search == '?page=2'").await;
    assert!(browser.text().await.contains("tenant-0200"));

    browser.click("input[name=find]").await;
    browser.press(&format!("0777{ENTER}")).await;
    browser.until("location.search == '?find=0777&show='").await;
    assert_eq!(browser.value(tenants).await, json!(1));
}

#[tokio::test]
async fn the_acceptances_are_sorted_and_filtered_by_clicks() {
    let server = start_showing(with_history()).await;
    let browser = Browser::open().await;
    browser.visit(&server, "/acceptances").await;
    let order = "[...document.querySelectorAll('tbody tr')].map(r => r.querySelector('code').innerText).join()";
    assert_eq!(
        browser.value(order).await,
        json!("newer,older,apps,reverted")
    );
    let sorted = "document.querySelector('[aria-sort]').getAttribute('aria-sort')";
    for (direction, rows) in [
        ("ascending", "apps,newer,older,reverted"),
        ("descending", "reverted,older,newer,apps"),
    ] {
        browser.click("thead th:first-child a").await;
        browser
            .until(&format!(
                "document.querySelector('[aria-sort={direction}]') != null"
            ))
            .await;
        assert_eq!(browser.value(sorted).await, json!(direction));
        assert_eq!(browser.value(order).await, json!(rows));
    }
    browser
        .click("select[name=category] option[value=Apps]")
        .await;
    browser.click("form button").await;
    browser
        .until("location.search.includes('category=Apps')")
        .await;
    assert_eq!(browser.value(order).await, json!("apps"));
    let chosen = "document.querySelector('select[name=category]').value";
    assert_eq!(browser.value(chosen).await, json!("Apps"));
    assert_eq!(browser.value(sorted).await, json!("descending"));
    assert_eq!(browser.errors().await, Vec::<Value>::new());

    browser.click("summary").await;
    browser
        .until("document.querySelector('details').open")
        .await;
    assert!(browser.text().await.contains("apps are late"));
}

#[tokio::test]
async fn the_pages_work_with_the_keyboard_alone() {
    let server = start_showing(with_history()).await;
    let browser = Browser::open().await;
    browser.visit(&server, "/acceptances").await;
    browser.press(TAB).await;
    let skip = "document.activeElement.matches('.skip') && document.activeElement.getBoundingClientRect().left >= 0";
    assert_eq!(browser.value(skip).await, json!(true));
    let outline = "getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(browser.value(outline).await, json!("solid"));
    browser.press(ENTER).await;
    browser
        .until("document.activeElement.matches('main')")
        .await;

    browser.press(TAB).await;
    let name = "document.activeElement.name";
    assert_eq!(browser.value(name).await, json!("tenant"));
    browser.press(&format!("contoso{TAB}newer{ENTER}")).await;
    browser
        .until("location.search.includes('control=newer')")
        .await;
    let rows = "document.querySelectorAll('tbody tr').length";
    assert_eq!(browser.value(rows).await, json!(1));

    let reached = "document.activeElement.matches('.wide') || document.activeElement.closest('.wide') != null";
    let mut presses = 0;
    while browser.value(reached).await != json!(true) {
        presses += 1;
        assert!(presses < 30, "the table is not reached");
        browser.press(TAB).await;
    }
}

/// Texts whose contrast with their background is below 4.5, and the number of
/// texts.
pub(crate) const CONTRAST: &str = r"(() => {
  const channels = text => text.match(/[\d.]+/g).map(Number);
  const light = text => {
    const [r, g, b] = channels(text).map(c => c / 255)
      .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      const alpha = channels(colour)[3];
      if (alpha === undefined || alpha === 1) return colour;
      if (alpha !== 0) return 'rgb(128, 128, 128)';
    }
    return 'rgb(255, 255, 255)';
  };
  const weak = [];
  let texts = 0;
  for (const element of document.body.querySelectorAll('*')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    const field = element.matches('input, select, button');
    if (!own && !field) continue;
    texts += 1;
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) weak.push(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
  }
  return [texts, weak, getComputedStyle(document.body).backgroundColor];
})()";

#[tokio::test]
async fn text_has_contrast_in_light_and_in_dark() {
    let server = start_showing(full_tenant()).await;
    server.store.publish_partners(partners());
    let browser = Browser::open().await;
    let paths = [&PAGES[..], &RUNBOOKS].concat();
    let mut backgrounds = Vec::new();
    for scheme in ["light", "dark"] {
        browser.prefer(scheme).await;
        for path in &paths {
            browser.visit(&server, path).await;
            let seen = browser.value(CONTRAST).await;
            assert!(seen[0].as_u64().unwrap() > 30, "{path}: {seen}");
            assert_eq!(seen[1], json!([]), "{scheme} {path}");
            backgrounds.push(seen[2].clone());
        }
    }
    assert_ne!(
        backgrounds[0],
        backgrounds[paths.len()],
        "dark is not light"
    );
}

#[tokio::test]
async fn on_a_phone_rows_are_cards_and_the_page_is_as_wide_as_the_screen() {
    let mut state = full_tenant();
    state.identity.display_name = "W".repeat(60).into();
    let server = start_showing(state).await;
    server.store.publish_partners(partners());
    let browser = Browser::open().await;
    browser.resize(390, 844, true).await;
    for path in PAGES {
        browser.visit(&server, path).await;
        let width = browser.value("document.documentElement.scrollWidth").await;
        assert_eq!(width, json!(390), "{path}");
        let outside = "[...document.querySelectorAll('.cards tbody *, .filter *, .facts *')].filter(it => it.getBoundingClientRect().right > 390).map(it => it.outerHTML)";
        assert_eq!(browser.value(outside).await, json!([]), "{path}");
        let unlabelled = "[...document.querySelectorAll('.cards tbody td')].filter(it => !it.dataset.label).map(it => it.outerHTML)";
        assert_eq!(browser.value(unlabelled).await, json!([]), "{path}");
        let scrolls = "[...document.querySelectorAll('.wide')].filter(it => it.scrollWidth > it.clientWidth).length";
        assert_eq!(browser.value(scrolls).await, json!(0), "{path}");
        let cards = "document.querySelectorAll('.cards').length > 0";
        assert_eq!(browser.value(cards).await, json!(true), "{path}");
    }
    for path in RUNBOOKS {
        browser.visit(&server, path).await;
        let outside = "[...document.querySelectorAll('main *')].filter(it => it.getBoundingClientRect().right > 390).map(it => it.outerHTML)";
        assert_eq!(browser.value(outside).await, json!([]), "{path}");
    }
    // A phone's user sorts by the links that stand above the cards.
    browser.visit(&server, "/acceptances").await;
    browser.click("thead th:first-child a").await;
    browser
        .until("location.search.includes('sort=control')")
        .await;
}

#[tokio::test]
async fn each_page_labels_its_parts_for_screen_readers() {
    let server = start_showing(full_tenant()).await;
    server.store.publish_partners(partners());
    let browser = Browser::open().await;
    for path in PAGES {
        browser.visit(&server, path).await;
        for (what, expected) in [
            ("document.documentElement.lang", json!("en")),
            ("document.querySelectorAll('h1').length", json!(1)),
            (
                "document.querySelectorAll('body > header, body > main, body > footer').length",
                json!(3),
            ),
            (
                "document.querySelectorAll('th:not([scope])').length",
                json!(0),
            ),
            (
                "[...document.querySelectorAll('table')].filter(it => !it.caption).length",
                json!(0),
            ),
            (
                "[...document.querySelectorAll('input:not([type=hidden]), select')].filter(it => it.labels.length != 1).length",
                json!(0),
            ),
            (
                "[...document.querySelectorAll('[aria-labelledby]')].filter(it => !document.getElementById(it.getAttribute('aria-labelledby'))).length",
                json!(0),
            ),
            (
                "[...document.querySelectorAll('[id]')].map(it => it.id).filter((id, at, all) => all.indexOf(id) != at)",
                json!([]),
            ),
            (
                "[...document.querySelectorAll('time')].filter(it => isNaN(Date.parse(it.dateTime))).length",
                json!(0),
            ),
        ] {
            assert_eq!(browser.value(what).await, expected, "{path}: {what}");
        }
    }
}
