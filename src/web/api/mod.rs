//! The register for other programs: JSON, and CSV for auditors.
//!
//! `docs/reference/api.md` describes every field.

mod answer;
mod spreadsheet;

use super::near::near;
use super::query::{self, BadQuery, PARAMETERS};
use super::reply::Reply;
use super::site::{PersonDetail, Redaction};
use super::weighted::choices;
use crate::model::{Persons, Timestamp};
use crate::register::record::{AcceptanceRecord, TenantRecord, moment};
use crate::register::{Filter, acceptances};
use crate::store::Tenants;
use answer::{failed, json};
use hyper::http::request::Parts;
use hyper::{StatusCode, header};
use serde::Serialize;

/// What stands behind a path below `/api/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ApiRoute {
    /// The register of accepted risks.
    Acceptances,
    /// The tenants.
    Tenants,
    /// Nothing.
    Missing,
}

/// All accepted risks a filter lets through.
#[derive(Serialize)]
struct AcceptancesAnswer<'a> {
    generated_at: String,
    persons: &'static str,
    persons_hint: Option<&'static str>,
    catalogues_unknown: Vec<&'a str>,
    acceptances: Vec<AcceptanceRecord<'a>>,
}

/// All tenants.
#[derive(Serialize)]
struct TenantsAnswer<'a> {
    generated_at: String,
    tenants: Vec<TenantRecord<'a>>,
}

impl ApiRoute {
    /// The route of a path, if it is one of the API's.
    pub(super) fn of(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("/api/")?;
        Some(match rest {
            "v1/acceptances" => Self::Acceptances,
            "v1/tenants" => Self::Tenants,
            _ => Self::Missing,
        })
    }

    /// The answer of a route as of now.
    pub(super) fn answer(
        self,
        parts: &Parts,
        tenants: &Tenants,
        persons: &PersonDetail,
        now: Timestamp,
    ) -> Reply {
        let answered = match self {
            Self::Acceptances => register(parts, tenants, persons, now),
            Self::Tenants => list(parts, tenants, now),
            Self::Missing => Err(Refusal::missing()),
        };
        answered.unwrap_or_else(failed)
    }
}

/// Why there is no answer, and what to ask instead.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    error: String,
    hint: String,
}

impl Refusal {
    fn missing() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            error: "there is nothing at this path".to_owned(),
            hint: "ask for /api/v1/acceptances or /api/v1/tenants".to_owned(),
        }
    }

    fn unknown_tenant(alias: &str, tenants: &Tenants) -> Self {
        let hint = match near(alias, tenants).first() {
            Some(near) => format!("did you mean {near}?"),
            None => "/api/v1/tenants lists the tenants there are".to_owned(),
        };
        Self {
            status: StatusCode::NOT_FOUND,
            error: "no tenant has this name".to_owned(),
            hint,
        }
    }

    fn unknown_parameters(names: &[(String, String)], known: &[&str]) -> Self {
        let names: Vec<_> = names.iter().map(|(name, _)| name.as_str()).collect();
        let hint = match known {
            [] => "this path takes none".to_owned(),
            known => format!("known are {}", known.join(", ")),
        };
        Self {
            status: StatusCode::BAD_REQUEST,
            error: format!("unknown parameter {}", names.join(", ")),
            hint,
        }
    }
}

impl From<BadQuery> for Refusal {
    fn from(bad: BadQuery) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: bad.to_string(),
            hint: "docs/reference/api.md describes each parameter".to_owned(),
        }
    }
}

fn register(
    parts: &Parts,
    tenants: &Tenants,
    detail: &PersonDetail,
    now: Timestamp,
) -> Result<Reply, Refusal> {
    let (filter, others) = query::filter(parts.uri.query(), now)?;
    if !others.is_empty() {
        return Err(Refusal::unknown_parameters(&others, &PARAMETERS));
    }
    let format = Format::wanted(parts, &[Format::Json, Format::Csv])?;
    if let Some(alias) = filter
        .tenant
        .as_deref()
        .filter(|it| tenants.find(it).is_none())
    {
        return Err(Refusal::unknown_tenant(alias, tenants));
    }
    let found = acceptances(tenants, &filter, now);
    let persons = detail.persons();
    let records = found
        .iter()
        .map(|it| AcceptanceRecord::new(it, persons, now));
    match format {
        Format::Csv => spreadsheet::answer(records),
        Format::Json => json(&AcceptancesAnswer {
            generated_at: moment(now),
            persons: shown(persons),
            persons_hint: hint(detail),
            catalogues_unknown: unknown(tenants, &filter),
            acceptances: records.collect(),
        }),
    }
}

fn list(parts: &Parts, tenants: &Tenants, now: Timestamp) -> Result<Reply, Refusal> {
    let (filter, mut others) = query::filter(parts.uri.query(), now)?;
    if filter != Filter::default() {
        others.push(("a filter".to_owned(), String::new()));
    }
    if !others.is_empty() {
        return Err(Refusal::unknown_parameters(&others, &[]));
    }
    Format::wanted(parts, &[Format::Json])?;
    let records = tenants.states.iter().map(|it| TenantRecord::new(it, now));
    json(&TenantsAnswer {
        generated_at: moment(now),
        tenants: records.collect(),
    })
}

/// An empty list must not be mistaken for good news.
fn unknown<'a>(tenants: &'a Tenants, filter: &Filter) -> Vec<&'a str> {
    let wanted = |alias: &str| filter.tenant.as_deref().is_none_or(|it| it == alias);
    let unread = tenants.states.iter().filter(|state| {
        state.snapshot.catalogue_anomalies.is_none() && wanted(&state.identity.alias)
    });
    unread.map(|state| &*state.identity.alias).collect()
}

const fn shown(persons: &Persons) -> &'static str {
    match persons {
        Persons::Plain => "full",
        Persons::Pseudonyms(_) => "hash",
        Persons::Hidden => "hidden",
    }
}

const fn hint(detail: &PersonDetail) -> Option<&'static str> {
    match detail {
        PersonDetail::Shown(Persons::Plain) => None,
        PersonDetail::Shown(_) | PersonDetail::Redacted(Redaction::Configured) => {
            Some("set privacy.events: full to see who accepted a risk, and why")
        }
        PersonDetail::Redacted(Redaction::Unprotected) => Some(
            "anybody on the network can read this; let --web.listen-address name a loopback address only, to see persons there",
        ),
        PersonDetail::Redacted(Redaction::Forwarded) => Some(
            "this request came through a proxy or under a name that is not this machine's; ask http://localhost on the machine itself to see persons",
        ),
    }
}

/// The shape of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
}

impl Format {
    const fn media(self) -> (&'static str, &'static str) {
        match self {
            Self::Json => ("application", "json"),
            Self::Csv => ("text", "csv"),
        }
    }

    /// How gladly a client takes it, by the range that names it most exactly.
    fn weight(self, accept: &str) -> Option<u16> {
        let (kind, subtype) = self.media();
        let ranges = choices(accept);
        let named = ranges.iter().filter_map(|range| {
            let exactness = match range.value.split_once('/')? {
                ("*", "*") => 0,
                (a, "*") if a.eq_ignore_ascii_case(kind) => 1,
                (a, b) if a.eq_ignore_ascii_case(kind) && b.eq_ignore_ascii_case(subtype) => 2,
                _ => return None,
            };
            Some((exactness, range.weight))
        });
        named
            .max_by_key(|(exactness, _)| *exactness)
            .map(|(_, weight)| weight)
    }

    /// The one a client wants of those there are; the first where it does not
    /// say.
    fn wanted(parts: &Parts, offered: &[Self]) -> Result<Self, Refusal> {
        let headers = parts.headers.get_all(header::ACCEPT).iter();
        let accept: Vec<_> = headers.filter_map(|it| it.to_str().ok()).collect();
        let accept = accept.join(",");
        if accept.trim().is_empty() {
            return Ok(Self::Json);
        }
        let weighed = offered
            .iter()
            .rev()
            .filter_map(|it| Some((it.weight(&accept)?, *it)));
        let willing = weighed.filter(|(weight, _)| *weight > 0);
        let best = willing.max_by_key(|(weight, _)| *weight);
        best.map(|(_, format)| format).ok_or_else(|| {
            let media = offered.iter().map(|it| it.media());
            let media: Vec<_> = media.map(|(a, b)| format!("{a}/{b}")).collect();
            Refusal {
                status: StatusCode::NOT_ACCEPTABLE,
                error: "none of the formats asked for is spoken here".to_owned(),
                hint: format!("let Accept name {}", media.join(" or ")),
            }
        })
    }
}
