//! One HTTP exchange with the server, tried again while that makes sense.

use super::headers::Headers;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{StatusCode, Url};
use std::time::Duration;

/// Connecting takes milliseconds; what drops packets must not take minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A large query on a busy server takes a while.
const TIMEOUT: Duration = Duration::from_secs(120);

/// How often a request is sent before we give up.
const ATTEMPTS: u32 = 7;

/// The pause before the second attempt, doubled before each further one: a
/// server that restarts is back within half a minute.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause a server can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// How much of what a server says about a failure is repeated.
const LONGEST_WORDS: usize = 300;

/// The largest answer taken; a tenant's family of 90 days has some megabytes.
const LARGEST_ANSWER: usize = 256 * 1024 * 1024;

/// Words of servers that do not take samples as old as these.
const TOO_OLD: [&str; 5] = [
    "out of bounds",
    "out-of-bounds",
    "out of order",
    "out-of-order",
    "too old",
];

/// A server, by the address somebody gave.
pub struct Server {
    http: reqwest::Client,
    pub(super) url: Url,
    headers: Headers,
}

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the client for the server cannot be set up")]
pub struct SetupError(#[source] reqwest::Error);

/// Why the server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No whole answer came, several times.
    #[error("{server} cannot be reached ({what})")]
    Away {
        /// Scheme, host and port.
        server: String,
        /// What was the trouble.
        what: &'static str,
    },
    /// It refused, or failed several times.
    #[error("{server} answered {status}: {words}")]
    Refused {
        /// Scheme, host and port.
        server: String,
        /// The HTTP status.
        status: u16,
        /// What it said, cut.
        words: String,
    },
    /// Its answer is none that Prometheus would give.
    #[error("{server} gave an answer that cannot be read: {what}")]
    Unreadable {
        /// Scheme, host and port.
        server: String,
        /// What is wrong with it.
        what: String,
    },
}

impl ServerError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Away { .. } => Some("see whether the address is right and the server runs"),
            Self::Refused { words, .. }
                if TOO_OLD.iter().any(|it| words.to_lowercase().contains(it)) =>
            {
                Some(
                    "let the server take old samples: storage.tsdb.out_of_order_time_window of Prometheus, out_of_order_time_window of Mimir; see docs/backfill.md",
                )
            }
            Self::Refused {
                status: 401 | 403, ..
            } => Some("give the server's header in --header-file"),
            Self::Refused {
                status: 404 | 405, ..
            } => Some(
                "give the whole address: --remote-write=http://HOST/api/v1/write (Mimir: /api/v1/push), --check=http://HOST:9090",
            ),
            Self::Refused { .. } | Self::Unreadable { .. } => None,
        }
    }
}

impl Server {
    /// Opens nothing yet. `roots` (PEM) are trusted beside the system's
    /// authorities.
    pub fn new(url: Url, headers: Headers, roots: Option<&[u8]>) -> Result<Self, SetupError> {
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .referer(false)
            .user_agent(concat!("secure-score-exporter/", env!("CARGO_PKG_VERSION")));
        let builder = match (url.scheme(), roots) {
            // A machine without authorities can talk to itself.
            ("http", _) => builder.tls_certs_only([]),
            (_, None) => builder,
            (_, Some(pem)) => {
                let roots = reqwest::Certificate::from_pem_bundle(pem).map_err(SetupError)?;
                builder.tls_certs_merge(roots)
            }
        };
        let builder = match on_this_machine(&url) {
            true => builder.no_proxy(),
            false => builder,
        };
        Ok(Self {
            http: builder.build().map_err(SetupError)?,
            url,
            headers,
        })
    }

    /// Sends a body, and gives what came back. What passes is tried again:
    /// both kinds of request may be sent twice without harm.
    pub(super) async fn post(
        &self,
        url: &Url,
        headers: &[(&'static str, &'static str)],
        body: Vec<u8>,
    ) -> Result<Vec<u8>, ServerError> {
        let body = bytes::Bytes::from(body);
        let mut attempt = 1;
        loop {
            let (error, wait) = match self.once(url, headers, body.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(Missed::ForGood(error)) => return Err(error),
                Err(Missed::ForNow(error, wait)) => (error, wait),
            };
            if attempt >= ATTEMPTS {
                return Err(error);
            }
            let doubled = FIRST_PAUSE * 2_u32.saturating_pow(attempt - 1);
            let pause = wait.unwrap_or_else(|| doubled.mul_f64(0.5 + fastrand::f64()));
            tracing::debug!(%error, ?pause, "asking the server again");
            tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
            attempt += 1;
        }
    }

    async fn once(
        &self,
        url: &Url,
        headers: &[(&'static str, &'static str)],
        body: bytes::Bytes,
    ) -> Result<Vec<u8>, Missed> {
        let mut request = self
            .http
            .post(url.clone())
            .headers(self.headers.map.clone());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let away = |error: reqwest::Error| Missed::ForNow(self.away(&error), None);
        let mut response = request.body(body).send().await.map_err(away)?;
        let status = response.status();
        let wait = asked(response.headers());
        let mut answer = Vec::new();
        while let Some(part) = response.chunk().await.map_err(away)? {
            answer.extend_from_slice(&part);
            if answer.len() > LARGEST_ANSWER {
                return Err(Missed::ForGood(self.unreadable("it is too large")));
            }
        }
        if status.is_success() {
            return Ok(answer);
        }
        let error = ServerError::Refused {
            server: self.name(),
            status: status.as_u16(),
            words: self.words(&answer),
        };
        Err(
            match status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
                true => Missed::ForNow(error, wait),
                false => Missed::ForGood(error),
            },
        )
    }

    /// Scheme, host and port: what is behind them may be a secret.
    pub(super) fn name(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    pub(super) fn unreadable(&self, what: impl Into<String>) -> ServerError {
        ServerError::Unreadable {
            server: self.name(),
            what: what.into(),
        }
    }

    fn away(&self, error: &reqwest::Error) -> ServerError {
        let what = if error.is_timeout() {
            "no answer in time"
        } else if error.is_connect() {
            "no connection"
        } else {
            "the exchange broke off"
        };
        ServerError::Away {
            server: self.name(),
            what,
        }
    }

    fn words(&self, answer: &[u8]) -> String {
        let text = self.headers.scrub(&String::from_utf8_lossy(answer));
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        let text: String = text.trim().chars().map(plain).take(LONGEST_WORDS).collect();
        match text.is_empty() {
            true => "nothing".to_owned(),
            false => text,
        }
    }
}

/// Why an attempt did not succeed.
enum Missed {
    /// It may next time, after so long where the server says so.
    ForNow(ServerError, Option<Duration>),
    /// It never will.
    ForGood(ServerError),
}

fn asked(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse();
    seconds.ok().map(Duration::from_secs)
}

fn on_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
