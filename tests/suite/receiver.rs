//! A receiver of events with faults.

use parking_lot::Mutex;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How a receiver handles a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reply {
    Status(u16),
    /// Reads the request and does not answer.
    Stall,
    /// Reads the request and closes the connection.
    Close,
    /// Answers 204 after 0.3 seconds.
    Slow,
    /// Answers 500 and 503 in turn.
    Fail,
}

/// A request as received.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) head: BTreeMap<String, String>,
    pub(crate) body: Value,
    pub(crate) reply: u16,
}

/// A receiver that follows a script, and answers as usual after its end: 204.
pub(crate) struct Receiver {
    pub(crate) address: String,
    requests: Arc<Mutex<Vec<Request>>>,
    pub(crate) script: Arc<Mutex<Vec<Reply>>>,
    /// What it does after the end of the script.
    pub(crate) usual: Arc<Mutex<Reply>>,
    task: Mutex<tokio::task::JoinHandle<()>>,
}

impl Receiver {
    pub(crate) async fn start(script: &[Reply]) -> Self {
        Self::at("127.0.0.1:0", script).await
    }

    pub(crate) async fn at(address: &str, script: &[Reply]) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Mutex::new(script.to_vec()));
        let usual = Arc::new(Mutex::new(Reply::Status(204)));
        let task = tokio::spawn(receive(
            listener,
            Arc::clone(&requests),
            Arc::clone(&script),
            Arc::clone(&usual),
        ));
        Self {
            address,
            requests,
            script,
            usual,
            task: Mutex::new(task),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().clone()
    }

    /// The requests that it accepted.
    pub(crate) fn accepted(&self) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| request.reply == 204);
        requests
    }

    /// Closes the listener.
    pub(crate) async fn stop(&self) {
        let task = std::mem::replace(&mut *self.task.lock(), tokio::spawn(async {}));
        task.abort();
        let _aborted = task.await;
    }
}

async fn receive(
    listener: TcpListener,
    requests: Arc<Mutex<Vec<Request>>>,
    script: Arc<Mutex<Vec<Reply>>>,
    usual: Arc<Mutex<Reply>>,
) {
    // The connections end with the listener.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(
            stream,
            Arc::clone(&requests),
            Arc::clone(&script),
            Arc::clone(&usual),
        ));
    }
}

async fn serve(
    mut stream: TcpStream,
    requests: Arc<Mutex<Vec<Request>>>,
    script: Arc<Mutex<Vec<Reply>>>,
    usual: Arc<Mutex<Reply>>,
) {
    let mut received = Vec::new();
    let mut part = [0; 16 * 1024];
    while let Ok(length @ 1..) = stream.read(&mut part).await {
        received.extend_from_slice(&part[..length]);
        while let Some((mut request, end)) = whole_request(&received) {
            received.drain(..end);
            let reply = {
                let mut script = script.lock();
                match script.is_empty() {
                    true => *usual.lock(),
                    false => script.remove(0),
                }
            };
            if matches!(reply, Reply::Slow) {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            let number = requests.lock().len();
            request.reply = match reply {
                Reply::Status(status) => status,
                Reply::Slow => 204,
                Reply::Fail if number.is_multiple_of(2) => 500,
                Reply::Fail => 503,
                Reply::Stall | Reply::Close => 0,
            };
            let status = request.reply;
            requests.lock().push(request);
            match reply {
                Reply::Stall => std::future::pending().await,
                Reply::Close => return,
                Reply::Status(_) | Reply::Slow | Reply::Fail => {}
            }
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
