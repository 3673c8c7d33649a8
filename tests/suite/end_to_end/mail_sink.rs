//! A mail server that accepts every mail from clients with the password, and
//! keeps it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// One mail, decoded.
#[derive(Debug, Clone, Default)]
pub(super) struct Mail {
    pub(super) to: String,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

pub(super) struct MailSink {
    address: String,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl MailSink {
    pub(super) async fn start(password: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&mails);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, password, Arc::clone(&kept)));
            }
        });
        Self { address, mails }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// What came for an address, in order.
    pub(super) fn mails(&self, to: &str) -> Vec<Mail> {
        let all = self.mails.lock().unwrap();
        all.iter().filter(|m| m.to == to).cloned().collect()
    }
}

struct Client {
    lines: Lines<BufReader<OwnedReadHalf>>,
    writer: OwnedWriteHalf,
}

impl Client {
    async fn line(&mut self) -> Option<String> {
        self.lines.next_line().await.ok().flatten()
    }

    async fn say(&mut self, answer: &str) {
        let _gone_is_fine = self
            .writer
            .write_all(format!("{answer}\r\n").as_bytes())
            .await;
    }
}

async fn converse(stream: TcpStream, password: &str, kept: Arc<Mutex<Vec<Mail>>>) {
    let (reader, writer) = stream.into_split();
    let lines = BufReader::new(reader).lines();
    let mut client = Client { lines, writer };
    let (mut known, mut to) = (false, String::new());
    client.say("220 sink").await;
    while let Some(line) = client.line().await {
        let upper = line.to_ascii_uppercase();
        if upper.starts_with("EHLO") {
            client.say("250-sink\r\n250 AUTH PLAIN").await;
        } else if let Some(given) = line.strip_prefix("AUTH PLAIN ") {
            let given = BASE64.decode(given).unwrap_or_default();
            known = given.ends_with(format!("\0{password}").as_bytes());
            let verdict = if known { "235 welcome" } else { "535 who?" };
            client.say(verdict).await;
        } else if !known && !upper.starts_with("QUIT") {
            client.say("530 authentication required").await;
        } else if let Some(address) = line.strip_prefix("RCPT TO:") {
            to = address.trim_matches(['<', '>']).to_owned();
            client.say("250 ok").await;
        } else if upper == "DATA" {
            client.say("354 go on").await;
            let mut content = Vec::new();
            while let Some(line) = client.line().await.filter(|line| line != ".") {
                content.push(line);
            }
            kept.lock().unwrap().push(read(&to, &content));
            client.say("250 taken").await;
        } else {
            client.say("250 ok").await;
        }
    }
}

/// A mail with a text and an HTML part, as Alertmanager sends it.
fn read(to: &str, content: &[String]) -> Mail {
    let whole = content.join("\n");
    let (head, body) = whole.split_once("\n\n").unwrap_or((&whole, ""));
    let header = |name: &str| {
        let found = head.lines().find_map(|line| line.strip_prefix(name));
        found.unwrap_or_default().trim().to_owned()
    };
    let part = |kind: &str| {
        let marker = format!("Content-Type: {kind}");
        let after = body.split_once(&marker).map_or("", |(_, rest)| rest);
        let content = after.split_once("\n\n").map_or("", |(_, rest)| rest);
        unquoted(content.split("\n--").next().unwrap_or_default())
    };
    Mail {
        to: to.to_owned(),
        subject: header("Subject:"),
        text: part("text/plain"),
        html: part("text/html"),
    }
}

/// Quoted-printable undone.
fn unquoted(text: &str) -> String {
    let joined = text.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'=').then(|| after.get(..2)).flatten();
        let code = code.and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).expect("Alertmanager writes UTF-8")
}
