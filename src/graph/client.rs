//! One tenant's line to Graph: the two calls, and nothing else.

use super::Endpoint;
use super::LONGEST_MESSAGE;
use super::error::{Fault, GraphError, Retry, Subject};
use super::http::Broken;
use super::observed::UnknownWord;
use super::pages::{self, Link, Links};
use super::reading;
use super::requests::{Answer, LONGEST_PAUSE, Requests, lock};
use super::sign_in::SignIn;
use super::text::printable;
use super::token::{Token, TokenFacts};
use super::tokens::TokenSource;
use super::translate::CatalogueReader;
use super::turn::RefreshPermit;
use crate::config::Credential;
use crate::telemetry::Telemetry;
use reqwest::Url;
use secure_score_model::{Catalogue, Reason, Report, Traffic};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::time::Instant;

/// How often one page is asked for before the refresh gives up.
const ATTEMPTS: u32 = 3;

/// The pause before a second attempt, doubled before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// How long a refused `$select` is not tried again: it saves nine tenths of
/// the bytes, so one bad day must not cost it for good.
const SELECT_AGAIN: Duration = Duration::from_secs(24 * 60 * 60);

/// A page number no list reaches: 450 controls are three pages. A list that
/// never ends must not use up the minute's requests.
const MOST_PAGES: usize = 20;

/// How many daily reports are asked for at once: some megabytes.
const REPORTS_PER_PAGE: usize = 15;

/// Half a year of reports is twelve pages. A Graph that gives one report a
/// page, whatever is asked for, still gets to its end.
const MOST_REPORT_PAGES: usize = 200;

/// What a client needs to know of its tenant.
pub struct ClientOptions {
    /// The directory: a GUID, or one of its domains.
    pub tenant_id: String,
    /// The cloud it lives in.
    pub endpoint: Endpoint,
    /// How to get a token for it.
    pub credential: Credential,
    /// The connection pool shared with other tenants.
    pub http: reqwest::Client,
    /// The way to this machine's endpoint for managed identities.
    pub machine: reqwest::Client,
    /// Where durations of requests are noted.
    pub telemetry: Arc<Telemetry>,
}

/// One tenant's line to Graph.
pub struct Client {
    tenant_id: String,
    endpoint: Endpoint,
    tokens: TokenSource,
    requests: Requests,
    /// The directory's GUID, as the first answer told it where the
    /// configuration names a domain.
    learnt_id: OnceLock<String>,
    /// When this Graph last refused `$select` on the catalogue, if it ever did.
    select_refused: Mutex<Option<Instant>>,
}

/// An answer, read.
#[derive(Debug)]
pub struct Fetched<T> {
    /// What it says.
    pub value: T,
    /// Graph said that something is missing (206).
    pub partial: bool,
    /// Words in it that are outside the sets we know.
    pub unknown_words: BTreeSet<UnknownWord>,
}

impl Client {
    /// A line that has not been used yet.
    pub fn new(line: ClientOptions) -> Self {
        Self {
            tokens: TokenSource::new(SignIn {
                tenant_id: line.tenant_id.clone(),
                endpoint: line.endpoint.clone(),
                credential: line.credential,
                http: line.http.clone(),
                machine: line.machine,
            }),
            tenant_id: line.tenant_id,
            endpoint: line.endpoint,
            requests: Requests::new(line.http, line.telemetry),
            learnt_id: OnceLock::new(),
            select_refused: Mutex::default(),
        }
    }

    /// The catalogue of controls with their states, all pages or an error.
    ///
    /// Asks for the fields it reads only; a Graph that refuses `$select`, or
    /// leaves out the states when it is given, is asked again for everything.
    pub async fn catalogue(
        &self,
        turn: &mut RefreshPermit,
    ) -> Result<Fetched<Catalogue>, GraphError> {
        if self.selects() {
            let mut reader = CatalogueReader::default();
            match self.pages(pages::Fields::Selected, turn, &mut reader).await {
                // Only the first page can tell: a later one is refused for
                // reasons of its own, such as a link that has grown too old.
                Err(error) if reader.is_unused() && refuses_select(&error) => {}
                Err(error) => return Err(error),
                Ok(partial) => return self.read_catalogue(reader, partial),
            }
        }
        let mut reader = CatalogueReader::default();
        let partial = self.pages(pages::Fields::All, turn, &mut reader).await?;
        *lock(&self.select_refused) = Some(Instant::now());
        self.read_catalogue(reader, partial)
    }

    /// The newest daily report, or none where Graph has none yet.
    ///
    /// The answer's nextLink is never followed: it leads through ninety days,
    /// one request each.
    pub async fn report(
        &self,
        turn: &mut RefreshPermit,
    ) -> Result<Fetched<Option<Report>>, GraphError> {
        let subject = Subject::Report;
        let url = pages::report_url(&self.endpoint)
            .ok_or_else(|| GraphError::new(subject, Fault::Broken(Broken::Request)))?;
        let answer = self.get(subject, &url, turn).await?;
        let (report, unknown_words) = reading::report(&answer.body)?;
        if let Some(report) = &report {
            self.check_tenant(subject, &report.entra_tenant_id)?;
        }
        Ok(Fetched {
            value: report,
            partial: answer.partial,
            unknown_words,
        })
    }

    /// The daily reports Graph keeps, newest first by its own word, handed to
    /// `take` page by page; one page is in memory at a time. It ends where
    /// Graph has no more, or where `take` says that it has seen enough. True
    /// where Graph called a page partial, or an element could not be read.
    ///
    /// Nothing is promised about the order, and a day may come twice: the list
    /// shifts when a report appears between two pages.
    pub async fn past_reports(
        &self,
        turn: &mut RefreshPermit,
        mut take: impl FnMut(Vec<Report>) -> ControlFlow<()>,
    ) -> Result<bool, GraphError> {
        let subject = Subject::Report;
        let mut links = Links::new(&self.endpoint, subject);
        let mut partial = false;
        let mut next = pages::reports_url(&self.endpoint, REPORTS_PER_PAGE);
        for _ in 0..MOST_REPORT_PAGES {
            let Some(url) = next else {
                return Err(GraphError::new(subject, Fault::Broken(Broken::Request)));
            };
            let answer = self.get(subject, &url, turn).await?;
            let page = reading::reports(&answer.body)?;
            for report in &page.reports {
                self.check_tenant(subject, &report.entra_tenant_id)?;
            }
            partial |= answer.partial || page.unread > 0;
            let link = links.follow(page.next.as_deref())?;
            match (take(page.reports), link) {
                (ControlFlow::Break(()), _) | (_, Link::End) => return Ok(partial),
                (ControlFlow::Continue(()), Link::Next(url)) => next = Some(url),
            }
        }
        Err(GraphError::new(
            subject,
            Fault::Paging(format!("do not end after {MOST_REPORT_PAGES}")),
        ))
    }

    /// What the token says of itself; fetches one where there is none.
    pub async fn token_facts(&self) -> Result<TokenFacts, GraphError> {
        let facts = self.tokens.facts().await?;
        if let Some(tenant) = &facts.tenant_id {
            self.check_tenant(Subject::Token, tenant)?;
        }
        Ok(facts)
    }

    /// The directory's GUID, where it is known by now.
    pub fn entra_tenant_id(&self) -> Option<&str> {
        self.expected_tenant()
    }

    /// The requests made so far.
    pub fn traffic(&self) -> Traffic {
        let counts = self.tokens.counts();
        Traffic {
            tokens: counts.obtained,
            token_failures: counts.failed,
            ..self.requests.traffic()
        }
    }

    /// Whether `$select` is worth a try: not within a day of a refusal.
    fn selects(&self) -> bool {
        lock(&self.select_refused).is_none_or(|at| at.elapsed() >= SELECT_AGAIN)
    }

    /// Reads every page, and tells whether Graph called one of them partial.
    async fn pages(
        &self,
        fields: pages::Fields,
        turn: &mut RefreshPermit,
        reader: &mut CatalogueReader,
    ) -> Result<bool, GraphError> {
        let subject = Subject::Catalogue;
        let mut links = Links::new(&self.endpoint, subject);
        let mut partial = false;
        let mut next = pages::catalogue_url(&self.endpoint, fields);
        for _ in 0..MOST_PAGES {
            let Some(url) = next else {
                return Err(GraphError::new(subject, Fault::Broken(Broken::Request)));
            };
            let answer = self.get(subject, &url, turn).await?;
            let link = reading::page(reader, &answer.body)?;
            partial |= answer.partial;
            match links.follow(link.as_deref())? {
                Link::End => return Ok(partial),
                Link::Next(url) => next = Some(url),
            }
        }
        Err(GraphError::new(
            subject,
            Fault::Paging(format!("do not end after {MOST_PAGES}")),
        ))
    }

    fn read_catalogue(
        &self,
        reader: CatalogueReader,
        partial: bool,
    ) -> Result<Fetched<Catalogue>, GraphError> {
        let subject = Subject::Catalogue;
        let read = reading::catalogue(reader)?;
        // An answer that names two tenants teaches nothing.
        let named: Vec<&String> = read.tenants.iter().collect();
        match named.as_slice() {
            [] => {}
            [one] => self.check_tenant(subject, one)?,
            [one, other, ..] => return Err(wrong_tenant(subject, one, other)),
        }
        Ok(Fetched {
            value: Catalogue {
                entra_tenant_id: self.expected_tenant().map(Arc::from),
                entries: read.entries,
                anomalies: read.observed.anomalies,
            },
            partial,
            unknown_words: read.observed.words,
        })
    }

    /// Refuses an answer of another tenant; the first answer tells who a
    /// tenant configured by its domain is.
    fn check_tenant(&self, subject: Subject, found: &str) -> Result<(), GraphError> {
        if found.is_empty() {
            return Ok(());
        }
        let expected = match self.expected_tenant() {
            Some(expected) => expected,
            None if !is_directory_id(found) => {
                return Err(GraphError::malformed(subject, "its tenant id is none"));
            }
            None => self.learnt_id.get_or_init(|| found.to_owned()),
        };
        if expected.eq_ignore_ascii_case(found) {
            return Ok(());
        }
        Err(wrong_tenant(subject, expected, found))
    }

    /// A domain has a dot, an id has none.
    fn expected_tenant(&self) -> Option<&str> {
        if self.tenant_id.contains('.') {
            self.learnt_id.get().map(String::as_str)
        } else {
            Some(&self.tenant_id)
        }
    }

    /// One page: as often as makes sense, with a new token once.
    async fn get(
        &self,
        subject: Subject,
        url: &Url,
        turn: &mut RefreshPermit,
    ) -> Result<Answer, GraphError> {
        let mut renewed = false;
        let mut attempt = 1;
        loop {
            let token = self.token().await?;
            self.requests.claim(subject, turn).await?;
            let error = match self.requests.send(subject, url, &token).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if error.reason() == Reason::Unauthorized && !renewed {
                renewed = true;
                self.tokens.forget(&token).await;
                continue;
            }
            match pause_before(attempt, &error) {
                Some(pause) => turn.pause(pause).await,
                None => return Err(error),
            }
            attempt += 1;
        }
    }

    async fn token(&self) -> Result<Arc<Token>, GraphError> {
        let token = self.tokens.token().await?;
        if let Some(tenant) = token.tenant_id() {
            self.check_tenant(Subject::Token, tenant)?;
        }
        Ok(token)
    }
}

/// Whether a text may be a directory's id: a GUID, or what captured answers
/// have in its place. It becomes a label.
fn is_directory_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    text.len() <= 64 && text.bytes().all(is_plain)
}

fn wrong_tenant(subject: Subject, expected: &str, found: &str) -> GraphError {
    let fault = Fault::WrongTenant {
        expected: printable(expected, LONGEST_MESSAGE),
        found: printable(found, LONGEST_MESSAGE),
    };
    GraphError::new(subject, fault)
}

/// 400 and 501 are what Graph's services say to a query option they lack.
fn refuses_select(error: &GraphError) -> bool {
    error.is_stateless() || matches!(error.status(), Some(400 | 501))
}

/// How long to pause before the same page is asked for again, if at all.
fn pause_before(attempt: u32, error: &GraphError) -> Option<Duration> {
    let passing = matches!(
        error.reason(),
        Reason::Throttled | Reason::Server | Reason::Connection
    );
    if !passing || attempt >= ATTEMPTS {
        return None;
    }
    let pause = match error.retry() {
        Retry::After(wait) => wait,
        Retry::Backoff | Retry::Rarely => {
            let doubled = FIRST_PAUSE * 2_u32.saturating_pow(attempt - 1);
            doubled.mul_f64(0.5 + fastrand::f64())
        }
    };
    (pause <= LONGEST_PAUSE).then_some(pause)
}
