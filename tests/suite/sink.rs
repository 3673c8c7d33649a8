//! Where Alertmanager's notifications end up.

use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One alert of one notification.
#[derive(Debug, Clone)]
pub(crate) struct Notification {
    pub(crate) alert: String,
    pub(crate) status: String,
    body: Value,
}

impl Notification {
    pub(crate) fn label(&self, name: &str) -> &str {
        self.body["labels"][name].as_str().unwrap_or_default()
    }

    pub(crate) fn annotation(&self, name: &str) -> &str {
        self.body["annotations"][name].as_str().unwrap_or_default()
    }
}

/// A web server that takes everything and keeps it.
pub(crate) struct Sink {
    url: String,
    seen: Arc<Mutex<Vec<Notification>>>,
}

impl Sink {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, Arc::clone(&kept)));
            }
        });
        Self { url, seen }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn seen(&self) -> Vec<Notification> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits for a notification; `None` when none came in time.
    pub(crate) async fn wait(
        &self,
        patience: Duration,
        wanted: impl Fn(&Notification) -> bool,
    ) -> Option<Notification> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(found) = self.seen().into_iter().find(|n| wanted(n)) {
                return Some(found);
            }
            if Instant::now() >= deadline {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Reads requests off one connection and says 200 to each.
async fn take(mut stream: TcpStream, seen: Arc<Mutex<Vec<Notification>>>) {
    let mut received = Vec::new();
    let mut part = [0; 16 * 1024];
    while let Ok(length @ 1..) = stream.read(&mut part).await {
        received.extend_from_slice(&part[..length]);
        while let Some((body, end)) = whole_request(&received) {
            seen.lock().unwrap().extend(notifications(&body));
            received.drain(..end);
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}

/// The body of the first request in the bytes, and where the request ends.
fn whole_request(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let head_end = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..head_end]).to_ascii_lowercase();
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
        .unwrap_or(0);
    let end = head_end + length;
    (bytes.len() >= end).then(|| (bytes[head_end..end].to_vec(), end))
}

fn notifications(body: &[u8]) -> Vec<Notification> {
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let alerts = message["alerts"].as_array().cloned().unwrap_or_default();
    alerts
        .into_iter()
        .map(|body| Notification {
            alert: body["labels"]["alertname"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            status: body["status"].as_str().unwrap_or_default().to_owned(),
            body,
        })
        .collect()
}
