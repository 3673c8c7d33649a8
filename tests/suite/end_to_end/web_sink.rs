//! A web server that takes everything that is posted and keeps it: PagerDuty
//! and the ticket system.

use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Posted {
    /// As in `/pagerduty`.
    pub(super) path: String,
    pub(super) body: Value,
}

pub(super) struct WebSink {
    address: String,
    posted: Arc<Mutex<Vec<Posted>>>,
}

impl WebSink {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let posted = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&posted);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, Arc::clone(&kept)));
            }
        });
        Self { address, posted }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// What was posted to a path, in order.
    pub(super) fn posted(&self, path: &str) -> Vec<Posted> {
        let all = self.posted.lock().unwrap();
        all.iter().filter(|p| p.path == path).cloned().collect()
    }
}

/// Reads requests off one connection and says 202 to each.
async fn take(mut stream: TcpStream, kept: Arc<Mutex<Vec<Posted>>>) {
    let mut received = Vec::new();
    let mut part = [0; 16 * 1024];
    while let Ok(length @ 1..) = stream.read(&mut part).await {
        received.extend_from_slice(&part[..length]);
        while let Some((posted, end)) = whole_request(&received) {
            kept.lock().unwrap().push(posted);
            received.drain(..end);
            let answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}

/// The first request in the bytes, and where it ends.
fn whole_request(bytes: &[u8]) -> Option<(Posted, usize)> {
    let head_end = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let length: usize = head
        .lines()
        .find_map(|line| {
            let line = line.to_ascii_lowercase();
            line.strip_prefix("content-length:")?.trim().parse().ok()
        })
        .unwrap_or(0);
    let end = head_end + length;
    let body = bytes.get(head_end..end)?;
    let posted = Posted {
        path: head.split(' ').nth(1).unwrap_or_default().to_owned(),
        body: serde_json::from_slice(body).unwrap_or_default(),
    };
    Some((posted, end))
}
