//! # alert-inbox
//!
//! Receives what Alertmanager sends to persons: pages (PagerDuty's Events API v2),
//! mails (SMTP) and tickets (Alertmanager's webhook). `/inbox` shows each as it arrived.
//! For a demonstration on this machine: it listens on loopback addresses only, keeps the
//! latest messages in memory, and accepts every login.

mod frame;
mod inbox;
mod mail;
mod message;
mod page_event;
mod server;
mod smtp;
mod subject;
mod ticket;
mod view;

pub use subject::{DecisionTime, Subject};

use inbox::Inbox;
use jiff::Timestamp;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The path of PagerDuty's Events API.
pub const PAGES_PATH: &str = "/v2/enqueue";

/// The path of the ticket system's webhook.
pub const TICKETS_PATH: &str = "/tickets";

/// What the page says beside the messages.
#[derive(Debug, Clone, Default)]
pub struct Introduction {
    /// What the reader waits for; shown until a page about a decision since the start
    /// has arrived.
    pub expected: String,
    /// Further sentences.
    pub sentences: Vec<String>,
    /// Further addresses to look at: a name and a URL.
    pub links: Vec<(String, String)>,
}

/// A running inbox; it ends when this value is dropped.
#[derive(Debug)]
pub struct AlertInbox {
    inbox: Arc<Inbox>,
    web: SocketAddr,
    mail: SocketAddr,
    _tasks: JoinSet<()>,
}

impl AlertInbox {
    /// Listens for pages and tickets on this port of the loopback address, or on a free
    /// one where it is taken, and for mails on a free one.
    pub async fn start(port: u16, decision_time: DecisionTime) -> io::Result<Self> {
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let web = match TcpListener::bind(loopback(port)).await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind(loopback(0)).await?,
        };
        let mail = TcpListener::bind(loopback(0)).await?;
        let inbox = Arc::new(Inbox::new(decision_time, Timestamp::now()));
        let addresses = (web.local_addr()?, mail.local_addr()?);
        let mut tasks = JoinSet::new();
        tasks.spawn(server::serve(web, Arc::clone(&inbox)));
        tasks.spawn(smtp::serve(mail, Arc::clone(&inbox)));
        Ok(Self {
            inbox,
            web: addresses.0,
            mail: addresses.1,
            _tasks: tasks,
        })
    }

    /// Replaces what the page says beside the messages.
    pub fn introduce(&self, introduction: Introduction) {
        self.inbox.introduce(introduction);
    }

    /// The address of the page, of [`PAGES_PATH`] and of [`TICKETS_PATH`].
    pub fn web_address(&self) -> SocketAddr {
        self.web
    }

    /// The address of the mail server.
    pub fn mail_address(&self) -> SocketAddr {
        self.mail
    }

    /// The URL of the page.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.web, view::PATH)
    }
}
