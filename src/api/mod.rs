//! # api: the acceptances and tenants as JSON and CSV
//!
//! The shapes of the objects are [`record`](crate::acceptances::record)s; this
//! module adds an envelope, a format and a path.

mod csv;
mod envelope;
mod error;
mod format;

use crate::acceptances::{Filter, acceptances};
use crate::http_types::response::{data, with};
use crate::http_types::{PersonDetail, QueryError, Response, query, similar_tenants};
use crate::store::{TenantState, Tenants};
use bytes::Bytes;
use envelope::AcceptanceList;
use error::ApiError;
use format::ApiFormat;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use secure_score_model::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What every path of the API begins with.
pub(crate) const ROOT: &str = "/api/";

/// Every path of the API.
pub(crate) const PATHS: [&str; 3] = [
    Endpoint::Acceptances.path(),
    Endpoint::Decisions.path(),
    Endpoint::Tenants.path(),
];

/// Large responses rendered or sent at once. A thousand tenants with fifty
/// acceptances each are some fifty megabytes, and two clients share none of it.
const MAX_LARGE: usize = 4;

/// How long a request waits for a permit, which a slow reader may hold for a
/// minute.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(10);

/// A response up to here returns its permit once it is rendered.
const SMALL: usize = 256 * 1024;

const ACCEPTANCES_FILE: &str = "attachment; filename=\"acceptances.csv\"";
const TENANTS_FILE: &str = "attachment; filename=\"tenants.csv\"";
const PERSONS: HeaderName = HeaderName::from_static("secure-score-persons");
const CATALOGUES_UNKNOWN: HeaderName = HeaderName::from_static("secure-score-catalogues-unknown");
const RECOMMENDATIONS_UNKNOWN: HeaderName =
    HeaderName::from_static("secure-score-recommendations-unknown");

/// The refusal of a client that sees no tenant.
pub(crate) fn forbidden(problem: &str, remedy: &str) -> Response {
    ApiError::new(StatusCode::FORBIDDEN, problem, remedy).response()
}

/// The API, with the limit of its large responses.
#[derive(Debug)]
pub(crate) struct Api {
    permits: Arc<Semaphore>,
}

/// A list of the API that a page shows too.
#[derive(Debug)]
pub(crate) enum CsvList {
    /// All tenants given.
    Tenants,
    /// The acceptances that a filter selects.
    Acceptances(Filter),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    Acceptances,
    Decisions,
    Tenants,
}

impl Endpoint {
    const ALL: [Self; 3] = [Self::Acceptances, Self::Decisions, Self::Tenants];

    const fn path(self) -> &'static str {
        match self {
            Self::Acceptances => "/api/v1/acceptances",
            Self::Decisions => "/api/v1/decisions",
            Self::Tenants => "/api/v1/tenants",
        }
    }

    fn of(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.path() == path)
    }

    /// The formats it has, the preferred one first.
    const fn formats(self) -> &'static [ApiFormat] {
        match self {
            Self::Acceptances | Self::Tenants => &ApiFormat::ALL,
            Self::Decisions => &[ApiFormat::Json],
        }
    }

    /// The parameters of a filter that it takes.
    const fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Acceptances => &query::FILTER_PARAMETERS,
            Self::Decisions => &["tenant"],
            Self::Tenants => &[],
        }
    }

    fn filter(self, pairs: &[(String, String)], now: Timestamp) -> Result<Filter, QueryError> {
        let known = [self.parameters(), &[format::PARAMETER]].concat();
        if self != Self::Acceptances {
            query::allow_only(pairs, &known)?;
        }
        let filter = query::parse_filter(pairs, now)?;
        query::allow_only(pairs, &known)?;
        Ok(filter)
    }
}

/// A valid request, with everything its response is made of.
struct ApiRequest {
    endpoint: Endpoint,
    format: ApiFormat,
    filter: Filter,
    persons: PersonDetail,
    tenants: Arc<Tenants>,
    now: Timestamp,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(MAX_LARGE)),
        }
    }
}

impl Api {
    /// Answers a request for a path below [`ROOT`], without the route prefix.
    pub(crate) async fn respond(
        &self,
        path: &str,
        parts: &Parts,
        tenants: Arc<Tenants>,
        persons: PersonDetail,
        now: Timestamp,
    ) -> Response {
        let response = match ApiRequest::parse(path, parts, tenants, persons, now) {
            Ok(request) => self.render(request).await,
            Err(error) => Err(error),
        };
        response.unwrap_or_else(ApiError::response)
    }

    /// A list as CSV, for the page that shows it.
    pub(crate) async fn csv(
        &self,
        list: CsvList,
        tenants: Arc<Tenants>,
        persons: PersonDetail,
        now: Timestamp,
    ) -> Response {
        let (endpoint, filter) = match list {
            CsvList::Tenants => (Endpoint::Tenants, Filter::default()),
            CsvList::Acceptances(filter) => (Endpoint::Acceptances, filter),
        };
        let request = ApiRequest {
            endpoint,
            format: ApiFormat::Csv,
            filter,
            persons,
            tenants,
            now,
        };
        let response = self.render(request).await;
        response.unwrap_or_else(ApiError::response)
    }

    /// Renders on a thread of its own, so that the threads that serve requests
    /// stay free for health checks.
    async fn render(&self, request: ApiRequest) -> Result<Response, ApiError> {
        let permit = Arc::clone(&self.permits).acquire_owned();
        let permit = tokio::time::timeout(PERMIT_TIMEOUT, permit).await;
        let Ok(Ok(permit)) = permit else {
            let error = ApiError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many large responses are in flight",
                "try again in a few seconds, or request one tenant",
            );
            return Err(error.with(header::RETRY_AFTER, "5"));
        };
        tokio::task::spawn_blocking(move || request.render(permit))
            .await
            .map_err(|_| ApiError::internal())?
    }
}

impl ApiRequest {
    fn parse(
        path: &str,
        parts: &Parts,
        tenants: Arc<Tenants>,
        persons: PersonDetail,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let endpoint = Endpoint::of(path).ok_or_else(|| {
            ApiError::new(
                StatusCode::NOT_FOUND,
                format!("unknown path {path:?}"),
                format!("the paths are {}", PATHS.join(", ")),
            )
        })?;
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            let error = format!("{} is not allowed here", parts.method);
            let error = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, error, "use GET or HEAD");
            return Err(error.with(header::ALLOW, "GET, HEAD"));
        }
        let pairs = query::parse_pairs(parts.uri.query())?;
        let offered = endpoint.formats();
        let format = match ApiFormat::parse(&pairs)? {
            Some(named) => Some(named).filter(|it| offered.contains(it)),
            None => ApiFormat::negotiated(&parts.headers, offered),
        };
        let format = format.ok_or_else(|| {
            let names: Vec<_> = offered.iter().map(|it| it.name()).collect();
            ApiError::new(
                StatusCode::NOT_ACCEPTABLE,
                "none of the accepted formats is available",
                format!("accept {}", names.join(" or ")),
            )
        })?;
        Ok(Self {
            endpoint,
            format,
            filter: endpoint.filter(&pairs, now)?,
            persons,
            tenants,
            now,
        })
    }

    fn render(&self, permit: OwnedSemaphorePermit) -> Result<Response, ApiError> {
        match (self.endpoint, self.format) {
            (Endpoint::Tenants, ApiFormat::Csv) => {
                let records = envelope::tenant_records(&self.tenants, self.now);
                let bytes = csv::render_tenants(records).map_err(|_| ApiError::internal())?;
                let response = self.response(bytes, permit);
                Ok(attached(response, TENANTS_FILE))
            }
            (Endpoint::Tenants, ApiFormat::Json) => {
                let bytes = json(&envelope::tenants(&self.tenants, self.now))?;
                Ok(self.response(bytes, permit))
            }
            (Endpoint::Decisions, _) => {
                let selected = self.selected_tenants()?;
                let list = envelope::decisions(selected, &self.persons, self.now);
                Ok(self.response(json(&list)?, permit))
            }
            (Endpoint::Acceptances, ApiFormat::Json) => {
                let bytes = json(&self.list()?.document())?;
                Ok(self.response(bytes, permit))
            }
            (Endpoint::Acceptances, ApiFormat::Csv) => self.csv(permit),
        }
    }

    fn list(&self) -> Result<AcceptanceList<'_>, ApiError> {
        let selected = self.selected_tenants()?;
        Ok(AcceptanceList {
            unknown: envelope::unknown_catalogues(selected),
            recommendations_unknown: envelope::unknown_recommendations(selected),
            hint: envelope::unknown_control_hint(selected, &self.filter),
            found: acceptances(&self.tenants, &self.filter, self.now),
            persons: &self.persons,
            now: self.now,
        })
    }

    /// A misspelt tenant is an error: an empty list would look like good news.
    fn selected_tenants(&self) -> Result<&[Arc<TenantState>], ApiError> {
        let Some(name) = self.filter.tenant.as_deref() else {
            return Ok(&self.tenants.states);
        };
        let state = self.tenants.find(name).map(std::slice::from_ref);
        state.ok_or_else(|| {
            let lists_all = "/api/v1/tenants lists all tenants";
            let hint = match similar_tenants(name, &self.tenants).first() {
                Some(similar) => format!("did you mean {similar:?}? {lists_all}"),
                None => lists_all.to_owned(),
            };
            ApiError::new(
                StatusCode::NOT_FOUND,
                format!("unknown tenant {name:?}"),
                hint,
            )
        })
    }

    /// CSV has no envelope, so headers hold its fields.
    fn csv(&self, permit: OwnedSemaphorePermit) -> Result<Response, ApiError> {
        let list = self.list()?;
        let bytes = csv::render(list.records()).map_err(|_| ApiError::internal())?;
        let persons = HeaderValue::from_static(list.persons_shown());
        let response = self.response(bytes, permit);
        let response = attached(response, ACCEPTANCES_FILE);
        let response = with(response, PERSONS, persons);
        let response = with(response, CATALOGUES_UNKNOWN, list.unknown.len().into());
        Ok(with(
            response,
            RECOMMENDATIONS_UNKNOWN,
            list.recommendations_unknown.len().into(),
        ))
    }

    fn response(&self, bytes: Vec<u8>, permit: OwnedSemaphorePermit) -> Response {
        let bytes = match bytes.len() {
            0..=SMALL => Bytes::from(bytes),
            _ => Bytes::from_owner(LargeBody {
                bytes,
                _permit: permit,
            }),
        };
        let content_type = HeaderValue::from_static(self.format.content_type());
        data(StatusCode::OK, content_type, bytes)
    }
}

/// A large body, which keeps its permit until the last byte is sent.
struct LargeBody {
    bytes: Vec<u8>,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for LargeBody {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// As a file to be saved.
fn attached(response: Response, file: &'static str) -> Response {
    with(
        response,
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static(file),
    )
}

fn json(document: &impl serde::Serialize) -> Result<Vec<u8>, ApiError> {
    let mut bytes = serde_json::to_vec(document).map_err(|_| ApiError::internal())?;
    bytes.push(b'\n');
    Ok(bytes)
}
