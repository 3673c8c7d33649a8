//! `/api/`: what the pages tell, for programs.
//!
//! The shapes themselves are [`record`](crate::acceptances::record)s of the
//! register; here they get an envelope, a format and an address.

mod envelope;
mod media;
mod refusal;
mod sheet;

use super::PersonDetail;
use super::near::near;
use super::query::{self, BadQuery};
use super::reply::{Reply, data, with};
use crate::acceptances::{Filter, acceptances};
use crate::store::{TenantState, Tenants};
use bytes::Bytes;
use envelope::{AcceptanceList, TenantList};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use media::Media;
use refusal::Refusal;
use secure_score_model::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What every address of the API begins with.
pub(super) const ROOT: &str = "/api/";

/// Answers that are made or sent at the same time, as far as they are large: a
/// thousand tenants with fifty acceptances each are some fifty megabytes, and
/// nothing of that is shared between two who ask.
const PLACES: usize = 4;

/// How long somebody waits for a place. A place is free again when an answer
/// is sent, which for a slow reader may take a minute.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer up to here is no burden and gives its place back at once.
const SMALL: usize = 256 * 1024;

const ATTACHMENT: HeaderValue =
    HeaderValue::from_static("attachment; filename=\"acceptances.csv\"");
const PERSONS: HeaderName = HeaderName::from_static("secure-score-persons");
const CATALOGUES_UNKNOWN: HeaderName = HeaderName::from_static("secure-score-catalogues-unknown");

/// The API, and how much of it may be under way.
#[derive(Debug)]
pub(super) struct Api {
    places: Arc<Semaphore>,
}

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    Acceptances,
    Tenants,
}

impl Endpoint {
    fn of(path: &str) -> Option<Self> {
        match path {
            "/api/v1/acceptances" => Some(Self::Acceptances),
            "/api/v1/tenants" => Some(Self::Tenants),
            _ => None,
        }
    }

    const fn offers(self) -> &'static [Media] {
        match self {
            Self::Acceptances => &[Media::Json, Media::Csv],
            Self::Tenants => &[Media::Json],
        }
    }
}

/// A request that was understood, with all that its answer is made of.
struct Question {
    endpoint: Endpoint,
    media: Media,
    filter: Filter,
    persons: PersonDetail,
    tenants: Arc<Tenants>,
    now: Timestamp,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(PLACES)),
        }
    }
}

impl Api {
    /// Answers a request for an address below [`ROOT`], the prefix taken away.
    pub(super) async fn respond(
        &self,
        path: &str,
        parts: &Parts,
        tenants: Arc<Tenants>,
        persons: &PersonDetail,
        now: Timestamp,
    ) -> Reply {
        let answer = match Question::read(path, parts, tenants, persons, now) {
            Ok(question) => self.answer(question).await,
            Err(refusal) => Err(refusal),
        };
        answer.unwrap_or_else(Refusal::reply)
    }

    /// Made on a thread of its own: the ones that serve must stay free to
    /// answer that we are alive.
    async fn answer(&self, question: Question) -> Result<Reply, Refusal> {
        let place = self.place().await?;
        tokio::task::spawn_blocking(move || question.answer(place))
            .await
            .map_err(|_| Refusal::Internal)?
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let place = Arc::clone(&self.places).acquire_owned();
        match tokio::time::timeout(PATIENCE, place).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(Refusal::Busy),
        }
    }
}

impl Question {
    fn read(
        path: &str,
        parts: &Parts,
        tenants: Arc<Tenants>,
        persons: &PersonDetail,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let endpoint = Endpoint::of(path).ok_or_else(|| Refusal::NotFound(path.to_owned()))?;
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return Err(Refusal::Method(parts.method.clone()));
        }
        let offers = endpoint.offers();
        Ok(Self {
            endpoint,
            media: Media::wanted(&parts.headers, offers).ok_or(Refusal::NotAcceptable(offers))?,
            filter: filter(endpoint, parts.uri.query(), now)?,
            persons: persons.clone(),
            tenants,
            now,
        })
    }

    fn answer(&self, place: OwnedSemaphorePermit) -> Result<Reply, Refusal> {
        match (self.endpoint, self.media) {
            (Endpoint::Tenants, _) => {
                let list = TenantList::new(&self.tenants, self.now);
                Ok(self.reply(json(&list)?, place))
            }
            (Endpoint::Acceptances, Media::Json) => {
                let bytes = json(&self.list()?)?;
                Ok(self.reply(bytes, place))
            }
            (Endpoint::Acceptances, Media::Csv) => self.sheet(place),
        }
    }

    fn list(&self) -> Result<AcceptanceList<'_>, Refusal> {
        let asked = self.asked_tenants()?;
        Ok(AcceptanceList {
            unknown: envelope::unread(asked),
            hint: envelope::hint(asked, &self.filter),
            found: acceptances(&self.tenants, &self.filter, self.now),
            persons: &self.persons,
            now: self.now,
        })
    }

    /// A misspelt tenant has no acceptances, which would be read as good news.
    fn asked_tenants(&self) -> Result<&[Arc<TenantState>], Refusal> {
        let Some(name) = self.filter.tenant.as_deref() else {
            return Ok(&self.tenants.states);
        };
        match self.tenants.find(name) {
            Some(state) => Ok(std::slice::from_ref(state)),
            None => Err(Refusal::NoTenant {
                name: name.to_owned(),
                nearest: near(name, &self.tenants).first().map(|it| (*it).to_owned()),
            }),
        }
    }

    /// A sheet has no envelope, so headers say what it would have said.
    fn sheet(&self, place: OwnedSemaphorePermit) -> Result<Reply, Refusal> {
        let list = self.list()?;
        let bytes = sheet::written(list.records()).map_err(|_| Refusal::Internal)?;
        let persons = HeaderValue::from_static(list.persons_shown());
        let answer = self.reply(bytes, place);
        let answer = with(answer, header::CONTENT_DISPOSITION, ATTACHMENT);
        let answer = with(answer, PERSONS, persons);
        Ok(with(answer, CATALOGUES_UNKNOWN, list.unknown.len().into()))
    }

    fn reply(&self, bytes: Vec<u8>, place: OwnedSemaphorePermit) -> Reply {
        let bytes = match bytes.len() {
            0..=SMALL => Bytes::from(bytes),
            _ => Bytes::from_owner(Held {
                bytes,
                _place: place,
            }),
        };
        let content_type = HeaderValue::from_static(self.media.content_type());
        data(StatusCode::OK, content_type, bytes)
    }
}

/// A large answer, which keeps its place until the last byte is sent.
struct Held {
    bytes: Vec<u8>,
    _place: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

fn filter(endpoint: Endpoint, asked: Option<&str>, now: Timestamp) -> Result<Filter, BadQuery> {
    if endpoint == Endpoint::Tenants {
        query::none(asked)?;
        return Ok(Filter::default());
    }
    match query::filter(asked, now)? {
        (filter, others) if others.is_empty() => Ok(filter),
        (_, others) => {
            let name = others.first().map_or("", |(name, _)| name);
            Err(BadQuery::unknown(name, &query::PARAMETERS))
        }
    }
}

fn json(document: &impl serde::Serialize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = serde_json::to_vec(document).map_err(|_| Refusal::Internal)?;
    bytes.push(b'\n');
    Ok(bytes)
}
