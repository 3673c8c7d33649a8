//! Receivers of remote write: the real VictoriaMetrics, and one with moods.

use super::captured::Captured;
use crate::process::{Process, free_port, program};
use crate::simulated::{Simulated, run, text};
use crate::stub_server::StubServer;
use serde_json::Value;
use std::fs;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use strict_yaml::testing::saved_on_windows;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

struct Victoria {
    _folder: tempfile::TempDir,
    process: Process,
    http: reqwest::Client,
    url: String,
}

impl Victoria {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let process = Process::start(
            Command::new(program("victoria-metrics", "victoria-metrics"))
                .arg(format!("-storageDataPath={}", folder.path().display()))
                .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
                .arg("-retentionPeriod=1y"),
        );
        let victoria = Self {
            _folder: folder,
            process,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: format!("http://127.0.0.1:{port}"),
        };
        for _ in 0..600 {
            if victoria
                .http
                .get(format!("{}/health", victoria.url))
                .send()
                .await
                .is_ok()
            {
                return victoria;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!(
            "VictoriaMetrics does not start:\n{}",
            victoria.process.output()
        );
    }

    async fn get(&self, path: &str) -> String {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await;
        answer.unwrap().text().await.unwrap()
    }

    /// Makes what was sent visible to queries.
    async fn settle(&self) {
        self.get("/internal/force_flush").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_victoria_metrics_holds_every_sample() {
    let simulated = Simulated::start();
    let victoria = Victoria::start().await;
    let config = simulated.config();
    let asked = |flag: &str, path: &str| {
        let flag = format!("{flag}={}{path}", victoria.url);
        run(&[
            "backfill",
            "--config.file",
            &config,
            "--step=6h",
            "--label=job=secure-score",
            "--label=instance=x:1",
            &flag,
        ])
    };
    let before = asked("--check", "");
    assert_eq!(before.status.code(), Some(1), "nothing is there yet");
    let sent = asked("--remote-write", "/api/v1/write");
    assert!(sent.status.success(), "{}", text(&sent.stderr));
    let printed = text(&sent.stdout);
    assert!(
        printed.contains("5 tenants read") && printed.contains(" sent\n"),
        "{printed}"
    );
    victoria.settle().await;
    let series = "secure_score_tenant_score%7Btenant=%22contoso%22,job=%22secure-score%22%7D";
    let exported = victoria
        .get(&format!("/api/v1/export?match%5B%5D={series}"))
        .await;
    let held: Value = serde_json::from_str(exported.trim()).unwrap();
    assert_eq!(held["metric"]["instance"], "x:1");
    let values = held["values"].as_array().unwrap();
    assert!(values.len() > 350, "{}", values.len());
    let checked = asked("--check", "");
    let found = text(&checked.stdout);
    assert!(checked.status.success(), "{found}");
    assert_eq!(
        found.matches(" 0 missing, 0 different").count(),
        5,
        "{found}"
    );
}

/// What the receiver was sent, as it stood in the head of each request.
type Heads = Arc<Mutex<Vec<String>>>;

/// Answers with these in turn, and with the last one for ever.
async fn moody(answers: &'static [&'static str]) -> (String, Heads) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v1/push", listener.local_addr().unwrap());
    let heads = Heads::default();
    let seen = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut received = Vec::new();
            let mut part = [0; 64 * 1024];
            while let Ok(length @ 1..) = stream.read(&mut part).await {
                received.extend_from_slice(&part[..length]);
                if is_whole(&received) {
                    break;
                }
            }
            let head = String::from_utf8_lossy(&received);
            let head = head
                .split("\r\n\r\n")
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            let place = {
                let mut seen = seen.lock().unwrap();
                seen.push(head);
                seen.len() - 1
            };
            let answer = answers[place.min(answers.len() - 1)];
            let _hung_up = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, heads)
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|it| it == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(0, |it| it.trim().parse().unwrap());
    request.len() >= end + 4 + length
}

/// A receiver that no test reaches.
const RECEIVER: &str = "http://tsdb.example:9090/api/v1/write";

async fn send(url: String) -> Output {
    send_with(url, Vec::new()).await
}

const HEADERS: &str = "X-Scope-OrgID: blue\nAuthorization: Bearer hidden-word\n";

/// Sends with variables of a proxy.
async fn send_with(url: String, variables: Vec<(&'static str, String)>) -> Output {
    send_with_headers(url, variables, HEADERS.into()).await
}

async fn send_with_headers(
    url: String,
    variables: Vec<(&'static str, String)>,
    written: Vec<u8>,
) -> Output {
    tokio::task::spawn_blocking(move || {
        let captured = Captured::of_days(30);
        let headers = captured.folder().join("headers");
        fs::write(&headers, written).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"));
        command.envs(variables).args([
            "--log.level=debug",
            "backfill",
            "--config.file",
            &captured.config(),
            "--step=1d",
            "--label=job=a",
            "--remote-write",
            &url,
            "--header-file",
            &headers.display().to_string(),
        ]);
        command.output().unwrap()
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_file_saved_by_an_editor_of_windows_is_read() {
    for written in saved_on_windows(HEADERS) {
        let (url, heads) = moody(&["HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"]).await;
        let sent = send_with_headers(url, Vec::new(), written).await;
        assert!(sent.status.success(), "{}", text(&sent.stderr));
        let heads = heads.lock().unwrap();
        for line in ["x-scope-orgid: blue", "authorization: bearer hidden-word"] {
            assert!(heads[0].lines().any(|it| it == line), "{heads:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_busy_is_asked_again() {
    let (url, heads) = moody(&[
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    ])
    .await;
    let sent = send(url).await;
    assert!(sent.status.success(), "{}", text(&sent.stderr));
    let heads = heads.lock().unwrap();
    assert_eq!(heads.len(), 3);
    for line in [
        "post /api/v1/push http/1.1",
        "content-encoding: snappy",
        "content-type: application/x-protobuf",
        "x-prometheus-remote-write-version: 0.1.0",
        "x-scope-orgid: blue",
        "authorization: bearer hidden-word",
    ] {
        assert!(heads.iter().all(|head| head.contains(line)), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_progress_shows_why_a_receiver_is_asked_again() {
    let (url, _heads) = moody(&[
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbusy",
        "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    ])
    .await;
    let sent = tokio::task::spawn_blocking(move || {
        let captured = Captured::of_days(30);
        let command = format!(
            "stty cols 200 rows 40; exec {} backfill --config.file {} --step=1d --label=job=a --remote-write {url}",
            env!("CARGO_BIN_EXE_secure-score-exporter"),
            captured.config()
        );
        Command::new(program("script", "bsdutils"))
            .args(["-qec", &command, "/dev/null"])
            .env("TERM", "xterm")
            .stdin(Stdio::null())
            .output()
    });
    let sent = sent.await.unwrap().unwrap();
    let written = text(&sent.stdout);
    assert!(sent.status.success(), "{written}");
    assert!(
        written.contains(" answered 429: busy, trying again"),
        "{written}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_request_is_final_and_reports_the_receivers_text() {
    let (url, heads) = moody(&[
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 51\r\n\r\nout of bounds, and your word is hidden-word, dear\u{7}\r\n",
    ])
    .await;
    let refused = send(url).await;
    assert_eq!(refused.status.code(), Some(1));
    let message = text(&refused.stderr);
    assert!(message.contains("replay: http://127.0.0.1:"), "{message}");
    assert!(
        message.contains("answered 400: out of bounds, and your word is … dear"),
        "{message}"
    );
    assert!(message.contains("out_of_order_time_window"), "{message}");
    assert!(
        message.contains("1 of 1 tenant could not be sent\n"),
        "{message}"
    );
    assert!(!message.contains("tenant could not be read"), "{message}");
    assert!(
        !message.contains("hidden-word") && !message.contains('\u{7}'),
        "{message}"
    );
    assert_eq!(heads.lock().unwrap().len(), 1, "it is not asked twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_through_a_proxy_of_plain_http_names_it() {
    for (status, hint) in [
        (
            "403 Forbidden",
            "hint: give the server's header in --header-file; if the proxy refuses",
        ),
        (
            "407 Proxy Authentication Required",
            "HTTP_PROXY=http://USER:PASSWORD@HOST:PORT",
        ),
    ] {
        let proxy =
            StubServer::responding(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));
        let user = format!("http://someone:hush-hush@{}", proxy.address);
        let refused = send_with(RECEIVER.to_owned(), vec![("HTTP_PROXY", user)]).await;
        let message = text(&refused.stderr);
        let code = &status[..3];
        let named = format!(
            "http://tsdb.example:9090 through the proxy http://{} answered {code}: ",
            proxy.address
        );
        assert!(message.contains(&named), "{message}");
        assert!(message.contains(hint), "{message}");
        assert!(!message.contains("hush-hush"), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socks_proxy_is_final_and_its_variable_is_that_of_the_scheme() {
    let socks = ("ALL_PROXY", "socks5://127.0.0.1:1080".to_owned());
    let refused = send_with(RECEIVER.to_owned(), vec![socks]).await;
    let message = text(&refused.stderr);
    assert!(message.contains("SOCKS is not supported"), "{message}");
    assert!(
        message.contains(" HTTP_PROXY=http://HOST:PORT"),
        "{message}"
    );
    assert!(!message.contains("retrying the request"), "{message}");
}
