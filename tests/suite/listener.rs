//! Somebody on this machine who answers each request alike, and remembers what
//! was asked.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

#[derive(Clone)]
struct Asked {
    head: String,
    body: Vec<u8>,
}

impl Listener {
    pub(crate) fn answering(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (seen, answer) = (Arc::clone(&seen), answer.clone());
                std::thread::spawn(move || exchange(stream, &seen, &answer));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn first_lines(&self) -> BTreeSet<String> {
        let asked = self.asked();
        let lines = asked.iter().filter_map(|asked| asked.head.lines().next());
        lines.map(str::to_owned).collect()
    }

    /// Every line of every head.
    pub(crate) fn lines(&self) -> Vec<String> {
        let asked = self.asked();
        let lines = asked.iter().flat_map(|asked| asked.head.lines());
        lines.map(str::to_owned).collect()
    }

    pub(crate) fn bodies(&self) -> Vec<Vec<u8>> {
        self.asked().into_iter().map(|asked| asked.body).collect()
    }
}

/// Answers one request, and closes.
fn exchange(mut stream: TcpStream, seen: &Mutex<Vec<Asked>>, answer: &str) {
    let mut received = Vec::new();
    let mut part = [0; 16 * 1024];
    while let Ok(length @ 1..) = stream.read(&mut part) {
        received.extend_from_slice(&part[..length]);
        if let Some(asked) = whole(&received) {
            seen.lock().unwrap().push(asked);
            stream.write_all(answer.as_bytes()).ok();
            return;
        }
    }
}

/// The request, once all of it is there.
fn whole(received: &[u8]) -> Option<Asked> {
    let end = received.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&received[..end]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok())?
    });
    let body = &received[end + 4..];
    (body.len() >= length.unwrap_or(0)).then(|| Asked {
        head,
        body: body.to_vec(),
    })
}
