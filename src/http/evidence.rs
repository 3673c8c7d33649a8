//! `/tenants/NAME/evidence`: what was decided about a tenant in a period.

use super::page_error::page_error;
use crate::evidence::{DigestedEvidence, Evidence, Period, csv};
use crate::http_types::response::{self, data, html, text, with};
use crate::http_types::{QueryError, Response, query};
use crate::views::{self, PageError, ViewContext};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CONTENT_SECURITY_POLICY, HeaderValue};

/// The path, where `{alias}` stands for any tenant.
pub(super) const PATH: &str = "/tenants/{alias}/evidence";

const PARAMETERS: [&str; 3] = ["since", "until", "format"];

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// No script may run and nothing may load, but the page's own style sheet.
fn content_policy() -> Option<HeaderValue> {
    let style = STANDARD.encode(digest(&SHA256, views::evidence::STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).ok()
}

/// The format of the response.
#[derive(Debug, Clone, Copy)]
enum Format {
    Html,
    Csv,
    Json,
}

/// What a request asks for.
struct EvidenceQuery {
    period: Period,
    format: Format,
}

/// The alias in a path of evidence, below the prefix.
pub(super) fn alias(path: &str) -> Option<&str> {
    path.strip_prefix("/tenants/")?.strip_suffix("/evidence")
}

/// Answers a request for a path below the prefix.
pub(super) fn respond(path: &str, query: Option<&str>, context: &ViewContext<'_>) -> Response {
    let found = alias(path).unwrap_or_default();
    let Some(state) = context.tenants.find(found) else {
        return page_error(&PageError::UnknownTenant(found.to_owned()), context);
    };
    let EvidenceQuery { period, format } = match EvidenceQuery::parse(query, context) {
        Ok(query) => query,
        Err(error) => return page_error(&PageError::InvalidQuery(error), context),
    };
    let persons = context.persons.persons();
    let evidence = Evidence::new(state, period, persons, context.version, context.now);
    let evidence = evidence.with_digest().ok();
    let response = evidence.and_then(|evidence| response(&evidence, format));
    response.unwrap_or_else(|| {
        let line = "the evidence cannot be rendered; report this bug\n";
        text(StatusCode::INTERNAL_SERVER_ERROR, line)
    })
}

impl EvidenceQuery {
    fn parse(query: Option<&str>, context: &ViewContext<'_>) -> Result<Self, QueryError> {
        let pairs = query::parse_pairs(query)?;
        query::allow_only(&pairs, &PARAMETERS)?;
        let value = |name: &str| {
            let mut given = pairs
                .iter()
                .filter(|(key, text)| key == name && !text.is_empty());
            let first = given.next().map(|(_, text)| text.as_str());
            match given.next() {
                Some(_) => Err(QueryError::new(
                    format!("{name} is given twice"),
                    "give it once",
                )),
                None => Ok(first),
            }
        };
        let period = Period::parse(value("since")?, value("until")?, context.now);
        let format = match value("format")? {
            None | Some("html") => Format::Html,
            Some("csv") => Format::Csv,
            Some("json") => Format::Json,
            Some(other) => {
                let problem = format!("format {other:?} does not exist");
                return Err(QueryError::new(
                    problem,
                    "the formats are html, csv and json",
                ));
            }
        };
        let period = period.map_err(|error| {
            let (problem, remedy) = (error.problem(), error.remedy());
            QueryError::new(problem, remedy)
        })?;
        Ok(Self { period, format })
    }
}

fn response(evidence: &DigestedEvidence<'_>, format: Format) -> Option<Response> {
    match format {
        Format::Html => {
            let page = html(StatusCode::OK, views::evidence::page(evidence));
            Some(with(page, CONTENT_SECURITY_POLICY, content_policy()?))
        }
        Format::Json => Some(data(StatusCode::OK, JSON, Bytes::from(evidence.json()))),
        Format::Csv => {
            let it = &evidence.evidence;
            let name = format!("evidence-{}-{}-{}.csv", it.tenant, it.since, it.until);
            Some(response::csv(&name, csv(evidence).ok()?))
        }
    }
}
