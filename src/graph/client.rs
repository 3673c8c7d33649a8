//! The client of one tenant: its lists.

use super::anomaly_counter::UnknownWord;
use super::answer_reader::{AnswerDigest, AnswerReader, KnownList};
use super::decode;
use super::endpoint::GraphRoot;
use super::error::{ErrorKind, GraphError, Retry};
use super::pages::{self, Fields, Links};
use super::refresh_permit::RefreshPermit;
use super::requests::{GraphResponse, MAX_WAIT, Requests};
use super::subject::Subject;
use super::translate::CatalogueReader;
use crate::backoff::Backoff;
use crate::credentials::{Token, TokenFacts, TokenSource};
use crate::http_client::MAX_MESSAGE;
use crate::text::clean_line;
use parking_lot::Mutex;
use reqwest::Url;
use secure_score_model::{Catalogue, Reason, Report, Traffic};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// Requests for one page before the refresh fails.
const MAX_ATTEMPTS: u32 = 3;

/// The delays between them.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(500),
    max: MAX_WAIT,
    jitter: 0.5..=1.5,
};

/// How long the client omits an option after Graph refused it. `$select` saves
/// nine tenths of the bytes, so the client tries it again.
const OPTION_RETRY: Duration = Duration::from_secs(24 * 60 * 60);

/// When Graph last refused an option of a request.
#[derive(Default)]
pub(super) struct Refused(Mutex<Option<Instant>>);

impl Refused {
    /// Whether the option may be tried.
    pub(super) fn is_over(&self) -> bool {
        let at = self.0.lock();
        at.is_none_or(|at| at.elapsed() >= OPTION_RETRY)
    }

    /// Notes that Graph refused it now.
    pub(super) fn begin(&self) {
        *self.0.lock() = Some(Instant::now());
    }
}

/// The 450 controls of a catalogue are three pages. An endless list must not use
/// up the requests of the minute.
pub(super) const MAX_CATALOGUE_PAGES: usize = 20;

/// Reads one tenant's lists from Graph.
pub struct Client {
    /// The directory: a GUID, or one of its domains.
    tenant_id: String,
    pub(super) root: GraphRoot,
    tokens: TokenSource,
    requests: Requests,
    /// The directory's GUID from the first response, if the configuration
    /// contains a domain.
    learnt_id: OnceLock<String>,
    /// `$select` for the catalogue.
    select_refused: Refused,
    /// `$select` for the scores of past days.
    pub(super) score_select_refused: Refused,
    /// `$expand` for the resources of recommendations.
    pub(super) resources_refused: Refused,
}

/// A decoded response.
#[derive(Debug)]
pub struct Fetched<T> {
    /// Its content.
    pub value: T,
    /// Graph marked it as incomplete (206).
    pub partial: bool,
    /// Words in it that this version does not know.
    pub unknown_words: BTreeSet<UnknownWord>,
    /// The digest of the answer, by which it is recognised when it comes again; none
    /// if it is incomplete, a link in it is not certain, or the list has none.
    pub digest: Option<AnswerDigest>,
}

impl<T> Fetched<T> {
    /// What the pages were decoded to.
    pub(super) fn of(
        pages: AnswerReader<'_>,
        value: T,
        unknown_words: BTreeSet<UnknownWord>,
    ) -> Self {
        Self {
            value,
            partial: pages.partial,
            unknown_words,
            digest: pages.digest(),
        }
    }
}

/// What Graph returned: another list, or the one that is known.
#[derive(Debug)]
pub enum ListAnswer<T, K = T> {
    /// Another answer than the known one, decoded.
    Other(Fetched<T>),
    /// The known answer, which was not decoded again.
    Same(KnownList<K>),
}

impl<T, K: Clone + Into<T>> ListAnswer<T, K> {
    /// The list, whether it was known or not.
    pub fn into_fetched(self) -> Fetched<T> {
        match self {
            Self::Other(fetched) => fetched,
            Self::Same(known) => Fetched {
                value: K::clone(&known.value).into(),
                partial: false,
                unknown_words: BTreeSet::new(),
                digest: Some(known.digest),
            },
        }
    }
}

impl Client {
    pub(super) fn new(
        tenant_id: String,
        root: GraphRoot,
        tokens: TokenSource,
        requests: Requests,
    ) -> Self {
        Self {
            tenant_id,
            root,
            tokens,
            requests,
            learnt_id: OnceLock::new(),
            select_refused: Refused::default(),
            score_select_refused: Refused::default(),
            resources_refused: Refused::default(),
        }
    }

    /// The catalogue of controls with their states, complete or an error.
    ///
    /// The client requests only the fields that it reads. If Graph refuses
    /// `$select`, or omits the states with it, the client requests all fields.
    pub async fn catalogue(
        &self,
        known: Option<&KnownList<Catalogue>>,
        permit: &mut RefreshPermit,
    ) -> Result<ListAnswer<Catalogue>, GraphError> {
        let known =
            known.filter(|it| it.value.entra_tenant_id.as_deref() == self.entra_tenant_id());
        let now = SystemTime::now().into();
        let digest = known.map(|it| &it.digest);
        if self.select_refused.is_over() {
            let mut reader = CatalogueReader::new(now);
            let mut pages = AnswerReader::new(Subject::Catalogue, digest);
            let read = self.pages(Fields::Selected, &mut pages, permit, &mut reader);
            match read.await {
                // An error on a later page has another cause, such as an
                // expired link.
                Err(error) if pages.len() == 0 && error.refuses_option() => {}
                Err(error) => return Err(error),
                Ok(()) if !pages.is_known() && reader.lacks_states() => {}
                Ok(()) => return self.finish_catalogue(reader, pages, known),
            }
        }
        let mut reader = CatalogueReader::new(now);
        let mut pages = AnswerReader::new(Subject::Catalogue, digest);
        self.pages(Fields::All, &mut pages, permit, &mut reader)
            .await?;
        self.select_refused.begin();
        self.finish_catalogue(reader, pages, known)
    }

    /// The newest daily report, or `None` if Graph has none yet.
    ///
    /// The client does not follow the nextLink, which leads through ninety
    /// days, one request each.
    pub async fn report(
        &self,
        known: Option<&KnownList<Report>>,
        permit: &mut RefreshPermit,
    ) -> Result<ListAnswer<Option<Report>, Report>, GraphError> {
        let subject = Subject::Report;
        let tenant = self.entra_tenant_id().unwrap_or_default();
        let known = known.filter(|it| *it.value.entra_tenant_id == *tenant);
        let url = pages::newest_report_url(&self.root)?;
        let response = self.get(subject, &url, permit).await?;
        let mut pages = AnswerReader::new(subject, known.map(|it| &it.digest));
        let mut decoded = Default::default();
        let mut read = |page: &str| {
            let page = decode::report(page)?;
            decoded = page.value;
            Ok(page.next_link)
        };
        pages.add(response, &mut read)?;
        pages.end(&mut read)?;
        if let Some(known) = known.filter(|_| pages.is_known()) {
            return Ok(ListAnswer::Same(known.clone()));
        }
        let (mut report, unknown_words) = decoded;
        if let Some(report) = &mut report {
            self.check_tenant(subject, &report.entra_tenant_id)?;
            report.entra_tenant_id = self.entra_tenant_id().unwrap_or_default().into();
        }
        Ok(ListAnswer::Other(Fetched::of(pages, report, unknown_words)))
    }

    /// The claims of the token; requests one if there is none.
    pub async fn token_facts(&self) -> Result<TokenFacts, GraphError> {
        Ok(self.token().await?.facts.clone())
    }

    /// The requests made so far.
    pub fn traffic(&self) -> Traffic {
        self.requests.traffic()
    }

    /// Reads every page of the catalogue.
    async fn pages(
        &self,
        fields: Fields,
        pages: &mut AnswerReader<'_>,
        permit: &mut RefreshPermit,
        reader: &mut CatalogueReader,
    ) -> Result<(), GraphError> {
        let first = pages::catalogue_url(&self.root, fields)?;
        let read = |page: &str| decode::page(reader, page);
        self.read_pages(first, MAX_CATALOGUE_PAGES, pages, permit, read)
            .await
    }

    /// Requests a list's pages, of which `read` decodes those that are not known and
    /// returns their links.
    pub(super) async fn read_pages(
        &self,
        first: Url,
        max_pages: usize,
        pages: &mut AnswerReader<'_>,
        permit: &mut RefreshPermit,
        mut read: impl FnMut(&str) -> Result<Option<String>, GraphError>,
    ) -> Result<(), GraphError> {
        let subject = pages.subject;
        let add = |response: GraphResponse, links: &mut Links<'_>| {
            let link = pages.add(response, &mut read)?;
            links.follow(link.as_deref())
        };
        self.each_page(subject, first, max_pages, permit, add)
            .await?;
        pages.end(&mut read)
    }

    /// Requests a list's pages. `read` returns the URL of the next one.
    pub(super) async fn each_page(
        &self,
        subject: Subject,
        first: Url,
        max_pages: usize,
        permit: &mut RefreshPermit,
        mut read: impl FnMut(GraphResponse, &mut Links<'_>) -> Result<Option<Url>, GraphError>,
    ) -> Result<(), GraphError> {
        let mut links = Links::new(&self.root, subject);
        let mut url = first;
        for _ in 0..max_pages {
            let response = self.get(subject, &url, permit).await?;
            match read(response, &mut links)? {
                None => return Ok(()),
                Some(next) => url = next,
            }
        }
        let what = format!("do not end after {max_pages}");
        Err(GraphError::new(subject, ErrorKind::Paging(what)))
    }

    fn finish_catalogue(
        &self,
        reader: CatalogueReader,
        pages: AnswerReader<'_>,
        known: Option<&KnownList<Catalogue>>,
    ) -> Result<ListAnswer<Catalogue>, GraphError> {
        if let Some(known) = known.filter(|_| pages.is_known()) {
            return Ok(ListAnswer::Same(known.clone()));
        }
        let subject = Subject::Catalogue;
        decode::check_readable(&reader)?;
        self.check_tenants(subject, &reader.tenants)?;
        let (value, unknown_words) = reader.finish(self.entra_tenant_id().map(Arc::from));
        Ok(ListAnswer::Other(Fetched::of(pages, value, unknown_words)))
    }

    /// Refuses a list of which elements are about another tenant. Where they are of
    /// two, neither becomes the learnt id.
    pub(super) fn check_tenants(
        &self,
        subject: Subject,
        tenants: &BTreeSet<String>,
    ) -> Result<(), GraphError> {
        let tenants: Vec<&String> = tenants.iter().collect();
        match tenants.as_slice() {
            [] => Ok(()),
            [one] => self.check_tenant(subject, one),
            [one, other, ..] => Err(wrong_tenant(subject, one, other)),
        }
    }

    /// Refuses a response about another tenant. For a tenant configured by its
    /// domain, the first response sets the expected id.
    pub(super) fn check_tenant(&self, subject: Subject, found: &str) -> Result<(), GraphError> {
        if found.is_empty() {
            return Ok(());
        }
        let expected = match self.entra_tenant_id() {
            Some(expected) => expected,
            None if !is_directory_id(found) => {
                return Err(GraphError::malformed(subject, "its tenant id is none"));
            }
            None => self.learnt_id.get_or_init(|| found.to_ascii_lowercase()),
        };
        match expected.eq_ignore_ascii_case(found) {
            true => Ok(()),
            false => Err(wrong_tenant(subject, expected, found)),
        }
    }

    /// The directory's id in lower case, if it is known. A domain contains a
    /// dot, an id does not.
    pub fn entra_tenant_id(&self) -> Option<&str> {
        match self.tenant_id.contains('.') {
            true => self.learnt_id.get().map(String::as_str),
            false => Some(&self.tenant_id),
        }
    }

    /// Requests one page, with retries, and once with a new token.
    pub(super) async fn get(
        &self,
        subject: Subject,
        url: &Url,
        permit: &mut RefreshPermit,
    ) -> Result<GraphResponse, GraphError> {
        let mut renewed = false;
        let mut attempt = 1;
        loop {
            let token = self.token().await?;
            let slot = self.requests.acquire_slot(subject, permit).await?;
            let error = match self.requests.send(slot, subject, url, &token).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            if error.reason() == Reason::Unauthorized && !renewed {
                renewed = true;
                self.tokens.invalidate(&token).await;
                continue;
            }
            match delay_before_retry(attempt, &error) {
                Some(delay) => permit.sleep(delay).await,
                None => return Err(error),
            }
            attempt += 1;
        }
    }

    pub(super) async fn token(&self) -> Result<Arc<Token>, GraphError> {
        let token = self.tokens.token().await?;
        if let Some(tenant) = &token.facts.tenant_id {
            self.check_tenant(Subject::Token, tenant)?;
        }
        Ok(token)
    }
}

/// Whether a text may be a directory's id, which becomes a label: a GUID, or
/// its placeholder in captured responses.
fn is_directory_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    text.len() <= 64 && text.bytes().all(is_plain)
}

pub(super) fn wrong_tenant(subject: Subject, expected: &str, found: &str) -> GraphError {
    let kind = ErrorKind::WrongTenant {
        expected: clean_line(expected, MAX_MESSAGE).into_owned(),
        found: clean_line(found, MAX_MESSAGE).into_owned(),
    };
    GraphError::new(subject, kind)
}

/// The delay before another request for the same page, if there is one.
fn delay_before_retry(attempt: u32, error: &GraphError) -> Option<Duration> {
    let is_temporary = matches!(
        error.reason(),
        Reason::Throttled | Reason::Server | Reason::Connection
    );
    if !is_temporary || attempt >= MAX_ATTEMPTS {
        return None;
    }
    let delay = match error.retry() {
        Retry::After(delay) => delay,
        Retry::Backoff | Retry::Rarely => BACKOFF.random_delay(attempt),
    };
    (delay <= MAX_WAIT).then_some(delay)
}
