//! A mail server that accepts every mail (RFC 5321, AUTH PLAIN).

use crate::inbox::Inbox;
use crate::mail::Mail;
use crate::message::Content;
use crate::server::ACCEPT_RETRY_DELAY;
use jiff::Timestamp;
use std::io;
use std::sync::Arc;
use tokio::io::{
    AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines, Take,
};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The most bytes of a connection; what follows is not read.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Accepts mails until the future is dropped.
pub(crate) async fn serve(listener: TcpListener, inbox: Arc<Inbox>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let session = Session::new(stream, Arc::clone(&inbox));
                connections.spawn(async move {
                    if let Err(error) = session.run().await {
                        tracing::debug!(%error, "a mail session failed");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a mail connection");
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
}

/// One connection.
struct Session {
    lines: Lines<BufReader<Take<OwnedReadHalf>>>,
    writer: OwnedWriteHalf,
    recipient: String,
    inbox: Arc<Inbox>,
}

impl Session {
    fn new(stream: TcpStream, inbox: Arc<Inbox>) -> Self {
        let (reader, writer) = stream.into_split();
        Self {
            lines: BufReader::new(reader.take(MAX_BYTES)).lines(),
            writer,
            recipient: String::new(),
            inbox,
        }
    }

    async fn run(mut self) -> io::Result<()> {
        self.reply("220 demo").await?;
        while let Some(line) = self.lines.next_line().await? {
            let (command, argument) = line.split_once([' ', ':']).unwrap_or((&line, ""));
            match command.to_ascii_uppercase().as_str() {
                "EHLO" => self.reply("250-demo\r\n250 AUTH PLAIN").await?,
                "AUTH" => self.reply("235 accepted").await?,
                "RCPT" => {
                    let (_, address) = argument.split_once(':').unwrap_or(("", argument));
                    self.recipient = address.trim_matches(['<', '>', ' ']).to_owned();
                    self.reply("250 ok").await?;
                }
                "DATA" => self.data().await?,
                "QUIT" => return self.reply("221 bye").await,
                _ => self.reply("250 ok").await?,
            }
        }
        Ok(())
    }

    async fn data(&mut self) -> io::Result<()> {
        self.reply("354 end with a dot").await?;
        let mut content = Vec::new();
        while let Some(line) = self.lines.next_line().await? {
            if line == "." {
                let mail = Mail::parse(&self.recipient, &content);
                self.inbox.receive(Content::Mail(mail), Timestamp::now());
                return self.reply("250 received").await;
            }
            // A line that begins with a dot is sent with a second one.
            content.push(match line.strip_prefix('.') {
                Some(rest) => rest.to_owned(),
                None => line,
            });
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    async fn reply(&mut self, line: &str) -> io::Result<()> {
        let line = format!("{line}\r\n");
        self.writer.write_all(line.as_bytes()).await
    }
}
