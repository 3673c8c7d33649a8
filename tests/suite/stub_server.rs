//! A server that gives prepared responses and records the requests.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub(crate) struct StubServer {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<RecordedRequest>>>,
}

#[derive(Clone)]
struct RecordedRequest {
    head: String,
    body: Vec<u8>,
}

impl StubServer {
    pub(crate) fn responding(response: String) -> Self {
        Self::answering(move |_| response.clone())
    }

    /// A server whose response depends on the first line of the request.
    pub(crate) fn answering(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let answer = Arc::new(answer);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (recorded, answer) = (Arc::clone(&recorded), Arc::clone(&answer));
                std::thread::spawn(move || exchange(stream, &recorded, &*answer));
            }
        });
        Self { address, requests }
    }

    fn requests(&self) -> Vec<RecordedRequest> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn first_lines(&self) -> BTreeSet<String> {
        let requests = self.requests();
        let lines = requests.iter().filter_map(|it| it.head.lines().next());
        lines.map(str::to_owned).collect()
    }

    /// Every line of every head.
    pub(crate) fn lines(&self) -> Vec<String> {
        let requests = self.requests();
        let lines = requests.iter().flat_map(|it| it.head.lines());
        lines.map(str::to_owned).collect()
    }

    pub(crate) fn bodies(&self) -> Vec<Vec<u8>> {
        self.requests().into_iter().map(|it| it.body).collect()
    }
}

/// Answers one request and closes.
fn exchange(
    mut stream: TcpStream,
    recorded: &Mutex<Vec<RecordedRequest>>,
    answer: &dyn Fn(&str) -> String,
) {
    let mut received = Vec::new();
    let mut part = [0; 16 * 1024];
    while let Ok(length @ 1..) = stream.read(&mut part) {
        received.extend_from_slice(&part[..length]);
        if let Some(request) = complete_request(&received) {
            let response = answer(request.head.lines().next().unwrap_or_default());
            recorded.lock().unwrap().push(request);
            stream.write_all(response.as_bytes()).ok();
            return;
        }
    }
}

/// The request, once all of it was received.
fn complete_request(received: &[u8]) -> Option<RecordedRequest> {
    let end = received.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&received[..end]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok())?
    });
    let body = &received[end + 4..];
    (body.len() >= length.unwrap_or(0)).then(|| RecordedRequest {
        head,
        body: body.to_vec(),
    })
}
